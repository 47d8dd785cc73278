//! What is remembered of each lane while the program runs: its breaker, and how its last tries went.
//!
//! Guarantees: never held over an await. Deliberately absent: everything that must survive the program.

use crate::base::clock::UtcMs;
use crate::callback::breaker;
use crate::callback::breaker::Breaker;
use crate::callback::breaker::Change;
use crate::callback::health::Health;
use crate::callback::health::Record;
use crate::callback::pace::Pace;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// All lanes.
#[derive(Debug, Default)]
pub(super) struct Lanes(Mutex<HashMap<String, (Breaker, Record)>>);

impl Lanes {
    /// The breaker of a lane as it is now.
    pub(super) fn breaker(&self, lane: &str) -> Breaker {
        self.all()
            .get(lane)
            .map(|(breaker, _)| breaker.clone())
            .unwrap_or_default()
    }

    /// How a lane has been doing since the start.
    pub(super) fn health(&self, lane: &str) -> Health {
        let (breaker, record) = self.all().get(lane).cloned().unwrap_or_default();
        Health {
            open: breaker.is_open(),
            next_try: breaker.is_open().then(|| UtcMs(breaker.open_until_ms())),
            ..record.health()
        }
    }

    /// Keeps how a try went.
    pub(super) fn tried(&self, lane: &str, at: UtcMs, took_ms: i64, error: Option<&str>) {
        self.all().entry(lane.to_owned()).or_default().1.add(at, took_ms, error);
    }

    /// Tells the breaker; returns what that changed and whether it is open now.
    pub(super) fn tell(
        &self,
        lane: &str,
        health: breaker::Health,
        now: UtcMs,
        pace: &Pace,
        pause_ms: i64,
    ) -> (Change, bool) {
        let mut all = self.all();
        let breaker = &mut all.entry(lane.to_owned()).or_default().0;
        let change = breaker.record(health, now.0, pace.first_ms, pace.ceiling_ms, pause_ms);
        (change, breaker.is_open())
    }

    /// Inline lanes come and go: those that are not `known` any more are forgotten.
    pub(super) fn keep(&self, known: impl Fn(&str) -> bool) {
        self.all().retain(|lane, _| known(lane));
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, (Breaker, Record)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
