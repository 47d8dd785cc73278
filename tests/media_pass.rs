//! The one pass on real and on made files: what comes out, and how it fails.

mod collection;
mod media_pass {
    pub mod room;
}

use collection::media;
use media_pass::room::Room;
use media_pass::room::backend;
use media_pass::room::probe;
use media_pass::room::sample;
use media_pass::room::transcode;
use reelmill::base::fault::Fault;
use reelmill::media::facts::MediaFacts;
use reelmill::media::product::JobEnd;
use reelmill::media::product::Place;
use reelmill::media::product::ProductKind;
use reelmill::media::product::reference;
use reelmill::media::spec::MediaWork;
use std::path::Path;
use std::process::Command;

const LADDER: &str = r#"
[[group]]
kind = "file"
[[group.output]]
name = "360p"
video = { codec = "h264", height = 360, preset = "ultrafast", rate = "vbr", bitrate_kbps = 800, max_bitrate_kbps = 1200, gop_s = 1.0 }
audio = { codec = "aac" }
[[group.output]]
name = "180p"
video = { codec = "h264", height = 180, preset = "ultrafast", crf = 28, gop_s = 1.0 }
audio = { codec = "aac" }
[[group]]
kind = "hls"
segment_s = 2.0
[[group.output]]
name = "360p"
video = { codec = "h264", height = 360, preset = "ultrafast", rate = "vbr", bitrate_kbps = 800, max_bitrate_kbps = 1200, gop_s = 1.0 }
audio = { codec = "aac" }
[[group.output]]
name = "180p"
video = { codec = "h264", height = 180, preset = "ultrafast", crf = 28, gop_s = 1.0 }
audio = { codec = "aac" }
"#;

fn one_file(video: &str, more: &str) -> String {
    format!(
        "{more}\n[[group]]\nkind = \"file\"\n[[group.output]]\nname = \"out\"\n\
        video = {{ codec = \"h264\", preset = \"ultrafast\", {video} }}\naudio = {{ codec = \"aac\" }}\n"
    )
}

/// Time stamps of key frames of a file, by an independent reader.
fn key_times(path: &Path) -> Vec<f64> {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v",
            "-show_entries",
            "packet=pts_time,flags",
            "-of",
            "csv=p=0",
        ])
        .arg(path)
        .output()
        .expect("ffprobe runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let keys = text.lines().filter(|line| line.contains('K'));
    keys.filter_map(|line| line.split(',').next()?.parse().ok()).collect()
}

fn video_of(facts: &MediaFacts) -> (u32, u32) {
    let (_, video) = facts.main_video().expect("video");
    (video.width, video.height)
}

#[test]
fn a_ladder_comes_out_whole_aligned_and_proved() {
    let room = Room::new();
    let source = sample(room.path(), 7);
    let product = room.success(&source, &transcode(LADDER));
    assert!(product.warnings.is_empty() && product.dropped.is_empty(), "{product:?}");
    assert_eq!(product.backend, if backend::is_gpu() { "gpu" } else { "software" });
    assert_eq!(product.outputs.len(), 3);
    for output in &product.outputs {
        assert!(output.proof.checks.len() >= 8 && output.proof.checks.iter().all(|check| check.ok));
        for file in &output.files {
            let bytes = std::fs::read(room.path().join("scratch").join(&file.scratch_path)).expect("the file is there");
            assert_eq!(bytes.len() as u64, file.size_bytes);
            assert_eq!(reelmill::media::digest::of_bytes(&bytes), file.md5);
        }
    }
    let file = |number: usize| {
        room.path()
            .join("scratch")
            .join(&product.outputs[number].files[0].scratch_path)
    };
    let wanted: Vec<f64> = (0..7).map(f64::from).collect();
    assert_eq!(key_times(&file(0)), wanted);
    assert_eq!(
        key_times(&file(1)),
        wanted,
        "key frames of all renditions stand at the same times"
    );
    let bytes = std::fs::read(file(0)).expect("read");
    let at = |four: &[u8]| bytes.windows(4).position(|window| window == four).expect("a box");
    assert!(at(b"moov") < at(b"mdat"), "the index is at the front");

    let set = &product.outputs[2];
    assert_eq!(
        (set.kind, set.name.as_str(), set.extension.as_str()),
        (ProductKind::Hls, "hls", ".m3u8")
    );
    let places: Vec<&Place> = set.files.iter().map(|file| &file.place).collect();
    for wanted in [
        "360p/init.mp4",
        "360p/seg-00004.m4s",
        "180p/index.m3u8",
        "audio/seg-00001.m4s",
    ] {
        assert!(
            places.contains(&&Place::Inside(wanted.to_owned())),
            "{wanted} in {places:?}"
        );
    }
    let master_file = set.files.last().expect("files");
    assert!(
        master_file.place == Place::Main && master_file.names_others,
        "the master is published last"
    );
    let root = room.path().join("scratch").join(&master_file.scratch_path);
    let master = std::fs::read_to_string(&root).expect("read");
    assert!(master.contains(&reference(&Place::Inside("360p/index.m3u8".to_owned()))));
    assert_eq!(
        master.matches("#EXT-X-MEDIA:TYPE=AUDIO").count(),
        1,
        "one sound for all rungs:\n{master}"
    );
    // x264's fastest preset leaves out what makes High of Main.
    let profile = if backend::is_gpu() { "6400" } else { "4d40" };
    let variant = format!("RESOLUTION=640x360,FRAME-RATE=30.000,CODECS=\"avc1.{profile}1e,mp4a.40.2\",AUDIO=\"audio\"");
    assert!(master.contains(&variant), "{master}");

    // A player other than this engine, on the names a publisher would put in.
    let published = master.replace("{reelmill:inside:", "").replace('}', "");
    std::fs::write(&root, published).expect("write");
    let facts = probe_hls(&root);
    assert!(
        facts.contains("codec_name=h264") && facts.contains("codec_name=aac"),
        "{facts}"
    );
    let decoded = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(&root)
        .args(["-map", "0:v:0", "-map", "0:a:0", "-f", "null", "-"])
        .output()
        .expect("ffmpeg runs");
    assert!(
        decoded.status.success() && decoded.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&decoded.stderr)
    );
}

