//! How frames fill pictures of another shape, which formats they come in, and which frames count as black.

use crate::bench::Bench;
use crate::bench::product;
use crate::bench::snapshot;
use crate::numbered_clip;
use reelmill::media::picture::Picture;
use reelmill::media::product::JobEnd;
use reelmill::media::product::Product;
use reelmill::media::spec::PictureFormat;
use reelmill::media::spec_check;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// 320x180: red on the left, green in the middle, blue on the right.
fn stripes(bench: &Bench) -> PathBuf {
    let out = bench.root.path().join("stripes.mp4");
    let stripe = |color: &str| format!("color=c={color}:s=106x180:d=1");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(["-f", "lavfi", "-i", &stripe("red")])
        .args(["-f", "lavfi", "-i", "color=c=lime:s=108x180:d=1"])
        .args(["-f", "lavfi", "-i", &stripe("blue")])
        .args([
            "-filter_complex",
            "hstack=3",
            "-c:v",
            "libx264",
            "-qp",
            "8",
            "-pix_fmt",
            "yuv420p",
        ])
        .arg(&out)
        .status();
    assert!(status.expect("ffmpeg runs").success());
    out
}

fn picture(bench: &Bench, output: &Product, file: usize, format: PictureFormat) -> Picture {
    let bytes = std::fs::read(bench.root.path().join(&output.files[file].scratch_path)).expect("read");
    Picture::decode(&bytes, format).expect("a picture")
}

fn near(found: [u8; 3], wanted: [u8; 3]) -> bool {
    found.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 24)
}

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];

