//! Names of codecs in manifests (RFC 6381 and what each codec adds to it).
//!
//! Guarantees: pure; taken from the stream's own header where it has one. Deliberately absent: sound.

use crate::media::spec::VideoCodec;

/// What a name is made of beside the header.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Frames a second.
    pub rate: f64,
    /// Bits of a sample.
    pub bits: u8,
}

/// Name of a stream by libav's name of its codec and its header; none where manifests have no name for it.
pub fn codec_name(codec: &str, header: &[u8], shape: Shape) -> Option<String> {
    let is = |known: VideoCodec| known.stream_name() == codec;
    if is(VideoCodec::H264) {
        avc(header)
    } else if is(VideoCodec::Hevc) {
        hevc(header)
    } else if is(VideoCodec::Av1) {
        av1(header, shape.bits)
    } else if is(VideoCodec::Vp9) {
        Some(vp9(shape))
    } else {
        None
    }
}

/// `avc1.640028`, from avcC or from a header with start codes.
fn avc(header: &[u8]) -> Option<String> {
    let name = |bytes: &[u8]| match bytes {
        [profile, constraints, level, ..] => Some(format!("avc1.{profile:02x}{constraints:02x}{level:02x}")),
        _ => None,
    };
    if header.first() == Some(&1) {
        return name(header.get(1..)?);
    }
    let sps = header
        .windows(4)
        .position(|four| four[..3] == [0, 0, 1] && four[3] & 0x1F == 7)?;
    name(header.get(sps + 4..)?)
}

/// `hvc1.2.4.L93.B0`, from hvcC or from the SPS of a header with start codes.
fn hevc(header: &[u8]) -> Option<String> {
    // general_profile_space, tier, profile; 32 compatibility flags; 6 bytes of constraints; level.
    let ptl: Vec<u8> = if header.first() == Some(&1) {
        header.get(1..13)?.to_vec()
    } else {
        let sps = header
            .windows(4)
            .position(|four| four[..3] == [0, 0, 1] && (four[3] >> 1) & 0x3F == 33)?;
        // Two bytes of NAL header, four and eight bits before profile_tier_level.
        without_emulation(header.get(sps + 5..)?).get(1..13)?.to_vec()
    };
    let space = ["", "A", "B", "C"][usize::from(ptl[0] >> 6)];
    let tier = if ptl[0] & 0x20 == 0 { 'L' } else { 'H' };
    let compatible = u32::from_be_bytes([ptl[1], ptl[2], ptl[3], ptl[4]]).reverse_bits();
    let mut name = format!("hvc1.{space}{}.{compatible:X}.{tier}{}", ptl[0] & 0x1F, ptl[11]);
    let last = ptl[5..11].iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
    for byte in &ptl[5..5 + last] {
        name.push_str(&format!(".{byte:X}"));
    }
    Some(name)
}

/// Bytes of a NAL unit without the 3 after two zeros.
fn without_emulation(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len().min(64));
    let mut zeros = 0;
    for byte in bytes.iter().take(64) {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        plain.push(*byte);
    }
    plain
}

/// `av01.0.04M.10`, from av1C or a sequence header.
fn av1(header: &[u8], bits: u8) -> Option<String> {
    let (profile, level, high_tier) = if header.first() == Some(&0x81) {
        let (one, two) = (*header.get(1)?, *header.get(2)?);
        (one >> 5, one & 0x1F, two & 0x80 != 0)
    } else {
        sequence_header(header)?
    };
    let tier = if high_tier { 'H' } else { 'M' };
    Some(format!("av01.{profile}.{level:02}{tier}.{bits:02}"))
}

/// Profile, level and tier of the first operating point of an AV1 sequence header.
fn sequence_header(obus: &[u8]) -> Option<(u8, u8, bool)> {
    let first = *obus.first()?;
    // A sequence header OBU; an extension and a size may follow its first byte.
    if (first >> 3) & 0xF != 1 {
        return None;
    }
    let mut at = 1 + usize::from(first & 4 != 0);
    if first & 2 != 0 {
        while obus.get(at)? & 0x80 != 0 {
            at += 1;
        }
        at += 1;
    }
    let mut bits = Bits {
        bytes: obus.get(at..)?,
        at: 0,
    };
    let profile = bits.take(3)? as u8;
    bits.take(1)?;
    if bits.take(1)? == 1 {
        return Some((profile, bits.take(5)? as u8, false));
    }
    if bits.take(1)? == 1 {
        // Timing: two numbers of 32 bits and maybe a length of ticks.
        bits.take(32)?;
        bits.take(32)?;
        if bits.take(1)? == 1 {
            let mut zeros = 0;
            while bits.take(1)? == 0 {
                zeros += 1;
                if zeros > 31 {
                    return None;
                }
            }
            bits.take(zeros)?;
        }
        if bits.take(1)? == 1 {
            bits.take(5)?;
            bits.take(32)?;
            bits.take(10)?;
        }
    }
    bits.take(1)?;
    bits.take(5)?;
    bits.take(12)?;
    let level = bits.take(5)? as u8;
    let high = level > 7 && bits.take(1)? == 1;
    Some((profile, level, high))
}

