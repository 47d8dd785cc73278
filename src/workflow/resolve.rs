//! From a definition to a workflow with nothing left to look up.
//!
//! Guarantees: either a whole [`ResolvedWorkflow`], or every problem at once, each naming the activity and the key.
//! Deliberately absent: whether the storages and destinations named exist, which the configuration knows.

use crate::base::reader;
use crate::base::reader::Wrong;
use crate::media::spec::MediaWork;
use crate::workflow::activity;
use crate::workflow::activity::Node;
use crate::workflow::deed::Deed;
use crate::workflow::definition::BadDefinition;
use crate::workflow::definition::Definition;
use crate::workflow::definition::Problem;
use crate::workflow::definition::SourceSection;
use crate::workflow::graph;
use crate::workflow::name_rule::is_name;
use crate::workflow::preset;
use crate::workflow::resolved::Activity;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::resolved::SuccessRule;
use crate::workflow::resolved::When;
use crate::workflow::sections;
use crate::workflow::sections::Problems;
use crate::workflow::template::Templates;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Most activities of one workflow.
const MAX_ACTIVITIES: usize = 100;

/// A definition with templates merged, presets expanded, defaults filled and its graph checked.
///
/// # Errors
/// Everything wrong with it.
pub fn resolve(definition: &Definition, templates: &Templates) -> Result<ResolvedWorkflow, BadDefinition> {
    let mut problems = Problems::default();
    if !is_name(&definition.name, 128) {
        let why = format!(
            "{:?} is not a name of 1 to 128 letters of any script, digits, - and _",
            definition.name
        );
        problems.add(Wrong::at("name", why));
    }
    let activities = activities(&mut problems, definition, templates);
    let source = sections::source(&mut problems, definition.source.as_ref());
    let output = sections::output(&mut problems, definition.output.as_ref(), &source, &activities);
    let callback = sections::callback(&mut problems, definition.callback.as_ref());
    if problems.0.is_empty() {
        Ok(ResolvedWorkflow {
            name: definition.name.clone(),
            description: definition.description.clone(),
            source,
            output,
            callback,
            success: definition.success,
            activities,
        })
    } else {
        Err(BadDefinition {
            name: Some(definition.name.clone()),
            problems: problems.0,
        })
    }
}

/// One template as a workflow of one activity, named after it; none: there is none, or it is for a part of one.
pub fn wrap_template(name: &str, templates: &Templates) -> Option<ResolvedWorkflow> {
    let template = templates.get(name)?;
    let node = serde_json::json!({ "id": name, "type": template.kind.as_str(), "template": name });
    let definition = Definition {
        name: name.to_owned(),
        description: template.description.clone(),
        enabled: None,
        success: SuccessRule::All,
        preset: None,
        source: Some(SourceSection {
            library: true,
            ..SourceSection::default()
        }),
        output: None,
        callback: None,
        activity: vec![node],
    };
    resolve(&definition, templates).ok()
}

/// What `reelmill run WORKFLOW` runs: a file (anything that ends in `.toml` or `.json`, or holds a slash), else a
/// preset, else a template. Source, output and callback of a file are not looked at; outputs go to `{Name}{Ext}`.
///
/// # Errors
/// A file that cannot be read or is wrong, or a name that is neither, with the nearest that is.
pub fn resolve_named(
    argument: &str,
    templates: &Templates,
    read: impl FnOnce(&str) -> std::io::Result<String>,
) -> Result<ResolvedWorkflow, BadDefinition> {
    let json = argument.ends_with(".json");
    let mut resolved = if json || argument.ends_with(".toml") || argument.contains('/') {
        let text = read(argument)
            .map_err(|error| BadDefinition::one(Wrong::at("", format!("cannot read {argument}: {error}"))))?;
        let mut definition = if json {
            Definition::from_json(&text)?
        } else {
            Definition::from_toml(&text)?
        };
        definition.source = Some(SourceSection {
            library: true,
            ..SourceSection::default()
        });
        definition.output = None;
        definition.callback = None;
        resolve(&definition, templates)?
    } else if let Some(preset) = preset::get(argument) {
        resolve(&preset, templates)?
    } else if let Some(wrapped) = wrap_template(argument, templates) {
        wrapped
    } else {
        let mut known = preset::names().to_vec();
        known.extend(templates.iter().map(|template| template.name.as_str()));
        let why = format!(
            "{argument:?} is no preset workflow, no template, and no .toml or .json file; {}",
            reader::meant(argument, &known)
        );
        return Err(BadDefinition::one(Wrong::at("", why)));
    };
    "{Name}{Ext}".clone_into(&mut resolved.output.path);
    Ok(resolved)
}

fn activities(problems: &mut Problems, definition: &Definition, templates: &Templates) -> Vec<Activity> {
    let preset;
    let written: &[Value] = match &definition.preset {
        None => &definition.activity,
        Some(_) if !definition.activity.is_empty() => {
            problems.at("preset", "a workflow has a preset's activities or its own, not both");
            return Vec::new();
        }
        Some(name) => {
            preset = preset::get(name);
            let Some(preset) = &preset else {
                problems.at(
                    "preset",
                    format!("there is no preset {name:?}; {}", reader::meant(name, &preset::names())),
                );
                return Vec::new();
            };
            &preset.activity
        }
    };
    let before = problems.0.len();
    let mut nodes = Vec::new();
    for (at, tree) in written.iter().enumerate() {
        match activity::resolve(tree, templates) {
            Ok(node) => nodes.push(node),
            Err((Some(node), wrongs)) => problems.0.extend(wrongs.into_iter().map(|wrong| Problem {
                node: Some(node.clone()),
                wrong,
            })),
            Err((None, wrongs)) => {
                for wrong in wrongs {
                    let path = format!(
                        "activity[{at}]{}{}",
                        if wrong.path.is_empty() { "" } else { "." },
                        wrong.path
                    );
                    problems.add(Wrong { path, ..wrong });
                }
            }
        }
    }
    if problems.0.len() > before {
        return Vec::new();
    }
    match graph_of(nodes) {
        Ok(activities) => activities,
        Err(wrong) => {
            problems.add(wrong);
            Vec::new()
        }
    }
}

