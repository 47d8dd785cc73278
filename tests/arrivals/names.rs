//! Names of all kinds.

use super::explained;
use super::is_explained;
use super::not_started;
use super::put;
use super::runs;
use super::start;
use super::watching;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

#[test]
fn patterns_choose_and_say_so() {
    let appliance = watching("include = [\"*.mxf\", \"incoming/\"]\nexclude = [\"proxy\", \"**/*_tmp.*\"]\n");
    for key in [
        "a.MXF",
        "b.mov",
        "incoming/c.mov",
        "incoming/Proxy/d.mov",
        "incoming/e_tmp.mov",
        "deep/er/f.mxf",
    ] {
        put(&appliance, key, key);
    }
    runs(&appliance, &["a.MXF", "deep/er/f.mxf", "incoming/c.mov"]);
    is_explained(&appliance, "b.mov", "no pattern of include");
    is_explained(&appliance, "incoming/Proxy/d.mov", "\"proxy\"");
    is_explained(&appliance, "incoming/e_tmp.mov", "\"**/*_tmp.*\"");
}

#[test]
fn names_that_differ_only_in_how_accents_are_composed_are_two_objects_and_match_the_same() {
    let mut appliance = not_started("include = [\"caf\u{e9}*/\"]\nready = \"marker\"\n");
    appliance.workflow_file(
        "notice",
        "name = \"notice\"\n[source]\nstorage = \"drop\"\nprefix = \"cafe\u{301}/\"\nextensions = [\"*\"]\n[[activity]]\nid = \"n\"\ntype = \"noop\"\n",
    );
    start(&mut appliance);
    for name in ["caf\u{e9}/\u{e9}t\u{e9}.mov", "cafe\u{301}/e\u{301}te\u{301}.mov"] {
        put(&appliance, name, name);
    }
    // Each with a marker in the other form.
    put(&appliance, "caf\u{e9}/e\u{301}te\u{301}.mov.done", "");
    put(&appliance, "cafe\u{301}/\u{e9}t\u{e9}.done", "");
    runs(
        &appliance,
        &["caf\u{e9}/\u{e9}t\u{e9}.mov", "cafe\u{301}/e\u{301}te\u{301}.mov"],
    );
}

#[test]
fn odd_names_links_and_what_vanishes_stop_nobody() {
    let appliance = watching("watch = \"poll\"\n");
    let odd: [&[u8]; 5] = [b"caf\xe9.mov", b"line\nbreak.mov", b"100%E9.mov", b"-rf", b" \"q' .mov"];
    for name in odd {
        put(&appliance, OsStr::from_bytes(name), "film");
    }
    let drop = appliance.path("drop");
    put(&appliance, "a/real.mov", "film");
    std::fs::hard_link(drop.join("a/real.mov"), drop.join("a/twin.mov")).expect("linked");
    std::os::unix::fs::symlink("..", drop.join("a/loop")).expect("linked");
    std::os::unix::fs::symlink(appliance.path("ingest"), drop.join("outside")).expect("linked");
    std::os::unix::fs::symlink("/etc/hostname", drop.join("hostname.mov")).expect("linked");
    std::fs::write(appliance.path("ingest/there.mov"), "film").expect("written");
    put(&appliance, "gone.mov", "film");
    std::fs::remove_file(drop.join("gone.mov")).expect("removed");
    runs(
        &appliance,
        &[
            "caf%E9.mov",
            "line\nbreak.mov",
            "100%25E9.mov",
            "-rf",
            " \"q' .mov",
            "a/real.mov",
            "a/twin.mov",
        ],
    );
    for link in ["hostname.mov", "outside/there.mov", "a/loop/a/real.mov"] {
        is_explained(&appliance, link, "link");
    }
}

#[test]
fn paths_longer_than_the_kernel_takes_at_once_run_too() {
    let mut appliance = not_started("watch = \"poll\"\nready = \"marker\"\n");
    // Copied, so that the long path is opened, read and written as well as seen.
    appliance.workflow_file(
        "keep",
        "name = \"keep\"\n[source]\nstorage = \"drop\"\nextensions = [\"*\"]\n[[activity]]\nid = \"keep\"\ntype = \"copy\"\nstorage = \"renditions\"\nprefix = \"kept/\"\n",
    );
    start(&mut appliance);
    let part = "d".repeat(240);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = rustix::fs::open(appliance.path("drop"), flags, Mode::empty()).expect("opened");
    for _ in 0..20 {
        rustix::fs::mkdirat(&folder, &part, Mode::from_raw_mode(0o755)).expect("made");
        folder = rustix::fs::openat(&folder, &part, flags, Mode::empty()).expect("opened");
    }
    for name in ["clip.mov", "clip.mov.done"] {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&folder, name, flags, Mode::from_raw_mode(0o644)).expect("made");
        std::fs::File::from(file).write_all(b"film").expect("written");
    }
    let key = format!("{}clip.mov", format!("{part}/").repeat(20));
    assert!(key.len() > 4_800);
    runs(&appliance, &[&key]);
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(task["status"], "Succeed", "{task:#}\n{}", appliance.log());
    assert_eq!(explained(&appliance, &key)["state"], "taken");
}
