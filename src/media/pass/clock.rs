//! Time of a pass: one origin for all tracks, and time stamps that only go forward.
//!
//! Guarantees: what is shown first, of whatever track, is at 0; the distance between tracks is the source's.
//! Jumps of a transport stream are closed for all tracks alike. Deliberately absent: frame rates.

use crate::media::av::Packet;
use crate::media::av::packet::rescale;
use crate::media::facts::Ratio;

/// Beyond this, in containers whose time may jump, a step is a jump.
const JUMP_US: i64 = 10_000_000;
/// Packets of a stream are decoded in their order: a step back is a jump much sooner. Damaged times step back by less.
const BACK_US: i64 = 1_000_000;
/// Microseconds.
pub const MICROSECOND: Ratio = Ratio { num: 1, den: 1_000_000 };
/// Timescales below this are multiplied up, as the MP4 muxer does.
const SMALLEST_SCALE: i32 = 10_000;
/// Units finer than this are not kept: their numbers overflow some players.
const LARGEST_SCALE: i32 = 1_000_000;

/// Where a stream's time 0 lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Origin {
    /// Time stamp that becomes 0.
    pub ticks: i64,
    /// Its unit.
    pub unit: Ratio,
}

impl Origin {
    /// A time stamp counted from the origin, in another unit.
    pub fn since(self, time: i64, unit: Ratio, out: Ratio) -> i64 {
        rescale(time, unit, out) - rescale(self.ticks, self.unit, out)
    }

    /// The same origin later by some seconds.
    pub fn later(self, seconds: f64) -> Self {
        let us = rescale(self.ticks, self.unit, MICROSECOND);
        if seconds == 0.0 {
            return self;
        }
        Origin {
            ticks: us + (seconds * 1e6).round() as i64,
            unit: MICROSECOND,
        }
    }
}

/// The unit outputs are written in for pictures of a stream with unit `time_base`: exact where it can be.
pub fn output_unit(time_base: Ratio) -> Ratio {
    if time_base.den < 1 || time_base.den > LARGEST_SCALE {
        return Ratio { num: 1, den: 90_000 };
    }
    let mut den = time_base.den;
    while den < SMALLEST_SCALE {
        den *= 2;
    }
    Ratio { num: 1, den }
}

/// Closes jumps in a container whose time stamps may jump: leaps forward, and clocks that begin anew.
///
/// What was in a multiplexer's buffers comes in the order of the file but on the clock before, so that each stream goes over
/// to the new one by itself; one packet with a wrong time does not take its stream along.
#[derive(Debug)]
pub struct Jumps {
    /// What is added on each clock so far, the first nothing.
    shifts_us: Vec<i64>,
    streams: Vec<Option<OnClock>>,
}

/// A stream and the clock it is on.
#[derive(Debug, Clone, Copy)]
struct OnClock {
    /// Index of its shift.
    clock: usize,
    /// When its next packet is due, shifted.
    next_us: i64,
}

impl Default for Jumps {
    fn default() -> Self {
        Jumps {
            shifts_us: vec![0],
            streams: Vec::new(),
        }
    }
}

impl Jumps {
    /// Shifts a packet's times by all jumps so far; finds a new one in them.
    pub fn close(&mut self, packet: &mut Packet, unit: Ratio) {
        let Some(dts) = packet.dts().or_else(|| packet.pts()) else {
            return;
        };
        let at_us = rescale(dts, unit, MICROSECOND);
        let duration_us = rescale(packet.duration().max(0), unit, MICROSECOND);
        let shift_us = self.shift(packet.stream_index(), at_us, duration_us);
        if shift_us != 0 {
            let shift = rescale(shift_us, MICROSECOND, unit);
            let (pts, dts, duration) = (packet.pts(), packet.dts(), packet.duration());
            packet.set_times(pts.map(|pts| pts + shift), dts.map(|dts| dts + shift), duration);
        }
    }