fn probe_hls(path: &Path) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "stream=codec_name,start_time"])
        .arg(path)
        .output()
        .expect("ffprobe runs");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn renditions_are_not_enlarged_and_clips_are_cut_to_the_frame() {
    let room = Room::new();
    let source = sample(room.path(), 6);
    let clip = one_file("height = 720", "clip = { start_s = 1.5, end_s = 3.5 }");
    let product = room.success(&source, &transcode(&clip));
    let facts = product.outputs[0].facts.as_ref().expect("facts");
    assert_eq!(video_of(facts), (640, 360));
    assert_eq!(facts.main_video().expect("video").0.frame_count, Some(60));
    assert!((facts.duration_s.expect("duration") - 2.0).abs() < 0.03, "{facts:?}");
}

#[test]
fn another_frame_rate_repeats_or_leaves_out() {
    let room = Room::new();
    let source = sample(room.path(), 2);
    for (fps, frames) in [("15", 30), ("60", 120), ("29.97", 60)] {
        let product = room.success(
            &source,
            &transcode(&one_file(&format!("height = 180, fps = {fps}"), "")),
        );
        let facts = product.outputs[0].facts.as_ref().expect("facts");
        assert_eq!(facts.main_video().expect("video").0.frame_count, Some(frames), "{fps}");
    }
}

#[test]
fn pictures_ride_the_pass_or_go_alone() {
    let room = Room::new();
    let source = sample(room.path(), 6);
    let sprite = MediaWork::Snapshot(
        toml::from_str("mode = \"sprite\"\ninterval_s = 2\ncolumns = 3\nlines = 1\ncell_width = 160").expect("a spec"),
    );
    let ends = room
        .carry_out(&source, &[transcode(LADDER), sprite.clone()])
        .expect("a pass");
    assert_eq!(ends.len(), 2);
    for (_, end) in ends.iter().chain(&room.carry_out(&source, &[sprite]).expect("alone")) {
        assert!(matches!(end, JobEnd::Success(_)), "{end:?}");
    }
}

#[test]
fn sources_without_sound_or_pictures() {
    let room = Room::new();
    if let Some(path) = media("tc_bt709_full_range.mp4") {
        let product = room.success(&path, &transcode(LADDER));
        let facts = product.outputs[0].facts.as_ref().expect("facts");
        let (_, video) = facts.main_video().expect("video");
        assert_eq!(
            (video.color_range.as_str(), video.color_space.as_str()),
            ("pc", "bt709")
        );
        assert!(facts.main_audio().is_none());
    }
    if let Some(path) = media("ax_sample_audio_only.mp4") {
        let product = room.success(&path, &transcode(LADDER));
        assert_eq!(product.outputs[0].extension, ".m4a");
        let still = MediaWork::Snapshot(toml::from_str("").expect("a spec"));
        let ends = room.carry_out(&path, &[still]).expect("ended");
        assert!(matches!(&ends[0].1, JobEnd::Skipped { .. }), "{ends:?}");
    }
    if let Some(path) = media("ax_sample_audio_only.mp4") {
        let silent =
            "[[group]]\nkind = \"file\"\n[[group.output]]\nname = \"v\"\nvideo = { codec = \"h264\", height = 180 }\n";
        let ends = room.carry_out(&path, &[transcode(silent)]).expect("ended");
        assert!(matches!(&ends[0].1, JobEnd::Skipped { .. }), "{ends:?}");
    }
}

