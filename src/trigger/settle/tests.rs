//! When things settle, in a time of the test's own.

use super::Answer;
use super::Compared;
use super::Found;
use super::Rules;
use super::Settling;
use super::Sight;
use super::Waits;
use crate::base::clock::UtcMs;
use crate::trigger::checksum::Algorithm;
use crate::trigger::checksum::Claim;
use crate::trigger::sight::Beside;

const RULES: Rules = Rules {
    looks: 2,
    interval_ms: 1_000,
    patience_ms: 0,
    min_age_ms: 0,
};

fn found(size_bytes: u64, mtime_ns: i64) -> Found {
    Found {
        key: "a".to_owned(),
        size_bytes,
        mtime_ns,
        ctime_ns: 0,
    }
}

fn sight(size_bytes: u64, tail: u64) -> Option<Sight> {
    Some(Sight {
        size_bytes,
        mtime_ns: 1,
        tail: Some(tail),
        ..Sight::default()
    })
}

fn hears(settling: &mut Settling, size_bytes: u64, now_ms: u64) -> bool {
    settling.heard(&found(size_bytes, 1), false, now_ms, UtcMs(now_ms as i64))
}

/// Looks at every due moment until something happens; answers when, and what.
fn settle(settling: &mut Settling, sight: impl Fn(u64) -> Option<Sight>) -> (u64, Answer) {
    loop {
        let now_ms = settling.next_ms().expect("something is due");
        for due in settling.due(now_ms, 10) {
            match settling.looked(&due.key, sight(now_ms), now_ms, UtcMs(now_ms as i64)) {
                Answer::Wait => {}
                answer => return (now_ms, answer),
            }
        }
    }
}

/// Looks once; answers why it waits after that.
fn look(settling: &mut Settling, seen: Option<Sight>) -> (Answer, Option<Waits>) {
    let now_ms = settling.next_ms().expect("something is due");
    let due = settling.due(now_ms, 1).remove(0);
    let answer = settling.looked(&due.key, seen, now_ms, UtcMs(now_ms as i64));
    let (slow, _) = settling.slowest(1);
    (answer, slow.into_iter().next().and_then(|slow| slow.waits))
}

#[test]
fn settles_after_so_many_equal_looks() {
    let mut settling = Settling::new(RULES);
    assert!(settling.heard(&found(5, 1), false, 0, UtcMs(7)));
    assert!(!settling.heard(&found(5, 1), false, 500, UtcMs(8)));
    let (at, answer) = settle(&mut settling, |_| sight(5, 1));
    assert_eq!(at, 2_000);
    assert!(matches!(answer, Answer::Settled(arrived) if arrived.arrival.seen_at == UtcMs(7)));
    assert!(settling.is_empty() && settling.next_ms().is_none());
}

#[test]
fn a_change_of_size_or_time_or_of_the_tail_alone_begins_anew() {
    let mut settling = Settling::new(RULES);
    hears(&mut settling, 5, 0);
    // Preallocated to its final size: only the tail tells that it is being written.
    let (at, _) = settle(&mut settling, |now| sight(5, now.min(4_000)));
    assert_eq!(at, 6_000);
    hears(&mut settling, 5, 0);
    let truncated = |now| if now < 3_000 { sight(5, 1) } else { sight(3, 1) };
    // It settles with what it has at the end.
    hears(&mut settling, 9, 0);
    let (_, answer) = settle(&mut settling, truncated);
    assert!(
        matches!(answer, Answer::Settled(arrived) if arrived.arrival.size_bytes == 3 || arrived.arrival.size_bytes == 5)
    );
}

#[test]
fn a_time_in_the_future_or_the_past_means_nothing() {
    for mtime_ns in [i64::MAX, i64::MIN, 0] {
        let mut settling = Settling::new(RULES);
        settling.heard(&found(5, mtime_ns), false, 0, UtcMs(0));
        let seen = |_| sight(5, 1).map(|sight| Sight { mtime_ns, ..sight });
        assert_eq!(settle(&mut settling, seen).0, 2_000, "{mtime_ns}");
    }
}

#[test]
fn empty_files_wait_for_content() {
    let mut settling = Settling::new(RULES);
    assert!(hears(&mut settling, 0, 0));
    let (answer, waits) = look(&mut settling, sight(0, 1));
    assert_eq!((answer, waits), (Answer::Wait, Some(Waits::Empty)));
    assert!(!hears(&mut settling, 0, 65_000));
    assert!(settling.heard(&found(5, 1), false, 70_000, UtcMs(0)));
    assert_eq!(settle(&mut settling, |_| sight(5, 1)).0, 72_000);
}

