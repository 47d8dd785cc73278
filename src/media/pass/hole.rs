//! Holes in the middle of a source: how long what is missing there lasted.
//!
//! A recording may pause, and its time stamps leap with nothing missing; a screen may stand still for minutes. Something is
//! missing only where bytes were passed over that no packet holds, and there are as many of them as that stretch of time
//! should have; where they may be those of streams that nobody reads, or filling, the demuxer must have said as well that it
//! had to look for where it can go on.
//!
//! Guarantees: pure but for the demuxer's count, which is asked for only at a leap. Deliberately absent: containers whose
//! time is a count of what is found (AVI), and those whose index says where each picture is, whose decoder sees the hole.

use crate::media::av::Packet;
use crate::media::facts::MediaFacts;
use crate::media::facts::StreamKind;
use std::collections::VecDeque;
use std::sync::Arc;

/// Packets within which passed over bytes and the leap that belongs to them come: what was under way before a hole, and
/// what is put into another order, is handed out after it was found.
const WINDOW: usize = 64;
/// Least share of the usual bytes of a stretch that has to be passed over for it to be missing.
const LEAST_SHARE: f64 = 0.25;
/// A step of so many pictures is a leap.
const LEAP_FRAMES: f64 = 1.5;

/// Demuxers that read all of a file, whoever wants it.
const READ_WHOLE: [&str; 3] = ["matroska", "flv", "asf"];
/// Containers that hold no filling to speak of between their packets.
const UNFILLED: [&str; 3] = ["matroska", "flv", "mpeg"];
/// Less than this in one place is what stands between packets anyway: headers, padding.
const LEAST_BYTES: u64 = 4096;

/// Adds the streams that show where a file's bytes are, though nothing is made of them: what is passed over in silence
/// would look like a hole, and how long a last picture stands is known by the sound under it.
pub fn add_witnesses(facts: &MediaFacts, wanted: &mut Vec<usize>) {
    if !READ_WHOLE.iter().any(|name| facts.format_name.starts_with(name)) {
        return;
    }
    for stream in &facts.streams {
        if !wanted.contains(&stream.index) {
            wanted.push(stream.index);
        }
    }
}

/// Whether bytes that are passed over when these streams are read are none of any other.
pub fn is_witnessed(facts: &MediaFacts, wanted: &[usize]) -> bool {
    let is_heavy = |kind: &StreamKind| matches!(kind, StreamKind::Video(_) | StreamKind::Audio(_));
    let mut heavy = facts.streams.iter().filter(|stream| is_heavy(&stream.kind));
    UNFILLED.contains(&facts.format_name.split(',').next().unwrap_or_default())
        && heavy.all(|stream| wanted.contains(&stream.index))
}

/// Looks for holes.
#[derive(Debug)]
pub struct Holes {
    /// The stream whose time is watched.
    stream: usize,
    frame_s: f64,
    bytes_per_s: f64,
    /// Bytes passed over before each of the latest packets.
    skipped: VecDeque<u64>,
    /// Where the packets so far end in the file.
    end: Option<u64>,
    /// Where the one before ended in time, seconds.
    due_s: Option<f64>,
    missing_s: f64,
    /// Which of several joined sources is read.
    turn: Option<usize>,
    /// Nobody else holds the bytes that are passed over.
    is_witnessed: bool,
}

impl Holes {
    /// In a source with these facts. `stream`: whose packets follow one another in time, each usually `frame_s` long;
    /// `is_witnessed`: see there.
    pub fn new(facts: &MediaFacts, stream: usize, frame_s: f64, is_witnessed: bool) -> Self {
        let length_s = facts.duration_s.filter(|length_s| *length_s > 0.0);
        Holes {
            stream,
            frame_s,
            bytes_per_s: length_s.map_or(0.0, |length_s| facts.size_bytes as f64 / length_s),
            skipped: VecDeque::with_capacity(WINDOW),
            end: None,
            due_s: None,
            missing_s: 0.0,
            turn: None,
            is_witnessed,
        }
    }

