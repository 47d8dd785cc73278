//! A time within a source, as people and the clouds write it.
//!
//! Guarantees: `90.5`, `"90.5"`, `"90.5s"`, `"01:30.5"` and `"00:01:30.500"` are the same value, kept as seconds.
//! Deliberately absent: per cents, frames and timecodes, which need the source.

use serde::Deserializer;
use serde::de::Error;
use serde::de::Unexpected;
use serde::de::Visitor;
use std::fmt;

/// Reads seconds, `mm:ss[.SSS]` or `hh:mm:ss[.SSS]`; none when it is anything else. Minutes and seconds behind a
/// larger unit stay below 60.
pub fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    let mut parts = text.rsplit(':');
    let last = parts.next()?;
    let digits = last.strip_suffix('s').filter(|_| !text.contains(':')).unwrap_or(last);
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    if !plain(whole) || fraction.is_some_and(|fraction| !plain(fraction)) {
        return None;
    }
    let mut total_s: f64 = digits.parse().ok()?;
    let clock = text.contains(':');
    if clock && total_s >= 60.0 {
        return None;
    }
    let mut unit_s = 60.0;
    let rest: Vec<&str> = parts.collect();
    for (at, part) in rest.iter().enumerate() {
        let value: u32 = if plain(part) { part.parse().ok()? } else { return None };
        let is_first = at + 1 == rest.len();
        if at > 1 || (!is_first && value >= 60) {
            return None;
        }
        total_s += f64::from(value) * unit_s;
        unit_s *= 60.0;
    }
    Some(total_s)
}

/// For `deserialize_with`: a number of seconds or a text that [`parse`] reads.
pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    deserializer.deserialize_any(Seconds)
}

/// The same for a key that may be missing.
pub fn read_if<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    struct Maybe;
    impl<'de> Visitor<'de> for Maybe {
        type Value = Option<f64>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            Seconds.expecting(f)
        }
        fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            read(deserializer).map(Some)
        }
    }
    deserializer.deserialize_option(Maybe)
}

struct Seconds;

impl Visitor<'_> for Seconds {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds (90.5) or a time (\"00:01:30.500\")")
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn seconds_and_clocks_mean_the_same() {
        for text in ["90.5", "90.5s", "01:30.5", "1:30.500", "00:01:30.500"] {
            assert_eq!(parse(text), Some(90.5), "{text}");
        }
        assert_eq!(parse("100:00:00"), Some(360_000.0));
        assert_eq!(parse("75:00"), Some(4500.0));
        assert_eq!(parse("0"), Some(0.0));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "", "s", ":", "1:", ":1", "1:60", "1:75:00", "1:2:3:4", "-1", "+1", "1e3", "nan", "inf", "1.", ".5",
            "1:30s", "01:30:5x", "1,5",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
