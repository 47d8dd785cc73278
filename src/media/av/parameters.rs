//! What a stream's packets are: codec, size or rate, and the codec's own header.

use crate::media::av::color;
use crate::media::av::color::Color;
use crate::media::av::error::AvError;
use crate::media::av::error::check;
use crate::media::av::packet::ratio;
use crate::media::av::packet::rational;
use crate::media::av::pixel::PixelFormat;
use crate::media::av::sound;
use crate::media::facts::Ratio;
use ffmpeg_the_third::ffi;
use std::ffi::CStr;
use std::ffi::CString;
use std::ptr::NonNull;

/// Kinds of streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
    /// Subtitles.
    Subtitle,
    /// Everything else.
    Data,
}

/// A video stream that an encoder other than libav's makes.
#[derive(Debug, Clone, Copy)]
pub struct EncodedVideo<'a> {
    /// libav's name of the codec, `h264`.
    pub codec: &'a str,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Of the pictures that come out of a decoder.
    pub format: PixelFormat,
    /// Written into the stream.
    pub color: Color,
    /// Average bits a second; 0 when it is not set.
    pub bit_rate: u32,
    /// Pictures that may be decoded before one that is shown before them.
    pub video_delay: u32,
    /// Parameter sets with start codes, or the sequence header OBU: muxers make of it what their container has.
    pub header: &'a [u8],
}

/// Codec parameters, owned.
#[derive(Debug)]
pub struct Parameters {
    raw: NonNull<ffi::AVCodecParameters>,
}

// SAFETY: plain memory with one owner.
unsafe impl Send for Parameters {}
// SAFETY: all methods by shared reference only read.
unsafe impl Sync for Parameters {}

impl Parameters {
    pub(super) fn empty() -> Result<Self, AvError> {
        // SAFETY: answers null or fresh parameters.
        NonNull::new(unsafe { ffi::avcodec_parameters_alloc() })
            .map(|raw| Parameters { raw })
            .ok_or_else(|| AvError::memory("avcodec_parameters_alloc"))
    }

    /// Of a stream that an encoder other than libav's makes, of square pixels.
    pub fn of_encoded_video(video: &EncodedVideo<'_>) -> Result<Self, AvError> {
        let refused = || AvError::argument("avcodec_parameters_alloc");
        let name = CString::new(video.codec).map_err(|_| refused())?;
        let parameters = Self::empty()?;
        let padding = ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
        // SAFETY: null or a constant descriptor.
        let codec = unsafe { ffi::avcodec_descriptor_get_by_name(name.as_ptr()).as_ref() }.ok_or_else(refused)?;
        // SAFETY: fresh parameters of ours; the header is a zeroed allocation of libav's, which frees it with them.
        unsafe {
            let raw = &mut *parameters.raw.as_ptr();
            raw.codec_type = ffi::AVMediaType::VIDEO;
            raw.codec_id = codec.id;
            raw.width = i32::try_from(video.width).map_err(|_| refused())?;
            raw.height = i32::try_from(video.height).map_err(|_| refused())?;
            raw.format = video.format.0;
            raw.color_primaries = color::raw_primaries(video.color.primaries);
            raw.color_trc = color::raw_transfer(video.color.transfer);
            raw.color_space = color::raw_matrix(video.color.matrix);
            raw.color_range = color::raw_range(video.color.range);
            raw.sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
            raw.field_order = ffi::AVFieldOrder::PROGRESSIVE;
            raw.bit_rate = i64::from(video.bit_rate);
            raw.video_delay = i32::try_from(video.video_delay).unwrap_or(0);
            let place = ffi::av_mallocz(video.header.len() + padding).cast::<u8>();
            if place.is_null() {
                return Err(AvError::memory("av_mallocz"));
            }
            std::ptr::copy_nonoverlapping(video.header.as_ptr(), place, video.header.len());
            raw.extradata = place;
            raw.extradata_size = i32::try_from(video.header.len()).map_err(|_| refused())?;
        }
        Ok(parameters)
    }

