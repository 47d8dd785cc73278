//! The outbox against a receiver that does what receivers do: be down, refuse, be slow, come back.

use crate::base::ids::EventId;
use crate::base::wake::Bell;
use crate::callback::CallbackOptions;
use crate::callback::Callbacks;
use crate::callback::Pace;
use crate::callback::directory::Unified;
use crate::callback::outbox::scripted::Receiver;
use crate::callback::signing;
use crate::callback::way::Surroundings;
use crate::events::profile::Deployment;
use crate::events::specimen;
use crate::store::Store;
use crate::store::announce::announce;
use crate::store::delivery_list::DeliveryFilter;
use crate::store::delivery_list::DeliveryRow;
use crate::telemetry::metrics::Metrics;
use crate::workflow::destination::Definition;
use crate::workflow::resolved::CallbackRule;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A store with callbacks to one destination, `mam`.
struct Outbox {
    _directory: tempfile::TempDir,
    store: Store,
    bell: Bell,
    metrics: Metrics,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn pace() -> Pace {
    Pace {
        timeout: Duration::from_secs(5),
        first_ms: 20,
        ceiling_ms: 80,
        ims_wait_ms: 10,
        look_every: Duration::from_millis(200),
        grace: Duration::from_secs(1),
        ..Pace::default()
    }
}

impl Outbox {
    async fn start(address: SocketAddr, retry: &str, pace: Pace) -> Self {
        Self::over(tempfile::tempdir().expect("a directory"), address, retry, pace)
    }

    /// The same over the database of `directory`.
    fn over(directory: tempfile::TempDir, address: SocketAddr, retry: &str, pace: Pace) -> Self {
        let store = Store::open(&directory.path().join("reelmill.db")).expect("a store");
        let bell = Bell::default();
        let metrics = Metrics::default();
        let options = CallbackOptions {
            deployment: Deployment::new(1, "app", "here", "http://mam.local"),
            destinations: vec![Definition {
                name: "mam".to_owned(),
                url: format!("http://{address}/hook"),
                profile: "native".to_owned(),
                signing_key: Some("new".into()),
                old_signing_key: Some("old".into()),
                // Not the alerts that follow of dead letters, which have tests of their own.
                events: vec!["SnapshotComplete".to_owned()],
                retry: retry.to_owned(),
                ..Definition::default()
            }],
            unified: Unified::Named("mam".to_owned()),
            surroundings: Surroundings::default(),
            pace,
            metrics: metrics.clone(),
        };
        let callbacks = Callbacks::new(store.clone(), bell.clone(), options).expect("valid");
        let stop = CancellationToken::new();
        let task = tokio::spawn({
            let stop = stop.clone();
            async move { callbacks.run(stop).await }
        });
        Outbox {
            _directory: directory,
            store,
            bell,
            metrics,
            stop,
            task,
        }
    }

    /// Writes `count` events of `task`.
    async fn tell(&self, task: &str, count: usize) {
        for _ in 0..count {
            let mut event = specimen::sprite();
            event.id = EventId::fresh();
            event.task.as_mut().expect("a fact of a task").id = task.into();
            let rule = CallbackRule {
                unified: true,
                ..CallbackRule::default()
            };
            self.store
                .write("test", move |connection| announce(connection, &event, &rule))
                .await
                .expect("written");
        }
        self.bell.ring();
    }

