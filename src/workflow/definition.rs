//! A workflow as a person writes it: one type for the TOML file and for the JSON body of the API.
//!
//! Guarantees: an unknown key is refused with its path, its line and the nearest known one; writing a definition out
//! and reading it back gives the same. Deliberately absent: meaning; [`resolve`](crate::workflow::resolve) finds
//! what is wrong with a definition that can be read.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::reader;
use crate::base::reader::Wrong;
use crate::workflow::graph;
use crate::workflow::preset;
use crate::workflow::resolved::OnConflict;
use crate::workflow::resolved::SuccessRule;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

/// What stands for a secret in answers.
pub const MASKED: &str = "***";

/// One definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// 1..=128 letters of any script, digits, `-` and `_`.
    pub name: String,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whether it is enabled when first seen; afterwards the database says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// When its tasks count as succeeded.
    #[serde(default)]
    pub success: SuccessRule,
    /// Takes the activities of this preset instead of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// What it runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceSection>,
    /// Where its outputs go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputSection>,
    /// Whom it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<CallbackSection>,
    /// Its activities; read by their type, see [`activity`](crate::workflow::activity).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activity: Vec<Value>,
}

/// `[source]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSection {
    /// Name of a storage, or `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// Media of the library instead.
    #[serde(default)]
    pub library: bool,
    /// Empty, or ends in `/`.
    #[serde(default)]
    pub prefix: String,
    /// Default automatic; not with the library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<TriggerMode>,
    /// Extensions, `default`, or `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<Vec<String>>,
    /// What to do with objects that were there before.
    #[serde(default)]
    pub existing: Existing,
    /// `keep`, `move:PREFIX` or `delete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// How tasks start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TriggerMode {
    /// By arrivals.
    Automatic,
    /// By hand.
    Manual,
}

/// Objects that were there before the workflow was enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Existing {
    /// Stay untouched.
    #[default]
    Ignore,
    /// Run.
    Process,
}

/// `[output]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputSection {
    /// Default: the source's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// Default: the source's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Path template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// When a key is taken.
    #[serde(default)]
    pub on_conflict: OnConflict,
}

/// `[callback]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackSection {
    /// `unified` or `none`; not beside a destination or url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<CallbackKind>,
    /// A destination of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// An address of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Wire profile of `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// Cloud-style key of `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_key: Option<String>,
    /// Tells the unified callback as well.
    #[serde(default)]
    pub also_unified: bool,
    /// Tells transcodes in the words of the older calls, too: TranscodeComplete and TranscodeParentComplete.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub legacy_events: bool,
}

/// Callbacks without an address of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallbackKind {
    /// The one of the configuration.
    Unified,
    /// Nobody.
    None,
}

/// Wire profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Alibaba IMS.
    #[default]
    Ims,
    /// ApsaraVideo VOD.
    Vod,
    /// Tencent MPS.
    Mps,
    /// Ours.
    Native,
}

impl Profile {
    /// The word in definitions and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Profile::Ims => "ims",
            Profile::Vod => "vod",
            Profile::Mps => "mps",
            Profile::Native => "native",
        }
    }
}

impl Definition {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// The first thing that cannot be read, with its line.
    pub fn from_toml(text: &str) -> Result<Self, BadDefinition> {
        reader::from_toml(text).map_err(BadDefinition::one)
    }

    /// Reads a JSON text.
    ///
    /// # Errors
    /// The first thing that cannot be read.
    pub fn from_json(text: &str) -> Result<Self, BadDefinition> {
        Self::from_tree(&reader::tree_of_json(text).map_err(BadDefinition::one)?)
    }

    /// Reads the body of an API call.
    ///
    /// # Errors
    /// The first thing that cannot be read.
    pub fn from_tree(tree: &Value) -> Result<Self, BadDefinition> {
        reader::from_tree(tree).map_err(BadDefinition::one)
    }

    /// The definition as TOML, for `workflow show` and downloads.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("a definition is made of what TOML has")
    }

    /// The same with every secret replaced by [`MASKED`]: what an answer may show.
    pub fn without_secrets(mut self) -> Self {
        if let Some(key) = self.callback.as_mut().and_then(|callback| callback.auth_key.as_mut()) {
            MASKED.clone_into(key);
        }
        self
    }

    /// Whether it has an activity besides Start and End.
    pub fn does_something(&self) -> bool {
        let is_edge = |node: &Value| {
            let kind = node.get("type").and_then(Value::as_str);
            kind.is_some_and(|kind| ["start", "end"].contains(&kind.to_lowercase().as_str()))
        };
        self.preset.is_some() || !self.activity.iter().all(is_edge)
    }

    /// The same with the activities of the preset it takes written out as its own, so that they can be edited.
    pub fn with_own_activities(mut self) -> Self {
        if let Some(preset) = self.preset.take().and_then(|name| preset::get(&name)) {
            self.activity = preset.activity;
        }
        self
    }

    /// The same without one activity and without everything that follows it; none when there is no such activity.
    /// A definition that takes a preset's activities has none of its own.
    pub fn without_activity(&self, id: &str) -> Option<Self> {
        let id_of = |node: &Value| node.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let needs_of = |node: &Value| -> Vec<String> {
            let needs = node.get("needs").and_then(Value::as_array);
            needs
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        };
        let ids: Vec<String> = self.activity.iter().map(id_of).collect();
        let needs: Vec<Vec<String>> = self.activity.iter().map(needs_of).collect();
        if !ids.iter().any(|known| known == id) {
            return None;
        }
        let nodes: Vec<graph::Node<'_>> = ids
            .iter()
            .zip(&needs)
            .map(|(id, needs)| graph::Node { id, needs })
            .collect();
        let gone = graph::successors(&nodes, id);
        let mut rest = self.clone();
        rest.activity.retain(|node| {
            let this = id_of(node);
            this != id && !gone.contains(this.as_str())
        });
        Some(rest)
    }
}

/// One thing wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The activity it is in, by id; none: outside of activities, or in one without id.
    pub node: Option<String>,
    /// Where and why; paths begin at the node's own keys where there is one.
    pub wrong: Wrong,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.node {
            Some(node) => write!(f, "activity {node:?}: {}", self.wrong),
            None => write!(f, "{}", self.wrong),
        }
    }
}

/// Everything wrong with a definition; at least one problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct BadDefinition {
    /// Name of the workflow, where it could be read.
    pub name: Option<String>,
    /// The problems.
    pub problems: Vec<Problem>,
}

impl BadDefinition {
    /// One problem outside of activities.
    pub fn one(wrong: Wrong) -> Self {
        BadDefinition {
            name: None,
            problems: vec![Problem { node: None, wrong }],
        }
    }
}

impl From<BadDefinition> for Fault {
    fn from(bad: BadDefinition) -> Self {
        Fault::new(
            "WorkflowInvalid",
            Blame::Request,
            "read workflow",
            bad.name.clone().unwrap_or_else(|| "definition".to_owned()),
            bad.to_string(),
            "Correct the definition and apply it again; nothing was changed.",
        )
    }
}
