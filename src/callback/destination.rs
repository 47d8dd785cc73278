//! Where callbacks go: one destination, checked and ready to be sent to.
//!
//! Guarantees: a [`Destination`] has an address that may be reached, a profile there is, headers that can be sent, a
//! template that renders. Deliberately absent: reading configurations; the list of all (`directory`); each way of
//! sending (`way`).

use crate::base::address::Reach;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::callback::body_template::BodyTemplate;
use crate::callback::robot::Robot;
use crate::callback::signing::Key;
use crate::callback::way;
use crate::callback::way::Surroundings;
use crate::callback::way::Way;
use crate::events::Event;
use crate::events::EventType;
use crate::events::Purpose;
use crate::events::listeners::Listener;
use crate::events::profile::Profile;
use crate::workflow::destination::Definition;
use crate::workflow::resolved::InlineDestination;
use crate::workflow::secrets::Hidden;
use std::sync::Arc;
use std::time::Duration;

/// How tries are repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RetryMode {
    /// Any 2xx is accepted; exponential back-off for three days, then a dead letter.
    #[default]
    Patient,
    /// As IMS: only 200 within 3 s, three tries 1 s apart, then a dead letter.
    Ims,
}

impl RetryMode {
    /// Reads `default` or `ims`.
    ///
    /// # Errors
    /// A request fault naming both.
    pub fn parse(word: &str) -> Result<Self, Fault> {
        match word {
            "" | "default" => Ok(RetryMode::Patient),
            "ims" => Ok(RetryMode::Ims),
            other => Err(Fault::new(
                "RetryUnknown",
                Blame::Request,
                "read the retry mode",
                other,
                "there is no such mode",
                "Use default or ims.",
            )),
        }
    }
}

/// Who made a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// The configuration file: it may name this host itself.
    File,
    /// Somebody through the API.
    Api,
}

/// One receiver.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Name, in lists and messages.
    pub name: String,
    /// How it is reached.
    pub way: Way,
    /// Its words.
    pub profile: Profile,
    /// Its body, where it is not the profile's.
    pub body: Option<Arc<BodyTemplate>>,
    /// Its subject line, by mail.
    pub subject: Option<Arc<BodyTemplate>>,
    /// The kind of chat robot it is.
    pub robot: Option<Robot>,
    /// Key of the profile's own signature.
    pub auth_key: Option<Key>,
    /// Keys of our signature.
    pub signing_keys: Vec<Key>,
    /// Headers sent along.
    pub headers: Vec<(String, String)>,
    /// What it wants.
    pub listener: Listener,
    /// How tries are repeated.
    pub retry: RetryMode,
    /// Time of a try; none: that of the retry mode.
    pub timeout: Option<Duration>,
}

impl Destination {
    /// Checks one that was written down, and makes its way; connects to nothing.
    ///
    /// # Errors
    /// The first fault of its address, profile, events, keys, certificates or template, naming the destination.
    pub fn new(definition: &Definition, maker: Maker, surroundings: &Surroundings) -> Result<Self, Fault> {
        Self::checked(definition, maker, surroundings).map_err(|mut fault| {
            fault.subject = format!("{} (destination {})", fault.subject, definition.name);
            fault
        })
    }

