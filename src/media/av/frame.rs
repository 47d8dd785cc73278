//! One picture or one stretch of sound, uncompressed.
//!
//! Guarantees: the pixels of a shared frame are never written to; `row_mut` works on frames nobody shares.

use crate::media::av::color;
use crate::media::av::color::Color;
use crate::media::av::error::AvError;
use crate::media::av::error::check;
use crate::media::av::packet::ratio;
use crate::media::av::packet::rational;
use crate::media::av::packet::stamp;
use crate::media::av::pixel::PixelFormat;
use crate::media::av::sound::Sound;
use crate::media::facts::Ratio;
use ffmpeg_the_third::ffi;
use std::ptr::NonNull;

// Flags of libav from 6.1 on, in place of fields of their own; older ones have no use for these bits.
const FLAG_KEY: i32 = 1 << 1;
const FLAG_INTERLACED: i32 = 1 << 3;
const FLAG_TOP_FIELD_FIRST: i32 = 1 << 4;

/// Metadata of HDR that change from picture to picture.
const DYNAMIC_HDR: [(ffi::AVFrameSideDataType, &str); 2] = [
    (ffi::AVFrameSideDataType::DYNAMIC_HDR_PLUS, "HDR10+"),
    (ffi::AVFrameSideDataType::DYNAMIC_HDR_VIVID, "HDR Vivid"),
];

/// What a decoder finds out of a picture beside its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// Decoding could begin at it.
    pub is_key: bool,
    /// Two fields of different moments.
    pub is_interlaced: bool,
    /// The upper field is the earlier one.
    pub is_top_first: bool,
    /// Times a field of it is shown beyond the usual two.
    pub repeated_fields: u32,
    /// Parts of it are missing or wrong.
    pub is_damaged: bool,
}

/// A reference-counted frame.
#[derive(Debug)]
pub struct Frame {
    raw: NonNull<ffi::AVFrame>,
}

// SAFETY: the AVFrame struct has one owner; its buffers are counted with atomics and written to only while unshared.
unsafe impl Send for Frame {}
// SAFETY: all methods by shared reference only read.
unsafe impl Sync for Frame {}

impl Frame {
    /// An empty one, to be filled by libav.
    pub(super) fn empty() -> Result<Self, AvError> {
        // SAFETY: answers null or a fresh frame.
        NonNull::new(unsafe { ffi::av_frame_alloc() })
            .map(|raw| Frame { raw })
            .ok_or_else(|| AvError::memory("av_frame_alloc"))
    }

    /// A picture with memory of its own, not cleared.
    pub fn picture(format: PixelFormat, width: u32, height: u32) -> Result<Self, AvError> {
        let mut frame = Self::empty()?;
        let raw = frame.get_mut();
        raw.format = format.0;
        raw.width = i32::try_from(width).map_err(|_| AvError::argument("av_frame_get_buffer"))?;
        raw.height = i32::try_from(height).map_err(|_| AvError::argument("av_frame_get_buffer"))?;
        // SAFETY: format and size are set as the call wants.
        check("av_frame_get_buffer", unsafe {
            ffi::av_frame_get_buffer(frame.as_ptr(), 0)
        })?;
        Ok(frame)
    }

    /// Silence with memory of its own: `samples` of each channel.
    pub fn silence(sound: &Sound, samples: usize) -> Result<Self, AvError> {
        let mut frame = Self::empty()?;
        let raw = frame.get_mut();
        raw.format = sound.format;
        raw.sample_rate = sound.rate_hz as i32;
        raw.nb_samples = i32::try_from(samples).map_err(|_| AvError::argument("av_frame_get_buffer"))?;
        sound.copy_layout(&mut raw.ch_layout)?;
        // SAFETY: format, layout and length are set as the call wants.
        check("av_frame_get_buffer", unsafe {
            ffi::av_frame_get_buffer(frame.as_ptr(), 0)
        })?;
        // SAFETY: the planes just allocated have that format, length and channel count.
        unsafe {
            ffi::av_samples_set_silence(
                (*frame.as_ptr()).extended_data,
                0,
                samples as i32,
                sound.channels() as i32,
                ffi::AVSampleFormat(sound.format),
            );
        }
        Ok(frame)
    }

