//! AV1 temporal units as NVENC gives them.
//!
//! Guarantees: every unit begins with a temporal delimiter and every OBU says its size; the sequence header stands where
//! the client asked for it. Deliberately absent: frames that are not shown. A session with B-frames waits as NVENC does,
//! but its units hold one frame each, in the order in which they are shown; NVENC's may hold hidden ones before it.

const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const METADATA: u8 = 5;
const PADDING: u8 = 15;

/// The OBUs of a unit in low-overhead form: type, and all bytes with header and size.
fn split(unit: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut found = Vec::new();
    let mut rest = unit;
    while let Some(&header) = rest.first() {
        let (kind, has_extension, has_size) = (header >> 3 & 15, header & 4 != 0, header & 2 != 0);
        if !has_size {
            return None;
        }
        let start = 1 + usize::from(has_extension);
        let (size, length) = leb128(rest.get(start..)?)?;
        let end = start + length + size;
        found.push((kind, rest.get(..end)?));
        rest = &rest[end..];
    }
    Some(found)
}

fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(8).enumerate() {
        value |= usize::from(byte & 127) << (index * 7);
        if byte & 128 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

/// The sequence header of a unit, whole.
pub fn sequence_header(unit: &[u8]) -> Option<Vec<u8>> {
    let found = split(unit)?;
    let (_, bytes) = found.into_iter().find(|(kind, _)| *kind == SEQUENCE_HEADER)?;
    Some(bytes.to_vec())
}

/// A unit: delimiter, sequence header if one is given, the client's OBUs, the frames of `coded`.
pub fn unit(coded: &[u8], sequence_header: Option<&[u8]>, inserted: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut unit = vec![TEMPORAL_DELIMITER << 3 | 2, 0];
    unit.extend_from_slice(sequence_header.unwrap_or_default());
    for obu in inserted {
        unit.extend_from_slice(obu);
    }
    let before = unit.len();
    for (kind, bytes) in split(coded)? {
        if ![SEQUENCE_HEADER, TEMPORAL_DELIMITER, METADATA, PADDING].contains(&kind) {
            unit.extend_from_slice(bytes);
        }
    }
    (unit.len() > before).then_some(unit)
}

/// A metadata OBU of that type of metadata. The header leaves open of which types its payloads are; other clients of the
/// real driver give the type of metadata, not that of the OBU.
pub fn metadata(kind: u32, payload: &[u8]) -> Vec<u8> {
    // The type in one byte, the payload, and the bit that ends it.
    obu(METADATA, &[&[kind as u8 & 127], payload, &[0x80]].concat())
}

/// An OBU of a type with a payload, its size said.
fn obu(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut obu = vec![kind << 3 | 2];
    let mut size = payload.len();
    loop {
        let more = size >> 7 != 0;
        obu.push((size & 127) as u8 | if more { 128 } else { 0 });
        size >>= 7;
        if !more {
            break;
        }
    }
    obu.extend_from_slice(payload);
    obu
}

#[cfg(test)]
mod tests {
    #[test]
    fn headers_stand_where_they_are_asked_for() {
        let header = super::obu(1, &[1, 2, 3]);
        let frame = super::obu(6, &[7; 300]);
        let coded = [&[18, 0][..], &header, &frame].concat();
        assert_eq!(super::sequence_header(&coded), Some(header.clone()));
        let metadata = super::metadata(1, &[9]);
        assert_eq!(metadata, [42, 3, 1, 9, 0x80]);
        let unit = super::unit(&coded, None, std::slice::from_ref(&metadata)).expect("a unit");
        assert_eq!(unit, [&[18, 0][..], &metadata, &frame].concat());
        let unit = super::unit(&coded, Some(&header), &[]).expect("a unit");
        assert_eq!(unit, coded);
    }
}
