//! Several sources in a row as one: slates before and after the main one, or a list of files to merge.
//!
//! The main source decides streams, languages, size and rate. Packets of all come out under its streams (`splice`); each
//! says how it is coded, and the decoder changes with it. What is of another size is then fitted like a source that
//! changes in its middle, and gaps of sound become silence.
//!
//! Guarantees: a source begins where the one before ends: at the end of its pictures, or of its sound where that is
//! longer. Deliberately absent: subtitles and data of any but the main source.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Demuxer;
use crate::media::av::Source;
use crate::media::av::turn::Turn;
use crate::media::error;
use crate::media::facts::ChapterFacts;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::facts::StreamKind;
use crate::media::facts::VideoFacts;
use crate::media::pass::PassOrder;
use crate::media::pass::chapters;
use crate::media::pass::key_seek;
use crate::media::pass::splice::FLICK;
use crate::media::pass::splice::Lane;
use crate::media::pass::splice::Piece;
use crate::media::pass::splice::REST_S;
use crate::media::pass::splice::Reordering;
use crate::media::pass::splice::Seam;
use crate::media::pass::splice::Splice;
use crate::media::probe;
use crate::media::probe::Opened;
use crate::media::spec::Clip;
use crate::media::spec::Joined;
use crate::media::timeline;
use std::collections::BTreeMap;

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
    let mut chapters = Chapters::default();
    let mut begin_after = |facts: &MediaFacts, clip: Option<Clip>, lead_s: f64| {
        let begin_s = begins_s.last().copied().unwrap_or(0.0);
        chapters.add(facts, clip, begin_s);
        begins_s.push(begin_s + lead_s + length_s(facts, clip));
    };
    for one in before {
        begin_after(&one.opened.facts, one.clip, 0.0);
        let piece = shape.piece(Some(one.opened.demuxer), &one.opened.facts, one.clip, &main.demuxer);
        pieces.push(piece.map_err(refused)?);
    }
    let lead_s = match seam {
        Seam::Kept => 0.0,
        // Of the first its sound may begin before its pictures.
        Seam::None if clip.is_none() => lead_s(facts),
        Seam::None => 0.0,
    };
    begin_after(facts, clip, lead_s);
    pieces.push(shape.piece(None, facts, clip, &main.demuxer).map_err(refused)?);
    for one in after {
        begin_after(&one.opened.facts, one.clip, 0.0);
        let piece = shape.piece(Some(one.opened.demuxer), &one.opened.facts, one.clip, &main.demuxer);
        pieces.push(piece.map_err(refused)?);
    }
    let total_s = begins_s.last().copied().unwrap_or(0.0);
    if let (Some(clip), Some((stream, _))) = (clip, facts.main_video()) {
        let frame_s = rate_of_main.map_or(0.0, |rate| 1.0 / rate.value());
        let early_s = match timeline::lag_s(facts) > 0.0 {
            true => timeline::MOST_REORDERED * frame_s,
            false => 0.0,
        };
        let start_s = stream.start_time_s.unwrap_or(0.0) + clip.start_s - early_s;
        // A container that cannot seek is read from its beginning.
        let at = (start_s / stream.time_base.value()).floor() as i64;
        let _ = key_seek::seek(&mut main.demuxer, stream.index, at);
    }
    let mut whole = facts.clone();
    let video = facts.main_video().map(|(stream, _)| stream.index);
    for stream in &mut whole.streams {
        if Some(stream.index) == video {
            stream.time_base = unit;
            if let StreamKind::Video(video) = &mut stream.kind {
                // What comes late of any source was placed as it is shown (`splice`).
                video.has_b_frames = 0;
            }
        }
        if matches!(stream.kind, StreamKind::Video(_) | StreamKind::Audio(_)) {
            stream.start_time_s = Some(0.0);
            stream.duration_s = Some(total_s);
            stream.frame_count = None;
        }
    }
    whole.duration_s = Some(total_s);
    whole.start_time_s = Some(0.0);
    whole.chapters = chapters.read;
    whole.unread_chapters = chapters.unread;
    let inner = main.demuxer.take_feed();
    let flicks = |seconds: f64| (seconds * f64::from(FLICK.den)).round() as i64;
    main.demuxer.feed_from(Box::new(Splice::new(
        pieces,
        begins_s.iter().map(|begin_s| flicks(*begin_s)).collect(),
        video.map(|index| (index, unit)),
        rate_of_main.map_or(0, |rate| flicks(1.0 / rate.value())),
        seam,
        inner,
    )));
    Ok(whole)
}

/// Chapters of all sources on the clock of the whole.
#[derive(Debug, Default)]
struct Chapters {
    read: Vec<ChapterFacts>,
    /// Also those that lie outside of what is taken of their source.
    unread: u32,
}

impl Chapters {
    /// Takes those of a source that begins at `begin_s`.
    fn add(&mut self, facts: &MediaFacts, clip: Option<Clip>, begin_s: f64) {
        let zero_s = facts.start_time_s.unwrap_or(0.0) + clip.unwrap_or_default().start_s;
        let taken = chapters::taken(&facts.chapters, zero_s, length_s(facts, clip));
        let outside = u32::try_from(taken.outside.len()).unwrap_or(u32::MAX);
        self.unread = self
            .unread
            .saturating_add(facts.unread_chapters)
            .saturating_add(outside);
        self.read
            .extend(taken.chapters.into_iter().map(|(start_s, end_s, title)| ChapterFacts {
                start_s: begin_s + start_s,
                end_s: begin_s + end_s,
                title,
            }));
    }
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
        let may_jump = demuxer.may_jump();
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
            let reordering = Reordering {
                frame: rate_of(own_video).map_or(0, |rate| flicks(1.0 / rate.value().max(0.1))),
                wait: flicks(timeline::wait_s(facts)),
                lag: flicks(timeline::lag_s(facts)),
            };
            let lane = Lane::new(Some(reordering), to, stream.time_base, self.unit, turn);
            lanes.insert(stream.index, lane);
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
            lanes.insert(index, Lane::new(None, to, unit, to.time_base, turn));
        }
        Ok(Piece::new(
            own,
            lanes,
            flicks(start_s + clip.start_s),
            (
                clip.start_s > 0.0 || clip.end_s.is_some(),
                clip.end_s.map(|end_s| flicks(end_s - clip.start_s)),
            ),
            may_jump,
        ))
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
