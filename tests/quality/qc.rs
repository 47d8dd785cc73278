//! Quality control against clips whose faults are known to the frame, and against ffmpeg's own meters.

use crate::clips;
use crate::room::Room;
use reelmill::media::product::JobEnd;
use reelmill::media::product::JobProduct;
use reelmill::media::product::ProductKind;
use reelmill::media::product::QcReport;
use reelmill::media::product::QcResult;
use reelmill::media::product::QcVerdict;
use reelmill::media::spec::MediaWork;
use reelmill::media::spec::QcCheck;

const FRAME_S: f64 = 0.04;

fn qc(text: &str) -> MediaWork {
    MediaWork::Qc(toml::from_str(text).expect("a definition"))
}

fn check(report: &QcReport, check: QcCheck) -> &QcResult {
    report
        .checks
        .iter()
        .find(|result| result.check == check)
        .unwrap_or_else(|| panic!("{check:?} is answered"))
}

fn report(product: &JobProduct) -> &QcReport {
    product.qc.as_ref().expect("a report")
}

fn spans(report: &QcReport, of: QcCheck) -> Vec<(f64, f64)> {
    let events = &check(report, of).events;
    events.iter().map(|event| (event.start_s, event.end_s)).collect()
}

#[track_caller]
fn is_near(found: &[(f64, f64)], wanted: &[(f64, f64)], tolerance_s: f64) {
    let near = |one: f64, other: f64| (one - other).abs() <= tolerance_s;
    assert!(
        found.len() == wanted.len()
            && found
                .iter()
                .zip(wanted)
                .all(|(found, wanted)| near(found.0, wanted.0) && near(found.1, wanted.1)),
        "{found:?} is not {wanted:?}"
    );
}

#[test]
fn every_planted_fault_is_found_where_it_is() {
    let room = Room::new();
    let clip = clips::faulty(room.path());
    let product = room.success(&clip, &qc(""));
    let report = report(&product);
    assert_eq!(report.verdict, QcVerdict::Warn);
    is_near(&spans(report, QcCheck::Black), &[(3.0, 5.4)], 0.001);
    is_near(&spans(report, QcCheck::Freeze), &[(6.96, 9.56)], 0.001);
    is_near(&spans(report, QcCheck::Silence), &[(2.0, 4.5)], 0.001);
    is_near(&spans(report, QcCheck::Clipping), &[(6.0, 6.5)], 0.002);
    is_near(&spans(report, QcCheck::Phase), &[(8.0, 10.0)], 0.15);
    for right in [
        QcCheck::Levels,
        QcCheck::Interlace,
        QcCheck::Gaps,
        QcCheck::FirstFrame,
        QcCheck::Damage,
        QcCheck::AvStart,
        QcCheck::AvEnd,
        QcCheck::Repeats,
    ] {
        let result = check(report, right);
        assert_eq!(result.verdict, QcVerdict::Pass, "{right:?}: {}", result.found);
    }
    let pictures = report.pictures.expect("measured");
    assert_eq!(pictures.frames, 263);
    assert!((pictures.end_s - 10.52).abs() < FRAME_S / 2.0, "{pictures:?}");

    let output = &product.outputs[0];
    assert_eq!((output.kind, output.extension.as_str()), (ProductKind::Report, ".json"));
    let text = std::fs::read(room.path().join("scratch").join(&output.files[0].scratch_path)).expect("the file");
    let written: QcReport = serde_json::from_slice(&text).expect("a report");
    assert_eq!(&written, report);
}

#[test]
fn black_and_frozen_are_what_ffmpeg_calls_so() {
    let room = Room::new();
    let clip = clips::faulty(room.path());
    let product = room.success(&clip, &qc("checks = [\"black\", \"freeze\", \"silence\"]"));
    let path = clip.to_string_lossy();
    let said = clips::ffmpeg_says(&[
        "-i",
        &path,
        "-vf",
        "blackdetect=d=2,freezedetect=d=2",
        "-af",
        "silencedetect=d=2",
    ]);
    let numbers = |key: &str| -> Vec<f64> {
        let after = said.split(key).skip(1);
        after
            .filter_map(|rest| {
                let rest = rest.trim_start_matches([':', ' ']);
                let end = rest
                    .find(|c: char| !c.is_ascii_digit() && c != '.')
                    .unwrap_or(rest.len());
                rest[..end].parse().ok()
            })
            .collect()
    };
    let report = report(&product);
    let pairs = |start: &str, end: &str| -> Vec<(f64, f64)> { numbers(start).into_iter().zip(numbers(end)).collect() };
    is_near(
        &spans(report, QcCheck::Black),
        &pairs("black_start", "black_end"),
        0.001,
    );
    is_near(
        &spans(report, QcCheck::Silence),
        &pairs("silence_start", "silence_end"),
        0.001,
    );
    // ffmpeg calls black pictures frozen too; ours are told once.
    let frozen: Vec<(f64, f64)> = pairs("freeze_start", "freeze_end")
        .into_iter()
        .filter(|(start_s, _)| *start_s > 6.0)
        .collect();
    is_near(&spans(report, QcCheck::Freeze), &frozen, 0.001);
}

