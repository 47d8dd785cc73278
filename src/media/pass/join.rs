//! Several sources in a row as one: slates before and after the main one, or a list of files to merge.
//!
//! The main source decides streams, languages, size and rate. Packets of all come out under its streams with times
//! that go on; each says how it is coded, and the decoder changes with it. What is of another size is then fitted like
//! a source that changes in its middle, and gaps of sound become silence.
//!
//! Guarantees: a source begins where the one before ends: at the end of its pictures, or of its sound where that is
//! longer. Deliberately absent: subtitles and data of any but the main source.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Demuxer;
use crate::media::av::Packet;
use crate::media::av::Source;
use crate::media::av::demux::Feed;
use crate::media::av::packet::rescale;
use crate::media::av::stream::IndexEntry;
use crate::media::av::turn::Turn;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::facts::StreamFacts;
use crate::media::facts::StreamKind;
use crate::media::facts::VideoFacts;
use crate::media::pass::PassOrder;
use crate::media::pass::clock::Jumps;
use crate::media::probe;
use crate::media::probe::Opened;
use crate::media::spec::Clip;
use crate::media::spec::Joined;
use std::collections::BTreeMap;
use std::sync::Arc;

/// In which every usual frame and sample lasts a whole number.
const FLICK: Ratio = Ratio {
    num: 1,
    den: 705_600_000,
};
/// Sound that outlasts the pictures by less than this is only the rest of its last frame.
const REST_S: f64 = 0.05;
/// Units of joined pictures, coarsest first.
const UNITS: [i32; 4] = [90_000, 120_000, 180_000, 720_000];
const OPERATION: &str = "join";

/// Makes `main` read what is joined to it as well; answers the facts of all together.
pub fn extend(
    order: &PassOrder,
    main: &mut Opened,
    facts: &MediaFacts,
    clip: Option<Clip>,
    joined: &Joined,
    takes_partial: bool,
) -> Result<MediaFacts, Fault> {
    let open = |name: &String| -> Result<Opened, Fault> {
        let unreadable = |cause: std::io::Error| error::source_unreadable(OPERATION, name, cause.to_string());
        let source = Source::from_shared(order.side.get(name)?, name).map_err(unreadable)?;
        let opened = probe::open(source.watched_by(&main.demuxer.watch()), &order.limits)?;
        match opened.missing_data() {
            Some(missing) if !takes_partial => Err(error::source_truncated(OPERATION, name, missing)),
            _ => Ok(opened),
        }
    };
    let before = joined.before.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let after = joined.after.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let uncut = |opened: Opened| Joining { opened, clip: None };
    in_a_row(
        main,
        facts,
        clip,
        before.into_iter().map(uncut).collect(),
        after.into_iter().map(uncut).collect(),
        Seam::Kept,
    )
}

/// How one source follows the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seam {
    /// Each is whole: pictures and sound begin as they do in it, after all of the one before.
    Kept,
    /// They are one recording that was cut: the next picture follows the last one, whatever the sound around the cut.
    None,
}

/// A source before or after the main one.
pub struct Joining {
    /// It.
    pub opened: Opened,
    /// What is taken of it.
    pub clip: Option<Clip>,
}

