//! libav's decoders, as far as they are needed here.

use crate::cuvid::codec::Codec;
use ffmpeg_the_third::ffi;
use std::ptr::NonNull;

/// A decoder: packets with a number in, frames with the number of their packet out.
#[derive(Debug)]
pub struct Decoder {
    raw: NonNull<ffi::AVCodecContext>,
}

// SAFETY: the context belongs to this value alone.
unsafe impl Send for Decoder {}

/// A decoded picture, not cropped.
#[derive(Debug)]
pub struct Frame {
    raw: NonNull<ffi::AVFrame>,
}

// SAFETY: the frame belongs to this value alone; its buffers are counted with atomics and never written to again.
unsafe impl Send for Frame {}
// SAFETY: it is only read.
unsafe impl Sync for Frame {}

/// Bytes with the zeros behind them that libav reads over.
pub fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut padded = Vec::with_capacity(bytes.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize);
    padded.extend_from_slice(bytes);
    padded.resize(bytes.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize, 0);
    padded
}

impl Decoder {
    /// Opens one; none when libav lacks it. `headers`: what stands before the stream.
    pub fn open(codec: &Codec, headers: &[u8]) -> Option<Self> {
        // SAFETY: text that ends with a zero byte; both answer null or a codec that lives for ever.
        let found = unsafe {
            let dav1d = ffi::avcodec_find_decoder_by_name(c"libdav1d".as_ptr());
            if codec.id == ffi::AVCodecID::AV1 && !dav1d.is_null() {
                dav1d
            } else {
                ffi::avcodec_find_decoder(codec.id)
            }
        };
        // SAFETY: a codec or null, which means any.
        let raw = NonNull::new(unsafe { ffi::avcodec_alloc_context3(found) })?;
        let decoder = Decoder { raw };
        if found.is_null() {
            return None;
        }
        // SAFETY: a fresh context; the headers are copied into memory of libav's, which the context frees.
        unsafe {
            let context = &mut *raw.as_ptr();
            // One thread decodes a packet before the call that gives it answers.
            context.thread_count = 1;
            context.apply_cropping = 0;
            // Devices show what they could not decode well, too.
            context.flags |= ffi::AV_CODEC_FLAG_OUTPUT_CORRUPT as i32;
            if codec.id == ffi::AVCodecID::H264 {
                // What a stream does not say of its order is not guessed, at the cost of pictures: all that its level
                // allows are held back, as devices do it.
                context.strict_std_compliance = ffi::FF_COMPLIANCE_STRICT;
            }
            if !headers.is_empty() {
                let padded = padded(headers);
                let copy = ffi::av_mallocz(padded.len()).cast::<u8>();
                if copy.is_null() {
                    return None;
                }
                std::ptr::copy_nonoverlapping(padded.as_ptr(), copy, padded.len());
                context.extradata = copy;
                context.extradata_size = headers.len() as i32;
            }
            if ffi::avcodec_open2(raw.as_ptr(), found, std::ptr::null_mut()) < 0 {
                return None;
            }
        }
        Some(decoder)
    }

    /// Gives it a packet; whether it made anything of it.
    pub fn send(&mut self, bytes: &[u8], number: i64) -> bool {
        let padded = padded(bytes);
        // SAFETY: the packet lives through the call; libav copies bytes that nobody counts references to.
        unsafe {
            let mut packet = ffi::av_packet_alloc();
            if packet.is_null() {
                return false;
            }
            (*packet).data = padded.as_ptr().cast_mut();
            (*packet).size = bytes.len() as i32;
            (*packet).pts = number;
            (*packet).dts = number;
            let answer = ffi::avcodec_send_packet(self.raw.as_ptr(), packet);
            ffi::av_packet_free(&mut packet);
            answer >= 0
        }
    }

    /// No more packets: what is inside comes out. Then [`Decoder::restart`].
    pub fn end(&mut self) {
        // SAFETY: a live context; null begins the end.
        unsafe { ffi::avcodec_send_packet(self.raw.as_ptr(), std::ptr::null()) };
    }

