//! The child's side: reads its order, closes the cage, carries the pass out, and tells how it went.
//!
//! Guarantees: not a byte of the source is read outside the cage; stdin's end stops the pass, and ends the process
//! soon after even when the pass does not listen; the source is looked at once more after the pass, and what the relay
//! says of a failed read counts for more than what the pass made of it; a panic is a failed attempt that says where. Deliberately absent: tokio, storages, and anything left behind but scratch.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::assembly::Rest;
use crate::media::av::log;
use crate::media::av::turns;
use crate::media::error;
use crate::media::pass;
use crate::media::pass::PassJob;
use crate::media::pass::PassOrder;
use crate::media::progress::Cost;
use crate::media::side_file::SideFiles;
use crate::media::spec::Backend;
use crate::media::vmaf::Library;
use crate::worker::account::Account;
use crate::worker::death;
use crate::worker::device_access::DeviceAccess;
use crate::worker::environment::DeviceEnvironment;
use crate::worker::held;
use crate::worker::held::HeldSource;
use crate::worker::protocol;
use crate::worker::protocol::Message;
use crate::worker::protocol::Order;
use crate::worker::relay::Line;
use crate::worker::sandbox;
use crate::worker::sandbox::Cage;
use crate::worker::voice::Voice;
use rustix::process::Signal;
use std::any::Any;
use std::fs::File;
use std::io::BufRead;
use std::io::Read;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::Weak;
use std::time::Duration;

/// An order with ten thousand explicit moments is well under a megabyte.
const MAX_ORDER_BYTES: u64 = 64 << 20;
/// How long a pass may take to notice that it should stop.
const STOP_GRACE: Duration = Duration::from_secs(4);
const LOOK_AT_SOURCE_EVERY: Duration = Duration::from_secs(1);
/// So much longer for every further file of a source: a film of pictures shall not be looked at all the time.
const LOOK_AT_ONE: Duration = Duration::from_millis(10);
/// Chosen by the kernel before the daemon when memory runs out.
const OOM_SCORE_ADJ: &str = "500";

/// Speaks to the parent through standard output.
pub type StdoutVoice = Voice<std::io::Stdout>;

/// Serves the one order that stands on standard input. `environment` is the process's own.
pub fn serve(environment: &DeviceEnvironment) -> ExitCode {
    let voice = Arc::new(Voice::new(std::io::stdout()));
    let account = Account::open();
    match std::panic::catch_unwind(AssertUnwindSafe(|| carry_out_order(&voice, &account, environment))) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(fault)) => {
            tell_heard(&voice);
            voice.fail(fault);
            voice.say(&Message::Finished {
                cost: account.complete(Cost::default()),
            });
            ExitCode::SUCCESS
        }
        Err(panic) => {
            voice.fail(panicked(panic.as_ref()));
            ExitCode::from(101)
        }
    }
}

fn carry_out_order(voice: &Arc<StdoutVoice>, account: &Account, environment: &DeviceEnvironment) -> Result<(), Fault> {
    let order = read_order()?;
    let source = Arc::new(HeldSource::take(&order.source)?);
    let side = HeldSource::take_all(&order.side)?;
    let members = HeldSource::take_all(&order.members)?;
    let socket = match order.relay {
        Some(descriptor) => Some(held::take_descriptor(descriptor, "the relay")?),
        None => None,
    };
    // Not allowed in some containers, where it matters to nobody else.
    let _ = std::fs::write("/proc/self/oom_score_adj", OOM_SCORE_ADJ);
    turns::take_long_ones();
    let device = match order.backend {
        Backend::Software => None,
        Backend::Auto | Backend::Gpu => DeviceAccess::of_host(environment),
    };
    if order.jobs.iter().any(|job| job.work.wants_vmaf()) {
        // In the cage no library can be opened. Where there is none, the result says so.
        let _ = Library::of_host();
    }
    let sandbox_missing = sandbox::enter(&Cage {
        scratch: &order.scratch,
        folder: source.folder(),
        max_memory_bytes: order.limits.max_memory_bytes,
        mode: order.sandbox,
        has_letters: order.jobs.iter().any(|job| job.work.needs_fonts()),
        device: device.as_ref(),
    })?;
    voice.say(&Message::Started { sandbox_missing });
    let relay = socket.map(|socket| open_line(socket, &order)).transpose()?;
    stop_with_stdin(voice.clone(), death::stopped(&order.source.name), relay.clone());
    stop_with_source(voice.clone(), Arc::downgrade(&source));
    // What a pass says of a source that changed under it (cut short, damaged) is only half the truth.
    let check = || {
        if let Some(fault) = relay.as_ref().and_then(Line::fault) {
            return Err(fault);
        }
        side.iter()
            .chain(&members)
            .try_fold((), |(), held| held.check())
            .and_then(|()| source.check())
    };
    let beside = (side.as_slice(), members.as_slice());
    let mut cost =
        pass(&order, &source, beside, relay.as_ref(), voice).map_err(|fault| check().err().unwrap_or(fault))?;
    check()?;
    if let Some(line) = &relay {
        line.recheck()?;
        if order.source.relay.is_some() {
            // What came over the network, read ahead or twice, is what the source cost.
            cost.read_bytes = line.tally().fetched_bytes;
        }
    }
    tell_heard(voice);
    voice.finish(account.complete(cost));
    Ok(())
}

