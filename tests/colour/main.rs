//! Pictures and their timing: what was red is red, what was above is above, what was on at a time is on at that time.
//! Clips are made by the system's ffmpeg, and outputs read back by it.

mod clips;
#[allow(dead_code)]
#[path = "../media_pass/room.rs"]
mod room;

mod bars;
mod cutting_room;
mod hdr;
mod motion;
mod shape;

use reelmill::media::product::JobProduct;
use room::Room;
use std::path::Path;
use std::path::PathBuf;

/// A transcode into one file with this `video`.
fn one_file(video: &str) -> reelmill::media::spec::MediaWork {
    room::transcode(&format!(
        "[[group]]\nkind = \"file\"\n[[group.output]]\nname = \"out\"\nvideo = {{ {video} }}\naudio = {{ codec = \"aac\" }}\n"
    ))
}

/// The first file of a product.
fn made(room: &Room, product: &JobProduct) -> PathBuf {
    room.path()
        .join("scratch")
        .join(&product.outputs[0].files[0].scratch_path)
}

/// Nearly lossless H.264 at the source's own size.
const FINE: &str = "codec = \"h264\", preset = \"ultrafast\", crf = 4";

fn transcoded(room: &Room, source: &Path, video: &str) -> PathBuf {
    let product = room.success(source, &one_file(video));
    made(room, &product)
}
