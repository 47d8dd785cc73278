//! Whom an event is for: the callback rule of its workflow, met with the destinations of the configuration.
//!
//! Guarantees: pure; the same receiver is named once. A rule that names a destination that is not configured makes a
//! dead letter, which shows in every list and can be sent again when the destination is there. Deliberately absent:
//! sending. A destination that no rule names and that is neither global nor the unified callback gets nothing but the
//! alerts it asks for by name.

use crate::base::fault::Fault;
use crate::callback::destination::Destination;
use crate::callback::directory::Destinations;
use crate::events::Detail;
use crate::events::Event;
use crate::events::profile::Deployment;
use crate::events::profile::render;
use crate::store::deliveries::NewDelivery;
use crate::workflow::resolved::CallbackRule;
use crate::workflow::resolved::InlineDestination;
use sha2::Digest;
use sha2::Sha256;

/// The deliveries that `event` makes under `rule`.
pub fn deliveries(
    event: &Event,
    rule: &CallbackRule,
    destinations: &Destinations,
    deployment: &Deployment,
) -> Vec<NewDelivery> {
    let mut made: Vec<NewDelivery> = Vec::new();
    let mut add = |delivery: NewDelivery| {
        if made.iter().all(|other| other.lane != delivery.lane) {
            made.push(delivery);
        }
    };
    let event_type = event.event_type();
    let unified = destinations.unified().filter(|_| rule.unified);
    for name in unified.into_iter().chain(rule.destination.as_deref()) {
        match destinations.get(name) {
            Some(destination) if heard(event, destination, rule, deployment) => add(named(name, None)),
            Some(_) => {}
            None => add(named(name, Some(destinations.why_not(name)))),
        }
    }
    // No workflow says whom alerts are for: besides the unified callback, those that ask for them by name.
    let is_alert = matches!(event.detail, Detail::Alert { .. });
    let unasked = destinations
        .iter()
        .filter(|destination| destination.listener.global || (is_alert && destination.names(event_type)));
    for destination in unasked {
        if heard(event, destination, rule, deployment) {
            add(named(&destination.name, None));
        }
    }
    if let Some(inline) = &rule.inline {
        match Destination::inline(inline) {
            Ok(destination) if heard(event, &destination, rule, deployment) => add(inlined(inline, None)),
            Ok(_) => {}
            Err(fault) => add(inlined(inline, Some(fault))),
        }
    }
    made
}

/// Whether it wants the event and has words for it.
fn heard(event: &Event, destination: &Destination, rule: &CallbackRule, deployment: &Deployment) -> bool {
    destination.wants(event, rule.legacy_events) && render(destination.profile, event, deployment).is_some()
}

fn named(name: &str, dead: Option<String>) -> NewDelivery {
    NewDelivery {
        destination: name.to_owned(),
        inline: None,
        lane: name.to_owned(),
        dead,
    }
}

fn inlined(inline: &InlineDestination, fault: Option<Fault>) -> NewDelivery {
    let mut digest = Sha256::new();
    for part in [
        inline.url.as_str(),
        inline.profile.as_str(),
        inline.auth_key.as_deref().unwrap_or_default(),
    ] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    let mut hash = hex::encode(digest.finalize());
    hash.truncate(24);
    NewDelivery {
        destination: String::new(),
        inline: Some(inline.clone()),
        lane: format!("inline:{hash}"),
        dead: fault.map(|fault| fault.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::deliveries;
    use crate::callback::directory::Destinations;
    use crate::callback::directory::Unified;
    use crate::callback::way::Surroundings;
    use crate::events::Detail;
    use crate::events::profile::Deployment;
    use crate::events::specimen;
    use crate::workflow::destination::Definition;
    use crate::workflow::resolved::CallbackRule;
    use crate::workflow::resolved::InlineDestination;

    fn destinations() -> Destinations {
        let named = |name: &str, profile: &str, events: &[&str]| Definition {
            name: name.to_owned(),
            url: "http://127.0.0.1:9/".to_owned(),
            profile: profile.to_owned(),
            events: events.iter().map(|&event| event.to_owned()).collect(),
            ..Definition::default()
        };
        let all = [
            named("mam", "ims", &[]),
            named("log", "native", &["WorkflowTaskComplete"]),
            named("vod", "vod", &[]),
        ];
        Destinations::configured(&all, &Unified::Named("mam".to_owned()), &Surroundings::default()).expect("valid")
    }

    fn rule(unified: bool, destination: Option<&str>, url: Option<&str>) -> CallbackRule {
        CallbackRule {
            unified,
            destination: destination.map(str::to_owned),
            inline: url.map(|url| InlineDestination {
                url: url.to_owned(),
                profile: "ims".to_owned(),
                auth_key: None,
            }),
            legacy_events: false,
        }
    }

    fn lanes(event: &crate::events::Event, rule: &CallbackRule) -> Vec<String> {
        let deployment = Deployment::new(1, "app", "here", "http://x");
        let made = deliveries(event, rule, &destinations(), &deployment);
        made.into_iter()
            .map(|delivery| match (delivery.dead, delivery.inline) {
                (Some(_), _) => format!("dead {}", delivery.destination),
                (None, Some(inline)) => inline.url,
                (None, None) => delivery.destination,
            })
            .collect()
    }

    #[test]
    fn rules_name_their_receivers_once() {
        let event = specimen::sprite();
        assert_eq!(lanes(&event, &rule(true, None, None)), ["mam"]);
        assert_eq!(lanes(&event, &rule(false, None, None)), Vec::<String>::new());
        assert_eq!(lanes(&event, &rule(true, Some("mam"), None)), ["mam"]);
        assert_eq!(
            lanes(&event, &rule(true, None, Some("http://10.0.0.1/"))),
            ["mam", "http://10.0.0.1/"]
        );
    }

    #[test]
    fn nobody_gets_what_they_do_not_want_or_have_no_words_for() {
        assert_eq!(
            lanes(&specimen::sprite(), &rule(false, Some("log"), None)),
            Vec::<String>::new()
        );
        assert_eq!(
            lanes(&specimen::group(), &rule(false, Some("vod"), None)),
            Vec::<String>::new()
        );
        let mut started = specimen::transcode();
        started.detail = Detail::TaskStarted;
        assert_eq!(lanes(&started, &rule(true, None, None)), Vec::<String>::new());
    }

    #[test]
    fn a_rule_that_leads_nowhere_leaves_a_dead_letter() {
        let event = specimen::sprite();
        assert_eq!(lanes(&event, &rule(false, Some("gone"), None)), ["dead gone"]);
        assert_eq!(lanes(&event, &rule(false, None, Some("http://127.0.0.1/"))), ["dead "]);
    }
}
