//! Loudness before the pass: the sound alone is read and decoded, as often as the gain needs.
//!
//! A gain for all of an encode must be known before its first sample is encoded. The first reading measures what the
//! encode would be without one. Where its peaks have to be limited, or its range made narrower, the result is measured
//! again and the gain put right.
//!
//! Guarantees: measured is what is encoded: the same streams, clip, mix and rate.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Packet;
use crate::media::error;
use crate::media::loudness::Loudness;
use crate::media::pass::attempt::Pass;
use crate::media::pass::clock::Jumps;
use crate::media::pass::clock::MICROSECOND;
use crate::media::pass::sound::SoundStage;
use crate::media::pass::sound::level::Gain;
use crate::media::probe::Opened;
use crate::media::progress::Progress;
use crate::media::spec::LoudnessSpec;
use std::time::Duration;
use std::time::Instant;

/// Most readings.
const READINGS: usize = 4;
/// A gain is good when the result is so near to what is wanted, LU.
const NEAR_LU: f64 = 0.1;
/// Unreadable packets in a row after which the rest is left to the pass to complain about.
const MAX_BAD_READS: u32 = 200;
/// The range is brought a little below what is asked for, because the curve follows with a delay.
const RANGE_MARGIN: f64 = 0.9;
/// A range is good when it is so little wider, LU.
const RANGE_NEAR_LU: f64 = 0.5;
/// A curve looks at loudness no further than this from the average, LU.
const CURVE_REACH_LU: f64 = 20.0;
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

/// What was found of an encode, and what is done about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Without any gain.
    pub source: Loudness,
    /// What is done.
    pub gain: Gain,
    /// With the gain.
    pub result: Loudness,
}

/// One encode under way.
struct Search {
    number: usize,
    wanted: LoudnessSpec,
    found: Option<Measured>,
    done: bool,
}

