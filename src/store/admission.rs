//! What becomes of a file that comes into the library: a media, an attachment or a rendition, with its events and the
//! tasks that run on it.
//!
//! Guarantees: everything happens in the caller's transaction, so that a file that was told of is there and one that
//! is there was told of; one input is one media, however often and by which way it comes. Deliberately absent: moving
//! bytes, and what people say of a media later (`library`).

use super::error::StoreError;
use super::library::additions;
use super::library::additions::NewAddition;
use super::library::description;
use super::library::description::Change;
use super::library::facts_of;
use super::media;
use super::media::Source;
use super::media::media_row;
use super::registration;
use super::tasks;
use super::tasks::NewTask;
use super::tasks::Overrides;
use super::workflows;
use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::AdditionId;
use crate::base::ids::MediaId;
use crate::base::ids::TaskId;
use crate::events::Purpose;
use crate::events::TriggerSource;
use crate::events::library::LibraryFact;
use crate::events::library::MediaType;
use crate::events::library::Pulled;
use crate::events::library::Role;
use crate::workflow::otherwise::address_in;
use crate::workflow::resolved::CallbackRule;
use crate::workflow::resolved::InlineDestination;
use rusqlite::Connection;
use serde::Deserialize;
use serde::Serialize;

pub use super::media::Origin;

/// What is wanted of a file that comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// What it becomes.
    pub role: Role,
    /// Attachments and renditions: of which media.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaId>,
    /// Attachments: `subtitle`, `watermark`, `image` or `other`; renditions: their name. Else empty.
    #[serde(default)]
    pub kind: String,
    /// Its title; empty: its file name.
    #[serde(default)]
    pub title: String,
    /// What a media is about.
    #[serde(default)]
    pub description: String,
    /// What it is found by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Id of the category it is filed under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// BCP 47, of attachments and renditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The caller's JSON text, echoed in events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_data: Option<String>,
    /// Id or name of a workflow of which a task starts on the media.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// Look at it: facts, and the event that it was registered.
    #[serde(default)]
    pub register: bool,
    /// Whom its events are for, instead of the unified callback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<CallbackRule>,
}

impl Wanted {
    /// A media of its own, without anything said of it.
    pub fn media() -> Self {
        Wanted {
            role: Role::Media,
            media: None,
            kind: String::new(),
            title: String::new(),
            description: String::new(),
            tags: Vec::new(),
            category: None,
            language: None,
            user_data: None,
            workflow: None,
            register: false,
            callback: None,
        }
    }

    /// Whom its events are for.
    fn rule(&self) -> CallbackRule {
        rule_for(self.user_data.as_deref(), self.callback.as_ref())
    }
}

/// A file that stands under its name.
#[derive(Debug, Clone, Copy)]
pub struct Landed<'a> {
    /// Where, and its content's identity.
    pub source: &'a Source,
    /// How it came.
    pub origin: Origin,
    /// What it is.
    pub media_type: MediaType,
    /// The fetching of it; none: it was not fetched.
    pub pulled: Option<&'a Pulled>,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admitted {
    /// The media that it is, or that it was added to.
    pub media: MediaId,
    /// The library did not have this media before.
    pub new: bool,
    /// What was added to it.
    pub addition: Option<AdditionId>,
    /// Tasks that look at it or run on it.
    pub tasks: Vec<TaskId>,
    /// Why no task of the wanted workflow was started.
    pub not_started: Option<Fault>,
}

/// Makes of a file that stands under its name what is wanted, in the caller's transaction: media or addition, its events,
/// the tasks that look at it or run on it. A workflow that cannot be started does not keep the file out: the answer
/// says why. Ring the scheduler's and the callback's bell afterwards.
///
/// # Errors
/// `NotFound` for the media that it was to be added to.
pub(super) fn admit(
    connection: &Connection,
    wanted: &Wanted,
    landed: &Landed<'_>,
    now: UtcMs,
) -> Result<Admitted, StoreError> {
    match wanted.role {
        Role::Media => admit_media(connection, wanted, landed, now),
        Role::Attachment | Role::Rendition => admit_addition(connection, wanted, landed, now),
    }
}

