//! Two bits of H.264's sequence parameter sets that libav's parser keeps to itself.

/// How a sequence may code fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields {
    /// Only whole frames, without fields.
    pub frames_only: bool,
    /// Macroblocks choose.
    pub adaptive: bool,
}

/// Of the first parameter set in these bytes; none when there is none.
pub fn fields_of(annex_b: &[u8]) -> Option<Fields> {
    let start = annex_b
        .windows(4)
        .position(|bytes| bytes[..3] == [0, 0, 1] && bytes[3] & 0x1F == 7)?;
    let set = &annex_b[start + 4..];
    let end = set.windows(3).position(|bytes| bytes[..2] == [0, 0] && bytes[2] <= 1);
    let bytes = without_emulation(&set[..end.unwrap_or(set.len())]);
    let mut bits = Bits { bytes: &bytes, at: 0 };
    let profile = bits.number(8)?;
    bits.number(16)?;
    bits.golomb()?;
    if [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135].contains(&profile) {
        let chroma = bits.golomb()?;
        if chroma == 3 {
            bits.number(1)?;
        }
        bits.golomb()?;
        bits.golomb()?;
        bits.number(1)?;
        if bits.number(1)? == 1 {
            for list in 0..if chroma == 3 { 12 } else { 8 } {
                if bits.number(1)? == 1 {
                    bits.skip_scaling(if list < 6 { 16 } else { 64 })?;
                }
            }
        }
    }
    bits.golomb()?;
    match bits.golomb()? {
        0 => {
            bits.golomb()?;
        }
        1 => {
            bits.number(1)?;
            bits.golomb()?;
            bits.golomb()?;
            for _ in 0..bits.golomb()?.min(255) {
                bits.golomb()?;
            }
        }
        _ => {}
    }
    bits.golomb()?;
    bits.number(1)?;
    bits.golomb()?;
    bits.golomb()?;
    let frames_only = bits.number(1)? == 1;
    let adaptive = !frames_only && bits.number(1)? == 1;
    Some(Fields { frames_only, adaptive })
}

fn without_emulation(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut zeros = 0;
    for byte in bytes {
        if *byte == 3 && zeros >= 2 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        plain.push(*byte);
    }
    plain
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn number(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.number(1)? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let rest = self.number(zeros)?;
        Some(((1_u64 << zeros) as u32).wrapping_sub(1).wrapping_add(rest))
    }

    fn skip_scaling(&mut self, size: usize) -> Option<()> {
        let (mut last, mut next) = (8_i32, 8_i32);
        for _ in 0..size {
            if next != 0 {
                let coded = self.golomb()? as i32;
                let delta = if coded % 2 == 0 { -(coded / 2) } else { coded / 2 + 1 };
                next = (last + delta).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
        Some(())
    }
}
