//! What lies in a storage, folder by folder: what a person picks a source from.
//!
//! Guarantees: a page is bounded however many files a folder has; a storage that hangs is a problem in time. Deliberately
//! absent: what lies deeper, and reading.

use crate::base::clock::UtcMs;
use crate::objects::browse::Entry;
use crate::objects::local::Kind;
use crate::objects::uri::ObjectUri;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::state::WebState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// One file or folder.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectEntryView {
    /// `storage:key`; of a folder, the key ends with a slash.
    id: String,
    /// file, folder, or other: neither, or a link that leads out of the storage.
    kind: &'static str,
    /// Its name in the folder.
    name: String,
    /// Its key; of a folder, the prefix of what lies in it.
    key: String,
    /// Bytes of a file.
    size_bytes: Option<u64>,
    /// When it was last changed.
    modified_at: Option<String>,
}

/// Which folder, and which page of it.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BrowseQuery {
    /// Name of the storage.
    storage: String,
    /// What the keys begin with: a folder with its slash, and what names in it begin with.
    #[serde(default)]
    prefix: String,
    /// What ends a folder's name: a slash, always.
    #[serde(default = "BrowseQuery::slash")]
    #[param(pattern = "^/$", default = "/")]
    delimiter: String,
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl BrowseQuery {
    fn slash() -> String {
        "/".to_owned()
    }
}

/// List the files and folders of a folder of a storage, by name.
#[utoipa::path(get, path = "/api/v1/objects", tag = "storages", params(BrowseQuery),
    responses((status = 200, body = Page<ObjectEntryView>), (status = "default", body = Problem)))]
pub async fn list(
    State(state): State<WebState>,
    Asked(query): Asked<BrowseQuery>,
) -> Answer<Json<Page<ObjectEntryView>>> {
    if query.delimiter != "/" {
        return Err(Problem::bad_request(
            "BadDelimiter",
            format!("the delimiter is {:?}", query.delimiter),
            "Leave it out, or use a slash: what lies deeper is another page.",
        ));
    }
    if !state.browser.knows(&query.storage) {
        return Err(Problem::not_found("storage", &query.storage));
    }
    let (folder, start) = split(&query.prefix)?;
    let wanted = Wanted::read("objects", query.limit, query.cursor.as_deref())?;
    let rows = state
        .browser
        .page(&query.storage, folder, start, wanted.after.as_deref(), wanted.rows())
        .await?;
    let view = |entry: Entry| {
        let slash = if entry.kind == Kind::Folder { "/" } else { "" };
        let key = match folder {
            "" => format!("{}{slash}", entry.name),
            folder => format!("{folder}/{}{slash}", entry.name),
        };
        ObjectEntryView {
            id: ObjectUri::new(query.storage.clone(), key.clone()).to_string(),
            kind: match entry.kind {
                Kind::File => "file",
                Kind::Folder => "folder",
                Kind::Other => "other",
            },
            key,
            size_bytes: (entry.kind == Kind::File).then_some(entry.size_bytes),
            modified_at: (entry.kind != Kind::Other && entry.mtime_ns > 0)
                .then(|| UtcMs(entry.mtime_ns / 1_000_000).wire()),
            name: entry.name,
        }
    };
    // A bucket puts folders where their slash puts them, so the cursor has it.
    let place = |entry: &Entry| match entry.kind {
        Kind::Folder => format!("{}/", entry.name),
        _ => entry.name.clone(),
    };
    Ok(Json(wanted.page("objects", rows, place, view)))
}

/// The folder of a prefix, without its last slash, and what names in it begin with.
fn split(prefix: &str) -> Answer<(&str, &str)> {
    let (folder, start) = prefix.rsplit_once('/').unwrap_or(("", prefix));
    let sound = |part: &str| !part.is_empty() && part != "." && part != "..";
    if (prefix.contains('/') && !folder.split('/').all(sound)) || prefix.contains('\0') {
        return Err(Problem::bad_request(
            "BadPrefix",
            format!("the prefix {prefix:?} is not made of names joined by single slashes"),
            "Write it as incoming/ or incoming/ep, without a slash at its begin.",
        ));
    }
    Ok((folder, start))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_prefix_is_a_folder_and_the_begin_of_names() {
        for (prefix, parts) in [
            ("", ("", "")),
            ("ep", ("", "ep")),
            ("in/", ("in", "")),
            ("in/a/ep", ("in/a", "ep")),
        ] {
            assert_eq!(split(prefix).expect("sound"), parts);
        }
        for prefix in ["/", "/in/", "in//", "../", "in/../", "in/\0/"] {
            assert_eq!(split(prefix).expect_err("refused").code, "BadPrefix", "{prefix:?}");
        }
    }
}
