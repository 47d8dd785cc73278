//! Destinations of events: make, change, remove, test, exchange keys, and how each is doing.
//!
//! Guarantees: secrets go in and never come out; those of the configuration file are read-only here; what is saved has
//! been checked as the sender will use it. Deliberately absent: sending.

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::store::destinations::LaneCounts;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::ports::DestinationState;
use crate::web::state::WebState;
use crate::workflow::destination::Definition;
use crate::workflow::name_rule::is_name;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

/// One destination, without its secrets.
#[derive(Debug, Serialize, ToSchema)]
pub struct DestinationView {
    /// Its name.
    id: String,
    /// When it was made; of one in the configuration file, when the program started.
    created_at: String,
    /// ok, failing (its last try failed, or it takes nothing at present) or broken (it cannot be used).
    status: String,
    /// file (read-only) or api.
    origin: String,
    /// The unified callback goes to it.
    unified: bool,
    /// Why it cannot be used.
    fault: Option<String>,
    /// Names of its secrets that are set.
    secrets: Vec<String>,
    /// How it is doing.
    health: HealthView,
    /// What it is: secrets left out, values of headers and what of its address may be a secret masked with ***.
    #[serde(flatten)]
    definition: Definition,
}

/// How a destination is doing.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthView {
    /// closed (it takes events) or open (it does not; it is asked ever more rarely).
    breaker: String,
    /// When it is asked again, while open.
    next_try_at: Option<String>,
    /// Deliveries that wait.
    pending: i64,
    /// Deliveries that were given up.
    dead: i64,
    /// When it last accepted something.
    last_success_at: Option<String>,
    /// When it last did not, since the program started.
    last_error_at: Option<String>,
    /// Why not.
    last_error: Option<String>,
    /// Tries that the two below are made of, the last ones since the program started.
    tries: u64,
    /// Half of the tries took at most so long.
    p50_ms: Option<i64>,
    /// 95 of 100 tries took at most so long.
    p95_ms: Option<i64>,
}

/// How a destination took a test event.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrialView {
    /// It was accepted.
    accepted: bool,
    /// HTTP status; none: there was no answer.
    status: Option<u16>,
    /// Why it was not accepted.
    error: Option<String>,
    /// First bytes of the answer.
    answer: Option<String>,
    /// How long it took.
    took_ms: i64,
}

/// How to exchange the key of X-Reelmill-Signature.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RotateRequest {
    /// The new key; none: one is made and shown in the answer.
    signing_key: Option<String>,
    /// Receivers know the new key: the old one signs no more, and nothing else changes.
    finish: bool,
}

/// A key that was exchanged.
#[derive(Debug, Serialize, ToSchema)]
pub struct RotateView {
    /// The new key where one was made; it is shown here once.
    signing_key: Option<String>,
    /// The old key signs as well, until the exchange is finished.
    old_key_signs: bool,
}

/// List destinations, those of the configuration file and those made here, with how each is doing.
#[utoipa::path(get, path = "/api/v1/destinations", tag = "destinations",
    responses((status = 200, body = Page<DestinationView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>) -> Answer<Json<Page<DestinationView>>> {
    Ok(Json(Page {
        items: views(&state, None).await?,
        next: None,
    }))
}

/// One destination with how it is doing.
#[utoipa::path(get, path = "/api/v1/destinations/{name}", tag = "destinations", params(("name" = String, Path,)),
    responses((status = 200, body = DestinationView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(name): Named) -> Answer<Json<DestinationView>> {
    Ok(Json(one(&state, &name).await?))
}

/// Make a destination. The same call made again answers what is there.
#[utoipa::path(post, path = "/api/v1/destinations", tag = "destinations", request_body = Definition,
    responses((status = 200, body = DestinationView, description = "It was there already, just so."),
        (status = 201, body = DestinationView), (status = "default", body = Problem)))]
pub async fn create(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Given(definition): Given<Definition>,
) -> Answer<(StatusCode, Json<DestinationView>)> {
    refuse_file(&state, &definition.name)?;
    if let Some(before) = made(&state, &definition.name).await? {
        if before == definition {
            return Ok((StatusCode::OK, Json(one(&state, &definition.name).await?)));
        }
        return Err(Problem::conflict(
            "DestinationExists",
            format!("there is a destination {} already", definition.name),
            "Change it with PUT, or choose another name.",
        ));
    }
    save(&state, &caller, &definition, "destination.create").await?;
    Ok((StatusCode::CREATED, Json(one(&state, &definition.name).await?)))
}

