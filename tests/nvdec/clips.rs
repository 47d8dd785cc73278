//! Clips of every codec, made by ffmpeg.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// A clip of a moving picture with lettering. `arguments`: size and rate of it, and how it is encoded.
pub fn clip(directory: &Path, name: &str, picture: &str, arguments: &str) -> PathBuf {
    let path = directory.join(name);
    let source = format!("testsrc2={picture}");
    ffmpeg(&format!("-f lavfi -i {source} {arguments}"), &path);
    path
}

/// Runs ffmpeg with arguments separated by blanks.
pub fn ffmpeg(arguments: &str, output: &Path) {
    let done = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-y", "-nostdin", "-threads", "2"])
        .args(arguments.split_ascii_whitespace())
        .args(["-fflags", "+bitexact"])
        .arg(output)
        .output()
        .expect("ffmpeg runs");
    let words = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{arguments}: {words}");
}
