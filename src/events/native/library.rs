//! Facts of the media library in our own words.
//!
//! Guarantees: each kind of fact has one key, whose value holds all of it. Deliberately absent: anything about the media
//! itself, which stands in `media`.

use super::all;
use super::object;
use super::user_data;
use crate::events::library::LibraryFact;
use crate::events::profile::Deployment;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// The key of a fact, and what it says.
pub fn told(fact: &LibraryFact, deployment: &Deployment) -> (&'static str, Value) {
    match fact {
        LibraryFact::Uploaded {
            role,
            media_type,
            pulled,
            object: place,
            size_bytes,
            user_data: data,
            fault,
        } => (
            "upload",
            json!({
                "role": role.as_str(),
                "media_type": media_type.as_str(),
                "job_id": pulled.as_ref().map(|pulled| pulled.job.as_str()),
                "source_url": pulled.as_ref().map(|pulled| pulled.url.as_str()),
                "object": object(place.as_ref(), deployment),
                "size_bytes": size_bytes,
                "user_data": user_data(data.as_deref()),
                "fault": fault,
            }),
        ),
        LibraryFact::StreamRegistered {
            object: place,
            user_data: data,
            fault,
        } => (
            "stream",
            json!({
                "object": object(Some(place), deployment),
                "user_data": user_data(data.as_deref()),
                "fault": fault,
            }),
        ),
        LibraryFact::MediaRegistered { user_data: data, fault } => (
            "registration",
            json!({"user_data": user_data(data.as_deref()), "fault": fault}),
        ),
        LibraryFact::MediaDeleted {
            delete_type,
            objects,
            fault,
        } => (
            "deletion",
            json!({"delete_type": delete_type.as_str(), "objects": all(objects, deployment), "fault": fault}),
        ),
        LibraryFact::MediaChanged { media_type, changes } => {
            let fields: Map<String, Value> = changes
                .iter()
                .map(|change| (change.field.clone(), json!({"old": change.old, "new": change.new})))
                .collect();
            ("change", json!({"media_type": media_type.as_str(), "fields": fields}))
        }
        LibraryFact::ReviewEnded {
            review,
            audit,
            auditor,
            reason,
            comment,
            asked_at,
            fault,
        } => (
            "review",
            json!({
                "id": review.as_str(),
                "status": audit.map(|audit| audit.as_str()),
                "auditor": auditor,
                "reason": reason,
                "comment": comment,
                "asked_at": asked_at.wire(),
                "fault": fault,
            }),
        ),
    }
}
