//! From the files a worker proved to objects under their final names.
//!
//! Guarantees: the intent is committed before the first name appears; a key that is taken is never replaced unless the
//! rule says overwrite; after a death the same intents are published again and nothing else. Deliberately absent: the
//! copying itself (`executor`), and removing segments of sets that were overwritten.

use crate::base::backoff;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::executor::Identity;
use crate::executor::PublishFile;
use crate::media::product::JobProduct;
use crate::scheduler::attempt::Leased;
use crate::scheduler::conclude;
use crate::scheduler::context::Context;
use crate::scheduler::draft;
use crate::scheduler::draft::Draft;
use crate::scheduler::retry::NextTry;
use crate::store::conclusions::Verdict;
use crate::store::intents::Intent;
use crate::store::outputs::IntentRow;
use crate::store::outputs::Reservation;
use crate::store::outputs::Reserved;
use crate::store::outputs::StoodFile;
use crate::workflow::resolved::OnConflict;
use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;
use std::time::Instant;

/// Fault code of the executor: another object stands under the name.
const OUTPUT_TAKEN: &str = "OutputTaken";
/// Fault code of the executor: the proved file is gone from scratch.
const SCRATCH_LOST: &str = "ScratchLost";
/// Fault codes of storages: it is not there at the moment.
const AWAY: [&str; 3] = ["StorageNotAnswering", "StorageOffline", "StorageHangs"];
/// How long a storage that is away is waited for.
const AWAY_FOR: Duration = Duration::from_secs(24 * 3_600);
/// Longest wait between two looks whether it is back.
const AWAY_CEILING_MS: i64 = 60_000;
/// Highest `-N` tried on a stem.
const VERSIONS: u32 = 10_000;
/// How often another version is tried when names that looked free turn out to be taken. More than that is no race but
/// a folder that cannot be made.
const RENAMES: u32 = 8;

/// What preparing came to.
pub(super) enum Prepared {
    /// The intents are committed.
    Reserved,
    /// The job is decided without publishing.
    Verdict(Box<Verdict>),
    /// The job is not this attempt's any more.
    Stale,
}

/// Why an operation on a storage was given up.
enum Halt {
    /// It failed for good, or too often.
    Fault(Fault),
    /// The daemon is leaving.
    Leaving,
}

/// Chooses the names of a job's outputs and commits the intents.
pub(super) async fn prepare(context: &Context, leased: &Leased, job: &JobId, product: &JobProduct) -> Prepared {
    if product.outputs.is_empty() {
        return Prepared::Verdict(Box::new(Verdict::Success {
            result: Some(conclude::result_of(product)),
            files: Vec::new(),
        }));
    }
    match reserve(context, leased, job, product, 1).await {
        Ok(Reserved::Yes) => Prepared::Reserved,
        Ok(Reserved::Canceled) => Prepared::Verdict(Box::new(Verdict::Canceled)),
        Ok(Reserved::Stale | Reserved::Taken(_)) => Prepared::Stale,
        Err(Halt::Leaving) => Prepared::Verdict(Box::new(Verdict::Requeued)),
        Err(Halt::Fault(fault)) => Prepared::Verdict(Box::new(Verdict::Failed(fault))),
    }
}

/// Publishes what was reserved. None: it has to wait for the next start. `product` is known when the attempt was made by this
/// process; only then other names can be chosen.
pub(super) async fn publish(
    context: &Context,
    leased: &Leased,
    job: &JobId,
    product: Option<&JobProduct>,
) -> Option<Verdict> {
    let rule = leased.task.output(&leased.workflow).on_conflict;
    let mut version = 1;
    loop {
        let intents = match context.insist("intents", || context.store.intents_of_job(job)).await {
            Ok(intents) => intents,
            Err(error) => {
                tracing::error!(%job, %error, "intents cannot be read");
                return None;
            }
        };
        let files: Vec<PublishFile> = intents.iter().map(publish_file).collect();
        let attempt = &leased.order.attempt;
        let fault = match patiently(context, leased, || context.executor.publish(attempt, &files)).await {
            Ok(stand) => {
                let size_bytes: u64 = intents.iter().map(|intent| intent.size_bytes).sum();
                tracing::info!(%job, files = files.len(), size_bytes, "outputs stand under their names");
                context.tally.published(size_bytes);
                return Some(Verdict::Success {
                    result: None,
                    files: stood(&intents, stand),
                });
            }
            Err(Halt::Leaving) => return None,
            Err(Halt::Fault(fault)) => fault,
        };
        withdraw(context, job, &files).await;
        // Someone put an object there between our look and our rename.
        if fault.code == OUTPUT_TAKEN && rule == OnConflict::Version {
            let Some(product) = product else {
                return Some(again(context, leased, job, fault));
            };
            version += 1;
            if version > RENAMES {
                return Some(Verdict::Failed(fault));
            }
            match reserve(context, leased, job, product, version).await {
                Ok(Reserved::Yes) => {}
                Ok(_) => return Some(Verdict::Failed(fault)),
                Err(Halt::Leaving) => return None,
                Err(Halt::Fault(fault)) => return Some(Verdict::Failed(fault)),
            }
        } else if fault.code == SCRATCH_LOST {
            return Some(again(context, leased, job, fault));
        } else {
            return Some(Verdict::Failed(fault));
        }
    }
}

