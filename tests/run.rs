//! `reelmill run` through the real binary: results, names, and every fault that can meet an attempt.

mod appliance;

use appliance::PATIENCE;
use appliance::REELMILL;
use appliance::clips;
use appliance::workflows::RUNG;
use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

/// A workflow without storages, with named groups and something after the ladder.
fn small() -> String {
    format!(
        r#"
name = "small"
[[activity]]
id = "facts"
type = "analysis"
[[activity]]
id = "ladder"
type = "transcode"
[[activity.group]]
name = "MP4"
kind = "file"
[[activity.group.output]]
name = "low"
{RUNG}
[[activity.group]]
name = "HLS"
kind = "hls"
segment_s = 2.0
[[activity.group.output]]
name = "low"
{RUNG}
[[activity]]
id = "sprite"
type = "snapshot"
mode = "sprite"
interval_s = 1
columns = 3
lines = 2
[[activity]]
id = "after"
type = "noop"
needs = ["ladder"]
"#
    )
}

struct Desk {
    root: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        for folder in ["in", "scratch"] {
            std::fs::create_dir(root.path().join(folder)).expect("a fresh folder");
        }
        let desk = Desk { root };
        desk.write("small.toml", small().as_bytes());
        // So slow that anything can happen in its middle.
        let slow = small()
            .replace("ultrafast", "veryslow")
            .replace("height = 240", "height = 720");
        desk.write("slow.toml", slow.as_bytes());
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.path(name), content).expect("it can be written");
    }

    fn source(&self, clip: &Path) -> PathBuf {
        let source = self.path("in/clip.mp4");
        std::fs::copy(clip, &source).expect("the clip is there");
        source
    }

    fn command(&self, workflow: &str, source: &Path) -> Command {
        let mut command = Command::new(REELMILL);
        command
            .arg("run")
            .arg(self.path(workflow))
            .arg(source)
            .args(["--json", "--threads", "2", "--output"])
            .arg(self.path("out"))
            .arg("--scratch")
            .arg(self.path("scratch"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, workflow: &str, source: &Path, more: &[&str]) -> (i32, Value, String) {
        ended(
            self.command(workflow, source)
                .args(more)
                .output()
                .expect("the binary runs"),
        )
    }

    /// Starts the slow workflow over the long clip and returns when its worker has written something.
    fn in_the_middle(&self, source: &Path) -> Child {
        let mut child = self.command("slow.toml", source).spawn().expect("the binary runs");
        until("the worker to write", || {
            assert!(
                child.try_wait().expect("it can be asked").is_none(),
                "it ended before its middle"
            );
            let written = |entry: walkdir::DirEntry| {
                entry.file_type().is_file() && entry.metadata().is_ok_and(|metadata| metadata.len() > 0)
            };
            let scratch = walkdir::WalkDir::new(self.path("scratch"));
            scratch.into_iter().flatten().any(written).then_some(())
        });
        child
    }

    /// Every file and folder beneath one of the desk's folders.
    fn tree(&self, folder: &str) -> Vec<String> {
        let root = self.path(folder);
        let mut names: Vec<String> = walkdir::WalkDir::new(&root)
            .min_depth(1)
            .into_iter()
            .flatten()
            .map(|entry| {
                entry
                    .path()
                    .strip_prefix(&root)
                    .expect("beneath it")
                    .display()
                    .to_string()
            })
            .collect();
        names.sort();
        names
    }

    fn left_nothing(&self) {
        assert_eq!(self.tree("scratch"), Vec::<String>::new());
        assert_eq!(self.tree("out"), Vec::<String>::new());
    }
}

fn ended(output: Output) -> (i32, Value, String) {
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = output.status.code().unwrap_or(-1);
    let result = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    assert_eq!(
        result.is_null(),
        code == 2,
        "an object on standard output but for bad usage: {code} {words}"
    );
    (code, result, words)
}

fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The worker of a command.
fn worker_of(parent: u32) -> u32 {
    until("the worker's process", || {
        std::fs::read_dir("/proc")
            .expect("readable")
            .flatten()
            .find_map(|entry| {
                let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
                let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
                let field = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.to_owned();
                (field == parent.to_string()).then_some(pid)
            })
    })
}

fn signal(pid: u32, name: &str) {
    let done = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(done.expect("kill runs").success());
}

fn is_gone(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
}

fn codes(result: &Value) -> Vec<&str> {
    let errors = result["errors"].as_array().expect("errors are listed");
    errors
        .iter()
        .map(|error| error["code"].as_str().expect("each has a code"))
        .collect()
}

#[test]
fn a_workflow_runs_to_proved_files_and_nothing_else() {
    let desk = Desk::new();
    let source = desk.source(&clips::short());
    let (code, result, words) = desk.run("small.toml", &source, &[]);
    assert_eq!((code, result["status"].as_str()), (0, Some("Succeed")), "{words}");
    assert_eq!(result["backend"], "software");
    assert!(
        result["facts"]["duration_s"]
            .as_f64()
            .is_some_and(|duration_s| (duration_s - 6.0).abs() < 0.1)
    );
    let mut told = Vec::new();
    for output in result["outputs"].as_array().expect("outputs are listed") {
        let checks = output["proof"]["checks"].as_array().expect("each has its proof");
        assert!(
            !checks.is_empty() && checks.iter().all(|check| check["ok"] == true),
            "{output}"
        );
        for file in output["files"].as_array().expect("each has files") {
            let path = file["path"].as_str().expect("each has a path");
            let content = std::fs::read(path).expect("it is there");
            assert_eq!(file["size_bytes"].as_u64(), Some(content.len() as u64), "{path}");
            assert_eq!(
                file["md5"],
                hex::encode(<md5::Md5 as md5::Digest>::digest(&content)),
                "{path}"
            );
            assert!(
                !content.windows(10).any(|part| part == b"{reelmill:"),
                "{path} has its names"
            );
            told.push(path.to_owned());
        }
    }
    told.sort();
    let mut found: Vec<String> = desk
        .tree("out")
        .into_iter()
        .map(|name| desk.path("out").join(name))
        .filter(|path| path.is_file())
        .map(|path| path.display().to_string())
        .collect();
    found.sort();
    assert_eq!(found, told, "what stands there is what was told");
    assert!(found.iter().any(|path| path.ends_with("/low.mp4")));
    assert!(found.iter().any(|path| path.ends_with("/HLS.m3u8")));
    assert!(found.iter().any(|path| path.ends_with(".vtt")));
    assert_eq!(desk.tree("scratch"), Vec::<String>::new());
    assert_eq!(desk.tree("in"), ["clip.mp4"]);

    // Again: nothing is replaced. With leave: everything is.
    let before = desk.tree("out");
    let (code, result, words) = desk.run("small.toml", &source, &[]);
    assert_eq!(code, 0, "{words}");
    assert!(
        desk.path("out/low-2.mp4").exists() && desk.path("out/HLS-2.m3u8").exists(),
        "{:?}",
        desk.tree("out")
    );
    let list = std::fs::read_to_string(desk.path("out/HLS-2.m3u8")).expect("it is there");
    assert!(list.contains("HLS-2/") && !list.contains("HLS/"), "{list}");
    assert_eq!(result["status"], "Succeed");
    std::fs::remove_dir_all(desk.path("out")).expect("it can be removed");
    for _ in 0..2 {
        let (code, _, words) = desk.run("small.toml", &source, &["--overwrite"]);
        assert_eq!(code, 0, "{words}");
        assert_eq!(desk.tree("out"), before);
    }
}

#[test]
fn bad_usage_is_told_apart_from_failed_work() {
    let desk = Desk::new();
    let source = desk.source(&clips::short());
    desk.write(
        "cycle.toml",
        small()
            .replace("id = \"facts\"", "id = \"facts\"\nneeds = [\"after\"]")
            .replace("id = \"ladder\"", "id = \"ladder\"\nneeds = [\"facts\"]")
            .as_bytes(),
    );
    for (workflow, input, expected, word) in [
        ("nowhere.toml", source.as_path(), 2, "nowhere.toml"),
        ("cycle.toml", source.as_path(), 2, "circle"),
        ("small.toml", Path::new("/nowhere/clip.mp4"), 2, "/nowhere/clip.mp4"),
        ("small.toml", Path::new("/tmp"), 2, "not a file"),
    ] {
        let (code, _, words) = desk.run(workflow, input, &[]);
        assert_eq!(code, expected, "{words}");
        assert!(words.contains(word), "{words}");
    }
    let (code, result, words) = desk.run("small.toml", &source, &["--backend", "gpu"]);
    assert_eq!((code, codes(&result)[0]), (1, "BackendUnavailable"), "{words}");
    assert!(words.contains("--backend auto"), "{words}");
    desk.left_nothing();
}

#[test]
fn files_that_are_no_media_fail_with_operation_object_cause_and_remedy() {
    let desk = Desk::new();
    let whole = std::fs::read(clips::short()).expect("the clip is there");
    for (content, what) in [
        (&b"just some words\n"[..], "text"),
        (b"", "nothing"),
        (&whole[..whole.len() / 2], "half of a file"),
    ] {
        desk.write("in/clip.mp4", content);
        let (code, result, words) = desk.run("small.toml", &desk.path("in/clip.mp4"), &[]);
        assert_eq!(
            (code, result["status"].as_str()),
            (1, Some("Failed")),
            "{what}: {words}"
        );
        for error in result["errors"].as_array().expect("errors are listed") {
            for part in ["activity", "code", "operation", "subject", "cause", "remedy"] {
                assert!(
                    error[part].as_str().is_some_and(|text| !text.is_empty()),
                    "{what}: {error}"
                );
            }
            assert_eq!(error["blame"], "source", "{what}: {error}");
        }
        assert!(!codes(&result).is_empty(), "{what}");
        desk.left_nothing();
    }
}

#[test]
fn a_source_that_changes_or_goes_during_the_attempt_fails_it() {
    let desk = Desk::new();
    for deed in ["append", "delete", "replace"] {
        let source = desk.source(&clips::long());
        let child = desk.in_the_middle(&source);
        match deed {
            "append" => {
                let file = std::fs::OpenOptions::new().append(true).open(&source);
                std::io::Write::write_all(&mut file.expect("it opens"), b"more").expect("it grows");
            }
            "delete" => std::fs::remove_file(&source).expect("it is there"),
            _ => {
                std::fs::copy(clips::short(), desk.path("in/new")).expect("it can be copied");
                std::fs::rename(desk.path("in/new"), &source).expect("it can be replaced");
            }
        }
        let (code, result, words) = ended(child.wait_with_output().expect("it ends"));
        assert_eq!(code, 1, "{deed}: {words}");
        assert!(
            codes(&result).iter().all(|code| *code == "SourceChanged"),
            "{deed}: {words}"
        );
        desk.left_nothing();
    }
}

#[test]
fn a_killed_worker_fails_its_jobs_alone_and_leaves_nothing() {
    let desk = Desk::new();
    let source = desk.source(&clips::long());
    let child = desk.in_the_middle(&source);
    let first = worker_of(child.id());
    signal(first, "KILL");
    // The shared attempt is tried apart, the encode first: it is killed once more, the others are left in peace.
    let second = until("another worker", || {
        Some(worker_of(child.id())).filter(|worker| *worker != first)
    });
    signal(second, "KILL");
    let (code, result, words) = ended(child.wait_with_output().expect("it ends"));
    assert_eq!((code, codes(&result)), (1, vec!["WorkerOutOfMemory"]), "{words}");
    assert!(words.contains("SIGKILL"), "{words}");
    assert_eq!(result["errors"][0]["activity"], "ladder");
    assert_eq!(desk.tree("scratch"), Vec::<String>::new());
    assert!(
        desk.tree("out").iter().all(|name| name.starts_with("sprite")),
        "{:?}",
        desk.tree("out")
    );
}

#[test]
fn a_worker_does_not_outlive_its_parent() {
    let desk = Desk::new();
    let source = desk.source(&clips::long());
    let mut child = desk.in_the_middle(&source);
    let worker = worker_of(child.id());
    child.kill().expect("it runs");
    child.wait().expect("it ended");
    until("the worker to end by itself", || is_gone(worker).then_some(()));
    assert_eq!(desk.tree("out"), Vec::<String>::new());
}

#[test]
fn an_interrupt_stops_the_work_and_leaves_nothing() {
    let desk = Desk::new();
    let source = desk.source(&clips::long());
    let child = desk.in_the_middle(&source);
    let worker = worker_of(child.id());
    signal(child.id(), "INT");
    let (code, result, words) = ended(child.wait_with_output().expect("it ends"));
    assert_eq!((code, result["status"].as_str()), (1, Some("Canceled")), "{words}");
    assert!(is_gone(worker));
    desk.left_nothing();
}

/// A small file system on a loop device, mounted at `point`; none: this user may not mount.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(image: &Path, point: &Path, options: &str) -> Option<Self> {
        let ran = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
        std::fs::create_dir_all(point).expect("a mount point");
        if !image.exists() {
            std::fs::File::create(image)
                .and_then(|file| file.set_len(4 << 20))
                .expect("an image");
            assert!(
                ran(Command::new("mkfs.ext4").args(["-q", "-m", "0"]).arg(image)),
                "mkfs.ext4 is installed"
            );
        }
        let mounted = ran(Command::new("mount").args(["-o", options]).arg(image).arg(point));
        if !mounted {
            println!("skipped: no loop mounts for this user");
        }
        mounted.then(|| SmallDisk(point.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_scratch_fails_with_a_remedy() {
    let desk = Desk::new();
    let source = desk.source(&clips::long());
    let Some(_disk) = SmallDisk::mount(&desk.path("image"), &desk.path("scratch"), "loop") else {
        return;
    };
    let _ = std::fs::write(desk.path("scratch/filler"), vec![1; 4 << 20]);
    let shrunk = std::fs::OpenOptions::new()
        .write(true)
        .open(desk.path("scratch/filler"));
    let filler = shrunk.expect("it is there");
    let full_bytes = filler.metadata().expect("it is there").len();
    filler.set_len(full_bytes.saturating_sub(200_000)).expect("it shrinks");
    let (code, result, words) = desk.run("small.toml", &source, &[]);
    assert_eq!(code, 1, "{words}");
    assert!(words.to_lowercase().contains("space"), "{words}");
    let errors = result["errors"].as_array().expect("errors are listed");
    assert!(
        errors
            .iter()
            .any(|error| error["blame"] == "host" && error["retryable"] == true),
        "{errors:#?}"
    );
    assert!(!desk.path("out/low.mp4").exists());
}

#[test]
fn a_read_only_output_fails_with_a_remedy() {
    let desk = Desk::new();
    let source = desk.source(&clips::short());
    let Some(_disk) = SmallDisk::mount(&desk.path("image"), &desk.path("out"), "loop,ro") else {
        return;
    };
    let (code, result, words) = desk.run("small.toml", &source, &[]);
    assert_eq!(code, 1, "{words}");
    assert!(codes(&result).contains(&"OutputNotWritable"), "{words}");
    assert!(words.contains("read-write"), "{words}");
    assert_eq!(desk.tree("scratch"), Vec::<String>::new());
}

#[test]
fn a_sample_is_whole_media_and_replaces_nothing() {
    let desk = Desk::new();
    let clip = desk.path("in/sample.mp4");
    let make = || {
        let mut command = Command::new(REELMILL);
        command
            .arg("sample")
            .arg(&clip)
            .args(["--seconds", "2", "--size", "320x180"]);
        command.output().expect("the binary runs")
    };
    let made = make();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert_eq!(desk.tree("in"), ["sample.mp4"], "nothing half-done beside it");
    let probed = Command::new(REELMILL)
        .args(["probe", "--json"])
        .arg(&clip)
        .output()
        .expect("the binary runs");
    let facts: Value = serde_json::from_slice(&probed.stdout).expect("one object");
    let duration_s = facts["duration_s"].as_f64().expect("it has a duration");
    assert!((duration_s - 2.0).abs() < 0.1, "{facts:#}");
    let before = std::fs::read(&clip).expect("it is there");
    let again = make();
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists already"));
    assert_eq!(std::fs::read(&clip).expect("it is there"), before);
}
