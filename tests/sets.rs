//! Do DASH and CMAF sets come through the daemon whole: published with their manifests last, played over signed links,
//! and replaced by the next version of their source without mixing the two?

mod appliance;

use appliance::Appliance;
use appliance::clips;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// A set of two rungs in each packaging, with sound and subtitles.
fn workflow() -> String {
    let group = |kind: &str| {
        let rungs: String = [("240p", 240), ("144p", 144)]
            .iter()
            .map(|(name, height)| {
                format!(
                    "[[activity.group.output]]\nname = \"{name}\"\nvideo = {{ codec = \"h264\", height = {height}, \
                     preset = \"ultrafast\", rate = \"crf\", crf = 30.0, gop_s = 1.0 }}\n\
                     audio = {{ codec = \"aac\", bitrate_kbps = 64 }}\n"
                )
            })
            .collect();
        format!("[[activity.group]]\nkind = \"{kind}\"\nname = \"{kind}\"\nsegment_s = 2.0\n{rungs}")
    };
    format!(
        "name = \"sets\"\n[source]\nstorage = \"ingest\"\n[output]\nstorage = \"renditions\"\non_conflict = \"overwrite\"\n\
         [[activity]]\nid = \"ladder\"\ntype = \"transcode\"\n{}{}",
        group("dash"),
        group("cmaf")
    )
}

/// A clip with two languages of subtitles, of so many seconds.
fn clip(seconds: u32) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let text = folder.join("sets.srt");
    std::fs::write(
        &text,
        "1\n00:00:00,500 --> 00:00:01,500\nhello\n\n2\n00:00:02,000 --> 00:00:03,000\nthere\n",
    )
    .expect("written");
    let path = text.to_str().expect("plain").to_owned();
    let seconds = seconds.to_string();
    clips::made(
        &format!("sets-{seconds}.mkv"),
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=426x240:r=25",
            "-f",
            "lavfi",
            "-i",
            "sine=r=48000",
            "-i",
            &path,
            "-i",
            &path,
            "-map",
            "0",
            "-map",
            "1",
            "-map",
            "2",
            "-map",
            "3",
            "-t",
            &seconds,
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-c:a",
            "aac",
            "-c:s",
            "srt",
            "-metadata:s:s:0",
            "language=eng",
            "-metadata:s:s:1",
            "language=deu",
        ],
    )
}

/// Seconds that another player finds in a manifest, after decoding all of the pictures it chooses.
fn played_s(address: &str) -> f64 {
    let answer = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-count_frames",
            "-select_streams",
            "v:0",
            "-show_entries",
            "stream=nb_read_frames",
            "-of",
            "csv=p=0",
        ])
        .args(["-allowed_extensions", "ALL"])
        .arg(address)
        .output()
        .expect("ffprobe runs");
    assert!(
        answer.stderr.is_empty(),
        "{address}: {}",
        String::from_utf8_lossy(&answer.stderr)
    );
    let text = String::from_utf8_lossy(&answer.stdout);
    let frames: f64 = text
        .lines()
        .next()
        .and_then(|line| line.trim_matches(',').parse().ok())
        .expect("a count");
    frames / 25.0
}

#[test]
fn dash_and_cmaf_sets_are_published_played_and_replaced() {
    let mut appliance = Appliance::new("");
    appliance.workflow_file("sets", &workflow());
    appliance.start();
    appliance.deliver(&clip(5), "a/film.mkv");
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(task["status"], "Succeed", "{task:#}");
    let manifests = ["a/film/dash.mpd", "a/film/cmaf.mpd", "a/film/cmaf.m3u8"];
    let files = appliance.files("renditions");
    for manifest in manifests {
        assert!(
            files.iter().any(|file| file == manifest),
            "{manifest} is missing: {files:#?}"
        );
        let path = appliance.path("renditions").join(manifest);
        assert_eq!(played_s(path.to_str().expect("plain")), 5.0, "{manifest}");
    }
    assert!(!files.iter().any(|file| file.starts_with('.')), "{files:#?}");
    let mpd = std::fs::read_to_string(appliance.path("renditions/a/film/dash.mpd")).expect("there");
    for language in ["en", "de"] {
        assert!(
            mpd.contains(&format!("lang=\"{language}\"")),
            "subtitles in {language}:\n{mpd}"
        );
    }

    // A later version of the same source takes the place of the sets, whole.
    appliance.deliver(&clip(3), "a/film.mkv");
    let tasks = appliance.ended_tasks(2);
    assert!(tasks.iter().all(|task| task["status"] == "Succeed"), "{tasks:#?}");
    for manifest in manifests {
        let path = appliance.path("renditions").join(manifest);
        assert_eq!(
            played_s(path.to_str().expect("plain")),
            3.0,
            "{manifest} after the second version"
        );
    }
}