impl Pass<'_> {
    /// Finds the gain of each encode whose loudness is asked for. `again` opens the source once more.
    pub fn measure_loudness(&self, again: &dyn Fn() -> Result<Opened, Fault>) -> Result<Vec<Option<Measured>>, Fault> {
        let mut searches: Vec<Search> = self
            .plan
            .audios
            .iter()
            .enumerate()
            .filter_map(|(number, encode)| {
                Some(Search {
                    number,
                    wanted: encode.spec.loudness?,
                    found: None,
                    done: false,
                })
            })
            .collect();
        for _ in 0..READINGS {
            if searches.iter().all(|search| search.done) {
                break;
            }
            self.read_once(&mut searches, again()?)?;
        }
        let mut measured = vec![None; self.plan.audios.len()];
        for search in searches {
            measured[search.number] = search.found;
        }
        Ok(measured)
    }

    fn read_once(&self, searches: &mut [Search], opened: Opened) -> Result<(), Fault> {
        let Opened { mut demuxer, .. } = opened;
        let mut gains = vec![None; self.plan.audios.len()];
        for search in searches.iter().filter(|search| !search.done) {
            gains[search.number] = search.found.as_ref().map(|found| found.gain.clone());
        }
        let open: Vec<usize> = searches
            .iter()
            .filter(|search| !search.done)
            .map(|search| search.number)
            .collect();
        let is_open = |number: usize| open.contains(&number);
        let wanted = |encode: &crate::media::pass::plan::AudioEncode| {
            open.iter().any(|number| self.plan.audios[*number] == *encode)
        };
        let mut maker = |number: usize| is_open(number).then_some(None);
        let mut stages = self.sound_stages(&demuxer, &wanted, &[], &gains, &mut maker)?;
        let streams: Vec<usize> = stages.iter().flat_map(SoundStage::streams).collect();
        demuxer.keep_only(&streams);
        if self.timing.is_clip {
            self.seek_to_start(&mut demuxer);
        }
        self.feed(&mut demuxer, &mut stages)?;
        for stage in stages {
            let refused = |refusal: AvError| error::sound_refused("measure the sound", &self.name, &refusal);
            for (number, loudness, history) in stage.measured().map_err(refused)? {
                if let Some(search) = searches.iter_mut().find(|search| search.number == number) {
                    search.learn(loudness, &history);
                }
            }
        }
        Ok(())
    }

    fn feed(&self, demuxer: &mut crate::media::av::Demuxer, stages: &mut [SoundStage<'_>]) -> Result<(), Fault> {
        let refused = |refusal: AvError| error::sound_refused("measure the sound", &self.name, &refusal);
        let mut jumps = Jumps::default();
        let may_jump = demuxer.may_jump();
        let units: Vec<_> = demuxer.streams().map(|stream| stream.time_base()).collect();
        let mut packet = Packet::new().map_err(refused)?;
        let (mut bad_reads, mut told) = (0, Instant::now());
        loop {
            if self.watch.stop_asked() {
                return Err(error::stopped("measure the sound", &self.name));
            }
            match demuxer.read(&mut packet) {
                Ok(true) => bad_reads = 0,
                Ok(false) => return Ok(()),
                Err(refusal) => match demuxer.watch().trouble() {
                    Some(trouble) => return Err(error::source_unreadable("read", &self.name, trouble)),
                    None if refusal.is_no_memory() => return Err(refused(refusal)),
                    // The pass itself will meet the same and decide.
                    None if bad_reads >= MAX_BAD_READS => return Ok(()),
                    None => {
                        bad_reads += 1;
                        continue;
                    }
                },
            }
            let Some(unit) = units.get(packet.stream_index()).copied() else {
                continue;
            };
            if may_jump {
                jumps.close(&mut packet, unit);
            }
            let at = packet.pts().or_else(|| packet.dts());
            let at_s = at.map(|at| self.timing.origin.since(at, unit, MICROSECOND) as f64 / 1e6);
            if self
                .timing
                .end_s
                .zip(at_s)
                .is_some_and(|(end_s, at_s)| at_s > end_s + 10.0)
            {
                return Ok(());
            }
            for stage in stages.iter_mut() {
                if stage.streams().any(|stream| stream == packet.stream_index()) {
                    stage.take(&packet).map_err(refused)?;
                }
            }
            if told.elapsed() >= PROGRESS_EVERY {
                told = Instant::now();
                // The supervisor wants to see that something moves; no picture is done yet.
                self.watch.progress(Progress {
                    percent: self.share.0 * 100.0,
                    frames: 0,
                    fps: 0.0,
                    speed: 0.0,
                    eta_s: None,
                });
            }
        }
    }
}

impl Search {
    /// Takes what was measured with the gain so far.
    fn learn(&mut self, loudness: Loudness, history: &[f32]) {
        let Some(found) = &mut self.found else {
            self.begin(loudness, history);
            return;
        };
        found.result = loudness;
        let Some(lufs) = loudness.integrated_lufs else {
            self.done = true;
            return;
        };
        let missing = self.wanted.target_lufs - lufs;
        let peak = loudness.true_peak_dbtp.unwrap_or(f64::NEG_INFINITY);
        let limits = found.gain.ceiling_dbtp.is_some();
        let too_wide = self
            .wanted
            .range_lu
            .filter(|range_lu| loudness.range_lu > range_lu + RANGE_NEAR_LU);
        let narrowed = found.source.range_lu - loudness.range_lu;
        let more = too_wide.and_then(|range_lu| {
            let curve = found.gain.curve.as_ref().filter(|_| narrowed > RANGE_NEAR_LU)?;
            let factor = ((found.source.range_lu - range_lu * RANGE_MARGIN) / narrowed).clamp(1.0, 1.5) as f32;
            Some(curve.iter().map(|db| db * factor).collect())
        });
        if missing.abs() <= NEAR_LU && (limits || peak <= self.wanted.true_peak_dbtp) && more.is_none() {
            self.done = true;
            return;
        }
        found.gain.curve = more.or(found.gain.curve.take());
        found.gain.db += missing;
        if !limits && peak + missing > self.wanted.true_peak_dbtp {
            found.gain.ceiling_dbtp = Some(self.wanted.true_peak_dbtp);
        }
    }