#[test]
fn one_that_grows_for_hours_is_looked_at_seldom_and_said_to_grow() {
    let mut settling = Settling::new(RULES);
    hears(&mut settling, 1, 0);
    let mut looks = 0;
    let three_hours_ms = 3 * 3_600_000;
    while settling.next_ms().is_some_and(|next| next < three_hours_ms) {
        let now_ms = settling.next_ms().expect("due");
        let _ = look(&mut settling, sight(now_ms, now_ms));
        looks += 1;
    }
    assert!(looks < 300, "{looks} looks");
    let (slow, troubles) = settling.slowest(5);
    assert_eq!(slow[0].waits, Some(Waits::Growing { since: UtcMs(0) }));
    assert_eq!(troubles, 0);
    let notes = settling.take_notes();
    assert_eq!(notes.len(), 1, "one note, not one a look");
    assert!(notes[0].1.contains("still growing"), "{notes:?}");
    // It ends: one seldom look finds the last change, the next ones none.
    let end_ms = settling.next_ms().expect("due");
    let (at, _) = settle(&mut settling, |_| sight(7, 7));
    assert!(at <= end_ms + 62_000, "{at} after {end_ms}");
    assert!(settling.take_notes().is_empty());
}

#[test]
fn a_hint_brings_a_seldom_look_forward() {
    let mut settling = Settling::new(RULES);
    hears(&mut settling, 1, 0);
    for _ in 0..200 {
        let now_ms = settling.next_ms().expect("due");
        let _ = look(&mut settling, sight(now_ms, now_ms));
    }
    let last_ms = settling.next_ms().expect("due") - 50_000;
    hears(&mut settling, 3, last_ms);
    assert_eq!(settling.next_ms(), Some(last_ms + 1_000));
}

#[test]
fn an_unfinished_container_gets_more_time_but_not_for_ever() {
    let cut = |now: u64| {
        sight(5, 1).map(|sight| Sight {
            unfinished: (now < 4_000).then(|| "its end is missing".to_owned()),
            ..sight
        })
    };
    let never = |_| cut(0);
    let mut settling = Settling::new(RULES);
    hears(&mut settling, 5, 0);
    assert_eq!(settle(&mut settling, cut).0, 4_000);
    hears(&mut settling, 5, 0);
    let (at, answer) = settle(&mut settling, never);
    assert!(at == 10_000 && matches!(answer, Answer::Settled(_)));
    let mut patient = Settling::new(Rules {
        patience_ms: 30_000,
        ..RULES
    });
    hears(&mut patient, 5, 0);
    let (_, waits) = (look(&mut patient, never(0)), look(&mut patient, never(0)).1);
    assert!(matches!(waits, Some(Waits::Unfinished { .. })));
    assert_eq!(settle(&mut patient, never).0, 30_000);
}

#[test]
fn what_cannot_be_read_is_tried_for_minutes_and_then_left_to_its_task() {
    let mut settling = Settling::new(RULES);
    hears(&mut settling, 5, 0);
    let closed = |_| {
        sight(5, 1).map(|sight| Sight {
            tail: None,
            unreadable: Some("permission denied".to_owned()),
            ..sight
        })
    };
    let (at, _) = settle(&mut settling, closed);
    assert!((300_000..400_000).contains(&at), "{at}");
    hears(&mut settling, 5, 0);
    let later = |now: u64| if now < 20_000 { closed(now) } else { sight(5, 1) };
    let (at, _) = settle(&mut settling, later);
    assert!(at < 30_000, "{at}");
}

#[test]
fn the_age_is_counted_from_what_we_saw() {
    let mut settling = Settling::new(Rules {
        min_age_ms: 100_000,
        ..RULES
    });
    hears(&mut settling, 5, 0);
    let (at, _) = settle(&mut settling, |_| sight(5, 1));
    assert!((100_000..=101_000).contains(&at), "{at}");
    // A change of content makes it young again.
    hears(&mut settling, 5, 0);
    let (at, _) = settle(
        &mut settling,
        |now| if now < 50_000 { sight(5, 1) } else { sight(6, 2) },
    );
    assert!((150_000..=162_000).contains(&at), "{at}");
}

