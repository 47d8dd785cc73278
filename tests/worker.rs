//! The worker process from both sides: its cage held against escapes, and its supervisor against every way a child
//! can misbehave (shell scripts play the misbehaving worker, the real binary everything else).

use reelmill::base::ids::AttemptId;
use reelmill::media::limits::Limits;
use reelmill::media::spec::Backend;
use reelmill::worker::protocol;
use reelmill::worker::protocol::Message;
use reelmill::worker::protocol::Order;
use reelmill::worker::protocol::SandboxMode;
use reelmill::worker::protocol::SourceOrder;
use reelmill::worker::supervisor;
use reelmill::worker::supervisor::Ended;
use reelmill::worker::supervisor::SOURCE_DESCRIPTOR;
use reelmill::worker::supervisor::SupervisorOptions;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const BINARY: &str = env!("CARGO_BIN_EXE_reelmill");

/// Runs the binary's own attempt to get out. Returns its exit code or the signal that ended it, negative, and its words.
fn escape(way: &str, target: &Path, scratch: &Path, caged: bool) -> (i32, String) {
    let mut command = Command::new(BINARY);
    command
        .args(["worker", "--try", way, "--scratch"])
        .arg(scratch)
        .arg("--target")
        .arg(target);
    if !caged {
        command.arg("--no-sandbox");
    }
    let output = command.output().expect("the binary runs");
    let code = output
        .status
        .code()
        .unwrap_or_else(|| -output.status.signal().unwrap_or(0));
    (code, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_cage_holds_and_lets_work_be_done() {
    const REFUSED: i32 = 3;
    const ENDED: i32 = -31;
    let root = tempfile::tempdir().expect("a temporary directory");
    let (scratch, foreign) = (root.path().join("scratch"), root.path().join("foreign"));
    std::fs::create_dir(&scratch).expect("the scratch directory");
    std::fs::write(&foreign, b"not yours").expect("a foreign file");
    let (_, words) = escape("work", &foreign, &scratch, true);
    let without_landlock = words.contains("missing: landlock");
    assert!(!words.contains("missing: seccomp"), "{words}");
    for (way, expected) in [
        ("work", 0),
        ("socket", ENDED),
        ("exec", ENDED),
        ("fork", ENDED),
        ("kill-parent", ENDED),
        ("link", ENDED),
        ("file", REFUSED),
        ("write", REFUSED),
    ] {
        // A check that could not fail would prove nothing: without the cage every one of them works.
        let (free, words) = escape(way, &foreign, &scratch, false);
        assert_eq!(free, 0, "{way} outside the cage: {words}");
        let _ = std::fs::remove_file(scratch.join("linked"));
        std::fs::write(&foreign, b"not yours").expect("a foreign file");
        if without_landlock && expected == REFUSED {
            println!("skipped: {way}, this kernel has no landlock");
            continue;
        }
        let (code, words) = escape(way, &foreign, &scratch, true);
        assert_eq!(code, expected, "{way} inside the cage: {words}");
        assert_eq!(std::fs::read(&foreign).expect("it is there"), b"not yours", "{way}");
    }
    assert_eq!(
        std::fs::read_dir(&scratch).expect("readable").count(),
        0,
        "nothing got in"
    );
}

#[test]
fn the_wider_cage_of_a_device_lets_its_driver_work_and_nothing_out() {
    const REFUSED: i32 = 3;
    const ENDED: i32 = -31;
    let root = tempfile::tempdir().expect("a temporary directory");
    let (scratch, service) = (root.path().join("scratch"), root.path().join("service"));
    std::fs::create_dir(&scratch).expect("the scratch directory");
    let _listening = std::os::unix::net::UnixListener::bind(&service).expect("a service of this host");
    let foreign = root.path().join("foreign");
    std::fs::write(&foreign, b"not yours").expect("a foreign file");
    let tried = |way: &str, target: &Path, device: bool| {
        let mut command = Command::new(BINARY);
        command.args(["worker", "--try", way, "--scratch"]).arg(&scratch);
        command.arg("--target").arg(target);
        if device {
            command.arg("--device");
        }
        let output = command.output().expect("the binary runs");
        let code = output.status.code();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        (code.unwrap_or_else(|| -output.status.signal().unwrap_or(0)), words)
    };
    let (free, words) = escape("service", &service, &scratch, false);
    assert_eq!(free, 0, "outside any cage: {words}");
    assert_eq!(
        tried("driver", &foreign, false).0,
        ENDED,
        "the narrow cage knows no sockets"
    );
    for (way, target, expected) in [
        ("work", &foreign, 0),
        ("driver", &foreign, 0),
        ("socket", &foreign, ENDED),
        ("service", &service, REFUSED),
        ("exec", &foreign, REFUSED),
        ("fork", &foreign, REFUSED),
        ("kill-parent", &foreign, ENDED),
        ("file", &foreign, REFUSED),
        ("write", &foreign, REFUSED),
    ] {
        let (code, words) = tried(way, target, true);
        if matches!(way, "file" | "write") && words.contains("missing: landlock") {
            println!("skipped: {way}, this kernel has no landlock");
            continue;
        }
        assert_eq!(code, expected, "{way}: {words}");
    }
}

#[test]
fn fonts_are_open_to_workers_that_draw_letters_and_to_no_others() {
    const REFUSED: i32 = 3;
    let root = tempfile::tempdir().expect("a temporary directory");
    let (scratch, foreign) = (root.path().join("scratch"), root.path().join("foreign"));
    std::fs::create_dir(&scratch).expect("the scratch directory");
    std::fs::write(&foreign, b"not yours").expect("a foreign file");
    let fonts = Path::new("/etc/fonts/fonts.conf");
    if !fonts.exists() {
        println!("skipped: no fonts on this host");
        return;
    }
    let (code, words) = escape("letters", fonts, &scratch, true);
    assert_eq!(code, 0, "{words}");
    if words.contains("missing: landlock") {
        println!("skipped: this kernel has no landlock");
        return;
    }
    for (way, target) in [
        ("file", fonts),
        ("letters", foreign.as_path()),
        ("letters", Path::new("/etc/passwd")),
    ] {
        let (code, words) = escape(way, target, &scratch, true);
        assert_eq!(code, REFUSED, "{way} {}: {words}", target.display());
    }
}

struct Stage {
    root: tempfile::TempDir,
    options: SupervisorOptions,
}

impl Stage {
    /// One whose worker is the real binary.
    fn real() -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(root.path().join("scratch")).expect("the scratch directory");
        std::fs::write(root.path().join("source"), b"no media at all").expect("the source");
        let options = SupervisorOptions {
            program: PathBuf::from(BINARY),
            environment: reelmill::worker::environment::DeviceEnvironment::default(),
            idle_limit: Duration::from_secs(60),
            spin_limit: Duration::ZERO,
            stop_grace: Duration::from_millis(200),
            kill_grace: Duration::from_secs(10),
        };
        Stage { root, options }
    }

    /// One whose worker is a shell script.
    fn played_by(script: &str) -> Self {
        let mut stage = Self::real();
        stage.options.program = stage.root.path().join("worker.sh");
        std::fs::write(&stage.options.program, format!("#!/bin/sh\n{script}\n")).expect("the script");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&stage.options.program, mode).expect("it can be run");
        stage
    }

    fn source(&self) -> PathBuf {
        self.root.path().join("source")
    }

    fn order(&self) -> Order {
        let metadata = std::fs::metadata(self.source()).expect("the source is there");
        Order {
            version: protocol::VERSION,
            attempt: AttemptId::fresh(),
            jobs: Vec::new(),
            source: SourceOrder {
                descriptor: SOURCE_DESCRIPTOR,
                name: "source.mp4".to_owned(),
                size_bytes: metadata.len(),
                mtime_ns: metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec(),
                family: None,
                relay: None,
                pictures: Vec::new(),
                relayed: Vec::new(),
            },
            members: Vec::new(),
            assembly: None,
            side: Vec::new(),
            relay: None,
            scratch: self.root.path().join("scratch"),
            threads: 1,
            backend: Backend::Software,
            device: None,
            limits: Limits::default(),
            sandbox: SandboxMode::Auto,
        }
    }

    async fn run(&self, order: &Order, stop: CancellationToken) -> (Ended, Vec<Message>) {
        let source = File::open(self.source()).expect("the source is there");
        let (sender, mut receiver) = mpsc::channel(1_000);
        let ended = supervisor::run(&self.options, order, source, sender, stop).await;
        let mut heard = Vec::new();
        while let Some(message) = receiver.recv().await {
            heard.push(message);
        }
        (ended, heard)
    }

    async fn end(&self) -> Ended {
        self.run(&self.order(), CancellationToken::new()).await.0
    }
}

