//! Loudness of sound as EBU R128 defines it (ITU-R BS.1770-4, EBU Tech 3342): integrated, range, true peak.
//!
//! Guarantees: memory does not grow with the length; silence has no loudness rather than a number. Deliberately
//! absent: where the sound comes from, and what is done about it.

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
}

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
        })
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
        self.state
            .add_frames_f64(&self.interleaved)
            .expect("whole frames of as many channels as the meter was made for");
    }

    /// Loudness of the last three seconds, LUFS; none: silence.
    pub fn short_term_lufs(&self) -> Option<f64> {
        self.state.loudness_shortterm().ok().filter(|lufs| lufs.is_finite())
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
    fn silence_has_no_loudness() {
        let mut meter = Meter::new(1, 44_100).expect("a meter");
        meter.push(&[0.0; 44_100]);
        let found = meter.result();
        assert_eq!((found.integrated_lufs, found.true_peak_dbtp), (None, None));
    }
}
