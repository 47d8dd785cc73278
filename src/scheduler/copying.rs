//! One copy of a source, or of what earlier activities made, to another storage.
//!
//! Guarantees: names are reserved by committed intents before a byte goes under them, like those of every output; what
//! belongs together keeps its places relative to each other, so that manifests stay right. Deliberately absent: moving
//! the bytes (`executor::publish`).

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::OutputId;
use crate::executor::AttemptEnd;
use crate::executor::Identity;
use crate::media::product::ProductKind;
use crate::objects::uri::ObjectUri;
use crate::scheduler::conclude;
use crate::scheduler::context::Context;
use crate::scheduler::errands;
use crate::scheduler::errands::Errand;
use crate::scheduler::order;
use crate::scheduler::publication;
use crate::store::conclusions::Verdict;
use crate::store::jobs::JobResult;
use crate::store::outputs::IntentRow;
use crate::store::outputs::OutputDetail;
use crate::store::outputs::OutputRow;
use crate::store::outputs::RenditionRow;
use crate::store::outputs::Reservation;
use crate::store::outputs::Reserved;
use crate::workflow::deed::CopyRule;
use crate::workflow::resolved::OnConflict;
use tokio_util::sync::CancellationToken;

/// Most files of one copy: segments of a long film in every rung.
const FILES: u32 = 200_000;
/// Highest version that is tried.
const VERSIONS: u32 = 10_000;
/// Fault code of the executor: another object stands under the name.
const OUTPUT_TAKEN: &str = "OutputTaken";

/// What is copied: one output, or the source.
struct Original {
    /// As it is known; its keys are those of the original.
    output: OutputRow,
    files: Vec<OriginalFile>,
}

/// One file of it.
struct OriginalFile {
    object: ObjectUri,
    size_bytes: u64,
    md5: String,
    /// ETag with which it has this hash, where it lies in a bucket and both were looked at together.
    etag: Option<String>,
}

/// Copies, and concludes the job.
pub(super) async fn run(context: &Context, errand: &Errand, rule: &CopyRule, stop: CancellationToken) {
    let reserved = tokio::select! {
        reserved = reserve(context, errand, rule) => reserved,
        () = stop.cancelled() => Err(stopped(errand)),
    };
    match reserved {
        Ok(Some(verdict)) => errands::finish(context, errand, verdict).await,
        Ok(None) => {
            // From here on a cancel means finish.
            let leased = &errand.leased;
            let storages: Vec<String> = publication::storages_of(context, &errand.job.id)
                .await
                .into_iter()
                .collect();
            let mut fault = None;
            if let Some(verdict) = publication::publish(context, leased, &errand.job.id, None).await {
                if let Verdict::Failed(why) | Verdict::Again { fault: why, .. } = &verdict {
                    fault = Some(why.clone());
                }
                conclude::one(context, leased, &errand.job.id, verdict).await;
            }
            let end = AttemptEnd {
                fault,
                crashed: false,
                stopped: false,
                cost: None,
            };
            conclude::end_attempt(context, leased, &end, storages).await;
        }
        Err(fault) => {
            let verdict = errands::failed(context, errand, &fault, &stop).await;
            errands::finish(context, errand, verdict).await;
        }
    }
}

/// Finds out what there is to copy and reserves the names. None: they are reserved; else the job is decided.
async fn reserve(context: &Context, errand: &Errand, rule: &CopyRule) -> Result<Option<Verdict>, Fault> {
    let originals = match rule.outputs_of.is_empty() {
        true => vec![source(context, errand).await?],
        false => outputs(context, errand, rule).await?,
    };
    if originals.iter().all(|original| original.files.is_empty()) {
        return Ok(Some(Verdict::Skipped {
            reason: "the activities it copies from made nothing".to_owned(),
        }));
    }
    let on_conflict = errand.leased.task.output(&errand.leased.workflow).on_conflict;
    let mut version = 1;
    while version < VERSIONS {
        let names = Names::new(rule, &originals, version);
        if let Some(own) = itself(&names, &originals) {
            return Err(own);
        }
        let overwrite = on_conflict == OnConflict::Overwrite;
        if !overwrite && let Some(object) = standing(context, &names, &originals).await? {
            if on_conflict == OnConflict::Fail {
                return Err(taken(&object));
            }
            version += 1;
            continue;
        }
        let reservation = reservation(errand, &originals, &names, overwrite);
        let answer = context
            .insist("intents", || context.store.reserve(reservation.clone(), context.now()))
            .await
            .map_err(|error| error.fault(errand.job.id.to_string()))?;
        match answer {
            Reserved::Yes => return Ok(None),
            Reserved::Canceled => return Ok(Some(Verdict::Canceled)),
            Reserved::Stale => return Ok(Some(Verdict::Requeued)),
            Reserved::Taken(object) if on_conflict == OnConflict::Fail => return Err(taken(&object)),
            // Another task overwrites the same key right now: after it is before us.
            Reserved::Taken(object) if overwrite => return Err(taken(&object).retryable(true)),
            Reserved::Taken(_) => version += 1,
        }
    }
    Err(taken(&ObjectUri::new(rule.storage.clone(), rule.prefix.clone())))
}

