//! `test` of a workflow: what it would do with a chosen object, and, when asked for, doing it.
//!
//! Guarantees: changes nothing unless a run is asked for; says what is not known instead of guessing it; names are
//! looked up in the storage as publishing would. Deliberately absent: workflows of the library, which have no path to
//! match, and disabled ones, which run nothing.

use crate::base::clock::UtcMs;
use crate::objects::uri::ObjectUri;
use crate::store::media::MediaRow;
use crate::store::media::Source;
use crate::web::api::explain;
use crate::web::api::starting;
use crate::web::api::starting::Order;
use crate::web::api::starting::RunRequest;
use crate::web::api::starting::Target;
use crate::web::api::task_view::TaskView;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::state::WebState;
use crate::web::user_data::UserData;
use crate::workflow::deed::Deed;
use crate::workflow::definition::CallbackSection;
use crate::workflow::otherwise::OutputChange;
use crate::workflow::plan::Budget;
use crate::workflow::rehearsal;
use crate::workflow::rehearsal::Before;
use crate::workflow::rehearsal::NamedOutput;
use crate::workflow::rehearsal::Rehearsal;
use crate::workflow::rehearsal::Runs;
use crate::workflow::resolved::OnConflict;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::selector;
use crate::workflow::selector::ArrivalFacts;
use crate::workflow::selector::WhyNot;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Names tried for an output before it is only said that more are taken.
const VERSIONS_TRIED: u32 = 200;

/// What a workflow is tested with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestRequest {
    /// The object, `storage:key`.
    object: String,
    /// Really start a task on it.
    #[serde(default)]
    run: bool,
    /// As for a task: with `NotifyAddress` it tells somebody else.
    #[serde(default)]
    #[schema(value_type = Value)]
    user_data: Option<UserData>,
    /// As for a task.
    #[serde(default)]
    priority: i64,
    /// As for a task.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    output: Option<OutputChange>,
    /// As for a task.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    callback: Option<CallbackSection>,
    /// As for a task.
    #[serde(default)]
    #[schema(value_type = Object)]
    parameters: BTreeMap<String, Map<String, Value>>,
}

/// What a workflow would do with an object.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestView {
    /// Name of the workflow.
    workflow: String,
    /// Its version; 0: it is not saved.
    version: u32,
    /// The object, `storage:key`.
    object: String,
    /// Whether it is there.
    exists: bool,
    /// Its bytes, where it is there.
    size_bytes: Option<u64>,
    /// Whether storage, prefix and extension are such that the workflow takes it.
    matches: bool,
    /// What decides that, in a sentence.
    why: String,
    /// automatic: an arrival starts it; manual: only a person or a program does.
    trigger: String,
    /// What became of the object when it arrived, in a sentence.
    arrival: Option<String>,
    /// The media that it is; none: it would become one.
    media: Option<String>,
    /// Whether an earlier run told its facts.
    facts_known: bool,
    /// Each activity, needs before dependants, everything before it having succeeded.
    activities: Vec<TestedActivity>,
    /// What would be made, under which name.
    outputs: Vec<TestedOutput>,
    /// What one worker would do with one reading of the source.
    passes: Vec<TestedPass>,
    /// Whom it would tell.
    destinations: Vec<TestedDestination>,
    /// What cannot be known before a run, in sentences.
    unknown: Vec<String>,
    /// The task, when a run was asked for.
    task: Option<TaskView>,
}

/// One activity.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestedActivity {
    /// Its id.
    id: String,
    /// What it is.
    #[serde(rename = "type")]
    kind: String,
    /// yes, no, or depends.
    runs: String,
    /// Why not, or on what that depends.
    why: Option<String>,
}