#[test]
fn a_clean_clip_has_no_findings() {
    let room = Room::new();
    let clip = clips::clean(room.path());
    let product = room.success(
        &clip,
        &qc("fail_on = [\"black\", \"interlace\", \"levels\", \"repeats\"]"),
    );
    let report = report(&product);
    for result in &report.checks {
        assert_eq!(result.verdict, QcVerdict::Pass, "{:?}: {}", result.check, result.found);
    }
    assert_eq!(
        (report.verdict, report.checks.len()),
        (QcVerdict::Pass, QcCheck::ALL.len())
    );
    assert!(product.warnings.is_empty(), "{:?}", product.warnings);
}

#[test]
fn loudness_is_what_ffmpeg_measures() {
    let room = Room::new();
    let clip = room.path().join("loud.wav");
    let sound = "aevalsrc=exprs='(0.05+0.4*abs(sin(t)))*sin(300*2*PI*t)|(0.05+0.3*abs(sin(1.3*t)))*sin(997*2*PI*t)':\
        s=44100:d=14";
    clips::ffmpeg(&["-f", "lavfi", "-i", sound], &clip);
    let product = room.success(&clip, &qc("loudness_lufs = -23.0\ntrue_peak_max_dbtp = -20.0"));
    let said = clips::ffmpeg_says(&["-i", &clip.to_string_lossy(), "-af", "ebur128=peak=true"]);
    let summary = &said[said.rfind("Summary:").expect("a summary")..];
    let number = |key: &str| -> f64 {
        let rest = summary[summary.find(key).expect(key) + key.len()..].trim_start();
        rest.split_whitespace()
            .next()
            .expect("a number")
            .parse()
            .expect("a number")
    };
    let report = report(&product);
    let sound = report.sound.expect("measured");
    let near = |ours: Option<f64>, theirs: f64, most: f64| {
        let ours = ours.expect("measured");
        assert!((ours - theirs).abs() <= most, "{ours} is not {theirs}: {summary}");
    };
    near(sound.integrated_lufs, number("I:"), 0.3);
    near(sound.range_lu, number("LRA:"), 0.5);
    near(sound.true_peak_dbtp, number("Peak:"), 0.3);
    let loudness = check(report, QcCheck::Loudness);
    assert_eq!(loudness.verdict, QcVerdict::Warn);
    assert!(loudness.found.contains("not -23 LUFS") && loudness.found.contains("true peak is too high"));
    assert_eq!(check(report, QcCheck::Black).verdict, QcVerdict::Skipped);
}

#[test]
fn fields_are_found_whatever_the_file_says() {
    let room = Room::new();
    let verdict = |says_so: bool| {
        let clip = clips::woven(room.path(), says_so);
        let product = room.success(&clip, &qc("checks = [\"interlace\"]"));
        let result = check(report(&product), QcCheck::Interlace);
        (result.verdict, result.found.clone())
    };
    let (unsaid, found) = verdict(false);
    assert!(
        unsaid == QcVerdict::Warn && found.contains("though marked progressive"),
        "{found}"
    );
    let (said, found) = verdict(true);
    assert_eq!(said, QcVerdict::Pass, "{found}");
}

#[test]
fn missing_and_repeated_pictures_are_found() {
    let room = Room::new();
    let missing = room.path().join("missing.mkv");
    let cut = "testsrc2=s=160x90:r=25:d=4,select='not(between(n,50,51))',format=yuv420p";
    clips::ffmpeg(
        &[
            "-f",
            "lavfi",
            "-i",
            cut,
            "-vsync",
            "passthrough",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
        ],
        &missing,
    );
    let product = room.success(&missing, &qc("checks = [\"gaps\", \"repeats\"]"));
    is_near(&spans(report(&product), QcCheck::Gaps), &[(2.0, 2.08)], 0.002);

    let filled = room.path().join("filled.mp4");
    let pulldown = "testsrc2=s=160x90:r=24:d=5,fps=30,format=yuv420p";
    clips::ffmpeg(
        &[
            "-f",
            "lavfi",
            "-i",
            pulldown,
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-crf",
            "10",
        ],
        &filled,
    );
    let product = room.success(&filled, &qc("checks = [\"gaps\", \"repeats\"]"));
    let result = check(report(&product), QcCheck::Repeats);
    assert_eq!(result.verdict, QcVerdict::Warn);
    assert!(result.found.contains("one in 5"), "{}", result.found);
    assert_eq!(check(report(&product), QcCheck::Gaps).verdict, QcVerdict::Pass);
}

