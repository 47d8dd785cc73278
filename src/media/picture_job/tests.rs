//! Frames as numbers: which are rendered, which are passed over, how a job ends.

use super::*;
use crate::media::facts::StreamFacts;
use crate::media::picture::Color;
use crate::media::product::JobProduct;
use crate::media::product::Place;
use crate::media::webvtt;
use std::cell::Cell;

/// 25 frames a second, 64x36, `seconds` long.
fn facts(seconds: f64) -> MediaFacts {
    let stream: StreamFacts = serde_json::from_value(serde_json::json!({
        "index": 0, "codec_name": "h264", "codec_long_name": "", "codec_tag_string": "", "codec_tag": "",
        "time_base": {"num": 1, "den": 1000}, "duration_s": seconds, "default": true, "decodable": true, "type": "video",
        "width": 64, "height": 36, "rotation_degrees": 0, "mirrored": false, "bit_depth": 8,
        "average_frame_rate": {"num": 25, "den": 1}, "field_order": "progressive", "color_range": "tv",
        "color_primaries": "bt709", "color_transfer": "bt709", "color_space": "bt709", "hdr": "sdr",
        "has_b_frames": 0, "attached_picture": false
    }))
    .expect("facts");
    MediaFacts {
        duration_s: Some(seconds),
        streams: vec![stream],
        ..MediaFacts::default()
    }
}

fn job(json: &str, seconds: f64, root: &Path) -> PictureJob<u8> {
    let work = MediaWork::Snapshot(serde_json::from_str(json).expect("a spec"));
    match PictureJob::prepare("job", &work, &facts(seconds), root, false) {
        Some(Prepared::Job(job)) => *job,
        _ => panic!("not ready"),
    }
}

/// A frame is its shade.
fn shade(frame: &u8, fit: Fit) -> Result<Picture, Fault> {
    Ok(Picture::filled(fit.inner_width, fit.inner_height, Color([*frame; 3])).expect("not empty"))
}

fn made(end: JobEnd) -> JobProduct {
    match end {
        JobEnd::Success(product) => product,
        other => panic!("{other:?}"),
    }
}

fn shades(product: &JobProduct, root: &Path) -> Vec<u8> {
    let stills = product.outputs[0].files.iter();
    stills
        .map(|file| {
            let bytes = std::fs::read(root.join(&file.scratch_path)).expect("read");
            Picture::decode(&bytes, crate::media::spec::PictureFormat::Png)
                .expect("decodes")
                .pixel(0, 0)[0]
        })
        .collect()
}

#[test]
fn frames_are_rendered_only_when_wanted_and_once() {
    let root = tempfile::tempdir().expect("a directory");
    let mut job = job(
        r#"{"times":["0.5","0.51","1.5"],"format":"png","frame_type":"normal"}"#,
        2.0,
        root.path(),
    );
    let renders = Cell::new(0);
    let mut render = |frame: &u8, fit: Fit| {
        renders.set(renders.get() + 1);
        shade(frame, fit)
    };
    for number in 0..50u8 {
        job.offer(f64::from(number) * 0.04, number + 100, &mut render);
    }
    assert!(job.is_done());
    let product = made(job.finish(&mut render));
    assert_eq!(shades(&product, root.path()), [112, 112, 137]);
    assert_eq!(renders.get(), 2);
}

#[test]
fn dark_frames_are_passed_over_but_not_for_ever() {
    let root = tempfile::tempdir().expect("a directory");
    let json = r#"{"mode":"sprite","interval_s":2,"black_level":90,"frame_type":"normal"}"#;
    let mut job = job(json, 6.0, root.path());
    // Black until 1 s, then grey until 2 s, then black until the end.
    for number in 0..150u32 {
        let grey = (25..50).contains(&number);
        job.offer(f64::from(number) * 0.04, if grey { 200 } else { 3 }, &mut shade);
    }
    let product = made(job.finish(&mut shade));
    assert_eq!(product.outputs[0].picture_count, Some(3));
    let vtt = product.outputs[0]
        .files
        .iter()
        .find(|file| matches!(file.place, Place::Beside(_)))
        .expect("an index");
    let cues =
        webvtt::read(&std::fs::read_to_string(root.path().join(&vtt.scratch_path)).expect("read")).expect("cues");
    assert_eq!(
        cues.iter().map(|cue| cue.end_ms).collect::<Vec<_>>(),
        [2000, 4000, 6000]
    );
    let sheet = std::fs::read(root.path().join(&product.outputs[0].files[0].scratch_path)).expect("read");
    let sheet = Picture::decode(&sheet, crate::media::spec::PictureFormat::Jpg).expect("decodes");
    assert!(
        sheet.pixel(80, 45)[0] > 150,
        "the first cell shows the first frame that is not black"
    );
    assert!(sheet.pixel(240, 45)[0] < 30, "without one the moment's own frame stays");
}

#[test]
fn key_frames_label_their_own_time_and_skipped_moments_are_told() {
    let root = tempfile::tempdir().expect("a directory");
    let mut job = job(
        r#"{"mode":"sprite","times":["0","3","3.5"],"frame_type":"intra"}"#,
        4.0,
        root.path(),
    );
    assert!(job.is_intra());
    job.offer(0.0, 10, &mut shade);
    job.settle_next(&mut shade);
    job.offer(2.0, 90, &mut shade);
    job.settle_next(&mut shade);
    job.settle_next(&mut shade);
    assert_eq!(job.skipped(), 1);
    let product = made(job.finish(&mut shade));
    assert_eq!(product.outputs[0].picture_count, Some(2));
    assert_eq!(product.warnings.len(), 1);
    let text = std::fs::read_to_string(root.path().join("job/sprite.vtt")).expect("read");
    assert_eq!(webvtt::read(&text).expect("cues")[1].start_ms, 2000);
}

#[test]
fn a_failed_renderer_fails_the_job_and_no_frame_at_all_too() {
    let root = tempfile::tempdir().expect("a directory");
    let mut job = job(r#"{"times":["0"]}"#, 4.0, root.path());
    let mut broken = |_: &u8, _: Fit| {
        Err(Fault::new(
            "Scale",
            crate::base::fault::Blame::Bug,
            "scale",
            "x",
            "y",
            "z.",
        ))
    };
    job.offer(0.0, 10, &mut broken);
    job.offer(1.0, 10, &mut broken);
    assert!(job.is_done());
    assert!(matches!(job.finish(&mut shade), JobEnd::Failed { fault } if fault.code == "Scale"));
    let empty = self::job(r#"{"times":["0"]}"#, 4.0, root.path());
    assert!(matches!(empty.finish(&mut shade), JobEnd::Failed { fault } if fault.code == "OutputUnproved"));
}

#[test]
fn without_video_there_is_nothing_to_do() {
    let root = tempfile::tempdir().expect("a directory");
    let work = MediaWork::Snapshot(serde_json::from_str("{}").expect("a spec"));
    let ready = PictureJob::<u8>::prepare("job", &work, &MediaFacts::default(), root.path(), false);
    assert!(matches!(ready, Some(Prepared::Ended(end)) if matches!(*end, JobEnd::Skipped { .. })));
    let analysis = PictureJob::<u8>::prepare("job", &MediaWork::Analysis, &facts(1.0), root.path(), false);
    assert!(analysis.is_none());
}
