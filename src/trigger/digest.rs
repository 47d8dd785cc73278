//! Digests of all the algorithms that checksum files name, computed piece by piece.
//!
//! Guarantees: the same answer however the bytes are cut. Deliberately absent: reading.

use crate::trigger::checksum::Algorithm;
use md5::Digest as _;

const PRIMES: [u64; 5] = [
    0x9E37_79B1_85EB_CA87,
    0xC2B2_AE3D_27D4_EB4F,
    0x1656_67B1_9E37_79F9,
    0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5,
];

/// A digest under way.
pub enum Running {
    /// 128 bits.
    Md5(md5::Md5),
    /// 160 bits.
    Sha1(sha1::Sha1),
    /// 256 bits.
    Sha256(sha2::Sha256),
    /// 64 bits.
    Xxh64(Box<Xxh64>),
}

impl Running {
    /// Of nothing yet.
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Running::Md5(md5::Md5::new()),
            Algorithm::Sha1 => Running::Sha1(sha1::Sha1::new()),
            Algorithm::Sha256 => Running::Sha256(sha2::Sha256::new()),
            Algorithm::Xxh64 => Running::Xxh64(Box::new(Xxh64::new())),
        }
    }

    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Running::Md5(digest) => digest.update(bytes),
            Running::Sha1(digest) => digest.update(bytes),
            Running::Sha256(digest) => digest.update(bytes),
            Running::Xxh64(digest) => digest.update(bytes),
        }
    }

    /// The digest, lower-case hex.
    pub fn hex(self) -> String {
        match self {
            Running::Md5(digest) => hex::encode(digest.finalize()),
            Running::Sha1(digest) => hex::encode(digest.finalize()),
            Running::Sha256(digest) => hex::encode(digest.finalize()),
            Running::Xxh64(digest) => format!("{:016x}", digest.finish()),
        }
    }
}

/// XXH64 with seed 0, after its specification (xxHash 0.8, doc/xxhash_spec.md).
pub struct Xxh64 {
    lanes: [u64; 4],
    held: [u8; 32],
    held_bytes: usize,
    total_bytes: u64,
}

impl Xxh64 {
    fn new() -> Self {
        Xxh64 {
            lanes: [
                PRIMES[0].wrapping_add(PRIMES[1]),
                PRIMES[1],
                0,
                0_u64.wrapping_sub(PRIMES[0]),
            ],
            held: [0; 32],
            held_bytes: 0,
            total_bytes: 0,
        }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        self.total_bytes += bytes.len() as u64;
        if self.held_bytes > 0 {
            let take = bytes.len().min(32 - self.held_bytes);
            self.held[self.held_bytes..self.held_bytes + take].copy_from_slice(&bytes[..take]);
            self.held_bytes += take;
            bytes = &bytes[take..];
            if self.held_bytes < 32 {
                return;
            }
            let held = self.held;
            self.stripe(&held);
            self.held_bytes = 0;
        }
        let mut stripes = bytes.chunks_exact(32);
        for stripe in &mut stripes {
            self.stripe(stripe);
        }
        let rest = stripes.remainder();
        self.held[..rest.len()].copy_from_slice(rest);
        self.held_bytes = rest.len();
    }

    fn stripe(&mut self, bytes: &[u8]) {
        for (lane, input) in self.lanes.iter_mut().zip(bytes.chunks_exact(8)) {
            *lane = round(*lane, word(input));
        }
    }

    fn finish(&self) -> u64 {
        let mut hash = if self.total_bytes >= 32 {
            let [a, b, c, d] = self.lanes;
            let mixed = a
                .rotate_left(1)
                .wrapping_add(b.rotate_left(7))
                .wrapping_add(c.rotate_left(12))
                .wrapping_add(d.rotate_left(18));
            self.lanes.iter().fold(mixed, |hash, lane| {
                (hash ^ round(0, *lane)).wrapping_mul(PRIMES[0]).wrapping_add(PRIMES[3])
            })
        } else {
            PRIMES[4]
        };
        hash = hash.wrapping_add(self.total_bytes);
        let mut words = self.held[..self.held_bytes].chunks_exact(8);
        for input in &mut words {
            hash ^= round(0, word(input));
            hash = hash.rotate_left(27).wrapping_mul(PRIMES[0]).wrapping_add(PRIMES[3]);
        }
        let mut rest = words.remainder();
        if let Some((four, after)) = rest.split_at_checked(4) {
            let input = four
                .iter()
                .rev()
                .fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
            hash ^= input.wrapping_mul(PRIMES[0]);
            hash = hash.rotate_left(23).wrapping_mul(PRIMES[1]).wrapping_add(PRIMES[2]);
            rest = after;
        }
        for byte in rest {
            hash ^= u64::from(*byte).wrapping_mul(PRIMES[4]);
            hash = hash.rotate_left(11).wrapping_mul(PRIMES[0]);
        }
        hash ^= hash >> 33;
        hash = hash.wrapping_mul(PRIMES[1]);
        hash ^= hash >> 29;
        hash = hash.wrapping_mul(PRIMES[2]);
        hash ^ (hash >> 32)
    }
}

fn round(lane: u64, input: u64) -> u64 {
    lane.wrapping_add(input.wrapping_mul(PRIMES[1]))
        .rotate_left(31)
        .wrapping_mul(PRIMES[0])
}

fn word(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::Running;
    use crate::trigger::checksum::Algorithm;

    fn of(algorithm: Algorithm, bytes: &[u8], piece: usize) -> String {
        let mut running = Running::new(algorithm);
        bytes.chunks(piece).for_each(|piece| running.update(piece));
        running.hex()
    }

    #[test]
    fn digests_are_those_of_the_published_vectors_however_the_bytes_are_cut() {
        let spam = b"Nobody inspects the spammish repetition";
        for (algorithm, bytes, wanted) in [
            (Algorithm::Md5, &b"abc"[..], "900150983cd24fb0d6963f7d28e17f72"),
            (Algorithm::Sha1, b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                Algorithm::Sha256,
                b"abc",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (Algorithm::Xxh64, b"", "ef46db3751d8e999"),
            (Algorithm::Xxh64, b"a", "d24ec4f1a98c6e5b"),
            (Algorithm::Xxh64, b"abc", "44bc2cf5ad770999"),
            (Algorithm::Xxh64, spam, "fbcea83c8a378bf1"),
        ] {
            for piece in [1, 3, 7, 31, 32, 33, 1000] {
                assert_eq!(of(algorithm, bytes, piece), wanted, "{algorithm:?} by {piece}");
            }
        }
    }
}
