//! Where the video of a source lies in time, on the clock that pictures are labelled with.
//!
//! Guarantees: the clock is the pass's: 0 is the first thing shown or heard. Deliberately absent: frames.

use crate::media::facts::MediaFacts;
use crate::media::facts::StreamFacts;
use crate::media::moments::Span;

/// Where the video of a source lies in time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timeline {
    /// How long the video lasts.
    pub span: Span,
    /// End of everything, sound included, on the same clock.
    pub end_s: f64,
}

impl Timeline {
    /// From what a probe learned. Times count from the first thing shown or heard, as those of a pass do.
    pub fn of(facts: &MediaFacts) -> Self {
        let Some((stream, video)) = facts.main_video() else {
            let span = Span {
                duration_s: None,
                frame_s: 0.0,
                is_one_frame: false,
            };
            return Timeline { span, end_s: 0.0 };
        };
        let rate = video.nominal_rate().map_or(0.0, |rate| rate.value());
        let late_s = stream
            .start_time_s
            .zip(facts.start_time_s)
            .map_or(0.0, |(own, first)| (own - first).max(0.0));
        let video_end_s = stream
            .duration_s
            .map(|duration_s| duration_s + late_s)
            .or(facts.duration_s);
        let duration_s = video_end_s.filter(|duration_s| *duration_s > 0.0);
        Timeline {
            span: Span {
                duration_s,
                frame_s: if rate > 0.0 { 1.0 / rate } else { 0.0 },
                is_one_frame: is_one_frame(facts, stream),
            },
            end_s: duration_s.unwrap_or(0.0).max(facts.duration_s.unwrap_or(0.0)),
        }
    }
}

/// Containers that say when pictures are decoded, never when they are shown.
const DECODED_ONLY: [&str; 5] = ["avi", "mpegvideo", "m4v", "vc1", "cavsvideo"];

/// A key frame is decoded at most so many pictures before all that it is needed for.
pub const MOST_REORDERED: f64 = 17.0;

/// How much later than they are shown pictures of the main video are stamped, seconds. Where a file has times of
/// decoding alone, a decoder that puts pictures into their order gives each the time at which it comes out, which is
/// later by as many pictures as it waits for; the file's sound does not wait.
pub fn lag_s(facts: &MediaFacts) -> f64 {
    match DECODED_ONLY.contains(&&*facts.format_name) {
        true => wait_s(facts),
        false => 0.0,
    }
}

/// How long a decoder of the main video holds pictures back for those that are stored after them and shown before,
/// seconds.
pub fn wait_s(facts: &MediaFacts) -> f64 {
    let Some((_, video)) = facts.main_video() else {
        return 0.0;
    };
    let frame_s = video.nominal_rate().map_or(0.0, |rate| 1.0 / rate.value().max(0.1));
    f64::from(video.has_b_frames.clamp(0, 16)) * frame_s
}

/// Demuxers of single pictures guess a rate for them, and none says how many frames there are.
fn is_one_frame(facts: &MediaFacts, stream: &StreamFacts) -> bool {
    let is_picture_file = facts.format_name.ends_with("_pipe") && facts.streams.len() == 1;
    stream.frame_count == Some(1) || (is_picture_file && stream.frame_count.is_none())
}

/// Time of frames in order of appearance.
#[derive(Debug)]
pub struct Clock {
    zero: Option<i64>,
    unit_s: f64,
    frame_s: f64,
    last_s: Option<f64>,
}

impl Clock {
    /// `zero` is the time stamp that is 0 s, the first one seen if none; `unit_s` are the seconds of a unit, `frame_s`
    /// those of a frame.
    pub fn new(zero: Option<i64>, unit_s: f64, frame_s: f64) -> Self {
        Clock {
            zero,
            unit_s,
            frame_s,
            last_s: None,
        }
    }

    /// Seconds since the first frame; frames without a time stamp follow the one before at the nominal rate.
    pub fn time(&mut self, pts: Option<i64>) -> f64 {
        let time_s = match pts {
            Some(pts) => (pts - *self.zero.get_or_insert(pts)) as f64 * self.unit_s,
            None => self.last_s.map_or(0.0, |last_s| last_s + self.frame_s),
        };
        self.last_s = Some(time_s);
        time_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn video_that_begins_late_ends_late_and_sound_may_outlast_it() {
        let video: StreamFacts = serde_json::from_value(serde_json::json!({
            "index": 0, "codec_name": "h264", "codec_long_name": "", "codec_tag_string": "", "codec_tag": "",
            "time_base": {"num": 1, "den": 1000}, "start_time_s": 1.5, "duration_s": 8.0, "default": true,
            "decodable": true, "type": "video", "width": 64, "height": 36, "rotation_degrees": 0, "mirrored": false,
            "bit_depth": 8, "average_frame_rate": {"num": 25, "den": 1}, "field_order": "progressive",
            "color_range": "tv", "color_primaries": "bt709", "color_transfer": "bt709", "color_space": "bt709",
            "hdr": "sdr", "has_b_frames": 0, "attached_picture": false
        }))
        .expect("facts");
        let facts = MediaFacts {
            start_time_s: Some(0.5),
            duration_s: Some(12.0),
            streams: vec![video],
            ..MediaFacts::default()
        };
        let timeline = Timeline::of(&facts);
        assert_eq!(
            (timeline.span.duration_s, timeline.span.frame_s, timeline.end_s),
            (Some(9.0), 0.04, 12.0)
        );
        assert_eq!(Timeline::of(&MediaFacts::default()).span.duration_s, None);
    }
}
