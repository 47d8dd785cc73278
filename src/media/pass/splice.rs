//! Sources in a row, read one after the other as if they were one: the packets of each under the main one's streams, on
//! one clock that goes on.
//!
//! Guarantees: a source begins where what was read of the one before ended; once somebody went somewhere, each stays where
//! it is said to be. Deliberately absent: which sources, and where each is said to begin (`join`).

use crate::media::av::AvError;
use crate::media::av::Demuxer;
use crate::media::av::Packet;
use crate::media::av::feed::Feed;
use crate::media::av::packet::rescale;
use crate::media::av::stream::IndexEntry;
use crate::media::av::turn::Turn;
use crate::media::facts::Ratio;
use crate::media::facts::StreamFacts;
use crate::media::pass::clock::Jumps;
use crate::media::pass::key_seek;
use crate::media::timeline::MOST_REORDERED;
use std::collections::BTreeMap;
use std::sync::Arc;

/// In which every usual frame and sample lasts a whole number.
pub const FLICK: Ratio = Ratio {
    num: 1,
    den: 705_600_000,
};
/// Sound that outlasts the pictures by less than this is only the rest of its last frame.
pub const REST_S: f64 = 0.05;

/// How one source follows the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seam {
    /// Each is whole: pictures and sound begin as they do in it, after all of the one before.
    Kept,
    /// They are one recording that was cut: the next picture follows the last one, whatever the sound around the cut.
    None,
}

/// How the pictures of a source are stored and come out of a decoder, flicks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reordering {
    /// How long one is shown; 0: nobody says.
    pub frame: i64,
    /// How long a decoder holds one back for others that are stored after it and shown before.
    pub wait: i64,
    /// How much later than it is shown each comes out stamped: the wait, where its file has times of decoding alone.
    pub lag: i64,
}

/// One stream of one source.
pub struct Lane {
    /// Of pictures; none: of sound.
    reordering: Option<Reordering>,
    /// The main source's stream that it goes on as.
    to: usize,
    from_unit: Ratio,
    to_unit: Ratio,
    turn: Turning,
    /// Read beyond what is taken of it.
    is_done: bool,
    /// A packet of it said when it is shown or decoded.
    is_timed: bool,
    /// A packet of it said when it is decoded and not when it is shown.
    is_untold: bool,
    /// When its next packet is decoded, where none says so: flicks of the joined timeline.
    due: Option<i64>,
}

/// When a packet is shown and decoded, flicks of the joined timeline.
struct Placed {
    pts: Option<i64>,
    dts: Option<i64>,
    duration: i64,
    /// Where the stream ends if nothing comes after it.
    end: Option<i64>,
}

/// Becomes shared when its beginning is known.
enum Turning {
    Waiting(Option<Turn>),
    Begun(Arc<Turn>),
}

impl Lane {
    /// Of stream `to` of the main source. `reordering`: of pictures, none for sound.
    pub fn new(reordering: Option<Reordering>, to: &StreamFacts, from_unit: Ratio, to_unit: Ratio, turn: Turn) -> Self {
        Lane {
            reordering,
            to: to.index,
            from_unit,
            to_unit,
            turn: Turning::Waiting(Some(turn)),
            is_done: false,
            is_timed: false,
            is_untold: false,
            due: None,
        }
    }

    fn is_video(&self) -> bool {
        self.reordering.is_some()
    }

    /// How much later than they are shown its pictures come out of a decoder, as they are given to it.
    fn lag(&self) -> i64 {
        match self.reordering {
            // Those of files without any times are given times of decoding.
            Some(order) if !self.is_timed && self.due.is_some() => order.wait,
            Some(order) => order.lag,
            None => 0,
        }
    }

    /// Where to go for what is shown from `at` on, in its own units: a key frame that is stamped with its time of decoding
    /// may be shown after others that are decoded later, and those need the key frame before it.
    fn seek_to(&self, at: i64) -> i64 {
        let early = match self.reordering {
            Some(order) if order.lag > 0 => (MOST_REORDERED * order.frame as f64) as i64,
            _ => 0,
        };
        rescale(at - early, FLICK, self.from_unit)
    }