    fn shift(&mut self, stream: usize, at_us: i64, duration_us: i64) -> i64 {
        if self.streams.len() <= stream {
            self.streams.resize(stream + 1, None);
        }
        let newest = self.shifts_us.len() - 1;
        let clock = match self.streams[stream] {
            None => newest,
            Some(on) => {
                let step_us = |clock: usize| at_us + self.shifts_us[clock] - on.next_us;
                // Its own clock counts before others that are as near; the one before it, in case it left that by mistake.
                let clocks = std::iter::once(on.clock).chain(on.clock.saturating_sub(1)..=newest);
                let nearest = clocks.min_by_key(|clock| step_us(*clock).abs()).unwrap_or(newest);
                let step_us = step_us(nearest);
                // Of a stream that seldom says something the others tell how late it is.
                let now_us = self.streams.iter().flatten().map(|on| on.next_us).max();
                let is_late = now_us.is_some_and(|now_us| (on.next_us + step_us - now_us).abs() <= JUMP_US);
                if step_us < -BACK_US || step_us > JUMP_US && !is_late {
                    self.shifts_us.push(self.shifts_us[nearest] - step_us);
                    newest + 1
                } else {
                    if nearest > on.clock && step_us < 0 {
                        // Of two streams that cross over, the one that lasts longer says when the new clock begins.
                        self.shifts_us[nearest] -= step_us;
                    }
                    nearest
                }
            }
        };
        let shift_us = self.shifts_us[clock];
        let next_us = at_us + shift_us + duration_us;
        self.streams[stream] = Some(OnClock { clock, next_us });
        shift_us
    }

    /// Jumps closed.
    pub fn count(&self) -> u64 {
        self.shifts_us.len() as u64 - 1
    }
}

/// Decides which frames are key frames: the one nearest to each multiple of the GOP length, and the first; or every
/// so many.
#[derive(Debug, Clone)]
pub struct KeyClock {
    gop: f64,
    last: Option<i64>,
    /// Frames of a GOP, where they are counted, and how many there were.
    counting: Option<(u64, u64)>,
}

impl KeyClock {
    /// For a GOP of so many seconds in the given unit.
    pub fn new(gop_s: f64, unit: Ratio) -> Self {
        KeyClock {
            gop: gop_s / unit.value(),
            last: None,
            counting: None,
        }
    }

    /// For a GOP of so many frames, however long they last.
    pub fn counting(frames: u32) -> Self {
        KeyClock {
            gop: 1.0,
            last: None,
            counting: Some((u64::from(frames.max(1)), 0)),
        }
    }

    /// Whether the frame from `pts` on for `duration` begins a GOP. Asked once for every frame, in order.
    pub fn begins(&mut self, pts: i64, duration: i64) -> bool {
        if let Some((frames, seen)) = &mut self.counting {
            *seen += 1;
            return (*seen - 1).is_multiple_of(*frames);
        }
        let gop = ((pts as f64 + duration as f64 / 2.0) / self.gop).floor() as i64;
        let begins = self.last.is_none_or(|last| gop > last);
        if begins {
            self.last = Some(gop);
        }
        begins
    }
}

/// Turns any timing into a steady rate: each slot shows the frame that is on at its middle.
#[derive(Debug)]
pub struct Pacer {
    slot: f64,
    next: i64,
}

impl Pacer {
    /// Slots of a frame rate, over time stamps of the given unit.
    pub fn new(rate: Ratio, unit: Ratio) -> Self {
        Pacer {
            slot: 1.0 / rate.value() / unit.value(),
            next: 0,
        }
    }

    /// Numbers of the slots that the frame from `pts` on for `duration` fills; possibly none.
    pub fn slots(&mut self, pts: i64, duration: i64) -> std::ops::Range<i64> {
        // Slot n is shown around its middle; the first frame also fills what is before it.
        let end = ((pts + duration) as f64 / self.slot - 0.5).ceil().max(0.0) as i64;
        let first = self.next;
        self.next = end.max(first);
        first..self.next
    }
}

#[cfg(test)]
mod tests {
    use super::Jumps;
    use super::KeyClock;
    use super::Origin;
    use super::Pacer;
    use super::output_unit;
    use crate::media::facts::Ratio;

    const MS: Ratio = Ratio { num: 1, den: 1000 };

    #[test]
    fn units_are_exact_multiples_of_the_sources() {
        assert_eq!(output_unit(Ratio { num: 1, den: 12_288 }).den, 12_288);
        assert_eq!(output_unit(Ratio { num: 1001, den: 24_000 }).den, 24_000);
        assert_eq!(output_unit(Ratio { num: 1, den: 25 }).den, 12_800);
        assert_eq!(
            output_unit(Ratio {
                num: 1,
                den: 10_000_000
            })
            .den,
            90_000
        );
    }

