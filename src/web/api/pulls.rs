//! Pulls: files that are fetched by their address into the library. A pull is a job with an id.
//!
//! Guarantees: what cannot be reached by rule is refused at once, and every later hop by the rule again; addresses are
//! shown without user name, password and query, and headers never. Deliberately absent: fetching.

use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::http_client;
use crate::base::ids::JobId;
use crate::objects::incoming::Incoming;
use crate::store::pulls::NewPull;
use crate::store::pulls::PullRow;
use crate::store::pulls::PullState;
use crate::store::pulls::Request;
use crate::store::pulls::seal_purpose;
use crate::web::api::wish;
use crate::web::api::wish::BecameView;
use crate::web::api::wish::Wish;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::idempotency;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::state::WebState;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// Longest address.
const URL_BYTES: usize = 4096;
/// Headers to send along, and bytes of all of them.
const HEADERS: (usize, usize) = (32, 16_384);
/// Headers that are the fetching's own, or the connection's.
const OWN_HEADERS: [&str; 13] = [
    "host",
    "range",
    "if-range",
    "if-match",
    "if-none-match",
    "accept-encoding",
    "content-length",
    "transfer-encoding",
    "connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
];

/// A file to fetch.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct PullRequest {
    /// Its address, http or https; a user name and password in it are sent to its host.
    url: String,
    /// Headers to send along to the host of the address, as Authorization. Kept encrypted, never shown.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Where it goes and what becomes of it. Its file name is that of the address unless another is given.
    #[serde(flatten)]
    wish: Wish,
}

impl<'de> Deserialize<'de> for PullRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The derived one is a function of the type itself.
        let body = |json: &str| Self::deserialize(&mut serde_json::Deserializer::from_str(json));
        wish::read(deserializer, body, |request| &mut request.wish)
    }
}

impl Serialize for PullRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// Which pulls, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those of this status: Init, Processing, Success, Fail, Canceled.
    status: Option<String>,
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// One pull.
#[derive(Debug, Serialize, ToSchema)]
pub struct PullView {
    /// Id of the job.
    id: String,
    /// When it was asked for.
    created_at: String,
    /// Init (waits for its turn or its next try), Processing, Success, Fail, Canceled.
    status: String,
    /// Its address, without user name, password, query and fragment.
    url: String,
    /// Where it goes, or stands, `storage:key`.
    object: String,
    /// Bytes of the whole, as the server says.
    size_bytes: Option<u64>,
    /// Bytes that came.
    received_bytes: u64,
    /// Tries that failed in a row.
    tries: u32,
    /// When it is tried next; null: it is being fetched, or has ended.
    next_try_at: Option<String>,
    /// What the whole must come to.
    digest: Option<String>,
    /// media, attachment or rendition.
    role: String,
    /// The workflow that was asked for.
    workflow: Option<String>,
    /// Who asked for it.
    who: String,
    /// When it ended.
    ended_at: Option<String>,
    /// Why it, or its last try, failed.
    fault: Option<Value>,
    /// What became of it.
    #[serde(flatten)]
    became: BecameView,
}

impl From<PullRow> for PullView {
    fn from(row: PullRow) -> Self {
        let waits = row.state == PullState::Waiting;
        PullView {
            id: row.id.into_string(),
            created_at: row.created_at.wire(),
            status: status_of(row.state).to_owned(),
            url: row.url,
            object: row.object.to_string(),
            size_bytes: row.size_bytes,
            received_bytes: row.received_bytes,
            tries: row.tries,
            next_try_at: waits.then(|| row.next_at.wire()),
            digest: row.digest,
            role: row.wanted.role.as_str().to_owned(),
            workflow: row.wanted.workflow,
            who: row.who,
            ended_at: row.ended_at.map(UtcMs::wire),
            fault: row.fault.and_then(|fault| serde_json::to_value(fault).ok()),
            became: row.became.into(),
        }
    }
}

const STATUSES: [(PullState, &str); 5] = [
    (PullState::Waiting, "Init"),
    (PullState::Fetching, "Processing"),
    (PullState::Done, "Success"),
    (PullState::Failed, "Fail"),
    (PullState::Canceled, "Canceled"),
];

fn status_of(state: PullState) -> &'static str {
    STATUSES
        .iter()
        .find(|(known, _)| *known == state)
        .map_or("Fail", |(_, word)| word)
}

