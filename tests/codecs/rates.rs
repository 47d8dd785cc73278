//! Rate control: what is asked for is what comes out, within what each encoder is known to hold.

use crate::reader;
use crate::room::Room;
use crate::room::backend;
use crate::room::transcode;
use std::path::Path;

const SECONDS: f64 = 4.0;

/// Pictures that need bits: moving bars under noise.
fn noisy(directory: &Path) -> std::path::PathBuf {
    reader::clip(
        directory,
        "noisy.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=256x144:r=25:d=4,noise=alls=16:allf=t",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-crf",
            "12",
            "-pix_fmt",
            "yuv420p",
        ],
    )
}

/// Bits a second of each wanted video, in one pass.
fn kbps(room: &Room, source: &Path, videos: &[&str]) -> Vec<f64> {
    let outputs: String = videos
        .iter()
        .enumerate()
        .map(|(number, video)| format!("[[group.output]]\nname=\"v{number}\"\nvideo={{{video},gop_s=1.0}}\n"))
        .collect();
    let work = transcode(&format!("[[group]]\nkind=\"file\"\ncontainer=\"mkv\"\n{outputs}"));
    let refused = reelmill::media::spec_check::check(&work);
    assert!(refused.is_empty(), "{refused:?}");
    let product = room.success(source, &work);
    let seen = product.outputs.iter().map(|output| {
        let seen = reader::look(&room.path().join("scratch").join(&output.files[0].scratch_path));
        assert_eq!(seen.packets.len(), 100, "{}", output.name);
        assert_eq!(seen.keys_ms(), [0, 1000, 2000, 3000], "{}", output.name);
        seen.kbps(SECONDS)
    });
    seen.collect()
}

/// Whether encoders of a device make it, where one is demanded.
fn is_made(video: &str) -> bool {
    !backend::is_gpu() || backend::makes(video.split('"').nth(1).expect("a codec"))
}

#[test]
fn bitrates_are_what_was_asked_for() {
    let room = Room::new();
    let source = noisy(room.path());
    let fast = "preset=\"ultrafast\"";
    let wanted = [
        (format!("codec=\"h264\",{fast},rate=\"cbr\",bitrate_kbps=600"), 0.8, 1.2),
        (
            format!("codec=\"h264\",{fast},rate=\"vbr\",bitrate_kbps=600,max_bitrate_kbps=700"),
            0.6,
            1.2,
        ),
        (format!("codec=\"hevc\",{fast},rate=\"cbr\",bitrate_kbps=600"), 0.6, 1.2),
        (format!("codec=\"hevc\",{fast},rate=\"vbr\",bitrate_kbps=600"), 0.6, 1.4),
        (format!("codec=\"vp9\",{fast},rate=\"cbr\",bitrate_kbps=600"), 0.6, 1.3),
        (format!("codec=\"vp9\",{fast},rate=\"vbr\",bitrate_kbps=600"), 0.5, 1.5),
        (format!("codec=\"av1\",{fast},rate=\"vbr\",bitrate_kbps=600"), 0.4, 1.6),
        ("codec=\"mpeg2\",rate=\"cbr\",bitrate_kbps=1200".to_owned(), 1.6, 2.4),
        ("codec=\"mpeg2\",rate=\"vbr\",bitrate_kbps=1200".to_owned(), 1.4, 2.6),
        // Quality under a cap: without it these need several times as much.
        (
            format!("codec=\"h264\",{fast},crf=12,max_bitrate_kbps=600,bufsize_kbps=600"),
            0.5,
            1.2,
        ),
        (
            format!("codec=\"hevc\",{fast},crf=12,max_bitrate_kbps=600,bufsize_kbps=600"),
            0.5,
            1.2,
        ),
        (
            format!("codec=\"vp9\",{fast},crf=12,max_bitrate_kbps=600,bufsize_kbps=600"),
            0.4,
            1.3,
        ),
    ];
    let wanted: Vec<_> = wanted.into_iter().filter(|(video, ..)| is_made(video)).collect();
    let videos: Vec<&str> = wanted.iter().map(|(video, ..)| video.as_str()).collect();
    for (found, (video, least, most)) in kbps(&room, &source, &videos).into_iter().zip(&wanted) {
        let share = found / 600.0;
        assert!((*least..=*most).contains(&share), "{video}: {found:.0} kbps");
    }
    let others = [
        "codec=\"h264\",preset=\"ultrafast\",crf=12",
        "codec=\"av1\",preset=\"ultrafast\",crf=12,max_bitrate_kbps=600,bufsize_kbps=600",
        "codec=\"av1\",preset=\"ultrafast\",crf=12",
    ];
    let found = kbps(&room, &source, &others);
    assert!(found[0] > 1500.0, "the caps above were needed: {found:?}");
    // The stand-in's encoder of AV1 has none.
    assert!(
        backend::is_gpu() || found[1] < found[2],
        "a cap of AV1 holds it back: {found:?}"
    );
}

#[test]
fn what_a_first_reading_learned_brings_the_second_to_its_target() {
    let room = Room::new();
    let source = noisy(room.path());
    let of = |two_pass: bool| -> Vec<String> {
        let more = if two_pass { ",two_pass=true" } else { "" };
        vec![
            format!("codec=\"h264\",preset=\"veryfast\",rate=\"vbr\",bitrate_kbps=400{more}"),
            format!("codec=\"hevc\",preset=\"ultrafast\",rate=\"vbr\",bitrate_kbps=400{more}"),
            format!("codec=\"vp9\",preset=\"veryfast\",rate=\"vbr\",bitrate_kbps=400{more}"),
            format!("codec=\"mpeg2\",rate=\"vbr\",bitrate_kbps=1400{more}"),
        ]
        .into_iter()
        .filter(|video| is_made(video))
        .collect()
    };
    let run = |two_pass: bool| {
        let texts = of(two_pass);
        kbps(&room, &source, &texts.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let (once, twice) = (run(false), run(true));
    for (number, target) in [400.0, 400.0, 400.0, 1400.0_f64]
        .into_iter()
        .take(once.len())
        .enumerate()
    {
        let miss = |kbps: f64| (kbps / target - 1.0).abs();
        assert!(
            miss(twice[number]) <= miss(once[number]).max(0.1),
            "{}: {:.0} at once, {:.0} at the second reading",
            of(true)[number],
            once[number],
            twice[number]
        );
        // NVENC looks at every picture twice by itself, so that the source is read once.
        assert!(
            backend::is_gpu() || once[number] != twice[number],
            "the second reading did not use what was learned"
        );
    }
    assert!(
        !room.path().join("scratch/first-reading").exists(),
        "what was learned is gone"
    );
}
