//! Where log lines go: the journal when systemd reads standard error, readable text on standard error otherwise.
//!
//! Guarantees: standard output stays free for results; what is logged can be changed while the program runs, and a level
//! that is not understood changes nothing. Deliberately absent: files and rotation; the journal, or whoever started the
//! program, keeps what it wants to keep.

use crate::telemetry::journal::JournalLayer;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
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
    /// There is nothing to change.
    #[error("logging was not started")]
    Never,
}

/// What is logged now. Logging belongs to the process, and so does this.
static PRESENT: Mutex<Option<Present>> = Mutex::new(None);

struct Present {
    handle: reload::Handle<EnvFilter, Registry>,
    levels: Levels,
}

/// What is logged, and what was when the program started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levels {
    /// Now.
    pub level: String,
    /// At the start, and after the next one.
    pub started_with: String,
}

/// Starts logging for the whole process. `level` is a level, or a filter such as `info,reelmill::scheduler=debug`.
///
/// # Errors
/// The level is not understood, or logging was started before.
pub fn start(level: &str) -> Result<(), LoggingError> {
    let (filter, handle) = reload::Layer::new(filter(level)?);
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
    started.map_err(|_| LoggingError::Twice)?;
    let levels = Levels {
        level: level.to_owned(),
        started_with: level.to_owned(),
    };
    *present() = Some(Present { handle, levels });
    Ok(())
}

/// Logs by another level from now on, until the program ends; none: as at the start. Says what holds then.
///
/// # Errors
/// The level is not understood, and nothing changed; or logging was never started.
pub fn change(level: Option<&str>) -> Result<Levels, LoggingError> {
    let mut present = present();
    let present = present.as_mut().ok_or(LoggingError::Never)?;
    let level = level.unwrap_or(&present.levels.started_with).to_owned();
    let filter = filter(&level)?;
    present.handle.reload(filter).map_err(|_| LoggingError::Never)?;
    present.levels.level = level;
    Ok(present.levels.clone())
}

/// What is logged now; none: logging was never started.
pub fn levels() -> Option<Levels> {
    present().as_ref().map(|present| present.levels.clone())
}

fn present() -> MutexGuard<'static, Option<Present>> {
    PRESENT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn filter(level: &str) -> Result<EnvFilter, LoggingError> {
    let refused = |cause: String| LoggingError::Level {
        level: level.to_owned(),
        cause,
    };
    // A misspelt level alone would be taken for the name of a module, and nothing else be logged any more.
    let words = level.split(',').map(str::trim);
    let mut alone = words.filter(|word| !word.contains(['=', '[', ']', '{', '}', ':']));
    if let Some(word) = alone.find(|word| word.parse::<LevelFilter>().is_err()) {
        return Err(refused(format!("\"{word}\" is no level")));
    }
    EnvFilter::builder()
        .parse(quietened(level))
        .map_err(|error| refused(error.to_string()))
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
        let error = super::filter("inf").expect_err("a slip is no module");
        assert!(error.to_string().contains("\"inf\" is no level"), "{error}");
        for good in [
            "info",
            "INFO",
            "off",
            "info,reelmill::trigger=debug",
            "warn,[attempt]=trace",
        ] {
            assert!(super::filter(good).is_ok(), "{good}");
        }
    }
}
