//! What an activity does that needs no worker: ask a person, ask a program, copy what was made.
//!
//! Guarantees: complete and in range once resolved, so that carrying it out looks nothing up. Deliberately absent:
//! carrying it out (`scheduler`, `executor`).

use serde::Deserialize;
use serde::Serialize;

/// One such activity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum Deed {
    /// Asks a person.
    Review(ReviewRule),
    /// Asks a program: `hook`, `moderation`, `recognition` and `content_analysis`.
    Hook(HookRule),
    /// Copies to another storage.
    Copy(CopyRule),
}

/// `type = "review"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewRule {
    /// How long a person may take, seconds; none: as long as they like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u64>,
    /// What happens then.
    #[serde(default)]
    pub on_timeout: OnTimeout,
    /// What the person is asked to look at.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instructions: String,
}

/// What happens when nobody decides in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnTimeout {
    /// The job fails.
    #[default]
    Fail,
    /// As if somebody had approved.
    Approve,
    /// As if somebody had blocked.
    Block,
}

/// `type = "hook"` and its kin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookRule {
    /// HTTP service to ask; not beside `exec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Name of an executable in `hooks_dir`; not beside `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec: Option<String>,
    /// How long one answer may take, seconds.
    #[serde(default = "hook_timeout_s")]
    pub timeout_s: u64,
    /// Passed on as it is.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub parameters: serde_json::Map<String, serde_json::Value>,
}

fn hook_timeout_s() -> u64 {
    300
}

/// `type = "copy"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyRule {
    /// The storage it goes to.
    pub storage: String,
    /// What its keys begin with there; empty, or ends in `/`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// Ids of activities whose outputs are copied; empty: the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs_of: Vec<String>,
}