    /// Begins anew, after somebody went somewhere.
    fn forget(&mut self) {
        self.is_done = false;
        self.due = None;
    }

    /// Places a packet of a source that begins at `begins`, which is `origin` on its own timeline, both in flicks.
    /// `at_least`: how long a picture is shown whatever the packet says.
    fn place(&mut self, packet: &Packet, begins: i64, origin: i64, at_least: i64) -> Placed {
        let joined = |at: i64| rescale(at, self.from_unit, FLICK) - origin + begins;
        let (mut pts, mut dts) = (packet.pts().map(joined), packet.dts().map(joined));
        let duration = rescale(packet.duration().max(0), self.from_unit, FLICK);
        let Some(order) = self.reordering else {
            let end = pts.or(dts).map(|at| at + duration);
            return Placed {
                pts,
                dts,
                duration,
                end,
            };
        };
        self.is_timed |= pts.is_some() || dts.is_some();
        if !self.is_timed {
            let due = self.due.unwrap_or(begins);
            self.due = Some(due + if duration > 0 { duration } else { order.frame });
            dts = Some(due);
        }
        self.is_untold |= pts.is_none() && dts.is_some();
        let lag = self.lag();
        pts = pts.map(|at| at - lag);
        dts = dts.map(|at| at - lag);
        let shown = duration.max(at_least);
        let mut end = pts.or(dts).map(|at| at + shown);
        if let Some(dts) = dts.filter(|_| self.is_untold) {
            // Whichever is shown last waits for all that are stored after it.
            end = end.max(Some(dts + order.wait + shown));
        }
        Placed {
            pts,
            dts,
            duration,
            end,
        }
    }

    /// `begins` and `until`: what is taken of it, in flicks of the joined timeline.
    fn turn(&mut self, is_cut: bool, begins: i64, until: Option<i64>) -> Option<Arc<Turn>> {
        if let Turning::Waiting(waiting) = &mut self.turn {
            let mut turn = waiting.take()?;
            if is_cut {
                turn.from = rescale(begins, FLICK, self.to_unit);
                turn.until = until.map_or(i64::MAX, |until| rescale(until, FLICK, self.to_unit));
            }
            self.turn = Turning::Begun(Arc::new(turn));
        }
        match &self.turn {
            Turning::Begun(turn) => Some(Arc::clone(turn)),
            Turning::Waiting(_) => None,
        }
    }
}

/// One source in the row.
pub struct Piece {
    /// None: the main source.
    own: Option<Demuxer>,
    lanes: BTreeMap<usize, Lane>,
    jumps: Option<Jumps>,
    /// What becomes its beginning, flicks of its own time.
    origin: i64,
    /// How much of it is taken, flicks.
    length: Option<i64>,
    is_cut: bool,
    /// Something of it was read, so that it has to be taken back to its beginning before that is read.
    is_touched: bool,
}

impl Piece {
    /// Of a source, the main one if `own` is none. `origin`: what becomes its beginning, flicks of its own time; `length`: how
    /// much of it is taken, flicks, if it `is_cut`; `may_jump`: its time stamps may leap.
    pub fn new(
        own: Option<Demuxer>,
        lanes: BTreeMap<usize, Lane>,
        origin: i64,
        (is_cut, length): (bool, Option<i64>),
        may_jump: bool,
    ) -> Self {
        Piece {
            own,
            lanes,
            jumps: may_jump.then(Jumps::default),
            origin,
            length,
            is_cut,
            is_touched: false,
        }
    }
}

/// Reads one source after the other.
pub struct Splice {
    pieces: Vec<Piece>,
    at: usize,
    video: Option<(usize, Ratio)>,
    /// What is read in place of the main source's file; none: the file.
    inner: Option<Box<dyn Feed>>,
    /// Where each piece begins, and the last ends, flicks: what their containers say until they were read.
    begins: Vec<i64>,
    /// Somebody went somewhere: from here on every piece stays where it is said to be.
    is_pinned: bool,
    seam: Seam,
    /// How long a picture of the main source is shown, flicks; 0: nobody says.
    frame: i64,
    /// Where its pictures and its sound end so far.
    video_end: Option<i64>,
    audio_end: Option<i64>,
}

