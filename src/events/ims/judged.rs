//! What programs thought of a media, and which cover was chosen, in the words of IMS.
//!
//! Guarantees: AIMediaAuditComplete, MediaAiAnalysisComplete and AIProduceComplete as published, with their stringified
//! parts; what their results are is asked by the ids they carry, as at the cloud. Cover files are named by their
//! addresses, in `OutputFiles` and in `Result` alike, since a receiver here knows no bucket to complete a name by.
//! Deliberately absent: the opinion itself, which these events have no key for (`native`, `mps` and `vod` tell it).

use crate::events::CoverCandidate;
use crate::events::TaskFact;
use crate::events::ims;
use crate::events::profile::Deployment;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// AIMediaAuditComplete: moderation.
pub fn audit(event: &TaskFact<'_>) -> Map<String, Value> {
    let mut body = Map::new();
    let failed = ims::has_failed(event);
    let media = json!({"media": event.media.id.as_str(), "type": "Media"});
    body.insert("Status".into(), json!(if failed { "Fail" } else { "Success" }));
    body.insert("MediaId".into(), json!(media.to_string()));
    body.insert("JobId".into(), ims::job_id(event));
    if failed {
        ims::errors(&mut body, event.job);
    }
    body
}

/// MediaAiAnalysisComplete: recognition and content analysis.
pub fn analysis(event: &TaskFact<'_>) -> Map<String, Value> {
    let mut body = Map::new();
    let failed = ims::has_failed(event);
    let (stored, job) = if failed {
        ("Failed", "AnalyzeFailed")
    } else {
        ("Success", "AnalyzeSuccess")
    };
    body.insert("Status".into(), json!(stored));
    body.insert("JobStatus".into(), json!(job));
    body.insert("Type".into(), json!("StandardSmartTag"));
    body.insert("MediaId".into(), json!(event.media.id.as_str()));
    if failed {
        ims::errors(&mut body, event.job);
    }
    body
}

/// AIProduceComplete: a cover.
pub fn cover(event: &TaskFact<'_>, candidates: &[CoverCandidate], deployment: &Deployment) -> Map<String, Value> {
    let mut body = Map::new();
    let failed = ims::has_failed(event);
    let urls: Vec<String> = candidates
        .iter()
        .map(|candidate| deployment.urls.object(&candidate.object))
        .collect();
    let result: Vec<Value> = candidates
        .iter()
        .zip(&urls)
        .map(|(candidate, url)| json!({"Score": candidate.score, "Time": plain(candidate.time_ms), "Url": url}))
        .collect();
    body.insert("Status".into(), json!(if failed { "Fail" } else { "Success" }));
    body.insert("FunctionName".into(), json!("Cover"));
    body.insert(
        "UserData".into(),
        json!(event.task.user_data.as_deref().unwrap_or_default()),
    );
    body.insert("OutputFiles".into(), json!(urls));
    body.insert("JobId".into(), ims::job_id(event));
    body.insert("Result".into(), json!(Value::Array(result).to_string()));
    if failed {
        ims::errors(&mut body, event.job);
    }
    body
}

/// Milliseconds as the sample writes them: all digits there are, none that say nothing.
fn plain(time_ms: f64) -> String {
    format!("{time_ms}")
}
