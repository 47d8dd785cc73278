//! Sentences about findings.

use crate::media::product::QcEvent;

/// Stretches named in a sentence.
const NAMED: usize = 5;

/// `3 times, 12.40 s in all: 0.00-2.00 s, ...`.
pub fn stretches(events: &[QcEvent], left_out: u64, total_s: f64) -> String {
    let count = events.len() as u64 + left_out;
    let mut named: Vec<String> = events
        .iter()
        .take(NAMED)
        .map(|event| format!("{:.2}-{:.2} s", event.start_s, event.end_s))
        .collect();
    if count > NAMED as u64 {
        named.push("...".to_owned());
    }
    let times = if count == 1 {
        "once".to_owned()
    } else {
        format!("{count} times")
    };
    format!("{times}, {total_s:.2} s in all: {}", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::stretches;
    use crate::media::product::QcEvent;

    #[test]
    fn a_long_list_is_cut() {
        let event = |start_s: f64| QcEvent {
            start_s,
            end_s: start_s + 1.0,
            value: None,
        };
        assert_eq!(stretches(&[event(2.0)], 0, 1.0), "once, 1.00 s in all: 2.00-3.00 s");
        let many: Vec<QcEvent> = (0..7).map(|number| event(f64::from(number))).collect();
        let text = stretches(&many, 0, 7.0);
        assert!(
            text.starts_with("7 times, 7.00 s") && text.ends_with("4.00-5.00 s, ..."),
            "{text}"
        );
    }
}
