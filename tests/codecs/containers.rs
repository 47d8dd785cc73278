//! Containers: time stamps, indexes at the front, refusals.

use crate::reader;
use crate::room::Room;
use crate::room::transcode;
use reelmill::media::spec_check::check;

fn one(container: &str, video: &str) -> reelmill::media::spec::MediaWork {
    transcode(&format!(
        "[[group]]\nkind=\"file\"\ncontainer=\"{container}\"\n[[group.output]]\nname=\"x\"\nvideo={{{video}}}\naudio={{codec=\"aac\"}}\n"
    ))
}

#[test]
fn pictures_and_sound_begin_together_in_every_container() {
    let room = Room::new();
    let source = reader::plain(room.path(), 2);
    for (container, start_s) in [("mp4", 0.0), ("mov", 0.0), ("mkv", 0.0), ("ts", 1.4)] {
        let product = room.success(
            &source,
            &one(container, "codec=\"h264\",preset=\"ultrafast\",bframes=3"),
        );
        let path = room
            .path()
            .join("scratch")
            .join(&product.outputs[0].files[0].scratch_path);
        let seen = reader::look(&path);
        let first_s = seen.packets[0].0;
        assert!((first_s - start_s).abs() < 0.0006, "{container}: {first_s}");
        for pair in seen.packets.windows(2) {
            assert!((pair[1].0 - pair[0].0 - 0.04).abs() < 0.0011, "{container}: {pair:?}");
        }
        if container == "mp4" || container == "mov" {
            let bytes = std::fs::read(&path).expect("read");
            let at = |four: &[u8]| bytes.windows(4).position(|window| window == four).expect("a box");
            assert!(at(b"moov") < at(b"mdat"), "{container}: the index is at the front");
        }
        reader::decode(&path);
    }
}

#[test]
fn what_a_container_does_not_hold_is_refused_with_what_would() {
    let why = |container: &str, video: &str| {
        let found = check(&one(container, video));
        found
            .iter()
            .map(|wrong| wrong.why.clone())
            .collect::<Vec<_>>()
            .join("; ")
    };
    assert!(why("mp4", "codec=\"prores\"").contains("take container = \"mov\" or \"mkv\""));
    assert!(why("webm", "codec=\"h264\"").contains("vp9, av1"));
    assert!(why("ts", "codec=\"av1\"").contains("take container = \"mp4\""));
    assert_eq!(why("mkv", "codec=\"prores\""), "");
    let set = transcode(
        "[[group]]\nkind=\"hls\"\n[[group.output]]\nname=\"x\"\nvideo={codec=\"prores\"}\n\
        [[group.output]]\nname=\"y\"\nvideo={codec=\"copy\"}\n",
    );
    let found = check(&set);
    assert!(
        found.iter().any(|wrong| wrong.why.contains("kind = \"file\"")),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|wrong| wrong.why.contains("a copy has key frames of its own")),
        "{found:?}"
    );
}
