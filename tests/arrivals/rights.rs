//! Mode and group of what is published, and configurations that are refused.

use super::not_started;
use super::put;
use super::start;
use crate::appliance;
use crate::appliance::Appliance;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

const KEEP: &str = "name = \"keep\"\n[source]\nstorage = \"drop\"\nextensions = [\"*\"]\n[[activity]]\nid = \"keep\"\ntype = \"copy\"\nstorage = \"out\"\nprefix = \"kept/\"\n";

/// The storage `drop`, and `out` with these keys.
fn with_out(keys: &str) -> Appliance {
    let appliance = not_started("");
    std::fs::create_dir(appliance.path("out")).expect("made");
    let mut text = std::fs::read_to_string(appliance.config()).expect("readable");
    let path = appliance.path("out");
    text.push_str(&format!(
        "\n[[storage]]\nname = \"out\"\npath = \"{}\"\nwatch = \"off\"\n{keys}\n",
        path.display()
    ));
    std::fs::write(appliance.config(), text).expect("written");
    appliance.workflow_file("keep", KEEP);
    appliance
}

#[test]
fn files_and_new_folders_have_the_mode_and_group_of_the_storage() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give a file to any group");
        return;
    }
    let mut appliance = with_out("file_mode = \"0640\"\nfolder_mode = \"2770\"\nfile_group = \"4711\"\n");
    start(&mut appliance);
    put(&appliance, "deep/er/a.mov", "film");
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(task["status"], "Succeed", "{task:#}");
    let files: Vec<String> = appliance
        .files("out")
        .into_iter()
        .filter(|file| file.ends_with("a.mov"))
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let mut path = appliance.path("out").join(&files[0]);
    let file = std::fs::metadata(&path).expect("there");
    assert_eq!((file.mode() & 0o7777, file.gid()), (0o640, 4711));
    while path.pop() && path != appliance.path("out") {
        let folder = std::fs::metadata(&path).expect("there");
        assert_eq!(
            (folder.mode() & 0o7777, folder.gid()),
            (0o2770, 4711),
            "{}",
            path.display()
        );
    }
    let root = std::fs::metadata(appliance.path("out")).expect("there");
    assert_ne!(root.gid(), 4711, "what was there is left as it is");
}

#[test]
fn without_them_the_umask_decides() {
    let mut appliance = with_out("");
    // The daemon inherits it.
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o027));
    start(&mut appliance);
    rustix::process::umask(before);
    put(&appliance, "deep/a.mov", "film");
    assert_eq!(appliance.ended_tasks(1)[0]["status"], "Succeed");
    let files: Vec<String> = appliance
        .files("out")
        .into_iter()
        .filter(|file| file.ends_with("a.mov"))
        .collect();
    let path = appliance.path("out").join(&files[0]);
    assert_eq!(std::fs::metadata(&path).expect("there").mode() & 0o777, 0o640);
    assert_eq!(
        std::fs::metadata(path.parent().expect("a folder"))
            .expect("there")
            .mode()
            & 0o777,
        0o750
    );
}

#[test]
fn what_cannot_be_is_refused_before_anything_starts() {
    for (keys, word) in [
        ("file_group = \"no-such-group\"", "no-such-group"),
        ("file_mode = \"0999\"", "file_mode"),
        ("include = [\"a[\"]", "include"),
        ("exclude = [\"\"]", "exclude"),
        ("ready = \"marker\"\nmarker = \"a/b\"", "marker"),
        ("marker = \".done\"", "ready = \"marker\""),
        ("ready = \"soon\"", "ready"),
        ("min_age_s = -1.0", "min_age_s"),
    ] {
        let appliance = with_out(keys);
        let mut child = Command::new(appliance::REELMILL)
            .args(["serve", "--config"])
            .arg(appliance.config())
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("starts");
        let begin = std::time::Instant::now();
        while child.try_wait().expect("asked").is_none() && begin.elapsed() < appliance::PATIENCE {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = child.kill();
        let output = child.wait_with_output().expect("ended");
        let said = appliance::said(&output);
        assert!(!output.status.success() && said.contains(word), "{keys}: {said}");
        assert!(output.status.code().is_some(), "{keys}: it ended by itself: {said}");
    }
}
