//! What a source says of its pictures and their order in places of its own: chapters that are odd, timecode and HDR10+
//! inside the pictures. It is carried right, or told as left out.

use crate::bits::Bits;
use crate::bits::message;
use crate::bits::stream;
use crate::bits::units;
use crate::workshop::Workshop;
use crate::workshop::probed;
use std::path::Path;
use std::path::PathBuf;

/// A file with pictures in a container.
pub fn file(name: &str, container: &str) -> String {
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
    let row = chapters(&shop.file(&product, 0));
    // Vorbis as it is, whose comments libav's muxer takes from its header.
    let vorbis = shop.ffmpeg(
        "-f lavfi -i sine=d=5 -i @/apart.mkv -map 0 -map_chapters 1 -c:a libvorbis",
        "vorbis.mka",
    );
    let product = shop.success(&vorbis, &ogg.replace("opus", "copy"), &[]);
    let copied = chapters(&shop.file(&product, 0));
    assert_eq!(copied.len(), 3);
    let begin_and_title = |row: &[String]| -> Vec<String> {
        let parts = row.iter().map(|one| one.split(',').collect::<Vec<_>>());
        parts.map(|one| format!("{} {}", one[0], one[2])).collect()
    };
    assert_eq!(begin_and_title(&copied), begin_and_title(&row));
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
