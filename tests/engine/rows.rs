//! The store alone: leases that fence, verdicts that come too late, versions of workflows.

use crate::hand::fault;
use crate::house::House;
use crate::house::activity;
use crate::house::ladder;
use crate::house::workflow;
use reelmill::base::clock::UtcMs;
use reelmill::base::fault::Blame;
use reelmill::base::ids::AttemptId;
use reelmill::base::ids::JobId;
use reelmill::base::ids::OutputId;
use reelmill::base::ids::TaskId;
use reelmill::media::product::ProductKind;
use reelmill::objects::uri::ObjectUri;
use reelmill::store::attempts::Lease;
use reelmill::store::attempts::Outcome;
use reelmill::store::conclusions::Concluded;
use reelmill::store::conclusions::Verdict;
use reelmill::store::error::StoreError;
use reelmill::store::intents::Intent;
use reelmill::store::outputs::IntentRow;
use reelmill::store::outputs::OutputDetail;
use reelmill::store::outputs::OutputRow;
use reelmill::store::outputs::Reservation;
use reelmill::store::outputs::Reserved;
use reelmill::store::workflows::Origin;
use reelmill::store::workflows::SaveWorkflow;
use reelmill::workflow::resolved::ActivityKind;
use reelmill::workflow::resolved::ResolvedWorkflow;
use reelmill::workflow::resolved::When;
use reelmill::workflow::status::JobStatus;
use std::sync::Arc;

/// A task of one transcode, and its job.
pub async fn one_job(house: &House, key: &str) -> (TaskId, JobId, Arc<ResolvedWorkflow>) {
    let one = workflow(
        "w",
        vec![activity("ladder", ActivityKind::Transcode, &[], When::Success)],
    );
    house.save(one.clone()).await;
    let task = house.start("w", house.file(key, "a film")).await;
    let job = house.job(&task, "ladder").await.id;
    (task, job, Arc::new(one))
}

pub async fn lease(house: &House, task: &TaskId, job: &JobId, workflow: &Arc<ResolvedWorkflow>) -> Option<AttemptId> {
    let attempt = AttemptId::fresh();
    let lease = Lease {
        attempt: attempt.clone(),
        task: task.clone(),
        jobs: vec![job.clone()],
        threads: 1,
        device: None,
        expires_at: UtcMs::now(),
    };
    let number = house
        .store
        .lease(lease, Arc::clone(workflow), UtcMs::now())
        .await
        .expect("the store works");
    number.map(|_| attempt)
}

pub fn reservation(attempt: &AttemptId, job: &JobId, key: &str) -> Reservation {
    let id = OutputId::fresh();
    let main = ObjectUri::new("out", key);
    Reservation {
        attempt: attempt.clone(),
        job: job.clone(),
        result: Default::default(),
        series: Vec::new(),
        measured: None,
        outputs: vec![OutputRow {
            id: id.clone(),
            job: job.clone(),
            group: None,
            group_name: String::new(),
            name: "720p".to_owned(),
            kind: ProductKind::File,
            main: main.clone(),
            size_bytes: 1,
            md5: None,
            published: false,
            detail: OutputDetail::default(),
        }],
        intents: vec![IntentRow {
            output: id,
            ordinal: 0,
            to: main,
            scratch_path: "a".to_owned(),
            from: None,
            from_etag: None,
            size_bytes: 1,
            md5: "0".repeat(32),
            overwrite: false,
        }],
    }
}

#[tokio::test]
async fn a_job_has_one_holder_and_a_late_verdict_changes_nothing() {
    let house = House::new();
    let (task, job, workflow) = one_job(&house, "a.mov").await;
    let first = lease(&house, &task, &job, &workflow).await.expect("it is free");
    assert_eq!(lease(&house, &task, &job, &workflow).await, None, "it is held");
    let now = UtcMs::now();
    assert!(
        house
            .store
            .end_attempt(&first, Outcome::Lost, None, None, now)
            .await
            .expect("ended")
    );
    let second = lease(&house, &task, &job, &workflow).await.expect("it is free again");
    let verdict = Verdict::Failed(fault("Late", Blame::Host));
    let late = house
        .store
        .conclude(&first, &job, verdict.clone(), Arc::clone(&workflow), now)
        .await;
    assert_eq!(late.expect("the store works"), Concluded::Stale);
    let reserved = house
        .store
        .reserve(reservation(&first, &job, "x"), now)
        .await
        .expect("the store works");
    assert_eq!(reserved, Reserved::Stale);
    assert_eq!(house.job(&task, "ladder").await.status, JobStatus::Processing);
    let concluded = house
        .store
        .conclude(&second, &job, verdict.clone(), Arc::clone(&workflow), now)
        .await;
    assert!(matches!(concluded, Ok(Concluded::TaskEnded(_))), "{concluded:?}");
    let again = house
        .store
        .conclude(&second, &job, verdict, workflow, now)
        .await
        .expect("the store works");
    assert_eq!(again, Concluded::Stale);
    let ends = house
        .told(&task)
        .into_iter()
        .filter(|name| *name == "WorkflowTaskComplete");
    assert_eq!(ends.count(), 1);
}