/// One output.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestedOutput {
    /// Id of its activity.
    activity: String,
    /// Its output group; empty: none.
    group: String,
    /// Its name.
    name: String,
    /// The plain name, `storage:key`; of numbered files the first.
    object: String,
    /// The same with {Count} for the number, of numbered files.
    pattern: Option<String>,
    /// Whether there will be one is left to the source.
    perhaps: bool,
    /// What stands under the plain name now.
    standing: Option<Standing>,
    /// none, version, overwrite, or fail: what would become of it.
    conflict: String,
    /// Where the output would stand, `storage:key`; none: its job would fail, or too many names are taken.
    published_as: Option<String>,
}

/// What stands under a name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Standing {
    /// Bytes; none: it is only reserved so far.
    size_bytes: Option<u64>,
    /// When it was last changed, where the storage knows.
    modified_at: Option<String>,
    /// The task whose output it is, if any.
    task: Option<String>,
    /// It is being published right now.
    reserved: bool,
}

/// One pass.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestedPass {
    /// 1 for what may begin at once, 2 for what follows it, and so on.
    turn: u32,
    /// Ids of its activities.
    activities: Vec<String>,
    /// It decodes the whole source.
    heavy: bool,
}

/// Whom it would tell.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestedDestination {
    /// unified, destination, or inline.
    kind: String,
    /// Name of the destination, or the address.
    to: Option<String>,
    /// Wire profile of an inline one.
    profile: Option<String>,
}

/// Show what an enabled workflow would do with an object of a storage; with `run`, do it.
#[utoipa::path(post, path = "/api/v1/workflows/{id}/test", tag = "workflows", request_body = TestRequest,
    params(("id" = String, Path, description = "id or name"), ("Idempotency-Key" = Option<String>, Header,)),
    responses((status = 200, body = TestView, description = "what it would do"), (status = 201, body = TestView,
        description = "a task was started"), (status = "default", body = Problem)))]
pub async fn test(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
    headers: HeaderMap,
    Given(request): Given<TestRequest>,
) -> Answer<(StatusCode, Json<TestView>)> {
    let object = starting::parse_object(&request.object)?;
    let row = state.store.workflow(&id).await?;
    refuse_library(&row.name, &row.resolved)?;
    let run = RunRequest {
        user_data: request.user_data,
        priority: request.priority,
        skip_path_check: false,
        output: request.output,
        callback: request.callback,
        parameters: request.parameters,
    };
    // Refuses what is disabled, too.
    let order = Order::of(&state, row.clone(), &run)?;
    let rehearsed = Rehearsed {
        name: &row.name,
        version: row.version,
        takes: &row.resolved,
        does: order.workflow(),
    };
    let mut view = rehearsed.over(&state, &object).await?;
    if !request.run {
        return Ok((StatusCode::OK, Json(view)));
    }
    let key = starting::idempotency_key(&headers, &caller)?;
    let started = order.start(&state, &caller, &Target::Object(object), key).await?;
    let status = if started.new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    view.media = Some(started.task.media.as_str().to_owned());
    view.task = Some(started.task.into());
    Ok((status, Json(view)))
}

/// Refuses what has no place in a storage to take objects from.
///
/// # Errors
/// The workflow takes media of the library.
pub(super) fn refuse_library(name: &str, workflow: &ResolvedWorkflow) -> Answer<()> {
    if !workflow.source.library {
        return Ok(());
    }
    Err(Problem::conflict(
        "WorkflowOfLibrary",
        format!("workflow {name} takes media of the library, and only those of a storage can be tested"),
        "Start it on a media instead: POST /api/v1/tasks with media.",
    ))
}

/// A workflow that is tried.
pub(super) struct Rehearsed<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version; 0: it is not saved.
    pub version: u32,
    /// Which objects it takes.
    pub takes: &'a ResolvedWorkflow,
    /// What it does with them.
    pub does: &'a ResolvedWorkflow,
}

impl Rehearsed<'_> {
    /// What it would do with the object.
    ///
    /// # Errors
    /// The storage does not answer, or the database failed.
    pub async fn over(&self, state: &WebState, object: &ObjectUri) -> Answer<TestView> {
        rehearsed(state, self, object).await
    }
}

