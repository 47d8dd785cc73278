//! Clips made by the system's ffmpeg, once a run of the test suite.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// A clip made by `ffmpeg` with these arguments (without the output's name), kept for the other tests under `name`.
pub fn made(name: &str, args: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clips");
    std::fs::create_dir_all(&folder).expect("the folder is made");
    let target = folder.join(name);
    if !target.exists() {
        // Tests run side by side: each makes its own, and the first stays, because others may be reading it already.
        let beside = folder.join(format!("{}-{name}", std::process::id()));
        let output = Command::new("ffmpeg")
            .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"])
            .args(args)
            .arg(&beside)
            .output()
            .expect("ffmpeg is installed (packaging/prerequisites.sh test)");
        assert!(
            output.status.success(),
            "ffmpeg {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        match std::fs::hard_link(&beside, &target) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => panic!("the clip is put in place: {error}"),
        }
        std::fs::remove_file(&beside).expect("the other name is removed");
    }
    target
}

/// Encoder of pictures that is fast and that everything can play.
const PICTURES: [&str; 6] = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
const STEREO: [&str; 4] = ["-c:a", "aac", "-ac", "2"];
const FAST_START: [&str; 2] = ["-movflags", "+faststart"];

/// What a generator of ffmpeg makes, as an input.
fn generated(generator: &str) -> [&str; 4] {
    ["-f", "lavfi", "-i", generator]
}

/// 6 s of 640x360 at 25 fps with a key frame every 2 s and stereo sound.
pub fn short() -> PathBuf {
    made(
        "short.mp4",
        &[
            &generated("testsrc2=size=640x360:rate=25:duration=6")[..],
            &generated("sine=frequency=440:sample_rate=48000:duration=6"),
            &PICTURES,
            &["-g", "50"],
            &STEREO,
            &["-b:a", "96k"],
            &FAST_START,
        ]
        .concat(),
    )
}

/// The same without sound.
pub fn silent() -> PathBuf {
    made(
        "silent.mp4",
        &[
            &generated("testsrc2=size=640x360:rate=25:duration=4")[..],
            &PICTURES,
            &["-g", "50"],
            &FAST_START,
        ]
        .concat(),
    )
}

/// Sound alone.
pub fn sound_only() -> PathBuf {
    made(
        "sound.m4a",
        &[
            &generated("sine=frequency=440:sample_rate=48000:duration=5")[..],
            &STEREO,
        ]
        .concat(),
    )
}

/// 20 s of 1280x720: long enough to be interrupted.
pub fn long() -> PathBuf {
    made(
        "long.mp4",
        &[
            &generated("testsrc2=size=1280x720:rate=30:duration=20")[..],
            &generated("sine=frequency=330:sample_rate=48000:duration=20"),
            &PICTURES,
            &["-g", "60"],
            &STEREO,
            &FAST_START,
        ]
        .concat(),
    )
}
