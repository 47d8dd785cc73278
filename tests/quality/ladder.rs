//! Ladders that the source decides.

use crate::clips;
use crate::room::Room;
use crate::room::probe;
use crate::room::transcode;
use reelmill::media::product::JobProduct;
use reelmill::media::product::LadderDecision;
use std::path::Path;

const AUTO: &str = r#"
[[group]]
kind = "file"
ladder = "auto"
[[group.output]]
name = "rung"
video = { codec = "h264", preset = "veryfast", gop_s = 1.0 }
audio = { codec = "aac" }
"#;

fn clip(directory: &Path, name: &str, pictures: &str) -> std::path::PathBuf {
    let path = directory.join(format!("{name}.mp4"));
    let pictures = format!("{pictures},format=yuv420p");
    clips::ffmpeg(
        &[
            "-f",
            "lavfi",
            "-i",
            &pictures,
            "-f",
            "lavfi",
            "-i",
            "sine=d=3",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-crf",
            "8",
            "-g",
            "25",
            "-c:a",
            "aac",
            "-shortest",
        ],
        &path,
    );
    path
}

fn decision(product: &JobProduct) -> &LadderDecision {
    assert_eq!(product.decisions.len(), 1);
    &product.decisions[0]
}

fn is_a_ladder(decision: &LadderDecision) {
    assert!((3..=8).contains(&decision.rungs.len()), "{decision:?}");
    for pair in decision.rungs.windows(2) {
        let ratio = f64::from(pair[0].bitrate_kbps) / f64::from(pair[1].bitrate_kbps);
        let left_out = decision
            .rejected
            .iter()
            .any(|rejected| rejected.what.contains("kbit/s"));
        assert!(ratio >= 1.4 && (left_out || ratio <= 2.1), "{decision:?}");
        assert!(
            pair[1].height <= pair[0].height && pair[1].psnr_db < pair[0].psnr_db,
            "{decision:?}"
        );
    }
}

#[test]
fn a_cartoon_gets_less_than_noise_and_each_is_told_why() {
    let room = Room::new();
    let cartoon = clip(room.path(), "cartoon", "testsrc=s=640x360:r=25:d=3");
    let noise = clip(
        room.path(),
        "noise",
        "color=c=gray:s=320x180:r=25:d=3,noise=alls=60:allf=t",
    );
    let simple = room.success(&cartoon, &transcode(AUTO));
    let made: Vec<(String, u32, u32)> = simple
        .outputs
        .iter()
        .map(|output| {
            let facts = probe(&room.path().join("scratch").join(&output.files[0].scratch_path));
            let (_, video) = facts.main_video().expect("pictures");
            assert!(facts.main_audio().is_some(), "sound as the pattern says");
            (output.name.clone(), video.width, video.height)
        })
        .collect();
    let hard = room.success(&noise, &transcode(AUTO));
    let (simple, hard) = (decision(&simple), decision(&hard));
    is_a_ladder(simple);
    is_a_ladder(hard);
    let told: Vec<(String, u32, u32)> = simple
        .rungs
        .iter()
        .map(|rung| (rung.name.clone(), rung.width, rung.height))
        .collect();
    assert_eq!(made, told, "what was decided was made");
    assert!(simple.rungs.len() < hard.rungs.len(), "{simple:?}\n{hard:?}");
    assert!(simple.rungs[0].bitrate_kbps * 4 < hard.rungs[0].bitrate_kbps);
    assert!(simple.bits_per_pixel < hard.bits_per_pixel && simple.trials.len() >= 4);
    assert!(
        hard.summary.contains("8000 kbit/s are the most allowed"),
        "{}",
        hard.summary
    );
    assert!(
        simple
            .summary
            .starts_with(&format!("{} rungs: 360p", simple.rungs.len())),
        "{}",
        simple.summary
    );
    assert!(simple.rejected.iter().all(|rejected| !rejected.reason.is_empty()));
    for decision in [simple, hard] {
        assert!(decision.rungs.iter().all(|rung| rung.height <= 360), "{decision:?}");
    }
}

