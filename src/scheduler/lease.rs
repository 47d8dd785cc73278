//! Ready jobs into attempts: fuse, grant capacity, commit the lease, start.
//!
//! Guarantees: a lease is committed before its worker starts; what cannot be leased any more is left alone.
//! Deliberately absent: fusion's rules (`workflow::plan`) and what happens in an attempt (`attempt`).

use crate::base::ids::AttemptId;
use crate::base::ids::JobId;
use crate::base::ids::TaskId;
use crate::executor::AttemptOrder;
use crate::media::facts::MediaFacts;
use crate::media::spec::Backend;
use crate::media::spec::MediaWork;
use crate::scheduler::attempt;
use crate::scheduler::attempt::Leased;
use crate::scheduler::capacity::Weight;
use crate::scheduler::context::Context;
use crate::scheduler::context::Live;
use crate::scheduler::ground::Ground;
use crate::scheduler::need::Need;
use crate::scheduler::order;
use crate::scheduler::room;
use crate::scheduler::room::Room;
use crate::store::attempts::Lease;
use crate::store::error::StoreError;
use crate::store::jobs::JobRow;
use crate::store::tasks::TaskRow;
use crate::workflow::plan;
use crate::workflow::plan::Budget;
use crate::workflow::plan::Candidate;
use crate::workflow::resolved::Activity;
use crate::workflow::resolved::Carrier;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::status::JobStatus;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Tasks looked at in one go; and when jobs of these wait for devices, so that what needs none is not kept waiting by them.
const WINDOWS: [u32; 2] = [64, 1_024];

/// A ready job with its activity.
struct Ready<'a> {
    job: JobRow,
    activity: &'a Activity,
    work: MediaWork,
}

impl Ready<'_> {
    /// What it may use: what its activity says, unless it left a device for good.
    fn backend(&self) -> Backend {
        match (self.activity.backend, &self.job.software) {
            (Backend::Auto, Some(_)) => Backend::Software,
            (asked, _) => asked,
        }
    }
}

/// Starts as many attempts as there is capacity for.
pub(super) async fn run(context: &Arc<Context>, driven: &mut JoinSet<()>) -> Result<(), StoreError> {
    let mut waits = BTreeMap::new();
    let started = start(context, driven, &mut waits).await;
    for (job, why) in &waits {
        if context.board.why_waiting(job).is_none() {
            tracing::info!(%job, why, "a job waits");
        }
    }
    context.board.set_waits(waits);
    started
}

async fn start(
    context: &Arc<Context>,
    driven: &mut JoinSet<()>,
    why: &mut BTreeMap<JobId, String>,
) -> Result<(), StoreError> {
    let capacity = context.options.capacity;
    let held = !context.swept.load(Ordering::Acquire) || context.draining.load(Ordering::Acquire);
    let is_full = || capacity.full(context.busy()) && !context.devices.lock().has_room();
    if held || is_full() {
        return Ok(());
    }
    for window in WINDOWS {
        let tasks = context.store.tasks_ready(context.now(), window).await?;
        let alone = tasks.len() == 1;
        let mut waits = false;
        for task in &tasks {
            if is_full() {
                return Ok(());
            }
            match start_task(context, driven, task, alone, why).await {
                Ok(one_waits) => waits |= one_waits,
                Err(error @ (StoreError::Sqlite { .. } | StoreError::Undone { .. } | StoreError::Closed { .. })) => {
                    return Err(error);
                }
                Err(error) => tracing::error!(%task, %error, "a task cannot be run"),
            }
        }
        if !waits || tasks.len() < window as usize {
            break;
        }
    }
    Ok(())
}