    pub(super) fn copy_of(raw: *const ffi::AVCodecParameters) -> Result<Self, AvError> {
        let copy = Self::empty()?;
        // SAFETY: the caller's pointer is a live stream's.
        check("avcodec_parameters_copy", unsafe {
            ffi::avcodec_parameters_copy(copy.raw.as_ptr(), raw)
        })?;
        Ok(copy)
    }

    /// Of pictures of a codec, by libav's name; nothing else is said of them.
    pub fn of_video(codec: &str) -> Result<Self, AvError> {
        const CALL: &str = "avcodec_descriptor_get_by_name";
        let name = CString::new(codec).map_err(|_| AvError::argument(CALL))?;
        let parameters = Self::empty()?;
        // SAFETY: a NUL-terminated name; null or a constant descriptor; the parameters are ours.
        unsafe {
            let known = ffi::avcodec_descriptor_get_by_name(name.as_ptr()).as_ref();
            let known = known.ok_or_else(|| AvError::argument(CALL))?;
            (*parameters.raw.as_ptr()).codec_type = ffi::AVMediaType::VIDEO;
            (*parameters.raw.as_ptr()).codec_id = known.id;
        }
        Ok(parameters)
    }

    /// Another copy.
    pub fn duplicate(&self) -> Result<Self, AvError> {
        Self::copy_of(self.raw.as_ptr())
    }

