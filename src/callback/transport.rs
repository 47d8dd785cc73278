//! How one event travels to a destination that is not asked over HTTP.
//!
//! Guarantees: a [`Transport`] answers `accepted` only when the other side has the message for good (a broker's
//! confirm, a program's exit code 0, a synced file). Deliberately absent: when to try again, which the outbox decides
//! from the [`Answer`] as it does for HTTP.

use crate::base::clock::UtcMs;
use crate::callback::client::Answer;
use futures_util::future::BoxFuture;
use std::time::Duration;
use std::time::Instant;

/// What stands for "accepted" where there are no HTTP statuses.
pub const ACCEPTED: u16 = 200;
/// What stands for "this very message is refused, others may pass".
pub const REFUSED: u16 = 422;

/// One event as a destination gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Stable over tries and replays: what receivers recognise a repeat by.
    pub event_id: String,
    /// Its name, as `WorkflowTaskComplete`.
    pub event_type: String,
    /// `X-Reelmill-*`, the profile's signature, and what the destination adds.
    pub headers: Vec<(String, String)>,
    /// The body, in the destination's words.
    pub body: Vec<u8>,
    /// When the event happened.
    pub at: UtcMs,
    /// What order is kept by: the task, else the media, else the event itself.
    pub line: String,
}

impl Message {
    /// Value of a header, by any case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// A way to a destination that is not HTTP. One instance a destination; connects when first used, and again after
/// errors.
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Sends one message, whole and confirmed within `timeout`.
    fn send<'a>(&'a self, message: &'a Message, timeout: Duration) -> BoxFuture<'a, Answer>;

    /// Lets go of connections; the destination is removed, changed, or the program stops.
    fn close<'a>(&'a self) -> BoxFuture<'a, ()>;
}

/// The other side has it.
pub fn accepted(began: Instant, said: Option<String>) -> Answer {
    Answer {
        status: Some(ACCEPTED),
        error: None,
        body: said,
        retry_after_s: None,
        took_ms: elapsed_ms(began),
    }
}

/// The other side was there and does not want this message.
pub fn refused(began: Instant, why: impl Into<String>, said: Option<String>) -> Answer {
    Answer {
        status: Some(REFUSED),
        error: Some(why.into()),
        body: said,
        retry_after_s: None,
        took_ms: elapsed_ms(began),
    }
}

/// The other side cannot be reached, or cannot work now.
pub fn unreached(began: Instant, why: impl Into<String>) -> Answer {
    Answer {
        status: None,
        error: Some(why.into()),
        body: None,
        retry_after_s: None,
        took_ms: elapsed_ms(began),
    }
}

fn elapsed_ms(began: Instant) -> i64 {
    i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX)
}
