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
//! `job` is missing in events of the task itself. `user_data` is the caller's JSON as a value (as a string when it is
//! no JSON). `fault` is null or `{code, operation, subject, cause, remedy, blame, retryable}`. Statuses are the words
//! of the product, Canceled included. By type:
//! VideoAnalysisComplete `facts`; MediaConvertOutputComplete `output {id, name, group, size_bytes, md5, object, facts}`;
//! MediaConvertOutputGroupComplete `group {id, name, ok}`; SnapshotComplete `snapshot {type, count, object, webvtt}`;
//! DynamicImageComplete `object`; QcComplete `qc` (the report, its first stretches) and `object`; WorkflowTaskComplete `status` and `activities [{job, started_at, result}]` where
//! `result` is what the activity's own event said. Objects are null or `{storage, key, url}`.
//!
//! Guarantees: keys are snake_case and only ever added; ids equal those of the REST API. Deliberately absent: anything
//! stringified.

use crate::events::ActivityBrief;
use crate::events::Detail;
use crate::events::JobBrief;
use crate::events::TaskFact;
use crate::events::profile::Deployment;
use crate::events::profile::Rendered;
use crate::objects::uri::ObjectUri;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// `event` in our own words.
pub fn render(event: &TaskFact<'_>, deployment: &Deployment) -> Rendered {
    let event_type = event.event_type().as_str();
    let mut body = Map::new();
    body.insert("id".into(), json!(event.id.as_str()));
    body.insert("type".into(), json!(event_type));
    body.insert("at".into(), json!(event.at.wire()));
    body.insert("region".into(), json!(deployment.region));
    body.insert("app_id".into(), json!(deployment.app_id));
    body.insert(
        "media".into(),
        json!({
            "id": event.media.id.as_str(),
            "storage": event.media.object.storage,
            "key": event.media.object.key,
            "url": deployment.urls.object(&event.media.object),
            "size_bytes": event.media.size_bytes,
        }),
    );
    body.insert(
        "task".into(),
        json!({
            "id": event.task.id.as_str(),
            "workflow_id": event.task.workflow.as_str(),
            "workflow_name": event.task.workflow_name,
            "trigger": event.task.trigger.as_str(),
            "user_data": user_data(event.task.user_data.as_deref()),
            "created_at": event.task.created_at.wire(),
        }),
    );
    if let Some(brief) = event.job {
        body.insert("job".into(), job(brief));
    }
    add_detail(&mut body, event.detail, deployment);
    Rendered {
        event_type: event_type.to_owned(),
        body: Value::Object(body),
    }
}

fn user_data(text: Option<&str>) -> Value {
    match text {
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
            ..
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
                }),
            );
        }
        Detail::OutputGroupEnded { group, name, ok } => {
            body.insert("group".into(), json!({"id": group.as_str(), "name": name, "ok": ok}));
        }
        Detail::TranscodeEnded { .. } => {}
        Detail::SnapshotEnded {
            snapshot_type,
            count,
            object: place,
            webvtt,
            ..
        } => {
            body.insert(
                "snapshot".into(),
                json!({
                    "type": snapshot_type,
                    "count": count,
                    "object": object(place.as_ref(), deployment),
                    "webvtt": object(webvtt.as_ref(), deployment),
                }),
            );
        }
        Detail::AnimationEnded { object: place, .. } => {
            body.insert("object".into(), object(place.as_ref(), deployment));
        }
        Detail::QcEnded { report, object: place } => {
            body.insert("qc".into(), json!(report));
            body.insert("object".into(), object(place.as_ref(), deployment));
        }
        Detail::OpinionEnded { opinion } => {
            body.insert("opinion".into(), json!(opinion));
        }
        Detail::CoverEnded { candidates } => {
            body.insert("candidates".into(), json!(candidates));
        }
        Detail::CopyEnded { objects } => {
            body.insert("objects".into(), json!(objects));
        }
        Detail::TaskProgressed { percent } => {
            body.insert("percent".into(), json!(percent));
        }
        Detail::Alert { .. } | Detail::Library { .. } | Detail::Legacy { .. } => {
            body.insert("fact".into(), json!(detail));
        }
        Detail::TaskEnded { status, activities, .. } => {
            body.insert("status".into(), json!(status.as_str()));
            let activities: Vec<Value> = activities.iter().map(|brief| activity(brief, deployment)).collect();
            body.insert("activities".into(), Value::Array(activities));
        }
    }
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
        for cloud in [Profile::Ims, Profile::Vod] {
            assert!(
                render(cloud, &event, &deployment).is_none(),
                "{cloud:?} has no such event"
            );
        }
        let kept: Event = serde_json::from_str(&serde_json::to_string(&event).expect("JSON")).expect("an event");
        assert_eq!(kept, event, "as the row keeps it");
    }
}
