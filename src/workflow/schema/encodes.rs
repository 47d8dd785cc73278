//! Keys of transcodes: groups, outputs, video, audio, and what is drawn onto pictures.
//!
//! Guarantees: a test holds every key, word, range and default against the reader and the checks. Deliberately absent:
//! which combinations no encoder has, which only a check of the whole definition says.

use super::field::Field;
use super::field::any_of;
use super::field::choice;
use super::field::extent;
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
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

const USED_BY: [&str; 1] = ["transcode"];
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
const WEEK_S: f64 = 604_800.0;

/// Every table of a transcode, by name, and the keys of the transcode itself.
pub(super) fn tables(into: &mut Map<String, Value>) -> Vec<Field> {
    let tables = [
        ("clip", clip()),
        ("subtitle", subtitle()),
        ("quality", quality()),
        ("group", group()),
        ("ladder", ladder()),
        ("encryption", encryption()),
        ("output", output()),
        ("rendition", rendition()),
        ("video", video()),
        ("audio", audio()),
        ("loudness", loudness()),
        ("watermark", watermark()),
        ("mosaic", mosaic()),
        ("burn", burn()),
    ];
    into.extend(tables.map(|(name, table)| (name.to_owned(), table)));
    transcode()
}

fn transcode() -> Vec<Field> {
    let object = || json!({ "type": "string", "x-form": "object" });
    vec![
        list("group", reference("group"), None, "Output groups: how the renditions are packaged. At least one.")
            .with("minItems", 1)
            .required(),
        part("clip", "clip", "The part of the source to take; left out: all of it."),
        list("head", object(), Some(49), "Files shown before the source, such as an opening slate, as storage:key. Fitted to its size."),
        list("inputs", object(), Some(49), "Files joined to the source, after it and before the tail, as storage:key."),
        list("tail", object(), Some(49), "Files shown last, such as a closing slate, as storage:key."),
        flag("partial", false, "Publish what succeeded when a rendition fails or the source is cut short, and say so."),
        any_of(
            "quality",
            vec![json!({ "type": "boolean" }), reference("quality")],
            "Compare the renditions with what their encoders were given: yes, or a table of limits below which the job fails.",
        )
        .default(false),
        list("watermark", reference("watermark"), Some(20), "Marks on all renditions, beneath their own."),
        list("mosaic", reference("mosaic"), Some(10), "Boxes on all renditions that hide what is beneath them."),
        part("burn", "burn", "Subtitles drawn into all renditions that name no others."),
        choice(
            "text",
            &[
                ("carry", "Into outputs whose container has a place for them; as renditions of a set."),
                ("webvtt", "WebVTT files beside the output; as renditions of a set."),
                ("drop", "Nothing."),
            ],
            "What becomes of the source's text subtitles.",
        )
        .default("carry"),
        list("subtitle", reference("subtitle"), Some(60), "Subtitle files that are taken like tracks of the source."),
        choice(
            "metadata",
            &[
                ("all", "Everything, the place of the recording and names of devices included."),
                ("basic", "Title, people, dates, comments, chapters and covers; neither places nor devices."),
                ("none", "Nothing, chapters and covers included."),
            ],
            "What becomes of the source's tags.",
        )
        .default("basic"),
    ]
}

fn clip() -> Value {
    table(
        "Clip",
        "A part of the source on its own timeline, where 0 is the first frame shown.",
        &USED_BY,
        vec![
            number("start_s", 0.0..=WEEK_S, "First moment taken.")
                .default(0.0)
                .unit("s"),
            number(
                "end_s",
                0.0..=WEEK_S,
                "First moment no longer taken; left out: to the end.",
            )
            .unit("s")
            .with("x-after", "start_s")
            .with("x-open", true),
            text(
                "start",
                "The same as start_s in words: 90.5, hh:mm:ss.mmm, or a timecode hh:mm:ss:ff (hh:mm:ss;ff drop frame).",
            )
            .with("x-form", "timecode"),
            text(
                "end",
                "The same as end_s in words; a timecode is that of the first frame no longer taken.",
            )
            .with("x-form", "timecode"),
        ],
    )
}

fn subtitle() -> Value {
    table(
        "Subtitle file",
        "Text subtitles in a file of their own.",
        &USED_BY,
        vec![
            text(
                "source",
                "An SRT, WebVTT or ASS file as storage:key. Its times count from the source's first picture.",
            )
            .required()
            .with("x-form", "object")
            .with("minLength", 1),
            text("language", "Its language, such as en or zh-Hans; left out: not known.").with("x-form", "language"),
        ],
    )
}

