//! The destinations of events: where they come from.
//!
//! Guarantees: those of the file as the file says them. Deliberately absent: sending.

use crate::callback::directory::UNIFIED;
use crate::callback::directory::Unified;
use crate::config::resolved::Config;
use crate::workflow::destination::Definition;

/// The destinations of a configuration, and its unified callback.
pub(super) fn of(config: &Config) -> (Vec<Definition>, Unified) {
    let (mut written_out, named): (Vec<_>, Vec<_>) = config
        .destinations
        .iter()
        .cloned()
        .partition(|definition| definition.name == UNIFIED);
    let unified = match (written_out.pop(), &config.unified) {
        (Some(definition), _) => Unified::Inline(definition),
        (None, Some(name)) => Unified::Named(name.clone()),
        (None, None) => Unified::Off,
    };
    (named, unified)
}