    fn begin(&mut self, source: Loudness, history: &[f32]) {
        let Some(lufs) = source.integrated_lufs else {
            // Silence stays silence.
            self.found = Some(Measured {
                source,
                gain: Gain::default(),
                result: source,
            });
            self.done = true;
            return;
        };
        let db = self.wanted.target_lufs - lufs;
        let curve = self
            .wanted
            .range_lu
            .filter(|range_lu| source.range_lu > *range_lu)
            .map(|range_lu| curve(history, lufs, range_lu * RANGE_MARGIN / source.range_lu));
        let peak = source.true_peak_dbtp.map_or(f64::NEG_INFINITY, |peak| peak + db);
        let passes = peak > self.wanted.true_peak_dbtp;
        self.done = !passes && curve.is_none();
        self.found = Some(Measured {
            source,
            gain: Gain {
                db,
                ceiling_dbtp: passes.then_some(self.wanted.true_peak_dbtp),
                curve: curve.map(Into::into),
            },
            // One gain moves all of it alike.
            result: Loudness {
                integrated_lufs: Some(self.wanted.target_lufs),
                range_lu: source.range_lu,
                true_peak_dbtp: Some(peak),
            },
        });
    }
}

/// Gain at each full second that narrows the range to a share of what it is, around the average.
fn curve(history: &[f32], average_lufs: f64, share: f64) -> Vec<f32> {
    let at = |second: usize| history.get(second.min(history.len().saturating_sub(1))).copied();
    (0..history.len())
        .map(|second| {
            // Entry n is of the three seconds before n + 1: the middle of those around `second` is between two entries.
            let around = [at(second), at(second + 1)]
                .into_iter()
                .flatten()
                .map(|lufs| f64::from(lufs).clamp(average_lufs - CURVE_REACH_LU, average_lufs + CURVE_REACH_LU));
            let lufs = around.sum::<f64>() / 2.0;
            ((average_lufs - lufs) * (1.0 - share)) as f32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Search;
    use super::curve;
    use crate::media::loudness::Loudness;
    use crate::media::spec::LoudnessSpec;

    fn search(range_lu: Option<f64>) -> Search {
        Search {
            number: 0,
            wanted: LoudnessSpec {
                target_lufs: -23.0,
                true_peak_dbtp: -1.0,
                range_lu,
            },
            found: None,
            done: false,
        }
    }
    fn loudness(lufs: f64, peak: f64) -> Loudness {
        Loudness {
            integrated_lufs: Some(lufs),
            range_lu: 12.0,
            true_peak_dbtp: Some(peak),
        }
    }

    #[test]
    fn one_reading_is_enough_where_no_peak_passes() {
        let mut search = search(None);
        search.learn(loudness(-30.0, -12.0), &[]);
        assert!(search.done);
        let gain = search.found.expect("found").gain;
        assert_eq!((gain.db, gain.ceiling_dbtp), (7.0, None));
    }

    #[test]
    fn a_limited_result_is_measured_again_until_it_is_right() {
        let mut search = search(None);
        search.learn(loudness(-30.0, -4.0), &[]);
        assert!(!search.done);
        search.learn(loudness(-23.6, -1.0), &[]);
        assert!(!search.done);
        assert!((search.found.as_ref().expect("found").gain.db - 7.6).abs() < 1e-9);
        search.learn(loudness(-23.05, -1.0), &[]);
        assert!(search.done);
    }

    #[test]
    fn silence_gets_no_gain() {
        let mut search = search(None);
        let silence = Loudness {
            integrated_lufs: None,
            range_lu: 0.0,
            true_peak_dbtp: None,
        };
        search.learn(silence, &[]);
        assert!(search.done);
        assert_eq!(search.found.expect("found").gain.db, 0.0);
    }

    #[test]
    fn a_curve_halves_what_is_above_and_below() {
        let found = curve(&[-20.0; 4], -24.0, 0.5);
        assert!(found.iter().all(|db| (db + 2.0).abs() < 1e-6), "{found:?}");
        let found = curve(&[f32::NEG_INFINITY; 4], -24.0, 0.5);
        assert!(found.iter().all(|db| (db - 10.0).abs() < 1e-6), "{found:?}");
    }
}