/// Makes `main`, of which `clip` is taken, read others before and after itself; answers the facts of all together.
pub fn in_a_row(
    main: &mut Opened,
    facts: &MediaFacts,
    clip: Option<Clip>,
    before: Vec<Joining>,
    after: Vec<Joining>,
    seam: Seam,
) -> Result<MediaFacts, Fault> {
    let name = main.demuxer.name().to_owned();
    let refused = |refusal: AvError| error::source_refused(OPERATION, &name, &refusal);
    let all = before.iter().chain(&after).map(|one| &one.opened.facts).chain([facts]);
    let rates: Vec<Ratio> = all.filter_map(|facts| rate_of(facts.main_video()?.1)).collect();
    let unit = unit_for(&rates);

    let rate_of_main = facts.main_video().and_then(|(_, video)| rate_of(video));
    let shape = Shape { facts, unit, seam };
    let mut pieces = Vec::new();
    let mut begins_s = vec![0.0];
    let mut begin_after = |length_s: f64| begins_s.push(begins_s.last().copied().unwrap_or(0.0) + length_s);
    for one in before {
        begin_after(length_s(&one.opened.facts, one.clip));
        let piece = shape.piece(Some(one.opened.demuxer), &one.opened.facts, one.clip, &main.demuxer);
        pieces.push(piece.map_err(refused)?);
    }
    let lead_s = match seam {
        Seam::Kept => 0.0,
        // Of the first its sound may begin before its pictures.
        Seam::None if clip.is_none() => lead_s(facts),
        Seam::None => 0.0,
    };
    begin_after(lead_s + length_s(facts, clip));
    pieces.push(shape.piece(None, facts, clip, &main.demuxer).map_err(refused)?);
    for one in after {
        begin_after(length_s(&one.opened.facts, one.clip));
        let piece = shape.piece(Some(one.opened.demuxer), &one.opened.facts, one.clip, &main.demuxer);
        pieces.push(piece.map_err(refused)?);
    }
    let total_s = begins_s.last().copied().unwrap_or(0.0);
    if let (Some(clip), Some((stream, _))) = (clip, facts.main_video()) {
        let start_s = stream.start_time_s.unwrap_or(0.0) + clip.start_s;
        // A container that cannot seek is read from its beginning.
        let _ = main
            .demuxer
            .seek(stream.index, (start_s / stream.time_base.value()).floor() as i64);
    }
    let mut whole = facts.clone();
    let video = facts.main_video().map(|(stream, _)| stream.index);
    for stream in &mut whole.streams {
        if Some(stream.index) == video {
            stream.time_base = unit;
        }
        if matches!(stream.kind, StreamKind::Video(_) | StreamKind::Audio(_)) {
            stream.start_time_s = Some(0.0);
            stream.duration_s = Some(total_s);
            stream.frame_count = None;
        }
    }
    whole.duration_s = Some(total_s);
    whole.start_time_s = Some(0.0);
    let inner = main.demuxer.take_feed();
    main.demuxer.feed_from(Box::new(Splice {
        pieces,
        at: 0,
        video: video.map(|index| (index, unit)),
        inner,
        begins: begins_s
            .iter()
            .map(|begin_s| (begin_s * f64::from(FLICK.den)).round() as i64)
            .collect(),
        is_pinned: false,
        seam,
        frame: rate_of_main.map_or(0, |rate| (f64::from(FLICK.den) / rate.value()).round() as i64),
        video_end: None,
        audio_end: None,
    }));
    Ok(whole)
}

/// Seconds from the beginning of a source to its first picture.
fn lead_s(facts: &MediaFacts) -> f64 {
    let video_s = facts.main_video().and_then(|(stream, _)| stream.start_time_s);
    let audio_s = facts.main_audio().and_then(|(stream, _)| stream.start_time_s);
    video_s
        .zip(audio_s)
        .map_or(0.0, |(video_s, audio_s)| (video_s - audio_s).max(0.0))
}

/// Seconds a source takes, as it says.
fn length_s(facts: &MediaFacts, clip: Option<Clip>) -> f64 {
    let video_s = facts.main_video().and_then(|(stream, _)| stream.duration_s);
    let audio_s = facts.main_audio().and_then(|(stream, _)| stream.duration_s);
    let whole_s = match (video_s, audio_s) {
        (Some(video_s), Some(audio_s)) if audio_s <= video_s + REST_S => video_s,
        (Some(one_s), Some(other_s)) => one_s.max(other_s),
        (one, other) => one.or(other).or(facts.duration_s).unwrap_or(0.0),
    };
    match clip {
        None => whole_s,
        Some(clip) => clip.end_s.unwrap_or(whole_s).min(whole_s) - clip.start_s,
    }
}

fn rate_of(video: &VideoFacts) -> Option<Ratio> {
    video.nominal_rate()
}

