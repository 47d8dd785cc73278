//! The outbox's rows: one due a task, tries kept, giving up, sending again.

use crate::base::clock::UtcMs;
use crate::base::ids::EventId;
use crate::base::ids::TaskId;
use crate::events::Event;
use crate::events::specimen;
use crate::store::Store;
use crate::store::announce::announce;
use crate::store::deliveries::Dispatch;
use crate::store::deliveries::DueDelivery;
use crate::store::deliveries::NewDelivery;
use crate::store::deliveries::Outcome;
use crate::store::deliveries::Tried;
use crate::store::delivery_list::DeliveryFilter;
use crate::store::error::StoreError;
use crate::workflow::resolved::CallbackRule;

fn rule() -> CallbackRule {
    CallbackRule {
        unified: true,
        ..CallbackRule::default()
    }
}

async fn open() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(&directory.path().join("reelmill.db")).expect("a store");
    (directory, store)
}

/// Writes an event of `task` and returns it.
async fn tell(store: &Store, task: &str) -> Event {
    let mut event = specimen::sprite();
    event.id = EventId::fresh();
    event.task.as_mut().expect("a fact of a task").id = task.into();
    let written = event.clone();
    store
        .write("test", move |connection| announce(connection, &written, &rule()))
        .await
        .expect("written");
    event
}

fn to(lane: &str) -> NewDelivery {
    NewDelivery {
        destination: lane.to_owned(),
        inline: None,
        lane: lane.to_owned(),
        dead: None,
    }
}

/// Dispatches whatever is new to `lanes`.
async fn dispatch(store: &Store, lanes: &[&str], now: i64) {
    let found = store.undispatched(100).await.expect("read");
    let batch = found
        .iter()
        .map(|found| Dispatch {
            event_seq: found.seq,
            line: found
                .told
                .as_ref()
                .map_or_else(|_| "unreadable".to_owned(), |(event, _)| event.line().to_owned()),
            deliveries: lanes.iter().map(|lane| to(lane)).collect(),
        })
        .collect();
    store.dispatch(batch, UtcMs(now)).await.expect("dispatched");
}

/// Id of the event a delivery tells.
fn told(delivery: &DueDelivery) -> &EventId {
    &delivery.event.as_ref().expect("readable").id
}

async fn due(store: &Store, lane: &str, now: i64) -> Vec<DueDelivery> {
    store.due_deliveries(lane, UtcMs(now), 100).await.expect("read")
}

async fn tried(store: &Store, delivery: &DueDelivery, at: i64, outcome: Outcome) {
    let failed = outcome != Outcome::Done;
    store
        .record_try(Tried {
            delivery: delivery.id.clone(),
            at: UtcMs(at),
            took_ms: 5,
            status: (!failed).then_some(200),
            error: failed.then(|| "refused".to_owned()),
            answer: None,
            outcome,
        })
        .await
        .expect("kept");
}

#[tokio::test]
async fn of_one_task_only_the_earliest_is_due_and_an_end_frees_the_next() {
    let (_directory, store) = open().await;
    let first = tell(&store, "a").await;
    let second = tell(&store, "a").await;
    tell(&store, "b").await;
    dispatch(&store, &["mam", "log"], 1_000).await;
    // Dispatching again makes nothing again.
    dispatch(&store, &["mam", "log"], 1_000).await;
    assert!(store.undispatched(10).await.expect("read").is_empty());

    let ready = due(&store, "mam", 1_000).await;
    assert_eq!(ready.len(), 2, "one of each task");
    assert_eq!((told(&ready[0]), ready[0].seq), (&first.id, 1));
    tried(&store, &ready[0], 1_100, Outcome::Again(UtcMs(2_100))).await;
    assert_eq!(
        due(&store, "mam", 2_000).await.len(),
        1,
        "a failed one holds its task up"
    );
    let again = due(&store, "mam", 2_100).await;
    let again = again.iter().find(|one| *told(one) == first.id).expect("due again");
    assert_eq!(again.tries, 1);
    // After a dead letter the next proceeds.
    tried(&store, again, 2_200, Outcome::Dead).await;
    let ready = due(&store, "mam", 2_200).await;
    assert!(ready.iter().any(|one| *told(one) == second.id && one.seq == 2));
    // The other lane is not touched by any of it.
    assert_eq!(due(&store, "log", 1_000).await.len(), 2);
    let lanes = store.pending_lanes().await.expect("read");
    assert_eq!(
        lanes.iter().map(|lane| lane.name.as_str()).collect::<Vec<_>>(),
        ["log", "mam"]
    );
}

