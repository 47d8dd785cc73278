//! A test clip made here: moving bars with the time and the frame number burnt in, and a beep each second.
//!
//! Guarantees: H.264 and AAC in MP4, 30 frames a second, a key frame every two seconds; the big digits are the
//! frame's own number, so what a rendition or a sprite shows can be read off it; the beep begins with each second,
//! when the corner square is white. Deliberately absent: fonts; digits have seven segments.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Dict;
use crate::media::av::Encoder;
use crate::media::av::Frame;
use crate::media::av::Muxer;
use crate::media::av::PixelFormat;
use crate::media::av::encode::VideoSetup;
use crate::media::av::sound::Sound;
use crate::media::error;
use crate::media::facts::Ratio;
use std::path::Path;

const RATE: Ratio = Ratio { num: 30, den: 1 };
const TICK: Ratio = Ratio { num: 1, den: 15_360 };
const FRAME_TICKS: i64 = 512;
const KEY_FRAMES: i64 = 60;
const SAMPLE_RATE_HZ: u32 = 48_000;
const BEEP_SAMPLES: i64 = 4_800;
const BEEP_HZ: f64 = 1_000.0;

/// Segments lit by each digit, bit 0 the top one, then clockwise, bit 6 the middle one.
const DIGITS: [u8; 10] = [0x3F, 0x06, 0x5B, 0x4F, 0x66, 0x6D, 0x7D, 0x07, 0x7F, 0x6F];
/// White, yellow, cyan, green, magenta, red, blue at 75 %, BT.709: luma, blue and red difference.
const BARS: [[u8; 3]; 7] = [
    [180, 128, 128],
    [168, 44, 136],
    [145, 147, 44],
    [133, 63, 52],
    [63, 193, 204],
    [51, 109, 212],
    [28, 212, 120],
];

/// Writes a clip of so many seconds (1..=36000) and pixels (even, 128..=8192 each) to a new file.
pub fn make_sample(path: &Path, seconds: u32, width: u32, height: u32) -> Result<(), Fault> {
    let name = path.display().to_string();
    let sizes = 128..=8192;
    if !sizes.contains(&width) || !sizes.contains(&height) || width % 2 == 1 || height % 2 == 1 {
        return Err(refused_request(
            &name,
            format!("{width}x{height} pixels are not even numbers of 128..=8192"),
        ));
    }
    if !(1..=36_000).contains(&seconds) {
        return Err(refused_request(
            &name,
            format!("{seconds} seconds are not in 1..=36000"),
        ));
    }
    write_clip(path, seconds, width, height).map_err(|refusal| error::output_refused("make a sample", &name, &refusal))
}

fn refused_request(name: &str, cause: String) -> Fault {
    Fault::new(
        "BadRequest",
        crate::base::fault::Blame::Request,
        "make a sample",
        name,
        cause,
        "Ask for other values.",
    )
}