    /// A packet goes by, with times in seconds as the file has them. `has_lost_way`: whether the demuxer ever did.
    pub fn pass(&mut self, packet: &Packet, unit_s: f64, has_lost_way: impl FnOnce() -> bool) {
        let turn = packet.turn().map(|turn| Arc::as_ptr(turn).addr());
        if packet.stream_index() == self.stream && turn != self.turn {
            // Another file follows, whose places in it begin anew.
            (self.turn, self.end, self.due_s) = (turn, None, None);
            self.skipped.clear();
        }
        let at_s = packet.dts().or_else(|| packet.pts()).map(|at| at as f64 * unit_s);
        let place = packet.position().map(|at| (at, packet.size_bytes() as u64));
        let lasts_s = packet.duration().max(0) as f64 * unit_s;
        self.look(packet.stream_index(), place, at_s, lasts_s, has_lost_way);
    }

    fn look(
        &mut self,
        stream: usize,
        place: Option<(u64, u64)>,
        at_s: Option<f64>,
        lasts_s: f64,
        has_lost_way: impl FnOnce() -> bool,
    ) {
        if let Some((position, size_bytes)) = place {
            if self.skipped.len() == WINDOW {
                self.skipped.pop_front();
            }
            self.skipped
                .push_back(self.end.map_or(0, |end| position.saturating_sub(end)));
            self.end = self.end.max(Some(position + size_bytes));
        }
        let Some(at_s) = at_s.filter(|_| stream == self.stream) else {
            return;
        };
        if let Some(leap_s) = self.due_s.map(|due_s| at_s - due_s)
            && leap_s > LEAP_FRAMES * self.frame_s
        {
            let skipped = self.skipped.iter().copied().max().unwrap_or(0);
            if skipped >= LEAST_BYTES
                && skipped as f64 >= LEAST_SHARE * self.bytes_per_s * leap_s
                && (self.is_witnessed || has_lost_way())
            {
                self.missing_s += leap_s;
                self.skipped.clear();
            }
        }
        let lasts_s = if lasts_s > 0.0 { lasts_s } else { self.frame_s };
        self.due_s = Some(at_s + lasts_s);
    }

    /// What is missing, seconds.
    pub fn missing_s(&self) -> f64 {
        self.missing_s
    }
}

#[cfg(test)]
mod tests {
    use super::Holes;
    use crate::media::facts::MediaFacts;

    /// What is missing of 30 s of pictures of 100 bytes, 25 a second: with `left_out` of them gone, and so many bytes.
    fn missing_s(left_out: std::ops::Range<u64>, bytes: u64, has_lost_way: bool) -> f64 {
        let facts = MediaFacts {
            duration_s: Some(30.0),
            size_bytes: 75_000,
            ..MediaFacts::default()
        };
        let mut holes = Holes::new(&facts, 0, 0.04, false);
        for number in (0..750).filter(|number| !left_out.contains(number)) {
            let at = match number < left_out.start {
                true => number * 100,
                false => (number - (left_out.end - left_out.start)) * 100 + bytes,
            };
            let place = Some((at, 100));
            holes.look(0, place, Some(number as f64 * 0.04), 0.04, || has_lost_way);
        }
        holes.missing_s()
    }

    #[test]
    fn missing_is_what_was_passed_over_where_the_way_was_lost() {
        assert!((missing_s(250..500, 25_000, true) - 10.0).abs() < 0.001);
        assert_eq!(missing_s(250..500, 25_000, false), 0.0, "bytes of streams nobody wants");
        assert_eq!(missing_s(250..500, 0, true), 0.0, "a pause");
        assert_eq!(missing_s(250..500, 2000, true), 0.0, "a scratch before a still picture");
        assert_eq!(missing_s(250..250, 0, true), 0.0);
        assert_eq!(
            missing_s(250..252, 500, true),
            0.0,
            "headers before a picture that stands for three"
        );
    }
}
