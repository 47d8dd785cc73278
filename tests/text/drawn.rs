//! What is drawn onto pictures, at the right places and times.

use crate::workshop::Seen;
use crate::workshop::Workshop;
use std::path::PathBuf;

const GREY: [u8; 3] = [128, 128, 128];
const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];

/// Four seconds of grey, 25 frames a second, 320x180.
fn grey(shop: &Workshop) -> PathBuf {
    shop.ffmpeg(
        "-f lavfi -i color=0x808080:s=320x180:r=25:d=4 -c:v libx264 -preset ultrafast -crf 10 -pix_fmt yuv420p",
        "grey.mp4",
    )
}

fn red_png(shop: &Workshop) -> PathBuf {
    shop.ffmpeg("-f lavfi -i color=red:s=40x20 -frames:v 1 -pix_fmt rgb24", "red.png")
}

fn rung(name: &str, height: u32, more: &str) -> String {
    format!(
        "[[group.output]]\nname=\"{name}\"\n[group.output.video]\ncodec=\"h264\"\npreset=\"ultrafast\"\ncrf=10\nheight={height}\n{more}\n"
    )
}

#[test]
fn an_image_stands_in_its_corner_during_its_time_and_on_its_rendition_alone() {
    let shop = Workshop::new();
    let source = shop.ffmpeg(
        "-f lavfi -i color=0x808080:s=640x360:r=25:d=4 -c:v libx264 -preset ultrafast -crf 10 -pix_fmt yuv420p",
        "large.mp4",
    );
    let mark =
        "[[group.output.video.watermark]]\nimage=\"marks:red.png\"\nwidth=40\nx=10\ny=\"10%\"\nstart_s=1\nduration_s=1";
    // The second has half the size and is fed from the first.
    let definition = format!(
        "[[group]]\nkind=\"file\"\n{}{}",
        rung("large", 360, mark),
        rung("small", 180, "")
    );
    let side = [("marks:red.png", red_png(&shop))];
    let product = shop.success(&source, &definition, &side);
    let large = shop.file(&product, 0);
    // 590..630 across, 36..56 down.
    for (at_s, seen) in [
        (0.5, false),
        (0.96, false),
        (1.0, true),
        (1.5, true),
        (1.96, true),
        (2.0, false),
        (3.0, false),
    ] {
        let picture = Seen::at(&large, at_s);
        let inside = picture.is((592, 38, 36, 16), if seen { RED } else { GREY });
        assert!(inside, "{at_s}: {:?}", picture.mean(592, 38, 36, 16));
        for around in [(0, 0, 586, 360), (590, 0, 40, 32), (590, 60, 40, 100), (634, 0, 6, 360)] {
            assert!(picture.is(around, GREY), "{at_s} {around:?}");
        }
    }
    let small = Seen::at(&shop.file(&product, 1), 1.5);
    for (x, y, width, height) in [(0, 0, 320, 180), (296, 19, 18, 8)] {
        assert!(
            small.is((x, y, width, height), GREY),
            "the smaller one is unmarked: {:?}",
            small.mean(x, y, width, height)
        );
    }
}

#[test]
fn opacity_mixes_and_the_default_size_is_twelve_per_cent() {
    let shop = Workshop::new();
    let definition = format!(
        "[[watermark]]\nimage=\"marks:red.png\"\nopacity=0.5\n[[group]]\nkind=\"file\"\n{}",
        rung("a", 180, "")
    );
    let side = [("marks:red.png", red_png(&shop))];
    let product = shop.success(&grey(&shop), &definition, &side);
    let picture = Seen::at(&shop.file(&product, 0), 2.0);
    // 38 of 320 wide, 19 high, at the upper right.
    assert!(
        picture.is((284, 2, 34, 15), [191, 64, 64]),
        "{:?}",
        picture.mean(284, 2, 34, 15)
    );
    assert!(picture.is((0, 0, 278, 180), GREY) && picture.is((284, 22, 34, 100), GREY));
}

