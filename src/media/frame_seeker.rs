//! Single frames of a file with an index, reading and decoding as little as possible.
//!
//! Guarantees: a key frame costs one seek, one packet and one decoded frame; an exact frame costs the packets from
//! the key frame before it, of which those no other frame needs are not decoded. Moments that rise continue where
//! the last one ended. Deliberately absent: what becomes of the frames; files without an index.

use crate::media::av::AvError;
use crate::media::av::Demuxer;
use crate::media::av::Frame;
use crate::media::av::Packet;
use crate::media::av::decode::Decode;
use crate::media::frame_decoder::FrameDecoder;
use crate::media::key_index::KeyIndex;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::sync::Arc;

/// Packets read ahead before a frame is decoded without knowing all of its neighbours.
const MAX_AHEAD_BYTES: usize = 96 << 20;

/// A key frame so little ahead is reached by decoding on rather than by seeking.
const CLOSE_S: f64 = 0.25;

/// Packets without times of decoding that must be shown after a moment before it counts as passed: the deepest
/// reordering of any codec.
const MAX_REORDER: usize = 17;

/// How many key frames before the right one decoding begins at most.
const MAX_BACK: usize = 1024;

/// The same where there is a frame, but parts of it are missing: most likely they are missing in the file.
const MAX_BACK_DAMAGED: usize = 4;

/// Packets of another kind tolerated between a seek and the key frame it went to.
const MAX_DETOUR: usize = 256;

/// A frame with the time it is shown from, stream units.
#[derive(Debug, Clone)]
pub struct ShownFrame {
    /// Stream units.
    pub pts: i64,
    /// The frame.
    pub frame: Arc<Frame>,
}

/// Reads single frames of one stream.
#[derive(Debug)]
pub struct FrameSeeker<'a> {
    demuxer: &'a mut Demuxer,
    decoder: &'a mut dyn FrameDecoder,
    stream: usize,
    keys: KeyIndex,
    /// Set while frames are decoded one after the other.
    run: Option<Run>,
    /// Frames given out with parts missing.
    damaged: u64,
    /// A key frame read had a time of decoding only.
    untimed_keys: bool,
}

/// A stretch of continuous decoding from one key frame on.
#[derive(Debug, Default)]
struct Run {
    /// Read, not yet sent.
    ahead: VecDeque<Packet>,
    ahead_bytes: usize,
    /// Times of decoding and showing of its first frame.
    first: Option<(Option<i64>, i64)>,
    /// Time stamps of all frames read so far that can be decoded from there.
    known: BTreeSet<i64>,
    /// Decoded, not yet asked for.
    ready: VecDeque<ShownFrame>,
    last: Option<ShownFrame>,
    read_all: bool,
    drained: bool,
}

impl<'a> FrameSeeker<'a> {
    /// Over an opened file and a decoder for the stream.
    pub fn new(demuxer: &'a mut Demuxer, decoder: &'a mut dyn FrameDecoder, stream: usize, keys: KeyIndex) -> Self {
        FrameSeeker {
            demuxer,
            decoder,
            stream,
            keys,
            run: None,
            damaged: 0,
            untimed_keys: false,
        }
    }

    /// The index.
    pub fn keys(&self) -> &KeyIndex {
        &self.keys
    }

    /// A key frame was met that does not say when it is shown, only when it is decoded.
    pub fn has_untimed_keys(&self) -> bool {
        self.untimed_keys
    }

    /// Frames decoded so far.
    pub fn frames(&self) -> u64 {
        self.decoder.frames()
    }

    /// Frames given out of which parts are missing.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// The key frame on screen at `moment` (stream units), with its number in the index: the last one at or before
    /// it. None when the index points to something else, or the frame cannot be decoded.
    pub fn key_frame_at(&mut self, moment: f64) -> Result<Option<(usize, ShownFrame)>, AvError> {
        match self.key_packet_at(moment)? {
            Some((key, packet)) => Ok(self.decode_key(&packet)?.map(|frame| (key, frame))),
            None => Ok(None),
        }
    }

    /// The same without decoding it.
    pub fn key_packet_at(&mut self, moment: f64) -> Result<Option<(usize, Packet)>, AvError> {
        let mut key = self.keys.at_or_before(moment);
        loop {
            let Some(packet) = self.read_key(key)? else {
                return Ok(None);
            };
            // The index may give times of decoding; only the packet knows when it is shown.
            if let Some(pts) = packet.pts() {
                self.keys.learn(key, packet.dts(), pts);
                let better = self.keys.at_or_before(moment);
                if better < key {
                    key = better;
                    continue;
                }
            }
            return Ok(Some((key, packet)));
        }
    }

    /// A key frame by its number in the index.
    pub fn key_frame(&mut self, key: usize) -> Result<Option<ShownFrame>, AvError> {
        match self.read_key(key)? {
            Some(packet) => self.decode_key(&packet),
            None => Ok(None),
        }
    }