/// Make or change a destination. Secrets that are left out stay as they are; an empty one is taken away.
#[utoipa::path(put, path = "/api/v1/destinations/{name}", tag = "destinations", params(("name" = String, Path,)),
    request_body = Definition,
    responses((status = 200, body = DestinationView), (status = 201, body = DestinationView),
        (status = "default", body = Problem)))]
pub async fn replace(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
    Given(mut definition): Given<Definition>,
) -> Answer<(StatusCode, Json<DestinationView>)> {
    if definition.name.is_empty() {
        definition.name.clone_from(&name);
    }
    if definition.name != name {
        return Err(Problem::name_differs("destination", &name, &definition.name));
    }
    refuse_file(&state, &name)?;
    let status = match made(&state, &name).await? {
        Some(before) => {
            definition.keep_secrets_of(&before);
            definition.unmask(&before);
            StatusCode::OK
        }
        None => StatusCode::CREATED,
    };
    save(&state, &caller, &definition, "destination.apply").await?;
    Ok((status, Json(one(&state, &name).await?)))
}

/// Remove a destination. What waits for it becomes dead letters; workflows that name it get dead letters too.
#[utoipa::path(delete, path = "/api/v1/destinations/{name}", tag = "destinations", params(("name" = String, Path,)),
    responses((status = 204), (status = "default", body = Problem)))]
pub async fn delete(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
) -> Answer<StatusCode> {
    refuse_file(&state, &name)?;
    state.store.delete_destination(&name).await?;
    state.destinations.changed().await?;
    state.audit(&caller, "destination.delete", &name).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Send a test event to a destination now: a WorkflowTaskComplete of a workflow named test. Nothing is kept of it.
#[utoipa::path(post, path = "/api/v1/destinations/{name}/test", tag = "destinations", params(("name" = String, Path,)),
    responses((status = 200, body = TrialView), (status = "default", body = Problem)))]
pub async fn test(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
) -> Answer<Json<TrialView>> {
    known(&state, &name).await?;
    let answer = state.destinations.trial(&name).await?;
    state.audit(&caller, "destination.test", &name).await;
    Ok(Json(TrialView {
        accepted: answer.error.is_none() && matches!(answer.status, Some(200..=299)),
        status: answer.status,
        error: answer.error,
        answer: answer.answer,
        took_ms: answer.took_ms,
    }))
}

/// Exchange the key of X-Reelmill-Signature: the new and the present key both sign until the exchange is finished.
#[utoipa::path(post, path = "/api/v1/destinations/{name}/rotate", tag = "destinations",
    params(("name" = String, Path,)), request_body = RotateRequest,
    responses((status = 200, body = RotateView), (status = "default", body = Problem)))]
pub async fn rotate(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
    Given(request): Given<RotateRequest>,
) -> Answer<Json<RotateView>> {
    refuse_file(&state, &name)?;
    let mut definition = made(&state, &name)
        .await?
        .ok_or_else(|| Problem::not_found("destination", &name))?;
    let mut shown = None;
    if request.finish {
        if request.signing_key.is_some() {
            return Err(Problem::bad_request(
                "FinishWithKey",
                "an exchange is either begun with a key or finished",
                "Leave signing_key out.",
            ));
        }
        definition.old_signing_key = None;
    } else {
        let fresh = match request.signing_key {
            Some(key) if key.trim().is_empty() || key.len() > 4_096 => {
                return Err(Problem::unacceptable(
                    "BadKey",
                    "the key is empty or longer than 4096 bytes",
                    "Leave it out to have one made.",
                ));
            }
            Some(key) => key,
            None => {
                let key = crate::web::secrets::fresh_key()?;
                shown = Some(key.clone());
                key
            }
        };
        definition.old_signing_key = definition.signing_key.replace(fresh.into());
    }
    save(&state, &caller, &definition, "destination.rotate").await?;
    Ok(Json(RotateView {
        signing_key: shown,
        old_key_signs: definition.old_signing_key.is_some(),
    }))
}

/// Checks, keeps, and has the running program take it over.
async fn save(state: &WebState, caller: &Caller, definition: &Definition, verb: &'static str) -> Answer<()> {
    if !is_name(&definition.name, 128) {
        return Err(Problem::unacceptable(
            "BadName",
            format!("{:?} is no name", definition.name),
            "Use 1 to 128 letters, digits, - and _.",
        ));
    }
    state.destinations.check(definition)?;
    state
        .store
        .save_destination(definition, &state.sealer, UtcMs::now())
        .await?;
    state.destinations.changed().await?;
    state.audit(caller, verb, &definition.name).await;
    Ok(())
}

