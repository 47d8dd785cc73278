//! Keys of how pictures and sound are encoded, codec by codec.
//!
//! Guarantees: a test holds every key, word, range and default against the reader and the checks. Deliberately absent:
//! which combinations no encoder has, which only a check of the whole definition says.

use super::encodes::USED_BY;
use super::field::any_of;
use super::field::choice;
use super::field::flag;
use super::field::list;
use super::field::number;
use super::field::part;
use super::field::reference;
use super::field::table;
use super::field::text;
use super::field::whole;
use crate::media::spec::AudioCodec;
use crate::media::spec::VideoCodec;
use crate::media::spec_check::PRESETS;
use crate::media::spec_check::levels_of;
use crate::media::spec_check::profiles_of;
use serde_json::Value;
use serde_json::json;

const VIDEO_CODECS: [(VideoCodec, &str); 8] = [
    (VideoCodec::H264, "H.264 (AVC): plays everywhere."),
    (
        VideoCodec::Hevc,
        "H.265 (HEVC), 8 or 10 bit: half the bitrate of H.264, newer players.",
    ),
    (VideoCodec::Av1, "AV1, 8 or 10 bit: smallest files, slow to make."),
    (VideoCodec::Vp9, "VP9, 8 or 10 bit, for WebM and the web."),
    (
        VideoCodec::Prores,
        "Apple ProRes, 10 bit 4:2:2 or 4:4:4: for editing, every picture a key frame.",
    ),
    (VideoCodec::Dnxhr, "Avid DNxHR: for editing, every picture a key frame."),
    (VideoCodec::Mpeg2, "MPEG-2 video, for broadcast and discs."),
    (VideoCodec::Copy, "The source's own packets, not encoded again."),
];
const AUDIO_CODECS: [(AudioCodec, &str, &str); 8] = [
    (AudioCodec::Aac, "aac", "AAC-LC: plays everywhere."),
    (AudioCodec::Opus, "opus", "Opus: best at low bitrates."),
    (AudioCodec::Mp3, "mp3", "MP3, at most stereo."),
    (AudioCodec::Flac, "flac", "FLAC, lossless."),
    (AudioCodec::Ac3, "ac3", "Dolby Digital, up to 5.1."),
    (AudioCodec::Eac3, "eac3", "Dolby Digital Plus, up to 5.1."),
    (AudioCodec::Pcm, "pcm", "Linear PCM, lossless and large."),
    (
        AudioCodec::Copy,
        "copy",
        "The source's own packets, where the container holds them.",
    ),
];
/// Codecs with a rate control to choose.
const RATED: [&str; 5] = ["h264", "hevc", "av1", "vp9", "mpeg2"];
const ENCODED: [&str; 7] = ["h264", "hevc", "av1", "vp9", "prores", "dnxhr", "mpeg2"];

