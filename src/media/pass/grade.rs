//! What kind of pictures an encode is fed with: SDR or HDR, in which format, and what it says of them.
//!
//! Guarantees: pure; an encode is HDR only when the source is and its codec keeps it.

use crate::media::av::Color;
use crate::media::av::HdrLight;
use crate::media::av::PixelFormat;
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
    pub light: HdrLight,
}

impl Grade {
    /// The pictures that a spec wants of a source.
    pub fn of(spec: &VideoSpec, source: &Glance) -> Grade {
        let is_hdr = source.color.is_hdr() && keeps_hdr(spec);
        let (width, height) = source.display;
        Grade {
            is_hdr,
            format: format_of(spec),
            color: if is_hdr {
                grading::hdr_of(source.color)
            } else {
                grading::sdr_of(source.color, width, height)
            },
            light: if is_hdr { source.light } else { HdrLight::default() },
        }
    }

    /// Whether a rendition of this grade loses nothing that one of `smaller` needs.
    pub fn can_feed(&self, smaller: &Grade) -> bool {
        self.is_hdr == smaller.is_hdr && self.format.holds(smaller.format) && self.color == smaller.color
    }
}

/// The format that holds what all of these need; none when there are none.
pub fn widest(grades: &[Grade], is_hdr: bool) -> Option<PixelFormat> {
    let mine = || grades.iter().filter(|grade| grade.is_hdr == is_hdr);
    let depth = mine().map(|grade| grade.format.bit_depth()).max()?;
    let across = mine().map(|grade| grade.format.chroma_shift().0).min()?;
    let down = mine().map(|grade| grade.format.chroma_shift().1).min()?;
    Some(PixelFormat::planar(depth, (across, down)))
}

fn keeps_hdr(spec: &VideoSpec) -> bool {
    match spec.codec {
        VideoCodec::H264 => false,
    }
}

fn format_of(spec: &VideoSpec) -> PixelFormat {
    match spec.codec {
        VideoCodec::H264 => PixelFormat::YUV420P,
    }
}