fn write_clip(path: &Path, seconds: u32, width: u32, height: u32) -> Result<(), AvError> {
    let setup = VideoSetup {
        encoder: "libx264",
        width,
        height,
        format: PixelFormat::YUV420P,
        time_base: TICK,
        frame_rate: RATE,
        color: Color::BT709,
        threads: 2,
        gop_frames: KEY_FRAMES as u32,
        bframes: None,
        usual_duration: None,
    };
    let mut options = Dict::new();
    options.set("preset", "veryfast")?;
    options.set("crf", "20")?;
    options.set("sc_threshold", "0")?;
    options.set("forced-idr", "1")?;
    let mut video = Encoder::video(&setup, options)?;
    let stereo = Sound::float_planar(SAMPLE_RATE_HZ, 2);
    let mut audio = Encoder::audio("aac", &stereo, 128_000, Dict::new())?;
    let mut muxer = Muxer::to_file("mp4", path)?;
    let tracks = [
        muxer.add_stream(&video.parameters()?, TICK)?,
        muxer.add_stream(&audio.parameters()?, audio.time_base())?,
    ];
    muxer.set_frame_rate(tracks[0], RATE);
    let mut options = Dict::new();
    options.set("movflags", "+faststart")?;
    muxer.begin(options)?;

    let frame_size = audio.frame_size().max(1);
    let (frames, samples) = (i64::from(seconds) * 30, i64::from(seconds) * i64::from(SAMPLE_RATE_HZ));
    let mut at_sample = 0;
    for number in 0..frames {
        let mut picture = paint(number, width, height)?;
        picture.set_pts(number * FRAME_TICKS);
        picture.ask_key(number % KEY_FRAMES == 0);
        video.send(&picture, FRAME_TICKS)?;
        drain(&mut video, &mut muxer, tracks[0])?;
        while at_sample < samples.min((number + 1) * i64::from(SAMPLE_RATE_HZ) / 30) {
            let count = frame_size.min((samples - at_sample) as usize);
            audio.send(&beep(&stereo, at_sample, count)?, 0)?;
            at_sample += count as i64;
            drain(&mut audio, &mut muxer, tracks[1])?;
        }
    }
    video.send_end()?;
    drain(&mut video, &mut muxer, tracks[0])?;
    audio.send_end()?;
    drain(&mut audio, &mut muxer, tracks[1])?;
    muxer.finish()
}

fn drain(encoder: &mut Encoder, muxer: &mut Muxer, track: usize) -> Result<(), AvError> {
    let unit = encoder.time_base();
    while let Some(mut packet) = encoder.receive()? {
        packet.set_stream_index(track);
        packet.rescale(unit, muxer.time_base(track).unwrap_or(unit));
        muxer.write_interleaved(&mut packet)?;
    }
    Ok(())
}

/// A tone in the first tenth of each second, silence in the rest.
fn beep(sound: &Sound, at: i64, count: usize) -> Result<Frame, AvError> {
    let mut frame = Frame::silence(sound, count)?;
    for channel in 0..2 {
        let Some(samples) = frame.channel_mut(channel) else {
            continue;
        };
        for (number, sample) in samples.iter_mut().enumerate() {
            let within = (at + number as i64) % i64::from(SAMPLE_RATE_HZ);
            if within < BEEP_SAMPLES {
                let turn = within as f64 * BEEP_HZ / f64::from(SAMPLE_RATE_HZ);
                *sample = (0.5 * (turn * std::f64::consts::TAU).sin()) as f32;
            }
        }
    }
    frame.set_pts(at);
    Ok(frame)
}

/// One picture: bars that move, a grey wedge, the time and the frame number.
fn paint(number: i64, width: u32, height: u32) -> Result<Frame, AvError> {
    let mut frame = Frame::picture(PixelFormat::YUV420P, width, height)?;
    frame.set_color(Color::BT709);
    let shift = (number * i64::from(width) / 240) as u32;
    let wedge_from = height * 3 / 4;
    let bar_at = |x: u32| BARS[(x * BARS.len() as u32 / width) as usize];
    // All rows of the bars are alike, and those of the wedge only shifted: each line is made once and copied.
    let wedge: Vec<u8> = (0..2 * width).map(|x| (16 + x % width * 219 / width) as u8).collect();
    for plane in 0..3_usize {
        let (step, rows) = if plane == 0 { (1, height) } else { (2, height / 2) };
        let bars: Vec<u8> = (0..width / step)
            .map(|x| bar_at((x * step + shift) % width)[plane])
            .collect();
        for y in 0..rows {
            let Some(row) = frame.row_mut(plane, y) else { continue };
            if y * step < wedge_from {
                row.copy_from_slice(&bars);
            } else if plane == 0 {
                let from = (y % width) as usize;
                row.copy_from_slice(&wedge[from..from + row.len()]);
            } else {
                row.fill(128);
            }
        }
    }
    let second = number / 30;
    let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    let cell = (width / 12).min(height / 4);
    write_digits(&mut frame, &clock, width / 2 - cell * 4, height / 8, cell);
    write_digits(
        &mut frame,
        &format!("{number:06}"),
        width / 2 - cell * 3,
        height * 7 / 16,
        cell,
    );
    // White while the beep sounds.
    if number % 30 < 3 {
        fill(&mut frame, 0, 0, cell, cell, 235);
    }
    Ok(frame)
}