pub(super) fn video() -> Value {
    let words: Vec<(&str, &str)> = VIDEO_CODECS.iter().map(|(codec, help)| (codec.word(), *help)).collect();
    let presets: Vec<(&str, &str)> = PRESETS.iter().map(|preset| (*preset, "")).collect();
    let mut profile = text("profile", "Profile of the codec; left out: what fits the depth.");
    let mut level = text(
        "level",
        "Level the stream keeps to; left out: the lowest that size and rate need.",
    );
    for (codec, _) in VIDEO_CODECS {
        for (field, known) in [(&mut profile, profiles_of(codec)), (&mut level, levels_of(codec))] {
            if !known.is_empty() {
                let taken = std::mem::replace(field, text("", ""));
                *field = taken.by("codec", codec.word(), json!({ "enum": known }));
            }
        }
    }
    let crf = number("crf", 0.0..=63.0, "Constant quality: less is better and larger.")
        .when("rate", &["crf"])
        .when("codec", &RATED)
        .by(
            "codec",
            "h264",
            json!({ "minimum": 0.0, "maximum": 51.0, "x-usual": 23 }),
        )
        .by(
            "codec",
            "hevc",
            json!({ "minimum": 0.0, "maximum": 51.0, "x-usual": 28 }),
        )
        .by(
            "codec",
            "av1",
            json!({ "minimum": 1.0, "maximum": 63.0, "x-usual": 35 }),
        )
        .by(
            "codec",
            "vp9",
            json!({ "minimum": 0.0, "maximum": 63.0, "x-usual": 32 }),
        )
        .by("codec", "mpeg2", json!({ "minimum": 1.0, "maximum": 31.0 }));
    let even = |key, help| {
        whole(key, 128..=8192, help)
            .with("multipleOf", 2)
            .unit("px")
            .when("codec", &ENCODED)
    };
    table(
        "Video",
        "One video encode. Equal ones in several groups are made once.",
        &USED_BY,
        vec![
            choice("codec", &words, "Codec.").required(),
            even("width", "Width; with one edge alone the other follows the source's shape."),
            even("height", "Height; with one edge alone the other follows the source's shape."),
            flag("long_short", true, "Width bounds the long edge and height the short one, so portrait sources get portrait renditions."),
            flag("upscale", false, "May enlarge. Otherwise a rung larger than the source is made at the source's size, or dropped when another has it.")
                .when("codec", &ENCODED),
            number("fps", 0.1..=240.0, "Frames a second; left out: the source's own timing, variable rates included.")
                .unit("fps")
                .when("codec", &ENCODED)
                .by("codec", "mpeg2", json!({ "enum": [23.976, 24, 25, 29.97, 30, 50, 59.94, 60] })),
            number("max_fps", 0.1..=240.0, "Most frames a second: a faster source is brought down to this, or to a whole part of its own rate.")
                .unit("fps")
                .when("codec", &ENCODED),
            choice("preset", &presets, "Speed of the encoder: slower ones need less bitrate for the same quality.")
                .default("veryfast")
                .when("codec", &["h264", "hevc", "av1", "vp9"]),
            profile.when("codec", &["h264", "hevc", "prores", "dnxhr", "mpeg2"]),
            level.when("codec", &["h264", "hevc", "av1", "vp9"]),
            whole("bit_depth", 8..=10, "Bits of a sample; left out: what the profile says, else 8.")
                .with("enum", json!([8, 10]))
                .unit("bit")
                .when("codec", &ENCODED),
            choice(
                "rate",
                &[
                    ("crf", "Constant quality; capped when max_bitrate_kbps is given."),
                    ("vbr", "Average bitrate under a cap."),
                    ("cbr", "Constant bitrate. Not with AV1."),
                ],
                "Rate control.",
            )
            .default("crf")
            .when("codec", &RATED),
            whole("bitrate_kbps", 10..=200_000, "Average bitrate.")
                .unit("kbit/s")
                .when("rate", &["vbr", "cbr"])
                .when("codec", &RATED)
                .with("x-required-when", json!({ "rate": ["vbr", "cbr"] })),
            whole("max_bitrate_kbps", 10..=400_000, "Cap of the bitrate, not below bitrate_kbps.").unit("kbit/s").when("codec", &RATED),
            whole("bufsize_kbps", 10..=800_000, "Decoder buffer over which the cap is measured.").unit("kbit").when("codec", &RATED),
            crf,
            flag("two_pass", false, "Reads the source twice, first to learn where the bits are needed; costs nearly as much again.")
                .when("rate", &["vbr"])
                .when("codec", &["h264", "hevc", "vp9", "mpeg2"]),
            flag("clamp_to_source", false, "Bitrates are never above the source's own.").when("codec", &ENCODED),
            number("gop_s", 0.1..=60.0, "Time between key frames, forced on every rendition alike.")
                .default(2.0)
                .unit("s")
                .when("codec", &["h264", "hevc", "av1", "vp9", "mpeg2"])
                .by("codec", "mpeg2", json!({ "minimum": 0.1, "maximum": 10.0 })),
            whole("gop_frames", 1..=100_000, "Frames between key frames, instead of gop_s.")
                .when("codec", &["h264", "hevc", "av1", "vp9", "mpeg2"])
                .by("codec", "mpeg2", json!({ "minimum": 1, "maximum": 600 })),
            whole("bframes", 0..=16, "B-frames in a row; left out: 3, of MPEG-2 2.").when("codec", &["h264", "hevc", "mpeg2"]),
            list("watermark", reference("watermark"), Some(20), "Marks drawn onto it, the first at the bottom.").when("codec", &ENCODED),
            list("mosaic", reference("mosaic"), Some(10), "Boxes that hide what is beneath them.").when("codec", &ENCODED),
            part("burn", "burn", "Subtitles drawn into it.").when("codec", &ENCODED),
        ],
    )
}