async fn rehearsed(state: &WebState, tried: &Rehearsed<'_>, object: &ObjectUri) -> Answer<TestView> {
    let workflow = tried.does;
    let head = state.objects.head(object).await?;
    let source = head.as_ref().map(|head| Source {
        object: object.clone(),
        size_bytes: head.size_bytes,
        mtime_ns: head.mtime_ns,
        etag: head.etag.clone(),
    });
    let media: Option<MediaRow> = match &source {
        Some(source) => state.store.media_of_source(source).await?,
        None => None,
    };
    let facts = media.as_ref().and_then(|media| media.facts.as_ref());
    let before = Before {
        source_key: &object.key,
        media: media.as_ref().map(|media| media.id.as_str()),
        facts,
        now: UtcMs::now(),
        budget: Budget {
            memory_bytes: state.about.pass_memory_bytes,
        },
    };
    let mut thought = rehearsal::of(workflow, &before)?;
    let (matches, why) = verdict(tried.takes, object);
    let outputs = outputs(state, workflow, object, &thought).await?;
    for activity in &workflow.activities {
        if let Some(Deed::Copy(rule)) = &activity.deed {
            thought.unknown.push(format!(
                "{} copies to {}:{} under names that follow from what it copies.",
                activity.id, rule.storage, rule.prefix
            ));
        }
    }
    let source = &tried.takes.source;
    Ok(TestView {
        workflow: tried.name.to_owned(),
        version: tried.version,
        object: object.to_string(),
        exists: head.is_some(),
        size_bytes: head.as_ref().map(|head| head.size_bytes),
        matches,
        why,
        trigger: if source.automatic { "automatic" } else { "manual" }.to_owned(),
        arrival: arrival(state, object).await?,
        facts_known: facts.is_some(),
        activities: activities(workflow, &thought),
        outputs,
        passes: thought
            .passes
            .iter()
            .map(|pass| TestedPass {
                turn: pass.turn,
                activities: pass.activities.clone(),
                heavy: pass.heavy,
            })
            .collect(),
        destinations: destinations(workflow),
        unknown: thought.unknown,
        media: media.map(|media| media.id.into_string()),
        task: None,
    })
}

/// Whether the workflow takes the object, and the sentence that says why.
fn verdict(workflow: &ResolvedWorkflow, object: &ObjectUri) -> (bool, String) {
    let facts = ArrivalFacts {
        storage: &object.storage,
        key: &object.key,
    };
    let source = &workflow.source;
    match selector::select(workflow, &facts) {
        Ok(()) => (
            true,
            format!(
                "{object} lies under {}:{} and has an extension of the list, so its arrival starts the workflow.",
                source.storage.as_deref().unwrap_or("*"),
                source.prefix
            ),
        ),
        Err(manual @ WhyNot::Manual { .. }) => {
            (true, format!("{manual}; path and extension are such that it takes it."))
        }
        Err(why) => (false, format!("{why}.")),
    }
}

async fn arrival(state: &WebState, object: &ObjectUri) -> Answer<Option<String>> {
    let storages = state.storages.storages();
    let Some(storage) = storages.iter().find(|storage| storage.name == object.storage) else {
        return Ok(None);
    };
    let explained = state.store.explain_object(object).await?;
    Ok(Some(explain::remembered(storage, &explained)))
}

fn activities(workflow: &ResolvedWorkflow, thought: &Rehearsal) -> Vec<TestedActivity> {
    let pairs = workflow.activities.iter().zip(&thought.activities);
    pairs
        .map(|(activity, one)| {
            let (runs, why) = match &one.runs {
                Runs::Yes => ("yes", None),
                Runs::No(why) => ("no", Some(why.clone())),
                Runs::Depends(why) => ("depends", Some(why.clone())),
            };
            TestedActivity {
                id: activity.id.clone(),
                kind: activity.kind.as_str().to_owned(),
                runs: runs.to_owned(),
                why,
            }
        })
        .collect()
}

