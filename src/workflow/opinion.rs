//! What a person or a program thinks of a media: pass, review or block, and what was seen where.
//!
//! One form for reviews, hooks, moderation, recognition and content analysis, whoever makes it. Guarantees: plain data,
//! kept with the job, asked by `when = "blocked"` and by expressions. Deliberately absent: how it is made.

use serde::Deserialize;
use serde::Serialize;

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