/// Digits and colons in cells `cell` pixels wide and one and a half times as high, white on a dark plate.
fn write_digits(frame: &mut Frame, text: &str, x: u32, y: u32, cell: u32) {
    let high = cell * 3 / 2;
    let plate = cell * text.len() as u32;
    fill(frame, x, y, plate, high, 20);
    let thick = (cell / 8).max(2);
    for (number, letter) in text.chars().enumerate() {
        let left = x + number as u32 * cell + thick;
        let (wide, top) = (cell - 2 * thick, y + thick);
        let tall = high - 2 * thick;
        let Some(digit) = letter.to_digit(10) else {
            let middle = left + wide / 2 - thick / 2;
            fill(frame, middle, top + tall / 4, thick, thick, 235);
            fill(frame, middle, top + tall * 3 / 4 - thick, thick, thick, 235);
            continue;
        };
        let half = tall / 2;
        let segments = [
            (left, top, wide, thick),
            (left + wide - thick, top, thick, half),
            (left + wide - thick, top + half, thick, tall - half),
            (left, top + tall - thick, wide, thick),
            (left, top + half, thick, tall - half),
            (left, top, thick, half),
            (left, top + half - thick / 2, wide, thick),
        ];
        for (bit, (x, y, wide, high)) in segments.into_iter().enumerate() {
            if DIGITS[digit as usize] >> bit & 1 == 1 {
                fill(frame, x, y, wide, high, 235);
            }
        }
    }
}

/// A rectangle without colour, clipped to the picture.
fn fill(frame: &mut Frame, x: u32, y: u32, width: u32, height: u32, luma: u8) {
    for plane in 0..3_usize {
        let shift = u32::from(plane > 0);
        for row_number in y >> shift..(y + height).div_ceil(1 << shift) {
            let Some(row) = frame.row_mut(plane, row_number) else {
                continue;
            };
            let to = ((x + width).div_ceil(1 << shift) as usize).min(row.len());
            if let Some(part) = row.get_mut((x >> shift) as usize..to) {
                part.fill(if plane == 0 { luma } else { 128 });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::make_sample;
    use super::paint;
    use crate::media::av::Source;
    use crate::media::limits::Limits;
    use crate::media::probe;
    use std::fs::File;

    #[test]
    fn the_clip_is_what_it_says() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("sample.mp4");
        make_sample(&path, 3, 320, 180).expect("a clip");
        let source = Source::from_file(File::open(&path).expect("open"), "sample.mp4").expect("size");
        let facts = probe::probe(source, &Limits::default()).expect("facts");
        let (stream, video) = facts.main_video().expect("video");
        assert_eq!((video.width, video.height, stream.frame_count), (320, 180, Some(90)));
        assert_eq!(video.average_frame_rate.expect("rate").value(), 30.0);
        assert!((stream.duration_s.expect("duration") - 3.0).abs() < 0.001);
        assert_eq!(facts.main_audio().expect("audio").1.channels, 2);
        assert!((facts.duration_s.expect("duration") - 3.0).abs() < 0.05);
    }

    #[test]
    fn each_frame_shows_its_own_number() {
        let row = |number: i64| {
            paint(number, 320, 180)
                .expect("memory")
                .row(0, 90)
                .expect("row")
                .to_vec()
        };
        assert_ne!(row(7), row(8));
        assert_eq!(row(7), row(7));
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let fault = make_sample(std::path::Path::new("/nowhere/x.mp4"), 3, 321, 180).expect_err("odd");
        assert_eq!(fault.code, "BadRequest");
    }
}
