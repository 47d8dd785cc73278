//! One node of a definition: what is common to all activities, and the parameters of its type.
//!
//! Guarantees: a resolved activity's work is complete and in range; a template never lends itself to another type.
//! Deliberately absent: the graph (`graph`), and what review, hook and copy
//! activities do (`deed`).

use crate::base::reader;
use crate::base::reader::Wrong;
use crate::media::spec::AnimationSpec;
use crate::media::spec::Backend;
use crate::media::spec::MediaWork;
use crate::media::spec::QcSpec;
use crate::media::spec::SnapshotMode;
use crate::media::spec::SnapshotSpec;
use crate::media::spec::TranscodeSpec;
use crate::media::spec_check;
use crate::workflow::deed::Deed;
use crate::workflow::expression;
use crate::workflow::expression::Expression;
use crate::workflow::marks;
use crate::workflow::name_rule::is_name;
use crate::workflow::resolved::Activity;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::resolved::When;
use crate::workflow::template::TemplateKind;
use crate::workflow::template::Templates;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;

/// Keys that every activity has; the others are parameters of its type.
const COMMON: [&str; 7] = ["id", "type", "needs", "when", "optional", "backend", "template"];

/// Types that there are.
const KINDS: [(&str, ActivityKind); 13] = [
    ("analysis", ActivityKind::Analysis),
    ("transcode", ActivityKind::Transcode),
    ("snapshot", ActivityKind::Snapshot),
    ("dynamic_image", ActivityKind::DynamicImage),
    ("cover", ActivityKind::Cover),
    ("qc", ActivityKind::Qc),
    ("review", ActivityKind::Review),
    ("hook", ActivityKind::Hook),
    ("moderation", ActivityKind::Moderation),
    ("recognition", ActivityKind::Recognition),
    ("content_analysis", ActivityKind::ContentAnalysis),
    ("copy", ActivityKind::Copy),
    ("noop", ActivityKind::Noop),
];

/// The keys of [`COMMON`].
#[derive(Debug, Deserialize)]
struct Common {
    id: String,
    r#type: String,
    #[serde(default)]
    needs: Vec<String>,
    when: Option<String>,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    backend: Backend,
    template: Option<String>,
}

/// A node as it stands in a definition.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// An explicit Start, which every graph has anyway.
    Start {
        /// Its id.
        id: String,
    },
    /// An explicit End.
    End {
        /// Its id.
        id: String,
        /// What it follows; checked for existence only.
        needs: Vec<String>,
    },
    /// Something to do.
    Activity(Box<Activity>),
}

impl Node {
    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Node::Start { id } | Node::End { id, .. } => id,
            Node::Activity(activity) => &activity.id,
        }
    }
}

/// The type that a word names.
///
/// # Errors
/// A clause: an unknown type, with the nearest known.
pub fn kind(word: &str) -> Result<ActivityKind, String> {
    if let Some((_, kind)) = KINDS.iter().find(|(known, _)| *known == word) {
        return Ok(*kind);
    }
    Err(format!(
        "{word:?} is no activity type; {}",
        reader::meant(word, &KINDS.map(|(known, _)| known))
    ))
}

/// What a worker is to make of parameters; none: nothing, the daemon does it alone.
///
/// # Errors
/// Everything wrong with them, at least one problem.
pub fn work(kind: ActivityKind, parameters: &Map<String, Value>) -> Result<Option<MediaWork>, Vec<Wrong>> {
    let tree = Value::Object(parameters.clone());
    let spec = |wrong: Wrong| vec![spelling_of_common(wrong)];
    let work = match kind {
        ActivityKind::Transcode => MediaWork::Transcode(reader::from_tree::<TranscodeSpec>(&tree).map_err(spec)?),
        ActivityKind::Snapshot => MediaWork::Snapshot(snapshot(&tree).map_err(spec)?),
        ActivityKind::DynamicImage => MediaWork::DynamicImage(reader::from_tree::<AnimationSpec>(&tree).map_err(spec)?),
        ActivityKind::Cover => MediaWork::Snapshot(cover(&tree).map_err(spec)?),
        ActivityKind::Qc => MediaWork::Qc(reader::from_tree::<QcSpec>(&tree).map_err(spec)?),
        ActivityKind::Review
        | ActivityKind::Hook
        | ActivityKind::Moderation
        | ActivityKind::Recognition
        | ActivityKind::ContentAnalysis
        | ActivityKind::Copy => {
            deed(kind, parameters)?;
            return Ok(None);
        }
        ActivityKind::Analysis | ActivityKind::Noop => {
            if let Some(key) = parameters.keys().next() {
                let why = format!(
                    "unknown key {key:?}; an activity of type {:?} takes no parameters",
                    kind.as_str()
                );
                return Err(spec(Wrong::at(key, why)));
            }
            return Ok((kind == ActivityKind::Analysis).then_some(MediaWork::Analysis));
        }
    };
    let problems = spec_check::check(&work);
    if problems.is_empty() {
        Ok(Some(work))
    } else {
        Err(problems)
    }
}

