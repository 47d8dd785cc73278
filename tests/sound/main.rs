//! Is what is heard what the source sounds like: in time, in level, in every track, in every codec?

#[path = "../collection/mod.rs"]
mod collection;
mod layouts;
mod reader;
// Shared with other tests, which use what this one does not.
#[allow(dead_code)]
#[path = "../media_pass/room.rs"]
mod room;
mod tracks;

use reader::lag;
use reader::loudness;
use reader::make;
use reader::md5;
use reader::samples;
use reader::streams;
use reader::tone;
use reelmill::media::product::JobProduct;
use room::Room;
use room::transcode;
use std::path::Path;
use std::path::PathBuf;

const PICTURES: &str = "testsrc=s=160x90:r=25";
const X264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";

/// One file group: name, container, what else its output has.
fn group(name: &str, container: &str, output: &str) -> String {
    format!(
        "[[group]]\nname = \"{name}\"\nkind = \"file\"\ncontainer = \"{container}\"\n[[group.output]]\nname = \"{name}\"\n{output}\n"
    )
}

const VIDEO: &str = "video = { codec = \"h264\", preset = \"ultrafast\" }";

/// The file of an output.
fn file(room: &Room, product: &JobProduct, name: &str) -> PathBuf {
    let output = product.outputs.iter().find(|output| output.name == name);
    let output = output.unwrap_or_else(|| panic!("no output {name}"));
    room.path().join("scratch").join(&output.files[0].scratch_path)
}

/// Every n-th sample from one on.
fn channel(samples: &[f32], channel: usize, channels: usize) -> Vec<f32> {
    samples.iter().skip(channel).step_by(channels).copied().collect()
}

fn noise_with_pictures(directory: &Path) -> PathBuf {
    // Bursts of noise: their place can be told to the sample. Low ones, which encoders keep as they are.
    let noise = "aevalsrc='(2*random(0)-1)*if(lt(mod(t,0.5),0.1),0.8,0.01)':s=48000:d=2,lowpass=f=3000,lowpass=f=3000";
    make(
        directory,
        "noise.mov",
        &[&format!("{PICTURES}:d=2"), noise],
        &format!("{X264} -c:a pcm_s16le -shortest"),
    )
}

#[test]
fn nothing_lags_in_any_codec_or_container() {
    let room = Room::new();
    let source = noise_with_pictures(room.path());
    let kinds = [
        ("mp4", "aac", true),
        ("mp4", "opus", true),
        ("mp4", "mp3", false),
        ("mp4", "flac", false),
        ("mp4", "ac3", true),
        ("mp4", "eac3", false),
        ("m4a", "aac", false),
        ("mov", "aac", true),
        ("mov", "pcm", true),
        ("mkv", "aac", true),
        ("mkv", "opus", false),
        ("mkv", "mp3", false),
        ("mkv", "flac", false),
        ("mkv", "ac3", false),
        ("mkv", "pcm", false),
        ("webm", "opus", false),
        ("mp3", "mp3", false),
        ("flac", "flac", false),
        ("wav", "pcm", false),
        ("ogg", "opus", false),
        ("ogg", "flac", false),
    ];
    let name = |container: &str, codec: &str| format!("{container}-{codec}");
    let spec: String = kinds
        .iter()
        .map(|(container, codec, with_video)| {
            let video = if *with_video { VIDEO } else { "" };
            group(
                &name(container, codec),
                container,
                &format!("{video}\naudio = {{ codec = \"{codec}\" }}"),
            )
        })
        .collect();
    let product = room.success(&source, &transcode(&spec));
    assert!(product.dropped.is_empty(), "{:?}", product.dropped);
    assert!(product.warnings.is_empty(), "{:?}", product.warnings);
    let wanted = samples(&source, 0);
    for (container, codec, _) in kinds {
        let path = file(&room, &product, &name(container, codec));
        let made = samples(&path, 0);
        let (lag, likeness) = lag(&wanted, &made, 400);
        // Matroska counts milliseconds, an encoder's delay as well.
        let coarse = if container == "mkv" { 48 } else { 0 };
        assert!(
            lag.abs() <= coarse,
            "{container} {codec}: lag {lag}, likeness {likeness}"
        );
        assert!(likeness > 0.8, "{container} {codec}: {likeness}");
        // Nothing is lost at the end, and what encoders fill up with is not heard, where the container can say so.
        let longer = made.len() as i64 - wanted.len() as i64;
        // ffmpeg hears the last packet of MP4 and Matroska to its end, though the file says where it ends.
        let packet = match (container, codec) {
            (_, "ac3" | "eac3") => 1_536,
            ("mp3" | "ogg", _) | (_, "flac" | "pcm") => 0,
            _ => 1_152,
        };
        assert!(
            (0..=packet).contains(&longer),
            "{container} {codec}: {longer} samples longer"
        );
        if ["mp4", "mov"].contains(&container) && !["ac3", "eac3"].contains(&codec) {
            assert_eq!(streams(&path, "stream=duration"), ["2.000000"], "{container} {codec}");
        }
    }
}

