//! What kind of pictures an encode is fed with: SDR or HDR, in which format, and what it says of them.
//!
//! Guarantees: pure; an encode is HDR only when the source is and its codec keeps it.

use crate::media::av::Color;
use crate::media::av::PixelFormat;
use crate::media::av::color;
use crate::media::encoding;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::grading;
use crate::media::pass::glance::Glance;
use crate::media::spec::VideoCodec;
use crate::media::spec::VideoSpec;

/// The pictures of one encode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grade {
    /// Fed from the HDR cascade.
    pub is_hdr: bool,
    /// What the encoder takes.
    pub format: PixelFormat,
    /// What it writes of their colours.
    pub color: Color,
    /// What it writes of their light; nothing for SDR.
    pub metadata: HdrMetadata,
}

impl Grade {
    /// The pictures that a spec wants of a source.
    pub fn of(spec: &VideoSpec, source: &Glance) -> Grade {
        let is_hdr = source.color.is_hdr() && encoding::keeps_hdr(spec);
        let (width, height) = source.display;
        let said = if is_hdr {
            grading::hdr_of(source.color)
        } else {
            grading::sdr_of(source.color, width, height)
        };
        Grade {
            is_hdr,
            format: encoding::pixel_format(spec),
            color: Color {
                range: if carries_full_range(spec.codec) {
                    said.range
                } else {
                    color::LIMITED
                },
                ..said
            },
            metadata: if is_hdr {
                source.metadata
            } else {
                HdrMetadata::default()
            },
        }
    }

    /// Whether a rendition of this grade loses nothing that one of `smaller` needs.
    pub fn can_feed(&self, smaller: &Grade) -> bool {
        self.is_hdr == smaller.is_hdr && self.format.holds(smaller.format) && self.color == smaller.color
    }
}

/// The format that holds what all of these need; none when there are none.
pub fn widest(grades: &[Grade], is_hdr: bool) -> Option<PixelFormat> {
    let is_made = |grade: &&Grade| grade.is_hdr == is_hdr && grade.format != PixelFormat::NONE;
    let mine = || grades.iter().filter(is_made);
    let depth = mine().map(|grade| grade.format.bit_depth()).max()?;
    let across = mine().map(|grade| grade.format.chroma_shift().0).min()?;
    let down = mine().map(|grade| grade.format.chroma_shift().1).min()?;
    Some(PixelFormat::planar(depth, (across, down)))
}

/// Mezzanine codecs and MPEG-2 have no place for the word, and their readers take limited range for granted.
fn carries_full_range(codec: VideoCodec) -> bool {
    !matches!(codec, VideoCodec::Prores | VideoCodec::Dnxhr | VideoCodec::Mpeg2)
}