#[tokio::test]
async fn a_job_that_left_its_device_stays_away_from_it_across_a_death_and_a_wait_is_no_try() {
    let house = House::new();
    let (task, job, workflow) = one_job(&house, "a.mov").await;
    for (software, counted) in [
        (None, false),
        (Some("device 0: lost"), true),
        (Some("another reason"), true),
    ] {
        let attempt = lease(&house, &task, &job, &workflow).await.expect("it is free");
        let verdict = Verdict::Again {
            fault: fault("DeviceFailed", Blame::Host),
            not_before: UtcMs(0),
            apart: false,
            software: software.map(str::to_owned),
            counted,
        };
        let concluded = house
            .store
            .conclude(&attempt, &job, verdict, Arc::clone(&workflow), UtcMs::now())
            .await;
        assert_eq!(concluded.expect("the store works"), Concluded::Yes);
    }
    let house = house.die_and_return().await;
    let row = house.job(&task, "ladder").await;
    assert_eq!((row.tries, row.waits), (2, 1));
    assert_eq!(
        row.software.as_deref(),
        Some("device 0: lost"),
        "the first reason stays"
    );
}

#[tokio::test]
async fn a_reserved_key_is_one_jobs_until_it_is_concluded_and_an_intent_outlives_a_cancel() {
    let house = House::new();
    let (task, job, workflow) = one_job(&house, "a.mov").await;
    let attempt = lease(&house, &task, &job, &workflow).await.expect("free");
    let (other_task, other_job, _) = one_job(&house, "b.mov").await;
    let other = lease(&house, &other_task, &other_job, &workflow).await.expect("free");
    let now = UtcMs::now();
    let mine = house
        .store
        .reserve(reservation(&attempt, &job, "x.mp4"), now)
        .await
        .expect("the store works");
    assert_eq!(mine, Reserved::Yes);
    let theirs = house
        .store
        .reserve(reservation(&other, &other_job, "x.mp4"), now)
        .await
        .expect("the store works");
    assert_eq!(theirs, Reserved::Taken(ObjectUri::new("out", "x.mp4")));
    assert!(
        !house
            .store
            .end_attempt(&attempt, Outcome::Done, None, None, now)
            .await
            .expect("asked"),
        "it publishes"
    );
    // A cancel now finds nothing to stop in the one, and everything in the other.
    for id in [&task, &other_task] {
        house.store.intend(id, Intent::Cancel).await.expect("asked");
    }
    let canceling = house
        .store
        .fulfil_cancel(&task, Arc::clone(&workflow), now)
        .await
        .expect("done");
    assert!(
        canceling.running.is_empty() && canceling.ended.is_none(),
        "{canceling:?}"
    );
    let canceling = house
        .store
        .fulfil_cancel(&other_task, Arc::clone(&workflow), now)
        .await
        .expect("done");
    assert_eq!(canceling.running, std::slice::from_ref(&other));
    let theirs = house
        .store
        .reserve(reservation(&other, &other_job, "y.mp4"), now)
        .await
        .expect("the store works");
    assert_eq!(theirs, Reserved::Canceled);
    let success = Verdict::Success {
        result: None,
        files: Vec::new(),
    };
    house
        .store
        .conclude(&attempt, &job, success, workflow, now)
        .await
        .expect("concluded");
    assert_eq!(
        house.rows("select key from output_files where storage = ?1", "out"),
        ["x.mp4"]
    );
    assert_eq!(
        house.rows("select key from publish_intents where storage = ?1", "out"),
        [""; 0]
    );
}

#[tokio::test]
async fn a_changed_workflow_is_a_new_version_and_tasks_keep_theirs() {
    let house = House::new();
    let save = |resolved: ResolvedWorkflow, origin| SaveWorkflow {
        origin,
        definition: "as written".to_owned(),
        resolved,
        enabled_first: true,
    };
    let now = UtcMs::now();
    let first = house
        .store
        .save_workflow(save(ladder("w"), Origin::File), now)
        .await
        .expect("saved");
    let same = house
        .store
        .save_workflow(save(ladder("w"), Origin::File), now)
        .await
        .expect("saved");
    assert_eq!(
        (first.version, first.changed, same.version, same.changed),
        (1, true, 1, false)
    );
    let task = house.start("w", house.file("a.mov", "a film")).await;
    let mut other = ladder("w");
    other.activities.truncate(1);
    let changed = house
        .store
        .save_workflow(save(other, Origin::File), now)
        .await
        .expect("saved");
    assert_eq!((changed.id.clone(), changed.version), (first.id.clone(), 2));
    let row = house.store.task(&task).await.expect("a task");
    let kept = house
        .store
        .resolved_workflow(&row.workflow, row.version)
        .await
        .expect("its version");
    assert_eq!(kept.activities.len(), 4);
    let stranger = house.store.save_workflow(save(ladder("w"), Origin::Api), now).await;
    assert!(matches!(stranger, Err(StoreError::Conflict(_))), "{stranger:?}");
    let early = house.store.delete_workflow(&first.id).await;
    assert!(matches!(early, Err(StoreError::Conflict(_))), "it is enabled");
    assert!(
        house
            .store
            .set_workflow_enabled(&first.id, false, now)
            .await
            .expect("disabled")
    );
    let busy = house.store.delete_workflow(&first.id).await;
    assert!(
        matches!(busy, Err(StoreError::Conflict(_))),
        "a task of it has not ended"
    );
    let start = reelmill::store::tasks::StartTask {
        workflow: "w".to_owned(),
        source: house.file("b.mov", "a film"),
        trigger: reelmill::events::TriggerSource::Console,
        user_data: None,
        priority: 0,
        overrides: Default::default(),
        idempotency_key: None,
    };
    assert!(
        matches!(house.store.start_task(start, now).await, Err(StoreError::Conflict(_))),
        "it is disabled"
    );
}
