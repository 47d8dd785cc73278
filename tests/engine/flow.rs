//! Tasks from their start to their end when nothing goes wrong, and when users change their minds.

use crate::hand::Mood;
use crate::house::House;
use crate::house::activity;
use crate::house::ladder;
use crate::house::workflow;
use reelmill::base::clock::UtcMs;
use reelmill::events::Detail;
use reelmill::store::intents::Intent;
use reelmill::workflow::arrival::Arrival;
use reelmill::workflow::resolved::ActivityKind;
use reelmill::workflow::resolved::AfterRule;
use reelmill::workflow::resolved::OnConflict;
use reelmill::workflow::resolved::When;
use reelmill::workflow::status::JobStatus;
use reelmill::workflow::status::TaskStatus;

#[tokio::test]
async fn one_pass_makes_everything_and_tells_it_in_order() {
    let mut house = House::new();
    house.save(ladder("w")).await;
    let task = house.start("w", house.file("clip.mov", "a film")).await;
    house.run();
    let row = house.ended(&task).await;
    assert_eq!(row.status, TaskStatus::Succeed);
    assert_eq!(
        *house.hand.attempts.lock().expect("unpoisoned"),
        [3],
        "facts, ladder and sprite ride one pass"
    );
    house.stop().await;
    assert_eq!(
        house.tree("out"),
        [
            "clip/ladder-360p.mp4",
            "clip/ladder-720p.mp4",
            "clip/sprite-00001.jpg",
            "clip/sprite.vtt"
        ]
    );
    let index = std::fs::read_to_string(house.root.join("out/clip/sprite.vtt")).expect("the index");
    assert!(index.contains("sprite-00001.jpg#xywh"), "{index}");
    assert_eq!(house.tree("scratch"), [""; 0], "scratch is empty afterwards");
    assert_eq!(
        house.told(&task),
        [
            "WorkflowTaskStart",
            "VideoAnalysisComplete",
            "MediaConvertOutputComplete",
            "MediaConvertOutputComplete",
            "MediaConvertOutputGroupComplete",
            "MediaConvertComplete",
            "SnapshotComplete",
            "WorkflowTaskComplete"
        ]
    );
    let events = house.events(&task);
    assert!(matches!(&events[1].detail, Detail::AnalysisEnded { facts: Some(facts) } if facts.format_name == "test"));
    let Detail::OutputEnded {
        output,
        object,
        md5,
        group,
        ..
    } = &events[2].detail
    else {
        panic!("{:?}", events[2]);
    };
    let ladder = house.job(&task, "ladder").await;
    let outputs = house.store.outputs_of_job(&ladder.id).await.expect("outputs");
    assert_eq!((output, group.as_str()), (&outputs[0].id, "MP4"));
    assert_eq!(
        object.as_ref().map(|object| object.key.as_str()),
        Some("clip/ladder-720p.mp4")
    );
    assert_eq!(md5, &outputs[0].md5);
    assert!(
        matches!(&events[4].detail, Detail::OutputGroupEnded { group, ok: true, .. } if Some(group) == outputs[0].group.as_ref())
    );
    let Detail::TaskEnded { status, activities, .. } = &events[7].detail else {
        panic!("{:?}", events[7]);
    };
    assert_eq!(*status, TaskStatus::Succeed);
    assert!(
        activities
            .iter()
            .all(|activity| activity.job.status == JobStatus::Success)
    );
    assert_eq!(
        activities[2].event.as_deref(),
        Some(&events[6].detail),
        "the end repeats what was told"
    );
}

#[tokio::test]
async fn edges_run_or_skip_their_branches() {
    let mut house = House::new();
    let graph = workflow(
        "w",
        vec![
            activity("ladder", ActivityKind::Transcode, &[], When::Success),
            activity("on-success", ActivityKind::Noop, &["ladder"], When::Success),
            activity("on-failure", ActivityKind::Noop, &["ladder"], When::Failure),
            activity("after-skip", ActivityKind::Noop, &["on-success"], When::Always),
            activity("always", ActivityKind::Noop, &["ladder"], When::Always),
        ],
    );
    house.save(graph).await;
    house.hand.feels(&[Mood::TranscodeFault]);
    let failing = house.start("w", house.file("clip.mov", "a film")).await;
    house.run();
    assert_eq!(house.ended(&failing).await.status, TaskStatus::Failed);
    assert_eq!(
        house.statuses(&failing).await,
        ["Fail", "Skipped", "Success", "Skipped", "Success"]
    );
    let fine = house.start("w", house.file("clip.mov", "a film")).await;
    assert_eq!(house.ended(&fine).await.status, TaskStatus::Succeed);
    assert_eq!(
        house.statuses(&fine).await,
        ["Success", "Success", "Skipped", "Success", "Success"]
    );
    let told = house.events(&failing);
    let failed = told
        .iter()
        .filter(|event| matches!(&event.detail, Detail::OutputEnded { object: None, .. }));
    assert_eq!(failed.count(), 2, "each rung is told as failed");
}

