//! What makes a file ready.

use super::explained;
use super::is_explained;
use super::put;
use super::ran;
use super::runs;
use super::start;
use super::touch;
use super::watching;
use std::io::Write;

#[test]
fn a_file_waits_for_its_marker_and_a_changed_one_for_a_new_marker() {
    for watch in ["watch = \"inotify\"", "watch = \"poll\""] {
        let mut appliance = watching(&format!("ready = \"marker\"\n{watch}\n"));
        put(&appliance, "a/clip.mp4", "film");
        put(&appliance, "early.mp4.done", "");
        is_explained(
            &appliance,
            "a/clip.mp4",
            "waits for its marker (clip.mp4.done or clip.done)",
        );
        is_explained(&appliance, "early.mp4.done", "it releases other files");
        // What waits is waited for after a restart too.
        appliance.kill_9();
        start(&mut appliance);
        is_explained(&appliance, "a/clip.mp4", "waits for its marker");
        assert_eq!(ran(&appliance), Vec::<String>::new());
        put(&appliance, "a/clip.done", "");
        runs(&appliance, &["a/clip.mp4"]);
        // A marker that came first says nothing of what was written after it.
        std::thread::sleep(std::time::Duration::from_millis(30));
        put(&appliance, "early.mp4", "film");
        is_explained(&appliance, "early.mp4", "older than its content");
        put(&appliance, "early.mp4.done", "");
        runs(&appliance, &["a/clip.mp4", "early.mp4"]);
        // Changed: the old marker does not count, not even when the file's time says that it is old.
        put(&appliance, "a/clip.mp4", "another film");
        touch(&appliance.path("drop/a/clip.mp4"), -86_400);
        is_explained(&appliance, "a/clip.mp4", "Write the marker again");
        put(&appliance, "a/clip.done", "");
        runs(&appliance, &["a/clip.mp4", "a/clip.mp4", "early.mp4"]);
        assert!(appliance.path("drop/a/clip.done").exists(), "markers are left");
    }
}

#[test]
fn one_marker_may_release_a_whole_folder() {
    let appliance = watching("ready = \"marker\"\nmarker = \"READY\"\nwatch = \"poll\"\n");
    put(&appliance, "card/one.mp4", "1");
    put(&appliance, "card/deep/two.mp4", "2");
    put(&appliance, "other/three.mp4", "3");
    is_explained(&appliance, "card/deep/two.mp4", "a file READY in its folder");
    put(&appliance, "card/READY", "");
    runs(&appliance, &["card/one.mp4", "card/deep/two.mp4"]);
    is_explained(&appliance, "other/three.mp4", "waits for its marker");
}

#[test]
fn a_file_that_is_renamed_is_taken_at_once_and_a_temporary_one_never() {
    let appliance = watching("ready = \"rename\"\nwatch = \"poll\"\nexclude = [\"*.uploading\"]\n");
    for name in ["a.mp4.part", "b.mp4.uploading", ".c.mp4"] {
        put(&appliance, name, "film");
    }
    is_explained(&appliance, "a.mp4.part", "being written");
    is_explained(&appliance, "b.mp4.uploading", "exclude");
    for (from, to) in [
        ("a.mp4.part", "a.mp4"),
        ("b.mp4.uploading", "b.mp4"),
        (".c.mp4", "c.mp4"),
    ] {
        let drop = appliance.path("drop");
        std::fs::rename(drop.join(from), drop.join(to)).expect("renamed");
    }
    runs(&appliance, &["a.mp4", "b.mp4", "c.mp4"]);
}