/// Have a file fetched. With an Idempotency-Key, the same call made again answers the pull of the first one.
#[utoipa::path(post, path = "/api/v1/pulls", tag = "pulls", request_body = PullRequest,
    params(("Idempotency-Key" = Option<String>, Header,)),
    responses((status = 201, body = PullView), (status = 200, body = PullView, description = "made by an earlier call with this key"),
        (status = "default", body = Problem)))]
pub async fn create(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Given(request): Given<PullRequest>,
) -> Answer<(StatusCode, Json<PullView>)> {
    let once = idempotency::key(&headers, &caller, "POST /api/v1/pulls", &request)?;
    let url = check_url(&state, &request.url)?;
    let along = check_headers(request.headers)?;
    let id = JobId::fresh();
    let mut wish = request.wish;
    if wish.file_name.is_none() {
        wish.file_name = file_name(&url);
    }
    let granted = wish.grant(&state, id.as_str()).await?;
    let text = serde_json::to_string(&Request {
        url: request.url,
        headers: along,
    });
    let text = text.expect("texts can be written as JSON");
    let sealed = state.inlet.sealer.seal(&seal_purpose(&id), &text)?;
    let new = NewPull {
        id,
        url: shown(&url),
        request: sealed,
        object: granted.object,
        on_conflict: granted.on_conflict,
        digest: granted.digest,
        wanted: granted.wanted,
        who: caller.name.clone(),
        once,
    };
    let made = state.store.make_pull(new, UtcMs::now()).await?;
    let (status, row) = idempotency::made(made)?;
    if status == StatusCode::CREATED {
        state.audit(&caller, "pull.create", row.id.as_str()).await;
        state.bells.inlet.ring();
    }
    Ok((status, Json(row.into())))
}

fn check_url(state: &WebState, text: &str) -> Answer<Url> {
    // The address is not repeated: it may hold secrets.
    let refuse = |cause: String, remedy: &str| Err(Problem::unacceptable("BadUrl", cause, remedy));
    if text.len() > URL_BYTES {
        return refuse(format!("the url is longer than {URL_BYTES} bytes"), "Shorten it.");
    }
    let url = match Url::parse(text.trim()) {
        Ok(url) => url,
        Err(error) => return refuse(format!("the url is none: {error}"), "Write it as https://HOST/PATH."),
    };
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return refuse(
            format!("the url has the scheme {}", url.scheme()),
            "Use an http or https address.",
        );
    }
    if url.port() == Some(0) {
        return refuse("port 0 cannot be connected to".to_owned(), "Name the server's port.");
    }
    match http_client::literal_refusal(&url, state.inlet.rules.reach) {
        None => Ok(url),
        Some(why) => Err(Problem::unacceptable(
            "PullAddressRefused",
            format!("the url cannot be fetched: {why}"),
            "Use an address on the internet, or have the administrator set security.allow_private_pulls.",
        )),
    }
}

fn check_headers(given: BTreeMap<String, String>) -> Answer<Vec<(String, String)>> {
    let refuse = |cause: String, remedy: &str| Err(Problem::unacceptable("BadHeaders", cause, remedy));
    let bytes: usize = given.iter().map(|(name, value)| name.len() + value.len()).sum();
    if given.len() > HEADERS.0 || bytes > HEADERS.1 {
        return refuse(
            format!(
                "there are more than {} headers or {} bytes of them",
                HEADERS.0, HEADERS.1
            ),
            "Send fewer.",
        );
    }
    for (name, value) in &given {
        let sound = HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(value).is_ok();
        if !sound {
            return refuse(
                format!("the header {name:?} is none, or its value cannot be sent"),
                "Correct it.",
            );
        }
        if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            return refuse(format!("the header {name} is the fetching's own"), "Leave it out.");
        }
    }
    Ok(given.into_iter().collect())
}

/// The address as it may be shown.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for addresses without a host, and this has one.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

/// The name of the file at the end of the address's path.
fn file_name(url: &Url) -> Option<String> {
    let last = url.path_segments()?.next_back()?;
    let name = percent_decode_str(last).decode_utf8_lossy().into_owned();
    Some(name).filter(|name| !name.is_empty())
}

