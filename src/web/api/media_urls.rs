//! Links to the files of a media that work without a token until they expire.
//!
//! Guarantees: none lasts longer than a week. Deliberately absent: what the links open (`web::links`).

use crate::base::clock::UtcMs;
use crate::base::ids::MediaId;
use crate::objects::uri::ObjectUri;
use crate::web::api::outputs;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::state::WebState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// A link.
#[derive(Debug, Serialize, ToSchema)]
pub struct UrlView {
    /// `source`, `cover`, the name of the output or rendition, or the title of the attachment.
    name: String,
    /// `source`, `cover`, `rendition`, the kind of the attachment, or the kind of the output.
    kind: String,
    /// What it leads to, `storage:key`.
    object: String,
    /// The link; of a set it opens all of the set.
    url: String,
    /// Until when it works.
    expires_at: String,
}

/// How long links shall work.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UrlsQuery {
    /// Seconds, 1 to 604800; 3600 when absent.
    #[param(minimum = 1, maximum = 604_800)]
    expires_s: Option<u32>,
}

const OUTPUTS_SHOWN: usize = 500;
const LONGEST_LINK_S: u32 = 7 * 24 * 3600;

/// Links to the source, the cover, every published output, every attachment and every rendition of a media, that work
/// without a token until they expire.
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
    let link = |name: &str, kind: &str, object: &ObjectUri, url: String| UrlView {
        name: name.to_owned(),
        kind: kind.to_owned(),
        object: object.to_string(),
        url,
        expires_at: expires.wire(),
    };
    let mut items = vec![link(
        "source",
        "source",
        &media.object,
        to_file(&state, &media.object, expires),
    )];
    let cover = media.cover.as_deref().filter(|cover| !cover.contains("://"));
    if let Some(object) = cover.and_then(ObjectUri::parse) {
        items.push(link("cover", "cover", &object, to_file(&state, &object, expires)));
    }
    let outputs = state.store.outputs_of_media(&id, OUTPUTS_SHOWN).await?;
    for output in outputs.iter().filter(|output| output.published) {
        let url = outputs::link(&state, output, expires);
        items.push(link(&output.name, &output.kind, &output.object, url));
    }
    for addition in state.store.additions(&id, None).await? {
        let (name, kind) = match addition.role {
            crate::events::library::Role::Rendition => (addition.kind.as_str(), "rendition"),
            _ if addition.title.is_empty() => (addition.object.file_name(), addition.kind.as_str()),
            _ => (addition.title.as_str(), addition.kind.as_str()),
        };
        items.push(link(
            name,
            kind,
            &addition.object,
            to_file(&state, &addition.object, expires),
        ));
    }
    Ok(Json(Page { items, next: None }))
}

/// A link to a file; to one that names others beside it, as a playlist does, one to the set.
pub(super) fn to_file(state: &WebState, object: &ObjectUri, expires: UtcMs) -> String {
    let names_others = [".m3u8", ".mpd"]
        .iter()
        .any(|end| object.key.to_ascii_lowercase().ends_with(end));
    let set = names_others
        .then(|| state.signer.set_path(object, false, expires))
        .flatten();
    let path = set.unwrap_or_else(|| state.signer.object_path(object, expires));
    format!("{}{path}", state.about.public_url)
}
