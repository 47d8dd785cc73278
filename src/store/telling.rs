//! Events made of rows: what is told of a job's or a task's end.
//!
//! Guarantees: an event holds all that any wire profile needs, taken from the rows of the same transaction; ids of
//! outputs and groups are those of their rows. Deliberately absent: writing events (`announce`) and wire forms.

use super::announce::announce;
use super::error::StoreError;
use super::jobs::JobRow;
use super::listeners;
use super::made;
use super::media::media_row;
use super::outputs::OutputRow;
use super::tasks::TaskRow;
use crate::base::clock::UtcMs;
use crate::base::ids::EventId;
use crate::base::ids::MediaId;
use crate::events::ActivityBrief;
use crate::events::Detail;
use crate::events::Event;
use crate::events::JobBrief;
use crate::events::LegacyFact;
use crate::events::MediaBrief;
use crate::events::Purpose;
use crate::events::TaskBrief;
use crate::events::library::LibraryFact;
use crate::events::made::FileBrief;
use crate::workflow::resolved::Activity;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::status::JobStatus;
use rusqlite::Connection;

/// A fact of the library outside of any task, under a fresh id: of a media where there is one.
pub(super) fn library_event(
    connection: &Connection,
    media: Option<&MediaId>,
    fact: LibraryFact,
    now: UtcMs,
) -> Result<Event, StoreError> {
    Ok(Event {
        id: EventId::fresh(),
        at: now,
        media: media.map(|media| media_brief(connection, media)).transpose()?,
        task: None,
        job: None,
        detail: Detail::Library { fact: Box::new(fact) },
    })
}

/// An event of `task` under a fresh id.
pub(super) fn event(
    connection: &Connection,
    task: &TaskRow,
    job: Option<JobBrief>,
    detail: Detail,
    now: UtcMs,
) -> Result<Event, StoreError> {
    Ok(Event {
        id: EventId::fresh(),
        at: now,
        media: Some(media_brief(connection, &task.media)?),
        task: Some(task_brief(task)),
        job,
        detail,
    })
}

/// Announces that the first job of a task began. A registration is told by its end alone.
pub(super) fn tell_begin(
    connection: &Connection,
    task: &TaskRow,
    workflow: &ResolvedWorkflow,
    now: UtcMs,
) -> Result<(), StoreError> {
    if task.purpose == Purpose::Register {
        return Ok(());
    }
    let event = event(connection, task, None, Detail::TaskStarted, now)?;
    announce(connection, &event, task.callback(workflow))
}

fn media_brief(connection: &Connection, media: &MediaId) -> Result<MediaBrief, StoreError> {
    let media = media_row(connection, media)?;
    Ok(MediaBrief {
        id: media.id,
        object: media.source.object,
        size_bytes: media.source.size_bytes,
    })
}

fn task_brief(task: &TaskRow) -> TaskBrief {
    TaskBrief {
        id: task.id.clone(),
        workflow: task.workflow.clone(),
        workflow_name: task.workflow_name.clone(),
        trigger: task.trigger,
        purpose: task.purpose,
        user_data: task.user_data.clone(),
        created_at: task.created_at,
    }
}

/// A job as events tell it.
pub(super) fn brief(activity: &Activity, job: &JobRow) -> JobBrief {
    JobBrief {
        id: job.id.clone(),
        activity: job.activity.clone(),
        kind: job.kind,
        status: job.status,
        template: activity.template.clone(),
        parameters: activity.parameters.clone(),
        submitted_at: job.ready_at.unwrap_or(job.created_at),
        finished_at: job.ended_at,
        // A success after a retry remembers the fault in its row; it is no news.
        fault: job.fault.clone().filter(|_| job.status == JobStatus::Fail),
        backend: job.result.as_ref().map(|result| result.backend.clone()),
        fallback_reason: job.result.as_ref().and_then(|result| result.fallback_reason.clone()),
        partial: job.result.as_ref().is_some_and(|result| result.partial),
        failed_outputs: job
            .result
            .as_ref()
            .map_or_else(Vec::new, |result| result.failed_outputs.clone()),
    }
}

/// All activities as the event that ends a task tells them.
pub(super) fn activities(workflow: &ResolvedWorkflow, rows: &[JobRow]) -> Vec<ActivityBrief> {
    workflow
        .activities
        .iter()
        .zip(rows)
        .map(|(activity, job)| ActivityBrief {
            job: brief(activity, job),
            started_at: job.started_at,
            event: job.told.clone().map(Box::new),
        })
        .collect()
}

