//! The `native` profile: everything an event knows, plainly named. This page is its documentation.
//!
//! ```json
//! {"id": "0192...", "type": "SnapshotComplete", "at": "2026-01-02T03:04:05Z", "region": "on-premises", "app_id": "...",
//!  "media": {"id", "storage", "key", "url", "size_bytes"},
//!  "task": {"id", "workflow_id", "workflow_name", "trigger": "Console|Workflow|API", "user_data", "created_at"},
//!  "job": {"id", "activity", "kind", "status", "template", "parameters", "submitted_at", "finished_at", "fault",
//!           "backend", "fallback_reason", "partial", "failed_outputs"},
//!  ... and what belongs to the type}
//! ```
//! `media` is null in events about the installation, `task` in events outside of any; `job` is missing in events of the
//! task itself. `task.purpose` is run, register or job. `user_data` is the caller's JSON as a value (as a string when it
//! is no JSON, or has numbers that neither a 64-bit integer nor a double holds). `fault` is null or
//! `{code, operation, subject, cause, remedy, blame, retryable}`. Statuses are the words of the
//! product, Canceled included. Objects are null or `{storage, key, url}`. By type:
//!
//! | type | adds |
//! |---|---|
//! | WorkflowTaskStart | `status` (Processing) |
//! | WorkflowTaskProgress | `percent` |
//! | WorkflowTaskComplete | `status`, `source` (brief facts), `activities [{job, started_at, type, result}]`, where `result` is what the activity's own event said |
//! | VideoAnalysisComplete | `facts` |
//! | MediaConvertOutputComplete | `output {id, name, group, size_bytes, md5, object, facts, fault}` |
//! | MediaConvertOutputGroupComplete | `group {id, name, ok}` |
//! | MediaConvertComplete | `outputs [{id, name, group, kind, object, size_bytes, md5, file, renditions, fault}]` |
//! | SnapshotComplete | `snapshot {type, count, object, webvtt, file_count, times_s}` |
//! | DynamicImageComplete | `object`, `size_bytes`, `md5`, `file` |
//! | AIProduceComplete | `candidates [{score, time_ms, object}]`, best first |
//! | QcComplete | `qc` (the report, its first stretches), `object` |
//! | AIMediaAuditComplete, MediaAiAnalysisComplete, HookComplete | `opinion {verdict, labels, segments, summary, by}` |
//! | CopyComplete | `objects` |
//! | TranscodeComplete, TranscodeParentComplete | `output {id, size_bytes, object, facts, fault}`, `outputs` |
//! | uploads and pulls | `upload {role, media_type, job_id, source_url, object, size_bytes, user_data, fault}` |
//! | RegisterStreamComplete | `stream {object, user_data, fault}` |
//! | RegisterMediaComplete | `registration {user_data, fault}` |
//! | DeleteMediaComplete | `deletion {delete_type, objects, fault}` |
//! | MediaBaseChangeComplete | `change {media_type, fields: {FIELD: {old, new}}}` |
//! | CreateAuditComplete | `review {id, status, auditor, reason, comment, asked_at, fault}` |
//! | AlertRaised, AlertCleared | `alert {id, code, subject, cause, remedy, cleared}` |
//!
//! Guarantees: keys are snake_case and only ever added; ids equal those of the REST API. Deliberately absent: anything
//! stringified.

mod library;
mod numbers;

use crate::events::ActivityBrief;
use crate::events::Detail;
use crate::events::Event;
use crate::events::JobBrief;
use crate::events::LegacyFact;
use crate::events::made::MadeOutput;
use crate::events::profile::Deployment;
use crate::events::profile::Rendered;
use crate::objects::uri::ObjectUri;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// `event` in our own words.
pub fn render(event: &Event, deployment: &Deployment) -> Rendered {
    let event_type = event.event_type().as_str();
    let mut body = Map::new();
    body.insert("id".into(), json!(event.id.as_str()));
    body.insert("type".into(), json!(event_type));
    body.insert("at".into(), json!(event.at.wire()));
    body.insert("region".into(), json!(deployment.region));
    body.insert("app_id".into(), json!(deployment.app_id));
    let media = event.media.as_ref().map(|media| {
        json!({
            "id": media.id.as_str(),
            "storage": media.object.storage,
            "key": media.object.key,
            "url": deployment.urls.object(&media.object),
            "size_bytes": media.size_bytes,
        })
    });
    let task = event.task.as_ref().map(|task| {
        json!({
            "id": task.id.as_str(),
            "workflow_id": task.workflow.as_str(),
            "workflow_name": task.workflow_name,
            "trigger": task.trigger.as_str(),
            "purpose": task.purpose.as_str(),
            "user_data": user_data(task.user_data.as_deref()),
            "created_at": task.created_at.wire(),
        })
    });
    body.insert("media".into(), json!(media));
    body.insert("task".into(), json!(task));
    if let Some(brief) = &event.job {
        body.insert("job".into(), job(brief));
    }
    add_detail(&mut body, &event.detail, deployment);
    Rendered {
        event_type: event_type.to_owned(),
        body: Value::Object(body),
    }
}

