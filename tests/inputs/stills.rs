//! Files of one picture as sources: what is made of each, what is not, and in which words; HEIF, which is refused.

use crate::room::Room;
use crate::room::Run;
use crate::room::ffprobe;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// The templates, the ladder with one rung that costs little, as HLS of either kind of segments.
const ALL: &str = r#"
[[activity]]
id = "info"
type = "analysis"
template = "media-info"
[[activity]]
id = "ladder"
type = "transcode"
template = "h264-hls-ladder"
[[activity.group]]
name = "fmp4"
kind = "hls"
[[activity.group.output]]
name = "low"
video = { codec = "h264", height = 180, preset = "ultrafast", crf = 20.0 }
audio = { codec = "aac" }
[[activity.group]]
name = "ts"
kind = "hls"
segment_format = "ts"
[[activity.group.output]]
name = "low"
video = { codec = "h264", height = 180, preset = "ultrafast", crf = 20.0 }
[[activity]]
id = "sprite"
type = "snapshot"
template = "sprite-webvtt"
[[activity]]
id = "poster"
type = "snapshot"
template = "poster"
"#;

fn activity<'a>(run: &'a Run, id: &str) -> &'a Value {
    let all = run.report["activities"].as_array().expect("activities");
    all.iter().find(|one| one["id"] == id).expect("the activity")
}

fn kinds<'a>(run: &'a Run, kind: &str) -> Vec<&'a Value> {
    let all = run.report["outputs"].as_array().expect("outputs");
    all.iter().filter(|output| output["kind"] == kind).collect()
}

/// Mean R, G, B of nine parts of a picture file, rows from the top.
fn parts(file: &Path) -> Vec<[i32; 3]> {
    let raw = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(file)
        .args([
            "-frames:v",
            "1",
            "-vf",
            "scale=3:3:flags=area",
            "-pix_fmt",
            "rgb24",
            "-f",
            "rawvideo",
            "-",
        ])
        .output()
        .expect("ffmpeg is installed")
        .stdout;
    let rgb = |pixel: &[u8]| [i32::from(pixel[0]), i32::from(pixel[1]), i32::from(pixel[2])];
    raw.chunks_exact(3).map(rgb).collect()
}

fn assert_alike(one: &Path, other: &Path) {
    let (ours, theirs) = (parts(one), parts(other));
    assert_eq!(
        (ours.len(), theirs.len()),
        (9, 9),
        "{} {}",
        one.display(),
        other.display()
    );
    for (a, b) in ours.iter().zip(&theirs) {
        let apart = (0..3).map(|part| (a[part] - b[part]).abs()).max();
        assert!(apart < Some(14), "{}: {ours:?}, {theirs:?}", one.display());
    }
}

fn path_of(output: &Value) -> std::path::PathBuf {
    output["path"].as_str().expect("a path").into()
}

fn poster(run: &Run) -> std::path::PathBuf {
    let outputs = run.report["outputs"].as_array().expect("outputs");
    path_of(
        outputs
            .iter()
            .find(|output| output["activity"] == "poster")
            .expect("a poster"),
    )
}

#[test]
fn a_single_picture_gives_poster_and_sprite_and_no_film() {
    for (name, more) in [
        ("one.jpg", "-q:v 2"),
        ("two.JPEG", "-q:v 2 -f mjpeg"),
        ("shot_0007.jpg", "-q:v 2 -update 1"),
        ("one.png", ""),
        ("one.webp", "-lossless 1"),
        ("one.bmp", ""),
        ("one.tif", ""),
    ] {
        let room = Room::new();
        let source = room.make(name, &format!("-f lavfi -i testsrc2=s=640x360 -frames:v 1 {more}"));
        let run = room.run(ALL, &source, &[]);
        assert_eq!(run.code, 0, "{name}: {}", run.words);
        let ladder = activity(&run, "ladder");
        assert_eq!(
            (&ladder["status"], &ladder["reason"]),
            (
                &Value::from("Skipped"),
                &Value::from("the source is a single picture, not a film")
            ),
            "{name}"
        );
        for id in ["info", "sprite", "poster"] {
            assert_eq!(activity(&run, id)["status"], "Success", "{name} {id}: {}", run.words);
        }
        let facts = &run.report["facts"];
        let video = &facts["streams"][0];
        assert_eq!(
            (&video["width"], &video["height"]),
            (&Value::from(640), &Value::from(360)),
            "{name}: {facts}"
        );
        assert!(kinds(&run, "hls").is_empty(), "{name}");
        assert_alike(&poster(&run), &source);
    }
}

