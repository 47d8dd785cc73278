//! Clips with known faults, made by ffmpeg once a test run.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// Runs ffmpeg to its end.
pub fn ffmpeg(arguments: &[&str], to: &Path) {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-fflags", "+bitexact"])
        .args(arguments)
        .arg(to)
        .output()
        .expect("ffmpeg runs");
    assert!(
        output.status.success(),
        "ffmpeg {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What ffmpeg says on standard error, of a run that writes nothing.
pub fn ffmpeg_says(arguments: &[&str]) -> String {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostats"])
        .args(arguments)
        .args(["-f", "null", "-"])
        .output()
        .expect("ffmpeg runs");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// 10.52 s of 320x180 at 25 frames a second: black 3.00-5.40, frozen 6.96-9.56; 48 kHz PCM: silent 2.00-4.50, clipped
/// 6.00-6.50, left and right apart 8.00-10.00.
pub fn faulty(directory: &Path) -> PathBuf {
    let path = directory.join("faulty.mkv");
    let pictures = "testsrc2=s=320x180:r=25:d=7.96,loop=loop=64:size=1:start=175,setpts=N/25/TB,\
        drawbox=color=black:t=fill:enable='between(t,2.99,5.39)',format=yuv420p";
    let sound = "aevalsrc=exprs='\
        if(between(t,2,4.49999),0,if(between(t,6,6.49999),2,0.2))*sin(440*2*PI*t)|\
        if(between(t,2,4.49999),0,if(between(t,6,6.49999),2,0.2))*sin(440*2*PI*t)*if(between(t,8,10),-1,1)\
        ':s=48000:d=10.56";
    ffmpeg(
        &[
            "-f",
            "lavfi",
            "-i",
            pictures,
            "-f",
            "lavfi",
            "-i",
            sound,
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-crf",
            "12",
            "-g",
            "50",
            "-c:a",
            "pcm_s16le",
        ],
        &path,
    );
    path
}

/// 4 s without a fault.
pub fn clean(directory: &Path) -> PathBuf {
    let path = directory.join("clean.mp4");
    ffmpeg(
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=320x180:r=25:d=4,format=yuv420p",
            "-f",
            "lavfi",
            "-i",
            "aevalsrc=exprs='0.2*sin(440*2*PI*t)|0.2*sin(442*2*PI*t)':s=48000:d=4",
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-crf",
            "18",
            "-g",
            "50",
            "-c:a",
            "aac",
        ],
        &path,
    );
    path
}

/// 4 s of 320x180, fields of different moments, with or without saying so.
pub fn woven(directory: &Path, says_so: bool) -> PathBuf {
    let path = directory.join(format!("woven-{says_so}.mkv"));
    let set = if says_so { "setfield=tff" } else { "setfield=prog" };
    let pictures = format!("testsrc2=s=320x180:r=50:d=4,scroll=h=0.01,tinterlace=interleave_top,{set},format=yuv420p");
    let mut arguments = vec![
        "-f", "lavfi", "-i", &pictures, "-c:v", "libx264", "-preset", "veryfast", "-crf", "12",
    ];
    if says_so {
        arguments.extend(["-x264-params", "tff=1"]);
    }
    ffmpeg(&arguments, &path);
    path
}
