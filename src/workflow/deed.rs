//! What an activity does that needs no worker: ask a person, ask a program, copy what was made.
//!
//! Guarantees: complete and in range once resolved, so that carrying it out looks nothing up. Deliberately absent:
//! carrying it out (`scheduler`, `executor`).

use crate::base::address::Reach;
use crate::base::address::check_callback_url;
use crate::base::reader;
use crate::base::reader::Wrong;
use crate::workflow::resolved::ActivityKind;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use std::ops::RangeInclusive;

/// Longest time that anything may be waited for: a year.
const TIMEOUT_S: RangeInclusive<u64> = 1..=31_536_000;
/// How long one answer of a hook may take: a day.
const ANSWER_S: RangeInclusive<u64> = 1..=86_400;
/// Longest text for a person, characters.
const INSTRUCTIONS: usize = 4_000;
/// Most that is passed on to a hook, bytes of JSON.
const PARAMETERS_BYTES: usize = 64 << 10;

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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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

impl OnTimeout {
    /// The word in definitions, rows and requests.
    pub fn as_str(self) -> &'static str {
        match self {
            OnTimeout::Fail => "fail",
            OnTimeout::Approve => "approve",
            OnTimeout::Block => "block",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(word: &str) -> Option<Self> {
        [OnTimeout::Fail, OnTimeout::Approve, OnTimeout::Block]
            .into_iter()
            .find(|known| known.as_str() == word)
    }
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
    /// How long a service that answered "later" (202) may take, seconds.
    #[serde(default = "answer_within_s")]
    pub answer_within_s: u64,
    /// What a verdict of `review` means.
    #[serde(default)]
    pub on_review: OnReview,
    /// How the person is asked then; with `on_review = "ask"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewRule>,
    /// Passed on as it is.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub parameters: serde_json::Map<String, serde_json::Value>,
}

/// What a verdict of `review` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnReview {
    /// The verdict stands: the job is Success, nothing is blocked, and conditions may ask for it.
    #[default]
    Keep,
    /// A person is asked, whose decision is the verdict.
    Ask,
}

fn hook_timeout_s() -> u64 {
    300
}

fn answer_within_s() -> u64 {
    86_400
}

impl HookRule {
    /// What the hook is called in messages: its file, or its address without a query.
    pub fn name(&self) -> &str {
        match (&self.exec, &self.url) {
            (Some(exec), _) => exec,
            (None, Some(url)) => url.split(['?', '#']).next().unwrap_or(url),
            (None, None) => "hook",
        }
    }
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

impl Deed {
    /// Reads the parameters of an activity; none: activities of this kind do nothing of the sort.
    ///
    /// # Errors
    /// Everything wrong with them, at least one problem.
    pub fn read(kind: ActivityKind, parameters: &Map<String, Value>) -> Result<Option<Self>, Vec<Wrong>> {
        let tree = Value::Object(parameters.clone());
        let one = |wrong: Wrong| vec![wrong];
        let deed = match kind {
            ActivityKind::Review => Deed::Review(reader::from_tree(&tree).map_err(one)?),
            ActivityKind::Copy => Deed::Copy(reader::from_tree(&tree).map_err(one)?),
            ActivityKind::Hook
            | ActivityKind::Moderation
            | ActivityKind::Recognition
            | ActivityKind::ContentAnalysis => Deed::Hook(reader::from_tree(&tree).map_err(one)?),
            ActivityKind::Analysis
            | ActivityKind::Transcode
            | ActivityKind::Snapshot
            | ActivityKind::DynamicImage
            | ActivityKind::Cover
            | ActivityKind::Qc
            | ActivityKind::Noop => return Ok(None),
        };
        let problems = match &deed {
            Deed::Review(rule) => rule.problems(""),
            Deed::Hook(rule) => rule.problems(),
            Deed::Copy(rule) => rule.problems(),
        };
        if problems.is_empty() {
            Ok(Some(deed))
        } else {
            Err(problems)
        }
    }
}

impl ReviewRule {
    /// Everything out of range; paths begin with `before`.
    pub fn problems(&self, before: &str) -> Vec<Wrong> {
        let mut problems = Vec::new();
        if let Some(timeout_s) = self.timeout_s {
            within(&mut problems, format!("{before}timeout_s"), timeout_s, TIMEOUT_S);
        } else if self.on_timeout != OnTimeout::Fail {
            let why = "is for reviews with a timeout_s: without one a review waits as long as it takes";
            problems.push(Wrong::at(format!("{before}on_timeout"), why));
        }
        let length = self.instructions.chars().count();
        if length > INSTRUCTIONS {
            let why = format!("{length} characters are out of range, 0 to {INSTRUCTIONS}");
            problems.push(Wrong::at(format!("{before}instructions"), why));
        }
        problems
    }
}

impl HookRule {
    fn problems(&self) -> Vec<Wrong> {
        let mut problems = Vec::new();
        match (&self.url, &self.exec) {
            (None, None) => problems.push(Wrong::at(
                "url",
                "is missing: the address of the service to ask, or exec = \"NAME\" of a program in hooks_dir",
            )),
            (Some(_), Some(_)) => problems.push(Wrong::at("exec", "goes without url: one of them is asked")),
            // How far it may reach is judged by who wrote it, when it is saved and when it is asked.
            (Some(url), None) => {
                if let Err(fault) = check_callback_url(url, Reach::Loopback) {
                    problems.push(Wrong::at("url", format!("{}. {}", fault.cause, fault.remedy)));
                }
            }
            (None, Some(exec)) => {
                if !is_file_name(exec) {
                    let why = format!(
                        "{exec:?} is not the name of a file in hooks_dir: letters, digits, -, _ and dots within, no slash"
                    );
                    problems.push(Wrong::at("exec", why));
                }
            }
        }
        within(&mut problems, "timeout_s".to_owned(), self.timeout_s, ANSWER_S);
        within(
            &mut problems,
            "answer_within_s".to_owned(),
            self.answer_within_s,
            TIMEOUT_S,
        );
        match (&self.review, self.on_review) {
            (Some(_), OnReview::Keep) => {
                problems.push(Wrong::at(
                    "review",
                    "says how a person is asked; it goes with on_review = \"ask\"",
                ));
            }
            (Some(review), OnReview::Ask) => problems.extend(review.problems("review.")),
            (None, _) => {}
        }
        let bytes = serde_json::to_string(&self.parameters).map_or(0, |text| text.len());
        if bytes > PARAMETERS_BYTES {
            let why = format!("{bytes} bytes of JSON are out of range, 0 to {PARAMETERS_BYTES}");
            problems.push(Wrong::at("parameters", why));
        }
        problems
    }
}

impl CopyRule {
    fn problems(&self) -> Vec<Wrong> {
        let mut problems = Vec::new();
        if self.storage.is_empty() || self.storage == "*" {
            problems.push(Wrong::at("storage", "must be the name of one storage"));
        }
        let prefix = self.prefix.as_str();
        if !prefix.is_empty() && !prefix.ends_with('/') {
            let why = format!("{prefix:?} must be empty (the whole storage) or end with a slash");
            problems.push(Wrong::at("prefix", why));
        }
        let bad = |part: &str| part.is_empty() || part == "." || part == "..";
        if !prefix.is_empty() && prefix.trim_end_matches('/').split('/').any(bad) {
            let why = format!("{prefix:?} has an empty part, or one of . and ..");
            problems.push(Wrong::at("prefix", why));
        }
        if prefix.starts_with(".reelmill/") {
            problems.push(Wrong::at("prefix", "is reelmill's own staging folder"));
        }
        problems
    }
}

/// Whether `name` is a plain file name that no path can hide in.
pub fn is_file_name(name: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    (1..=128).contains(&name.len()) && !name.starts_with('.') && name.chars().all(plain)
}

fn within(problems: &mut Vec<Wrong>, path: String, value: u64, range: RangeInclusive<u64>) {
    if !range.contains(&value) {
        let why = format!("{value} is out of range, {} to {}", range.start(), range.end());
        problems.push(Wrong::at(path, why));
    }
}

#[cfg(test)]
mod tests {
    use super::Deed;
    use super::OnTimeout;
    use crate::workflow::resolved::ActivityKind;
    use serde_json::Value;
    use serde_json::json;