/// The activities in order, with Start and End taken out.
fn graph_of(nodes: Vec<Node>) -> Result<Vec<Activity>, Wrong> {
    let bad = |why: String| Wrong::at("activity", why);
    let mut start = None;
    let mut end = None;
    let mut activities = Vec::new();
    // Explicit ends are checked as nodes like any other, then dropped.
    let mut checked: Vec<(String, Vec<String>)> = Vec::new();
    for node in nodes {
        let id = node.id().to_owned();
        match node {
            Node::Start { .. } => {
                if start.replace(id.clone()).is_some() {
                    return Err(bad(format!("{id:?} is a second Start node")));
                }
                checked.push((id, Vec::new()));
            }
            Node::End { needs, .. } => {
                if end.replace(id.clone()).is_some() {
                    return Err(bad(format!("{id:?} is a second End node")));
                }
                checked.push((id, needs));
            }
            Node::Activity(activity) => {
                checked.push((id, activity.needs.clone()));
                activities.push(*activity);
            }
        }
    }
    let implied_start = start.is_none() && !activities.iter().any(|activity| activity.id == "Start");
    if implied_start {
        checked.push(("Start".to_owned(), Vec::new()));
        start = Some("Start".to_owned());
    }
    if activities.is_empty() {
        return Err(bad(
            "a workflow needs at least one [[activity]], or preset = \"...\"".to_owned()
        ));
    }
    if activities.len() > MAX_ACTIVITIES {
        return Err(bad(format!(
            "{} activities are more than {MAX_ACTIVITIES}",
            activities.len()
        )));
    }
    if let Some(end) = &end
        && let Some((id, _)) = checked.iter().find(|(_, needs)| needs.contains(end))
    {
        return Err(bad(format!(
            "activity {id:?} needs {end:?}, and nothing follows the End node"
        )));
    }
    let graph: Vec<graph::Node<'_>> = checked.iter().map(|(id, needs)| graph::Node { id, needs }).collect();
    let order = graph::order(&graph).map_err(|error| bad(error.to_string()))?;
    for activity in &mut activities {
        activity.needs.retain(|need| Some(need) != start.as_ref());
        let mut seen = BTreeSet::new();
        activity.needs.retain(|need| seen.insert(need.clone()));
        if activity.needs.is_empty() && matches!(activity.when, When::Expression(_)) {
            return Err(bad(format!(
                "activity {:?} follows Start alone, and before that nothing is known of the source that its condition could \
                 be about; let it follow an activity of type \"analysis\"",
                activity.id
            )));
        }
    }
    follows_what_it_asks(&activities)?;
    let mut by_id: BTreeMap<String, Activity> = activities
        .into_iter()
        .map(|activity| (activity.id.clone(), activity))
        .collect();
    Ok(order
        .into_iter()
        .filter_map(|at| by_id.remove(&checked[at].0))
        .collect())
}

/// What follows a block follows somebody who can say it, and what copies outputs follows who makes them.
pub(super) fn follows_what_it_asks(activities: &[Activity]) -> Result<(), Wrong> {
    let find = |id: &str| activities.iter().find(|other| other.id == id);
    let bad = |activity: &Activity, why: String| Wrong::at("activity", format!("activity {:?} {why}", activity.id));
    for activity in activities {
        let asked = |need: &String| find(need).is_some_and(|other| other.kind.gives_opinion());
        if activity.when == When::Blocked && !activity.needs.iter().any(asked) {
            let why = "runs when blocked, and nothing in its needs can say block: a review, hook, moderation, recognition or \
                       content_analysis can";
            return Err(bad(activity, why.to_owned()));
        }
        let Some(Deed::Copy(rule)) = &activity.deed else {
            continue;
        };
        let before = activities_before(activity, activities);
        for wanted in &rule.outputs_of {
            if !before.contains(wanted.as_str()) {
                let known: Vec<&str> = before.iter().copied().collect();
                let why = format!(
                    "copies outputs of {wanted:?}, which is no activity before it; {}",
                    reader::meant(wanted, &known)
                );
                return Err(bad(activity, why));
            }
            let makes = |other: &Activity| match (&other.work, &other.deed) {
                (Some(work), _) => !matches!(work, MediaWork::Analysis),
                (None, deed) => matches!(deed, Some(Deed::Copy(_))),
            };
            if !find(wanted).is_some_and(makes) {
                return Err(bad(activity, format!("copies outputs of {wanted:?}, which makes none")));
            }
        }
    }
    Ok(())
}

/// Ids of everything that comes before `activity`, directly or not.
fn activities_before<'a>(activity: &'a Activity, activities: &'a [Activity]) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = activity.needs.iter().map(String::as_str).collect();
    while let Some(id) = open.pop() {
        if found.insert(id)
            && let Some(other) = activities.iter().find(|other| other.id == id)
        {
            open.extend(other.needs.iter().map(String::as_str));
        }
    }
    found
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