/// List pulls, newest first.
#[utoipa::path(get, path = "/api/v1/pulls", tag = "pulls", params(ListQuery),
    responses((status = 200, body = Page<PullView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>, Asked(query): Asked<ListQuery>) -> Answer<Json<Page<PullView>>> {
    let wanted = Wanted::read("pulls", query.limit, query.cursor.as_deref())?;
    let found = query.status.map(|word| {
        STATUSES
            .iter()
            .find(|(_, known)| *known == word)
            .map(|(state, _)| *state)
            .ok_or_else(|| {
                Problem::bad_request(
                    "BadStatus",
                    format!("there is no pull status {word}"),
                    "Use Init, Processing, Success, Fail or Canceled.",
                )
            })
    });
    let rows = state
        .store
        .pulls(found.transpose()?, wanted.after.clone(), wanted.rows())
        .await?;
    Ok(Json(wanted.page(
        "pulls",
        rows,
        |row| row.id.as_str().to_owned(),
        Into::into,
    )))
}

/// One pull: how much of it came, or what became of it.
#[utoipa::path(get, path = "/api/v1/pulls/{id}", tag = "pulls", params(("id" = String, Path,)),
    responses((status = 200, body = PullView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(id): Named) -> Answer<Json<PullView>> {
    Ok(Json(state.store.pull(&JobId::from(id)).await?.into()))
}

/// End a pull that has not ended; what came of it is dropped. One that is whole already goes on.
#[utoipa::path(post, path = "/api/v1/pulls/{id}/cancel", tag = "pulls", params(("id" = String, Path,)),
    responses((status = 200, body = PullView), (status = "default", body = Problem)))]
pub async fn cancel(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<Json<PullView>> {
    let id = JobId::from(id);
    let row = state.store.pull(&id).await?;
    let pieces = row.pieces.clone();
    let fault = Fault::new(
        "PullCanceled",
        Blame::Request,
        "fetch",
        row.url.as_str(),
        format!("it was cancelled by {}", caller.name),
        "Retry it if it is wanted after all.",
    );
    let row = state.store.cancel_pull(&id, &fault, UtcMs::now()).await?;
    // What fetches it is stopped by this, and drops what came; where nothing fetches it, it is dropped here.
    state.bells.inlet.ring();
    state.bells.callback.ring();
    let file = Incoming {
        id: row.id.as_str().to_owned(),
        object: row.object.clone(),
        pieces,
    };
    if let Err(fault) = state.writer.discard(&file).await {
        tracing::warn!(pull = %row.id, %fault, "pieces of a cancelled pull are left until the next sweep");
    }
    state.audit(&caller, "pull.cancel", row.id.as_str()).await;
    Ok(Json(row.into()))
}

/// Fetch again what failed or was cancelled; it goes on with what came of it where the server can do that.
#[utoipa::path(post, path = "/api/v1/pulls/{id}/retry", tag = "pulls", params(("id" = String, Path,)),
    responses((status = 202, body = PullView), (status = "default", body = Problem)))]
pub async fn retry(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<(StatusCode, Json<PullView>)> {
    let row = state.store.retry_pull(&JobId::from(id), UtcMs::now()).await?;
    state.bells.inlet.ring();
    state.audit(&caller, "pull.retry", row.id.as_str()).await;
    Ok((StatusCode::ACCEPTED, Json(row.into())))
}

#[cfg(test)]
mod tests {
    use super::PullRequest;
    use super::file_name;
    use super::shown;
    use url::Url;

    #[test]
    fn secrets_of_addresses_are_not_shown() {
        let url = Url::parse("https://user:word@host.example:8443/a/b%20c.mp4?sig=secret#part").expect("an address");
        assert_eq!(shown(&url), "https://host.example:8443/a/b%20c.mp4");
        assert_eq!(file_name(&url).as_deref(), Some("b c.mp4"));
        assert_eq!(
            file_name(&Url::parse("https://host.example/a/").expect("an address")),
            None
        );
    }

    #[test]
    fn unknown_fields_are_refused() {
        let read = |text: &str| {
            serde_json::from_str::<PullRequest>(text)
                .map(|_| ())
                .map_err(|error| error.to_string())
        };
        assert_eq!(read(r#"{"url": "http://a/", "title": "x", "tags": ["a"]}"#), Ok(()));
        assert!(
            read(r#"{"url": "http://a/", "titel": "x"}"#)
                .expect_err("misspelt")
                .contains("titel")
        );
    }
}
