//! What is told only to those who ask: progress, and transcodes in the words of the older calls.

use crate::hand::Mood;
use crate::house::House;
use crate::house::activity;
use crate::house::ladder;
use crate::house::workflow;
use reelmill::events::Detail;
use reelmill::events::EventType;
use reelmill::events::LegacyFact;
use reelmill::events::listeners::Listener;
use reelmill::events::listeners::Listeners;
use reelmill::store::intents::Intent;
use reelmill::workflow::resolved::ActivityKind;
use reelmill::workflow::resolved::When;
use reelmill::workflow::status::TaskStatus;

/// A house whose unified callback is `listener`.
async fn house(listener: Listener) -> House {
    let house = House::new();
    let listeners = Listeners {
        unified: Some("mam".to_owned()),
        named: [("mam".to_owned(), listener)].into(),
    };
    house.store.keep_listeners(&listeners).await.expect("kept");
    house
}

fn percents(house: &House, task: &reelmill::base::ids::TaskId) -> Vec<f64> {
    house
        .events(task)
        .into_iter()
        .filter_map(|event| match event.detail {
            Detail::TaskProgressed { percent } => Some(percent),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn each_tenth_of_a_task_is_told_once_to_those_who_ask() {
    let asks = Listener {
        events: vec![EventType::WorkflowTaskProgress, EventType::WorkflowTaskComplete],
        ..Listener::default()
    };
    let mut house = house(asks).await;
    house
        .hand
        .milestones
        .lock()
        .expect("unpoisoned")
        .extend([0.0, 9.9, 10.0, 10.5, 19.0, 34.0, 35.0, 60.04, 99.0, 100.0]);
    // The first attempt fails after it said all that; the second begins at nothing.
    house.hand.feels(&[Mood::HostFault]);
    house.save(ladder("w")).await;
    let task = house.start("w", house.file("clip.mov", "a film")).await;
    house.run();
    assert_eq!(house.ended(&task).await.status, TaskStatus::Succeed);
    assert_eq!(
        percents(&house, &task),
        [14.2, 25.5, 45.0, 74.2],
        "three of four jobs run: each tenth of the task once, over attempts too"
    );
    house.stop().await;
}

#[tokio::test]
async fn a_retry_by_a_user_is_told_anew() {
    let asks = Listener {
        events: vec![EventType::WorkflowTaskProgress],
        ..Listener::default()
    };
    let mut house = house(asks).await;
    house.hand.milestones.lock().expect("unpoisoned").push(50.0);
    house.hand.feels(&[Mood::TranscodeFault]);
    house
        .save(workflow(
            "w",
            vec![activity("ladder", ActivityKind::Transcode, &[], When::Success)],
        ))
        .await;
    let task = house.start("w", house.file("clip.mov", "a film")).await;
    house.run();
    assert_eq!(house.ended(&task).await.status, TaskStatus::Failed);
    house.store.intend(&task, Intent::Retry).await.expect("asked");
    house.bells.scheduler.ring();
    assert_eq!(house.ended(&task).await.status, TaskStatus::Succeed);
    assert_eq!(percents(&house, &task), [50.0, 50.0]);
    house.stop().await;
}

#[tokio::test]
async fn older_words_are_written_only_where_somebody_listens() {
    let told = |listener: Listener| async move {
        let mut house = house(listener).await;
        house.hand.milestones.lock().expect("unpoisoned").push(50.0);
        house.save(ladder("w")).await;
        let task = house.start("w", house.file("clip.mov", "a film")).await;
        house.run();
        house.ended(&task).await;
        house.stop().await;
        let events = house.events(&task);
        (house.told(&task), events)
    };
    let (plain, _) = told(Listener::default()).await;
    assert!(
        plain
            .iter()
            .all(|name| !name.starts_with("Transcode") && *name != "WorkflowTaskProgress"),
        "{plain:?}"
    );
    let older = Listener {
        legacy_events: true,
        ..Listener::default()
    };
    let (names, events) = told(older).await;
    let at = names
        .iter()
        .position(|name| *name == "MediaConvertComplete")
        .expect("told");
    assert_eq!(
        names[at + 1..at + 4],
        ["TranscodeComplete", "TranscodeComplete", "TranscodeParentComplete"],
        "{names:?}"
    );
    let Detail::TranscodeEnded { outputs } = &events[at].detail else {
        panic!("{:?}", events[at]);
    };
    let ids: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.detail {
            Detail::OutputEnded { output, .. } => Some(output.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(ids, outputs.iter().map(|output| output.id.clone()).collect::<Vec<_>>());
    let Detail::Legacy { fact } = &events[at + 3].detail else {
        panic!("{:?}", events[at + 3]);
    };
    assert!(matches!(fact.as_ref(), LegacyFact::JobEnded { outputs: same } if same == outputs));
}
