//! A hook that is an executable of this host: the question on its standard input, its answer on its standard output.
//!
//! Guarantees: only files that their owner alone may change are started, without a shell, in a process group of their
//! own, with nothing in their environment but what is about the question; whatever they started ends with them, at the
//! latest when their time is over. Deliberately absent: a cage. An administrator put the file there.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::executor::hook;
use crate::executor::hook::ANSWER_BYTES;
use crate::executor::hook::HookAnswer;
use crate::executor::hook::HookOrder;
use rustix::io::Errno;
use rustix::process::Pid;
use rustix::process::Resource;
use rustix::process::Rlimit;
use rustix::process::Signal;
use rustix::process::WaitId;
use rustix::process::WaitIdOptions;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::process::Child;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Bytes of its standard error that are kept.
const LAST_WORDS_BYTES: usize = 8 << 10;
/// Time that a stopped program has to end by itself.
const STOP_GRACE: Duration = Duration::from_millis(700);
/// Time for what is left in its pipes once it is gone.
const PIPES_WITHIN: Duration = Duration::from_secs(1);
/// Its exit status when asking again may help: EX_TEMPFAIL of sysexits.h.
const TRY_AGAIN: i32 = 75;
/// Files it may hold open.
const OPEN_FILES: u64 = 1_024;
/// The largest file it may write.
const FILE_BYTES: u64 = 16 << 30;

/// Starts the program and hears it out.
pub(super) async fn ask(
    order: &HookOrder,
    program: &Path,
    room: &Path,
    stop: CancellationToken,
) -> Result<HookAnswer, Fault> {
    check(order, program)?;
    let mut child = tokio::process::Command::new(program)
        .env_clear()
        .envs(order.environment.iter().map(|(name, value)| (name, value)))
        .env("REELMILL_SCRATCH", room)
        .env("REELMILL_IDEMPOTENCY_KEY", &order.key)
        .env("REELMILL_TRY", order.try_number.to_string())
        .current_dir(room)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| not_started(order, &error))?;
    let number = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let Some(pid) = number else {
        return Err(not_started(order, &std::io::Error::other("it has no process id")));
    };
    bound(pid);
    let mut group = Group { pid: Some(pid) };
    // Without waiting for it: as long as nobody does, its number is its own, and the group's.
    let gone = tokio::task::spawn_blocking(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(rustix::process::waitid(WaitId::Pid(pid), options), Err(Errno::INTR)) {}
    });
    let pipes = Pipes::of(&mut child, order.request.clone());
    let ended = wait(order, &group, gone, stop).await;
    // Its process id stays taken until it is waited for, so this can meet nobody else: what it left behind ends too.
    group.signal(Signal::KILL);
    let status = child.wait().await;
    group.pid = None;
    let status = status.map_err(|error| not_started(order, &error))?;
    let (said, last_words) = pipes.rest().await;
    ended?;
    if let Some(fault) = judge(order, status, &last_words) {
        return Err(fault);
    }
    if said.len() > ANSWER_BYTES {
        return Err(hook::too_long(order));
    }
    hook::opinion(order, &said).map(HookAnswer::Said)
}