#[test]
fn a_file_is_compared_with_its_checksum_and_one_that_differs_waits() {
    let appliance = watching("ready = \"checksum\"\n");
    // Of "abc", in all the ways in which it may be said.
    put(&appliance, "md5.mov", "abc");
    put(
        &appliance,
        "md5.mov.md5",
        "900150983cd24fb0d6963f7d28e17f72  /elsewhere/md5.mov\n",
    );
    put(&appliance, "stem.mov", "abc");
    put(
        &appliance,
        "stem.SHA1",
        "A9993E364706816ABA3E25717850C26C9CD0D89D *stem.mov\r\n",
    );
    put(&appliance, "sub/listed.mov", "abc");
    put(
        &appliance,
        "SHA256SUMS",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  ./sub/listed.mov\n",
    );
    put(&appliance, "card/CLIPS/x.mov", "abc");
    put(
        &appliance,
        "card/card.mhl",
        "<hashlist version=\"1.1\"><hash><file>CLIPS/x.mov</file><size>3</size><xxhash64be>44bc2cf5ad770999</xxhash64be></hash></hashlist>",
    );
    put(&appliance, "alone.mov", "abc");
    put(&appliance, "bad.mov", "abd");
    put(&appliance, "bad.mov.md5", "900150983cd24fb0d6963f7d28e17f72  bad.mov\n");
    put(&appliance, "nonsense.mov", "abc");
    put(&appliance, "nonsense.mov.md5", "no checksum at all\n");
    let good = ["md5.mov", "stem.mov", "sub/listed.mov", "card/CLIPS/x.mov"];
    runs(&appliance, &good);
    is_explained(&appliance, "alone.mov", "waits for a checksum");
    is_explained(
        &appliance,
        "bad.mov",
        "says MD5 900150983cd24fb0d6963f7d28e17f72, the file has",
    );
    is_explained(&appliance, "nonsense.mov", "nothing in it is an MD5");
    is_explained(&appliance, "bad.mov.md5", "checksums of other files");
    // Either may be mended.
    put(&appliance, "bad.mov", "abc");
    put(&appliance, "nonsense.mov.md5", "900150983cd24fb0d6963f7d28e17f72\n");
    put(&appliance, "alone.md5", "900150983cd24fb0d6963f7d28e17f72  alone.mov\n");
    let all = [&good[..], &["bad.mov", "nonsense.mov", "alone.mov"]].concat();
    runs(&appliance, &all);
}

#[test]
fn a_growing_file_an_empty_one_and_one_without_its_end_wait() {
    // Quiet for a second: a machine that is busy stops the writer for a while, too.
    let appliance = watching("watch = \"poll\"\nsettle_looks = 10\n");
    put(&appliance, "empty.mp4", "");
    // An MP4 that is all there but for its index.
    let cut = [
        &24_u32.to_be_bytes()[..],
        b"ftypisom",
        &[0; 12],
        &1_000_u32.to_be_bytes(),
        b"mdat",
        &[7; 400],
    ]
    .concat();
    put(&appliance, "cut.mp4", &cut);
    is_explained(&appliance, "cut.mp4", "more than there are");
    let mut growing = std::fs::File::create(appliance.path("drop/growing.bin")).expect("made");
    for _ in 0..20 {
        growing.write_all(&[7; 1000]).expect("written");
        std::thread::sleep(std::time::Duration::from_millis(60));
    }
    drop(growing);
    is_explained(&appliance, "empty.mp4", "It is empty");
    // One that never gets its end is taken as it is, in the end; what it lacks its task would say.
    runs(&appliance, &["cut.mp4", "growing.bin"]);
    let tasks = appliance.tasks();
    let growing = tasks
        .iter()
        .find(|task| task["media"]["object"] == "drop:growing.bin")
        .expect("it ran");
    assert_eq!(
        growing["media"]["size_bytes"], 20_000,
        "it was taken when it was whole: {growing:#}"
    );
    put(&appliance, "empty.mp4", "content");
    runs(&appliance, &["cut.mp4", "empty.mp4", "growing.bin"]);
}

#[test]
fn clocks_that_are_wrong_change_nothing_and_age_is_what_we_saw() {
    let appliance = watching("min_age_s = 2.0\n");
    put(&appliance, "future.mov", "f");
    touch(&appliance.path("drop/future.mov"), 86_400 * 365);
    put(&appliance, "past.mov", "p");
    touch(&appliance.path("drop/past.mov"), -86_400 * 365);
    is_explained(&appliance, "past.mov", "min_age_s = 2");
    runs(&appliance, &["future.mov", "past.mov"]);
    // The same content with another time is another arrival; the one before is not run again by itself.
    touch(&appliance.path("drop/past.mov"), -86_400);
    runs(&appliance, &["future.mov", "past.mov", "past.mov"]);
}

#[test]
fn age_is_kept_across_a_death_and_the_moment_of_settling_is_told() {
    let mut appliance = watching("min_age_s = 6.0\nwatch = \"poll\"\n");
    put(&appliance, "clip.mov", "f");
    is_explained(&appliance, "clip.mov", "min_age_s = 6");
    let seen = explained(&appliance, "clip.mov")["seen_at"].clone();
    assert!(seen.is_string() && explained(&appliance, "clip.mov")["settled_at"].is_null());
    appliance.kill_9();
    // So long that a clock that began anew would be told by its second.
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    start(&mut appliance);
    runs(&appliance, &["clip.mov"]);
    let told = explained(&appliance, "clip.mov");
    assert_eq!(told["seen_at"], seen, "{told:#}");
    let settled = told["settled_at"].as_str().expect("a time").to_owned();
    assert!(settled.as_str() > seen.as_str().expect("a time"), "{told:#}");
    assert!(
        told["explanation"].as_str().expect("text").contains(&settled),
        "{told:#}"
    );
}
