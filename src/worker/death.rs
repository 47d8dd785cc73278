//! What the way a worker ended means: its exit status and last words as a fault with a remedy.
//!
//! Guarantees: every way to die has a code, a cause and a remedy; the last words of the worker (standard error) are
//! part of the cause, bounded. Deliberately absent: what to do about it.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

/// The fault of a worker on `subject` that ended with `status` and no fault of its own.
pub fn fault(status: ExitStatus, last_words: &str, subject: &str) -> Fault {
    let said = said(last_words);
    if last_words.contains("memory allocation of ") || last_words.contains("Cannot allocate memory") {
        return out_of_memory(subject, format!("the worker could not get more memory{said}"));
    }
    let Some(signal) = status.signal() else {
        let cause = match status.code() {
            Some(0) => "the worker ended without a result".to_owned(),
            Some(code) => format!("the worker ended with exit code {code}"),
            None => "the worker ended in an unknown way".to_owned(),
        };
        return crash(subject, format!("{cause}{said}"));
    };
    match Signal::from_named_raw(signal) {
        Some(Signal::KILL) => out_of_memory(
            subject,
            format!("the worker was killed from outside (SIGKILL), most likely by the kernel for want of memory{said}"),
        ),
        Some(Signal::SYS) => Fault::new(
            "WorkerForbidden",
            Blame::Source,
            "run worker",
            subject,
            format!(
                "the worker made a system call its sandbox forbids (network, programs, processes) and was ended{said}"
            ),
            "Treat the file as hostile; the kernel's log names the call (`journalctl -k --grep type=1326`, field syscall=).",
        ),
        Some(Signal::XFSZ) => Fault::new(
            "ScratchFull",
            Blame::Host,
            "run worker",
            subject,
            format!("a file grew over the limit of file sizes{said}"),
            "Raise LimitFSIZE of the service.",
        ),
        _ => crash(
            subject,
            format!("the worker died of signal {signal} ({}){said}", name(signal)),
        ),
    }
}

/// A worker that the watchdog gave up on: nothing moved for so long.
pub fn idle(subject: &str, so_long: Duration) -> Fault {
    Fault::new(
        "WorkerHung",
        Blame::Host,
        "run worker",
        subject,
        format!(
            "the worker stood still for {} s: no progress, no processor time, no bytes read or written",
            so_long.as_secs()
        ),
        "Look whether the source's mount answers; the work is tried again by itself.",
    )
}

/// A worker that the watchdog gave up on: it was busy and got nowhere for so long.
pub fn spinning(subject: &str, so_long: Duration) -> Fault {
    Fault::new(
        "WorkerSpinning",
        Blame::Source,
        "run worker",
        subject,
        format!(
            "the worker was busy for {} s without finishing a frame, reading or writing a byte",
            so_long.as_secs()
        ),
        "The file most likely sends a decoder in circles: re-export it, or keep it for a report.",
    )
}

/// A worker that holds more memory than it may.
pub fn over_memory(subject: &str, held_bytes: u64, limit_bytes: u64) -> Fault {
    out_of_memory(
        subject,
        format!("the worker held {held_bytes} bytes of memory, and limits.max_memory_bytes is {limit_bytes}"),
    )
}

/// A worker that does not even end when killed.
pub fn unkillable(subject: &str) -> Fault {
    Fault::new(
        "WorkerStuck",
        Blame::Host,
        "stop worker",
        subject,
        "the worker was killed but the kernel still waits for a device or a network mount on its behalf",
        "Look at the mount of the source and the kernel's log; the process ends when the mount answers.",
    )
}

/// A worker that was told to stop.
pub fn stopped(subject: &str) -> Fault {
    Fault::new(
        "AttemptStopped",
        Blame::Host,
        "run worker",
        subject,
        "it was asked to stop",
        "Nothing; a stop of the daemon runs it again, a cancel does not.",
    )
}

/// A worker that speaks another language.
pub fn unintelligible(subject: &str, cause: impl Into<String>) -> Fault {
    Fault::new(
        "WorkerUnintelligible",
        Blame::Bug,
        "run worker",
        subject,
        cause,
        "Restart the daemon when its binary was replaced; else report the file.",
    )
    .retryable(true)
}

/// No worker could be started.
pub fn not_started(subject: &str, error: &std::io::Error) -> Fault {
    Fault::new(
        "WorkerNotStarted",
        Blame::Host,
        "start worker",
        subject,
        error.to_string(),
        "Look at the limits of processes and open files of the service (TasksMax, LimitNOFILE) and at free memory.",
    )
}

fn out_of_memory(subject: &str, cause: String) -> Fault {
    Fault::new(
        "WorkerOutOfMemory",
        Blame::Host,
        "run worker",
        subject,
        cause,
        "Run fewer attempts at once (capacity.attempts), give the service more memory, or make fewer renditions of such sources.",
    )
}

fn crash(subject: &str, cause: String) -> Fault {
    // A crash may also come from a bad memory chip or a library upgraded underneath: worth one more try.
    Fault::new(
        "WorkerCrashed",
        Blame::Bug,
        "run worker",
        subject,
        cause,
        "Keep the file for a report; other files are not affected.",
    )
    .retryable(true)
}

fn said(last_words: &str) -> String {
    let words = last_words.trim();
    if words.is_empty() {
        return String::new();
    }
    let lines: Vec<&str> = words.lines().rev().take(6).collect();
    let text: String = lines.into_iter().rev().map(str::trim).collect::<Vec<_>>().join(" | ");
    let tail: String = text.chars().rev().take(800).collect();
    format!("; it last said: {}", tail.chars().rev().collect::<String>())
}

pub(super) fn name(signal: i32) -> &'static str {
    match Signal::from_named_raw(signal) {
        Some(Signal::SEGV) => "SIGSEGV: invalid memory",
        Some(Signal::BUS) => "SIGBUS: a file it mapped became shorter, or bad memory",
        Some(Signal::ABORT) => "SIGABRT: an assertion of its own",
        Some(Signal::ILL) => "SIGILL: an instruction this processor lacks",
        Some(Signal::FPE) => "SIGFPE: an impossible calculation",
        Some(Signal::TERM) => "SIGTERM: somebody asked it to end",
        _ => "see `man 7 signal`",
    }
}

#[cfg(test)]
mod tests {
    use super::fault;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    #[test]
    fn every_way_to_die_has_its_code() {
        for (wait_status, last_words, code, retryable) in [
            (11, "", "WorkerCrashed", true),
            (6, "Assertion x failed", "WorkerCrashed", true),
            (6, "memory allocation of 4096 bytes failed", "WorkerOutOfMemory", true),
            (9, "", "WorkerOutOfMemory", true),
            (31, "", "WorkerForbidden", false),
            (3 << 8, "", "WorkerCrashed", true),
            (0, "", "WorkerCrashed", true),
        ] {
            let found = fault(ExitStatus::from_raw(wait_status), last_words, "a.mp4");
            assert_eq!(
                (found.code.as_str(), found.retryable),
                (code, retryable),
                "{wait_status}"
            );
        }
    }

    #[test]
    fn last_words_are_bounded() {
        let found = fault(ExitStatus::from_raw(11), &"noise ".repeat(100_000), "a.mp4");
        assert!(found.cause.len() < 1_000);
        assert!(found.cause.contains("noise"));
    }
}