/// Only a plain file that nobody but its owner may change, owned by root or by this user, in a folder of the same kind.
fn check(order: &HookOrder, program: &Path) -> Result<(), Fault> {
    let refuse = |cause: String, remedy: &str| {
        Err(Fault::new(
            "HookRefusedToStart",
            Blame::Request,
            "ask hook",
            order.name.clone(),
            cause,
            remedy,
        ))
    };
    let own = rustix::process::geteuid().as_raw();
    let trusted =
        |metadata: &std::fs::Metadata| (metadata.uid() == 0 || metadata.uid() == own) && metadata.mode() & 0o022 == 0;
    let owner = "Give it to root with chown root:root, and take the right to write from others with chmod go-w.";
    let metadata = match std::fs::symlink_metadata(program) {
        Ok(metadata) => metadata,
        Err(error) => {
            return refuse(
                format!("{}: {error}", program.display()),
                "Put the executable into server.hooks_dir under that name.",
            );
        }
    };
    if !metadata.is_file() {
        return refuse(
            format!("{} is no plain file", program.display()),
            "Put the executable itself there, not a link to it.",
        );
    }
    if !trusted(&metadata) {
        return refuse(
            format!("{} may be changed by others than root and this user", program.display()),
            owner,
        );
    }
    if metadata.mode() & 0o111 == 0 {
        return refuse(
            format!("{} is not executable", program.display()),
            "Make it so with chmod +x.",
        );
    }
    match program.parent().map(std::fs::metadata) {
        Some(Ok(folder)) if trusted(&folder) => Ok(()),
        _ => refuse(
            "the folder it lies in may be changed by others than root and this user".to_owned(),
            owner,
        ),
    }
}

/// Limits that hold for it and for everything it starts.
fn bound(pid: Pid) {
    let limits = [
        (Resource::Core, 0),
        (Resource::Nofile, OPEN_FILES),
        (Resource::Fsize, FILE_BYTES),
    ];
    for (resource, most) in limits {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        if let Err(error) = rustix::process::prlimit(Some(pid), resource, limit) {
            tracing::debug!(%error, ?resource, "a hook runs without one of its limits");
        }
    }
}

/// Everything that a program started; none once the program was waited for and its number may be another's.
struct Group {
    pid: Option<Pid>,
}

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid {
            // Nobody is left: that is what was wanted.
            let _ = rustix::process::kill_process_group(pid, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Waits for its end, for the end of its time, or for a stop; then it gets a moment to end by itself.
async fn wait(
    order: &HookOrder,
    group: &Group,
    mut gone: JoinHandle<()>,
    stop: CancellationToken,
) -> Result<(), Fault> {
    let why = tokio::select! {
        _ = &mut gone => return Ok(()),
        () = tokio::time::sleep(order.timeout) => hook::too_late(order),
        () = stop.cancelled() => hook::stopped(order),
    };
    group.signal(Signal::TERM);
    let _ = tokio::time::timeout(STOP_GRACE, gone).await;
    Err(why)
}

/// Its three pipes, each served by a task of its own.
struct Pipes {
    said: JoinHandle<Vec<u8>>,
    last_words: JoinHandle<Vec<u8>>,
}

impl Pipes {
    fn of(child: &mut Child, request: Vec<u8>) -> Self {
        if let Some(mut pipe) = child.stdin.take() {
            tokio::spawn(async move {
                // A program that does not read its question may answer all the same.
                let _ = pipe.write_all(&request).await;
            });
        }
        let (out, err) = (child.stdout.take(), child.stderr.take());
        Pipes {
            said: tokio::spawn(read(out, ANSWER_BYTES)),
            last_words: tokio::spawn(read(err, LAST_WORDS_BYTES)),
        }
    }

    /// What it wrote; nothing when somebody who fled the group still holds the pipes.
    async fn rest(self) -> (Vec<u8>, Vec<u8>) {
        let within = |pipe: JoinHandle<Vec<u8>>| async move {
            let stop = pipe.abort_handle();
            match tokio::time::timeout(PIPES_WITHIN, pipe).await {
                Ok(Ok(bytes)) => bytes,
                _ => {
                    stop.abort();
                    Vec::new()
                }
            }
        };
        tokio::join!(within(self.said), within(self.last_words))
    }
}

/// Reads to the end, and keeps at most one byte more than `most`: enough to tell that it was more.
async fn read(pipe: Option<impl AsyncRead + Unpin>, most: usize) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut pipe) = pipe else { return kept };
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count) = pipe.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        let room = (most + 1).saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
    kept
}

