//! A question to a process of our own that opens the driver: its standard output, within a limit of time.
//!
//! Guarantees: ends whatever the driver does; what is printed is bounded. Deliberately absent: what the answer means.

use crate::worker::environment::DeviceEnvironment;
use rustix::process::Pid;
use rustix::process::Signal;
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;
use std::time::Instant;

/// The report of a host full of devices is some hundred kilobytes.
const MAX_OUTPUT_BYTES: u64 = 16 << 20;
const LAST_WORDS_BYTES: u64 = 4 << 10;
/// How long a killed process may take to disappear before it is left to the kernel.
const GONE_WITHIN: Duration = Duration::from_secs(2);

/// The question.
#[derive(Debug)]
pub struct Inquiry {
    /// The program.
    pub program: PathBuf,
    /// What it is given.
    pub arguments: Vec<OsString>,
    /// All that it gets of the environment.
    pub environment: DeviceEnvironment,
    /// Longest it may take.
    pub limit: Duration,
}

/// What a process said that came to its end.
#[derive(Debug)]
pub struct Answer {
    /// Standard output.
    pub output: Vec<u8>,
    /// Standard error, its beginning.
    pub words: String,
    /// How it ended.
    pub status: ExitStatus,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Without a closing full stop.
    pub cause: String,
    /// A sentence.
    pub remedy: &'static str,
}

fn trouble(cause: String, remedy: &'static str) -> Trouble {
    Trouble { cause, remedy }
}

/// Starts the process and hears it out. Blocks.
///
/// # Errors
/// It cannot be started or heard, or took too long and was killed.
pub fn ask(inquiry: &Inquiry) -> Result<Answer, Trouble> {
    let mut child = Command::new(&inquiry.program)
        .arg0("reelmill")
        .args(&inquiry.arguments)
        .env_clear()
        .envs(inquiry.environment.iter())
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| trouble(format!("it cannot be started: {error}"), "Repair the installation."))?;
    let (tell, told) = mpsc::channel();
    let output = child.stdout.take().map(|pipe| read_apart(pipe, MAX_OUTPUT_BYTES, tell));
    let (tell_words, told_words) = mpsc::channel();
    let words = child
        .stderr
        .take()
        .map(|pipe| read_apart(pipe, LAST_WORDS_BYTES, tell_words));
    if let Some(error) = [output, words].into_iter().flatten().find_map(Result::err) {
        kill(&mut child);
        let cause = format!("there is no thread to hear it: {error}");
        return Err(trouble(cause, "Raise the limit of threads."));
    }
    let Ok(output) = told.recv_timeout(inquiry.limit) else {
        kill(&mut child);
        return Err(hung(inquiry.limit));
    };
    let Some(status) = within(&mut child, inquiry.limit) else {
        kill(&mut child);
        return Err(hung(inquiry.limit));
    };
    let words = told_words.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
    Ok(Answer {
        output,
        words: String::from_utf8_lossy(&words).into_owned(),
        status,
    })
}

/// Reads a pipe to its end on a thread of its own. What is beyond `most` bytes is read and dropped.
fn read_apart(
    mut pipe: impl Read + Send + 'static,
    most: u64,
    tell: mpsc::Sender<Vec<u8>>,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    std::thread::Builder::new().spawn(move || {
        let mut read = Vec::new();
        let _ = pipe.by_ref().take(most).read_to_end(&mut read);
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        // Who asked may have given up.
        let _ = tell.send(read);
    })
}

fn hung(limit: Duration) -> Trouble {
    trouble(
        format!("the driver did not answer within {} s", limit.as_secs()),
        "See whether nvidia-smi hangs as well and what the kernel says (dmesg | grep -e NVRM -e Xid); a hung driver needs a restart of the host. Until then the work is done in software.",
    )
}

/// How it ended, when it does so within `limit`.
fn within(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if begun.elapsed() < limit => std::thread::sleep(Duration::from_millis(20)),
            _ => return None,
        }
    }
}

/// Kills the child and what it started. One that the kernel holds is left to it.
fn kill(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    within(child, GONE_WITHIN);
}
