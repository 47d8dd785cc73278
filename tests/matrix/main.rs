//! Every file of the shared collection through an HLS ladder, sprite, poster and facts, with the real binary, against
//! a table: what is made of it, or why it fails. Outputs are counted and timed by the system's ffprobe, not by us.
//!
//! `REELMILL_MATRIX_UPDATE=1` rewrites the table for review (its last column is kept); `REELMILL_MATRIX=full` runs the
//! shipped ladder instead of two small fast rungs, over the whole of long files, and compares only how each file ends.
//! `REELMILL_MATRIX_ONLY=TEXT` takes files whose names hold TEXT.

#[path = "../collection/mod.rs"]
mod collection;
mod row;
mod witness;

use row::Row;
use row::Table;
use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

/// The binary under test.
const REELMILL: &str = env!("CARGO_BIN_EXE_reelmill");
/// Sources longer than this are transcoded in their first part only, unless all is asked for.
const LONG_S: f64 = 60.0;
/// That part.
const PART_S: f64 = 20.0;

/// The templates' activities; the ladder with rungs that cost little.
fn workflow(clip: Option<f64>) -> String {
    let full = is_full();
    let rung = |height: u32| {
        format!(
            "[[activity.group.output]]\nname = \"{height}p\"\n\
             video = {{ codec = \"h264\", height = {height}, preset = \"ultrafast\", rate = \"crf\", crf = 30, gop_s = 2.0, bframes = 0 }}\n\
             audio = {{ codec = \"aac\", bitrate_kbps = 64 }}\n"
        )
    };
    let rungs = match full {
        true => String::new(),
        false => format!(
            "[[activity.group]]\nname = \"hls\"\nkind = \"hls\"\nsegment_s = 4.0\n{}{}",
            rung(180),
            rung(128)
        ),
    };
    let clip = clip.filter(|_| !full).map_or(String::new(), |end_s| {
        format!("clip = {{ start_s = 0.0, end_s = {end_s:.1} }}\n")
    });
    format!(
        "name = \"matrix\"\n\
         [[activity]]\nid = \"info\"\ntype = \"analysis\"\ntemplate = \"media-info\"\n\
         [[activity]]\nid = \"ladder\"\ntype = \"transcode\"\ntemplate = \"h264-hls-ladder\"\n{clip}{rungs}\
         [[activity]]\nid = \"sprite\"\ntype = \"snapshot\"\ntemplate = \"sprite-webvtt\"\n\
         [[activity]]\nid = \"poster\"\ntype = \"snapshot\"\ntemplate = \"poster\"\n"
    )
}

fn is_full() -> bool {
    std::env::var_os("REELMILL_MATRIX").is_some_and(|value| value == "full")
}

/// Runs the workflow over a file; the result object and what went wrong with it in a witness's eyes.
fn tried(file: &Path, room: &Path) -> (Row, Vec<String>) {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let clip = witness::container_length_s(file).filter(|length_s| (LONG_S..86_400.0).contains(length_s));
    let definition = room.join(format!("{name}.toml"));
    std::fs::write(&definition, workflow(clip.map(|_| PART_S))).expect("the workflow can be written");
    let out = room.join(format!("{name}.out"));
    let answer = Command::new(REELMILL)
        .arg("run")
        .arg(&definition)
        .arg(file)
        .args(["--json", "--threads", "1", "--output"])
        .arg(&out)
        .arg("--scratch")
        .arg(room)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let report: Value = match serde_json::from_slice(&answer.stdout) {
        Ok(report) => report,
        Err(error) => {
            let words = String::from_utf8_lossy(&answer.stderr).into_owned();
            return (
                Row::failed(&name, "no result object"),
                vec![format!("{name}: no result object ({error}): {words}")],
            );
        }
    };
    let row = Row::of(&name, &report);
    let objections = witness::objections(file, &report, clip.is_some() && !is_full());
    let _ = std::fs::remove_dir_all(&out);
    (
        row,
        objections.into_iter().map(|one| format!("{name}: {one}")).collect(),
    )
}

/// The files, two at a time.
fn all_tried(files: &[PathBuf], room: &Path) -> Vec<(Row, Vec<String>)> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let tried = tried(file, room);
                    done.lock().expect("no thread panicked").push(tried);
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no thread panicked");
    done.sort_by(|one, other| one.0.file.cmp(&other.0.file));
    done
}

#[test]
fn every_file_of_the_collection_ends_as_the_table_says() {
    let Some(manifest) = collection::media("MANIFEST.tsv") else {
        return;
    };
    let folder = manifest.parent().expect("a file lies in a folder");
    let only = std::env::var("REELMILL_MATRIX_ONLY").unwrap_or_default();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the collection can be listed")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file() && *path != manifest)
        .filter(|path| path.to_string_lossy().contains(&only))
        .collect();
    // The largest first, so that the two ends of the queue meet.
    files.sort_by_key(|path| std::cmp::Reverse(std::fs::metadata(path).map_or(0, |meta| meta.len())));
    let room = tempfile::tempdir().expect("a temporary directory");
    let done = all_tried(&files, room.path());
    let rows: Vec<Row> = done.iter().map(|(row, _)| row.clone()).collect();

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix/expected.tsv");
    let table = Table::read(&path);
    if std::env::var_os("REELMILL_MATRIX_UPDATE").is_some_and(|value| value == "1") {
        table.with(&rows, only.is_empty()).write(&path);
    } else {
        let differences = table.differences(&rows, only.is_empty(), is_full());
        assert!(
            differences.is_empty(),
            "against {}:\n{}",
            path.display(),
            differences.join("\n")
        );
    }
    let objections: Vec<String> = done.into_iter().flat_map(|(_, objections)| objections).collect();
    assert!(objections.is_empty(), "ffprobe disagrees:\n{}", objections.join("\n"));
}