#[test]
fn surround_is_kept_or_mixed_by_the_standard() {
    let room = Room::new();
    let hz = [400.0, 500.0, 600.0, 100.0, 700.0, 800.0];
    let inputs: Vec<String> = hz
        .iter()
        .map(|hz| format!("aevalsrc=0.5*sin({hz}*2*PI*t):s=48000:d=1"))
        .collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let source = make(
        room.path(),
        "surround.wav",
        &inputs,
        "-filter_complex join=inputs=6:channel_layout=5.1:map=0.0-FL|1.0-FR|2.0-FC|3.0-LFE|4.0-BL|5.0-BR -c:a pcm_s24le",
    );
    let spec = group("stereo", "wav", "audio = { codec = \"pcm\" }")
        + &group("mono", "flac", "audio = { codec = \"flac\", channels = 1 }")
        + &group("kept", "wav", "audio = { codec = \"pcm\", channels = \"source\" }")
        + &group("ac3", "mp4", "audio = { codec = \"ac3\", channels = 6 }")
        + &group(
            "aac",
            "m4a",
            "audio = { codec = \"aac\", channels = 6, bitrate_kbps = 384 }",
        )
        + &group("picked", "wav", "audio = { codec = \"pcm\", channel_map = [2, 4] }");
    let product = room.success(&source, &transcode(&spec));
    let front = 1.0 / (1.0 + 2.0 * std::f64::consts::FRAC_1_SQRT_2);
    let down = front * std::f64::consts::FRAC_1_SQRT_2;
    let stereo = samples(&file(&room, &product, "stereo"), 0);
    let weights = [
        [front, 0.0],
        [0.0, front],
        [down, down],
        [0.0, 0.0],
        [down, 0.0],
        [0.0, down],
    ];
    for (hz, weights) in hz.iter().zip(weights) {
        for (channel, weight) in weights.iter().enumerate() {
            let found = tone(&stereo, (channel, 2), 48_000.0, *hz) / 0.5;
            assert!(
                (found - weight).abs() < 0.001,
                "{hz} Hz in {channel}: {found}, not {weight}"
            );
        }
    }
    let mono = samples(&file(&room, &product, "mono"), 0);
    assert!((tone(&mono, (0, 1), 48_000.0, 400.0) - tone(&mono, (0, 1), 48_000.0, 500.0)).abs() < 0.001);
    assert_eq!(md5(&file(&room, &product, "kept"), 0, ""), md5(&source, 0, ""));
    for name in ["ac3", "aac"] {
        let path = file(&room, &product, name);
        let heard = samples(&path, 0);
        for (channel, hz) in hz.iter().enumerate() {
            let found = tone(&heard, (channel, 6), 48_000.0, *hz);
            assert!((found - 0.5).abs() < 0.05, "{name}: {hz} Hz is {found} in {channel}");
        }
    }
    let picked = samples(&file(&room, &product, "picked"), 0);
    assert!((tone(&picked, (0, 2), 48_000.0, 600.0) - 0.5).abs() < 0.001);
    assert!((tone(&picked, (1, 2), 48_000.0, 700.0) - 0.5).abs() < 0.001);
}

