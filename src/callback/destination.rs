//! Where callbacks go: destinations, checked.
//!
//! Guarantees: a [`Destination`] has an address that may be reached and a profile there is. Deliberately absent:
//! reading configurations; queues, executables and mail, which come with a later version.

use crate::base::address::Reach;
use crate::base::address::check_callback_url;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::callback::signing::Key;
use crate::events::Event;
use crate::events::EventType;
use crate::events::Purpose;
use crate::events::listeners::Listener;
use crate::events::listeners::Listeners;
use crate::events::profile::Profile;
use crate::workflow::resolved::InlineDestination;
use std::collections::BTreeMap;
use url::Url;

/// Name of the destination that `[callback]` writes out instead of naming one.
pub const UNIFIED: &str = "unified";

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

/// A destination as the configuration has it; secrets are the keys themselves, not files.
#[derive(Debug, Clone, Default)]
pub struct DestinationOptions {
    /// Name.
    pub name: String,
    /// Where to post.
    pub url: String,
    /// `ims`, `vod`, `mps` or `native`.
    pub profile: String,
    /// Key of the profile's own signature.
    pub auth_key: Option<String>,
    /// Keys of our signature; several while one is being replaced.
    pub signing_keys: Vec<String>,
    /// Names of the events it wants; empty: all but `WorkflowTaskStart`.
    pub events: Vec<String>,
    /// The older transcode events too.
    pub legacy_events: bool,
    /// `default` or `ims`; empty: `default`.
    pub retry: String,
}

/// One receiver.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Name, in lists and messages.
    pub name: String,
    /// The address as written: signatures cover its text.
    pub url_text: String,
    /// The same, parsed.
    pub url: Url,
    /// How far it may reach.
    pub reach: Reach,
    /// Its words.
    pub profile: Profile,
    /// Key of the profile's own signature.
    pub auth_key: Option<Key>,
    /// Keys of our signature.
    pub signing_keys: Vec<Key>,
    /// What it wants to hear.
    pub listener: Listener,
    /// How tries are repeated.
    pub retry: RetryMode,
}

impl Destination {
    /// Checks one of the configuration.
    ///
    /// # Errors
    /// The first fault of its address, profile, events or retry mode, naming the destination.
    pub fn configured(options: &DestinationOptions) -> Result<Self, Fault> {
        let named = |mut fault: Fault| {
            fault.subject = format!("{} (destination {})", fault.subject, options.name);
            fault
        };
        let profile = Profile::parse(&options.profile).map_err(named)?;
        let mut events = Vec::new();
        for word in &options.events {
            events.extend(events_named(word, profile).map_err(named)?);
        }
        Ok(Destination {
            name: options.name.clone(),
            url_text: options.url.clone(),
            url: check_callback_url(&options.url, Reach::Loopback).map_err(named)?,
            reach: Reach::Loopback,
            profile,
            auth_key: key(options.auth_key.as_deref()),
            signing_keys: options.signing_keys.iter().filter_map(|text| key(Some(text))).collect(),
            listener: Listener {
                events,
                legacy_events: options.legacy_events,
            },
            retry: RetryMode::parse(&options.retry).map_err(named)?,
        })
    }

    /// Checks one written into a workflow or a request: this host cannot be reached.
    ///
    /// # Errors
    /// The fault of its address or profile.
    pub fn inline(inline: &InlineDestination) -> Result<Self, Fault> {
        Ok(Destination {
            name: String::new(),
            url_text: inline.url.clone(),
            url: check_callback_url(&inline.url, Reach::Network)?,
            reach: Reach::Network,
            profile: Profile::parse(&inline.profile)?,
            auth_key: key(inline.auth_key.as_deref()),
            signing_keys: Vec::new(),
            listener: Listener::default(),
            retry: RetryMode::Patient,
        })
    }

    /// Whether it wants `event`, under a rule that asks for the older transcode events or not.
    pub fn wants(&self, event: &Event, legacy_events: bool) -> bool {
        let submitted = event.task.as_ref().is_some_and(|task| task.purpose == Purpose::Job);
        self.listener.wants(event.event_type(), legacy_events || submitted)
    }

    /// Keys that sign time and body: ours, and in our own profile the profile's key too.
    pub fn body_keys(&self) -> Vec<Key> {
        let own = match self.profile {
            Profile::Native => self.auth_key.clone(),
            Profile::Ims | Profile::Vod | Profile::Mps => None,
        };
        self.signing_keys.iter().cloned().chain(own).collect()
    }
}

fn key(text: Option<&str>) -> Option<Key> {
    text.map(Key::new).filter(|key| !key.is_empty())
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

/// The receivers of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Destinations {
    by_name: BTreeMap<String, Destination>,
    unified: Option<String>,
}

/// What `[callback]` says.
#[derive(Debug, Clone, Default)]
pub enum Unified {
    /// Off.
    #[default]
    Off,
    /// One of the destinations, by name.
    Named(String),
    /// Written out in place; its name is not used.
    Inline(DestinationOptions),
}

