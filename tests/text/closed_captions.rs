//! Closed captions inside the pictures of a source: put there by hand, read in the outputs by Debian's ffmpeg.

use crate::workshop::Workshop;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// Coded pictures of H.264 begin with one of these units.
const SLICES: [u8; 2] = [1, 5];

/// With the parity of CEA-608.
fn odd(byte: u8) -> u8 {
    byte | u8::from(byte.count_ones().is_multiple_of(2)) << 7
}

/// Four seconds whose picture 16 shows a caption and whose picture 60 takes it away.
fn captioned(shop: &Workshop) -> PathBuf {
    let plain = shop.ffmpeg(
        "-f lavfi -i testsrc2=s=256x144:r=25:d=4 -c:v libx264 -preset ultrafast -bf 0 \
         -x264-params slices=1:sliced-threads=0 -f h264",
        "plain.h264",
    );
    let commands: BTreeMap<usize, [u8; 2]> = [
        (10, [0x14, 0x20]),
        (11, [0x14, 0x2e]),
        (12, [0x14, 0x70]),
        (13, *b"HE"),
        (14, *b"LL"),
        (15, *b"O!"),
        (16, [0x14, 0x2f]),
        (60, [0x14, 0x2c]),
    ]
    .into();
    let bytes = std::fs::read(plain).expect("read");
    let starts: Vec<usize> = (0..bytes.len() - 3)
        .filter(|at| bytes[*at..].starts_with(&[0, 0, 1]))
        .collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    let (mut out, mut pictures) = (Vec::new(), 0);
    for (start, end) in starts.iter().copied().zip(ends) {
        if SLICES.contains(&(bytes[start + 3] & 31)) {
            if let Some([first, second]) = commands.get(&pictures) {
                // A message that is registered with ITU-T T.35: ATSC's, of one construct.
                out.extend([0, 0, 1, 6, 4, 14, 0xb5, 0, 0x31]);
                out.extend(b"GA94");
                out.extend([3, 0x41, 0xff, 0xfc, odd(*first), odd(*second), 0xff, 0x80]);
            }
            pictures += 1;
        }
        out.extend(&bytes[start..end]);
    }
    assert_eq!(pictures, 100);
    std::fs::write(shop.path("captions.h264"), out).expect("write");
    shop.ffmpeg("-r 25 -i @/captions.h264 -c copy", "captions.mp4")
}

/// Captions as Debian's ffmpeg finds them: begin, end, text.
fn read(path: &Path) -> Vec<(f64, f64, String)> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i"])
        .arg(format!("movie={}[out+subcc]", path.display()))
        .args(["-map", "0:1", "-f", "srt", "-"])
        .output()
        .expect("ffmpeg runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let seconds = |time: &str| {
        let parts: Vec<f64> = time
            .trim()
            .replace(',', ".")
            .split(':')
            .map(|part| part.parse().expect("a number"))
            .collect();
        parts[0] * 3600.0 + parts[1] * 60.0 + parts[2]
    };
    let of = |block: &str| {
        let (times, words) = block.split_once('\n')?.1.split_once('\n')?;
        let (start, end) = times.split_once("-->")?;
        Some((seconds(start), seconds(end), words.to_owned()))
    };
    text.split("\n\n").filter_map(of).collect()
}

#[test]
fn closed_captions_go_on_with_the_pictures_or_are_told_as_left_out() {
    let shop = Workshop::new();
    let source = captioned(&shop);
    let wanted = read(&source);
    assert!(wanted.len() == 1 && wanted[0].2.contains("HELLO!"), "{wanted:?}");
    let output = |name: &str, container: &str, video: &str| {
        format!(
            "[[group]]\nname=\"{name}\"\nkind=\"file\"\ncontainer=\"{container}\"\n[[group.output]]\nname=\"{name}\"\n\
             [group.output.video]\n{video}\n"
        )
    };
    let x264 = "codec=\"h264\"\npreset=\"ultrafast\"\nheight=144";
    if crate::backend::is_gpu() {
        // Encoders of devices write none: what is copied keeps them, and of the other it is said.
        let definition = [output("plain", "mp4", x264), output("copied", "mkv", "codec=\"copy\"")].concat();
        let product = shop.success(&source, &definition, &[]);
        let found = [0, 1].map(|number| read(&shop.file(&product, number)).len());
        assert_eq!((product.backend.as_str(), found), ("gpu", [0, 1]));
        assert_eq!(
            product.dropped,
            ["closed captions (CEA-608 or 708) inside the pictures: plain without a place for them"]
        );
        return;
    }
    let definition = [
        output("plain", "mp4", x264),
        output(
            "bframes",
            "ts",
            "codec=\"h264\"\npreset=\"veryfast\"\nheight=128\nbframes=3",
        ),
        output("slower", "mp4", &format!("{x264}\nfps=10")),
        output("faster", "mp4", &format!("{x264}\nfps=50")),
        output("mpeg2", "ts", "codec=\"mpeg2\"\nheight=144"),
        output("copied", "mkv", "codec=\"copy\""),
        output("hevc", "mp4", "codec=\"hevc\"\npreset=\"ultrafast\"\nheight=144"),
        output(
            "hevc-bframes",
            "ts",
            "codec=\"hevc\"\npreset=\"veryfast\"\nheight=128\nbframes=3\nfps=50",
        ),
        output(
            "av1",
            "mp4",
            "codec=\"av1\"\npreset=\"ultrafast\"\nheight=144\ngop_s=1.0",
        ),
        output(
            "av1-slower",
            "mkv",
            "codec=\"av1\"\npreset=\"ultrafast\"\nheight=144\nfps=10",
        ),
        output("vp9", "webm", "codec=\"vp9\"\npreset=\"ultrafast\"\nheight=144"),
    ]
    .concat();
    let product = shop.success(&source, &definition, &[]);
    for (number, output) in product.outputs.iter().enumerate() {
        let found = read(&shop.file(&product, number));
        if output.name == "vp9" {
            assert_eq!(found, Vec::new());
            continue;
        }
        assert_eq!(found.len(), 1, "{}: {found:?}", output.name);
        assert!(found[0].2.contains("HELLO!"), "{}: {found:?}", output.name);
        // A slower rendition shows a tenth of a second at once; TS begins at a time of its own.
        let shift = found[0].0 - wanted[0].0;
        assert!(
            ["bframes", "mpeg2", "hevc-bframes"].contains(&output.name.as_str()) || shift.abs() < 0.11,
            "{}: {found:?}",
            output.name
        );
        let length = (found[0].1 - found[0].0) - (wanted[0].1 - wanted[0].0);
        assert!(length.abs() < 0.11, "{}: {found:?} for {wanted:?}", output.name);
    }
    assert_eq!(
        product.dropped,
        ["closed captions (CEA-608 or 708) inside the pictures: vp9 without a place for them"]
    );
}