#[tokio::test]
async fn an_arrival_starts_what_matches_once_and_our_outputs_start_nothing() {
    let mut house = House::new();
    let mut into_ingest = workflow(
        "w",
        vec![activity("ladder", ActivityKind::Transcode, &[], When::Success)],
    );
    into_ingest.output.storage = None;
    into_ingest.source.extensions = vec!["mov".to_owned(), "mp4".to_owned()];
    house.save(into_ingest).await;
    house.run();
    let source = house.file("clip.mov", "a film");
    let storage = house.store.enter_storage("ingest").await.expect("a storage").id;
    let arrive = async |key: &str, size_bytes: u64, mtime_ns: i64| {
        let arrival = Arrival {
            key: key.to_owned(),
            size_bytes,
            mtime_ns,
            etag: String::new(),
            seen_at: UtcMs::now(),
        };
        let new = house
            .store
            .settle_arrivals(storage, vec![arrival.into()], UtcMs::now())
            .await
            .expect("the ledger takes it");
        house.bells.scheduler.ring();
        new
    };
    assert_eq!(arrive("clip.mov", source.size_bytes, source.mtime_ns).await, 1);
    assert_eq!(arrive("notes.txt", 5, 5).await, 1);
    let tasks = loop {
        let found = house.rows("select id from tasks where trigger = ?1", "Workflow");
        if !found.is_empty() {
            break found;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(tasks.len(), 1);
    house.ended(&tasks[0].as_str().into()).await;
    // Its output stands where it would start a task of its own.
    let output = std::fs::metadata(house.root.join("ingest/clip/ladder-720p.mp4")).expect("the output");
    let mtime = {
        use std::os::unix::fs::MetadataExt;
        output.mtime() * 1_000_000_000 + output.mtime_nsec()
    };
    assert_eq!(arrive("clip/ladder-720p.mp4", output.len(), mtime).await, 1);
    assert_eq!(arrive("clip/ladder-360p.mp4", 9_999, mtime).await, 1);
    assert_eq!(
        arrive("clip.mov", source.size_bytes, source.mtime_ns).await,
        0,
        "the same object is no news"
    );
    let second = loop {
        let found = house.rows("select id from tasks where trigger = ?1", "Workflow");
        if found.len() > 1 {
            break found;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(second.len(), 2, "a user's file under the key of an output does start");
    house.stop().await;
    let ledger = house.rows(
        "select key || ' ' || state || ' ' || coalesce(why_not, '-') from arrivals where storage = ?1 order by key",
        "1",
    );
    assert_eq!(ledger[0], "clip.mov 2 -");
    assert_eq!(ledger[1], "clip/ladder-360p.mp4 2 -");
    assert_eq!(ledger[2], "clip/ladder-720p.mp4 3 ours");
    assert!(
        ledger[3].starts_with("notes.txt 3 ") && ledger[3].contains(".txt"),
        "{}",
        ledger[3]
    );
}

#[tokio::test]
async fn a_taken_name_gets_a_number_or_a_refusal_or_is_replaced() {
    let mut house = House::new();
    for (name, rule) in [
        ("version", OnConflict::Version),
        ("fail", OnConflict::Fail),
        ("overwrite", OnConflict::Overwrite),
    ] {
        let mut one = workflow(
            name,
            vec![activity("ladder", ActivityKind::Transcode, &[], When::Success)],
        );
        one.output.on_conflict = rule;
        house.save(one).await;
    }
    std::fs::create_dir(house.root.join("out/clip")).expect("a folder");
    std::fs::write(house.root.join("out/clip/ladder-360p.mp4"), "a user's").expect("a file");
    house.run();
    let refused = house.start("fail", house.file("clip.mov", "a film")).await;
    assert_eq!(house.ended(&refused).await.status, TaskStatus::Failed);
    let fault = house.job(&refused, "ladder").await.fault.expect("a fault");
    assert_eq!(
        (fault.code.as_str(), fault.subject.as_str()),
        ("OutputTaken", "out:clip/ladder-360p.mp4")
    );
    assert_eq!(
        house.tree("out"),
        ["clip/ladder-360p.mp4"],
        "nothing of a refused job is published"
    );
    let numbered = house.start("version", house.file("clip.mov", "a film")).await;
    assert_eq!(house.ended(&numbered).await.status, TaskStatus::Succeed);
    assert_eq!(
        house.tree("out"),
        [
            "clip/ladder-360p-2.mp4",
            "clip/ladder-360p.mp4",
            "clip/ladder-720p-2.mp4"
        ]
    );
    let replaced = house.start("overwrite", house.file("clip.mov", "a film")).await;
    assert_eq!(house.ended(&replaced).await.status, TaskStatus::Succeed);
    let content = std::fs::read_to_string(house.root.join("out/clip/ladder-360p.mp4")).expect("a file");
    assert_eq!(content, "ladder-360p");
    house.stop().await;
}

#[tokio::test]
async fn a_cancel_stops_what_runs_and_ends_the_task_once() {
    let (mut house, task) = House::hanging().await;
    house.store.intend(&task, Intent::Cancel).await.expect("asked");
    house.bells.scheduler.ring();
    assert_eq!(house.ended(&task).await.status, TaskStatus::Canceled);
    assert_eq!(house.statuses(&task).await, ["Canceled"; 4]);
    assert_eq!(house.tree("out"), [""; 0]);
    assert_eq!(house.told(&task), ["WorkflowTaskStart", "WorkflowTaskComplete"]);
    // And it can be wanted again.
    house.store.intend(&task, Intent::Retry).await.expect("asked");
    house.bells.scheduler.ring();
    let row = house.ended(&task).await;
    assert_eq!((row.status, row.runs), (TaskStatus::Succeed, 2));
    assert_eq!(house.tree("out").len(), 4);
    house.stop().await;
}

#[tokio::test]
async fn a_cancel_after_the_intent_to_publish_means_finish() {
    let (mut house, task) = House::publishing().await;
    house.store.intend(&task, Intent::Cancel).await.expect("asked");
    house.bells.scheduler.ring();
    house.hand.may_publish.add_permits(10);
    assert_eq!(house.ended(&task).await.status, TaskStatus::Canceled);
    house.stop().await;
    assert_eq!(
        house.statuses(&task).await,
        ["Success", "Success", "Success", "Canceled"]
    );
    assert_eq!(house.tree("out").len(), 4, "what was promised stands whole");
}

#[tokio::test]
async fn a_retry_runs_what_failed_and_what_was_skipped_for_it_and_nothing_else() {
    let mut house = House::new();
    house.save(ladder("w")).await;
    house.hand.feels(&[Mood::TranscodeFault]);
    let task = house.start("w", house.file("clip.mov", "a film")).await;
    house.run();
    assert_eq!(house.ended(&task).await.status, TaskStatus::Failed);
    assert_eq!(house.statuses(&task).await, ["Success", "Fail", "Success", "Skipped"]);
    house.store.intend(&task, Intent::Retry).await.expect("asked");
    house.bells.scheduler.ring();
    assert_eq!(house.ended(&task).await.status, TaskStatus::Succeed);
    assert_eq!(house.statuses(&task).await, ["Success"; 4]);
    assert_eq!(*house.hand.attempts.lock().expect("unpoisoned"), [3, 1]);
    let ends = house
        .told(&task)
        .into_iter()
        .filter(|name| *name == "WorkflowTaskComplete");
    assert_eq!(ends.count(), 2, "each run ends once");
    house.stop().await;
}

#[tokio::test]
async fn the_source_moves_only_after_everything_succeeded() {
    let mut house = House::new();
    let mut moving = ladder("w");
    moving.source.after = AfterRule::Move("done/".to_owned());
    house.save(moving).await;
    house.hand.feels(&[Mood::SourceFault]);
    let bad = house.start("w", house.file("bad.mov", "a bad film")).await;
    house.run();
    assert_eq!(house.ended(&bad).await.status, TaskStatus::Failed);
    let good = house.start("w", house.file("good.mov", "a film")).await;
    assert_eq!(house.ended(&good).await.status, TaskStatus::Succeed);
    house.bells.scheduler.ring();
    while house.tree("ingest") != ["bad.mov", "done/good.mov"] {
        tokio::task::yield_now().await;
    }
    house.stop().await;
    assert_eq!(house.tree("ingest"), ["bad.mov", "done/good.mov"]);
}

#[tokio::test]
async fn the_same_key_of_a_caller_starts_one_task() {
    let house = House::new();
    house.save(ladder("w")).await;
    let start = reelmill::store::tasks::StartTask {
        workflow: "w".to_owned(),
        source: house.file("clip.mov", "a film"),
        trigger: reelmill::events::TriggerSource::Api,
        user_data: None,
        priority: 0,
        overrides: Default::default(),
        idempotency_key: Some("once".to_owned()),
    };
    let first = house
        .store
        .start_task(start.clone(), UtcMs::now())
        .await
        .expect("started");
    let second = house.store.start_task(start, UtcMs::now()).await.expect("answered");
    assert!(first.new && !second.new);
    assert_eq!(first.task, second.task);
}
