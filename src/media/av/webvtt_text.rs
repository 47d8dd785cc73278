//! What libav's decoder of WebVTT does not understand of a cue's text, said so that it does: classes on italics, ruby,
//! escapes by number.
//!
//! Guarantees: text that has none of it stays as it is. Deliberately absent: colours and voices, which are for style sheets.

use std::borrow::Cow;

/// Escapes by name beyond those that every version of the decoder knows.
const NAMED: [(&str, &str); 13] = [
    ("lrm", "\u{200e}"),
    ("rlm", "\u{200f}"),
    ("quot", "\""),
    ("apos", "'"),
    ("hellip", "\u{2026}"),
    ("ndash", "\u{2013}"),
    ("mdash", "\u{2014}"),
    ("lsquo", "\u{2018}"),
    ("rsquo", "\u{2019}"),
    ("ldquo", "\u{201c}"),
    ("rdquo", "\u{201d}"),
    ("copy", "\u{a9}"),
    ("euro", "\u{20ac}"),
];
/// Letters of the longest escape that is looked for.
const MAX_ESCAPE: usize = 10;

/// The text of a cue for the decoder. Ruby stands behind what it explains, in brackets.
pub fn understood(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '&']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut is_ruby = false;
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (said, length) = if rest.starts_with('&') {
            escape(rest)
        } else {
            tag(rest, &mut is_ruby)
        };
        match said {
            Some(said) => out.push_str(&said),
            None => out.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What stands for the tag at the beginning of a text, none: itself; and its length.
fn tag(text: &str, is_ruby: &mut bool) -> (Option<String>, usize) {
    let Some(end) = text.find('>') else {
        return (None, text.len());
    };
    let name = text[1..end].split(['.', ' ', '\t', '\n']).next().unwrap_or_default();
    let said = match name {
        "i" | "b" | "u" => Some(format!("<{name}>")),
        "rt" if !*is_ruby => {
            *is_ruby = true;
            Some("(".to_owned())
        }
        // The end of a ruby text may be left out where that of the whole follows.
        "/rt" | "/ruby" | "rt" if *is_ruby => {
            *is_ruby = name == "rt";
            Some(if name == "rt" { ")(" } else { ")" }.to_owned())
        }
        _ => None,
    };
    (said, end + 1)
}

/// What stands for the escape at the beginning of a text, none: itself; and its length.
fn escape(text: &str) -> (Option<String>, usize) {
    let end = text.bytes().take(MAX_ESCAPE).position(|byte| byte == b';');
    let Some(end) = end else { return (None, 1) };
    let name = &text[1..end];
    let number = match name.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => number.parse().ok(),
        },
        None => {
            let known = NAMED.iter().find(|(known, _)| *known == name);
            return (known.map(|(_, said)| (*said).to_owned()), end + 1);
        }
    };
    let said = number.and_then(char::from_u32).map(|letter| match letter {
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '&' => "&amp;".to_owned(),
        letter if letter.is_control() => " ".to_owned(),
        letter => letter.to_string(),
    });
    (said, end + 1)
}

#[cfg(test)]
mod tests {
    use super::understood;

    #[test]
    fn classes_ruby_and_numbers_are_said_otherwise() {
        for (vtt, wanted) in [
            ("plain", "plain"),
            ("<i.loud.far>a</i> <b>c</b>", "<i>a</i> <b>c</b>"),
            ("<v.first Roger>Hi</v>", "<v.first Roger>Hi</v>"),
            (
                "<ruby>漢<rt>kan</rt>字<rt>ji</rt></ruby>.",
                "<ruby>漢(kan)字(ji)</ruby>.",
            ),
            ("<ruby>漢<rt>kan</ruby>.", "<ruby>漢(kan)."),
            (
                "caf&#233; &#x2603; &#60;i&#62; &#38;",
                "caf\u{e9} \u{2603} &lt;i&gt; &amp;",
            ),
            ("&quot;a&quot;&hellip; &amp; &lrm;b", "\"a\"\u{2026} &amp; \u{200e}b"),
            ("a & b; &nothing; &#xZZ; &#10;", "a & b; &nothing; &#xZZ;  "),
            ("a <never closed", "a <never closed"),
            ("日本語&", "日本語&"),
        ] {
            assert_eq!(understood(vtt), wanted, "{vtt}");
        }
    }
}