    /// Another frame on the same pixels.
    pub fn share(&self) -> Result<Self, AvError> {
        // SAFETY: clones a live frame by reference count.
        NonNull::new(unsafe { ffi::av_frame_clone(self.raw.as_ptr()) })
            .map(|raw| Frame { raw })
            .ok_or_else(|| AvError::memory("av_frame_clone"))
    }

    /// Takes closed captions (CEA-608 and 708) out of it: constructs of three bytes as A/53 has them; none: it had none.
    pub fn take_captions(&mut self) -> Option<Vec<u8>> {
        let kind = ffi::AVFrameSideDataType::A53_CC;
        let constructs = self.side_data(kind)?.to_vec();
        // SAFETY: a live frame; its owner removes what was copied.
        unsafe { ffi::av_frame_remove_side_data(self.as_ptr(), kind) };
        Some(constructs)
    }

    /// Gives it such captions, for encoders that write them.
    pub fn set_captions(&mut self, constructs: &[u8]) -> Result<(), AvError> {
        let kind = ffi::AVFrameSideDataType::A53_CC;
        // SAFETY: a live frame; what is allocated has the length that is copied into it.
        unsafe {
            ffi::av_frame_remove_side_data(self.as_ptr(), kind);
            let side = ffi::av_frame_new_side_data(self.as_ptr(), kind, constructs.len() as _)
                .as_ref()
                .ok_or_else(|| AvError::memory("av_frame_new_side_data"))?;
            std::ptr::copy_nonoverlapping(constructs.as_ptr(), side.data, constructs.len());
        }
        Ok(())
    }