fn quality() -> Value {
    table(
        "Quality",
        "Renditions are compared with the pictures their encoders were given.",
        &USED_BY,
        vec![
            list(
                "metrics",
                json!({ "type": "string", "enum": ["psnr", "ssim"] }),
                None,
                "What is measured.",
            )
            .with("minItems", 1)
            .default(json!(["psnr", "ssim"])),
            number(
                "every_s",
                0.1..=3600.0,
                "A picture is compared in every stretch of so many seconds; in long sources, longer ones.",
            )
            .default(5.0)
            .unit("s"),
            number(
                "min_psnr_db",
                10.0..=100.0,
                "Least PSNR over all pictures compared; less fails the job.",
            )
            .unit("dB"),
            number("min_ssim", 0.0..=1.0, "Least SSIM on average; less fails the job."),
        ],
    )
}

fn group() -> Value {
    table(
        "Output group",
        "Renditions that are packaged alike and stand together.",
        &USED_BY,
        vec![
            text("name", "Name of the group in events and of its manifest: letters, digits, - and _. Left out: named after the kind.")
                .default("")
                .with("maxLength", 64),
            choice(
                "kind",
                &[
                    ("file", "One file for each output."),
                    ("hls", "HLS: master playlist, media playlists, segments."),
                    ("dash", "DASH: one MPD and fMP4 segments."),
                    ("cmaf", "One set of fMP4 segments with both an HLS playlist and an MPD."),
                ],
                "How its outputs are packaged.",
            )
            .required(),
            choice(
                "container",
                &[
                    ("mp4", "MP4, index first."),
                    ("m4a", "MP4 for audio alone."),
                    ("mov", "QuickTime, index first."),
                    ("mkv", "Matroska."),
                    ("webm", "WebM: VP9 or AV1 with Opus."),
                    ("ts", "MPEG-2 transport stream."),
                    ("mp3", "MP3 with ID3 tags."),
                    ("flac", "FLAC."),
                    ("wav", "WAV, RF64 beyond 4 GiB."),
                    ("ogg", "Ogg: Opus or FLAC."),
                ],
                "Container of the files; left out: mp4, or the usual one of the audio codec where there are no pictures.",
            )
            .when("kind", &["file"]),
            number("segment_s", 1.0..=60.0, "Target length of a segment. Segments begin at key frames, so key frames must not lie further apart.")
                .default(4.0)
                .unit("s")
                .when("kind", &["hls", "dash", "cmaf"]),
            choice(
                "segment_format",
                &[("fmp4", "Fragmented MP4."), ("ts", "MPEG-2 transport stream, for old players.")],
                "What the segments of an HLS group are.",
            )
            .default("fmp4")
            .when("kind", &["hls"]),
            flag("single_file", false, "All segments of a rendition in one file, which playlists name by byte ranges.")
                .when("kind", &["hls"]),
            flag("iframe_playlists", true, "Playlists of the key frames alone, for winding. Sealed sets have none.")
                .when("kind", &["hls", "cmaf"]),
            part("encryption", "encryption", "Seals the segments with AES-128.").when("kind", &["hls"]),
            any_of(
                "ladder",
                vec![json!({ "const": "auto" }), reference("ladder")],
                "The rungs follow from the source: auto, or a table of limits. The one output with video is then their pattern.",
            ),
            list("output", reference("output"), Some(30), "The renditions.").with("minItems", 1).required(),
        ],
    )
}

fn ladder() -> Value {
    table(
        "Ladder chosen by the source",
        "How many rungs there may be and how good the best shall be.",
        &USED_BY,
        vec![
            whole("min_rungs", 1..=8, "Fewest rungs.").default(3),
            whole("max_rungs", 1..=8, "Most rungs.").default(8),
            whole(
                "max_height",
                128..=4320,
                "Largest short edge of a rung; left out: the source's. Nothing is enlarged.",
            )
            .unit("px"),
            whole(
                "max_bitrate_kbps",
                50..=200_000,
                "Average bitrate that no rung goes beyond.",
            )
            .default(8000)
            .unit("kbit/s"),
            whole(
                "min_bitrate_kbps",
                30..=200_000,
                "Where the ladder ends, as long as it has its fewest rungs.",
            )
            .default(200)
            .unit("kbit/s"),
            number(
                "target_psnr_db",
                30.0..=50.0,
                "What the best rung shall reach beside the source; less where the bitrate does not allow it.",
            )
            .default(42.0)
            .unit("dB"),
        ],
    )
}

