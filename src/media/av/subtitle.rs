//! Subtitles decoded, and text subtitles encoded.
//!
//! Guarantees: text comes as lines of ASS, whatever it was; pictures come as straight RGBA. Deliberately absent: when
//! they are shown, beyond what packets and codecs say.

use crate::media::av::allowed;
use crate::media::av::encode::context_of;
use crate::media::av::error::AvError;
use crate::media::av::error::check;
use crate::media::av::log;
use crate::media::av::packet::Packet;
use crate::media::av::packet::rational;
use crate::media::av::packet::stamp;
use crate::media::av::parameters::Parameters;
use crate::media::av::webvtt_text;
use crate::media::facts::Ratio;
use ffmpeg_the_third::ffi;
use std::borrow::Cow;
use std::ffi::CStr;
use std::ffi::CString;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ptr;
use std::ptr::NonNull;

/// Largest packet of encoded text.
const MAX_PACKET_BYTES: usize = 1 << 20;
/// Closed captions.
const CAPTIONS: ffi::AVCodecID = ffi::AVCodecID::EIA_608;
/// Pixels of the largest picture of subtitles.
const MAX_PIXELS: usize = 64 << 20;

/// What one packet shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shown {
    /// Seconds on the clock of the stream; none when the packet has no time.
    pub start_s: Option<f64>,
    /// For how long; none: until the next one.
    pub duration_s: Option<f64>,
    /// Text as ASS events, `ReadOrder,Layer,Style,Name,MarginL,MarginR,MarginV,Effect,Text`.
    pub lines: Vec<String>,
    /// The text as WebVTT has it; none: it is something else.
    pub vtt: Option<String>,
    /// Pictures.
    pub pictures: Vec<ShownPicture>,
}

/// A picture of subtitles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownPicture {
    /// Left edge on the subtitles' canvas.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Straight RGBA.
    pub rgba: Vec<u8>,
}

/// A decoder of subtitles.
#[derive(Debug)]
pub struct SubtitleDecoder {
    raw: NonNull<ffi::AVCodecContext>,
    unit: Ratio,
}

// SAFETY: the context belongs to this value alone.
unsafe impl Send for SubtitleDecoder {}

impl SubtitleDecoder {
    /// Opens it. `time_base` is that of the packets to come.
    pub fn open(parameters: &Parameters, time_base: Ratio) -> Result<Self, AvError> {
        log::start();
        let codec = allowed::decoder(parameters.get().codec_id)
            .ok_or_else(|| AvError::new(ffi::AVERROR_DECODER_NOT_FOUND, "avcodec_find_decoder"))?;
        // SAFETY: answers null or a fresh context for that codec.
        let raw = NonNull::new(unsafe { ffi::avcodec_alloc_context3(codec) })
            .ok_or_else(|| AvError::memory("avcodec_alloc_context3"))?;
        let decoder = SubtitleDecoder { raw, unit: time_base };
        // SAFETY: live parameters and context, not opened yet.
        unsafe {
            check(
                "avcodec_parameters_to_context",
                ffi::avcodec_parameters_to_context(raw.as_ptr(), parameters.as_ptr()),
            )?;
            (*raw.as_ptr()).pkt_timebase = rational(time_base);
            check(
                "avcodec_open2",
                ffi::avcodec_open2(raw.as_ptr(), codec, ptr::null_mut()),
            )?;
        }
        Ok(decoder)
    }

    /// For closed captions of CEA-608, of the field that speaks first: its packets are constructs of three bytes as A/53
    /// has them, a picture's worth each, in the order in which pictures are shown.
    pub fn captions(unit: Ratio) -> Result<Self, AvError> {
        let parameters = Parameters::empty()?;
        // SAFETY: fresh parameters of ours.
        unsafe {
            (*parameters.as_ptr()).codec_type = ffi::AVMediaType::SUBTITLE;
            (*parameters.as_ptr()).codec_id = CAPTIONS;
        }
        Self::open(&parameters, unit)
    }

    /// The ASS header that its lines of text belong to; empty for pictures.
    pub fn header(&self) -> String {
        // SAFETY: a live context; the header has that many bytes.
        let bytes = unsafe {
            let context = self.raw.as_ref();
            if context.subtitle_header.is_null() || context.subtitle_header_size <= 0 {
                return String::new();
            }
            std::slice::from_raw_parts(context.subtitle_header, context.subtitle_header_size as usize)
        };
        String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
    }

