//! Ways to a destination that are not HTTP: what goes over them, and what such a way can do.
//!
//! Guarantees: an [`Answer`] always says something (a status, or an error); `status: Some(200)` means accepted.
//! Deliberately absent: which ways there are (`queue` and its siblings) and when one is tried (`outbox`).

use crate::base::clock::UtcMs;
use crate::callback::client::Answer;
use futures_util::future::BoxFuture;
use std::time::Duration;

/// One event as a destination gets it.
#[derive(Debug, Clone)]
pub struct Message {
    /// Id of the event; the same in every try and replay.
    pub event_id: String,
    /// Its type, as in `EventType::as_str`.
    pub event_type: String,
    /// `X-Reelmill-*` and what the profile adds.
    pub headers: Vec<(String, String)>,
    /// The body, JSON in UTF-8.
    pub body: Vec<u8>,
    /// When it happened.
    pub at: UtcMs,
    /// The line of order that it belongs to: a task, a media, or the destination's own.
    pub line: String,
}

/// A way to a destination that is not HTTP. One instance a destination; connects when first used, and again after errors.
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Hands one message over and waits, at most `timeout` in all, until the other side has confirmed it.
    fn send<'a>(&'a self, message: &'a Message, timeout: Duration) -> BoxFuture<'a, Answer>;

    /// Lets go of the connection, if there is one.
    fn close<'a>(&'a self) -> BoxFuture<'a, ()>;
}
