//! Clips of every codec that this build can make, for decoders.
//!
//! Guarantees: pictures that move, with hard edges, soft slopes and noise, so that every tool of a codec is used; the
//! same at every run. Deliberately absent: sound, and codecs without an encoder here (VC-1, VP8, MPEG-1).

use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Dict;
use crate::media::av::Encoder;
use crate::media::av::Frame;
use crate::media::av::Muxer;
use crate::media::av::PixelFormat;
use crate::media::av::encode::VideoSetup;
use crate::media::facts::Ratio;
use std::path::Path;

/// Pixels of a clip.
pub const SIZE: (u32, u32) = (448, 252);
/// Pictures of a clip.
pub const FRAMES: i64 = 40;
const RATE: Ratio = Ratio { num: 25, den: 1 };
const TICK: Ratio = Ratio { num: 1, den: 25 };

/// A kind of clip.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Codec, as a probe calls it.
    pub codec: &'static str,
    /// Bits of a sample.
    pub bit_depth: u32,
    /// Its encoder.
    pub encoder: &'static str,
    options: &'static [(&'static str, &'static str)],
    bframes: Option<u32>,
    muxer: &'static str,
}

/// All kinds.
pub const KINDS: [Kind; 9] = [
    kind(
        "h264",
        8,
        "libx264",
        &[("preset", "fast"), ("crf", "24")],
        Some(3),
        "mp4",
    ),
    kind("hevc", 8, "libx265", HEVC, Some(3), "mp4"),
    kind("hevc", 10, "libx265", HEVC, Some(3), "mp4"),
    kind("av1", 8, "libsvtav1", &[("preset", "8"), ("crf", "40")], None, "mp4"),
    kind("av1", 10, "libsvtav1", &[("preset", "8"), ("crf", "40")], None, "mp4"),
    kind("vp9", 8, "libvpx-vp9", VP9, None, "matroska"),
    kind("mpeg2video", 8, "mpeg2video", &[("b", "3000000")], Some(2), "matroska"),
    kind("mpeg4", 8, "mpeg4", &[("b", "2000000")], Some(2), "matroska"),
    kind("mjpeg", 8, "mjpeg", &[], None, "matroska"),
];
const HEVC: &[(&str, &str)] = &[("preset", "fast"), ("x265-params", "crf=26:log-level=error")];
const VP9: &[(&str, &str)] = &[("cpu-used", "5"), ("deadline", "realtime"), ("b", "1500000")];

const fn kind(
    codec: &'static str,
    bit_depth: u32,
    encoder: &'static str,
    options: &'static [(&'static str, &'static str)],
    bframes: Option<u32>,
    muxer: &'static str,
) -> Kind {
    Kind {
        codec,
        bit_depth,
        encoder,
        options,
        bframes,
        muxer,
    }
}

/// Writes a clip of that kind.
///
/// # Errors
/// Its encoder or muxer refuses.
pub fn write(kind: &Kind, path: &Path) -> Result<(), AvError> {
    let setup = VideoSetup {
        encoder: kind.encoder,
        width: SIZE.0,
        height: SIZE.1,
        format: if kind.bit_depth == 8 {
            PixelFormat::YUV420P
        } else {
            PixelFormat::YUV420P10
        },
        time_base: TICK,
        frame_rate: RATE,
        color: Color::BT709,
        threads: 4,
        gop_frames: 20,
        bframes: kind.bframes,
        usual_duration: None,
    };
    let mut options = Dict::new();
    for (name, value) in kind.options {
        options.set(name, value)?;
    }
    if kind.codec == "mjpeg" {
        // Of limited range, which it takes for a deviation from JFIF.
        options.set("strict", "unofficial")?;
    }
    let mut encoder = Encoder::video(&setup, options)?;
    let mut muxer = Muxer::to_file(kind.muxer, path)?;
    let track = muxer.add_stream(&encoder.parameters()?, TICK)?;
    muxer.set_frame_rate(track, RATE);
    muxer.begin(Dict::new())?;
    for number in 0..FRAMES {
        let mut picture = paint(number, setup.format, kind.bit_depth)?;
        picture.set_pts(number);
        encoder.send(&picture, 1)?;
        drain(&mut encoder, &mut muxer, track)?;
    }
    encoder.send_end()?;
    drain(&mut encoder, &mut muxer, track)?;
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

/// Slopes that move one way, hard squares that move the other, and a strip of noise.
fn paint(number: i64, format: PixelFormat, bit_depth: u32) -> Result<Frame, AvError> {
    let mut frame = Frame::picture(format, SIZE.0, SIZE.1)?;
    frame.set_color(Color::BT709);
    let mut noise = (number as u32).wrapping_mul(2_654_435_761) | 1;
    let mut value = |plane: usize, x: u32, y: u32| {
        let (x, y, at) = (x + 2 * number as u32, y, number as u32);
        if plane > 0 {
            return 64 + (x * plane as u32 + y + 3 * at) % 128;
        }
        if y % 90 >= 80 {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            return 16 + noise % 200;
        }
        let is_square = (x / 24 + (y + 3 * at) / 24) % 5 == 0;
        if is_square { 235 } else { 16 + (x + y) % 200 }
    };
    for plane in 0..3_usize {
        let shared = if plane == 0 { 1 } else { 2 };
        for y in 0..SIZE.1 / shared {
            let Some(row) = frame.row_mut(plane, y) else { continue };
            if bit_depth == 8 {
                for (x, sample) in row.iter_mut().enumerate() {
                    *sample = value(plane, x as u32, y) as u8;
                }
                continue;
            }
            for (x, word) in row.chunks_exact_mut(2).enumerate() {
                let sample = (value(plane, x as u32, y) << (bit_depth - 8)) + (x as u32 & 3);
                word.copy_from_slice(&(sample as u16).to_le_bytes());
            }
        }
    }
    Ok(frame)
}
