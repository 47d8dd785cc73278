//! Clips for the tests of colour and timing, made and read by the system's own ffmpeg.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// Runs ffmpeg with words separated by blanks; `{}` in them stands for the paths, in order.
pub fn ffmpeg(words: &str, paths: &[&Path]) -> Vec<u8> {
    let mut paths = paths.iter();
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-y"]);
    for word in words.split_whitespace() {
        match word {
            "{}" => command.arg(paths.next().expect("a path for each {}")),
            word => command.arg(word),
        };
    }
    let output = command.output().expect("ffmpeg runs");
    assert!(
        output.status.success(),
        "ffmpeg {words}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// What ffprobe answers to `-show_entries`, a line each.
pub fn ffprobe(entries: &str, path: &Path) -> Vec<String> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-show_entries", entries])
        .args(["-of", "csv=p=0"])
        .arg(path)
        .output()
        .expect("ffprobe runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let lines = text.lines().map(|line| line.trim_end_matches(',').to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

/// Time stamps of the frames of a file, seconds, from the first on.
pub fn frame_times(path: &Path) -> Vec<f64> {
    let lines = ffprobe("frame=pts_time", path);
    let times: Vec<f64> = lines
        .iter()
        .filter_map(|line| line.split(',').next()?.parse().ok())
        .collect();
    let first = times.first().copied().unwrap_or(0.0);
    times.iter().map(|time| time - first).collect()
}

/// One decoded frame in 8-bit RGB.
pub struct Rgb {
    pub width: usize,
    pub height: usize,
    pub bytes: Vec<u8>,
}

impl Rgb {
    /// Frame number `number` as the independent reader shows it.
    pub fn of(path: &Path, number: usize) -> Self {
        let size = ffprobe("stream=width,height", path).remove(0);
        let mut edges = size.split(',').map(|edge| edge.parse().expect("a number"));
        let (width, height): (usize, usize) = (edges.next().expect("width"), edges.next().expect("height"));
        let select = format!("select=eq(n\\,{number}),format=rgb24");
        let words = format!("-i {{}} -vf {select} -sws_flags accurate_rnd+full_chroma_int -frames:v 1 -f rawvideo -");
        let bytes = ffmpeg(&words, &[path]);
        assert_eq!(
            bytes.len(),
            width * height * 3,
            "{} has no frame {number}",
            path.display()
        );
        Rgb { width, height, bytes }
    }

    /// The mean colour of a small square around a place given in parts of the whole.
    pub fn at(&self, across: f64, down: f64) -> [i32; 3] {
        let (x, y) = (
            (self.width as f64 * across) as usize,
            (self.height as f64 * down) as usize,
        );
        let mut sums = [0_i32; 3];
        let mut count = 0;
        for y in y.saturating_sub(1)..=(y + 1).min(self.height - 1) {
            for x in x.saturating_sub(1)..=(x + 1).min(self.width - 1) {
                let at = (y * self.width + x) * 3;
                for (sum, byte) in sums.iter_mut().zip(&self.bytes[at..at + 3]) {
                    *sum += i32::from(*byte);
                }
                count += 1;
            }
        }
        sums.map(|sum| (sum + count / 2) / count)
    }
}

/// The largest difference of two colours in any channel.
pub fn distance(one: [i32; 3], other: [i32; 3]) -> i32 {
    (0..3)
        .map(|channel| (one[channel] - other[channel]).abs())
        .max()
        .unwrap_or(0)
}

/// Eight upright bars: colours between the extremes, which every conversion must keep apart.
pub const BARS: [[u8; 3]; 8] = [
    [192, 192, 192],
    [192, 192, 16],
    [16, 192, 192],
    [16, 192, 16],
    [192, 16, 192],
    [192, 16, 16],
    [16, 16, 192],
    [16, 16, 16],
];

/// Frames of bars as raw RGB.
pub fn bars(directory: &Path, width: usize, height: usize, frames: usize) -> PathBuf {
    let path = directory.join(format!("bars-{width}x{height}.rgb"));
    let row: Vec<u8> = (0..width).flat_map(|x| BARS[x * BARS.len() / width]).collect();
    std::fs::write(&path, row.repeat(height * frames)).expect("write");
    path
}

/// A clip of four quarters: red and green above, blue and white below.
pub fn quarters(directory: &Path, width: usize, height: usize) -> PathBuf {
    let raw = directory.join("quarters.rgb");
    let pixel = |x: usize, y: usize| -> [u8; 3] {
        match (x < width / 2, y < height / 2) {
            (true, true) => [220, 20, 20],
            (false, true) => [20, 220, 20],
            (true, false) => [20, 20, 220],
            (false, false) => [220, 220, 220],
        }
    };
    let frame: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).flat_map(move |x| pixel(x, y)))
        .collect();
    std::fs::write(&raw, frame.repeat(5)).expect("write");
    let path = directory.join("quarters.mp4");
    let words = format!(
        "-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r 25 -i {{}} -c:v libx264 -preset ultrafast -crf 8 \
         -pix_fmt yuv420p {{}}"
    );
    ffmpeg(&words, &[&raw, &path]);
    path
}

/// Writes a display matrix into the only track of an MP4.
pub fn set_matrix(path: &Path, [a, b, c, d]: [i32; 4]) {
    let mut bytes = std::fs::read(path).expect("read");
    let tag = bytes
        .windows(4)
        .position(|four| four == b"tkhd")
        .expect("a track header");
    let matrix = [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30];
    for (number, value) in matrix.iter().enumerate() {
        let at = tag + 4 + 40 + 4 * number;
        bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }
    std::fs::write(path, bytes).expect("write");
}
