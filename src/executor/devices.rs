//! A look at this host's NVIDIA devices: a child process that asks the driver and says what it found.
//!
//! Guarantees: a driver that hangs or brings its process down costs the look, not the daemon, which never opens CUDA
//! itself; a look ends within its time. Deliberately absent: when to look, and what to make of the answer.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::device_report::DeviceReport;
use crate::worker::environment::DeviceEnvironment;
use rustix::process::Pid;
use rustix::process::Signal;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::process::Child;

/// The first look compiles every kernel for every kind of device, which a slow host may need a while for.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);
/// Time a killed look has to disappear before it is left to the kernel.
const KILL_GRACE: Duration = Duration::from_secs(5);
const MAX_REPORT_BYTES: u64 = 4 << 20;
const LAST_WORDS_BYTES: u64 = 4 << 10;

/// Starts `program worker --devices` with `environment` and returns what it reports.
///
/// # Errors
/// It could not be started, took longer than `time_limit`, died, or said something that is no report.
pub async fn look(
    program: &Path,
    environment: &DeviceEnvironment,
    time_limit: Duration,
) -> Result<DeviceReport, Fault> {
    make_kernel_cache(environment);
    let mut child = spawn(program, environment).map_err(|error| {
        failed(
            format!("the look could not be started: {error}"),
            "Look whether the host can start processes.",
        )
    })?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let hearing = async {
        tokio::join!(
            read(stdout, MAX_REPORT_BYTES),
            read(stderr, LAST_WORDS_BYTES),
            child.wait()
        )
    };
    let Ok((said, words, status)) = tokio::time::timeout(time_limit, hearing).await else {
        end(child).await;
        return Err(failed(
            format!("the driver gave no answer within {} s", time_limit.as_secs()),
            "Look at the kernel's log for NVRM and Xid lines; a host whose driver hangs has to be restarted.",
        ));
    };
    let report = said.split(|byte| *byte == b'\n').find(|line| line.starts_with(b"{"));
    let report = report.map(serde_json::from_slice::<DeviceReport>);
    match (report, status) {
        (Some(Ok(report)), _) => Ok(report),
        (Some(Err(error)), _) => Err(failed(
            format!("the look said something that is no report: {error}"),
            "Restart the daemon when its binary was replaced; else report this.",
        )),
        (None, status) => {
            let ended = match status {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            };
            let words = String::from_utf8_lossy(&words);
            Err(failed(
                format!("the look ended without a report ({ended}) {}", words.trim())
                    .trim_end()
                    .to_owned(),
                "Run `reelmill check`, and look at the kernel's log for NVRM and Xid lines.",
            ))
        }
    }
}

/// Kernels are compiled by the look and only read by workers, so their folder must be there before.
fn make_kernel_cache(environment: &DeviceEnvironment) {
    if let Some(folder) = environment.kernel_cache()
        && let Err(error) = std::fs::create_dir_all(folder)
    {
        tracing::warn!(folder = %folder.display(), %error, "compiled kernels cannot be kept; every worker compiles them anew");
    }
}

fn spawn(program: &Path, environment: &DeviceEnvironment) -> std::io::Result<Child> {
    let mut command = std::process::Command::new(program);
    command
        .arg0("reelmill")
        .args(["worker", "--devices"])
        .env_clear()
        .envs(environment.iter())
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    tokio::process::Command::from(command).kill_on_drop(true).spawn()
}

async fn read(pipe: Option<impl AsyncRead + Unpin>, most: u64) -> Vec<u8> {
    let mut said = Vec::new();
    if let Some(pipe) = pipe {
        let mut pipe = pipe.take(most);
        // What came before the error is judged as it is.
        let _ = pipe.read_to_end(&mut said).await;
        // The rest is let through, so that the child is not held up by a full pipe.
        let _ = tokio::io::copy(pipe.get_mut(), &mut tokio::io::sink()).await;
    }
    said
}

async fn end(mut child: Child) {
    if let Some(group) = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    if tokio::time::timeout(KILL_GRACE, child.wait()).await.is_err() {
        // The kernel holds it; somebody must still collect it when it lets go.
        tokio::spawn(async move { child.wait().await });
    }
}

fn failed(cause: impl Into<String>, remedy: &str) -> Fault {
    Fault::new(
        "DevicesUnreadable",
        Blame::Host,
        "look at devices",
        "NVIDIA driver",
        cause,
        remedy,
    )
}

#[cfg(test)]
mod tests {
    use super::look;
    use crate::media::device_report::DeviceReport;
    use crate::worker::environment::DeviceEnvironment;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    async fn played_by(script: &str, time_limit: Duration) -> Result<DeviceReport, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("look.sh");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("the script");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("it can be run");
        let environment = DeviceEnvironment::of([("STANDIN_DEVICES".into(), "2".into())]);
        look(&program, &environment, time_limit)
            .await
            .map_err(|fault| fault.cause)
    }

    #[tokio::test]
    async fn what_the_child_reports_is_the_answer() {
        let long = Duration::from_secs(60);
        let script = r#"echo a line of the driver; echo "{\"driver_version\":\"$STANDIN_DEVICES.$HOME\",\"cuda_version\":null,\"devices\":[],\"missing\":[]}""#;
        let report = played_by(script, long).await.expect("a report");
        assert_eq!(
            report.driver_version.as_deref(),
            Some("2."),
            "with the environment and no more"
        );
        let died = played_by("echo oh no >&2; kill -SEGV $$", long)
            .await
            .expect_err("no report");
        assert!(died.contains("oh no") && died.contains("signal"), "{died}");
        let odd = played_by("echo '{\"devices\": 7}'", long).await.expect_err("no report");
        assert!(odd.contains("no report"), "{odd}");
    }

    #[tokio::test]
    async fn a_driver_that_hangs_costs_the_look_only() {
        let hung = played_by("sleep 1000", Duration::from_millis(50))
            .await
            .expect_err("no answer");
        assert!(hung.contains("no answer"), "{hung}");
    }
}