#[test]
fn the_best_rung_comes_near_to_what_it_shall_reach() {
    let room = Room::new();
    let source = clip(
        room.path(),
        "natural",
        "mandelbrot=s=320x180:r=25:end_scale=0.02,trim=duration=3",
    );
    let text = AUTO.replace(
        "ladder = \"auto\"",
        "ladder = { target_psnr_db = 40.0, min_bitrate_kbps = 60 }",
    );
    let product = room.success(&source, &transcode(&format!("quality = {{ every_s = 0.2 }}\n{text}")));
    let decision = decision(&product);
    is_a_ladder(decision);
    let expected = decision.rungs[0].psnr_db.expect("tried");
    let found = product.outputs[0]
        .quality
        .as_ref()
        .and_then(|quality| quality.psnr_y_db)
        .expect("rated");
    assert!(expected >= 39.9, "{}", decision.summary);
    // Trials are encoded by x264, and by how much another encoder is better or worse at a rate is its own affair.
    let near_db = if crate::room::backend::is_gpu() { 6.0 } else { 4.0 };
    assert!(
        (found - expected).abs() < near_db,
        "{found} dB where {expected} were expected: {decision:?}"
    );
    // Three seconds are short for a rate, and more so for the stand-in's encoder, which answers at once.
    let most = if crate::room::backend::is_gpu() { 2.0 } else { 1.6 };
    for (rung, output) in decision.rungs.iter().zip(&product.outputs) {
        let facts = output.facts.as_ref().expect("facts");
        let (stream, _) = facts.main_video().expect("pictures");
        let kbps = stream.bitrate_kbps.expect("known");
        assert!(
            kbps < most * f64::from(rung.bitrate_kbps),
            "{}: {kbps:.0} kbit/s of {} planned",
            rung.name,
            rung.bitrate_kbps
        );
    }
}

#[test]
fn groups_of_one_job_share_their_rungs() {
    let room = Room::new();
    let source = clip(room.path(), "both", "testsrc2=s=320x180:r=25:d=3");
    let hls = AUTO.replace("kind = \"file\"", "kind = \"hls\"\nsegment_s = 2.0");
    let product = room.success(&source, &transcode(&format!("{AUTO}{hls}")));
    assert_eq!(product.decisions.len(), 2);
    assert_eq!(product.decisions[0].rungs, product.decisions[1].rungs);
    let set = product.outputs.last().expect("a set");
    let names = |of: Vec<&String>| {
        of.into_iter()
            .filter(|name| name.ends_with('p') || name.contains("p-"))
            .count()
    };
    let rungs = product.decisions[0].rungs.len();
    assert_eq!(
        names(set.renditions.iter().map(|rendition| &rendition.name).collect()),
        rungs
    );
    assert_eq!(product.outputs.len(), rungs + 1);
}

#[test]
fn what_the_ladder_decides_may_not_be_written() {
    use reelmill::media::spec_check::check;
    let wrong = |from: &str, to: &str| -> Vec<String> {
        let found = check(&transcode(&AUTO.replace(from, to)));
        found.into_iter().map(|wrong| wrong.path).collect()
    };
    assert!(wrong("", "").is_empty());
    assert!(
        wrong("gop_s = 1.0", "gop_s = 1.0, rate = \"vbr\"").is_empty(),
        "the bitrate is the ladder's"
    );
    assert_eq!(
        wrong("gop_s = 1.0", "gop_s = 1.0, height = 720"),
        ["group[0].output[0].video.height"]
    );
    assert_eq!(
        wrong("\"auto\"", "{ min_rungs = 6, max_rungs = 4 }"),
        ["group[0].ladder.min_rungs"]
    );
    assert!(toml::from_str::<reelmill::media::spec::TranscodeSpec>(&AUTO.replace("\"auto\"", "\"manual\"")).is_err());
}
