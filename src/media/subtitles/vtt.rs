//! WebVTT of subtitles: a whole file, and the block of one cue for the segments that packaging cuts.
//!
//! Guarantees: cues in the order of their beginning; whatever a cue's text holds, its block ends where it should.
//! Deliberately absent: the segments themselves.

use crate::media::cue::Cue;
use crate::media::webvtt::clock;

/// The file.
pub fn file_of(cues: &[Cue]) -> String {
    let mut order: Vec<&Cue> = cues.iter().collect();
    order.sort_by(|one, other| one.start_s.total_cmp(&other.start_s));
    let mut text = String::from("WEBVTT\n");
    order.into_iter().for_each(|cue| text.push_str(&block(cue)));
    text
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
    use super::file_of;
    use crate::media::cue::Cue;

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