fn admit_media(
    connection: &Connection,
    wanted: &Wanted,
    landed: &Landed<'_>,
    now: UtcMs,
) -> Result<Admitted, StoreError> {
    let entered = media::enter(connection, landed.source, landed.origin, Some(landed.media_type), now)?;
    let change = Change::of(wanted);
    if entered.new {
        description::write(connection, &entered.id, change, now)?;
    } else {
        description::change(connection, &entered.id, change, now)?;
    }
    if matches!(landed.origin, Origin::Upload | Origin::Pull) {
        tell_upload(connection, &entered.id, wanted, landed, now)?;
    }
    let mut tasks = Vec::new();
    if wanted.register {
        tasks.extend(registration::begin(
            connection,
            &entered.id,
            landed.source,
            wanted,
            &wanted.rule(),
            now,
        )?);
    }
    let mut not_started = None;
    if let Some(workflow) = &wanted.workflow {
        match start(connection, workflow, wanted, landed.source, now)? {
            Ok(task) => tasks.push(task),
            Err(fault) => {
                tracing::warn!(media = %entered.id, %fault, "a media came in and its workflow was not started");
                not_started = Some(fault);
            }
        }
    }
    Ok(Admitted {
        media: entered.id,
        new: entered.new,
        addition: None,
        tasks,
        not_started,
    })
}

fn admit_addition(
    connection: &Connection,
    wanted: &Wanted,
    landed: &Landed<'_>,
    now: UtcMs,
) -> Result<Admitted, StoreError> {
    let media = wanted
        .media
        .clone()
        .ok_or_else(|| StoreError::Conflict("an addition names no media that it is added to".to_owned()))?;
    let addition = additions::enter(
        connection,
        &NewAddition {
            media: &media,
            role: wanted.role,
            media_type: landed.media_type,
            kind: &wanted.kind,
            source: landed.source,
            title: &wanted.title,
            language: wanted.language.as_deref(),
            user_data: wanted.user_data.as_deref(),
        },
        now,
    )?;
    tell_upload(connection, &media, wanted, landed, now)?;
    Ok(Admitted {
        media,
        new: false,
        addition: Some(addition),
        tasks: Vec::new(),
        not_started: None,
    })
}

/// The event of a file that came in. A rendition that stood in a storage already was registered, not uploaded.
fn tell_upload(
    connection: &Connection,
    media: &MediaId,
    wanted: &Wanted,
    landed: &Landed<'_>,
    now: UtcMs,
) -> Result<(), StoreError> {
    let object = landed.source.object.clone();
    let user_data = wanted.user_data.clone();
    let fact = match (wanted.role, landed.origin) {
        (Role::Rendition, Origin::Reference | Origin::Arrival) => LibraryFact::StreamRegistered {
            object,
            user_data,
            fault: None,
        },
        _ => LibraryFact::Uploaded {
            role: wanted.role,
            media_type: landed.media_type,
            pulled: landed.pulled.cloned(),
            object: Some(object),
            size_bytes: landed.source.size_bytes,
            user_data,
            fault: None,
        },
    };
    facts_of::tell(connection, Some(media), fact, &wanted.rule(), now)
}

/// Starts the wanted workflow, or says why not.
fn start(
    connection: &Connection,
    name: &str,
    wanted: &Wanted,
    source: &Source,
    now: UtcMs,
) -> Result<Result<TaskId, Fault>, StoreError> {
    let refused = |code: &str, cause: String, remedy: &str| {
        Fault::new(code, Blame::Request, "start", source.object.to_string(), cause, remedy)
    };
    let workflow = match workflows::find(connection, name) {
        Ok(workflow) => workflow,
        Err(StoreError::NotFound { .. }) => {
            let cause = format!("there is no workflow {name}");
            return Ok(Err(refused(
                "WorkflowNotFound",
                cause,
                "Name one of GET /api/v1/workflows.",
            )));
        }
        Err(error) => return Err(error),
    };
    if !workflow.enabled {
        let cause = format!("workflow {} is disabled", workflow.name);
        let remedy = "Enable it and start it by hand: POST /api/v1/tasks.";
        return Ok(Err(refused("WorkflowDisabled", cause, remedy)));
    }
    let of_workflow = &workflow.resolved.callback;
    let callback = match &wanted.callback {
        Some(given) => Some(rule_for(wanted.user_data.as_deref(), Some(given))),
        None => wanted
            .user_data
            .as_deref()
            .and_then(address_in)
            .map(|_| rule_for(wanted.user_data.as_deref(), Some(of_workflow))),
    };
    let overrides = Overrides {
        callback,
        ..Overrides::default()
    };
    let new = NewTask {
        workflow: &workflow.id,
        version: workflow.version,
        source,
        trigger: TriggerSource::Api,
        purpose: Purpose::Run,
        user_data: wanted.user_data.as_deref(),
        priority: 0,
        overrides: &overrides,
        idempotency_key: None,
        arrival_seq: None,
    };
    Ok(Ok(tasks::insert(connection, &new, &workflow.resolved, now)?))
}

