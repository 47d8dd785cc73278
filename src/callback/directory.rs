//! All destinations: those of the configuration, and those made through the API.
//!
//! Guarantees: a name means one destination, the configuration's where both have it; one that was not changed keeps its
//! connections when the others do; one made through the API that cannot be used any more is known by its name and the
//! reason. Deliberately absent: sending.

use crate::base::fault::Fault;
use crate::callback::destination::Destination;
use crate::callback::destination::Maker;
use crate::callback::destination::refused;
use crate::callback::way::Surroundings;
use crate::callback::way::Way;
use crate::events::listeners::Listeners;
use crate::workflow::destination::Definition;
use std::collections::BTreeMap;

/// Name of the destination that `[callback]` writes out instead of naming one.
pub const UNIFIED: &str = "unified";

/// What `[callback]` says.
#[expect(clippy::large_enum_variant, reason = "there is one of it, for a moment")]
#[derive(Debug, Clone, Default)]
pub enum Unified {
    /// Off.
    #[default]
    Off,
    /// One of the destinations, by name.
    Named(String),
    /// Written out in place; its name is not used.
    Inline(Definition),
}

/// The receivers there are.
#[derive(Debug, Clone, Default)]
pub struct Destinations {
    by_name: BTreeMap<String, Entry>,
    broken: BTreeMap<String, String>,
    unified: Option<String>,
}

#[derive(Debug, Clone)]
struct Entry {
    definition: Definition,
    maker: Maker,
    destination: Destination,
}

impl Destinations {
    /// Checks all destinations of a configuration and its unified callback.
    ///
    /// # Errors
    /// The first fault found; also a name given twice, and a unified callback that names none of them.
    pub fn configured(
        definitions: &[Definition],
        unified: &Unified,
        surroundings: &Surroundings,
    ) -> Result<Self, Fault> {
        Self::default().reconfigured(definitions, unified, surroundings)
    }

    /// The same in the place of those of the former configuration; those made through the API are left out.
    ///
    /// # Errors
    /// As of [`configured`](Self::configured).
    pub fn reconfigured(
        &self,
        definitions: &[Definition],
        unified: &Unified,
        surroundings: &Surroundings,
    ) -> Result<Self, Fault> {
        let mut fresh = Destinations::default();
        for definition in definitions {
            if definition.name.is_empty() {
                return Err(refused("", "a destination has no name", "Give it one."));
            }
            let entry = self.entry(definition, Maker::File, surroundings)?;
            if fresh.by_name.insert(definition.name.clone(), entry).is_some() {
                return Err(refused(
                    &definition.name,
                    "the name is given twice",
                    "Rename one of the two.",
                ));
            }
        }
        fresh.unified = match unified {
            Unified::Off => None,
            Unified::Named(name) if fresh.by_name.contains_key(name) => Some(name.clone()),
            Unified::Named(name) => {
                return Err(refused(
                    name,
                    "[callback] names a destination that is not there",
                    "Add a [[destination]] of that name.",
                ));
            }
            Unified::Inline(definition) => {
                let definition = Definition {
                    name: UNIFIED.to_owned(),
                    ..definition.clone()
                };
                let entry = self.entry(&definition, Maker::File, surroundings)?;
                if fresh.by_name.insert(UNIFIED.to_owned(), entry).is_some() {
                    return Err(refused(
                        UNIFIED,
                        "the name is kept for what [callback] writes out",
                        "Rename the destination.",
                    ));
                }
                Some(UNIFIED.to_owned())
            }
        };
        Ok(fresh)
    }

    /// These, with those made through the API in the place of the former ones.
    pub fn with_made(&self, former: &Destinations, made: &[Definition], surroundings: &Surroundings) -> Self {
        let mut fresh = self.clone();
        for definition in made {
            if fresh.by_name.contains_key(&definition.name) {
                let why = "the configuration has a destination of the same name, which is used";
                tracing::warn!(destination = definition.name, why, "a destination is not used");
                continue;
            }
            match former.entry(definition, Maker::Api, surroundings) {
                Ok(entry) => {
                    fresh.by_name.insert(definition.name.clone(), entry);
                }
                Err(fault) => {
                    tracing::error!(destination = definition.name, %fault, "a destination cannot be used");
                    fresh.broken.insert(definition.name.clone(), fault.to_string());
                }
            }
        }
        fresh
    }

    /// Nothing but those of the configuration.
    pub fn of_file(&self) -> Self {
        let mut left = self.clone();
        left.by_name.retain(|_, entry| entry.maker == Maker::File);
        left.broken.clear();
        left
    }

