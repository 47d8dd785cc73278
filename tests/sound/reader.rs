//! Debian's ffmpeg and ffprobe: sources made with the one, outputs read with the other.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// Runs ffmpeg with arguments in one string (no spaces within any), then paths; it must succeed.
pub fn ffmpeg(before: &[&str], path: &Path) {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-y", "-v", "error"])
        .args(before)
        .arg(path)
        .output()
        .expect("ffmpeg runs");
    assert!(
        output.status.success(),
        "{before:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Makes a file of lavfi inputs and further arguments.
pub fn make(directory: &Path, name: &str, inputs: &[&str], more: &str) -> PathBuf {
    let path = directory.join(name);
    let mut arguments = Vec::new();
    for input in inputs {
        arguments.extend(["-f", "lavfi", "-i", input]);
    }
    arguments.extend(more.split_whitespace());
    ffmpeg(&arguments, &path);
    path
}

/// Decoded samples of one audio track, channels in turn; from time 0 on, where a file says that some are before it.
pub fn samples(path: &Path, track: usize) -> Vec<f32> {
    // Its decoder leaves out by itself what is before the beginning.
    let is_opus = path.to_string_lossy().contains("opus");
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error", "-copyts", "-i"])
        .arg(path)
        .args(["-map", &format!("0:a:{track}")])
        .args(
            if path.extension().is_some_and(|extension| extension == "mkv") && !is_opus {
                &["-af", "aresample=async=1:first_pts=0"] as &[&str]
            } else {
                &[]
            },
        )
        .args(["-f", "f32le", "-"])
        .output()
        .expect("ffmpeg runs");
    assert!(
        output.status.success(),
        "{}: {}",
        path.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let four = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    output.stdout.chunks_exact(4).map(four).collect()
}

/// MD5 of what ffmpeg makes of a track with these arguments.
pub fn md5(path: &Path, track: usize, how: &str) -> String {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error", "-i"])
        .arg(path)
        .args(["-map", &format!("0:a:{track}")])
        .args(how.split_whitespace())
        .args(["-f", "md5", "-"])
        .output()
        .expect("ffmpeg runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// Entries of the audio streams, a line each, as ffprobe writes them compactly.
pub fn streams(path: &Path, entries: &str) -> Vec<String> {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "a",
            "-of",
            "csv=p=0",
            "-show_entries",
            entries,
        ])
        .arg(path)
        .output()
        .expect("ffprobe runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let lines = text.lines().map(|line| line.trim_end_matches(','));
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Integrated loudness and true peak by ffmpeg's own meter.
pub fn loudness(path: &Path, track: usize) -> (f64, f64) {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-i"])
        .arg(path)
        .args([
            "-map",
            &format!("0:a:{track}"),
            "-af",
            "ebur128=peak=true",
            "-f",
            "null",
            "-",
        ])
        .output()
        .expect("ffmpeg runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let summary = &text[text.rfind("Summary:").expect("a summary")..];
    let value = |label: &str| -> f64 {
        let rest = &summary[summary.find(label).expect(label) + label.len()..];
        rest.split_whitespace()
            .next()
            .expect("a value")
            .parse()
            .expect("a number")
    };
    (value("I:"), value("Peak:"))
}

/// By how many samples `made` lags `source`, within `reach`; both mono. Also how alike they are there, 1.0 at most.
pub fn lag(source: &[f32], made: &[f32], reach: i64) -> (i64, f64) {
    let length = source.len().min(made.len()).min(26_400);
    let at = |samples: &[f32], index: i64| {
        usize::try_from(index)
            .ok()
            .and_then(|index| samples.get(index))
            .copied()
            .unwrap_or(0.0)
    };
    let energy = |samples: &[f32]| samples[..length].iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
    let norm = (energy(source) * energy(made)).sqrt().max(1e-9);
    // Near ones all, far ones now and then: what is compared has no sharper peaks.
    (-reach..=reach)
        .filter(|lag| lag.abs() <= 48 || lag % 8 == 0)
        .map(|lag| {
            let sum: f64 = (0..length as i64)
                .map(|n| f64::from(at(source, n)) * f64::from(at(made, n + lag)))
                .sum();
            (lag, sum / norm)
        })
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .expect("some lag")
}

/// Amplitude of a tone in one of so many channels.
pub fn tone(samples: &[f32], (channel, channels): (usize, usize), rate_hz: f64, hz: f64) -> f64 {
    let own: Vec<f64> = samples
        .iter()
        .skip(channel)
        .step_by(channels)
        .map(|s| f64::from(*s))
        .collect();
    // Away from the ends, where encoders swing in and out, and over whole periods.
    let from = own.len() / 4;
    let own = &own[from..from + own.len() / 2 / 4800 * 4800];
    let angle = |n: usize| std::f64::consts::TAU * hz * n as f64 / rate_hz;
    let (sine, cosine) = own.iter().enumerate().fold((0.0, 0.0), |(sine, cosine), (n, sample)| {
        (sine + sample * angle(n).sin(), cosine + sample * angle(n).cos())
    });
    2.0 * sine.hypot(cosine) / own.len() as f64
}
