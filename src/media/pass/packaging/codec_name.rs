//! What manifests call a codec, in the terms of RFC 6381.
//!
//! Guarantees: pure; read from the coded stream's own header, never guessed from what was asked for. Deliberately absent:
//! whether a player can play it.

use crate::media::pass::packaging::fragment;

/// By the initialisation segment of a track.
pub fn of_init(init: &[u8]) -> Option<String> {
    let stsd = fragment::find(init, &[b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"])?;
    let (entry, content) = fragment::boxes(stsd.get(8..)?).next()?;
    let name = std::str::from_utf8(&entry).ok()?;
    // What precedes the boxes in a sample entry of pictures and of sound.
    let inner = |wanted: &[u8; 4]| {
        [78, 28]
            .iter()
            .find_map(|skip| fragment::find(content.get(*skip..)?, &[wanted]))
    };
    match &entry {
        b"avc1" | b"avc3" => avc(inner(b"avcC")?, name),
        b"hvc1" | b"hev1" => hevc(inner(b"hvcC")?, name),
        b"av01" => av1(inner(b"av1C")?),
        b"vp09" => vp9(inner(b"vpcC")?),
        b"mp4a" => mp4a(inner(b"esds")?),
        b"Opus" => Some("opus".to_owned()),
        b"fLaC" => Some("flac".to_owned()),
        b"ac-3" | b"ec-3" => Some(name.to_owned()),
        _ => None,
    }
}

/// By the header of an encoder (libav's name of the codec), for transport streams.
pub fn of_header(codec: &str, header: &[u8]) -> Option<String> {
    match codec {
        "h264" => avc_codec(header),
        "hevc" if header.first() == Some(&1) => hevc(header, "hvc1"),
        "hevc" => {
            let sps = nal(header, |byte| (byte >> 1) & 0x3F == 33)?;
            let plain = without_emulation(sps);
            // Two bytes of the unit, one of ids, then profile, tier and level.
            let ptl = plain.get(3..15)?;
            hevc(&[&[1], ptl].concat(), "hvc1")
        }
        "aac" => aac(header),
        "mp3" => Some("mp4a.40.34".to_owned()),
        "ac3" => Some("ac-3".to_owned()),
        "eac3" => Some("ec-3".to_owned()),
        _ => None,
    }
}

/// `avc1.640028` from an H.264 header, with start codes or as avcC.
pub fn avc_codec(header: &[u8]) -> Option<String> {
    if header.first() == Some(&1) {
        return avc(header, "avc1");
    }
    let sps = nal(header, |byte| byte & 0x1F == 7)?;
    let [profile, constraints, level] = sps.get(1..4)?.try_into().ok()?;
    Some(format!("avc1.{profile:02x}{constraints:02x}{level:02x}"))
}

/// The first unit of a kind, up to the next start code.
fn nal(header: &[u8], is_wanted: fn(u8) -> bool) -> Option<&[u8]> {
    let at = header
        .windows(4)
        .position(|four| four[..3] == [0, 0, 1] && is_wanted(four[3]))?;
    let unit = &header[at + 3..];
    let end = unit.windows(3).position(|three| three == [0, 0, 1]);
    Some(&unit[..end.unwrap_or(unit.len())])
}

fn without_emulation(unit: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for byte in unit {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        plain.push(*byte);
    }
    plain
}

fn avc(header: &[u8], name: &str) -> Option<String> {
    let [profile, constraints, level] = header.get(1..4)?.try_into().ok()?;
    Some(format!("{name}.{profile:02x}{constraints:02x}{level:02x}"))
}

/// ISO/IEC 14496-15, annex E.3: a record of version, profile, compatibility, constraints, level.
fn hevc(header: &[u8], name: &str) -> Option<String> {
    let record = header.get(1..13)?;
    let space = ["", "A", "B", "C"][usize::from(record[0] >> 6)];
    let tier = if record[0] & 0x20 == 0 { "L" } else { "H" };
    let compatibility = u32::from_be_bytes(record[1..5].try_into().ok()?).reverse_bits();
    let mut text = format!(
        "{name}.{space}{}.{compatibility:X}.{tier}{}",
        record[0] & 0x1F,
        record[11]
    );
    let constraints = &record[5..11];
    let used = constraints
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    for byte in &constraints[..used] {
        text.push_str(&format!(".{byte:X}"));
    }
    Some(text)
}

fn av1(header: &[u8]) -> Option<String> {
    let (one, two) = (*header.get(1)?, *header.get(2)?);
    let tier = if two & 0x80 == 0 { "M" } else { "H" };
    let depth = match (two & 0x40 != 0, two & 0x20 != 0) {
        (false, _) => 8,
        (true, false) => 10,
        (true, true) => 12,
    };
    Some(format!("av01.{}.{:02}{tier}.{depth:02}", one >> 5, one & 0x1F))
}

/// A full box of version and flags, then profile, level and depth.
fn vp9(header: &[u8]) -> Option<String> {
    let [profile, level, depth] = header.get(4..7)?.try_into().ok()?;
    Some(format!("vp09.{profile:02}.{level:02}.{:02}", depth >> 4))
}

/// MPEG-4 descriptors: one within the other, each with a tag and a length of up to four bytes.
fn mp4a(esds: &[u8]) -> Option<String> {
    fn open(bytes: &[u8]) -> Option<(u8, &[u8])> {
        let tag = *bytes.first()?;
        let mut length = 0_usize;
        let mut at = 1;
        loop {
            let byte = *bytes.get(at)?;
            at += 1;
            length = length << 7 | usize::from(byte & 0x7F);
            if byte & 0x80 == 0 || at > 4 {
                break;
            }
        }
        let rest = &bytes[at..];
        Some((tag, &rest[..length.min(rest.len())]))
    }
    let (3, stream) = open(esds.get(4..)?)? else {
        return None;
    };
    let (4, config) = open(stream.get(3..)?)? else {
        return None;
    };
    match config.first()? {
        0x40 => {
            let (5, specific) = open(config.get(13..)?)? else {
                return None;
            };
            aac(specific)
        }
        0x69 | 0x6B => Some("mp4a.40.34".to_owned()),
        other => Some(format!("mp4a.{other:02X}")),
    }
}

fn aac(specific: &[u8]) -> Option<String> {
    let (one, two) = (*specific.first()?, *specific.get(1)?);
    let kind = match one >> 3 {
        31 => 32 + (u32::from(one & 7) << 3 | u32::from(two >> 5)),
        kind => u32::from(kind),
    };
    Some(format!("mp4a.40.{kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_headers() {
        let annex_b = [0, 0, 0, 1, 0x67, 0x64, 0x00, 0x28, 0xAC];
        assert_eq!(avc_codec(&annex_b).as_deref(), Some("avc1.640028"));
        assert_eq!(avc_codec(&[1, 0x4D, 0x40, 0x1F, 0xFF]).as_deref(), Some("avc1.4d401f"));
        assert_eq!(avc_codec(&[]), None);
        assert_eq!(of_header("aac", &[0x11, 0x90]).as_deref(), Some("mp4a.40.2"));
        // Main, level 3.1, with an emulation byte inside the constraints.
        let sps = [
            0, 0, 1, 0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 0x5D, 0xA0,
        ];
        assert_eq!(of_header("hevc", &sps).as_deref(), Some("hvc1.1.6.L93.90"));
        assert_eq!(av1(&[0x81, 0x08, 0x4C, 0]).as_deref(), Some("av01.0.08M.10"));
        assert_eq!(vp9(&[1, 0, 0, 0, 0, 31, 0x82]).as_deref(), Some("vp09.00.31.08"));
        let esds = [
            0, 0, 0, 0, 3, 0x19, 0, 1, 0, 4, 0x11, 0x40, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 2, 0x12, 0x10,
        ];
        assert_eq!(mp4a(&esds).as_deref(), Some("mp4a.40.2"));
    }
}
