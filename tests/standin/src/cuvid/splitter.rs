//! Bytes of a stream in, one coded picture after the other out.

use crate::cuvid::codec::Codec;
use crate::cuvid::libav::padded;
use ffmpeg_the_third::ffi;
use std::ptr::NonNull;

/// What a coded picture holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// A frame.
    Frame,
    /// The upper field of one.
    Top,
    /// The lower.
    Bottom,
}

/// A coded picture.
#[derive(Debug)]
pub struct Unit {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The time stamp of the packet in which it began; none when an earlier one has that.
    pub timestamp: Option<i64>,
    /// Decoding can begin here.
    pub is_key: bool,
    /// No other picture is needed.
    pub is_intra: bool,
    /// What it holds.
    pub structure: Structure,
}

/// libav's parser of a codec.
#[derive(Debug)]
pub struct Splitter {
    codec: &'static Codec,
    parser: NonNull<ffi::AVCodecParserContext>,
    context: NonNull<ffi::AVCodecContext>,
    has_started: bool,
}

// SAFETY: both belong to this value alone.
unsafe impl Send for Splitter {}

impl Splitter {
    /// One at the beginning of a stream; none when libav lacks it.
    pub fn new(codec: &'static Codec) -> Option<Self> {
        // SAFETY: null means any codec.
        let context = NonNull::new(unsafe { ffi::avcodec_alloc_context3(std::ptr::null()) })?;
        // SAFETY: answers null or a fresh parser.
        let Some(parser) = NonNull::new(unsafe { ffi::av_parser_init(codec.id.0 as _) }) else {
            let mut context = context.as_ptr();
            // SAFETY: ours.
            unsafe { ffi::avcodec_free_context(&mut context) };
            return None;
        };
        // SAFETY: a fresh context.
        unsafe { (*context.as_ptr()).codec_id = codec.id };
        Some(Splitter {
            codec,
            parser,
            context,
            has_started: false,
        })
    }

    /// Takes bytes. `is_whole`: they are exactly one picture.
    pub fn push(&mut self, bytes: &[u8], timestamp: Option<i64>, is_whole: bool) -> Vec<Unit> {
        if self.codec.has_start_codes && !self.has_started {
            // Without a start code there is no stream: parts with lengths before them, as in MP4, are none.
            if !begins_with_start_code(bytes) {
                return Vec::new();
            }
            self.has_started = true;
        }
        // SAFETY: a live parser.
        unsafe {
            let flags = &mut (*self.parser.as_ptr()).flags;
            if is_whole {
                *flags |= ffi::PARSER_FLAG_COMPLETE_FRAMES;
            } else {
                *flags &= !ffi::PARSER_FLAG_COMPLETE_FRAMES;
            }
        }
        let padded = padded(bytes);
        let mut units = Vec::new();
        let (mut at, mut stamp) = (0, timestamp);
        while at < bytes.len() {
            let (used, unit) = self.step(&padded[at..], bytes.len() - at, stamp.take());
            // A picture that ended where these bytes begin comes out before any of them is taken.
            let is_stuck = used == 0 && unit.is_none();
            units.extend(unit);
            if is_stuck {
                break;
            }
            at += used;
        }
        units
    }

    /// The last picture: no more bytes come.
    pub fn end(&mut self) -> Option<Unit> {
        let nothing = padded(&[]);
        self.step(&nothing, 0, None).1
    }

    fn step(&mut self, bytes: &[u8], length: usize, stamp: Option<i64>) -> (usize, Option<Unit>) {
        let (mut out, mut out_length) = (std::ptr::null_mut(), 0);
        // SAFETY: live parser and context; the bytes are followed by padding; the answer is looked at before the next call.
        unsafe {
            let used = ffi::av_parser_parse2(
                self.parser.as_ptr(),
                self.context.as_ptr(),
                &mut out,
                &mut out_length,
                bytes.as_ptr(),
                length as i32,
                stamp.unwrap_or(ffi::AV_NOPTS_VALUE),
                ffi::AV_NOPTS_VALUE,
                0,
            );
            let used = usize::try_from(used).unwrap_or(length);
            if out.is_null() || out_length <= 0 {
                return (used, None);
            }
            let parser = self.parser.as_ref();
            let is_intra = parser.pict_type == ffi::AVPictureType::I.0 as i32 || self.codec.references == 0;
            let unit = Unit {
                bytes: std::slice::from_raw_parts(out, out_length as usize).to_vec(),
                timestamp: Some(parser.pts).filter(|pts| *pts != ffi::AV_NOPTS_VALUE),
                // Parsers that do not tell key frames from others leave it at -1.
                is_key: parser.key_frame == 1 || (parser.key_frame < 0 && is_intra),
                is_intra,
                structure: match parser.picture_structure {
                    ffi::AVPictureStructure::TOP_FIELD => Structure::Top,
                    ffi::AVPictureStructure::BOTTOM_FIELD => Structure::Bottom,
                    _ => Structure::Frame,
                },
            };
            (used, Some(unit))
        }
    }
}

/// Whether the bytes begin so, zeros before it aside.
pub fn begins_with_start_code(bytes: &[u8]) -> bool {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    zeros >= 2 && bytes.get(zeros) == Some(&1)
}

impl Drop for Splitter {
    fn drop(&mut self) {
        let mut context = self.context.as_ptr();
        // SAFETY: both are this value's.
        unsafe {
            ffi::av_parser_close(self.parser.as_ptr());
            ffi::avcodec_free_context(&mut context);
        }
    }
}
