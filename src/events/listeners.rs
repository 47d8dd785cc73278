//! Who wants which events: what each destination asks for, and whether anybody whom a rule names wants one.
//!
//! Guarantees: one rule decides both what is sent and what is written for its own sake (progress, older words), so
//! nothing is written that nobody hears. Deliberately absent: addresses.

use crate::events::EventType;
use crate::workflow::resolved::CallbackRule;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;

/// What one destination wants.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Listener {
    /// Events it wants; empty: all but those that must be asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventType>,
    /// The older transcode events too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub legacy_events: bool,
    /// It is told whatever rules say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub global: bool,
}

impl Listener {
    /// Whether it wants events of this type. `asked`: the workflow's rule, or the call that made the job, asks for the
    /// older transcode events.
    pub fn wants(&self, event_type: EventType, asked: bool) -> bool {
        let named = self.events.contains(&event_type);
        if event_type.is_legacy() {
            return named || self.legacy_events || (asked && self.events.is_empty());
        }
        named || (self.events.is_empty() && !event_type.opt_in())
    }
}

/// All destinations there are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Listeners {
    /// Name of the unified one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unified: Option<String>,
    /// Each, by its name.
    #[serde(default)]
    pub named: BTreeMap<String, Listener>,
}

impl Listeners {
    /// Whether anybody whom `rule` names wants events of this type; `submitted`: the job was submitted through the
    /// older transcode call.
    pub fn any_wants(&self, rule: &CallbackRule, event_type: EventType, submitted: bool) -> bool {
        let asked = submitted || rule.legacy_events;
        let unified = self.unified.as_deref().filter(|_| rule.unified);
        let global = self.named.iter().filter(|(_, listener)| listener.global);
        let global = global.map(|(name, _)| name.as_str());
        let mut names = unified.into_iter().chain(rule.destination.as_deref()).chain(global);
        names.any(|name| {
            self.named
                .get(name)
                .is_some_and(|listener| listener.wants(event_type, asked))
        }) || (rule.inline.is_some() && Listener::default().wants(event_type, asked))
    }
}

#[cfg(test)]
mod tests {
    use super::Listener;
    use super::Listeners;
    use crate::events::EventType;
    use crate::workflow::resolved::CallbackRule;

    #[test]
    fn older_and_opt_in_events_are_for_those_who_ask() {
        let plain = Listener::default();
        assert!(plain.wants(EventType::MediaConvertComplete, false));
        assert!(!plain.wants(EventType::WorkflowTaskProgress, true));
        assert!(!plain.wants(EventType::TranscodeComplete, false));
        assert!(plain.wants(EventType::TranscodeParentComplete, true));
        let older = Listener {
            legacy_events: true,
            events: vec![EventType::WorkflowTaskProgress],
            ..Listener::default()
        };
        assert!(older.wants(EventType::TranscodeComplete, false));
        assert!(older.wants(EventType::WorkflowTaskProgress, false));
        assert!(!older.wants(EventType::MediaConvertComplete, false));
        let named = Listener {
            events: vec![EventType::SnapshotComplete],
            ..Listener::default()
        };
        assert!(
            !named.wants(EventType::TranscodeComplete, true),
            "it said what it wants"
        );
    }

    #[test]
    fn only_those_whom_the_rule_names_count() {
        let listeners = Listeners {
            unified: Some("mam".to_owned()),
            named: [
                ("mam".to_owned(), Listener::default()),
                (
                    "log".to_owned(),
                    Listener {
                        events: vec![EventType::WorkflowTaskProgress],
                        ..Listener::default()
                    },
                ),
            ]
            .into(),
        };
        let to = |unified: bool, destination: Option<&str>, legacy_events: bool| CallbackRule {
            unified,
            destination: destination.map(str::to_owned),
            inline: None,
            legacy_events,
        };
        let wants = |rule: &CallbackRule, event| listeners.any_wants(rule, event, false);
        assert!(!wants(&to(true, None, false), EventType::WorkflowTaskProgress));
        assert!(wants(&to(true, Some("log"), false), EventType::WorkflowTaskProgress));
        assert!(!wants(&to(false, Some("gone"), true), EventType::TranscodeComplete));
        assert!(wants(&to(true, None, true), EventType::TranscodeComplete));
        assert!(listeners.any_wants(&to(true, None, false), EventType::TranscodeComplete, true));
        assert!(!wants(&to(false, None, true), EventType::TranscodeComplete));
    }
}
