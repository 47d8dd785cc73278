//! Transport streams whose clock begins anew in the middle.

use crate::room::Room;
use crate::room::pictures;
use crate::room::rung;
use crate::room::tenths;

#[test]
fn two_recordings_in_one_file_follow_one_another() {
    let room = Room::new();
    for (name, color, tone_hz) in [("one.mp4", "red", 440), ("two.mp4", "blue", 880)] {
        room.slate(name, color, "128x72", "25", "4", Some(tone_hz));
        let part = room.path(name).display().to_string();
        room.make(&format!("{name}.ts"), &format!("-i {part} -c copy"));
    }
    let read = |name: &str| std::fs::read(room.path(name)).expect("it was made");
    std::fs::write(room.path("both.ts"), [read("one.mp4.ts"), read("two.mp4.ts")].concat()).expect("written");
    let run = room.run(&rung(""), &room.path("both.ts"), &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    let film = run.output("low");
    let found = pictures(&film);
    assert_eq!(found.len(), 200);
    let (first, second) = found.split_at(100);
    assert!(first.iter().all(|(_, [red, _, blue])| red > blue), "{first:?}");
    assert!(second.iter().all(|(_, [red, _, blue])| red < blue), "{second:?}");
    for (number, (at_s, _)) in found.iter().enumerate() {
        assert!(
            (at_s - found[0].0 - number as f64 / 25.0).abs() < 0.06,
            "{number}: {at_s}"
        );
    }
    let loud = tenths(&film);
    assert!(
        loud.len() >= 79 && loud[1..79].iter().all(|level| *level > 0.02),
        "{loud:?}"
    );
}
