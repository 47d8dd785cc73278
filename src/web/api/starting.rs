//! Starting a task by hand: what a request must say, and what it is refused for.
//!
//! Guarantees: a task is started only when its workflow runs and its object is there and taken; wishes for the run are
//! held to the rules of definitions before anything is kept; the same Idempotency-Key of the same caller starts one
//! task. Deliberately absent: addresses and shapes of answers (`tasks`, `batches`, `dry_run`).

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::MediaId;
use crate::events::TriggerSource;
use crate::objects::uri::ObjectUri;
use crate::store::listing::tasks::TaskSummary;
use crate::store::media::MediaState;
use crate::store::media::Source;
use crate::store::tasks::Overrides;
use crate::store::tasks::StartTask;
use crate::store::workflows::WorkflowRow;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::state::WebState;
use crate::web::user_data::UserData;
use crate::workflow::definition::CallbackSection;
use crate::workflow::otherwise;
use crate::workflow::otherwise::Otherwise;
use crate::workflow::otherwise::OutputChange;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::selector;
use crate::workflow::selector::ArrivalFacts;
use crate::workflow::selector::WhyNot;
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// Longest user data, bytes: they are repeated in every event.
const USER_DATA_BYTES: usize = 64 << 10;

/// How a task is to be run.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// Echoed in every event; anything but a string is kept as JSON text. An object with `NotifyAddress` (an http or https
    /// address, or the name of a destination) tells that one of this run instead of the workflow's own destination.
    #[serde(default)]
    #[schema(value_type = Value)]
    pub user_data: Option<UserData>,
    /// -10 (last) to 10 (first).
    #[serde(default)]
    pub priority: i64,
    /// Run it though the object lies outside the workflow's storage, prefix or extensions.
    #[serde(default)]
    pub skip_path_check: bool,
    /// Where outputs of this run go: `storage`, `prefix`, `path`, `on_conflict`; absent ones stay as the workflow says.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub output: Option<OutputChange>,
    /// Whom this run tells, with the keys of `[callback]`, in place of the workflow's.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub callback: Option<CallbackSection>,
    /// By id of an activity: keys that override its parameters, `template` and `backend` included.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub parameters: BTreeMap<String, Map<String, Value>>,
}

/// What a task is to run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An object as it is now.
    Object(ObjectUri),
    /// A media of the library.
    Media(MediaId),
}

impl Target {
    /// What a request names: an object or a media, not both.
    ///
    /// # Errors
    /// Neither, both, or an object that is none.
    pub fn read(object: Option<&str>, media: Option<&str>) -> Answer<Self> {
        match (object, media) {
            (Some(object), None) => parse_object(object).map(Target::Object),
            (None, Some(media)) => Ok(Target::Media(MediaId::from(media))),
            _ => Err(Problem::unacceptable(
                "BadTarget",
                "a task runs on one object or one media",
                "Send either object (STORAGE:KEY) or media (the id of a media).",
            )),
        }
    }
}

/// Reads `STORAGE:KEY`.
///
/// # Errors
/// It is none.
pub fn parse_object(text: &str) -> Answer<ObjectUri> {
    ObjectUri::parse(text).ok_or_else(|| {
        Problem::unacceptable(
            "BadObject",
            format!("the object is \"{text}\""),
            "Write it as STORAGE:KEY, for example ingest:incoming/clip.mp4.",
        )
    })
}

/// A run that was checked as far as it can be without its object.
pub struct Order {
    workflow: WorkflowRow,
    /// The workflow as this run does it.
    own: Arc<ResolvedWorkflow>,
    overrides: Overrides,
    user_data: Option<String>,
    priority: i64,
    skip_path_check: bool,
}

/// What starting came to.
pub struct Started {
    /// The task.
    pub task: TaskSummary,
    /// It was made now; false: an earlier call with the same key made it.
    pub new: bool,
}

/// What of a request tells it from another with the same Idempotency-Key.
pub struct Likeness {
    workflow: String,
    user_data: Option<String>,
    priority: i64,
    asked: Value,
}

impl Likeness {
    /// Of a request.
    ///
    /// # Errors
    /// User data or a priority that no task can have.
    pub fn of(workflow: &str, request: &RunRequest) -> Answer<Self> {
        Ok(Likeness {
            workflow: workflow.to_owned(),
            user_data: user_data(request)?,
            priority: priority(request)?,
            asked: asked(request),
        })
    }

