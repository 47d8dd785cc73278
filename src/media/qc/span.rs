//! Stretches of time in which something holds, gathered while time goes by.
//!
//! Guarantees: memory is bounded: beyond [`MOST`] stretches only their number and length are kept.

use crate::media::product::QcEvent;

/// Stretches kept one by one.
pub const MOST: usize = 10_000;

/// Stretches found so far.
#[derive(Debug, Default, Clone)]
pub struct Spans {
    events: Vec<QcEvent>,
    left_out: u64,
    total_s: f64,
}

impl Spans {
    /// Adds one.
    pub fn add(&mut self, start_s: f64, end_s: f64, value: Option<f64>) {
        self.total_s += (end_s - start_s).max(0.0);
        if self.events.len() < MOST {
            self.events.push(QcEvent { start_s, end_s, value });
        } else {
            self.left_out += 1;
        }
    }

    /// Adds one, or makes the last one longer when it is nearer than `distance_s`; values are added up.
    pub fn join(&mut self, start_s: f64, end_s: f64, value: f64, distance_s: f64) {
        match self.events.last_mut() {
            Some(last) if self.left_out == 0 && start_s - last.end_s <= distance_s => {
                self.total_s += (end_s - last.end_s).max(0.0);
                last.end_s = last.end_s.max(end_s);
                last.value = Some(last.value.unwrap_or(0.0) + value);
            }
            _ => self.add(start_s, end_s, Some(value)),
        }
    }

    /// None was found.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
    /// How many.
    pub fn count(&self) -> u64 {
        self.events.len() as u64 + self.left_out
    }
    /// All together, seconds.
    pub fn total_s(&self) -> f64 {
        self.total_s
    }
    /// Those kept, and the number of the others.
    pub fn into_parts(self) -> (Vec<QcEvent>, u64) {
        (self.events, self.left_out)
    }
}

/// Something that holds or does not, moment by moment; a stretch counts from a shortest length on.
#[derive(Debug, Clone)]
pub struct Run {
    min_s: f64,
    since_s: Option<f64>,
    worst: f64,
    /// Stretches that were long enough.
    pub spans: Spans,
}

impl Run {
    /// Stretches of at least `min_s` count.
    pub fn new(min_s: f64) -> Self {
        Run {
            min_s,
            since_s: None,
            worst: 0.0,
            spans: Spans::default(),
        }
    }

    /// It holds from `at_s` on.
    pub fn holds(&mut self, at_s: f64, value: f64) {
        match self.since_s {
            None => (self.since_s, self.worst) = (Some(at_s), value),
            Some(_) if value.abs() > self.worst.abs() => self.worst = value,
            Some(_) => {}
        }
    }

    /// It holds no longer, from `at_s` on.
    pub fn ends(&mut self, at_s: f64) {
        if let Some(since_s) = self.since_s.take()
            // Time stamps are rounded; a stretch of the very length asked for counts.
            && at_s - since_s >= self.min_s - 1e-4
        {
            let value = (self.worst != 0.0).then_some(self.worst);
            self.spans.add(since_s, at_s, value);
        }
    }

    /// Since when it holds.
    pub fn since_s(&self) -> Option<f64> {
        self.since_s
    }
}

#[cfg(test)]
mod tests {
    use super::Run;
    use super::Spans;

    #[test]
    fn short_stretches_do_not_count() {
        let mut run = Run::new(1.0);
        for (at_s, holds) in [(0.0, true), (0.5, false), (2.0, true), (2.5, true), (3.0, false)] {
            if holds {
                run.holds(at_s, 0.0);
            } else {
                run.ends(at_s);
            }
        }
        let (events, _) = run.spans.into_parts();
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].start_s, events[0].end_s), (2.0, 3.0));
    }

    #[test]
    fn near_stretches_become_one() {
        let mut spans = Spans::default();
        spans.join(1.0, 1.1, 3.0, 0.5);
        spans.join(1.2, 1.3, 4.0, 0.5);
        spans.join(9.0, 9.1, 3.0, 0.5);
        assert_eq!(spans.count(), 2);
        let (events, _) = spans.into_parts();
        assert_eq!((events[0].end_s, events[0].value), (1.3, Some(7.0)));
    }
}
