//! What a source says of its pictures and their order in places of its own: chapters that are odd, timecode and HDR10+
//! inside the pictures, places of WebVTT cues. It is carried right, or told as left out.

use crate::bits::Bits;
use crate::bits::message;
use crate::bits::stream;
use crate::bits::units;
use crate::workshop::Workshop;
use crate::workshop::probed;
use std::path::Path;
use std::path::PathBuf;

fn file(name: &str, container: &str) -> String {
    format!(
        "[[group]]\nkind=\"file\"\ncontainer=\"{container}\"\n[[group.output]]\nname=\"{name}\"\n\
         [group.output.video]\ncodec=\"h264\"\npreset=\"ultrafast\"\nheight=144\n"
    )
}

/// A film of five seconds with chapters of (beginning, end, title), milliseconds.
fn with_chapters(shop: &Workshop, name: &str, chapters: &[(u32, u32, &str)]) -> PathBuf {
    let mut text = ";FFMETADATA1\n".to_owned();
    for (start, end, title) in chapters {
        text += &format!("[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\n");
        if !title.is_empty() {
            text += &format!("title={title}\n");
        }
    }
    shop.write("chapters.txt", &text);
    shop.ffmpeg(
        "-f lavfi -i testsrc2=s=256x144:r=25:d=5 -i @/chapters.txt -map 0 -map_chapters 1 -c:v libx264 -preset ultrafast",
        name,
    )
}

/// Chapters as ffprobe finds them, a line each: begin, end, title.
fn chapters(path: &Path) -> Vec<String> {
    let said = probed(
        path,
        &[
            "-show_chapters",
            "-show_entries",
            "chapter=start_time,end_time:chapter_tags=title",
            "-of",
            "csv=p=0",
        ],
    );
    said.lines().map(|line| line.trim_end_matches(',').to_owned()).collect()
}

#[test]
fn chapters_that_overlap_or_begin_after_the_end_are_carried_as_far_as_they_can_be() {
    let shop = Workshop::new();
    let source = with_chapters(
        &shop,
        "odd.mkv",
        &[
            (0, 2000, "One"),
            (1000, 3000, "Overlap"),
            (3000, 4000, ""),
            (4000, 9000, "Long"),
            (8000, 9000, "Late"),
        ],
    );
    let definition = [file("a", "mp4"), file("b", "mkv")].concat();
    let product = shop.success(&source, &definition, &[]);
    assert_eq!(
        chapters(&shop.file(&product, 0)),
        [
            "0.000000,1.000000,One",
            "1.000000,3.000000,Overlap",
            "3.000000,4.000000",
            "4.000000,5.000000,Long"
        ]
    );
    assert_eq!(
        chapters(&shop.file(&product, 1)),
        [
            "0.000000,2.000000,One",
            "1.000000,3.000000,Overlap",
            "3.000000,4.000000",
            "4.000000,5.000000,Long"
        ]
    );
    assert_eq!(
        product.dropped,
        [
            "chapters: 1 of 5 outside of what is made (\"Late\")",
            "chapters that overlap: a has one at a time, so 1 ends where the next begins"
        ]
    );
    // Of a clip those that it does not reach, too.
    let clip = format!("[clip]\nstart_s=2.0\nend_s=3.5\n{}", file("a", "mp4"));
    let product = shop.success(&source, &clip, &[]);
    assert_eq!(
        chapters(&shop.file(&product, 0)),
        ["0.000000,1.000000,Overlap", "1.000000,1.500000"]
    );
    assert_eq!(
        product.dropped,
        ["chapters: 3 of 5 outside of what is made (\"One\", \"Long\", \"Late\")"]
    );
}

#[test]
fn chapters_that_no_demuxer_tells_of_are_told() {
    let shop = Workshop::new();
    let source = with_chapters(
        &shop,
        "unordered.mkv",
        &[(2000, 5000, "Second"), (0, 2000, "First"), (1000, 1500, "Within")],
    );
    let product = shop.success(&source, &file("a", "mkv"), &[]);
    assert_eq!(chapters(&shop.file(&product, 0)), ["2.000000,5.000000,Second"]);
    assert_eq!(
        product.dropped,
        ["chapters: 2 that are within others, out of order, or outside of what is joined"]
    );
}

