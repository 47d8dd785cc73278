//! Every codec, depth and profile: what a second reader finds in it.

use crate::reader;
use crate::room::Room;
use crate::room::backend;
use crate::room::transcode;
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
        ["prores", "4444", "yuv444p12le", "ap4h"],
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

/// Whether encoders of a device make it, where one is demanded.
fn is_made(keys: &str) -> bool {
    let codec = keys.split('"').nth(1).expect("a codec");
    let is_high = keys.contains("high10") || keys.contains("high422");
    !backend::is_gpu() || backend::makes(codec) && !is_high
}

/// One rendition of a format.
fn output_of(name: &str, container: &str, keys: &str) -> String {
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
    format!(
        "[[group]]\nkind=\"file\"\ncontainer=\"{container}\"\n[[group.output]]\nname=\"{name}\"\n\
         video={{{keys}{preset},gop_s=0.72}}\n{audio}"
    )
}

#[test]
fn every_codec_is_what_it_was_asked_for_and_has_the_same_key_frames() {
    let room = Room::new();
    let source = reader::plain(room.path(), 3);
    let mut text = String::new();
    let (wanted, refused): (Vec<_>, Vec<_>) = FORMATS.into_iter().partition(|(_, _, keys, _)| is_made(keys));
    for (name, container, keys, _) in refused {
        let work = transcode(&output_of(name, container, keys));
        room.refused(&source, &work, "NVENC does not make");
    }
    for (name, container, keys, _) in &wanted {
        text.push_str(&output_of(name, container, keys));
    }
    let work = transcode(&text);
    let refused = reelmill::media::spec_check::check(&work);
    assert!(refused.is_empty(), "{refused:?}");
    let product = room.success(&source, &work);
    assert!(product.warnings.is_empty(), "{:?}", product.warnings);
    assert_eq!(product.outputs.len(), wanted.len());
    for (output, (name, _, keys, wanted)) in product.outputs.iter().zip(wanted) {
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

#[test]
fn key_frames_are_counted_alike_by_every_encoder() {
    let room = Room::new();
    let source = reader::plain(room.path(), 2);
    let outputs: String = ["h264", "hevc", "av1", "vp9", "mpeg2"]
        .iter()
        .filter(|codec| !backend::is_gpu() || backend::makes(codec))
        .map(|codec| {
            let preset = if *codec == "mpeg2" { "" } else { ",preset=\"ultrafast\"" };
            format!("[[group.output]]\nname=\"{codec}\"\nvideo={{codec=\"{codec}\"{preset},gop_frames=12}}\n")
        })
        .collect();
    let product = room.success(
        &source,
        &transcode(&format!("[[group]]\nkind=\"file\"\ncontainer=\"mkv\"\n{outputs}")),
    );
    for output in &product.outputs {
        let seen = reader::look(&room.path().join("scratch").join(&output.files[0].scratch_path));
        assert_eq!(seen.keys_ms(), [0, 480, 960, 1440, 1920], "{}", output.name);
    }
}

#[test]
fn a_set_of_several_codecs_is_cut_at_the_same_times_and_names_them() {
    let room = Room::new();
    let source = reader::plain(room.path(), 3);
    let codecs: Vec<&str> = ["h264", "hevc", "av1", "vp9"]
        .into_iter()
        .filter(|codec| !backend::is_gpu() || backend::makes(codec))
        .collect();
    let outputs: String = codecs
        .iter()
        .map(|codec| {
            format!("[[group.output]]\nname=\"{codec}\"\nvideo={{codec=\"{codec}\",preset=\"ultrafast\",gop_s=1.0}}\n")
        })
        .collect();
    let product = room.success(
        &source,
        &transcode(&format!("[[group]]\nkind=\"hls\"\nsegment_s=1.0\n{outputs}")),
    );
    let root = room.path().join("scratch");
    let master = product.outputs[0].files.last().expect("files");
    let text = std::fs::read_to_string(root.join(&master.scratch_path)).expect("read");
    for name in ["\"avc1.", "\"hvc1.1.6.L", "\"av01.0.", "\"vp09.00."]
        .iter()
        .take(codecs.len())
    {
        assert!(text.contains(&format!("CODECS={name}")), "{name} in {text}");
    }
    let lengths: Vec<Vec<String>> = product.outputs[0]
        .files
        .iter()
        .filter(|file| file.scratch_path.ends_with("/index.m3u8"))
        .map(|file| {
            let text = std::fs::read_to_string(root.join(&file.scratch_path)).expect("read");
            text.lines()
                .filter(|line| line.starts_with("#EXTINF"))
                .map(str::to_owned)
                .collect()
        })
        .collect();
    assert_eq!(lengths.len(), codecs.len());
    assert!(
        lengths.iter().all(|of_one| of_one == &lengths[0] && of_one.len() == 3),
        "{lengths:?}"
    );
}

#[test]
fn hdr10_is_carried_by_the_codecs_that_keep_it() {
    let room = Room::new();
    let source = reader::clip(
        room.path(),
        "hdr10.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=320x180:r=25:d=1",
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p10le",
            "-x265-params",
            "log-level=none:hdr10=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range=limited:\
            master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400",
        ],
    );
    let outputs: String = [("hevc", true), ("av1", true), ("vp9", true), ("h264", false)]
        .iter()
        .filter(|(codec, _)| !backend::is_gpu() || backend::makes(codec))
        .map(|(codec, deep)| {
            let depth = if *deep { ",bit_depth=10" } else { "" };
            format!(
                "[[group.output]]\nname=\"{codec}\"\nvideo={{codec=\"{codec}\",preset=\"ultrafast\",gop_s=0.4{depth}}}\n"
            )
        })
        .collect();
    let product = room.success(&source, &transcode(&format!("[[group]]\nkind=\"file\"\n{outputs}")));
    for output in &product.outputs {
        let seen = reader::look(&room.path().join("scratch").join(&output.files[0].scratch_path));
        let light = seen.stream["side_data_list"].to_string();
        let keeps = output.name != "h264";
        assert_eq!(seen.word("color_transfer") == "smpte2084", keeps, "{}", output.name);
        assert_eq!(
            light.contains("\"max_content\":1000") && light.contains("\"red_x\":\"34000/50000\""),
            keeps,
            "{}: {light}",
            output.name
        );
    }
}
