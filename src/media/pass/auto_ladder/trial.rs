//! Trial encodes: a few stretches spread over a source, in a few sizes and qualities, each decoded again and held
//! beside the source.
//!
//! Guarantees: memory is bounded by one stretch of pictures; the pictures are those the pass would make, upright, SDR,
//! progressive. Deliberately absent: conclusions.

use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Decoder;
use crate::media::av::Demuxer;
use crate::media::av::Dict;
use crate::media::av::Encoder;
use crate::media::av::Frame;
use crate::media::av::Packet;
use crate::media::av::PixelFormat;
use crate::media::av::Scaler;
use crate::media::av::encode::VideoSetup;
use crate::media::av::scale::Filter;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::limits::Limits;
use crate::media::pass::glance;
use crate::media::pass::glance::Looking;
use crate::media::pass::head::Graded;
use crate::media::pass::head::Head;
use crate::media::pass::head::Wanted;
use crate::media::product::LadderTrial;
use crate::media::quality::Likeness;

/// Stretches of a source that are tried.
const STRETCHES: usize = 4;
/// Pictures of a stretch.
const PICTURES: usize = 12;
/// Packets read for one stretch, at most.
const PACKETS: usize = 5_000;
/// Constant qualities tried.
const CRFS: [f64; 2] = [20.0, 33.0];
/// Short edge of the largest pictures tried.
const LARGEST: u32 = 1080;
/// Sizes tried, as shares of the largest; those too small to encode are left out.
const SHARES: [f64; 3] = [1.0, 0.6, 0.3];
const SMALLEST: u32 = 32;
const TICK: Ratio = Ratio { num: 1, den: 90_000 };

/// What is tried.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// x264's preset.
    pub preset: &'static str,
    /// Largest size of the ladder.
    pub largest: (u32, u32),
    /// Seconds of the source to take the stretches from.
    pub from_s: f64,
    /// See `from_s`.
    pub length_s: f64,
    /// Frames a second.
    pub fps: f64,
    /// Pictures from key frame to key frame.
    pub gop_frames: f64,
    /// Threads.
    pub threads: u32,
}

/// Sums over the stretches of one size and quality.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    key_bits: f64,
    keys: f64,
    other_bits: f64,
    others: f64,
    error: f64,
    pictures: f64,
}

/// Makes the trials. `goes_on` is asked between stretches.
pub fn run(
    demuxer: &mut Demuxer,
    facts: &MediaFacts,
    limits: &Limits,
    range: Range,
    goes_on: &dyn Fn() -> bool,
) -> Result<Vec<LadderTrial>, AvError> {
    let mut facts = facts.clone();
    let glance = glance::look(demuxer, &mut facts, limits, range.threads, Looking::default())?;
    let Some((stream, video)) = facts.main_video() else {
        return Ok(Vec::new());
    };
    let sizes = sizes(range.largest);
    let mut sums = vec![[Sum::default(); CRFS.len()]; sizes.len()];
    let zero_s = stream.start_time_s.unwrap_or(0.0);
    demuxer.keep_only(&[stream.index]);
    for number in 0..STRETCHES {
        if !goes_on() {
            break;
        }
        let within = (number as f64 + 0.5) / STRETCHES as f64;
        let at_s = zero_s + range.from_s + range.length_s * within;
        // What cannot seek is tried at its beginning.
        let target = (at_s / stream.time_base.value()) as i64;
        if range.length_s > 0.0 && demuxer.seek(stream.index, target).is_err() && number > 0 {
            break;
        }
        let Some(parameters) = demuxer.stream(stream.index).map(|stream| stream.parameters()) else {
            break;
        };
        let mut decoder = Decoder::open(&parameters?, stream.time_base, range.threads, limits)?;
        let wanted = Wanted {
            sdr: Some(PixelFormat::YUV420P),
            hdr: None,
            sdr_bounds: None,
        };
        let mut head = Head::new(video, glance, wanted, TICK, 1.0 / range.fps, range.threads);
        let pictures = stretch(demuxer, &mut decoder, &mut head, sizes[0])?;
        for (size, sums) in sizes.iter().zip(&mut sums) {
            for (crf, sum) in CRFS.iter().zip(sums) {
                encode(&pictures, *size, *crf, range, sum)?;
            }
        }
        if range.length_s <= 0.0 {
            break;
        }
    }
    Ok(sizes
        .iter()
        .zip(sums)
        .flat_map(|(size, sums)| CRFS.into_iter().zip(sums).map(|(crf, sum)| (*size, crf, sum)))
        .filter(|(_, _, sum)| sum.keys > 0.0 && sum.pictures > 0.0)
        .map(|((width, height), crf, sum)| {
            let other = if sum.others > 0.0 {
                sum.other_bits / sum.others
            } else {
                0.0
            };
            let gop_bits = sum.key_bits / sum.keys + (range.gop_frames - 1.0).max(0.0) * other;
            let error = (sum.error / sum.pictures).max(1e-10);
            LadderTrial {
                width,
                height,
                crf,
                kbps: (gop_bits / range.gop_frames.max(1.0) * range.fps / 10.0).round() / 100.0,
                psnr_db: (-1000.0 * error.log10()).round() / 100.0,
            }
        })
        .collect())
}