/// The source as something to copy: all that arrived as it, or nothing.
async fn source(context: &Context, errand: &Errand) -> Result<Original, Fault> {
    let source = &errand.media.source;
    let group = errand.media.parts.as_ref().filter(|parts| parts.is_group());
    let mut files = Vec::new();
    match group {
        None => files.push(original(context, &source.object, &order::identity(source)).await?),
        Some(parts) => {
            for member in parts.members.iter().chain(&parts.attendants) {
                let object = ObjectUri::new(source.object.storage.as_str(), member.key.as_str());
                let arrived = Identity {
                    size_bytes: member.size_bytes,
                    mtime_ns: member.mtime_ns,
                    etag: member.etag.clone(),
                };
                files.push(original(context, &object, &arrived).await?);
            }
            // Reading them took its time: they are one media only as they stood together.
            for (file, member) in files.iter().zip(parts.members.iter().chain(&parts.attendants)) {
                let found = context.executor.head(&file.object).await?;
                let is_same = |found: &Identity| {
                    found.size_bytes == member.size_bytes && (member.mtime_ns == 0 || found.mtime_ns == member.mtime_ns)
                };
                if !found.as_ref().is_some_and(is_same) {
                    return Err(changed(&file.object));
                }
            }
        }
    }
    let main = files.iter().find(|file| file.object == source.object);
    Ok(Original {
        output: OutputRow {
            id: OutputId::fresh(),
            job: errand.job.id.clone(),
            group: None,
            group_name: String::new(),
            name: errand.activity.id.clone(),
            kind: ProductKind::File,
            main: source.object.clone(),
            size_bytes: files.iter().map(|file| file.size_bytes).sum(),
            md5: main.map(|file| file.md5.clone()),
            published: false,
            detail: OutputDetail {
                facts: errand.media.facts.clone(),
                ..OutputDetail::default()
            },
        },
        files,
    })
}

/// One file as it arrived, with its hash; else a fault.
async fn original(context: &Context, object: &ObjectUri, arrived: &Identity) -> Result<OriginalFile, Fault> {
    let changed = || changed(object);
    let found = context.executor.head(object).await?.ok_or_else(changed)?;
    if !arrived.is_same(&found) {
        return Err(changed());
    }
    let (size_bytes, md5) = context.executor.measure(object).await?.ok_or_else(changed)?;
    // Once more: the hash is that of this content only when it was the same before and after.
    let after = context.executor.head(object).await?.ok_or_else(changed)?;
    if size_bytes != arrived.size_bytes || !found.is_same(&after) {
        return Err(changed());
    }
    Ok(OriginalFile {
        object: object.clone(),
        size_bytes,
        md5,
        etag: Some(found.etag).filter(|etag| !etag.is_empty()),
    })
}

/// The fault of a file that is not what arrived.
fn changed(object: &ObjectUri) -> Fault {
    Fault::new(
        "SourceChanged",
        Blame::Source,
        "copy",
        object.to_string(),
        "what stands there now is not what arrived",
        "Nothing: what stands there now runs as a new arrival.",
    )
}

/// What earlier activities published.
async fn outputs(context: &Context, errand: &Errand, rule: &CopyRule) -> Result<Vec<Original>, Fault> {
    let failed = |error: crate::store::error::StoreError| error.fault(errand.job.id.to_string());
    let mut found = Vec::new();
    for job in context
        .store
        .jobs_of_task(&errand.leased.task.id)
        .await
        .map_err(failed)?
    {
        if !rule.outputs_of.contains(&job.activity) {
            continue;
        }
        let files = context.store.files_of_job(&job.id, FILES).await.map_err(failed)?;
        for output in context.store.outputs_of_job(&job.id).await.map_err(failed)? {
            let own = files.iter().filter(|file| file.output == output.id && output.published);
            found.push(Original {
                files: own
                    .map(|file| OriginalFile {
                        object: file.object.clone(),
                        size_bytes: file.size_bytes,
                        md5: file.md5.clone(),
                        etag: None,
                    })
                    .collect(),
                output,
            });
        }
    }
    found.retain(|original| !original.files.is_empty());
    Ok(found)
}