    #[test]
    fn the_origin_is_common() {
        let origin = Origin { ticks: -21, unit: MS };
        assert_eq!(
            origin.since(0, Ratio { num: 1, den: 48_000 }, Ratio { num: 1, den: 48_000 }),
            1008
        );
        assert_eq!(origin.later(1.0).since(1000, MS, MS), 21);
    }

    /// Times at which packets of (stream, milliseconds), each of 40 ms, come out.
    fn closed(packets: &[(usize, i64)]) -> (Vec<i64>, u64) {
        let mut jumps = Jumps::default();
        let out = packets.iter().map(|(stream, at_ms)| {
            let at_us = at_ms * 1000;
            (at_us + jumps.shift(*stream, at_us, 40_000)) / 1000
        });
        (out.collect(), jumps.count())
    }

    #[test]
    fn a_clock_that_begins_anew_goes_on_for_all_streams() {
        // The last picture of the clock before comes after the first sound of the new one.
        let packets = [
            (0, 3880),
            (1, 3890),
            (0, 3920),
            (1, 10),
            (0, 3960),
            (0, 0),
            (1, 50),
            (0, 40),
        ];
        assert_eq!(
            closed(&packets),
            (vec![3880, 3890, 3920, 3930, 3960, 4000, 4050, 4040], 1)
        );
        let leap = [(0, 0), (1, 0), (0, 40), (0, 60_040), (1, 60_000), (0, 60_080)];
        assert_eq!(closed(&leap).0[..4], [0, 0, 40, 80]);
        assert!((closed(&leap).0[4] - 40).abs() <= 40, "{:?}", closed(&leap));
    }

    #[test]
    fn what_is_no_jump_is_left_alone() {
        for packets in [
            // One packet has the time of another; a pause; words that come seldom.
            &[(0, 5000), (0, 5040), (0, 200), (0, 5120), (0, 5160)][..],
            &[(0, 0), (1, 0), (0, 7000), (1, 7000)],
            &[
                (0, 0),
                (2, 0),
                (0, 9000),
                (0, 18_000),
                (0, 27_000),
                (2, 27_000),
                (0, 27_040),
            ],
            // Reordered by less than a second.
            &[(0, 800), (0, 100), (0, 840)],
        ] {
            let (out, _) = closed(packets);
            let others = packets.iter().zip(&out).filter(|((_, at_ms), _)| *at_ms != 200);
            for ((_, at_ms), out) in others {
                assert_eq!(out, at_ms, "{packets:?}");
            }
        }
    }

    #[test]
    fn key_frames_stand_nearest_to_each_multiple() {
        let keys = |step: i64, gop_s: f64| -> Vec<i64> {
            let mut clock = KeyClock::new(gop_s, MS);
            (0..100)
                .map(|n| n * step)
                .filter(|pts| clock.begins(*pts, step))
                .take(4)
                .collect()
        };
        assert_eq!(keys(40, 2.0), [0, 2000]);
        assert_eq!(keys(33, 1.0), [0, 990, 2013, 3003]);
        assert_eq!(keys(3000, 2.0), [0, 3000, 6000, 9000], "never two in one frame");
        let mut counting = KeyClock::counting(3);
        let counted: Vec<bool> = (0..5).map(|n| counting.begins(n * n, 1)).collect();
        assert_eq!(counted, [true, false, false, true, false], "whatever the times are");
    }

    #[test]
    fn a_pacer_repeats_and_leaves_out() {
        let slots = |step: i64, fps: i32| -> Vec<i64> {
            let mut pacer = Pacer::new(Ratio { num: fps, den: 1 }, MS);
            (0..6).map(|n| pacer.slots(n * step, step).count() as i64).collect()
        };
        assert_eq!(slots(40, 25), [1, 1, 1, 1, 1, 1]);
        assert_eq!(slots(40, 50), [2, 2, 2, 2, 2, 2]);
        assert_eq!(slots(20, 25).iter().sum::<i64>(), 3);
    }

    #[test]
    fn rates_become_their_fractions() {
        assert_eq!(Ratio::of_rate(29.97), Ratio { num: 30_000, den: 1001 });
        assert_eq!(Ratio::of_rate(23.976), Ratio { num: 24_000, den: 1001 });
        assert_eq!(Ratio::of_rate(25.0), Ratio { num: 25, den: 1 });
        assert_eq!(Ratio::of_rate(12.5), Ratio { num: 12_500, den: 1000 });
    }
}