fn encryption() -> Value {
    table(
        "Sealed segments",
        "How the segments of an HLS set are sealed, and where players get the key.",
        &USED_BY,
        vec![
            choice("method", &[("aes-128", "Whole segments, AES-128 in CBC mode.")], "How.").required(),
            text(
                "key_uri",
                "Where players get the key; left out: it is a file of the set, enc.key.",
            ),
            text(
                "key",
                "A file of 16 bytes that is the key, as storage:key; left out: a random one for each set.",
            )
            .with("x-form", "object"),
            text(
                "iv",
                "Initialisation vector of every segment, 32 hex digits; left out: the number of the segment.",
            )
            .with("pattern", "^[0-9a-fA-F]{32}$"),
        ],
    )
}

fn output() -> Value {
    table(
        "Output",
        "One rendition of a group.",
        &USED_BY,
        vec![
            text(
                "name",
                "{Name} in paths, unique in its group: letters, digits, - and _.",
            )
            .required()
            .with("minLength", 1)
            .with("maxLength", 64)
            .with("pattern", "^[A-Za-z0-9_-]+$"),
            part("video", "video", "Its pictures; left out: none."),
            part("audio", "audio", "Its sound; left out: none."),
            part(
                "rendition",
                "rendition",
                "What it is within a set; left out: a variant whose sound stands in a group of its own.",
            ),
        ],
    )
}

fn rendition() -> Value {
    table(
        "Place in a set",
        "What an output is among the others of its set.",
        &USED_BY,
        vec![
            choice(
                "type",
                &[
                    ("video", "A variant with pictures."),
                    ("audio", "A choice of sound in an audio group."),
                    ("subtitle", "A choice of subtitles in a subtitle group."),
                    (
                        "hybrid",
                        "A variant whose segments hold pictures and sound together; transport stream only.",
                    ),
                ],
                "What it is; left out: a variant when it has pictures, else sound to choose.",
            ),
            text(
                "audio_group",
                "Of audio the group it stands in, of a variant the group it plays with.",
            ),
            text(
                "subtitle_group",
                "Of subtitles the group they stand in, of a variant the group it plays with.",
            ),
            text(
                "name",
                "What players call it; left out: its language, or what kind it is.",
            ),
            text(
                "language",
                "Its language, such as en or zh-Hans; left out: what the source says.",
            )
            .with("x-form", "language"),
            field_flag(
                "default",
                "Chosen when the viewer chose nothing; left out: the first of its group, of subtitles none.",
            ),
            field_flag("autoselect", "May be chosen by the viewer's language alone."),
            flag(
                "forced",
                false,
                "Subtitles that are shown to viewers who did not ask for any.",
            ),
        ],
    )
}

/// Yes or no, or left open.
fn field_flag(key: &'static str, help: &str) -> Field {
    text(key, help).with("type", "boolean")
}