    /// All deliveries, oldest first, as soon as `enough` says so.
    async fn when(&self, enough: impl Fn(&[DeliveryRow]) -> bool) -> Vec<DeliveryRow> {
        let looking = async {
            loop {
                let mut rows = self
                    .store
                    .deliveries(DeliveryFilter::default(), None, 10_000)
                    .await
                    .expect("read");
                rows.reverse();
                if enough(&rows) {
                    return rows;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), looking)
            .await
            .expect("the outbox gets there")
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("a clean end");
    }
}

fn all(count: usize, state: &'static str) -> impl Fn(&[DeliveryRow]) -> bool {
    move |rows| rows.len() == count && rows.iter().all(|row| row.state == state)
}

#[tokio::test]
async fn a_receiver_that_was_down_gets_everything_once_and_in_order() {
    // A port that nobody listens on yet.
    let address = Receiver::up(|_, _| 200).await.address;
    let outbox = Outbox::start(address, "", pace()).await;
    outbox.tell("a", 3).await;
    outbox.tell("b", 3).await;
    outbox.when(|rows| rows.iter().any(|row| row.tries >= 2)).await;
    let receiver = Receiver::start(address, Arc::new(|_, _| 204)).await;
    let rows = outbox.when(all(6, "done")).await;
    let got = receiver.got();
    assert_eq!(got.len(), 6);
    for task in ["a", "b"] {
        let order: Vec<&str> = got
            .iter()
            .filter(|one| one.task() == task)
            .map(|one| one.header(signing::EVENT_SEQ))
            .collect();
        assert_eq!(order, ["1", "2", "3"], "order within task {task}");
    }
    for one in &got {
        let timestamp = one.header(signing::TIMESTAMP);
        for key in ["old", "new"] {
            assert!(signing::body_ok(
                one.header(signing::SIGNATURE),
                timestamp,
                &one.body,
                &signing::Key::new(key)
            ));
        }
        assert!(
            rows.iter()
                .any(|row| row.event.as_str() == one.header(signing::EVENT_ID))
        );
    }
    outbox.stop().await;
}

#[tokio::test]
async fn a_failing_callback_holds_its_own_task_up_and_no_other() {
    let receiver = Receiver::up(|_, got| if got.task() == "a" { 422 } else { 200 }).await;
    let outbox = Outbox::start(receiver.address, "", pace()).await;
    outbox.tell("a", 2).await;
    outbox.tell("b", 4).await;
    let rows = outbox
        .when(|rows| rows.iter().filter(|row| row.state == "done").count() == 4)
        .await;
    assert!(
        rows.iter()
            .filter(|row| row.task.as_str() == "a")
            .all(|row| row.state == "pending")
    );
    assert!(
        receiver
            .got()
            .iter()
            .filter(|one| one.task() == "a")
            .all(|one| one.header(signing::EVENT_SEQ) == "1")
    );
    outbox.stop().await;
}

#[tokio::test]
async fn a_dead_receiver_costs_one_try_at_a_time() {
    let receiver = Receiver::up(|_, _| 503).await;
    let outbox = Outbox::start(receiver.address, "", pace()).await;
    for task in ["a", "b", "c", "d", "e", "f"] {
        outbox.tell(task, 2).await;
    }
    outbox
        .when(|rows| rows.iter().map(|row| row.tries).sum::<u32>() >= 8)
        .await;
    assert_eq!(receiver.most_at_once.load(Ordering::SeqCst), 1);
    outbox.stop().await;
}

#[tokio::test]
async fn tries_repeat_the_body_and_the_event_but_not_the_signature() {
    let receiver = Receiver::up(|number, _| if number < 2 { 0 } else { 200 }).await;
    let outbox = Outbox::start(receiver.address, "", pace()).await;
    outbox.tell("a", 1).await;
    let rows = outbox.when(all(1, "done")).await;
    let tries = outbox.store.delivery_tries(&rows[0].id).await.expect("read");
    assert_eq!(tries.len(), 3);
    assert!(tries[0].status.is_none() && tries[0].error.is_some());
    assert_eq!((tries[2].status, tries[2].answer.as_deref()), (Some(200), Some("ok")));
    outbox
        .store
        .replay_delivery(&rows[0].id, crate::base::clock::UtcMs::now())
        .await
        .expect("ended");
    outbox.bell.ring();
    outbox
        .when(|rows| rows[0].state == "done" && rows[0].replays == 1)
        .await;
    let got = receiver.got();
    assert_eq!(got.len(), 4);
    assert!(got.iter().all(|one| one.body == got[0].body));
    assert!(
        got.iter()
            .all(|one| one.header(signing::EVENT_ID) == got[0].header(signing::EVENT_ID))
    );
    let attempts: Vec<(&str, &str)> = got
        .iter()
        .map(|one| (one.header(signing::ATTEMPT), one.header(signing::REPLAY)))
        .collect();
    assert_eq!(attempts, [("1", "0"), ("2", "0"), ("3", "0"), ("1", "1")]);
    let metrics = outbox.metrics.clone();
    outbox.stop().await;
    let counted = metrics.prometheus();
    for result in ["delivered", "failed"] {
        let line = format!("reelmill_delivery_tries_total{{result=\"{result}\"}} 2\n");
        assert!(counted.contains(&line), "{counted}");
    }
}

#[tokio::test]
async fn time_up_is_a_dead_letter_that_a_replay_brings_back() {
    let up = Arc::new(AtomicUsize::new(0));
    let switch = Arc::clone(&up);
    let receiver = Receiver::up(move |_, _| if switch.load(Ordering::SeqCst) == 0 { 500 } else { 200 }).await;
    let patience = Pace {
        give_up_ms: 150,
        ..pace()
    };
    let outbox = Outbox::start(receiver.address, "", patience).await;
    outbox.tell("a", 3).await;
    let rows = outbox.when(all(3, "dead")).await;
    assert!(
        rows.iter()
            .all(|row| row.last_error.as_deref().is_some_and(|error| error.contains("500")))
    );
    up.store(1, Ordering::SeqCst);
    let replayed = outbox
        .store
        .replay_deliveries(DeliveryFilter::default(), crate::base::clock::UtcMs::now())
        .await
        .expect("replayed");
    assert_eq!(replayed, 3);
    outbox.bell.ring();
    outbox.when(all(3, "done")).await;
    let got = receiver.got();
    let order: Vec<&str> = got[got.len() - 3..]
        .iter()
        .map(|one| one.header(signing::EVENT_SEQ))
        .collect();
    assert_eq!(order, ["1", "2", "3"]);
    outbox.stop().await;
}

#[tokio::test]
async fn the_clouds_own_rule_tries_three_times_and_takes_only_200() {
    let receiver = Receiver::up(|_, _| 204).await;
    let outbox = Outbox::start(receiver.address, "ims", pace()).await;
    outbox.tell("a", 2).await;
    let rows = outbox.when(all(2, "dead")).await;
    assert!(rows.iter().all(|row| row.tries == 3));
    let order: Vec<String> = receiver
        .got()
        .iter()
        .map(|one| format!("{}.{}", one.header(signing::EVENT_SEQ), one.header(signing::ATTEMPT)))
        .collect();
    assert_eq!(order, ["1.1", "1.2", "1.3", "2.1", "2.2", "2.3"]);
    outbox.stop().await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let receiver = Receiver::up(|_, _| 302).await;
    let outbox = Outbox::start(receiver.address, "ims", pace()).await;
    outbox.tell("a", 1).await;
    let rows = outbox.when(all(1, "dead")).await;
    assert_eq!(rows[0].last_status, Some(302));
    assert_eq!(receiver.got().len(), 3, "nobody went to see what stands elsewhere");
    outbox.stop().await;
}

#[tokio::test]
async fn a_slow_callback_does_not_keep_other_tasks_waiting() {
    let (release, held) = tokio::sync::watch::channel(false);
    let receiver = Receiver::up(|_, got| if got.task() == "slow" { 1 } else { 200 }).await;
    let slow = receiver.hold(held);
    let outbox = Outbox::start(receiver.address, "", pace()).await;
    outbox.tell("first", 1).await;
    outbox.when(all(1, "done")).await;
    outbox.tell("slow", 1).await;
    slow.await;
    outbox.tell("b", 2).await;
    let rows = outbox
        .when(|rows| rows.iter().filter(|row| row.state == "done").count() == 3)
        .await;
    assert!(
        rows.iter()
            .any(|row| row.task.as_str() == "slow" && row.state == "pending" && row.tries == 0)
    );
    release.send(true).expect("the receiver holds it");
    outbox.when(all(4, "done")).await;
    outbox.stop().await;
}

#[tokio::test]
async fn an_answer_that_could_not_be_kept_is_asked_for_again_under_the_same_id() {
    let (release, held) = tokio::sync::watch::channel(false);
    let receiver = Receiver::up(|number, _| if number == 0 { 1 } else { 200 }).await;
    let came_in = receiver.hold(held);
    let outbox = Outbox::start(receiver.address, "", pace()).await;
    outbox.tell("slow", 1).await;
    came_in.await;
    // The receiver has it and says yes, but the process is gone before that is on disk.
    let store = outbox.store.clone();
    store.close().await;
    release.send(true).expect("the receiver holds it");
    outbox.stop.cancel();
    outbox.task.await.expect("a clean end");
    drop((store, outbox.store));

    let outbox = Outbox::over(outbox._directory, receiver.address, "", pace());
    outbox.when(all(1, "done")).await;
    let got = receiver.got();
    assert_eq!(got.len(), 2);
    assert_eq!(got[0].header(signing::EVENT_ID), got[1].header(signing::EVENT_ID));
    assert_eq!(got[0].header(signing::EVENT_SEQ), got[1].header(signing::EVENT_SEQ));
    assert_eq!(got[0].body, got[1].body);
    outbox.stop().await;
}

#[tokio::test]
async fn after_a_stop_nothing_is_begun_and_nothing_is_lost() {
    let receiver = Receiver::up(|_, _| 200).await;
    let outbox = Outbox::start(receiver.address, "", pace()).await;
    let (store, directory) = (outbox.store.clone(), outbox._directory.path().to_owned());
    outbox.stop.cancel();
    outbox.bell.ring();
    outbox.tell("a", 1).await;
    outbox.task.await.expect("a clean end");
    assert!(receiver.got().is_empty(), "nothing is begun after the stop");
    store.close().await;
    drop((store, outbox.store));
    let store = Store::open(&directory.join("reelmill.db")).expect("reopened");
    assert_eq!(store.undispatched(10).await.expect("read").len(), 1);
}
