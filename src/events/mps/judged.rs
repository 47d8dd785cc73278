//! What was thought of a media, in the words of Tencent MPS: review, analysis, recognition, quality control.
//!
//! Guarantees: confidences are per cent, times seconds; suggestions are pass, review or block. A moderation is told by
//! the scenes its labels fall into; recognition as objects, content analysis as tags, a cover as a cover. Decided where
//! MPS has no word: checks of quality control that it does not know keep ours. Deliberately absent: pictures of what was
//! seen, which hooks do not give; reviews by people, which MPS does not have.

use super::definition;
use super::media;
use super::task_result;
use crate::events::ActivityBrief;
use crate::events::Detail;
use crate::events::made::FileBrief;
use crate::events::profile::Deployment;
use crate::events::scene;
use crate::events::scene::Finding;
use crate::events::scene::Scene;
use crate::media::product::QcCheck;
use crate::media::product::QcReport;
use crate::media::product::QcVerdict;
use crate::workflow::opinion::Opinion;
use crate::workflow::opinion::Segment;
use serde_json::Value;
use serde_json::json;

/// Items of `AiContentReviewResultSet`.
pub fn reviews(activity: &ActivityBrief, source: Option<&FileBrief>) -> Vec<Value> {
    let findings = opinion(activity).map_or_else(Vec::new, scene::findings);
    if findings.is_empty() {
        // Without an opinion it failed; MPS tells that of the first scene.
        return vec![review(activity, source, Scene::Porn, Value::Null)];
    }
    findings
        .iter()
        .map(|finding| review(activity, source, finding.scene, found(finding)))
        .collect()
}

fn review(activity: &ActivityBrief, source: Option<&FileBrief>, scene: Scene, output: Value) -> Value {
    let job = &activity.job;
    let (kind, key) = match scene {
        Scene::Porn => ("Porn", "PornTask"),
        Scene::Political => ("Political", "PoliticalTask"),
        Scene::Terrorism => ("Terrorism", "TerrorismTask"),
    };
    let mut item = json!({
        "Type": kind,
        "SampleRate": 0.0,
        "Duration": source.and_then(|source| source.duration_s).unwrap_or(0.0),
        "PornTask": null,
        "TerrorismTask": null,
        "PoliticalTask": null,
        "PornAsrTask": null,
        "PornOcrTask": null,
        "PoliticalAsrTask": null,
        "PoliticalOcrTask": null,
        "TerrorismOcrTask": null,
        "ProhibitedAsrTask": null,
        "ProhibitedOcrTask": null,
    });
    item[key] = task_result(job, None, json!({"Definition": definition(job)}), output);
    item
}

fn found(finding: &Finding<'_>) -> Value {
    let segments: Vec<Value> = finding
        .segments
        .iter()
        .map(|segment| {
            let verdict = segment.verdict.unwrap_or(finding.verdict);
            let mut item = json!({
                "StartTimeOffset": seconds(segment.start_ms),
                "EndTimeOffset": seconds(segment.end_ms),
                "Confidence": segment.confidence * 100.0,
                "Label": segment.label,
                "Suggestion": verdict.as_str(),
                "Url": "",
                "PicUrlExpireTime": "",
            });
            if finding.scene == Scene::Political {
                item["Name"] = json!(segment.label);
                item["AreaCoordSet"] = json!([]);
            }
            item
        })
        .collect();
    json!({
        "Confidence": finding.confidence * 100.0,
        "Suggestion": finding.verdict.as_str(),
        "Label": finding.label,
        "SegmentSet": segments,
    })
}

/// Items of `AiAnalysisResultSet`.
pub fn analyses(activity: &ActivityBrief, deployment: &Deployment) -> Vec<Value> {
    let job = &activity.job;
    let input = json!({"Definition": definition(job), "ExtendedParameter": ""});
    if let Some(Detail::CoverEnded { candidates }) = activity.event.as_deref() {
        let covers: Vec<Value> = candidates
            .iter()
            .map(|candidate| json!({"CoverPath": media::path(&candidate.object.key), "Confidence": candidate.score}))
            .collect();
        let output = candidates
            .first()
            .map(|first| json!({"CoverSet": covers, "OutputStorage": media::storage(&first.object, deployment)}));
        return vec![analysis(
            "Cover",
            "CoverTask",
            task_result(job, None, input, json!(output)),
        )];
    }
    let Some(opinion) = opinion(activity) else {
        let result = task_result(job, None, input, Value::Null);
        return vec![analysis("Tag", "TagTask", result)];
    };
    let tags: Vec<Value> = opinion
        .labels
        .iter()
        .map(|label| json!({"Tag": label.name, "Confidence": label.confidence * 100.0, "SpecialInfo": ""}))
        .collect();
    let mut items = vec![analysis(
        "Tag",
        "TagTask",
        task_result(job, None, input.clone(), json!({"TagSet": tags})),
    )];
    if !opinion.segments.is_empty() {
        let frames: Vec<Value> = opinion
            .segments
            .iter()
            .map(|segment| {
                json!({
                    "StartTimeOffset": seconds(segment.start_ms),
                    "EndTimeOffset": seconds(segment.end_ms),
                    "TagSet": [{
                        "Tag": segment.label,
                        "Confidence": segment.confidence * 100.0,
                        "CategorySet": [],
                    }],
                })
            })
            .collect();
        items.push(analysis(
            "FrameTag",
            "FrameTagTask",
            task_result(job, None, input, json!({"SegmentSet": frames})),
        ));
    }
    items
}