impl Splice {
    /// Over `pieces`, of which each begins, and the last ends, at `begins` as their containers say, flicks. `video`: the main
    /// source's stream of pictures and the unit that all are brought to; `frame`: how long one of them is shown, flicks, 0
    /// when nobody says; `inner`: what is read in place of the main source's file.
    pub fn new(
        pieces: Vec<Piece>,
        begins: Vec<i64>,
        video: Option<(usize, Ratio)>,
        frame: i64,
        seam: Seam,
        inner: Option<Box<dyn Feed>>,
    ) -> Self {
        Splice {
            pieces,
            at: 0,
            video,
            inner,
            begins,
            is_pinned: false,
            seam,
            frame,
            video_end: None,
            audio_end: None,
        }
    }

    fn next_piece(&mut self, main: &mut Demuxer) -> Result<(), AvError> {
        let rest = (REST_S * f64::from(FLICK.den)) as i64;
        let end = match (self.video_end, self.audio_end) {
            (Some(video), Some(audio)) if self.seam == Seam::None || audio <= video + rest => video,
            (Some(one), Some(other)) => one.max(other),
            (one, other) => one.or(other).unwrap_or(self.begins[self.at]),
        };
        let began = self.begins[self.at];
        let limit = self.pieces[self.at].length.map(|length| began + length);
        if !self.is_pinned {
            self.begins[self.at + 1] = limit.map_or(end, |limit| end.min(limit)).max(began);
        }
        self.video_end = None;
        self.audio_end = None;
        self.at += 1;
        let Some((is_touched, is_cut, origin)) = self
            .pieces
            .get(self.at)
            .map(|piece| (piece.is_touched, piece.is_cut, piece.origin))
        else {
            return Ok(());
        };
        if is_touched {
            return self.go_within(main, origin);
        }
        if is_cut {
            // One that cannot seek is read from its beginning, and what is before the cut is not shown.
            let _ = self.go_within(main, origin);
        }
        Ok(())
    }

    /// Goes to a moment of the piece whose turn it is, flicks of its own time.
    fn go_within(&mut self, main: &mut Demuxer, at: i64) -> Result<(), AvError> {
        let Some(piece) = self.pieces.get_mut(self.at) else {
            return Ok(());
        };
        piece.jumps = piece.jumps.take().map(|_| Jumps::default());
        let mut lead = None;
        for (index, lane) in &mut piece.lanes {
            lane.forget();
            if lane.is_video() || lead.is_none() {
                lead = Some((*index, lane.seek_to(at)));
            }
        }
        let Some((index, time)) = lead else { return Ok(()) };
        match (&mut piece.own, &mut self.inner) {
            (Some(own), _) => key_seek::seek(own, index, time),
            (None, Some(inner)) => match inner.seek(main, index, time)? {
                true => Ok(()),
                false => key_seek::seek(main, index, time),
            },
            (None, None) => key_seek::seek(main, index, time),
        }
    }
}