fn refuse_file(state: &WebState, name: &str) -> Answer<()> {
    let of_file = |known: &DestinationState| known.of_file && known.definition.name == name;
    match state.destinations.destinations().iter().any(of_file) {
        true => Err(Problem::conflict(
            "DestinationOfFile",
            format!("destination {name} stands in the configuration file"),
            "Change it there; its key files are read again when they change, the file on SIGHUP.",
        )),
        false => Ok(()),
    }
}

/// The one of that name that was made here.
async fn made(state: &WebState, name: &str) -> Answer<Option<Definition>> {
    let all = state.store.made_destinations(&state.sealer).await?;
    Ok(all
        .into_iter()
        .map(|made| made.definition)
        .find(|definition| definition.name == name))
}

async fn known(state: &WebState, name: &str) -> Answer<()> {
    let running = state.destinations.destinations();
    if running.iter().any(|known| known.definition.name == name) || made(state, name).await?.is_some() {
        return Ok(());
    }
    Err(Problem::not_found("destination", name))
}

async fn one(state: &WebState, name: &str) -> Answer<DestinationView> {
    let found = views(state, Some(name)).await?.pop();
    found.ok_or_else(|| Problem::not_found("destination", name))
}

/// Those of the running program, and those that were made and cannot be used.
async fn views(state: &WebState, only: Option<&str>) -> Answer<Vec<DestinationView>> {
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let counts = state.store.lane_counts().await?;
    let running = state.destinations.destinations();
    let made = state.store.made_destinations(&state.sealer).await?;
    let mut views = Vec::new();
    for known in running.iter().filter(|known| wanted(&known.definition.name)) {
        let name = &known.definition.name;
        let created = made.iter().find(|made| !known.of_file && made.definition.name == *name);
        let last_success = match known.last_success {
            Some(at) => Some(at),
            None => state.store.lane_last_success(name).await?,
        };
        let counts = counts.get(name).copied().unwrap_or_default();
        let created = created.map_or(state.about.started, |made| made.created);
        views.push(view(known, counts, last_success, created));
    }
    for made in made.iter().filter(|made| wanted(&made.definition.name)) {
        if running
            .iter()
            .any(|known| known.definition.name == made.definition.name)
        {
            continue;
        }
        let fault = state.destinations.check(&made.definition).err();
        let counts = counts.get(&made.definition.name).copied().unwrap_or_default();
        views.push(broken(&made.definition, counts, fault, made.created));
    }
    views.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(views)
}

fn view(known: &DestinationState, counts: LaneCounts, last_success: Option<UtcMs>, created: UtcMs) -> DestinationView {
    let (definition, secrets) = known.definition.shown();
    let (last_error_at, last_error) = known.last_error.clone().unzip();
    // Where three tries are all there are, there is no breaker; the last try says how it is doing.
    let is_failing =
        known.open || last_error_at.is_some_and(|at| known.last_success.is_none_or(|success| success < at));
    DestinationView {
        id: definition.name.clone(),
        created_at: created.wire(),
        status: if is_failing { "failing" } else { "ok" }.to_owned(),
        origin: if known.of_file { "file" } else { "api" }.to_owned(),
        unified: known.unified,
        fault: None,
        secrets,
        health: HealthView {
            breaker: if known.open { "open" } else { "closed" }.to_owned(),
            next_try_at: known.next_try.map(UtcMs::wire),
            pending: counts.pending,
            dead: counts.dead,
            last_success_at: last_success.map(UtcMs::wire),
            last_error_at: last_error_at.map(UtcMs::wire),
            last_error,
            tries: known.tries as u64,
            p50_ms: known.p50_ms,
            p95_ms: known.p95_ms,
        },
        definition,
    }
}

fn broken(definition: &Definition, counts: LaneCounts, fault: Option<Fault>, created: UtcMs) -> DestinationView {
    let nothing = DestinationState {
        definition: definition.clone(),
        of_file: false,
        unified: false,
        open: true,
        next_try: None,
        last_success: None,
        last_error: None,
        tries: 0,
        p50_ms: None,
        p95_ms: None,
    };
    DestinationView {
        status: "broken".to_owned(),
        fault: fault.map(|fault| fault.to_string()),
        ..view(&nothing, counts, None, created)
    }
}
