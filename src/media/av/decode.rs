//! A decoder: packets in, frames out.
//!
//! Guarantees: counts frames that came out damaged and packets that could not be decoded at all; neither ends
//! the decoding, which is the caller's choice.

use crate::media::av::allowed;
use crate::media::av::dict::Dict;
use crate::media::av::error::AvError;
use crate::media::av::error::check;
use crate::media::av::float_planes;
use crate::media::av::frame::Frame;
use crate::media::av::log;
use crate::media::av::packet::Packet;
use crate::media::av::packet::rational;
use crate::media::av::parameters::Parameters;
use crate::media::av::turn::Turn;
use crate::media::av::turn::Turner;
use crate::media::facts::Ratio;
use crate::media::limits::Limits;
use ffmpeg_the_third::ffi;
use std::collections::VecDeque;
use std::ffi::c_int;
use std::ptr::NonNull;
use std::sync::Arc;

/// Which frames to decode at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decode {
    /// All.
    #[default]
    All,
    /// Leave out those no other frame needs.
    References,
    /// Key frames.
    Keys,
}

/// An opened decoder.
#[derive(Debug)]
pub struct Decoder {
    raw: NonNull<ffi::AVCodecContext>,
    frames: u64,
    damaged_frames: u64,
    refused_packets: u64,
    threads: u32,
    max_pixels: i64,
    which: Decode,
    has_loop_filter: bool,
    /// Among joined sources.
    turn: Option<Arc<Turn>>,
    turner: Turner,
    /// Frames of the source before.
    left: VecDeque<Frame>,
    /// Changes from one of them to the next, and those before the frame that came out last.
    changes: u32,
    changes_shown: u32,
}

// SAFETY: the context belongs to this value alone; its own threads are libav's affair.
unsafe impl Send for Decoder {}

impl Decoder {
    /// Whether a decoder for these parameters is built in and allowed.
    pub fn exists(parameters: &Parameters) -> bool {
        allowed::decoder(parameters.get().codec_id).is_some()
    }

    /// Opens it with so many threads (frames in parallel, slices where the codec has no frame threads; 1 adds no
    /// delay). `time_base` is that of the packets to come.
    pub fn open(parameters: &Parameters, time_base: Ratio, threads: u32, limits: &Limits) -> Result<Self, AvError> {
        log::start();
        let codec = allowed::decoder(parameters.get().codec_id)
            .ok_or_else(|| AvError::new(ffi::AVERROR_DECODER_NOT_FOUND, "avcodec_find_decoder"))?;
        let max_pixels = i64::try_from(limits.max_pixels).unwrap_or(i64::MAX);
        let raw = open_context(codec, parameters, time_base, threads, max_pixels)?;
        Ok(Decoder {
            raw,
            frames: 0,
            damaged_frames: 0,
            refused_packets: 0,
            threads,
            max_pixels,
            which: Decode::All,
            has_loop_filter: true,
            turn: None,
            turner: Turner::default(),
            left: VecDeque::new(),
            changes: 0,
            changes_shown: 0,
        })
    }

    /// Which frames to decode from the next packet on.
    pub fn decode_only(&mut self, which: Decode) {
        self.which = which;
        let skip = match which {
            Decode::All => ffi::AVDiscard::DEFAULT,
            Decode::References => ffi::AVDiscard::NONREF,
            Decode::Keys => ffi::AVDiscard::NONKEY,
        };
        let loop_filter = if self.has_loop_filter {
            ffi::AVDiscard::DEFAULT
        } else {
            ffi::AVDiscard::ALL
        };
        // SAFETY: a live context; libav reads both fields packet by packet.
        unsafe {
            (*self.raw.as_ptr()).skip_frame = skip;
            (*self.raw.as_ptr()).skip_loop_filter = loop_filter;
        }
    }

    /// Leaves out what only makes pictures look better (deblocking and the like), for who wants to know whether they decode.
    /// What can go wrong goes wrong before that.
    pub fn without_loop_filter(mut self) -> Self {
        self.has_loop_filter = false;
        self.decode_only(self.which);
        self
    }

    /// Gives it a packet. A packet that cannot be decoded is counted and passed over. `Again` never comes when
    /// all frames were received before.
    pub fn send(&mut self, packet: &Packet) -> Result<(), AvError> {
        if let Some(turn) = packet.turn()
            && self.turn.as_ref().is_none_or(|known| !Arc::ptr_eq(known, turn))
        {
            self.begin(Arc::clone(turn))?;
        }
        // SAFETY: live context and packet.
        let answer = unsafe { ffi::avcodec_send_packet(self.raw.as_ptr(), packet.as_ptr()) };
        match check("avcodec_send_packet", answer) {
            Ok(_) => Ok(()),
            Err(error) if error.is_again() || error.is_no_memory() || error.is_eof() => Err(error),
            Err(_) => {
                self.refused_packets += 1;
                Ok(())
            }
        }
    }

    /// No more packets: the frames still inside come out.
    pub fn send_end(&mut self) -> Result<(), AvError> {
        // SAFETY: a live context; null starts draining.
        match check("avcodec_send_packet", unsafe {
            ffi::avcodec_send_packet(self.raw.as_ptr(), std::ptr::null())
        }) {
            Ok(_) => Ok(()),
            Err(error) if error.is_eof() => Ok(()),
            Err(error) if error.is_no_memory() => Err(error),
            // With frame threads the answer to an earlier, broken packet may come here; draining has begun.
            Err(_) => {
                self.refused_packets += 1;
                Ok(())
            }
        }
    }