    fn read(kind: ActivityKind, parameters: Value) -> Result<Option<Deed>, String> {
        let Value::Object(parameters) = parameters else {
            panic!("a table");
        };
        Deed::read(kind, &parameters)
            .map_err(|wrongs| wrongs.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn rules_are_read_with_their_defaults() {
        let deed = read(ActivityKind::Review, json!({"timeout_s": 60, "on_timeout": "block"})).expect("good");
        let Some(Deed::Review(rule)) = deed else {
            panic!("{deed:?}")
        };
        assert_eq!((rule.timeout_s, rule.on_timeout), (Some(60), OnTimeout::Block));
        let deed = read(ActivityKind::Moderation, json!({"exec": "look.sh"})).expect("good");
        let Some(Deed::Hook(rule)) = deed else {
            panic!("{deed:?}")
        };
        assert_eq!(
            (rule.timeout_s, rule.answer_within_s, rule.name()),
            (300, 86_400, "look.sh")
        );
        assert_eq!(read(ActivityKind::Noop, json!({})), Ok(None));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_range() {
        let refused = |kind, parameters| read(kind, parameters).expect_err("refused");
        let review = |parameters| refused(ActivityKind::Review, parameters);
        assert!(review(json!({"timeout_s": 0})).contains("timeout_s: 0 is out of range, 1 to 31536000"));
        assert!(review(json!({"on_timeout": "approve"})).contains("waits as long as it takes"));
        assert!(review(json!({"on_timeout": "pass"})).contains("not one of"));
        let hook = |parameters| refused(ActivityKind::Hook, parameters);
        assert!(hook(json!({})).contains("is missing"));
        assert!(hook(json!({"url": "http://a/", "exec": "b"})).contains("goes without url"));
        assert!(hook(json!({"exec": "../x"})).contains("no slash"));
        assert!(hook(json!({"exec": ".x"})).contains("not the name of a file"));
        assert!(hook(json!({"url": "ftp://a/"})).contains("scheme"));
        assert!(hook(json!({"url": "http://169.254.169.254/"})).contains("link-local"));
        assert!(hook(json!({"exec": "a", "timeout_s": 90_000})).contains("1 to 86400"));
        assert!(hook(json!({"exec": "a", "review": {}})).contains("on_review"));
        assert!(
            hook(json!({"exec": "a", "on_review": "ask", "review": {"timeout_s": 0}})).contains("review.timeout_s")
        );
        let copy = |parameters| refused(ActivityKind::Copy, parameters);
        assert!(copy(json!({})).contains("storage"));
        assert!(copy(json!({"storage": "a", "prefix": "b"})).contains("end with a slash"));
        assert!(copy(json!({"storage": "a", "prefix": "../"})).contains(".."));
        assert!(copy(json!({"storage": "a", "prefix": ".reelmill/"})).contains("staging"));
    }
}