/// Takes back what a publish that failed has named, and lets go of names under which somebody else's objects stand.
async fn withdraw(context: &Context, job: &JobId, files: &[PublishFile]) {
    let strange = tokio::select! {
        strange = context.executor.withdraw(files) => strange,
        () = context.last_call.cancelled() => return,
    };
    if strange.is_empty() {
        return;
    }
    let disowned = context
        .insist("strange names", || context.store.disown(job, strange.clone()))
        .await;
    if let Err(error) = disowned {
        tracing::error!(%job, %error, "what others put under our names could not be told from ours");
    }
}

/// The work has to be done again.
fn again(context: &Context, leased: &Leased, job: &JobId, fault: Fault) -> Verdict {
    let tries = leased.jobs.iter().find(|row| row.id == *job).map_or(0, |row| row.tries);
    let fault = fault.retryable(true);
    match context.options.retry.next(&fault, tries, false) {
        NextTry::After { delay_ms, apart, .. } => Verdict::Again {
            fault,
            not_before: context.now().plus_ms(delay_ms),
            apart,
            software: None,
            counted: true,
        },
        NextTry::No => Verdict::Failed(fault),
    }
}

/// Finds free names, from version `first` on, and reserves them.
async fn reserve(
    context: &Context,
    leased: &Leased,
    job: &JobId,
    product: &JobProduct,
    first: u32,
) -> Result<Reserved, Halt> {
    let draft = Draft::new(leased, job, product).map_err(Halt::Fault)?;
    let rule = leased.task.output(&leased.workflow).on_conflict;
    let mut version = first;
    let mut waits = 0;
    while version < VERSIONS {
        let plan = draft.version(version);
        let standing = first_standing(context, leased, &plan.telling_keys()).await?;
        let plan = match (rule, standing) {
            (_, None) => plan,
            (OnConflict::Version, Some(_)) => {
                version += 1;
                continue;
            }
            (OnConflict::Fail, Some(object)) => return Err(Halt::Fault(taken(&object.to_string()))),
            // A set is swapped by its manifest: its segments need names that nothing refers to yet.
            (OnConflict::Overwrite, Some(_)) => fresh_insides(context, leased, &draft).await?,
        };
        let reservation = write_names(context, leased, job, product, &plan, rule).await?;
        let answer = context
            .insist("intents", || context.store.reserve(reservation.clone(), context.now()))
            .await
            .map_err(|error| Halt::Fault(error.fault(job.to_string())))?;
        match answer {
            Reserved::Taken(_) if rule == OnConflict::Version => version += 1,
            Reserved::Taken(object) if rule == OnConflict::Fail => {
                return Err(Halt::Fault(taken(&object.to_string())));
            }
            // Another task overwrites the same key right now: after it is before us.
            Reserved::Taken(object) => {
                waits += 1;
                if waits > 600 {
                    return Err(Halt::Fault(taken(&object.to_string())));
                }
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(500)) => {}
                    () = context.last_call.cancelled() => return Err(Halt::Leaving),
                }
            }
            other => return Ok(other),
        }
    }
    Err(Halt::Fault(taken(&draft.version(1).main_key())))
}

/// The plan under the plain names whose inner files take the first folder that is free.
async fn fresh_insides<'a>(context: &Context, leased: &Leased, draft: &'a Draft<'a>) -> Result<draft::Plan, Halt> {
    for version in 1..VERSIONS {
        let plan = draft.overwriting(version);
        if first_standing(context, leased, &plan.inside_keys()).await?.is_none() {
            return Ok(plan);
        }
    }
    Err(Halt::Fault(taken(&draft.version(1).main_key())))
}