#[test]
fn titles_of_chapters_are_carried_whoever_wrote_them() {
    let shop = Workshop::new();
    let long = "long ".repeat(60);
    let long = long.trim();
    for container in ["mp4", "mkv"] {
        let name = format!("titles.{container}");
        // The writer of the source itself leaves out of an MP4 what has no title.
        let first = if container == "mkv" { "" } else { "Intro" };
        let source = with_chapters(
            &shop,
            &name,
            &[
                (0, 1000, first),
                (1000, 2000, long),
                (2000, 3000, "CAFEx"),
                (3000, 5000, "题目"),
            ],
        );
        // As a program of the time of code pages wrote it: no UTF-8.
        let mut bytes = std::fs::read(&source).expect("read");
        let places: Vec<usize> = (0..bytes.len() - 5)
            .filter(|at| bytes[*at..].starts_with(b"CAFEx"))
            .collect();
        assert!(!places.is_empty());
        for at in places {
            bytes[at..at + 5].copy_from_slice(b"CAF\xc9s");
        }
        std::fs::write(&source, bytes).expect("written");
        let product = shop.success(&source, &[file("a", "mp4"), file("b", "mkv")].concat(), &[]);
        for number in 0..2 {
            assert_eq!(
                chapters(&shop.file(&product, number)),
                [
                    format!("0.000000,1.000000,{first}").trim_end_matches(',').to_owned(),
                    format!("1.000000,2.000000,{long}"),
                    "2.000000,3.000000,CAF\u{c9}s".to_owned(),
                    "3.000000,5.000000,题目".to_owned()
                ],
                "{container} {number}"
            );
        }
        assert!(product.dropped.is_empty(), "{:?}", product.dropped);
    }
}

/// Timecode as ffprobe finds it in an output.
fn timecode(path: &Path) -> String {
    let said = probed(
        path,
        &[
            "-show_entries",
            "stream_tags=timecode:format_tags=timecode",
            "-of",
            "default=nw=1:nk=1",
        ],
    );
    said.lines().next().unwrap_or_default().to_owned()
}

/// Three seconds of H.264 whose pictures carry drop-frame timecode from 00:59:59;20 on (picture timing, SEI).
fn timed_h264(shop: &Workshop) -> PathBuf {
    let plain = shop.ffmpeg(
        "-f lavfi -i testsrc2=s=256x144:r=30000/1001:d=3 -c:v libx264 -preset ultrafast -bf 0 \
         -x264-params slices=1:sliced-threads=0:pic-struct=1 -f h264",
        "plain.h264",
    );
    let bytes = std::fs::read(plain).expect("read");
    let mut out: Vec<Vec<u8>> = Vec::new();
    let mut label = 59 * 30 + 20;
    for unit in units(&bytes).into_iter().filter(|unit| unit[0] & 31 != 6) {
        if matches!(unit[0] & 31, 1 | 5) {
            let (second, frame) = (label / 30, label % 30);
            let minute = 59 + second / 60;
            // A whole frame; its clock time stamp: counting drops, all of it said.
            let timing = Bits::default()
                .number(0, 4)
                .number(1, 1)
                .number(0, 2)
                .number(0, 1)
                .number(4, 5);
            let timing = timing.number(1, 1).number(0, 1).number(1, 1).number(frame, 8);
            let timing = timing
                .number(second % 60, 6)
                .number(minute % 60, 6)
                .number(minute / 60, 5);
            out.push([&[6][..], &message(1, &timing.payload())].concat());
            label += 1;
        }
        out.push(unit.to_vec());
    }
    std::fs::write(shop.path("timed.h264"), stream(out.iter().map(Vec::as_slice))).expect("written");
    shop.ffmpeg("-r 30000/1001 -i @/timed.h264 -c copy", "timed.mkv")
}

