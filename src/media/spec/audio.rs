//! One audio encode, and which tracks of the source it is made of.
//!
//! Deliberately absent: which containers hold it, see `spec_check`.

use serde::Deserialize;
use serde::Serialize;

/// Audio codecs that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AudioCodec {
    /// AAC-LC.
    Aac,
    /// Opus.
    Opus,
    /// MPEG audio layer III.
    Mp3,
    /// FLAC, lossless.
    Flac,
    /// Dolby Digital.
    Ac3,
    /// Dolby Digital Plus.
    Eac3,
    /// Linear PCM, little endian, lossless.
    Pcm,
    /// The source's packets as they are; where the container does not hold them, the container's usual codec.
    Copy,
}

impl AudioCodec {
    /// Sample rates it has, Hz, highest first; empty: any.
    pub fn rates_hz(self) -> &'static [u32] {
        match self {
            AudioCodec::Aac => &[
                96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
            ],
            AudioCodec::Opus => &[48_000, 24_000, 16_000, 12_000, 8_000],
            AudioCodec::Mp3 => &[48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000],
            AudioCodec::Ac3 | AudioCodec::Eac3 => &[48_000, 44_100, 32_000],
            AudioCodec::Flac | AudioCodec::Pcm | AudioCodec::Copy => &[],
        }
    }

    /// Most channels it has.
    pub fn most_channels(self) -> u32 {
        match self {
            AudioCodec::Mp3 => 2,
            AudioCodec::Ac3 | AudioCodec::Eac3 => 6,
            AudioCodec::Aac | AudioCodec::Opus | AudioCodec::Flac => 8,
            AudioCodec::Pcm | AudioCodec::Copy => 64,
        }
    }

    /// Whether decoding gives back the samples that were encoded.
    pub fn is_lossless(self) -> bool {
        matches!(self, AudioCodec::Flac | AudioCodec::Pcm | AudioCodec::Copy)
    }
}

/// Which audio tracks of the source are taken.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Tracks {
    /// `"all"`
    #[default]
    #[serde(with = "all_tracks")]
    All,
    /// `"main"`: the default one, else the first.
    #[serde(with = "main_track")]
    Main,
    /// Languages (`"en"`, `"deu"`) and positions in the source (`1`), in the order wanted.
    These(Vec<TrackPick>),
}

/// One entry of a list of tracks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TrackPick {
    /// Position of the stream in the source, from 0, as a probe lists it.
    Index(usize),
    /// All tracks of a language, ISO 639 or RFC 5646.
    Language(String),
}

/// Channels of an encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Channels {
    /// So many.
    Count(u32),
    /// `"source"`: as many as the source has and the codec takes.
    #[serde(with = "source_word")]
    Source,
}

/// How mono tracks, as broadcast files have them, become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Merge {
    /// Each two in a row are left and right.
    #[serde(rename = "stereo_pairs")]
    StereoPairs,
    /// Each six in a row are left, right, centre, LFE, left and right surround.
    #[serde(rename = "5.1")]
    Surround51,
}

/// How loud it is made, after EBU R128.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoudnessSpec {
    /// Integrated loudness, -70..=-5 LUFS.
    #[serde(default = "LoudnessSpec::default_target_lufs")]
    pub target_lufs: f64,
    /// Highest true peak, -9..=0 dBTP; what would pass it is limited.
    #[serde(default = "LoudnessSpec::default_true_peak_dbtp")]
    pub true_peak_dbtp: f64,
    /// Widest loudness range, 1..=50 LU: a source with a wider one is compressed slowly; none: left as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range_lu: Option<f64>,
}

impl LoudnessSpec {
    fn default_target_lufs() -> f64 {
        -23.0
    }
    fn default_true_peak_dbtp() -> f64 {
        -1.0
    }
}