/// What is seen in the middle of the upper edge, at the left edge and at the right edge of a square of 160.
fn seen(bench: &Bench, clip: &Path, more: &str) -> (Picture, [[u8; 3]; 4]) {
    let json = format!(r#"{{"width":160,"height":160,"format":"png",{more}}}"#);
    let made = bench.one(clip, snapshot(&json));
    let picture = picture(bench, &made.outputs[0], 0, PictureFormat::Png);
    let (right, middle) = (picture.width() - 1, picture.height() / 2);
    let places = [
        (picture.width() / 2, 2),
        (2, middle),
        (picture.width() / 2, middle),
        (right - 2, middle),
    ];
    let pixels = places.map(|(x, y)| picture.pixel(x, y));
    if let Some(folder) = std::env::var_os("REELMILL_KEEP_PICTURES") {
        let name: String = more.chars().filter(char::is_ascii_alphanumeric).collect();
        let png = picture.encode(PictureFormat::Png, None).expect("encodes");
        std::fs::write(Path::new(&folder).join(format!("{name}.png")), png).expect("written");
    }
    (picture, pixels)
}

#[test]
fn every_fill_shows_what_it_says() {
    let bench = Bench::new();
    let clip = stripes(&bench);
    let check = |more: &str, wanted: [[u8; 3]; 4]| {
        let (picture, pixels) = seen(&bench, &clip, more);
        let right = pixels.iter().zip(wanted).all(|(found, wanted)| near(*found, wanted));
        assert!(right, "{more}: {pixels:?} should be {wanted:?}");
        assert_eq!((picture.width(), picture.height()), (160, 160), "{more}");
    };
    check(r#""fill":"stretch""#, [GREEN, RED, GREEN, BLUE]);
    check(r#""fill":"black""#, [[0; 3], RED, GREEN, BLUE]);
    check(r#""fill":"white""#, [[255; 3], RED, GREEN, BLUE]);
    check(r##""color":"#806040""##, [[128, 96, 64], RED, GREEN, BLUE]);
    check(r#""color":"Navy""#, [[0, 0, 128], RED, GREEN, BLUE]);
    // The middle 180 of 320 columns: of the outer stripes 36 each remain.
    check(r#""fill":"crop""#, [GREEN, RED, GREEN, BLUE]);
    let (crop, _) = seen(&bench, &clip, r#""fill":"crop""#);
    let green = (0..160).filter(|x| near(crop.pixel(*x, 80), GREEN)).count();
    assert!((90..102).contains(&green), "{green} green columns of 96");

    let (keep, _) = seen(&bench, &clip, r#""fill":"keep""#);
    assert_eq!((keep.width(), keep.height()), (160, 90));

    let (blur, [above, left, middle, right]) = seen(&bench, &clip, r#""fill":"blur""#);
    assert!(near(left, RED) && near(middle, GREEN) && near(right, BLUE));
    assert!(
        above[1] > 120 && above[0] < 100 && above[2] < 100,
        "green out of focus above: {above:?}"
    );
    let corner = blur.pixel(0, 0);
    assert!(
        corner[0] > 60 && corner[0] > corner[2],
        "red towards the left: {corner:?}"
    );

    let random = seen(&bench, &clip, r#""color":"random""#).1;
    assert_eq!(
        random,
        seen(&bench, &clip, r#""color":"random""#).1,
        "the same for the same source"
    );
}

#[test]
fn cells_are_filled_like_stills() {
    let bench = Bench::new();
    let clip = stripes(&bench);
    let json = r#"{"mode":"sprite","count":2,"columns":2,"lines":1,"cell_width":80,"cell_height":80,"format":"png",
        "padding":4,"margin":6,"color":"teal","FILL"}"#;
    for (fill, size, edge) in [
        (r#"fill":"white"#, (176, 92), [255; 3]),
        (r#"fill":"crop"#, (176, 92), GREEN),
        (r#"fill":"keep"#, (176, 57), GREEN),
    ] {
        let made = bench.one(&clip, snapshot(&json.replace("FILL", fill)));
        let sheet = picture(&bench, &made.outputs[0], 0, PictureFormat::Png);
        assert_eq!((sheet.width(), sheet.height()), size, "{fill}");
        assert!(near(sheet.pixel(1, 1), [0, 128, 128]), "{fill}: margin");
        assert!(near(sheet.pixel(88, 20), [0, 128, 128]), "{fill}: padding");
        assert!(near(sheet.pixel(46, 8), edge), "{fill}: {:?}", sheet.pixel(46, 8));
    }
}

#[test]
fn formats_are_what_their_names_say_and_webp_can_lose() {
    let bench = Bench::new();
    let clip = bench.clip("a.mp4", 25, &["-vf", "noise=alls=20"]);
    let size = |json: &str, format: PictureFormat, codec: &str| {
        let made = bench.one(&clip, snapshot(json));
        let file = &made.outputs[0].files[0];
        let path = bench.root.path().join(&file.scratch_path);
        let said = Command::new("ffprobe")
            .args(["-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0"])
            .arg(&path)
            .output()
            .expect("ffprobe runs");
        assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), codec, "{json}");
        let shown = picture(&bench, &made.outputs[0], 0, format);
        let number = numbered_clip::number(&shown, 0, 0, shown.width(), shown.height());
        assert_eq!(number, Some(10), "{json}");
        file.size_bytes
    };
    let at = r#""times":["0.4"]"#;
    let low = size(
        &format!(r#"{{{at},"format":"webp","quality":10}}"#),
        PictureFormat::Webp,
        "webp",
    );
    let high = size(
        &format!(r#"{{{at},"format":"webp","quality":90}}"#),
        PictureFormat::Webp,
        "webp",
    );
    let whole = size(
        &format!(r#"{{{at},"format":"webp","lossless":true}}"#),
        PictureFormat::Webp,
        "webp",
    );
    assert!(low < high && high < whole, "{low} {high} {whole}");
    size(&format!(r#"{{{at},"format":"png"}}"#), PictureFormat::Png, "png");
    size(&format!(r#"{{{at},"format":"jpg"}}"#), PictureFormat::Jpg, "mjpeg");
}

#[test]
fn what_counts_as_black_can_be_said() {
    let bench = Bench::new();
    let clip = bench.root.path().join("dark.mp4");
    // A dark grey (luma 50 of 255) for a second, then white.
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(["-f", "lavfi", "-i", "color=c=0x323232:s=160x90:d=1,format=yuv420p"])
        .args(["-f", "lavfi", "-i", "color=c=white:s=160x90:d=2,format=yuv420p"])
        .args(["-filter_complex", "concat=n=2", "-c:v", "libx264", "-g", "10"])
        .arg(&clip)
        .status();
    assert!(status.expect("ffmpeg runs").success());
    let shade = |more: &str| {
        let json = format!(r#"{{"times":["0"],"format":"png","black_level":90{more}}}"#);
        let made = bench.one(&clip, snapshot(&json));
        picture(&bench, &made.outputs[0], 0, PictureFormat::Png).pixel(80, 45)[0]
    };
    assert!((40..60).contains(&shade("")), "dark grey is not black by itself");
    assert!((40..60).contains(&shade(r#","pixel_black_threshold":30"#)));
    assert!(
        shade(r#","pixel_black_threshold":70"#) > 240,
        "but it is for who says so"
    );
}

#[test]
fn bad_specs_are_refused_by_key() {
    for (json, key) in [
        (r#"{"fill":"blur","width":100}"#, "fill"),
        (
            r#"{"mode":"sprite","count":2,"fill":"crop","width":100,"height":50}"#,
            "fill",
        ),
        (r#"{"color":"bluish"}"#, "color"),
        (r#"{"interval_s":0}"#, "interval_s"),
        (r#"{"interval_s":0.01}"#, "interval_s"),
        (r#"{"interval_s":-1}"#, "interval_s"),
        (r#"{"times":["1:75"]}"#, "times[0]"),
        (r#"{"times":["1e3"]}"#, "times[0]"),
        (r#"{"keep_cells":true}"#, "keep_cells"),
        (r#"{"image_playlist":true,"interval_s":5}"#, "image_playlist"),
        (r#"{"vtt":"stills","interval_s":5}"#, "vtt"),
        (
            r#"{"mode":"sprite","count":2,"vtt":"stills","keep_cells":true}"#,
            "keep_cells",
        ),
        (r#"{"mode":"sprite","times":["1"],"image_playlist":true}"#, "times"),
        (
            r#"{"mode":"sprite","interval_s":5,"start_s":1,"image_playlist":true}"#,
            "start_s",
        ),
        (
            r#"{"mode":"sprite","interval_s":5,"padding":1,"image_playlist":true}"#,
            "padding",
        ),
        (
            r#"{"mode":"sprite","interval_s":5,"frame_type":"intra","image_playlist":true}"#,
            "frame_type",
        ),
        (r#"{"interval_s":5,"columns":4}"#, "columns"),
        (r#"{"lines":2}"#, "lines"),
        (r#"{"cell_width":200}"#, "cell_width"),
        (r#"{"times":["1"],"cell_height":200}"#, "cell_height"),
        (r#"{"padding":4}"#, "padding"),
        (r#"{"margin":4}"#, "margin"),
        (r#"{"color":"red"}"#, "color"),
        (r#"{"color":"red","width":100}"#, "color"),
        (r#"{"lossless":true}"#, "lossless"),
        (r#"{"pixel_black_threshold":70}"#, "pixel_black_threshold"),
    ] {
        let found: Vec<String> = spec_check::check(&snapshot(json))
            .into_iter()
            .map(|wrong| wrong.path)
            .collect();
        assert!(found.iter().any(|path| path == key), "{json}: {found:?}");
    }
    for fine in [
        r#"{"interval_s":0,"count":4}"#,
        r#"{"times":["00:00:01.5","3.5s","10%"]}"#,
        r#"{"mode":"sprite","interval_s":5,"image_playlist":true,"keep_cells":true,"color":"random"}"#,
        r#"{"mode":"sprite","count":5,"vtt":"stills","fill":"blur","cell_width":80,"cell_height":80}"#,
        r#"{"color":"red","width":100,"height":100,"columns":10}"#,
        r#"{"fill":"gauss","width":100,"height":100,"format":"webp","lossless":true}"#,
    ] {
        assert!(
            spec_check::check(&snapshot(fine)).is_empty(),
            "{fine}: {:?}",
            spec_check::check(&snapshot(fine))
        );
    }
}

#[test]
fn a_sheet_no_format_can_hold_is_the_requests_fault() {
    let bench = Bench::new();
    let clip = bench.clip("a.mp4", 5, &[]);
    let json = r#"{"mode":"sprite","count":2,"columns":100,"lines":100,"cell_width":1000}"#;
    let end = bench.alone(&clip, &[snapshot(json)]).0.remove(0);
    assert!(matches!(end, JobEnd::Failed { fault } if fault.code == "SheetTooLarge"));
    product(bench.alone(&clip, &[snapshot("{}")]).0.remove(0));
}
