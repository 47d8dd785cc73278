//! Colour bars of every matrix, range and form come out as the colours they were made of.

use crate::FINE;
use crate::clips::BARS;
use crate::clips::Rgb;
use crate::clips::bars;
use crate::clips::distance;
use crate::clips::ffmpeg;
use crate::clips::ffprobe;
use crate::room::Room;
use crate::transcoded;
use std::path::Path;

/// Eight bits of luma and chroma, halved chroma and a lossy encoder cost so much of 255 at most.
const BOUND: i32 = 7;

struct Case {
    name: &'static str,
    size: (usize, usize),
    /// What ffmpeg makes of the raw RGB.
    encode: &'static str,
    extension: &'static str,
    /// Primaries, transfer, matrix and range that the output says.
    says: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "BT.709",
        size: (320, 180),
        encode: "-vf scale=out_color_matrix=bt709:out_range=limited,format=yuv420p -colorspace bt709 -color_primaries bt709 \
                 -color_trc bt709 -color_range tv -c:v libx264 -qp 0 -preset ultrafast",
        extension: "mp4",
        says: "bt709/bt709/bt709/tv",
    },
    Case {
        name: "BT.709 in full range",
        size: (320, 180),
        encode: "-vf scale=out_color_matrix=bt709:out_range=full,format=yuvj420p -colorspace bt709 -color_primaries bt709 \
                 -color_trc bt709 -color_range pc -c:v libx264 -qp 0 -preset ultrafast",
        extension: "mp4",
        says: "bt709/bt709/bt709/pc",
    },
    Case {
        name: "silent SD",
        size: (320, 240),
        encode: "-vf scale=out_color_matrix=bt601:out_range=limited,format=yuv420p -c:v ffv1",
        extension: "mkv",
        says: "smpte170m/smpte170m/smpte170m/tv",
    },
    Case {
        name: "silent HD",
        size: (1280, 720),
        encode: "-vf scale=out_color_matrix=bt709:out_range=limited,format=yuv420p -c:v ffv1",
        extension: "mkv",
        says: "bt709/bt709/bt709/tv",
    },
    Case {
        name: "BT.601 in an HD picture",
        size: (1280, 720),
        encode: "-vf scale=out_color_matrix=bt601:out_range=limited,format=yuv420p -colorspace smpte170m \
                 -color_primaries smpte170m -color_trc smpte170m -color_range tv -c:v libx264 -qp 0 -preset ultrafast",
        extension: "mp4",
        says: "smpte170m/smpte170m/smpte170m/tv",
    },
    Case {
        name: "BT.2020 in SDR, ten bits",
        size: (320, 180),
        encode: "-vf scale=out_color_matrix=bt2020:out_range=limited,format=yuv420p10le -colorspace bt2020nc \
                 -color_primaries bt2020 -color_trc bt2020-10 -color_range tv -c:v libx264 -qp 0 -preset ultrafast",
        extension: "mp4",
        says: "bt2020/bt2020-10/bt2020nc/tv",
    },
    Case {
        name: "4:2:2 in ten bits",
        size: (320, 180),
        encode: "-vf scale=out_color_matrix=bt709:out_range=limited,format=yuv422p10le -colorspace bt709 -c:v ffv1",
        extension: "mkv",
        says: "bt709/bt709/bt709/tv",
    },
    Case {
        name: "4:4:4 in twelve bits",
        size: (320, 180),
        encode: "-vf scale=out_color_matrix=bt709:out_range=limited,format=yuv444p12le -colorspace bt709 -c:v ffv1",
        extension: "mkv",
        says: "bt709/bt709/bt709/tv",
    },
    Case {
        name: "4:1:0",
        size: (320, 180),
        encode: "-vf scale=out_color_matrix=bt709:out_range=limited,format=yuv410p -colorspace bt709 -c:v ffv1",
        extension: "mkv",
        says: "bt709/bt709/bt709/tv",
    },
    Case {
        name: "RGB",
        size: (1280, 720),
        encode: "-c:v png",
        extension: "mov",
        says: "bt709/bt709/bt709/tv",
    },
    Case {
        name: "planar RGB in ten bits",
        size: (1280, 720),
        encode: "-vf format=gbrp10le -c:v ffv1",
        extension: "mkv",
        says: "bt709/bt709/bt709/tv",
    },
    Case {
        name: "a palette",
        size: (320, 240),
        encode: "-vf split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=none",
        extension: "gif",
        says: "smpte170m/smpte170m/smpte170m/tv",
    },
    Case {
        name: "another matrix of luma and chroma",
        size: (320, 180),
        encode: "-vf format=gbrp,zscale=min=gbr:m=ycgco:rin=full:r=limited:p=709:pin=709:t=709:tin=709,format=yuv444p \
                 -colorspace ycgco -color_primaries bt709 -color_trc bt709 -color_range tv -c:v libx264 -qp 0 \
                 -preset ultrafast",
        extension: "mp4",
        says: "bt709/bt709/bt709/tv",
    },
];

fn colours(path: &Path) -> Vec<[i32; 3]> {
    let picture = Rgb::of(path, 1);
    (0..BARS.len())
        .map(|bar| picture.at((bar as f64 + 0.5) / BARS.len() as f64, 0.5))
        .collect()
}

