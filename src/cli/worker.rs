//! `reelmill worker`: the child process of an attempt. Hidden: the daemon starts it, people do not.
//!
//! Guarantees: no thread runs before its cage is closed, so `main` comes here before it starts any runtime.

use crate::media::device_trial::Trial;
use crate::worker::device_look;
use crate::worker::device_trial;
use crate::worker::device_trial::PartChoice;
use crate::worker::environment::DeviceEnvironment;
use crate::worker::escape;
use crate::worker::escape::Escape;
use crate::worker::kernel_trial;
use crate::worker::kernel_trial::PictureSize;
use crate::worker::protocol::SandboxMode;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `reelmill worker`.
#[derive(Debug, clap::Args)]
pub struct WorkerArgs {
    /// Instead of working, try to break out of the cage in one way.
    #[arg(long = "try", value_name = "WAY", requires = "scratch")]
    pub escape: Option<Escape>,
    /// The one writable directory of `--try`, and where `--device-trial` makes its clips.
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// The file that `--try file`, `write` and `link` go for.
    #[arg(long, value_name = "FILE", default_value = "/etc/passwd")]
    pub target: PathBuf,
    /// Instead of working, look at the NVIDIA devices and print what they can do as one line of JSON.
    #[arg(long)]
    pub devices: bool,
    /// Encoder sessions that `--devices` opens at most at once on each device, to see how many there are; 0: none.
    #[arg(long, value_name = "N", default_value_t = device_look::SESSIONS, requires = "devices")]
    pub sessions: u32,
    /// Instead of working, try a device out, a line of JSON for each thing tried. Its clips lie in `--scratch`.
    #[arg(long, value_name = "PART", value_enum, requires = "scratch")]
    pub device_trial: Option<PartChoice>,
    /// What `--device-trial rates` decodes, instead of a clip drawn here.
    #[arg(long, value_name = "FILE")]
    pub clip: Option<PathBuf>,
    /// Seconds of the clip that is drawn.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub seconds: u32,
    /// Instead of working, try every kernel on a device and print what came of it as one line of JSON.
    #[arg(long, conflicts_with = "devices")]
    pub kernel_trial: bool,
    /// The device of `--kernel-trial` and `--device-trial`.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub ordinal: u32,
    /// Size of the pictures whose rates the trials measure.
    #[arg(long, value_name = "WxH", default_value = "3840x2160")]
    pub picture: PictureSize,
    /// In the cage of a worker that may use a device.
    #[arg(long)]
    pub device: bool,
    /// Without any cage.
    #[arg(long)]
    pub no_sandbox: bool,
}

/// Serves one order, looks at the devices, tries one of them out, or tries one escape.
pub fn run(args: &WorkerArgs) -> ExitCode {
    if args.devices {
        let visible = std::env::var("CUDA_VISIBLE_DEVICES").ok();
        return device_look::serve(visible.as_deref(), args.sessions);
    }
    if let (Some(part), Some(scratch)) = (args.device_trial, &args.scratch) {
        let trial = Trial {
            ordinal: args.ordinal,
            folder: scratch.clone(),
            clip: args.clip.clone(),
            seconds: args.seconds,
            picture: (args.picture.width, args.picture.height),
        };
        return device_trial::serve(part, &trial);
    }
    if args.kernel_trial {
        return kernel_trial::serve(args.ordinal, args.picture);
    }
    let mode = if args.no_sandbox {
        SandboxMode::Off
    } else {
        SandboxMode::Auto
    };
    match (&args.escape, &args.scratch) {
        (Some(way), Some(scratch)) => escape::attempt(*way, scratch, &args.target, mode, args.device),
        _ => crate::worker::process::serve(&DeviceEnvironment::of(std::env::vars_os())),
    }
}
