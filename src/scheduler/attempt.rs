//! One attempt from its lease to its end.
//!
//! Guarantees: whatever the worker does, every job of the attempt gets a verdict or goes back to the queue; what the
//! source says of itself is kept as soon as it is known. Deliberately absent: publishing (`publication`).

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::base::progress_board::Running;
use crate::executor::AttemptEnd;
use crate::executor::AttemptOrder;
use crate::executor::AttemptUpdate;
use crate::media::product::JobEnd;
use crate::media::product::JobProduct;
use crate::media::progress::Progress;
use crate::scheduler::conclude;
use crate::scheduler::context::Context;
use crate::scheduler::retry::NextTry;
use crate::scheduler::retry::RetryPolicy;
use crate::store::attempts::Outcome;
use crate::store::conclusions::Verdict;
use crate::store::intents::Intent;
use crate::store::jobs::JobRow;
use crate::store::tasks::TaskRow;
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
}

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
            "attempt begins"
        );
        show(&context, &leased, Progress::default());
        let (ends, end) = carry_out(&context, &leased, stop).await;
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
    context.leave(&attempt);
}

/// Runs the worker, keeping what it says. Jobs whose end was concluded at once are not in the answer.
async fn carry_out(
    context: &Context,
    leased: &Leased,
    stop: CancellationToken,
) -> (HashMap<JobId, Option<JobEnd>>, AttemptEnd) {
    // None: not heard of yet. Jobs leave the map when they are concluded on the way.
    let mut ends: HashMap<JobId, Option<JobEnd>> = leased.jobs.iter().map(|job| (job.id.clone(), None)).collect();
    let (updates, mut heard) = mpsc::channel(64);
    let running = context.executor.carry_out(leased.order.clone(), updates, stop);
    let listening = async {
        while let Some(update) = heard.recv().await {
            match update {
                AttemptUpdate::Facts(facts) => {
                    let media = &leased.task.media;
                    let kept = context.insist("facts", || context.store.set_facts(media, &facts)).await;
                    if let Err(error) = kept {
                        tracing::error!(%error, "the facts of a source could not be kept");
                    }
                }
                AttemptUpdate::Progress(progress) => show(context, leased, progress),
                AttemptUpdate::JobEnded(job, end) => match *end {
                    // Facts need no pass to end and have nothing to publish: they are told at once.
                    JobEnd::Success(product) if product.outputs.is_empty() => {
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

/// What becomes of each job, the pass having ended so. `intent` is what a user asked of the task meanwhile.
pub(super) fn fates(
    policy: RetryPolicy,
    jobs: &[JobRow],
    mut ends: HashMap<JobId, Option<JobEnd>>,
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
            let verdict = |fault: &Fault, crashed: bool| match policy.next(fault, job.tries, crashed && fused) {
                NextTry::After { delay_ms, apart } => Verdict::Again {
                    fault: fault.clone(),
                    not_before: now.plus_ms(delay_ms),
                    apart,
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
        },
    );
}
