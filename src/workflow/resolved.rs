//! A workflow with nothing left to look up: templates merged, presets expanded, defaults filled, graph checked.
//!
//! Guarantees: activities stand in an order in which every need comes before its dependants; ids are unique; the
//! whole is plain data that is kept as JSON with the workflow's version, so a running task never meets an edited
//! definition. Deliberately absent: the text as written (`definition`), and any decision of the moment.

use crate::media::spec::Backend;
use crate::media::spec::MediaWork;
use crate::workflow::deed::Deed;
use crate::workflow::expression::Expression;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

/// One resolved workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolvedWorkflow {
    /// Name as written.
    pub name: String,
    /// Description as written.
    pub description: String,
    /// What it runs on.
    pub source: SourceRule,
    /// Where its outputs go.
    pub output: OutputRule,
    /// Whom it tells.
    pub callback: CallbackRule,
    /// When a task of it counts as succeeded.
    pub success: SuccessRule,
    /// Its activities, needs before dependants. Start and End are implied.
    pub activities: Vec<Activity>,
}

/// What a workflow runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRule {
    /// The storage; none: any (`"*"`), or the library.
    pub storage: Option<String>,
    /// Takes media of the library, by hand only.
    pub library: bool,
    /// Keys begin with it; empty or ending in `/`.
    pub prefix: String,
    /// Runs by itself on arrivals.
    pub automatic: bool,
    /// Lower-case extensions without dot; `*` takes all; a key without extension passes.
    pub extensions: Vec<String>,
    /// Runs on objects that were there before the workflow was enabled.
    pub process_existing: bool,
    /// What becomes of the source after every output is published.
    pub after: AfterRule,
}

/// What becomes of a source when everything is published.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterRule {
    /// Nothing.
    #[default]
    Keep,
    /// Renamed beneath this prefix of its storage.
    Move(String),
    /// Removed.
    Delete,
}

/// Where outputs go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputRule {
    /// The storage; none: the source's.
    pub storage: Option<String>,
    /// Stands in for the source's folder in `{ObjectPrefix}`; none: the source's folder.
    pub prefix: Option<String>,
    /// The path template, `{ObjectPrefix}{FileName}/{Name}{Ext}` by default.
    pub path: String,
    /// What to do when the key is taken.
    pub on_conflict: OnConflict,
}

/// What to do when a key is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// Fail the job.
    Fail,
    /// Replace the object; for sets, swap the manifest last.
    Overwrite,
    /// Take the next free `-2`, `-3` ... on the stem.
    #[default]
    Version,
}

/// Whom a workflow tells.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CallbackRule {
    /// The unified callback of the configuration too.
    pub unified: bool,
    /// A destination of the configuration, by name.
    pub destination: Option<String>,
    /// An address of its own.
    pub inline: Option<InlineDestination>,
    /// All of these hear the events of the older transcode calls too (`TranscodeComplete`, `TranscodeParentComplete`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub legacy_events: bool,
}

/// An address written into a workflow or given with a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InlineDestination {
    /// Where to post.
    pub url: String,
    /// `ims`, `vod`, `mps` or `native`.
    pub profile: String,
    /// The cloud-style key; none: unsigned.
    pub auth_key: Option<String>,
}

/// When a task counts as succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SuccessRule {
    /// Every job that is not optional is Success, or Skipped by its condition.
    #[default]
    All,
    /// At least one is Success.
    Any,
}

/// When an activity runs, after its needs ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// All its needs succeeded.
    #[default]
    Success,
    /// One of its needs failed.
    Failure,
    /// Its needs ended, however.
    Always,
    /// A review or moderation among its needs said block.
    Blocked,
    /// A condition over the source and what came before holds; none of its needs failed, unless it looks at `results`.
    Expression(Expression),
}

/// What an activity is; the words of the definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// Facts of the source.
    Analysis,
    /// Renditions.
    Transcode,
    /// Stills and sprites.
    Snapshot,
    /// GIF or animated WebP.
    DynamicImage,
    /// One still that represents the media.
    Cover,
    /// Quality control.
    Qc,
    /// A person looks at it.
    Review,
    /// A program outside is asked.
    Hook,
    /// Whether it may be shown.
    Moderation,
    /// Who and what is seen and heard.
    Recognition,
    /// What it is about.
    ContentAnalysis,
    /// Files to another storage.
    Copy,
    /// Does nothing, in the daemon.
    Noop,
}

/// Who carries an activity out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// A worker process, under a lease.
    Worker,
    /// The daemon, at once: there is nothing to wait for in the doing of it.
    Daemon,
    /// The daemon, beside its loop: it waits for others or moves bytes, but reads no media.
    Errand,
}

impl Carrier {
    /// The number in rows.
    pub fn as_number(self) -> i64 {
        match self {
            Carrier::Worker => 0,
            Carrier::Daemon => 1,
            Carrier::Errand => 2,
        }
    }
}

impl ActivityKind {
    /// The word in definitions and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            ActivityKind::Analysis => "analysis",
            ActivityKind::Transcode => "transcode",
            ActivityKind::Snapshot => "snapshot",
            ActivityKind::DynamicImage => "dynamic_image",
            ActivityKind::Cover => "cover",
            ActivityKind::Qc => "qc",
            ActivityKind::Review => "review",
            ActivityKind::Hook => "hook",
            ActivityKind::Moderation => "moderation",
            ActivityKind::Recognition => "recognition",
            ActivityKind::ContentAnalysis => "content_analysis",
            ActivityKind::Copy => "copy",
            ActivityKind::Noop => "noop",
        }
    }

    /// Whether a person or a program says pass, review or block in it.
    pub fn gives_opinion(self) -> bool {
        matches!(
            self,
            ActivityKind::Review
                | ActivityKind::Hook
                | ActivityKind::Moderation
                | ActivityKind::Recognition
                | ActivityKind::ContentAnalysis
        )
    }

    /// Who carries it out.
    pub fn carrier(self) -> Carrier {
        match self {
            ActivityKind::Analysis
            | ActivityKind::Transcode
            | ActivityKind::Snapshot
            | ActivityKind::DynamicImage
            | ActivityKind::Cover
            | ActivityKind::Qc => Carrier::Worker,
            ActivityKind::Review | ActivityKind::Noop => Carrier::Daemon,
            ActivityKind::Hook
            | ActivityKind::Moderation
            | ActivityKind::Recognition
            | ActivityKind::ContentAnalysis
            | ActivityKind::Copy => Carrier::Errand,
        }
    }
}

/// One node of the graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Unique in its workflow.
    pub id: String,
    /// What it is.
    pub kind: ActivityKind,
    /// Ids of the activities it follows; empty: Start.
    pub needs: Vec<String>,
    /// When it runs.
    pub when: When,
    /// Does not count for the task's success.
    pub optional: bool,
    /// Which hardware it may use.
    pub backend: Backend,
    /// What the daemon does of it without a worker; none: a worker's work, or nothing (noop).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deed: Option<Deed>,
    /// What a worker makes of it; none: the daemon does it alone.
    pub work: Option<MediaWork>,
    /// Name of the template it was made from.
    pub template: Option<String>,
    /// Its parameters as a user reads them: template merged with what was written, for events and pages.
    pub parameters: Value,
}
