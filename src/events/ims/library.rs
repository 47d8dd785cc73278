//! Facts of the media library in the words of IMS.
//!
//! Guarantees: what the samples have is always there; where a failure leaves nothing to say it is an empty text.
//! `FileURLs` is a list of addresses with commas between (an address of ours holds none). Decided where the documents
//! are silent: a failed upload is told with Status Fail, ErrorCode and ErrorMessage. Deliberately absent: ids of reviews
//! and additions, which IMS has no key for.

use crate::base::fault::Fault;
use crate::events::Event;
use crate::events::library::FieldChange;
use crate::events::library::LibraryFact;
use crate::events::library::Role;
use crate::events::profile::Deployment;
use crate::objects::uri::ObjectUri;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// The message body of a fact.
pub fn body(event: &Event, fact: &LibraryFact, deployment: &Deployment) -> Map<String, Value> {
    let mut body = Map::new();
    let media_id = event.media.as_ref().map_or("", |media| media.id.as_str());
    let mut put = |key: &str, value: Value| {
        body.insert(key.to_owned(), value);
    };
    match fact {
        LibraryFact::Uploaded {
            role,
            media_type,
            pulled,
            object,
            size_bytes,
            user_data,
            fault,
        } => {
            put("Status", status(fault.as_ref()));
            // An attachment is told by its file however it came.
            let pulled = pulled.as_ref().filter(|_| *role != Role::Attachment);
            match pulled {
                Some(pulled) => put("SourceURL", json!(pulled.url)),
                None => put("FileUrl", json!(url(object.as_ref(), deployment))),
            }
            put("MediaId", json!(media_id));
            if *role != Role::Rendition {
                put("AppId", json!(deployment.app_id));
                if pulled.is_none() {
                    put("Size", json!(size_bytes.to_string()));
                }
                put("MediaType", json!(media_type.as_str()));
            }
            echo(&mut put, user_data.as_deref());
            if let Some(pulled) = pulled {
                put("JobId", json!(pulled.job.as_str()));
            }
            errors(&mut put, fault.as_ref());
        }
        LibraryFact::StreamRegistered {
            object,
            user_data,
            fault,
        } => {
            put("Status", status(fault.as_ref()));
            put("FileUrl", json!(deployment.urls.object(object)));
            put("MediaId", json!(media_id));
            echo(&mut put, user_data.as_deref());
            errors(&mut put, fault.as_ref());
        }
        LibraryFact::MediaRegistered { user_data, fault } => {
            put("Status", status(fault.as_ref()));
            put("MediaId", json!(media_id));
            echo(&mut put, user_data.as_deref());
            errors(&mut put, fault.as_ref());
        }
        LibraryFact::MediaDeleted {
            delete_type,
            objects,
            fault,
        } => {
            put("Status", status(fault.as_ref()));
            put("MediaId", json!(media_id));
            put("DeleteType", json!(delete_type.as_str()));
            if !objects.is_empty() {
                put("FileURLs", json!(urls(objects, deployment)));
            }
            errors(&mut put, fault.as_ref());
        }
        LibraryFact::MediaChanged { media_type, changes } => {
            put("Status", status(None));
            put("MediaId", json!(media_id));
            put("MediaType", json!(media_type.as_str()));
            put("OperateMode", json!("update"));
            put("MediaContent", json!(media_content(changes, deployment)));
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
            put("Auditor", json!(auditor));
            put("Comment", json!(comment));
            put("AuditStatus", json!(audit.map_or("", |audit| audit.as_str())));
            put("MediaId", json!(media_id));
            put("CreationTime", json!(asked_at.wire()));
            put("Reason", json!(reason));
            errors(&mut put, fault.as_ref());
        }
    }
    body
}

/// `MediaContent`: a text of an object whose values are texts of `{"OldValue", "NewValue"}`.
pub(crate) fn media_content(changes: &[FieldChange], deployment: &Deployment) -> String {
    let address = |text: &str| match ObjectUri::parse(text) {
        Some(object) if !text.contains("://") => deployment.urls.object(&object),
        _ => text.to_owned(),
    };
    let mut content = Map::new();
    for change in changes {
        let key = match change.field.as_str() {
            "title" => "Title",
            "description" => "Description",
            "cover" => "CoverURL",
            "category" => "CateId",
            "tags" => "Tags",
            "user_data" => "UserData",
            other => other,
        };
        let (old, new) = match key {
            "CoverURL" => (address(&change.old), address(&change.new)),
            _ => (change.old.clone(), change.new.clone()),
        };
        let values = json!({"OldValue": old, "NewValue": new});
        content.insert(key.to_owned(), json!(values.to_string()));
    }
    Value::Object(content).to_string()
}

/// Addresses with commas between.
pub(crate) fn urls(objects: &[ObjectUri], deployment: &Deployment) -> String {
    let urls: Vec<String> = objects.iter().map(|object| deployment.urls.object(object)).collect();
    urls.join(",")
}

/// The address of an object; empty where there is none.
pub(crate) fn url(object: Option<&ObjectUri>, deployment: &Deployment) -> String {
    object.map_or_else(String::new, |object| deployment.urls.object(object))
}

fn status(fault: Option<&Fault>) -> Value {
    json!(if fault.is_some() { "Fail" } else { "Success" })
}

fn echo(put: &mut impl FnMut(&str, Value), user_data: Option<&str>) {
    if let Some(user_data) = user_data {
        put("UserData", json!(user_data));
    }
}

fn errors(put: &mut impl FnMut(&str, Value), fault: Option<&Fault>) {
    if let Some(fault) = fault {
        put("ErrorCode", json!(fault.code));
        put("ErrorMessage", json!(fault.to_string()));
    }
}