/// What is known of the source of a task, in brief, for the event that ends it.
pub(super) fn source(connection: &Connection, task: &TaskRow) -> Result<Option<Box<FileBrief>>, StoreError> {
    let facts = media_row(connection, &task.media)?.facts;
    Ok(facts.map(|facts| Box::new(FileBrief::from(&facts))))
}

/// Announces the end of a job that is Success or Fail, in the order outputs, groups, job, and then in the words of the
/// older calls where somebody listens to them. What told of the job is returned, to be repeated when the task ends;
/// kinds that tell nothing return none. What a person said of a job is told before its end, by whoever concludes it.
pub(super) fn tell_end(
    connection: &Connection,
    task: &TaskRow,
    workflow: &ResolvedWorkflow,
    activity: &Activity,
    job: &JobRow,
    outputs: &[OutputRow],
    now: UtcMs,
) -> Result<Option<Detail>, StoreError> {
    let succeeded = job.status == JobStatus::Success;
    let result = job.result.as_ref().filter(|_| succeeded);
    let mut details = match activity.kind {
        ActivityKind::Noop | ActivityKind::Review => Vec::new(),
        ActivityKind::Hook | ActivityKind::Moderation | ActivityKind::Recognition | ActivityKind::ContentAnalysis => {
            vec![Detail::OpinionEnded {
                opinion: result.and_then(|result| result.opinion.clone()),
            }]
        }
        ActivityKind::Copy => vec![Detail::CopyEnded {
            objects: outputs.iter().map(|output| output.main.clone()).collect(),
        }],
        ActivityKind::Analysis => vec![Detail::AnalysisEnded {
            facts: match succeeded {
                true => media_row(connection, &task.media)?.facts.map(Box::new),
                false => None,
            },
        }],
        ActivityKind::Transcode => {
            let made = made::of_transcode(activity, job, outputs);
            made::transcode_details(outputs, made)
        }
        ActivityKind::Snapshot => vec![made::snapshot(connection, activity, job, outputs)?],
        ActivityKind::Cover => vec![Detail::CoverEnded {
            candidates: made::covers(connection, job, outputs)?,
        }],
        ActivityKind::Qc => vec![Detail::QcEnded {
            // What it found is why it failed.
            report: job.result.as_ref().and_then(|result| result.qc.clone()),
            object: outputs.first().map(|output| output.main.clone()),
        }],
        ActivityKind::DynamicImage => {
            let output = outputs.first();
            vec![Detail::AnimationEnded {
                object: output.map(|output| output.main.clone()),
                size_bytes: output.map_or(0, |output| output.size_bytes),
                md5: output.and_then(|output| output.md5.clone()),
                file: output
                    .and_then(|output| output.detail.facts.as_ref())
                    .map(|facts| Box::new(FileBrief::from(facts))),
            }]
        }
    };
    let brief = brief(activity, job);
    for detail in &details {
        let event = event(connection, task, Some(brief.clone()), detail.clone(), now)?;
        announce(connection, &event, task.callback(workflow))?;
    }
    if activity.kind == ActivityKind::Transcode {
        tell_legacy(connection, task, workflow, &brief, &details, now)?;
    }
    Ok(details.pop())
}

/// The same transcode in the words of the older calls, where somebody listens to them.
fn tell_legacy(
    connection: &Connection,
    task: &TaskRow,
    workflow: &ResolvedWorkflow,
    brief: &JobBrief,
    told: &[Detail],
    now: UtcMs,
) -> Result<(), StoreError> {
    let rule = task.callback(workflow);
    let listeners = listeners::listeners(connection)?;
    let submitted = task.purpose == Purpose::Job;
    let legacy = told.iter().filter_map(|detail| match detail {
        Detail::OutputEnded {
            output,
            object,
            size_bytes,
            facts,
            fault,
            ..
        } => Some(LegacyFact::OutputEnded {
            output: output.clone(),
            object: object.clone(),
            size_bytes: *size_bytes,
            facts: facts.clone(),
            fault: fault.clone(),
        }),
        Detail::TranscodeEnded { outputs } => Some(LegacyFact::JobEnded {
            outputs: outputs.clone(),
        }),
        _ => None,
    });
    for fact in legacy {
        let detail = Detail::Legacy { fact: Box::new(fact) };
        if listeners.any_wants(rule, detail.event_type(Some(brief.kind)), submitted) {
            let event = event(connection, task, Some(brief.clone()), detail, now)?;
            announce(connection, &event, rule)?;
        }
    }
    Ok(())
}