/// One audio encode, made once for all outputs that ask for the same, of each track that it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioSpec {
    /// Codec.
    pub codec: AudioCodec,
    /// 8..=1000, all channels together, as far as the codec goes; none: 64 a channel, 96 for `ac3` and `eac3`. Means
    /// nothing for lossless codecs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitrate_kbps: Option<u32>,
    /// Hz; none: the source's where the codec has it, else 48000 or 44100, whichever divides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_rate_hz: Option<u32>,
    /// 1..=8 or `"source"`; none: the source's, at most 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Channels>,
    /// Bits of a sample: 16 or 24 of `flac`, 16, 24 or 32 of `pcm`; none: the source's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_depth: Option<u32>,
    /// `pcm` of 32-bit floating point numbers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub float: bool,
    /// `aac`: `aac_low`, `aac_main`, `aac_ltp`; `opus`: `audio`, `voip`, `lowdelay`; none: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Which tracks of the source: `"all"`, `"main"`, or a list of languages and positions.
    #[serde(default)]
    pub tracks: Tracks,
    /// Mono tracks of one rate put together: `"stereo_pairs"` or `"5.1"`; none: each stays a track.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Merge>,
    /// The source's channel, from 0, for each channel of the encode; none: mixed after ITU-R BS.775.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channel_map: Vec<u32>,
    /// How loud; none: as the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loudness: Option<LoudnessSpec>,
}

impl AudioSpec {
    /// An encode with nothing asked for but its codec.
    pub fn of(codec: AudioCodec) -> Self {
        AudioSpec {
            codec,
            bitrate_kbps: None,
            sample_rate_hz: None,
            channels: None,
            bit_depth: None,
            float: false,
            profile: None,
            tracks: Tracks::All,
            merge: None,
            channel_map: Vec::new(),
            loudness: None,
        }
    }
}

/// A word that stands for a variant without fields, which `untagged` has no attribute for.
macro_rules! word {
    ($module:ident, $word:literal) => {
        mod $module {
            use serde::Deserialize;
            use serde::Deserializer;
            use serde::Serializer;
            use serde::de::Error;

            pub fn serialize<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($word)
            }
            pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
                match String::deserialize(deserializer)?.as_str() {
                    $word => Ok(()),
                    other => Err(D::Error::custom(format!("{other:?} is not {:?}", $word))),
                }
            }
        }
    };
}
word!(all_tracks, "all");
word!(main_track, "main");
word!(source_word, "source");

#[cfg(test)]
mod tests {
    use super::AudioSpec;
    use super::Channels;
    use super::TrackPick;
    use super::Tracks;

    fn spec(more: &str) -> Result<AudioSpec, toml::de::Error> {
        toml::from_str(&format!("codec = \"aac\"\n{more}"))
    }

    #[test]
    fn tracks_and_channels_are_words_or_values() {
        assert_eq!(spec("").expect("a spec").tracks, Tracks::All);
        assert_eq!(spec("tracks = \"main\"").expect("a spec").tracks, Tracks::Main);
        assert_eq!(
            spec("channels = \"source\"").expect("a spec").channels,
            Some(Channels::Source)
        );
        assert_eq!(spec("channels = 6").expect("a spec").channels, Some(Channels::Count(6)));
        let listed = spec("tracks = [\"deu\", 2]").expect("a spec");
        let wanted = vec![TrackPick::Language("deu".to_owned()), TrackPick::Index(2)];
        assert_eq!(listed.tracks, Tracks::These(wanted));
        assert!(spec("tracks = \"some\"").is_err());
        assert!(spec("channels = \"all\"").is_err());
        // What is stored is read back the same.
        for text in [
            "",
            "tracks = \"main\"",
            "tracks = [\"deu\", 2]",
            "channels = \"source\"",
            "merge = \"5.1\"",
        ] {
            let once = spec(text).expect("a spec");
            let stored = serde_json::to_string(&once).expect("JSON");
            assert_eq!(
                serde_json::from_str::<AudioSpec>(&stored).expect("a spec"),
                once,
                "{stored}"
            );
        }
    }
}
