//! Which part of a source is taken: by seconds, by clock time, or by timecode.
//!
//! Guarantees: a moment that was read is one; plain and small. Deliberately absent: the source, which alone knows
//! where a timecode lies.

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use std::fmt;
use std::str::FromStr;

/// A part of the source, on its own timeline (0 = first frame shown).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clip {
    /// First moment taken, seconds.
    #[serde(default)]
    pub start_s: f64,
    /// First moment no longer taken, seconds; none: to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_s: Option<f64>,
    /// The same as `start_s` in words: `90.5`, `hh:mm:ss[.mmm]`, or the timecode `hh:mm:ss:ff` (`hh:mm:ss;ff` drop
    /// frame) of the first frame taken, counted as the source's timecode counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Moment>,
    /// The same as `end_s` in words; a timecode is that of the first frame no longer taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Moment>,
}

impl Clip {
    /// From one second to another.
    pub fn seconds(start_s: f64, end_s: Option<f64>) -> Self {
        Clip {
            start_s,
            end_s,
            start: None,
            end: None,
        }
    }
}

/// A moment as people write it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Moment {
    /// Seconds of the source's timeline.
    Seconds(f64),
    /// The label of a frame.
    Timecode {
        /// 0..=23.
        hours: u8,
        /// 0..=59.
        minutes: u8,
        /// 0..=59.
        seconds: u8,
        /// From 0.
        frames: u8,
        /// Written with `;`.
        drops: bool,
    },
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let refuse =
            || format!("{text:?} is neither seconds, nor hh:mm:ss[.mmm], nor a timecode hh:mm:ss:ff or hh:mm:ss;ff");
        let seconds_of = |part: &str| -> Option<f64> {
            let plain = part.bytes().all(|one| one.is_ascii_digit() || one == b'.');
            part.parse::<f64>().ok().filter(|value| plain && value.is_finite())
        };
        let small = |part: &str, below: u8| -> Option<u8> {
            let plain = !part.is_empty() && part.len() <= 3 && part.bytes().all(|one| one.is_ascii_digit());
            part.parse::<u8>().ok().filter(|value| plain && *value < below)
        };
        let (clock, frames) = match text.split_once(';') {
            Some((clock, frames)) => (clock, Some((frames, true))),
            None => match text.matches(':').count() {
                3 => text
                    .rsplit_once(':')
                    .map_or((text, None), |(clock, frames)| (clock, Some((frames, false)))),
                _ => (text, None),
            },
        };
        let parts: Vec<&str> = clock.split(':').collect();
        match (parts.as_slice(), frames) {
            ([seconds], None) => seconds_of(seconds).map(Moment::Seconds).ok_or_else(refuse),
            ([hours, minutes, seconds], None) => {
                let whole = seconds_of(seconds).filter(|seconds_s| *seconds_s < 60.0);
                let (hours, minutes) = (small(hours, 255), small(minutes, 60));
                match (hours, minutes, whole) {
                    (Some(hours), Some(minutes), Some(seconds_s)) => Ok(Moment::Seconds(
                        f64::from(hours) * 3600.0 + f64::from(minutes) * 60.0 + seconds_s,
                    )),
                    _ => Err(refuse()),
                }
            }
            ([hours, minutes, seconds], Some((frames, drops))) => {
                let parts = (
                    small(hours, 24),
                    small(minutes, 60),
                    small(seconds, 60),
                    small(frames, 240),
                );
                match parts {
                    (Some(hours), Some(minutes), Some(seconds), Some(frames)) => Ok(Moment::Timecode {
                        hours,
                        minutes,
                        seconds,
                        frames,
                        drops,
                    }),
                    _ => Err(refuse()),
                }
            }
            _ => Err(refuse()),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::Seconds(seconds) => write!(f, "{seconds}"),
            Moment::Timecode {
                hours,
                minutes,
                seconds,
                frames,
                drops,
            } => {
                let mark = if *drops { ';' } else { ':' };
                write!(f, "{hours:02}:{minutes:02}:{seconds:02}{mark}{frames:02}")
            }
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn moments_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Moment>();
        assert_eq!(read("12.5"), Ok(Moment::Seconds(12.5)));
        assert_eq!(read("01:02:03.250"), Ok(Moment::Seconds(3723.25)));
        let label = |frames, drops| Moment::Timecode {
            hours: 10,
            minutes: 0,
            seconds: 59,
            frames,
            drops,
        };
        assert_eq!(read("10:00:59:24"), Ok(label(24, false)));
        assert_eq!(read("10:00:59;02"), Ok(label(2, true)));
        for wrong in [
            "",
            "-1",
            "1:2",
            "00:60:00",
            "00:00:61",
            "24:00:00:00",
            "x",
            "nan",
            "1e3",
            "00:00:00:00:00",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(label(2, true).to_string(), "10:00:59;02");
    }
}