fn said(path: &Path) -> String {
    let entries = "stream=color_primaries,color_transfer,color_space,color_range";
    let line = ffprobe(entries, path).remove(0);
    let mut words: Vec<&str> = line.split(',').collect();
    // ffprobe's own order: range, matrix, transfer, primaries.
    words.reverse();
    words.join("/")
}

#[test]
fn bars_keep_their_colours_through_every_form() {
    let room = Room::new();
    for case in CASES {
        let (width, height) = case.size;
        let raw = bars(room.path(), width, height, 3);
        let source = room.path().join(format!("source.{}", case.extension));
        let words = format!(
            "-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r 25 -i {{}} {} {{}}",
            case.encode
        );
        ffmpeg(&words, &[&raw, &source]);
        let output = transcoded(&room, &source, FINE);
        assert_eq!(said(&output), case.says, "{}", case.name);
        for (found, bar) in colours(&output).into_iter().zip(BARS) {
            let wanted = bar.map(i32::from);
            assert!(
                distance(found, wanted) <= BOUND,
                "{}: {wanted:?} became {found:?}",
                case.name
            );
        }
    }
}

#[test]
fn a_smaller_rendition_of_a_silent_source_is_shown_in_the_same_colours() {
    let room = Room::new();
    let raw = bars(room.path(), 1280, 720, 3);
    let source = room.path().join("hd.mkv");
    ffmpeg(
        "-f rawvideo -pix_fmt rgb24 -s 1280x720 -r 25 -i {} -vf scale=out_color_matrix=bt709:out_range=limited,\
         format=yuv420p -c:v ffv1 {}",
        &[&raw, &source],
    );
    let output = transcoded(&room, &source, &format!("{FINE}, height = 180"));
    assert_eq!(said(&output), "bt709/bt709/bt709/tv");
    for (found, bar) in colours(&output).into_iter().zip(BARS) {
        assert!(distance(found, bar.map(i32::from)) <= BOUND, "{bar:?} became {found:?}");
    }
}

/// MPEG-2 has no word for full range, so the numbers must become those of the other.
#[test]
fn full_range_is_narrowed_for_codecs_that_cannot_say_it() {
    let room = Room::new();
    for (form, encode) in [
        ("yuv420p", "libx264 -qp 0"),
        ("yuv420p10le", "libx265 -x265-params log-level=none:range=full:crf=5"),
    ] {
        let raw = bars(room.path(), 320, 180, 3);
        let source = room.path().join("full.mp4");
        ffmpeg(
            &format!(
                "-f rawvideo -pix_fmt rgb24 -s 320x180 -r 25 -i {{}} -vf scale=out_color_matrix=bt709:out_range=full,format={form} \
                 -color_range pc -colorspace bt709 -color_primaries bt709 -color_trc bt709 -c:v {encode} -preset ultrafast {{}}"
            ),
            &[&raw, &source],
        );
        let mpeg2 = "codec = \"mpeg2\", rate = \"vbr\", bitrate_kbps = 8000";
        if crate::room::backend::is_gpu() {
            room.refused(&source, &crate::one_file(mpeg2), "NVENC does not make mpeg2");
            continue;
        }
        let output = transcoded(&room, &source, mpeg2);
        for (found, bar) in colours(&output).into_iter().zip(BARS) {
            assert!(
                distance(found, bar.map(i32::from)) <= BOUND,
                "{form}: {bar:?} became {found:?}"
            );
        }
    }
}

#[test]
fn grey_stays_grey_and_as_bright() {
    let room = Room::new();
    for (encode, name) in [
        ("-vf scale=out_range=full,format=gray -c:v ffv1", "8 bits"),
        ("-vf format=gray10le -c:v ffv1", "10 bits"),
    ] {
        let raw = bars(room.path(), 320, 180, 3);
        let source = room.path().join("grey.mkv");
        ffmpeg(
            &format!("-f rawvideo -pix_fmt rgb24 -s 320x180 -r 25 -i {{}} {encode} {{}}"),
            &[&raw, &source],
        );
        let wanted = colours(&source);
        for (found, wanted) in colours(&transcoded(&room, &source, FINE)).into_iter().zip(wanted) {
            assert!(distance(found, wanted) <= BOUND, "{name}: {wanted:?} became {found:?}");
        }
    }
}

#[test]
fn what_is_transparent_is_black() {
    let room = Room::new();
    let source = room.path().join("alpha.mov");
    for (codec, alpha) in [
        ("png -pix_fmt rgba", "rgba"),
        ("prores_ks -profile:v 4444 -pix_fmt yuva444p10le", "yuva"),
    ] {
        ffmpeg(
            &format!(
                "-f lavfi -i color=0xC02020:s=320x180:r=25:d=0.2,format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':\
                 a='if(lt(X,160),255,0)' -c:v {codec} {{}}"
            ),
            &[&source],
        );
        let picture = Rgb::of(&transcoded(&room, &source, FINE), 1);
        let (solid, clear) = (picture.at(0.25, 0.5), picture.at(0.75, 0.5));
        assert!(distance(solid, [192, 32, 32]) <= 10, "{alpha}: {solid:?}");
        assert!(distance(clear, [0, 0, 0]) <= 6, "{alpha}: {clear:?}");
    }
}
