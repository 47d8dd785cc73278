//! Facts of the media library as VOD tells them: flat, with an id key for each kind of media.
//!
//! Guarantees: `Size` is a number, statuses are lower case, `FileURL` of pictures and attachments and `FileUrl` of media
//! are spelled as published. Decided where VOD is silent: failed uploads are told; what is deleted is called all,
//! mezzanine (the source), stream (outputs) or media (the record alone). Deliberately absent: ids of additions; an
//! attachment is told under its media's.

use super::errors;
use crate::base::fault::Fault;
use crate::events::Event;
use crate::events::ims::library::media_content;
use crate::events::ims::library::url;
use crate::events::ims::library::urls;
use crate::events::library::DeleteType;
use crate::events::library::LibraryFact;
use crate::events::library::MediaType;
use crate::events::library::Role;
use crate::events::profile::Deployment;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Adds what the event says beyond its name and time.
pub fn body(body: &mut Map<String, Value>, event: &Event, told: &LibraryFact, deployment: &Deployment) {
    let media_id = event.media.as_ref().map_or("", |media| media.id.as_str());
    fact(body, media_id, told, deployment);
}

/// The same for a fact within an activity's result.
pub fn fact(body: &mut Map<String, Value>, media_id: &str, fact: &LibraryFact, deployment: &Deployment) {
    let mut put = |key: &str, value: Value| {
        body.insert(key.to_owned(), value);
    };
    let fault = match fact {
        LibraryFact::Uploaded {
            role,
            media_type,
            pulled,
            object,
            size_bytes,
            user_data,
            fault,
        } => {
            let pulled = pulled.as_ref().filter(|_| *role != Role::Attachment);
            let (id_key, url_key) = match (role, media_type) {
                (Role::Attachment, _) => ("AttachedMediaId", "FileURL"),
                (Role::Media, MediaType::Image) if pulled.is_none() => ("ImageId", "FileURL"),
                _ => ("VideoId", "FileUrl"),
            };
            put("Status", status(fault.as_ref()));
            put(id_key, json!(media_id));
            if let Some(pulled) = pulled {
                put("JobId", json!(pulled.job.as_str()));
                put("SourceURL", json!(pulled.url));
            } else {
                put(url_key, json!(url(object.as_ref(), deployment)));
            }
            put("Size", json!(size_bytes));
            put("AppId", json!(deployment.app_id));
            extend(&mut put, user_data.as_deref());
            fault.as_ref()
        }
        LibraryFact::StreamRegistered {
            object,
            user_data,
            fault,
        } => {
            put("Status", status(fault.as_ref()));
            put("VideoId", json!(media_id));
            put("FileUrl", json!(deployment.urls.object(object)));
            extend(&mut put, user_data.as_deref());
            fault.as_ref()
        }
        LibraryFact::MediaRegistered { user_data, fault } => {
            put("Status", status(fault.as_ref()));
            put("MediaId", json!(media_id));
            extend(&mut put, user_data.as_deref());
            fault.as_ref()
        }
        LibraryFact::MediaDeleted {
            delete_type,
            objects,
            fault,
        } => {
            let word = match delete_type {
                DeleteType::All => "all",
                DeleteType::Media => "media",
                DeleteType::Outputs => "stream",
                DeleteType::Source => "mezzanine",
            };
            put("Status", status(fault.as_ref()));
            put("MediaType", json!("video"));
            put("DeleteType", json!(word));
            put("MediaId", json!(media_id));
            if !objects.is_empty() {
                put("FileURLs", json!(urls(objects, deployment)));
            }
            fault.as_ref()
        }
        LibraryFact::MediaChanged { media_type, changes } => {
            put("Status", status(None));
            put("MediaId", json!(media_id));
            put("MediaType", json!(kind_of(*media_type)));
            put("OperateMode", json!("update"));
            put("MediaContent", json!(media_content(changes, deployment)));
            None
        }
        LibraryFact::ReviewEnded {
            audit,
            auditor,
            reason,
            comment,
            asked_at,
            fault,
            ..
        } => {
            put("Status", status(fault.as_ref()));
            put("MediaId", json!(media_id));
            put("SubType", json!("video"));
            put("AuditStatus", json!(audit.map_or("", |audit| audit.as_str())));
            put("CreationTime", json!(asked_at.wire()));
            put("Auditor", json!(auditor));
            put("Reason", json!(reason));
            put("Comment", json!(comment));
            fault.as_ref()
        }
    };
    if let Some(fault) = fault {
        errors(body, (fault.code.clone(), fault.to_string()));
    }
}

fn status(fault: Option<&Fault>) -> Value {
    json!(if fault.is_some() { "fail" } else { "success" })
}

fn extend(put: &mut impl FnMut(&str, Value), user_data: Option<&str>) {
    if let Some(user_data) = user_data {
        put("Extend", json!(user_data));
    }
}

/// VOD's three kinds of media.
fn kind_of(media_type: MediaType) -> &'static str {
    match media_type {
        MediaType::Video | MediaType::Audio => "video",
        MediaType::Image => "image",
        MediaType::Text => "attached",
    }
}
