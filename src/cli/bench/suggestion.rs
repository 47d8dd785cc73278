//! What the measured figures say about `[capacity]`.
//!
//! Guarantees: pure; every number has its reason, and nothing is suggested that was not measured. Deliberately absent:
//! limits of memory that other programs will want.

use crate::cli::bench::case::Case;
use crate::cli::bench::case::Measured;
use serde::Serialize;

/// More at once is worth it when that makes so many times as much.
const WORTH_IT: f64 = 1.1;
/// Share of the host's memory that attempts together may hold.
const MEMORY_SHARE: f64 = 0.7;

/// Values for the configuration, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Suggestion {
    /// `capacity.threads`.
    pub threads: u32,
    /// `capacity.attempts`.
    pub attempts: u32,
    /// `capacity.gpu.attempts`; none: no device was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_attempts: Option<u32>,
    /// Why, a sentence each.
    pub reasons: Vec<String>,
}

/// Whether trying twice as many ladders at once could make more.
pub fn is_worth_trying(last: &Measured, before: Option<&Measured>, memory_bytes: u64) -> bool {
    let gained = before.is_none_or(|before| last.fps > before.fps * WORTH_IT);
    let holds = f64::from(last.at_once * 2) * last.peak_memory_bytes as f64;
    gained && holds < memory_bytes as f64 * MEMORY_SHARE
}

/// Draws the conclusion from all that was measured.
pub fn suggest(measured: &[Measured], threads: u32) -> Suggestion {
    let mut suggestion = Suggestion {
        threads,
        ..Suggestion::default()
    };
    let mut conclude = |is_device: bool| {
        let ladders: Vec<&Measured> = measured
            .iter()
            .filter(|one| one.case == Case::Ladder && (one.backend != "software") == is_device)
            .collect();
        let best = fewest_of_the_best(&ladders)?;
        let where_ = if is_device { "on the device" } else { "in software" };
        let each: Vec<String> = ladders
            .iter()
            .map(|one| format!("{} at once {:.1} fps", one.at_once, one.fps))
            .collect();
        suggestion
            .reasons
            .push(format!("ladders {where_}: {}", each.join(", ")));
        Some(best)
    };
    let software = conclude(false);
    suggestion.gpu_attempts = conclude(true);
    suggestion.attempts = software.unwrap_or(1);
    suggestion
}

/// The smallest number at once that is not worth doubling.
fn fewest_of_the_best(ladders: &[&Measured]) -> Option<u32> {
    let first = ladders.first()?;
    let best = ladders.iter().skip(1).fold(
        first,
        |best, one| {
            if one.fps > best.fps * WORTH_IT { one } else { best }
        },
    );
    Some(best.at_once)
}

#[cfg(test)]
mod tests {
    use super::is_worth_trying;
    use super::suggest;
    use crate::cli::bench::case::Case;
    use crate::cli::bench::case::Measured;

    fn ladder(backend: &str, at_once: u32, fps: f64) -> Measured {
        Measured {
            case: Case::Ladder,
            at_once,
            backend: backend.to_owned(),
            fallback_reason: None,
            wall_ms: 1_000,
            cpu_ms: 1_900,
            fps,
            speed: fps / 30.0,
            peak_memory_bytes: 1 << 30,
        }
    }

    #[test]
    fn the_fewest_attempts_that_make_the_most_are_suggested() {
        let measured = [
            ladder("software", 1, 50.0),
            ladder("software", 2, 53.0),
            ladder("gpu", 1, 200.0),
            ladder("gpu", 2, 380.0),
            ladder("gpu", 4, 390.0),
        ];
        let suggestion = suggest(&measured, 16);
        assert_eq!(
            (suggestion.threads, suggestion.attempts, suggestion.gpu_attempts),
            (16, 1, Some(2))
        );
        assert_eq!(suggestion.reasons.len(), 2);
        assert!(
            suggestion.reasons[1].contains("2 at once 380.0 fps"),
            "{:?}",
            suggestion.reasons
        );
    }

    #[test]
    fn a_device_that_was_not_measured_gets_no_number() {
        assert_eq!(suggest(&[ladder("software", 1, 50.0)], 2).gpu_attempts, None);
    }

    #[test]
    fn more_is_tried_while_it_gains_and_fits() {
        let (one, two) = (ladder("software", 1, 50.0), ladder("software", 2, 53.0));
        assert!(is_worth_trying(&one, None, 64 << 30));
        assert!(!is_worth_trying(&two, Some(&one), 64 << 30), "it gained too little");
        assert!(!is_worth_trying(&one, None, 2 << 30), "two do not fit");
    }
}
