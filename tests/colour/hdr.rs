//! HDR is shown as SDR where the rendition is SDR, and stays HDR where the rendition keeps it.

use crate::FINE;
use crate::clips::Rgb;
use crate::clips::ffmpeg;
use crate::clips::ffprobe;
use crate::room;
use crate::room::Room;
use crate::room::transcode;
use crate::transcoded;
use reelmill::media::product::JobEnd;
use reelmill::media::spec::MediaWork;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// Light of the bars, cd/m2: black, a grey card, SDR's white, HDR's usual white, a highlight.
const LIGHTS: [f64; 5] = [0.0, 26.0, 100.0, 203.0, 800.0];

/// The PQ code of a light, ten bits in limited range.
pub fn pq_code(nits: f64) -> u16 {
    let y = (nits / 10_000.0).powf(0.159_301_757_812_5);
    let value = ((0.835_937_5 + 18.851_562_5 * y) / (1.0 + 18.687_5 * y)).powf(78.843_75);
    (64.0 + 876.0 * value).round() as u16
}

/// The HLG code of a scene light in 0..=1.
fn hlg_code(light: f64) -> u16 {
    let value = if light <= 1.0 / 12.0 {
        (3.0 * light).sqrt()
    } else {
        0.178_832_77 * (12.0 * light - 0.284_668_92).ln() + 0.559_910_73
    };
    (64.0 + 876.0 * value).round() as u16
}

/// A clip of five grey bars of these codes, HEVC in ten bits.
pub fn grey_bars(directory: &Path, codes: [u16; 5], transfer: &str, params: &str) -> PathBuf {
    let raw = directory.join("hdr.yuv");
    let (width, height) = (320_usize, 180_usize);
    let mut frame: Vec<u8> = Vec::new();
    for _ in 0..height {
        frame.extend((0..width).flat_map(|x| codes[x * 5 / width].to_le_bytes()));
    }
    frame.extend(512_u16.to_le_bytes().repeat(width * height / 2));
    std::fs::write(&raw, frame.repeat(10)).expect("write");
    let path = directory.join(format!("{transfer}.mp4"));
    let words = format!(
        "-f rawvideo -pix_fmt yuv420p10le -s {width}x{height} -r 25 -i {{}} -c:v libx265 -preset ultrafast \
         -color_primaries bt2020 -color_trc {transfer} -colorspace bt2020nc -color_range tv \
         -x265-params log-level=error:crf=2:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc{params} {{}}"
    );
    ffmpeg(&words, &[&raw, &path]);
    path
}

/// Brightness of the bars, 0..=255, all neutral.
fn brightness(path: &Path) -> Vec<i32> {
    let picture = Rgb::of(path, 3);
    (0..5)
        .map(|bar| {
            let [red, green, blue] = picture.at((f64::from(bar) + 0.5) / 5.0, 0.5);
            assert!(
                (red - green).abs() <= 4 && (blue - green).abs() <= 4,
                "not grey: {red} {green} {blue}"
            );
            green
        })
        .collect()
}

fn plausible(found: &[i32], what: &str) {
    assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{what}: {found:?}");
    assert!(found[0] <= 6, "{what}: black is {}", found[0]);
    // A grey card is at 41 % of SDR, its white where subtitles are put; a highlight is not cut off flat.
    assert!((70..=130).contains(&found[1]), "{what}: a grey card is {}", found[1]);
    assert!((160..=230).contains(&found[3]), "{what}: white is {}", found[3]);
    assert!((215..=255).contains(&found[4]), "{what}: a highlight is {}", found[4]);
}

#[test]
fn hdr10_is_shown_in_sdr_as_bright_as_it_was_meant() {
    let room = Room::new();
    for (params, what) in [
        ("", "nothing said"),
        (
            ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=800,200",
            "graded at 1000 cd/m2",
        ),
    ] {
        let source = grey_bars(room.path(), LIGHTS.map(pq_code), "smpte2084", params);
        plausible(&brightness(&transcoded(&room, &source, FINE)), what);
        // Mapped at the size that is wanted, where that is much smaller.
        let small = transcoded(&room, &source, &format!("{FINE}, height = 128"));
        assert_eq!(ffprobe("stream=width,height", &small), ["228,128"]);
        plausible(&brightness(&small), what);
    }
}

#[test]
fn hlg_is_shown_in_sdr_as_bright_as_it_was_meant() {
    let room = Room::new();
    // Scene light of the same displayed lights on a screen of 1000 cd/m2, whose gamma is 1.2.
    let codes = LIGHTS.map(|nits| hlg_code((nits / 1000.0).powf(1.0 / 1.2)));
    let source = grey_bars(room.path(), codes, "arib-std-b67", "");
    plausible(&brightness(&transcoded(&room, &source, FINE)), "HLG");
}

