//! Pictures taken as they are: other containers, clips, what cannot be copied.

use crate::reader;
use crate::room::Room;
use crate::room::transcode;
use reelmill::media::product::JobEnd;
use reelmill::media::product::JobProduct;
use std::path::Path;
use std::path::PathBuf;

/// A key frame every second and reordered pictures between them.
fn reordered(directory: &Path) -> PathBuf {
    reader::clip(
        directory,
        "reordered.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=320x180:r=25:d=4",
            "-f",
            "lavfi",
            "-i",
            "sine=440:d=4:r=48000",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-bf",
            "2",
            "-g",
            "25",
            "-sc_threshold",
            "0",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
        ],
    )
}

fn copy_to(container: &str, more: &str) -> reelmill::media::spec::MediaWork {
    let audio = if container == "webm" {
        ""
    } else {
        "audio={codec=\"aac\"}\n"
    };
    let work = transcode(&format!(
        "{more}\n[[group]]\nkind=\"file\"\ncontainer=\"{container}\"\n[[group.output]]\nname=\"x\"\nvideo={{codec=\"copy\"}}\n{audio}"
    ));
    assert_eq!(reelmill::media::spec_check::check(&work), []);
    work
}

fn first_path(room: &Room, product: &JobProduct) -> PathBuf {
    room.path()
        .join("scratch")
        .join(&product.outputs[0].files[0].scratch_path)
}

#[test]
fn a_copy_has_every_packet_at_its_time() {
    let room = Room::new();
    let source = reordered(room.path());
    let before = reader::look(&source);
    for (container, start_s) in [("mp4", 0.0), ("mov", 0.0), ("mkv", 0.0), ("ts", 1.4)] {
        let product = room.success(&source, &copy_to(container, ""));
        let path = first_path(&room, &product);
        let after = reader::look(&path);
        assert_eq!(after.packets.len(), before.packets.len(), "{container}");
        for (one, other) in before.packets.iter().zip(&after.packets) {
            assert!(
                (other.0 - start_s - one.0).abs() < 0.0011,
                "{container}: {one:?} {other:?}"
            );
            assert_eq!(one.1, other.1, "{container}");
        }
        reader::decode(&path);
    }
}

#[test]
fn a_clip_of_a_copy_begins_at_a_key_frame_and_says_so() {
    let room = Room::new();
    let source = reordered(room.path());
    let product = room.success(&source, &copy_to("mp4", "clip={start_s=1.4,end_s=2.5}"));
    assert!(
        product
            .warnings
            .iter()
            .any(|warning| warning.contains("0.400 s earlier, at a key frame")),
        "{:?}",
        product.warnings
    );
    let path = first_path(&room, &product);
    let seen = reader::look(&path);
    assert_eq!(seen.keys_ms(), [0, 1000]);
    assert!(
        (38..=40).contains(&seen.packets.len()),
        "1.5 s, and what their last pictures need: {}",
        seen.packets.len()
    );
    assert!(seen.packets[0].0.abs() < 0.001);
    reader::decode(&path);
}

#[test]
fn a_copy_stands_beside_encodes_of_the_same_source() {
    let room = Room::new();
    let source = reordered(room.path());
    let work = transcode(
        "[[group]]\nkind=\"file\"\n[[group.output]]\nname=\"as-is\"\nvideo={codec=\"copy\"}\n\
        [[group.output]]\nname=\"small\"\nvideo={codec=\"h264\",height=144,preset=\"ultrafast\"}\n\
        [[group]]\nkind=\"hls\"\nsegment_s=2.0\n[[group.output]]\nname=\"v\"\nvideo={codec=\"copy\"}\naudio={codec=\"aac\"}\n",
    );
    let product = room.success(&source, &work);
    assert_eq!(product.outputs.len(), 3);
    let set = product.outputs.last().expect("a set");
    let master = set.files.last().expect("files");
    let text = std::fs::read_to_string(room.path().join("scratch").join(&master.scratch_path)).expect("read");
    assert!(
        text.contains("CODECS=\"avc1.") && text.contains("RESOLUTION=320x180"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_copied_fails_with_the_reason() {
    let room = Room::new();
    let source = reordered(room.path());
    let failure = |source: &Path, container: &str| {
        let ends = room.carry_out(source, &[copy_to(container, "")]).expect("an attempt");
        match &ends[0].1 {
            JobEnd::Failed { fault } => fault.clone(),
            other => panic!("{other:?}"),
        }
    };
    let fault = failure(&source, "webm");
    assert_eq!((fault.code.as_str(), fault.retryable), ("OutputImpossible", false));
    assert!(fault.cause.contains("webm files hold no h264"), "{fault}");

    let turned = reader::clip(
        room.path(),
        "turned.mp4",
        &[
            "-i",
            &source.to_string_lossy(),
            "-c",
            "copy",
            "-metadata:s:v",
            "rotate=90",
        ],
    );
    assert!(
        failure(&turned, "mkv").cause.contains("turn"),
        "Matroska of libav 5.1 cannot say it"
    );
    let product = room.success(&turned, &copy_to("mp4", ""));
    let facts = product.outputs[0].facts.as_ref().expect("facts");
    let (_, before) = (&source, crate::room::probe(&turned));
    let degrees = |facts: &reelmill::media::facts::MediaFacts| facts.main_video().expect("video").1.rotation_degrees;
    assert_ne!(degrees(&before), 0);
    assert_eq!(
        degrees(facts),
        degrees(&before),
        "players turn the copy as they turn the source"
    );
}
