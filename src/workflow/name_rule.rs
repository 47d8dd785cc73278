//! What a workflow, template, activity or storage may be called.
//!
//! Guarantees: names are safe in file names, URLs and logs, and may be written in any script. Deliberately absent:
//! uniqueness.

/// Whether a name has 1 to `longest` characters, each a letter of any script, a digit, `-` or `_`.
pub fn is_name(text: &str, longest: usize) -> bool {
    let length = text.chars().count();
    (1..=longest).contains(&length) && text.chars().all(is_name_character)
}

fn is_name_character(character: char) -> bool {
    character.is_alphanumeric() || character == '-' || character == '_' || is_mark(character)
}

/// Marks that letters of many scripts are written with: accents as separate characters (what macOS sends), vowel
/// signs and joiners of the Indic and South-East Asian scripts.
fn is_mark(character: char) -> bool {
    matches!(u32::from(character),
        0x0300..=0x036F | 0x0483..=0x0487 | 0x0591..=0x05C7 | 0x0610..=0x061A | 0x064B..=0x065F
        | 0x0900..=0x0DFF | 0x0E31..=0x0EBC | 0x0F71..=0x0F84 | 0x102B..=0x103E | 0x17B4..=0x17D3
        | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20F0 | 0x3099..=0x309A | 0xFE20..=0xFE2F)
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn letters_of_any_script_and_no_separators() {
        for good in [
            "a",
            "studio-ladder_2",
            "\u{5de5}\u{4f5c}\u{6d41}",
            "cafe\u{301}",
            "\u{928}\u{92e}\u{938}\u{94d}\u{924}\u{947}",
        ] {
            assert!(is_name(good, 128), "{good}");
        }
        for bad in ["", "a b", "a/b", "a.b", "a\n", "a\u{a0}b", "{x}", "\u{2028}"] {
            assert!(!is_name(bad, 128), "{bad:?}");
        }
        assert!(is_name(&"\u{5de5}".repeat(128), 128) && !is_name(&"a".repeat(129), 128));
    }
}