const DISPLAY: &str =
    ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=800,200";

/// Luma codes of the bars, ten bits, as the independent reader decodes them.
fn luma_codes(path: &Path) -> Vec<u16> {
    let bytes = ffmpeg("-i {} -frames:v 1 -f rawvideo -pix_fmt yuv420p10le -", &[path]);
    let row = 90 * 320 * 2;
    (0..5)
        .map(|bar| {
            let at = row + (bar * 64 + 32) * 2;
            u16::from_le_bytes([bytes[at], bytes[at + 1]])
        })
        .collect()
}

fn side_data(path: &Path) -> String {
    let frame = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-show_frames",
            "-read_intervals",
            "%+#1",
        ])
        .args(["-show_entries", "frame_side_data"])
        .args(["-of", "compact"])
        .arg(path)
        .output()
        .expect("ffprobe runs");
    let stream = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-show_entries",
            "stream_side_data",
            "-of",
            "compact",
        ])
        .arg(path)
        .output()
        .expect("ffprobe runs");
    format!(
        "{} {}",
        String::from_utf8_lossy(&frame.stdout),
        String::from_utf8_lossy(&stream.stdout)
    )
}

#[test]
fn hdr10_is_kept_beside_an_sdr_rendition_of_the_same_decode() {
    let room = Room::new();
    let codes = LIGHTS.map(pq_code);
    let source = grey_bars(room.path(), codes, "smpte2084", DISPLAY);
    let work = transcode(
        r#"
[[group]]
kind = "file"
[[group.output]]
name = "hevc"
video = { codec = "hevc", bit_depth = 10, preset = "ultrafast", crf = 4 }
[[group.output]]
name = "av1"
video = { codec = "av1", bit_depth = 10, preset = "ultrafast", crf = 12 }
[[group.output]]
name = "small"
video = { codec = "hevc", bit_depth = 10, preset = "ultrafast", crf = 4, height = 144 }
[[group.output]]
name = "sdr"
video = { codec = "h264", preset = "ultrafast", crf = 4 }
"#,
    );
    let product = room.success(&source, &work);
    for output in &product.outputs {
        let path = room.path().join("scratch").join(&output.files[0].scratch_path);
        let said = ffprobe(
            "stream=pix_fmt,color_range,color_space,color_transfer,color_primaries",
            &path,
        )
        .remove(0);
        let beside = side_data(&path);
        if output.name == "sdr" {
            assert_eq!(said, "yuv420p,tv,bt709,bt709,bt709");
            assert!(!beside.contains("Mastering") && !beside.contains("light"), "{beside}");
            plausible(&brightness(&path), "SDR beside HDR");
            continue;
        }
        assert_eq!(said, "yuv420p10le,tv,bt2020nc,smpte2084,bt2020", "{}", output.name);
        assert!(
            beside.contains("max_luminance=10000000/10000"),
            "{}: {beside}",
            output.name
        );
        assert!(
            beside.contains("max_content=800|max_average=200"),
            "{}: {beside}",
            output.name
        );
        let checks = &output.proof.checks;
        for name in ["pixel_format", "hdr_metadata", "color"] {
            assert!(checks.iter().any(|check| check.name == name && check.ok), "{checks:?}");
        }
        if output.name != "small" {
            for (found, wanted) in luma_codes(&path).iter().zip(codes) {
                assert!(found.abs_diff(wanted) <= 4, "{}: {found} for {wanted}", output.name);
            }
        }
    }
    assert_eq!(product.outputs.len(), 4);
}

#[test]
fn hlg_is_kept_in_ten_bits() {
    let room = Room::new();
    let codes = [64, 300, 500, 721, 900];
    let source = grey_bars(room.path(), codes, "arib-std-b67", "");
    let output = transcoded(
        &room,
        &source,
        "codec = \"hevc\", bit_depth = 10, preset = \"ultrafast\", crf = 4",
    );
    let said = ffprobe("stream=pix_fmt,color_transfer", &output).remove(0);
    assert_eq!(said, "yuv420p10le,arib-std-b67");
    for (found, wanted) in luma_codes(&output).iter().zip(codes) {
        assert!(found.abs_diff(wanted) <= 4, "{found} for {wanted}");
    }
}