    /// The task that an earlier call with this key made; none: there was none.
    ///
    /// # Errors
    /// It was made by another request.
    pub async fn known(&self, state: &WebState, key: &str, target: &Target) -> Answer<Option<Started>> {
        let Some(task) = state.store.task_by_idempotency_key(key).await? else {
            return Ok(None);
        };
        self.again(state, task, target).await.map(Some)
    }

    /// What was started once is answered again whatever has become of its workflow and its object since.
    async fn again(&self, state: &WebState, task: TaskSummary, target: &Target) -> Answer<Started> {
        let same_target = match target {
            Target::Object(object) => task.object == *object,
            Target::Media(media) => task.media == *media,
        };
        let overrides = state.store.task(&task.id).await?.overrides;
        let same = [task.workflow.as_str(), task.workflow_name.as_str()].contains(&self.workflow.as_str())
            && same_target
            && task.user_data == self.user_data
            && overrides.first_priority.unwrap_or(task.priority) == self.priority
            && overrides.asked == self.asked;
        if same {
            return Ok(Started { task, new: false });
        }
        Err(Problem::conflict(
            "IdempotencyKeyReused",
            format!(
                "the Idempotency-Key was used before, for task {}, with another request",
                task.id
            ),
            "Use a new key for a new request.",
        ))
    }
}

fn user_data(request: &RunRequest) -> Answer<Option<String>> {
    let text = request.user_data.as_ref().and_then(UserData::text).map(str::to_owned);
    if let Some(long) = text.as_ref().filter(|text| text.len() > USER_DATA_BYTES) {
        return Err(Problem::unacceptable(
            "UserDataTooLong",
            format!(
                "the user data have {} bytes, and {USER_DATA_BYTES} are allowed",
                long.len()
            ),
            "Send a reference instead; they are repeated in every event.",
        ));
    }
    Ok(text)
}

fn priority(request: &RunRequest) -> Answer<i64> {
    checked_priority(request.priority)
}

/// A priority that a task can have.
///
/// # Errors
/// It is none.
pub fn checked_priority(priority: i64) -> Answer<i64> {
    if (-10..=10).contains(&priority) {
        return Ok(priority);
    }
    Err(Problem::unacceptable(
        "BadPriority",
        format!("the priority is {priority}"),
        "Use -10 to 10.",
    ))
}

fn otherwise_of(request: &RunRequest) -> Otherwise {
    Otherwise {
        output: request.output.clone(),
        callback: request.callback.clone(),
        parameters: request.parameters.clone(),
    }
}

fn asked(request: &RunRequest) -> Value {
    let wanted = otherwise_of(request);
    match wanted.is_empty() {
        true => Value::Null,
        false => serde_json::to_value(&wanted).unwrap_or_default(),
    }
}

impl Order {
    /// A run of `workflow`, by id or name.
    ///
    /// # Errors
    /// There is no such workflow, it is disabled, or what the request wants cannot be had.
    pub async fn read(state: &WebState, workflow: &str, request: &RunRequest) -> Answer<Self> {
        let row = state.store.workflow(workflow).await?;
        Self::of(state, row, request)
    }

    /// The same of a workflow that was looked up.
    ///
    /// # Errors
    /// It is disabled, or what the request wants cannot be had.
    pub fn of(state: &WebState, workflow: WorkflowRow, request: &RunRequest) -> Answer<Self> {
        if !workflow.enabled {
            return Err(disabled(&workflow));
        }
        let (user_data, priority) = (user_data(request)?, priority(request)?);
        let wanted = otherwise_of(request);
        let resolved = otherwise::resolve(
            &workflow.resolved,
            &wanted,
            user_data.as_deref(),
            &state.templates.now(),
        )
        .map_err(|bad| {
            Problem::from(Fault {
                code: "RunInvalid".to_owned(),
                operation: "start a task".to_owned(),
                remedy: "Correct the request and send it again; no task was made.".to_owned(),
                ..Fault::from(bad)
            })
        })?;
        let overrides = Overrides {
            output: resolved.output,
            callback: resolved.callback,
            activities: resolved.activities,
            asked: asked(request),
            first_priority: None,
        };
        let own = overrides.applied_to(&Arc::new(workflow.resolved.clone()));
        let missing = (state.missing_for)(&own);
        if !missing.is_empty() {
            return Err(Problem::unacceptable(
                "RunInvalid",
                format!(
                    "this run of {} names what is not configured: {}",
                    workflow.name,
                    missing.join("; ")
                ),
                "Correct the request, or add it to the configuration; no task was made.",
            ));
        }
        Ok(Order {
            own,
            overrides,
            user_data,
            priority,
            skip_path_check: request.skip_path_check,
            workflow,
        })
    }

