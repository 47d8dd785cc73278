//! WebVTT for sets: cues cut into segments that keep step with the pictures, or all in one file.
//!
//! Guarantees: pure; a cue stands in every segment it is shown in, so a player may begin anywhere. Deliberately absent:
//! reading other formats.

use crate::media::cue::Cue;
use crate::media::pass::packaging::segments::TS_START_S;
use crate::media::spec::SegmentFormat;
use crate::media::subtitles::vtt;

/// Name of the file that holds all cues, for manifests that name no segments of text.
pub const WHOLE: &str = "subtitles.vtt";

/// One segment of text.
#[derive(Debug, Clone, PartialEq)]
pub struct CaptionSegment {
    /// File name in its folder.
    pub name: String,
    /// Seconds.
    pub duration_s: f64,
    /// What it holds.
    pub text: String,
}

/// The cues of `end_s` seconds in segments of `segment_s`. Beside pictures of the given format, whose clock they name.
pub fn segments(cues: &[Cue], segment_s: f64, end_s: f64, beside: SegmentFormat) -> Vec<CaptionSegment> {
    let zero_90k = match beside {
        SegmentFormat::Fmp4 => 0,
        SegmentFormat::Ts => (TS_START_S * 90_000.0) as u64,
    };
    let count = (end_s / segment_s - 1e-3).ceil().max(1.0) as usize;
    (0..count)
        .map(|number| {
            let from_s = number as f64 * segment_s;
            let until_s = if number + 1 == count { end_s } else { from_s + segment_s };
            let mut text = format!("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{zero_90k},LOCAL:00:00:00.000\n");
            // What is shown after the last picture still belongs to the last segment.
            let is_last = number + 1 == count;
            cues.iter()
                .filter(|cue| (cue.start_s < until_s || is_last) && cue.end_s > from_s)
                .for_each(|cue| text.push_str(&vtt::block(cue)));
            CaptionSegment {
                name: format!("seg-{:05}.vtt", number + 1),
                duration_s: (until_s - from_s).max(0.001),
                text,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue(start_s: f64, end_s: f64, text: &str) -> Cue {
        Cue {
            start_s,
            end_s,
            text: text.to_owned(),
            settings: String::new(),
        }
    }

    #[test]
    fn a_cue_stands_in_every_segment_it_is_shown_in() {
        let cues = [cue(0.5, 1.0, "a"), cue(3.0, 5.0, "b\n\nc"), cue(8.0, 9.5, "d --> e")];
        let segments = segments(&cues, 4.0, 9.0, SegmentFormat::Ts);
        let lengths: Vec<f64> = segments.iter().map(|segment| segment.duration_s).collect();
        assert_eq!(lengths, [4.0, 4.0, 1.0]);
        let both = "00:00:03.000 --> 00:00:05.000\nb\nc\n";
        assert!(segments[0].text.contains(both) && segments[1].text.contains(both));
        assert_eq!(segments[1].text.matches(" --> ").count(), 1);
        assert!(segments[2].text.contains("d --&gt; e"));
        assert!(
            segments[2]
                .text
                .starts_with("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n")
        );
        assert_eq!(segments[0].name, "seg-00001.vtt");
    }

    #[test]
    fn nothing_said_is_still_a_segment() {
        let segments = segments(&[], 4.0, 0.0, SegmentFormat::Fmp4);
        assert_eq!(segments.len(), 1);
        assert!(segments[0].text.contains("MPEGTS:0,"));
    }
}