pub(super) fn audio() -> Value {
    let words: Vec<(&str, &str)> = AUDIO_CODECS.iter().map(|(_, word, help)| (*word, *help)).collect();
    let encoded = ["aac", "opus", "mp3", "flac", "ac3", "eac3", "pcm"];
    let mut rate = whole(
        "sample_rate_hz",
        7_350..=192_000,
        "Sample rate; left out: the source's where the codec has it.",
    )
    .unit("Hz")
    .when("codec", &encoded);
    let mut channels = any_of(
        "channels",
        vec![
            json!({ "type": "integer", "minimum": 1, "maximum": 8 }),
            json!({ "const": "source" }),
        ],
        "Channels, or source for as many as the source has; left out: the source's, at most 2.",
    )
    .when("codec", &encoded);
    for (codec, word, _) in AUDIO_CODECS.iter().filter(|(codec, ..)| *codec != AudioCodec::Copy) {
        rate = match codec.rates_hz() {
            [] => rate.by("codec", word, json!({ "minimum": 8_000, "maximum": 192_000 })),
            known => rate.by("codec", word, json!({ "enum": known })),
        };
        channels = channels.by("codec", word, json!({ "maximum": codec.most_channels().min(8) }));
    }
    table(
        "Audio",
        "One audio encode of each track that it takes.",
        &USED_BY,
        vec![
            choice("codec", &words, "Codec.").required(),
            whole("bitrate_kbps", 8..=1000, "Bitrate of all channels together; left out: 64 a channel, 96 of Dolby Digital.")
                .unit("kbit/s")
                .when("codec", &["aac", "opus", "mp3", "ac3", "eac3"])
                .by("codec", "mp3", json!({ "minimum": 8, "maximum": 320 }))
                .by("codec", "opus", json!({ "minimum": 8, "maximum": 510 }))
                .by("codec", "ac3", json!({ "minimum": 32, "maximum": 640 }))
                .by("codec", "eac3", json!({ "minimum": 32, "maximum": 1000 })),
            rate,
            channels,
            whole("bit_depth", 16..=32, "Bits of a sample; left out: the source's.")
                .with("enum", json!([16, 24, 32]))
                .unit("bit")
                .when("codec", &["flac", "pcm"])
                .by("codec", "flac", json!({ "enum": [16, 24] })),
            flag("float", false, "32-bit floating point numbers.").when("codec", &["pcm"]),
            text("profile", "Profile of the codec; left out: its first.")
                .when("codec", &["aac", "opus"])
                .by("codec", "aac", json!({ "enum": ["aac_low", "aac_main", "aac_ltp"] }))
                .by("codec", "opus", json!({ "enum": ["audio", "voip", "lowdelay"] })),
            any_of(
                "tracks",
                vec![
                    json!({ "type": "string", "enum": ["all", "main"] }),
                    json!({ "type": "array", "items": { "anyOf": [{ "type": "string" }, { "type": "integer", "minimum": 0 }] } }),
                ],
                "Which tracks of the source: all, main (the default one), or a list of languages and positions from 0.",
            )
            .default("all")
            .with("x-form", "tracks"),
            choice(
                "merge",
                &[
                    ("stereo_pairs", "Each two mono tracks in a row are left and right."),
                    ("5.1", "Each six mono tracks in a row are left, right, centre, LFE, left and right surround."),
                ],
                "Mono tracks put together, as broadcast files have them; left out: each stays a track.",
            )
            .when("codec", &encoded),
            list(
                "channel_map",
                json!({ "type": "integer", "minimum": 0, "maximum": 63 }),
                Some(8),
                "The source's channel, from 0, for each channel of the encode; left out: mixed after ITU-R BS.775.",
            )
            .when("codec", &encoded),
            part("loudness", "loudness", "How loud it is made; left out: as the source.").when("codec", &encoded),
        ],
    )
}

pub(super) fn loudness() -> Value {
    table(
        "Loudness",
        "How loud it is made, after EBU R128.",
        &USED_BY,
        vec![
            number("target_lufs", -70.0..=-5.0, "Integrated loudness.")
                .default(-23.0)
                .unit("LUFS"),
            number(
                "true_peak_dbtp",
                -9.0..=0.0,
                "Highest true peak; what would pass it is limited.",
            )
            .default(-1.0)
            .unit("dBTP"),
            number(
                "range_lu",
                1.0..=50.0,
                "Widest loudness range: a source with a wider one is compressed slowly. Left out: left as it is.",
            )
            .unit("LU"),
        ],
    )
}