#[test]
fn turned_interlaced_hdr_and_changing_sources() {
    let room = Room::new();
    let table: &[(&str, (u32, u32), &str)] = &[
        ("ax_portrait_4k60.mp4", (180, 320), "a phone held upright"),
        ("fate_interlaced_crop.mp4", (320, 180), "fields"),
        ("ax_hlg10-color-test.mp4", (320, 180), "HLG"),
        ("fate_hdr10tags-both.mkv", (180, 316), "PQ, turned"),
        ("fate_mpeg2_field_encoding.mp4", (240, 180), "16:15 pixels"),
        ("fate_frame_size_change.mp4", (320, 180), "sizes that change"),
        ("imageio_newtonscradle.gif", (240, 180), "a palette"),
    ];
    for (name, size, what) in table {
        let Some(path) = media(name) else { continue };
        let product = room.success(&path, &transcode(&one_file("height = 180, upscale = true", "")));
        let facts = product.outputs[0].facts.as_ref().expect("facts");
        let (_, video) = facts.main_video().expect("video");
        assert_eq!((video.width, video.height), *size, "{what}");
        assert_eq!(video.hdr, "sdr", "{what}");
        assert_eq!((video.rotation_degrees, video.sample_aspect_ratio), (0, None), "{what}");
        if name.contains("hlg") || name.contains("hdr") {
            assert_eq!(video.color_transfer, "bt709", "{what}");
        }
    }
}

fn refusal(room: &Room, source: &Path) -> Fault {
    room.carry_out(source, &[transcode(LADDER)])
        .expect_err("the attempt fails")
}

#[test]
fn truncated_and_damaged_sources_fail_the_attempt() {
    let room = Room::new();
    let source = sample(room.path(), 6);
    let bytes = std::fs::read(&source).expect("read");
    let half = room.path().join("half.mp4");
    std::fs::write(&half, &bytes[..bytes.len() * 2 / 3]).expect("write");
    assert_eq!(refusal(&room, &half).code, "SourceTruncated");
    let partial = format!("partial = true\n{LADDER}");
    let product = room.success(&half, &transcode(&partial));
    assert!(
        product.warnings.iter().any(|warning| warning.contains("truncated")),
        "{:?}",
        product.warnings
    );
    let facts = probe(
        &room
            .path()
            .join("scratch")
            .join(&product.outputs[0].files[0].scratch_path),
    );
    assert!(
        facts
            .duration_s
            .is_some_and(|duration_s| duration_s > 1.0 && duration_s < 6.0)
    );

    let damaged = room.path().join("damaged.mp4");
    let mut broken = bytes.clone();
    let mdat = bytes.windows(4).position(|four| four == b"mdat").expect("data") + 4000;
    for (number, byte) in broken[mdat..].iter_mut().enumerate() {
        if number % 97 == 0 {
            *byte ^= 0x55;
        }
    }
    std::fs::write(&damaged, broken).expect("write");
    assert_eq!(refusal(&room, &damaged).code, "SourceDamaged");
}

#[test]
fn an_output_that_cannot_be_written_fails_its_job_only() {
    let room = Room::new();
    let source = sample(room.path(), 3);
    // Each refuses something else: NVENC takes presets by their place in a row, and makes no MPEG-2.
    let (video, code) = if backend::is_gpu() {
        ("codec = \"mpeg2\", height = 180", "BackendUnavailable")
    } else {
        ("codec = \"h264\", height = 180, preset = \"nonsense\"", "OutputFailed")
    };
    let bad = format!(
        "[[group]]\nkind = \"file\"\ncontainer = \"ts\"\n[[group.output]]\nname = \"good\"\n\
         video = {{ codec = \"h264\", height = 180, preset = \"ultrafast\" }}\n\
         [[group.output]]\nname = \"x\"\nvideo = {{ {video} }}\n"
    );
    // Also where the source is not read to its end, because nobody waits for anything any more: the rendition that was
    // not gone on with is not what failed.
    for beside in [vec![], vec![transcode(LADDER)]] {
        let jobs = [vec![transcode(&bad)], beside].concat();
        let ends = room.carry_out(&source, &jobs).expect("a pass");
        let JobEnd::Failed { fault } = &ends[0].1 else {
            panic!("{ends:?}");
        };
        assert_eq!((fault.code.as_str(), fault.subject.as_str()), (code, "x"), "{fault}");
        assert!(
            ends[1..].iter().all(|(_, end)| matches!(end, JobEnd::Success(_))),
            "{ends:?}"
        );
    }
}

#[test]
fn a_pass_stops_when_asked() {
    let room = Room::stopping_after(2);
    let source = sample(room.path(), 20);
    let fault = refusal(&room, &source);
    assert_eq!((fault.code.as_str(), fault.retryable), ("Stopped", true));
    assert!(room.ends().is_empty());
}