#[test]
fn what_is_not_to_change_does_not_change_by_a_bit() {
    let room = Room::new();
    let noise = "anoisesrc=r=44100:d=1:seed=3:a=0.9";
    for (format, codec) in [
        ("pcm_s16le", "pcm"),
        ("pcm_s24le", "pcm"),
        ("pcm_s32le", "pcm"),
        ("pcm_f32le", "pcm"),
        ("pcm_s16le", "flac"),
        ("pcm_s24le", "flac"),
    ] {
        let source = make(
            room.path(),
            &format!("{format}.wav"),
            &[noise],
            &format!("-ac 2 -c:a {format}"),
        );
        let container = if codec == "pcm" { "wav" } else { "flac" };
        let product = room.success(
            &source,
            &transcode(&group("out", container, &format!("audio = {{ codec = \"{codec}\" }}"))),
        );
        let path = file(&room, &product, "out");
        let how = format!("-c:a {format}");
        assert_eq!(md5(&path, 0, &how), md5(&source, 0, &how), "{format} {codec}");
    }
}

#[test]
fn loudness_is_brought_to_the_target_below_the_ceiling() {
    let room = Room::new();
    // Quiet speech-like noise with a few cracks that a plain gain would drive far beyond full scale.
    let sound = "anoisesrc=c=pink:r=48000:d=8:seed=11:a=0.05,volume='1+20*between(mod(t,2),0.5,0.501)':eval=frame";
    let source = make(room.path(), "quiet.wav", &[sound], "-ac 2 -c:a pcm_s24le");
    let (source_lufs, _) = loudness(&source, 0);
    assert!(source_lufs < -30.0, "{source_lufs}");
    let spec = group(
        "flac",
        "flac",
        "audio = { codec = \"flac\", loudness = { target_lufs = -16.0, true_peak_dbtp = -2.0 } }",
    ) + &group(
        "aac",
        "m4a",
        "audio = { codec = \"aac\", bitrate_kbps = 192, loudness = {} }",
    ) + &group("plain", "wav", "audio = { codec = \"pcm\" }");
    let product = room.success(&source, &transcode(&spec));
    let (lufs, peak) = loudness(&file(&room, &product, "flac"), 0);
    assert!((lufs + 16.0).abs() <= 0.5, "{lufs}");
    assert!(peak <= -2.0 + 0.2, "{peak}");
    let (lufs, _) = loudness(&file(&room, &product, "aac"), 0);
    assert!((lufs + 23.0).abs() <= 0.5, "{lufs}");
    assert_eq!(md5(&file(&room, &product, "plain"), 0, ""), md5(&source, 0, ""));
    let flac = product
        .outputs
        .iter()
        .find(|output| output.name == "flac")
        .expect("flac");
    let check = flac
        .proof
        .checks
        .iter()
        .find(|check| check.name == "loudness_lufs")
        .expect("a check");
    assert!(check.ok && check.expected.contains("source -"), "{check:?}");
    assert!(flac.proof.checks.iter().any(|check| check.name == "true_peak_dbtp"));
    // A part of it is measured by itself.
    let clip = format!(
        "clip = {{ start_s = 2.0, end_s = 6.0 }}\n{}",
        group(
            "out",
            "flac",
            "audio = { codec = \"flac\", loudness = { target_lufs = -20.0 } }"
        )
    );
    let product = room.success(&source, &transcode(&clip));
    let (lufs, _) = loudness(&file(&room, &product, "out"), 0);
    assert!((lufs + 20.0).abs() <= 0.5, "{lufs}");
}

#[test]
fn noise_of_which_a_codec_leaves_some_out_is_told_and_not_refused() {
    let room = Room::new();
    let source = make(
        room.path(),
        "rain.wav",
        &["anoisesrc=c=white:r=48000:d=6:seed=5:a=0.3"],
        "-ac 1 -c:a pcm_s16le",
    );
    let spec = group(
        "aac",
        "m4a",
        "audio = { codec = \"aac\", bitrate_kbps = 32, loudness = { target_lufs = -16.0 } }",
    ) + &group(
        "flac",
        "flac",
        "audio = { codec = \"flac\", loudness = { target_lufs = -16.0 } }",
    );
    let product = room.success(&source, &transcode(&spec));
    let (heard_lufs, _) = loudness(&file(&room, &product, "aac"), 0);
    assert!(heard_lufs < -16.5, "nothing to tell: {heard_lufs}");
    let told: Vec<&String> = product.warnings.iter().filter(|line| line.contains("LUFS")).collect();
    assert_eq!(told.len(), 1, "{:?}", product.warnings);
    let wanted = format!("heard at {heard_lufs:.1} LUFS");
    assert!(
        told[0].starts_with("aac: aac, track 1") && told[0].contains(&wanted),
        "{told:?}"
    );
    assert!((loudness(&file(&room, &product, "flac"), 0).0 + 16.0).abs() <= 0.5);
}