#[test]
fn svg_text_and_repetition() {
    let shop = Workshop::new();
    let svg = "<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'><rect width='10' height='10' fill='#0000ff'/></svg>";
    let definition = format!(
        "[[watermark]]\nkind=\"svg\"\nsvg=\"{svg}\"\ncorner=\"bottom_left\"\nwidth=32\nstart_s=0.4\nduration_s=0.4\nevery_s=2\n\
        [[watermark]]\nkind=\"text\"\ntext=\"HIM\"\ncorner=\"center\"\nfont_size=\"20%\"\nborder=2\n\
        [[group]]\nkind=\"file\"\n{}",
        rung("a", 180, "")
    );
    let product = shop.success(&grey(&shop), &definition, &[]);
    let file = shop.file(&product, 0);
    for (at_s, seen) in [
        (0.0, false),
        (0.4, true),
        (0.76, true),
        (0.8, false),
        (2.4, true),
        (2.8, false),
    ] {
        let picture = Seen::at(&file, at_s);
        assert!(picture.is((4, 152, 24, 24), if seen { BLUE } else { GREY }), "{at_s}");
        assert!(
            picture.bright((100, 60, 120, 60), 220) > 200,
            "letters are there at {at_s}"
        );
        assert_eq!(picture.bright((0, 0, 320, 50), 200), 0, "and nowhere else");
    }
}

#[test]
fn a_box_hides_what_is_beneath_it() {
    let shop = Workshop::new();
    let source = shop.ffmpeg(
        "-f lavfi -i testsrc2=s=320x180:r=25:d=2 -c:v libx264 -preset ultrafast -crf 10 -pix_fmt yuv420p",
        "bars.mp4",
    );
    let boxed = |more: &str| {
        let definition = format!("{more}\n[[group]]\nkind=\"file\"\n{}", rung("a", 180, ""));
        let product = shop.success(&source, &definition, &[]);
        Seen::at(&shop.file(&product, 0), 1.5)
    };
    let plain = boxed("");
    let hidden = boxed("[[mosaic]]\nkind=\"pixelate\"\nx=\"25%\"\ny=40\nwidth=64\nheight=64\nstrength=100\nstart_s=1");
    let blurred = boxed("[[mosaic]]\nx=80\ny=40\nwidth=64\nheight=64\nstrength=100\nduration_s=1");
    let rough = |picture: &Seen| -> f64 {
        let pairs = (42..100).flat_map(|y| (82..140).map(move |x| (x, y)));
        pairs
            .map(|(x, y)| f64::from(picture.pixel(x, y)[1].abs_diff(picture.pixel(x + 1, y)[1])))
            .sum::<f64>()
            / (58.0 * 58.0)
    };
    // What is left is the encoder's, of which a device has another.
    let share = if crate::backend::is_gpu() { 0.6 } else { 0.5 };
    assert!(
        rough(&hidden) < rough(&plain) * share,
        "{} {}",
        rough(&hidden),
        rough(&plain)
    );
    assert!(
        (rough(&blurred) - rough(&plain)).abs() < 1.0,
        "the box was there for a second only"
    );
    for (x, y) in [(10, 10), (200, 100), (78, 70), (146, 70), (100, 38), (100, 106)] {
        let (one, two) = (plain.pixel(x, y), hidden.pixel(x, y));
        assert!(
            (0..3).all(|part| one[part].abs_diff(two[part]) < 24),
            "{x},{y}: {one:?} {two:?}"
        );
    }
}

const SRT: &str = "1\n00:00:01,000 --> 00:00:02,000\nHELLO WORLD\n\n2\n00:00:03,000 --> 00:00:03,500\nBYE\n";

/// Bright pixels in the lower part, where subtitles stand.
fn letters(picture: &Seen) -> usize {
    picture.bright((0, picture.height / 2, picture.width, picture.height / 2), 150)
}

#[test]
fn burnt_in_subtitles_are_seen_during_their_cues_only() {
    let shop = Workshop::new();
    let source = grey(&shop);
    let srt = shop.write("x.srt", SRT);
    let with_track = shop.ffmpeg(
        "-i @/grey.mp4 -i @/x.srt -i @/x.srt -map 0 -map 1 -map 2 -c:v copy -c:s srt -metadata:s:s:0 language=eng -metadata:s:s:1 language=zho",
        "track.mkv",
    );
    let mp4 = shop.ffmpeg(
        "-i @/grey.mp4 -i @/x.srt -map 0 -map 1 -c:v copy -c:s mov_text -metadata:s:s:0 language=fra",
        "track.mp4",
    );
    let of_file = [("subs:x.srt", srt)];
    for (source, burn, side) in [
        (&source, "source=\"subs:x.srt\"\nfont_size=\"10%\"", of_file.as_slice()),
        (&with_track, "source=\"track:zh\"", &[]),
        (&with_track, "source=\"track:0\"", &[]),
        (&mp4, "source=\"track:fr\"", &[]),
    ] {
        let definition = format!(
            "text=\"drop\"\n[burn]\n{burn}\n[[group]]\nkind=\"file\"\n{}{}",
            rung("a", 180, ""),
            rung("b", 144, "fps=50\n")
        );
        let product = shop.success(source, &definition, side);
        for output in 0..2 {
            for (at_s, seen) in [
                (0.5, false),
                (0.96, false),
                (1.0, true),
                (1.96, true),
                (2.0, false),
                (3.2, true),
                (3.6, false),
            ] {
                let picture = Seen::at(&shop.file(&product, output), at_s);
                assert_eq!(
                    letters(&picture) > 10,
                    seen,
                    "{burn} {output} at {at_s}: {}",
                    letters(&picture)
                );
            }
        }
    }
    let clipped = format!(
        "[clip]\nstart_s=0.6\n[burn]\nsource=\"subs:x.srt\"\n[[group]]\nkind=\"file\"\n{}",
        rung("a", 180, "")
    );
    let product = shop.success(&source, &clipped, &of_file);
    for (at_s, seen) in [(0.36, false), (0.4, true), (1.36, true), (1.4, false)] {
        let picture = Seen::at(&shop.file(&product, 0), at_s);
        assert_eq!(letters(&picture) > 10, seen, "clipped at {at_s}");
    }
}

