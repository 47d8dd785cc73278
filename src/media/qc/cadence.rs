//! Times of pictures: the usual step, gaps, steps back, and pictures shown again.
//!
//! Guarantees: memory is bounded. The usual step is the median of the steps seen, not what a header says. A source
//! of variable rate has no gaps. Deliberately absent: looking at pixels.

use crate::media::qc::span::Spans;
use std::collections::BTreeMap;

/// Different steps remembered, in tenths of a millisecond.
const STEPS: usize = 4096;
/// A step from this many usual ones on is a gap.
const GAP_STEPS: f64 = 1.5;
/// Share of steps that are the usual one, from which on a source is of constant rate.
const CONSTANT: f64 = 0.8;
/// Share of repeats at one distance that makes them a pattern.
const PATTERN: f64 = 0.7;

/// Times of pictures so far.
#[derive(Debug)]
pub struct Cadence {
    last_s: Option<f64>,
    first_s: Option<f64>,
    steps: BTreeMap<i64, u64>,
    usual_s: f64,
    /// Steps that may turn out to be gaps.
    long: Spans,
    backward: Spans,
    repeats: Spans,
    repeated: u64,
    /// Distances of repeats, in pictures.
    distances: BTreeMap<u64, u64>,
    last_repeat: Option<u64>,
}

impl Cadence {
    /// For pictures that usually last `step_s`, by the header.
    pub fn new(step_s: f64) -> Self {
        Cadence {
            last_s: None,
            first_s: None,
            steps: BTreeMap::new(),
            usual_s: step_s,
            long: Spans::default(),
            backward: Spans::default(),
            repeats: Spans::default(),
            repeated: 0,
            distances: BTreeMap::new(),
            last_repeat: None,
        }
    }

    /// A picture shown from `at_s` on.
    pub fn picture(&mut self, at_s: f64) {
        self.first_s.get_or_insert(at_s);
        if let Some(last_s) = self.last_s {
            let step_s = at_s - last_s;
            if step_s <= 0.0 {
                self.backward.add(at_s, last_s, None);
            } else {
                let tenths = (step_s * 10_000.0).round() as i64;
                if self.steps.len() < STEPS || self.steps.contains_key(&tenths) {
                    *self.steps.entry(tenths).or_default() += 1;
                }
                // The header's rate may be an average over the gaps themselves.
                if step_s > self.usual_s * 1.2 {
                    self.long.add(last_s, at_s, None);
                }
            }
        }
        self.last_s = Some(at_s);
    }

    /// So many pictures from `since_s` to `until_s` repeated the one before them; `number` is that of the next.
    pub fn repeated(&mut self, since_s: f64, until_s: f64, count: u64, number: u64) {
        self.repeated += count;
        self.repeats.add(since_s, until_s, Some(count as f64));
        if let Some(last) = self.last_repeat.replace(number) {
            let distance = number - last;
            if distance <= 120 {
                *self.distances.entry(distance).or_default() += 1;
            }
        }
    }

    /// When the first picture is shown.
    pub fn first_s(&self) -> Option<f64> {
        self.first_s
    }
    /// Pictures that repeat the one before.
    pub fn repeated_count(&self) -> u64 {
        self.repeated
    }
    /// Where.
    pub fn repeats(&self) -> &Spans {
        &self.repeats
    }
    /// Time stamps that do not go forward.
    pub fn backward(&self) -> &Spans {
        &self.backward
    }

    /// The median step, seconds.
    pub fn usual_step_s(&self) -> f64 {
        let all: u64 = self.steps.values().sum();
        let mut passed = 0;
        for (tenths, count) in &self.steps {
            passed += count;
            if passed * 2 >= all {
                return *tenths as f64 / 10_000.0;
            }
        }
        self.usual_s
    }

    /// Most steps are the usual one.
    pub fn is_constant(&self) -> bool {
        let usual_s = self.usual_step_s();
        let all: u64 = self.steps.values().sum();
        // Containers round to milliseconds.
        let near = (usual_s * 0.25).max(0.0015);
        let usual: u64 = self
            .steps
            .iter()
            .filter(|(tenths, _)| (**tenths as f64 / 10_000.0 - usual_s).abs() <= near)
            .map(|(_, count)| count)
            .sum();
        usual as f64 >= CONSTANT * all as f64
    }

    /// Where pictures are missing; the value is how many.
    pub fn gaps(&self) -> Spans {
        let usual_s = self.usual_step_s();
        let mut gaps = Spans::default();
        let (long, _) = self.long.clone().into_parts();
        for step in long {
            let steps = (step.end_s - step.start_s) / usual_s;
            if steps > GAP_STEPS {
                gaps.add(step.start_s + usual_s, step.end_s, Some((steps - 1.0).round()));
            }
        }
        gaps
    }

    /// One in so many pictures repeats the one before, over and over.
    pub fn pattern(&self) -> Option<u64> {
        let all: u64 = self.distances.values().sum();
        let (distance, count) = self.distances.iter().max_by_key(|(_, count)| **count)?;
        (all >= 4 && *count as f64 >= PATTERN * all as f64).then_some(*distance)
    }
}

#[cfg(test)]
mod tests {
    use super::Cadence;

    #[test]
    fn a_missing_picture_is_a_gap_in_a_constant_rate_only() {
        let mut cadence = Cadence::new(0.041);
        let times = (0..100)
            .filter(|number| *number != 50)
            .map(|number| f64::from(number) * 0.04);
        times.for_each(|at_s| cadence.picture(at_s));
        assert!(cadence.is_constant());
        let (gaps, _) = cadence.gaps().into_parts();
        assert_eq!(gaps.len(), 1);
        assert!(
            (gaps[0].start_s - 2.0).abs() < 1e-9 && gaps[0].value == Some(1.0),
            "{gaps:?}"
        );

        let mut variable = Cadence::new(0.1);
        let mut at_s = 0.0;
        for number in 0..100 {
            at_s += 0.02 + f64::from(number % 7) * 0.03;
            variable.picture(at_s);
        }
        assert!(!variable.is_constant());
    }

    #[test]
    fn a_pulldown_is_told_from_stray_repeats() {
        let mut pulldown = Cadence::new(0.033);
        (1..20).for_each(|number| pulldown.repeated(0.0, 0.0, 1, number * 5));
        assert_eq!(pulldown.pattern(), Some(5));
        let mut stray = Cadence::new(0.033);
        [3, 17, 18, 44, 90, 91]
            .into_iter()
            .for_each(|number| stray.repeated(0.0, 0.0, 1, number));
        assert_eq!(stray.pattern(), None);
    }
}
