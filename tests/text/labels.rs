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
fn time_between_chapters_is_told_where_a_container_has_none() {
    let shop = Workshop::new();
    let source = with_chapters(
        &shop,
        "apart.mkv",
        &[(0, 1000, "One"), (2000, 2960, "Two"), (3000, 4000, "Three")],
    );
    let product = shop.success(&source, &[file("a", "mp4"), file("b", "mkv")].concat(), &[]);
    assert_eq!(
        chapters(&shop.file(&product, 0)),
        [
            "0.000000,2.000000,One",
            "2.000000,3.000000,Two",
            "3.000000,4.000000,Three"
        ]
    );
    assert_eq!(
        chapters(&shop.file(&product, 1)),
        [
            "0.000000,1.000000,One",
            "2.000000,2.960000,Two",
            "3.000000,4.000000,Three"
        ]
    );
    assert_eq!(
        product.dropped,
        ["time between chapters: a has no place for it, so 1 lasts until the next begins"]
    );
    // Ogg writes beginnings alone.
    let sound = shop.ffmpeg(
        "-f lavfi -i sine=d=5 -i @/apart.mkv -map 0 -map_chapters 1",
        "apart.mka",
    );
    let ogg = "[[group]]\nkind=\"file\"\ncontainer=\"ogg\"\n[[group.output]]\nname=\"o\"\n\
        [group.output.audio]\ncodec=\"opus\"\n";
    let product = shop.success(&sound, ogg, &[]);
    assert_eq!(
        product.dropped,
        ["time between chapters: o has no place for it, so 2 last until the next begins or the file ends"]
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

/// How timecode inside pictures says that it drops numbers.
#[derive(Debug, Clone, Copy)]
struct Counted {
    /// `counting_type`: 4 is drop frame, 0 and 1 drop nothing.
    counting: u32,
    /// Each picture says that a number was dropped before it.
    is_flagged: bool,
    /// Bits of delays before it, where there is a model of a decoder's buffer.
    delay_bits: u32,
}

const FLAGGED: Counted = Counted {
    counting: 4,
    is_flagged: true,
    delay_bits: 0,
};

/// Three seconds of H.264 whose pictures carry timecode from 00:59:59 and 20 frames on (picture timing, SEI).
fn timed_h264(shop: &Workshop, how: Counted) -> PathBuf {
    let model = match how.delay_bits {
        0 => "",
        _ => ":nal-hrd=vbr:vbv-maxrate=1000:vbv-bufsize=1000",
    };
    let plain = shop.ffmpeg(
        &format!(
            "-f lavfi -i testsrc2=s=256x144:r=30000/1001:d=3 -c:v libx264 -preset ultrafast -bf 0 \
             -x264-params slices=1:sliced-threads=0:pic-struct=1{model} -f h264"
        ),
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
                .number(0, how.delay_bits)
                .number(0, 4)
                .number(1, 1)
                .number(0, 2)
                .number(0, 1)
                .number(how.counting, 5);
            let timing = timing.number(1, 1).number(0, 1);
            let timing = timing.number(how.is_flagged.into(), 1).number(frame, 8);
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
    let source = timed_h264(&shop, FLAGGED);
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

/// Of the message some say only that they count as drop frame does, and mark no picture; others mark the one before which
/// numbers were left out.
#[test]
fn drop_frame_is_known_by_how_pictures_count() {
    let shop = Workshop::new();
    for (counting, delay_bits, wanted) in [
        (4, 0, "00:59:59;20"),
        (4, 18, "00:59:59;20"),
        (0, 0, "00:59:59:20"),
        (1, 18, "00:59:59:20"),
    ] {
        let how = Counted {
            counting,
            is_flagged: false,
            delay_bits,
        };
        let boxed = timed_h264(&shop, how);
        let boxed = shop.ffmpeg(
            &format!("-i @/{} -c copy", boxed.file_name().expect("a name").display()),
            "timed.mp4",
        );
        for source in [boxed, shop.path("timed.h264")] {
            let product = shop.success(&source, &file("a", "mp4"), &[]);
            assert_eq!(
                timecode(&shop.file(&product, 0)),
                wanted,
                "{how:?} {}",
                source.display()
            );
        }
    }

    // HEVC: a message of its own. At 25 frames a second nothing is dropped, whatever it says.
    for (rate, counting, wanted) in [
        ("30000/1001", 4, "10:02:05;07"),
        ("30000/1001", 1, "10:02:05:07"),
        ("25", 4, "10:02:05:07"),
    ] {
        let plain = shop.ffmpeg(
            &format!(
                "-f lavfi -i testsrc2=s=256x144:r={rate}:d=1 -c:v libx265 -preset ultrafast -x265-params \
                 log-level=none:bframes=0:repeat-headers=1 -f hevc"
            ),
            "plain.hevc",
        );
        let bytes = std::fs::read(plain).expect("read");
        let mut out: Vec<Vec<u8>> = Vec::new();
        for unit in units(&bytes) {
            if unit[0] >> 1 & 63 < 32 && unit[2] & 0x80 != 0 {
                let code = Bits::default()
                    .number(1, 2)
                    .number(1, 1)
                    .number(0, 1)
                    .number(counting, 5);
                let code = code.number(1, 1).number(0, 2).number(7, 9);
                let code = code.number(5, 6).number(2, 6).number(10, 5).number(0, 5);
                out.push([&[0x4e, 1][..], &message(136, &code.payload())].concat());
            }
            out.push(unit.to_vec());
        }
        std::fs::write(shop.path("timed.hevc"), stream(out.iter().map(Vec::as_slice))).expect("written");
        let source = shop.ffmpeg(&format!("-r {rate} -i @/timed.hevc -c copy"), "timed.mp4");
        for source in [source, shop.path("timed.hevc")] {
            let product = shop.success(&source, &file("a", "mp4"), &[]);
            assert_eq!(
                timecode(&shop.file(&product, 0)),
                wanted,
                "{rate} {counting} {}",
                source.display()
            );
        }
    }
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
            "burn: subs:odd.vtt: 1 cues explain letters (<ruby>); the explanation stands in brackets",
            "burn: subs:odd.vtt: 1 cues run from top to bottom (vertical); they are drawn from side to side, where \
             subtitles usually stand",
            "burn: subs:odd.vtt: 1 cues stand in regions, which are not followed; they are drawn where subtitles usually \
             stand",
            "burn: subs:odd.vtt: the style sheet is not carried",
            "burn: subs:odd.vtt: voices of 1 cues, classes of 1 cues are not shown in pictures"
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
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\n<i.loud>first</i> caf&#233; &lrm;A\n\n\
         00:00:01.000 --> 00:00:01.500 vertical:rl\n<ruby>over<rt>lap</rt></ruby>\n\n\
         00:00:03.000 --> 00:00:03.500\n<v Esme>late &amp; <c.red>red</c></v>\n"
    );
    assert_eq!(
        product.warnings,
        [
            "subtitles 0: 1 cues stand in regions, which are not carried",
            "subtitles 0: the style sheet is not carried"
        ]
    );

    let product = shop.success(
        &source,
        &format!("{beside}{}", file("a", "mp4")),
        &[("subs:odd.vtt", vtt)],
    );
    let told = product.warnings.join("\n");
    for words in [
        "(vertical), which is not carried into files",
        "1 cues stand in regions",
        "the explanation stands in brackets",
        "the style sheet is not carried",
        "voices of 1 cues, classes of 1 cues are not carried into mov_text",
    ] {
        assert_eq!(told.matches(words).count(), 1, "{words}: {told}");
    }
    assert_eq!(product.warnings.len(), 5, "{told}");
}

const MARKED_VTT: &str = "WEBVTT\n\n\
    00:00.500 --> 00:01.500 line:0 align:start\n<v Esme><c.yellow>Yes</c></v> <c.loud>no</c>\n\n\
    00:02.000 --> 00:03.000 line:40%\n<lang fr>Oui <00:02.500>a</lang> <c.magenta>b</c>\n";

/// Text of a file's first track as Debian's ffmpeg takes it out.
fn taken_out(path: &Path, how: &[&str]) -> String {
    let output = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-map", "0:s:0"])
        .args(how)
        .arg("-")
        .output()
        .expect("ffmpeg runs");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn marks_and_places_are_carried_where_a_form_has_them_and_told_where_it_has_not() {
    let shop = Workshop::new();
    let source = shop.ffmpeg(
        "-f lavfi -i color=0x808080:s=256x144:r=25:d=4 -c:v libx264 -preset ultrafast",
        "grey.mp4",
    );
    let vtt = shop.write("marked.vtt", MARKED_VTT);
    let beside = "[[subtitle]]\nsource=\"subs:marked.vtt\"\nlanguage=\"en\"\n";
    let made = |definition: &str| {
        let definition = format!("{beside}{definition}");
        shop.success(&source, &definition, &[("subs:marked.vtt", vtt.clone())])
    };
    let codec = if crate::backend::is_gpu() { "av1" } else { "vp9" };
    let webm = file("a", "webm").replace("h264", codec);
    let product = made(&webm);
    assert_eq!(
        taken_out(&shop.file(&product, 0), &["-c", "copy", "-f", "webvtt"]),
        "WEBVTT\n\n00:00.500 --> 00:01.500 line:0 align:start\n<v Esme><c.yellow>Yes</c></v> <c.loud>no</c>\n\n\
         00:02.000 --> 00:03.000 line:40%\n<lang fr>Oui a</lang> <c.magenta>b</c>\n"
    );
    let moments = "subtitles 0: 1 cues show their words one after the other (times within them); all are there at once";
    assert_eq!(product.warnings, [moments]);

    let product = made(&file("a", "mkv"));
    let text = taken_out(&shop.file(&product, 0), &["-c", "copy", "-f", "srt"]);
    assert!(
        text.contains("{\\an7}<font color=\"#ffff00\">Yes</font> no\n"),
        "{text}"
    );
    assert!(
        text.contains("{\\an5}Oui a <font color=\"#ff00ff\">b</font>\n"),
        "{text}"
    );
    assert_eq!(
        product.warnings,
        [
            moments,
            "subtitles 0: 1 cues stand in the nearest of the nine places that subrip has",
            "subtitles 0: voices of 1 cues, classes of 1 cues, languages of 1 cues are not carried into subrip"
        ]
    );

    let product = made(&file("a", "mp4"));
    let text = taken_out(&shop.file(&product, 0), &["-f", "srt"]);
    assert!(text.contains("<font color=\"#ffff00\">Yes</font> no\n"), "{text}");
    assert_eq!(
        product.warnings,
        [
            moments,
            "subtitles 0: 2 cues stand elsewhere than subtitles usually do, for which mov_text has no place",
            "subtitles 0: voices of 1 cues, classes of 1 cues, languages of 1 cues are not carried into mov_text"
        ]
    );

    // Text of SubRip and ASS has places and colours, too.
    let words = "1\n00:00:00,500 --> 00:00:01,500\n{\\an9}<font color=\"#00ffff\">Up</font> <i>there</i>\n\n\
        2\n00:00:02,000 --> 00:00:03,000\n<font color=\"#123456\" face=\"Arial\">dark</font>\n";
    let srt = shop.write("placed.srt", words);
    let beside = beside.replace("marked.vtt", "placed.srt");
    let side = [("subs:placed.srt", srt)];
    let product = shop.success(
        &source,
        &format!("text=\"webvtt\"\n{beside}{}", file("a", "mp4")),
        &side,
    );
    let path = shop.path("scratch").join(&product.outputs[0].files[0].scratch_path);
    assert_eq!(
        std::fs::read_to_string(path).expect("read"),
        "WEBVTT\n\n00:00:00.500 --> 00:00:01.500 line:0 align:end\n<c.cyan>Up</c> <i>there</i>\n\n\
         00:00:02.000 --> 00:00:03.000\ndark\n"
    );
    assert_eq!(
        product.warnings,
        ["subtitles 0: 1 cues have fonts, sizes or colours of their own, which are not carried into WebVTT"]
    );
    let style = "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\n\
        Format: Name, Fontname, Fontsize, PrimaryColour, Alignment\nStyle: Default,Arial,16,&Hffffff,2\n\
        Style: Sign,Arial,16,&Hffffff,8\n\n[Events]\n\
        Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n\
        Dialogue: 0,0:00:00.50,0:00:01.50,Sign,,0,0,0,,Above\n\
        Dialogue: 0,0:00:02.00,0:00:03.00,Default,,0,0,0,,{\\pos(10,20)\\fad(100,100)}There\n";
    shop.write("styled.ass", style);
    let styled = shop.ffmpeg("-i @/grey.mp4 -i @/styled.ass -map 0 -map 1 -c copy", "styled.mkv");
    let product = shop.success(&styled, &[file("a", "mp4"), webm].concat(), &[]);
    assert_eq!(
        taken_out(&shop.file(&product, 1), &["-c", "copy", "-f", "webvtt"]),
        "WEBVTT\n\n00:00.500 --> 00:01.500 line:0\nAbove\n\n00:02.000 --> 00:03.000\nThere\n"
    );
    assert_eq!(
        product.warnings,
        [
            "subtitles 0: 1 cues move, fade or light up word by word, which is not carried into WebVTT",
            "subtitles 0: 1 cues move, fade or light up word by word, which is not carried into mov_text",
            "subtitles 0: 1 cues stand at points of their own (\\pos), which are not carried into WebVTT",
            "subtitles 0: 2 cues stand elsewhere than subtitles usually do, for which mov_text has no place"
        ]
    );
}

#[test]
fn colours_of_webvtt_are_drawn() {
    let shop = Workshop::new();
    let source = shop.ffmpeg(
        "-f lavfi -i color=0x808080:s=640x360:r=25:d=2 -c:v libx264 -preset ultrafast",
        "grey.mp4",
    );
    let vtt = shop.write(
        "c.vtt",
        "WEBVTT\n\n00:00.000 --> 00:02.000\n<c.red>HHHHHH</c>HHHHHH<c.lime>HHHHHH</c>\n",
    );
    let definition = "[[group]]\nkind=\"file\"\n[[group.output]]\nname=\"a\"\n[group.output.video]\ncodec=\"h264\"\n\
        preset=\"ultrafast\"\nheight=360\nburn={source=\"subs:c.vtt\", font_size=\"10%\"}\n";
    let product = shop.success(&source, definition, &[("subs:c.vtt", vtt)]);
    assert!(product.warnings.is_empty(), "{:?}", product.warnings);
    let seen = crate::workshop::Seen::at(&shop.file(&product, 0), 1.0);
    // Where pixels of each colour are, in the mean.
    let mean = |is: fn([u8; 3]) -> bool| {
        let all = (240..360).flat_map(|y| (0..640).map(move |x| (x, y)));
        let found: Vec<usize> = all.filter(|(x, y)| is(seen.pixel(*x, *y))).map(|(x, _)| x).collect();
        assert!(found.len() > 50, "{}", found.len());
        found.iter().sum::<usize>() / found.len()
    };
    let red = mean(|[r, g, b]| r > 180 && g < 90 && b < 90);
    let white = mean(|[r, g, b]| r > 220 && g > 220 && b > 220);
    let lime = mean(|[r, g, b]| g > 180 && r < 90 && b < 90);
    assert!(red < white && white < lime, "{red} {white} {lime}");
}
