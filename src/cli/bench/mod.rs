//! `reelmill bench`: how fast this host is, and what that means for `[capacity]`.
//!
//! Guarantees: everything is measured by the same workers, proofs and publishing as real work, over a clip made here;
//! what could not be measured is left out with its reason. Deliberately absent: other hosts' figures to compare with,
//! and natural pictures: drawn ones are easier on an encoder, so real ladders are slower.

pub mod case;
pub mod suggestion;

use crate::cli::bench::case::Bench;
use crate::cli::bench::case::Case;
use crate::cli::bench::case::Measured;
use crate::cli::bench::suggestion::Suggestion;
use crate::cli::check::devices;
use crate::cli::outcome::WorkFailed;
use crate::cli::run::BackendChoice;
use crate::cli::run::all_threads;
use crate::cli::run::asked_to_stop;
use crate::cli::run::until_done;
use crate::cli::run::workroom::Workroom;
use crate::cli::sample;
use crate::cli::table;
use crate::media::device_report::DeviceReport;
use crate::media::device_trial::Line;
use crate::worker::device_trial;
use crate::worker::environment::DeviceEnvironment;
use serde::Serialize;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longest the rates of one device may take.
const RATES_WITHIN: Duration = Duration::from_secs(600);

/// Arguments of `reelmill bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON for programs.
    #[arg(long)]
    pub json: bool,
    /// Length of the clip. Longer ones make the start of a worker count less.
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub seconds: u32,
    /// Its picture.
    #[arg(long, value_name = "WxH", default_value = "1920x1080", value_parser = sample::size)]
    pub size: (u32, u32),
    /// Which hardware is measured: auto is software, and NVIDIA's as well where there is any.
    #[arg(long, value_enum, default_value_t = BackendChoice::Auto)]
    pub backend: BackendChoice,
    /// Where unfinished files lie, which should be where the daemon has them; default: the system's folder for
    /// temporary files.
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// Processor threads to use; default: all.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub threads: Option<u32>,
}

/// What came of it.
struct Figures {
    devices: Option<DeviceReport>,
    measured: Vec<Measured>,
    rates: Vec<DeviceRates>,
    left_out: Vec<String>,
    suggestion: Suggestion,
}

/// How fast a device is by itself.
#[derive(Debug, Serialize)]
struct DeviceRates {
    device: u32,
    rates: Vec<Line>,
}

/// Carries it out.
///
/// # Errors
/// The clip cannot be made, or nothing could be measured.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let workroom = Workroom::make(args.scratch.as_deref())?;
    let clip = workroom.path().join("clip.mp4");
    eprintln!("making {} s of {}x{} ...", args.seconds, args.size.0, args.size.1);
    crate::media::sample::make_sample(&clip, args.seconds, args.size.0, args.size.1)?;
    let threads = args.threads.unwrap_or_else(all_threads);
    let bench = Bench::new(workroom, clip, args.seconds, threads);
    let mut left_out = Vec::new();
    let devices = match args.backend {
        BackendChoice::Software => None,
        _ => devices::ask().map_err(|fault| left_out.push(fault.cause)).ok(),
    };
    let has_device = devices.as_ref().is_some_and(|report| !report.devices.is_empty());
    let mut backends = Vec::new();
    if args.backend != BackendChoice::Gpu {
        backends.push(BackendChoice::Software);
    }
    if has_device {
        // What a device cannot do, as encoding on some, is measured in software beside it.
        backends.push(BackendChoice::Auto);
    }
    let measured = until_done(async {
        let stop = CancellationToken::new();
        let work = measure(&bench, &backends, &mut left_out, &stop);
        tokio::pin!(work);
        tokio::select! {
            measured = &mut work => measured,
            () = asked_to_stop() => {
                stop.cancel();
                work.await
            }
        }
    })?;
    let rates = rates(&bench, args.size, devices.as_ref(), &mut left_out);
    let suggestion = suggestion::suggest(&measured, threads);
    let figures = Figures {
        devices,
        measured,
        rates,
        left_out,
        suggestion,
    };
    print(args, &figures)?;
    if figures.measured.is_empty() {
        Err(WorkFailed.into())
    } else {
        Ok(())
    }
}

