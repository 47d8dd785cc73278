//! Clips whose frames carry their own number as a pattern of black and white blocks, and reading it back from a
//! picture of any size: the only honest way to tell which frame a picture shows.

use reelmill::media::picture::Picture;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

/// Pixels of a clip.
pub const WIDTH: u32 = 320;
/// See `WIDTH`.
pub const HEIGHT: u32 = 180;
/// Frames a second.
pub const FPS: u32 = 25;

const COLUMNS: u32 = 8;
const ROWS: u32 = 2;

/// Twelve bits of number, four of checksum.
fn code(number: u32) -> u32 {
    let sum = (number & 15) + (number >> 4 & 15) + (number >> 8 & 15) + 5;
    number & 0xfff | (sum & 15) << 12
}

fn frame(number: u32) -> Vec<u8> {
    let code = code(number);
    (0..WIDTH * HEIGHT)
        .map(|at| {
            let (x, y) = (at % WIDTH, at / WIDTH);
            let block = y * ROWS / HEIGHT * COLUMNS + x * COLUMNS / WIDTH;
            if code >> block & 1 == 1 { 255 } else { 0 }
        })
        .collect()
}

/// Encodes `frames` frames at 25 a second with ffmpeg; `arguments` stand between input and output. The first `black`
/// frames are black instead.
pub fn make(path: &Path, frames: u32, black: u32, arguments: &[&str]) {
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", "gray"])
        .args([
            "-s",
            &format!("{WIDTH}x{HEIGHT}"),
            "-r",
            &FPS.to_string(),
            "-i",
            "pipe:0",
        ])
        .args(arguments)
        .args(["-pix_fmt", "yuv420p", "-threads", "2"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .expect("ffmpeg, a dependency of the tests, is installed");
    let mut pipe = child.stdin.take().expect("piped");
    for number in 0..frames {
        let bytes = if number < black {
            vec![0; (WIDTH * HEIGHT) as usize]
        } else {
            frame(number)
        };
        pipe.write_all(&bytes).expect("ffmpeg reads all frames");
    }
    drop(pipe);
    assert!(child.wait().expect("ffmpeg ends").success());
}

/// The number of the frame that a part of a picture shows; none when there is no clear pattern.
pub fn number(picture: &Picture, x: u32, y: u32, width: u32, height: u32) -> Option<u32> {
    let mut found = 0;
    for block in 0..COLUMNS * ROWS {
        let (column, row) = (block % COLUMNS, block / COLUMNS);
        let at = (
            x + (column * 2 + 1) * width / COLUMNS / 2,
            y + (row * 2 + 1) * height / ROWS / 2,
        );
        match picture.pixel(at.0, at.1)[1] {
            0..=90 => {}
            165..=255 => found |= 1 << block,
            _ => return None,
        }
    }
    let number = found & 0xfff;
    (code(number) == found).then_some(number)
}