    /// Takes packets again.
    pub fn restart(&mut self) {
        // SAFETY: a live context.
        unsafe { ffi::avcodec_flush_buffers(self.raw.as_ptr()) };
    }

    /// The next picture in the order of display.
    pub fn receive(&mut self) -> Option<Frame> {
        // SAFETY: answers null or a fresh frame.
        let raw = NonNull::new(unsafe { ffi::av_frame_alloc() })?;
        let frame = Frame { raw };
        for _ in 0..8 {
            // SAFETY: a live context and frame.
            match unsafe { ffi::avcodec_receive_frame(self.raw.as_ptr(), frame.raw.as_ptr()) } {
                0 => return Some(frame),
                answer if answer == ffi::AVERROR(libc::EAGAIN) || answer == ffi::AVERROR_EOF => return None,
                // The answer to a packet that came before, of which nothing could be made.
                _ => {}
            }
        }
        None
    }

    /// Pictures that are held back to be put into the order of display, as far as the stream says.
    pub fn reorder(&self) -> usize {
        // SAFETY: a live context.
        unsafe { (*self.raw.as_ptr()).has_b_frames.clamp(0, 16) as usize }
    }

    /// Pictures that others may be made of, as far as the decoder says.
    pub fn references(&self) -> usize {
        // SAFETY: a live context.
        unsafe { (*self.raw.as_ptr()).refs.clamp(0, 16) as usize }
    }

    /// Frames a second; (0, 0): not said.
    pub fn rate(&self) -> (u32, u32) {
        // SAFETY: a live context.
        let rate = unsafe { (*self.raw.as_ptr()).framerate };
        match (u32::try_from(rate.num), u32::try_from(rate.den)) {
            (Ok(num), Ok(den)) if num > 0 && den > 0 => (num, den),
            _ => (0, 0),
        }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        let mut raw = self.raw.as_ptr();
        // SAFETY: the context is this value's.
        unsafe { ffi::avcodec_free_context(&mut raw) };
    }
}

impl Frame {
    /// libav's.
    pub fn raw(&self) -> &ffi::AVFrame {
        // SAFETY: alive as long as this value.
        unsafe { self.raw.as_ref() }
    }

    /// Number of the packet it is of.
    pub fn number(&self) -> Option<i64> {
        Some(self.raw().pts).filter(|pts| *pts != ffi::AV_NOPTS_VALUE)
    }

    /// Whether something in it could not be decoded.
    pub fn is_damaged(&self) -> bool {
        self.raw().decode_error_flags != 0 || self.raw().flags & ffi::AV_FRAME_FLAG_CORRUPT != 0
    }

    /// How its pixels lie.
    pub fn descriptor(&self) -> Option<&'static ffi::AVPixFmtDescriptor> {
        // SAFETY: answers null or a constant of libav's.
        unsafe { ffi::av_pix_fmt_desc_get(ffi::AVPixelFormat(self.raw().format)).as_ref() }
    }

    /// Bits of a sample.
    pub fn depth(&self) -> u32 {
        self.descriptor().map_or(8, |found| found.comp[0].depth.max(8) as u32)
    }

    /// Row `row` of a plane, from its first sample on; rows that are not there are their nearest neighbours.
    pub fn row(&self, plane: usize, row: usize, rows: usize, bytes: usize) -> &[u8] {
        let raw = self.raw();
        let row = row.min(rows.saturating_sub(1));
        let stride = raw.linesize[plane];
        let bytes = bytes.min(stride.unsigned_abs() as usize);
        // SAFETY: planes of a decoded picture have as many rows as its height says, each as long as its stride.
        unsafe { std::slice::from_raw_parts(raw.data[plane].offset(row as isize * stride as isize), bytes) }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        let mut raw = self.raw.as_ptr();
        // SAFETY: the frame is this value's.
        unsafe { ffi::av_frame_free(&mut raw) };
    }
}