/// Reads numbers of some bits.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u64> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u64::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }
}

/// `vp09.00.31.08`: VP9 has no header, so the lowest level that holds the size and rate is said.
fn vp9(shape: Shape) -> String {
    /// Level, luma samples of a picture, luma samples a second.
    const LEVELS: [(u32, u64, u64); 14] = [
        (10, 36_864, 829_440),
        (11, 73_728, 2_764_800),
        (20, 122_880, 4_608_000),
        (21, 245_760, 9_216_000),
        (30, 552_960, 20_736_000),
        (31, 983_040, 36_864_000),
        (40, 2_228_224, 83_558_400),
        (41, 2_228_224, 160_432_128),
        (50, 8_912_896, 311_951_360),
        (51, 8_912_896, 588_251_136),
        (52, 8_912_896, 1_176_502_272),
        (60, 35_651_584, 1_176_502_272),
        (61, 35_651_584, 2_353_004_544),
        (62, 35_651_584, 4_706_009_088),
    ];
    let picture = u64::from(shape.width) * u64::from(shape.height);
    let second = (picture as f64 * shape.rate).ceil() as u64;
    let level = LEVELS
        .iter()
        .find(|(_, pictures, seconds)| picture <= *pictures && second <= *seconds)
        .map_or(62, |(level, _, _)| *level);
    let profile = if shape.bits > 8 { 2 } else { 0 };
    format!("vp09.{profile:02}.{level}.{:02}", shape.bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD: Shape = Shape {
        width: 1280,
        height: 720,
        rate: 30.0,
        bits: 8,
    };

    #[test]
    fn names_of_h264_come_from_the_sps() {
        let annex_b = [0, 0, 0, 1, 0x67, 0x64, 0x00, 0x28, 0xAC];
        assert_eq!(codec_name("h264", &annex_b, HD).as_deref(), Some("avc1.640028"));
        assert_eq!(avc(&[1, 0x4D, 0x40, 0x1F, 0xFF]).as_deref(), Some("avc1.4d401f"));
        assert_eq!(avc(&[]), None);
    }

    #[test]
    fn names_of_hevc_drop_the_constraints_that_are_zero() {
        // Main 10, compatible with itself alone, level 3.1, one byte of constraints.
        let hvcc = [1, 0x02, 0x20, 0, 0, 0, 0xB0, 0, 0, 0, 0, 0, 93, 0xF0];
        assert_eq!(codec_name("hevc", &hvcc, HD).as_deref(), Some("hvc1.2.4.L93.B0"));
        // An SPS with a byte against start codes inside.
        let sps = [
            0, 0, 0, 1, 0x42, 0x01, 0x01, 0x01, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 0x5D, 0xA0,
        ];
        assert_eq!(hevc(&sps).as_deref(), Some("hvc1.1.6.L93.90"));
    }

    #[test]
    fn names_of_av1_come_from_either_header() {
        assert_eq!(
            codec_name("av1", &[0x81, 0x05, 0x0C, 0], HD).as_deref(),
            Some("av01.0.05M.08")
        );
        // OBU with a size; profile 0, no timing, one operating point of level 8 in the high tier.
        let bits = "000 0 0 0 0 00000 000000000000 01000 1".replace(' ', "");
        let mut bytes = vec![0x0A, 4];
        bytes.extend(bits.as_bytes().chunks(8).map(|eight| {
            eight
                .iter()
                .enumerate()
                .fold(0, |byte, (at, bit)| byte | (bit - b'0') << (7 - at))
        }));
        assert_eq!(av1(&bytes, 10).as_deref(), Some("av01.0.08H.10"));
    }

    #[test]
    fn names_of_vp9_say_the_lowest_level_that_fits() {
        assert_eq!(vp9(HD), "vp09.00.31.08");
        let deep = Shape {
            bits: 10,
            rate: 60.0,
            ..HD
        };
        assert_eq!(vp9(deep), "vp09.02.40.10");
        assert_eq!(codec_name("prores", &[], HD), None);
    }
}
