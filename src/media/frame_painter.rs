//! Frames made into RGB pictures of a wanted size.
//!
//! Guarantees: upright, square pixels, progressive, SDR, whatever the source has. Frames are treated one by one, so
//! they need not follow one another. Deliberately absent: which frames.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Frame;
use crate::media::av::Graph;
use crate::media::av::PixelFormat;
use crate::media::av::Scaler;
use crate::media::av::color;
use crate::media::av::filter::GraphInput;
use crate::media::av::scale::Filter;
use crate::media::facts::Ratio;
use crate::media::facts::VideoFacts;
use crate::media::gather::Fit;
use crate::media::picture::Picture;

/// Makes pictures of frames.
#[derive(Debug)]
pub struct FramePainter {
    rotation_degrees: u32,
    mirrored: bool,
    /// Frames come as decoded; otherwise they have been through the pass's own filters.
    raw: bool,
    scaler: Option<(Filter, Scaler)>,
}

impl FramePainter {
    /// For frames as they leave the decoder.
    pub fn of_source(video: &VideoFacts) -> Self {
        FramePainter {
            rotation_degrees: video.rotation_degrees % 360,
            mirrored: video.mirrored,
            raw: true,
            scaler: None,
        }
    }

    /// For frames that a pass has made upright, square, progressive and SDR.
    pub fn of_pass() -> Self {
        FramePainter {
            rotation_degrees: 0,
            mirrored: false,
            raw: false,
            scaler: None,
        }
    }

    /// The image of a frame in the inner size of a fit.
    pub fn image(&mut self, frame: &Frame, fit: Fit) -> Result<Picture, Fault> {
        self.paint(frame, fit).map_err(|cause| {
            Fault::new(
                "PictureNotMade",
                if cause.is_no_memory() { Blame::Host } else { Blame::Bug },
                "scale",
                format!(
                    "a frame of {}x{} to {}x{}",
                    frame.width(),
                    frame.height(),
                    fit.inner_width,
                    fit.inner_height
                ),
                cause.to_string(),
                "Try another size; if it fails the same way, report the source file.",
            )
        })
    }

    fn paint(&mut self, frame: &Frame, fit: Fit) -> Result<Picture, AvError> {
        let across = self.rotation_degrees % 180 == 90;
        let (width, height) = if across {
            (fit.inner_height, fit.inner_width)
        } else {
            (fit.inner_width, fit.inner_height)
        };
        let scaled = if self.raw && frame.is_interlaced() {
            let whole = filtered(frame, DEINTERLACE)?;
            self.scale(whole.as_ref().unwrap_or(frame), width, height)?
        } else {
            self.scale(frame, width, height)?
        };
        let row_bytes = width as usize * 3;
        let mut rgb = Vec::with_capacity(row_bytes * height as usize);
        for y in 0..height {
            let row = scaled.row(0, y).ok_or_else(|| AvError::argument("frame row"))?;
            rgb.extend_from_slice(row.get(..row_bytes).ok_or_else(|| AvError::argument("frame row"))?);
        }
        let picture = Picture::new(width, height, rgb).ok_or_else(|| AvError::argument("frame size"))?;
        Ok(picture.turned(self.rotation_degrees, self.mirrored))
    }

    fn scale(&mut self, frame: &Frame, width: u32, height: u32) -> Result<Frame, AvError> {
        if self.raw
            && frame.color().is_hdr()
            && let Some(mapped) = filtered(frame, &tone_map(frame.color(), width, height))?
        {
            return self.convert(&mapped, width, height);
        }
        self.convert(frame, width, height)
    }

    fn convert(&mut self, frame: &Frame, width: u32, height: u32) -> Result<Frame, AvError> {
        let small = frame.width() >= width * 2 && frame.height() >= height * 2;
        let filter = if small { Filter::Area } else { Filter::Bicubic };
        let fits = |(known, scaler): &(Filter, Scaler)| {
            *known == filter && (scaler.width(), scaler.height()) == (width, height)
        };
        if !self.scaler.as_ref().is_some_and(fits) {
            self.scaler = Some((filter, Scaler::new(PixelFormat::RGB24, width, height, filter)?));
        }
        match &mut self.scaler {
            Some((_, scaler)) => scaler.run(frame),
            None => Err(AvError::argument("scaler")),
        }
    }
}

/// One frame in, one out: with no neighbours in time the missing lines come from the field at hand.
const DEINTERLACE: &str = "bwdif=mode=send_frame:deint=all";

/// HDR to SDR at the picture's size: small first, because tone mapping works in floats. What the file does not say
/// is taken to be as HDR always is.
fn tone_map(color: Color, width: u32, height: u32) -> String {
    let mut unsaid = String::new();
    for (is_unsaid, assumed) in [
        (color.primaries == color::UNSPECIFIED, ":pin=bt2020"),
        (color.matrix == color::UNSPECIFIED, ":min=bt2020nc"),
        (color.range == 0, ":rin=limited"),
    ] {
        if is_unsaid {
            unsaid.push_str(assumed);
        }
    }
    format!(
        "zscale=w={width}:h={height}:f=bicubic{unsaid}:t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,\
         tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=limited,format=yuv444p"
    )
}

/// A single frame through a chain of its own.
fn filtered(frame: &Frame, chain: &str) -> Result<Option<Frame>, AvError> {
    let input = GraphInput {
        width: frame.width(),
        height: frame.height(),
        format: frame.pixel_format(),
        time_base: Ratio { num: 1, den: 1000 },
        sample_aspect_ratio: Ratio { num: 1, den: 1 },
    };
    let mut graph = Graph::open(&input, chain, 1)?;
    graph.push(Some(frame))?;
    graph.push(None)?;
    graph.pull()
}