#[test]
fn ten_bits_of_sdr_keep_ten_bits() {
    let room = Room::new();
    // Neighbouring codes that are one and the same in eight bits.
    let codes = [400, 401, 402, 403, 404];
    let raw = grey_bars(room.path(), codes, "bt2020-10", "");
    let source = room.path().join("deep.mkv");
    ffmpeg(
        "-i {} -vf format=yuv420p10le -c:v ffv1 -color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range tv {}",
        &[&raw, &source],
    );
    let before = luma_codes(&source);
    assert_eq!(before, codes);
    let output = transcoded(
        &room,
        &source,
        "codec = \"hevc\", bit_depth = 10, preset = \"ultrafast\", crf = 0",
    );
    for (found, wanted) in luma_codes(&output).iter().zip(codes) {
        assert!(found.abs_diff(wanted) <= 1, "{found} for {wanted}");
    }
    let shallow = transcoded(&room, &source, FINE);
    let bytes = ffmpeg("-i {} -frames:v 1 -f rawvideo -pix_fmt yuv420p -", &[&shallow]);
    let mean: f64 = bytes[90 * 320..91 * 320]
        .iter()
        .map(|luma| f64::from(*luma))
        .sum::<f64>()
        / 320.0;
    assert!((mean - 100.5).abs() <= 0.6, "rounded, not cut: {mean}");
}

#[test]
fn stills_of_hdr_are_sdr_with_a_pass_and_without_one() {
    let room = Room::new();
    let source = grey_bars(room.path(), LIGHTS.map(pq_code), "smpte2084", DISPLAY);
    let poster = || MediaWork::Snapshot(serde_json::from_str(r#"{"times":["0"],"format":"png"}"#).expect("a snapshot"));
    let kept = crate::one_file("codec = \"hevc\", bit_depth = 10, preset = \"ultrafast\", crf = 20");
    let mut seen = Vec::new();
    for work in [vec![kept, poster()], vec![poster()]] {
        let ends = room.carry_out(&source, &work).expect("both end");
        let Some((_, JobEnd::Success(product))) = ends.last() else {
            panic!("{ends:?}");
        };
        let path = room
            .path()
            .join("scratch")
            .join(&product.outputs[0].files[0].scratch_path);
        let still = image_of(&path);
        plausible(&still, "a still");
        seen.push(still);
    }
    for (with, without) in seen[0].iter().zip(&seen[1]) {
        assert!((with - without).abs() <= 4, "{seen:?}");
    }
}

fn image_of(path: &Path) -> Vec<i32> {
    let picture = Rgb::of(path, 0);
    (0..5)
        .map(|bar| picture.at((f64::from(bar) + 0.5) / 5.0, 0.5)[1])
        .collect()
}

/// Puts a Dolby Vision configuration behind the last box of the sample entry of an MP4 whose index stands at its end.
fn say_dolby(path: &Path, profile: u16, compatibility: u8) {
    let mut bytes = std::fs::read(path).expect("read");
    let mut record = vec![0, 0, 0, 32];
    record.extend(b"dvcC");
    record.extend([1, 0]);
    // Profile, level 1, with an RPU and a base layer.
    record.extend(((profile << 9) | (1 << 3) | 0b101).to_be_bytes());
    record.push(compatibility << 4);
    record.resize(32, 0);
    let mut from = 0;
    let mut entry_end = 0;
    for tag in [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hev1"] {
        let at = bytes[from..].windows(4).position(|four| four == tag).expect("a box") + from;
        let size = u32::from_be_bytes(bytes[at - 4..at].try_into().expect("four bytes"));
        entry_end = at - 4 + size as usize;
        bytes[at - 4..at].copy_from_slice(&(size + 32).to_be_bytes());
        from = at + 4;
    }
    bytes.splice(entry_end..entry_end, record);
    std::fs::write(path, bytes).expect("write");
}

#[test]
fn dolby_vision_is_taken_by_its_base_layer_or_refused() {
    let room = Room::new();
    let work = crate::one_file(FINE);
    let source = grey_bars(room.path(), LIGHTS.map(pq_code), "smpte2084", DISPLAY);
    say_dolby(&source, 8, 1);
    let facts = room::probe(&source);
    assert_eq!(facts.main_video().expect("video").1.hdr, "dovi");
    plausible(&brightness(&transcoded(&room, &source, FINE)), "profile 8.1");
    let kept = crate::one_file("codec = \"hevc\", bit_depth = 10, preset = \"ultrafast\", crf = 20");
    let product = room.success(&source, &kept);
    assert!(product.dropped[0].contains("Dolby Vision"), "{:?}", product.dropped);
    let copied = room.success(&source, &crate::one_file("codec = \"copy\""));
    assert!(copied.dropped.is_empty(), "{:?}", copied.dropped);

    let source = grey_bars(room.path(), LIGHTS.map(pq_code), "smpte2084", DISPLAY);
    say_dolby(&source, 5, 0);
    let poster = MediaWork::Snapshot(serde_json::from_str(r#"{"times":["0"]}"#).expect("a snapshot"));
    for work in [work, poster] {
        let fault = room
            .carry_out(&source, &[work])
            .expect_err("no colours without Dolby's decoder");
        assert_eq!(fault.code, "SourceUndecodable");
        assert!(fault.to_string().contains("Dolby Vision profile 5"), "{fault}");
    }
}