    fn entry(&self, definition: &Definition, maker: Maker, surroundings: &Surroundings) -> Result<Entry, Fault> {
        let known = self.by_name.get(&definition.name);
        if let Some(same) = known.filter(|entry| entry.definition == *definition && entry.maker == maker) {
            return Ok(same.clone());
        }
        Ok(Entry {
            definition: definition.clone(),
            maker,
            destination: Destination::new(definition, maker, surroundings)?,
        })
    }

    /// Lets go of the connections of those that are not among `kept` as they were.
    pub async fn close_unless_in(&self, kept: &Destinations) {
        for (name, entry) in &self.by_name {
            let still = kept.by_name.get(name).map(|entry| &entry.destination.way);
            match (&entry.destination.way, still) {
                (Way::Carried(old), Some(Way::Carried(new))) if std::sync::Arc::ptr_eq(old, new) => {}
                (Way::Carried(old), _) => old.close().await,
                (Way::Http(_), _) => {}
            }
        }
    }

    /// One by its name.
    pub fn get(&self, name: &str) -> Option<&Destination> {
        self.by_name.get(name).map(|entry| &entry.destination)
    }

    /// As it is written, and who made it.
    pub fn written(&self, name: &str) -> Option<(&Definition, Maker)> {
        self.by_name.get(name).map(|entry| (&entry.definition, entry.maker))
    }

    /// Why there is none of that name.
    pub fn why_not(&self, name: &str) -> String {
        match self.broken.get(name) {
            Some(why) => format!("destination {name} cannot be used: {why}"),
            None => format!("there is no destination {name}; add it and replay this delivery"),
        }
    }

    /// Why one made through the API cannot be used; none: it can, or there is none.
    pub fn broken(&self, name: &str) -> Option<&str> {
        self.broken.get(name).map(String::as_str)
    }

    /// Name of the unified one, if it is on.
    pub fn unified(&self) -> Option<&str> {
        self.unified.as_deref()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Destination> {
        self.by_name.values().map(|entry| &entry.destination)
    }

    /// What they want.
    pub fn listeners(&self) -> Listeners {
        Listeners {
            unified: self.unified.clone(),
            named: self
                .iter()
                .map(|destination| (destination.name.clone(), destination.listener.clone()))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Destinations;
    use super::Unified;
    use crate::callback::way::Surroundings;
    use crate::workflow::destination::Definition;

    fn definition() -> Definition {
        Definition {
            name: "mam".to_owned(),
            url: "http://127.0.0.1:9/hook".to_owned(),
            profile: "ims".to_owned(),
            ..Definition::default()
        }
    }

    fn configured(definitions: &[Definition], unified: &Unified) -> Option<Destinations> {
        Destinations::configured(definitions, unified, &Surroundings::default()).ok()
    }

    #[test]
    fn the_unified_callback_is_one_of_them_or_written_out() {
        let named = configured(&[definition()], &Unified::Named("mam".to_owned())).expect("valid");
        assert_eq!(named.unified(), Some("mam"));
        assert!(configured(&[definition()], &Unified::Named("dam".to_owned())).is_none());
        assert!(configured(&[definition(), definition()], &Unified::Off).is_none());
        let inline = configured(&[definition()], &Unified::Inline(definition())).expect("valid");
        assert_eq!(inline.unified(), Some("unified"));
        assert_eq!(inline.iter().count(), 2);
        // The configuration may have listed what is written out under the name kept for it, but not a stranger too.
        let listed = Definition {
            name: "unified".to_owned(),
            ..definition()
        };
        let named = configured(std::slice::from_ref(&listed), &Unified::Named("unified".to_owned())).expect("valid");
        assert_eq!(named.unified(), Some("unified"));
        assert!(configured(&[listed], &Unified::Inline(definition())).is_none());
    }

    #[test]
    fn what_the_api_made_never_takes_the_place_of_the_files() {
        let file = configured(&[definition()], &Unified::Off).expect("valid");
        let made = |name: &str, url: &str| Definition {
            name: name.to_owned(),
            url: url.to_owned(),
            ..definition()
        };
        let all = [
            made("mam", "http://10.0.0.1/"),
            made("dam", "http://10.0.0.2/"),
            made("ill", "http://127.0.0.1/"),
        ];
        let both = file.with_made(&Destinations::default(), &all, &Surroundings::default());
        assert_eq!(both.written("mam").expect("there").0.url, definition().url);
        assert!(both.get("dam").is_some() && both.get("ill").is_none());
        assert!(
            both.why_not("ill").contains("this host itself"),
            "{}",
            both.why_not("ill")
        );
        assert!(both.why_not("none").contains("there is no destination"));
        assert_eq!(both.of_file().iter().count(), 1);
    }
}
