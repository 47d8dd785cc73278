//! Tasks when workers, sources, storages and the daemon itself fail.

use crate::hand::Mood;
use crate::house::House;
use crate::house::activity;
use crate::house::ladder;
use crate::house::workflow;
use reelmill::scheduler::room::Limit;
use reelmill::store::intents::Intent;
use reelmill::workflow::resolved::ActivityKind;
use reelmill::workflow::resolved::When;
use reelmill::workflow::status::TaskStatus;
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn a_cause_that_heals_is_tried_again() {
    let mut house = House::new();
    house.save(ladder("w")).await;
    house.hand.feels(&[Mood::HostFault, Mood::HostFault]);
    let task = house.start("w", house.file("clip.mov", "a film")).await;
    house.run();
    assert_eq!(house.ended(&task).await.status, TaskStatus::Succeed);
    assert_eq!(
        *house.hand.attempts.lock().expect("unpoisoned"),
        [3, 3, 3],
        "still fused"
    );
    assert_eq!(house.job(&task, "ladder").await.tries, 2);
    house.stop().await;
}

#[tokio::test]
async fn a_cause_that_does_not_heal_in_time_fails_with_its_fault() {
    let mut house = House::new();
    house.save(ladder("w")).await;
    house.hand.feels(&[Mood::HostFault; 5]);
    let task = house.start("w", house.file("clip.mov", "a film")).await;
    house.run();
    assert_eq!(house.ended(&task).await.status, TaskStatus::Failed);
    assert_eq!(house.statuses(&task).await, ["Fail", "Fail", "Fail", "Skipped"]);
    assert_eq!(
        house.job(&task, "sprite").await.fault.map(|fault| fault.code),
        Some("DiskAway".to_owned())
    );
    house.stop().await;
}

#[tokio::test]
async fn a_fused_crash_sends_its_jobs_apart_and_a_lone_one_by_a_bad_source_ends_it() {
    let mut house = House::new();
    house.save(ladder("w")).await;
    house.hand.feels(&[Mood::Crash, Mood::Good, Mood::Crash, Mood::Good]);
    let task = house.start("w", house.file("clip.mov", "a film")).await;
    house.run();
    assert_eq!(house.ended(&task).await.status, TaskStatus::Failed);
    assert_eq!(*house.hand.attempts.lock().expect("unpoisoned"), [3, 1, 1, 1]);
    let failed = house
        .statuses(&task)
        .await
        .iter()
        .filter(|status| **status == "Fail")
        .count();
    assert_eq!(failed, 1, "only the job that crashes alone fails");
    house.stop().await;
}

#[tokio::test]
async fn a_source_that_changed_fails_all_and_nothing_is_published() {
    let mut house = House::new();
    let both = vec![
        activity("ladder", ActivityKind::Transcode, &[], When::Success),
        activity("sprite", ActivityKind::Snapshot, &[], When::Success),
    ];
    house.save(workflow("w", both)).await;
    house.hand.feels(&[Mood::SourceFault]);
    let task = house.start("w", house.file("clip.mov", "a film")).await;
    house.run();
    assert_eq!(house.ended(&task).await.status, TaskStatus::Failed);
    assert_eq!(house.statuses(&task).await, ["Fail", "Fail"]);
    assert_eq!(house.tree("out"), [""; 0]);
    house.stop().await;
}

#[tokio::test]
async fn a_storage_that_refuses_fails_the_job_with_its_reason_and_leaves_nothing() {
    if rustix_is_root() {
        // Root writes into read-only folders: a file where the folder should be stops it as well.
        let mut house = House::new();
        house.save(ladder("w")).await;
        std::fs::write(house.root.join("out/clip"), "in the way").expect("a file");
        let task = house.start("w", house.file("clip.mov", "a film")).await;
        house.run();
        assert_eq!(house.ended(&task).await.status, TaskStatus::Failed);
        let fault = house.job(&task, "ladder").await.fault.expect("a fault");
        assert!(fault.subject.contains("clip/ladder-"), "{fault}");
        house.stop().await;
        assert_eq!(house.tree("out"), ["clip"]);
        assert_eq!(
            house.rows("select key from publish_intents where storage = ?1", "out"),
            [""; 0]
        );
        return;
    }
    let mut house = House::new();
    house.save(ladder("w")).await;
    std::fs::set_permissions(house.root.join("out"), std::fs::Permissions::from_mode(0o555)).expect("permissions");
    let task = house.start("w", house.file("clip.mov", "a film")).await;
    house.run();
    assert_eq!(house.ended(&task).await.status, TaskStatus::Failed);
    house.stop().await;
    assert_eq!(house.tree("out"), [""; 0]);
}

