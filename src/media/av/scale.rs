//! Pictures of another size or pixel format.
//!
//! Guarantees: matrix and range of the source are honoured, said or not; a YUV result keeps the source's colour
//! description, an RGB one is full range. A picture that already fits is shared, not copied. The context is
//! rebuilt by itself when the source changes its size, format or colour.

use crate::media::av::color;
use crate::media::av::color::Color;
use crate::media::av::error::AvError;
use crate::media::av::error::check;
use crate::media::av::frame::Frame;
use crate::media::av::log;
use crate::media::av::pixel::PixelFormat;
use crate::media::av::pool::PicturePool;
use ffmpeg_the_third::ffi;
use std::ffi::c_int;
use std::ptr;
use std::ptr::NonNull;

/// How neighbours are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Good for all sizes; what renditions are made with.
    Bicubic,
    /// Every source pixel counts: for thumbnails, many times smaller than the source.
    Area,
}

/// What pictures come in as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    width: u32,
    height: u32,
    format: PixelFormat,
    color: Color,
}

impl Shape {
    fn of(frame: &Frame) -> Self {
        let (format, _) = frame.pixel_format().without_range();
        Shape {
            width: frame.width(),
            height: frame.height(),
            format,
            color: frame.color(),
        }
    }
}

/// Makes pictures of one size and format.
#[derive(Debug)]
pub struct Scaler {
    width: u32,
    height: u32,
    format: PixelFormat,
    filter: Filter,
    range: Option<i32>,
    pool: PicturePool,
    context: Option<(Shape, Color, Context)>,
}

#[derive(Debug)]
struct Context(NonNull<ffi::SwsContext>);

// SAFETY: one owner; libswscale keeps no thread-local state.
unsafe impl Send for Context {}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: freed once, by its owner.
        unsafe { ffi::sws_freeContext(self.0.as_ptr()) }
    }
}

impl Scaler {
    /// For pictures of this size and format out.
    pub fn new(format: PixelFormat, width: u32, height: u32, filter: Filter) -> Result<Self, AvError> {
        log::start();
        Ok(Scaler {
            width,
            height,
            format,
            filter,
            range: None,
            pool: PicturePool::new(format, width, height)?,
            context: None,
        })
    }

    /// Luma and chroma come out in this range, [`color::LIMITED`] or [`color::FULL`], instead of the source's own.
    pub fn in_range(mut self, range: i32) -> Self {
        self.range = Some(range);
        self
    }

    /// Pixel format of what comes out.
    pub fn format(&self) -> PixelFormat {
        self.format
    }
    /// Pixels across.
    pub fn width(&self) -> u32 {
        self.width
    }
    /// Pixels down.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The picture in this scaler's size and format, with the time stamp of the source.
    pub fn run(&mut self, frame: &Frame) -> Result<Frame, AvError> {
        let shape = Shape::of(frame);
        let is_in_range = self.range.is_none_or(|range| range == shape.color.range);
        if is_in_range && (shape.width, shape.height, shape.format) == (self.width, self.height, self.format) {
            let mut shared = frame.share()?;
            shared.say_range_apart();
            return Ok(shared);
        }
        let mut scaled = self.pool.take()?;
        let to = scaled.get_mut();
        let color = self.scale(frame, shape, &to.data, &to.linesize)?;
        scaled.set_color(color);
        let raw = scaled.get_mut();
        raw.pts = from_pts(frame);
        raw.chroma_location = frame.get().chroma_location;
        Ok(scaled)
    }

    /// Scales into `planes`, which must have the size and format of this scaler. Gives the colours of the result.
    fn scale(
        &mut self,
        frame: &Frame,
        shape: Shape,
        planes: &[*mut u8; 8],
        linesizes: &[c_int; 8],
    ) -> Result<Color, AvError> {
        if self.context.as_ref().is_none_or(|(known, _, _)| *known != shape) {
            self.context = Some(self.build(shape)?);
        }
        let Some((_, color, context)) = &self.context else {
            return Err(AvError::argument("sws_getContext"));
        };
        let from = frame.get();
        // SAFETY: the context was made for exactly these sizes and formats; the frame and the planes have that memory.
        check("sws_scale", unsafe {
            ffi::sws_scale(
                context.0.as_ptr(),
                from.data.as_ptr().cast(),
                from.linesize.as_ptr(),
                0,
                from.height,
                planes.as_ptr(),
                linesizes.as_ptr(),
            )
        })?;
        Ok(*color)
    }

