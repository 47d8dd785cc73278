//! Text of files that do not say how it is coded: UTF-8, else what its letters are most likely of.
//!
//! Guarantees: UTF-8 stays what it is, also when it was cut off within a letter; anything becomes some text. Deliberately
//! absent: marks of byte order, which only whole files have.

use chardetng::EncodingDetector;
use chardetng::Iso2022JpDetection;
use chardetng::Utf8Detection;
use std::str;

/// Bytes that a letter of UTF-8 has at most, its last left out.
const MOST_CUT: usize = 3;

/// Text of UTF-8, else of the encoding that its letters are most likely of: GBK, Big5, Shift_JIS, EUC-KR, Windows-1251,
/// Windows-1252 ...
pub fn of(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(why) => match str::from_utf8(&bytes[..why.valid_up_to()]) {
            // Formats that give a title so many bytes cut it wherever they end.
            Ok(whole) if why.error_len().is_none() && !whole.is_ascii() && bytes.len() - whole.len() <= MOST_CUT => {
                whole.to_owned()
            }
            _ => guessed(bytes),
        },
    }
}

fn guessed(bytes: &[u8]) -> String {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn what_is_not_utf8_is_read_as_what_it_is_most_likely_of() {
        assert_eq!(of("Caf\u{e9} 日本".as_bytes()), "Caf\u{e9} 日本");
        assert_eq!(of(b"Caf\xe9 au lait"), "Caf\u{e9} au lait");
        assert_eq!(of(b"\xc4\xe3\xba\xc3\xa3\xac\xca\xc0\xbd\xe7"), "你好，世界");
        assert_eq!(of(b""), "");
    }

    #[test]
    fn a_letter_that_was_cut_is_left_out() {
        let title = "日本語の題".as_bytes();
        for cut in 1..=2 {
            assert_eq!(of(&title[..title.len() - cut]), "日本語の");
        }
        // One accent at the very end is no letter cut in two.
        assert_eq!(of(b"Caf\xe9"), "Caf\u{e9}");
    }
}
