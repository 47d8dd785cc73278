//! Time of one pass: where it begins and ends on the source's clock, and in which unit its pictures count.
//!
//! Guarantees: pure; the origin is the same whatever is made of a source.

use crate::media::av::packet::rescale;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::pass::clock;
use crate::media::pass::clock::Origin;
use crate::media::pass::plan::Plan;
use crate::media::spec::Clip;
use crate::media::timeline;

/// Time of a pass.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// What becomes time 0.
    pub origin: Origin,
    /// How much later than they are shown decoded pictures are stamped, seconds.
    pub lag_s: f64,
    /// Where a clip ends, seconds from the origin.
    pub end_s: Option<f64>,
    /// Length expected, seconds; for progress and the truncation check.
    pub expected_s: Option<f64>,
    /// Unit of the pass's pictures.
    pub unit: Ratio,
    /// The source's nominal frame rate.
    pub rate: Ratio,
    /// A clip that begins later than the source.
    pub is_clip: bool,
    /// Where the clip begins on the source's timeline, seconds.
    pub start_s: f64,
}

impl Timing {
    /// Where to go for what begins the pass, in a stream's unit. A key frame that is stamped with its time of decoding may
    /// be shown after others that are decoded later, and those need the key frame before it.
    pub fn seek_to(&self, unit: Ratio) -> i64 {
        let early_s = if self.lag_s > 0.0 {
            timeline::MOST_REORDERED / self.rate.value()
        } else {
            0.0
        };
        let origin = self.origin.later(-early_s);
        rescale(origin.ticks, origin.unit, unit)
    }
}

/// Time of a pass over a source, by its facts.
pub fn of(facts: &MediaFacts, clip: Option<Clip>, plan: &Plan, has_taps: bool) -> Timing {
    let video = facts.main_video().filter(|_| !plan.videos.is_empty() || has_taps);
    // The origin is the same whatever is made, so that times of pictures mean the same with and without a pass.
    let audio = facts.main_audio();
    let starts = [
        facts.main_video().map(|(stream, _)| stream),
        audio.map(|(stream, _)| stream),
    ];
    // The exact time stamp of whichever track begins first.
    let origin = starts
        .into_iter()
        .flatten()
        .filter_map(|stream| {
            let start_s = stream.start_time_s?;
            let ticks = (start_s / stream.time_base.value()).round() as i64;
            Some((
                start_s,
                Origin {
                    ticks,
                    unit: stream.time_base,
                },
            ))
        })
        .min_by(|one, other| one.0.total_cmp(&other.0))
        .map_or(
            Origin {
                ticks: 0,
                unit: clock::MICROSECOND,
            },
            |(_, origin)| origin,
        );
    let clip = clip.unwrap_or_default();
    let whole_s = video.and_then(|(stream, _)| stream.duration_s).or(facts.duration_s);
    let end_s = clip.end_s.map(|end_s| (end_s - clip.start_s).max(0.0));
    let rate = video
        .and_then(|(_, video)| video.nominal_rate())
        .filter(|rate| (0.1..=1000.0).contains(&rate.value()))
        .unwrap_or(Ratio { num: 25, den: 1 });
    Timing {
        origin: origin.later(clip.start_s),
        lag_s: timeline::lag_s(facts),
        end_s,
        expected_s: whole_s.map(|whole_s| {
            let left_s = (whole_s - clip.start_s).max(0.0);
            end_s.map_or(left_s, |end_s| end_s.min(left_s))
        }),
        unit: video.map_or(Ratio { num: 1, den: 90_000 }, |(stream, _)| {
            clock::output_unit(stream.time_base)
        }),
        rate,
        is_clip: clip.start_s > 0.0,
        start_s: clip.start_s,
    }
}
