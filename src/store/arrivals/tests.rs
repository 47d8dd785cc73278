//! Tests of the ledger.

use super::Arrival;
use super::Store;
use crate::base::clock::UtcMs;
use crate::objects::uri::ObjectUri;

fn arrival(key: &str, size_bytes: u64, mtime_ns: i64) -> Arrival {
    Arrival {
        key: key.to_owned(),
        size_bytes,
        mtime_ns,
        etag: String::new(),
        seen_at: UtcMs(1),
    }
}

async fn ready(store: &Store) -> Vec<(String, u64)> {
    let settled = store.settled_arrivals(100).await.expect("read");
    settled
        .into_iter()
        .map(|settled| (settled.source.object.key, settled.source.size_bytes))
        .collect()
}

#[tokio::test]
async fn an_identity_settles_once_and_another_one_settles_anew() {
    let folder = tempfile::tempdir().expect("temp dir");
    let path = folder.path().join("reelmill.db");
    let store = Store::open(&path).expect("open");
    let storage = store.enter_storage("ingest").await.expect("enter").id;
    store
        .see_arrivals(storage, vec![arrival("a", 1, 1)])
        .await
        .expect("see");
    assert_eq!(ready(&store).await, []);
    assert_eq!(
        store
            .settle_arrivals(storage, vec![arrival("a", 1, 1).into()], UtcMs(3))
            .await
            .expect("settle"),
        1
    );
    assert_eq!(
        store
            .settle_arrivals(storage, vec![arrival("a", 1, 1).into()], UtcMs(3))
            .await
            .expect("settle"),
        0
    );
    // Reopened, seen again, gone and back: still the same arrival.
    store.close().await;
    drop(store);
    let store = Store::open(&path).expect("open");
    assert_eq!(store.enter_storage("ingest").await.expect("enter").id, storage);
    store
        .see_arrivals(storage, vec![arrival("a", 1, 1)])
        .await
        .expect("see");
    store
        .mark_gone(storage, vec!["a".to_owned()], Vec::new(), UtcMs(5))
        .await
        .expect("gone");
    assert_eq!(
        store
            .settle_arrivals(storage, vec![arrival("a", 1, 1).into()], UtcMs(3))
            .await
            .expect("settle"),
        0
    );
    assert!(!store.ledger_page(storage, "", 10).await.expect("read")[0].gone);
    assert_eq!(ready(&store).await, [("a".to_owned(), 1)]);
    // Replaced: one arrival, with the new content.
    store
        .see_arrivals(storage, vec![arrival("a", 2, 2)])
        .await
        .expect("see");
    assert_eq!(ready(&store).await, []);
    assert_eq!(
        store
            .settle_arrivals(storage, vec![arrival("a", 2, 2).into()], UtcMs(3))
            .await
            .expect("settle"),
        1
    );
    assert_eq!(ready(&store).await, [("a".to_owned(), 2)]);
}

#[tokio::test]
async fn what_the_baseline_found_is_not_ready_and_pruning_spares_what_is_there() {
    let folder = tempfile::tempdir().expect("temp dir");
    let store = Store::open(&folder.path().join("reelmill.db")).expect("open");
    let storage = store.enter_storage("ingest").await.expect("enter").id;
    store
        .record_existing(storage, vec![arrival("old", 1, 1), arrival("older", 1, 1)])
        .await
        .expect("record");
    store.end_baseline(storage, UtcMs(7)).await.expect("end");
    assert_eq!(
        store.enter_storage("ingest").await.expect("enter").baseline_at,
        Some(UtcMs(7))
    );
    assert_eq!(
        store
            .settle_arrivals(storage, vec![arrival("old", 1, 1).into()], UtcMs(3))
            .await
            .expect("settle"),
        0
    );
    assert_eq!(ready(&store).await, []);
    assert_eq!(store.release_existing("ingest").await.expect("release"), 0);
    store
        .mark_gone(storage, vec!["older".to_owned()], Vec::new(), UtcMs(8))
        .await
        .expect("gone");
    assert_eq!(store.prune_gone(UtcMs(8)).await.expect("prune"), 0);
    assert_eq!(store.prune_gone(UtcMs(9)).await.expect("prune"), 1);
    let left = store.ledger_page(storage, "", 10).await.expect("read");
    assert_eq!(left.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["old"]);
}

#[tokio::test]
async fn one_that_was_seen_as_it_is_keeps_since_when() {
    let folder = tempfile::tempdir().expect("temp dir");
    let store = Store::open(&folder.path().join("reelmill.db")).expect("open");
    let storage = store.enter_storage("ingest").await.expect("enter").id;
    let seen = |size_bytes, at| Arrival {
        seen_at: UtcMs(at),
        ..arrival("a", size_bytes, 1)
    };
    let see = |one: Arrival| store.see_arrivals(storage, vec![one]);
    assert_eq!(see(seen(1, 10)).await.expect("see"), []);
    assert_eq!(
        see(seen(1, 20)).await.expect("see"),
        [("a".to_owned(), UtcMs(10))],
        "as it was"
    );
    assert_eq!(see(seen(2, 30)).await.expect("see"), [], "another content");
    assert_eq!(see(seen(2, 40)).await.expect("see"), [("a".to_owned(), UtcMs(30))]);
    let settled = store
        .settle_arrivals(storage, vec![seen(2, 30).into()], UtcMs(50))
        .await;
    assert_eq!(settled.expect("settle"), 1);
    assert_eq!(see(seen(2, 60)).await.expect("see"), [], "it does not wait any more");
    let object = ObjectUri::new("ingest", "a");
    let told = store
        .explain_object(&object)
        .await
        .expect("told")
        .arrival
        .expect("a row");
    assert_eq!((told.seen, told.settled), (UtcMs(30), Some(UtcMs(50))));
    see(seen(3, 70)).await.expect("see");
    let told = store
        .explain_object(&object)
        .await
        .expect("told")
        .arrival
        .expect("a row");
    assert_eq!((told.seen, told.settled), (UtcMs(70), None));
}
