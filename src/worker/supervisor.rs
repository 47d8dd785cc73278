//! The parent's side of a worker: starts it, feeds it its order, hears it out, and makes sure that it ends.
//!
//! Guarantees: [`run`] ends whatever the worker does, with one [`Ended`]; nothing the worker says is believed beyond
//! the form of the protocol, and no line or last word of it grows without bound; a worker outlives neither the
//! returned future nor the parent process (its stdin closes). Deliberately absent: storages, retries, rows.

use crate::base::fault::Fault;
use crate::media::progress::Cost;
use crate::media::spec::Backend;
use crate::worker::death;
use crate::worker::environment::DeviceEnvironment;
use crate::worker::protocol::Message;
use crate::worker::protocol::Order;
use crate::worker::relay::pulse::RelayPulse;
use crate::worker::vitals::Verdict;
use crate::worker::vitals::Vitals;
use crate::worker::vitals::Watchdog;
use crate::worker::vitals::resident_bytes;
use command_fds::CommandFdExt;
use command_fds::FdMapping;
use rustix::process::Pid;
use rustix::process::Signal;
use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;
use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::BufReader;
use tokio::process::Child;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// The descriptor a worker finds its source at.
pub const SOURCE_DESCRIPTOR: i32 = 3;
/// A result with a hundred thousand segments is about 20 MB of JSON.
const MAX_LINE_BYTES: u64 = 256 << 20;
const LAST_WORDS_BYTES: usize = 8 << 10;
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How workers are started and ended.
#[derive(Debug, Clone)]
pub struct SupervisorOptions {
    /// The program; it is given the one argument `worker`.
    pub program: PathBuf,
    /// For workers that may use a device.
    pub environment: DeviceEnvironment,
    /// Ends a worker that neither reports progress nor uses the processor nor moves a byte for so long; zero: never.
    pub idle_limit: Duration,
    /// Ends a worker that only uses the processor for so long; zero: never.
    pub spin_limit: Duration,
    /// Time a worker has to stop by itself before it is killed.
    pub stop_grace: Duration,
    /// Time a killed worker has to disappear before it is left to the kernel.
    pub kill_grace: Duration,
}

impl Default for SupervisorOptions {
    fn default() -> Self {
        SupervisorOptions {
            // The running binary itself, even when a package upgrade has replaced the file.
            program: PathBuf::from("/proc/self/exe"),
            environment: DeviceEnvironment::default(),
            idle_limit: Duration::from_secs(180),
            spin_limit: Duration::from_secs(1_800),
            stop_grace: Duration::from_millis(1_500),
            kill_grace: Duration::from_secs(10),
        }
    }
}

/// How a worker ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// Why the attempt as a whole failed; none: it said all it had to say.
    pub fault: Option<Fault>,
    /// It died by itself, or had to be killed because it hung.
    pub crashed: bool,
    /// It ended early because it was asked to.
    pub stopped: bool,
    /// What it cost, when it came to say so.
    pub cost: Option<Cost>,
    /// The last that it wrote to its standard error.
    pub words: String,
}

/// The descriptor at which a worker finds file number `number` beside its source.
pub fn side_descriptor(number: usize) -> i32 {
    SOURCE_DESCRIPTOR
        .saturating_add(1)
        .saturating_add(i32::try_from(number).unwrap_or(i32::MAX))
}

/// The descriptor at which a worker with so many files beside its source finds its relay.
pub fn relay_descriptor(side_files: usize) -> i32 {
    side_descriptor(side_files)
}

/// Files a worker inherits, open for reading.
#[derive(Debug, Default)]
pub struct Inherited {
    /// The source; none: it is relayed.
    pub source: Option<File>,
    /// Files beside it, in the order of the order; none: that one is relayed.
    pub side: Vec<Option<File>>,
    /// Over which relayed ones come.
    pub relay: Option<RelayEnd>,
}

/// The worker's end of a relay.
#[derive(Debug)]
pub struct RelayEnd {
    /// The socket.
    pub socket: File,
    /// Tells when the relay waits for its endpoint, and the worker for it: that is no hang.
    pub pulse: RelayPulse,
}

impl From<File> for Inherited {
    fn from(source: File) -> Self {
        Inherited {
            source: Some(source),
            ..Inherited::default()
        }
    }
}