#[test]
fn each_track_is_brought_to_the_target_by_itself() {
    let room = Room::new();
    let source = make(
        room.path(),
        "tracks.mkv",
        &[
            &format!("{PICTURES}:d=8"),
            "sine=f=1000:r=48000:d=8,volume=-1dB",
            "sine=f=500:r=48000:d=8,volume=-25dB",
            "anullsrc=r=48000:cl=stereo:d=8",
            // Shorter than the film; the last too short to be measured.
            "anoisesrc=c=pink:r=48000:d=3:seed=3:a=0.1",
            "sine=f=900:r=48000:d=0.2",
        ],
        &format!("-map 0 -map 1 -map 2 -map 3 -map 4 -map 5 {X264} -c:a flac"),
    );
    let spec = group(
        "mkv",
        "mkv",
        &format!("{VIDEO}\naudio = {{ codec = \"aac\", loudness = {{ target_lufs = -20.0 }} }}"),
    );
    let product = room.success(&source, &transcode(&spec));
    let path = file(&room, &product, "mkv");
    for track in [0, 1, 3] {
        let (lufs, _) = loudness(&path, track);
        assert!((lufs + 20.0).abs() <= 0.5, "track {track}: {lufs}");
    }
    let said: Vec<&String> = product
        .warnings
        .iter()
        .filter(|line| line.contains("loudness was left"))
        .collect();
    assert!(
        said.len() == 2 && said[0].contains("silent") && said[1].contains("too short"),
        "{:?}",
        product.warnings
    );
    let quiet = samples(&path, 2);
    assert!(quiet.iter().all(|sample| sample.abs() < 1e-4), "silence stays silence");
}

#[test]
fn sound_too_short_to_be_measured_is_not_called_silent() {
    let room = Room::new();
    let loud = "audio = { codec = \"pcm\", loudness = { target_lufs = -16.0 } }";
    for (sound, said) in [("sine=r=48000:d=0.3", "too short"), ("anullsrc=r=48000:d=2", "silent")] {
        let source = make(room.path(), "short.wav", &[sound], "-t 2 -c:a pcm_s16le");
        let product = room.success(&source, &transcode(&group("out", "wav", loud)));
        assert!(
            product.warnings.len() == 1 && product.warnings[0].contains(said),
            "{said}: {:?}",
            product.warnings
        );
        assert_eq!(md5(&file(&room, &product, "out"), 0, ""), md5(&source, 0, ""));
    }
}