    fn checked(definition: &Definition, maker: Maker, surroundings: &Surroundings) -> Result<Self, Fault> {
        let robot = Robot::parse(&definition.template)?;
        let by_mail = definition.kind() == "mail";
        let body = match (robot, definition.body_template.as_str()) {
            (Some(robot), "") => Some(BodyTemplate::new(robot.template())?),
            (Some(_), _) => {
                return Err(refused(
                    "template",
                    "there are both a template and a body_template",
                    "Give one of them.",
                ));
            }
            (None, "") if by_mail => Some(BodyTemplate::plain(crate::callback::mail::BODY)?),
            (None, "") => None,
            (None, text) if by_mail => Some(BodyTemplate::plain(text)?),
            (None, text) => Some(BodyTemplate::new(text)?),
        };
        let subject = match definition.subject.as_str() {
            _ if !by_mail => None,
            "" => Some(BodyTemplate::plain(crate::callback::mail::SUBJECT)?),
            text => Some(BodyTemplate::plain(text)?),
        };
        let profile = match definition.profile.as_str() {
            _ if body.is_some() => Profile::Native,
            "" => Profile::Ims,
            word => Profile::parse(word)?,
        };
        let mut events = Vec::new();
        for word in &definition.events {
            events.extend(events_named(word, profile)?);
        }
        let seconds = match definition.timeout_s {
            0 if definition.kind() == "exec" => 60,
            seconds => seconds,
        };
        if seconds > 600 {
            return Err(refused("timeout_s", "it is out of range", "Use 0 to 600 seconds."));
        }
        let keys = [&definition.signing_key, &definition.old_signing_key];
        Ok(Destination {
            name: definition.name.clone(),
            headers: headers(definition)?,
            profile,
            robot,
            auth_key: key(definition.auth_key.as_ref()),
            signing_keys: keys.into_iter().filter_map(|text| key(text.as_ref())).collect(),
            listener: Listener {
                events,
                legacy_events: definition.legacy_events,
                global: definition.global,
            },
            retry: RetryMode::parse(&definition.retry)?,
            timeout: (seconds > 0).then(|| Duration::from_secs(seconds.into())),
            way: way::make(definition, maker, surroundings)?,
            body: body.map(Arc::new),
            subject: subject.map(Arc::new),
        })
    }

    /// Checks one written into a workflow or a request: this host cannot be reached.
    ///
    /// # Errors
    /// The fault of its address or profile.
    pub fn inline(inline: &InlineDestination) -> Result<Self, Fault> {
        Ok(Destination {
            name: String::new(),
            way: way::posting(&inline.url, Reach::Network)?,
            profile: Profile::parse(&inline.profile)?,
            body: None,
            subject: None,
            robot: None,
            auth_key: inline.auth_key.as_deref().map(Key::new).filter(|key| !key.is_empty()),
            signing_keys: Vec::new(),
            headers: Vec::new(),
            listener: Listener::default(),
            retry: RetryMode::Patient,
            timeout: None,
        })
    }

    /// Whether it wants `event`, under a rule that asks for the older transcode events or not.
    pub fn wants(&self, event: &Event, legacy_events: bool) -> bool {
        let submitted = event.task.as_ref().is_some_and(|task| task.purpose == Purpose::Job);
        self.listener.wants(event.event_type(), legacy_events || submitted)
    }

    /// Whether it asks for events of this type by name.
    pub fn names(&self, event_type: EventType) -> bool {
        self.listener.events.contains(&event_type)
    }

    /// Keys that sign time and body: ours, and in our own profile the profile's key too.
    pub fn body_keys(&self) -> Vec<Key> {
        let own = match self.profile {
            // Of a robot the key is the robot's own.
            Profile::Native if self.robot.is_none() => self.auth_key.clone(),
            _ => None,
        };
        self.signing_keys.iter().cloned().chain(own).collect()
    }
}

fn key(text: Option<&Hidden>) -> Option<Key> {
    text.map(|text| Key::new(text.expose())).filter(|key| !key.is_empty())
}

/// The events that a receiver of `profile` means by a name.
fn events_named(word: &str, profile: Profile) -> Result<Vec<EventType>, Fault> {
    let named = profile.events_named(word);
    if named.is_empty() {
        let names = EventType::ALL.map(EventType::as_str).join(", ");
        return Err(Fault::new(
            "EventUnknown",
            Blame::Request,
            "read the events list",
            word,
            "there is no such event",
            format!("Use some of: {names}."),
        ));
    }
    Ok(named)
}