/// What the daemon is to do of parameters without a worker; none: nothing.
///
/// # Errors
/// Everything wrong with them, at least one problem.
pub fn deed(kind: ActivityKind, parameters: &Map<String, Value>) -> Result<Option<Deed>, Vec<Wrong>> {
    Deed::read(kind, parameters).map_err(|wrongs| wrongs.into_iter().map(spelling_of_common).collect())
}

/// Stills and sprites as they are asked for; choosing among them is a cover's.
fn snapshot(tree: &Value) -> Result<SnapshotSpec, Wrong> {
    let spec: SnapshotSpec = reader::from_tree(tree)?;
    match spec.best {
        Some(_) => Err(Wrong::at(
            "best",
            "unknown key \"best\"; pictures are chosen by type = \"cover\"",
        )),
        None => Ok(spec),
    }
}

/// A cover is one still at the moment that is given; when nothing says which, the `count` best of many.
fn cover(tree: &Value) -> Result<SnapshotSpec, Wrong> {
    let mut spec: SnapshotSpec = reader::from_tree(tree)?;
    if spec.mode != SnapshotMode::Normal {
        return Err(Wrong::at(
            "mode",
            "a cover is a still; take type = \"snapshot\" for sprites",
        ));
    }
    if spec.best.is_some() {
        return Err(Wrong::at("best", "unknown key \"best\"; count says how many are kept"));
    }
    if spec.times.len() > 1 || spec.interval_s.is_some() || !spec.times.is_empty() && spec.count.is_some() {
        return Err(Wrong::at(
            "times",
            "a cover is one still at one entry of times, or the count best ones; no interval_s",
        ));
    }
    let fixed = !spec.times.is_empty() || tree.get("start_s").is_some() && spec.count.is_none();
    if !fixed {
        spec.best = Some(spec.count.take().unwrap_or(1));
        // Choosing passes over dark frames anyway.
        spec.black_level = None;
        spec.pixel_black_threshold = None;
    }
    Ok(spec)
}

/// A misspelt common key is reported as such, though it was read as a parameter.
fn spelling_of_common(wrong: Wrong) -> Wrong {
    let near = COMMON
        .iter()
        .find(|known| strsim::jaro_winkler(known, &wrong.path) > 0.9);
    match near {
        Some(known) if wrong.why.starts_with("unknown key") => Wrong {
            why: format!("unknown key {:?}; did you mean {known:?}?", wrong.path),
            ..wrong
        },
        _ => wrong,
    }
}