    /// Size of the canvas that pictures stand on; 0 when it is not known yet.
    pub fn canvas(&self) -> (u32, u32) {
        // SAFETY: a live context.
        let context = unsafe { self.raw.as_ref() };
        (context.width.max(0) as u32, context.height.max(0) as u32)
    }

    /// Decodes a packet. None: it shows nothing by itself, or it is damaged.
    pub fn decode(&mut self, packet: &Packet) -> Option<Shown> {
        // SAFETY: a live context.
        let is_webvtt = unsafe { self.raw.as_ref() }.codec_id == ffi::AVCodecID::WEBVTT;
        let said = is_webvtt.then(|| String::from_utf8_lossy(packet.data()).into_owned());
        let understood = match said.as_deref().map(webvtt_text::understood) {
            Some(Cow::Owned(text)) => Some(packet.with_data(text.as_bytes()).ok()?),
            _ => None,
        };
        let packet = understood.as_ref().unwrap_or(packet);
        // SAFETY: all zeros is an empty subtitle.
        let mut raw: ffi::AVSubtitle = unsafe { std::mem::zeroed() };
        let mut got = 0;
        // SAFETY: live context and packet; the subtitle is freed below.
        let answer = unsafe { ffi::avcodec_decode_subtitle2(self.raw.as_ptr(), &mut raw, &mut got, packet.as_ptr()) };
        if answer < 0 || got == 0 {
            return None;
        }
        let unit = self.unit.value();
        let mut shown = Shown {
            vtt: said,
            ..Shown::default()
        };
        // SAFETY: got says that the subtitle is filled: num_rects live rects.
        unsafe {
            for number in 0..raw.num_rects as usize {
                let rect = &**raw.rects.add(number);
                if !rect.ass.is_null() {
                    let line = CStr::from_ptr(rect.ass).to_string_lossy();
                    shown.lines.push(match is_webvtt {
                        true => webvtt_text::colored(&line),
                        false => line.into_owned(),
                    });
                } else if let Some(picture) = picture_of(rect) {
                    shown.pictures.push(picture);
                }
            }
        }
        let from_packet = packet.pts().map(|pts| pts as f64 * unit);
        let is_text = !shown.lines.is_empty();
        // SAFETY: a live context. Captions come out when they go: their times are not those of the packet.
        let is_late = unsafe { self.raw.as_ref() }.codec_id == CAPTIONS;
        if is_text && !is_late {
            shown.start_s = from_packet;
            shown.duration_s = (packet.duration() > 0).then_some(packet.duration() as f64 * unit);
        } else {
            let at_s = stamp(raw.pts).map(|pts| pts as f64 / 1e6).or(from_packet);
            shown.start_s = at_s.map(|at_s| at_s + f64::from(raw.start_display_time) / 1000.0);
        }
        if shown.duration_s.is_none() && raw.end_display_time > raw.start_display_time {
            // All ones: until the next one.
            shown.duration_s = (raw.end_display_time != u32::MAX)
                .then(|| f64::from(raw.end_display_time - raw.start_display_time) / 1000.0);
        }
        // SAFETY: filled by the decoder, freed once.
        unsafe { ffi::avsubtitle_free(&mut raw) };
        Some(shown)
    }
}

impl Drop for SubtitleDecoder {
    fn drop(&mut self) {
        let mut raw = self.raw.as_ptr();
        // SAFETY: freed once, by its owner.
        unsafe { ffi::avcodec_free_context(&mut raw) }
    }
}

/// # Safety
/// A rect that a decoder filled.
unsafe fn picture_of(rect: &ffi::AVSubtitleRect) -> Option<ShownPicture> {
    let (width, height) = (usize::try_from(rect.w).ok()?, usize::try_from(rect.h).ok()?);
    let stride = usize::try_from(rect.linesize[0]).ok()?;
    let is_sane = width > 0 && height > 0 && width.checked_mul(height)? <= MAX_PIXELS && stride >= width;
    if !is_sane || rect.data[0].is_null() || rect.data[1].is_null() {
        return None;
    }
    let colors = rect.nb_colors.clamp(0, 256) as usize;
    let mut rgba = Vec::with_capacity(width * height * 4);
    for y in 0..height {
        // SAFETY: a bitmap rect has `h` rows of `linesize` bytes, and 256 colours of 32 bits in native order.
        unsafe {
            let row = std::slice::from_raw_parts(rect.data[0].add(y * stride), width);
            for index in row {
                let index = usize::from(*index);
                let argb = if index < colors {
                    rect.data[1].cast::<u32>().add(index).read_unaligned()
                } else {
                    0
                };
                let [a, r, g, b] = argb.to_be_bytes();
                rgba.extend([r, g, b, a]);
            }
        }
    }
    Some(ShownPicture {
        x: rect.x.max(0) as u32,
        y: rect.y.max(0) as u32,
        width: width as u32,
        height: height as u32,
        rgba,
    })
}

