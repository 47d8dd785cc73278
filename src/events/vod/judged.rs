//! What programs thought of a media, as VOD tells it: AIMediaAuditComplete and AIVideoTagComplete.
//!
//! Guarantees: `Data` is a text of JSON with the documented keys; `Code` and `Message` say 0 and OK of a success.
//! Deliberately absent: pictures of what was seen, which hooks do not give.

use crate::events::Detail;
use crate::events::JobBrief;
use crate::events::TaskFact;
use crate::events::ims::error_of;
use crate::events::ims::failed;
use crate::events::scene;
use crate::events::scene::Finding;
use crate::events::scene::Scene;
use crate::workflow::opinion::Opinion;
use crate::workflow::opinion::Verdict;
use crate::workflow::resolved::ActivityKind;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Adds what the event of an opinion says beyond its name and time.
pub fn body(body: &mut Map<String, Value>, event: &TaskFact<'_>, job: Option<&JobBrief>, detail: &Detail) {
    let Detail::OpinionEnded { opinion } = detail else {
        return;
    };
    let opinion = opinion.as_deref();
    let failed = job.is_some_and(|job| failed(job.status));
    let (code, message) = if failed {
        error_of(job)
    } else {
        ("0".to_owned(), "OK".to_owned())
    };
    let data = match job.map(|job| job.kind) {
        Some(ActivityKind::Recognition | ActivityKind::ContentAnalysis) => opinion.map_or_else(|| json!({}), tags),
        _ => opinion.map_or_else(|| json!({}), audit),
    };
    body.insert("JobId".into(), json!(job.map_or("", |job| job.id.as_str())));
    body.insert("MediaId".into(), json!(event.media.id.as_str()));
    body.insert("Status".into(), json!(if failed { "fail" } else { "success" }));
    body.insert("Code".into(), json!(code));
    body.insert("Message".into(), json!(message));
    body.insert("Data".into(), json!(data.to_string()));
}

/// The result of moderation.
fn audit(opinion: &Opinion) -> Value {
    let findings = scene::findings(opinion);
    let surest = findings
        .iter()
        .max_by(|left, right| left.confidence.total_cmp(&right.confidence));
    let label = surest.map_or("normal", |finding| label_of(finding));
    let mut video = Map::new();
    video.insert("Suggestion".into(), json!(opinion.verdict.as_str()));
    video.insert("Label".into(), json!(label));
    for finding in &findings {
        let key = match finding.scene {
            Scene::Porn => "PornResult",
            // Politics is a label of this one at VOD.
            Scene::Political | Scene::Terrorism => "TerrorismResult",
        };
        video.entry(key).or_insert_with(|| of_scene(finding));
    }
    json!({
        "AbnormalModules": if opinion.verdict == Verdict::Pass { "" } else { "video" },
        "Label": label,
        "Suggestion": opinion.verdict.as_str(),
        "VideoResult": video,
    })
}

fn of_scene(finding: &Finding<'_>) -> Value {
    let scores: Vec<f64> = finding.segments.iter().map(|segment| segment.confidence).collect();
    let most = scores.iter().copied().fold(finding.confidence, f64::max);
    let average = if scores.is_empty() {
        finding.confidence
    } else {
        scores.iter().sum::<f64>() / scores.len() as f64
    };
    let mut counts: Vec<(&str, u64)> = Vec::new();
    for segment in &finding.segments {
        match counts.iter_mut().find(|(label, _)| *label == segment.label) {
            Some((_, count)) => *count += 1,
            None => counts.push((&segment.label, 1)),
        }
    }
    let top: Vec<Value> = finding
        .segments
        .iter()
        .map(|segment| {
            json!({
                "Score": score(segment.confidence),
                "Label": segment.label,
                "Timestamp": segment.start_ms.to_string(),
                "Url": "",
            })
        })
        .collect();
    let counter: Vec<Value> = counts
        .into_iter()
        .map(|(label, count)| json!({"Label": label, "Count": count}))
        .collect();
    json!({
        "TopList": top,
        "Suggestion": finding.verdict.as_str(),
        "MaxScore": score(most),
        "AverageScore": score(average),
        "Label": label_of(finding),
        "CounterList": counter,
    })
}

fn label_of<'a>(finding: &Finding<'a>) -> &'a str {
    if finding.label.is_empty() {
        "normal"
    } else {
        finding.label
    }
}

/// Per cent with ten digits, as the sample writes them.
fn score(confidence: f64) -> String {
    format!("{:.10}", confidence * 100.0)
}

/// The result of recognition and content analysis: categories of the whole, keywords with their times.
fn tags(opinion: &Opinion) -> Value {
    let categories: Vec<Value> = opinion.labels.iter().map(|label| json!({"Tag": label.name})).collect();
    let mut keywords: Vec<(&str, Vec<String>)> = Vec::new();
    for segment in &opinion.segments {
        let time = segment.start_ms.to_string();
        match keywords.iter_mut().find(|(tag, _)| *tag == segment.label) {
            Some((_, times)) => times.push(time),
            None => keywords.push((&segment.label, vec![time])),
        }
    }
    let keywords: Vec<Value> = keywords
        .into_iter()
        .map(|(tag, times)| json!({"Tag": tag, "Times": times}))
        .collect();
    json!({"Category": categories, "Keyword": keywords})
}
