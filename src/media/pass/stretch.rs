//! Which stretch of the source jobs take, and what is joined to it: jobs that agree share a pass.
//!
//! Guarantees: pure; timecodes are resolved by the source's own, or counted from its first frame where it has none.
//! Deliberately absent: reading.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::facts::StreamFacts;
use crate::media::spec::Clip;
use crate::media::spec::Joined;
use crate::media::spec::Moment;
use crate::media::spec::TranscodeSpec;
use crate::media::spec::VideoCodec;
use crate::media::timecode::Timecode;

/// Jobs that take the same.
#[derive(Debug, Clone)]
pub struct Stretch<'a> {
    /// Part of the source, seconds; none: all of it.
    pub clip: Option<Clip>,
    /// What is before and after it.
    pub joined: Joined,
    /// Pictures are copied, so that it begins where a key frame is, apart from those that begin where they were asked to.
    pub copies: bool,
    /// The jobs.
    pub jobs: Vec<(&'a JobId, &'a TranscodeSpec)>,
}

impl Stretch<'_> {
    /// Everything of the source and nothing else: times in it are the source's.
    pub fn is_whole(&self) -> bool {
        self.clip.is_none() && self.joined.is_empty()
    }
}

/// A job with why it cannot be done.
pub type Refused<'a> = (&'a JobId, Fault);

/// Sorts the jobs; those whose clip lies outside the source are answered with their fault.
pub fn sort<'a>(
    jobs: &[(&'a JobId, &'a TranscodeSpec)],
    facts: &MediaFacts,
    name: &str,
) -> (Vec<Stretch<'a>>, Vec<Refused<'a>>) {
    let mut stretches: Vec<Stretch<'a>> = Vec::new();
    let mut refused = Vec::new();
    for (job, spec) in jobs {
        let clip = match spec.clip.map(|clip| in_seconds(clip, facts, name)).transpose() {
            // A clip of everything is no clip.
            Ok(clip) => clip.filter(|clip| clip.start_s > 0.0 || clip.end_s.is_some()),
            Err(fault) => {
                refused.push((*job, fault));
                continue;
            }
        };
        let joined = spec.joined();
        let outputs = spec.groups.iter().flat_map(|group| &group.outputs);
        let mut videos = outputs.filter_map(|output| output.video.as_ref());
        let copies = clip.is_some() && videos.any(|video| video.codec == VideoCodec::Copy);
        let same = |known: &&mut Stretch<'a>| (known.clip, known.copies) == (clip, copies) && known.joined == joined;
        match stretches.iter_mut().find(same) {
            Some(known) => known.jobs.push((*job, *spec)),
            None => stretches.push(Stretch {
                clip,
                joined,
                copies,
                jobs: vec![(*job, *spec)],
            }),
        }
    }
    (stretches, refused)
}

fn in_seconds(clip: Clip, facts: &MediaFacts, name: &str) -> Result<Clip, Fault> {
    let start_s = match clip.start {
        Some(moment) => seconds_of(moment, facts, name)?,
        None => clip.start_s,
    };
    let end_s = match clip.end {
        Some(moment) => Some(seconds_of(moment, facts, name)?),
        None => clip.end_s,
    };
    if end_s.is_some_and(|end_s| end_s <= start_s) {
        let end_s = end_s.unwrap_or_default();
        return Err(outside(
            name,
            format!("its end, {end_s:.3} s, is not after its start, {start_s:.3} s"),
        ));
    }
    if let Some(duration_s) = facts.duration_s.filter(|duration_s| start_s >= *duration_s) {
        return Err(outside(
            name,
            format!("it begins at {start_s:.3} s, and the source ends at {duration_s:.3} s"),
        ));
    }
    Ok(Clip::seconds(start_s, end_s))
}

