//! What a caller wants of a file that is sent or fetched: where it goes, and what becomes of it.
//!
//! Guarantees: what cannot come to a good end is refused before the first byte is sent; the place is always in a
//! registered storage. Deliberately absent: how the bytes come.

use crate::base::ids::MediaId;
use crate::base::json_text;
use crate::events::library::MediaType;
use crate::events::library::Role;
use crate::objects::incoming;
use crate::objects::incoming::Digest;
use crate::objects::uri::ObjectUri;
use crate::objects::uri::key_text;
use crate::store::admission;
use crate::store::admission::Admitted;
use crate::store::admission::Wanted;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::state::WebState;
use crate::web::user_data::UserData;
use crate::web::wording;
use crate::workflow::resolved::OnConflict;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// Where a file goes and what becomes of it. Everything may be left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Wish {
    /// The storage [default: library.storage of the configuration].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// The key in it [default: library.prefix and the file name].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The file's name, where no key is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// When something stands under the key: version, overwrite or fail [default: library.on_conflict].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_conflict: Option<String>,
    /// What the whole file must come to: sha256:HEX or md5:HEX.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// media (the default), attachment or rendition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Attachments and renditions: the id of the media they are added to. Alone it means an attachment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// Attachments: subtitle, watermark, image or other; renditions: their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its title [default: its file name].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What a media is about.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What a media is found by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Id of the category a media is filed under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Language of an attachment or rendition, BCP 47.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Echoed in every event; anything but a string is kept as JSON text. A NotifyAddress in it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "passed_over")]
    #[schema(value_type = Option<Object>)]
    pub user_data: Option<UserData>,
    /// Id or name of an enabled workflow that runs on the media.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// Look at the media: its facts, and RegisterMediaComplete [default: when no workflow is named].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub register: Option<bool>,
}

/// Reads a body that has a wish among its own fields. What comes through serde's flattening has the digits of a double, so
/// the user data are read once more, by themselves.
///
/// # Errors
/// What the body is not.
pub fn read<'de, D: Deserializer<'de>, B>(
    deserializer: D,
    body: fn(&str) -> serde_json::Result<B>,
    wish: fn(&mut B) -> &mut Wish,
) -> Result<B, D::Error> {
    #[derive(Deserialize)]
    struct Echoed<'a> {
        #[serde(borrow, default)]
        user_data: Option<&'a RawValue>,
    }
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let json = raw.get();
    let echoed: Echoed = serde_json::from_str(json).map_err(serde::de::Error::custom)?;
    let Some(own) = echoed.user_data else {
        return body(json).map_err(serde::de::Error::custom);
    };
    let mut read = body(&json_text::without(json, own)).map_err(serde::de::Error::custom)?;
    wish(&mut read).user_data = serde_json::from_str(own.get()).map_err(serde::de::Error::custom)?;
    Ok(read)
}

/// See [`read`].
fn passed_over<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UserData>, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| None)
}

/// A wish that can be granted as far as is known now.
#[derive(Debug)]
pub struct Granted {
    /// Where the file goes.
    pub object: ObjectUri,
    /// When something stands there.
    pub on_conflict: OnConflict,
    /// What the whole must come to.
    pub digest: Option<String>,
    /// What becomes of it.
    pub wanted: Wanted,
}

/// What became of a file.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct BecameView {
    /// The media that it is, or that it was added to.
    pub media: Option<String>,
    /// The attachment or rendition that it is.
    pub addition: Option<String>,
    /// Tasks that look at it or run on it.
    pub tasks: Vec<String>,
    /// Why no task of the wanted workflow was started.
    pub not_started: Option<Value>,
}

impl From<Option<Admitted>> for BecameView {
    fn from(admitted: Option<Admitted>) -> Self {
        let Some(admitted) = admitted else {
            return BecameView::default();
        };
        BecameView {
            media: Some(admitted.media.into_string()),
            addition: admitted.addition.map(|id| id.into_string()),
            tasks: admitted.tasks.into_iter().map(|id| id.into_string()).collect(),
            not_started: admitted.not_started.and_then(|fault| serde_json::to_value(fault).ok()),
        }
    }
}

impl Wish {
    /// Checks the wish. `id` names the file where nothing else does.
    ///
    /// # Errors
    /// What is wrong with it, or with the place.
    pub async fn grant(self, state: &WebState, id: &str) -> Answer<Granted> {
        let object = self.place(state, id)?;
        let on_conflict = match self.on_conflict.as_deref() {
            None => state.inlet.rules.on_conflict,
            Some("version") => OnConflict::Version,
            Some("overwrite") => OnConflict::Overwrite,
            Some("fail") => OnConflict::Fail,
            Some(other) => {
                return Err(bad(
                    format!("on_conflict is {other:?}"),
                    "Use version, overwrite or fail.",
                ));
            }
        };
        if let Some(digest) = self.digest.as_deref().filter(|text| Digest::parse(text).is_none()) {
            return Err(bad(
                format!("the digest is {digest:?}"),
                "Write it as sha256:HEX (64 digits) or md5:HEX (32 digits).",
            ));
        }
        let digest = self.digest.clone();
        if on_conflict == OnConflict::Fail && state.objects.head(&object).await?.is_some() {
            return Err(Problem::conflict(
                "KeyTaken",
                format!("{object} exists"),
                "Choose another key, or on_conflict version or overwrite.",
            ));
        }
        let wanted = self.wanted(state, &object).await?;
        Ok(Granted {
            object,
            on_conflict,
            digest,
            wanted,
        })
    }

