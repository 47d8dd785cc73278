//! How the timecode inside coded pictures counts, as their own messages say it: of the message libav's frames keep the
//! label alone, and that of the one flag which says that a number was left out just there.
//!
//! Guarantees: pure; bytes that are none of it are passed over. Deliberately absent: the label itself. Sources: ITU-T
//! H.264 D.1.3 and D.2.3 (picture timing), E.1 (VUI); ITU-T H.265 D.2.27 and D.3.27 (time code).

/// Numbers are dropped as drop-frame timecode drops them: the two lowest of each minute but the tenth.
const DROP_FRAME: u32 = 4;
/// Payloads of messages.
const PICTURE_TIMING: usize = 1;
const TIME_CODE: usize = 136;
/// Profiles of H.264 whose parameter sets tell of chroma and scaling.
const HIGH_PROFILES: [u32; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];
/// Clock time stamps of a picture by its structure.
const TIME_STAMPS: [u32; 9] = [1, 1, 1, 2, 2, 3, 3, 2, 3];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syntax {
    H264,
    Hevc,
}

/// What a sequence of H.264 says of its picture timing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Timing {
    /// Bits of delays before the picture's structure.
    delay_bits: u32,
    has_structure: bool,
}

/// Reads how the timecode of one stream counts.
#[derive(Debug)]
pub struct Counting {
    syntax: Option<Syntax>,
    /// Bytes of the length before each unit; none: start codes.
    length_bytes: Option<usize>,
    timing: Option<Timing>,
    drops: bool,
}

impl Counting {
    /// Of a codec by libav's name, with the header its container keeps.
    pub fn new(codec_name: &str, header: &[u8]) -> Self {
        let syntax = match codec_name {
            "h264" => Some(Syntax::H264),
            "hevc" => Some(Syntax::Hevc),
            _ => None,
        };
        let mut counting = Counting {
            syntax,
            length_bytes: None,
            timing: None,
            drops: false,
        };
        match (syntax, header) {
            (Some(Syntax::H264), [1, _, _, _, lengths, sets, rest @ ..]) => {
                counting.length_bytes = Some(usize::from(lengths & 3) + 1);
                let mut rest = rest;
                for _ in 0..sets & 31 {
                    let Some((set, after)) = counted_unit(rest, 2) else {
                        break;
                    };
                    counting.unit(set);
                    rest = after;
                }
            }
            (Some(Syntax::Hevc), [first, second, third, ..]) if *first != 0 || *second != 0 || *third > 1 => {
                counting.length_bytes = header.get(21).map(|lengths| usize::from(lengths & 3) + 1);
            }
            _ => counting.look(header),
        }
        counting
    }

    /// Whether a message said that numbers are dropped as drop frame has them.
    pub fn drops(&self) -> bool {
        self.drops
    }

    /// Looks at the units of one coded picture.
    pub fn look(&mut self, picture: &[u8]) {
        if self.syntax.is_none() {
            return;
        }
        let mut rest = picture;
        match self.length_bytes {
            Some(bytes) => {
                while let Some((unit, after)) = counted_unit(rest, bytes) {
                    self.unit(unit);
                    rest = after;
                }
            }
            None => {
                while let Some(at) = rest.windows(3).position(|bytes| bytes == [0, 0, 1]) {
                    rest = &rest[at + 3..];
                    let end = rest.windows(3).position(|bytes| bytes[..2] == [0, 0] && bytes[2] <= 1);
                    self.unit(&rest[..end.unwrap_or(rest.len())]);
                }
            }
        }
    }

    fn unit(&mut self, unit: &[u8]) {
        let (kind, body) = match (self.syntax, unit) {
            (Some(Syntax::H264), [head, body @ ..]) => (head & 31, body),
            (Some(Syntax::Hevc), [head, _, body @ ..]) => (head >> 1 & 63, body),
            _ => return,
        };
        match (self.syntax, kind) {
            (Some(Syntax::H264), 7) => self.timing = timing_of(&mut Bits::new(&plain(body))).or(self.timing),
            (Some(Syntax::H264), 6) | (Some(Syntax::Hevc), 39) => self.messages(&plain(body)),
            _ => {}
        }
    }

    fn messages(&mut self, body: &[u8]) {
        let mut rest = body;
        while let Some((kind, after)) = summed(rest)
            && let Some((size, after)) = summed(after)
            && size <= after.len()
        {
            let mut bits = Bits::new(&after[..size]);
            let counting = match (self.syntax, kind) {
                (Some(Syntax::H264), PICTURE_TIMING) => self.timing.and_then(|timing| timing.counting(&mut bits)),
                (Some(Syntax::Hevc), TIME_CODE) => time_code(&mut bits),
                _ => None,
            };
            self.drops |= counting == Some(DROP_FRAME);
            rest = &after[size..];
        }
    }
}

impl Timing {
    /// How the first clock time stamp of a picture counts.
    fn counting(self, bits: &mut Bits) -> Option<u32> {
        bits.skip(self.delay_bits)?;
        if !self.has_structure {
            return None;
        }
        let structure = bits.number(4)?;
        for _ in 0..*TIME_STAMPS.get(structure as usize)? {
            if bits.number(1)? == 1 {
                bits.skip(3)?;
                return bits.number(5);
            }
        }
        None
    }
}

/// The same of HEVC, whose message stands by itself.
fn time_code(bits: &mut Bits) -> Option<u32> {
    for _ in 0..bits.number(2)? {
        if bits.number(1)? == 1 {
            bits.skip(1)?;
            return bits.number(5);
        }
    }
    None
}

/// A unit after its length of so many bytes, and what follows it.
fn counted_unit(bytes: &[u8], length_bytes: usize) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(length_bytes)?;
    let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    rest.split_at_checked(length)
}

