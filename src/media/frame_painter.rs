//! Frames made into RGB pictures of a wanted size.
//!
//! Guarantees: upright, square pixels, progressive, SDR, whatever the source has; what a device shows is made there.
//! Frames are treated one by one, so they need not follow one another. Deliberately absent: which frames.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::av::Graph;
use crate::media::av::PackedRgb;
use crate::media::av::PixelFormat;
use crate::media::av::filter::GraphInput;
use crate::media::av::mastering;
use crate::media::av::scale::Filter;
use crate::media::error;
use crate::media::facts::Ratio;
use crate::media::facts::VideoFacts;
use crate::media::gather::Fit;
use crate::media::grading;
use crate::media::pass::gpu::sight::Easel;
use crate::media::pass::gpu::sight::Sight;
use crate::media::picture::Picture;

const OPERATION: &str = "scale";

/// Makes pictures of frames.
#[derive(Debug)]
pub struct FramePainter {
    rotation_degrees: u32,
    mirrored: bool,
    /// Frames come as decoded; otherwise they have been through the pass's own filters.
    raw: bool,
    scaler: Option<PackedRgb>,
    easel: Easel,
}

impl FramePainter {
    /// For frames as they leave the decoder.
    pub fn of_source(video: &VideoFacts) -> Self {
        FramePainter {
            rotation_degrees: video.rotation_degrees % 360,
            mirrored: video.mirrored,
            raw: true,
            scaler: None,
            easel: Easel::default(),
        }
    }

    /// For frames that a pass has made upright, square, progressive and SDR.
    pub fn of_pass() -> Self {
        FramePainter {
            rotation_degrees: 0,
            mirrored: false,
            raw: false,
            scaler: None,
            easel: Easel::default(),
        }
    }

    /// The image of a frame in the inner size of a fit.
    pub fn image(&mut self, frame: &Frame, fit: Fit) -> Result<Picture, Fault> {
        let painted = match Sight::of(frame) {
            Some(sight) => self.easel.image(sight, (fit.inner_width, fit.inner_height)),
            None => self.paint(frame, fit),
        };
        painted.map_err(|cause| {
            let subject = format!(
                "a frame of {}x{} to {}x{}",
                frame.width(),
                frame.height(),
                fit.inner_width,
                fit.inner_height
            );
            if cause.is_device() {
                return error::source_refused(OPERATION, &subject, &cause);
            }
            Fault::new(
                "PictureNotMade",
                if cause.is_no_memory() { Blame::Host } else { Blame::Bug },
                OPERATION,
                subject,
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
        let rgb = if self.raw && frame.is_interlaced() {
            let whole = filtered(frame, DEINTERLACE)?;
            self.scale(whole.as_ref().unwrap_or(frame), width, height)?
        } else {
            self.scale(frame, width, height)?
        };
        let picture = Picture::new(width, height, rgb).ok_or_else(|| AvError::argument("frame size"))?;
        Ok(picture.turned(self.rotation_degrees, self.mirrored))
    }

    fn scale(&mut self, frame: &Frame, width: u32, height: u32) -> Result<Vec<u8>, AvError> {
        if self.raw {
            let mut known = frame.share()?;
            known.say_range_apart();
            let format = known.pixel_format();
            known.set_color(grading::completed(frame.color(), format, frame.width(), frame.height()));
            return match to_sdr(&known, width, height) {
                Some(chain) => match filtered(&known, &chain)? {
                    Some(mapped) => self.convert(&mapped, width, height),
                    None => Err(AvError::argument("av_buffersink_get_frame")),
                },
                None => self.convert(&known, width, height),
            };
        }
        self.convert(frame, width, height)
    }

    fn convert(&mut self, frame: &Frame, width: u32, height: u32) -> Result<Vec<u8>, AvError> {
        let small = frame.width() >= width * 2 && frame.height() >= height * 2;
        let filter = if small { Filter::Area } else { Filter::Bicubic };
        let known = self.scaler.take().filter(|known| known.makes(width, height, filter));
        let scaler = known.unwrap_or_else(|| PackedRgb::new(width, height, filter));
        self.scaler.insert(scaler).run(frame)
    }
}

/// One frame in, one out: with no neighbours in time the missing lines come from the field at hand.
const DEINTERLACE: &str = "bwdif=mode=send_frame:deint=all";

/// The filters that make of a frame with a complete description an SDR one of the usual kind, if it is not. A tone
/// map works in floats, so the picture is made small first.
fn to_sdr(frame: &Frame, width: u32, height: u32) -> Option<String> {
    let (color, format) = (frame.color(), frame.pixel_format());
    let to = grading::sdr_of(color, frame.width(), frame.height());
    let size = (frame.width(), frame.height());
    if !color.is_hdr() || format.is_rgb() || format.has_alpha() {
        let is_plain_rgb = format.is_rgb() && !format.has_alpha();
        return grading::chain(color, format, size, to, PixelFormat::YUV420P, None).filter(|_| !is_plain_rgb);
    }
    let deep = PixelFormat::YUV444P10;
    let peak = mastering::of_frame(frame).peak_nits();
    let map = grading::chain(color, deep, (width, height), to, PixelFormat::planar(8, (0, 0)), peak)?;
    Some(format!(
        "zscale=w={width}:h={height}:f=bicubic,format={},{map}",
        deep.name()?
    ))
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
    let mut graph = Graph::open_for(&input, frame.color(), chain, 1)?;
    graph.push(Some(frame))?;
    graph.push(None)?;
    graph.pull()
}
