//! The encoder of animated AVIF.
//!
//! Guarantees: frames are asked for one at a time; sizes are even, as 4:2:0 wants them. Deliberately absent: proof
//! of the result.

use crate::media::av::Dict;
use crate::media::av::Encoder;
use crate::media::av::Frame;
use crate::media::av::Muxer;
use crate::media::av::PixelFormat;
use crate::media::av::Scaler;
use crate::media::av::animation::AnimationError;
use crate::media::av::animation::Clip;
use crate::media::av::animation::FrameOf;
use crate::media::av::encode::VideoSetup;
use crate::media::av::error::AvError;
use crate::media::av::inventory;
use crate::media::av::scale::Filter;
use crate::media::facts::Ratio;
use crate::media::picture::Picture;
use std::path::Path;

/// Smallest side of SVT-AV1.
const SVT_LEAST: u32 = 64;

/// Units of its time stamps in a second: every rate up to 60 lands within a tenth of a millisecond.
const UNITS: i32 = 10_000;

/// Writes an animated AVIF that is shown for ever. `quality` is 1..=100.
pub fn write_avif(path: &Path, clip: Clip, quality: u8, frame_of: &mut FrameOf<'_>) -> Result<(), AnimationError> {
    let (name, options) = encoder_for(clip, quality)?;
    let mut scaler = Scaler::new(PixelFormat::YUV420P, clip.width, clip.height, Filter::Bicubic)?;
    let mut first = yuv(&mut scaler, &frame_of(0)?)?;
    let time_base = Ratio { num: 1, den: UNITS };
    let setup = VideoSetup {
        encoder: name,
        width: clip.width,
        height: clip.height,
        format: PixelFormat::YUV420P,
        time_base,
        frame_rate: Ratio {
            num: (clip.fps * 1000.0).round() as i32,
            den: 1000,
        },
        color: first.color(),
        threads: 2,
        gop_frames: 0,
        bframes: None,
        usual_duration: None,
    };
    let mut encoder = Encoder::video(&setup, options)?;
    let mut muxer = Muxer::to_file("avif", path)?;
    let stream = muxer.add_stream(&encoder.parameters()?, time_base)?;
    muxer.begin(Dict::new())?;
    let muxed = muxer.time_base(stream).unwrap_or(time_base);
    for number in 0..=clip.frames {
        if number < clip.frames {
            if number > 0 {
                first = yuv(&mut scaler, &frame_of(number)?)?;
            }
            let (starts, ends) = (start_of(number, clip.fps), start_of(number + 1, clip.fps));
            first.set_pts(starts);
            encoder.send(&first, ends - starts)?;
        } else {
            encoder.send_end()?;
        }
        while let Some(mut packet) = encoder.receive()? {
            packet.rescale(time_base, muxed);
            packet.set_stream_index(stream);
            muxer.write(&mut packet)?;
        }
    }
    Ok(muxer.finish()?)
}

/// Name and options of the encoder to take. SVT-AV1 is the fastest, libaom takes any size.
fn encoder_for(clip: Clip, quality: u8) -> Result<(&'static str, Dict), AnimationError> {
    // Quality 1..=100 onto the quantisers of AV1, 63..=0, of which those below 10 are waste.
    let crf = (63.0 - 53.0 * f64::from(quality.clamp(1, 100)) / 100.0)
        .round()
        .to_string();
    let is_small = clip.width < SVT_LEAST || clip.height < SVT_LEAST;
    let mut options = Dict::new();
    if inventory::has_encoder("libsvtav1") && !is_small {
        options.set("preset", "8")?;
        options.set("crf", &crf)?;
        return Ok(("libsvtav1", options));
    }
    if inventory::has_encoder("libaom-av1") {
        options.set("crf", &crf)?;
        options.set("cpu-used", "6")?;
        options.set("row-mt", "1")?;
        return Ok(("libaom-av1", options));
    }
    Err(AnimationError::Missing(if is_small {
        "an AV1 encoder for pictures smaller than 64 x 64"
    } else {
        "an AV1 encoder"
    }))
}

fn start_of(number: usize, fps: f64) -> i64 {
    (number as f64 * f64::from(UNITS) / fps).round() as i64
}

fn yuv(scaler: &mut Scaler, picture: &Picture) -> Result<Frame, AnimationError> {
    let mut frame = Frame::picture(PixelFormat::RGB24, picture.width(), picture.height())?;
    let row_bytes = picture.width() as usize * 3;
    for (y, row) in picture.rgb().chunks_exact(row_bytes).enumerate() {
        let to = frame
            .row_mut(0, y as u32)
            .and_then(|to| to.get_mut(..row_bytes))
            .ok_or_else(|| AvError::argument("frame row"))?;
        to.copy_from_slice(row);
    }
    Ok(scaler.run(&frame)?)
}