fn sizes(largest: (u32, u32)) -> Vec<(u32, u32)> {
    let factor = (f64::from(LARGEST) / f64::from(largest.0.min(largest.1).max(1))).min(1.0);
    let scaled = |share: f64| {
        let even = |edge: u32| ((f64::from(edge) * factor * share / 2.0).round() as u32) * 2;
        (even(largest.0), even(largest.1))
    };
    let mut sizes: Vec<(u32, u32)> = SHARES.into_iter().map(scaled).collect();
    let first = sizes.remove(0);
    sizes.retain(|size| size.0.min(size.1) >= SMALLEST && *size != first);
    std::iter::once(first).chain(sizes).collect()
}

/// Some pictures from where the demuxer stands, in one size.
fn stretch(
    demuxer: &mut Demuxer,
    decoder: &mut Decoder,
    head: &mut Head,
    size: (u32, u32),
) -> Result<Vec<Frame>, AvError> {
    let mut scaler = Scaler::new(PixelFormat::YUV420P, size.0, size.1, Filter::Bicubic)?;
    let mut pictures = Vec::new();
    let mut packet = Packet::new()?;
    let mut decoded = 0_i64;
    let mut ended = false;
    for _ in 0..PACKETS {
        if pictures.len() >= PICTURES || ended {
            break;
        }
        match demuxer.read(&mut packet) {
            Ok(true) => decoder.send(&packet)?,
            Ok(false) => {
                decoder.send_end()?;
                ended = true;
            }
            Err(refusal) if demuxer.watch().trouble().is_some() => return Err(refusal),
            Err(_) => continue,
        }
        let mut ready: Vec<Graded> = Vec::new();
        while let Some(mut frame) = decoder.receive()? {
            frame.set_pts(decoded * 3600);
            decoded += 1;
            head.push(frame, &mut ready)?;
        }
        if ended {
            head.drain(&mut ready)?;
        }
        for frame in ready.into_iter().filter_map(|graded| graded.sdr) {
            if pictures.len() < PICTURES {
                pictures.push(scaler.run(&frame)?);
            }
        }
    }
    Ok(pictures)
}

fn encode(pictures: &[Frame], size: (u32, u32), crf: f64, range: Range, sum: &mut Sum) -> Result<(), AvError> {
    let Some(first) = pictures.first() else {
        return Ok(());
    };
    let step = (f64::from(TICK.den) / range.fps).round().max(1.0) as i64;
    let setup = VideoSetup {
        encoder: "libx264",
        width: size.0,
        height: size.1,
        format: PixelFormat::YUV420P,
        time_base: TICK,
        frame_rate: Ratio {
            num: (range.fps * 1000.0).round().max(1.0) as i32,
            den: 1000,
        },
        color: Color::BT709,
        threads: range.threads,
        gop_frames: 1 << 20,
        bframes: Some(3),
        usual_duration: None,
    };
    let mut options = Dict::new();
    options.set("preset", range.preset)?;
    options.set("crf", &crf.to_string())?;
    options.set("sc_threshold", "0")?;
    let mut encoder = Encoder::video(&setup, options)?;
    let mut decoder = Decoder::open(&encoder.parameters()?, TICK, range.threads, &Limits::default())?;
    let mut down = Scaler::new(PixelFormat::YUV420P, size.0, size.1, Filter::Bicubic)?;
    let mut up = Scaler::new(PixelFormat::YUV420P, first.width(), first.height(), Filter::Bicubic)?;
    let mut compare = |decoder: &mut Decoder, sum: &mut Sum| -> Result<(), AvError> {
        while let Some(made) = decoder.receive()? {
            let number = made.best_pts().map(|pts| (pts / step) as usize);
            let Some(wanted) = number.and_then(|number| pictures.get(number)) else {
                continue;
            };
            if let Some(error) = Likeness::luma_error(wanted, &up.run(&made)?) {
                sum.error += error;
                sum.pictures += 1.0;
            }
        }
        Ok(())
    };
    let mut take = |encoder: &mut Encoder, decoder: &mut Decoder, sum: &mut Sum| -> Result<(), AvError> {
        while let Some(packet) = encoder.receive()? {
            let bits = packet.size_bytes() as f64 * 8.0;
            if packet.is_key() {
                sum.key_bits += bits;
                sum.keys += 1.0;
            } else {
                sum.other_bits += bits;
                sum.others += 1.0;
            }
            decoder.send(&packet)?;
            compare(decoder, sum)?;
        }
        Ok(())
    };
    for (number, picture) in pictures.iter().enumerate() {
        let mut scaled = down.run(picture)?;
        scaled.set_pts(number as i64 * step);
        scaled.ask_key(number == 0);
        encoder.send(&scaled, step)?;
        take(&mut encoder, &mut decoder, sum)?;
    }
    encoder.send_end()?;
    take(&mut encoder, &mut decoder, sum)?;
    decoder.send_end()?;
    compare(&mut decoder, sum)
}

#[cfg(test)]
mod tests {
    use super::sizes;

    #[test]
    fn large_sources_are_tried_at_1080_lines() {
        assert_eq!(sizes((3840, 2160)), [(1920, 1080), (1152, 648), (576, 324)]);
        assert_eq!(sizes((160, 90)), [(160, 90), (96, 54)]);
    }
}
