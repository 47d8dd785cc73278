//! Reading an animated picture back: its size, frames and length.
//!
//! Guarantees: WebP and AVIF frames are decoded; of a GIF the block structure is walked to its end and every frame's data is
//! there. Independent of the encoders. Deliberately absent: drawing GIF frames.

use crate::media::av::AvError;
use crate::media::av::Decoder;
use crate::media::av::Demuxer;
use crate::media::av::Packet;
use crate::media::av::Source;
use crate::media::limits::Limits;
use crate::media::spec::AnimationFormat;
use image::AnimationDecoder;
use image::ImageDecoder;
use image::codecs::webp::WebPDecoder;
use std::io::Cursor;

/// What an animation file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnimationFacts {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames.
    pub frames: usize,
    /// All frames' delays together.
    pub duration_ms: u64,
    /// How often it is shown, 0: for ever; none: it does not say.
    pub loops: Option<u32>,
}

/// Reads a whole file; the error says what is wrong with it.
pub fn read(bytes: &[u8], format: AnimationFormat) -> Result<AnimationFacts, String> {
    match format {
        AnimationFormat::Gif => read_gif(bytes),
        AnimationFormat::Webp => read_webp(bytes),
        AnimationFormat::Avif => read_avif(bytes),
    }
}

fn read_webp(bytes: &[u8]) -> Result<AnimationFacts, String> {
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|cause| cause.to_string())?;
    let (width, height) = decoder.dimensions();
    if !decoder.has_animation() {
        let mut pixels = vec![0; usize::try_from(decoder.total_bytes()).map_err(|_| "too large".to_owned())?];
        decoder.read_image(&mut pixels).map_err(|cause| cause.to_string())?;
        return Ok(AnimationFacts {
            width,
            height,
            frames: 1,
            duration_ms: 0,
            loops: None,
        });
    }
    let loops = webp_repeats(bytes).map(u32::from);
    let (mut frames, mut duration_ms) = (0, 0.0);
    for frame in decoder.into_frames() {
        let (numerator, denominator) = frame.map_err(|cause| cause.to_string())?.delay().numer_denom_ms();
        frames += 1;
        duration_ms += f64::from(numerator) / f64::from(denominator);
    }
    Ok(AnimationFacts {
        width,
        height,
        frames,
        duration_ms: duration_ms.round() as u64,
        loops,
    })
}

