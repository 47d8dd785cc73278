//! A WebVTT file of subtitles.
//!
//! Guarantees: cues in the order of their beginning. Deliberately absent: segments of sets, which packaging cuts.

use crate::media::cue::Cue;

/// The file.
pub fn file_of(cues: &[Cue]) -> String {
    let mut text = String::from("WEBVTT\n");
    let mut order: Vec<&Cue> = cues.iter().collect();
    order.sort_by(|one, other| one.start_s.total_cmp(&other.start_s));
    for cue in order {
        let settings = if cue.settings.is_empty() {
            String::new()
        } else {
            format!(" {}", cue.settings)
        };
        text.push_str(&format!(
            "\n{} --> {}{settings}\n{}\n",
            clock(cue.start_s),
            clock(cue.end_s),
            cue.text
        ));
    }
    text
}

fn clock(seconds: f64) -> String {
    let ms = (seconds.max(0.0) * 1000.0).round() as u64;
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        ms / 3_600_000,
        ms / 60_000 % 60,
        ms / 1000 % 60,
        ms % 1000
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