fn destinations(workflow: &ResolvedWorkflow) -> Vec<TestedDestination> {
    let rule = &workflow.callback;
    let mut told = Vec::new();
    if rule.unified {
        told.push(TestedDestination {
            kind: "unified".to_owned(),
            to: None,
            profile: None,
        });
    }
    if let Some(name) = &rule.destination {
        told.push(TestedDestination {
            kind: "destination".to_owned(),
            to: Some(name.clone()),
            profile: None,
        });
    }
    if let Some(inline) = &rule.inline {
        told.push(TestedDestination {
            kind: "inline".to_owned(),
            to: Some(inline.url.clone()),
            profile: Some(inline.profile.clone()),
        });
    }
    told
}

/// The outputs with what stands under their names. As in publishing, all outputs of a job take one version.
async fn outputs(
    state: &WebState,
    workflow: &ResolvedWorkflow,
    source: &ObjectUri,
    thought: &Rehearsal,
) -> Answer<Vec<TestedOutput>> {
    let storage = workflow.output.storage.as_deref().unwrap_or(&source.storage);
    let mut found = Vec::new();
    let mut jobs: Vec<(&str, Vec<&NamedOutput>)> = Vec::new();
    for output in &thought.outputs {
        match jobs.last_mut().filter(|(activity, _)| *activity == output.activity) {
            Some((_, outputs)) => outputs.push(output),
            None => jobs.push((&output.activity, vec![output])),
        }
    }
    for (_, outputs) in jobs {
        let mut standings = Vec::new();
        for output in &outputs {
            standings.push(standing(state, &ObjectUri::new(storage, output.key(1))).await?);
        }
        let taken = standings.iter().any(Option::is_some);
        let version = match (taken, workflow.output.on_conflict) {
            (false, _) | (true, OnConflict::Overwrite) => Some(1),
            (true, OnConflict::Fail) => None,
            (true, OnConflict::Version) => free_version(state, storage, &outputs).await?,
        };
        let conflict = match (taken, workflow.output.on_conflict) {
            (false, _) => "none",
            (true, OnConflict::Fail) => "fail",
            (true, OnConflict::Overwrite) => "overwrite",
            (true, OnConflict::Version) => "version",
        };
        for (output, standing) in outputs.iter().zip(standings) {
            let object = |key: String| ObjectUri::new(storage, key).to_string();
            found.push(TestedOutput {
                activity: output.activity.clone(),
                group: output.group.clone(),
                name: output.name.clone(),
                object: object(output.key(1)),
                pattern: output.pattern(1).map(object),
                perhaps: output.perhaps,
                standing,
                conflict: conflict.to_owned(),
                published_as: version.map(|version| object(output.key(version))),
            });
        }
    }
    Ok(found)
}

/// The first version whose names are all free; none: too many are taken to look for it.
async fn free_version(state: &WebState, storage: &str, outputs: &[&NamedOutput]) -> Answer<Option<u32>> {
    'versions: for version in 2..VERSIONS_TRIED {
        for output in outputs {
            if standing(state, &ObjectUri::new(storage, output.key(version)))
                .await?
                .is_some()
            {
                continue 'versions;
            }
        }
        return Ok(Some(version));
    }
    Ok(None)
}

async fn standing(state: &WebState, object: &ObjectUri) -> Answer<Option<Standing>> {
    let head = state.objects.head(object).await?;
    let maker = state.store.maker_of(object).await?;
    if head.is_none() && !maker.as_ref().is_some_and(|maker| maker.reserved) {
        return Ok(None);
    }
    Ok(Some(Standing {
        size_bytes: head.as_ref().map(|head| head.size_bytes),
        modified_at: head
            .filter(|head| head.mtime_ns > 0)
            .map(|head| UtcMs(head.mtime_ns / 1_000_000).wire()),
        reserved: maker.as_ref().is_some_and(|maker| maker.reserved),
        task: maker.map(|maker| maker.task.into_string()),
    }))
}
