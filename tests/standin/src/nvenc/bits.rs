//! Bits of H.264 and HEVC: reading and writing them, and the units of a byte stream they come in.
//!
//! Guarantees: reading beyond the end is `None`, never a panic. Deliberately absent: what the bits mean.

/// Reads bits from the first byte's highest on.
pub struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    /// At the first bit.
    pub fn new(bytes: &'a [u8]) -> Self {
        BitReader { bytes, at: 0 }
    }

    /// Bits read so far.
    pub fn at(&self) -> usize {
        self.at
    }

    /// A number of so many bits.
    pub fn bits(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    /// One bit.
    pub fn flag(&mut self) -> Option<bool> {
        Some(self.bits(1)? == 1)
    }

    /// Exp-Golomb, unsigned.
    pub fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1_u32 << zeros) - 1 + self.bits(zeros)?)
    }

    /// Exp-Golomb, signed.
    pub fn se(&mut self) -> Option<i32> {
        let code = i64::from(self.ue()?);
        let half = (code + 1) / 2;
        i32::try_from(if code % 2 == 1 { half } else { -half }).ok()
    }

    /// Goes on at the next whole byte, and tells which that is.
    pub fn align(&mut self) -> usize {
        self.at = self.at.next_multiple_of(8);
        self.at / 8
    }
}

/// Writes bits, the first into the highest of the first byte.
#[derive(Default)]
pub struct BitWriter {
    bytes: Vec<u8>,
    at: usize,
}

impl BitWriter {
    /// A number of so many bits.
    pub fn bits(&mut self, count: u32, value: u32) {
        for bit in (0..count).rev() {
            if self.at.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.len() - 1;
            self.bytes[last] |= ((value >> bit & 1) as u8) << (7 - self.at % 8);
            self.at += 1;
        }
    }

    /// One bit.
    pub fn flag(&mut self, value: bool) {
        self.bits(1, u32::from(value));
    }

    /// Exp-Golomb, unsigned.
    pub fn ue(&mut self, value: u32) {
        let code = u64::from(value) + 1;
        let length = 63 - code.leading_zeros();
        self.bits(length, 0);
        self.bits(1, 1);
        self.bits(length, (code - (1 << length)) as u32);
    }

    /// Exp-Golomb, signed.
    pub fn se(&mut self, value: i32) {
        self.ue(if value > 0 {
            value.unsigned_abs() * 2 - 1
        } else {
            value.unsigned_abs() * 2
        });
    }

    /// Copies what a reader yields, to just before its bit `until`.
    pub fn copy(&mut self, from: &mut BitReader<'_>, until: usize) -> Option<()> {
        while from.at() < until {
            let count = (until - from.at()).min(32) as u32;
            self.bits(count, from.bits(count)?);
        }
        Some(())
    }

    /// A one and zeros up to the next whole byte, as both standards end a header or a parameter set.
    pub fn close(&mut self) {
        self.flag(true);
        while !self.at.is_multiple_of(8) {
            self.flag(false);
        }
    }

    /// Whole bytes, when what was written so far is whole bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        debug_assert!(self.at.is_multiple_of(8));
        self.bytes.extend_from_slice(bytes);
        self.at += bytes.len() * 8;
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Number of bits before the stop bit that ends a unit.
pub fn bits_before_stop(bytes: &[u8]) -> Option<usize> {
    let last = bytes.iter().rposition(|byte| *byte != 0)?;
    Some(last * 8 + 7 - bytes[last].trailing_zeros() as usize)
}

/// The units of an Annex B byte stream, without their start codes.
pub fn units(stream: &[u8]) -> Vec<&[u8]> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at + 3 <= stream.len() {
        if stream[at..at + 3] == [0, 0, 1] {
            starts.push(at);
            at += 3;
        } else {
            at += 1;
        }
    }
    let mut found = Vec::new();
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(stream.len());
        let unit = &stream[start + 3..end];
        let used = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        if used > 0 {
            found.push(&unit[..used]);
        }
    }
    found
}

/// Appends a unit with a start code of four bytes.
pub fn append_unit(stream: &mut Vec<u8>, unit: &[u8]) {
    stream.extend_from_slice(&[0, 0, 0, 1]);
    stream.extend_from_slice(unit);
}

/// A unit without the bytes that keep start codes from appearing in it.
pub fn unescape(unit: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for &byte in unit {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        plain.push(byte);
    }
    plain
}

/// The way back.
pub fn escape(plain: &[u8]) -> Vec<u8> {
    let mut unit = Vec::with_capacity(plain.len() + plain.len() / 64);
    let mut zeros = 0;
    for &byte in plain {
        if zeros >= 2 && byte <= 3 {
            unit.push(3);
            zeros = 0;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        unit.push(byte);
    }
    unit
}

/// A message of supplemental enhancement information: its type, its size, its bytes. H.264 and HEVC write it the same way.
pub fn sei_message(kind: u32, payload: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    for number in [kind as usize, payload.len()] {
        message.extend(std::iter::repeat_n(255, number / 255));
        message.push((number % 255) as u8);
    }
    message.extend_from_slice(payload);
    message
}

#[cfg(test)]
mod tests {
    use super::BitReader;
    use super::BitWriter;
    use super::escape;
    use super::unescape;
    use super::units;

    #[test]
    fn numbers_come_back() {
        let mut writer = BitWriter::default();
        writer.bits(5, 19);
        for value in [0, 1, 7, 65_535] {
            writer.ue(value);
        }
        for value in [0, 1, -1, 40, -1000] {
            writer.se(value);
        }
        writer.close();
        let bytes = writer.finish();
        let mut reader = BitReader::new(&bytes);
        assert_eq!(reader.bits(5), Some(19));
        for value in [0, 1, 7, 65_535] {
            assert_eq!(reader.ue(), Some(value));
        }
        for value in [0, 1, -1, 40, -1000] {
            assert_eq!(reader.se(), Some(value));
        }
        assert_eq!(super::bits_before_stop(&bytes), Some(reader.at()));
    }

    #[test]
    fn start_codes_never_appear_in_a_unit() {
        let plain = [9, 0, 0, 0, 0, 1, 0, 0, 3, 0, 0, 2, 5];
        let unit = escape(&plain);
        assert_eq!(unescape(&unit), plain);
        let stream = [&[0, 0, 0, 1][..], &unit, &[0, 0, 1, 7, 8][..]].concat();
        assert_eq!(units(&stream), [&unit[..], &[7, 8][..]]);
    }
}