/// The event of a file that could not be kept, in the caller's transaction.
pub(super) fn refuse(
    connection: &Connection,
    wanted: &Wanted,
    pulled: Option<&Pulled>,
    media_type: MediaType,
    fault: &Fault,
    now: UtcMs,
) -> Result<(), StoreError> {
    // The media may be gone by now; its event is told all the same.
    let media = match wanted.media.as_ref().map(|id| media_row(connection, id)) {
        Some(Ok(row)) => Some(row.id),
        Some(Err(StoreError::NotFound { .. })) | None => None,
        Some(Err(error)) => return Err(error),
    };
    let fact = LibraryFact::Uploaded {
        role: wanted.role,
        media_type,
        pulled: pulled.cloned(),
        object: None,
        size_bytes: 0,
        user_data: wanted.user_data.clone(),
        fault: Some(fault.clone()),
    };
    facts_of::tell(connection, media.as_ref(), fact, &wanted.rule(), now)
}

/// What a file is by its name; what has no known name is taken for video until somebody looked into it.
pub fn media_type_of(key: &str) -> MediaType {
    media::type_by_name(key).unwrap_or(MediaType::Video)
}

/// Whom facts of the library are for: `callback`, or the unified one; and besides whoever the caller's JSON names, as
/// in the clouds: `{"NotifyAddress": "http://..."}` or `{"MessageCallback": {"CallbackURL": "http://..."}}`.
pub(super) fn rule_for(user_data: Option<&str>, callback: Option<&CallbackRule>) -> CallbackRule {
    let mut rule = callback.cloned().unwrap_or(CallbackRule {
        legacy_events: false,
        unified: true,
        destination: None,
        inline: None,
    });
    match user_data.and_then(address_in) {
        Some(url) if url.starts_with("http") && url.contains("://") && rule.inline.is_none() => {
            rule.inline = Some(InlineDestination {
                url,
                profile: "ims".to_owned(),
                auth_key: None,
            });
        }
        Some(name) if !name.contains("://") && rule.destination.is_none() => rule.destination = Some(name),
        _ => {}
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::media_type_of;
    use super::rule_for;
    use crate::events::library::MediaType;
    use crate::workflow::resolved::CallbackRule;

    fn address(user_data: &str) -> Option<String> {
        rule_for(Some(user_data), None).inline.map(|inline| inline.url)
    }

    #[test]
    fn the_callers_data_may_name_whom_to_tell() {
        let url = Some("http://mam.local/hook".to_owned());
        assert_eq!(address(r#"{"NotifyAddress":"http://mam.local/hook"}"#), url);
        let nested = r#"{"MessageCallback":{"CallbackURL":"http://mam.local/hook","CallbackType":"http"}}"#;
        assert_eq!(address(nested), url);
        let text = r#"{"MessageCallback":"{\"CallbackURL\":\"http://mam.local/hook\"}"}"#;
        assert_eq!(address(text), url);
        for other in [
            "shot 7",
            "[1]",
            r#"{"NotifyAddress":"ftp://x"}"#,
            r#"{"NotifyAddress":7}"#,
        ] {
            assert_eq!(address(other), None, "{other}");
        }
        let none = CallbackRule {
            legacy_events: false,
            unified: false,
            destination: None,
            inline: None,
        };
        assert!(!rule_for(Some(r#"{"NotifyAddress":"http://a/"}"#), Some(&none)).unified);
    }

    #[test]
    fn files_are_told_by_their_extension() {
        for (key, media_type) in [
            ("a/b.MOV", MediaType::Video),
            ("a.flac", MediaType::Audio),
            ("a.JPeG", MediaType::Image),
            ("a.srt", MediaType::Text),
            ("a.unknown", MediaType::Video),
            ("a", MediaType::Video),
        ] {
            assert_eq!(media_type_of(key), media_type, "{key}");
        }
    }
}
