//! Closed captions put into coded pictures of encoders that do not write them: as an SEI message of HEVC, as metadata of
//! AV1 (both ITU-T T.35, with what ATSC A/53 puts behind it).
//!
//! Guarantees: pure; decoders find the captions with the very picture that is shown with them; all else of the picture is
//! as it was. Left alone is a picture whose parts cannot be told apart, and one of AV1 that was coded before and is only
//! shown now: decoders keep what is said of it for the next that they decode. Deliberately absent: H.264 and MPEG-2, whose
//! encoders write captions themselves.

use crate::media::spec::VideoCodec;

/// The United States, ATSC, "GA94", captions.
const REGISTRATION: [u8; 8] = [0xb5, 0x00, 0x31, b'G', b'A', b'9', b'4', 0x03];
/// Bytes of a construct.
const CONSTRUCT_BYTES: usize = 3;
/// What one picture has room for: `cc_count` has five bits.
pub const MAX_BYTES: usize = 31 * CONSTRUCT_BYTES;
/// Constructs are said to be there.
const PROCESS_CC_DATA: u8 = 0x40;
const RESERVED: u8 = 0xff;
/// Ends the payload of a unit.
const STOP_BIT: u8 = 0x80;

/// H.265: a prefix SEI unit in layer 0, temporal layer 0.
const HEVC_PREFIX_SEI: [u8; 2] = [39 << 1, 1];
/// H.265: units below this are slices of pictures.
const HEVC_FIRST_NON_VCL: u8 = 32;
/// user_data_registered_itu_t_t35.
const SEI_T35: u8 = 4;

const OBU_FRAME_HEADER: u8 = 3;
const OBU_METADATA: u8 = 5;
const OBU_FRAME: u8 = 6;
/// First bit of the header of a frame: it is one that was coded before.
const SHOWS_EXISTING: u8 = 0x80;
const OBU_HAS_SIZE: u8 = 0b10;
const OBU_HAS_EXTENSION: u8 = 0b100;
/// metadata_type of ITU-T T.35.
const METADATA_T35: u8 = 4;

/// `picture`, one coded picture, with `constructs` of three bytes in it. None: of that codec, or so coded, it has no place
/// for them.
pub fn with_captions(codec: VideoCodec, picture: &[u8], constructs: &[u8]) -> Option<Vec<u8>> {
    let (at, unit) = match codec {
        VideoCodec::Hevc => (first_slice(picture)?, sei_unit(constructs)?),
        VideoCodec::Av1 => (last_frame(picture)?, metadata_unit(constructs)),
        _ => return None,
    };
    let mut bytes = Vec::with_capacity(picture.len() + unit.len());
    bytes.extend(&picture[..at]);
    bytes.extend(unit);
    bytes.extend(&picture[at..]);
    Some(bytes)
}

fn message(constructs: &[u8]) -> Vec<u8> {
    let count = constructs.len().min(MAX_BYTES) / CONSTRUCT_BYTES;
    let mut bytes = REGISTRATION.to_vec();
    bytes.extend([PROCESS_CC_DATA | count as u8, RESERVED]);
    bytes.extend(&constructs[..count * CONSTRUCT_BYTES]);
    bytes.push(RESERVED);
    bytes
}