    /// Which metadata of HDR it carries that change from picture to picture.
    pub fn dynamic_hdr(&self) -> Option<&'static str> {
        let mut kinds = DYNAMIC_HDR.into_iter();
        kinds.find_map(|(kind, name)| self.side_data(kind).map(|_| name))
    }

    /// Takes such metadata away, which say nothing of a picture that is graded anew.
    pub fn leave_dynamic_hdr(&mut self) {
        for (kind, _) in DYNAMIC_HDR {
            // SAFETY: a live frame; its owner removes what belongs to it.
            unsafe { ffi::av_frame_remove_side_data(self.as_ptr(), kind) };
        }
    }

    /// Timecode that the picture itself carries (S12M, or of its GOP), as text, `01:00:00:00`.
    pub fn timecode(&self, rate: Ratio) -> Option<String> {
        let mut text = [0 as std::ffi::c_char; ffi::AV_TIMECODE_STR_SIZE as usize];
        // SAFETY: a live frame; side data has `size` bytes; the text is as long as the calls want and NUL-terminated.
        unsafe {
            let s12m = ffi::av_frame_get_side_data(self.as_ptr(), ffi::AVFrameSideDataType::S12M_TIMECODE);
            if let Some(data) = s12m.as_ref()
                && data.size >= 8
            {
                let numbers = data.data.cast::<u32>();
                if numbers.read_unaligned() > 0 {
                    let number = numbers.add(1).read_unaligned();
                    ffi::av_timecode_make_smpte_tc_string2(text.as_mut_ptr(), rational(rate), number, 0, 0);
                    return Some(std::ffi::CStr::from_ptr(text.as_ptr()).to_string_lossy().into_owned());
                }
            }
            let gop = ffi::av_frame_get_side_data(self.as_ptr(), ffi::AVFrameSideDataType::GOP_TIMECODE);
            let data = gop.as_ref().filter(|data| data.size >= 8)?;
            let number = data.data.cast::<i64>().read_unaligned();
            ffi::av_timecode_make_mpeg_tc_string(text.as_mut_ptr(), number as u32);
            Some(std::ffi::CStr::from_ptr(text.as_ptr()).to_string_lossy().into_owned())
        }
    }

    /// Makes its pixels its own: copies them when another frame has them too.
    pub fn make_writable(&mut self) -> Result<(), AvError> {
        // SAFETY: a live frame with pixels; the call replaces its buffers when they are shared.
        check("av_frame_make_writable", unsafe {
            ffi::av_frame_make_writable(self.as_ptr())
        })?;
        Ok(())
    }

    /// Pixels across.
    pub fn width(&self) -> u32 {
        self.get().width.max(0) as u32
    }
    /// Pixels down.
    pub fn height(&self) -> u32 {
        self.get().height.max(0) as u32
    }
    /// Pixel format of a picture.
    pub fn pixel_format(&self) -> PixelFormat {
        PixelFormat(self.get().format)
    }
    /// Samples of each channel of a sound.
    pub fn samples(&self) -> usize {
        self.get().nb_samples.max(0) as usize
    }
    /// Rate, layout and format of a sound.
    pub fn sound(&self) -> Result<Sound, AvError> {
        let raw = self.get();
        Sound::from_raw(raw.sample_rate, &raw.ch_layout, raw.format)
    }
    /// Time stamp, in whatever unit its maker used.
    pub fn pts(&self) -> Option<i64> {
        stamp(self.get().pts)
    }
    /// Time stamp with libav's repair for files that lack some.
    pub fn best_pts(&self) -> Option<i64> {
        stamp(self.get().best_effort_timestamp).or_else(|| self.pts())
    }
    /// Sets the time stamp; none is libav's "no time stamp".
    pub fn set_decoded_pts(&mut self, pts: Option<i64>) {
        let raw = self.get_mut();
        raw.pts = pts.unwrap_or(ffi::AV_NOPTS_VALUE);
        raw.best_effort_timestamp = raw.pts;
    }
    /// Sets the time stamp.
    pub(super) fn set_best_pts(&mut self, pts: i64) {
        let raw = self.get_mut();
        raw.pts = pts;
        raw.best_effort_timestamp = pts;
    }
    /// Sets the time stamp.
    pub fn set_pts(&mut self, pts: i64) {
        self.get_mut().pts = pts;
    }
    /// Width of a pixel over its height; none when unknown or square.
    pub fn sample_aspect_ratio(&self) -> Option<Ratio> {
        let sar = ratio(self.get().sample_aspect_ratio);
        (sar.num > 0 && sar.den > 0 && sar.num != sar.den).then_some(sar)
    }
    /// Sets the shape of a pixel.
    pub fn set_sample_aspect_ratio(&mut self, sar: Ratio) {
        self.get_mut().sample_aspect_ratio = rational(sar);
    }
    /// Decoding could begin at this frame.
    #[allow(deprecated)]
    pub fn is_key(&self) -> bool {
        self.get().key_frame != 0
    }
    /// Two fields of different moments.
    #[allow(deprecated)]
    pub fn is_interlaced(&self) -> bool {
        self.get().interlaced_frame != 0
    }
    /// Of its two fields the upper lines are the earlier one.
    #[allow(deprecated)]
    pub fn is_top_first(&self) -> bool {
        self.get().top_field_first != 0
    }
    /// The decoder concealed missing or broken parts.
    pub fn is_damaged(&self) -> bool {
        let raw = self.get();
        raw.flags & ffi::AV_FRAME_FLAG_CORRUPT as i32 != 0 || raw.decode_error_flags != 0
    }
    /// Says what a decoder that is not libav's found out of it.
    #[allow(deprecated)]
    pub fn set_marks(&mut self, marks: Marks) {
        let raw = self.get_mut();
        raw.key_frame = marks.is_key.into();
        raw.interlaced_frame = marks.is_interlaced.into();
        raw.top_field_first = marks.is_top_first.into();
        raw.repeat_pict = marks.repeated_fields.min(8) as i32;
        let flags = [
            (marks.is_damaged, ffi::AV_FRAME_FLAG_CORRUPT as i32),
            (marks.is_key, FLAG_KEY),
            (marks.is_interlaced, FLAG_INTERLACED),
            (marks.is_top_first, FLAG_TOP_FIELD_FIRST),
        ];
        for (holds, flag) in flags {
            if holds {
                raw.flags |= flag;
            } else {
                raw.flags &= !flag;
            }
        }
    }
    /// The upper field is the earlier one.
    #[allow(deprecated)]
    pub fn is_top_field_first(&self) -> bool {
        self.get().top_field_first != 0
    }
    /// Times a field of it is shown beyond the usual two: 1 for the long frames of a 3:2 pulldown.
    pub fn repeated_fields(&self) -> u32 {
        self.get().repeat_pict.clamp(0, 8) as u32
    }
    /// The nine numbers of a display matrix of its own, as [`crate::media::av::Stream::display_matrix`].
    pub fn display_matrix(&self) -> Option<[i32; 9]> {
        matrix_of(self.side_data(ffi::AVFrameSideDataType::DISPLAYMATRIX)?)
    }
    /// What a filter wrote beside the picture.
    pub fn notes(&self) -> std::collections::BTreeMap<String, String> {
        crate::media::av::dict::read(self.get().metadata)
    }
    /// Forgets how it has to be turned.
    pub(super) fn forget_turn(&mut self) {
        // SAFETY: a live frame, borrowed exclusively; what it does not have is passed over.
        unsafe { ffi::av_frame_remove_side_data(self.raw.as_ptr(), ffi::AVFrameSideDataType::DISPLAYMATRIX) }
    }
    /// Forgets what no longer holds once it is upright, and what says more of its light than its colour does.
    pub fn forget_display(&mut self) {
        use ffi::AVFrameSideDataType as Kind;
        for kind in [
            Kind::DISPLAYMATRIX,
            Kind::MASTERING_DISPLAY_METADATA,
            Kind::CONTENT_LIGHT_LEVEL,
            Kind::DYNAMIC_HDR_PLUS,
            Kind::DOVI_RPU_BUFFER,
            Kind::DOVI_METADATA,
            Kind::ICC_PROFILE,
        ] {
            // SAFETY: a live frame, borrowed exclusively; what it does not have is passed over.
            unsafe { ffi::av_frame_remove_side_data(self.raw.as_ptr(), kind) }
        }
    }
    pub(super) fn side_data(&self, kind: ffi::AVFrameSideDataType) -> Option<&[u8]> {
        // SAFETY: a live frame; the answer is null or lives as long as the frame does.
        unsafe {
            let side = ffi::av_frame_get_side_data(self.raw.as_ptr(), kind).as_ref()?;
            (!side.data.is_null()).then(|| std::slice::from_raw_parts(side.data, side.size as usize))
        }
    }
    /// What its numbers mean.
    pub fn color(&self) -> Color {
        let raw = self.get();
        let range = if self.pixel_format().without_range().1 {
            color::FULL
        } else {
            raw.color_range.0 as i32
        };
        Color {
            primaries: raw.color_primaries.0 as i32,
            transfer: raw.color_trc.0 as i32,
            matrix: raw.colorspace.0 as i32,
            range,
        }
    }
    /// Relabels it; the numbers stay.
    pub fn set_color(&mut self, color: Color) {
        let raw = self.get_mut();
        raw.color_primaries = color::raw_primaries(color.primaries);
        raw.color_trc = color::raw_transfer(color.transfer);
        raw.colorspace = color::raw_matrix(color.matrix);
        raw.color_range = color::raw_range(color.range);
    }
    /// Says `yuv420p` where it said `yuvj420p`, with the range in its own field.
    pub fn say_range_apart(&mut self) {
        let (plain, full) = self.pixel_format().without_range();
        if full {
            let raw = self.get_mut();
            raw.format = plain.0;
            raw.color_range = color::raw_range(color::FULL);
        }
    }
    /// Asks the encoder for a key frame here, or leaves the choice to it.
    pub fn ask_key(&mut self, key: bool) {
        self.get_mut().pict_type = if key {
            ffi::AVPictureType::I
        } else {
            ffi::AVPictureType::NONE
        };
    }

    /// One row of a plane of a picture: only its pixels, without padding. None when there is no such row.
    pub fn row(&self, plane: usize, y: u32) -> Option<&[u8]> {
        let (start, length) = self.row_place(plane, y)?;
        // SAFETY: row_place stays within the plane; libav keeps it readable for the life of the frame.
        Some(unsafe { std::slice::from_raw_parts(start, length) })
    }

    /// A whole plane of a picture from its first row on, and bytes from a row to the next. None when there is no such
    /// plane, or its rows lie bottom-up.
    pub fn plane(&self, plane: usize) -> Option<(&[u8], usize)> {
        let (start, length, stride) = self.plane_place(plane)?;
        // SAFETY: first to last row of one allocation, which libav keeps readable for the life of the frame.
        Some((unsafe { std::slice::from_raw_parts(start, length) }, stride))
    }

    /// The same to write to; none as well when the pixels are shared.
    pub fn plane_mut(&mut self, plane: usize) -> Option<(&mut [u8], usize)> {
        // SAFETY: reads reference counts of a live frame.
        if unsafe { ffi::av_frame_is_writable(self.raw.as_ptr()) } <= 0 {
            return None;
        }
        let (start, length, stride) = self.plane_place(plane)?;
        // SAFETY: as `plane`; nobody else holds the buffer.
        Some((
            unsafe { std::slice::from_raw_parts_mut(start.cast_mut(), length) },
            stride,
        ))
    }

    /// First byte, bytes up to the end of the last row, and bytes from a row to the next.
    fn plane_place(&self, plane: usize) -> Option<(*const u8, usize, usize)> {
        let (start, row_bytes) = self.row_place(plane, 0)?;
        let stride = usize::try_from(*self.get().linesize.get(plane)?).ok()?;
        let (_, vertical) = self.pixel_format().chroma_shift();
        let rows = match plane {
            1 | 2 => self.height().div_ceil(1 << vertical),
            _ => self.height(),
        };
        Some((start, stride * (rows.max(1) as usize - 1) + row_bytes, stride))
    }

    /// The same to write to; none as well when the pixels are shared.
    pub fn row_mut(&mut self, plane: usize, y: u32) -> Option<&mut [u8]> {
        // SAFETY: reads reference counts of a live frame.
        if unsafe { ffi::av_frame_is_writable(self.raw.as_ptr()) } <= 0 {
            return None;
        }
        let (start, length) = self.row_place(plane, y)?;
        // SAFETY: as `row`; nobody else holds the buffer.
        Some(unsafe { std::slice::from_raw_parts_mut(start.cast_mut(), length) })
    }

    /// Samples of one channel of a planar 32-bit float sound.
    pub fn channel(&self, channel: usize) -> Option<&[f32]> {
        let raw = self.get();
        let planar = raw.format == ffi::AVSampleFormat::FLTP.0;
        if !planar || channel >= raw.ch_layout.nb_channels.max(0) as usize {
            return None;
        }
        // SAFETY: extended_data has one pointer a channel of a planar sound, each to nb_samples floats.
        unsafe {
            let start = *raw.extended_data.add(channel);
            (!start.is_null()).then(|| std::slice::from_raw_parts(start.cast(), self.samples()))
        }
    }

    /// The same to write to; none as well when the samples are shared.
    pub fn channel_mut(&mut self, channel: usize) -> Option<&mut [f32]> {
        // SAFETY: reads reference counts of a live frame.
        if unsafe { ffi::av_frame_is_writable(self.raw.as_ptr()) } <= 0 {
            return None;
        }
        let samples = self.channel(channel)?;
        // SAFETY: the slice is valid (see `channel`) and nobody else holds the buffer.
        Some(unsafe { std::slice::from_raw_parts_mut(samples.as_ptr().cast_mut(), samples.len()) })
    }

    fn row_place(&self, plane: usize, y: u32) -> Option<(*const u8, usize)> {
        let raw = self.get();
        let (_, vertical) = self.pixel_format().chroma_shift();
        let chroma = plane == 1 || plane == 2;
        let rows = if chroma {
            self.height().div_ceil(1 << vertical)
        } else {
            self.height()
        };
        if plane >= 4 || y >= rows || raw.data[plane].is_null() {
            return None;
        }
        // SAFETY: pure arithmetic on a known format.
        let length = unsafe { ffi::av_image_get_linesize(self.pixel_format().raw(), raw.width, plane as i32) };
        let length = usize::try_from(length).ok()?;
        // SAFETY: row y lies inside the plane; a negative line size means bottom-up and data points to the top row.
        let start = unsafe { raw.data[plane].offset(y as isize * raw.linesize[plane] as isize) };
        Some((start, length))
    }

    pub(super) fn as_ptr(&self) -> *mut ffi::AVFrame {
        self.raw.as_ptr()
    }
    pub(super) fn get(&self) -> &ffi::AVFrame {
        // SAFETY: valid for the life of this value.
        unsafe { self.raw.as_ref() }
    }
    pub(super) fn get_mut(&mut self) -> &mut ffi::AVFrame {
        // SAFETY: as above, and borrowed exclusively.
        unsafe { self.raw.as_mut() }
    }
}

/// Nine numbers of the machine's byte order.
pub(super) fn matrix_of(bytes: &[u8]) -> Option<[i32; 9]> {
    let mut matrix = [0; 9];
    if bytes.len() < 36 {
        return None;
    }
    for (value, four) in matrix.iter_mut().zip(bytes.chunks_exact(4)) {
        *value = i32::from_ne_bytes(four.try_into().ok()?);
    }
    Some(matrix)
}

impl Drop for Frame {
    fn drop(&mut self) {
        let mut raw = self.raw.as_ptr();
        // SAFETY: freed once, by its owner.
        unsafe { ffi::av_frame_free(&mut raw) }
    }
}
