//! Bitrate, loudness and quality of what was made.

use crate::scene;
use serde_json::Value;

const RUNG: &str = r#"video = { codec = "h264", height = 180, preset = "ultrafast", rate = "crf", crf = 30.0, gop_s = 1.0 }
audio = { codec = "aac", bitrate_kbps = 96 }
"#;

fn ladder(quality: &str) -> String {
    format!(
        "[[activity]]\nid = \"ladder\"\ntype = \"transcode\"\n{quality}\
         [[activity.group]]\nname = \"files\"\nkind = \"file\"\ncontainer = \"mp4\"\n[[activity.group.output]]\nname = \"180p\"\n{RUNG}\
         [[activity.group]]\nname = \"set\"\nkind = \"hls\"\nsegment_s = 2.0\n[[activity.group.output]]\nname = \"180p\"\n{RUNG}\
         [[activity.group]]\nname = \"both\"\nkind = \"cmaf\"\nsegment_s = 2.0\n[[activity.group.output]]\nname = \"180p\"\n{RUNG}"
    )
}

fn track<'a>(rendition: &'a Value, kind: &str) -> &'a Value {
    let tracks = rendition["tracks"].as_array().expect("tracks");
    tracks
        .iter()
        .find(|track| track["kind"] == kind)
        .unwrap_or(&Value::Null)
}

fn near(found: &Value, wanted: f64, share: f64) -> bool {
    found
        .as_f64()
        .is_some_and(|found| (found - wanted).abs() <= wanted.abs() * share)
}

#[test]
fn bits_of_files_and_sets_are_told_by_the_second_as_ffprobe_counts_them() {
    let (appliance, task) = scene::run(&ladder(""), &scene::rising(), "mp4");
    assert_eq!(task["status"], "Succeed", "{task:#}");
    let series = scene::of_task(&appliance, &task);
    let outputs = series["outputs"].as_array().expect("outputs");
    let kinds: Vec<&str> = outputs.iter().filter_map(|output| output["kind"].as_str()).collect();
    assert_eq!(kinds, ["file", "hls", "cmaf"]);
    let file = &outputs[0]["renditions"][0];
    assert_eq!(file["id"], outputs[0]["output"]);
    assert_eq!((&file["name"], file["height"].as_u64()), (&"180p".into(), Some(180)));
    let video = track(file, "video");
    assert_eq!(video["codec"], "h264");
    let kbps = scene::values(&video["bitrate"]["kbps"]);
    assert_eq!((video["bitrate"]["step_s"].as_f64(), kbps.len()), (Some(1.0), 6));
    let path = appliance
        .files("renditions")
        .into_iter()
        .find(|path| path.ends_with("180p.mp4"));
    let path = appliance.path("renditions").join(path.expect("the file"));
    let packets = scene::packets(&path, "v");
    for (second, kbps) in kbps.iter().enumerate() {
        let within = packets.iter().filter(|(at_s, _)| *at_s as usize == second);
        let counted: f64 = within.map(|(_, bytes)| bytes * 8.0 / 1000.0).sum();
        let found = kbps.expect("a value");
        assert!(
            (found - counted).abs() <= 1.0,
            "second {second}: {found}, ffprobe {counted}"
        );
    }
    let rate = |second: usize| kbps[second].expect("a value");
    assert!(rate(4) > 5.0 * rate(1), "noise costs more than a wall: {kbps:?}");
    let peak = kbps.iter().flatten().copied().fold(0.0, f64::max);
    assert_eq!(video["bitrate"]["peak_kbps"].as_f64(), Some(peak));
    let all: f64 = packets.iter().map(|(_, bytes)| bytes * 8.0 / 1000.0).sum();
    assert!(near(&video["bitrate"]["average_kbps"], all / 6.0, 0.02), "{video:#}");

    let heard: f64 = scene::packets(&path, "a")
        .iter()
        .map(|(_, bytes)| bytes * 8.0 / 1000.0)
        .sum();

    // The same encode in sets: a fragment says what a file says, a rendition of sound alone has no pictures.
    for set in &outputs[1..] {
        let renditions = set["renditions"].as_array().expect("renditions");
        let pictures = renditions
            .iter()
            .find(|one| !track(one, "video").is_null())
            .expect("pictures");
        let of_set = &track(pictures, "video")["bitrate"];
        assert!(near(&of_set["average_kbps"], all / 6.0, 0.05), "{of_set:#}");
        assert_eq!(of_set["kbps"].as_array().map(Vec::len), Some(6), "{of_set:#}");
        let sound = renditions
            .iter()
            .find(|one| !track(one, "audio").is_null())
            .expect("sound");
        assert!(
            near(&track(sound, "audio")["bitrate"]["average_kbps"], heard / 6.0, 0.05),
            "{heard} {sound:#}"
        );
        assert_ne!(pictures["id"], set["output"]);
    }
    let alone = appliance.get(&format!(
        "/api/v1/outputs/{}/series",
        outputs[1]["output"].as_str().expect("an id")
    ));
    assert_eq!(&alone, &outputs[1]);
}