/// A number in bytes that are added up until one is no 255, and what follows it.
fn summed(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let full = bytes.iter().take_while(|byte| **byte == 255).count();
    let last = bytes.get(full)?;
    Some((full * 255 + usize::from(*last), &bytes[full + 1..]))
}

/// The body of a unit without the bytes that keep start codes out of it.
fn plain(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(body.len());
    let mut zeros = 0;
    for byte in body {
        if *byte == 3 && zeros >= 2 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        plain.push(*byte);
    }
    plain
}

/// Of a sequence parameter set; none: it has no usability information, or is damaged.
fn timing_of(bits: &mut Bits) -> Option<Timing> {
    let profile = bits.number(8)?;
    bits.skip(16)?;
    bits.golomb()?;
    if HIGH_PROFILES.contains(&profile) {
        let chroma = bits.golomb()?;
        if chroma == 3 {
            bits.skip(1)?;
        }
        bits.golomb()?;
        bits.golomb()?;
        bits.skip(1)?;
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
            bits.skip(1)?;
            bits.golomb()?;
            bits.golomb()?;
            for _ in 0..bits.golomb()?.min(255) {
                bits.golomb()?;
            }
        }
        _ => {}
    }
    bits.golomb()?;
    bits.skip(1)?;
    bits.golomb()?;
    bits.golomb()?;
    if bits.number(1)? == 0 {
        bits.skip(1)?;
    }
    bits.skip(1)?;
    if bits.number(1)? == 1 {
        for _ in 0..4 {
            bits.golomb()?;
        }
    }
    if bits.number(1)? == 0 {
        return None;
    }
    usability(bits)
}

/// Video usability information as far as it says how picture timing is written.
fn usability(bits: &mut Bits) -> Option<Timing> {
    const EXTENDED_ASPECT: u32 = 255;
    if bits.number(1)? == 1 && bits.number(8)? == EXTENDED_ASPECT {
        bits.skip(32)?;
    }
    if bits.number(1)? == 1 {
        bits.skip(1)?;
    }
    if bits.number(1)? == 1 {
        bits.skip(4)?;
        if bits.number(1)? == 1 {
            bits.skip(24)?;
        }
    }
    if bits.number(1)? == 1 {
        bits.golomb()?;
        bits.golomb()?;
    }
    if bits.number(1)? == 1 {
        bits.skip(65)?;
    }
    let mut delay_bits = None;
    for _ in 0..2 {
        if bits.number(1)? == 1 {
            // Of two models both say the same lengths.
            delay_bits = Some(delays(bits)?);
        }
    }
    if delay_bits.is_some() {
        bits.skip(1)?;
    }
    Some(Timing {
        delay_bits: delay_bits.unwrap_or(0),
        has_structure: bits.number(1)? == 1,
    })
}

/// Bits of both delays, of the parameters of a reference decoder.
fn delays(bits: &mut Bits) -> Option<u32> {
    let models = bits.golomb()?.min(31) + 1;
    bits.skip(8)?;
    for _ in 0..models {
        bits.golomb()?;
        bits.golomb()?;
        bits.skip(1)?;
    }
    bits.skip(5)?;
    let (removal, output) = (bits.number(5)? + 1, bits.number(5)? + 1);
    bits.skip(5)?;
    Some(removal + output)
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Bits { bytes, at: 0 }
    }

    /// Up to 32 bits.
    fn number(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn skip(&mut self, count: u32) -> Option<()> {
        self.at += count as usize;
        (self.at <= self.bytes.len() * 8).then_some(())
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

#[cfg(test)]
mod tests {
    use super::Counting;

    /// A message of HEVC with one time stamp that counts in a way.
    fn time_code(counting: u8) -> Vec<u8> {
        // One time stamp, there, of a whole frame: 01 1 0, then the way.
        let bits = 0b0110_0000_0000_0000_u16 | u16::from(counting) << 7;
        let [high, low] = bits.to_be_bytes();
        vec![0x4e, 1, 136, 4, high, low | 0x40, 0, 0, 0x80]
    }

    fn framed(unit: &[u8], length_bytes: usize) -> Vec<u8> {
        let length = (unit.len() as u64).to_be_bytes();
        [&length[8 - length_bytes..], unit].concat()
    }

    #[test]
    fn the_way_of_counting_is_found_however_units_are_framed() {
        let mut header = [0; 23];
        (header[0], header[21]) = (1, 0xfd);
        for (counting, drops) in [(4, true), (0, false), (1, false), (6, false)] {
            let message = time_code(counting);
            let mut raw = Counting::new("hevc", &[]);
            raw.look(&[&[0, 0, 0, 1][..], &message, &[0, 0, 1, 0x26, 1, 9]].concat());
            assert_eq!(raw.drops(), drops, "{counting}");
            let mut boxed = Counting::new("hevc", &header);
            boxed.look(&[framed(&[0x26, 1, 9], 2), framed(&message, 2)].concat());
            assert_eq!(boxed.drops(), drops, "{counting}");
        }
    }

    #[test]
    fn what_is_damaged_says_nothing() {
        let message = time_code(4);
        for codec in ["h264", "hevc", "mpeg2video"] {
            for header in [&[][..], &[1], &[1; 7], &[1; 40], &[255; 30], &[0, 0, 1, 0x67, 255, 255]] {
                for bytes in [
                    &[][..],
                    &[0, 0, 1],
                    &[0, 0, 1, 6, 255],
                    &[0, 0, 1, 0x4e, 1, 136, 200],
                    &message,
                ] {
                    let mut counting = Counting::new(codec, header);
                    counting.look(bytes);
                    assert!(!counting.drops(), "{codec} {header:?} {bytes:?}");
                }
            }
        }
    }
}