#[test]
fn illegal_levels_are_found_in_limited_range_only() {
    let room = Room::new();
    let made = |range: &str| {
        let path = room.path().join(format!("{range}.mkv"));
        let pictures =
            "testsrc2=s=160x90:r=25:d=2,format=yuv420p,geq=lum='if(lt(X,16),0,lum(X,Y))':cb='cb(X,Y)':cr='cr(X,Y)'";
        clips::ffmpeg(
            &[
                "-f",
                "lavfi",
                "-i",
                pictures,
                "-color_range",
                range,
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-crf",
                "8",
            ],
            &path,
        );
        let product = room.success(&path, &qc("checks = [\"levels\"]"));
        check(report(&product), QcCheck::Levels).clone()
    };
    let limited = made("tv");
    assert_eq!(limited.verdict, QcVerdict::Warn, "{}", limited.found);
    is_near(
        &limited
            .events
            .iter()
            .map(|event| (event.start_s, event.end_s))
            .collect::<Vec<_>>(),
        &[(0.0, 2.0)],
        0.001,
    );
    let worst = limited.events[0].value.expect("a share");
    assert!((8.0..=12.0).contains(&worst), "a tenth of the pixels, not {worst} %");
    assert_eq!(made("pc").verdict, QcVerdict::Skipped);
}

#[test]
fn what_fail_on_names_fails_the_job_with_its_findings() {
    let room = Room::new();
    let clip = clips::faulty(room.path());
    let ends = room
        .carry_out(&clip, &[qc("fail_on = [\"black\", \"silence\"]"), qc("")])
        .expect("the attempt itself is well");
    let JobEnd::Rejected { fault, found } = &ends[0].1 else {
        panic!("{:?}", ends[0].1)
    };
    assert_eq!(fault.code, "QcRejected");
    assert!(found.outputs.is_empty() && found.qc.is_some(), "{found:?}");
    assert!(
        fault.cause.contains("black: black once, 2.40 s in all: 3.00-5.40 s"),
        "{fault}"
    );
    assert!(
        fault.cause.contains("silence: silent once") && !fault.cause.contains("frozen"),
        "{fault}"
    );
    assert!(matches!(&ends[1].1, JobEnd::Success(_)), "the other job has no fail_on");
}

#[test]
fn it_rides_a_transcode_and_finds_the_same() {
    let room = Room::new();
    let clip = clips::faulty(room.path());
    let alone = room.success(&clip, &qc(""));
    let rung = "[[group]]\nkind = \"file\"\n[[group.output]]\nname = \"90p\"\n\
        video = { codec = \"h264\", width = 160, preset = \"ultrafast\" }\naudio = { codec = \"aac\" }";
    let ends = room
        .carry_out(
            &clip,
            &[MediaWork::Transcode(toml::from_str(rung).expect("a spec")), qc("")],
        )
        .expect("carried out");
    let [(_, JobEnd::Success(ladder)), (_, JobEnd::Success(riding))] = ends.as_slice() else {
        panic!("{ends:?}")
    };
    assert_eq!(ladder.outputs.len(), 1);
    assert_eq!(riding.qc, alone.qc);
}

#[test]
fn limits_that_mean_nothing_are_refused() {
    use reelmill::media::spec_check::check;
    let wrong = |text: &str| -> Vec<String> { check(&qc(text)).into_iter().map(|wrong| wrong.path).collect() };
    assert!(wrong("").is_empty());
    assert_eq!(wrong("checks = [\"black\"]\nfail_on = [\"freeze\"]"), ["fail_on"]);
    assert_eq!(wrong("luma_range = [200, 100]"), ["luma_range"]);
    assert_eq!(wrong("silence_db = 3.0"), ["silence_db"]);
    assert!(toml::from_str::<reelmill::media::spec::QcSpec>("blak_min_s = 1.0").is_err());
}