impl Destinations {
    /// Checks all destinations of a configuration and its unified callback.
    ///
    /// # Errors
    /// The first fault found; also a name given twice, and a unified callback that names none of them.
    pub fn configured(options: &[DestinationOptions], unified: &Unified) -> Result<Self, Fault> {
        let mut by_name = BTreeMap::new();
        for options in options {
            if options.name.is_empty() {
                return Err(refused("", "a destination has no name", "Give it one."));
            }
            if by_name
                .insert(options.name.clone(), Destination::configured(options)?)
                .is_some()
            {
                return Err(refused(
                    &options.name,
                    "the name is given twice",
                    "Rename one of the two.",
                ));
            }
        }
        let unified = match unified {
            Unified::Off => None,
            Unified::Named(name) if by_name.contains_key(name) => Some(name.clone()),
            Unified::Named(name) => {
                return Err(refused(
                    name,
                    "[callback] names a destination that is not there",
                    "Add a [[destination]] of that name.",
                ));
            }
            Unified::Inline(options) => {
                let options = DestinationOptions {
                    name: UNIFIED.to_owned(),
                    ..options.clone()
                };
                let taken = by_name.insert(UNIFIED.to_owned(), Destination::configured(&options)?);
                if taken.is_some() {
                    return Err(refused(
                        UNIFIED,
                        "the name is kept for what [callback] writes out",
                        "Rename the destination.",
                    ));
                }
                Some(UNIFIED.to_owned())
            }
        };
        Ok(Destinations { by_name, unified })
    }

    /// What each of them wants, for those who decide whether an event is worth writing.
    pub fn listeners(&self) -> Listeners {
        Listeners {
            unified: self.unified.clone(),
            named: self
                .by_name
                .iter()
                .map(|(name, destination)| (name.clone(), destination.listener.clone()))
                .collect(),
        }
    }

    /// One by its name.
    pub fn get(&self, name: &str) -> Option<&Destination> {
        self.by_name.get(name)
    }

    /// Name of the unified one, if it is on.
    pub fn unified(&self) -> Option<&str> {
        self.unified.as_deref()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Destination> {
        self.by_name.values()
    }
}

fn refused(name: &str, cause: &str, remedy: &str) -> Fault {
    Fault::new(
        "DestinationRefused",
        Blame::Request,
        "check the destinations",
        name,
        cause,
        remedy,
    )
}

#[cfg(test)]
mod tests {
    use super::Destination;
    use super::DestinationOptions;
    use super::Destinations;
    use super::Unified;
    use crate::events::Detail;
    use crate::events::EventType;
    use crate::events::profile::Profile;
    use crate::events::specimen;
    use crate::workflow::resolved::InlineDestination;

    fn options() -> DestinationOptions {
        DestinationOptions {
            name: "mam".to_owned(),
            url: "http://127.0.0.1:9/hook".to_owned(),
            profile: "ims".to_owned(),
            ..DestinationOptions::default()
        }
    }

    #[test]
    fn loopback_is_for_the_configuration_alone() {
        assert!(Destination::configured(&options()).is_ok());
        let inline = InlineDestination {
            url: options().url,
            profile: "ims".to_owned(),
            auth_key: None,
        };
        assert!(Destination::inline(&inline).is_err());
    }

    #[test]
    fn slips_are_refused_and_profiles_have_their_own_names() {
        let mut slip = options();
        slip.events = vec!["SnapshotCompleted".to_owned()];
        let fault = Destination::configured(&slip).expect_err("refused");
        assert!(fault.to_string().contains("mam"), "{fault}");
        let mut vod = options();
        vod.profile = "vod".to_owned();
        vod.events = vec!["StreamTranscodeComplete".to_owned()];
        let vod = Destination::configured(&vod).expect("valid");
        assert!(vod.wants(&specimen::output(), false) && !vod.wants(&specimen::transcode(), false));
        let mut mps = options();
        mps.profile = "mps".to_owned();
        assert_eq!(Destination::configured(&mps).expect("valid").profile, Profile::Mps);
    }

    #[test]
    fn starts_are_told_only_when_asked_for() {
        let mut destination = Destination::configured(&options()).expect("valid");
        let mut started = specimen::transcode();
        started.detail = Detail::TaskStarted;
        assert!(!destination.wants(&started, false));
        assert!(destination.wants(&specimen::sprite(), false));
        destination.listener.events = vec![EventType::WorkflowTaskStart];
        assert!(destination.wants(&started, false));
        assert!(!destination.wants(&specimen::sprite(), false));
    }

    #[test]
    fn the_unified_callback_is_one_of_them_or_written_out() {
        let named = Destinations::configured(&[options()], &Unified::Named("mam".to_owned())).expect("valid");
        assert_eq!(named.unified(), Some("mam"));
        assert!(Destinations::configured(&[options()], &Unified::Named("dam".to_owned())).is_err());
        assert!(Destinations::configured(&[options(), options()], &Unified::Off).is_err());
        let inline = Destinations::configured(&[options()], &Unified::Inline(options())).expect("valid");
        assert_eq!(inline.unified(), Some("unified"));
        assert_eq!(inline.iter().count(), 2);
        // The configuration may have listed what is written out under the name kept for it, but not a stranger too.
        let listed = DestinationOptions {
            name: "unified".to_owned(),
            ..options()
        };
        let named = Destinations::configured(std::slice::from_ref(&listed), &Unified::Named("unified".to_owned()))
            .expect("valid");
        assert_eq!(named.unified(), Some("unified"));
        assert!(Destinations::configured(&[listed], &Unified::Inline(options())).is_err());
    }
}
