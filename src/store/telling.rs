//! Events made of rows: what is told of a job's or a task's end.
//!
//! Guarantees: an event holds all that any wire profile needs, taken from the rows of the same transaction; ids of
//! outputs and groups are those of their rows. Deliberately absent: writing events (`announce`) and wire forms.

use super::announce::announce;
use super::covers;
use super::error::StoreError;
use super::jobs::JobRow;
use super::media::media_row;
use super::outputs::OutputRow;
use super::tasks::Purpose;
use super::tasks::TaskRow;
use crate::base::clock::UtcMs;
use crate::base::ids::EventId;
use crate::base::ids::OutputId;
use crate::events::ActivityBrief;
use crate::events::Detail;
use crate::events::Event;
use crate::events::JobBrief;
use crate::events::MediaBrief;
use crate::events::TaskBrief;
use crate::media::product::ProductKind;
use crate::media::spec::MediaWork;
use crate::media::spec::SnapshotMode;
use crate::objects::uri::ObjectUri;
use crate::workflow::resolved::Activity;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::status::JobStatus;
use rusqlite::Connection;

/// An event of `task` under a fresh id.
pub(super) fn event(
    connection: &Connection,
    task: &TaskRow,
    job: Option<JobBrief>,
    detail: Detail,
    now: UtcMs,
) -> Result<Event, StoreError> {
    let media = media_row(connection, &task.media)?;
    Ok(Event {
        id: EventId::fresh(),
        at: now,
        media: Some(MediaBrief {
            id: media.id,
            object: media.source.object,
            size_bytes: media.source.size_bytes,
        }),
        task: Some(TaskBrief {
            id: task.id.clone(),
            workflow: task.workflow.clone(),
            workflow_name: task.workflow_name.clone(),
            trigger: task.trigger,
            user_data: task.user_data.clone(),
            created_at: task.created_at,
        }),
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

/// Announces the end of a job that is Success or Fail, in the order outputs, groups, job. The last is returned, to
/// be repeated when the task ends; kinds that tell nothing return none.
pub(super) fn tell_end(
    connection: &Connection,
    task: &TaskRow,
    workflow: &ResolvedWorkflow,
    activity: &Activity,
    job: &JobRow,
    outputs: &[OutputRow],
    now: UtcMs,
) -> Result<Option<Detail>, StoreError> {
    let mut details = match activity.kind {
        ActivityKind::Noop | ActivityKind::Review => Vec::new(),
        ActivityKind::Hook | ActivityKind::Moderation | ActivityKind::Recognition | ActivityKind::ContentAnalysis => {
            vec![Detail::OpinionEnded {
                opinion: job
                    .result
                    .as_ref()
                    .and_then(|result| result.opinion.clone())
                    .filter(|_| job.status == JobStatus::Success),
            }]
        }
        ActivityKind::Copy => vec![Detail::CopyEnded {
            objects: outputs.iter().map(|output| output.main.clone()).collect(),
        }],
        ActivityKind::Analysis => vec![Detail::AnalysisEnded {
            facts: match job.status {
                JobStatus::Success => media_row(connection, &task.media)?.facts.map(Box::new),
                _ => None,
            },
        }],
        ActivityKind::Transcode => transcode(activity, outputs),
        ActivityKind::Cover if covers::is_choice(activity) => vec![covers::chosen(job, outputs)],
        ActivityKind::Snapshot | ActivityKind::Cover => vec![snapshot(activity, outputs)],
        ActivityKind::Qc => vec![Detail::QcEnded {
            report: job
                .result
                .as_ref()
                .and_then(|result| result.qc.clone())
                .filter(|_| job.status == JobStatus::Success),
            object: outputs.first().map(|output| output.main.clone()),
        }],
        ActivityKind::DynamicImage => vec![Detail::AnimationEnded {
            object: outputs.first().map(|output| output.main.clone()),
        }],
    };
    for detail in &details {
        let event = event(connection, task, Some(brief(activity, job)), detail.clone(), now)?;
        announce(connection, &event, task.callback(workflow))?;
    }
    Ok(details.pop())
}

/// Outputs, then their groups, then the transcode. Nothing was published: all of them are told as failed.
fn transcode(activity: &Activity, outputs: &[OutputRow]) -> Vec<Detail> {
    let mut details = Vec::new();
    let mut groups: Vec<(OutputId, String)> = Vec::new();
    for output in outputs {
        details.extend(published(output));
        if let Some(group) = &output.group
            && groups.iter().all(|(known, _)| known != group)
        {
            groups.push((group.clone(), output.group_name.clone()));
        }
    }
    let ok = !outputs.is_empty();
    if !ok && let Some(MediaWork::Transcode(spec)) = &activity.work {
        for group in &spec.groups {
            let name = group.kind.event_name(&group.name);
            details.extend(group.outputs.iter().map(|output| Detail::OutputEnded {
                output: OutputId::fresh(),
                name: output.name.clone(),
                group: name.clone(),
                object: None,
                size_bytes: 0,
                md5: None,
                facts: None,
            }));
            groups.push((OutputId::fresh(), name));
        }
    }
    details.extend(
        groups
            .into_iter()
            .map(|(group, name)| Detail::OutputGroupEnded { group, name, ok }),
    );
    details.push(Detail::TranscodeEnded);
    details
}

/// A file is one output; a set is one for each of its renditions.
fn published(output: &OutputRow) -> Vec<Detail> {
    if output.detail.renditions.is_empty() {
        return vec![Detail::OutputEnded {
            output: output.id.clone(),
            name: output.name.clone(),
            group: output.group_name.clone(),
            object: Some(output.main.clone()),
            size_bytes: output.size_bytes,
            md5: output.md5.clone(),
            facts: output.detail.facts.clone().map(Box::new),
        }];
    }
    let renditions = output.detail.renditions.iter();
    renditions
        .map(|rendition| Detail::OutputEnded {
            output: rendition.id.clone(),
            name: rendition.name.clone(),
            group: output.group_name.clone(),
            object: Some(ObjectUri::new(output.main.storage.clone(), rendition.key.clone())),
            size_bytes: rendition.size_bytes,
            md5: None,
            facts: Some(Box::new(rendition.facts.clone())),
        })
        .collect()
}

fn snapshot(activity: &Activity, outputs: &[OutputRow]) -> Detail {
    let sprite = matches!(&activity.work, Some(MediaWork::Snapshot(spec)) if spec.mode == SnapshotMode::Sprite);
    let main = outputs
        .iter()
        .find(|output| matches!(output.kind, ProductKind::Stills | ProductKind::Sprite));
    let in_storage = |key: &Option<String>| {
        let output = main?;
        key.clone().map(|key| ObjectUri::new(output.main.storage.clone(), key))
    };
    Detail::SnapshotEnded {
        snapshot_type: if sprite { "Sprite" } else { "Normal" }.to_owned(),
        count: main.and_then(|output| output.detail.picture_count).unwrap_or(0),
        object: main.and_then(|output| in_storage(&output.detail.pattern).or_else(|| Some(output.main.clone()))),
        webvtt: main.and_then(|output| in_storage(&output.detail.webvtt)),
    }
}