/// The first of `objects` that exists.
async fn first_standing(
    context: &Context,
    leased: &Leased,
    objects: &[crate::objects::uri::ObjectUri],
) -> Result<Option<crate::objects::uri::ObjectUri>, Halt> {
    for object in objects {
        if patiently(context, leased, || context.executor.head(object))
            .await?
            .is_some()
        {
            return Ok(Some(object.clone()));
        }
    }
    Ok(None)
}

/// Writes final names into the files that name others, and puts the reservation together.
async fn write_names(
    context: &Context,
    leased: &Leased,
    job: &JobId,
    product: &JobProduct,
    plan: &draft::Plan,
    rule: OnConflict,
) -> Result<Reservation, Halt> {
    let attempt = &leased.order.attempt;
    let mut written = Vec::new();
    for (output, keys) in product.outputs.iter().zip(&plan.keys) {
        let mut files = Vec::with_capacity(output.files.len());
        for (file, (_, key)) in output.files.iter().zip(keys) {
            files.push(match file.names_others {
                true => {
                    let write = || context.executor.write_names(attempt, file, key, keys.clone());
                    patiently(context, leased, write).await?
                }
                false => file.clone(),
            });
        }
        written.push(files);
    }
    Ok(draft::reservation(
        leased,
        job,
        product,
        plan,
        &written,
        rule == OnConflict::Overwrite,
    ))
}

/// Storages that a job publishes to.
pub(super) async fn storages_of(context: &Context, job: &JobId) -> BTreeSet<String> {
    match context.store.intents_of_job(job).await {
        Ok(intents) => intents.into_iter().map(|intent| intent.to.storage).collect(),
        Err(_) => BTreeSet::new(),
    }
}

/// What stands under the names, for the ledger to know our own outputs by.
fn stood(intents: &[IntentRow], stand: Vec<Identity>) -> Vec<StoodFile> {
    let pairs = intents.iter().zip(stand);
    pairs
        .map(|(intent, identity)| StoodFile {
            at: intent.to.clone(),
            mtime_ns: identity.mtime_ns,
            etag: identity.etag,
        })
        .collect()
}

/// Does `work` on a storage until it succeeds, fails for good, or has failed too often. No capacity is held
/// meanwhile, and nothing has to be encoded again when a storage comes back: one that is away is waited for, unless
/// somebody cancels the task.
async fn patiently<T, F>(context: &Context, leased: &Leased, mut work: impl FnMut() -> F) -> Result<T, Halt>
where
    F: Future<Output = Result<T, Fault>>,
{
    let policy = context.options.retry;
    let begun = Instant::now();
    let mut tries = 0;
    loop {
        // What is not done when the daemon has to leave is done at the next start: every step may be repeated.
        let answer = tokio::select! {
            biased;
            answer = work() => answer,
            () = context.last_call.cancelled() => return Err(Halt::Leaving),
        };
        let fault = match answer {
            Ok(value) => return Ok(value),
            Err(fault) => fault,
        };
        tries += 1;
        let enough = match AWAY.contains(&fault.code.as_str()) {
            true => begun.elapsed() >= AWAY_FOR || (tries >= policy.tries && is_canceled(context, leased).await),
            false => tries >= policy.tries,
        };
        if !fault.retryable || fault.code == SCRATCH_LOST || enough {
            return Err(Halt::Fault(fault));
        }
        let wait_ms = backoff::delay_ms(tries, policy.first_ms, policy.ceiling_ms.min(AWAY_CEILING_MS));
        tracing::warn!(%fault, wait_ms, "an output storage failed; trying again");
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0))) => {}
            () = context.last_call.cancelled() => return Err(Halt::Leaving),
        }
    }
}

/// Whether somebody has canceled the task meanwhile.
async fn is_canceled(context: &Context, leased: &Leased) -> bool {
    let task = context.store.task(&leased.order.task).await;
    task.is_ok_and(|task| task.intent == Some(Intent::Cancel))
}

fn publish_file(intent: &IntentRow) -> PublishFile {
    PublishFile {
        scratch_path: intent.scratch_path.clone(),
        from: intent.from.clone(),
        from_etag: intent.from_etag.clone(),
        output: intent.output.to_string(),
        to: intent.to.clone(),
        size_bytes: intent.size_bytes,
        md5: intent.md5.clone(),
        overwrite: intent.overwrite,
    }
}

fn taken(object: &str) -> Fault {
    Fault::new(
        OUTPUT_TAKEN,
        Blame::Request,
        "publish",
        object,
        "another object stands under this name, and output.on_conflict does not let us replace it",
        "Remove or rename it, or set on_conflict to version or overwrite.",
    )
}
