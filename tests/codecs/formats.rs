//! Every codec, depth and profile: what a second reader finds in it.

use crate::reader;
use crate::room::Room;
use crate::room::transcode;
use std::fmt::Write;
use std::path::PathBuf;

/// Name, container, keys of the video; codec, profile, pixel format and tag that ffprobe should find.
const FORMATS: [(&str, &str, &str, [&str; 4]); 18] = [
    (
        "h264",
        "mp4",
        "codec=\"h264\",profile=\"main\",level=\"4.0\"",
        ["h264", "Main", "yuv420p", "avc1"],
    ),
    (
        "h264d",
        "mkv",
        "codec=\"h264\",profile=\"high10\"",
        ["h264", "High 10", "yuv420p10le", ""],
    ),
    (
        "h264c",
        "mov",
        "codec=\"h264\",profile=\"high422\"",
        ["h264", "High 4:2:2", "yuv422p", "avc1"],
    ),
    (
        "hevc",
        "mp4",
        "codec=\"hevc\",level=\"4.1\"",
        ["hevc", "Main", "yuv420p", "hvc1"],
    ),
    (
        "hevcd",
        "mov",
        "codec=\"hevc\",bit_depth=10",
        ["hevc", "Main 10", "yuv420p10le", "hvc1"],
    ),
    ("av1", "mp4", "codec=\"av1\"", ["av1", "Main", "yuv420p", "av01"]),
    (
        "av1d",
        "webm",
        "codec=\"av1\",bit_depth=10",
        ["av1", "Main", "yuv420p10le", ""],
    ),
    ("vp9", "webm", "codec=\"vp9\"", ["vp9", "Profile 0", "yuv420p", ""]),
    (
        "vp9d",
        "mp4",
        "codec=\"vp9\",bit_depth=10",
        ["vp9", "Profile 2", "yuv420p10le", "vp09"],
    ),
    (
        "proxy",
        "mov",
        "codec=\"prores\",profile=\"proxy\"",
        ["prores", "Proxy", "yuv422p10le", "apco"],
    ),
    (
        "hq",
        "mkv",
        "codec=\"prores\",profile=\"hq\"",
        ["prores", "HQ", "yuv422p10le", "apch"],
    ),
    (
        "p4444",
        "mov",
        "codec=\"prores\",profile=\"4444\"",
        ["prores", "4444", "yuv444p10le", "ap4h"],
    ),
    (
        "lb",
        "mov",
        "codec=\"dnxhr\",profile=\"lb\"",
        ["dnxhd", "DNXHR LB", "yuv422p", "AVdh"],
    ),
    (
        "hqx",
        "mov",
        "codec=\"dnxhr\",profile=\"hqx\"",
        ["dnxhd", "DNXHR HQX", "yuv422p10le", "AVdh"],
    ),
    (
        "d444",
        "mkv",
        "codec=\"dnxhr\",profile=\"444\"",
        ["dnxhd", "DNXHR 444", "yuv444p10le", ""],
    ),
    ("mpeg2", "ts", "codec=\"mpeg2\"", ["mpeg2video", "Main", "yuv420p", ""]),
    (
        "m422",
        "mov",
        "codec=\"mpeg2\",profile=\"422\"",
        ["mpeg2video", "4:2:2", "yuv422p", ""],
    ),
    ("hevct", "ts", "codec=\"hevc\"", ["hevc", "Main", "yuv420p", ""]),
];

#[test]
fn every_codec_is_what_it_was_asked_for_and_has_the_same_key_frames() {
    let room = Room::new();
    let source = reader::plain(room.path(), 3);
    let mut text = String::new();
    for (name, container, keys, _) in FORMATS {
        // What the fastest is called depends on whether a codec has presets.
        let preset = if keys.contains("prores") || keys.contains("dnxhr") || keys.contains("mpeg2") {
            ""
        } else {
            ",preset=\"ultrafast\""
        };
        let audio = if container == "webm" {
            ""
        } else {
            "audio={codec=\"aac\"}\n"
        };
        write!(
            text,
            "[[group]]\nkind=\"file\"\ncontainer=\"{container}\"\n[[group.output]]\nname=\"{name}\"\n\
            video={{{keys}{preset},gop_s=0.72}}\n{audio}"
        )
        .expect("text");
    }
    let work = transcode(&text);
    let refused = reelmill::media::spec_check::check(&work);
    assert!(refused.is_empty(), "{refused:?}");
    let product = room.success(&source, &work);
    assert!(product.warnings.is_empty(), "{:?}", product.warnings);
    assert_eq!(product.outputs.len(), FORMATS.len());
    for (output, (name, _, keys, wanted)) in product.outputs.iter().zip(FORMATS) {
        let path: PathBuf = room.path().join("scratch").join(&output.files[0].scratch_path);
        let seen = reader::look(&path);
        let found = ["codec_name", "profile", "pix_fmt", "codec_tag_string"].map(|key| seen.word(key));
        for (found, wanted) in found.iter().zip(wanted).filter(|(_, wanted)| !wanted.is_empty()) {
            assert_eq!(found, wanted, "{name}: {found:?}");
        }
        assert_eq!(seen.packets.len(), 75, "{name}");
        if keys.contains("prores") || keys.contains("dnxhr") {
            assert_eq!(seen.keys_ms().len(), 75, "{name}: every picture is a key frame");
        } else {
            assert_eq!(seen.keys_ms(), [0, 720, 1440, 2160, 2880], "{name}");
        }
        if keys.contains("level=\"4.") {
            let level = seen.stream["level"].as_i64();
            assert_eq!(level, Some(if name == "h264" { 40 } else { 123 }), "{name}");
        }
        reader::decode(&path);
    }
}
