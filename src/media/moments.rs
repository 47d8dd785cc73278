//! Which moments of a source are wanted as pictures.
//!
//! Guarantees: moments rise strictly, lie within the source and number at most [`MAX_PICTURES`]; a request that
//! names at least one moment never comes to none. Deliberately absent: frames; which frame stands for a moment is
//! decided where frames are seen.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::spec::SnapshotSpec;
use crate::media::spec::seconds;

/// Most pictures one job makes, as the clouds have it.
pub const MAX_PICTURES: usize = 10_000;

/// Where in the source a picture is taken when nothing says so: the first frames are often black or a slate.
const LONE_PICTURE_PERCENT: f64 = 10.0;

/// Pictures looked at to choose a cover: at least so many, and at most.
const CANDIDATES_MIN: usize = 12;
const CANDIDATES_MAX: usize = 96;
/// Seconds between them where the source is of middling length.
const CANDIDATE_STEP_S: f64 = 2.0;

/// The wanted moments, and what had to be left out of the request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moments {
    /// Seconds from the first frame shown, strictly rising.
    pub at_s: Vec<f64>,
    /// What was asked and could not be had, in words.
    pub warnings: Vec<String>,
    /// So many pictures were to be spread over a source that has not as many frames: each is given once.
    pub spread: Option<usize>,
}

/// How long the source shows something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// From the first frame shown to the end of the last, seconds; none: unknown until it has been read.
    pub duration_s: Option<f64>,
    /// Length of a frame, seconds: how far before the end the last one begins. 0 when unknown.
    pub frame_s: f64,
    /// A single picture: there is nothing to choose from.
    pub is_one_frame: bool,
}

impl Span {
    /// Start of the last frame, as far as that can be told beforehand.
    fn last_frame_s(self) -> Option<f64> {
        self.duration_s.map(|duration_s| (duration_s - self.frame_s).max(0.0))
    }
}

/// The moments that `spec` asks for in a source of this length.
///
/// Explicit times come before `interval_s`, and that before `count`; `count` caps all of them. Moments at or after
/// the end are left out with a warning; when that leaves none, the last frame stands in. Without a known duration
/// an interval runs to [`MAX_PICTURES`] moments (the end of the source cuts it), while per cents and even spreading are
/// a fault of the source. A source of one frame has one moment, whatever was asked.
pub fn wanted(spec: &SnapshotSpec, span: Span) -> Result<Moments, Fault> {
    if span.is_one_frame {
        return Ok(Moments {
            at_s: vec![0.0],
            warnings: Vec::new(),
            spread: spread_of(spec, span),
        });
    }
    let cap = spec
        .count
        .map_or(MAX_PICTURES, |count| (count as usize).clamp(1, MAX_PICTURES));
    let mut warnings = Vec::new();
    let mut at_s: Vec<f64> = if !spec.times.is_empty() {
        let mut times = Vec::with_capacity(spec.times.len());
        for text in &spec.times {
            times.push(explicit(text, span)?);
        }
        times.sort_by(f64::total_cmp);
        times
    } else if spec.best.is_some() {
        candidates(spec.start_s, span)
    } else if let Some(interval_s) = spec.interval_s.filter(|interval_s| *interval_s > 0.0) {
        let room_s = span
            .duration_s
            .map_or(f64::INFINITY, |duration_s| duration_s - spec.start_s);
        // One more than fits, so that a request cut by the cap is seen as such below.
        let fitting = (room_s / interval_s).ceil().max(1.0).min(cap as f64 + 1.0) as usize;
        (0..fitting)
            .map(|number| spec.start_s + number as f64 * interval_s)
            .collect()
    } else if let Some(count) = spec.count {
        let duration_s = span.duration_s.ok_or_else(no_duration)?;
        let room_s = (duration_s - spec.start_s).max(0.0);
        let count = count.clamp(1, MAX_PICTURES as u32);
        (0..count)
            .map(|number| spec.start_s + room_s * f64::from(number) / f64::from(count))
            .collect()
    } else if spec.start_s > 0.0 {
        vec![spec.start_s]
    } else {
        vec![span.duration_s.unwrap_or(0.0) * LONE_PICTURE_PERCENT / 100.0]
    };
    // Two names for one moment (`0` and `0%`) are one picture.
    at_s.dedup_by(|later, earlier| *later - *earlier < 1e-6);

    let asked = at_s.len();
    if let Some(duration_s) = span.duration_s {
        at_s.retain(|moment_s| *moment_s < duration_s);
        if at_s.is_empty() {
            at_s.push(span.last_frame_s().unwrap_or(0.0));
            warnings.push(format!(
                "every moment asked for lies at or after the end ({duration_s:.3} s); what is shown last was taken"
            ));
        } else if at_s.len() < asked {
            let missing = asked - at_s.len();
            warnings.push(format!(
                "{missing} moments at or after the end ({duration_s:.3} s) were left out"
            ));
        }
    }
    if at_s.len() > cap {
        if span.duration_s.is_some() && spec.count.is_none_or(|count| count as usize > MAX_PICTURES) {
            warnings.push(format!(
                "more than {MAX_PICTURES} pictures were asked for; the first {MAX_PICTURES} were made"
            ));
        }
        at_s.truncate(cap);
    }
    if let Some(last_s) = span.last_frame_s() {
        // Between the start of the last frame and the end there is only that frame.
        for moment_s in &mut at_s {
            *moment_s = moment_s.min(last_s);
        }
        at_s.dedup();
    }
    Ok(Moments {
        at_s,
        warnings,
        spread: spread_of(spec, span),
    })
}