/// What each device does by itself.
fn rates(
    bench: &Bench,
    size: (u32, u32),
    devices: Option<&DeviceReport>,
    left_out: &mut Vec<String>,
) -> Vec<DeviceRates> {
    let mut all = Vec::new();
    for device in devices.iter().flat_map(|report| &report.devices) {
        eprintln!("measuring device {} ...", device.ordinal);
        let environment = DeviceEnvironment::of(std::env::vars_os());
        match device_trial::rates(
            device.ordinal,
            bench.clip(),
            size,
            bench.folder(),
            environment,
            RATES_WITHIN,
        ) {
            Ok(rates) => all.push(DeviceRates {
                device: device.ordinal,
                rates,
            }),
            Err(fault) => left_out.push(format!("rates of device {}: {}", device.ordinal, fault.cause)),
        }
    }
    all
}

async fn measure(
    bench: &Bench,
    backends: &[BackendChoice],
    left_out: &mut Vec<String>,
    stop: &CancellationToken,
) -> Vec<Measured> {
    let mut all: Vec<Measured> = Vec::new();
    for backend in backends.iter().copied() {
        for case in Case::ALL {
            let mut before: Option<Measured> = None;
            let mut at_once = 1;
            while !stop.is_cancelled() {
                eprintln!("measuring {} ({}), {at_once} at once ...", case.word(), word(backend));
                let measured = match bench.measure(case, backend, at_once, stop).await {
                    Ok(measured) => measured,
                    Err(error) => {
                        left_out.push(format!(
                            "{} ({}), {at_once} at once: {error:#}",
                            case.word(),
                            word(backend)
                        ));
                        break;
                    }
                };
                if backend == BackendChoice::Auto && measured.backend == "software" {
                    let why = measured.fallback_reason.as_deref();
                    let why = why.unwrap_or("this work has no use for one");
                    left_out.push(format!("{} on the device, done in software: {why}", case.word()));
                    break;
                }
                all.push(measured.clone());
                let more = case == Case::Ladder
                    && at_once < 16
                    && suggestion::is_worth_trying(&measured, before.as_ref(), memory_bytes());
                if !more {
                    break;
                }
                at_once *= 2;
                before = Some(measured);
            }
        }
    }
    all
}

fn word(backend: BackendChoice) -> &'static str {
    match backend {
        BackendChoice::Software => "software",
        BackendChoice::Auto | BackendChoice::Gpu => "device",
    }
}

fn memory_bytes() -> u64 {
    let info = rustix::system::sysinfo();
    info.totalram.saturating_mul(u64::from(info.mem_unit))
}

fn print(args: &Args, figures: &Figures) -> anyhow::Result<()> {
    let suggestion = &figures.suggestion;
    if args.json {
        let devices = figures.devices.as_ref().map(|report| &report.devices);
        return table::print_json(&json!({
            "version": env!("CARGO_PKG_VERSION"),
            "threads": suggestion.threads,
            "memory_bytes": memory_bytes(),
            "clip": { "seconds": args.seconds, "width": args.size.0, "height": args.size.1, "fps": 30 },
            "devices": devices,
            "measured": figures.measured,
            "device_rates": figures.rates,
            "left_out": figures.left_out,
            "suggested": suggestion,
        }));
    }
    let rows: Vec<Vec<String>> = figures
        .measured
        .iter()
        .map(|one| {
            vec![
                one.case.word().to_owned(),
                one.backend.clone(),
                one.at_once.to_string(),
                format!("{:.1}", one.fps),
                format!("{:.2}", one.speed),
                format!("{:.2}", one.wall_ms as f64 / 1e3),
                format!("{:.2}", one.cpu_ms as f64 / 1e3),
                format!("{}", one.peak_memory_bytes >> 20),
            ]
        })
        .collect();
    let headings = ["WORK", "ON", "AT ONCE", "FPS", "SPEED", "WALL S", "CPU S", "PEAK MIB"];
    table::print_rows(&headings, &rows)?;
    for device in &figures.rates {
        println!("\ndevice {} by itself:", device.device);
        for line in &device.rates {
            let rates: Vec<String> = line
                .figures
                .iter()
                .map(|(name, rate)| format!("{name} {rate:.2}"))
                .collect();
            println!(
                "  {:<22} {}  ({})",
                line.name,
                rates.join(", "),
                table::printable(&line.said)
            );
        }
    }
    for line in &figures.left_out {
        println!("left out: {}", table::printable(line));
    }
    println!(
        "\nsuggested:\n\n[capacity]\nthreads = {}\nattempts = {}",
        suggestion.threads, suggestion.attempts
    );
    if let Some(attempts) = suggestion.gpu_attempts {
        println!("\n[capacity.gpu]\nattempts = {attempts}");
    }
    println!();
    for reason in &suggestion.reasons {
        println!("# {reason}");
    }
    println!("# drawn pictures are easier on an encoder than natural ones: real ladders are slower");
    Ok(())
}