/// Loop count of the ANIM chunk; 0 is for ever.
fn webp_repeats(bytes: &[u8]) -> Option<u16> {
    let at = webp_repeats_at(bytes)?;
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// Where an animated WebP says how often it is shown, two bytes; none: it has no such place.
pub fn webp_repeats_at(bytes: &[u8]) -> Option<usize> {
    let mut at = 12;
    loop {
        let header = bytes.get(at..at + 8)?;
        let size = u32::from_le_bytes(header[4..].try_into().ok()?) as usize;
        if header.starts_with(b"ANIM") {
            return Some(at + 12);
        }
        at += 8 + size + size % 2;
    }
}

/// Frames are decoded by libav, whose decoders of AV1 are others than the encoders.
fn read_avif(bytes: &[u8]) -> Result<AnimationFacts, String> {
    if !bytes
        .get(4..)
        .is_some_and(|rest| rest.starts_with(b"ftypavif") || rest.starts_with(b"ftypavis"))
    {
        return Err("it does not begin like an AVIF".to_owned());
    }
    let words = |cause: AvError| cause.to_string();
    let source = Source::from_bytes(Box::new(bytes.to_vec()), "animation.avif").map_err(|cause| cause.to_string())?;
    let limits = Limits::default();
    let mut demuxer = Demuxer::open(source, &limits).map_err(words)?;
    // Newer libav shows the picture that stands for the sequence as a track of its own, before it.
    let longest = demuxer.streams().map(|stream| stream.frame_count().unwrap_or(0)).max();
    let place = demuxer
        .streams()
        .position(|stream| stream.frame_count().unwrap_or(0) == longest.unwrap_or(0));
    let track = place.ok_or_else(|| "it has no track".to_owned())?;
    let stream = demuxer.stream(track).ok_or_else(|| "it has no track".to_owned())?;
    let unit_s = stream.time_base().value();
    let mut decoder =
        Decoder::open(&stream.parameters().map_err(words)?, stream.time_base(), 1, &limits).map_err(words)?;
    let (mut packet, mut duration_s, mut more) = (Packet::new().map_err(words)?, 0.0, true);
    let (mut frames, mut size) = (0, (0, 0));
    while more {
        more = demuxer.read(&mut packet).map_err(words)?;
        if more && packet.stream_index() != track {
            continue;
        }
        if more {
            duration_s += packet.duration() as f64 * unit_s;
            decoder.send(&packet).map_err(words)?;
        } else {
            decoder.send_end().map_err(words)?;
        }
        while let Some(frame) = decoder.receive().map_err(words)? {
            frames += 1;
            size = (frame.width(), frame.height());
        }
    }
    if frames == 0 || decoder.damaged_frames() + decoder.refused_packets() > 0 {
        return Err(format!("of its frames {frames} can be decoded"));
    }
    Ok(AnimationFacts {
        width: size.0,
        height: size.1,
        frames,
        duration_ms: (duration_s * 1000.0).round() as u64,
        // Players repeat a sequence that says nothing else.
        loops: Some(0),
    })
}

fn read_gif(bytes: &[u8]) -> Result<AnimationFacts, String> {
    let cut = || "the file ends before its trailer".to_owned();
    let mut reader = Blocks { bytes, at: 0 };
    if !matches!(reader.take(6), Some(b"GIF89a" | b"GIF87a")) {
        return Err("it does not begin like a GIF".to_owned());
    }
    let screen = reader.take(7).ok_or_else(cut)?;
    let (width, height) = (
        u16::from_le_bytes([screen[0], screen[1]]),
        u16::from_le_bytes([screen[2], screen[3]]),
    );
    reader.colours(screen[4]).ok_or_else(cut)?;
    // Without the Netscape block it is shown once.
    let (mut frames, mut duration_ms, mut delay_ms, mut loops) = (0, 0, 0, Some(1));
    loop {
        match reader.take(1).ok_or_else(cut)?[0] {
            // An extension: its label, then blocks.
            0x21 => {
                let label = reader.take(1).ok_or_else(cut)?[0];
                let data = reader.blocks().ok_or_else(cut)?;
                if label == 0xf9 && data.len() >= 4 {
                    delay_ms = u64::from(u16::from_le_bytes([data[1], data[2]])) * 10;
                }
                if label == 0xff && data.starts_with(b"NETSCAPE2.0") && data.len() >= 14 {
                    // The number counts repetitions, but 0 is for ever.
                    let again = u32::from(u16::from_le_bytes([data[12], data[13]]));
                    loops = Some(if again == 0 { 0 } else { again + 1 });
                }
            }
            // A frame: place, size, colours, code size, data.
            0x2c => {
                let place = reader.take(9).ok_or_else(cut)?;
                reader.colours(place[8]).ok_or_else(cut)?;
                reader.take(1).ok_or_else(cut)?;
                if reader.blocks().ok_or_else(cut)?.is_empty() {
                    return Err(format!("frame {} has no data", frames + 1));
                }
                frames += 1;
                duration_ms += std::mem::take(&mut delay_ms);
            }
            0x3b => break,
            other => return Err(format!("there is no block of type {other:#04x}")),
        }
    }
    if frames == 0 {
        return Err("it has no frame".to_owned());
    }
    Ok(AnimationFacts {
        width: width.into(),
        height: height.into(),
        frames,
        duration_ms,
        loops,
    })
}

struct Blocks<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Blocks<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at + count)?;
        self.at += count;
        Some(taken)
    }

    /// Skips a colour table when the flags announce one.
    fn colours(&mut self, flags: u8) -> Option<()> {
        if flags & 0x80 != 0 {
            self.take(3 << ((flags & 7) + 1))?;
        }
        Some(())
    }

    /// Sub-blocks up to their terminator, joined.
    fn blocks(&mut self) -> Option<Vec<u8>> {
        let mut data = Vec::new();
        loop {
            match self.take(1)?[0] {
                0 => return Some(data),
                count => data.extend_from_slice(self.take(count.into())?),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two frames of 1x1, 7 hundredths each.
    fn gif(frames: usize) -> Vec<u8> {
        let mut bytes =
            b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
                .to_vec();
        for _ in 0..frames {
            bytes.extend(
                b"\x21\xf9\x04\x00\x07\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00",
            );
        }
        bytes.push(0x3b);
        bytes
    }

    #[test]
    fn a_gif_is_walked_to_its_trailer() {
        let facts = read(&gif(2), AnimationFormat::Gif).expect("reads");
        assert_eq!(
            facts,
            AnimationFacts {
                width: 1,
                height: 1,
                frames: 2,
                duration_ms: 140,
                loops: Some(0)
            }
        );
    }

    #[test]
    fn cut_and_foreign_files_are_refused() {
        let whole = gif(2);
        for length in 0..whole.len() {
            assert!(read(&whole[..length], AnimationFormat::Gif).is_err(), "{length} bytes");
        }
        assert!(read(&gif(0), AnimationFormat::Gif).is_err());
        assert!(read(&whole, AnimationFormat::Webp).is_err());
        assert!(read(b"RIFF\x04\0\0\0WEBP", AnimationFormat::Webp).is_err());
    }
}
