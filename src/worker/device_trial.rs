//! A trial of a device in a process of its own: `reelmill worker --device-trial PART`.
//!
//! Guarantees: one line of JSON for each thing that was tried, as it is done, so that a driver that crashes leaves what
//! was known before. Deliberately absent: a cage, since what is decoded was made here or named by whoever called.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::device_trial;
use crate::media::device_trial::Line;
use crate::media::device_trial::Part;
use crate::media::device_trial::Trial;
use crate::media::device_trial::Verdict;
use crate::worker::environment::DeviceEnvironment;
use crate::worker::inquiry;
use crate::worker::inquiry::Inquiry;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Words of `--device-trial`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum PartChoice {
    /// Every codec against libavcodec.
    Decoders,
    /// How fast it is.
    Rates,
}

/// The child's side: exit code 0 when nothing failed, 1 when something did or the device cannot be opened.
pub fn serve(choice: PartChoice, trial: &Trial) -> ExitCode {
    let part = match choice {
        PartChoice::Decoders => Part::Decoders,
        PartChoice::Rates => Part::Rates,
    };
    let mut has_failed = false;
    let mut tell = |line: Line| {
        has_failed |= line.verdict == Verdict::Failed;
        let mut text = serde_json::to_vec(&line).expect("plain data");
        text.push(b'\n');
        // Whoever does not read any more does not want to know.
        let _ = std::io::stdout().write_all(&text);
    };
    match device_trial::run(trial, part, &mut tell) {
        Ok(()) if !has_failed => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("reelmill: device {} cannot be opened: {error}", trial.ordinal);
            ExitCode::FAILURE
        }
    }
}

/// The asker's side, of rates: measures them in a child.
///
/// # Errors
/// `DeviceTrialFailed`: the child could not be started, took too long, or died.
pub fn rates(
    ordinal: u32,
    clip: &Path,
    picture: (u32, u32),
    folder: &Path,
    environment: DeviceEnvironment,
    limit: Duration,
) -> Result<Vec<Line>, Fault> {
    let inquiry = Inquiry {
        program: PathBuf::from("/proc/self/exe"),
        arguments: vec![
            "worker".into(),
            "--device-trial".into(),
            "rates".into(),
            "--ordinal".into(),
            ordinal.to_string().into(),
            "--clip".into(),
            clip.into(),
            "--picture".into(),
            format!("{}x{}", picture.0, picture.1).into(),
            "--scratch".into(),
            folder.into(),
        ],
        environment,
        limit,
    };
    let answer = inquiry::ask(&inquiry).map_err(|trouble| {
        Fault::new(
            "DeviceTrialFailed",
            Blame::Host,
            "measure device",
            format!("device {ordinal}"),
            trouble.cause,
            trouble.remedy,
        )
    })?;
    // What was told before an end counts, whatever the end was.
    let lines = answer.output.split(|byte| *byte == b'\n');
    Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
}