/// How many pictures are to be spread evenly over fewer frames. Tiles of an image playlist are of one length, so each of
/// them is wanted though it be like the one before; and so is the picture of a frame that stands for long.
fn spread_of(spec: &SnapshotSpec, span: Span) -> Option<usize> {
    let frames = match span.duration_s.filter(|_| span.frame_s > 0.0) {
        _ if span.is_one_frame => 1.0,
        Some(duration_s) => (duration_s - spec.start_s).max(0.0) / span.frame_s,
        None => return None,
    };
    let steps = spec.interval_s.is_some_and(|interval_s| interval_s > 0.0);
    let is_spread = spec.times.is_empty() && spec.best.is_none() && !steps && !spec.image_playlist;
    spec.count
        .filter(|count| is_spread && f64::from(*count) > frames + 0.5)
        .map(|count| (count as usize).clamp(1, MAX_PICTURES))
}

/// Moments at which pictures are looked at to choose among them: the middles of equal parts, so that neither the first
/// frame nor the last is one. Where the length is unknown, one every few seconds.
fn candidates(start_s: f64, span: Span) -> Vec<f64> {
    let Some(duration_s) = span.duration_s else {
        return (0..CANDIDATES_MAX)
            .map(|number| start_s + (number as f64 + 0.5) * CANDIDATE_STEP_S)
            .collect();
    };
    let room_s = (duration_s - start_s).max(0.0);
    let count = ((room_s / CANDIDATE_STEP_S).ceil() as usize).clamp(CANDIDATES_MIN, CANDIDATES_MAX);
    (0..count)
        .map(|number| start_s + room_s * (number as f64 + 0.5) / count as f64)
        .collect()
}

/// Whether its moments depend on how long the source is, so that nothing can be said without knowing.
pub fn need_length(spec: &SnapshotSpec) -> bool {
    if !spec.times.is_empty() {
        return spec.times.iter().any(|text| text.trim().ends_with('%'));
    }
    if spec.best.is_some() {
        return true;
    }
    spec.interval_s.is_none_or(|interval_s| interval_s <= 0.0) && spec.start_s <= 0.0
}

/// Whether a spec can come to no more than one picture, so that it stands at the output's own path without a number.
pub fn is_lone(spec: &SnapshotSpec) -> bool {
    spec.is_lone()
}

fn explicit(text: &str, span: Span) -> Result<f64, Fault> {
    let refused = || {
        Fault::new(
            "InvalidMoment",
            Blame::Request,
            "snapshot",
            format!("times entry {text:?}"),
            "it is neither a time nor a per cent of the duration",
            "Write seconds (\"3.5\"), a time (\"00:01:02.5\") or a per cent from 0 to 100 (\"10%\").",
        )
    };
    let number = |digits: &str| {
        digits
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|value| value.is_finite() && *value >= 0.0)
    };
    match text.trim().strip_suffix('%') {
        Some(digits) => {
            let percent = number(digits).filter(|percent| *percent <= 100.0).ok_or_else(refused)?;
            let duration_s = span.duration_s.ok_or_else(no_duration)?;
            // 100 % means the last thing to be seen, not the first moment after it.
            Ok((duration_s * percent / 100.0).min(span.last_frame_s().unwrap_or(duration_s)))
        }
        None => seconds::parse(text).ok_or_else(refused),
    }
}

