//! Which moments of a source a spec means: whatever the check lets through comes to moments inside the source.
#![no_main]
use libfuzzer_sys::fuzz_target;
use reelmill::media::animate;
use reelmill::media::moments;
use reelmill::media::moments::Span;
use reelmill::media::spec::AnimationSpec;
use reelmill::media::spec::MediaWork;
use reelmill::media::spec::SnapshotSpec;
use reelmill::media::spec_check;

fuzz_target!(|input: (u32, u16, bool, &str)| {
    let (length_ms, frame_ms, is_one_frame, text) = input;
    let span = Span {
        duration_s: (length_ms > 0).then_some(f64::from(length_ms) / 1000.0),
        frame_s: f64::from(frame_ms) / 1000.0,
        is_one_frame,
    };
    let rising = |at_s: &[f64]| at_s.windows(2).all(|pair| pair[0] < pair[1]);
    if let Ok(spec) = serde_json::from_str::<SnapshotSpec>(text) {
        let allowed = spec_check::check(&MediaWork::Snapshot(spec.clone())).is_empty();
        match moments::wanted(&spec, span) {
            Ok(wanted) => {
                assert!((1..=moments::MAX_PICTURES).contains(&wanted.at_s.len()));
                assert!(!allowed || rising(&wanted.at_s) && wanted.at_s[0] >= 0.0, "{:?}", wanted.at_s);
                let end_s = span.duration_s.unwrap_or(f64::INFINITY);
                assert!(!allowed || is_one_frame || wanted.at_s.iter().all(|moment_s| *moment_s <= end_s));
            }
            Err(fault) => assert!(!allowed || fault.code == "DurationUnknown", "{fault}"),
        }
    }
    if let Ok(spec) = serde_json::from_str::<AnimationSpec>(text)
        && spec_check::check(&MediaWork::DynamicImage(spec.clone())).is_empty()
    {
        let wanted = animate::wanted(&spec, span);
        assert!(!wanted.at_s.is_empty() && wanted.at_s.len() <= 60 * 60 + 100);
        assert!(rising(&wanted.at_s), "{:?}", wanted.at_s);
    }
});
