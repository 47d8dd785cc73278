//! When each picture is shown, and that it is a picture of one moment.

use crate::FINE;
use crate::clips::ffmpeg;
use crate::clips::ffprobe;
use crate::clips::frame_times;
use crate::made;
use crate::one_file;
use crate::room::Room;
use crate::transcoded;
use std::path::Path;

fn same_times(one: &[f64], other: &[f64], tolerance_s: f64, what: &str) {
    assert_eq!(one.len(), other.len(), "{what}: {one:?} {other:?}");
    for (one, other) in one.iter().zip(other) {
        assert!((one - other).abs() <= tolerance_s, "{what}: {one} for {other}");
    }
}

#[test]
fn variable_timing_is_kept_to_the_unit() {
    let room = Room::new();
    let source = room.path().join("variable.mp4");
    ffmpeg(
        "-f lavfi -i testsrc=s=160x96:r=240:d=3 -vf select='not(mod(n\\,7))+not(mod(n\\,31))+eq(n\\,2)' -vsync passthrough \
         -c:v libx264 -preset ultrafast -enc_time_base 1/90000 -video_track_timescale 90000 {}",
        &[&source],
    );
    let wanted = frame_times(&source);
    assert!(wanted.len() > 100);
    let gaps: std::collections::BTreeSet<i64> = wanted
        .windows(2)
        .map(|pair| ((pair[1] - pair[0]) * 1e5).round() as i64)
        .collect();
    assert!(gaps.len() > 3, "the clip is of variable rate: {gaps:?}");
    same_times(
        &frame_times(&transcoded(&room, &source, FINE)),
        &wanted,
        1e-6,
        "variable",
    );
}

/// MPEG-2 of progressive pictures, every second of which is shown for three fields.
fn pulled_down(directory: &Path) -> std::path::PathBuf {
    let plain = directory.join("plain.m2v");
    ffmpeg(
        "-f lavfi -i testsrc=s=176x144:r=30000/1001:d=2 -c:v mpeg2video -bf 0 -b:v 2M {}",
        &[&plain],
    );
    let mut bytes = std::fs::read(&plain).expect("read");
    let mut picture = 0;
    for at in 0..bytes.len().saturating_sub(12) {
        if bytes[at..at + 4] != [0, 0, 1, 0xB5] {
            continue;
        }
        match bytes[at + 4] >> 4 {
            // The sequence is not progressive, so that pictures can be.
            1 => bytes[at + 5] &= !0x08,
            8 => {
                // Top field first, repeat first field: 11, 01, 00, 10 in turn.
                let (top, repeat) = [(1, 1), (0, 0), (0, 1), (1, 0)][picture % 4];
                picture += 1;
                bytes[at + 7] = (bytes[at + 7] & !0x82) | (top << 7) | (repeat << 1);
                bytes[at + 8] |= 0x80;
            }
            _ => {}
        }
    }
    assert_eq!(picture, 60);
    std::fs::write(&plain, bytes).expect("write");
    let path = directory.join("film.ts");
    ffmpeg(
        "-fflags +genpts -f mpegvideo -i {} -c copy -muxdelay 0 {}",
        &[&plain, &path],
    );
    path
}

#[test]
fn soft_telecine_gives_film_timing() {
    let room = Room::new();
    let source = pulled_down(room.path());
    let output = transcoded(&room, &source, FINE);
    let times = frame_times(&output);
    assert_eq!(times.len(), 60);
    let wanted = frame_times(&source);
    let long = times.windows(2).filter(|pair| pair[1] - pair[0] > 0.045).count();
    assert!(
        (27..=30).contains(&long),
        "every second picture lasts three fields: {times:?}"
    );
    same_times(&times, &wanted, 0.0005, "film");
}