    /// The workflow as this run does it.
    pub fn workflow(&self) -> &ResolvedWorkflow {
        &self.own
    }

    /// Starts it on `target`.
    ///
    /// # Errors
    /// The target is not there or not taken by the workflow.
    pub async fn start(
        &self,
        state: &WebState,
        caller: &Caller,
        target: &Target,
        key: Option<String>,
    ) -> Answer<Started> {
        let source = match target {
            Target::Object(object) => self.source_of(state, object).await?,
            Target::Media(media) => self.source_of_media(state, media).await?,
        };
        let start = StartTask {
            workflow: self.workflow.id.as_str().to_owned(),
            source,
            trigger: match caller.session {
                Some(_) => TriggerSource::Console,
                None => TriggerSource::Api,
            },
            user_data: self.user_data.clone(),
            priority: self.priority,
            overrides: self.overrides.clone(),
            idempotency_key: key,
        };
        let started = state.store.start_task(start, UtcMs::now()).await?;
        let task = state.store.show_task_summary(&started.task).await?;
        if !started.new {
            // Another call with the key came in between.
            let likeness = Likeness {
                workflow: self.workflow.name.clone(),
                user_data: self.user_data.clone(),
                priority: self.priority,
                asked: self.overrides.asked.clone(),
            };
            return likeness.again(state, task, target).await;
        }
        state.bells.scheduler.ring();
        state.audit(caller, "task.start", task.id.as_str()).await;
        Ok(Started { task, new: true })
    }

    async fn source_of(&self, state: &WebState, object: &ObjectUri) -> Answer<Source> {
        if !self.skip_path_check {
            check_path(&self.workflow.resolved, object)?;
        }
        let head = state.objects.head(object).await?.ok_or_else(|| not_there(object))?;
        let alone = Source {
            object: object.clone(),
            size_bytes: head.size_bytes,
            mtime_ns: head.mtime_ns,
            etag: head.etag,
        };
        Ok(state.store.group_of(alone).await?)
    }

    /// A media is run as it was taken: when another file stands under its key, that is another media.
    async fn source_of_media(&self, state: &WebState, id: &MediaId) -> Answer<Source> {
        let media = state.store.media(id).await?;
        if state.store.show_media(id).await?.state == MediaState::Deleted {
            return Err(Problem::conflict(
                "MediaDeleted",
                format!("media {id} was deleted from the library"),
                "Start the task on the object instead; where it is still there, it is taken anew.",
            ));
        }
        let now = self.source_of(state, &media.source.object).await?;
        if now == media.source {
            return Ok(now);
        }
        Err(Problem::conflict(
            "MediaReplaced",
            format!(
                "{} holds other content than when media {id} was taken",
                media.source.object
            ),
            "Start the task on the object instead; it is a media of its own.",
        ))
    }
}

/// The refusal of a workflow that does not run.
pub fn disabled(workflow: &WorkflowRow) -> Problem {
    Problem::conflict(
        "WorkflowDisabled",
        format!("workflow {} is disabled", workflow.name),
        "Enable it first: POST /api/v1/workflows/ID/enable.",
    )
}

/// The refusal of an object that does not exist.
pub fn not_there(object: &ObjectUri) -> Problem {
    Problem::unacceptable(
        "ObjectNotFound",
        format!("there is no object {object}"),
        "Check the storage and the key.",
    )
}

/// Whether the workflow takes the object, apart from how it is triggered.
///
/// # Errors
/// It does not, with the rule that says so.
pub fn check_path(workflow: &ResolvedWorkflow, object: &ObjectUri) -> Answer<()> {
    let facts = ArrivalFacts {
        storage: &object.storage,
        key: &object.key,
    };
    match selector::select(workflow, &facts) {
        Ok(()) | Err(WhyNot::Manual { .. } | WhyNot::Library { .. }) => Ok(()),
        Err(why) => Err(Problem::unacceptable(
            "ObjectNotTaken",
            why.to_string(),
            "Choose an object the workflow takes, or send skip_path_check = true.",
        )),
    }
}

/// The caller's key, made its own: two callers may choose the same.
///
/// # Errors
/// A key that is empty, too long or not ASCII.
pub fn idempotency_key(headers: &HeaderMap, caller: &Caller) -> Answer<Option<String>> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=200).contains(&key.len()) => Ok(Some(format!("{}:{key}", caller.token))),
        _ => Err(Problem::bad_request(
            "BadIdempotencyKey",
            "the Idempotency-Key is empty, longer than 200 bytes, or not ASCII",
            "Send something like a UUID.",
        )),
    }
}
