//! The parts of an upload into a bucket: how large they are, and the hash of all of them.
//!
//! Guarantees: never more parts than the protocol allows, whatever the size; hashing holds up nobody. Deliberately absent:
//! reading and sending.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::executor::PublishFile;
use md5::Digest;
use md5::Md5;
use std::ops::Range;
use tokio_util::bytes::Bytes;

/// Most parts of one upload, as the protocol has it.
const MOST_PARTS: u64 = 10_000;

/// Bytes of a part: as configured, or more where there would be too many of them.
pub fn part_bytes(size_bytes: u64, configured: u64) -> u64 {
    const MEBIBYTE: u64 = 1 << 20;
    let least = size_bytes.div_ceil(MOST_PARTS).div_ceil(MEBIBYTE) * MEBIBYTE;
    configured.max(5 * MEBIBYTE).max(least)
}

/// Where each part begins and ends.
pub fn ranges(size_bytes: u64, part_bytes: u64) -> impl Iterator<Item = Range<u64>> {
    (0..size_bytes.div_ceil(part_bytes)).map(move |at| {
        let begin = at * part_bytes;
        begin..(begin + part_bytes).min(size_bytes)
    })
}

/// Hashing takes tens of milliseconds a part: not on the threads that everything else waits on.
pub async fn hashed(mut hash: Md5, bytes: Bytes, file: &PublishFile) -> Result<Md5, Fault> {
    const SMALL: usize = 64 << 10;
    if bytes.len() <= SMALL {
        hash.update(&bytes);
        return Ok(hash);
    }
    let hashing = tokio::task::spawn_blocking(move || {
        hash.update(&bytes);
        hash
    });
    hashing.await.map_err(|error| died(file, &error))
}

/// The fault of our own task that ended by itself.
pub fn died(file: &PublishFile, error: &tokio::task::JoinError) -> Fault {
    Fault::new(
        "PublishDied",
        Blame::Bug,
        "publish",
        file.to.to_string(),
        error.to_string(),
        "This is a defect of reelmill: report it.",
    )
}

#[cfg(test)]
mod tests {
    use super::part_bytes;
    use super::ranges;

    #[test]
    fn ten_thousand_parts_are_enough_for_any_object() {
        const TIB: u64 = 1 << 40;
        for size_bytes in [1, 5 << 20, (16 << 20) + 1, 48 * (TIB / 10)] {
            let part = part_bytes(size_bytes, 16 << 20);
            let parts: Vec<_> = ranges(size_bytes, part).collect();
            assert!(parts.len() <= 10_000, "{size_bytes}: {}", parts.len());
            assert_eq!(parts.last().map(|last| last.end), Some(size_bytes));
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert!(part <= 5 << 30);
        }
        assert_eq!(part_bytes(1, 1), 5 << 20, "no server takes less");
    }
}