#[test]
fn soft_telecine_of_h264_is_no_interlace() {
    let room = Room::new();
    let plain = room.path().join("plain.h264");
    ffmpeg(
        "-f lavfi -i testsrc2=s=720x480:r=24000/1001:d=2 -c:v libx264 -preset ultrafast -qp 10 -bf 0 \
         -x264-params slices=1:sliced-threads=0:pic-struct=1:fake-interlaced=1 -f h264 {}",
        &[&plain],
    );
    let bytes = std::fs::read(&plain).expect("read");
    let starts: Vec<usize> = (0..bytes.len() - 3)
        .filter(|at| bytes[*at..].starts_with(&[0, 0, 1]))
        .collect();
    let (mut out, mut picture) = (Vec::new(), 0);
    for (start, end) in starts
        .iter()
        .copied()
        .zip(starts.iter().skip(1).copied().chain([bytes.len()]))
    {
        match bytes[start + 3] & 31 {
            6 => continue,
            1 | 5 => {
                // Picture timing: top bottom, top bottom top, bottom top, bottom top bottom; no clock in any field.
                let shown = [3_u16, 5, 4, 6][picture % 4];
                let [high, low] = (shown << 12).to_be_bytes();
                out.extend([0, 0, 1, 6, 1, 2, high, low | 0x40, 0x80]);
                picture += 1;
            }
            _ => {}
        }
        out.extend(&bytes[start..end]);
    }
    assert_eq!(picture, 48);
    std::fs::write(&plain, out).expect("write");
    let source = room.path().join("film.mkv");
    ffmpeg("-r 24000/1001 -i {} -c copy {}", &[&plain, &source]);
    let output = transcoded(&room, &source, FINE);
    let times = frame_times(&output);
    assert_eq!(times.len(), 48);
    same_times(&times, &frame_times(&source), 0.0005, "film");
    // A filter that makes pictures of fields would take half the lines of each.
    let near_db = psnr(&output, &source);
    assert!(near_db > 40.0, "{near_db}");
}

/// Moving stripes at 50 pictures a second: the clip, and what its every second picture looks like.
const MOTION: &str = "-f lavfi -i testsrc2=s=192x144:r=50:d=2";

fn psnr(output: &Path, reference: &Path) -> f64 {
    let text = ffmpeg(
        "-i {} -i {} -lavfi [0:v]format=yuv420p,setsar=1,setpts=N/25/TB[a];[1:v]format=yuv420p,setsar=1,setpts=N/25/TB[b];[a][b]psnr=f=- -f null -",
        &[output, reference],
    );
    let text = String::from_utf8_lossy(&text).into_owned();
    let frames: Vec<f64> = text
        .lines()
        .filter_map(|line| line.split("psnr_y:").nth(1)?.split(' ').next())
        .map(|value| value.parse().unwrap_or(99.0))
        .collect();
    assert!(frames.len() > 20, "{text}");
    // The ends have a neighbour on one side only.
    let inner = &frames[2..frames.len() - 2];
    inner.iter().sum::<f64>() / inner.len() as f64
}

#[test]
fn fields_become_pictures_whichever_comes_first_and_whoever_says_so() {
    let room = Room::new();
    let truth = room.path().join("truth.mkv");
    ffmpeg(
        &format!(
            "{MOTION} -vf scale=192:480,setsar=1,select=not(mod(n\\,2)),setpts=N/25/TB,format=yuv420p -r 25 -c:v ffv1 {{}}"
        ),
        &[&truth],
    );
    let woven = |order: &str, encode: &str, name: &str| {
        let path = room.path().join(name);
        let first = if order == "tff" {
            "interleave_top"
        } else {
            "interleave_bottom"
        };
        let words = format!(
            "{MOTION} -vf scale=192:480,setsar=1,tinterlace=mode={first},fieldorder={order},format=yuv420p -r 25 {encode} {{}}"
        );
        ffmpeg(&words, &[&path]);
        path
    };
    let combed = room.path().join("combed.mkv");
    for (order, encode, name) in [
        (
            "tff",
            "-c:v libx264 -preset ultrafast -crf 4 -x264opts tff=1",
            "tff.mp4",
        ),
        (
            "bff",
            "-c:v libx264 -preset ultrafast -crf 4 -x264opts bff=1",
            "bff.mp4",
        ),
        ("tff", "-c:v mpeg2video -b:v 9M -flags +ildct+ilme -top 1", "tff.ts"),
        ("bff", "-c:v mpeg2video -b:v 9M -flags +ildct+ilme -top 0", "bff.ts"),
        // These say nothing of fields.
        (
            "tff",
            "-field_order progressive -c:v huffyuv -pix_fmt yuv422p",
            "silent-tff.avi",
        ),
        (
            "bff",
            "-field_order progressive -c:v huffyuv -pix_fmt yuv422p",
            "silent-bff.avi",
        ),
    ] {
        let source = woven(order, encode, name);
        let output = transcoded(&room, &source, FINE);
        let found = psnr(&output, &truth);
        std::fs::copy(&source, &combed).expect("copy");
        let before = psnr(&combed, &truth);
        assert!(
            found > before + 3.0 && found > 27.0,
            "{name}: {found:.1} dB after {before:.1} dB"
        );
    }
}

