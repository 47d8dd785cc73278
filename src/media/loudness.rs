//! Loudness of sound as EBU R128 defines it (ITU-R BS.1770-4, EBU Tech 3342): integrated, range, true peak, and how the
//! short-term loudness goes.
//!
//! Guarantees: memory does not grow with the length; silence has no loudness rather than a number. Deliberately
//! absent: where the sound comes from, and what is done about it.

use crate::media::over_time::Steps;
use crate::media::product::LoudnessSeries;
use ebur128::Channel;
use ebur128::EbuR128;
use ebur128::Mode;
use serde::Deserialize;
use serde::Serialize;

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Loudness {
    /// Integrated loudness, LUFS; none: everything is quieter than the gate of -70 LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudness range, LU.
    pub range_lu: f64,
    /// Highest true peak of any channel, dBTP; none: digital silence.
    pub true_peak_dbtp: Option<f64>,
}

/// Measures sound as it goes by.
pub struct Meter {
    state: EbuR128,
    channels: usize,
    rate_hz: u32,
    interleaved: Vec<f64>,
    /// Where the next sample is heard, samples from 0.
    position: u64,
    /// Samples taken.
    taken: u64,
    /// Largest true peak of the second under way.
    peak: f64,
    /// Loudness at each full second that the last samples came to, LUFS; minus infinity: silence.
    passed: Vec<f64>,
    seconds: Steps<Second>,
}

/// One second, or several.
#[derive(Debug, Clone, Copy)]
struct Second {
    /// Short-term loudness at its end, LUFS; minus infinity: silence.
    lufs: f64,
    /// Largest true peak, full scale 1.0.
    peak: f64,
}

impl Default for Second {
    fn default() -> Self {
        Second {
            lufs: f64::NEG_INFINITY,
            peak: 0.0,
        }
    }
}

impl Second {
    fn louder(left: &Second, right: &Second) -> Second {
        Second {
            lufs: left.lufs.max(right.lufs),
            peak: left.peak.max(right.peak),
        }
    }
}

/// Window of short-term loudness, milliseconds.
const SHORT_TERM_MS: u64 = 3000;

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "meter of {} channels, {} Hz", self.channels, self.rate_hz)
    }
}

impl Meter {
    /// For so many channels (1..=64, in the usual order: left, right, centre, LFE, surrounds) at a rate (16 Hz and
    /// more); none: it measures nothing of that shape.
    pub fn new(channels: u32, rate_hz: u32) -> Option<Self> {
        let mode = Mode::I | Mode::LRA | Mode::TRUE_PEAK | Mode::HISTOGRAM;
        let mut state = EbuR128::new(channels, rate_hz, mode).ok()?;
        state.set_channel_map(&places(channels)).ok()?;
        Some(Meter {
            state,
            channels: channels as usize,
            rate_hz,
            interleaved: Vec::new(),
            position: 0,
            taken: 0,
            peak: 0.0,
            passed: Vec::new(),
            seconds: Steps::new(Second::louder),
        })
    }

    /// What comes next is heard from here on, seconds: nothing is known of what was left out. Going back is not possible.
    pub fn resume_at(&mut self, at_s: f64) {
        let rate = u64::from(self.rate_hz);
        let position = (at_s * self.rate_hz as f64).round() as u64;
        if position <= self.position {
            return;
        }
        if position / rate > self.position / rate {
            self.end_second();
        }
        self.position = position;
    }

    /// Takes samples of all channels in turn, full scale 1.0; an incomplete last frame is left out.
    pub fn push(&mut self, interleaved: &[f32]) {
        let whole = interleaved.len() - interleaved.len() % self.channels;
        self.interleaved.clear();
        self.interleaved
            .extend(interleaved[..whole].iter().map(|sample| f64::from(*sample)));
        self.feed();
    }

    /// Takes samples channel by channel, as many of each.
    pub fn push_planar(&mut self, channels: &[&[f64]]) {
        let count = channels.iter().map(|samples| samples.len()).min().unwrap_or(0);
        if channels.len() != self.channels {
            return;
        }
        self.interleaved.clear();
        for at in 0..count {
            self.interleaved.extend(channels.iter().map(|samples| samples[at]));
        }
        self.feed();
    }

    fn feed(&mut self) {
        // What is not a number would poison every later block.
        for sample in &mut self.interleaved {
            if !sample.is_finite() {
                *sample = 0.0;
            }
        }
        self.passed.clear();
        let rate = u64::from(self.rate_hz);
        let interleaved = std::mem::take(&mut self.interleaved);
        let mut left = interleaved.as_slice();
        while !left.is_empty() {
            let frames = (left.len() / self.channels) as u64;
            let count = frames.min(rate - self.position % rate);
            let (now, later) = left.split_at(count as usize * self.channels);
            left = later;
            if self.state.add_frames_f64(now).is_err() {
                // A rate that it cannot filter: what was heard until here stands.
                return;
            }
            let peaks = (0..self.channels as u32).filter_map(|channel| self.state.prev_true_peak(channel).ok());
            self.peak = peaks.fold(self.peak, f64::max);
            self.position += count;
            self.taken += count;
            if self.position.is_multiple_of(rate) {
                let lufs = self.end_second();
                self.passed.push(lufs);
            }
        }
        self.interleaved = interleaved;
    }