/// Runs one worker over `order` with the files it names open for reading. Messages are handed on as they come, the
/// first `Started` to the last `JobEnded`; how it all ended is the return value.
pub async fn run(
    options: &SupervisorOptions,
    order: &Order,
    files: impl Into<Inherited>,
    messages: mpsc::Sender<Message>,
    stop: CancellationToken,
) -> Ended {
    let subject = order.source.name.as_str();
    let failed = |fault| Ended {
        fault: Some(fault),
        crashed: false,
        stopped: false,
        cost: None,
        words: String::new(),
    };
    let line = match serde_json::to_vec(order) {
        Ok(mut line) => {
            line.push(b'\n');
            line
        }
        Err(error) => return failed(death::unintelligible(subject, error.to_string())),
    };
    let may_use_device = order.backend != Backend::Software;
    let files = files.into();
    let relay = files.relay.as_ref().map(|relay| relay.pulse.clone());
    let mut child = match spawn(options, may_use_device, files) {
        Ok(child) => child,
        Err(error) => return failed(death::not_started(subject, &error)),
    };
    let listening = Listening::to(&mut child, line);
    Supervision {
        options,
        subject,
        child,
        // Elsewhere the worker's own limit on address space holds.
        max_memory_bytes: if may_use_device {
            order.limits.max_memory_bytes
        } else {
            0
        },
        messages,
        dog: Watchdog::new(options.idle_limit, options.spin_limit, Instant::now()),
        relay,
        fault: None,
        explained: false,
        hung: false,
        cost: None,
    }
    .hear_out(listening, stop)
    .await
}

fn spawn(options: &SupervisorOptions, may_use_device: bool, files: Inherited) -> std::io::Result<Child> {
    let mut command = std::process::Command::new(&options.program);
    command
        .arg0("reelmill")
        .arg("worker")
        .env_clear()
        // SVT-AV1 tells its settings on stderr for every encoder it opens, unless it is to tell errors only.
        .env("SVT_LOG", "1")
        .envs(options.environment.of_worker(may_use_device))
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let relay_at = relay_descriptor(files.side.len());
    let side = files.side.into_iter().enumerate();
    let side = side.filter_map(|(number, file)| Some((file?, side_descriptor(number))));
    let source = files.source.map(|file| (file, SOURCE_DESCRIPTOR));
    let relay = files.relay.map(|relay| (relay.socket, relay_at));
    let mappings = source.into_iter().chain(side).chain(relay);
    let mappings = mappings.map(|(file, child_fd)| FdMapping {
        parent_fd: file.into(),
        child_fd,
    });
    command.fd_mappings(mappings.collect()).map_err(std::io::Error::other)?;
    tokio::process::Command::from(command).kill_on_drop(true).spawn()
}

/// The three pipes of a worker, each served by a task of its own.
struct Listening {
    lines: mpsc::Receiver<Result<Message, String>>,
    last_words: tokio::task::JoinHandle<String>,
    /// Dropped: the worker's stdin closes.
    stdin: Option<oneshot::Sender<()>>,
}

impl Listening {
    fn to(child: &mut Child, order: Vec<u8>) -> Self {
        let (lines_in, lines) = mpsc::channel(64);
        let (stdin, close) = oneshot::channel::<()>();
        if let Some(mut pipe) = child.stdin.take() {
            tokio::spawn(async move {
                // A worker that is gone before it read its order says so by its exit status.
                let _ = pipe.write_all(&order).await;
                let _ = pipe.flush().await;
                let _ = close.await;
            });
        }
        if let Some(pipe) = child.stdout.take() {
            tokio::spawn(read_lines(pipe, lines_in));
        }
        let stderr = child.stderr.take();
        let last_words = tokio::spawn(async move {
            match stderr {
                Some(pipe) => read_last_words(pipe).await,
                None => String::new(),
            }
        });
        Listening {
            lines,
            last_words,
            stdin: Some(stdin),
        }
    }
}

struct Supervision<'a> {
    options: &'a SupervisorOptions,
    subject: &'a str,
    child: Child,
    /// Memory it may hold, bytes; 0: not watched.
    max_memory_bytes: u64,
    messages: mpsc::Sender<Message>,
    dog: Watchdog,
    relay: Option<RelayPulse>,
    fault: Option<Fault>,
    /// It gave the reason for a failure itself.
    explained: bool,
    hung: bool,
    cost: Option<Cost>,
}