fn code(ended: &Ended) -> &str {
    ended.fault.as_ref().map_or("none", |fault| fault.code.as_str())
}

#[tokio::test]
async fn every_way_a_worker_can_end_is_told_apart() {
    for (script, expected, crashed) in [
        ("read order; kill -SEGV $$", "WorkerCrashed", true),
        ("read order; kill -KILL $$", "WorkerOutOfMemory", true),
        ("read order; kill -SYS $$", "WorkerForbidden", true),
        ("exit 7", "WorkerCrashed", true),
        ("read order; exit 0", "WorkerCrashed", true),
        ("read order; echo hello", "WorkerUnintelligible", true),
        (
            "read order; echo '{\"message\":\"dance\"}'; sleep 1000",
            "WorkerUnintelligible",
            true,
        ),
        (
            "read order; head -c 3000000 /dev/zero | tr '\\0' x",
            "WorkerCrashed",
            true,
        ),
        (
            "echo '{\"message\":\"finished\",\"cost\":{\"wall_ms\":1,\"cpu_ms\":1,\"read_bytes\":1,\"peak_memory_bytes\":1}}'",
            "none",
            false,
        ),
    ] {
        let stage = Stage::played_by(script);
        let ended = stage.end().await;
        assert_eq!(code(&ended), expected, "{script}: {ended:?}");
        assert_eq!(ended.crashed, crashed, "{script}: {ended:?}");
        assert!(!ended.stopped, "{script}: {ended:?}");
        if let Some(fault) = ended.fault {
            assert_eq!(fault.subject, "source.mp4");
            assert!(fault.remedy.ends_with('.'), "{fault}");
        }
    }
}