/// The fault that its exit status means; none: it ended well.
fn judge(order: &HookOrder, status: ExitStatus, last_words: &[u8]) -> Option<Fault> {
    if status.success() {
        return None;
    }
    let words = String::from_utf8_lossy(last_words);
    let words = words.trim();
    let end = match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with exit status {code}"),
        (None, Some(signal)) => format!("signal {signal} ended it"),
        (None, None) => "it ended in an unknown way".to_owned(),
    };
    let cause = match words.lines().last() {
        Some(line) => format!("{end}: {line}"),
        None => end,
    };
    let heals = status.code().is_none_or(|code| code == TRY_AGAIN);
    let fault = Fault::new(
        "HookFailed",
        Blame::Host,
        "ask hook",
        order.name.clone(),
        cause,
        "Correct the hook; exit status 75 asks to be tried again, every other one but 0 is final.",
    );
    Some(fault.retryable(heals))
}

fn not_started(order: &HookOrder, error: &std::io::Error) -> Fault {
    let heals = matches!(
        error.kind(),
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::OutOfMemory | std::io::ErrorKind::ExecutableFileBusy
    );
    Fault::new(
        "HookNotStarted",
        Blame::Host,
        "ask hook",
        order.name.clone(),
        error.to_string(),
        "See whether the file is a program that this host can run; a script names its interpreter in its first line.",
    )
    .retryable(heals)
}

