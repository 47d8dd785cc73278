//! What a run without a daemon came to: the result object of `--json`, and its lines for people.
//!
//! Guarantees: every activity is accounted for, by outputs, by a reason or by an error. Deliberately absent: events.

use crate::base::fault::Fault;
use crate::media::facts::MediaFacts;
use crate::media::product::FailedOutput;
use crate::media::product::LadderDecision;
use crate::media::product::ProductKind;
use crate::media::product::Proof;
use crate::media::product::QcReport;
use crate::media::product::Quality;
use crate::media::product::Rendition;
use crate::media::product::StillMark;
use crate::media::progress::Cost;
use crate::workflow::status::JobStatus;
use crate::workflow::status::TaskStatus;
use serde::Serialize;

/// The result object.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// `Succeed`, `Failed` or `Canceled`.
    pub status: TaskStatus,
    /// Name of the workflow.
    pub workflow: String,
    /// The file worked on.
    pub input: String,
    /// Where the work was done, `software`; none: nothing was made.
    pub backend: Option<String>,
    /// Why not where it was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback_reason: Option<String>,
    /// Less was made than was asked for, and the activities accept that.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Outputs that are missing for that reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_outputs: Vec<FailedOutput>,
    /// Facts of the input; none: it could not be read.
    pub facts: Option<MediaFacts>,
    /// What was made, in the order of the activities.
    pub outputs: Vec<OutputReport>,
    /// What of the source could not be carried over.
    pub dropped: Vec<String>,
    /// What deserves a look though it is no failure.
    pub warnings: Vec<String>,
    /// Why ladders that were left to the source are what they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<LadderDecision>,
    /// Scores of pictures that were chosen for how they look, the best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<CoverReport>,
    /// What quality control found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub qc: Vec<QcActivity>,
    /// Why activities failed.
    pub errors: Vec<ErrorReport>,
    /// How each activity ended.
    pub activities: Vec<ActivityReport>,
    /// All attempts together; peak memory is that of the largest.
    pub cost: Cost,
}

/// One picture that an activity chose, in the order of its output's files.
#[derive(Debug, Clone, Serialize)]
pub struct CoverReport {
    /// The activity.
    pub activity: String,
    /// Score and time.
    #[serde(flatten)]
    pub mark: StillMark,
}

/// What one activity of quality control found.
#[derive(Debug, Clone, Serialize)]
pub struct QcActivity {
    /// The activity.
    pub activity: String,
    /// The report.
    #[serde(flatten)]
    pub report: QcReport,
}

/// One output.
#[derive(Debug, Clone, Serialize)]
pub struct OutputReport {
    /// Its activity.
    pub activity: String,
    /// Its output group; may be empty.
    pub group: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ProductKind,
    /// The main object.
    pub path: String,
    /// All its files, manifests last.
    pub files: Vec<FileReport>,
    /// Facts of the main object as read back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<MediaFacts>,
    /// What was compared.
    pub proof: Proof,
    /// Renditions inside a set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub renditions: Vec<Rendition>,
    /// How like its pictures are to those it was made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// Pictures, of stills and sprites.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture_count: Option<u32>,
}

/// One file of an output.
#[derive(Debug, Clone, Serialize)]
pub struct FileReport {
    /// Where it lies.
    pub path: String,
    /// Bytes.
    pub size_bytes: u64,
    /// MD5, 32 lower-case hex digits.
    pub md5: String,
}

/// Why one activity failed.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorReport {
    /// The activity.
    pub activity: String,
    /// Why.
    #[serde(flatten)]
    pub fault: Fault,
}

/// How one activity ended.
#[derive(Debug, Clone, Serialize)]
pub struct ActivityReport {
    /// Its id.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// How.
    pub status: JobStatus,
    /// Why it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Report {
    /// Tells it to people, on standard error. What was in the work is the same with and without `--json`.
    pub fn tell(&self) {
        for output in &self.outputs {
            let bytes: u64 = output.files.iter().map(|file| file.size_bytes).sum();
            let files = match output.files.len() {
                1 => String::new(),
                count => format!(" and {} more files", count - 1),
            };
            eprintln!(
                "{}{files}  ({} proofs, {})",
                clean(&output.path),
                output.proof.checks.len(),
                size(bytes)
            );
        }
        for activity in &self.activities {
            if let Some(reason) = &activity.reason {
                eprintln!("{}: {}: {}", activity.id, activity.status.as_str(), clean(reason));
            }
        }
        for decision in &self.decisions {
            eprintln!("ladder: {}", clean(&decision.summary));
        }
        for cover in &self.covers {
            let time_s = cover.mark.time_s;
            if let Some(score) = cover.mark.score {
                eprintln!("{}: the picture at {time_s:.3} s scores {score:.2}", cover.activity);
            }
        }
        for line in &self.dropped {
            eprintln!("dropped: {}", clean(line));
        }
        for line in &self.warnings {
            eprintln!("warning: {}", clean(line));
        }
        for error in &self.errors {
            eprintln!("reelmill: {}: {}", error.activity, clean(&error.fault.to_string()));
        }
        if let Some(reason) = &self.fallback_reason {
            eprintln!("fallback: {}", clean(reason));
        }
        let seconds = std::time::Duration::from_millis(self.cost.wall_ms).as_secs_f64();
        let backend = self.backend.as_deref().map(|backend| format!(" ({})", clean(backend)));
        eprintln!(
            "{} in {seconds:.1} s{}",
            self.status.as_str(),
            backend.unwrap_or_default()
        );
    }
}

/// Text from files and names without control characters, which a terminal would obey.
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|one| if one.is_control() { '\u{fffd}' } else { one })
        .collect()
}

/// Bytes as people read them.
pub fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1_000.0 {
            return match unit {
                "B" => format!("{bytes} B"),
                _ => format!("{value:.1} {unit}"),
            };
        }
        value /= 1_000.0;
    }
    format!("{value:.1} TB")
}

#[cfg(test)]
mod tests {
    use super::clean;
    use super::size;

    #[test]
    fn sizes_read_well() {
        let found = [0, 999, 1_000, 12_345_678, 7_000_000_000_000_000].map(size);
        assert_eq!(found, ["0 B", "999 B", "1.0 kB", "12.3 MB", "7000.0 TB"]);
    }

    #[test]
    fn a_name_does_not_command_the_terminal() {
        assert_eq!(clean("a\x1b[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }
}