/// The coarsest unit in which frames of all rates last whole numbers.
fn unit_for(rates: &[Ratio]) -> Ratio {
    let is_whole = |den: i32| {
        let whole = |rate: &Ratio| rate.num > 0 && (i64::from(den) * i64::from(rate.den)) % i64::from(rate.num) == 0;
        rates.iter().all(whole)
    };
    let den = UNITS.into_iter().find(|den| is_whole(*den)).unwrap_or(720_000);
    Ratio { num: 1, den }
}

/// What all pieces are brought to.
struct Shape<'a> {
    facts: &'a MediaFacts,
    unit: Ratio,
    seam: Seam,
}

impl Shape<'_> {
    fn piece(
        &self,
        own: Option<Demuxer>,
        facts: &MediaFacts,
        clip: Option<Clip>,
        main: &Demuxer,
    ) -> Result<Piece, AvError> {
        let demuxer = own.as_ref().unwrap_or(main);
        let clip = clip.unwrap_or_default();
        let flicks = |seconds: f64| (seconds * f64::from(FLICK.den)).round() as i64;
        let video = facts.main_video();
        let sounds = |facts: &MediaFacts| -> Vec<(usize, Ratio, Option<f64>)> {
            let streams = facts.streams.iter().filter(|stream| stream.decodable);
            let sounds = streams.filter(|stream| matches!(stream.kind, StreamKind::Audio(_)));
            sounds
                .map(|stream| (stream.index, stream.time_base, stream.start_time_s))
                .collect()
        };
        let video_s = video.and_then(|(stream, _)| stream.start_time_s);
        let audio_s = facts.main_audio().and_then(|(stream, _)| stream.start_time_s);
        let goes_on = self.seam == Seam::None && (own.is_some() || clip.start_s > 0.0 || clip.end_s.is_some());
        let start_s = match video_s.filter(|_| goes_on) {
            Some(video_s) => video_s,
            None => video_s.into_iter().chain(audio_s).min_by(f64::total_cmp).unwrap_or(0.0),
        };
        let mut lanes = BTreeMap::new();
        let parameters = |index: usize| match demuxer.stream(index) {
            Some(stream) => stream.parameters(),
            None => Err(AvError::argument("stream")),
        };
        if let (Some((stream, own_video)), Some((to, main_video))) = (video, self.facts.main_video()) {
            let turn = Turn {
                parameters: parameters(stream.index)?,
                unit: self.unit,
                from: i64::MIN,
                until: i64::MAX,
                aspect: own_video.sample_aspect_ratio,
                upright: upright(own_video, main_video),
            };
            lanes.insert(stream.index, Lane::new(true, to, stream.time_base, self.unit, turn));
        }
        let tracks = self.facts.streams.iter().filter(|stream| stream.decodable);
        let tracks = tracks.filter(|stream| matches!(stream.kind, StreamKind::Audio(_)));
        for ((index, unit, _), to) in sounds(facts).into_iter().zip(tracks) {
            let turn = Turn {
                parameters: parameters(index)?,
                unit: to.time_base,
                from: i64::MIN,
                until: i64::MAX,
                aspect: None,
                upright: None,
            };
            lanes.insert(index, Lane::new(false, to, unit, to.time_base, turn));
        }
        Ok(Piece {
            jumps: demuxer.may_jump().then(Jumps::default),
            own,
            lanes,
            origin: flicks(start_s + clip.start_s),
            length: clip.end_s.map(|end_s| flicks(end_s - clip.start_s)),
            is_cut: clip.start_s > 0.0 || clip.end_s.is_some(),
            is_touched: false,
        })
    }
}

/// Filters that bring pictures of one source to how those of another are stored; none: they are.
fn upright(own: &VideoFacts, main: &VideoFacts) -> Option<String> {
    if (own.rotation_degrees, own.mirrored) == (main.rotation_degrees, main.mirrored) {
        return None;
    }
    let turned = |degrees: u32| match degrees % 360 {
        90 => "transpose=clock",
        180 => "hflip,vflip",
        270 => "transpose=cclock",
        _ => "",
    };
    let flipped = |is: bool| if is { "hflip" } else { "" };
    let steps = [
        turned(own.rotation_degrees),
        flipped(own.mirrored),
        // And back, the other way round.
        flipped(main.mirrored),
        turned(360 - main.rotation_degrees % 360),
    ];
    let steps: Vec<&str> = steps.into_iter().filter(|step| !step.is_empty()).collect();
    (!steps.is_empty()).then(|| steps.join(","))
}

