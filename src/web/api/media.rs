//! Media: every source that was ever taken, its facts, and links to it and its outputs.
//!
//! Guarantees: a link is as good as the object for as long as it lasts, so only callers with a token get one.
//! Deliberately absent: attachments, renditions and reviews, which come with the library.

use crate::base::clock::UtcMs;
use crate::base::ids::MediaId;
use crate::store::listing::media::MediaFilter;
use crate::store::listing::media::MediaRow;
use crate::store::listing::tasks::TaskFilter;
use crate::web::api::outputs;
use crate::web::api::outputs::OutputView;
use crate::web::api::task_view::TaskView;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::state::WebState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// One media.
#[derive(Debug, Serialize, ToSchema)]
pub struct MediaView {
    /// Id.
    id: String,
    /// When it was first taken.
    created_at: String,
    /// The source, `storage:key`.
    object: String,
    /// Bytes.
    size_bytes: u64,
    /// Facts, as `reelmill probe --json` tells them; none until the first attempt told them.
    facts: Option<Value>,
}

impl From<MediaRow> for MediaView {
    fn from(media: MediaRow) -> Self {
        MediaView {
            id: media.id.into_string(),
            created_at: media.created.wire(),
            object: media.object.to_string(),
            size_bytes: media.size_bytes,
            facts: media.facts.and_then(|facts| serde_json::to_value(facts).ok()),
        }
    }
}

/// A media with what was made of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct MediaDetailView {
    /// The media.
    #[serde(flatten)]
    media: MediaView,
    /// Its tasks, newest first, at most 100.
    tasks: Vec<TaskView>,
    /// Outputs of those tasks, at most 500.
    outputs: Vec<OutputView>,
}

/// A link.
#[derive(Debug, Serialize, ToSchema)]
pub struct UrlView {
    /// `source`, or the name of the output.
    name: String,
    /// `source`, or the kind of the output.
    kind: String,
    /// What it leads to, `storage:key`.
    object: String,
    /// The link; of a set it opens all of the set.
    url: String,
    /// Until when it works.
    expires_at: String,
}

/// Which media, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Only those of this storage.
    storage: Option<String>,
    /// Only those whose key contains this text.
    text: Option<String>,
    /// How many, 1 to 500.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// How long links shall work.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct UrlsQuery {
    /// Seconds, 1 to 604800; 3600 when absent.
    expires_s: Option<u32>,
}

const TASKS_SHOWN: usize = 100;
const OUTPUTS_SHOWN: usize = 500;
const LONGEST_LINK_S: u32 = 7 * 24 * 3600;

/// List media, newest first.
#[utoipa::path(get, path = "/api/v1/media", tag = "media", params(ListQuery),
    responses((status = 200, body = Page<MediaView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>, Asked(query): Asked<ListQuery>) -> Answer<Json<Page<MediaView>>> {
    let wanted = Wanted::read("media", query.limit, query.cursor.as_deref())?;
    let filter = MediaFilter {
        storage: query.storage,
        search: query.text.filter(|text| !text.is_empty()),
        ..MediaFilter::default()
    };
    let rows = state
        .store
        .list_media(filter, wanted.after.clone(), wanted.rows())
        .await?;
    Ok(Json(wanted.page(
        "media",
        rows,
        |row| row.id.as_str().to_owned(),
        Into::into,
    )))
}

/// One media with its facts, tasks and outputs.
#[utoipa::path(get, path = "/api/v1/media/{id}", tag = "media", params(("id" = String, Path,)),
    responses((status = 200, body = MediaDetailView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(id): Named) -> Answer<Json<MediaDetailView>> {
    let id = MediaId::from(id);
    let media = state.store.show_media(&id).await?;
    let of_media = TaskFilter {
        media: Some(id.as_str().to_owned()),
        ..TaskFilter::default()
    };
    let tasks = state.store.list_tasks(of_media, None, TASKS_SHOWN).await?;
    let outputs = state.store.outputs_of_media(&id, OUTPUTS_SHOWN).await?;
    Ok(Json(MediaDetailView {
        media: media.into(),
        tasks: tasks.into_iter().map(Into::into).collect(),
        outputs: outputs
            .into_iter()
            .map(|output| OutputView::new(output, &state))
            .collect(),
    }))
}

/// Links to the source and to every published output of a media, that work without a token until they expire.
#[utoipa::path(get, path = "/api/v1/media/{id}/urls", tag = "media", params(("id" = String, Path,), UrlsQuery),
    responses((status = 200, body = Page<UrlView>), (status = "default", body = Problem)))]
pub async fn urls(
    State(state): State<WebState>,
    Named(id): Named,
    Asked(query): Asked<UrlsQuery>,
) -> Answer<Json<Page<UrlView>>> {
    let expires_s = query.expires_s.unwrap_or(3600);
    if !(1..=LONGEST_LINK_S).contains(&expires_s) {
        return Err(Problem::bad_request(
            "BadExpiry",
            format!("expires_s is {expires_s}"),
            format!("Use 1 to {LONGEST_LINK_S}."),
        ));
    }
    let id = MediaId::from(id);
    let media = state.store.show_media(&id).await?;
    let expires = UtcMs::now().plus_ms(i64::from(expires_s) * 1000);
    let mut items = vec![UrlView {
        name: "source".to_owned(),
        kind: "source".to_owned(),
        object: media.object.to_string(),
        url: format!(
            "{}{}",
            state.about.public_url,
            state.signer.object_path(&media.object, expires)
        ),
        expires_at: expires.wire(),
    }];
    let outputs = state.store.outputs_of_media(&id, OUTPUTS_SHOWN).await?;
    items.extend(
        outputs
            .into_iter()
            .filter(|output| output.published)
            .map(|output| UrlView {
                url: outputs::link(&state, &output, expires),
                object: output.object.to_string(),
                name: output.name,
                kind: output.kind,
                expires_at: expires.wire(),
            }),
    );
    Ok(Json(Page { items, next: None }))
}
