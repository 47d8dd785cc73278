//! Wall-clock time as the rest of the program uses it: milliseconds UTC, and its wire form.
//!
//! Guarantees: `UtcMs` prints as `yyyy-MM-ddTHH:mm:ssZ`. Deliberately absent: time zones, and monotonic
//! time, which code that measures durations takes from `tokio::time` or `std::time::Instant`.

use serde::Deserialize;
use serde::Serialize;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

/// Milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcMs(pub i64);

impl UtcMs {
    /// Now, by the host's clock.
    pub fn now() -> Self {
        Self::from(SystemTime::now())
    }

    /// The wire form, `yyyy-MM-ddTHH:mm:ssZ`.
    pub fn wire(self) -> String {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            Err(_) => "1970-01-01T00:00:00Z".to_owned(),
        }
    }

    /// Reads the wire form (fractions of a second and offsets are accepted too).
    pub fn parse_wire(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>()
            .ok()
            .map(|timestamp| Self(timestamp.as_millisecond()))
    }

    /// So many milliseconds later.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl From<SystemTime> for UtcMs {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
            Err(before) => Self(-i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX)),
        }
    }
}

impl std::fmt::Display for UtcMs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.wire())
    }
}

#[cfg(test)]
mod tests {
    use super::UtcMs;

    #[test]
    fn wire_form_round_trips_to_the_second() {
        let at = UtcMs(1_657_245_768_123);
        assert_eq!(at.wire(), "2022-07-08T02:02:48Z");
        assert_eq!(UtcMs::parse_wire(&at.wire()), Some(UtcMs(1_657_245_768_000)));
    }
}
