//! The look at the NVIDIA devices, in a process of its own: `reelmill worker --devices`.
//!
//! Guarantees: a driver that crashes, hangs or prints is a sentence to whoever asked, never their end; the asker waits
//! no longer than it said. Deliberately absent: a cage, since nothing foreign is read and the driver makes its device
//! nodes while it is looked at; what is done with the answer.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::cuda::capabilities;
use crate::media::device_report::DeviceReport;
use crate::media::device_report::MissingPiece;
use crate::worker::death;
use crate::worker::environment::DeviceEnvironment;
use crate::worker::inquiry;
use crate::worker::inquiry::Inquiry;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::process::ExitStatus;
use std::time::Duration;

/// Sessions that are opened at most to see how many there are: the largest cap of any driver so far is 12.
pub const SESSIONS: u32 = 16;
/// How to look.
#[derive(Debug, Clone)]
pub struct DeviceLook {
    /// The program; it is given `worker --devices`.
    pub program: PathBuf,
    /// Longest the look may take. A driver that wakes eight devices needs ten seconds.
    pub limit: Duration,
    /// Encoder sessions that are opened at most at once on each device, to see how many there are; 0: none.
    pub sessions: u32,
    /// What it gets of the environment: the same as the workers, so that both count devices alike.
    pub environment: DeviceEnvironment,
}

impl DeviceLook {
    /// The usual look, in this environment.
    pub fn in_environment(environment: DeviceEnvironment) -> Self {
        DeviceLook {
            program: PathBuf::from("/proc/self/exe"),
            limit: Duration::from_secs(60),
            sessions: SESSIONS,
            environment,
        }
    }
}

/// The child's side: prints the report as one line of JSON.
pub fn serve(visible_devices: Option<&str>, sessions: u32) -> ExitCode {
    let looked = std::panic::catch_unwind(|| capabilities::look(visible_devices, sessions));
    let report = looked.unwrap_or_else(|_| DeviceReport {
        missing: vec![MissingPiece {
            piece: "driver".to_owned(),
            cause: "looking at it met a defect of this program, told on standard error".to_owned(),
            remedy: "Report it with what stands there; until then the work is done in software.".to_owned(),
        }],
        ..DeviceReport::default()
    });
    let mut line = serde_json::to_vec(&report).expect("plain data");
    line.push(b'\n');
    match std::io::stdout().write_all(&line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The asker's side. Blocks until there is an answer, or for `limit`.
///
/// # Errors
/// `DeviceLookFailed`: it could not be started, took too long, died, or said nothing that can be understood.
pub fn ask(look: &DeviceLook) -> Result<DeviceReport, Fault> {
    let sessions = look.sessions.to_string();
    let inquiry = Inquiry {
        program: look.program.clone(),
        arguments: ["worker", "--devices", "--sessions", &sessions]
            .map(Into::into)
            .to_vec(),
        environment: look.environment.clone(),
        limit: look.limit,
    };
    let answer = inquiry::ask(&inquiry).map_err(|trouble| failed(trouble.cause, trouble.remedy))?;
    understood(&answer.output, answer.status, &answer.words)
}

fn understood(answer: &[u8], status: ExitStatus, words: &str) -> Result<DeviceReport, Fault> {
    // The driver's libraries may print as well: ours is the last line.
    let line = answer.split(|byte| *byte == b'\n').rfind(|line| line.starts_with(b"{"));
    if let (true, Some(line)) = (status.success(), line) {
        return serde_json::from_slice(line).map_err(|error| {
            failed(
                format!("its answer is not understood: {error}"),
                "Restart the daemon after an upgrade.",
            )
        });
    }
    let how = match status.signal() {
        Some(number) => format!(
            "the driver ended the process that looked at it: signal {number} ({})",
            death::name(number)
        ),
        None => format!(
            "the process that looked at it ended with {}",
            status.code().unwrap_or_default()
        ),
    };
    let last = words
        .lines()
        .rfind(|line| !line.trim().is_empty())
        .unwrap_or_default()
        .trim();
    let cause = if last.is_empty() { how } else { format!("{how}: {last}") };
    Err(failed(
        cause,
        "See whether nvidia-smi answers and what the kernel says (dmesg | grep -e NVRM -e Xid); until it is healed, the work is done in software.",
    ))
}

fn failed(cause: impl Into<String>, remedy: &str) -> Fault {
    Fault::new(
        "DeviceLookFailed",
        Blame::Host,
        "look at devices",
        "NVIDIA's driver",
        cause,
        remedy,
    )
}

#[cfg(test)]
mod tests {
    use super::DeviceEnvironment;
    use super::DeviceLook;
    use super::ask;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    /// What comes of asking a program that does `script`.
    fn asked(
        script: &str,
        limit: Duration,
    ) -> Result<crate::media::device_report::DeviceReport, crate::base::fault::Fault> {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("looker");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("executable");
        ask(&DeviceLook {
            program,
            limit,
            ..DeviceLook::in_environment(DeviceEnvironment::default())
        })
    }

    const PATIENT: Duration = Duration::from_secs(120);

    #[test]
    fn the_report_is_heard_through_what_a_driver_prints() {
        let report = asked(
            r#"echo "NVIDIA: hello"; echo '{"driver_version":"550.54.14","cuda_version":null,"devices":[],"missing":[]}'"#,
            PATIENT,
        );
        assert_eq!(report.expect("a report").driver_version.as_deref(), Some("550.54.14"));
    }

    #[test]
    fn a_crash_is_told_with_its_last_words() {
        let fault = asked("echo 'munmap_chunk(): invalid pointer' >&2; kill -ABRT $$", PATIENT).expect_err("it died");
        assert!(
            fault.cause.contains("SIGABRT") && fault.cause.contains("munmap_chunk"),
            "{}",
            fault.cause
        );
        let fault = asked("echo '{}'; exit 3", PATIENT).expect_err("it failed");
        assert!(fault.cause.contains("ended with 3"), "{}", fault.cause);
        let fault = asked("echo '{nonsense'", PATIENT).expect_err("it raves");
        assert!(fault.cause.contains("not understood"), "{}", fault.cause);
    }

    #[test]
    fn a_hung_driver_is_left_after_the_limit() {
        let fault = asked("sleep 600 & wait", Duration::from_millis(300)).expect_err("it hangs");
        assert!(fault.cause.contains("did not answer"), "{}", fault.cause);
        let fault = asked("exec >&-; sleep 600", Duration::from_millis(300)).expect_err("it hangs at its end");
        assert!(fault.cause.contains("did not answer"), "{}", fault.cause);
    }
}
