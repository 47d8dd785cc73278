//! A definition checked without being saved: everything wrong with it, its graph, and the same in TOML and in JSON.
//!
//! Guarantees: the reader, the checks and the look at what is configured are those of saving; changes nothing; a
//! definition that is wrong still has a graph as far as its nodes can be told. Deliberately absent: what it would do with
//! an object (`dry_run`), and whether the name is taken.

use crate::base::reader;
use crate::base::reader::Wrong;
use crate::web::api::hooks;
use crate::web::api::workflow_view::GraphView;
use crate::web::api::written::Language;
use crate::web::api::written::Written;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::state::WebState;
use crate::workflow::definition;
use crate::workflow::definition::Definition;
use crate::workflow::graph_view;
use crate::workflow::graph_view::Graph;
use crate::workflow::resolve;
use crate::workflow::template::Template;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use std::sync::atomic::Ordering;
use utoipa::ToSchema;

/// What was found of a definition.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckView {
    /// It could be saved, if its name is free.
    valid: bool,
    /// Everything wrong with it.
    findings: Vec<FindingView>,
    /// It as JSON, as it was written; none: the text itself cannot be read.
    definition: Option<Value>,
    /// It as TOML, as it was written; none: the text itself cannot be read.
    toml: Option<String>,
    /// Of a workflow its nodes, Start and End among them; as far as they can be told while it is wrong.
    graph: Option<GraphView>,
    /// Templates merged, presets expanded and defaults filled; none: it is wrong.
    resolved: Option<Value>,
}

/// One thing wrong.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FindingView {
    /// Id of the activity it is in.
    activity: Option<String>,
    /// Keys and positions from the top, `activity[1].group[0].kind`; empty: the whole.
    path: String,
    /// Line of a body in TOML, or in JSON where that itself is broken.
    line: Option<usize>,
    /// What is wrong there, a clause without full stop.
    why: String,
}

/// Check a workflow without saving it. The body is the definition, TOML or JSON.
#[utoipa::path(post, path = "/api/v1/checks/workflow", tag = "workflows",
    request_body(content((String = "application/toml"), (Value = "application/json"))),
    responses((status = 200, body = CheckView), (status = "default", body = Problem)))]
pub async fn workflow(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    body: Written,
) -> Answer<Json<CheckView>> {
    caller.noted.store(true, Ordering::Release);
    refuse_absent(&body)?;
    let tree = match tree(&body) {
        Ok(tree) => tree,
        Err(wrong) => return Ok(Json(unreadable(wrong))),
    };
    let mut findings = Vec::new();
    let mut resolved = None;
    match Definition::from_tree(&tree) {
        Err(bad) => findings.extend(bad.problems.into_iter().map(|problem| placed(problem, &tree))),
        Ok(read) => match resolve::resolve(&read, &state.templates.now()) {
            Err(bad) => findings.extend(bad.problems.into_iter().map(|problem| placed(problem, &tree))),
            Ok(workflow) => {
                if let Err(problem) = hooks::refuse_near(&workflow) {
                    findings.push(whole(problem.detail));
                }
                let missing = (state.missing_for)(&workflow);
                findings.extend(missing.iter().map(|sentence| of_sentence(sentence, &tree)));
                resolved = Some(workflow);
            }
        },
    }
    let graph = match &resolved {
        Some(workflow) => graph_view::of(&workflow.activities),
        None => sketch(&tree),
    };
    let mut view = view(&body, tree, findings);
    view.graph = Some(graph.into());
    view.resolved = resolved.and_then(|workflow| serde_json::to_value(workflow).ok());
    Ok(Json(view))
}

/// Check a template without saving it. The body is the definition, TOML or JSON.
#[utoipa::path(post, path = "/api/v1/checks/template", tag = "templates",
    request_body(content((String = "application/toml"), (Value = "application/json"))),
    responses((status = 200, body = CheckView), (status = "default", body = Problem)))]
pub async fn template(Extension(caller): Extension<Caller>, body: Written) -> Answer<Json<CheckView>> {
    caller.noted.store(true, Ordering::Release);
    refuse_absent(&body)?;
    let tree = match tree(&body) {
        Ok(tree) => tree,
        Err(wrong) => return Ok(Json(unreadable(wrong))),
    };
    let findings = match Template::from_tree(&tree) {
        Ok(_) => Vec::new(),
        Err(wrong) => vec![placed(definition::Problem { node: None, wrong }, &tree)],
    };
    Ok(Json(view(&body, tree, findings)))
}

