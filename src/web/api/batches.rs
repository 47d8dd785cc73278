//! Many tasks with one call: over a prefix of a storage, or over a list of objects.
//!
//! Guarantees: a call starts a bounded number and says where the next goes on; each object has its own answer, and one
//! that is refused keeps no other from being started; with an Idempotency-Key the same call starts nothing twice.
//! Deliberately absent: a job that goes on by itself; the caller sees every page.

use crate::objects::uri::ObjectUri;
use crate::web::api::starting;
use crate::web::api::starting::Likeness;
use crate::web::api::starting::Order;
use crate::web::api::starting::RunRequest;
use crate::web::api::starting::Started;
use crate::web::api::starting::Target;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Given;
use crate::web::paging::Wanted;
use crate::web::state::WebState;
use crate::web::user_data::UserData;
use crate::workflow::definition::CallbackSection;
use crate::workflow::otherwise::OutputChange;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Most objects of one call.
const MOST: usize = 500;
/// Objects that are looked at and started at once; they share commits.
const AT_ONCE: usize = 32;

/// Tasks to start: over `storage` and `prefix`, or over `objects`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// Name or id of an enabled workflow.
    workflow: String,
    /// The storage whose objects are meant.
    #[serde(default)]
    storage: Option<String>,
    /// What their keys begin with; empty or absent: all of the storage.
    #[serde(default)]
    prefix: Option<String>,
    /// The objects themselves, each `storage:key`, at most 500.
    #[serde(default)]
    #[schema(max_items = 500)]
    objects: Option<Vec<String>>,
    /// With a prefix: how many objects this call takes, 1 to 500; 50 when absent.
    #[serde(default)]
    limit: Option<u32>,
    /// With a prefix: the `next` of the call before.
    #[serde(default)]
    cursor: Option<String>,
    /// As for one task.
    #[serde(default)]
    #[schema(value_type = Value)]
    user_data: Option<UserData>,
    /// As for one task.
    #[serde(default)]
    priority: i64,
    /// As for one task.
    #[serde(default)]
    skip_path_check: bool,
    /// As for one task.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    output: Option<OutputChange>,
    /// As for one task.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    callback: Option<CallbackSection>,
    /// As for one task.
    #[serde(default)]
    #[schema(value_type = Object)]
    parameters: BTreeMap<String, Map<String, Value>>,
}

/// What a call came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchView {
    /// Each object, in order.
    items: Vec<BatchItem>,
    /// Give it back as `cursor` to go on; none: that was all.
    next: Option<String>,
    /// Tasks that were made now.
    started: usize,
    /// Objects that were refused.
    refused: usize,
}

/// What came of one object.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchItem {
    /// The object, `storage:key`.
    object: String,
    /// started, known (an earlier call with this key made it), or refused.
    status: String,
    /// Id of the task.
    task: Option<String>,
    /// Why it was refused.
    problem: Option<Problem>,
}

/// Start a task on each of many objects. With an Idempotency-Key, what was started by it before is answered again.
#[utoipa::path(post, path = "/api/v1/tasks/batch", tag = "tasks", request_body = BatchRequest,
    params(("Idempotency-Key" = Option<String>, Header,)),
    responses((status = 200, body = BatchView), (status = "default", body = Problem)))]
pub async fn start(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Given(request): Given<BatchRequest>,
) -> Answer<(StatusCode, Json<BatchView>)> {
    let run = RunRequest {
        user_data: request.user_data,
        priority: request.priority,
        skip_path_check: request.skip_path_check,
        output: request.output,
        callback: request.callback,
        parameters: request.parameters,
    };
    let key = starting::idempotency_key(&headers, &caller)?;
    let likeness = Likeness::of(&request.workflow, &run)?;
    let order = Order::read(&state, &request.workflow, &run).await;
    // What was started by this key is answered again whatever became of the workflow since.
    let order = match (order, &key) {
        (Err(problem), None) => return Err(problem),
        (order, _) => order,
    };
    let (objects, next): (Vec<String>, Option<String>) = match (request.objects, request.storage) {
        (Some(objects), None) if request.prefix.is_none() && request.cursor.is_none() && request.limit.is_none() => {
            if objects.len() > MOST {
                return Err(Problem::unacceptable(
                    "TooManyObjects",
                    format!("{} objects, and one call takes {MOST}", objects.len()),
                    "Send them in several calls.",
                ));
            }
            (objects, None)
        }
        (None, Some(storage)) => {
            let prefix = request.prefix.unwrap_or_default();
            let prefix = prefix.trim_start_matches('/');
            let list = format!("batch {storage}:{prefix}");
            let wanted = Wanted::read(&list, request.limit, request.cursor.as_deref())?;
            let after = wanted.after.as_deref();
            let keys = state.objects.under(&storage, prefix, after, wanted.rows()).await?;
            let page = wanted.page(&list, keys, String::clone, |key| {
                ObjectUri::new(storage.as_str(), key).to_string()
            });
            (page.items, page.next)
        }
        _ => {
            return Err(Problem::unacceptable(
                "BadBatch",
                "a batch is over a storage and a prefix, or over a list of objects",
                "Send storage (with prefix, limit and cursor as wanted), or objects alone.",
            ));
        }
    };
    let mut seen = BTreeSet::new();
    let again: Vec<bool> = objects.iter().map(|object| !seen.insert(object.clone())).collect();
    let each = objects.into_iter().zip(again).map(|(object, again)| {
        let (state, caller, order, likeness, key) = (&state, &caller, &order, &likeness, key.as_deref());
        async move {
            let started = match again {
                true => Err(Problem::unacceptable(
                    "Repeated",
                    format!("{object} stands in the list before"),
                    "Name each object once.",
                )),
                false => start_one(state, caller, order, likeness, key, &object).await,
            };
            item(object, started)
        }
    });
    let items: Vec<BatchItem> = futures_util::stream::iter(each).buffered(AT_ONCE).collect().await;
    let of_status = |status: &str| items.iter().filter(|item| item.status == status).count();
    if let Err(problem) = order
        && of_status("known") == 0
    {
        return Err(problem);
    }
    let view = BatchView {
        started: of_status("started"),
        refused: of_status("refused"),
        items,
        next,
    };
    Ok((StatusCode::OK, Json(view)))
}

async fn start_one(
    state: &WebState,
    caller: &Caller,
    order: &Answer<Order>,
    likeness: &Likeness,
    key: Option<&str>,
    object: &str,
) -> Answer<Started> {
    let target = Target::Object(starting::parse_object(object)?);
    // One key for the call makes one for each of its objects.
    let key = key.map(|key| format!("{key} {object}"));
    if let Some(key) = &key
        && let Some(known) = likeness.known(state, key, &target).await?
    {
        return Ok(known);
    }
    match order {
        Ok(order) => order.start(state, caller, &target, key).await,
        Err(problem) => Err(problem.clone()),
    }
}

fn item(object: String, started: Answer<Started>) -> BatchItem {
    match started {
        Ok(started) => BatchItem {
            object,
            status: if started.new { "started" } else { "known" }.to_owned(),
            task: Some(started.task.id.into_string()),
            problem: None,
        },
        Err(problem) => BatchItem {
            object,
            status: "refused".to_owned(),
            task: None,
            problem: Some(problem),
        },
    }
}
