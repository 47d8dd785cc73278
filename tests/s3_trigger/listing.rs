//! Listings against a bucket in memory: what is new, old, changed, gone, ours, and what a huge bucket costs.

use crate::shelf::Room;
use crate::shelf::Shelf;
use reelmill::base::clock::UtcMs;
use std::sync::atomic::Ordering;

/// A time before anybody watched, and one after, seconds.
const BEFORE: i64 = 999_000;
const AFTER: i64 = 2_000_000;

fn lists(shelf: &Shelf) -> u64 {
    shelf.lists.swap(0, Ordering::Relaxed)
}

fn heads(shelf: &Shelf) -> u64 {
    shelf.heads.swap(0, Ordering::Relaxed)
}

#[tokio::test]
async fn what_was_there_runs_nothing_and_what_comes_later_runs_once() {
    let room = Room::new().await;
    for number in 0..2_500 {
        room.shelf.put(&format!("old/{number:05}.mp4"), BEFORE, "a");
    }
    room.shelf.put("came-while-listing.mp4", AFTER, "a");
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.ready().await, ["came-while-listing.mp4"]);
    // Restarted: new objects between old ones, one changed, one of the same content written again, one only restamped.
    room.shelf.put("old/01000a.mp4", AFTER, "b");
    room.shelf.put("old/00001.mp4", BEFORE, "changed");
    room.shelf.put("old/00002.mp4", AFTER, "a");
    room.shelf.put("old/.hidden.mp4", AFTER, "x");
    room.shelf.put("old/up.mp4.part", AFTER, "x");
    room.watch().list_once().await.expect("listed");
    let expected = [
        "came-while-listing.mp4",
        "old/00001.mp4",
        "old/00002.mp4",
        "old/01000a.mp4",
    ];
    assert_eq!(room.ready().await, expected);
    heads(&room.shelf);
    lists(&room.shelf);
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.ready().await, expected);
    assert_eq!(
        (lists(&room.shelf), heads(&room.shelf)),
        (3, 0),
        "an unchanged bucket costs its pages alone"
    );
}

#[tokio::test]
async fn keys_that_are_escaped_in_the_ledger_are_met_and_missed_like_others() {
    let room = Room::new().await;
    // S3 sorts a%41 before a%E9 before a%e; the ledger writes a%25E9, which sorts before a%41.
    let keys = [
        "a%2541.mp4",
        "a%41.mp4",
        "a%E9.mp4",
        "a%e.mp4",
        "b%C3%A9/x.mp4",
        "b/x.mp4",
        "\u{1F3AC}.mp4",
        "\u{FF21}.mp4",
    ];
    for key in keys {
        room.shelf.put(key, AFTER, "a");
    }
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.ready().await.len(), keys.len());
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.ready().await.len(), keys.len());
    assert_eq!(room.gone().await, Vec::<String>::new());
    room.shelf.remove("a%E9.mp4");
    room.shelf.remove("a%41.mp4");
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.gone().await, ["a%25E9.mp4", "a%41.mp4"]);
    room.shelf.put("a%E9.mp4", AFTER, "a");
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.gone().await, ["a%41.mp4"]);
    assert_eq!(room.ready().await.len(), keys.len(), "the same content came back");
}

#[tokio::test]
async fn a_listing_that_broke_off_goes_on_and_doubles_nothing() {
    let room = Room::new().await;
    for number in 0..5_000 {
        room.shelf.put(&format!("{number:05}.mp4"), AFTER, "a");
    }
    room.shelf.fails_after.store(2, Ordering::Relaxed);
    let mut watch = room.watch();
    assert!(watch.list_once().await.expect_err("down").contains("down"));
    assert_eq!(room.ready().await.len(), 2_000);
    room.shelf.fails_after.store(0, Ordering::Relaxed);
    room.shelf.down.store(false, Ordering::Relaxed);
    // What came in the part that was listed before is found by the next listing.
    room.shelf.put("00000a.mp4", AFTER, "a");
    room.watch().list_once().await.expect("listed");
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.ready().await.len(), 5_001);
    assert!(room.gone().await.is_empty());
}

