//! What sources of all kinds cost and give: files from the wild, cut ones, sound alone, several jobs at once.

use crate::backend;
use crate::bench::Bench;
use crate::bench::animation;
use crate::bench::attempt;
use crate::bench::product;
use crate::bench::snapshot;
use crate::numbered_clip;
use reelmill::media::av::Source;
use reelmill::media::limits::Limits;
use reelmill::media::picture::Picture;
use reelmill::media::pictures_alone::AloneJob;
use reelmill::media::pictures_alone::carry_out_alone;
use reelmill::media::probe;
use reelmill::media::product::JobEnd;
use reelmill::media::product::JobProduct;
use reelmill::media::spec::PictureFormat;
use std::path::PathBuf;
use std::process::Command;

#[test]
fn a_sprite_reads_a_small_part_of_the_file() {
    let bench = Bench::new();
    let clip = bench.clip(
        "large.mp4",
        1500,
        &["-vf", "noise=alls=30:allf=t", "-b:v", "1500k", "-preset", "ultrafast"],
    );
    let size_bytes = std::fs::metadata(&clip).expect("there").len();
    let (ends, read_bytes) = bench.alone(&clip, &[snapshot(r#"{"mode":"sprite","interval_s":10}"#)]);
    assert_eq!(
        product(ends.into_iter().next().expect("one")).outputs[0].picture_count,
        Some(6)
    );
    assert!(read_bytes * 100 < size_bytes * 15, "{read_bytes} of {size_bytes} bytes");
}

#[test]
fn sound_alone_gives_nothing_and_a_cut_file_is_the_sources_fault() {
    let bench = Bench::new();
    let sound = bench.root.path().join("sound.m4a");
    let made = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-y",
            "-f",
            "lavfi",
            "-i",
            "sine=duration=1",
            "-c:a",
            "aac",
        ])
        .arg(&sound)
        .status();
    assert!(made.expect("ffmpeg runs").success());
    let (ends, _) = bench.alone(&sound, &[snapshot("{}"), animation("{}")]);
    assert!(ends.iter().all(|end| matches!(end, JobEnd::Skipped { .. })), "{ends:?}");

    let whole = bench.clip("whole.mp4", 250, &["-movflags", "+faststart"]);
    let bytes = std::fs::read(&whole).expect("read");
    let cut = bench.root.path().join("cut.mp4");
    std::fs::write(&cut, &bytes[..bytes.len() * 2 / 3]).expect("written");
    let limits = Limits::default();
    let source = Source::from_file(std::fs::File::open(&cut).expect("opens"), "cut.mp4").expect("a size");
    let fault = match probe::open(source, &limits) {
        Err(fault) => fault,
        Ok(mut opened) => {
            let work = snapshot("{}");
            let job = AloneJob {
                directory: "cut",
                work: &work,
            };
            carry_out_alone(&mut opened, &[job], bench.root.path(), 1, &limits, None, &mut |_, _| {
                true
            })
            .expect_err("cut")
        }
    };
    assert_eq!(fault.code, "SourceTruncated");
}

#[test]
fn jobs_can_be_stopped() {
    let bench = Bench::new();
    for name in ["a.mp4", "a.ts"] {
        let clip = bench.clip(name, 100, &[]);
        let limits = Limits::default();
        let source = Source::from_file(std::fs::File::open(&clip).expect("opens"), name).expect("a size");
        let mut opened = probe::open(source, &limits).expect("probes");
        let work = snapshot(r#"{"mode":"sprite","interval_s":1}"#);
        let job = AloneJob {
            directory: "stopped",
            work: &work,
        };
        let fault = carry_out_alone(&mut opened, &[job], bench.root.path(), 1, &limits, None, &mut |_, _| {
            false
        });
        assert_eq!(fault.expect_err("stopped").code, "Stopped", "{name}");
    }
}

#[test]
fn files_from_the_wild_give_pictures_or_a_reason() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/media");
    let media = PathBuf::from(std::env::var("REELMILL_MEDIA_DIR").unwrap_or_else(|_| beside.to_owned()));
    if !media.join("MANIFEST.tsv").exists() {
        assert_ne!(
            std::env::var("REELMILL_REQUIRE_MEDIA").as_deref(),
            Ok("1"),
            "{} is missing",
            media.display()
        );
        println!("skipped: {} is not here", media.display());
        return;
    }
    // Cut files, broken bitstreams and what has no video; everything else must give its six pictures.
    let hopeless = [
        ("fate_direct-bff.mkv", "SourceTruncated"),
        ("fate_displaymatrix.mp4", "SourceTruncated"),
        ("moz_no_timescale.mp4", "SourceDamaged"),
        // Its footer says 88 MB, the collection has the first 2.5.
        (
            "fate_SonyXAVC_LongGOP_green_pixelation_early_Frames.mp4",
            "SourceTruncated",
        ),
    ];
    let short = ["fate_Sequence_1-Apple_ProRes_422.mp4", "fate_cineform_yuv10b_hd.mp4"];
    let work = snapshot(r#"{"mode":"sprite","count":6,"frame_type":"normal"}"#);
    let (limits, mut proved) = (Limits::default(), 0);
    for entry in std::fs::read_dir(&media)
        .expect("a directory")
        .map(|entry| entry.expect("an entry"))
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        let source = Source::from_file(std::fs::File::open(entry.path()).expect("opens"), &name).expect("a size");
        let Ok(mut opened) = probe::open(source, &limits) else {
            continue;
        };
        let root = tempfile::tempdir().expect("a directory");
        let job = AloneJob {
            directory: "job",
            work: &work,
        };
        let ends = if backend::is_gpu() {
            attempt(root.path(), &entry.path(), std::slice::from_ref(&work)).map(|(ends, _)| ends)
        } else {
            carry_out_alone(&mut opened, &[job], root.path(), 2, &limits, None, &mut |_, _| true)
        };
        let end = ends.map_or_else(|fault| JobEnd::Failed { fault }, |mut ends| ends.remove(0));
        match end {
            JobEnd::Success(product) => {
                proved += 1;
                let count = product.outputs[0].picture_count.unwrap_or(0);
                assert!(
                    count == 6 || (count > 0 && short.contains(&name.as_str())),
                    "{name}: {count} pictures"
                );
            }
            JobEnd::Skipped { .. } => assert!(opened.facts.main_video().is_none(), "{name}"),
            JobEnd::Rejected { fault, .. } | JobEnd::Failed { fault } => {
                assert!(hopeless.contains(&(&name, &fault.code)), "{name}: {fault}")
            }
        }
    }
    assert!(proved >= 30, "only {proved} files gave pictures");
}

#[test]
fn jobs_of_all_kinds_share_one_attempt() {
    for name in ["a.mp4", "a.ts"] {
        let bench = Bench::new();
        let clip = bench.clip(name, 250, &[]);
        let works = [
            snapshot(r#"{"mode":"sprite","interval_s":4}"#),
            snapshot(r#"{"times":["50%"],"frame_type":"normal","format":"png"}"#),
            animation(r#"{"start_s":1,"duration_s":1,"fps":5}"#),
            snapshot(r#"{"times":["x"]}"#),
        ];
        let (mut ends, _) = bench.alone(&clip, &works);
        let refused = ends.pop().expect("four ends");
        assert!(
            matches!(refused, JobEnd::Failed { fault } if fault.code == "InvalidMoment"),
            "{name}"
        );
        let made: Vec<JobProduct> = ends.into_iter().map(product).collect();
        assert_eq!(
            bench.cells(&made[0].outputs[0]),
            [(0.0, 0), (4.0, 100), (8.0, 200)],
            "{name}"
        );
        let poster = std::fs::read(bench.root.path().join("job1/still-00001.png")).expect("read");
        let poster = Picture::decode(&poster, PictureFormat::Png).expect("a picture");
        assert_eq!(
            numbered_clip::number(&poster, 0, 0, poster.width(), poster.height()),
            Some(125),
            "{name}"
        );
        assert_eq!(made[2].outputs[0].picture_count, Some(5), "{name}");
    }
}
