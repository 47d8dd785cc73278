//! SMPTE timecode: labels of frames, `HH:MM:SS:FF` or, where numbers are dropped to keep up with the clock, `HH:MM:SS;FF`.
//!
//! Guarantees: pure; what is parsed is a label that exists at its rate, and [`Timecode`]'s text parses back to itself.
//! Counting goes round at 24 hours. Deliberately absent: where in a file timecode is stored.

use crate::media::facts::Ratio;
use std::fmt::Display;
use std::fmt::Formatter;

const HOURS: u32 = 24;

/// The label of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timecode {
    /// Frames since 00:00:00:00, less than a day of them.
    frame: u32,
    /// Exact rate of the frames.
    rate: Ratio,
    /// Labels are left out so that they keep up with the clock.
    drops: bool,
}

impl Timecode {
    /// The label of the frame so many frames after 00:00:00:00 at a frame rate; `drops` counts only where the rate has
    /// it. None for a rate that has no timecode (under 1 or over 240 frames a second).
    pub fn of_frame(frame: u64, rate: Ratio, drops: bool) -> Option<Self> {
        let nominal = nominal(rate)?;
        let drops = drops && may_drop(nominal);
        let day = frames_of_day(nominal, drops);
        Some(Timecode {
            frame: u32::try_from(frame % u64::from(day)).expect("less than a day of frames"),
            rate,
            drops,
        })
    }

    /// Reads a label at a frame rate. `;` or `.` before the frames means drop frame. The error says what is wrong.
    pub fn parse(text: &str, rate: Ratio) -> Result<Self, String> {
        let nominal =
            nominal(rate).ok_or_else(|| format!("{}/{} frames a second have no timecode", rate.num, rate.den))?;
        let shape = || format!("{text:?} is not of the form HH:MM:SS:FF or HH:MM:SS;FF");
        let text = text.trim();
        let (clock, frames, drops) = match text.rfind([':', ';', '.']) {
            Some(at) => (&text[..at], &text[at + 1..], &text[at..=at] != ":"),
            None => return Err(shape()),
        };
        let number = |part: &str| -> Option<u32> {
            let plain = (1..=3).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit());
            plain.then(|| part.parse().ok()).flatten()
        };
        let parts: Vec<Option<u32>> = clock.split([':', ';', '.']).chain([frames]).map(number).collect();
        let [Some(hours), Some(minutes), Some(seconds), Some(frames)] = parts[..] else {
            return Err(shape());
        };
        if hours >= HOURS || minutes > 59 || seconds > 59 || frames >= nominal {
            return Err(format!("{text:?} is beyond 23:59:59 and {} frames", nominal - 1));
        }
        if drops && !may_drop(nominal) {
            return Err(format!(
                "{text:?} is drop frame, which {nominal} frames a second do not have"
            ));
        }
        let dropped = nominal / 15;
        let all_minutes = hours * 60 + minutes;
        let mut frame = (all_minutes * 60 + seconds) * nominal + frames;
        if drops {
            if !minutes.is_multiple_of(10) && seconds == 0 && frames < dropped {
                return Err(format!("{text:?} is one of the labels that drop frame leaves out"));
            }
            frame -= dropped * (all_minutes - all_minutes / 10);
        }
        Ok(Timecode { frame, rate, drops })
    }

    /// Frames since 00:00:00:00.
    pub fn frame(self) -> u32 {
        self.frame
    }
    /// Exact rate of the frames.
    pub fn rate(self) -> Ratio {
        self.rate
    }
    /// Labels are left out so that they keep up with the clock.
    pub fn drops(self) -> bool {
        self.drops
    }

    /// The label so many frames later; past midnight it begins again.
    pub fn later(self, frames: u64) -> Self {
        let day = u64::from(self.frames_of_day());
        Timecode {
            frame: u32::try_from((u64::from(self.frame) + frames % day) % day).expect("less than a day of frames"),
            ..self
        }
    }

    /// The label of the frame shown so many seconds later.
    pub fn later_s(self, seconds: f64) -> Self {
        self.later((seconds.max(0.0) * self.rate.value()).round() as u64)
    }

    /// How many frames after `start` this is; past midnight when it is the smaller label.
    pub fn frames_since(self, start: Timecode) -> u32 {
        let day = self.frames_of_day();
        (self.frame + day - start.frame % day) % day
    }

    /// The same in seconds of the clock.
    pub fn seconds_since(self, start: Timecode) -> f64 {
        f64::from(self.frames_since(start)) / self.rate.value()
    }

    /// The label of the same moment at another frame rate. Drop frame stays where the rate has it.
    pub fn at_rate(self, rate: Ratio) -> Option<Self> {
        let nominal = nominal(rate)?;
        let (hours, minutes, seconds, frames) = self.parts();
        let scaled = (u64::from(frames) * u64::from(nominal)) / u64::from(self.nominal());
        let label = format!("{hours:02}:{minutes:02}:{seconds:02}:{scaled:02}");
        let plain = Timecode::parse(&label, rate).ok()?;
        if !self.drops || !may_drop(nominal) {
            return Some(plain);
        }
        let dropping = format!("{hours:02}:{minutes:02}:{seconds:02};{scaled:02}");
        // A label that is left out stands for the next one that is not.
        let next = format!("{hours:02}:{minutes:02}:{seconds:02};{:02}", nominal / 15);
        Timecode::parse(&dropping, rate)
            .or_else(|_| Timecode::parse(&next, rate))
            .ok()
    }

    /// The same label where numbers are dropped; none: its rate has no drop frame, or drop frame leaves it out.
    pub fn dropping(self) -> Option<Self> {
        let (hours, minutes, seconds, frames) = self.parts();
        Timecode::parse(&format!("{hours:02}:{minutes:02}:{seconds:02};{frames:02}"), self.rate).ok()
    }

    /// Hours, minutes, seconds, frames of the label.
    pub fn parts(self) -> (u32, u32, u32, u32) {
        let nominal = self.nominal();
        let mut label = self.frame;
        if self.drops {
            let dropped = nominal / 15;
            let (ten_minutes, minute) = (nominal * 600 - dropped * 9, nominal * 60 - dropped);
            let (tens, rest) = (self.frame / ten_minutes, self.frame % ten_minutes);
            // The first minute of ten has all its labels.
            let minutes = if rest < nominal * 60 {
                0
            } else {
                1 + (rest - nominal * 60) / minute
            };
            label += dropped * (9 * tens + minutes);
        }
        (
            label / (nominal * 3600) % HOURS,
            label / (nominal * 60) % 60,
            label / nominal % 60,
            label % nominal,
        )
    }

    fn nominal(self) -> u32 {
        nominal(self.rate).expect("checked when it was made")
    }
    fn frames_of_day(self) -> u32 {
        frames_of_day(self.nominal(), self.drops)
    }
}