    /// Kind of stream.
    pub fn kind(&self) -> Kind {
        match self.get().codec_type {
            ffi::AVMediaType::VIDEO => Kind::Video,
            ffi::AVMediaType::AUDIO => Kind::Audio,
            ffi::AVMediaType::SUBTITLE => Kind::Subtitle,
            _ => Kind::Data,
        }
    }
    /// `h264`; `none` when libav does not know it.
    pub fn codec_name(&self) -> String {
        // SAFETY: a constant string, never null.
        unsafe { CStr::from_ptr(ffi::avcodec_get_name(self.get().codec_id)) }
            .to_string_lossy()
            .into_owned()
    }
    /// The same, as libav's constant.
    pub fn codec_constant_name(&self) -> &'static str {
        // SAFETY: a constant string, never null; its lifetime is the library's.
        let name: &'static CStr = unsafe { CStr::from_ptr(ffi::avcodec_get_name(self.get().codec_id)) };
        name.to_str().unwrap_or("none")
    }
    /// The same in words.
    pub fn codec_long_name(&self) -> String {
        // SAFETY: null or a constant descriptor with constant strings.
        unsafe {
            match ffi::avcodec_descriptor_get(self.get().codec_id).as_ref() {
                Some(descriptor) if !descriptor.long_name.is_null() => {
                    CStr::from_ptr(descriptor.long_name).to_string_lossy().into_owned()
                }
                _ => "unknown".to_owned(),
            }
        }
    }
    /// Profile in words.
    pub fn profile_name(&self) -> Option<String> {
        // SAFETY: null or a constant string.
        unsafe {
            let raw = ffi::avcodec_profile_name(self.get().codec_id, self.get().profile);
            (!raw.is_null()).then(|| CStr::from_ptr(raw).to_string_lossy().into_owned())
        }
    }
    /// Level as the codec writes it; none when unknown.
    pub fn level(&self) -> Option<i32> {
        let level = self.get().level;
        (level > 0).then_some(level)
    }
    /// The container's four characters for the codec, as a number.
    pub fn codec_tag(&self) -> u32 {
        self.get().codec_tag
    }
    /// The same as text.
    pub fn codec_tag_text(&self) -> String {
        self.codec_tag()
            .to_le_bytes()
            .iter()
            .map(|byte| {
                if byte.is_ascii_graphic() || *byte == b' ' {
                    char::from(*byte).to_string()
                } else {
                    format!("[{byte}]")
                }
            })
            .collect()
    }
    /// Bits a second; 0 when unknown.
    pub fn bit_rate(&self) -> i64 {
        self.get().bit_rate
    }
    /// Coded pixels across.
    pub fn width(&self) -> u32 {
        self.get().width.max(0) as u32
    }
    /// Coded pixels down.
    pub fn height(&self) -> u32 {
        self.get().height.max(0) as u32
    }
    /// Whether this libav keeps [`Parameters::frame_rate`]: before 6.1 it gives such a rate to the stream instead.
    pub fn tell_frame_rates() -> bool {
        /// The libavcodec that came with 6.1.
        const FIRST: u32 = 60 << 16 | 31 << 8;
        // SAFETY: answers a constant.
        unsafe { ffi::avcodec_version() >= FIRST }
    }
    /// Frames a second by the codec's own headers; none when they do not say it.
    pub fn frame_rate(&self) -> Option<Ratio> {
        // SAFETY: answers null or a context of ours, which takes the parameters over and is freed; it is never opened.
        let raw = unsafe {
            let mut context = ffi::avcodec_alloc_context3(std::ptr::null());
            if context.is_null() || ffi::avcodec_parameters_to_context(context, self.raw.as_ptr()) < 0 {
                ffi::avcodec_free_context(&mut context);
                return None;
            }
            let raw = (*context).framerate;
            ffi::avcodec_free_context(&mut context);
            raw
        };
        (raw.num > 0 && raw.den > 0).then(|| ratio(raw))
    }
    /// Pixel format of video.
    pub fn pixel_format(&self) -> PixelFormat {
        PixelFormat(self.get().format)
    }
    /// libav's name of the sample format of audio.
    pub fn sample_format_name(&self) -> Option<String> {
        sound::format_name(self.get().format)
    }
    /// Bits of a sample where the codec says it; 0 otherwise.
    pub fn bits_per_raw_sample(&self) -> u32 {
        self.get().bits_per_raw_sample.max(0) as u32
    }
    /// Bits of a sample of a lossless audio codec; 0 otherwise.
    pub fn sample_bits(&self) -> u32 {
        let raw = self.get();
        // SAFETY: null or a constant descriptor.
        let properties = unsafe { ffi::avcodec_descriptor_get(raw.codec_id).as_ref() }.map_or(0, |known| known.props);
        let lossless = properties & ffi::AV_CODEC_PROP_LOSSLESS as i32 != 0;
        let lossy = properties & ffi::AV_CODEC_PROP_LOSSY as i32 != 0;
        let said = match (raw.bits_per_raw_sample, raw.bits_per_coded_sample) {
            (0, coded) => coded,
            (raw, _) => raw,
        };
        if lossless && !lossy { said.max(0) as u32 } else { 0 }
    }
    /// Shape of a pixel; none when unknown or square.
    pub fn sample_aspect_ratio(&self) -> Option<Ratio> {
        let sar = ratio(self.get().sample_aspect_ratio);
        (sar.num > 0 && sar.den > 0 && sar.num != sar.den).then_some(sar)
    }
    /// `progressive`, `tt`, `bb`, `tb`, `bt` or `unknown`.
    pub fn field_order(&self) -> &'static str {
        match self.get().field_order {
            ffi::AVFieldOrder::PROGRESSIVE => "progressive",
            ffi::AVFieldOrder::TT => "tt",
            ffi::AVFieldOrder::BB => "bb",
            ffi::AVFieldOrder::TB => "tb",
            ffi::AVFieldOrder::BT => "bt",
            _ => "unknown",
        }
    }
    /// What the numbers of its pictures mean.
    pub fn color(&self) -> Color {
        let raw = self.get();
        let range = if self.pixel_format().without_range().1 {
            crate::media::av::color::FULL
        } else {
            raw.color_range.0 as i32
        };
        Color {
            primaries: raw.color_primaries.0 as i32,
            transfer: raw.color_trc.0 as i32,
            matrix: raw.color_space.0 as i32,
            range,
        }
    }
    /// B-frames that reorder.
    pub fn video_delay(&self) -> i32 {
        self.get().video_delay
    }
    /// Hz.
    pub fn sample_rate_hz(&self) -> u32 {
        self.get().sample_rate.max(0) as u32
    }
    /// Channels.
    pub fn channels(&self) -> u32 {
        self.get().ch_layout.nb_channels.max(0) as u32
    }
    /// `stereo`, `5.1(side)`.
    pub fn layout_name(&self) -> String {
        sound::describe(&self.get().ch_layout)
    }
    /// Samples an encoder puts before the first real one.
    pub fn initial_padding(&self) -> u32 {
        self.get().initial_padding.max(0) as u32
    }
    /// Says how many samples an encoder put before the first real one.
    pub fn set_initial_padding(&mut self, samples: u32) {
        // SAFETY: ours, borrowed exclusively.
        unsafe { (*self.raw.as_ptr()).initial_padding = samples as i32 }
    }
    /// The codec's own header (avcC, AudioSpecificConfig ...).
    pub fn extradata(&self) -> &[u8] {
        let raw = self.get();
        if raw.extradata.is_null() || raw.extradata_size <= 0 {
            return &[];
        }
        // SAFETY: libav owns that many readable bytes there.
        unsafe { std::slice::from_raw_parts(raw.extradata, raw.extradata_size as usize) }
    }
    /// Says of which format and size the pictures are.
    pub fn set_picture(&mut self, format: PixelFormat, width: u32, height: u32) {
        // SAFETY: ours, borrowed exclusively.
        let raw = unsafe { self.raw.as_mut() };
        raw.format = format.0;
        raw.width = i32::try_from(width).unwrap_or(i32::MAX);
        raw.height = i32::try_from(height).unwrap_or(i32::MAX);
    }
    /// Says what the codec's own header is.
    pub fn set_extradata(&mut self, header: &[u8]) -> Result<(), AvError> {
        let size = i32::try_from(header.len()).map_err(|_| AvError::argument("av_mallocz"))?;
        let room = header.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
        // SAFETY: memory of libav's allocator with room for the header and the padding that its readers expect; the old
        // one is freed by the same allocator.
        unsafe {
            let place = ffi::av_mallocz(room as _).cast::<u8>();
            if place.is_null() {
                return Err(AvError::memory("av_mallocz"));
            }
            std::ptr::copy_nonoverlapping(header.as_ptr(), place, header.len());
            let raw = self.raw.as_mut();
            ffi::av_freep((&raw mut raw.extradata).cast());
            raw.extradata = place;
            raw.extradata_size = size;
        }
        Ok(())
    }
    /// Lets the next container choose its own four characters.
    pub fn clear_codec_tag(&mut self) {
        // SAFETY: ours, borrowed exclusively.
        unsafe { (*self.raw.as_ptr()).codec_tag = 0 }
    }
    /// Says which shape pixels have.
    pub fn set_sample_aspect_ratio(&mut self, sar: Ratio) {
        // SAFETY: ours, borrowed exclusively.
        unsafe { (*self.raw.as_ptr()).sample_aspect_ratio = rational(sar) }
    }

    pub(super) fn as_ptr(&self) -> *mut ffi::AVCodecParameters {
        self.raw.as_ptr()
    }
    pub(super) fn get(&self) -> &ffi::AVCodecParameters {
        // SAFETY: valid for the life of this value.
        unsafe { self.raw.as_ref() }
    }
}

impl Drop for Parameters {
    fn drop(&mut self) {
        let mut raw = self.raw.as_ptr();
        // SAFETY: freed once, by its owner.
        unsafe { ffi::avcodec_parameters_free(&mut raw) }
    }
}
