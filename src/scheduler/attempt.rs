//! One attempt from its lease to its end.
//!
//! Guarantees: whatever the worker does, every job of the attempt gets a verdict or goes back to the queue; what the
//! source says of itself is kept as soon as it is known. Deliberately absent: publishing (`publication`).

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::base::progress_board::Running;
use crate::base::progress_board::RunsOn;
use crate::executor::AttemptEnd;
use crate::executor::AttemptOrder;
use crate::executor::AttemptUpdate;
use crate::media::product::JobEnd;
use crate::media::product::JobProduct;
use crate::media::progress::Progress;
use crate::scheduler::conclude;
use crate::scheduler::context::Context;
use crate::scheduler::ground;
use crate::scheduler::ground::Ground;
use crate::scheduler::looking;
use crate::scheduler::milestones::Milestones;
use crate::scheduler::retry::BACKEND_UNAVAILABLE;
use crate::scheduler::retry::DEVICE_BUSY;
use crate::scheduler::retry::DEVICE_FAILED;
use crate::scheduler::retry::NextTry;
use crate::scheduler::retry::RetryPolicy;
use crate::store::attempts::Outcome;
use crate::store::conclusions::Verdict;
use crate::store::intents::Intent;
use crate::store::jobs::JobRow;
use crate::store::tasks::TaskRow;
use crate::workflow::arrival::Parts;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::resolved::ResolvedWorkflow;
use futures_util::FutureExt;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// An attempt whose lease is committed.
pub(super) struct Leased {
    pub order: AttemptOrder,
    pub number: u32,
    pub task: TaskRow,
    pub workflow: Arc<ResolvedWorkflow>,
    pub jobs: Vec<JobRow>,
    /// Where it works, and why there.
    pub ground: Ground,
}

/// What was heard of each job; none: nothing yet. Jobs leave it when they are concluded on the way.
pub(super) type Ends = HashMap<JobId, Option<JobEnd>>;

/// What becomes of a job when its pass is over.
pub(super) enum Fate {
    /// Its files wait in scratch to be published.
    Publish(JobProduct),
    /// Decided.
    Verdict(Verdict),
}

/// Runs the attempt to its end.
pub(super) async fn drive(context: Arc<Context>, leased: Leased, stop: CancellationToken) {
    let attempt = leased.order.attempt.clone();
    let span = tracing::info_span!(
        "attempt",
        task = %leased.order.task, media = %leased.task.media, attempt = %attempt, number = leased.number, source = %leased.order.source
    );
    let life = async {
        tracing::info!(
            jobs = leased.jobs.len(),
            threads = leased.order.threads,
            device = leased.order.device,
            "attempt begins"
        );
        show(&context, &leased, Progress::default());
        let (ends, end) = carry_out(&context, &leased, stop).await;
        judge_device(&context, &leased, &ends, &end);
        context.only_publishes(&attempt);
        conclude::finish(&context, &leased, ends, end).await;
    };
    // A bug in here must cost this attempt, not the daemon, and must not be met again and again.
    if AssertUnwindSafe(life.instrument(span)).catch_unwind().await.is_err() {
        tracing::error!(%attempt, "a bug ended the attempt");
        for job in &leased.jobs {
            conclude::one(&context, &leased, &job.id, Verdict::Failed(bug(job))).await;
        }
        let end = AttemptEnd {
            fault: leased.jobs.first().map(bug),
            crashed: true,
            stopped: false,
            cost: None,
        };
        conclude::end_attempt(&context, &leased, &end, Vec::new()).await;
    }
    leave_device(&context, &leased);
    context.leave(&attempt);
}

/// Frees the device of an attempt; again does no harm.
fn leave_device(context: &Context, leased: &Leased) {
    if let Some(held) = &leased.ground.device {
        context.devices.lock().leave(&held.uuid, &leased.order.attempt);
    }
}

