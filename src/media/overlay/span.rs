//! When a mark is seen.
//!
//! Guarantees: pure; a moment belongs to a span when it is not before its beginning and before its end.

/// Moments are compared to a tenth of a millisecond: time stamps are fractions.
const NEAR_S: f64 = 1e-4;

/// A span of time of the output, once or again and again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    start_s: f64,
    duration_s: Option<f64>,
    every_s: Option<f64>,
}

impl Span {
    /// `start_s` below 0 counts from the end of an output of `length_s`; where that is not known, from its beginning.
    pub fn new(start_s: f64, duration_s: Option<f64>, every_s: Option<f64>, length_s: Option<f64>) -> Self {
        let start_s = match length_s {
            Some(length_s) if start_s < 0.0 => (length_s + start_s).max(0.0),
            _ => start_s.max(0.0),
        };
        Span {
            start_s,
            duration_s,
            every_s,
        }
    }

    /// Whether it is seen at a moment.
    pub fn holds(&self, at_s: f64) -> bool {
        let since_s = at_s - self.start_s + NEAR_S;
        if since_s < 0.0 {
            return false;
        }
        let Some(duration_s) = self.duration_s else { return true };
        match self.every_s {
            Some(every_s) => since_s % every_s < duration_s,
            None => since_s < duration_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn spans_begin_end_and_come_again() {
        let seen = |span: Span| -> Vec<u32> { (0..10).filter(|second| span.holds(f64::from(*second))).collect() };
        assert_eq!(seen(Span::new(0.0, None, None, None)).len(), 10);
        assert_eq!(seen(Span::new(2.0, Some(3.0), None, None)), [2, 3, 4]);
        assert_eq!(seen(Span::new(1.0, Some(1.0), Some(4.0), None)), [1, 5, 9]);
        assert_eq!(seen(Span::new(-3.0, None, None, Some(10.0))), [7, 8, 9]);
        assert_eq!(seen(Span::new(-30.0, Some(1.0), None, Some(10.0))), [0]);
        assert!(!Span::new(2.0, None, None, None).holds(1.999));
    }
}
