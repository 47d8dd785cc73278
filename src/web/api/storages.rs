//! Storages: what they are, how they are, and why an object in one was not triggered.
//!
//! Guarantees: "why not" is answered from the ledger of arrivals for every object that was ever seen. Deliberately
//! absent: adding storages, which the configuration does.

use crate::objects::uri::ObjectUri;
use crate::store::listing::arrivals::ArrivalState;
use crate::store::listing::arrivals::Explained;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::ports::StorageState;
use crate::web::state::WebState;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// One storage.
#[derive(Debug, Serialize, ToSchema)]
pub struct StorageView {
    /// Its name, which is its id.
    id: String,
    /// Its name.
    name: String,
    /// folder or s3.
    kind: String,
    /// available, unavailable, or frozen: seen to be wrong, so nothing of it is triggered.
    status: String,
    /// How it is watched now: inotify, poll or off.
    watch: String,
    /// Path of a folder, address and bucket of S3.
    location: String,
    /// Why it is not available, or what deserves a look.
    note: Option<String>,
    /// When its last complete scan ended.
    last_scan_at: Option<String>,
}

/// What is known of an object.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainView {
    /// The object, `storage:key`.
    object: String,
    /// unseen, seen, settled, taken or not_taken.
    state: String,
    /// The answer in a sentence.
    explanation: String,
    /// When its present content was first seen.
    seen_at: Option<String>,
    /// Bytes, as last seen.
    size_bytes: Option<u64>,
    /// Tasks that ran over it, newest first, at most ten.
    tasks: Vec<String>,
}

/// Which object.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExplainQuery {
    /// Its key in the storage.
    key: String,
}

/// List storages with their state.
#[utoipa::path(get, path = "/api/v1/storages", tag = "storages",
    responses((status = 200, body = Page<StorageView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>) -> Answer<Json<Page<StorageView>>> {
    let frozen = state.store.frozen_storages().await?;
    let items = state
        .storages
        .storages()
        .into_iter()
        .map(|storage| {
            let why = frozen
                .iter()
                .find(|(name, _)| *name == storage.name)
                .map(|(_, why)| why.clone());
            let status = match (&why, storage.available) {
                (Some(_), _) => "frozen",
                (None, true) => "available",
                (None, false) => "unavailable",
            };
            StorageView {
                id: storage.name.clone(),
                name: storage.name,
                kind: storage.kind,
                status: status.to_owned(),
                watch: storage.watch,
                location: storage.location,
                note: why.or(storage.note),
                last_scan_at: storage.last_scan.map(|at| at.wire()),
            }
        })
        .collect();
    Ok(Json(Page { items, next: None }))
}

fn known(state: &WebState, name: &str) -> Answer<StorageState> {
    state
        .storages
        .storages()
        .into_iter()
        .find(|storage| storage.name == name)
        .ok_or_else(|| Problem::not_found("storage", name))
}

/// Why an object was, or was not, triggered.
#[utoipa::path(get, path = "/api/v1/storages/{name}/explain", tag = "storages",
    params(("name" = String, Path,), ExplainQuery),
    responses((status = 200, body = ExplainView), (status = "default", body = Problem)))]
pub async fn explain(
    State(state): State<WebState>,
    Named(name): Named,
    Asked(query): Asked<ExplainQuery>,
) -> Answer<Json<ExplainView>> {
    let storage = known(&state, &name)?;
    let object = ObjectUri::new(name, query.key.trim_start_matches('/'));
    let explained = state.store.explain_object(&object).await?;
    let (word, explanation) = sentence(&storage, &explained);
    Ok(Json(ExplainView {
        object: object.to_string(),
        state: word.to_owned(),
        explanation,
        seen_at: explained.arrival.as_ref().map(|arrival| arrival.seen.wire()),
        size_bytes: explained.arrival.as_ref().map(|arrival| arrival.size_bytes),
        tasks: explained.tasks.into_iter().map(|task| task.into_string()).collect(),
    }))
}

/// What became of an object: a word, and a sentence for people.
pub(super) fn sentence(storage: &StorageState, explained: &Explained) -> (&'static str, String) {
    let frozen = explained
        .frozen
        .as_ref()
        .map(|why| format!(" Nothing of this storage is triggered now: {why}."))
        .unwrap_or_default();
    let Some(arrival) = &explained.arrival else {
        let why = if storage.watch == "off" {
            "It was never seen: the storage is not watched (watch = \"off\")."
        } else {
            "It was never seen: check the key, or scan the storage."
        };
        return ("unseen", format!("{why}{frozen}"));
    };
    match arrival.state {
        ArrivalState::Seen => (
            "seen",
            format!("It was seen and is still changing or has not been looked at often enough.{frozen}"),
        ),
        ArrivalState::Settled => (
            "settled",
            format!("It has settled; workflows are about to be matched.{frozen}"),
        ),
        ArrivalState::Taken => (
            "taken",
            "It was taken: the tasks were made from its present content; new content would run again.".to_owned(),
        ),
        ArrivalState::NotTaken => {
            let why = match arrival.why_not.as_deref() {
                Some("existing") => {
                    "It was there before the storage was first scanned, and no workflow says existing = \"process\"."
                }
                Some("ours") => "It is an output that we published ourselves.",
                Some("ignored") => "Its name is that of a temporary or hidden file.",
                Some(sentence) => sentence,
                None => "No enabled workflow takes it.",
            };
            ("not_taken", format!("{why}{frozen}"))
        }
    }
}

/// Scan a storage now.
#[utoipa::path(post, path = "/api/v1/storages/{name}/scan", tag = "storages", params(("name" = String, Path,)),
    responses((status = 202), (status = "default", body = Problem)))]
pub async fn scan(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
) -> Answer<StatusCode> {
    known(&state, &name)?;
    if !state.storages.scan(&name) {
        return Err(Problem::conflict(
            "NotWatched",
            format!("storage {name} is not watched"),
            "Set its watch key to auto, inotify or poll.",
        ));
    }
    state.bells.trigger.ring();
    state.audit(&caller, "storage.scan", &name).await;
    Ok(StatusCode::ACCEPTED)
}

#[cfg(test)]
mod tests {
    use super::sentence;
    use crate::base::clock::UtcMs;
    use crate::store::listing::arrivals::ArrivalRow;
    use crate::store::listing::arrivals::ArrivalState;
    use crate::store::listing::arrivals::Explained;
    use crate::web::ports::StorageState;

    #[test]
    fn a_frozen_storage_is_part_of_every_answer_about_what_waits() {
        let storage = StorageState {
            name: "ingest".to_owned(),
            kind: "folder".to_owned(),
            location: "/mnt".to_owned(),
            watch: "poll".to_owned(),
            available: true,
            note: None,
            last_scan: None,
        };
        let mut explained = Explained {
            arrival: None,
            frozen: Some("the mount is gone".to_owned()),
            tasks: Vec::new(),
        };
        assert!(sentence(&storage, &explained).1.contains("the mount is gone"));
        explained.arrival = Some(ArrivalRow {
            size_bytes: 1,
            state: ArrivalState::NotTaken,
            seen: UtcMs(1),
            why_not: Some("existing".to_owned()),
        });
        let (word, text) = sentence(&storage, &explained);
        assert_eq!(word, "not_taken");
        assert!(text.contains("before the storage was first scanned") && text.contains("the mount is gone"));
    }
}