    /// Notes the second that has just ended, or so much of it as there is.
    fn end_second(&mut self) -> f64 {
        let second = Second {
            lufs: self.short_term_lufs().unwrap_or(f64::NEG_INFINITY),
            peak: std::mem::take(&mut self.peak),
        };
        let at = self.position.saturating_sub(1) / u64::from(self.rate_hz);
        self.seconds.add(at, &second);
        second.lufs
    }

    /// Short-term loudness at each full second that the last samples came to, LUFS; minus infinity: silence.
    pub fn passed_seconds(&self) -> &[f64] {
        &self.passed
    }

    /// Loudness of the last three seconds, or of as much as there was yet, LUFS; none: silence.
    fn short_term_lufs(&self) -> Option<f64> {
        let taken_ms = self.taken * 1000 / u64::from(self.rate_hz);
        let window_ms = u32::try_from(taken_ms.min(SHORT_TERM_MS)).ok()?;
        self.state
            .loudness_window(window_ms)
            .ok()
            .filter(|lufs| lufs.is_finite())
    }

    /// How it went so far; none: there was nothing yet.
    pub fn series(&self) -> Option<LoudnessSeries> {
        if self.taken == 0 {
            return None;
        }
        let mut seconds = self.seconds.clone();
        let rate = u64::from(self.rate_hz);
        let (second, rest) = (self.position / rate, self.position % rate);
        if rest > 0 {
            let begun = Second {
                lufs: self.short_term_lufs().unwrap_or(f64::NEG_INFINITY),
                peak: self.peak,
            };
            // A few samples more are no second of their own.
            let at = if rest < rate / 2 {
                second.saturating_sub(1)
            } else {
                second
            };
            seconds.add(at, &begun);
        }
        let tenth = |value: f64| (value * 10.0).round() / 10.0;
        let heard = |value: f64| value.is_finite().then(|| tenth(value));
        let lufs = |second: &Second| heard(second.lufs);
        let dbtp = |second: &Second| heard(20.0 * second.peak.log10());
        let values = seconds.values();
        let largest = |of: &dyn Fn(&Second) -> Option<f64>| values.iter().filter_map(of).reduce(f64::max);
        let all = self.result();
        Some(LoudnessSeries {
            step_s: seconds.step_s(),
            short_term_lufs: values
                .iter()
                .map(|second| lufs(second).map(|value| value as f32))
                .collect(),
            true_peak_dbtp: values
                .iter()
                .map(|second| dbtp(second).map(|value| value as f32))
                .collect(),
            integrated_lufs: all.integrated_lufs.map(tenth),
            range_lu: tenth(all.range_lu),
            max_short_term_lufs: largest(&lufs),
            max_true_peak_dbtp: all.true_peak_dbtp.map(tenth),
        })
    }

    /// What was measured so far.
    pub fn result(&self) -> Loudness {
        let integrated = self.state.loudness_global().ok().filter(|lufs| lufs.is_finite());
        let peak = (0..self.channels as u32)
            .filter_map(|channel| self.state.true_peak(channel).ok())
            .fold(0.0, f64::max);
        Loudness {
            integrated_lufs: integrated,
            range_lu: self
                .state
                .loudness_range()
                .ok()
                .filter(|range| range.is_finite())
                .unwrap_or(0.0),
            true_peak_dbtp: (peak > 0.0).then(|| 20.0 * peak.log10()),
        }
    }
}

/// Where the channels of the usual layouts stand; only those at the sides weigh more (BS.1770-4, table 4).
fn places(channels: u32) -> Vec<Channel> {
    use Channel::Center;
    use Channel::Left;
    use Channel::LeftSurround;
    use Channel::Mm135;
    use Channel::Mp135;
    use Channel::Mp180;
    use Channel::Right;
    use Channel::RightSurround;
    use Channel::Unused;
    match channels {
        1 => vec![Center],
        2 => vec![Left, Right],
        3 => vec![Left, Right, Unused],
        4 => vec![Left, Right, Center, Mp180],
        5 => vec![Left, Right, Center, LeftSurround, RightSurround],
        6 => vec![Left, Right, Center, Unused, LeftSurround, RightSurround],
        7 => vec![Left, Right, Center, Unused, Mp180, LeftSurround, RightSurround],
        8 => vec![Left, Right, Center, Unused, Mp135, Mm135, LeftSurround, RightSurround],
        // Channels without places: each counts as one in front.
        more => vec![Center; more as usize],
    }
}