/// Seconds of the cues of a WebVTT file, and their text.
fn cues(text: &str) -> Vec<(f64, f64, String)> {
    let seconds = |time: &str| {
        let parts = time
            .trim()
            .split(':')
            .map(|part| part.parse::<f64>().expect("a number"));
        parts.fold(0.0, |sum, part| sum * 60.0 + part)
    };
    let of = |block: &str| {
        let (times, words) = block.split_once('\n')?;
        let (start, end) = times.split_once("-->")?;
        let end = end.split_whitespace().next()?;
        Some((seconds(start), seconds(end), words.trim().to_owned()))
    };
    text.split("\n\n").filter_map(of).collect()
}

#[test]
fn closed_captions_become_text_where_text_is_asked_for() {
    let shop = Workshop::new();
    let source = captioned(&shop);
    let wanted = read(&source);
    let group = |kind: &str, video: &str| {
        format!(
            "[[group]]\nname=\"{kind}\"\nkind=\"{kind}\"\n[[group.output]]\nname=\"v\"\n\
             [group.output.video]\n{video}\n"
        )
    };
    let x264 = "codec=\"h264\"\npreset=\"ultrafast\"\nheight=144";
    for (video, begin, length) in [
        (x264, "", 4.0),
        (x264, "[clip]\nstart_s=0.2\nend_s=2.0\n", 1.8),
        ("codec=\"copy\"", "", 4.0),
    ] {
        let definition = format!(
            "text=\"webvtt\"\n{begin}{}{}",
            group("file", video),
            group("hls", video)
        );
        let product = shop.success(&source, &definition, &[]);
        let files = product.outputs.iter().flat_map(|output| &output.files);
        let texts: Vec<PathBuf> = files
            .filter(|file| file.scratch_path.ends_with(".vtt"))
            .map(|file| shop.path("scratch").join(&file.scratch_path))
            .collect();
        assert!(
            texts.len() >= 2,
            "beside the file and in the set: {:?}",
            product.outputs
        );
        for path in texts {
            let found = cues(&std::fs::read_to_string(&path).expect("read"));
            let shift = if begin.is_empty() { 0.0 } else { 0.2 };
            let [(start, end, words)] = found.as_slice() else {
                panic!("{}: {found:?}", path.display());
            };
            assert_eq!(words, "HELLO!");
            assert!((start + shift - wanted[0].0).abs() < 0.041, "{found:?} for {wanted:?}");
            let expected_end = (wanted[0].1 - shift).min(length);
            assert!((end - expected_end).abs() < 0.041, "{found:?} for {wanted:?}");
        }
    }

    // A set with a rendition of subtitles has them without being asked twice; nothing else has.
    let subtitles = "[[group.output]]\nname=\"cc\"\nrendition={ type=\"subtitle\", language=\"en\" }\n";
    let with = shop.success(&source, &format!("{}{subtitles}", group("hls", x264)), &[]);
    let without = shop.success(&source, &group("hls", x264), &[]);
    let has_text = |product: &reelmill::media::product::JobProduct| {
        let mut files = product.outputs.iter().flat_map(|output| &output.files);
        files.any(|file| file.scratch_path.ends_with(".vtt"))
    };
    assert!(has_text(&with), "{:?}", with.dropped);
    assert!(!has_text(&without));

    let plain = shop.ffmpeg(
        "-f lavfi -i testsrc2=s=256x144:r=25:d=1 -c:v libx264",
        "no-captions.mp4",
    );
    let product = shop.success(&plain, &format!("text=\"webvtt\"\n{}", group("file", x264)), &[]);
    assert!(!has_text(&product), "nothing is made up");
}
