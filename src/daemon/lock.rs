//! One daemon a state directory: a lock that the kernel drops with the process.
//!
//! Guarantees: a second daemon on the same state is refused at its start, with the first one's process id; nothing
//! is left to clean up after a crash. Deliberately absent: waiting.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use std::fs::File;
use std::io::Read;
use std::io::Write;
use std::path::Path;

/// The lock; held until dropped.
#[derive(Debug)]
pub(super) struct StateLock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl StateLock {
    /// Takes the lock of `state_dir`.
    ///
    /// # Errors
    /// Another process holds it, or the file cannot be made.
    pub(super) fn take(state_dir: &Path) -> Result<Self, Fault> {
        let path = state_dir.join("lock");
        let failed = |cause: String, remedy: &str| {
            Fault::new(
                "StateLocked",
                Blame::Request,
                "lock",
                path.display().to_string(),
                cause,
                remedy,
            )
        };
        let open = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = open.map_err(|error| {
            failed(
                error.to_string(),
                "Set server.state_dir to a directory this user may write.",
            )
        })?;
        if rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            return Err(failed(
                format!("another reelmill (process {}) works on this state", holder.trim()),
                "Stop it, or give this one a server.state_dir of its own.",
            ));
        }
        let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(|error| failed(error.to_string(), "Make room on the disk of server.state_dir."))?;
        Ok(StateLock(file))
    }
}

#[cfg(test)]
mod tests {
    use super::StateLock;

    #[test]
    fn a_second_daemon_is_refused_and_told_who_holds_the_state() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = StateLock::take(folder.path()).expect("free");
        let refused = StateLock::take(folder.path()).expect_err("held");
        assert!(refused.cause.contains(&std::process::id().to_string()), "{refused}");
        drop(first);
        StateLock::take(folder.path()).expect("free again");
    }
}