#[tokio::test]
async fn the_last_words_of_a_worker_are_in_its_fault() {
    let ended = Stage::played_by("read order; echo 'assertion a < b in x264' >&2; kill -ABRT $$")
        .end()
        .await;
    let fault = ended.fault.expect("it died");
    assert!(fault.cause.contains("assertion a < b in x264"), "{fault}");
}

#[tokio::test]
async fn a_worker_sees_nothing_but_its_order_and_its_source() {
    let script = "read order; env >&2; ls -l /proc/self/fd | wc -l >&2; cat <&3 >&2; exit 9";
    let fault = Stage::played_by(script).end().await.fault.expect("it says so");
    assert!(fault.cause.contains("no media at all"), "{fault}");
    for name in ["HOME", "PATH=/root", "CARGO", "USER"] {
        assert!(!fault.cause.contains(name), "{fault}");
    }
}

#[tokio::test]
async fn a_worker_that_stands_still_is_ended() {
    let mut stage = Stage::played_by("read order; exec sleep 1000");
    stage.options.idle_limit = Duration::from_millis(1_500);
    let ended = stage.end().await;
    assert_eq!(
        (code(&ended), ended.crashed, ended.stopped),
        ("WorkerHung", true, false),
        "{ended:?}"
    );
}

#[tokio::test]
async fn a_worker_that_goes_round_in_circles_is_ended() {
    let mut stage = Stage::played_by("read order; while :; do :; done");
    stage.options.idle_limit = Duration::from_secs(60);
    stage.options.spin_limit = Duration::from_millis(1_500);
    let ended = stage.end().await;
    assert_eq!((code(&ended), ended.crashed), ("WorkerSpinning", true), "{ended:?}");
}