fn rustix_is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[tokio::test]
async fn a_stop_gives_running_jobs_back_without_a_try() {
    let (mut house, task) = House::hanging().await;
    house.stop().await;
    assert_eq!(house.statuses(&task).await, ["Init"; 4]);
    assert_eq!(house.job(&task, "ladder").await.tries, 0);
    house.run();
    assert_eq!(house.ended(&task).await.status, TaskStatus::Succeed);
    house.stop().await;
}

#[tokio::test]
async fn a_death_while_a_worker_runs_runs_it_again_fused() {
    let (house, task) = House::hanging().await;
    let mut house = house.die_and_return().await;
    assert_eq!(
        house.statuses(&task).await,
        ["Processing", "Processing", "Processing", "Init"]
    );
    house.run();
    assert_eq!(house.ended(&task).await.status, TaskStatus::Succeed);
    assert_eq!(*house.hand.attempts.lock().expect("unpoisoned"), [3]);
    assert_eq!(house.job(&task, "ladder").await.tries, 0);
    let ends = house
        .told(&task)
        .into_iter()
        .filter(|name| *name == "WorkflowTaskComplete");
    assert_eq!(ends.count(), 1);
    house.stop().await;
}

#[tokio::test]
async fn a_death_after_the_intents_publishes_the_same_outputs_and_works_nothing_twice() {
    let (house, task) = House::publishing().await;
    let reserved = house.rows("select id from outputs where task_id = ?1 order by id", task.as_str());
    assert_eq!(reserved.len(), 3);
    let mut house = house.die_and_return().await;
    house.run();
    assert_eq!(house.ended(&task).await.status, TaskStatus::Succeed);
    house.stop().await;
    assert_eq!(
        *house.hand.attempts.lock().expect("unpoisoned"),
        [0_usize; 0],
        "no worker ran again"
    );
    assert_eq!(
        house.rows("select id from outputs where task_id = ?1 order by id", task.as_str()),
        reserved
    );
    assert_eq!(house.tree("out").len(), 4);
    assert!(
        house.tree("out").iter().all(|name| !name.contains("-2")),
        "{:?}",
        house.tree("out")
    );
    assert_eq!(house.tree("scratch"), [""; 0]);
}

#[tokio::test]
async fn what_does_not_fit_into_scratch_waits_and_says_so() {
    let mut house = House::new();
    house.save(ladder("w")).await;
    house.hand.feels(&[Mood::Hang]);
    let first = house.start("w", house.file("one.mov", "a film")).await;
    // A ladder of unknown length is estimated at about 130 MB; there is room for two attempts but for this.
    let board = house.run_within(Some(Limit {
        bytes: 200_000_000,
        strict: true,
    }));
    house.hand.hanging.acquire().await.expect("open").forget();
    let second = house.start("w", house.file("two.mov", "another film")).await;
    let job = house.job(&second, "ladder").await.id;
    let why = loop {
        if let Some(why) = board.why_waiting(&job) {
            break why;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert!(why.contains("room in scratch") && why.contains("200000000"), "{why}");
    assert_eq!(house.hand.attempts.lock().expect("unpoisoned").len(), 1);
    house.store.intend(&first, Intent::Cancel).await.expect("asked");
    house.bells.scheduler.ring();
    assert_eq!(house.ended(&second).await.status, TaskStatus::Succeed);
    assert_eq!(house.ended(&first).await.status, TaskStatus::Canceled);
    assert_eq!(board.why_waiting(&job), None);
    house.stop().await;
}

#[tokio::test]
async fn what_never_fits_into_scratch_is_refused_only_where_a_person_set_the_limit() {
    for strict in [true, false] {
        let mut house = House::new();
        house.save(ladder("w")).await;
        let task = house.start("w", house.file("one.mov", "a film")).await;
        house.run_within(Some(Limit { bytes: 1, strict }));
        let ended = house.ended(&task).await.status;
        let fault = house.job(&task, "ladder").await.fault.map(|fault| fault.code);
        match strict {
            true => assert_eq!((ended, fault.as_deref()), (TaskStatus::Failed, Some("ScratchTooSmall"))),
            false => assert_eq!((ended, fault), (TaskStatus::Succeed, None)),
        }
        house.stop().await;
    }
}
