//! A chain of libav's video filters.

use crate::media::av::allowed;
use crate::media::av::color::Color;
use crate::media::av::error::AvError;
use crate::media::av::error::check;
use crate::media::av::frame::Frame;
use crate::media::av::log;
use crate::media::av::packet::ratio;
use crate::media::av::pixel::PixelFormat;
use crate::media::facts::Ratio;
use ffmpeg_the_third::ffi;
use std::ffi::CStr;
use std::ffi::CString;
use std::ffi::c_int;
use std::ptr;
use std::ptr::NonNull;

/// First major version of libavfilter whose links carry matrix and range.
const COLOR_IN_LINKS: u32 = 10;

/// What goes into a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphInput {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Pixel format.
    pub format: PixelFormat,
    /// Unit of the time stamps.
    pub time_base: Ratio,
    /// Shape of a pixel; 1/1 when unknown.
    pub sample_aspect_ratio: Ratio,
}

/// A configured graph with one way in and one way out.
#[derive(Debug)]
pub struct Graph {
    raw: NonNull<ffi::AVFilterGraph>,
    source: *mut ffi::AVFilterContext,
    sink: *mut ffi::AVFilterContext,
}

// SAFETY: the graph and its contexts belong to this value alone.
unsafe impl Send for Graph {}

impl Graph {
    /// Opens a chain in libav's notation, `bwdif=mode=send_frame,transpose=clock`.
    pub fn open(input: &GraphInput, chain: &str, threads: u32) -> Result<Self, AvError> {
        Self::open_for(input, Color::UNSPECIFIED, chain, threads)
    }

    /// The same for pictures whose numbers mean this. Newer libav settles matrix and range with the graph, older takes
    /// them from each picture.
    pub fn open_for(input: &GraphInput, color: Color, chain: &str, threads: u32) -> Result<Self, AvError> {
        log::start();
        // SAFETY: answers a constant.
        let settles_color = unsafe { ffi::avfilter_version() } >> 16 >= COLOR_IN_LINKS;
        let meaning = if settles_color && color != Color::UNSPECIFIED {
            format!(":colorspace={}:range={}", color.matrix, color.range)
        } else {
            String::new()
        };
        // SAFETY: answers null or a fresh graph.
        let raw = NonNull::new(unsafe { ffi::avfilter_graph_alloc() })
            .ok_or_else(|| AvError::memory("avfilter_graph_alloc"))?;
        let mut graph = Graph {
            raw,
            source: ptr::null_mut(),
            sink: ptr::null_mut(),
        };
        let text = format!(
            "buffer@in=video_size={}x{}:pix_fmt={}:time_base={}/{}:pixel_aspect={}/{}{meaning},{chain},buffersink@out",
            input.width,
            input.height,
            input.format.raw().0,
            input.time_base.num,
            input.time_base.den,
            input.sample_aspect_ratio.num,
            input.sample_aspect_ratio.den,
        );
        let text = CString::new(text).map_err(|_| AvError::argument("avfilter_graph_parse2"))?;
        let mut inputs = ptr::null_mut();
        let mut outputs = ptr::null_mut();
        // SAFETY: a live graph; the description ends in a source and a sink, so both lists come back empty, and
        // are freed anyway. Its filters and contexts found by name live as long as the graph; names are constant.
        unsafe {
            (*raw.as_ptr()).nb_threads = threads.clamp(1, 64) as c_int;
            let parsed = ffi::avfilter_graph_parse2(raw.as_ptr(), text.as_ptr(), &mut inputs, &mut outputs);
            ffi::avfilter_inout_free(&mut inputs);
            ffi::avfilter_inout_free(&mut outputs);
            check("avfilter_graph_parse2", parsed)?;
            for number in 0..(*raw.as_ptr()).nb_filters as usize {
                let filter = &*(**(*raw.as_ptr()).filters.add(number)).filter;
                let name = CStr::from_ptr(filter.name).to_string_lossy();
                if !allowed::has_filter(&name) {
                    let why = format!("the filter {name} is not among those of packaging/ffmpeg/components.txt");
                    return Err(AvError::unusable("avfilter_graph_parse2", why));
                }
            }
            check(
                "avfilter_graph_config",
                ffi::avfilter_graph_config(raw.as_ptr(), ptr::null_mut()),
            )?;
            graph.source = ffi::avfilter_graph_get_filter(raw.as_ptr(), c"buffer@in".as_ptr().cast_mut());
            graph.sink = ffi::avfilter_graph_get_filter(raw.as_ptr(), c"buffersink@out".as_ptr().cast_mut());
        }
        if graph.source.is_null() || graph.sink.is_null() {
            return Err(AvError::argument("avfilter_graph_get_filter"));
        }
        Ok(graph)
    }

    /// Unit of the time stamps that come out.
    pub fn time_base(&self) -> Ratio {
        // SAFETY: a configured sink.
        ratio(unsafe { ffi::av_buffersink_get_time_base(self.sink) })
    }

    /// Gives it a frame; `None` is the end.
    pub fn push(&mut self, frame: Option<&Frame>) -> Result<(), AvError> {
        let raw = frame.map_or(ptr::null_mut(), Frame::as_ptr);
        // SAFETY: a configured source; KEEP_REF leaves our frame alone.
        check("av_buffersrc_add_frame", unsafe {
            ffi::av_buffersrc_add_frame_flags(self.source, raw, ffi::AV_BUFFERSRC_FLAG_KEEP_REF.0 as c_int)
        })?;
        Ok(())
    }

    /// The next frame that comes out; none when it wants more, or after the end.
    pub fn pull(&mut self) -> Result<Option<Frame>, AvError> {
        let frame = Frame::empty()?;
        // SAFETY: a configured sink and an empty frame.
        match check("av_buffersink_get_frame", unsafe {
            ffi::av_buffersink_get_frame(self.sink, frame.as_ptr())
        }) {
            Ok(_) => Ok(Some(frame)),
            Err(error) if error.is_again() || error.is_eof() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        let mut raw = self.raw.as_ptr();
        // SAFETY: frees the graph with all its contexts, once.
        unsafe { ffi::avfilter_graph_free(&mut raw) }
    }
}
