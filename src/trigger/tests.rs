//! The trigger on real folders: what is heard, what settles, what never runs twice.

mod groups;

use super::Ready;
use super::StorageOptions;
use super::Trigger;
use super::TriggerOptions;
use super::WatchMode;
use super::board::Board;
use super::group::GroupKind;
use crate::base::wake::Bells;
use crate::objects::ground::Ground;
use crate::objects::uri::key_text;
use crate::store::Store;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A watched folder and a database, of which the daemon may be started and stopped.
struct Place {
    folder: tempfile::TempDir,
    root: PathBuf,
    watch: WatchMode,
    settle_interval: Duration,
    groups: Vec<GroupKind>,
}

struct Running {
    store: Store,
    board: Board,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Place {
    fn new(watch: WatchMode) -> Self {
        let folder = tempfile::tempdir().expect("temp dir");
        let root = folder.path().join("in");
        std::fs::create_dir(&root).expect("root");
        Place {
            folder,
            root,
            watch,
            settle_interval: Duration::from_millis(30),
            groups: Vec::new(),
        }
    }

    async fn start(&self) -> Running {
        // What was written just before the start must be older than the clock that stamps files is coarse; what is
        // not counts as new, because running once too often beats never.
        tokio::time::sleep(Duration::from_millis(40)).await;
        let store = Store::open(&self.folder.path().join("reelmill.db")).expect("open");
        let storage = StorageOptions {
            name: "in".to_owned(),
            root: self.root.clone(),
            watch: self.watch,
            settle_looks: Some(2),
            settle_interval: Some(self.settle_interval),
            poll_interval: Some(Duration::from_millis(if self.watch == WatchMode::Inotify {
                3_600_000
            } else {
                50
            })),
            others_within: vec![PathBuf::from("out")],
            groups: self.groups.clone(),
            sequence_fps: 25.0,
            sentinel: None,
            ground: Ground::default(),
            ready: Ready::Stable,
            min_age: Duration::ZERO,
            names: Arc::default(),
        };
        let options = TriggerOptions {
            storages: vec![storage],
            ..TriggerOptions::default()
        };
        let trigger = Trigger::new(options, store.clone(), Bells::default());
        let board = trigger.board();
        let stop = CancellationToken::new();
        let task = tokio::spawn(trigger.run(stop.clone()));
        let running = Running {
            store,
            board,
            stop,
            task,
        };
        running
            .until(|running| {
                running
                    .board
                    .storages()
                    .first()
                    .is_some_and(|state| state.last_scan.is_some())
            })
            .await;
        running
    }

    fn write(&self, name: impl AsRef<OsStr>, content: &str) {
        let path = self.root.join(name.as_ref());
        std::fs::create_dir_all(path.parent().expect("has one")).expect("folders");
        std::fs::write(path, content).expect("file");
    }
}

impl Running {
    /// Waits for something that must come true; a test that hangs here is ended by the test runner.
    async fn until(&self, holds: impl Fn(&Running) -> bool) {
        while !holds(self) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn arrived(&self) -> BTreeSet<(String, u64)> {
        let settled = self.store.settled_arrivals(1_000).await.expect("read");
        settled
            .into_iter()
            .map(|settled| (settled.source.object.key, settled.source.size_bytes))
            .collect()
    }

    /// Waits until exactly these have arrived, in the end.
    async fn expect(&self, wanted: &[(&str, u64)]) {
        let wanted: BTreeSet<(String, u64)> = wanted.iter().map(|(key, size)| ((*key).to_owned(), *size)).collect();
        while !wanted.is_subset(&self.arrived().await) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(self.arrived().await, wanted);
    }

    async fn frozen(&self) -> Option<String> {
        self.board.storages().into_iter().next().and_then(|state| state.frozen)
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.expect("ends");
        self.store.close().await;
    }
}

#[tokio::test]
async fn inotify_names_what_arrives_whatever_its_name_and_where() {
    let place = Place::new(WatchMode::Inotify);
    place.write("old.mp4", "was there");
    let running = place.start().await;
    let odd: &[u8] = b"deep/er/caf\xe9 'x' \"y\"\n%41.mov";
    place.write(OsStr::from_bytes(odd), "film");
    let elsewhere = place.folder.path().join("staged.mp4");
    std::fs::write(&elsewhere, "moved in").expect("file");
    std::fs::rename(&elsewhere, place.root.join("moved.mp4")).expect("rename");
    for ignored in [
        "a.mp4.part",
        ".hidden.mp4",
        "._a.mp4",
        ".reelmill/1/a.mp4",
        "out/own.mp4",
    ] {
        place.write(ignored, "x");
    }
    place.write("empty.mp4", "");
    std::os::unix::fs::symlink("/etc/hostname", place.root.join("link.mp4")).expect("link");
    place.write("last.mp4", "sentinel");
    let odd = key_text(odd);
    running.expect(&[(&odd, 4), ("moved.mp4", 8), ("last.mp4", 8)]).await;
    // What was empty gets content, and what had a temporary name its own.
    place.write("empty.mp4", "now");
    std::fs::rename(place.root.join("a.mp4.part"), place.root.join("a.mp4")).expect("rename");
    running
        .expect(&[
            (&odd, 4),
            ("moved.mp4", 8),
            ("last.mp4", 8),
            ("empty.mp4", 3),
            ("a.mp4", 1),
        ])
        .await;
    running.end().await;
}

#[tokio::test]
async fn a_whole_folder_moved_in_is_found() {
    let place = Place::new(WatchMode::Inotify);
    let running = place.start().await;
    let card = place.folder.path().join("card");
    std::fs::create_dir_all(card.join("CLIPS/A")).expect("folders");
    for name in ["1.mp4", "2.mp4", "A/3.mp4"] {
        std::fs::write(card.join("CLIPS").join(name), "x").expect("file");
    }
    std::fs::rename(&card, place.root.join("card")).expect("rename");
    running
        .expect(&[
            ("card/CLIPS/1.mp4", 1),
            ("card/CLIPS/2.mp4", 1),
            ("card/CLIPS/A/3.mp4", 1),
        ])
        .await;
    running.end().await;
}

#[tokio::test]
async fn restarts_and_scans_run_nothing_twice_and_a_replaced_object_again() {
    let place = Place::new(WatchMode::Poll);
    place.write("old.mp4", "was there");
    let running = place.start().await;
    place.write("a.mp4", "one");
    running.expect(&[("a.mp4", 3)]).await;
    running.end().await;
    // While the daemon is down something arrives, and something old is replaced.
    place.write("down.mp4", "while down");
    place.write("old.mp4", "replaced by another");
    let running = place.start().await;
    running.expect(&[("a.mp4", 3), ("down.mp4", 10), ("old.mp4", 19)]).await;
    let before = running.store.settled_arrivals(10).await.expect("read");
    assert!(running.board.scan("in") && !running.board.scan("none"));
    place.write("a.mp4", "second");
    running.expect(&[("a.mp4", 6), ("down.mp4", 10), ("old.mp4", 19)]).await;
    let after = running.store.settled_arrivals(10).await.expect("read");
    for settled in before.iter().filter(|settled| settled.source.object.key != "a.mp4") {
        assert!(after.contains(settled), "{settled:?} must not have arrived again");
    }
    running.end().await;
}

#[tokio::test]
async fn an_unfinished_mp4_waits_for_its_index() {
    let mut place = Place::new(WatchMode::Inotify);
    // The one that is whole needs two looks, the other is let go after ten: room for a busy machine.
    place.settle_interval = Duration::from_millis(400);
    let running = place.start().await;
    let head = b"\0\0\0\x0cftypisom\0\0\0\x10mdat12345678";
    let path = place.root.join("rec.mp4");
    std::fs::write(&path, head).expect("file");
    place.write("plain.mp4", "other");
    running.expect(&[("plain.mp4", 5)]).await;
    std::fs::write(&path, [&head[..], b"\0\0\0\x08moov"].concat()).expect("file");
    running.expect(&[("plain.mp4", 5), ("rec.mp4", 36)]).await;
    running.end().await;
}

#[tokio::test]
async fn a_vanished_root_freezes_and_what_comes_back_does_not_run_again() {
    let place = Place::new(WatchMode::Poll);
    let running = place.start().await;
    place.write("a.mp4", "one");
    running.expect(&[("a.mp4", 3)]).await;
    let before = running.store.settled_arrivals(10).await.expect("read");
    let away = place.folder.path().join("away");
    std::fs::rename(&place.root, &away).expect("rename");
    running.board.thaw("in");
    while running.frozen().await.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    std::fs::rename(&away, &place.root).expect("rename");
    running.board.thaw("in");
    while running.frozen().await.is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    place.write("b.mp4", "four");
    running.expect(&[("a.mp4", 3), ("b.mp4", 4)]).await;
    assert!(
        running
            .store
            .settled_arrivals(10)
            .await
            .expect("read")
            .contains(&before[0])
    );
    running.end().await;
}

/// bindfs shows one folder at another place through FUSE, as a share would be.
fn mount(source: &Path, at: &Path) -> bool {
    let mounted = Command::new("bindfs").arg(source).arg(at).status();
    mounted.is_ok_and(|status| status.success())
}

fn unmount(at: &Path) {
    let status = Command::new("fusermount")
        .arg("-uz")
        .arg(at)
        .status()
        .expect("fusermount runs");
    assert!(status.success());
}

#[tokio::test]
async fn a_fuse_share_is_polled_and_frozen_while_it_is_not_mounted() {
    let place = Place::new(WatchMode::Auto);
    let behind = place.folder.path().join("behind");
    std::fs::create_dir(&behind).expect("folder");
    std::fs::write(behind.join("old.mp4"), "old").expect("file");
    if !rustix::process::geteuid().is_root() || !mount(&behind, &place.root) {
        eprintln!("skipped: needs root and bindfs");
        return;
    }
    let running = place.start().await;
    assert_eq!(running.board.storages()[0].watch, "poll");
    // Written behind the mount, as another host would.
    std::fs::write(behind.join("new.mp4"), "new").expect("file");
    running.expect(&[("new.mp4", 3)]).await;
    let before = running.store.settled_arrivals(10).await.expect("read");
    unmount(&place.root);
    while running.frozen().await.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    std::fs::write(place.root.join("stray.mp4"), "into the hole").expect("file");
    std::fs::remove_file(place.root.join("stray.mp4")).expect("removed");
    assert!(mount(&behind, &place.root));
    while running.frozen().await.is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    std::fs::write(behind.join("newer.mp4"), "newer").expect("file");
    running.expect(&[("new.mp4", 3), ("newer.mp4", 5)]).await;
    assert!(
        running
            .store
            .settled_arrivals(10)
            .await
            .expect("read")
            .contains(&before[0])
    );
    running.end().await;
    unmount(&place.root);
}