/// What the end of the worker says of its device, and how fast it was. The device is free then.
fn judge_device(context: &Context, leased: &Leased, ends: &Ends, end: &AttemptEnd) {
    leave_device(context, leased);
    let well = end.fault.is_none();
    if let Some(cost) = end.cost.filter(|_| well && leased.ground.work > 0.0) {
        let on_device = leased.ground.device.is_some();
        context.pace().learn(on_device, leased.ground.work, cost.wall_ms);
    }
    let Some(held) = &leased.ground.device else {
        return;
    };
    let said = ends.values().flatten();
    let fell = said.clone().filter_map(|job_end| match job_end {
        JobEnd::Success(product) => product.fallback_code.as_deref(),
        _ => None,
    });
    for code in fell {
        context.tally.fallbacks(word_of(code), 1);
    }
    let went = ground::went(said, end);
    let task = &leased.order.task;
    let news = context.devices.lock().went(&held.uuid, task, &went, context.now());
    if let Some(news) = news {
        looking::tell(context, &news);
    }
}

/// The word for counting that stands for a fault of a device, or of a worker that had one.
pub(super) fn word_of(code: &str) -> &'static str {
    match code {
        DEVICE_FAILED => "device_failed",
        DEVICE_BUSY => "device_busy",
        BACKEND_UNAVAILABLE => "unable",
        _ => "crash",
    }
}

/// Runs the worker, keeping what it says. Jobs whose end was concluded at once are not in the answer.
async fn carry_out(context: &Context, leased: &Leased, stop: CancellationToken) -> (Ends, AttemptEnd) {
    let mut ends: Ends = leased.jobs.iter().map(|job| (job.id.clone(), None)).collect();
    if let Some(fault) = &leased.ground.refusal {
        let end = AttemptEnd {
            fault: Some(fault.clone()),
            crashed: false,
            stopped: false,
            cost: None,
        };
        return (ends, end);
    }
    let (updates, mut heard) = mpsc::channel(64);
    let running = context.executor.carry_out(leased.order.clone(), updates, stop);
    let listening = async {
        let mut milestones = Milestones::of(context, leased).await;
        while let Some(update) = heard.recv().await {
            match update {
                AttemptUpdate::Facts(facts) => {
                    let media = &leased.task.media;
                    let kept = context.insist("facts", || context.store.set_facts(media, &facts)).await;
                    if let Err(error) = kept {
                        tracing::error!(%error, "the facts of a source could not be kept");
                    }
                }
                AttemptUpdate::Progress(progress) => {
                    let percent = progress.percent;
                    show(context, leased, progress);
                    milestones.reach(context, leased, percent).await;
                }
                AttemptUpdate::Log(text) => {
                    let kept = context.store.keep_attempt_log(&leased.order.attempt, text).await;
                    if let Err(error) = kept {
                        tracing::warn!(%error, "the log of an attempt could not be kept");
                    }
                }
                AttemptUpdate::JobEnded(job, end) => match explained(leased, &job, *end) {
                    // Facts need no pass to end and have nothing to publish: they are told at once.
                    JobEnd::Success(product) if product.outputs.is_empty() && product.fallback_code.is_none() => {
                        let verdict = Verdict::Success {
                            result: Some(conclude::result_of(&product)),
                            files: Vec::new(),
                        };
                        conclude::one(context, leased, &job, verdict).await;
                        ends.remove(&job);
                    }
                    other => {
                        if let Some(place) = ends.get_mut(&job) {
                            *place = Some(other);
                        }
                    }
                },
            }
        }
    };
    let (end, ()) = tokio::join!(running, listening);
    (ends, end)
}

/// The end of a job with what only we know of it: pictures that were missing when the source arrived, and why it was not
/// made on a device; facts would not have been anyway.
fn explained(leased: &Leased, job: &JobId, mut end: JobEnd) -> JobEnd {
    let row = leased.jobs.iter().find(|row| row.id == *job);
    let product = match &mut end {
        JobEnd::Success(product) => product,
        JobEnd::Rejected { found, .. } => found,
        JobEnd::Skipped { .. } | JobEnd::Failed { .. } => return end,
    };
    product
        .warnings
        .extend(leased.order.parts.as_ref().and_then(Parts::gaps_told));
    if let Some(row) = row.filter(|row| row.kind != ActivityKind::Analysis) {
        leased.ground.explain(product, row.software.as_deref());
    }
    end
}