/// Headers that the program sets itself, or that say how a request is framed.
const OWN_HEADERS: [&str; 8] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "expect",
];
const OWN_PREFIXES: [&str; 3] = ["x-reelmill-", "x-ice-", "x-vod-"];
const HEADERS_MAX: usize = 32;

fn headers(definition: &Definition) -> Result<Vec<(String, String)>, Fault> {
    if definition.headers.len() > HEADERS_MAX {
        return Err(refused(
            "headers",
            &format!("there are {}", definition.headers.len()),
            "Give at most 32.",
        ));
    }
    let mut headers = Vec::new();
    for (name, value) in &definition.headers {
        let lower = name.to_ascii_lowercase();
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let value = value.expose();
        let wrong = if name.is_empty() || name.len() > 128 || !name.bytes().all(token) {
            Some("it is no name of a header")
        } else if OWN_HEADERS.contains(&lower.as_str()) || OWN_PREFIXES.iter().any(|own| lower.starts_with(own)) {
            Some("the program sets this header itself")
        } else if value.len() > 4_096 || value.chars().any(|c| c.is_control()) || !value.is_ascii() {
            Some("its value is too long, or not plain text")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            return Err(refused(&format!("header {name:?}"), wrong, "Change or remove it."));
        }
        headers.push((name.clone(), value.to_owned()));
    }
    Ok(headers)
}

/// A request fault about a destination.
pub(super) fn refused(subject: &str, cause: &str, remedy: &str) -> Fault {
    Fault::new(
        "DestinationRefused",
        Blame::Request,
        "check the destination",
        subject,
        cause,
        remedy,
    )
}

#[cfg(test)]
mod tests {
    use super::Destination;
    use super::Maker;
    use crate::callback::way::Surroundings;
    use crate::workflow::destination::Definition;
    use crate::workflow::resolved::InlineDestination;

    fn definition() -> Definition {
        Definition {
            name: "mam".to_owned(),
            url: "http://127.0.0.1:9/hook".to_owned(),
            profile: "ims".to_owned(),
            ..Definition::default()
        }
    }

    fn checked(definition: &Definition, maker: Maker) -> Result<Destination, String> {
        Destination::new(definition, maker, &Surroundings::default()).map_err(|fault| fault.to_string())
    }

    #[tokio::test]
    async fn loopback_is_for_the_configuration_alone() {
        assert!(checked(&definition(), Maker::File).is_ok());
        assert!(checked(&definition(), Maker::Api).is_err());
        let inline = InlineDestination {
            url: definition().url,
            profile: "ims".to_owned(),
            auth_key: None,
        };
        assert!(Destination::inline(&inline).is_err());
    }

    #[tokio::test]
    async fn what_cannot_work_is_refused_by_name() {
        let with = |change: fn(&mut Definition)| {
            let mut definition = definition();
            change(&mut definition);
            checked(&definition, Maker::File).expect_err("refused")
        };
        for (said, cause) in [
            (with(|it| it.profile = "mts".to_owned()), "no such profile"),
            (
                with(|it| it.events = vec!["SnapshotCompleted".to_owned()]),
                "no such event",
            ),
            (with(|it| it.kind = "smoke".to_owned()), "no such kind"),
            (with(|it| it.template = "irc".to_owned()), "no such robot"),
            (with(|it| it.body_template = "{\"a\": {{ type }".to_owned()), "template"),
            (with(|it| it.tls_client = Some("no PEM".into())), "client certificate"),
            (with(|it| it.timeout_s = 601), "out of range"),
            (
                with(|it| {
                    it.headers.insert("Host".to_owned(), "x".into());
                }),
                "sets this header itself",
            ),
            (
                with(|it| {
                    it.headers.insert("X-A".to_owned(), "x\r\nY: z".into());
                }),
                "not plain text",
            ),
        ] {
            assert!(
                said.contains(cause) && said.contains("mam"),
                "{said:?} must say {cause:?}"
            );
        }
    }
}