#[tokio::test]
async fn what_ended_is_sent_again_in_its_place_and_only_then() {
    let (_directory, store) = open().await;
    let event = tell(&store, "a").await;
    tell(&store, "a").await;
    dispatch(&store, &["mam"], 1_000).await;
    let ready = due(&store, "mam", 1_000).await;
    let error = store
        .replay_delivery(&ready[0].id, UtcMs(1_000))
        .await
        .expect_err("still pending");
    assert!(matches!(error, StoreError::Conflict(_)), "{error}");
    tried(&store, &ready[0], 1_100, Outcome::Dead).await;
    let second = due(&store, "mam", 1_100).await;
    tried(&store, &second[0], 1_200, Outcome::Dead).await;

    let replayed = store
        .replay_deliveries(DeliveryFilter::default(), UtcMs(5_000))
        .await
        .expect("replayed");
    assert_eq!(replayed, 2);
    let ready = due(&store, "mam", 5_000).await;
    assert_eq!(ready.len(), 1, "the second is held behind the first again");
    assert_eq!(
        (
            told(&ready[0]),
            ready[0].seq,
            ready[0].tries,
            ready[0].replays,
            ready[0].since
        ),
        (&event.id, 1, 0, 1, UtcMs(5_000))
    );
    tried(&store, &ready[0], 5_100, Outcome::Done).await;
    assert_eq!(due(&store, "mam", 5_100).await[0].seq, 2);
    let tries = store.delivery_tries(&ready[0].id).await.expect("read");
    assert_eq!(
        tries
            .iter()
            .map(|one| (one.number, one.error.is_some()))
            .collect::<Vec<_>>(),
        [(1, true), (2, false)]
    );
}

#[tokio::test]
async fn a_lane_that_takes_nothing_expires_by_age() {
    let (_directory, store) = open().await;
    for task in ["a", "a", "b"] {
        tell(&store, task).await;
    }
    dispatch(&store, &["mam"], 1_000).await;
    let young = tell(&store, "a").await;
    dispatch(&store, &["mam"], 9_000).await;
    let expired = store
        .expire_lane("mam", UtcMs(5_000), "silent", UtcMs(9_500))
        .await
        .expect("expired");
    assert_eq!(expired, 3);
    let ready = due(&store, "mam", 9_500).await;
    assert_eq!(ready.len(), 1);
    assert_eq!(*told(&ready[0]), young.id);
    assert_eq!(store.delivery_counts().await.expect("read"), (1, 3));
}

#[tokio::test]
async fn a_receiver_that_works_again_is_not_kept_waiting_for_what_it_did_not_refuse() {
    let (_directory, store) = open().await;
    tell(&store, "a").await;
    dispatch(&store, &["mam"], 1_000).await;
    let ready = due(&store, "mam", 1_000).await;
    tried(&store, &ready[0], 1_000, Outcome::Again(UtcMs(900_000))).await;
    assert!(due(&store, "mam", 2_000).await.is_empty());
    store.hasten_lane("mam", UtcMs(2_000)).await.expect("hastened");
    assert_eq!(due(&store, "mam", 2_000).await.len(), 1);
}

#[tokio::test]
async fn lists_page_and_filter_and_hide_keys() {
    let (_directory, store) = open().await;
    let event = tell(&store, "a").await;
    tell(&store, "b").await;
    let found = store.undispatched(10).await.expect("read");
    let inline = crate::workflow::resolved::InlineDestination {
        url: "http://10.0.0.1/".to_owned(),
        profile: "ims".to_owned(),
        auth_key: Some("hunter2".to_owned()),
    };
    let batch = vec![Dispatch {
        event_seq: found[0].seq,
        line: "a".to_owned(),
        deliveries: vec![
            NewDelivery {
                destination: String::new(),
                inline: Some(inline),
                lane: "inline:1".to_owned(),
                dead: None,
            },
            NewDelivery {
                dead: Some("there is no destination gone".to_owned()),
                ..to("gone")
            },
        ],
    }];
    store.dispatch(batch, UtcMs(1_000)).await.expect("dispatched");
    let all = store
        .deliveries(DeliveryFilter::default(), None, 10)
        .await
        .expect("read");
    assert_eq!(all.len(), 2);
    assert!(!format!("{all:?}").contains("hunter2"));
    assert_eq!((all[0].state.as_str(), all[0].ended), ("dead", Some(UtcMs(1_000))));
    let below = store
        .deliveries(DeliveryFilter::default(), Some(all[0].id.clone()), 10)
        .await
        .expect("read");
    assert_eq!(below, all[1..]);
    let filter = DeliveryFilter {
        state: Some("dead".to_owned()),
        destination: Some("gone".to_owned()),
        task: Some(TaskId::from("a")),
        media: None,
        event: Some(event.id.clone()),
        ..DeliveryFilter::default()
    };
    assert_eq!(store.deliveries(filter, None, 10).await.expect("read").len(), 1);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_holds_no_other_up() {
    let (_directory, store) = open().await;
    let strange = tell(&store, "a").await;
    tell(&store, "b").await;
    store
        .write("test", move |connection| {
            connection.execute("update events set body = '{}' where id = ?1", [strange.id.as_str()])?;
            Ok(())
        })
        .await
        .expect("written");
    let found = store.undispatched(10).await.expect("read");
    assert_eq!(
        found.iter().map(|one| one.told.is_ok()).collect::<Vec<_>>(),
        [false, true]
    );
    dispatch(&store, &["mam"], 1_000).await;
    let ready = due(&store, "mam", 1_000).await;
    assert_eq!(
        ready.iter().map(|one| one.event.is_ok()).collect::<Vec<_>>(),
        [false, true]
    );
}
