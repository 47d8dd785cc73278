//! A ladder chosen by the source: how many rungs there may be, and how good the best shall be.
//!
//! Deliberately absent: codec, preset and sound, which are those of the group's one output; choosing, which needs the
//! source.

use crate::media::spec::video::VideoSpec;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::de::MapAccess;
use serde::de::Visitor;
use serde::de::value::MapAccessDeserializer;
use std::fmt;

/// Short edges that rungs have, besides the source's own.
pub const RUNG_HEIGHTS: [u32; 8] = [2160, 1440, 1080, 720, 540, 360, 270, 180];
/// Rungs of a usual source, for estimates.
const USUAL_RUNGS: usize = 5;

/// The rungs of a group follow from the source's size, rate and complexity. In definitions `"auto"`, or a table of
/// these keys; the group has one output with video then, the pattern of all rungs, which are named `1080p`, `720p` ...
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AutoLadder {
    /// Fewest rungs, 1..=8. They may all have the source's size, where it is small.
    pub min_rungs: u32,
    /// Most rungs, 1..=8.
    pub max_rungs: u32,
    /// Largest short edge of a rung, pixels, 128..=4320; none: the source's. Nothing is enlarged anyway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_height: Option<u32>,
    /// Bitrate that no rung goes beyond on average, 50..=200000.
    pub max_bitrate_kbps: u32,
    /// Where the ladder ends, as long as it has `min_rungs`, 30..=200000.
    pub min_bitrate_kbps: u32,
    /// What the best rung shall reach, dB of luma beside the source, 30..=50. Less is taken where the bitrate does
    /// not allow it.
    pub target_psnr_db: f64,
}

impl Default for AutoLadder {
    fn default() -> Self {
        AutoLadder {
            min_rungs: 3,
            max_rungs: 8,
            max_height: None,
            max_bitrate_kbps: 8000,
            min_bitrate_kbps: 200,
            target_psnr_db: 42.0,
        }
    }
}

impl AutoLadder {
    /// Rungs that a source whose short edge is `height` may come to, for estimates of time and memory.
    pub fn usual(&self, pattern: &VideoSpec, height: u32) -> Vec<VideoSpec> {
        let most = self.max_height.unwrap_or(height).min(height).max(128);
        let lower = RUNG_HEIGHTS.into_iter().filter(|rung| *rung < most);
        std::iter::once(most)
            .chain(lower)
            .take((self.max_rungs as usize).clamp(1, USUAL_RUNGS))
            .map(|height| VideoSpec {
                height: Some(height & !1),
                ..pattern.clone()
            })
            .collect()
    }
}

/// Reads `"auto"` or a table.
///
/// # Errors
/// Anything else, and unknown keys of the table.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AutoLadder>, D::Error> {
    struct Word;
    impl<'de> Visitor<'de> for Word {
        type Value = Option<AutoLadder>;
        fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
            to.write_str("\"auto\" or a table of ladder")
        }
        fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Self::Value, E> {
            match word {
                "auto" => Ok(Some(AutoLadder::default())),
                other => Err(E::custom(format!("{other:?} is no ladder; write \"auto\" or a table"))),
            }
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            AutoLadder::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }
    deserializer.deserialize_any(Word)
}