fn user_data(text: Option<&str>) -> Value {
    match text {
        // Numbers of more digits than a double has would come back as others.
        Some(text) if !numbers::are_kept(text) => json!(text),
        Some(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        None => Value::Null,
    }
}

fn job(job: &JobBrief) -> Value {
    json!({
        "id": job.id.as_str(),
        "activity": job.activity,
        "kind": job.kind.as_str(),
        "status": job.status.as_str(),
        "template": job.template,
        "parameters": job.parameters,
        "submitted_at": job.submitted_at.wire(),
        "finished_at": job.finished_at.map(|at| at.wire()),
        "fault": job.fault,
        "backend": job.backend,
        "fallback_reason": job.fallback_reason,
        "partial": job.partial,
        "failed_outputs": job.failed_outputs,
    })
}

fn object(object: Option<&ObjectUri>, deployment: &Deployment) -> Value {
    object.map_or(Value::Null, |object| {
        json!({
            "storage": object.storage,
            "key": object.key,
            "url": deployment.urls.pattern(object),
        })
    })
}

fn add_detail(body: &mut Map<String, Value>, detail: &Detail, deployment: &Deployment) {
    match detail {
        Detail::TaskStarted => {
            body.insert("status".into(), json!("Processing"));
        }
        Detail::AnalysisEnded { facts } => {
            body.insert("facts".into(), json!(facts));
        }
        Detail::OutputEnded {
            output,
            name,
            group,
            object: place,
            size_bytes,
            md5,
            facts,
            fault,
        } => {
            body.insert(
                "output".into(),
                json!({
                    "id": output.as_str(),
                    "name": name,
                    "group": group,
                    "size_bytes": size_bytes,
                    "md5": md5,
                    "object": object(place.as_ref(), deployment),
                    "facts": facts,
                    "fault": fault,
                }),
            );
        }
        Detail::OutputGroupEnded { group, name, ok } => {
            body.insert("group".into(), json!({"id": group.as_str(), "name": name, "ok": ok}));
        }
        Detail::TranscodeEnded { outputs } => {
            body.insert("outputs".into(), made(outputs, deployment));
        }
        Detail::Legacy { fact } => match fact.as_ref() {
            LegacyFact::OutputEnded {
                output,
                object: place,
                size_bytes,
                facts,
                fault,
            } => {
                body.insert(
                    "output".into(),
                    json!({
                        "id": output.as_str(),
                        "size_bytes": size_bytes,
                        "object": object(place.as_ref(), deployment),
                        "facts": facts,
                        "fault": fault,
                    }),
                );
            }
            LegacyFact::JobEnded { outputs } => {
                body.insert("outputs".into(), made(outputs, deployment));
            }
        },
        Detail::SnapshotEnded {
            snapshot_type,
            count,
            object: place,
            webvtt,
            file_count,
            times_s,
        } => {
            body.insert(
                "snapshot".into(),
                json!({
                    "type": snapshot_type,
                    "count": count,
                    "object": object(place.as_ref(), deployment),
                    "webvtt": object(webvtt.as_ref(), deployment),
                    "file_count": file_count,
                    "times_s": times_s,
                }),
            );
        }
        Detail::AnimationEnded {
            object: place,
            size_bytes,
            md5,
            file,
        } => {
            body.insert("object".into(), object(place.as_ref(), deployment));
            body.insert("size_bytes".into(), json!(size_bytes));
            body.insert("md5".into(), json!(md5));
            body.insert("file".into(), json!(file));
        }
        Detail::QcEnded { report, object: place } => {
            body.insert("qc".into(), json!(report));
            body.insert("object".into(), object(place.as_ref(), deployment));
        }
        Detail::OpinionEnded { opinion } => {
            body.insert("opinion".into(), json!(opinion));
        }
        Detail::CoverEnded { candidates } => {
            let candidates: Vec<Value> = candidates
                .iter()
                .map(|candidate| {
                    json!({
                        "score": candidate.score,
                        "time_ms": candidate.time_ms,
                        "object": object(Some(&candidate.object), deployment),
                    })
                })
                .collect();
            body.insert("candidates".into(), Value::Array(candidates));
        }
        Detail::CopyEnded { objects } => {
            body.insert("objects".into(), all(objects, deployment));
        }
        Detail::TaskProgressed { percent } => {
            body.insert("status".into(), json!("Processing"));
            body.insert("percent".into(), json!(percent));
        }
        Detail::Alert {
            alert,
            code,
            subject,
            cause,
            remedy,
            cleared,
        } => {
            body.insert(
                "alert".into(),
                json!({
                    "id": alert.as_str(),
                    "code": code,
                    "subject": subject,
                    "cause": cause,
                    "remedy": remedy,
                    "cleared": cleared,
                }),
            );
        }
        Detail::Library { fact } => {
            let (key, value) = library::told(fact, deployment);
            body.insert(key.to_owned(), value);
        }
        Detail::TaskEnded {
            status,
            activities,
            source,
        } => {
            body.insert("status".into(), json!(status.as_str()));
            body.insert("source".into(), json!(source));
            let activities: Vec<Value> = activities.iter().map(|brief| activity(brief, deployment)).collect();
            body.insert("activities".into(), Value::Array(activities));
        }
    }
}

fn all(objects: &[ObjectUri], deployment: &Deployment) -> Value {
    objects.iter().map(|one| object(Some(one), deployment)).collect()
}

/// Outputs in brief, with the addresses of their objects.
fn made(outputs: &[MadeOutput], deployment: &Deployment) -> Value {
    outputs
        .iter()
        .map(|output| {
            let renditions: Vec<Value> = output
                .renditions
                .iter()
                .map(|rendition| {
                    json!({
                        "id": rendition.id.as_str(),
                        "name": rendition.name,
                        "object": object(Some(&rendition.object), deployment),
                        "size_bytes": rendition.size_bytes,
                        "file": rendition.file,
                    })
                })
                .collect();
            json!({
                "id": output.id.as_str(),
                "name": output.name,
                "group": output.group,
                "kind": output.kind,
                "object": object(output.object.as_ref(), deployment),
                "size_bytes": output.size_bytes,
                "md5": output.md5,
                "file": output.file,
                "renditions": renditions,
                "fault": output.fault,
            })
        })
        .collect()
}

fn activity(brief: &ActivityBrief, deployment: &Deployment) -> Value {
    let result = brief.event.as_deref().map(|detail| {
        let mut result = Map::new();
        add_detail(&mut result, detail, deployment);
        Value::Object(result)
    });
    json!({
        "job": job(&brief.job),
        "started_at": brief.started_at.map(|at| at.wire()),
        "type": brief.event.as_deref().map(|detail| detail.event_type(Some(brief.job.kind)).as_str()),
        "result": result,
    })
}

#[cfg(test)]
mod tests {
    use crate::events::Event;
    use crate::events::profile::Deployment;
    use crate::events::profile::Profile;
    use crate::events::profile::render;
    use crate::events::specimen;
    use serde_json::json;

    #[test]
    fn quality_control_is_told_in_our_own_words_only() {
        let event = specimen::qc();
        let deployment = Deployment::new(1, "app", "here", "http://mill");
        let told = render(Profile::Native, &event, &deployment).expect("an event").body;
        assert_eq!(
            (&told["type"], &told["job"]["kind"]),
            (&"QcComplete".into(), &"qc".into())
        );
        assert_eq!(told["qc"]["checks"][0]["events"][0]["end_s"], 5.4);
        assert_eq!(told["object"]["key"], "show/qc.json");
        for cloud in [Profile::Ims, Profile::Vod, Profile::Mps] {
            assert!(
                render(cloud, &event, &deployment).is_none(),
                "{cloud:?} has no such event"
            );
        }
        let kept: Event = serde_json::from_str(&serde_json::to_string(&event).expect("JSON")).expect("an event");
        assert_eq!(kept, event, "as the row keeps it");
    }

    #[test]
    fn user_data_are_a_value_unless_that_would_lose_digits() {
        assert_eq!(super::user_data(Some("{\"a\": 7}")), json!({ "a": 7 }));
        let long = "{\"a\":123456789012345678901234567890}";
        assert_eq!(super::user_data(Some(long)), json!(long));
        assert_eq!(super::user_data(Some("no JSON")), json!("no JSON"));
    }
}
