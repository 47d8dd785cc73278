//! Is the picture that stands for a film one to look at? Covers through the real binary, with and without the daemon, on
//! clips whose good stretch is known and on files of the collection; ffmpeg's meters judge what was chosen.

#[path = "../appliance/mod.rs"]
mod appliance;
#[path = "../collection/mod.rs"]
mod collection;

use appliance::Appliance;
use appliance::REELMILL;
use appliance::backend;
use appliance::clips;
use appliance::receiver::Receiver;
use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// Squares and numbers in many colours.
const PATTERN: &str = "testsrc2=size=640x360:rate=25:duration=2";

/// 14 s: black, white letters on black, colours out of focus, grey, two sharp scenes of 2 s each, white.
/// The sharp ones last from 8 s to 12 s.
fn mixed() -> PathBuf {
    let filter = format!(
        "color=black:size=640x360:rate=25:duration=2[black];\
         color=black:size=640x360:rate=25:duration=2,drawbox=x=200:y=150:w=40:h=60:color=white:t=fill,\
         drawbox=x=260:y=150:w=10:h=60:color=white:t=fill,drawbox=x=300:y=150:w=60:h=12:color=white:t=fill[title];\
         {soft},gblur=sigma=14[soft];\
         color=0x777777:size=640x360:rate=25:duration=2[grey];\
         {fractal},eq=saturation=1.6[one];\
         {picture}[two];\
         color=white:size=640x360:rate=25:duration=2[white];\
         [black][title][soft][grey][one][two][white]concat=n=7:v=1,format=yuv420p[out]",
        soft = PATTERN,
        fractal = "mandelbrot=size=640x360:rate=25:start_scale=0.3,trim=duration=2,setpts=PTS-STARTPTS",
        picture = PATTERN,
    );
    clips::made(
        "mixed.mp4",
        &[
            "-filter_complex",
            &filter,
            "-map",
            "[out]",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-g",
            "12",
        ],
    )
}

/// Runs one cover activity over a file; the report and the folder of the pictures.
fn run(input: &Path, parameters: &str) -> (Value, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a directory");
    let workflow = folder.path().join("cover.toml");
    let text = format!("name = \"cover\"\n[[activity]]\nid = \"cover\"\ntype = \"cover\"\n{parameters}\n");
    std::fs::write(&workflow, text).expect("the workflow is written");
    let output = Command::new(REELMILL)
        .arg("run")
        .arg(&workflow)
        .arg(input)
        .arg("--output")
        .arg(folder.path().join("out"))
        .arg("--json")
        .args(backend::arguments())
        .output()
        .expect("the binary starts");
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (report, folder)
}

/// Scores and times, the best first.
fn scores(report: &Value) -> Vec<(f64, f64)> {
    report["covers"]
        .as_array()
        .unwrap_or(&Vec::new())
        .iter()
        .map(|cover| {
            (
                cover["score"].as_f64().expect("a score"),
                cover["time_s"].as_f64().expect("a time"),
            )
        })
        .collect()
}

/// Mean luma (0..=255) of a picture and how blurred ffmpeg finds it.
fn measured(picture: &Path) -> (f64, f64) {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-i"])
        .arg(picture)
        .args([
            "-vf",
            "scale=640:-2,format=yuv420p,signalstats,blurdetect,metadata=print:file=-",
            "-f",
            "null",
            "-",
        ])
        .output()
        .expect("ffmpeg is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let value = |key: &str| -> f64 {
        text.lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('=')?.parse().ok())
            .unwrap_or_else(|| panic!("no {key} in {text}"))
    };
    (value("lavfi.signalstats.YAVG"), value("lavfi.blur"))
}

/// The same picture out of focus.
fn softened(picture: &Path, folder: &Path) -> PathBuf {
    let soft = folder.join("soft.png");
    let made = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-i"])
        .arg(picture)
        .args(["-vf", "gblur=sigma=4"])
        .arg(&soft)
        .status();
    assert!(made.is_ok_and(|status| status.success()));
    soft
}

#[test]
fn the_best_frame_of_a_mixed_clip_is_found() {
    let (report, folder) = run(&mixed(), "");
    assert_eq!(report["status"], "Succeed", "{report:#}");
    let found = scores(&report);
    assert_eq!(found.len(), 1);
    assert!((8.0..12.0).contains(&found[0].1), "{found:?}");
    // One cover stands at its own path, without a number.
    let picture = folder.path().join("out/cover.jpg");
    let (luma, blur) = measured(&picture);
    assert!((40.0..220.0).contains(&luma), "{luma}");
    let soft = measured(&softened(&picture, folder.path())).1;
    assert!(soft > blur * 1.5, "{blur}, out of focus {soft}");
}

#[test]
fn several_covers_are_of_different_scenes_and_ranked() {
    let (report, folder) = run(&mixed(), "count = 2\nformat = \"png\"");
    let found = scores(&report);
    assert_eq!(found.len(), 2, "{report:#}");
    assert!(found[0].0 >= found[1].0 && found[0].0 <= 10.0, "{found:?}");
    let mut times: Vec<f64> = found.iter().map(|(_, time_s)| *time_s).collect();
    times.sort_by(f64::total_cmp);
    assert!(
        (8.0..10.0).contains(&times[0]) && (10.0..12.0).contains(&times[1]),
        "one of each: {times:?}"
    );
    for number in 1..=2 {
        assert!(folder.path().join(format!("out/cover-{number:05}.png")).exists());
    }
    // More than there are good ones: those there are, and no black or blurred one.
    let (report, _folder) = run(&mixed(), "count = 20");
    let found = scores(&report);
    assert!((2..20).contains(&found.len()), "{found:?}");
    assert!(
        found.iter().all(|(_, time_s)| (8.0..12.0).contains(time_s)),
        "{found:?}"
    );
}

