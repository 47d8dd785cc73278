//! What libav's decoder of WebVTT does not understand of a cue's text, said so that it does: classes on italics, the classes
//! that are colours without a style sheet, ruby, escapes by number.
//!
//! Guarantees: text that has none of it stays as it is. Deliberately absent: voices, languages and other classes, which are
//! for style sheets.

use crate::media::cue::COLORS;
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

/// Letters that are none in any text (Unicode: noncharacters): for the decoder they stand where a colour begins, by its
/// number, and where that of the style begins again.
const FIRST_COLOR: u32 = 0xfdd0;
const NO_COLOR: char = '\u{fdef}';

/// The text of a cue for the decoder, whose answer [`colored`] completes. Ruby stands behind what it explains, in brackets.
pub fn understood(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '&']) && !text.contains(is_mark) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut is_ruby = false;
    let mut open = Vec::new();
    let text = text.replace(is_mark, "");
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (said, length) = if rest.starts_with('&') {
            escape(rest)
        } else {
            let (said, length) = tag(rest, &mut is_ruby);
            let color = open.last().and_then(|(_, color)| *color);
            let is_whole = rest[..length].ends_with('>');
            let next = match is_whole {
                true => color_after(&rest[1..length - 1], &mut open),
                false => color,
            };
            if next != color {
                let said = said.as_deref().unwrap_or(&rest[..length]);
                let mark = next.and_then(|number| char::from_u32(FIRST_COLOR + number));
                (Some(format!("{said}{}", mark.unwrap_or(NO_COLOR))), length)
            } else {
                (said, length)
            }
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

/// A line of ASS that the decoder made of such a text, with its colours.
pub fn colored(line: &str) -> String {
    if !line.contains(is_mark) {
        return line.to_owned();
    }
    let mut out = String::with_capacity(line.len() + 32);
    for letter in line.chars() {
        let number = u32::from(letter).wrapping_sub(FIRST_COLOR) as usize;
        match COLORS.get(number) {
            Some((_, bgr)) => out.push_str(&format!("{{\\c&H{bgr:06X}&}}")),
            None if letter == NO_COLOR => out.push_str("{\\c}"),
            None => out.push(letter),
        }
    }
    out
}

fn is_mark(letter: char) -> bool {
    ('\u{fdd0}'..=NO_COLOR).contains(&letter)
}

/// The number of the colour that letters have after a tag; `open`: what is open, and the colour within it.
fn color_after(tag: &str, open: &mut Vec<(String, Option<u32>)>) -> Option<u32> {
    let word = tag.split([' ', '\t', '\n']).next().unwrap_or_default();
    let color = open.last().and_then(|(_, color)| *color);
    if let Some(name) = word.strip_prefix('/') {
        if let Some(at) = open.iter().rposition(|(known, _)| known == name) {
            open.truncate(at);
        }
        return open.last().and_then(|(_, color)| *color);
    }
    let mut parts = word.split('.');
    let name = parts.next().unwrap_or_default();
    if !matches!(name, "c" | "i" | "b" | "u" | "v" | "lang" | "ruby" | "rt") {
        return color;
    }
    let mut named = parts.filter_map(|class| (0..).zip(COLORS).find(|(_, (known, _))| *known == class));
    let own = named.next_back().map(|(number, _)| number).or(color);
    open.push((name.to_owned(), own));
    own
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
    use super::colored;
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
            ("a\u{fdd1}b", "ab"),
        ] {
            assert_eq!(understood(vtt), wanted, "{vtt}");
        }
    }

    #[test]
    fn classes_that_are_colours_come_through_the_decoder() {
        for (vtt, wanted) in [
            ("<c.yellow>a</c>b", "<c.yellow>{\\c&H00FFFF&}a</c>{\\c}b"),
            (
                "<c.red>a<b.loud.lime>b</b>c</c>",
                "<c.red>{\\c&H0000FF&}a<b>{\\c&H00FF00&}b</b>{\\c&H0000FF&}c</c>{\\c}",
            ),
            ("<c.bg_red.other>a</c></c></v>", "<c.bg_red.other>a</c></c></v>"),
            ("<v.cyan Esme>a", "<v.cyan Esme>{\\c&HFFFF00&}a"),
            (
                "<c.red>a<c.red>b</c></c>",
                "<c.red>{\\c&H0000FF&}a<c.red>b</c></c>{\\c}",
            ),
            ("<c.red", "<c.red"),
        ] {
            assert_eq!(colored(&understood(vtt)), wanted, "{vtt}");
        }
    }
}
