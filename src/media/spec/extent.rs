//! A length on a rendition: pixels, or a part of its width or height.
//!
//! Guarantees: written and read back, a value is the same. Deliberately absent: which edge it is a part of.

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de::Error;
use serde::de::Visitor;
use std::fmt::Display;
use std::fmt::Formatter;

/// Pixels (`24`, `"24px"`) or a part of an edge (`0.05`, `"5%"`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Extent {
    /// Pixels.
    Pixels(u32),
    /// A part, 0..=1.
    Part(f64),
}

impl Extent {
    /// Pixels on an edge of this length, rounded to the nearest.
    pub fn on(self, edge: u32) -> u32 {
        match self {
            Extent::Pixels(pixels) => pixels,
            Extent::Part(part) => (part.clamp(0.0, 1.0) * f64::from(edge)).round() as u32,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(pixels) = text.strip_suffix("px") {
            return pixels.trim().parse().ok().map(Extent::Pixels);
        }
        let part = match text.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
            None => match text.parse::<u32>() {
                Ok(pixels) => return Some(Extent::Pixels(pixels)),
                Err(_) => text.parse().ok()?,
            },
        };
        (0.0..=1.0).contains(&part).then_some(Extent::Part(part))
    }
}

impl Display for Extent {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Extent::Pixels(pixels) => write!(f, "{pixels}px"),
            Extent::Part(part) => write!(f, "{}%", part * 100.0),
        }
    }
}

impl Serialize for Extent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Extent::Pixels(pixels) => serializer.serialize_u32(*pixels),
            // Not per cent: a hundred times a part and back need not be the same number.
            Extent::Part(part) => serializer.serialize_str(&format!("{part:?}")),
        }
    }
}

impl<'de> Deserialize<'de> for Extent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExtentVisitor)
    }
}

struct ExtentVisitor;

impl Visitor<'_> for ExtentVisitor {
    type Value = Extent;
    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("pixels (24) or a part of the picture (\"5%\", 0.05)")
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Extent, E> {
        u32::try_from(value)
            .map(Extent::Pixels)
            .map_err(|_| E::custom(format!("{value} pixels are too many")))
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Extent, E> {
        u32::try_from(value)
            .map(Extent::Pixels)
            .map_err(|_| E::custom(format!("{value} is no number of pixels")))
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Extent, E> {
        if (0.0..=1.0).contains(&value) {
            Ok(Extent::Part(value))
        } else {
            Err(E::custom(format!("{value} is no part of the picture, 0.0 to 1.0")))
        }
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Extent, E> {
        Extent::parse(value).ok_or_else(|| E::custom(format!("{value:?} is neither pixels (24) nor a part (\"5%\")")))
    }
}

#[cfg(test)]
mod tests {
    use super::Extent;

    fn read(json: &str) -> Result<Extent, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn all_notations_are_read_and_survive() {
        for (json, wanted) in [
            ("24", Extent::Pixels(24)),
            ("\"24\"", Extent::Pixels(24)),
            ("\"24px\"", Extent::Pixels(24)),
            ("\"5%\"", Extent::Part(0.05)),
            ("0.05", Extent::Part(0.05)),
            ("\"0.1234\"", Extent::Part(0.1234)),
            ("\"100%\"", Extent::Part(1.0)),
        ] {
            let extent = read(json).unwrap_or_else(|error| panic!("{json}: {error}"));
            assert_eq!(extent, wanted, "{json}");
            let again = serde_json::to_string(&extent).expect("writes");
            assert_eq!(read(&again).expect("reads"), extent, "{again}");
        }
        for json in ["-1", "\"101%\"", "1.5", "\"a\"", "\"\"", "\"-5%\"", "true"] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn parts_are_of_the_edge() {
        assert_eq!(Extent::Part(0.12).on(1920), 230);
        assert_eq!(Extent::Pixels(7).on(1920), 7);
    }
}