/// Reads one node of a definition.
///
/// # Errors
/// Its id, where it has one, and everything wrong with it; paths begin at the node's own keys.
pub fn resolve(tree: &Value, templates: &Templates) -> Result<Node, (Option<String>, Vec<Wrong>)> {
    let Value::Object(written) = tree else {
        return Err((None, vec![Wrong::at("", "an activity is a table of keys")]));
    };
    let id = written.get("id").and_then(Value::as_str).map(str::to_owned);
    let one = |wrong: Wrong| (id.clone(), vec![wrong]);
    let (common, parameters): (Map<String, Value>, Map<String, Value>) = written
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .partition(|(key, _)| COMMON.contains(&key.as_str()));
    let mut common: Common = reader::from_tree(&Value::Object(common)).map_err(one)?;
    if !is_name(&common.id, 64) {
        let why = format!("{:?} is not a name of 1 to 64 letters, digits, - and _", common.id);
        return Err(one(Wrong::at("id", why)));
    }
    if let Some(edge) = start_or_end(&common, &parameters).map_err(one)? {
        return Ok(edge);
    }
    let kind = kind(&common.r#type).map_err(|why| one(Wrong::at("type", why)))?;
    if parameters.contains_key("input") {
        return Err(one(Wrong::at(
            "input",
            "outputs of other activities as input come with a later version; leave it out to take the source",
        )));
    }
    let when = when(&common).map_err(|why| one(Wrong::at("when", why)))?;
    let mut merged = match &common.template {
        // Nothing is said at all: what stands in for it, where an operator set one.
        None if parameters.is_empty() => match templates.default_of(TemplateKind::Activity(kind)) {
            Some(default) => {
                common.template = Some(default.name.clone());
                default.parameters.clone()
            }
            None => parameters,
        },
        None => parameters,
        Some(name) => {
            with_template(name, kind, &parameters, templates).map_err(|why| one(Wrong::at("template", why)))?
        }
    };
    if kind == ActivityKind::Transcode {
        marks::expand(&mut merged, templates).map_err(one)?;
    }
    let work = work(kind, &merged).map_err(|problems| (id.clone(), problems))?;
    let deed = deed(kind, &merged).map_err(|problems| (id.clone(), problems))?;
    Ok(Node::Activity(Box::new(Activity {
        id: common.id,
        kind,
        needs: common.needs,
        when,
        optional: common.optional,
        backend: common.backend,
        deed,
        work,
        template: common.template,
        parameters: Value::Object(merged),
    })))
}

fn start_or_end(common: &Common, parameters: &Map<String, Value>) -> Result<Option<Node>, Wrong> {
    let (node, word) = match common.r#type.as_str() {
        "Start" | "start" => (Node::Start { id: common.id.clone() }, "Start"),
        "End" | "end" => {
            let (id, needs) = (common.id.clone(), common.needs.clone());
            (Node::End { id, needs }, "End")
        }
        _ => return Ok(None),
    };
    if let Some(key) = parameters.keys().next() {
        return Err(Wrong::at(key, format!("a {word} node takes no parameters")));
    }
    if word == "Start" && !common.needs.is_empty() {
        return Err(Wrong::at("needs", "a Start node follows nothing"));
    }
    if common.template.is_some() || common.when.is_some() {
        return Err(Wrong::at("type", format!("a {word} node has an id and needs only")));
    }
    Ok(Some(node))
}

fn when(common: &Common) -> Result<When, String> {
    let when = match common.when.as_deref() {
        None | Some("success") => When::Success,
        Some("failure") => When::Failure,
        Some("always") => When::Always,
        Some("blocked") => When::Blocked,
        Some(word) if word.contains(|c: char| !c.is_ascii_alphabetic()) || expression::NAMES.contains(&word) => {
            let known: Vec<&str> = common.needs.iter().map(String::as_str).collect();
            When::Expression(Expression::parse(word, &known)?)
        }
        Some(word) => {
            return Err(format!(
                "{word:?} is no condition; {}",
                reader::meant(word, &["success", "failure", "always", "blocked"])
            ));
        }
    };
    if matches!(when, When::Expression(_)) && common.needs.is_empty() {
        return Err(
            "an expression needs something in needs, such as an activity of type \"analysis\": before it nothing is known \
             of the source"
                .to_owned(),
        );
    }
    if when == When::Failure && common.needs.is_empty() {
        return Err("\"failure\" needs something in needs that can fail: Start does not".to_owned());
    }
    Ok(when)
}

/// Scalars beside a template override it, a list replaces the template's, a table is merged.
fn with_template(
    name: &str,
    kind: ActivityKind,
    written: &Map<String, Value>,
    templates: &Templates,
) -> Result<Map<String, Value>, String> {
    let Some(template) = templates.get(name) else {
        let known: Vec<&str> = templates.iter().map(|template| template.name.as_str()).collect();
        return Err(format!(
            "there is no template {name:?}; {}",
            reader::meant(name, &known)
        ));
    };
    if template.kind != TemplateKind::Activity(kind) {
        return Err(format!(
            "template {name:?} is of type {:?}, and this activity of type {:?}",
            template.kind.as_str(),
            kind.as_str()
        ));
    }
    let mut merged = template.parameters.clone();
    choose_moments(&mut merged, written);
    reader::overlay(&mut merged, written);
    Ok(merged)
}

/// Moments are said in one way or the other, so those in `written` replace the way of `base`.
pub(super) fn choose_moments(base: &mut Map<String, Value>, written: &Map<String, Value>) {
    if written.contains_key("times") {
        base.remove("interval_s");
        base.remove("count");
    } else if written.contains_key("interval_s") || written.contains_key("count") {
        base.remove("times");
    }
}
