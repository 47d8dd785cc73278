//! Text of ASS as text of WebVTT, and what of WebVTT stays as it is.
//!
//! Guarantees: italics, bold, underlines, line breaks, the colours that WebVTT has names for and the nine places are kept,
//! tags are closed in the right order, `&` and `<` are escaped, no line is empty. What was WebVTT keeps all its marks but
//! times within a cue, which would be those of another clock. Deliberately absent: fonts, sizes and other colours.

use crate::media::cue::COLORS;
use crate::media::cue::Cue;
use crate::media::subtitles::ass::Event;
use crate::media::subtitles::position;
use crate::media::subtitles::position::USUAL_PLACE;

/// One event as a cue; none when it has no text (a drawing, or nothing but tags).
pub fn cue_of(event: &Event) -> Option<Cue> {
    let converted = convert(event.text());
    let text = match &event.vtt {
        Some(vtt) if !converted.is_empty() => verbatim(vtt),
        _ => converted,
    };
    (!text.is_empty() && event.end_s > event.start_s).then(|| Cue {
        start_s: event.start_s,
        end_s: event.end_s,
        text,
        settings: match position::kept(&event.settings) {
            settings if !settings.is_empty() => settings,
            _ => settings_of(place_of(event.text())),
        },
    })
}

/// Where the overrides of an event put it, as on a keypad.
pub fn place_of(ass: &str) -> u8 {
    overrides(ass).find_map(alignment).unwrap_or(USUAL_PLACE)
}

/// Whether overrides put an event anywhere.
pub fn has_place(ass: &str) -> bool {
    overrides(ass).any(|tag| alignment(tag).is_some())
}

/// Whether an event has fonts, sizes or colours of its own that WebVTT has no name for.
pub fn has_own_letters(ass: &str) -> bool {
    overrides(ass).any(|tag| match color(tag) {
        Some(Some(bgr)) => class_of(bgr).is_none(),
        Some(None) => false,
        None => {
            let letters = ["fn", "fs", "2c", "3c", "4c", "alpha", "1a", "2a", "3a", "4a"];
            let has_value = |name: &str| tag.strip_prefix(name).is_some_and(|value| !value.is_empty());
            letters.into_iter().any(has_value)
        }
    })
}

/// What stands between `<` and `>` in the text of a cue of WebVTT, beginnings only.
pub fn tags(vtt: &str) -> impl Iterator<Item = &str> {
    let tags = vtt.split('<').skip(1).filter_map(|rest| Some(rest.split_once('>')?.0));
    tags.filter(|tag| !tag.starts_with('/'))
}

