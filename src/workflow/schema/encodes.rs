//! Keys of transcodes: groups, outputs and renditions, and what goes for all of them. `codecs` has those of pictures and
//! sound, `overlays` those of what is drawn.
//!
//! Guarantees: a test holds every key, word, range and default against the reader and the checks. Deliberately absent:
//! which combinations no encoder has, which only a check of the whole definition says.

use super::codecs;
use super::field::Field;
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
use super::overlays;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

pub(super) const USED_BY: [&str; 1] = ["transcode"];
pub(super) const WEEK_S: f64 = 604_800.0;

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
        ("video", codecs::video()),
        ("audio", codecs::audio()),
        ("loudness", codecs::loudness()),
        ("watermark", overlays::watermark()),
        ("mosaic", overlays::mosaic()),
        ("burn", overlays::burn()),
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
                json!({ "type": "string", "enum": ["psnr", "ssim", "vmaf"] }),
                None,
                "What is measured. VMAF needs the libvmaf of the host; without it the result says why there is none.",
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
            number(
                "min_vmaf",
                0.0..=100.0,
                "Least VMAF on average; less fails the job, and so does a host without libvmaf.",
            ),
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
