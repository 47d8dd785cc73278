//! How workflows, their versions and their graphs look on the wire.
//!
//! Guarantees: the same shape in lists, by itself and after a change; no secret is shown. Deliberately absent:
//! changing them.

use crate::store::workflow_versions::VersionRow;
use crate::store::workflows::WorkflowRow;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::workflow::definition::Definition;
use crate::workflow::graph_view;
use crate::workflow::graph_view::Graph;
use crate::workflow::resolved::ResolvedWorkflow;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One workflow as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowView {
    /// Id.
    id: String,
    /// When it was first saved.
    created_at: String,
    /// When its newest version was saved, or it was enabled or disabled.
    modified_at: String,
    /// enabled or disabled.
    status: String,
    /// Its name.
    name: String,
    /// For people.
    description: String,
    /// file, api or preset: who may change it.
    origin: String,
    /// Whether it runs.
    enabled: bool,
    /// Its newest version.
    version: u32,
    /// What it runs on.
    source: SourceView,
    /// Where its outputs go.
    output: OutputPlaceView,
}

/// What a workflow runs on.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceView {
    /// library or storage.
    kind: String,
    /// Name of the storage, `*` for any; none: the library.
    storage: Option<String>,
    /// What keys begin with; empty: the whole storage.
    prefix: String,
    /// automatic or manual.
    trigger: String,
}

/// Where the outputs of a workflow go.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutputPlaceView {
    /// Name of the storage; none: the source's.
    storage: Option<String>,
    /// Stands in for the source's folder; none: the source's folder.
    prefix: Option<String>,
}

impl From<&WorkflowRow> for WorkflowView {
    fn from(row: &WorkflowRow) -> Self {
        let (source, output) = (&row.resolved.source, &row.resolved.output);
        WorkflowView {
            id: row.id.as_str().to_owned(),
            created_at: row.created_at.wire(),
            modified_at: row.modified_at.wire(),
            status: if row.enabled { "enabled" } else { "disabled" }.to_owned(),
            name: row.name.clone(),
            description: row.resolved.description.clone(),
            origin: row.origin.as_str().to_owned(),
            enabled: row.enabled,
            version: row.version,
            source: SourceView {
                kind: if source.library { "library" } else { "storage" }.to_owned(),
                storage: match source.library {
                    true => None,
                    false => Some(source.storage.clone().unwrap_or_else(|| "*".to_owned())),
                },
                prefix: source.prefix.clone(),
                trigger: if source.automatic { "automatic" } else { "manual" }.to_owned(),
            },
            output: OutputPlaceView {
                storage: output.storage.clone(),
                prefix: output.prefix.clone(),
            },
        }
    }
}

/// A workflow with its definition.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowDetailView {
    /// The workflow.
    #[serde(flatten)]
    workflow: WorkflowView,
    /// What it means.
    #[serde(flatten)]
    meaning: MeaningView,
}

/// A definition, what it resolves to, and its graph.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeaningView {
    /// The definition as TOML, secrets replaced by `***`.
    definition: String,
    /// The same with templates merged, presets expanded and defaults filled.
    resolved: Value,
    /// Its nodes, Start and End among them, and the conditions between them.
    graph: GraphView,
}

/// A graph.
#[derive(Debug, Serialize, ToSchema)]
pub struct GraphView {
    /// Start, the activities with needs before dependants, End.
    nodes: Vec<NodeView>,
    /// In the order of the nodes they lead to.
    edges: Vec<EdgeView>,
}

/// A node of a graph.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodeView {
    /// Unique in the graph.
    id: String,
    /// Start, End, or the type of the activity.
    #[serde(rename = "type")]
    kind: String,
    /// Does not count for the task's success.
    optional: bool,
}

/// A way from one node to another.
#[derive(Debug, Serialize, ToSchema)]
pub struct EdgeView {
    /// Where it begins.
    from: String,
    /// Where it leads.
    to: String,
    /// success, failure, always, blocked, or an expression.
    when: String,
}

impl From<Graph> for GraphView {
    fn from(graph: Graph) -> Self {
        let nodes = graph.nodes.into_iter().map(|node| NodeView {
            id: node.id,
            kind: node.kind,
            optional: node.optional,
        });
        let edges = graph.edges.into_iter().map(|edge| EdgeView {
            from: edge.from,
            to: edge.to,
            when: edge.when,
        });
        GraphView {
            nodes: nodes.collect(),
            edges: edges.collect(),
        }
    }
}

/// One version of a workflow.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionView {
    /// Its number, which is its id within the workflow.
    id: String,
    /// From 1.
    version: u32,
    /// When it was saved.
    created_at: String,
    /// It is the newest, which new tasks take; tasks that run keep theirs.
    newest: bool,
    /// The workflow's name in this version.
    name: String,
}

impl From<&VersionRow> for VersionView {
    fn from(row: &VersionRow) -> Self {
        VersionView {
            id: row.version.to_string(),
            version: row.version,
            created_at: row.created_at.wire(),
            newest: row.newest,
            name: row.resolved.name.clone(),
        }
    }
}

/// One version with its definition.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionDetailView {
    /// The version.
    #[serde(flatten)]
    version: VersionView,
    /// What it means.
    #[serde(flatten)]
    meaning: MeaningView,
}

/// A workflow in full.
///
/// # Errors
/// Its definition was saved by another version of the program.
pub fn detail(row: &WorkflowRow) -> Answer<WorkflowDetailView> {
    Ok(WorkflowDetailView {
        workflow: row.into(),
        meaning: meaning(&row.name, &row.definition, &row.resolved)?,
    })
}

/// A version in full.
///
/// # Errors
/// Its definition was saved by another version of the program.
pub fn version_detail(row: &VersionRow) -> Answer<VersionDetailView> {
    Ok(VersionDetailView {
        version: row.into(),
        meaning: meaning(&row.resolved.name, &row.definition, &row.resolved)?,
    })
}

fn meaning(name: &str, definition: &str, resolved: &ResolvedWorkflow) -> Answer<MeaningView> {
    let mut resolved = resolved.clone();
    if let Some(key) = resolved
        .callback
        .inline
        .as_mut()
        .and_then(|inline| inline.auth_key.as_mut())
    {
        "***".clone_into(key);
    }
    Ok(MeaningView {
        definition: written(name, definition)?.without_secrets().to_toml(),
        graph: graph_view::of(&resolved.activities).into(),
        resolved: serde_json::to_value(&resolved).unwrap_or(Value::Null),
    })
}

/// The definition as it was written.
///
/// # Errors
/// It was saved by another version of the program.
pub fn written(name: &str, text: &str) -> Answer<Definition> {
    let text = text.trim_start();
    let read = if text.starts_with('{') {
        Definition::from_json(text)
    } else {
        Definition::from_toml(text)
    };
    read.map_err(|bad| {
        Problem::conflict(
            "DefinitionOfOtherVersion",
            format!("the saved definition of {name} is not understood: {bad}"),
            "It was saved by another version of the program; apply a corrected definition.",
        )
    })
}
