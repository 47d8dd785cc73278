//! Notices that the host's clock was set back, and has what waits for a time looked at again.
//!
//! Guarantees: at the start, and within seconds while the daemon runs. Deliberately absent: what has to change then
//! (`store::clock_back`); a clock that is set forward makes things due early, which harms nothing.

use crate::base::clock::UtcMs;
use crate::base::wake::Bells;
use crate::store::Store;
use std::time::Duration;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// What time services do in small steps is none.
const STEP_MS: i64 = 2_000;

/// Watches until `stop`.
pub(super) async fn watch(store: Store, bells: Bells, stop: CancellationToken) {
    // It may have been set back while nobody looked.
    bring_near(&store, &bells).await;
    let mut seen = (Instant::now(), UtcMs::now());
    while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
        let now = (Instant::now(), UtcMs::now());
        let back_ms = set_back_ms(now.0.duration_since(seen.0), seen.1, now.1);
        seen = now;
        if back_ms > STEP_MS {
            tracing::warn!(back_ms, "the clock of this host was set back");
            bring_near(&store, &bells).await;
        }
    }
}

/// By how much the clock is behind where `passed` should have brought it.
fn set_back_ms(passed: Duration, before: UtcMs, now: UtcMs) -> i64 {
    let passed_ms = i64::try_from(passed.as_millis()).unwrap_or(i64::MAX);
    before.plus_ms(passed_ms).0.saturating_sub(now.0)
}

async fn bring_near(store: &Store, bells: &Bells) {
    match store.clock_was_set_back(UtcMs::now()).await {
        Ok(0) => {}
        Ok(rows) => {
            tracing::warn!(
                rows,
                "next tries lay too far away, as after a clock was set back; they are due now"
            );
            bells.scheduler.ring();
            bells.callback.ring();
            bells.inlet.ring();
        }
        Err(error) => tracing::error!(%error, "next tries could not be looked at after the clock was set back"),
    }
}

#[cfg(test)]
mod tests {
    use super::set_back_ms;
    use crate::base::clock::UtcMs;
    use std::time::Duration;

    #[test]
    fn only_a_clock_that_loses_time_is_set_back() {
        let five = Duration::from_secs(5);
        let after = |ms: i64| set_back_ms(five, UtcMs(1_000_000), UtcMs(ms));
        assert_eq!(after(1_005_000), 0);
        assert_eq!(after(1_000_000 - 3_600_000), 3_605_000);
        assert!(after(9_000_000) < 0, "a clock set forward is not");
    }
}
