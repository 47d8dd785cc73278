//! Coded data with its time stamps.

use crate::media::av::error::AvError;
use crate::media::av::error::check;
use crate::media::av::turn::Turn;
use crate::media::facts::Ratio;
use ffmpeg_the_third::ffi;
use std::ptr::NonNull;
use std::sync::Arc;

/// One packet of one stream.
#[derive(Debug)]
pub struct Packet {
    raw: NonNull<ffi::AVPacket>,
    /// Of which of several joined sources it is.
    turn: Option<Arc<Turn>>,
}

// SAFETY: the packet is owned by this value; its data is reference counted with atomics and never written to.
unsafe impl Send for Packet {}

impl Packet {
    /// An empty one.
    pub fn new() -> Result<Self, AvError> {
        // SAFETY: answers null or a fresh packet.
        NonNull::new(unsafe { ffi::av_packet_alloc() })
            .map(|raw| Packet { raw, turn: None })
            .ok_or_else(|| AvError::memory("av_packet_alloc"))
    }

    /// A packet on a copy of these bytes, without times.
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, AvError> {
        let packet = Self::new()?;
        let size = i32::try_from(bytes.len()).map_err(|_| AvError::argument("av_new_packet"))?;
        // SAFETY: a live, empty packet; after the call its data has `size` writable bytes.
        unsafe {
            check("av_new_packet", ffi::av_new_packet(packet.as_ptr(), size))?;
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), packet.get().data, bytes.len());
            (*packet.as_ptr()).flags |= ffi::AV_PKT_FLAG_KEY as i32;
        }
        Ok(packet)
    }

    /// A packet on a copy of what an encoder other than libav's made; times in whatever unit its maker used.
    pub fn encoded(bytes: &[u8], pts: i64, dts: i64, duration: i64, is_key: bool) -> Result<Self, AvError> {
        let mut packet = Self::of_bytes(bytes)?;
        packet.set_times(Some(pts), Some(dts), duration);
        if !is_key {
            packet.get_mut().flags &= !(ffi::AV_PKT_FLAG_KEY as i32);
        }
        Ok(packet)
    }

    /// A packet on the data of one that libav owns.
    pub(super) fn clone_of(raw: ffi::AVPacket) -> Result<Self, AvError> {
        // SAFETY: the caller's packet is live; its data gains a reference or is copied.
        NonNull::new(unsafe { ffi::av_packet_clone(&raw) })
            .map(|raw| Packet { raw, turn: None })
            .ok_or_else(|| AvError::memory("av_packet_clone"))
    }

    /// Another packet on the same data.
    pub fn share(&self) -> Result<Self, AvError> {
        // SAFETY: clones a live packet by reference count.
        NonNull::new(unsafe { ffi::av_packet_clone(self.raw.as_ptr()) })
            .map(|raw| Packet {
                raw,
                turn: self.turn.clone(),
            })
            .ok_or_else(|| AvError::memory("av_packet_clone"))
    }

    /// Another packet of the same times and properties on a copy of other bytes.
    pub fn with_data(&self, bytes: &[u8]) -> Result<Self, AvError> {
        let mut packet = Self::of_bytes(bytes)?;
        packet.turn = self.turn.clone();
        // SAFETY: two live packets; data is no property and stays.
        check("av_packet_copy_props", unsafe {
            ffi::av_packet_copy_props(packet.as_ptr(), self.as_ptr())
        })?;
        Ok(packet)
    }

    /// Time stamp shown, in the stream's units.
    pub fn pts(&self) -> Option<i64> {
        stamp(self.get().pts)
    }
    /// Time stamp of decoding.
    pub fn dts(&self) -> Option<i64> {
        stamp(self.get().dts)
    }
    /// Length in the stream's units; 0 when unknown.
    pub fn duration(&self) -> i64 {
        self.get().duration
    }
    /// Stream.
    pub fn stream_index(&self) -> usize {
        self.get().stream_index.max(0) as usize
    }
    /// Decoding can begin here.
    pub fn is_key(&self) -> bool {
        self.get().flags & ffi::AV_PKT_FLAG_KEY as i32 != 0
    }
    /// The demuxer knows that the data is damaged.
    pub fn is_corrupt(&self) -> bool {
        self.get().flags & ffi::AV_PKT_FLAG_CORRUPT as i32 != 0
    }
    /// To be decoded but not shown.
    pub fn is_discard(&self) -> bool {
        self.get().flags & ffi::AV_PKT_FLAG_DISCARD as i32 != 0
    }
    /// Bytes.
    pub fn size_bytes(&self) -> usize {
        self.get().size.max(0) as usize
    }
    /// Where in the file it began, when the demuxer says.
    pub fn position(&self) -> Option<u64> {
        u64::try_from(self.get().pos).ok()
    }
    /// The data.
    pub fn data(&self) -> &[u8] {
        let raw = self.get();
        if raw.data.is_null() || raw.size <= 0 {
            return &[];
        }
        // SAFETY: libav owns `size` readable bytes there for as long as the packet lives.
        unsafe { std::slice::from_raw_parts(raw.data, raw.size as usize) }
    }

    /// The codec's own header from this packet on, where the demuxer says that it changes.
    pub fn new_extradata(&self) -> Option<&[u8]> {
        let mut size = 0;
        // SAFETY: a live packet; the answer is null or that many bytes, which live as long as the packet does.
        unsafe {
            let data =
                ffi::av_packet_get_side_data(self.raw.as_ptr(), ffi::AVPacketSideDataType::NEW_EXTRADATA, &mut size);
            (!data.is_null() && size > 0).then(|| std::slice::from_raw_parts(data, size as usize))
        }
    }

    /// Where its text stands, by a cue's settings as WebVTT has them; empty: it does not say.
    pub fn cue_settings(&self) -> String {
        let mut size = 0;
        // SAFETY: a live packet; the answer is null or that many bytes, which live as long as the packet does.
        let bytes = unsafe {
            let data =
                ffi::av_packet_get_side_data(self.raw.as_ptr(), ffi::AVPacketSideDataType::WEBVTT_SETTINGS, &mut size);
            if data.is_null() || size == 0 {
                return String::new();
            }
            std::slice::from_raw_parts(data, size as usize)
        };
        String::from_utf8_lossy(bytes)
            .trim_matches(['\0', ' ', '\t'])
            .to_owned()
    }

    /// Says where its text stands, by a cue's settings.
    pub fn set_cue_settings(&mut self, settings: &str) -> Result<(), AvError> {
        let kind = ffi::AVPacketSideDataType::WEBVTT_SETTINGS;
        // SAFETY: a live packet; what is allocated has the length that is copied into it.
        unsafe {
            let data = ffi::av_packet_new_side_data(self.raw.as_ptr(), kind, settings.len() as _);
            if data.is_null() {
                return Err(AvError::memory("av_packet_new_side_data"));
            }
            std::ptr::copy_nonoverlapping(settings.as_ptr(), data, settings.len());
        }
        Ok(())
    }

    /// Sets the time stamps.
    pub fn set_times(&mut self, pts: Option<i64>, dts: Option<i64>, duration: i64) {
        let raw = self.get_mut();
        raw.pts = pts.unwrap_or(ffi::AV_NOPTS_VALUE);
        raw.dts = dts.unwrap_or(ffi::AV_NOPTS_VALUE);
        raw.duration = duration;
    }
    /// Sets the stream.
    pub fn set_stream_index(&mut self, index: usize) {
        self.get_mut().stream_index = index as i32;
    }
    /// Converts all times from one unit to another, to the nearest.
    pub fn rescale(&mut self, from: Ratio, to: Ratio) {
        // SAFETY: a live packet of ours.
        unsafe { ffi::av_packet_rescale_ts(self.raw.as_ptr(), rational(from), rational(to)) }
    }
    /// Whose turn it is among joined sources; none: there is one source only.
    pub fn turn(&self) -> Option<&Arc<Turn>> {
        self.turn.as_ref()
    }
    /// Says of which joined source it is.
    pub fn set_turn(&mut self, turn: Arc<Turn>) {
        self.turn = Some(turn);
    }
    /// Forgets data and times, for the next read.
    pub fn clear(&mut self) {
        self.turn = None;
        // SAFETY: a live packet of ours.
        unsafe { ffi::av_packet_unref(self.raw.as_ptr()) }
    }

    pub(super) fn as_ptr(&self) -> *mut ffi::AVPacket {
        self.raw.as_ptr()
    }
    fn get(&self) -> &ffi::AVPacket {
        // SAFETY: the pointer is valid for the life of this value.
        unsafe { self.raw.as_ref() }
    }
    fn get_mut(&mut self) -> &mut ffi::AVPacket {
        // SAFETY: as above, and borrowed exclusively.
        unsafe { self.raw.as_mut() }
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        let mut raw = self.raw.as_ptr();
        // SAFETY: freed once, by its owner.
        unsafe { ffi::av_packet_free(&mut raw) }
    }
}

/// `None` for libav's "no time stamp".
pub(super) fn stamp(value: i64) -> Option<i64> {
    (value != ffi::AV_NOPTS_VALUE).then_some(value)
}

pub(super) fn rational(ratio: Ratio) -> ffi::AVRational {
    ffi::AVRational {
        num: ratio.num,
        den: ratio.den,
    }
}

pub(super) fn ratio(rational: ffi::AVRational) -> Ratio {
    Ratio {
        num: rational.num,
        den: if rational.den == 0 { 1 } else { rational.den },
    }
}

/// `value` units of `from` in units of `to`, to the nearest.
pub fn rescale(value: i64, from: Ratio, to: Ratio) -> i64 {
    // SAFETY: pure arithmetic.
    unsafe { ffi::av_rescale_q(value, rational(from), rational(to)) }
}