#[test]
fn a_wide_range_is_narrowed_when_asked() {
    let room = Room::new();
    let sound = "anoisesrc=c=pink:r=48000:d=60:seed=11:a=0.4,volume='if(lt(mod(t,20),10),0.05,0.5)':eval=frame";
    let source = make(room.path(), "wide.wav", &[sound], "-ac 1 -c:a pcm_s16le");
    let spec = group(
        "out",
        "flac",
        "audio = { codec = \"flac\", loudness = { target_lufs = -20.0, range_lu = 8.0 } }",
    );
    let product = room.success(&source, &transcode(&spec));
    let flac = &product.outputs[0];
    let check = flac
        .proof
        .checks
        .iter()
        .find(|check| check.name == "loudness_lufs")
        .expect("a check");
    let range = check
        .found
        .split("range ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let range: f64 = range.expect("a range").parse().expect("a number");
    assert!(range <= 9.0, "{check:?}");
    assert!((loudness(&file(&room, &product, "out"), 0).0 + 20.0).abs() <= 0.5);
    assert!(product.warnings.is_empty(), "{:?}", product.warnings);
}

#[test]
fn sound_keeps_its_place_beside_the_pictures() {
    let room = Room::new();
    // Sound that begins 0.6 s after the pictures and ends 1 s before them.
    let late = make(
        room.path(),
        "late.mkv",
        &[&format!("{PICTURES}:d=3"), "anoisesrc=r=48000:d=1.4:seed=2:a=0.4"],
        &format!("-af asetpts=PTS+0.6/TB {X264} -c:a pcm_s16le"),
    );
    let spec = group("out", "mp4", &format!("{VIDEO}\naudio = {{ codec = \"aac\" }}"))
        + &group("wav", "wav", "audio = { codec = \"pcm\" }");
    let product = room.success(&late, &transcode(&spec));
    let wav = samples(&file(&room, &product, "wav"), 0);
    assert_eq!(wav.len(), 96_000, "0.6 s of silence and 1.4 s of sound");
    assert!(wav[..28_799].iter().all(|sample| *sample == 0.0) && wav[28_802..28_900].iter().any(|s| *s != 0.0));
    let out = product.outputs.iter().find(|output| output.name == "out").expect("out");
    let check = out
        .proof
        .checks
        .iter()
        .find(|check| check.name == "av_end_skew_ms")
        .expect("a check");
    assert!(check.expected.starts_with("1000.0"), "{check:?}");

    // A hole in the middle is silence of its length.
    let hole = make(
        room.path(),
        "hole.mkv",
        &["anoisesrc=r=48000:d=3:seed=2:a=0.4,aselect='lt(t,1)+gte(t,2)'"],
        "-c:a pcm_s16le",
    );
    let product = room.success(&hole, &transcode(&group("wav", "wav", "audio = { codec = \"pcm\" }")));
    let wav = samples(&file(&room, &product, "wav"), 0);
    assert!((wav.len() as i64 - 144_000).abs() <= 48, "{}", wav.len());
    let quiet = wav.iter().filter(|sample| **sample == 0.0).count();
    assert!((47_000..49_000).contains(&quiet), "{quiet}");
    assert!(
        product.warnings.iter().any(|line| line.contains("moved")),
        "{:?}",
        product.warnings
    );
}

#[test]
fn layouts_and_rates_may_change_in_the_middle() {
    let room = Room::new();
    let stereo = make(room.path(), "a.ac3", &["sine=f=500:r=48000:d=1"], "-ac 2 -c:a ac3");
    let surround = make(room.path(), "b.ac3", &["sine=f=500:r=48000:d=1"], "-ac 6 -c:a ac3");
    let joined = room.path().join("joined.ac3");
    let mut bytes = std::fs::read(&stereo).expect("read");
    bytes.extend(std::fs::read(&surround).expect("read"));
    std::fs::write(&joined, bytes).expect("write");
    let spec = group("wav", "wav", "audio = { codec = \"pcm\", channels = 2 }");
    let product = room.success(&joined, &transcode(&spec));
    let wav = samples(&file(&room, &product, "wav"), 0);
    assert!((wav.len() as i64 / 2 - 96_000).abs() < 4_000, "{}", wav.len());

    for (rate, codec, container) in [
        (96_000, "aac", "mp4"),
        (192_000, "mp3", "mp3"),
        (11_025, "opus", "ogg"),
        (44_100, "opus", "webm"),
    ] {
        let source = make(
            room.path(),
            "rate.wav",
            &[&format!(
                "aevalsrc='0.4*(2*random(0)-1)*between(t,0.4,0.6)':s={rate}:d=1,lowpass=f=2000"
            )],
            "-c:a pcm_s16le",
        );
        let product = room.success(
            &source,
            &transcode(&group(
                "out",
                container,
                &format!("audio = {{ codec = \"{codec}\", sample_rate_hz = 48000 }}"),
            )),
        );
        let back = room.path().join("back.wav");
        reader::ffmpeg(&["-i", source.to_str().expect("text"), "-ar", "48000"], &back);
        let (lag, likeness) = lag(&samples(&back, 0), &samples(&file(&room, &product, "out"), 0), 200);
        assert!(lag.abs() <= 1 && likeness > 0.95, "{rate} {codec}: {lag} {likeness}");
    }
}
