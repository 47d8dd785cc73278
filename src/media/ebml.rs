//! Heads of EBML elements (RFC 8794), of which Matroska and WebM files are made: how long what follows is.
//!
//! Guarantees: pure. Deliberately absent: which elements there are, and where.

/// First element of a file.
pub const EBML: u32 = 0x1A45_DFA3;
/// The element of Matroska that holds all others.
pub const SEGMENT: u32 = 0x1853_8067;

/// A length and how many bytes it took; `None` inside for "unknown length".
pub fn length(bytes: &[u8]) -> Option<(Option<u64>, usize)> {
    let first = *bytes.first()?;
    let length = first.leading_zeros() as usize + 1;
    if length > 8 || bytes.len() < length {
        return None;
    }
    let mask = if length == 8 { 0 } else { 0xFF_u8 >> length };
    let value = bytes[1..length]
        .iter()
        .fold(u64::from(first & mask), |value, byte| value << 8 | u64::from(*byte));
    let unknown = value == (1_u64 << (7 * length)) - 1;
    Some(((!unknown).then_some(value), length))
}

/// Id and length of an element, and how many bytes they took.
pub fn head(bytes: &[u8]) -> Option<(u32, Option<u64>, usize)> {
    let wide = bytes.first()?.leading_zeros() as usize + 1;
    if wide > 4 || bytes.len() < wide {
        return None;
    }
    let (id, rest) = bytes.split_at(wide);
    let id = id.iter().fold(0_u32, |id, byte| id << 8 | u32::from(*byte));
    let (length, used) = length(rest)?;
    Some((id, length, wide + used))
}

#[cfg(test)]
mod tests {
    use super::head;
    use super::length;

    #[test]
    fn lengths_are_as_wide_as_their_first_byte_says() {
        assert_eq!(length(&[0x40, 0x02]), Some((Some(2), 2)));
        assert_eq!(length(&[0xFF]), Some((None, 1)));
        assert_eq!(length(&[0x40]), None);
        assert_eq!(head(&[0x45, 0xB9, 0x84, 0]), Some((0x45B9, Some(4), 3)));
    }
}