#[tokio::test]
async fn a_bucket_that_is_suddenly_empty_is_not_believed_until_it_is_back() {
    let room = Room::new().await;
    for number in 0..300 {
        room.shelf.put(&format!("{number:05}.mp4"), AFTER, "a");
    }
    room.watch().list_once().await.expect("listed");
    let objects = std::mem::take(&mut *room.shelf.objects.lock().expect("lock"));
    room.watch().list_once().await.expect("listed");
    let frozen = || async { room.store.enter_storage("archive").await.expect("entered").frozen };
    assert!(frozen().await.expect("frozen").contains("of 300 objects 300 are gone"));
    assert!(room.gone().await.is_empty());
    // New objects wait while nothing is believed.
    room.shelf.put("new.mp4", AFTER, "n");
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.ready().await.len(), 300);
    room.shelf.objects.lock().expect("lock").extend(objects);
    room.watch().list_once().await.expect("listed");
    assert_eq!(frozen().await, None);
    assert_eq!(room.ready().await.len(), 301, "nothing ran twice, and what waited came");
    // A few that go are gone.
    for number in 0..10 {
        room.shelf.remove(&format!("{number:05}.mp4"));
    }
    room.watch().list_once().await.expect("listed");
    assert_eq!((frozen().await, room.gone().await.len()), (None, 10));
}

#[tokio::test]
async fn a_service_that_lists_in_no_order_is_compared_all_the_same() {
    let room = Room::new().await;
    room.shelf.backwards.store(true, Ordering::Relaxed);
    for number in 0..1_500 {
        room.shelf.put(&format!("{number:05}.mp4"), AFTER, "a");
    }
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.ready().await.len(), 1_500);
    room.shelf.remove("00007.mp4");
    room.shelf.remove("01400.mp4");
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.ready().await.len(), 1_500);
    assert_eq!(room.gone().await, ["00007.mp4", "01400.mp4"]);
}

#[tokio::test]
async fn only_what_workflows_need_is_listed_and_a_new_need_begins_with_a_baseline() {
    let room = Room::new().await;
    let all = room.store.workflow("all").await.expect("there").id;
    room.store
        .set_workflow_enabled(&all, false, UtcMs::now())
        .await
        .expect("disabled");
    room.workflow("in", "in/").await;
    room.shelf.put("in/a.mp4", AFTER, "a");
    room.shelf.put("other/b.mp4", AFTER, "b");
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.ready().await, ["in/a.mp4"]);
    // From now on the workflow of everything is enabled: what lies elsewhere is old to it, whatever its stamp says.
    room.store
        .set_workflow_enabled(&all, true, UtcMs::now())
        .await
        .expect("enabled");
    room.shelf.put("in/c.mp4", AFTER, "c");
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.ready().await, ["in/a.mp4", "in/c.mp4"]);
    room.shelf.put("other/d.mp4", UtcMs::now().0 / 1_000, "d");
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.ready().await, ["in/a.mp4", "in/c.mp4", "other/d.mp4"]);
}

#[tokio::test]
async fn beneath_a_prefix_whose_keys_only_grow_old_keys_are_not_listed_again() {
    let mut room = Room::new().await;
    room.monotonic = vec!["log/".to_owned()];
    for number in 0..4_500 {
        room.shelf.put(&format!("log/{number:05}.mp4"), AFTER, "a");
    }
    room.shelf.put("a.mp4", AFTER, "a");
    room.shelf.put("z.mp4", AFTER, "a");
    room.watch().list_once().await.expect("listed");
    assert_eq!(lists(&room.shelf), 5);
    room.shelf.put("log/99999.mp4", AFTER, "a");
    room.shelf.put("zz.mp4", AFTER, "a");
    room.watch().list_once().await.expect("listed");
    assert_eq!(lists(&room.shelf), 2, "one page before, one from the last key on");
    assert_eq!(room.ready().await.len(), 4_504);
    assert!(room.gone().await.is_empty());
}

#[tokio::test]
async fn hints_are_followed_by_looks_and_many_of_them_by_one_listing() {
    let room = Room::new().await;
    room.shelf.put("there.mp4", AFTER, "a");
    room.watch().list_once().await.expect("listed");
    // Told twice, told of nothing, told of a removal before the creation.
    room.shelf.put("new.mp4", AFTER, "n");
    room.shelf.remove("there.mp4");
    let tell = |keys: Vec<String>| room.store.keep_hints("archive", keys, UtcMs::now());
    tell(vec!["new.mp4".to_owned(), "never.mp4".to_owned()])
        .await
        .expect("kept");
    tell(vec!["new.mp4".to_owned(), "there.mp4".to_owned()])
        .await
        .expect("kept");
    room.shelf.fails_after.store(1, Ordering::Relaxed);
    lists(&room.shelf);
    heads(&room.shelf);
    room.watch().list_once().await.expect("one listing is enough");
    assert_eq!(room.ready().await, ["new.mp4", "there.mp4"]);
    assert_eq!(room.gone().await, ["there.mp4"]);
    assert_eq!(heads(&room.shelf), 3, "one look a key");
    let id = room.store.enter_storage("archive").await.expect("entered").id;
    assert_eq!(room.store.hints_waiting(id, UtcMs::now()).await.expect("read").due, 0);
    // A flood: pages instead of looks.
    room.shelf.fails_after.store(0, Ordering::Relaxed);
    let keys: Vec<String> = (0..30_000).map(|number| format!("flood/{number:05}.mp4")).collect();
    keys.iter().for_each(|key| room.shelf.put(key, AFTER, "f"));
    tell(keys).await.expect("kept");
    lists(&room.shelf);
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.ready().await.len(), 30_002);
    assert_eq!((lists(&room.shelf), heads(&room.shelf)), (31, 0));
    assert_eq!(room.store.hints_waiting(id, UtcMs::now()).await.expect("read").due, 0);
}