    /// Another of several joined sources: what is left of the one before comes out first.
    fn begin(&mut self, turn: Arc<Turn>) -> Result<(), AvError> {
        if self.turn.is_some() {
            self.send_end()?;
            while let Some(frame) = self.receive_shown()? {
                self.left.push_back(frame);
            }
            self.changes += 1;
        }
        let codec = allowed::decoder(turn.parameters.get().codec_id)
            .ok_or_else(|| AvError::new(ffi::AVERROR_DECODER_NOT_FOUND, "avcodec_find_decoder"))?;
        let mut before = self.raw.as_ptr();
        self.raw = open_context(codec, &turn.parameters, turn.unit, self.threads, self.max_pixels)?;
        // SAFETY: replaced above, so this is its last use.
        unsafe { ffi::avcodec_free_context(&mut before) }
        self.decode_only(self.which);
        self.turn = Some(turn);
        self.turner = Turner::default();
        Ok(())
    }

    /// The next frame; none when it wants a packet first, or after the end.
    pub fn receive(&mut self) -> Result<Option<Frame>, AvError> {
        match self.left.pop_front() {
            Some(frame) => Ok(Some(frame)),
            None => {
                self.changes_shown = self.changes;
                self.receive_shown()
            }
        }
    }

    /// Of which of several joined sources the frame is that came out last, counted in their order; 0: the first, or the only
    /// one.
    pub fn source_number(&self) -> u32 {
        self.changes_shown
    }

    fn receive_shown(&mut self) -> Result<Option<Frame>, AvError> {
        while let Some(frame) = self.receive_any()? {
            let Some(turn) = self.turn.clone() else {
                return Ok(Some(frame));
            };
            let at = frame.best_pts();
            let lasts = if frame.samples() > 0 {
                i64::try_from(frame.samples()).unwrap_or(0)
            } else {
                1
            };
            // Sound is kept from its last frame before on: what it has too much is cut where tracks are joined.
            if at.is_some_and(|at| at + lasts <= turn.from || at >= turn.until) {
                continue;
            }
            if frame.samples() > 0 {
                return Ok(Some(frame));
            }
            let mut frame = frame;
            if let (None, Some(aspect)) = (frame.sample_aspect_ratio(), turn.aspect) {
                frame.set_sample_aspect_ratio(aspect);
            }
            if let Some(frame) = self.turner.run(frame, &turn)? {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    fn receive_any(&mut self) -> Result<Option<Frame>, AvError> {
        loop {
            let frame = Frame::empty()?;
            // SAFETY: live context and frame.
            let answer = unsafe { ffi::avcodec_receive_frame(self.raw.as_ptr(), frame.as_ptr()) };
            match check("avcodec_receive_frame", answer) {
                Ok(_) => {
                    self.frames += 1;
                    self.damaged_frames += u64::from(frame.is_damaged());
                    return float_planes::apart(frame).map(Some);
                }
                Err(error) if error.is_again() || error.is_eof() => return Ok(None),
                Err(error) if error.is_no_memory() => return Err(error),
                // With frame threads the answer to a broken packet comes here.
                Err(_) => self.refused_packets += 1,
            }
            if self.refused_packets > 1_000_000 {
                return Err(AvError::new(ffi::AVERROR_INVALIDDATA, "avcodec_receive_frame"));
            }
        }
    }

    /// Forgets everything, after a seek or to decode again after the end.
    pub fn flush(&mut self) {
        self.left.clear();
        // SAFETY: a live, opened context.
        unsafe { ffi::avcodec_flush_buffers(self.raw.as_ptr()) }
    }

    /// Frames that came out.
    pub fn frames(&self) -> u64 {
        self.frames
    }
    /// Of these, with parts concealed.
    pub fn damaged_frames(&self) -> u64 {
        self.damaged_frames
    }
    /// Packets that gave nothing.
    pub fn refused_packets(&self) -> u64 {
        self.refused_packets
    }
}

fn open_context(
    codec: &'static ffi::AVCodec,
    parameters: &Parameters,
    time_base: Ratio,
    threads: u32,
    max_pixels: i64,
) -> Result<NonNull<ffi::AVCodecContext>, AvError> {
    // SAFETY: answers null or a fresh context for that codec.
    let raw = NonNull::new(unsafe { ffi::avcodec_alloc_context3(codec) })
        .ok_or_else(|| AvError::memory("avcodec_alloc_context3"))?;
    let open = || -> Result<(), AvError> {
        // SAFETY: live parameters and context.
        check("avcodec_parameters_to_context", unsafe {
            ffi::avcodec_parameters_to_context(raw.as_ptr(), parameters.as_ptr())
        })?;
        // SAFETY: not opened yet, so these fields are ours to set.
        unsafe {
            let context = &mut *raw.as_ptr();
            context.pkt_timebase = rational(time_base);
            context.thread_count = threads.clamp(1, 64) as c_int;
            context.thread_type = (ffi::FF_THREAD_FRAME | ffi::FF_THREAD_SLICE) as c_int;
            context.max_pixels = max_pixels;
        }
        let mut options = Dict::new();
        // SAFETY: a context with its codec; the options dictionary is ours.
        check("avcodec_open2", unsafe {
            ffi::avcodec_open2(raw.as_ptr(), codec, options.as_mut_ptr())
        })?;
        Ok(())
    };
    open().map(|()| raw).inspect_err(|_| {
        let mut raw = raw.as_ptr();
        // SAFETY: nobody else has seen it.
        unsafe { ffi::avcodec_free_context(&mut raw) }
    })
}

impl Drop for Decoder {
    fn drop(&mut self) {
        let mut raw = self.raw.as_ptr();
        // SAFETY: freed once, by its owner.
        unsafe { ffi::avcodec_free_context(&mut raw) }
    }
}
