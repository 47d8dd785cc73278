//! One event made ready for one destination: its body and all that goes with it.
//!
//! Guarantees: a try and its repeats carry the same body (but for Tencent's `Sign`, which is made for the moment);
//! signatures are made anew each time. Deliberately absent: sending.

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::callback::body_template::BodyTemplate;
use crate::callback::destination::Destination;
use crate::callback::mail;
use crate::callback::signing;
use crate::callback::transport::Message;
use crate::callback::way::Way;
use crate::events::Event;
use crate::events::profile::Deployment;
use crate::events::profile::Profile;
use crate::events::profile::render;
use serde_json::Value;
use std::sync::Arc;

/// Seconds that Tencent's `Sign` is good for.
const NOTIFY_GOOD_S: i64 = 600;

/// Which try of a delivery it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Try {
    /// Place within (destination, line), from 1.
    pub seq: i64,
    /// From 1.
    pub attempt: u32,
    /// How often a user asked for it again.
    pub replay: u32,
}

/// What `destination` gets of `event` now.
///
/// # Errors
/// Why it cannot be told: the profile has no such event, or the template fails on it.
pub async fn seal(
    destination: &Destination,
    event: &Event,
    deployment: &Deployment,
    which: Try,
    now: UtcMs,
) -> Result<Message, String> {
    let mut body = match &destination.body {
        Some(template) => filled(template, event, deployment)
            .await
            .map_err(|fault| fault.to_string())?,
        None => {
            let rendered = render(destination.profile, event, deployment)
                .ok_or_else(|| format!("profile {} has no such event", destination.profile.as_str()))?;
            notified(destination, rendered.body, now).to_string().into_bytes()
        }
    };
    body.shrink_to_fit();
    let mut headers = headers(destination, which, event, &body, now);
    headers.extend(destination.headers.iter().cloned());
    if let Some(subject) = &destination.subject {
        let line = filled(subject, event, deployment)
            .await
            .map_err(|fault| fault.to_string())?;
        let line = String::from_utf8_lossy(&line).replace(['\r', '\n'], " ");
        headers.push((mail::SUBJECT_HEADER.to_owned(), line));
    }
    Ok(Message {
        event_id: event.id.as_str().to_owned(),
        event_type: event.event_type().as_str().to_owned(),
        headers,
        body,
        at: event.at,
        line: event.line().to_owned(),
    })
}

/// Templates take their steps where nobody waits for the thread.
async fn filled(template: &Arc<BodyTemplate>, event: &Event, deployment: &Deployment) -> Result<Vec<u8>, Fault> {
    let (template, event, deployment) = (Arc::clone(template), event.clone(), deployment.clone());
    tokio::task::spawn_blocking(move || template.render(&event, &deployment))
        .await
        .unwrap_or_else(|error| {
            Err(Fault::new(
                "TemplateFailed",
                crate::base::fault::Blame::Bug,
                "fill the body template",
                "template",
                error.to_string(),
                "Report this with the daemon's log.",
            ))
        })
}

/// In the words of Tencent the body says until when it is good, and is signed with that.
fn notified(destination: &Destination, mut body: Value, now: UtcMs) -> Value {
    if destination.profile == Profile::Mps
        && let (Some(key), Some(fields)) = (&destination.auth_key, body.as_object_mut())
    {
        let until_s = now.0.div_euclid(1_000).saturating_add(NOTIFY_GOOD_S);
        fields.insert("Timestamp".to_owned(), until_s.into());
        fields.insert(
            "Sign".to_owned(),
            signing::notify_sign(&until_s.to_string(), key).into(),
        );
    }
    body
}

/// The headers of a try: who, which, how often, and the signatures made for this moment.
fn headers(destination: &Destination, which: Try, event: &Event, body: &[u8], now: UtcMs) -> Vec<(String, String)> {
    let timestamp = now.0.div_euclid(1_000).to_string();
    let mut headers = vec![
        (signing::EVENT_ID, event.id.as_str().to_owned()),
        (signing::EVENT_SEQ, which.seq.to_string()),
        (signing::ATTEMPT, which.attempt.to_string()),
        (signing::REPLAY, which.replay.to_string()),
    ];
    if let (Some((time, signature)), Some(key), Way::Http(post)) = (
        signing::cloud_headers(destination.profile),
        &destination.auth_key,
        &destination.way,
    ) {
        headers.push((signature, signing::cloud_signature(&post.url_text, &timestamp, key)));
        headers.push((time, timestamp.clone()));
    }
    let keys = destination.body_keys();
    if !keys.is_empty() {
        headers.push((signing::SIGNATURE, signing::signature_header(&timestamp, body, &keys)));
        headers.push((signing::TIMESTAMP, timestamp));
    }
    headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
