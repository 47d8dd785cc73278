//! Time in containers that count what they read (AVI): where something of it cannot be found, all that follows would come
//! too early, pictures by other times than sound. Their index says which of all each piece is.
//!
//! Guarantees: after pieces that the index names and nobody found, times go on as if they had been there; without an index,
//! times are the demuxer's. Deliberately absent: the pieces that are lost.

use crate::media::av::packet::Packet;
use crate::media::av::stream::IndexEntry;

/// What stands before each piece: its name and size.
const HEADER_BYTES: u64 = 8;

/// Of each stream of a file.
#[derive(Debug, Default)]
pub(super) struct Counted {
    streams: Vec<Count>,
}

#[derive(Debug, Default)]
struct Count {
    /// The latest packet that its index knows: its entry, and the time that the demuxer gave it.
    at: Option<(usize, i64)>,
    /// By how much what is read now has to be moved.
    shift: i64,
    /// Something of it was not found.
    has_lost: bool,
}

/// A packet as the demuxer gave it.
#[derive(Debug, Clone, Copy)]
struct Read {
    position: u64,
    size_bytes: usize,
    dts: i64,
    duration: i64,
}

impl Counted {
    /// Somebody went somewhere, and the demuxer began to count there.
    pub(super) fn forget(&mut self) {
        for count in &mut self.streams {
            (count.at, count.shift) = (None, 0);
        }
    }

    /// In how many streams something was not found.
    pub(super) fn lost(&self) -> u64 {
        self.streams.iter().filter(|count| count.has_lost).count() as u64
    }

    /// Sets the times of a packet right. `entry`: of its stream's index, by number, in the order of the file.
    pub(super) fn place(&mut self, packet: &mut Packet, entry: impl Fn(usize) -> Option<IndexEntry>) {
        let stream = packet.stream_index();
        if self.streams.len() <= stream {
            self.streams.resize_with(stream + 1, Count::default);
        }
        let count = &mut self.streams[stream];
        let Some((position, dts)) = packet.position().zip(packet.dts()) else {
            return;
        };
        let read = Read {
            position,
            size_bytes: packet.size_bytes(),
            dts,
            duration: packet.duration(),
        };
        count.look(read, entry);
        if count.shift != 0 {
            let moved = |at: i64| at + count.shift;
            packet.set_times(packet.pts().map(moved), packet.dts().map(moved), packet.duration());
        }
    }
}

impl Count {
    fn look(&mut self, read: Read, entry: impl Fn(usize) -> Option<IndexEntry>) {
        let begins = |entry: &IndexEntry| entry.position + HEADER_BYTES;
        let mut number = self.at.map_or(0, |(at, _)| at + 1);
        // What is longer than one packet has its place in the index only once.
        while let Some(found) = entry(number).filter(|found| begins(found) <= read.position) {
            if begins(&found) < read.position {
                number += 1;
                continue;
            }
            if let Some((at, dts)) = self.at.filter(|(at, _)| number > at + 1)
                && let Some(known) = entry(at)
            {
                // Of sound whose bytes all last alike the index counts bytes.
                let next = entry(at + 1).map(|next| next.time - known.time);
                let counts_bytes = next == Some(i64::from(known.size_bytes)) && known.size_bytes > 1;
                let passed = match counts_bytes && read.size_bytes > 0 {
                    true => (found.time - known.time) * read.duration / read.size_bytes as i64,
                    false => found.time - known.time,
                };
                let lost = passed - (read.dts - dts);
                // What a parser puts together has one place for two and time for both.
                if lost * 2 > passed {
                    self.shift += lost;
                    self.has_lost = true;
                }
            }
            self.at = Some((number, read.dts));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Count;
    use super::Read;
    use crate::media::av::stream::IndexEntry;

    /// What the count moves packets by, each told by its number in a file of a hundred, with the demuxer's times, where
    /// an entry of the index counts for so many.
    fn shifts(packets: &[(u64, i64)], entry_time: i64) -> Vec<i64> {
        let mut count = Count::default();
        let entry = |number: usize| {
            (number < 100).then(|| IndexEntry {
                time: number as i64 * entry_time,
                position: 1000 + number as u64 * 50,
                size_bytes: 42,
                is_key: true,
            })
        };
        let shift = |(number, dts): &(u64, i64)| {
            let read = Read {
                position: 1008 + number * 50,
                size_bytes: 42,
                dts: *dts,
                duration: 1,
            };
            count.look(read, entry);
            count.shift
        };
        packets.iter().map(shift).collect()
    }

    #[test]
    fn what_follows_a_hole_keeps_its_time() {
        let lost = [(0, 0), (1, 1), (2, 2), (12, 3), (13, 4), (30, 21)];
        assert_eq!(
            shifts(&lost, 1),
            [0, 0, 0, 9, 9, 9],
            "nine were lost, and then as many were read as there are"
        );
        assert_eq!(shifts(&lost, 42), [0, 0, 0, 9, 9, 9], "an index of bytes");
        assert_eq!(
            shifts(&[(0, 5), (1, 6), (2, 7)], 1),
            [0, 0, 0],
            "a stream that begins late"
        );
        assert_eq!(
            shifts(&[(0, 0), (2, 2), (4, 4)], 1),
            [0, 0, 0],
            "fields of which two are a picture"
        );
    }
}