    fn build(&self, shape: Shape) -> Result<(Shape, Color, Context), AvError> {
        let bad = || AvError::argument("sws_getContext");
        let int = |value: u32| c_int::try_from(value).map_err(|_| bad());
        let flags = match self.filter {
            Filter::Bicubic => ffi::SWS_BICUBIC as c_int,
            Filter::Area => ffi::SWS_AREA as c_int,
        } | if self.format.is_rgb() || shape.format.is_rgb() {
            (ffi::SWS_ACCURATE_RND | ffi::SWS_FULL_CHR_H_INT) as c_int
        } else {
            0
        };
        let from_rgb = shape.format.is_rgb();
        let to_rgb = self.format.is_rgb();
        // An RGB source has no matrix: the result gets the one its size suggests.
        let matrix = if from_rgb || shape.color.matrix == 0 {
            Color::UNSPECIFIED.effective_matrix(self.width, self.height)
        } else {
            shape.color.effective_matrix(shape.width, shape.height)
        };
        let from_full = from_rgb || shape.color.range == color::FULL;
        let to_full = match self.range {
            Some(range) if !to_rgb => range == color::FULL,
            _ => to_rgb || (!from_rgb && from_full),
        };
        // SAFETY: answers null or a context of its own.
        let context = NonNull::new(unsafe { ffi::sws_alloc_context() })
            .map(Context)
            .ok_or_else(|| AvError::memory("sws_alloc_context"))?;
        // Ranges are said before it is made ready: of more than 8 bits they are not heard afterwards.
        let settings = [
            (c"srcw", int(shape.width)?),
            (c"srch", int(shape.height)?),
            (c"src_format", shape.format.raw().0 as c_int),
            (c"src_range", c_int::from(from_full)),
            (c"dstw", int(self.width)?),
            (c"dsth", int(self.height)?),
            (c"dst_format", self.format.raw().0 as c_int),
            (c"dst_range", c_int::from(to_full)),
            (c"sws_flags", flags),
        ];
        for (name, value) in settings {
            // SAFETY: a live context, which begins with its class; the name is a constant of libswscale's options.
            check("av_opt_set_int", unsafe {
                ffi::av_opt_set_int(context.0.as_ptr().cast(), name.as_ptr(), i64::from(value), 0)
            })?;
        }
        // SAFETY: a live context, set up and not made ready yet.
        check("sws_init_context", unsafe {
            ffi::sws_init_context(context.0.as_ptr(), ptr::null_mut(), ptr::null_mut())
        })?;
        // SAFETY: a live context; the tables are constants of libswscale.
        unsafe {
            let table = ffi::sws_getCoefficients(matrix);
            ffi::sws_setColorspaceDetails(
                context.0.as_ptr(),
                table,
                c_int::from(from_full),
                table,
                c_int::from(to_full),
                0,
                1 << 16,
                1 << 16,
            );
        }
        let color = if to_rgb {
            Color {
                matrix: 0,
                range: color::FULL,
                ..shape.color
            }
        } else if from_rgb {
            Color {
                primaries: if matrix == color::BT709 {
                    color::BT709
                } else {
                    color::SMPTE170M
                },
                transfer: if matrix == color::BT709 {
                    color::BT709
                } else {
                    color::SMPTE170M
                },
                matrix,
                range: color::LIMITED,
            }
        } else {
            Color {
                range: self.range.unwrap_or(shape.color.range),
                ..shape.color
            }
        };
        Ok((shape, color, context))
    }
}

fn from_pts(frame: &Frame) -> i64 {
    frame.get().pts
}
