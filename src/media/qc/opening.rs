//! Whether a stream of pictures begins where decoding can begin.
//!
//! Guarantees: reads no further than the first coded picture of one packet. Deliberately absent: parsing beyond the
//! type of a unit.

use crate::media::av::Packet;

/// How a stream of pictures begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// With a picture that refers to none before it: IDR in H.264, IDR or BLA in HEVC, a key frame elsewhere.
    Clean,
    /// With a key frame that pictures before it may follow: a recovery point, an open group.
    Open,
    /// With something else.
    Broken,
}

impl Opening {
    /// Of the first packet of a stream.
    pub fn of(packet: &Packet, codec: &str) -> Self {
        Self::of_bytes(packet.data(), packet.is_key(), codec)
    }

    fn of_bytes(data: &[u8], is_key: bool, codec: &str) -> Self {
        let idr = match codec {
            "h264" => first_picture(data, |head| match head & 0x1f {
                5 => Some(true),
                1..=4 => Some(false),
                _ => None,
            }),
            "hevc" => first_picture(data, |head| match (head >> 1) & 0x3f {
                16..=20 => Some(true),
                0..=31 => Some(false),
                _ => None,
            }),
            _ => None,
        };
        match (idr, is_key) {
            (Some(true), _) | (None, true) => Opening::Clean,
            (Some(false), true) => Opening::Open,
            (_, false) => Opening::Broken,
        }
    }
}

/// What `of` says of the first unit that is a coded picture, by its first byte.
fn first_picture(data: &[u8], of: impl Fn(u8) -> Option<bool>) -> Option<bool> {
    if data.starts_with(&[0, 0, 1]) || data.starts_with(&[0, 0, 0, 1]) {
        let mut at = 0;
        while let Some(found) = data[at..].windows(3).position(|three| three == [0, 0, 1]) {
            at += found + 3;
            if let Some(answer) = data.get(at).and_then(|head| of(*head)) {
                return Some(answer);
            }
        }
        return None;
    }
    let mut rest = data;
    while rest.len() > 4 {
        let length = u32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]) as usize;
        if let Some(answer) = of(rest[4]) {
            return Some(answer);
        }
        rest = rest.get(4 + length..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Opening;

    #[test]
    fn an_idr_is_told_from_a_recovery_point() {
        let with_lengths = [0, 0, 0, 2, 0x06, 0, 0, 0, 0, 2, 0x65, 0];
        assert_eq!(Opening::of_bytes(&with_lengths, true, "h264"), Opening::Clean);
        let start_codes = [0, 0, 0, 1, 0x09, 0xf0, 0, 0, 1, 0x41, 0x9a];
        assert_eq!(Opening::of_bytes(&start_codes, true, "h264"), Opening::Open);
        assert_eq!(Opening::of_bytes(&start_codes, false, "h264"), Opening::Broken);
        assert_eq!(
            Opening::of_bytes(&[0, 0, 1, 21 << 1, 1], true, "hevc"),
            Opening::Open,
            "CRA"
        );
        assert_eq!(Opening::of_bytes(&[], true, "prores"), Opening::Clean);
    }
}