/// An encoder of text subtitles.
#[derive(Debug)]
pub struct SubtitleEncoder {
    raw: NonNull<ffi::AVCodecContext>,
}

// SAFETY: the context belongs to this value alone.
unsafe impl Send for SubtitleEncoder {}

impl SubtitleEncoder {
    /// Opens one by libav's name, `mov_text`, for lines of an ASS header.
    pub fn open(name: &str, header: &str) -> Result<Self, AvError> {
        let (codec, raw) = context_of(name)?;
        let encoder = SubtitleEncoder { raw };
        // SAFETY: not opened yet, so these fields are ours to set; the header comes from libav's allocator, which
        // frees it with the context, and ends in a NUL.
        unsafe {
            let context = &mut *raw.as_ptr();
            context.time_base = ffi::AVRational { num: 1, den: 1000 };
            let copy = ffi::av_mallocz(header.len() + 1).cast::<u8>();
            if copy.is_null() {
                return Err(AvError::memory("av_mallocz"));
            }
            ptr::copy_nonoverlapping(header.as_ptr(), copy, header.len());
            context.subtitle_header = copy;
            context.subtitle_header_size = header.len() as c_int;
            check(
                "avcodec_open2",
                ffi::avcodec_open2(raw.as_ptr(), codec, ptr::null_mut()),
            )?;
        }
        Ok(encoder)
    }

    /// What a muxer must know of it.
    pub fn parameters(&self) -> Result<Parameters, AvError> {
        let parameters = Parameters::empty()?;
        // SAFETY: a live, opened context.
        check("avcodec_parameters_from_context", unsafe {
            ffi::avcodec_parameters_from_context(parameters.as_ptr(), self.raw.as_ptr())
        })?;
        Ok(parameters)
    }

    /// Encodes lines (see [`Shown::lines`]) that are shown together.
    pub fn encode(&mut self, lines: &[String], duration_ms: u32) -> Result<Vec<u8>, AvError> {
        let bad = || AvError::argument("avcodec_encode_subtitle");
        let texts: Vec<CString> = lines
            .iter()
            .map(|line| CString::new(line.as_str()).map_err(|_| bad()))
            .collect::<Result<_, _>>()?;
        let mut rects: Vec<ffi::AVSubtitleRect> = texts
            .iter()
            .map(|text| {
                // SAFETY: all zeros is an empty rect.
                let mut rect: ffi::AVSubtitleRect = unsafe { std::mem::zeroed() };
                rect.type_ = ffi::AVSubtitleType::ASS;
                rect.ass = text.as_ptr().cast::<c_char>().cast_mut();
                rect
            })
            .collect();
        let mut pointers: Vec<*mut ffi::AVSubtitleRect> = rects.iter_mut().map(ptr::from_mut).collect();
        // SAFETY: all zeros is an empty subtitle.
        let mut raw: ffi::AVSubtitle = unsafe { std::mem::zeroed() };
        raw.num_rects = u32::try_from(pointers.len()).map_err(|_| bad())?;
        raw.rects = pointers.as_mut_ptr();
        raw.end_display_time = duration_ms;
        let mut bytes = vec![0; MAX_PACKET_BYTES];
        // SAFETY: a live context; the buffer has that many bytes; rects and texts live through the call, which only
        // reads them.
        let length = check("avcodec_encode_subtitle", unsafe {
            ffi::avcodec_encode_subtitle(self.raw.as_ptr(), bytes.as_mut_ptr(), MAX_PACKET_BYTES as c_int, &raw)
        })?;
        bytes.truncate(length.max(0) as usize);
        Ok(bytes)
    }
}

impl Drop for SubtitleEncoder {
    fn drop(&mut self) {
        let mut raw = self.raw.as_ptr();
        // SAFETY: freed once, by its owner.
        unsafe { ffi::avcodec_free_context(&mut raw) }
    }
}