#[tokio::test]
async fn a_worker_that_will_not_stop_is_killed_with_what_it_started() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let note = root.path().join("pid");
    let script = format!(
        "trap '' TERM HUP INT; sleep 1000 & echo $! > {}; read order; cat; wait",
        note.display()
    );
    let stage = Stage::played_by(&script);
    let stop = CancellationToken::new();
    let stopping = async {
        while std::fs::read_to_string(&note).map_or(true, |text| text.is_empty()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel();
    };
    let order = stage.order();
    let ((ended, _), ()) = tokio::join!(stage.run(&order, stop.clone()), stopping);
    assert_eq!(
        (code(&ended), ended.crashed, ended.stopped),
        ("AttemptStopped", false, true),
        "{ended:?}"
    );
    let child = std::fs::read_to_string(&note).expect("it was written");
    let gone =
        || std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).map_or(true, |stat| stat.contains(") Z "));
    while !gone() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_stop_lets_a_worker_end_by_itself() {
    // Ends when its stdin closes, without waiting for the kill.
    let mut stage = Stage::played_by("read order; while read more; do :; done; exit 0");
    stage.options.stop_grace = Duration::from_secs(600);
    let stop = CancellationToken::new();
    stop.cancel();
    let (ended, _) = stage.run(&stage.order(), stop).await;
    assert!(ended.stopped && !ended.crashed, "{ended:?}");
}

#[tokio::test]
async fn messages_come_in_order_and_a_slow_reader_loses_none_that_matter() {
    let script = r#"read order
echo '{"message":"started","sandbox_missing":[]}'
for n in 1 2 3 4 5 6 7 8 9; do echo '{"message":"progress","percent":'$n',"frames":'$n',"fps":1,"speed":1,"eta_s":null}'; done
echo '{"message":"attempt_failed","fault":{"code":"SourceTruncated","operation":"read","subject":"s","cause":"c","remedy":"r.","blame":"source","retryable":false}}'
exit 0"#;
    let stage = Stage::played_by(script);
    let (ended, heard) = stage.run(&stage.order(), CancellationToken::new()).await;
    assert_eq!((code(&ended), ended.crashed), ("SourceTruncated", false));
    assert!(matches!(heard[0], Message::Started { .. }), "{heard:?}");
    let frames: Vec<u64> = heard
        .iter()
        .filter_map(|message| match message {
            Message::Progress(progress) => Some(progress.frames),
            _ => None,
        })
        .collect();
    assert_eq!(frames, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_a_fault() {
    let mut stage = Stage::real();
    stage.options.program = stage.root.path().join("nothing");
    assert_eq!(code(&stage.end().await), "WorkerNotStarted");
}

#[tokio::test]
async fn the_real_worker_refuses_a_source_that_is_not_what_was_ordered() {
    let stage = Stage::real();
    let mut order = stage.order();
    order.source.mtime_ns -= 1;
    let (ended, _) = stage.run(&order, CancellationToken::new()).await;
    assert_eq!((code(&ended), ended.crashed), ("SourceChanged", false), "{ended:?}");
    let mut order = stage.order();
    order.version += 1;
    let (ended, _) = stage.run(&order, CancellationToken::new()).await;
    assert_eq!(code(&ended), "OrderUnreadable", "{ended:?}");
}

#[test]
fn a_worker_without_an_order_ends_by_itself() {
    let mut child = Command::new(BINARY)
        .arg("worker")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(b"not an order\n").expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let words = String::from_utf8_lossy(&output.stdout);
    assert!(words.contains("OrderUnreadable"), "{words}");
}