#[test]
fn an_avif_is_a_film_of_one_picture() {
    let room = Room::new();
    let source = room.make(
        "one.avif",
        "-f lavfi -i testsrc2=s=640x360,format=yuv420p -frames:v 1 -c:v libaom-av1 -still-picture 1 -cpu-used 8 -crf 10",
    );
    let run = room.run(ALL, &source, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    for id in ["info", "sprite", "poster"] {
        assert_eq!(activity(&run, id)["status"], "Success", "{id}: {}", run.words);
    }
    let plain = room.make("plain.png", "-f lavfi -i testsrc2=s=640x360,format=yuv420p -frames:v 1");
    assert_alike(&poster(&run), &plain);
    let sets = kinds(&run, "hls");
    assert_eq!(sets.len(), 2, "{}", run.words);
    for set in sets {
        let playlist = path_of(set);
        let frames = ffprobe(&playlist, "v:0", "frame=best_effort_timestamp_time");
        assert_eq!(frames.len(), 1, "{}", playlist.display());
        assert_alike(&playlist, &plain);
    }
}

/// A picture as phones write it, without tiles; none: nothing here can.
fn heic(room: &Room) -> Option<std::path::PathBuf> {
    let plain = room.make("plain.png", "-f lavfi -i testsrc2=s=320x180 -frames:v 1");
    let made = room.path("photo.heic");
    let answer = Command::new("heif-enc").arg(plain).arg("-o").arg(&made).output();
    answer.is_ok_and(|answer| answer.status.success()).then_some(made)
}

#[test]
fn a_heif_picture_is_read_or_refused_as_what_it_is() {
    let room = Room::new();
    let Some(source) = heic(&room) else {
        println!("skipped: there is no heif-enc (packaging/prerequisites.sh test)");
        return;
    };
    let run = room.run(ALL, &source, &[]);
    if run.code == 0 {
        // libav 7.1 opens those without tiles.
        assert_alike(&poster(&run), &room.path("plain.png"));
    } else {
        assert_eq!(run.report["errors"][0]["code"], "SourceUndecodable", "{}", run.words);
        assert!(run.words.contains("an HEIF picture (HEIC)"), "{}", run.words);
        assert!(run.words.contains("JPEG"), "the remedy: {}", run.words);
        assert!(!run.words.contains("moov"), "{}", run.words);
    }

    // In tiles, each of which libav may take for a picture.
    let bytes = std::fs::read(&source).expect("it was made");
    let entry = bytes.windows(4).position(|kind| kind == b"infe").expect("an entry");
    assert_eq!(&bytes[entry + 12..entry + 16], b"hvc1");
    let mut tiled = bytes.clone();
    tiled[entry + 12..entry + 16].copy_from_slice(b"grid");
    std::fs::write(room.path("tiled.heic"), tiled).expect("written");
    let run = room.run(ALL, &room.path("tiled.heic"), &[]);
    assert_eq!(run.report["errors"][0]["code"], "SourceUndecodable", "{}", run.words);
    assert!(run.words.contains("in tiles"), "{}", run.words);

    // And one that did not come whole is truncated, not a kind that is not opened.
    std::fs::write(room.path("cut.heic"), &bytes[..bytes.len() / 2]).expect("written");
    let run = room.run(ALL, &room.path("cut.heic"), &[]);
    assert_eq!(run.report["errors"][0]["code"], "SourceTruncated", "{}", run.words);
}

/// Grey pictures have no chroma to say that their size must be even; what they are made into has.
#[test]
fn grey_pictures_of_odd_sizes_are_pictures_and_films() {
    let room = Room::new();
    for (size, form) in [("385:303", "gray"), ("384:303", "gray16be"), ("385:304", "ya8")] {
        let source = room.make(
            "grey.png",
            &format!("-f lavfi -i testsrc2=s=640x480:d=0.04 -vf scale={size},format={form} -frames:v 1"),
        );
        let run = room.run(ALL, &source, &[]);
        assert_eq!(run.code, 0, "{form} {size}: {}", run.words);
        for id in ["sprite", "poster"] {
            assert_eq!(activity(&run, id)["status"], "Success", "{form} {id}: {}", run.words);
        }
    }
    let film = room.make(
        "grey.mkv",
        "-f lavfi -i testsrc2=s=640x480:d=1:r=25 -vf scale=385:303,format=gray10le -c:v ffv1",
    );
    let run = room.run(ALL, &film, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
}

/// Cameras and telephones put a preview, or a gain map of another size, behind the picture.
#[test]
fn a_photograph_with_a_second_picture_behind_it_is_one_picture() {
    let room = Room::new();
    let plain = room.make("plain.jpg", "-f lavfi -i testsrc2=s=640x480:d=0.04 -q:v 2 -frames:v 1");
    let grey = room.make("grey.jpg", "-f lavfi -i color=gray:s=320x240:d=0.04 -frames:v 1");
    let (first, grey) = (
        std::fs::read(&plain).expect("a picture"),
        std::fs::read(grey).expect("a picture"),
    );
    let index: &[u8] = b"MPF\0MM\0*\0\0\0\x08\0\0";
    let directory: &[u8] = b"http://ns.adobe.com/xap/1.0/\0<x Container:Directory/>";
    let gain: &[u8] = b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0";
    // Photographs begin with Exif, of which libav knows less than of JFIF.
    let without_jfif = |picture: &[u8]| {
        assert_eq!(picture[2..4], [0xff, 0xe0]);
        let bytes = usize::from(u16::from_be_bytes([picture[4], picture[5]]));
        [&picture[..2], &picture[4 + bytes..]].concat()
    };
    for (name, marker, sign, fill, is_plain) in [
        ("index.jpg", 0xe2, index, 0, true),
        ("exif.jpg", 0xe2, index, 0, false),
        ("exif", 0xe2, index, 3, false),
        ("xmp.jpg", 0xe1, directory, 0, false),
        ("gain.jpg", 0xe2, gain, 0, false),
    ] {
        let (first, second) = match is_plain {
            true => (first.clone(), grey.clone()),
            false => (without_jfif(&first), without_jfif(&grey)),
        };
        let mut photograph = first[..2].to_vec();
        photograph.extend(vec![0xff; fill]);
        photograph.extend([0xff, marker, 0, sign.len() as u8 + 2]);
        photograph.extend(sign);
        photograph.extend(&first[2..]);
        photograph.extend(second);
        let source = room.path(name);
        std::fs::write(&source, photograph).expect("it can be written");
        let run = room.run(ALL, &source, &[]);
        assert_eq!(run.code, 0, "{name}: {}", run.words);
        assert_eq!(activity(&run, "ladder")["status"], "Skipped", "{name}: {}", run.words);
        assert_alike(&poster(&run), &plain);
    }
}

/// A TIFF file of 32-bit floats, three or four samples a pixel, in nine parts of these colours (0..=255).
fn float_tiff(path: &Path, samples: u16, colors: &[[i32; 3]; 9]) {
    const WIDTH: u32 = 300;
    const HEIGHT: u32 = 180;
    let (bits_at, kinds_at) = (8 + 2 + 10 * 12 + 4, 8 + 2 + 10 * 12 + 4 + 8);
    let strip_at = kinds_at + 8;
    let long = |tag: u16, value: u32| (tag, 4u16, 1, value);
    let of_each = |tag: u16, at: u32| (tag, 3u16, u32::from(samples), at);
    let entries = [
        long(256, WIDTH),
        long(257, HEIGHT),
        of_each(258, bits_at),
        long(259, 1),
        long(262, 2),
        long(273, strip_at),
        long(277, u32::from(samples)),
        long(278, HEIGHT),
        long(279, WIDTH * HEIGHT * u32::from(samples) * 4),
        of_each(339, kinds_at),
    ];
    let mut file = b"II*\0\x08\0\0\0\x0a\0".to_vec();
    for (tag, kind, count, value) in entries {
        file.extend(tag.to_le_bytes());
        file.extend(kind.to_le_bytes());
        file.extend(count.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file.extend([0; 4]);
    file.extend([32u16; 4].map(u16::to_le_bytes).concat());
    // 3: IEEE floats.
    file.extend([3u16; 4].map(u16::to_le_bytes).concat());
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let color = colors[(y / (HEIGHT / 3) * 3 + x / (WIDTH / 3)) as usize];
            file.extend(color.iter().flat_map(|part| (*part as f32 / 255.0).to_le_bytes()));
            if samples == 4 {
                file.extend(1f32.to_le_bytes());
            }
        }
    }
    std::fs::write(path, file).expect("it can be written");
}

#[test]
fn floats_of_a_tiff_keep_their_colours_where_libav_reads_them() {
    let colors = [
        [250, 20, 20],
        [20, 250, 20],
        [20, 20, 250],
        [0, 0, 0],
        [128, 128, 128],
        [255, 255, 255],
        [200, 160, 90],
        [90, 160, 200],
        [250, 250, 10],
    ];
    for samples in [3, 4] {
        let room = Room::new();
        let source = room.path("floats.tif");
        float_tiff(&source, samples, &colors);
        let run = room.run(ALL, &source, &[]);
        // Before 6.1 libav knows no such file.
        if run.code != 0 {
            assert!(
                run.codes().iter().all(|code| *code == "SourceUndecodable"),
                "{:?}",
                run.words
            );
            continue;
        }
        let seen = parts(&poster(&run));
        for (seen, meant) in seen.iter().zip(&colors) {
            let apart = (0..3).map(|part| (seen[part] - meant[part]).abs()).max();
            assert!(apart < Some(8), "{samples} samples: {seen:?} for {meant:?}");
        }
        assert_eq!(seen.len(), colors.len());
    }
}
