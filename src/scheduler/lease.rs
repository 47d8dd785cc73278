//! Ready jobs into attempts: fuse, grant capacity, commit the lease, start.
//!
//! Guarantees: a lease is committed before its worker starts; what cannot be leased any more is left alone.
//! Deliberately absent: fusion's rules (`workflow::plan`) and what happens in an attempt (`attempt`).

use crate::base::ids::AttemptId;
use crate::base::ids::TaskId;
use crate::executor::AttemptOrder;
use crate::executor::Identity;
use crate::media::spec::Backend;
use crate::media::spec::MediaWork;
use crate::scheduler::attempt;
use crate::scheduler::attempt::Leased;
use crate::scheduler::context::Context;
use crate::scheduler::context::Live;
use crate::store::attempts::Lease;
use crate::store::error::StoreError;
use crate::store::jobs::JobRow;
use crate::store::tasks::TaskRow;
use crate::workflow::plan;
use crate::workflow::plan::Budget;
use crate::workflow::plan::Candidate;
use crate::workflow::resolved::Activity;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::status::JobStatus;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Tasks looked at in one go.
const WINDOW: u32 = 64;

/// A ready job with its activity.
struct Ready<'a> {
    job: JobRow,
    activity: &'a Activity,
    work: MediaWork,
}

/// Starts as many attempts as there is capacity for.
pub(super) async fn run(context: &Arc<Context>, driven: &mut JoinSet<()>) -> Result<(), StoreError> {
    let capacity = context.options.capacity;
    let held = !context.swept.load(Ordering::Acquire) || context.draining.load(Ordering::Acquire);
    if held || capacity.full(context.busy()) {
        return Ok(());
    }
    let tasks = context.store.tasks_ready(context.now(), WINDOW).await?;
    let alone = tasks.len() == 1;
    for task in tasks {
        if capacity.full(context.busy()) {
            break;
        }
        if let Err(error) = start_task(context, driven, &task, alone).await {
            match error {
                StoreError::Sqlite { .. } | StoreError::Undone { .. } | StoreError::Closed { .. } => return Err(error),
                other => tracing::error!(%task, error = %other, "a task cannot be run"),
            }
        }
    }
    Ok(())
}

/// Leases what fits of one task.
async fn start_task(
    context: &Arc<Context>,
    driven: &mut JoinSet<()>,
    id: &TaskId,
    alone: bool,
) -> Result<(), StoreError> {
    let now = context.now();
    let task = context.store.task(id).await?;
    if task.intent.is_some() {
        return Ok(());
    }
    let workflow = context.workflow(&task.workflow, task.version).await?;
    let media = context.store.media(&task.media).await?;
    let ready = ready_jobs(context.store.jobs_of_task(id).await?, &workflow, now);
    let candidates: Vec<Candidate<'_>> = ready
        .iter()
        .map(|one| Candidate {
            work: &one.work,
            backend: one.activity.backend,
            apart: one.job.apart,
        })
        .collect();
    let budget = Budget {
        memory_bytes: context.options.capacity.memory_of_one(),
    };
    let groups = plan::fuse(&candidates, media.facts.as_ref(), budget);
    let alone = alone && groups.len() == 1;
    for group in groups {
        let members: Vec<&Ready<'_>> = group.iter().filter_map(|at| ready.get(*at)).collect();
        let heavy = members.iter().any(|one| plan::is_heavy(&one.work));
        let Some(threads) = context.options.capacity.grant(context.busy(), heavy, alone) else {
            continue;
        };
        let attempt = AttemptId::fresh();
        let lease = Lease {
            attempt: attempt.clone(),
            task: id.clone(),
            jobs: members.iter().map(|one| one.job.id.clone()).collect(),
            threads,
            expires_at: now.plus_ms(context.options.lease_ms),
        };
        let Some(number) = context.store.lease(lease, Arc::clone(&workflow), now).await? else {
            continue;
        };
        context.bells.callback.ring();
        let stop = CancellationToken::new();
        context.enter(
            &attempt,
            Live {
                stop: stop.clone(),
                threads,
                heavy,
                publishing: false,
            },
        );
        let order = AttemptOrder {
            attempt,
            task: id.clone(),
            jobs: members
                .iter()
                .map(|one| (one.job.id.clone(), one.work.clone()))
                .collect(),
            source: media.source.object.clone(),
            identity: Identity {
                size_bytes: media.source.size_bytes,
                mtime_ns: media.source.mtime_ns,
                etag: media.source.etag.clone(),
            },
            threads,
            backend: members.first().map_or(Backend::Auto, |one| one.activity.backend),
            device: None,
            limits: context.options.limits.clone(),
        };
        let leased = Leased {
            order,
            number,
            task: TaskRow::clone(&task),
            workflow: Arc::clone(&workflow),
            jobs: members.iter().map(|one| one.job.clone()).collect(),
        };
        driven.spawn(attempt::drive(Arc::clone(context), leased, stop));
    }
    Ok(())
}

/// The jobs that may run in a worker now, with their activities.
fn ready_jobs(rows: Vec<JobRow>, workflow: &ResolvedWorkflow, now: crate::base::clock::UtcMs) -> Vec<Ready<'_>> {
    rows.into_iter()
        .filter(|job| {
            job.status == JobStatus::Init
                && job.ready_at.is_some()
                && job.not_before <= now
                && job.kind != ActivityKind::Noop
        })
        .filter_map(|job| {
            let activity = workflow.activities.get(job.ordinal)?;
            let work = activity.work.clone();
            if work.is_none() {
                tracing::error!(job = %job.id, activity = %activity.id, "an activity has no work for a worker");
            }
            Some(Ready {
                work: work?,
                job,
                activity,
            })
        })
        .collect()
}
