//! A program of the administrator's, from the one folder that may hold them: found, checked, run.
//!
//! Guarantees: only a plain name in the folder; folder and file belong to root or the daemon's user and nobody else may
//! write them; no shell; the program leads a process group of its own, which is killed when its time is up and when it
//! has ended, so that nothing of it stays behind; its environment is what is given and nothing else. Deliberately
//! absent: what it is told and what its answer means.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::process::Pid;
use rustix::process::Signal;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this exit code.
    Code(i32),
    /// By a signal, with its number.
    Signal(i32),
    /// Its time was up, and it was killed.
    TimedOut,
}

/// What a program did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub ended: Ended,
    /// The first bytes of its standard output.
    pub stdout: Vec<u8>,
    /// The first bytes of its standard error.
    pub stderr: Vec<u8>,
    /// It wrote more to its standard output than was kept.
    pub stdout_cut: bool,
}

/// What a program is run with.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
    /// Its standard input.
    pub stdin: Vec<u8>,
    /// Bytes kept of its standard output.
    pub stdout_max: usize,
    /// Bytes kept of its standard error.
    pub stderr_max: usize,
}

/// The program `name` of `folder`, if it may be run.
///
/// # Errors
/// A request fault that says what to change: the name, the owner, the permissions.
pub fn find(folder: &Path, name: &str) -> Result<PathBuf, Fault> {
    let path = folder.join(name);
    let refuse = |cause: String, remedy: String| {
        Fault::new(
            "ProgramRefused",
            Blame::Request,
            "look for the program",
            path.display().to_string(),
            cause,
            remedy,
        )
    };
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains('/') && !name.contains('\0');
    if !plain {
        return Err(refuse(
            format!("{name:?} is not the name of a file in hooks_dir"),
            "Name a file of that folder, without a path.".to_owned(),
        ));
    }
    for (what, path) in [("the folder", folder), ("it", path.as_path())] {
        let stat = rustix::fs::lstat(path).map_err(|error| {
            refuse(
                format!("{what} cannot be looked at: {error}"),
                "Put the program there; list the folder of server.hooks_dir.".to_owned(),
            )
        })?;
        let mode = Mode::from_raw_mode(stat.st_mode);
        let kind = FileType::from_raw_mode(stat.st_mode);
        let wanted = if what == "it" {
            FileType::RegularFile
        } else {
            FileType::Directory
        };
        if kind != wanted {
            return Err(refuse(
                format!("{what} is a {kind:?}"),
                "Use a regular file, not a link, in a real folder.".to_owned(),
            ));
        }
        let user = rustix::process::geteuid().as_raw();
        if stat.st_uid != 0 && stat.st_uid != user {
            return Err(refuse(
                format!("{what} belongs to user {}, neither root nor the daemon's", stat.st_uid),
                format!("chown root {}", path.display()),
            ));
        }
        if mode.intersects(Mode::WGRP | Mode::WOTH) {
            return Err(refuse(
                format!("others than its owner may write {what}"),
                format!("chmod go-w {}", path.display()),
            ));
        }
        if what == "it" && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_err() {
            return Err(refuse(
                "the daemon may not execute it".to_owned(),
                format!("chmod 755 {}", path.display()),
            ));
        }
    }
    Ok(path)
}

/// Runs a program that [`find`] found, at most so long.
///
/// # Errors
/// It could not be started.
pub async fn run(program: &Path, run: Run, limit: Duration) -> std::io::Result<Output> {
    let mut child = Command::new(program)
        .env_clear()
        .envs(run.environment)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let group = Group(AtomicI32::new(
        child.id().and_then(|id| i32::try_from(id).ok()).unwrap_or(0),
    ));
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let whole = async {
        let tell = async {
            if let Some(mut stdin) = stdin {
                // A program that does not care for its input may close it early.
                let _ = stdin.write_all(&run.stdin).await;
                let _ = stdin.shutdown().await;
            }
        };
        let end = async {
            let status = child.wait().await;
            // What it left running would keep the pipes open.
            group.kill();
            status
        };
        tokio::join!(tell, head(stdout, run.stdout_max), head(stderr, run.stderr_max), end)
    };
    let answer = tokio::time::timeout(limit, whole).await;
    let Ok(((), (stdout, stdout_cut), (stderr, _), status)) = answer else {
        group.kill();
        let _ = child.wait().await;
        return Ok(Output {
            ended: Ended::TimedOut,
            stdout: Vec::new(),
            stderr: Vec::new(),
            stdout_cut: false,
        });
    };
    let status = status?;
    let ended = match status.code() {
        Some(code) => Ended::Code(code),
        None => Ended::Signal(std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0)),
    };
    Ok(Output {
        ended,
        stdout,
        stderr,
        stdout_cut,
    })
}