#[test]
fn progressive_pictures_of_television_sizes_are_not_touched() {
    let room = Room::new();
    let source = room.path().join("progressive.avi");
    ffmpeg(
        &format!("{MOTION} -vf scale=192:480,setsar=1,format=yuv422p -r 50 -c:v huffyuv {{}}"),
        &[&source],
    );
    let product = room.success(&source, &one_file(FINE));
    let found = psnr(&made(&room, &product), &source);
    assert!(found > 40.0, "{found:.1} dB");
    assert!(product.warnings.is_empty(), "{:?}", product.warnings);
}

#[test]
fn a_film_spread_to_fields_comes_back_at_its_own_rate() {
    let room = Room::new();
    let source = room.path().join("hard.ts");
    ffmpeg(
        "-f lavfi -i testsrc2=s=192x480:r=24000/1001:d=4 -vf setsar=1,telecine=pattern=23:first_field=top,setfield=tff -c:v mpeg2video \
         -b:v 9M -flags +ildct+ilme -top 1 -bf 2 {}",
        &[&source],
    );
    let product = room.success(&source, &one_file(FINE));
    let output = made(&room, &product);
    assert!(
        product.warnings.iter().any(|warning| warning.contains("own rate")),
        "{:?}",
        product.warnings
    );
    let times = frame_times(&output);
    assert!((94..=99).contains(&times.len()), "{} pictures of 96", times.len());
    let steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let film_s = 1001.0 / 24_000.0;
    let even = steps.iter().filter(|step| (**step - film_s).abs() < 0.002).count();
    assert!(even * 10 >= steps.len() * 9, "{steps:?}");
}

#[test]
fn raw_h264_in_avi_without_time_stamps_keeps_its_rate() {
    let room = Room::new();
    let source = room.path().join("packed.avi");
    ffmpeg(
        "-f lavfi -i testsrc=s=160x96:r=25:d=2 -c:v libx264 -preset veryfast -bf 2 {}",
        &[&source],
    );
    let times = frame_times(&transcoded(&room, &source, FINE));
    let wanted: Vec<f64> = (0..50).map(|n| f64::from(n) * 0.04).collect();
    same_times(&times, &wanted, 0.001, "packed");
}

#[test]
fn an_edit_list_and_times_below_zero_begin_at_zero_together() {
    let room = Room::new();
    let source = room.path().join("edited.mp4");
    // B-frames make an edit list; the sound begins half a second after the pictures.
    ffmpeg(
        "-f lavfi -i testsrc=s=160x96:r=25:d=2 -itsoffset 0.5 -f lavfi -i sine=d=1.5 -c:v libx264 -preset veryfast -bf 3 \
         -c:a aac -map 0:v -map 1:a {}",
        &[&source],
    );
    let output = transcoded(&room, &source, FINE);
    let start: f64 = ffprobe("stream=start_time", &output)[0].parse().expect("a time");
    assert!(start.abs() < 0.001, "{start}");
    same_times(&frame_times(&output), &frame_times(&source), 1e-4, "edited");
}

#[test]
fn a_jump_of_the_clock_in_a_stream_is_closed() {
    let room = Room::new();
    let part = |name: &str, offset_s: u32| {
        let path = room.path().join(name);
        let words = format!(
            "-f lavfi -i testsrc=s=160x96:r=25:d=1 -c:v libx264 -preset ultrafast -bf 0 -output_ts_offset {offset_s} \
             -muxdelay 0 {{}}"
        );
        ffmpeg(&words, &[&path]);
        std::fs::read(path).expect("read")
    };
    let mut bytes = part("one.ts", 5000);
    bytes.extend(part("two.ts", 40));
    let source = room.path().join("jump.ts");
    std::fs::write(&source, bytes).expect("write");
    let times = frame_times(&transcoded(&room, &source, FINE));
    let wanted: Vec<f64> = (0..50).map(|n| f64::from(n) * 0.04).collect();
    same_times(&times, &wanted, 0.002, "jump");
}
