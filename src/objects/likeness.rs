//! When two names mean the same to people: composed and decomposed letters (NFC, NFD) count as one.
//!
//! macOS writes an `é` as two characters, others as one, and a NAS keeps what it was given. Guarantees: keys themselves
//! are never changed, two objects whose names differ only so stay two objects; only comparisons with what people wrote
//! (prefixes, patterns, names of files that belong together) go through here. Deliberately absent: capital letters.

use std::borrow::Cow;
use unicode_normalization::IsNormalized;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::is_nfc_quick;

/// A name as it is compared.
pub fn nfc(name: &str) -> Cow<'_, str> {
    if name.is_ascii() || is_nfc_quick(name.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.nfc().collect())
}

/// The forms in which a file server may keep this name, the given one first.
pub fn forms(name: &str) -> Vec<String> {
    let mut forms = vec![name.to_owned()];
    if !name.is_ascii() {
        for other in [name.nfc().collect::<String>(), name.nfd().collect()] {
            if !forms.contains(&other) {
                forms.push(other);
            }
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::forms;
    use super::nfc;

    #[test]
    fn composed_and_decomposed_names_compare_as_one() {
        assert_eq!(nfc("cafe\u{301}.mov"), "caf\u{e9}.mov");
        assert_eq!(nfc("plain.mov"), "plain.mov");
        assert_eq!(forms("a.mov"), ["a.mov"]);
        assert_eq!(forms("\u{e9}.mov"), ["\u{e9}.mov", "e\u{301}.mov"]);
        // Text of bytes that are no UTF-8 has no second form.
        assert_eq!(forms("caf%E9.mov"), ["caf%E9.mov"]);
    }
}