/// Text of WebVTT without times within it.
fn verbatim(vtt: &str) -> String {
    let mut text = String::with_capacity(vtt.len());
    let mut rest = vtt;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let is_time = rest[1..].starts_with(|letter: char| letter.is_ascii_digit());
        match rest.find('>').filter(|_| is_time) {
            Some(end) => rest = &rest[end + 1..],
            None => {
                text.push('<');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// The tags of ASS in a text, each without its backslash.
fn overrides(ass: &str) -> impl Iterator<Item = &str> {
    let blocks = ass.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
    blocks.flat_map(|block| block.split('\\').skip(1)).map(str::trim)
}

/// The place a tag speaks of, as on a keypad.
fn alignment(tag: &str) -> Option<u8> {
    let number = |prefix: &str| tag.strip_prefix(prefix).and_then(|rest| rest.parse::<u8>().ok());
    match (number("an"), number("a")) {
        (Some(place @ 1..=9), _) => Some(place),
        (None, Some(old)) => of_old(old),
        _ => None,
    }
}

/// The place that SSA counts otherwise: 1 to 3 below, with 4 more above, with 8 more in the middle.
pub fn of_old(old: u8) -> Option<u8> {
    let row = match old >> 2 {
        0 => 0,
        1 => 6,
        2 => 3,
        _ => return None,
    };
    (old & 3 > 0).then_some((old & 3) + row)
}

/// The colour of letters that a tag sets, blue, green, red; none within: that of the style.
fn color(tag: &str) -> Option<Option<u32>> {
    let value = tag.strip_prefix("1c").or_else(|| tag.strip_prefix('c'))?;
    if value.is_empty() {
        return Some(None);
    }
    let digits = value.strip_prefix("&H")?.trim_end_matches('&');
    u32::from_str_radix(digits, 16).ok().map(|bgr| Some(bgr & 0xff_ffff))
}

/// What WebVTT calls a colour.
fn class_of(bgr: u32) -> Option<&'static str> {
    COLORS.iter().find(|(_, known)| *known == bgr).map(|(name, _)| *name)
}

/// A place as WebVTT says it.
fn settings_of(place: u8) -> String {
    let line = match (place - 1) / 3 {
        0 => None,
        1 => Some("line:50%,center"),
        _ => Some("line:0"),
    };
    let align = match (place - 1) % 3 {
        0 => Some("align:start"),
        1 => None,
        _ => Some("align:end"),
    };
    line.into_iter().chain(align).collect::<Vec<_>>().join(" ")
}

/// What stands around text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Letter(char),
    Color(&'static str),
}

fn convert(ass: &str) -> String {
    let mut out = Writer::default();
    let mut drawing = false;
    let mut rest = ass;
    while let Some(letter) = rest.chars().next() {
        if letter == '{'
            && let Some(end) = rest.find('}')
        {
            for tag in rest[1..end].split('\\').skip(1) {
                match tag.trim() {
                    "i1" => out.want(Tag::Letter('i'), true),
                    "i0" | "i" => out.want(Tag::Letter('i'), false),
                    "u1" => out.want(Tag::Letter('u'), true),
                    "u0" | "u" => out.want(Tag::Letter('u'), false),
                    "b0" | "b" => out.want(Tag::Letter('b'), false),
                    tag if tag.starts_with('r') => out.want_nothing(),
                    tag => {
                        let number = |prefix: &str| tag.strip_prefix(prefix).and_then(|rest| rest.parse::<u32>().ok());
                        if number("b").is_some_and(|weight| weight == 1 || weight >= 600) {
                            out.want(Tag::Letter('b'), true);
                        } else if let Some(scale) = number("p") {
                            drawing = scale > 0;
                        } else if let Some(color) = color(tag) {
                            // White is what letters are.
                            let class = color.and_then(class_of).filter(|class| *class != "white");
                            out.want_color(class);
                        }
                    }
                }
            }
            rest = &rest[end + 1..];
            continue;
        }
        let (piece, length) = match letter {
            '\\' if rest.starts_with("\\N") || rest.starts_with("\\n") => ("\n", 2),
            '\\' if rest.starts_with("\\h") => ("\u{a0}", 2),
            _ => (&rest[..letter.len_utf8()], letter.len_utf8()),
        };
        if !drawing {
            out.put(piece);
        }
        rest = &rest[length..];
    }
    out.finish()
}

#[derive(Default)]
struct Writer {
    text: String,
    open: Vec<Tag>,
    wanted: Vec<Tag>,
}

impl Writer {
    fn want(&mut self, tag: Tag, on: bool) {
        self.wanted.retain(|wanted| *wanted != tag);
        if on {
            self.wanted.push(tag);
        }
    }

    fn want_color(&mut self, class: Option<&'static str>) {
        self.wanted.retain(|wanted| !matches!(wanted, Tag::Color(_)));
        self.wanted.extend(class.map(Tag::Color));
    }

    fn want_nothing(&mut self) {
        self.wanted.clear();
    }

    /// Tags change only in front of text, so that none stands around nothing.
    fn put(&mut self, piece: &str) {
        if piece != "\n" && piece != "\r" {
            let keep = self
                .open
                .iter()
                .zip(self.open.iter().map(|tag| self.wanted.contains(tag)))
                .take_while(|(_, wanted)| *wanted)
                .count();
            self.close(keep);
            for tag in self.wanted.clone() {
                if !self.open.contains(&tag) {
                    self.text.push_str(&match tag {
                        Tag::Letter(letter) => format!("<{letter}>"),
                        Tag::Color(class) => format!("<c.{class}>"),
                    });
                    self.open.push(tag);
                }
            }
        }
        match piece {
            "&" => self.text.push_str("&amp;"),
            "<" => self.text.push_str("&lt;"),
            ">" => self.text.push_str("&gt;"),
            "\r" => {}
            piece => self.text.push_str(piece),
        }
    }

    fn close(&mut self, keep: usize) {
        while self.open.len() > keep {
            if let Some(tag) = self.open.pop() {
                let letter = match tag {
                    Tag::Letter(letter) => letter,
                    Tag::Color(_) => 'c',
                };
                self.text.push_str(&format!("</{letter}>"));
            }
        }
    }

    fn finish(mut self) -> String {
        self.close(0);
        let lines = self.text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::convert;
    use super::place_of;
    use super::settings_of;
    use super::verbatim;

    #[test]
    fn markup_becomes_tags() {
        for (ass, vtt) in [
            ("Hello", "Hello"),
            ("{\\i1}Hel{\\i0}lo", "<i>Hel</i>lo"),
            ("{\\b1}{\\i1}a{\\b0}b", "<b><i>a</i></b><i>b</i>"),
            ("{\\b700}a{\\b100}b", "<b>a</b><b>b</b>"),
            ("one\\Ntwo\\n\\Nthree", "one\ntwo\nthree"),
            ("a < b & c > d --> e", "a &lt; b &amp; c &gt; d --&gt; e"),
            ("{\\fnArial\\fs20\\c&H00ff01&}plain", "plain"),
            ("{\\c&H0000FF&}a{\\i1}b{\\c}c", "<c.red>a<i>b</i></c><i>c</i>"),
            (
                "{\\1c&H00FFFF&}a{\\c&HFF00&}b{\\c&HFFFFFF&}c",
                "<c.yellow>a</c><c.lime>b</c>c",
            ),
            ("{\\i1}a{\\r}b", "<i>a</i>b"),
            ("{\\i1}{\\i0}", ""),
            ("{\\p1}m 0 0 l 10 10{\\p0}x", "x"),
            ("a {unclosed", "a {unclosed"),
            ("日本語\\h字幕", "日本語\u{a0}字幕"),
        ] {
            let text = convert(ass);
            // Weights under 600 leave what was on.
            let wanted = if ass.contains("b700") { "<b>ab</b>" } else { vtt };
            assert_eq!(text, wanted, "{ass}");
        }
    }

    #[test]
    fn the_nine_places_are_kept() {
        for (ass, vtt) in [
            ("x", ""),
            ("{\\an2}x", ""),
            ("{\\an8}x", "line:0"),
            ("{\\a6}x", "line:0"),
            ("{\\an1}x", "align:start"),
            ("{\\a3}x", "align:end"),
            ("{\\an5}x", "line:50%,center"),
            ("{\\a9}x", "line:50%,center align:start"),
            ("{\\i1\\an9}x", "line:0 align:end"),
            ("{\\an0}{\\a4}{\\a99}x", ""),
        ] {
            assert_eq!(settings_of(place_of(ass)), vtt, "{ass}");
        }
    }

    #[test]
    fn webvtt_keeps_its_marks_but_times() {
        for (vtt, wanted) in [
            (
                "<v Esme>late &amp; <c.bg_red>red</c></v>",
                "<v Esme>late &amp; <c.bg_red>red</c></v>",
            ),
            ("a <00:01.000>b<00:00:02.000>\n\n c ", "a b\nc"),
            ("1 < 2 <b>x", "1 < 2 <b>x"),
            ("a <1", "a <1"),
        ] {
            assert_eq!(verbatim(vtt), wanted, "{vtt}");
        }
    }
}
