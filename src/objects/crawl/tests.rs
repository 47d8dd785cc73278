//! Walks through real folders: everything once, whatever its name, by however many threads.

use super::Crawl;
use crate::objects::sieve::Everything;
use crate::objects::sieve::Sieve;
use crate::objects::sieve::Sighting;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

fn keys(crawl: &Crawl, limit: usize, time: Duration) -> Vec<String> {
    let mut keys = Vec::new();
    while !crawl.done() {
        keys.extend(crawl.portion(limit, time).into_iter().map(|found| found.key));
    }
    keys
}

#[test]
fn finds_every_object_once_in_order_whatever_its_name_and_follows_no_link() {
    let folder = tempfile::tempdir().expect("temp dir");
    let root = folder.path();
    let names: [&[u8]; 6] = [
        b"caf\xe9.mov",
        "cafe\u{301}.mov".as_bytes(),
        b"a 'b' \"c\".mp4",
        b"line\nbreak",
        b"100%E9.mp4",
        b"-rf",
    ];
    std::fs::create_dir_all(root.join("deep/er")).expect("folders");
    for name in names {
        std::fs::write(root.join("deep/er").join(OsStr::from_bytes(name)), "x").expect("file");
    }
    for folder in [".reelmill/1", "other", "tmp.part/x"] {
        std::fs::create_dir_all(root.join(folder)).expect("folders");
    }
    for ignored in [
        ".reelmill/1/a.mp4",
        "other/b.mp4",
        "c.mp4.part",
        ".hidden",
        "tmp.part/x/a.mp4",
    ] {
        std::fs::write(root.join(ignored), "x").expect("file");
    }
    std::os::unix::fs::symlink("/etc", root.join("etc")).expect("link");
    std::os::unix::fs::symlink("deep", root.join("loop")).expect("link");
    std::os::unix::fs::symlink("/etc/hostname", root.join("passwd.mp4")).expect("link");
    let others = [PathBuf::from("other")];
    for (limit, time) in [(1, Duration::ZERO), (2, LONG), (1_000, LONG)] {
        let crawl = Crawl::begin(root, "", &others, Everything);
        assert_eq!(
            keys(&crawl, limit, time),
            [
                "deep/er/-rf",
                "deep/er/100%25E9.mp4",
                "deep/er/a 'b' \"c\".mp4",
                "deep/er/cafe\u{301}.mov",
                "deep/er/caf%E9.mov",
                "deep/er/line\nbreak"
            ]
        );
        assert_eq!(crawl.unseen(), super::Unseen::default());
        assert_eq!(crawl.objects(), 6);
    }
    let crawl = Crawl::begin(root, "deep/er", &others, Everything);
    assert_eq!(keys(&crawl, 10, LONG).len(), 6);
}

#[test]
fn threads_share_a_walk_and_meet_every_object_once() {
    let folder = tempfile::tempdir().expect("temp dir");
    let mut wanted = Vec::new();
    for at in 0..40 {
        let inner = folder.path().join(format!("{at}/inner"));
        std::fs::create_dir_all(&inner).expect("folders");
        for file in 0..at {
            std::fs::write(inner.join(format!("{file}.bin")), "x").expect("file");
            wanted.push(format!("{at}/inner/{file}.bin"));
        }
    }
    let crawl = Crawl::begin(folder.path(), "", &[], Everything);
    let mut found: Vec<String> = std::thread::scope(|scope| {
        let look = || keys(&crawl, 7, Duration::from_millis(1));
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(look)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("ends"))
            .collect()
    });
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

struct Even;

impl Sieve for Even {
    fn news(&self, sightings: &[Sighting<'_>], news: &mut Vec<bool>) {
        news.extend(sightings.iter().map(|seen| seen.size_bytes % 2 == 0));
    }
}

#[test]
fn only_what_the_sieve_lets_pass_is_told() {
    let folder = tempfile::tempdir().expect("temp dir");
    for size in 0..2_500 {
        std::fs::write(folder.path().join(format!("{size:04}")), vec![0; size % 3]).expect("file");
    }
    let crawl = Crawl::begin(folder.path(), "", &[], Even);
    let found = keys(&crawl, usize::MAX, LONG);
    let even = (0..2_500).filter(|size| size % 3 != 1).count();
    assert_eq!((found.len(), crawl.objects(), crawl.entries()), (even, 2_500, 2_500));
    assert!(found.is_sorted());
}

#[test]
fn a_root_that_is_gone_is_not_an_empty_one() {
    let crawl = Crawl::begin(Path::new("/no/such/root"), "", &[], Everything);
    assert!(keys(&crawl, 10, LONG).is_empty());
    assert!(crawl.unseen().failure.is_some());
}

#[test]
fn paths_longer_than_the_kernel_takes_are_walked() {
    let folder = tempfile::tempdir().expect("temp dir");
    let name = "d".repeat(250);
    let mut open = rustix::fs::open(folder.path(), rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).expect("open");
    for _ in 0..20 {
        rustix::fs::mkdirat(&open, &name, rustix::fs::Mode::RWXU).expect("made");
        open = rustix::fs::openat(&open, &name, rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).expect("open");
    }
    let flags = rustix::fs::OFlags::CREATE | rustix::fs::OFlags::WRONLY;
    rustix::fs::openat(&open, "a.mp4", flags, rustix::fs::Mode::RUSR).expect("made");
    let crawl = Crawl::begin(folder.path(), "", &[], Everything);
    let found = keys(&crawl, 10, LONG);
    assert_eq!(found.iter().map(String::len).collect::<Vec<_>>(), [20 * 251 + 5]);
}