    /// The very frame shown at `moment` (stream units); the nearest one where the source shows nothing. None when
    /// nothing there can be decoded.
    pub fn frame_at(&mut self, moment: f64) -> Result<Option<ShownFrame>, AvError> {
        let latest = moment + self.keys.tolerance();
        let mut back = 0;
        loop {
            let shown = self.frame_from(moment, back)?;
            let key = self.keys.at_or_before(moment);
            // An index may call key frames what are none; from such a one nothing comes before the next real one,
            // or a picture of which parts are missing.
            let is_late = shown.as_ref().is_none_or(|shown| shown.pts as f64 > latest);
            let is_damaged = shown.as_ref().is_some_and(|shown| shown.frame.is_damaged());
            let most = if is_late { MAX_BACK } else { MAX_BACK_DAMAGED };
            if !(is_late || is_damaged) || back >= key.min(most) {
                self.damaged += u64::from(is_damaged);
                return Ok(shown);
            }
            back = (back * 2).clamp(1, key);
            self.run = None;
        }
    }

    /// The same, starting so many key frames before the one that should do.
    fn frame_from(&mut self, moment: f64, back: usize) -> Result<Option<ShownFrame>, AvError> {
        let key = self.keys.at_or_before(moment).saturating_sub(back);
        let latest = moment + self.keys.tolerance();
        let goes_on = self.keys.shown(key).zip(self.run.as_ref()).is_some_and(|(shown, run)| {
            run.last.as_ref().is_some_and(|last| {
                // Decoding on is the shorter way when the key frame has been passed, or is about to be.
                let about_to = last.pts as f64 + self.keys.units(CLOSE_S) >= shown as f64;
                last.pts as f64 <= latest && about_to
            })
        });
        if goes_on {
            self.read_past(latest)?;
        } else {
            self.begin_before(key, latest)?;
        }
        let Some(target) = self.run.as_mut().and_then(|run| run.target(latest)) else {
            return Ok(None);
        };
        self.decode_until(target)
    }

    fn read_key(&mut self, key: usize) -> Result<Option<Packet>, AvError> {
        let Some(time) = self.keys.seek_to(key) else {
            return Ok(None);
        };
        self.run = None;
        self.demuxer.keep_only(&[self.stream]);
        self.demuxer.keep_keys_only(self.stream);
        self.demuxer.seek(self.stream, time)?;
        let mut packet = Packet::new()?;
        for _ in 0..MAX_DETOUR {
            if !self.demuxer.read(&mut packet)? {
                return Ok(None);
            }
            if packet.stream_index() == self.stream && packet.is_key() {
                self.untimed_keys |= packet.pts().is_none();
                // A key frame before an edit list's start is decoded but never shown.
                return Ok((!packet.is_discard()).then_some(packet));
            }
        }
        Ok(None)
    }

    fn decode_key(&mut self, packet: &Packet) -> Result<Option<ShownFrame>, AvError> {
        // Where parts are missing it was no key frame, or the way from an earlier one shows that they really are.
        Ok(decode_alone(self.decoder, packet)?.filter(|shown| !shown.frame.is_damaged()))
    }

    /// Starts a stretch at a key frame.
    fn begin(&mut self, key: usize) -> Result<(), AvError> {
        self.demuxer.keep_only(&[self.stream]);
        if let Some(time) = self.keys.seek_to(key) {
            self.demuxer.seek(self.stream, time)?;
        }
        self.decoder.flush();
        self.run = Some(Run::default());
        Ok(())
    }

    /// Starts a stretch that holds the frame shown at `moment`: at `key`, or an earlier one when it turns out that
    /// the index gives times of decoding and the frame belongs to the key frame before.
    fn begin_before(&mut self, mut key: usize, moment: f64) -> Result<(), AvError> {
        loop {
            self.begin(key)?;
            self.read_past(moment)?;
            let Some(first) = self.run.as_ref().and_then(|run| run.first.as_ref()) else {
                return Ok(());
            };
            let (dts, pts) = *first;
            self.keys.learn(key, dts, pts);
            if key == 0 || pts as f64 <= moment {
                return Ok(());
            }
            key -= 1;
        }
    }

    /// Reads packets until all frames shown by `moment` are known.
    fn read_past(&mut self, moment: f64) -> Result<(), AvError> {
        let Some(run) = &mut self.run else {
            return Ok(());
        };
        while !run.read_all && run.ahead_bytes < MAX_AHEAD_BYTES {
            if run.is_past(moment) {
                break;
            }
            run.read_all = !read_ahead(self.demuxer, self.stream, run)?;
        }
        Ok(())
    }