#[test]
fn timecode_inside_the_pictures_is_carried_and_counts_clips() {
    let shop = Workshop::new();
    let source = timed_h264(&shop);
    let definition = [file("a", "mp4"), file("b", "mkv"), file("c", "ts")].concat();
    let product = shop.success(&source, &definition, &[]);
    for number in 0..2 {
        assert_eq!(timecode(&shop.file(&product, number)), "00:59:59;20", "{number}");
    }
    assert_eq!(product.dropped, ["timecode: c without a place for it"]);
    let clip = format!(
        "[clip]\nstart=\"01:00:00;10\"\nend=\"01:00:01;10\"\n{}",
        file("a", "mp4")
    );
    let product = shop.success(&source, &clip, &[]);
    let path = shop.file(&product, 0);
    assert_eq!(timecode(&path), "01:00:00;10");
    let frames = probed(
        &path,
        &[
            "-count_packets",
            "-show_entries",
            "stream=nb_read_packets",
            "-of",
            "csv=p=0",
        ],
    );
    assert!(frames.starts_with("30"), "{frames}");

    // A raw stream has no times of its own, and its first picture is the first all the same.
    let raw = shop.path("timed.h264");
    let product = shop.success(&raw, &file("a", "mp4"), &[]);
    assert_eq!(timecode(&shop.file(&product, 0)), "00:59:59;20");

    // The header of a group of MPEG-2 names its first picture.
    let groups = shop.ffmpeg(
        "-f lavfi -i testsrc2=s=256x144:r=25:d=4 -c:v mpeg2video -g 12 -bf 2 -timecode 10:00:00:05",
        "groups.ts",
    );
    let clip = format!("[clip]\nstart=\"10:00:01:05\"\n{}", file("a", "mp4"));
    let product = shop.success(&groups, &clip, &[]);
    assert_eq!(timecode(&shop.file(&product, 0)), "10:00:01:05");
}

#[test]
fn what_hdr10_plus_says_of_each_picture_is_told_as_left_out() {
    let shop = Workshop::new();
    let plain = shop.ffmpeg(
        "-f lavfi -i testsrc2=s=256x144:r=25:d=1,format=yuv420p10le -c:v libx265 -preset ultrafast -x265-params \
         log-level=none:bframes=0:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:hdr10=1:repeat-headers=1 -f hevc",
        "plain.hevc",
    );
    // T.35 of the United States, a provider's application 4: one window, its brightest and mean values.
    let window = Bits::default().number(1, 2).number(400, 27).number(0, 1);
    let window = [40_000, 50_000, 45_000, 3000]
        .into_iter()
        .fold(window, |window, value| window.number(value, 17));
    let window = window
        .number(1, 4)
        .number(99, 7)
        .number(30_000, 17)
        .number(10, 10)
        .number(0, 3);
    let said = [&[0xb5, 0, 0x3c, 0, 1, 4, 1][..], &window.padded()].concat();
    let said = [&[0x4e, 1][..], &message(4, &said)].concat();
    let bytes = std::fs::read(plain).expect("read");
    let mut out: Vec<&[u8]> = Vec::new();
    for unit in units(&bytes) {
        // The first slice of a picture.
        if unit[0] >> 1 & 63 < 32 && unit[2] & 0x80 != 0 {
            out.push(&said);
        }
        out.push(unit);
    }
    std::fs::write(shop.path("plus.hevc"), stream(out)).expect("written");
    let source = shop.ffmpeg("-r 25 -i @/plus.hevc -c copy", "plus.mp4");
    let side_data = |path: &Path| {
        probed(
            path,
            &[
                "-show_entries",
                "frame=side_data_list",
                "-read_intervals",
                "%+#1",
                "-show_frames",
            ],
        )
    };
    assert!(side_data(&source).contains("HDR10+"));
    let hdr = "[[group]]\nkind=\"file\"\n[[group.output]]\nname=\"hdr\"\n[group.output.video]\ncodec=\"hevc\"\n\
        preset=\"ultrafast\"\nheight=144\nbit_depth=10\n";
    let copy = "[[group]]\nkind=\"file\"\n[[group.output]]\nname=\"copy\"\nvideo={codec=\"copy\"}\n";
    let product = shop.success(&source, &[hdr, copy].concat(), &[]);
    assert_eq!(product.dropped, ["HDR10+: hdr without what it says of each picture"]);
    assert!(!side_data(&shop.file(&product, 0)).contains("HDR10+"));
    assert!(side_data(&shop.file(&product, 1)).contains("HDR10+"));
    let product = shop.success(&source, copy, &[]);
    assert!(product.dropped.is_empty(), "{:?}", product.dropped);
}