fn analysis(kind: &str, key: &str, result: Value) -> Value {
    let mut item = json!({
        "Type": kind,
        "ClassificationTask": null,
        "CoverTask": null,
        "TagTask": null,
        "FrameTagTask": null,
        "HighlightTask": null,
    });
    item[key] = result;
    item
}

/// An item of `AiRecognitionResultSet`.
pub fn recognition(activity: &ActivityBrief) -> Value {
    let job = &activity.job;
    let output = opinion(activity).map(|opinion| json!({"ResultSet": objects(opinion)}));
    let mut result = task_result(job, None, json!({"Definition": definition(job)}), json!(output));
    // This one result has no `ErrCodeExt`.
    if let Some(result) = result.as_object_mut() {
        result.shift_remove("ErrCodeExt");
    }
    json!({
        "Type": "ObjectRecognition",
        "FaceTask": null,
        "AsrWordsTask": null,
        "AsrFullTextTask": null,
        "OcrWordsTask": null,
        "OcrFullTextTask": null,
        "TransTextTask": null,
        "ObjectTask": result,
    })
}

/// What was recognised, each with where it is.
fn objects(opinion: &Opinion) -> Vec<Value> {
    let mut names: Vec<&str> = Vec::new();
    let labels = opinion.labels.iter().map(|label| label.name.as_str());
    for name in labels.chain(opinion.segments.iter().map(|segment| segment.label.as_str())) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
        .into_iter()
        .map(|name| {
            let segments: Vec<Value> = opinion
                .segments
                .iter()
                .filter(|segment| segment.label == name)
                .map(stretch)
                .collect();
            json!({"Name": name, "SegmentSet": segments})
        })
        .collect()
}

fn stretch(segment: &Segment) -> Value {
    json!({
        "StartTimeOffset": seconds(segment.start_ms),
        "EndTimeOffset": seconds(segment.end_ms),
        "Confidence": segment.confidence * 100.0,
        "AreaCoordSet": [],
    })
}

/// `AiQualityControlTaskResult`.
pub fn quality(activity: &ActivityBrief, source: Option<&FileBrief>) -> Value {
    let job = &activity.job;
    let report = match activity.event.as_deref() {
        Some(Detail::QcEnded { report, .. }) => report.as_deref(),
        _ => None,
    };
    let output = report.map(|report| {
        json!({
            "NoAudio": source.is_some_and(|source| source.audio.is_empty()),
            "NoVideo": source.is_some_and(|source| source.video.is_empty()),
            "QualityEvaluationScore": 0,
            "QualityControlResultSet": faults_of(report),
            "ContainerDiagnoseResultSet": [],
        })
    });
    let input = json!({"Definition": definition(job), "ChannelExtPara": ""});
    let mut result = task_result(job, None, input, json!(output));
    result["Progress"] = json!(if report.is_some() { 100 } else { 0 });
    result
}

fn faults_of(report: &QcReport) -> Vec<Value> {
    let found = report
        .checks
        .iter()
        .filter(|check| matches!(check.verdict, QcVerdict::Warn | QcVerdict::Fail));
    found
        .map(|check| {
            let items: Vec<Value> = check
                .events
                .iter()
                .map(|event| {
                    json!({
                        "Confidence": 100,
                        "StartTimeOffset": event.start_s,
                        "EndTimeOffset": event.end_s,
                        "AreaCoordSet": [],
                    })
                })
                .collect();
            json!({"Type": check_word(check.check), "QualityControlItems": items})
        })
        .collect()
}

fn check_word(check: QcCheck) -> &'static str {
    match check {
        QcCheck::Black => "SolidColorScreen",
        QcCheck::Silence => "NoVoice",
        QcCheck::Clipping => "HighVoice",
        QcCheck::Damage => "CrashScreen",
        QcCheck::FirstFrame => "VideoFirstFrameNotIdr",
        QcCheck::Freeze => "Freeze",
        QcCheck::Loudness => "Loudness",
        QcCheck::Levels => "Levels",
        QcCheck::Repeats => "Repeats",
        QcCheck::Gaps => "Gaps",
        QcCheck::Interlace => "Interlace",
        QcCheck::AvStart => "AvStart",
        QcCheck::AvEnd => "AvEnd",
        QcCheck::Phase => "Phase",
    }
}

fn opinion(activity: &ActivityBrief) -> Option<&Opinion> {
    match activity.event.as_deref() {
        Some(Detail::OpinionEnded { opinion }) => opinion.as_deref(),
        _ => None,
    }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