/// Leases what fits of one task; notes in `waits` which jobs wait for room in scratch. Whether something of it waits for
/// that, or for a device, so that others behind it may begin.
async fn start_task(
    context: &Arc<Context>,
    driven: &mut JoinSet<()>,
    id: &TaskId,
    alone: bool,
    waits: &mut BTreeMap<JobId, String>,
) -> Result<bool, StoreError> {
    let now = context.now();
    let task = context.store.task(id).await?;
    if task.intent.is_some() {
        return Ok(false);
    }
    let workflow = context.workflow(&task).await?;
    let media = context.store.media(&task.media).await?;
    let ready = ready_jobs(context.store.jobs_of_task(id).await?, &workflow, now);
    let candidates: Vec<Candidate<'_>> = ready
        .iter()
        .map(|one| Candidate {
            work: &one.work,
            backend: one.backend(),
            apart: one.job.apart,
        })
        .collect();
    let budget = Budget {
        memory_bytes: context.options.capacity.memory_of_one(),
    };
    let groups = plan::fuse(&candidates, media.facts.as_ref(), budget);
    let alone = alone && groups.len() == 1;
    let mut held_back = false;
    for group in groups {
        let members: Vec<&Ready<'_>> = group.iter().filter_map(|at| ready.get(*at)).collect();
        let heavy = members.iter().any(|one| plan::is_heavy(&one.work));
        let works: Vec<&MediaWork> = members.iter().map(|one| &one.work).collect();
        let scratch_bytes = room::needed(&works, media.facts.as_ref(), media.source.size_bytes);
        let held_bytes = context.scratch_held();
        let subject = media.source.object.to_string();
        let refusal = match room::decide(context.options.scratch, held_bytes, scratch_bytes, &subject) {
            Room::Granted => None,
            Room::Never(fault) => Some(*fault),
            Room::Later => {
                let why = format!(
                    "It waits for room in scratch: it may fill {scratch_bytes} bytes, attempts that run or publish were \
                     granted {held_bytes}, and capacity.scratch_bytes is {}.",
                    context.options.scratch.map_or(0, |limit| limit.bytes)
                );
                waits.extend(members.iter().map(|one| (one.job.id.clone(), why.clone())));
                held_back = true;
                continue;
            }
        };
        let Some(mut ground) = ground_for(context, &members, media.facts.as_ref(), heavy) else {
            held_back = true;
            continue;
        };
        ground.refusal = refusal.or(ground.refusal);
        let weight = match heavy {
            true if ground.is_carried() => Weight::Carried,
            true => Weight::Heavy,
            false => Weight::Light,
        };
        let threads = match weight {
            Weight::Carried => Some(context.options.capacity.grant_carried()),
            Weight::Heavy | Weight::Light | Weight::Asking | Weight::Copying => {
                context.options.capacity.grant(context.busy(), heavy, alone)
            }
        };
        let Some(threads) = threads else {
            continue;
        };
        let attempt = AttemptId::fresh();
        let lease = Lease {
            attempt: attempt.clone(),
            task: id.clone(),
            jobs: members.iter().map(|one| one.job.id.clone()).collect(),
            threads,
            device: ground.device.as_ref().map(|held| held.uuid.clone()),
            expires_at: now.plus_ms(context.options.lease_ms),
        };
        let Some(number) = context.store.lease(lease, Arc::clone(&workflow), now).await? else {
            continue;
        };
        context.bells.callback.ring();
        if let Some(held) = &ground.device {
            context.devices.lock().enter(&held.uuid, &attempt, &held.need);
        }
        if let Some(fallback) = ground.fallback.as_ref().filter(|fallback| !fallback.word.is_empty()) {
            context.tally.fallbacks(fallback.word, members.len());
            tracing::info!(task = %id, why = fallback.why, "done in software though a device was wanted");
        }
        let stop = CancellationToken::new();
        context.enter(
            &attempt,
            Live {
                stop: stop.clone(),
                threads,
                weight,
                scratch_bytes,
                publishing: false,
            },
        );
        let order = AttemptOrder {
            jobs: members
                .iter()
                .map(|one| (one.job.id.clone(), order::work_over(&one.work, &media)))
                .collect(),
            threads,
            backend: ground.backend(),
            device: ground.device.as_ref().map(|held| held.ordinal),
            ..order::over(context, attempt, id.clone(), &media)
        };
        let leased = Leased {
            order,
            number,
            task: TaskRow::clone(&task),
            workflow: Arc::clone(&workflow),
            jobs: members.iter().map(|one| one.job.clone()).collect(),
            ground,
        };
        driven.spawn(attempt::drive(Arc::clone(context), leased, stop));
    }
    Ok(held_back)
}

/// Where the group works; none: it waits for a device.
fn ground_for(context: &Context, members: &[&Ready<'_>], facts: Option<&MediaFacts>, heavy: bool) -> Option<Ground> {
    // Fused jobs agree on it.
    let policy = members.first().map_or(Backend::Auto, |one| one.backend());
    let works: Vec<&MediaWork> = members.iter().map(|one| &one.work).collect();
    let Some(need) = Need::of(&works, facts) else {
        return Some(Ground::software(policy));
    };
    let is_waiting_quicker = |holders: &[&AttemptId]| {
        let running = context.board.all();
        let of_holders = running.iter().filter(|(attempt, _)| holders.contains(&attempt));
        let soonest_s = of_holders.filter_map(|(_, one)| one.eta_s).min_by(f64::total_cmp);
        context.pace().is_waiting_quicker(need.work, soonest_s)
    };
    let choice = context
        .devices
        .lock()
        .choose(policy, &need, heavy, context.now(), is_waiting_quicker);
    Ground::chosen(policy, need, choice)
}

/// The jobs that may run in a worker now, with their activities.
fn ready_jobs(rows: Vec<JobRow>, workflow: &ResolvedWorkflow, now: crate::base::clock::UtcMs) -> Vec<Ready<'_>> {
    rows.into_iter()
        .filter(|job| {
            job.status == JobStatus::Init
                && job.ready_at.is_some()
                && job.not_before <= now
                && job.kind.carrier() == Carrier::Worker
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
