//! Where log lines go: the journal when systemd reads standard error, readable text on standard error otherwise.
//!
//! Guarantees: standard output stays free for results. Deliberately absent: files and rotation; the journal,
//! or whoever started the program, keeps what it wants to keep.

use crate::telemetry::journal::JournalLayer;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Why logging could not start.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The level is not a level or a filter.
    #[error("the log level \"{level}\" is not understood: {cause}. Use error, warn, info, debug or trace")]
    Level {
        /// As given.
        level: String,
        /// Why.
        cause: String,
    },
    /// Something else already listens.
    #[error("logging was started twice")]
    Twice,
}

/// Starts logging for the whole process. `level` is a level, or a filter such as `info,reelmill::scheduler=debug`.
///
/// # Errors
/// The level is not understood, or logging was started before.
pub fn start(level: &str) -> Result<(), LoggingError> {
    let filter = EnvFilter::builder()
        .parse(quietened(level))
        .map_err(|error| LoggingError::Level {
            level: level.to_owned(),
            cause: error.to_string(),
        })?;
    let registry = tracing_subscriber::registry().with(filter);
    let started = match JournalLayer::connect() {
        Some(journal) => registry.with(journal).try_init(),
        None => {
            let text = tracing_subscriber::fmt::layer()
                .with_writer(std::io::stderr)
                .with_ansi(std::io::stderr().is_terminal())
                .with_target(false);
            registry.with(text).try_init()
        }
    };
    started.map_err(|_| LoggingError::Twice)
}

/// Clients of queues that log each failure before they report it: a failure is logged once, by who handles it.
const TALKATIVE: [&str; 2] = ["async_nats", "lapin"];

/// The filter with what talks twice switched off, unless it is asked for.
fn quietened(level: &str) -> String {
    let mut filter = level.to_owned();
    for name in TALKATIVE {
        if !level.contains(name) {
            filter.push_str(&format!(",{name}=off"));
        }
    }
    filter
}

#[cfg(test)]
mod tests {
    #[test]
    fn clients_that_talk_twice_are_heard_when_asked_for() {
        assert_eq!(super::quietened("info"), "info,async_nats=off,lapin=off");
        assert_eq!(super::quietened("info,lapin=debug"), "info,lapin=debug,async_nats=off");
    }

    #[test]
    fn a_bad_level_is_named() {
        let error = super::start("reelmill=loud").expect_err("loud is no level");
        assert!(error.to_string().contains("reelmill=loud"), "{error}");
    }
}