/// A text that is empty is a definition with everything missing; a JSON body that is not there is no definition at all.
fn refuse_absent(body: &Written) -> Answer<()> {
    if body.language == Language::Json && body.text.trim().is_empty() {
        return Err(Problem::bad_request(
            "NoBody",
            "the request has no body",
            "Send the definition as JSON, or as TOML with Content-Type: application/toml.",
        ));
    }
    Ok(())
}

fn tree(body: &Written) -> Result<Value, Wrong> {
    match body.language {
        Language::Json => reader::tree_of_json(&body.text),
        Language::Toml => reader::tree_of_toml(&body.text),
    }
}

fn unreadable(wrong: Wrong) -> CheckView {
    CheckView {
        valid: false,
        findings: vec![FindingView {
            activity: None,
            path: wrong.path,
            line: wrong.line,
            why: wrong.why,
        }],
        definition: None,
        toml: None,
        graph: None,
        resolved: None,
    }
}

fn view(body: &Written, tree: Value, mut findings: Vec<FindingView>) -> CheckView {
    if body.language == Language::Toml {
        for finding in &mut findings {
            finding.line = reader::with_line(&body.text, Wrong::at(&*finding.path, "")).line;
        }
    }
    let toml = match body.language {
        Language::Toml => Some(body.text.clone()),
        Language::Json => toml::to_string_pretty(&without_nothing(tree.clone())).ok(),
    };
    CheckView {
        valid: findings.is_empty(),
        findings,
        definition: Some(tree),
        toml,
        graph: None,
        resolved: None,
    }
}

/// TOML has no word for what is absent.
fn without_nothing(tree: Value) -> Value {
    match tree {
        Value::Object(table) => {
            let said = table.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(said.map(|(key, value)| (key, without_nothing(value))).collect())
        }
        Value::Array(list) => Value::Array(
            list.into_iter()
                .filter(|value| !value.is_null())
                .map(without_nothing)
                .collect(),
        ),
        other => other,
    }
}

fn nodes(tree: &Value) -> &[Value] {
    tree.get("activity")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn id_of(node: &Value) -> Option<&str> {
    node.get("id").and_then(Value::as_str)
}

/// A path that begins at an activity, from the top of the definition.
fn from_the_top(tree: &Value, node: &str, path: &str) -> String {
    let at = nodes(tree).iter().position(|one| id_of(one) == Some(node));
    match (at, path) {
        (Some(at), "") => format!("activity[{at}]"),
        (Some(at), path) => format!("activity[{at}].{path}"),
        // Of a preset, or of nothing that is written.
        (None, path) => path.to_owned(),
    }
}

fn placed(problem: definition::Problem, tree: &Value) -> FindingView {
    let (node, wrong) = (problem.node, problem.wrong);
    let path = match &node {
        Some(node) => from_the_top(tree, node, &wrong.path),
        None => wrong.path,
    };
    FindingView {
        activity: node.or_else(|| activity_at(tree, &path)),
        path,
        line: wrong.line,
        why: wrong.why,
    }
}

/// The id of the activity that a path leads into.
fn activity_at(tree: &Value, path: &str) -> Option<String> {
    let at = path
        .strip_prefix("activity[")?
        .split_once(']')?
        .0
        .parse::<usize>()
        .ok()?;
    nodes(tree).get(at).and_then(id_of).map(str::to_owned)
}

fn whole(why: String) -> FindingView {
    FindingView {
        activity: None,
        path: String::new(),
        line: None,
        why,
    }
}

/// What is not configured is told in sentences that begin with a path, or with the activity.
fn of_sentence(sentence: &str, tree: &Value) -> FindingView {
    let Some((place, why)) = sentence.split_once(": ") else {
        return whole(sentence.to_owned());
    };
    let activity = place.strip_prefix("activity ").map(str::to_owned);
    FindingView {
        path: match &activity {
            Some(id) => from_the_top(tree, id, ""),
            None => place.to_owned(),
        },
        activity,
        line: None,
        why: why.to_owned(),
    }
}

/// The graph of what is written, whatever is wrong with it: nodes that have an id, and the ways between them.
fn sketch(tree: &Value) -> Graph {
    let text = |node: &Value, key: &str| node.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let rows = nodes(tree).iter().filter_map(|node| {
        let id = id_of(node).filter(|id| !id.is_empty())?;
        let needs = node.get("needs").and_then(Value::as_array).into_iter().flatten();
        Some(graph_view::Sketched {
            id: id.to_owned(),
            kind: text(node, "type"),
            needs: needs.filter_map(Value::as_str).map(str::to_owned).collect(),
            when: Some(text(node, "when")).filter(|when| !when.is_empty()),
            optional: node.get("optional").and_then(Value::as_bool).unwrap_or(false),
        })
    });
    graph_view::sketch(&rows.collect::<Vec<_>>())
}