/// The names of the copies under one version: the original's key beneath the prefix. A further version of single files
/// has `-N` on the stem; sets, whose files name each other, lie in a folder `N/` beneath the prefix instead.
struct Names<'a> {
    rule: &'a CopyRule,
    version: u32,
    sets: bool,
}

impl<'a> Names<'a> {
    fn new(rule: &'a CopyRule, originals: &[Original], version: u32) -> Self {
        Names {
            rule,
            version,
            sets: originals.iter().any(|original| original.files.len() > 1),
        }
    }

    fn key(&self, key: &str) -> String {
        let prefix = &self.rule.prefix;
        match (self.version, self.sets) {
            (1, _) => format!("{prefix}{key}"),
            (version, true) => format!("{prefix}{version}/{key}"),
            (version, false) => match key.rsplit_once('.') {
                Some((stem, extension)) if !extension.contains('/') && !stem.is_empty() => {
                    format!("{prefix}{stem}-{version}.{extension}")
                }
                _ => format!("{prefix}{key}-{version}"),
            },
        }
    }

    fn object(&self, key: &str) -> ObjectUri {
        ObjectUri::new(self.rule.storage.clone(), self.key(key))
    }
}

/// The fault of a copy that would replace what it is made of.
fn itself(names: &Names<'_>, originals: &[Original]) -> Option<Fault> {
    let mut files = originals.iter().flat_map(|original| &original.files);
    let file = files.find(|file| names.object(&file.object.key) == file.object)?;
    Some(Fault::new(
        "CopyOntoItself",
        Blame::Request,
        "copy",
        file.object.to_string(),
        "its copy would have the same name in the same storage",
        "Give the copy a prefix, or another storage.",
    ))
}

/// The first name that is taken by something else than this very copy.
async fn standing(context: &Context, names: &Names<'_>, originals: &[Original]) -> Result<Option<ObjectUri>, Fault> {
    for original in originals {
        // The one that is named last tells whether a set is there; the first whether one was begun.
        for file in original.files.first().into_iter().chain(original.files.last()) {
            let object = names.object(&file.object.key);
            if context.executor.head(&object).await?.is_some() {
                return Ok(Some(object));
            }
        }
    }
    Ok(None)
}

fn reservation(errand: &Errand, originals: &[Original], names: &Names<'_>, overwrite: bool) -> Reservation {
    let mut outputs = Vec::new();
    let mut intents = Vec::new();
    for original in originals {
        let id = OutputId::fresh();
        for (ordinal, file) in original.files.iter().enumerate() {
            intents.push(IntentRow {
                output: id.clone(),
                ordinal: u32::try_from(ordinal).unwrap_or(u32::MAX),
                to: names.object(&file.object.key),
                scratch_path: String::new(),
                from: Some(file.object.clone()),
                from_etag: file.etag.clone(),
                size_bytes: file.size_bytes,
                md5: file.md5.clone(),
                overwrite,
            });
        }
        let known = &original.output;
        let key = |key: &String| names.key(key);
        let detail = OutputDetail {
            renditions: known
                .detail
                .renditions
                .iter()
                .map(|rendition| RenditionRow {
                    id: OutputId::fresh(),
                    key: names.key(&rendition.key),
                    ..rendition.clone()
                })
                .collect(),
            pattern: known.detail.pattern.as_ref().map(key),
            webvtt: known.detail.webvtt.as_ref().map(key),
            ..known.detail.clone()
        };
        outputs.push(OutputRow {
            id,
            job: errand.job.id.clone(),
            group: None,
            group_name: String::new(),
            main: names.object(&known.main.key),
            published: false,
            detail,
            ..known.clone()
        });
    }
    Reservation {
        attempt: errand.leased.order.attempt.clone(),
        job: errand.job.id.clone(),
        result: JobResult {
            backend: "none".to_owned(),
            ..JobResult::default()
        },
        outputs,
        intents,
        series: Vec::new(),
        measured: None,
    }
}

fn taken(object: &ObjectUri) -> Fault {
    Fault::new(
        OUTPUT_TAKEN,
        Blame::Request,
        "copy",
        object.to_string(),
        "another object stands under this name, and output.on_conflict does not let us replace it",
        "Remove or rename it, or set on_conflict to version or overwrite.",
    )
}

fn stopped(errand: &Errand) -> Fault {
    Fault::new(
        "Stopped",
        Blame::Host,
        "copy",
        errand.media.source.object.to_string(),
        "it was stopped before its names were reserved",
        "Nothing: it is copied again when it is needed.",
    )
}