impl Feed for Splice {
    fn read(&mut self, main: &mut Demuxer, packet: &mut Packet) -> Result<bool, AvError> {
        loop {
            let Some(piece) = self.pieces.get_mut(self.at) else {
                return Ok(false);
            };
            let is_main = piece.own.is_none();
            let is_done = piece.length.is_some() && piece.lanes.values().all(|lane| lane.is_done);
            let has_more = match (&mut piece.own, &mut self.inner) {
                _ if is_done => false,
                (Some(own), _) => own.read(packet)?,
                (None, Some(inner)) => inner.read(main, packet)?,
                (None, None) => main.read(packet)?,
            };
            if !has_more {
                self.next_piece(main)?;
                continue;
            }
            piece.is_touched = true;
            let index = packet.stream_index();
            let demuxer = piece.own.as_ref().unwrap_or(main);
            let inner_unit = self
                .inner
                .as_ref()
                .filter(|_| is_main)
                .and_then(|inner| inner.unit(index));
            let own_unit = inner_unit.or_else(|| demuxer.stream(index).map(|stream| stream.time_base()));
            let Some(own_unit) = own_unit else {
                continue;
            };
            if let Some(jumps) = &mut piece.jumps {
                jumps.close(packet, own_unit);
            }
            let (begins, origin) = (self.begins[self.at], piece.origin);
            let Some(lane) = piece.lanes.get_mut(&index) else {
                if !is_main {
                    continue;
                }
                // Texts and data of the main source go with it.
                let moved = |at: i64| at + rescale(begins - origin, FLICK, own_unit);
                packet.set_times(packet.pts().map(moved), packet.dts().map(moved), packet.duration());
                return Ok(true);
            };
            let until = piece.length.map(|length| begins + length);
            // Where a recording was cut, the container may say that its last picture was shown shorter.
            let at_least = if self.seam == Seam::None { self.frame } else { 0 };
            let placed = lane.place(packet, begins, origin, at_least);
            // Pictures are stored in another order than they are shown in; a second covers that.
            if let (Some(until), Some(dts)) = (until, placed.dts.or(placed.pts)) {
                lane.is_done |= dts > until + i64::from(FLICK.den);
            }
            if !packet.is_discard() {
                let end = if lane.is_video() {
                    &mut self.video_end
                } else {
                    &mut self.audio_end
                };
                *end = placed.end.max(*end);
            }
            let out = |at: i64| rescale(at, FLICK, lane.to_unit);
            packet.set_times(placed.pts.map(out), placed.dts.map(out), out(placed.duration));
            packet.set_stream_index(lane.to);
            if let Some(turn) = lane.turn(piece.is_cut, begins, until) {
                packet.set_turn(turn);
            }
            return Ok(true);
        }
    }

    fn lost_way(&self) -> u64 {
        let own = self.pieces.iter().filter_map(|piece| piece.own.as_ref());
        let inner = self.inner.as_ref().map_or(0, |inner| inner.lost_way());
        inner + own.map(Demuxer::lost_way).sum::<u64>()
    }

    fn unit(&self, stream: usize) -> Option<Ratio> {
        self.video.filter(|(index, _)| *index == stream).map(|(_, unit)| unit)
    }

    fn seek(&mut self, main: &mut Demuxer, stream: usize, time: i64) -> Result<bool, AvError> {
        let own_unit = || main.stream(stream).map(|stream| stream.time_base());
        let Some(unit) = self.unit(stream).or_else(own_unit) else {
            return Ok(false);
        };
        self.is_pinned = true;
        let at = rescale(time, unit, FLICK);
        // A time that was rounded down is still that of the first picture of a piece.
        let latest = rescale(time.saturating_add(1), unit, FLICK);
        let begun = self.begins[..self.pieces.len()].partition_point(|begins| *begins < latest);
        self.at = begun.saturating_sub(1);
        self.video_end = None;
        self.audio_end = None;
        for piece in &mut self.pieces[self.at..] {
            piece.lanes.values_mut().for_each(Lane::forget);
        }
        let within = (at - self.begins[self.at]).max(0) + self.pieces[self.at].origin;
        self.go_within(main, within)?;
        self.pieces[self.at].is_touched = true;
        Ok(true)
    }

    fn index(&self, main: &Demuxer, stream: usize) -> Option<Vec<IndexEntry>> {
        let mut all = Vec::new();
        for (piece, begins) in self.pieces.iter().zip(&self.begins) {
            // Of a piece that is cut, pictures are taken that no key frame of it leads to.
            if piece.is_cut || piece.own.is_none() && self.inner.is_some() {
                return None;
            }
            let (index, lane) = piece.lanes.iter().find(|(_, lane)| lane.to == stream)?;
            let entries = piece.own.as_ref().unwrap_or(main).own_index(*index);
            if entries.is_empty() {
                return None;
            }
            let joined = |at: i64| {
                rescale(
                    rescale(at, lane.from_unit, FLICK) - piece.origin + begins - lane.lag(),
                    FLICK,
                    lane.to_unit,
                )
            };
            all.extend(entries.into_iter().map(|entry| IndexEntry {
                time: joined(entry.time),
                ..entry
            }));
        }
        Some(all)
    }
}
