//! Groups on real folders: several files arrive as one, once, and half of one waits.

use super::Place;
use super::Running;
use crate::objects::uri::ObjectUri;
use crate::store::listing::arrivals::ArrivalState;
use crate::trigger::WatchMode;
use crate::trigger::group::GroupKind;
use std::collections::BTreeSet;
use std::time::Duration;

/// Everything of the ledger: key, state, why.
async fn explained(running: &Running, key: &str) -> (ArrivalState, Option<String>) {
    let object = ObjectUri::new("in", key);
    let arrival = running
        .store
        .explain_object(&object)
        .await
        .expect("read")
        .arrival
        .expect("seen");
    (arrival.state, arrival.why_not)
}

async fn until_arrived(running: &Running, wanted: &[(&str, u64)]) {
    let wanted: BTreeSet<(String, u64)> = wanted.iter().map(|(key, size)| ((*key).to_owned(), *size)).collect();
    while running.arrived().await != wanted {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn pictures_of_one_name_arrive_as_one_and_again_when_one_more_comes() {
    let place = Place {
        groups: vec![GroupKind::Sequences, GroupKind::Gopro],
        ..Place::new(WatchMode::Poll)
    };
    let running = place.start().await;
    for number in 1..=5 {
        place.write(format!("s/a_000{number}.png"), "xx");
    }
    place.write("b.png", "x");
    place.write("GH010001.MP4", "xxx");
    place.write("one_01.png", "xxxx");
    until_arrived(
        &running,
        &[
            ("s/a_0001.png", 10),
            ("b.png", 1),
            ("GH010001.MP4", 3),
            ("one_01.png", 4),
        ],
    )
    .await;
    let (state, why) = explained(&running, "s/a_0003.png").await;
    assert_eq!(
        (state, why.as_deref()),
        (ArrivalState::NotTaken, Some("It is part of s/a_0001.png."))
    );
    // Restarted, and seen again by every scan: nothing is new.
    running.end().await;
    let running = place.start().await;
    for _ in 0..3 {
        let before = running.board.storages()[0].last_scan;
        running
            .until(|running| running.board.storages()[0].last_scan != before)
            .await;
    }
    assert_eq!(running.arrived().await.len(), 4);
    place.write("s/a_0006.png", "xx");
    until_arrived(
        &running,
        &[
            ("s/a_0001.png", 12),
            ("b.png", 1),
            ("GH010001.MP4", 3),
            ("one_01.png", 4),
        ],
    )
    .await;
    // One that was changed makes another whole, too; and one before the first gives it another key.
    place.write("s/a_0002.png", "xxx");
    until_arrived(
        &running,
        &[
            ("s/a_0001.png", 13),
            ("b.png", 1),
            ("GH010001.MP4", 3),
            ("one_01.png", 4),
        ],
    )
    .await;
    place.write("s/a_0000.png", "x");
    until_arrived(
        &running,
        &[
            ("s/a_0000.png", 14),
            ("b.png", 1),
            ("GH010001.MP4", 3),
            ("one_01.png", 4),
        ],
    )
    .await;
    let (_, why) = explained(&running, "s/a_0001.png").await;
    assert_eq!(why.as_deref(), Some("It is part of s/a_0000.png."));
    running.end().await;
}

#[tokio::test]
async fn half_of_a_recording_waits_and_says_for_what() {
    let place = Place {
        groups: vec![GroupKind::Gopro],
        ..Place::new(WatchMode::Poll)
    };
    let running = place.start().await;
    place.write("GH020007.MP4", "xx");
    let waits = async || loop {
        let (state, why) = explained(&running, "GH020007.MP4").await;
        if let Some(why) = why {
            return (state, why);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    running.until(|running| running.board.storages()[0].backlog > 0).await;
    let (state, why) = waits().await;
    assert!(
        state == ArrivalState::Seen && why.contains("GH010007.MP4 is not there"),
        "{why}"
    );
    running
        .until(|running| running.board.storages()[0].incomplete.is_some())
        .await;
    // Across a restart too.
    running.end().await;
    let running = place.start().await;
    place.write("GH010007.MP4", "x");
    until_arrived(&running, &[("GH010007.MP4", 3)]).await;
    running
        .until(|running| running.board.storages()[0].incomplete.is_none())
        .await;
    running.end().await;
}

#[tokio::test]
async fn pictures_that_were_there_before_stay_one() {
    let place = Place {
        groups: vec![GroupKind::Sequences],
        ..Place::new(WatchMode::Poll)
    };
    for number in 1..=3 {
        place.write(format!("a_{number}.png"), "xx");
    }
    let running = place.start().await;
    let (state, why) = explained(&running, "a_2.png").await;
    assert_eq!(
        (state, why.as_deref()),
        (ArrivalState::NotTaken, Some("It is part of a_1.png."))
    );
    let (_, why) = explained(&running, "a_1.png").await;
    assert_eq!(why.as_deref(), Some("existing"));
    assert!(running.arrived().await.is_empty());
    place.write("a_4.png", "xx");
    until_arrived(&running, &[("a_1.png", 8)]).await;
    running.end().await;
}