fn no_duration() -> Fault {
    Fault::new(
        "DurationUnknown",
        Blame::Source,
        "snapshot",
        "the moments asked for",
        "the source does not say how long it is, so nothing can be placed relative to its length",
        "Ask for an interval or for times in seconds.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: &str) -> SnapshotSpec {
        serde_json::from_str(json).expect("a snapshot spec")
    }

    fn at(json: &str, duration_s: f64) -> Vec<f64> {
        wanted(
            &spec(json),
            Span {
                duration_s: Some(duration_s),
                frame_s: 0.04,
                is_one_frame: false,
            },
        )
        .expect("moments")
        .at_s
    }

    #[test]
    fn an_interval_stops_before_the_end() {
        assert_eq!(at(r#"{"interval_s":10}"#, 30.0), [0.0, 10.0, 20.0]);
        assert_eq!(at(r#"{"interval_s":10}"#, 30.5), [0.0, 10.0, 20.0, 30.0]);
        assert_eq!(at(r#"{"interval_s":10,"start_s":5}"#, 26.0), [5.0, 15.0, 25.0]);
        assert_eq!(at(r#"{"interval_s":10,"count":2}"#, 30.0), [0.0, 10.0]);
    }

    #[test]
    fn a_moment_in_the_last_frame_is_its_start() {
        assert_eq!(at(r#"{"interval_s":10}"#, 30.01), [0.0, 10.0, 20.0, 29.970000000000002]);
    }

    #[test]
    fn a_count_alone_spreads_evenly() {
        assert_eq!(at(r#"{"count":4}"#, 20.0), [0.0, 5.0, 10.0, 15.0]);
        assert_eq!(at(r#"{"count":2,"start_s":10}"#, 20.0), [10.0, 15.0]);
    }

    #[test]
    fn explicit_times_are_sorted_made_unique_and_kept_inside() {
        assert_eq!(
            at(r#"{"times":["50%","2.5","0","0%"],"interval_s":1}"#, 20.0),
            [0.0, 2.5, 10.0]
        );
        assert_eq!(at(r#"{"times":["100%"]}"#, 20.0), [19.96]);
        let cut = wanted(
            &spec(r#"{"times":["1","99"]}"#),
            Span {
                duration_s: Some(20.0),
                frame_s: 0.04,
                is_one_frame: false,
            },
        )
        .expect("moments");
        assert_eq!(cut.at_s, [1.0]);
        assert_eq!(cut.warnings.len(), 1);
    }

    #[test]
    fn the_last_frame_stands_in_when_everything_lies_beyond_the_end() {
        assert_eq!(at(r#"{"times":["99"]}"#, 20.0), [19.96]);
        assert_eq!(at(r#"{"interval_s":10,"start_s":30}"#, 20.0), [19.96]);
    }

    #[test]
    fn an_interval_of_nothing_spreads_evenly_and_times_may_be_clocks() {
        assert_eq!(at(r#"{"interval_s":0,"count":4}"#, 20.0), [0.0, 5.0, 10.0, 15.0]);
        assert_eq!(at(r#"{"times":["00:01:02.5","3.5s"]}"#, 100.0), [3.5, 62.5]);
    }

    #[test]
    fn a_single_picture_has_one_moment() {
        let span = Span {
            duration_s: None,
            frame_s: 0.0,
            is_one_frame: true,
        };
        for json in [
            r#"{"count":9}"#,
            r#"{"times":["50%","8"]}"#,
            r#"{"interval_s":2,"start_s":7}"#,
        ] {
            assert_eq!(wanted(&spec(json), span).expect("a moment").at_s, [0.0], "{json}");
        }
    }

    #[test]
    fn a_lone_picture_stands_at_a_tenth_or_where_it_is_asked() {
        assert_eq!(at("{}", 20.0), [2.0]);
        assert_eq!(at(r#"{"start_s":7}"#, 20.0), [7.0]);
        assert!(
            is_lone(&spec("{}"))
                && is_lone(&spec(r#"{"times":["3"]}"#))
                && is_lone(&spec(r#"{"count":1,"interval_s":2}"#))
        );
        assert!(!is_lone(&spec(r#"{"times":["3","4"]}"#)) && !is_lone(&spec(r#"{"interval_s":500}"#)));
    }

    #[test]
    fn too_many_are_cut_with_a_word() {
        let many = wanted(
            &spec(r#"{"interval_s":0.04}"#),
            Span {
                duration_s: Some(604_800.0),
                frame_s: 0.04,
                is_one_frame: false,
            },
        )
        .expect("moments");
        assert_eq!(many.at_s.len(), MAX_PICTURES);
        assert_eq!(many.warnings.len(), 1);
    }

    #[test]
    fn without_a_duration_only_what_needs_none_works() {
        let unknown = Span {
            duration_s: None,
            frame_s: 0.0,
            is_one_frame: false,
        };
        assert_eq!(
            wanted(&spec(r#"{"interval_s":2,"count":3}"#), unknown)
                .expect("moments")
                .at_s,
            [0.0, 2.0, 4.0]
        );
        assert_eq!(
            wanted(&spec(r#"{"times":["3%"]}"#), unknown)
                .expect_err("no length")
                .code,
            "DurationUnknown"
        );
        assert_eq!(
            wanted(&spec(r#"{"count":3}"#), unknown).expect_err("no length").code,
            "DurationUnknown"
        );
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for text in ["", "x", "-1", "101%", "nan", "inf", "1:75:00"] {
            let fault = wanted(
                &spec(&format!(r#"{{"times":["{text}"]}}"#)),
                Span {
                    duration_s: Some(9.0),
                    frame_s: 0.0,
                    is_one_frame: false,
                },
            );
            assert_eq!(fault.expect_err(text).code, "InvalidMoment", "{text}");
        }
    }
}
