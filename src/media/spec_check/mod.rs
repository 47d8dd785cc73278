//! Ranges of the specs: what serde cannot say about them.
//!
//! Guarantees: every problem is found, not the first alone, and each names the key, the value and the range; a spec
//! that passes is one that the engine can act on. Deliberately absent: what only the source can tell (no video
//! stream, a clip beyond its end).

mod audio;
mod container;
mod findings;
mod group;
mod ladder;
mod overlay;
mod picture;
mod qc;
mod set;
mod video;
mod video_codec;

pub use container::cannot_hold;
pub use container::file_cannot_hold;
pub use container::segments_cannot_hold;
pub use video::PRESETS;
pub use video_codec::levels_of;
pub use video_codec::profiles_of;

use crate::base::reader::Wrong;
use crate::media::spec::BurnSpec;
use crate::media::spec::MediaWork;
use crate::media::spec::WatermarkSpec;
use crate::media::spec::seconds;
use findings::Findings;

/// Everything out of range in what one job wants. Paths begin at the activity's own keys.
pub fn check(work: &MediaWork) -> Vec<Wrong> {
    let mut findings = Findings::default();
    match work {
        MediaWork::Analysis => {}
        MediaWork::Transcode(spec) => group::transcode(&mut findings, spec),
        MediaWork::Snapshot(spec) => picture::snapshot(&mut findings, spec),
        MediaWork::DynamicImage(spec) => picture::animation(&mut findings, spec),
        MediaWork::Qc(spec) => qc::qc(&mut findings, spec),
    }
    findings.0
}

/// Everything out of range in what is drawn onto pictures, a template of it for example. Paths begin at `watermark[0]`
/// and `burn`.
pub fn check_drawn(watermark: Option<&WatermarkSpec>, burn: Option<&BurnSpec>) -> Vec<Wrong> {
    let mut findings = Findings::default();
    overlay::drawn_of(
        &mut findings,
        "",
        watermark.map_or(&[], std::slice::from_ref),
        &[],
        burn,
    );
    findings.0
}

/// Whether an entry of `times` means a moment: seconds, `hh:mm:ss[.SSS]` or per cent of the duration.
pub fn moment_is_valid(text: &str) -> bool {
    let percent = |text: &str| {
        text.trim()
            .parse::<f64>()
            .is_ok_and(|percent| percent.is_finite() && (0.0..=100.0).contains(&percent))
    };
    match text.trim().strip_suffix('%') {
        Some(text) => percent(text),
        None => seconds::parse(text).is_some(),
    }
}