impl Supervision<'_> {
    async fn hear_out(mut self, mut listening: Listening, stop: CancellationToken) -> Ended {
        let mut asked = false;
        let mut killed = false;
        let far = Duration::from_secs(86_400 * 365);
        let patience = tokio::time::sleep(far);
        tokio::pin!(patience);
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let give_up = tokio::select! {
                line = listening.lines.recv() => match line {
                    Some(Ok(message)) => {
                        self.heard(message).await;
                        false
                    }
                    Some(Err(cause)) => {
                        self.fault.get_or_insert(death::unintelligible(self.subject, cause));
                        true
                    }
                    None => break,
                },
                _ = look.tick(), if !killed => self.looks_dead(),
                () = stop.cancelled(), if !asked && !killed => {
                    asked = true;
                    listening.stdin = None;
                    patience.as_mut().reset(tokio::time::Instant::now() + self.options.stop_grace);
                    false
                }
                () = &mut patience => {
                    if killed {
                        break;
                    }
                    true
                }
            };
            if give_up && !killed {
                killed = true;
                self.kill();
                patience
                    .as_mut()
                    .reset(tokio::time::Instant::now() + self.options.kill_grace);
            }
        }
        self.conclude(listening, asked).await
    }

    async fn heard(&mut self, message: Message) {
        match message {
            Message::AttemptFailed { fault } => {
                self.fault.get_or_insert(fault);
                self.explained = true;
            }
            Message::Finished { cost } => self.cost = Some(cost),
            Message::Progress(progress) => {
                self.dog.reported(progress.frames, progress.percent, Instant::now());
                // Progress is for eyes only: a reader that is busy misses some of it.
                let _ = self.messages.try_send(Message::Progress(progress));
            }
            message => {
                // A reader that went away has lost interest in this attempt, not in its end.
                let _ = self.messages.send(message).await;
                self.dog.moved(Instant::now());
            }
        }
    }

    fn looks_dead(&mut self) -> bool {
        let Some(vitals) = self.child.id().and_then(Vitals::of) else {
            return false;
        };
        let limit = self.max_memory_bytes;
        let held = self.child.id().filter(|_| limit > 0).and_then(resident_bytes);
        if let Some(held) = held.filter(|held| *held > limit) {
            self.hung = true;
            self.fault.get_or_insert(death::over_memory(self.subject, held, limit));
            return true;
        }
        if self.relay.as_ref().is_some_and(RelayPulse::is_waiting) {
            // A slow endpoint is the relay's affair, which gives up on a dead one and tells the worker.
            self.dog.moved(Instant::now());
        }
        let fault = match self.dog.look(vitals, Instant::now()) {
            Verdict::Alive => return false,
            Verdict::Idle(so_long) => death::idle(self.subject, so_long),
            Verdict::Spinning(so_long) => death::spinning(self.subject, so_long),
        };
        self.hung = true;
        self.fault.get_or_insert(fault);
        true
    }

    /// Kills the whole process group. The child has not been waited for, so its number cannot be another's.
    fn kill(&mut self) {
        if let Some(group) = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
    }

    async fn conclude(mut self, listening: Listening, asked: bool) -> Ended {
        drop(listening.stdin);
        let mut status = tokio::time::timeout(self.options.kill_grace, self.child.wait()).await;
        if status.is_err() {
            self.kill();
            status = tokio::time::timeout(self.options.kill_grace, self.child.wait()).await;
        }
        let Ok(status) = status else {
            let mut child = self.child;
            // The kernel holds it; somebody must still collect it when it lets go.
            tokio::spawn(async move { child.wait().await });
            return Ended {
                fault: Some(self.fault.unwrap_or_else(|| death::unkillable(self.subject))),
                crashed: !asked,
                stopped: asked,
                cost: None,
                words: String::new(),
            };
        };
        let last_words = match tokio::time::timeout(LOOK_EVERY, listening.last_words).await {
            Ok(Ok(words)) => words,
            _ => String::new(),
        };
        if !last_words.trim().is_empty() {
            tracing::debug!(
                source = self.subject,
                words = last_words.trim(),
                "a worker wrote to its standard error"
            );
        }
        let well = status.as_ref().is_ok_and(std::process::ExitStatus::success);
        if well && self.cost.is_some() && self.fault.is_none() {
            return Ended {
                fault: None,
                crashed: false,
                stopped: false,
                cost: self.cost,
                words: last_words,
            };
        }
        // A fault of the work itself, met while stopping, is still only a stop: the same attempt may run again.
        let stopped = asked && !self.hung;
        let fault = match (stopped, self.fault, status) {
            (true, ..) => death::stopped(self.subject),
            (false, Some(fault), _) => fault,
            (false, None, Ok(status)) => death::fault(status, &last_words, self.subject),
            (false, None, Err(error)) => death::not_started(self.subject, &error),
        };
        Ended {
            crashed: !stopped && !(well && (self.explained || self.cost.is_some())),
            fault: Some(fault),
            stopped,
            cost: self.cost,
            words: last_words,
        }
    }
}

async fn read_lines(pipe: impl tokio::io::AsyncRead + Unpin, to: mpsc::Sender<Result<Message, String>>) {
    let mut reader = BufReader::new(pipe);
    loop {
        let mut line = Vec::new();
        let answer = match (&mut reader).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await {
            Ok(0) => return,
            // Killed in the middle of a line: its exit status tells more than the torn line.
            Ok(_) if line.last() != Some(&b'\n') && (line.len() as u64) < MAX_LINE_BYTES => return,
            Ok(_) => serde_json::from_slice(&line).map_err(|error| {
                let begun = String::from_utf8_lossy(&line[..line.len().min(120)]).into_owned();
                format!(
                    "the worker said something that is no message ({error}): {}",
                    begun.trim_end()
                )
            }),
            Err(error) => Err(format!("the worker cannot be heard: {error}")),
        };
        let over = answer.is_err();
        if to.send(answer).await.is_err() || over {
            return;
        }
    }
}

async fn read_last_words(mut pipe: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut last = VecDeque::with_capacity(LAST_WORDS_BYTES);
    let mut buffer = [0; 4096];
    while let Ok(count) = pipe.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        last.extend(&buffer[..count]);
        last.drain(..last.len().saturating_sub(LAST_WORDS_BYTES));
    }
    String::from_utf8_lossy(last.make_contiguous()).into_owned()
}