fn seconds_of(moment: Moment, facts: &MediaFacts, name: &str) -> Result<f64, Fault> {
    let (is_counted, first) = match &facts.timecode {
        Some(timecode) => (false, timecode.first()),
        None => (true, None),
    };
    match moment {
        Moment::Seconds(at_s) => Ok(at_s),
        Moment::Timecode { .. } => {
            let rate = first.map_or_else(|| rate_of(facts), Timecode::rate);
            let wanted = Timecode::parse(&moment.to_string(), rate).map_err(|why| outside(name, why))?;
            let start = first.or_else(|| Timecode::of_frame(0, rate, wanted.drops()));
            let Some(start) = start else {
                return Err(outside(
                    name,
                    format!("{moment} cannot be counted at {:.3} frames a second", rate.value()),
                ));
            };
            let at_s = wanted.seconds_since(start);
            // Labels begin again at midnight, so one before the first is nearly a day after it.
            match facts.duration_s {
                Some(duration_s) if at_s > duration_s + 1.0 => Err(outside(
                    name,
                    format!(
                        "the timecode {moment} is not in the source, which {} at {} and lasts {duration_s:.3} s",
                        if is_counted {
                            "has none and counts from its first frame"
                        } else {
                            "begins"
                        },
                        facts
                            .timecode
                            .as_ref()
                            .map_or("00:00:00:00", |timecode| timecode.start.as_str()),
                    ),
                )),
                _ => Ok(at_s),
            }
        }
    }
}

/// Rate of the main pictures; sound alone is counted like film of 25 frames a second.
fn rate_of(facts: &MediaFacts) -> Ratio {
    let of_stream = |(_, video): (&StreamFacts, &crate::media::facts::VideoFacts)| video.nominal_rate();
    facts
        .main_video()
        .and_then(of_stream)
        .filter(|rate| (1.0..=240.0).contains(&rate.value()))
        .unwrap_or(Ratio { num: 25, den: 1 })
}

fn outside(name: &str, cause: String) -> Fault {
    Fault::new(
        "ClipOutsideSource",
        Blame::Request,
        "clip",
        name,
        cause,
        "Correct the clip of the activity; times count from the first frame, timecodes as the source's does.",
    )
}

#[cfg(test)]
mod tests {
    use super::in_seconds;
    use crate::media::facts::MediaFacts;
    use crate::media::facts::Ratio;
    use crate::media::facts::TimecodeFacts;
    use crate::media::spec::Clip;

    fn clip(start: &str, end: &str) -> Clip {
        Clip {
            start: start.parse().ok(),
            end: end.parse().ok(),
            ..Clip::default()
        }
    }

    fn source(timecode: Option<&str>, num: i32, den: i32) -> MediaFacts {
        MediaFacts {
            duration_s: Some(100.0),
            timecode: timecode.map(|start| TimecodeFacts {
                start: start.to_owned(),
                rate: Ratio { num, den },
                origin: "track".to_owned(),
            }),
            ..MediaFacts::default()
        }
    }

    #[test]
    fn timecodes_count_from_the_sources_own() {
        let found = in_seconds(
            clip("10:00:02:12", "10:00:03:00"),
            &source(Some("10:00:00:00"), 25, 1),
            "x",
        );
        assert_eq!(found.map(|clip| (clip.start_s, clip.end_s)), Ok((2.48, Some(3.0))));
        // A minute of drop frame is 1798 frames long.
        let found = in_seconds(clip("00:01:00;02", ""), &source(Some("00:00:00;00"), 30_000, 1001), "x");
        let start_s = found.map(|clip| clip.start_s).unwrap_or_default();
        assert!((start_s - 1800.0 * 1001.0 / 30_000.0).abs() < 1e-9, "{start_s}");
    }

    #[test]
    fn a_source_without_timecode_is_counted_from_its_first_frame() {
        let found = in_seconds(clip("00:00:01:05", "00:00:02"), &source(None, 25, 1), "x");
        assert_eq!(found.map(|clip| (clip.start_s, clip.end_s)), Ok((1.2, Some(2.0))));
    }

    #[test]
    fn what_lies_outside_is_refused() {
        let with = source(Some("10:00:00:00"), 25, 1);
        for (start, end) in [
            ("09:59:59:00", ""),
            ("10:05:00:00", ""),
            ("120", ""),
            ("10:00:05:00", "10:00:04:00"),
        ] {
            let fault = in_seconds(clip(start, end), &with, "x").expect_err(start);
            assert_eq!(fault.code, "ClipOutsideSource");
        }
    }
}
