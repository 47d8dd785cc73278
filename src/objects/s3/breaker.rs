//! One storage's breaker: when nothing answers, one caller tries and the others wait.
//!
//! Guarantees: a dead endpoint has one request under way at a time, whoever wants what of it; who waits is let go as soon
//! as it answers again; after it was dead for longer than a request is repeated nobody is made to wait any more.
//! Deliberately absent: what counts as an answer.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Requests in a row without an answer until the endpoint counts as dead.
const SILENT_UNTIL_OPEN: u32 = 5;
/// Between two tries of a dead endpoint, at first and at most.
const FIRST_PROBE: Duration = Duration::from_millis(500);
const LONGEST_PROBE: Duration = Duration::from_secs(15);

/// The breaker.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    silent: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    since: Instant,
    probing: bool,
    next_probe: Instant,
    pause: Duration,
}

/// Leave to send one request. Say how it ended; a ticket that is dropped says nothing.
#[derive(Debug)]
pub(super) struct Ticket<'a> {
    breaker: &'a Breaker,
    probes: bool,
}

impl Breaker {
    /// Leave to send a request, waiting for it until `deadline` while the endpoint is dead.
    ///
    /// # Errors
    /// For how long it has been dead.
    pub(super) async fn enter(&self, deadline: Instant, patience: Duration) -> Result<Ticket<'_>, Duration> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let wake = {
                let mut state = self.lock();
                let now = Instant::now();
                let Some(open) = &mut state.open else {
                    return Ok(Ticket {
                        breaker: self,
                        probes: false,
                    });
                };
                if !open.probing && now >= open.next_probe {
                    open.probing = true;
                    return Ok(Ticket {
                        breaker: self,
                        probes: true,
                    });
                }
                let dead = now.duration_since(open.since);
                if now >= deadline || dead > patience {
                    return Err(dead);
                }
                if open.probing {
                    deadline
                } else {
                    open.next_probe.min(deadline)
                }
            };
            tokio::select! {
                () = &mut changed => {}
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    /// Whether the endpoint counts as dead.
    pub(super) fn is_open(&self) -> bool {
        self.lock().open.is_some()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket<'_> {
    /// The endpoint answered, whatever it said.
    pub(super) fn answered(self) {
        let mut state = self.breaker.lock();
        state.silent = 0;
        if state.open.take().is_some() {
            self.breaker.changed.notify_waiters();
        }
    }

    /// Nothing came.
    pub(super) fn silent(self) {
        let mut state = self.breaker.lock();
        let now = Instant::now();
        state.silent = state.silent.saturating_add(1);
        let (probes, silent) = (self.probes, state.silent);
        match &mut state.open {
            Some(open) if probes => {
                open.pause = (open.pause * 2).min(LONGEST_PROBE);
                open.next_probe = now + open.pause;
            }
            Some(_) => {}
            None if silent >= SILENT_UNTIL_OPEN => {
                state.open = Some(Open {
                    since: now,
                    probing: false,
                    next_probe: now + FIRST_PROBE,
                    pause: FIRST_PROBE,
                });
            }
            None => {}
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if !self.probes {
            return;
        }
        if let Some(open) = &mut self.breaker.lock().open {
            open.probing = false;
        }
        self.breaker.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::Breaker;
    use super::SILENT_UNTIL_OPEN;
    use std::time::Duration;
    use tokio::time::Instant;

    const PATIENCE: Duration = Duration::from_secs(120);

    #[tokio::test(start_paused = true)]
    async fn a_dead_endpoint_is_tried_by_one_and_heals_for_all() {
        let breaker = Breaker::default();
        let deadline = Instant::now() + PATIENCE;
        for _ in 0..SILENT_UNTIL_OPEN {
            breaker.enter(deadline, PATIENCE).await.expect("not open yet").silent();
        }
        assert!(breaker.is_open());
        let prober = breaker.enter(deadline, PATIENCE).await.expect("one may try");
        // The others wait, and give up when their time is over.
        let soon = Instant::now() + Duration::from_secs(1);
        breaker.enter(soon, PATIENCE).await.expect_err("another one is trying");
        let waiting = breaker.enter(deadline, PATIENCE);
        let (ticket, ()) = tokio::join!(waiting, async { prober.answered() });
        assert!(ticket.is_ok() && !breaker.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_long_death_nobody_waits_but_somebody_tries() {
        let breaker = Breaker::default();
        let far = || Instant::now() + PATIENCE;
        for _ in 0..SILENT_UNTIL_OPEN {
            breaker.enter(far(), PATIENCE).await.expect("not open yet").silent();
        }
        tokio::time::advance(PATIENCE * 2).await;
        let prober = breaker.enter(far(), PATIENCE).await.expect("one may try");
        let begun = Instant::now();
        breaker.enter(far(), PATIENCE).await.expect_err("refused at once");
        assert_eq!(begun.elapsed(), Duration::ZERO);
        prober.silent();
        breaker
            .enter(far(), PATIENCE)
            .await
            .expect_err("it was tried a moment ago");
    }

    #[tokio::test(start_paused = true)]
    async fn a_prober_that_is_cancelled_leaves_its_place() {
        let breaker = Breaker::default();
        let far = || Instant::now() + PATIENCE;
        for _ in 0..SILENT_UNTIL_OPEN {
            breaker.enter(far(), PATIENCE).await.expect("not open yet").silent();
        }
        drop(breaker.enter(far(), PATIENCE).await.expect("one may try"));
        breaker.enter(far(), PATIENCE).await.expect("the next one may");
    }
}
