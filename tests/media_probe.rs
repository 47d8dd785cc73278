//! Facts and refusals on real files, and on files broken here.

mod collection;

use collection::media;
use reelmill::base::fault::Fault;
use reelmill::media::av::Source;
use reelmill::media::facts::MediaFacts;
use reelmill::media::limits::Limits;
use reelmill::media::probe;
use std::fs::File;
use std::path::Path;

fn look(path: &Path) -> Result<MediaFacts, Fault> {
    let name = path.file_name().expect("a file").to_string_lossy().into_owned();
    let source = Source::from_file(File::open(path).expect("open"), &name).expect("size");
    probe::probe(source, &Limits::default())
}

fn refusal(path: &Path) -> Fault {
    let fault = look(path).expect_err("it must be refused");
    assert!(!fault.cause.is_empty() && !fault.remedy.is_empty() && fault.operation == "probe");
    assert!(!fault.retryable, "the same bytes cannot become better");
    fault
}

#[test]
fn facts_agree_with_what_is_known_of_each_file() {
    type Expect = fn(&MediaFacts);
    let table: &[(&str, Expect)] = &[
        ("bbb_480p_30s.mp4", |facts| {
            let (stream, video) = facts.main_video().expect("video");
            assert_eq!(
                (video.width, video.height, stream.codec_name.as_str()),
                (854, 480, "h264")
            );
            assert_eq!(stream.profile.as_deref(), Some("High"));
            assert_eq!(video.average_frame_rate.expect("rate").value(), 24.0);
            let (_, audio) = facts.main_audio().expect("audio");
            assert_eq!((audio.channels, audio.sample_rate_hz), (6, 48_000));
            assert!((facts.duration_s.expect("duration") - 30.02).abs() < 0.05);
        }),
        ("ax_portrait_4k60.mp4", |facts| {
            let (_, video) = facts.main_video().expect("video");
            assert_eq!((video.rotation_degrees, video.mirrored), (90, false));
            assert_eq!(video.display_size(), (2160, 3840));
            assert_eq!(video.color_range, "pc");
        }),
        ("ax_hdr10-av1.mp4", |facts| {
            let (_, video) = facts.main_video().expect("video");
            assert_eq!((video.hdr.as_str(), video.bit_depth), ("hdr10", 10));
            assert_eq!(video.color_transfer, "smpte2084");
        }),
        ("ax_hlg10-color-test.mp4", |facts| {
            assert_eq!(facts.main_video().expect("video").1.hdr, "hlg");
        }),
        ("fate_interlaced_crop.mp4", |facts| {
            assert_eq!(facts.main_video().expect("video").1.field_order, "tt");
        }),
        ("fate_mpeg2_field_encoding.mp4", |facts| {
            let (_, video) = facts.main_video().expect("video");
            assert_eq!(video.display_size(), (768, 576), "16:15 pixels");
        }),
        ("fate_Owner-iTunes_9.0.3.15.mp4", |facts| {
            assert!(facts.main_video().is_none(), "a cover is no video");
            assert!(facts.main_audio().is_some());
        }),
        ("ax_sample_with_chapters.mp4", |facts| {
            assert_eq!(facts.chapters.len(), 3)
        }),
        ("ax_sample_with_srt.mkv", |facts| {
            assert_eq!(facts.streams.iter().filter(|s| s.codec_name == "subrip").count(), 1);
        }),
        ("moz_no_timescale.mp4", |facts| {
            assert_eq!(
                facts.main_video().expect("video").1.rotation_degrees,
                0,
                "a matrix of rubbish"
            );
        }),
    ];
    for (name, expect) in table {
        if let Some(path) = media(name) {
            let facts = look(&path).unwrap_or_else(|fault| panic!("{name}: {fault}"));
            assert_eq!(facts.size_bytes, path.metadata().expect("size").len());
            expect(&facts);
        }
    }
}

#[test]
fn hopeless_sources_are_refused_by_name() {
    let scratch = tempfile::tempdir().expect("directory");
    let empty = scratch.path().join("empty.mp4");
    std::fs::write(&empty, b"").expect("write");
    assert_eq!(refusal(&empty).code, "SourceEmpty");
    let text = scratch.path().join("notes.mp4");
    std::fs::write(&text, "shopping list\n".repeat(1000)).expect("write");
    assert_eq!(refusal(&text).code, "SourceNotMedia");

    // Newer libav, as in the release, has a decoder for it.
    if let Some(path) = media("ax_sample_vvc.mp4").filter(|path| look(path).is_err()) {
        let fault = refusal(&path);
        assert_eq!(fault.code, "SourceUndecodable");
        assert!(fault.cause.contains("vvc"), "{fault}");
    }
    if let Some(path) = media("fate_wmv_drm.wmv") {
        assert_eq!(refusal(&path).code, "SourceEncrypted");
    }
    if let Some(path) = media("bbb_480p_30s.mp4") {
        let bytes = std::fs::read(path).expect("read");
        let moov = bytes.windows(4).position(|four| four == b"moov").expect("an index");
        let unfinished = scratch.path().join("unfinished.mp4");
        let mut damaged = bytes.clone();
        damaged[moov..moov + 4].copy_from_slice(b"junk");
        std::fs::write(&unfinished, &damaged).expect("write");
        let fault = refusal(&unfinished);
        assert_eq!(fault.code, "SourceTruncated");
        assert!(fault.cause.contains("moov"), "{fault}");
    }
    if let Some(path) = media("ax_hlg10-color-test.mp4") {
        let bytes = std::fs::read(path).expect("read");
        let half = scratch.path().join("half.mp4");
        std::fs::write(&half, &bytes[..bytes.len() / 2]).expect("write");
        let source = Source::from_file(File::open(&half).expect("open"), "half.mp4").expect("size");
        let opened = probe::open(source, &Limits::default()).expect("its index is at the front");
        let missing = opened.missing_data().expect("half of it is missing");
        assert!(missing.contains("samples of stream"), "{missing}");
    }
}