/// The program's process group; killed when this goes, so that a cancelled wait leaves nothing behind. 0: it was killed;
/// its number may be another's by now.
struct Group(AtomicI32);

impl Group {
    fn kill(&self) {
        if let Some(leader) = Pid::from_raw(self.0.swap(0, Ordering::SeqCst)) {
            // None of it may be left: that is how it should be.
            let _ = rustix::process::kill_process_group(leader, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The first `max` bytes of a stream, which is read to its end, and whether there were more.
async fn head(stream: Option<impl AsyncRead + Unpin>, max: usize) -> (Vec<u8>, bool) {
    let mut kept = Vec::new();
    let mut cut = false;
    let Some(mut stream) = stream else {
        return (kept, cut);
    };
    let mut chunk = [0_u8; 4096];
    while let Ok(read @ 1..) = stream.read(&mut chunk).await {
        let room = max.saturating_sub(kept.len());
        cut |= read > room;
        kept.extend_from_slice(&chunk[..read.min(room)]);
    }
    (kept, cut)
}

#[cfg(test)]
mod tests {
    use super::Ended;
    use super::Run;
    use super::find;
    use super::run;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::time::Duration;

    fn script(folder: &Path, name: &str, text: &str, mode: u32) {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
    }

    #[test]
    fn only_a_plain_private_program_of_the_folder_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let hooks = folder.path().join("hooks");
        std::fs::create_dir(&hooks).expect("made");
        std::fs::set_permissions(&hooks, std::fs::Permissions::from_mode(0o755)).expect("set");
        script(&hooks, "good", "#!/bin/sh\n", 0o755);
        script(&hooks, "open", "#!/bin/sh\n", 0o777);
        script(&hooks, "flat", "#!/bin/sh\n", 0o644);
        script(folder.path(), "outside", "#!/bin/sh\n", 0o755);
        std::os::unix::fs::symlink(folder.path().join("outside"), hooks.join("link")).expect("linked");
        assert_eq!(find(&hooks, "good").expect("may be run"), hooks.join("good"));
        for (name, cause) in [
            ("open", "may write it"),
            ("flat", "may not execute"),
            ("link", "Symlink"),
            ("../outside", "not the name"),
            (".good", "not the name"),
            ("", "not the name"),
            ("none", "cannot be looked at"),
        ] {
            let fault = find(&hooks, name).expect_err(name);
            assert!(fault.cause.contains(cause), "{name}: {fault}");
        }
        std::fs::set_permissions(&hooks, std::fs::Permissions::from_mode(0o777)).expect("set");
        let fault = find(&hooks, "good").expect_err("anybody could put another there");
        assert!(fault.cause.contains("the folder"), "{fault}");
    }

    #[tokio::test]
    async fn it_gets_what_is_given_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        script(
            folder.path(),
            "tell",
            "#!/bin/sh\n/bin/cat\necho \"$WORD\" >&2\n/bin/sleep 600 &\nexit 3\n",
            0o755,
        );
        let options = Run {
            environment: vec![("WORD".to_owned(), "here".to_owned())],
            stdin: b"0123456789".to_vec(),
            stdout_max: 4,
            stderr_max: 100,
        };
        let output = run(&folder.path().join("tell"), options, Duration::from_secs(60))
            .await
            .expect("started");
        assert_eq!(output.ended, Ended::Code(3));
        assert_eq!((output.stdout.as_slice(), output.stdout_cut), (&b"0123"[..], true));
        assert_eq!(output.stderr, b"here\n");
    }

    #[tokio::test]
    async fn one_that_hangs_is_killed_with_its_children() {
        let folder = tempfile::tempdir().expect("a folder");
        let sign = folder.path().join("pid");
        let text = format!("#!/bin/sh\n/bin/sleep 600 &\necho $! > {}\nwait\n", sign.display());
        script(folder.path(), "hang", &text, 0o755);
        let output = run(&folder.path().join("hang"), Run::default(), Duration::from_millis(500))
            .await
            .expect("started");
        assert_eq!(output.ended, Ended::TimedOut);
        let pid = std::fs::read_to_string(&sign).unwrap_or_default();
        let pid = pid.trim();
        // Killed, it is gone as soon as it gets a processor once more; whoever inherits it reaps it in its own time.
        let gone = || {
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            pid.is_empty() || state.is_empty() || state.contains(" Z ") || state.contains(" X ")
        };
        for _ in 0..100 {
            if gone() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{pid} is still there");
    }
}
