//! One thing that `check` found.
//!
//! Guarantees: what is not good comes with a remedy. Deliberately absent: what it is about.

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Good,
    /// Deserves a look.
    Note,
    /// Some work will fail; the daemon starts all the same.
    Broken,
    /// The daemon cannot start.
    Stops,
}

impl Level {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Level::Good => "good",
            Level::Note => "note",
            Level::Broken => "BROKEN",
            Level::Stops => "STOPS",
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What it is about: `configuration`, `libav`, `storage ingest`.
    pub subject: String,
    /// What was found.
    pub detail: String,
    /// What to do; none where all is good.
    pub remedy: Option<String>,
}

impl Finding {
    /// All is good.
    pub fn good(subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(Level::Good, subject, detail, None)
    }

    /// Deserves a look.
    pub fn note(subject: impl Into<String>, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Level::Note, subject, detail, Some(remedy.into()))
    }

    /// Some work will fail.
    pub fn broken(subject: impl Into<String>, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Level::Broken, subject, detail, Some(remedy.into()))
    }

    /// The daemon cannot start.
    pub fn stops(subject: impl Into<String>, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Level::Stops, subject, detail, Some(remedy.into()))
    }

    fn new(level: Level, subject: impl Into<String>, detail: impl Into<String>, remedy: Option<String>) -> Self {
        Finding {
            level,
            subject: subject.into(),
            detail: detail.into(),
            remedy,
        }
    }
}