/// Rows and columns between which something bright is.
fn extent(picture: &Seen) -> Option<((usize, usize), (usize, usize))> {
    let rows: Vec<usize> = (0..picture.height)
        .filter(|y| picture.bright((0, *y, picture.width, 1), 150) > 0)
        .collect();
    let columns: Vec<usize> = (0..picture.width)
        .filter(|x| picture.bright((*x, 0, 1, picture.height), 150) > 0)
        .collect();
    Some(((*rows.first()?, *rows.last()?), (*columns.first()?, *columns.last()?)))
}

#[test]
fn cues_stand_where_their_settings_put_them() {
    let shop = Workshop::new();
    let source = shop.ffmpeg(
        "-f lavfi -i color=0x404040:s=640x360:r=25:d=9 -c:v libx264 -preset ultrafast -crf 10 -pix_fmt yuv420p",
        "dark.mp4",
    );
    // Of 360 rows, and lines of 36: between which rows and columns the letters must be.
    let cues = [
        ("", "HHH", (290, 360), (270, 370)),
        ("line:0", "HHH", (0, 36), (270, 370)),
        ("line:-1", "HHH\nHHH", (288, 360), (270, 370)),
        ("line:2", "HHH", (72, 108), (270, 370)),
        ("line:-4", "HHH", (216, 252), (270, 370)),
        ("line:50%", "HHH", (180, 216), (270, 370)),
        ("line:50%,center align:start position:10%", "HHH", (162, 198), (60, 170)),
        ("position:25%,center", "HHH", (290, 360), (110, 210)),
        ("align:end line:10%", "HHH", (36, 72), (540, 640)),
    ];
    let mut text = String::from("WEBVTT\n");
    for (number, (settings, words, _, _)) in cues.iter().enumerate() {
        let until = number + 1;
        text.push_str(&format!("\n00:0{number}.000 --> 00:0{until}.000 {settings}\n{words}\n"));
    }
    let side = [("subs:x.vtt", shop.write("x.vtt", &text))];
    let definition = format!(
        "[burn]\nsource=\"subs:x.vtt\"\nfont_size=\"10%\"\n[[group]]\nkind=\"file\"\n{}",
        rung("a", 360, "")
    );
    let product = shop.success(&source, &definition, &side);
    for (number, (settings, words, within_rows, within_columns)) in cues.iter().enumerate() {
        let picture = Seen::at(&shop.file(&product, 0), number as f64 + 0.5);
        let (rows, columns) = extent(&picture).unwrap_or_else(|| panic!("{settings}: nothing is seen"));
        let is_within = |found: (usize, usize), wanted: (usize, usize)| wanted.0 <= found.0 && found.1 <= wanted.1;
        assert!(
            is_within(rows, *within_rows) && is_within(columns, *within_columns),
            "{settings}: rows {rows:?}, columns {columns:?}"
        );
        let lines = words.lines().count();
        assert!(
            rows.1 - rows.0 > 15 + (lines - 1) * 36,
            "{settings}: all {lines} are seen, {rows:?}"
        );
    }
}

#[test]
fn subtitles_that_are_not_there_are_refused_with_what_is() {
    let shop = Workshop::new();
    let definition = format!(
        "[burn]\nsource=\"track:de\"\n[[group]]\nkind=\"file\"\n{}",
        rung("a", 180, "")
    );
    let end = shop
        .carry_out(&grey(&shop), &definition, &[])
        .expect("the attempt ends");
    let text = format!("{end:?}");
    assert!(
        text.contains("SubtitlesMissing") && text.contains("it has none"),
        "{text}"
    );
}