fn video() -> Value {
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

fn audio() -> Value {
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

fn loudness() -> Value {
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

fn color(key: &'static str, help: &str) -> Field {
    text(key, help)
        .with("x-form", "color")
        .with("pattern", "^#[0-9a-fA-F]{6}$")
}

fn span(every: bool) -> Vec<Field> {
    let mut span = vec![
        number(
            "start_s",
            -WEEK_S..=WEEK_S,
            "Second of the output where it begins; negative: counted from the end.",
        )
        .default(0.0)
        .unit("s"),
        number("duration_s", 0.01..=WEEK_S, "For how long; left out: to the end.").unit("s"),
    ];
    if every {
        span.push(
            number(
                "every_s",
                0.1..=WEEK_S,
                "It appears again every so many seconds; longer than duration_s, which it needs.",
            )
            .unit("s")
            .with("x-needs", json!(["duration_s"])),
        );
    }
    span
}

fn watermark() -> Value {
    let size = |key, help| {
        extent(key, help)
            .with("x-pixels", json!({ "minimum": 8, "maximum": 4096 }))
            .with("x-part", json!({ "minimum": 0.0001, "maximum": 1.0 }))
    };
    let mut fields = vec![
        text(
            "template",
            "A template of type image_watermark or text_watermark; keys beside it override it.",
        )
        .with("x-form", "template"),
        choice(
            "kind",
            &[
                ("image", "A PNG, JPEG or WebP file."),
                ("svg", "An SVG, from a file or written out."),
                ("text", "A line of text, or several."),
            ],
            "What it is drawn from.",
        )
        .default("image"),
        text("image", "The file, as storage:key.")
            .with("x-form", "object")
            .with("maxLength", 4096)
            .when("kind", &["image", "svg"]),
        text("svg", "The SVG itself, instead of a file.")
            .with("maxLength", 2_000_000)
            .when("kind", &["svg"]),
        text("text", "The text; \\n begins a line.")
            .with("minLength", 1)
            .with("maxLength", 500)
            .when("kind", &["text"]),
        choice(
            "corner",
            &[
                ("top_left", "Left and top edge."),
                ("top_right", "Right and top edge."),
                ("bottom_left", "Left and bottom edge."),
                ("bottom_right", "Right and bottom edge."),
                ("center", "The middle."),
            ],
            "From where x and y count.",
        )
        .default("top_right"),
        extent("x", "Distance from that edge: pixels, or a part of the width.").default(0),
        extent("y", "Distance from that edge: pixels, or a part of the height.").default(0),
        size(
            "width",
            "Width: pixels, or a part of the rendition's. One edge keeps the shape; left out: 12 %, of text what its font gives it.",
        ),
        size("height", "Height: pixels, or a part of the rendition's."),
        number("opacity", 0.0..=1.0, "0 is not seen, 1 hides what is beneath.").default(1.0),
    ];
    fields.extend(span(true));
    fields.extend([
        extent(
            "font_size",
            "Height of letters: pixels, or a part of the rendition's height.",
        )
        .default("0.05")
        .with("x-pixels", json!({ "minimum": 4, "maximum": 400 }))
        .with("x-part", json!({ "minimum": 0.005, "maximum": 0.5 }))
        .when("kind", &["text"]),
        text("font", "An installed font family, or sans-serif, serif, monospace.")
            .default("sans-serif")
            .with("maxLength", 100)
            .when("kind", &["text"]),
        color("color", "Colour of the text.")
            .default("#ffffff")
            .when("kind", &["text"]),
        whole("border", 0..=4096, "Width of the border around letters.")
            .default(0)
            .unit("px")
            .when("kind", &["text"]),
        color("border_color", "Colour of that border.")
            .default("#000000")
            .when("kind", &["text"]),
    ]);
    table(
        "Watermark",
        "A mark on every picture, or on those of a span of time.",
        &USED_BY,
        fields,
    )
}

fn mosaic() -> Value {
    let mut fields = vec![
        choice(
            "kind",
            &[("blur", "Unsharp."), ("pixelate", "Large squares of one colour.")],
            "How it hides what is beneath.",
        )
        .default("blur"),
        extent("x", "Left edge: pixels, or a part of the width.").required(),
        extent("y", "Top edge: pixels, or a part of the height.").required(),
        extent(
            "width",
            "Width: pixels, or a part of the rendition's; more than nothing.",
        )
        .required(),
        extent(
            "height",
            "Height: pixels, or a part of the rendition's; more than nothing.",
        )
        .required(),
        whole(
            "strength",
            1..=100,
            "Radius of the blur or edge of the squares, in tenths of a per cent of the height.",
        )
        .default(30),
    ];
    fields.extend(span(false));
    table("Box", "A box that hides what is beneath it.", &USED_BY, fields)
}

fn burn() -> Value {
    table(
        "Burnt-in subtitles",
        "Subtitles drawn into the pictures.",
        &USED_BY,
        vec![
            text("template", "A template of type subtitle; keys beside it override it.").with("x-form", "template"),
            text(
                "source",
                "track:LANGUAGE or track:NUMBER of the source, or an SRT, WebVTT or ASS file as storage:key.",
            )
            .required()
            .with("x-form", "subtitles")
            .with("maxLength", 4096),
            text("font", "Font family; left out: the subtitles' own, else sans-serif.").with("maxLength", 100),
            extent(
                "font_size",
                "Height of letters; left out: the subtitles' own, else 5 % of the height.",
            )
            .with("x-pixels", json!({ "minimum": 4, "maximum": 400 }))
            .with("x-part", json!({ "minimum": 0.005, "maximum": 0.5 })),
            color(
                "color",
                "Colour of the letters; left out: the subtitles' own, else white.",
            ),
            color(
                "border_color",
                "Colour of their border; left out: the subtitles' own, else black.",
            ),
            extent(
                "margin",
                "Distance from the lower edge; left out: the subtitles' own, else 5 % of the height.",
            ),
        ],
    )
}
