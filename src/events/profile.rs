//! The wire profiles: one fact in the words of the receiver.
//!
//! Guarantees: the same event, profile and deployment give the same bytes, so every try and every replay of a
//! delivery carries the same body. Deliberately absent: transport and signatures.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::events::Event;
use crate::events::EventType;
use crate::events::ims;
use crate::events::mps;
use crate::events::native;
use crate::events::urls::Bases;
use crate::events::urls::Urls;
use crate::events::vod;
use serde_json::Value;

/// How events are spelled for a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Alibaba IMS: an envelope with `MessageBody`.
    Ims,
    /// Alibaba ApsaraVideo VOD: flat.
    Vod,
    /// Tencent MPS: the form that ParseNotification reads; ends, starts and progress of tasks alone.
    Mps,
    /// Our own: complete and plain.
    Native,
}

/// The names of this installation, as events carry them.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// `UserId`: a number in ims, a string in vod.
    pub user_id: u64,
    /// `AppId`.
    pub app_id: String,
    /// `region` and `Location`.
    pub region: String,
    /// `FileUrl`, `OutputUrl` ...
    pub urls: Urls,
}

impl Deployment {
    /// A deployment whose addresses all lie below `public_url`.
    pub fn new(user_id: u64, app_id: &str, region: &str, public_url: &str) -> Self {
        Deployment {
            user_id,
            app_id: app_id.to_owned(),
            region: region.to_owned(),
            urls: Urls::new(public_url),
        }
    }

    /// The same, with the objects of some storages reached elsewhere.
    pub fn with_bases(self, bases: Bases) -> Self {
        Deployment {
            urls: self.urls.with_bases(bases),
            ..self
        }
    }
}

/// One event as it is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Name of the event in the profile.
    pub event_type: String,
    /// The JSON body; its keys keep their order.
    pub body: Value,
}

impl Rendered {
    /// The bytes that are sent and signed.
    pub fn bytes(&self) -> Vec<u8> {
        self.body.to_string().into_bytes()
    }
}

impl Profile {
    /// All of them.
    pub const ALL: [Profile; 4] = [Profile::Ims, Profile::Vod, Profile::Mps, Profile::Native];

    /// Reads [`as_str`](Self::as_str) back.
    ///
    /// # Errors
    /// A request fault that names the profiles there are.
    pub fn parse(word: &str) -> Result<Self, Fault> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == word)
            .ok_or_else(|| {
                Fault::new(
                    "ProfileUnknown",
                    Blame::Request,
                    "read the profile",
                    word,
                    "there is no such profile",
                    "Use ims, vod, mps or native.",
                )
            })
    }

    /// The events that its receivers know by this name: ours, and where the profile has a name of its own, that one.
    pub fn events_named(self, word: &str) -> Vec<EventType> {
        match (self, word) {
            (Profile::Vod, "StreamTranscodeComplete") => vec![EventType::MediaConvertOutputComplete],
            // VOD never had the older calls; all streams of a video are told by this one.
            (Profile::Vod, "TranscodeComplete") => vec![EventType::MediaConvertComplete],
            (Profile::Vod, "AIVideoTagComplete") => vec![EventType::MediaAiAnalysisComplete],
            (Profile::Mps, "WorkflowTask") => vec![EventType::WorkflowTaskComplete],
            _ => EventType::parse(word).into_iter().collect(),
        }
    }

    /// The word in configurations and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Profile::Ims => "ims",
            Profile::Vod => "vod",
            Profile::Mps => "mps",
            Profile::Native => "native",
        }
    }
}

/// `event` in the words of `profile`; none where the profile has no such event.
pub fn render(profile: Profile, event: &Event, deployment: &Deployment) -> Option<Rendered> {
    match profile {
        Profile::Ims => ims::render(event, deployment),
        Profile::Vod => vod::render(event, deployment),
        Profile::Mps => mps::render(event, deployment),
        Profile::Native => Some(native::render(event, deployment)),
    }
}
