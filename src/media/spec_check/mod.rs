//! Ranges of the specs: what serde cannot say about them.
//!
//! Guarantees: every problem is found, not the first alone, and each names the key, the value and the range; a spec
//! that passes is one that the engine can act on. Deliberately absent: what only the source can tell (no video
//! stream, a clip beyond its end).

mod audio;
mod findings;
mod group;
mod overlay;
mod picture;
mod set;
mod video;

pub use video::PRESETS;
pub use video::PROFILES;

use crate::base::reader::Wrong;
use crate::media::spec::MediaWork;
use findings::Findings;

/// Everything out of range in what one job wants. Paths begin at the activity's own keys.
pub fn check(work: &MediaWork) -> Vec<Wrong> {
    let mut findings = Findings::default();
    match work {
        MediaWork::Analysis => {}
        MediaWork::Transcode(spec) => group::transcode(&mut findings, spec),
        MediaWork::Snapshot(spec) => picture::snapshot(&mut findings, spec),
        MediaWork::DynamicImage(spec) => picture::animation(&mut findings, spec),
    }
    findings.0
}

/// The moment that an entry of `times` means; none: neither seconds nor per cent.
pub fn moment_is_valid(text: &str) -> bool {
    let number = |text: &str| {
        text.parse::<f64>()
            .ok()
            .filter(|value| value.is_finite() && *value >= 0.0)
    };
    match text.strip_suffix('%') {
        Some(percent) => number(percent).is_some_and(|percent| percent <= 100.0),
        None => number(text).is_some(),
    }
}