#[cfg(test)]
mod tests {
    use super::ask;
    use crate::base::fault::Fault;
    use crate::base::ids::AttemptId;
    use crate::executor::hook::HookAnswer;
    use crate::executor::hook::HookOrder;
    use crate::executor::hook::HookTarget;
    use crate::workflow::opinion::Verdict;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::time::Duration;
    use tokio_util::sync::CancellationToken;

    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Place(tempfile::tempdir().expect("a temporary directory"))
        }

        fn script(&self, text: &str) -> PathBuf {
            let path = self.0.path().join("hook.sh");
            std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("written");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("made executable");
            path
        }

        async fn ask(&self, text: &str, timeout: Duration, stop: CancellationToken) -> Result<HookAnswer, Fault> {
            let order = HookOrder {
                attempt: AttemptId::fresh(),
                target: HookTarget::Exec {
                    name: "hook.sh".to_owned(),
                },
                name: "hook.sh".to_owned(),
                timeout,
                key: "key-1".to_owned(),
                try_number: 1,
                request: br#"{"question": 1}"#.to_vec(),
                environment: vec![("REELMILL_MEDIA_ID".to_owned(), "m".to_owned())],
                must_say: true,
            };
            ask(&order, &self.script(text), self.0.path(), stop).await
        }
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn it_hears_the_question_and_nothing_of_this_process_and_its_answer_is_read() {
        let place = Place::new();
        let text = r#"read question
[ "$question" = '{"question": 1}' ] || exit 3
[ -z "$HOME" ] && [ -z "$CARGO" ] || exit 4
[ "$REELMILL_MEDIA_ID-$REELMILL_IDEMPOTENCY_KEY-$REELMILL_TRY" = m-key-1-1 ] || exit 5
[ "$(ulimit -c)" = 0 ] || exit 6
echo '{"verdict": "block", "labels": [{"name": "smoke", "confidence": 0.5}], "by": "somebody else"}'"#;
        let answer = place
            .ask(text, LONG, CancellationToken::new())
            .await
            .expect("an answer");
        let HookAnswer::Said(opinion) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!((opinion.verdict, opinion.by.as_str()), (Verdict::Block, "hook.sh"));
    }

    #[tokio::test]
    async fn what_it_does_wrong_is_told_apart() {
        let place = Place::new();
        let fault = async |text: &str| {
            let answer = place.ask(text, LONG, CancellationToken::new()).await;
            let fault = answer.expect_err("no answer");
            (fault.code.clone(), fault.retryable, fault.cause)
        };
        let (code, retryable, cause) = fault("echo no luck >&2; exit 75").await;
        assert_eq!((code.as_str(), retryable), ("HookFailed", true));
        assert!(cause.ends_with("75: no luck"), "{cause}");
        let (code, retryable, _) = fault("exit 1").await;
        assert_eq!((code.as_str(), retryable), ("HookFailed", false));
        let (code, retryable, cause) = fault("echo '{\"verdict\": \"maybe\"}'").await;
        assert_eq!((code.as_str(), retryable), ("HookAnswerInvalid", false));
        assert!(cause.contains("maybe"), "{cause}");
        let (code, _, cause) = fault("head -c 5000000 /dev/zero | tr '\\0' ' '; exit 0").await;
        assert_eq!(code, "HookAnswerInvalid", "{cause}");
        assert!(cause.contains("longer than"), "{cause}");
    }

    #[tokio::test]
    async fn what_it_started_ends_with_it() {
        let place = Place::new();
        let pid_of_child = || {
            let text = std::fs::read_to_string(place.0.path().join("pid")).unwrap_or_default();
            text.trim().to_owned()
        };
        // A killed process goes when the kernel comes to it, which on a loaded machine is not at once.
        let is_alive = |pid: &str| {
            (0..1_000).all(|_| {
                std::thread::sleep(Duration::from_millis(5));
                let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                !stat.is_empty() && !stat.contains(") Z ")
            })
        };
        // Its time is over, and it takes no notice of being asked to stop.
        let stubborn = "trap '' TERM; sleep 600 & echo $! > pid; wait; wait";
        let fault = place
            .ask(stubborn, Duration::from_millis(300), CancellationToken::new())
            .await
            .expect_err("too late");
        assert_eq!(fault.code, "HookTimedOut");
        assert!(!is_alive(&pid_of_child()), "its child {} lives on", pid_of_child());
        // It ends well, and leaves somebody behind.
        let careless = "sleep 600 & echo $! > pid; echo '{\"verdict\": \"pass\"}'";
        place
            .ask(careless, LONG, CancellationToken::new())
            .await
            .expect("an answer");
        assert!(!is_alive(&pid_of_child()), "its child {} lives on", pid_of_child());
        // It is stopped.
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let began = place.0.path().join("began");
        tokio::spawn(async move {
            while !began.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            stopping.cancel();
        });
        let fault = place
            .ask("sleep 600 & echo $! > pid; touch began; wait", LONG, stop)
            .await
            .expect_err("stopped");
        assert_eq!(fault.code, "Stopped");
        assert!(!is_alive(&pid_of_child()), "its child {} lives on", pid_of_child());
    }

    #[tokio::test]
    async fn a_file_that_others_may_change_is_not_started() {
        let place = Place::new();
        let path = place.script("echo '{\"verdict\": \"pass\"}'");
        let order = HookOrder {
            attempt: AttemptId::fresh(),
            target: HookTarget::Exec {
                name: "hook.sh".to_owned(),
            },
            name: "hook.sh".to_owned(),
            timeout: LONG,
            key: String::new(),
            try_number: 1,
            request: Vec::new(),
            environment: Vec::new(),
            must_say: true,
        };
        let with_mode = async |mode: u32| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("changed");
            ask(&order, &path, place.0.path(), CancellationToken::new()).await
        };
        assert!(with_mode(0o755).await.is_ok());
        for (mode, word) in [
            (0o775, "may be changed"),
            (0o757, "may be changed"),
            (0o644, "not executable"),
        ] {
            let fault = with_mode(mode).await.expect_err("refused");
            assert!(fault.cause.contains(word), "{mode:o}: {fault}");
            assert_eq!((fault.code.as_str(), fault.retryable), ("HookRefusedToStart", false));
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("changed");
        let link = place.0.path().join("link.sh");
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        let fault = ask(&order, &link, place.0.path(), CancellationToken::new())
            .await
            .expect_err("refused");
        assert!(fault.cause.contains("no plain file"), "{fault}");
    }
}
