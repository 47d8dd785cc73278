//! Packets of several tracks in the order of time, for segments that hold them together.
//!
//! Guarantees: packets of one track keep their order; a track that stays behind holds the others up by [`LONGEST_S`] of
//! their time at most, so memory does not grow with the source. Deliberately absent: muxing.

use crate::media::av::Packet;
use std::collections::VecDeque;

/// How far a track may run ahead of one that says nothing.
const LONGEST_S: f64 = 30.0;

/// Tracks that wait for one another.
#[derive(Debug)]
pub struct Braid {
    tracks: Vec<VecDeque<(f64, Packet)>>,
}

impl Braid {
    /// For so many tracks.
    pub fn new(tracks: usize) -> Self {
        Braid {
            tracks: (0..tracks).map(|_| VecDeque::new()).collect(),
        }
    }

    /// A packet of a track that is decoded at this time.
    pub fn push(&mut self, track: usize, at_s: f64, packet: Packet) {
        if let Some(queue) = self.tracks.get_mut(track) {
            queue.push_back((at_s, packet));
        }
    }

    /// The next packet, if no earlier one can come any more.
    pub fn next(&mut self) -> Option<(usize, Packet)> {
        let first = self.first()?;
        let newest = self.tracks.iter().filter_map(|queue| Some(queue.back()?.0));
        let newest = newest.fold(f64::MIN, f64::max);
        let at_s = self.tracks[first].front()?.0;
        let all_spoke = self.tracks.iter().all(|queue| !queue.is_empty());
        if all_spoke || newest - at_s > LONGEST_S {
            return self.take(first);
        }
        None
    }

    /// The next packet when no more come.
    pub fn rest(&mut self) -> Option<(usize, Packet)> {
        let first = self.first()?;
        self.take(first)
    }

    fn first(&self) -> Option<usize> {
        let heads = self.tracks.iter().enumerate();
        heads
            .filter_map(|(track, queue)| Some((track, queue.front()?.0)))
            .min_by(|one, other| one.1.total_cmp(&other.1))
            .map(|(track, _)| track)
    }

    fn take(&mut self, track: usize) -> Option<(usize, Packet)> {
        Some((track, self.tracks[track].pop_front()?.1))
    }
}

#[cfg(test)]
mod tests {
    use super::Braid;
    use crate::media::av::Packet;

    #[test]
    fn tracks_wait_for_one_another_but_not_for_ever() {
        let mut braid = Braid::new(2);
        let mut order = Vec::new();
        let mut push = |braid: &mut Braid, track, at_s| {
            braid.push(track, at_s, Packet::new().expect("memory"));
            while let Some((track, _)) = braid.next() {
                order.push(track);
            }
        };
        push(&mut braid, 0, 0.0);
        push(&mut braid, 0, 1.0);
        push(&mut braid, 1, 0.5);
        push(&mut braid, 1, 2.0);
        // 0 at 0.0, 1 at 0.5, 0 at 1.0; 2.0 waits for track 0, which falls silent.
        push(&mut braid, 1, 31.0);
        push(&mut braid, 1, 33.0);
        assert_eq!(order, [0, 1, 0, 1]);
        assert!(braid.rest().is_some() && braid.rest().is_some() && braid.rest().is_none());
    }
}
