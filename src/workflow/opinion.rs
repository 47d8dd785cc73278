//! What a person or a program thinks of a media: pass, review or block, and what was seen where.
//!
//! One form for reviews, hooks, moderation, recognition and content analysis, whoever makes it. Guarantees: plain data,
//! kept with the job, asked by `when = "blocked"` and by expressions. Deliberately absent: how it is made.

use serde::Deserialize;
use serde::Serialize;

/// Most labels of one opinion.
const LABELS: usize = 1_000;
/// Most stretches of one opinion.
const SEGMENTS: usize = 10_000;
/// Longest name of a label, characters.
const LABEL_LENGTH: usize = 200;
/// Longest summary, characters.
const SUMMARY_LENGTH: usize = 4_000;
/// Latest moment a stretch may end at, milliseconds: what no media is as long as.
const LATEST_MS: i64 = 1_000 * 3_600 * 24 * 366;

/// The answer in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing against it.
    Pass,
    /// A person should look.
    Review,
    /// It must not go on.
    Block,
}

impl Verdict {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Review => "review",
            Verdict::Block => "block",
        }
    }
}

/// What was thought of one media.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opinion {
    /// The answer.
    pub verdict: Verdict,
    /// What the whole is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
    /// What was seen when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Segment>,
    /// In a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// Who thinks so: a person's name, or the name of the hook.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
}

impl Opinion {
    /// Nothing but the answer.
    pub fn of(verdict: Verdict) -> Self {
        Opinion {
            verdict,
            labels: Vec::new(),
            segments: Vec::new(),
            summary: String::new(),
            by: String::new(),
        }
    }

    /// Whether somebody else's words are within bounds, before they are kept.
    ///
    /// # Errors
    /// The first thing that is not, in a clause.
    pub fn check(&self) -> Result<(), String> {
        if self.labels.len() > LABELS {
            return Err(format!("{} labels are more than {LABELS}", self.labels.len()));
        }
        if self.segments.len() > SEGMENTS {
            return Err(format!("{} segments are more than {SEGMENTS}", self.segments.len()));
        }
        if self.summary.chars().count() > SUMMARY_LENGTH {
            return Err(format!("the summary is longer than {SUMMARY_LENGTH} characters"));
        }
        for (at, label) in self.labels.iter().enumerate() {
            named(&label.name).map_err(|why| format!("labels[{at}].name {why}"))?;
            sure(label.confidence).map_err(|why| format!("labels[{at}].confidence {why}"))?;
        }
        for (at, segment) in self.segments.iter().enumerate() {
            named(&segment.label).map_err(|why| format!("segments[{at}].label {why}"))?;
            sure(segment.confidence).map_err(|why| format!("segments[{at}].confidence {why}"))?;
            if segment.start_ms < 0 || segment.end_ms < segment.start_ms || segment.end_ms > LATEST_MS {
                return Err(format!(
                    "segments[{at}] goes from {} to {} ms, which is no stretch of a media",
                    segment.start_ms, segment.end_ms
                ));
            }
        }
        Ok(())
    }
}

fn named(name: &str) -> Result<(), String> {
    match name.chars().count() {
        0 => Err("is empty".to_owned()),
        length if length > LABEL_LENGTH => Err(format!("is longer than {LABEL_LENGTH} characters")),
        _ => Ok(()),
    }
}

fn sure(confidence: f64) -> Result<(), String> {
    if (0.0..=1.0).contains(&confidence) {
        Ok(())
    } else {
        Err(format!("{confidence} is out of range, 0 to 1"))
    }
}

/// One thing the media is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// What.
    pub name: String,
    /// How sure, 0..=1.
    pub confidence: f64,
}

/// One stretch of the media.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Begin, milliseconds of the source's time line.
    pub start_ms: i64,
    /// End.
    pub end_ms: i64,
    /// What.
    pub label: String,
    /// How sure, 0..=1.
    pub confidence: f64,
    /// The answer for this stretch; none: as the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

#[cfg(test)]
mod tests {
    use super::Opinion;

    #[test]
    fn words_of_others_are_kept_within_bounds_only() {
        let check = |text: &str| {
            let opinion: Opinion = serde_json::from_str(text).map_err(|error| error.to_string())?;
            opinion.check()
        };
        let good = r#"{"verdict": "block", "labels": [{"name": "smoke", "confidence": 1}],
            "segments": [{"start_ms": 0, "end_ms": 10, "label": "smoke", "confidence": 0.5, "verdict": "review"}]}"#;
        assert_eq!(check(good), Ok(()));
        let refused = |text: &str| check(text).expect_err(text);
        assert!(refused(r#"{"verdict": "maybe"}"#).contains("maybe"));
        assert!(refused(r#"{"verdict": "pass", "score": 1}"#).contains("score"));
        assert!(refused(r#"{"verdict": "pass", "labels": [{"name": "a", "confidence": 1.5}]}"#).contains("0 to 1"));
        assert!(refused(r#"{"verdict": "pass", "labels": [{"name": "", "confidence": 1}]}"#).contains("empty"));
        let backwards =
            r#"{"verdict": "pass", "segments": [{"start_ms": 9, "end_ms": 1, "label": "a", "confidence": 1}]}"#;
        assert!(refused(backwards).contains("no stretch"));
    }
}