    fn place(&self, state: &WebState, id: &str) -> Answer<ObjectUri> {
        let rules = &state.inlet.rules;
        let named = self.storage.clone().filter(|name| !name.is_empty());
        let Some(storage) = named.or_else(|| rules.storage.clone()) else {
            return Err(bad(
                "no storage is named, and the configuration has none for files that come in",
                "Name one with `storage`, or have the administrator set library.storage.",
            ));
        };
        if !state.writer.has(&storage) {
            return Err(bad(
                format!("there is no storage {storage}"),
                "Name one of GET /api/v1/storages.",
            ));
        }
        let key = match self.key.as_deref().filter(|key| !key.is_empty()) {
            // A folder: the file keeps its name in it.
            Some(folder) if folder.ends_with('/') => format!("{folder}{}", self.own_name(id)),
            Some(key) => key.to_owned(),
            None => format!("{}{}", rules.prefix, self.own_name(id)),
        };
        let object = ObjectUri::new(storage, key.trim_start_matches('/'));
        incoming::check_key(&object)?;
        Ok(object)
    }

    /// The last part of the file's name, as callers of other systems write it too; its id where it has none.
    fn own_name(&self, id: &str) -> String {
        let name = self.file_name.as_deref().unwrap_or_default();
        let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let clean: String = last.chars().filter(|character| !character.is_control()).collect();
        match clean.trim() {
            "" | "." | ".." => id.to_owned(),
            clean => key_text(clean.as_bytes()),
        }
    }

    async fn wanted(self, state: &WebState, object: &ObjectUri) -> Answer<Wanted> {
        let role = match self.role.as_deref() {
            None if self.media.is_some() => Role::Attachment,
            None => Role::Media,
            Some(word) => Role::parse(word)
                .ok_or_else(|| bad(format!("role is {word:?}"), "Use media, attachment or rendition."))?,
        };
        let media = self.media.map(MediaId::from);
        match (role, &media) {
            (Role::Media, Some(_)) => {
                return Err(bad(
                    "a media of its own is not added to another",
                    "Leave `media` out, or use the role attachment or rendition.",
                ));
            }
            (Role::Attachment | Role::Rendition, None) => {
                return Err(bad(
                    format!("no media is named that the {} is added to", role.as_str()),
                    "Send the id of a media.",
                ));
            }
            (_, Some(id)) => drop(state.store.media(id).await?),
            (Role::Media, None) => {}
        }
        if role != Role::Media && (self.workflow.is_some() || self.register == Some(true)) {
            return Err(bad(
                "workflows run on media, not on what is added to one",
                "Leave `workflow` and `register` out, or use the role media.",
            ));
        }
        if let Some(name) = &self.workflow {
            let workflow = state.store.workflow(name).await?;
            if !workflow.enabled {
                return Err(Problem::conflict(
                    "WorkflowDisabled",
                    format!("workflow {} is disabled", workflow.name),
                    "Enable it first: POST /api/v1/workflows/ID/enable.",
                ));
            }
        }
        if let Some(category) = &self.category {
            state.store.category(category).await?;
        }
        let kind = match (role, self.kind) {
            (Role::Media, _) => String::new(),
            (Role::Attachment, Some(kind)) if wording::ATTACHMENTS.contains(&kind.as_str()) => kind,
            (Role::Attachment, Some(kind)) => {
                return Err(bad(
                    format!("there is no kind {kind:?} of attachments"),
                    "Use subtitle, watermark, image or other.",
                ));
            }
            (Role::Attachment, None) => match admission::media_type_of(&object.key) {
                MediaType::Text => "subtitle".to_owned(),
                MediaType::Image => "image".to_owned(),
                _ => "other".to_owned(),
            },
            (Role::Rendition, Some(name)) => wording::name("kind", &name)?,
            (Role::Rendition, None) => {
                let name = object.file_name();
                name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
            }
        };
        Ok(Wanted {
            role,
            media,
            kind,
            title: wording::title("title", &self.title)?,
            description: wording::description(&self.description)?,
            tags: wording::tags(&self.tags)?,
            category: self.category,
            language: self.language.as_deref().map(wording::language).transpose()?,
            user_data: self.user_data.as_ref().map_or(Ok(None), wording::user_data)?,
            register: self.register.unwrap_or(role == Role::Media && self.workflow.is_none()),
            workflow: self.workflow,
            callback: None,
        })
    }
}

fn bad(detail: impl Into<String>, remedy: &str) -> Problem {
    Problem::unacceptable("BadWish", detail, remedy)
}

/// Refuses what is larger than the configuration allows.
///
/// # Errors
/// 413.
pub fn check_size(state: &WebState, size_bytes: Option<u64>) -> Answer<()> {
    match (size_bytes, state.inlet.rules.max_bytes) {
        (Some(size_bytes), Some(max_bytes)) if size_bytes > max_bytes => Err(too_large(max_bytes)),
        _ => Ok(()),
    }
}

/// 413: more than the configuration allows.
pub fn too_large(max_bytes: u64) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "UploadTooLarge",
        format!("a file may have {max_bytes} bytes at most"),
        "Have the administrator raise library.max_upload_bytes.",
    )
}