/// One stream of one source.
struct Lane {
    is_video: bool,
    /// The main source's stream that it goes on as.
    to: usize,
    from_unit: Ratio,
    to_unit: Ratio,
    turn: Turning,
    /// Read beyond what is taken of it.
    is_done: bool,
}

/// Becomes shared when its beginning is known.
enum Turning {
    Waiting(Option<Turn>),
    Begun(Arc<Turn>),
}

impl Lane {
    fn new(is_video: bool, to: &StreamFacts, from_unit: Ratio, to_unit: Ratio, turn: Turn) -> Self {
        Lane {
            is_video,
            to: to.index,
            from_unit,
            to_unit,
            turn: Turning::Waiting(Some(turn)),
            is_done: false,
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
struct Piece {
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

/// Reads one source after the other.
struct Splice {
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
            lane.is_done = false;
            if lane.is_video || lead.is_none() {
                lead = Some((*index, rescale(at, FLICK, lane.from_unit)));
            }
        }
        let Some((index, time)) = lead else { return Ok(()) };
        match (&mut piece.own, &mut self.inner) {
            (Some(own), _) => own.seek(index, time),
            (None, Some(inner)) => match inner.seek(main, index, time)? {
                true => Ok(()),
                false => main.seek(index, time),
            },
            (None, None) => main.seek(index, time),
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
            let joined = |at: i64| rescale(at, lane.from_unit, FLICK) - origin + begins;
            let until = piece.length.map(|length| begins + length);
            let (pts, dts) = (packet.pts().map(joined), packet.dts().map(joined));
            let duration = rescale(packet.duration().max(0), lane.from_unit, FLICK);
            // Where a recording was cut, the container may say that its last picture was shown shorter.
            let shown = match self.seam {
                Seam::None if lane.is_video => duration.max(self.frame),
                _ => duration,
            };
            // Pictures are stored in another order than they are shown in; a second covers that.
            if let (Some(until), Some(dts)) = (until, dts.or(pts)) {
                lane.is_done |= dts > until + i64::from(FLICK.den);
            }
            if !packet.is_discard()
                && let Some(at) = pts.or(dts)
            {
                let end = if lane.is_video {
                    &mut self.video_end
                } else {
                    &mut self.audio_end
                };
                *end = Some(end.map_or(at + shown, |known| known.max(at + shown)));
            }
            let out = |at: i64| rescale(at, FLICK, lane.to_unit);
            packet.set_times(pts.map(out), dts.map(out), out(duration));
            packet.set_stream_index(lane.to);
            if let Some(turn) = lane.turn(piece.is_cut, begins, until) {
                packet.set_turn(turn);
            }
            return Ok(true);
        }
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
            piece.lanes.values_mut().for_each(|lane| lane.is_done = false);
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
                    rescale(at, lane.from_unit, FLICK) - piece.origin + begins,
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

#[cfg(test)]
mod tests {
    use super::unit_for;
    use crate::media::facts::Ratio;

    #[test]
    fn the_unit_holds_all_frames_exactly() {
        let rate = |num: i32, den: i32| Ratio { num, den };
        assert_eq!(unit_for(&[rate(25, 1), rate(30_000, 1001)]).den, 90_000);
        assert_eq!(unit_for(&[rate(24_000, 1001), rate(25, 1)]).den, 120_000);
        assert_eq!(
            unit_for(&[rate(24_000, 1001), rate(60_000, 1001), rate(50, 1)]).den,
            120_000
        );
        assert_eq!(unit_for(&[rate(1_000_003, 7)]).den, 720_000);
    }
}