#[test]
fn a_restart_makes_nothing_younger() {
    let rules = Rules {
        min_age_ms: 100_000,
        ..RULES
    };
    let mut settling = Settling::new(rules);
    // It changes once, and the ledger is told what it waits as.
    for (size_bytes, heard_ms) in [(4, 0), (5, 12_000)] {
        hears(&mut settling, size_bytes, heard_ms);
        while settling.next_ms().is_some_and(|next_ms| next_ms < heard_ms + 10_000) {
            look(&mut settling, sight(size_bytes, 1));
        }
    }
    let noted = settling.take_young().pop().expect("it waits for its age");
    assert_eq!(noted.size_bytes, 5);
    assert_eq!(noted.seen_at.0, 12_000, "{noted:?}");
    // The program starts again at 60 s, and meets it as it was.
    let mut settling = Settling::new(rules);
    hears(&mut settling, 5, 60_000);
    settling.is_so_since("a", noted.seen_at);
    let (at, answer) = settle(&mut settling, |_| sight(5, 1));
    assert_eq!(at, 112_000);
    assert!(matches!(answer, Answer::Settled(arrived) if arrived.arrival.seen_at == noted.seen_at));
}

fn with(beside: Beside) -> Option<Sight> {
    sight(5, 1).map(|sight| Sight { beside, ..sight })
}

#[test]
fn what_is_missing_beside_it_is_waited_for_and_woken_by() {
    let mut settling = Settling::new(RULES);
    hears(&mut settling, 5, 0);
    let _ = look(&mut settling, sight(5, 1));
    let missing = || {
        with(Beside {
            obstacle: Some(Waits::NoMarker {
                wanted: "a.done".to_owned(),
            }),
            ..Beside::default()
        })
    };
    let (answer, waits) = look(&mut settling, missing());
    assert!(answer == Answer::Wait && matches!(waits, Some(Waits::NoMarker { .. })));
    for _ in 0..100 {
        let _ = look(&mut settling, missing());
    }
    let next_ms = settling.next_ms().expect("due");
    settling.wake(|key| key == "b", next_ms - 50_000);
    assert_eq!(settling.next_ms(), Some(next_ms), "another is meant");
    settling.wake(|key| key == "a", next_ms - 50_000);
    assert_eq!(settling.next_ms(), Some(next_ms - 50_000));
    assert!(matches!(
        look(&mut settling, with(Beside::default())).0,
        Answer::Settled(_)
    ));
}

#[test]
fn while_what_speaks_of_it_changes_nothing_is_taken() {
    let mut settling = Settling::new(RULES);
    hears(&mut settling, 5, 0);
    let stamped = |now: u64| {
        with(Beside {
            stamp: now.min(5_000),
            ..Beside::default()
        })
    };
    assert_eq!(settle(&mut settling, stamped).0, 6_000);
}

fn claim(hex: &str) -> Claim {
    Claim {
        algorithm: Algorithm::Md5,
        hex: hex.to_owned(),
        list: "a.md5".to_owned(),
        stamp: 1,
    }
}

#[test]
fn a_claim_is_compared_once_and_again_when_either_changes() {
    let mut settling = Settling::new(Rules { looks: 1, ..RULES });
    hears(&mut settling, 5, 0);
    let says = |hex: &str| {
        with(Beside {
            claim: Some(claim(hex)),
            ..Beside::default()
        })
    };
    let (answer, waits) = look(&mut settling, says("aa"));
    assert!(answer == Answer::Verify(claim("aa")) && matches!(waits, Some(Waits::Verifying { .. })));
    // Meanwhile looks change nothing.
    assert_eq!(look(&mut settling, says("aa")).0, Answer::Wait);
    settling.verified("a", &claim("aa"), Some(Compared::Other("bb".to_owned())), 60_000);
    let (answer, waits) = look(&mut settling, says("aa"));
    assert!(answer == Answer::Wait && matches!(waits, Some(Waits::Differs { .. })));
    assert_eq!(settling.slowest(1).1, 1, "somebody has to see to it");
    assert_eq!(look(&mut settling, says("aa")).0, Answer::Wait, "not compared again");
    // Another claim: compared again; an answer to the old one is none to this.
    assert_eq!(look(&mut settling, says("bb")).0, Answer::Verify(claim("bb")));
    settling.verified("a", &claim("aa"), Some(Compared::Same), 120_000);
    assert_eq!(look(&mut settling, says("bb")).0, Answer::Wait);
    // It could not be read: compared once more.
    settling.verified("a", &claim("bb"), None, 240_000);
    assert_eq!(look(&mut settling, says("bb")).0, Answer::Verify(claim("bb")));
    settling.verified("a", &claim("bb"), Some(Compared::Same), 360_000);
    assert!(matches!(look(&mut settling, says("bb")).0, Answer::Settled(_)));
}

#[test]
fn what_vanishes_is_forgotten() {
    let mut settling = Settling::new(RULES);
    hears(&mut settling, 5, 0);
    assert_eq!(settle(&mut settling, |_| None), (1_000, Answer::Gone));
    assert!(settling.is_empty());
}