const ODD_VTT: &str = "WEBVTT - a title\n\nSTYLE\n::cue(.red) { color: red }\n\nREGION\nid:fred\nwidth:40%\nlines:3\n\n\
    NOTE\nnot shown\n\n\
    late\n00:03.000 --> 00:03.500\n<v Esme>late &amp; <c.red>red</c></v>\n\n\
    00:00.500 --> 00:02.000 region:fred\n<i.loud>first</i> caf&#233; &lrm;A\n\n\
    00:01.000 --> 00:01.500 vertical:rl\n<ruby>over<rt>lap</rt></ruby>\n";

#[test]
fn odd_webvtt_is_read_in_its_order_and_what_is_not_followed_is_told_once() {
    let shop = Workshop::new();
    let source = shop.ffmpeg(
        "-f lavfi -i color=0x808080:s=640x360:r=25:d=4 -c:v libx264 -preset ultrafast",
        "grey.mp4",
    );
    let vtt = shop.write("odd.vtt", ODD_VTT);
    let output = |name: &str, height: u32| {
        format!(
            "[[group.output]]\nname=\"{name}\"\n[group.output.video]\ncodec=\"h264\"\npreset=\"ultrafast\"\n\
             height={height}\nburn={{source=\"subs:odd.vtt\"}}\n"
        )
    };
    let definition = format!("[[group]]\nkind=\"file\"\n{}{}", output("a", 360), output("b", 180));
    let product = shop.success(&source, &definition, &[("subs:odd.vtt", vtt.clone())]);
    assert_eq!(
        product.warnings,
        [
            "burn: subs:odd.vtt: 1 cues run from top to bottom (vertical); they are drawn from side to side, where \
             subtitles usually stand",
            "burn: subs:odd.vtt: 1 cues stand in regions, which are not followed; they are drawn where subtitles usually \
             stand"
        ]
    );
    let picture = |at_s: f64| crate::workshop::Seen::at(&shop.file(&product, 0), at_s);
    let lines = |at_s: f64| {
        let picture = picture(at_s);
        let is_lit = |y: &usize| picture.bright((0, *y, 640, 1), 200) > 0;
        assert!(!(0..270).any(|y| is_lit(&y)), "all near the lower edge at {at_s}");
        (270..360).filter(is_lit).count()
    };
    // One line, two of them, none, one again.
    let found = [0.8, 1.2, 2.5, 3.2].map(lines);
    assert!(found[0] > 8 && found[1] > found[0] * 3 / 2, "{found:?}");
    assert!(found[2] == 0 && found[3] > 8, "{found:?}");

    let beside = "[[subtitle]]\nsource=\"subs:odd.vtt\"\nlanguage=\"en\"\n";
    let definition = format!("text=\"webvtt\"\n{beside}{}", file("a", "mp4"));
    let product = shop.success(&source, &definition, &[("subs:odd.vtt", vtt.clone())]);
    let path = shop.path("scratch").join(&product.outputs[0].files[0].scratch_path);
    let text = std::fs::read_to_string(path).expect("read");
    assert_eq!(
        text,
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\n<i>first</i> café \u{200e}A\n\n\
         00:00:01.000 --> 00:00:01.500 vertical:rl\nover(lap)\n\n00:00:03.000 --> 00:00:03.500\nlate &amp; red\n"
    );
    assert_eq!(
        product.warnings,
        ["subtitles 0: 1 cues stand in regions, which are not carried"]
    );

    let product = shop.success(
        &source,
        &format!("{beside}{}", file("a", "mp4")),
        &[("subs:odd.vtt", vtt)],
    );
    assert_eq!(product.warnings.len(), 2, "{:?}", product.warnings);
    assert!(product.warnings[0].contains("vertical"), "{:?}", product.warnings);
}
