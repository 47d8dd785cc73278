//! WebVTT of subtitles: a whole file, and the block of one cue for the segments that packaging cuts.
//!
//! Guarantees: cues in the order of their beginning; whatever a cue's text holds, its block ends where it should.
//! Deliberately absent: the segments themselves.

use crate::media::cue::Cue;
use crate::media::webvtt::clock;
use crate::media::webvtt::unclock;

/// The file.
pub fn file_of(cues: &[Cue]) -> String {
    let mut order: Vec<&Cue> = cues.iter().collect();
    order.sort_by(|one, other| one.start_s.total_cmp(&other.start_s));
    let mut text = String::from("WEBVTT\n");
    order.into_iter().for_each(|cue| text.push_str(&block(cue)));
    text
}

/// A file with its head and its cues alone. Some versions of libav end their reading at the first block that is none: a
/// style, a region, a note of a later version, or a cue whose times are damaged.
pub fn cues_alone(file: &str) -> String {
    let lines = file.replace("\r\n", "\n").replace('\r', "\n");
    let is_cue = |block: &&str| {
        let timing = block.lines().take(2).find_map(|line| line.split_once("-->"));
        timing.is_some_and(|(start, end)| {
            let end = end.split_whitespace().next().unwrap_or_default();
            unclock(start).is_some() && unclock(end).is_some()
        })
    };
    let mut blocks = lines.split("\n\n").map(|block| block.trim_matches('\n'));
    let head = blocks.next().unwrap_or_default().lines().next().unwrap_or_default();
    let cues = blocks.filter(is_cue);
    std::iter::once(head).chain(cues).collect::<Vec<_>>().join("\n\n") + "\n"
}

/// Whether a file, or the head of one, has a style sheet.
pub fn has_style_sheet(file: &str) -> bool {
    let mut before = "";
    file.lines().any(|line| {
        let begins = before.trim().is_empty() && line.trim_end() == "STYLE";
        before = line;
        begins
    })
}

/// A cue with the empty line before it. An empty line or an arrow within its text would end it early.
pub fn block(cue: &Cue) -> String {
    let lines: Vec<String> = cue
        .text
        .lines()
        .map(|line| line.trim_end().replace("-->", "--&gt;"))
        .filter(|line| !line.is_empty())
        .collect();
    let settings = cue.settings.replace(['\n', '\r'], " ");
    let settings = settings.trim();
    let space = if settings.is_empty() { "" } else { " " };
    let at = |seconds: f64| clock((seconds.max(0.0) * 1000.0).round() as u64);
    format!(
        "\n{} --> {}{space}{settings}\n{}\n",
        at(cue.start_s),
        at(cue.end_s),
        lines.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::cues_alone;
    use super::file_of;
    use super::has_style_sheet;
    use crate::media::cue::Cue;

    #[test]
    fn what_is_no_cue_is_left_out_of_a_file() {
        let file = "WEBVTT - x\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:a\n\n1\r\n00:01.000 --> 00:02.000 \
            line:0\r\none\r\n\n\n\nNOTE a --> b\nx\n\n00:aa.000 --> 00:02.000\nbad\n\n00:03.000 --> 01:00:04.000\ntwo\nlines";
        assert_eq!(
            cues_alone(file),
            "WEBVTT - x\n\n1\n00:01.000 --> 00:02.000 line:0\none\n\n00:03.000 --> 01:00:04.000\ntwo\nlines\n"
        );
    }

    #[test]
    fn a_style_sheet_is_a_block() {
        assert!(has_style_sheet("WEBVTT\r\n\r\nSTYLE\r\n::cue { color: red }\r\n"));
        assert!(has_style_sheet("STYLE\n::cue {}\n"));
        assert!(!has_style_sheet("WEBVTT\n\n00:00.000 --> 00:01.000\nSTYLE\n"));
    }

    #[test]
    fn cues_stand_in_order_with_their_settings() {
        let cue = |start_s: f64, text: &str, settings: &str| Cue {
            start_s,
            end_s: start_s + 1.5,
            text: text.to_owned(),
            settings: settings.to_owned(),
        };
        let text = file_of(&[cue(3661.25, "two", ""), cue(0.5, "<i>one</i>\nmore", "line:0")]);
        let wanted = "WEBVTT\n\n00:00:00.500 --> 00:00:02.000 line:0\n<i>one</i>\nmore\n\n\
            01:01:01.250 --> 01:01:02.750\ntwo\n";
        assert_eq!(text, wanted);
    }
}
