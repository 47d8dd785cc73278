//! Damaged media files through the real worker: whatever the bytes, an answer comes, the parent lives, and what is
//! called a success holds what the source holds.
//!
//! 60 inputs as part of the tests; `REELMILL_MUTATIONS=2000` for a campaign, `REELMILL_MUTATION=417` for one of them
//! again with everything it said; `REELMILL_BINARY` for another binary than the one just built. Which input a number means never changes as long as the seeds do not.

mod damage;
mod seeds;
mod verdict;

use damage::Damage;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;
use verdict::Verdict;

/// Inputs side by side.
const LANES: u64 = 3;

/// Longer than the worker's own limit of time without progress, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(420);

/// A little of everything: a rung, sheets by key frames, a still of an exact time.
const WORKFLOW: &str = r#"
name = "mutation"
[[activity]]
id = "ladder"
type = "transcode"
[[activity.group]]
kind = "file"
container = "mp4"
[[activity.group.output]]
name = "low"
video = { codec = "h264", height = 128, preset = "ultrafast", rate = "crf", crf = 35.0 }
audio = { codec = "aac", bitrate_kbps = 32 }
[[activity]]
id = "sprite"
type = "snapshot"
mode = "sprite"
count = 4
cell_width = 64
[[activity]]
id = "poster"
type = "snapshot"
times = ["50%"]
width = 128
"#;

/// The same pictures without the rung: then nothing decodes everything, and other code seeks.
const PICTURES_ALONE: &str = r#"
name = "mutation-pictures"
[[activity]]
id = "sprite"
type = "snapshot"
mode = "sprite"
interval_s = 0.5
cell_width = 64
[[activity]]
id = "poster"
type = "snapshot"
times = ["50%"]
width = 128
"#;

fn number_from(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn damaged_files_are_answered_truly() {
    let seeds = seeds::all();
    let count = number_from("REELMILL_MUTATIONS").unwrap_or(60);
    let (first, last) = match number_from("REELMILL_MUTATION") {
        Some(number) => (number, number + 1),
        None => {
            let first = number_from("REELMILL_MUTATION_FIRST").unwrap_or(0);
            (first, first + count)
        }
    };
    let (next, findings, tally) = (
        AtomicU64::new(first),
        Mutex::new(Vec::new()),
        Mutex::new(verdict::Tally::default()),
    );
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..LANES.min(last - first) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= last {
                        return;
                    }
                    let damage = Damage::of(number, &seeds);
                    let verdict = tried(&damage, number.is_multiple_of(3), last - first == 1);
                    if let Some(finding) = &verdict.finding {
                        eprintln!("{number}: {} of {}: {finding}", damage.what, damage.name);
                        findings
                            .lock()
                            .expect("no lane panics")
                            .push(format!("{number} ({} of {}): {finding}", damage.what, damage.name));
                    }
                    tally.lock().expect("no lane panics").add(&verdict);
                    if (number + 1 - first).is_multiple_of(50) {
                        eprintln!("{} after {} s", number + 1 - first, begun.elapsed().as_secs());
                    }
                }
            });
        }
    });
    eprintln!("{}", tally.into_inner().expect("no lane panics"));
    let findings = findings.into_inner().expect("no lane panics");
    assert!(
        findings.is_empty(),
        "{} findings:\n{}",
        findings.len(),
        findings.join("\n")
    );
}

/// Runs one input and judges the answer.
fn tried(damage: &Damage, alone: bool, aloud: bool) -> Verdict {
    let root = tempfile::tempdir().expect("a directory");
    let path = |name: &str| root.path().join(name);
    let source = path(&damage.name);
    std::fs::write(&source, &damage.bytes).expect("written");
    std::fs::write(path("workflow.toml"), if alone { PICTURES_ALONE } else { WORKFLOW }).expect("written");
    std::fs::create_dir(path("scratch")).expect("made");
    let (out, err) = (path("stdout"), path("stderr"));
    let file = |path: &Path| Stdio::from(std::fs::File::create(path).expect("created"));
    let binary = std::env::var_os("REELMILL_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_reelmill").into());
    let mut child = Command::new(binary)
        .arg("run")
        .arg(path("workflow.toml"))
        .arg(&source)
        .args(["--json", "--threads", "2", "--output"])
        .arg(path("out"))
        .arg("--scratch")
        .arg(path("scratch"))
        .stdin(Stdio::null())
        .stdout(file(&out))
        .stderr(file(&err))
        .spawn()
        .expect("the binary runs");
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("it can be asked") {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().expect("it can be killed");
            child.wait().expect("it ends");
            return Verdict::found("hangs: no answer, and the worker's own limits did not end it");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let text = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).expect("read")).into_owned();
    let (said, complained) = (text(&out), text(&err));
    if aloud {
        eprintln!("{status}\n{said}\n{complained}");
        std::fs::write(std::env::temp_dir().join("reelmill-mutation"), &damage.bytes).expect("written");
    }
    let left = std::fs::read_dir(path("scratch")).expect("read").count();
    verdict::of(&source, status, &said, &complained, left)
}