#[test]
fn a_moment_that_is_fixed_stays_that_very_frame() {
    for parameters in ["times = [\"1.0\"]", "start_s = 1.0"] {
        let (report, folder) = run(&mixed(), parameters);
        assert_eq!(report["status"], "Succeed", "{report:#}");
        assert!(scores(&report).is_empty(), "{report:#}");
        // It is black, as asked.
        assert!(measured(&folder.path().join("out/cover.jpg")).0 < 20.0);
    }
    for wrong in [
        "times = [\"1\", \"2\"]",
        "times = [\"1\"]\ncount = 2",
        "count = 21",
        "best = 2",
        "interval_s = 2",
    ] {
        let folder = tempfile::tempdir().expect("a directory");
        let workflow = folder.path().join("cover.toml");
        let text = format!("name = \"cover\"\n[[activity]]\nid = \"cover\"\ntype = \"cover\"\n{wrong}\n");
        std::fs::write(&workflow, text).expect("the workflow is written");
        let output = appliance::reelmill(&[
            "run",
            workflow.to_str().expect("UTF-8"),
            mixed().to_str().expect("UTF-8"),
            "--output",
            folder.path().to_str().expect("UTF-8"),
        ]);
        assert_eq!(output.status.code(), Some(2), "{wrong}: {}", appliance::said(&output));
    }
}

#[test]
fn a_film_of_nothing_gets_a_cover_and_a_warning() {
    let black = clips::made(
        "black.mp4",
        &["-f", "lavfi", "-i", "color=black:size=320x180:rate=25:duration=3"],
    );
    let (report, folder) = run(&black, "");
    assert_eq!(report["status"], "Succeed", "{report:#}");
    assert!(folder.path().join("out/cover.jpg").exists());
    assert!(
        report["warnings"].to_string().contains("the best of them is dark"),
        "{report:#}"
    );
}

#[test]
fn real_files_get_covers_that_are_neither_dark_nor_blurred() {
    // Openings that fade in from black, titles, dissolves, night; short and long, turned and interlaced.
    for name in [
        "bbb_480p_30s.mp4",
        "tc_nasa_13013.mp4",
        "ax_sample_portrait.mp4",
        "ax_sample.avi",
        "ax_bbb_2500ms.ts",
        "fate_interlaced_crop.mp4",
    ] {
        let Some(file) = collection::media(name) else {
            return;
        };
        let (report, folder) = run(&file, "width = 640");
        assert_eq!(report["status"], "Succeed", "{name}: {report:#}");
        let (luma, blur) = measured(&folder.path().join("out/cover.jpg"));
        println!("{name}: {:?}, luma {luma:.0}, blur {blur:.1}", scores(&report));
        assert!((35.0..225.0).contains(&luma), "{name}: {luma}");
        assert!(
            report["warnings"].as_array().is_some_and(Vec::is_empty),
            "{name}: {report:#}"
        );
        // A picture that is sharp loses by being put out of focus; one that is blurred hardly does.
        let soft = measured(&softened(&folder.path().join("out/cover.jpg"), folder.path())).1;
        assert!(soft > blur * 1.5, "{name}: {blur}, out of focus {soft}");
    }
}

const WORKFLOW: &str = r#"
name = "covers"
[source]
storage = "ingest"
[output]
storage = "renditions"
[[activity]]
id = "cover"
type = "cover"
count = 2
needs = ["poster"]
[[activity]]
id = "poster"
type = "snapshot"
[[activity]]
id = "later"
type = "snapshot"
needs = ["cover"]
"#;

#[test]
fn the_daemon_tells_the_scores_and_the_best_becomes_the_medias_cover() {
    let receiver = Receiver::start();
    let mut appliance = Appliance::new(&format!(
        "[callback]\nurl = \"{}\"\nprofile = \"ims\"\n",
        receiver.url()
    ));
    appliance.workflow_file("covers", WORKFLOW);
    appliance.start();
    appliance.deliver(&mixed(), "film.mp4");
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(task["status"], "Succeed", "{task:#}");
    let told = appliance.until("the choice to be told", || {
        receiver.of_type("AIProduceComplete").into_iter().next()
    });
    let body = &told.json()["MessageBody"];
    assert_eq!(body["FunctionName"], "Cover", "{body:#}");
    assert_eq!(body["Status"], "Success");
    let result: Value = serde_json::from_str(body["Result"].as_str().expect("a string")).expect("JSON");
    let result = result.as_array().expect("a list");
    assert_eq!(result.len(), 2, "{result:#?}");
    let mut last = f64::INFINITY;
    for (number, one) in result.iter().enumerate() {
        let score = one["Score"].as_f64().expect("a number");
        assert!(score > 0.0 && score <= last, "{result:#?}");
        last = score;
        let time_ms: f64 = one["Time"].as_str().expect("text").parse().expect("a number");
        assert!((8_000.0..12_000.0).contains(&time_ms), "{result:#?}");
        let url = one["Url"].as_str().expect("text");
        assert!(url.ends_with(&format!("film/cover-{:05}.jpg", number + 1)), "{url}");
        assert_eq!(body["OutputFiles"][number], *url);
        assert!(
            appliance
                .path(&format!("renditions/film/cover-{:05}.jpg", number + 1))
                .exists()
        );
    }
    let output = Command::new("sqlite3")
        .arg("-readonly")
        .arg(appliance.path("state/reelmill.db"))
        .arg("select cover from media")
        .output()
        .expect("sqlite3 is installed");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "renditions:film/cover-00001.jpg",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