impl Display for Timecode {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let (hours, minutes, seconds, frames) = self.parts();
        let before = if self.drops { ';' } else { ':' };
        write!(f, "{hours:02}:{minutes:02}:{seconds:02}{before}{frames:02}")
    }
}

/// Labels a second: 30 for 29.97.
fn nominal(rate: Ratio) -> Option<u32> {
    let rounded = rate.value().round();
    (rate.den > 0 && (1.0..=240.0).contains(&rounded)).then_some(rounded as u32)
}

fn may_drop(nominal: u32) -> bool {
    nominal.is_multiple_of(30)
}

fn frames_of_day(nominal: u32, drops: bool) -> u32 {
    let all = nominal * 3600 * HOURS;
    if drops { all - nominal / 15 * 54 * HOURS } else { all }
}

#[cfg(test)]
mod tests {
    use super::Timecode;
    use crate::media::facts::Ratio;

    const FILM: Ratio = Ratio { num: 24, den: 1 };
    const PAL: Ratio = Ratio { num: 25, den: 1 };
    const NTSC: Ratio = Ratio { num: 30_000, den: 1001 };
    const NTSC_60: Ratio = Ratio { num: 60_000, den: 1001 };

    fn at(text: &str, rate: Ratio) -> Timecode {
        Timecode::parse(text, rate).unwrap_or_else(|why| panic!("{why}"))
    }