/// What becomes of each job, the pass having ended so. `intent` is what a user asked of the task meanwhile.
pub(super) fn fates(
    policy: RetryPolicy,
    (jobs, ground): (&[JobRow], &Ground),
    mut ends: Ends,
    end: &AttemptEnd,
    intent: Option<Intent>,
    now: crate::base::clock::UtcMs,
) -> Vec<(JobId, Fate)> {
    let fused = jobs.len() > 1;
    // A source that failed the attempt fails all of it: what was made of it before may be made of other bytes.
    let spoilt = end
        .fault
        .as_ref()
        .filter(|fault| fault.blame == Blame::Source && !end.crashed);
    jobs.iter()
        .filter_map(|job| {
            let said = ends.remove(&job.id)?;
            let next = |fault: &Fault, crashed: bool| match ground.device {
                Some(_) => policy.next_on_device(fault, (job.tries, job.waits), (crashed, fused), ground.policy),
                None => policy.next(fault, job.tries, crashed && fused),
            };
            let verdict = |fault: &Fault, crashed: bool| match next(fault, crashed) {
                NextTry::After {
                    delay_ms,
                    apart,
                    software,
                    counted,
                } => Verdict::Again {
                    fault: fault.clone(),
                    not_before: now.plus_ms(delay_ms),
                    apart,
                    software: software.then(|| ground.left(fault)),
                    counted,
                },
                NextTry::No => Verdict::Failed(fault.clone()),
            };
            let fate = match (said, spoilt) {
                _ if end.stopped => Fate::Verdict(match intent {
                    Some(Intent::Cancel) => Verdict::Canceled,
                    _ => Verdict::Requeued,
                }),
                (Some(JobEnd::Failed { fault }), _) => Fate::Verdict(verdict(&fault, false)),
                (_, Some(fault)) => Fate::Verdict(verdict(fault, false)),
                (Some(JobEnd::Rejected { fault, found }), None) => Fate::Verdict(match verdict(&fault, false) {
                    Verdict::Failed(fault) => Verdict::Rejected {
                        fault,
                        result: Box::new(conclude::result_of(&found)),
                        measured: found.measured,
                    },
                    again => again,
                }),
                (Some(JobEnd::Success(product)), None) => Fate::Publish(named(product, &job.activity)),
                (Some(JobEnd::Skipped { reason }), None) => Fate::Verdict(Verdict::Skipped { reason }),
                (None, None) => {
                    let fault = end.fault.clone().unwrap_or_else(|| silent(job));
                    Fate::Verdict(verdict(&fault, end.crashed))
                }
            };
            Some((job.id.clone(), fate))
        })
        .collect()
}

/// The worker knows jobs by id only: outputs without a name of their own, pictures, bear their activity's.
fn named(mut product: JobProduct, activity: &str) -> JobProduct {
    for output in product.outputs.iter_mut().filter(|output| output.name.is_empty()) {
        activity.clone_into(&mut output.name);
    }
    product
}

/// How the attempt's row tells its end.
pub(super) fn outcome(end: &AttemptEnd) -> Outcome {
    match end {
        AttemptEnd { stopped: true, .. } => Outcome::Stopped,
        AttemptEnd { crashed: true, .. } => Outcome::Crashed,
        AttemptEnd { fault: Some(_), .. } => Outcome::Failed,
        AttemptEnd { fault: None, .. } => Outcome::Done,
    }
}

fn bug(job: &JobRow) -> Fault {
    Fault::new(
        "SchedulerBug",
        Blame::Bug,
        "run job",
        job.activity.clone(),
        "the daemon's own code failed while it drove the attempt",
        "Report this with the daemon's log.",
    )
}

fn silent(job: &JobRow) -> Fault {
    Fault::new(
        "WorkerSilent",
        Blame::Bug,
        "run job",
        job.activity.clone(),
        "the worker ended well without a word on this job",
        "Report this with the daemon's log.",
    )
    .retryable(true)
}

fn show(context: &Context, leased: &Leased, progress: Progress) {
    context.board.put(
        &leased.order.attempt,
        Running {
            task: leased.order.task.clone(),
            jobs: leased.jobs.iter().map(|job| job.id.clone()).collect(),
            percent: progress.percent,
            frames: progress.frames,
            fps: progress.fps,
            speed: progress.speed,
            eta_s: progress.eta_s,
            device: leased.ground.device.as_ref().map(|held| RunsOn {
                ordinal: held.ordinal,
                name: context
                    .devices
                    .lock()
                    .one(&held.uuid)
                    .map_or_else(String::new, |device| device.facts().name.clone()),
            }),
        },
    );
}