#[test]
fn loudness_is_measured_of_every_encode_and_quality_only_where_it_is_asked_for() {
    let (appliance, task) = scene::run(&ladder("quality = { every_s = 1.0 }\n"), &scene::rising(), "mp4");
    assert_eq!(task["status"], "Succeed", "{task:#}");
    let series = scene::of_media(&appliance, &task);
    assert!(series["qc"].is_null(), "nobody looked: {series:#}");
    assert!(near(&series["duration_s"], 6.0, 0.02));
    let loudness = &series["loudness"];
    assert_eq!(
        (&loudness["of"], &loudness["rendition"]),
        (&"output".into(), &"180p".into())
    );
    let path = appliance
        .files("renditions")
        .into_iter()
        .find(|path| path.ends_with("180p.mp4"));
    let lufs = scene::integrated_lufs(&appliance.path("renditions").join(path.expect("the file")));
    let course = &loudness["series"];
    let said = course["integrated_lufs"].as_f64().expect("a loudness");
    assert!((said - lufs).abs() <= 0.5, "{said}, ffmpeg {lufs}");
    let short_term = scene::values(&course["short_term_lufs"]);
    let peaks = scene::values(&course["true_peak_dbtp"]);
    assert_eq!((short_term.len(), peaks.len()), (6, 6), "{course:#}");
    let at = |values: &[Option<f64>], second: usize| values[second].expect("loud");
    // Ten times the amplitude are 20 dB.
    let rise = at(&short_term, 5) - at(&short_term, 2);
    assert!((19.0..=21.0).contains(&rise), "{short_term:?}");
    assert!(
        (at(&short_term, 0) - at(&short_term, 2)).abs() < 1.0,
        "no ramp: {short_term:?}"
    );
    let rise = at(&peaks, 4) - at(&peaks, 1);
    assert!((19.0..=21.0).contains(&rise), "{peaks:?}");

    for output in series["outputs"].as_array().expect("outputs") {
        for rendition in output["renditions"].as_array().expect("renditions") {
            let has_pictures = !track(rendition, "video").is_null();
            assert_eq!(
                rendition["quality"]["psnr_db"].as_f64().is_some(),
                has_pictures,
                "{rendition:#}"
            );
            if !track(rendition, "audio").is_null() {
                // One measurement serves all encodes of the same samples.
                assert_eq!(&track(rendition, "audio")["loudness"], course);
            }
            assert!(track(rendition, "video")["loudness"].is_null());
        }
    }
}

#[test]
fn what_nobody_measured_is_null() {
    let copying = "[[activity]]\nid = \"rewrap\"\ntype = \"transcode\"\n[[activity.group]]\nkind = \"file\"\ncontainer = \"mkv\"\n\
                   [[activity.group.output]]\nname = \"same\"\nvideo = { codec = \"copy\" }\naudio = { codec = \"copy\" }\n\
                   [[activity]]\nid = \"poster\"\ntype = \"cover\"\n";
    let (appliance, task) = scene::run(copying, &scene::rising(), "mp4");
    assert_eq!(task["status"], "Succeed", "{task:#}");
    let series = scene::of_task(&appliance, &task);
    assert!(series["loudness"].is_null() && series["qc"].is_null(), "{series:#}");
    let outputs = series["outputs"].as_array().expect("outputs");
    assert_eq!(outputs.len(), 1, "a poster has no length");
    let rendition = &outputs[0]["renditions"][0];
    assert!(rendition["quality"].is_null());
    let sound = track(rendition, "audio");
    assert!(
        sound["loudness"].is_null() && sound["bitrate"]["average_kbps"].as_u64() > Some(32),
        "{sound:#}"
    );
    let poster = task["outputs"]
        .as_array()
        .expect("outputs")
        .iter()
        .find(|output| output["kind"] != "file");
    let poster = poster.and_then(|poster| poster["id"].as_str()).expect("the poster");
    let of_poster = appliance.get(&format!("/api/v1/outputs/{poster}/series"));
    assert_eq!(
        of_poster["renditions"].as_array().map(Vec::len),
        Some(0),
        "{of_poster:#}"
    );
}

#[test]
fn a_long_recording_has_no_more_values_than_a_page_can_draw() {
    let sound = "[[activity]]\nid = \"sound\"\ntype = \"transcode\"\n[[activity.group]]\nkind = \"file\"\ncontainer = \"mp3\"\n\
                 [[activity.group.output]]\nname = \"tone\"\naudio = { codec = \"mp3\", bitrate_kbps = 32 }\n";
    let (appliance, task) = scene::run(sound, &scene::hours(), "wav");
    assert_eq!(task["status"], "Succeed", "{task:#}");
    let series = scene::of_task(&appliance, &task);
    let sound = track(&series["outputs"][0]["renditions"][0], "audio");
    for (course, values) in [(&sound["bitrate"], "kbps"), (&sound["loudness"], "short_term_lufs")] {
        assert_eq!(course["step_s"].as_f64(), Some(4.0), "{course:#}");
        assert_eq!(course[values].as_array().map(Vec::len), Some(375));
    }
}