#[cfg(test)]
mod tests {
    use super::Meter;

    fn tone(channels: usize, amplitude: f64, seconds: usize) -> Vec<f32> {
        let samples = 48_000 * seconds;
        let at = |n: usize| (amplitude * (std::f64::consts::TAU * 997.0 * n as f64 / 48_000.0).sin()) as f32;
        (0..samples)
            .flat_map(|n| std::iter::repeat_n(at(n), channels))
            .collect()
    }

    #[test]
    fn a_stereo_tone_of_minus_23_dbfs_has_minus_23_lufs() {
        // EBU Tech 3341, test case 1.
        let mut meter = Meter::new(2, 48_000).expect("a meter");
        for piece in tone(2, 10f64.powf(-23.0 / 20.0), 5).chunks(4_000) {
            meter.push(piece);
        }
        let found = meter.result();
        assert!((found.integrated_lufs.expect("loud") + 23.0).abs() < 0.1, "{found:?}");
        assert!((found.true_peak_dbtp.expect("a peak") + 23.0).abs() < 0.2, "{found:?}");
        assert!(found.range_lu < 0.2);
    }

    #[test]
    fn low_effects_do_not_count_and_surrounds_count_more() {
        let loudness = |channel: usize| {
            let mut meter = Meter::new(6, 48_000).expect("a meter");
            let tone: Vec<f64> = tone(1, 0.1, 3).into_iter().map(f64::from).collect();
            let silence = vec![0.0; tone.len()];
            let mut channels = [silence.as_slice(); 6];
            channels[channel] = &tone;
            meter.push_planar(&channels);
            meter.result().integrated_lufs
        };
        assert_eq!(loudness(3), None);
        let (front, side) = (loudness(0).expect("loud"), loudness(4).expect("loud"));
        assert!((side - front - 1.5).abs() < 0.1, "{front} {side}");
    }

    #[test]
    fn its_course_is_told_by_the_second() {
        let mut meter = Meter::new(2, 48_000).expect("a meter");
        let quiet = tone(2, 10f64.powf(-33.0 / 20.0), 4);
        let loud = tone(2, 10f64.powf(-13.0 / 20.0), 4);
        let rest = tone(2, 10f64.powf(-13.0 / 20.0), 1);
        for piece in [&quiet, &loud].into_iter().flat_map(|tone| tone.chunks(3_334)) {
            meter.push(piece);
        }
        meter.push(&rest[..48_000]);
        let series = meter.series().expect("a course");
        assert_eq!((series.step_s, series.short_term_lufs.len()), (1.0, 9));
        let near = |found: Option<f32>, wanted: f32| found.is_some_and(|found| (found - wanted).abs() < 0.3);
        // From the first second on: there is no ramp of a window that is not full yet.
        assert!(
            series.short_term_lufs[..4].iter().all(|lufs| near(*lufs, -33.0)),
            "{series:?}"
        );
        assert!(near(series.short_term_lufs[7], -13.0) && near(series.short_term_lufs[8], -13.0));
        assert!(
            near(series.true_peak_dbtp[3], -33.0) && near(series.true_peak_dbtp[4], -13.0),
            "{series:?}"
        );
        assert_eq!(series.max_short_term_lufs.map(|lufs| lufs.round()), Some(-13.0));
    }

    #[test]
    fn what_is_left_out_is_nothing_rather_than_silence_in_its_place() {
        let mut meter = Meter::new(1, 48_000).expect("a meter");
        meter.resume_at(2.0);
        meter.push(&tone(1, 0.1, 1));
        meter.resume_at(1.0);
        meter.push(&tone(1, 0.1, 1)[..24_000]);
        meter.resume_at(6.0);
        meter.push(&tone(1, 0.1, 1));
        let series = meter.series().expect("a course");
        let is_known: Vec<bool> = series.short_term_lufs.iter().map(Option::is_some).collect();
        assert_eq!(is_known, [false, false, true, true, false, false, true]);
    }

    #[test]
    fn a_day_has_no_more_values_than_can_be_drawn() {
        let mut meter = Meter::new(1, 8000).expect("a meter");
        for second in 0..86_400 {
            meter.resume_at(f64::from(second));
        }
        meter.push(&[0.5; 8000]);
        let series = meter.series().expect("a course");
        assert_eq!(series.step_s, 256.0);
        assert_eq!(series.short_term_lufs.len(), 338);
        assert_eq!(series.true_peak_dbtp.len(), 338);
    }

    #[test]
    fn silence_has_no_loudness() {
        let mut meter = Meter::new(1, 44_100).expect("a meter");
        meter.push(&[0.0; 44_100]);
        let found = meter.result();
        assert_eq!((found.integrated_lufs, found.true_peak_dbtp), (None, None));
    }
}
