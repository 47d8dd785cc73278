//! The whole files that are damaged: small ones of the shared collection, and clips of every container made here.

#[path = "../collection/mod.rs"]
mod collection;

use std::path::Path;
use std::process::Command;

/// A whole file.
pub struct Seed {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Real files that are small and short enough to be tried a hundred times.
const REAL: [&str; 18] = [
    "ax_bear-vp9-odd-dimensions.webm",
    "ax_sample.avi",
    "ax_sample_ac3_aac.mp4",
    "ax_sample_audio_only.mp4",
    "ax_sample_fragmented.mp4",
    "ax_sample_h265.ts",
    "ax_sample_mdat_too_long.mp4",
    "ax_sample_shorter_audio.mp4",
    "ax_sample_with_invalid_nalu.mp4",
    "ax_sample_with_srt.mkv",
    "fate_displaymatrix.mp4",
    "fate_hdr10tags-both.mkv",
    "fate_interlaced_crop.mp4",
    "fate_vc1-wmapro.mp4",
    "fate_xdcam8mp2-1s_small.mp4",
    "moz_no_timescale.mp4",
    "tc_av1_video.mkv",
    "tc_h265_10bits.mp4",
];

/// Name and what follows the inputs (a picture that moves, a tone).
#[rustfmt::skip]
const MADE: [(&str, &[&str]); 14] = [
    ("b.mp4", &["-c:v", "libx264", "-bf", "3", "-g", "12", "-c:a", "aac"]),
    ("front.mp4", &["-c:v", "libx264", "-g", "12", "-c:a", "aac", "-movflags", "+faststart"]),
    ("fragments.mp4", &["-c:v", "libx264", "-g", "12", "-c:a", "aac", "-movflags", "+frag_keyframe+empty_moov"]),
    ("b.mov", &["-c:v", "mpeg4", "-q:v", "4", "-bf", "2", "-c:a", "pcm_s16le"]),
    ("prores.mov", &["-c:v", "prores_ks", "-profile:v", "0", "-c:a", "pcm_s16le"]),
    ("b.mkv", &["-c:v", "libx264", "-g", "12", "-c:a", "libopus"]),
    ("vp9.webm", &["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"]),
    ("b.ts", &["-c:v", "libx264", "-g", "12", "-c:a", "aac"]),
    ("mpeg2.ts", &["-c:v", "mpeg2video", "-q:v", "4", "-c:a", "mp2"]),
    ("b.avi", &["-c:v", "mpeg4", "-q:v", "4", "-c:a", "libmp3lame"]),
    ("b.mxf", &["-c:v", "mpeg2video", "-q:v", "4", "-c:a", "pcm_s16le", "-ar", "48000"]),
    ("b.flv", &["-c:v", "flv1", "-q:v", "4", "-c:a", "libmp3lame", "-ar", "44100"]),
    ("b.gif", &["-an"]),
    ("tone.wav", &["-vn"]),
];

/// All of them, in an order that stays.
pub fn all() -> Vec<Seed> {
    let root = tempfile::tempdir().expect("a directory");
    let mut seeds: Vec<Seed> = MADE
        .iter()
        .map(|(name, arguments)| Seed {
            name: (*name).to_owned(),
            bytes: made(&root.path().join(name), arguments),
        })
        .collect();
    for name in REAL {
        if let Some(path) = collection::media(name) {
            seeds.push(Seed {
                name: name.to_owned(),
                bytes: std::fs::read(path).expect("read"),
            });
        }
    }
    seeds
}

fn made(path: &Path, arguments: &[&str]) -> Vec<u8> {
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(["-f", "lavfi", "-i", "testsrc2=s=160x128:r=25:d=2"])
        .args(["-f", "lavfi", "-i", "sine=f=440:r=48000:d=2"])
        .args([
            "-pix_fmt",
            if path.ends_with("prores.mov") {
                "yuv422p10le"
            } else {
                "yuv420p"
            },
        ])
        .args(arguments)
        // The same bytes whenever the same ffmpeg makes them.
        .args(["-fflags", "+bitexact", "-flags", "+bitexact", "-threads", "1"])
        .arg(path)
        .status();
    assert!(
        status
            .expect("ffmpeg, a dependency of the tests, is installed")
            .success(),
        "{}",
        path.display()
    );
    std::fs::read(path).expect("read")
}