    fn decode_until(&mut self, target: i64) -> Result<Option<ShownFrame>, AvError> {
        let Some(run) = &mut self.run else {
            return Ok(None);
        };
        if let Some(last) = run.last.as_ref().filter(|last| last.pts == target) {
            return Ok(Some(last.clone()));
        }
        loop {
            while let Some(frame) = run.ready.pop_front() {
                if frame.pts > target {
                    // The target itself is lost; the frame before it stayed on screen. Keep this one for later.
                    let stand_in = run.last.clone().unwrap_or_else(|| frame.clone());
                    run.ready.push_front(frame);
                    return Ok(Some(stand_in));
                }
                let hit = frame.pts == target;
                run.last = Some(frame);
                if hit {
                    return Ok(run.last.clone());
                }
            }
            if run.ahead.is_empty() && !run.read_all {
                run.read_all = !read_ahead(self.demuxer, self.stream, run)?;
            }
            match run.ahead.pop_front() {
                Some(packet) => {
                    run.ahead_bytes -= packet.size_bytes();
                    let early = packet.pts().is_some_and(|pts| pts < target);
                    self.decoder
                        .decode_only(if early { Decode::References } else { Decode::All });
                    self.decoder.send(&packet)?;
                }
                None if run.drained => return Ok(run.last.clone()),
                None => {
                    self.decoder.send_end()?;
                    run.drained = true;
                }
            }
            while let Some(frame) = self.decoder.receive()? {
                if let Some(pts) = frame.best_pts() {
                    run.ready.push_back(ShownFrame {
                        pts,
                        frame: Arc::new(frame),
                    });
                }
            }
        }
    }
}

impl Run {
    /// The frame on screen at a moment, else the first one known. Forgets those before it.
    fn target(&mut self, moment: f64) -> Option<i64> {
        let latest = moment.floor() as i64;
        let target = self
            .known
            .range(..=latest)
            .next_back()
            .or(self.known.first())
            .copied()?;
        self.known = self.known.split_off(&target);
        Some(target)
    }

    /// Every frame shown by `moment` has been read: frames are shown at or after the time they are decoded.
    fn is_past(&self, moment: f64) -> bool {
        let mut untimed = 0;
        for packet in self.ahead.iter().rev() {
            match packet.dts() {
                Some(dts) => return dts as f64 > moment,
                None if packet.pts().is_some_and(|pts| pts as f64 > moment) => untimed += 1,
                None => return false,
            }
            if untimed >= MAX_REORDER {
                return true;
            }
        }
        false
    }
}

/// The frame of a key frame's packet, with nothing before or after it; none when it cannot be decoded.
pub fn decode_alone(decoder: &mut dyn FrameDecoder, packet: &Packet) -> Result<Option<ShownFrame>, AvError> {
    decoder.flush();
    decoder.decode_only(Decode::All);
    decoder.send(packet)?;
    decoder.send_end()?;
    let mut found = None;
    while let Some(frame) = decoder.receive()? {
        // Without a time of its own the frame has its packet's.
        if let Some(pts) = frame.best_pts().or(packet.pts()).or(packet.dts()) {
            found.get_or_insert(ShownFrame {
                pts,
                frame: Arc::new(frame),
            });
        }
    }
    decoder.flush();
    Ok(found)
}

/// A frame with the time it is shown from, stream units; none: it does not say.
pub type TimedFrame = (Option<i64>, Arc<Frame>);

/// The frames that come out after one more packet, none being the end. `is_alone`: each key frame is decoded by itself.
pub fn decode_next(
    decoder: &mut dyn FrameDecoder,
    packet: Option<&Packet>,
    is_alone: bool,
) -> Result<Vec<TimedFrame>, AvError> {
    let mut shown = Vec::new();
    match (packet, is_alone) {
        (Some(packet), true) if packet.is_key() => {
            let alone = decode_alone(decoder, packet)?;
            shown.extend(alone.map(|alone| (Some(alone.pts), alone.frame)));
        }
        (_, true) => {}
        (Some(packet), false) => decoder.send(packet)?,
        (None, false) => decoder.send_end()?,
    }
    while let Some(frame) = decoder.receive()? {
        shown.push((frame.best_pts(), Arc::new(frame)));
    }
    Ok(shown)
}

/// Reads one packet of the stream into the run; false at the end.
fn read_ahead(demuxer: &mut Demuxer, stream: usize, run: &mut Run) -> Result<bool, AvError> {
    loop {
        let mut packet = Packet::new()?;
        if !demuxer.read(&mut packet)? {
            return Ok(false);
        }
        if packet.stream_index() != stream {
            continue;
        }
        if let Some(pts) = packet.pts().or(packet.dts()) {
            // Frames shown before the key frame need the ones before that.
            let (_, first) = *run.first.get_or_insert((packet.dts(), pts));
            if pts >= first && !packet.is_discard() {
                run.known.insert(pts);
            }
        }
        run.ahead_bytes += packet.size_bytes();
        run.ahead.push_back(packet);
        return Ok(true);
    }
}
