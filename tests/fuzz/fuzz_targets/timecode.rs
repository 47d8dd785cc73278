//! Times and timecodes that people write.
#![no_main]
use libfuzzer_sys::fuzz_target;
use reelmill::media::facts::Ratio;
use reelmill::media::spec::seconds;
use reelmill::media::timecode::Timecode;

fuzz_target!(|input: (i32, i32, &str)| {
    let (num, den, text) = input;
    if let Some(value_s) = seconds::parse(text) {
        assert!(value_s.is_finite() && value_s >= 0.0, "{text:?} is {value_s}");
    }
    for rate in [
        Ratio { num: 25, den: 1 },
        Ratio { num: 30_000, den: 1001 },
        Ratio { num: 60_000, den: 1001 },
        Ratio {
            num: num.saturating_abs().max(1),
            den: den.saturating_abs().max(1),
        },
    ] {
        if let Ok(timecode) = Timecode::parse(text, rate) {
            let _ = format!("{timecode:?}");
        }
    }
});