#[test]
fn pictures_of_subtitles_are_burnt_in() {
    let shop = Workshop::new();
    let Some(pgs) = reelmill_media("ax_sample_with_pgs_subtitles.mkv") else {
        return;
    };
    let burnt = |definition: &str| {
        let definition = format!("{definition}\n[[group]]\nkind=\"file\"\n{}", rung("a", 180, ""));
        shop.success(&pgs, &definition, &[])
    };
    let product = burnt("[burn]\nsource=\"track:0\"");
    let path = shop.path("burnt.mp4");
    std::fs::copy(shop.file(&product, 0), &path).expect("copy");
    let product = burnt("");
    let plain = shop.file(&product, 0);
    let differs = |at_s: f64| {
        let (one, two) = (Seen::at(&path, at_s), Seen::at(&plain, at_s));
        let all = (0..one.height).flat_map(|y| (0..one.width).map(move |x| (x, y)));
        all.filter(|(x, y)| one.pixel(*x, *y)[1].abs_diff(two.pixel(*x, *y)[1]) > 60)
            .count()
    };
    let seen: Vec<usize> = (0..2).map(|step| differs(f64::from(step) / 50.0)).collect();
    assert!(seen.iter().any(|count| *count > 20), "{seen:?}");
}

/// A file of the collection, or a reason to skip.
fn reelmill_media(name: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/media");
    let folder = std::env::var("REELMILL_MEDIA_DIR").unwrap_or_else(|_| beside.to_owned());
    let path = PathBuf::from(folder).join(name);
    if path.exists() {
        return Some(path);
    }
    assert_ne!(
        std::env::var("REELMILL_REQUIRE_MEDIA").as_deref(),
        Ok("1"),
        "{} is missing",
        path.display()
    );
    println!("skipped: {} is missing", path.display());
    None
}

#[test]
fn what_is_never_seen_or_not_as_it_was_meant_is_told() {
    let shop = Workshop::new();
    let side = [
        ("marks:red.png", red_png(&shop)),
        ("subs:x.srt", shop.write("x.srt", SRT)),
    ];
    let warnings = |drawn: &str| {
        let definition = format!("{drawn}\n[[group]]\nkind=\"file\"\n{}", rung("a", 180, ""));
        let named: Vec<_> = side.iter().filter(|(name, _)| drawn.contains(name)).cloned().collect();
        shop.success(&grey(&shop), &definition, &named).warnings
    };
    let image = "[[watermark]]\nimage=\"marks:red.png\"\n";
    let text = "[[watermark]]\nkind=\"text\"\n";
    for (drawn, told) in [
        (format!("{image}x=4000"), "watermark[0]: it lies outside"),
        (
            format!("{image}{image}start_s=99"),
            "watermark[1]: it begins at 99 s, after the end",
        ),
        (
            format!("{text}text=\"x\"\nfont=\"No Such Font\""),
            "the font \"No Such Font\" is not installed",
        ),
        (
            format!("{text}text=\"a\u{10fffd}\""),
            "no font of this host has \u{10fffd}",
        ),
        (
            "[[mosaic]]\nx=4000\ny=0\nwidth=9\nheight=9".to_owned(),
            "mosaic[0]: it lies outside",
        ),
        (
            "[burn]\nsource=\"subs:x.srt\"\nmargin=4000\nfont=\"No Such Font\"".to_owned(),
            "moves subtitles out of pictures",
        ),
    ] {
        let found = warnings(&drawn);
        assert!(found.iter().any(|warning| warning.contains(told)), "{drawn}: {found:?}");
    }
    let plain =
        format!("{image}{text}text=\"x\"\n[[mosaic]]\nx=0\ny=0\nwidth=9\nheight=9\n[burn]\nsource=\"subs:x.srt\"");
    assert_eq!(warnings(&plain), Vec::<String>::new());
}

#[test]
fn a_mark_that_is_no_image_fails_its_job_with_its_name() {
    let shop = Workshop::new();
    let side = [("marks:red.png", shop.write("red.png", "no image"))];
    let definition = format!(
        "[[watermark]]\nimage=\"marks:red.png\"\n[[group]]\nkind=\"file\"\n{}",
        rung("a", 180, "")
    );
    let end = shop
        .carry_out(&grey(&shop), &definition, &side)
        .expect("the attempt ends");
    let text = format!("{end:?}");
    assert!(
        text.contains("SideFileRefused") && text.contains("marks:red.png"),
        "{text}"
    );
}