/// Tells what libav complained of: it explains what came out, well or not.
fn tell_heard(voice: &StdoutVoice) {
    let lines = log::errors();
    if !lines.is_empty() {
        voice.say(&Message::Heard { lines });
    }
}

fn read_order() -> Result<Order, Fault> {
    let refuse = |cause: String| {
        Fault::new(
            "OrderUnreadable",
            Blame::Host,
            "read order",
            "standard input",
            cause,
            "`reelmill worker` is started by the daemon and by `reelmill run`; after an upgrade, restart the daemon.",
        )
    };
    let mut line = Vec::new();
    // Locked and buffered by the standard library: the watcher of stdin goes on from the same buffer.
    std::io::stdin()
        .lock()
        .take(MAX_ORDER_BYTES)
        .read_until(b'\n', &mut line)
        .map_err(|error| refuse(error.to_string()))?;
    let version = serde_json::from_slice::<serde_json::Value>(&line)
        .ok()
        .and_then(|order| order.get("version").and_then(serde_json::Value::as_u64));
    if version != Some(u64::from(protocol::VERSION)) {
        return Err(refuse(format!(
            "it is no order of version {} (found {})",
            protocol::VERSION,
            version.map_or("none".to_owned(), |found| found.to_string()),
        )));
    }
    serde_json::from_slice(&line).map_err(|error| refuse(error.to_string()))
}

fn open_line(socket: File, order: &Order) -> Result<Line, Fault> {
    Line::open(socket).map_err(|error| {
        Fault::new(
            "SourceUnreadable",
            Blame::Host,
            "open source",
            &order.source.name,
            format!("no thread can be had for its relay: {error}"),
            "Raise the limits of threads and memory; the work is tried again by itself.",
        )
    })
}

/// Stops the pass when the parent closes stdin or dies, and ends the process when the pass takes no notice. Who waits for
/// a relay waits no longer.
fn stop_with_stdin(voice: Arc<StdoutVoice>, reason: Fault, relay: Option<Line>) {
    std::thread::spawn(move || {
        let mut ignored = [0; 512];
        loop {
            match std::io::stdin().read(&mut ignored) {
                Ok(0) => break,
                Err(error) if error.kind() != std::io::ErrorKind::Interrupted => break,
                _ => {}
            }
        }
        voice.ask_to_stop();
        if let Some(line) = relay {
            line.end(reason);
        }
        std::thread::sleep(STOP_GRACE);
        // Not `exit`: the destructors of a stuck library would wait for its stuck threads.
        let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::KILL);
    });
}

/// Stops the pass when the source changes under it, which may be hours before its end.
fn stop_with_source(voice: Arc<StdoutVoice>, source: Weak<HeldSource>) {
    std::thread::spawn(move || {
        while let Some(source) = source.upgrade() {
            if source.check().is_err() {
                voice.ask_to_stop();
                return;
            }
            let looks = u32::try_from(source.looks()).unwrap_or(u32::MAX);
            drop(source);
            std::thread::sleep(LOOK_AT_SOURCE_EVERY + LOOK_AT_ONE.saturating_mul(looks - 1));
        }
    });
}

fn panicked(panic: &(dyn Any + Send)) -> Fault {
    let words = panic
        .downcast_ref::<&str>()
        .map(|words| (*words).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no words".to_owned());
    Fault::new(
        "WorkerPanicked",
        Blame::Bug,
        "run worker",
        "the pass",
        words,
        "This is a defect of reelmill: report it with the file that shows it.",
    )
}

/// The engine's turn.
fn pass(
    order: &Order,
    source: &HeldSource,
    (side, members): (&[HeldSource], &[HeldSource]),
    relay: Option<&Line>,
    voice: &StdoutVoice,
) -> Result<Cost, Fault> {
    let bytes_of = |held: &HeldSource| {
        let bytes = held.given(relay)?.bytes();
        bytes.map_err(|cause| error::source_unreadable("open source", held.name(), cause.to_string()))
    };
    let files = members.iter().map(|held| Ok((held.name().to_owned(), bytes_of(held)?)));
    let files = files.collect::<Result<Vec<_>, Fault>>()?;
    let mut side_files = SideFiles::default();
    for held in side {
        side_files.insert_shared(held.name(), bytes_of(held)?);
    }
    let pass_order = PassOrder {
        jobs: order
            .jobs
            .iter()
            .map(|job| PassJob {
                job: job.job.clone(),
                work: job.work.clone(),
            })
            .collect(),
        scratch: order.scratch.clone(),
        threads: order.threads,
        backend: order.backend,
        device: order.device,
        limits: order.limits.clone(),
        side: side_files,
        family: order.source.family.clone(),
        rest: order.assembly.clone().map(|assembly| Rest { assembly, files }),
    };
    pass::carry_out(&pass_order, source.given(relay)?, &order.source.name, voice)
}