#[tokio::test]
async fn an_output_of_ours_is_known_by_its_note_where_outputs_are_published() {
    let room = Room::new().await;
    crate::shelf::keep(
        &room.store,
        "name = \"here\"\n[source]\nstorage = \"archive\"\nprefix = \"in/\"\n[[activity]]\nid = \"one\"\ntype = \"noop\"\n",
    )
    .await;
    room.shelf.put("in/users.mp4", AFTER, "u");
    room.shelf.put("in/unknown-output.mp4", AFTER, "o");
    room.shelf.note(
        "in/unknown-output.mp4",
        "reelmill-output",
        "0198c0de0198c0de0198c0de0198c0de",
    );
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.ready().await, ["in/users.mp4"]);
    heads(&room.shelf);
    room.watch().list_once().await.expect("listed");
    assert_eq!(heads(&room.shelf), 0, "what is ours is looked at once");
}

/// Some services show an object before its note, and list no ETags.
#[tokio::test]
async fn an_output_of_ours_is_known_without_its_note_by_what_it_is() {
    let room = Room::new().await;
    room.shelf.lists_no_etags.store(true, Ordering::Relaxed);
    for key in ["in/made.mp4", "in/replaced.mp4"] {
        room.made_by_us(key, "made");
    }
    room.shelf.put("in/made.mp4", AFTER, "made");
    room.shelf.put("in/replaced.mp4", AFTER, "hers");
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.ready().await, ["in/replaced.mp4"]);
}

/// The look at an object and what we know of our own are never of one instant.
#[tokio::test]
async fn an_output_of_ours_that_was_seen_too_early_is_looked_at_again() {
    let room = Room::new().await;
    room.shelf.lists_no_etags.store(true, Ordering::Relaxed);
    room.made_by_us("in/made.mp4", "made");
    room.shelf.put("in/made.mp4", AFTER, "made");
    room.shelf.shows_early("in/made.mp4");
    room.making("in/coming.mp4", Some(9));
    room.shelf.put("in/coming.mp4", AFTER, "a part of it, or hers");
    for _ in 0..2 {
        room.watch().list_once().await.expect("listed");
        assert_eq!(room.ready().await, [""; 0]);
    }
    // It was hers.
    room.making("in/coming.mp4", None);
    room.watch().list_once().await.expect("listed");
    assert_eq!(room.ready().await, ["in/coming.mp4"]);
}

/// `cargo test --test s3_trigger --release -- --ignored --nocapture a_million_keys`; results stand in benches/README.md.
#[tokio::test]
#[ignore = "a measurement"]
async fn a_million_keys() {
    let room = Room::new().await;
    for number in 0..1_000_000u32 {
        let key = format!("rushes/{:03}/reel-{number:07}.mxf", number % 1_000);
        room.shelf.put(&key, BEFORE, "9b2cf535f27731c974343645a3985328");
    }
    let before_kib = high_water_kib();
    for what in ["first", "unchanged"] {
        let began = std::time::Instant::now();
        room.watch().list_once().await.expect("listed");
        println!(
            "{what}: {:.1} s, {} calls, {} MiB more at most",
            began.elapsed().as_secs_f64(),
            lists(&room.shelf),
            (high_water_kib() - before_kib) / 1_024
        );
    }
    let database = std::fs::metadata(room.store.path()).expect("there").len();
    println!("{} bytes of database a key", database / 1_000_000);
    assert!(room.ready().await.is_empty());
}

fn high_water_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a line");
    line.split_whitespace()
        .nth(1)
        .expect("a number")
        .parse()
        .expect("a number")
}