    #[test]
    fn labels_count_frames() {
        assert_eq!(at("00:00:01:00", PAL).frame(), 25);
        assert_eq!(at("10:00:00:05", PAL).frame(), 900_005);
        assert_eq!(
            at("01:00:00:00", NTSC).frame(),
            108_000,
            "without dropping 30 labels are a second"
        );
        assert_eq!(at("01:00:00;00", NTSC).frame(), 107_892);
        assert_eq!(at("00:01:00;02", NTSC).frame(), 1800, "two labels are left out");
        assert_eq!(at("00:10:00;00", NTSC).frame(), 17_982, "but not in each tenth minute");
        assert_eq!(at("00:01:00;04", NTSC_60).frame(), 3600);
    }

    #[test]
    fn every_label_of_a_day_survives() {
        for (rate, drops, step) in [
            (NTSC, true, 7),
            (NTSC_60, true, 13),
            (NTSC, false, 11),
            (FILM, false, 17),
        ] {
            let mut frame = 0_u64;
            loop {
                let label = Timecode::of_frame(frame, rate, drops).expect("a rate");
                if u64::from(label.frame()) != frame {
                    break;
                }
                assert_eq!(at(&label.to_string(), rate), label, "frame {frame}");
                frame += step;
            }
            assert!(frame > 2_000_000, "a whole day was seen: {frame}");
        }
    }

    #[test]
    fn consecutive_labels_leave_out_what_they_should() {
        let last = at("00:00:59;29", NTSC);
        assert_eq!(last.later(1).to_string(), "00:01:00;02");
        assert_eq!(at("00:09:59;29", NTSC).later(1).to_string(), "00:10:00;00");
        assert_eq!(at("00:00:59:29", NTSC).later(1).to_string(), "00:01:00:00");
    }

    #[test]
    fn a_label_can_be_counted_with_numbers_dropped_where_the_rate_has_it() {
        assert_eq!(at("01:00:00:00", NTSC).dropping(), Some(at("01:00:00;00", NTSC)));
        assert_eq!(at("01:00:00;02", NTSC).dropping(), Some(at("01:00:00;02", NTSC)));
        assert_eq!(at("00:01:00:01", NTSC).dropping(), None);
        assert_eq!(at("01:00:00:00", PAL).dropping(), None);
    }

    #[test]
    fn an_hour_of_drop_frame_is_an_hour_of_the_clock() {
        let hour = at("01:00:00;00", NTSC).seconds_since(at("00:00:00;00", NTSC));
        assert!((hour - 3600.0).abs() < 0.01, "{hour}");
        let late = at("01:00:00:00", NTSC).seconds_since(at("00:00:00:00", NTSC));
        assert!((late - 3603.6).abs() < 0.01, "{late}");
    }

    #[test]
    fn a_clip_over_midnight_goes_on() {
        let start = at("23:59:59:24", PAL);
        assert_eq!(start.later(1).to_string(), "00:00:00:00");
        assert_eq!(at("00:00:01:00", PAL).frames_since(start), 26);
        assert_eq!(start.later_s(1.0).to_string(), "00:00:00:24");
    }

    #[test]
    fn what_is_no_label_is_refused_with_a_reason() {
        for (text, rate) in [
            ("", PAL),
            ("1:2:3", PAL),
            ("00:00:00:25", PAL),
            ("24:00:00:00", PAL),
            ("00:60:00:00", PAL),
            ("00:00:00;00", PAL),
            ("00:01:00;01", NTSC),
            ("-1:00:00:00", PAL),
            ("00:00:+1:00", PAL),
        ] {
            let why = Timecode::parse(text, rate).expect_err(text);
            assert!(why.len() > 20, "{why}");
        }
        assert!(Timecode::parse("00:00:00:00", Ratio { num: 1, den: 90_000 }).is_err());
    }

    #[test]
    fn another_frame_rate_keeps_the_moment() {
        assert_eq!(
            at("10:00:00:12", PAL)
                .at_rate(Ratio { num: 50, den: 1 })
                .expect("50")
                .to_string(),
            "10:00:00:24"
        );
        assert_eq!(
            at("00:01:00;02", NTSC).at_rate(NTSC_60).expect("60").to_string(),
            "00:01:00;04"
        );
        assert_eq!(
            at("01:00:00;00", NTSC).at_rate(PAL).expect("25").to_string(),
            "01:00:00:00"
        );
    }
}
