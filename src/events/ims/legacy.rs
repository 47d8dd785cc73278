//! Transcodes in the words of the older calls: TranscodeComplete for each output, TranscodeParentComplete for all.
//!
//! Guarantees: what these events call a job is an output, and their parent the job; a parent failed only when every
//! output is missing, as IMS has it. `OutFileMeta` is that of the older sample: with `fileSize`, without the play stream
//! and without job ids inside the streams. Deliberately absent: when they are sent (`events::listeners`).

use crate::events::JobBrief;
use crate::events::LegacyFact;
use crate::events::TaskFact;
use crate::events::ims;
use crate::events::ims::file_meta;
use crate::events::ims::file_meta::OutputFile;
use crate::events::made::MadeOutput;
use crate::events::profile::Deployment;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// The message body of a fact.
pub fn body(event: &TaskFact<'_>, fact: &LegacyFact, deployment: &Deployment) -> Map<String, Value> {
    let mut body = Map::new();
    let parent = event.job.map_or("", |job| job.id.as_str());
    match fact {
        LegacyFact::OutputEnded {
            output,
            object,
            size_bytes,
            facts,
            fault,
        } => {
            let url = object.as_ref().map(|object| deployment.urls.object(object));
            body.insert("Status".into(), status(object.is_some()));
            body.insert("FinishTime".into(), json!(ims::finish_time(event)));
            if let (Some(object), Some(url), Some(facts)) = (object, &url, facts) {
                let file = OutputFile {
                    output,
                    object,
                    url,
                    size_bytes: *size_bytes,
                    facts,
                    made_at: event.at,
                };
                body.insert("OutFileMeta".into(), file_meta::legacy_file_meta(&file, deployment));
            }
            body.insert("ParentJobId".into(), json!(parent));
            body.insert("TriggerSource".into(), json!(event.task.trigger.as_str()));
            body.insert("JobId".into(), json!(output.as_str()));
            body.insert("OutputUrl".into(), json!(url.unwrap_or_default()));
            ims::caller_user_data(&mut body, event);
            if object.is_none() {
                let (code, message) = ims::error_of_output(fault.as_ref(), event.job);
                body.insert("ErrorCode".into(), json!(code));
                body.insert("ErrorMessage".into(), json!(message));
            }
        }
        LegacyFact::JobEnded { outputs } => {
            let jobs: Vec<Value> = outputs
                .iter()
                .flat_map(|output| sub_jobs(output, event.job, deployment))
                .collect();
            let some = outputs.iter().any(|output| output.object.is_some());
            body.insert("Status".into(), status(some));
            body.insert("FinishTime".into(), json!(ims::finish_time(event)));
            body.insert("Jobs".into(), Value::Array(jobs));
            body.insert("ParentJobId".into(), json!(parent));
            body.insert("TriggerSource".into(), json!(event.task.trigger.as_str()));
            body.insert("Name".into(), json!(event.job.map_or("", |job| job.activity.as_str())));
            ims::caller_user_data(&mut body, event);
        }
    }
    body
}

/// An output, or each rendition of a set: as many as there were TranscodeComplete events.
fn sub_jobs(output: &MadeOutput, job: Option<&JobBrief>, deployment: &Deployment) -> Vec<Value> {
    if !output.renditions.is_empty() {
        let renditions = output.renditions.iter();
        return renditions
            .map(|rendition| {
                json!({
                    "Status": "Success",
                    "JobId": rendition.id.as_str(),
                    "OutputUrl": deployment.urls.object(&rendition.object),
                })
            })
            .collect();
    }
    let url = output.object.as_ref().map(|object| deployment.urls.object(object));
    let mut sub_job = json!({
        "Status": status(output.object.is_some()),
        "JobId": output.id.as_str(),
        "OutputUrl": url.unwrap_or_default(),
    });
    if output.object.is_none() {
        let (code, message) = ims::error_of_output(output.fault.as_ref(), job);
        sub_job["ErrorCode"] = json!(code);
        sub_job["ErrorMessage"] = json!(message);
    }
    vec![sub_job]
}

fn status(ok: bool) -> Value {
    json!(if ok { "Success" } else { "Fail" })
}