/// None: it is longer than one byte can say, which 31 constructs are not.
fn sei_unit(constructs: &[u8]) -> Option<Vec<u8>> {
    let message = message(constructs);
    let mut payload = vec![
        SEI_T35,
        u8::try_from(message.len()).ok().filter(|length| *length < 255)?,
    ];
    payload.extend(message);
    payload.push(STOP_BIT);
    let mut bytes = vec![0, 0, 0, 1];
    bytes.extend(HEVC_PREFIX_SEI);
    let mut zeros = 0;
    for byte in payload {
        if zeros == 2 && byte <= 3 {
            // So that no start code comes about.
            bytes.push(3);
            zeros = 0;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        bytes.push(byte);
    }
    Some(bytes)
}

/// Where the start code of the first slice of a picture in start codes begins.
fn first_slice(picture: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at + 4 < picture.len() {
        if picture[at..].starts_with(&[0, 0, 1]) {
            let kind = (picture[at + 3] >> 1) & 0x3f;
            if kind < HEVC_FIRST_NON_VCL {
                let has_zero_byte = at > 0 && picture[at - 1] == 0;
                return Some(at - usize::from(has_zero_byte));
            }
            at += 3;
        } else {
            at += 1;
        }
    }
    None
}

fn metadata_unit(constructs: &[u8]) -> Vec<u8> {
    let mut payload = vec![METADATA_T35];
    payload.extend(message(constructs));
    payload.push(STOP_BIT);
    let mut bytes = vec![OBU_METADATA << 3 | OBU_HAS_SIZE];
    let mut length = payload.len();
    while length >= 0x80 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(payload);
    bytes
}

/// Where the last frame, or the header of one, of a temporal unit begins: the one that is shown. None as well of one that
/// was coded before.
fn last_frame(unit: &[u8]) -> Option<usize> {
    let (mut at, mut last) = (0, None);
    while at < unit.len() {
        let header = unit[at];
        let kind = (header >> 3) & 0xf;
        let mut next = at + 1 + usize::from(header & OBU_HAS_EXTENSION != 0);
        let mut length = 0_usize;
        let has_size = header & OBU_HAS_SIZE != 0;
        for step in 0..if has_size { 8 } else { 0 } {
            let byte = *unit.get(next)?;
            next += 1;
            length |= usize::from(byte & 0x7f) << (7 * step);
            if byte & 0x80 == 0 {
                break;
            }
        }
        if matches!(kind, OBU_FRAME_HEADER | OBU_FRAME) {
            last = Some(at).filter(|_| unit.get(next).is_some_and(|first| first & SHOWS_EXISTING == 0));
        }
        if !has_size {
            // It goes to the end.
            break;
        }
        at = next.checked_add(length).filter(|end| *end <= unit.len())?;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::with_captions;
    use crate::media::spec::VideoCodec;

    const TWO: [u8; 6] = [0xfc, 0x94, 0x20, 0xfd, 0, 0];

    #[test]
    fn hevc_has_them_before_its_first_slice() {
        // Parameters of a sequence, then a key picture in two slices.
        let picture = [
            &[0, 0, 0, 1, 33 << 1, 1, 9][..],
            &[0, 0, 1, 19 << 1, 1, 0xaa],
            &[0, 0, 1, 19 << 1, 1, 0x55],
        ]
        .concat();
        let made = with_captions(VideoCodec::Hevc, &picture, &TWO).expect("a place");
        let sei = [
            &[0, 0, 0, 1, 0x4e, 1, 4, 17, 0xb5, 0, 0x31][..],
            b"GA94",
            &[3, 0x42, 0xff, 0xfc, 0x94, 0x20, 0xfd, 0, 0, 0xff, 0x80],
        ]
        .concat();
        assert_eq!(made, [&picture[..7], &sei, &picture[7..]].concat());
        // Two zeros and a small number would be a start code.
        let made = with_captions(VideoCodec::Hevc, &picture, &[0xfc, 0, 0, 1, 0x80, 0x80]).expect("a place");
        assert!(made.windows(5).any(|bytes| bytes == [0xfc, 0, 0, 3, 1]), "{made:x?}");
    }

    #[test]
    fn av1_has_them_before_the_frame_that_is_shown() {
        // A temporal delimiter, a frame of two bytes, the header of one that is shown.
        let unit = [0x12, 0, 0x32, 2, 7, 7, 0x1a, 1, 0x10];
        let made = with_captions(VideoCodec::Av1, &unit, &TWO).expect("a place");
        let obu = [
            &[0x2a, 19, 4, 0xb5, 0, 0x31][..],
            b"GA94",
            &[3, 0x42, 0xff, 0xfc, 0x94, 0x20, 0xfd, 0, 0, 0xff, 0x80],
        ]
        .concat();
        assert_eq!(made, [&unit[..6], &obu, &unit[6..]].concat());
    }

    #[test]
    fn what_cannot_be_told_apart_is_left_alone() {
        for (codec, bytes) in [
            (VideoCodec::Hevc, &[1, 2, 3][..]),
            (VideoCodec::Hevc, &[0, 0, 1, 33 << 1, 1]),
            (VideoCodec::Av1, &[0x32, 0x80]),
            (VideoCodec::Av1, &[0x32, 9, 1]),
            (VideoCodec::Av1, &[]),
            // Shows what was coded before.
            (VideoCodec::Av1, &[0x12, 0, 0x32, 2, 7, 7, 0x1a, 1, 0x80]),
            (VideoCodec::Vp9, &[0, 0, 1, 2, 1]),
        ] {
            assert_eq!(with_captions(codec, bytes, &TWO), None, "{codec:?} {bytes:x?}");
        }
    }
}
