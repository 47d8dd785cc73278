//! What a container's index tells of a stream's key frames.
//!
//! Guarantees: only an index that covers the stream is taken. Deliberately absent: reading packets; whether the
//! samples it names are in the file, which `probe` finds.

use crate::media::av::Demuxer;
use crate::media::picker::TOLERANCE_S;

/// How far the last entry of a usable index may be from the end, as a share of the length. Matroska lists key
/// frames only, and the last of them may be far from the end.
const COVERED_SHARE: f64 = 0.5;

/// Key frames of one stream, by time.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyIndex {
    /// Index times of key frames in stream units, rising: times of decoding in ISO files.
    times: Vec<i64>,
    /// Seconds a unit.
    unit_s: f64,
    /// Units by which key frames are shown later than the index says; learned from the first one read.
    delay: Option<i64>,
}

/// Where to seek for the last key frame before anything was learned: this far behind it.
const BEHIND_LAST_S: f64 = 600.0;

impl KeyIndex {
    /// Reads the index of a stream of an opened file. None when there is none worth the name. `length_s` is how
    /// long the stream is; without it no index can be trusted to be whole.
    pub fn read(demuxer: &Demuxer, stream: usize, length_s: Option<f64>) -> Option<Self> {
        let (Some(stream), Some(length_s)) = (demuxer.stream(stream), length_s) else {
            return None;
        };
        let unit_s = stream.time_base().value();
        let (mut times, mut first, mut last) = (Vec::new(), None, None);
        for entry in demuxer.index(stream.index()) {
            first = Some(first.unwrap_or(entry.time).min(entry.time));
            last = Some(last.unwrap_or(entry.time).max(entry.time));
            if entry.is_key {
                times.push(entry.time);
            }
        }
        times.sort_unstable();
        times.dedup();
        let covered_s = first
            .zip(last)
            .map_or(0.0, |(first, last)| (last - first) as f64 * unit_s);
        let covers = covered_s >= length_s * COVERED_SHARE;
        (covers && !times.is_empty()).then_some(KeyIndex {
            times,
            unit_s,
            delay: None,
        })
    }

    /// Key frames.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// There is no key frame; never so for an index that [`KeyIndex::read`] gave.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Where to seek for a key frame, stream units. Some demuxers compare the time of decoding, some the time of
    /// showing; the place between this key frame's and the next one's suits both.
    pub fn seek_to(&self, key: usize) -> Option<i64> {
        let time = *self.times.get(key)?;
        Some(match (self.delay, self.times.get(key + 1)) {
            (Some(delay), _) => time + delay,
            (None, Some(next)) => next - 1,
            (None, None) => time + self.units(BEHIND_LAST_S) as i64,
        })
    }

    /// When a key frame is shown, stream units.
    pub fn shown(&self, key: usize) -> Option<i64> {
        self.times.get(key).map(|time| time + self.delay.unwrap_or(0))
    }

    /// Learns from a key frame read, with its times of decoding and showing, how much later than the index says it
    /// is shown. False when it is not the key frame the index means.
    pub fn learn(&mut self, key: usize, dts: Option<i64>, pts: i64) -> bool {
        match self.times.get(key) {
            Some(time) if dts == Some(*time) || pts == *time => {
                self.delay = Some(pts - time);
                true
            }
            _ => false,
        }
    }

    /// Seconds in stream units.
    pub fn units(&self, seconds: f64) -> f64 {
        seconds / self.unit_s
    }

    /// How much before its time a frame counts as begun, stream units.
    pub fn tolerance(&self) -> f64 {
        self.units(TOLERANCE_S)
    }

    /// The last key frame shown at or before `moment` (stream units), else the first.
    pub fn at_or_before(&self, moment: f64) -> usize {
        let latest = moment + self.tolerance();
        self.times
            .partition_point(|time| (time + self.delay.unwrap_or(0)) as f64 <= latest)
            .saturating_sub(1)
    }

    /// Whether two of these moments (stream units, rising) have the same key frame.
    pub fn is_shared(&self, moments: &[f64]) -> bool {
        moments
            .windows(2)
            .any(|pair| self.at_or_before(pair[0]) == self.at_or_before(pair[1]))
    }

    /// Whether these moments (stream units, rising) are poorly served by key frames: fewer than half of them get one
    /// of their own, or one is shown `far` units or more after its key frame.
    pub fn serves_poorly(&self, moments: &[f64], far: f64) -> bool {
        let (mut own, mut before) = (0, None);
        for moment in moments {
            let key = self.at_or_before(*moment);
            own += usize::from(before != Some(key));
            before = Some(key);
            if self.shown(key).is_some_and(|shown| moment - shown as f64 >= far) {
                return true;
            }
        }
        own * 2 < moments.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(times: &[i64]) -> KeyIndex {
        KeyIndex {
            times: times.to_vec(),
            unit_s: 0.001,
            delay: None,
        }
    }

    #[test]
    fn the_key_frame_is_the_last_one_shown_by_then() {
        let index = index(&[0, 2000, 4000]);
        let keys: Vec<usize> = [-5.0, 0.0, 1999.0, 1999.5, 2000.0, 9000.0]
            .map(|moment| index.at_or_before(moment))
            .to_vec();
        assert_eq!(keys, [0, 0, 0, 1, 1, 2]);
    }

    #[test]
    fn key_frames_shown_later_than_they_are_decoded_are_learned() {
        let mut index = index(&[-80, 1920, 3920]);
        assert_eq!(index.at_or_before(1990.0), 1);
        assert!(!index.learn(1, Some(-80), 0), "another key frame than that");
        assert_eq!((index.seek_to(0), index.seek_to(1)), (Some(1919), Some(3919)));
        assert!(index.learn(0, Some(-80), 0));
        assert_eq!((index.seek_to(0), index.seek_to(2)), (Some(0), Some(4000)));
        assert_eq!(
            (index.at_or_before(1990.0), index.at_or_before(2000.0), index.shown(2)),
            (0, 1, Some(4000))
        );
    }

    #[test]
    fn few_or_far_key_frames_serve_poorly() {
        let index = index(&[0, 2000, 4000, 6000]);
        assert!(!index.serves_poorly(&[0.0, 1000.0, 2000.0, 3000.0], 15_000.0));
        assert!(index.serves_poorly(&[0.0, 100.0, 200.0, 2000.0, 2100.0], 15_000.0));
        assert!(index.serves_poorly(&[0.0, 21_000.0], 15_000.0));
        assert!(!index.is_shared(&[0.0, 3000.0, 4000.0]) && index.is_shared(&[0.0, 2000.0, 3000.0]));
    }
}
