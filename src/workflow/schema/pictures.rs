//! Keys of stills, sprites, covers, animated pictures and quality control.
//!
//! Guarantees: a test holds every key, word, range and default against the reader and the checks. Deliberately absent:
//! transcodes.

use super::field::Field;
use super::field::choice;
use super::field::flag;
use super::field::list;
use super::field::number;
use super::field::text;
use super::field::time;
use super::field::whole;
use crate::media::spec::QcCheck;
use crate::media::spec::QcSpec;
use serde_json::Value;
use serde_json::json;

/// A week.
const LONGEST_S: f64 = 604_800.0;
const SPRITE: [&str; 1] = ["sprite"];

/// `type = "snapshot"`.
pub(super) fn snapshot() -> Vec<Field> {
    let mut fields = vec![
        choice(
            "mode",
            &[
                ("normal", "Files of one picture each."),
                ("sprite", "Sheets of many cells with a WebVTT index."),
            ],
            "Stills or sprite sheets.",
        )
        .default("normal"),
        number(
            "interval_s",
            0.04..=3600.0,
            "Time between pictures; 0 with a count: spread evenly; left out alone: one picture.",
        )
        .unit("s")
        .with("x-also", json!([0])),
        whole("count", 1..=10_000, "At most so many pictures."),
        moments(
            "Explicit moments: seconds, hh:mm:ss.SSS, or per cent of the duration. They replace interval_s and count.",
        ),
        beginning().default(0.0),
        choice(
            "frame_type",
            &[
                (
                    "auto",
                    "The key frame where every moment has one close by, else the very frame.",
                ),
                (
                    "intra",
                    "The key frame at or before it: cheap, labelled with its true time.",
                ),
                ("normal", "The very frame shown at that time."),
            ],
            "Which frame stands for a time.",
        )
        .default("auto"),
        side(
            "width",
            "Width of a still; one edge alone keeps the shape; left out: the source's size.",
            8192,
        )
        .when("mode", &["normal"]),
        side("height", "Height of a still.", 8192).when("mode", &["normal"]),
    ];
    fields.extend(look(&[]));
    fields.extend([
        whole("columns", 1..=100, "Cells in a row of a sheet.")
            .default(10)
            .when("mode", &SPRITE),
        whole("lines", 1..=100, "Rows of a sheet; more cells go to further sheets.")
            .default(10)
            .when("mode", &SPRITE),
        side(
            "cell_width",
            "Width of a cell; one edge alone keeps the shape; left out: 160.",
            4096,
        )
        .when("mode", &SPRITE),
        side("cell_height", "Height of a cell.", 4096).when("mode", &SPRITE),
        whole("padding", 0..=1024, "Space between cells.")
            .default(0)
            .unit("px")
            .when("mode", &SPRITE),
        whole("margin", 0..=1024, "Space around the sheet.")
            .default(0)
            .unit("px")
            .when("mode", &SPRITE),
        flag(
            "keep_cells",
            false,
            "The cells of a sprite are files of the output, too.",
        )
        .when("mode", &SPRITE),
        choice(
            "vtt",
            &[
                ("sheet", "Parts of sheets."),
                ("stills", "Files of one picture each; no sheets are made."),
            ],
            "What the WebVTT of a sprite names.",
        )
        .default("sheet")
        .when("mode", &SPRITE),
        flag(
            "image_playlist",
            false,
            "An HLS image playlist beside the sprite; needs equal steps from the beginning on.",
        )
        .when("mode", &SPRITE),
        flag(
            "partial",
            false,
            "Take what there is of a source that is cut short, and say so.",
        ),
    ]);
    fields
}

/// `type = "cover"`.
pub(super) fn cover() -> Vec<Field> {
    let mut fields = vec![
        whole(
            "count",
            1..=20,
            "So many pictures, the best of the whole source. Not beside a moment.",
        )
        .default(1),
        moments("The one moment the picture is taken at, instead of the best: seconds, hh:mm:ss.SSS, or per cent.")
            .with("maxItems", 1),
        beginning(),
        side(
            "width",
            "Width; one edge alone keeps the shape; left out: the source's size.",
            8192,
        ),
        side("height", "Height.", 8192),
    ];
    fields.extend(look(&["times"]));
    fields.push(flag(
        "partial",
        false,
        "Take what there is of a source that is cut short, and say so.",
    ));
    fields
}

fn moments(help: &str) -> Field {
    list("times", json!({ "type": "string", "x-form": "moment" }), None, help)
}

fn beginning() -> Field {
    time("start_s", 0.0..=LONGEST_S, "Where to begin.")
}

fn side(key: &'static str, help: &str, most: i64) -> Field {
    whole(key, 8..=most, help).unit("px")
}

fn fill() -> Field {
    choice(
        "fill",
        &[
            ("stretch", "Pulled to the picture's shape."),
            ("black", "Fitted inside, black beside it."),
            ("white", "Fitted inside, white beside it."),
            ("blur", "Fitted inside, itself enlarged and blurred beside it."),
            ("crop", "Covers the picture; what sticks out is cut off."),
            ("keep", "Fitted inside, and the picture ends where the frame does."),
        ],
        "How a frame fills a picture of another shape; needs both edges. Left out: fitted inside, color beside it.",
    )
}

/// What stills, cells and covers look like; passing over dark frames goes with these keys.
fn look(dark_with: &[&str]) -> Vec<Field> {
    let threshold_with: Vec<&str> = dark_with.iter().copied().chain(["black_level"]).collect();
    vec![
        fill(),
        choice(
            "format",
            &[("jpg", "JPEG."), ("png", "PNG, lossless."), ("webp", "WebP.")],
            "Picture format.",
        )
        .default("jpg"),
        flag("lossless", false, "WebP without loss.").when("format", &["png", "webp"]),
        whole("quality", 1..=100, "JPEG and WebP quality.")
            .default(85)
            .when("format", &["jpg", "webp"]),
        text(
            "color",
            "Colour of whatever is not a picture: #rrggbb, a colour of CSS, or random (one for each source).",
        )
        .default("#000000")
        .with("x-form", "color"),
        whole(
            "black_level",
            30..=100,
            "Pass over frames with more black pixels than this; left out: take any.",
        )
        .unit("%")
        .with("x-needs", json!(dark_with)),
        whole(
            "pixel_black_threshold",
            1..=255,
            "Luma below which a pixel counts as black for black_level; left out: 32.",
        )
        .with("x-needs", json!(threshold_with)),
    ]
}

/// `type = "dynamic_image"`.
pub(super) fn dynamic_image() -> Vec<Field> {
    let length = |key, help| time(key, 0.1..=60.0, help);
    vec![
        choice(
            "format",
            &[("gif", "GIF."), ("webp", "Animated WebP."), ("avif", "Animated AVIF.")],
            "Format.",
        )
        .default("gif"),
        number("fps", 1.0..=60.0, "Frames a second.").default(10.0).unit("fps"),
        side(
            "width",
            "Width; one edge alone keeps the shape; left out: 480 at most.",
            4096,
        ),
        side("height", "Height.", 4096),
        flag(
            "long_short",
            false,
            "The longer side is width and the shorter one height, so portrait sources get portrait pictures.",
        )
        .with("x-needs", json!(["width", "height"])),
        fill(),
        beginning().default(0.0),
        length("duration_s", "How long; left out: up to end_s, else 3 s."),
        time(
            "end_s",
            0.0..=LONGEST_S,
            "Where to end; with pieces, the end of what they are spread over.",
        )
        .with("x-after", "start_s")
        .with("x-open", true),
        whole(
            "pieces",
            1..=100,
            "So many pieces of equal length, spread evenly from start_s to end_s.",
        )
        .default(1),
        whole("quality", 1..=100, "WebP and AVIF quality.")
            .default(75)
            .when("format", &["webp", "avif"]),
        whole("colors", 4..=256, "Colours of the palette.")
            .default(256)
            .when("format", &["gif"]),
        choice(
            "dither",
            &[
                ("sierra", "Errors spread to neighbours: best for film."),
                ("bayer", "A fixed pattern: smaller files, no flicker."),
                ("none", "Flat areas: best for drawings."),
            ],
            "How colours between those of the palette are imitated.",
        )
        .default("sierra")
        .when("format", &["gif"]),
        whole("loops", 0..=65_535, "How often it is shown; 0: for ever.")
            .default(0)
            .when("format", &["gif", "webp"]),
        flag(
            "partial",
            false,
            "Take what there is of a source that is cut short, and say so.",
        ),
    ]
}

/// `type = "qc"`. Its defaults are those of the specification itself.
pub(super) fn qc() -> Vec<Field> {
    let usual = serde_json::to_value(QcSpec::default()).unwrap_or(Value::Null);
    let of = |key: &str| usual.get(key).cloned().unwrap_or(Value::Null);
    let checks = json!({ "type": "string", "enum": QcCheck::ALL.map(QcCheck::as_str), "x-choices":
        QcCheck::ALL.map(|check| json!({ "value": check.as_str(), "help": meaning(check) })) });
    let value = |key, range, unit: &str, help: &str| number(key, range, help).unit(unit).default(of(key));
    let limit = |key, range, unit: &str, help: &str| number(key, range, help).unit(unit);
    let levels = |key, help: &str| {
        list(
            key,
            json!({ "type": "integer", "minimum": 0, "maximum": 255 }),
            Some(2),
            help,
        )
        .with("minItems", 2)
        .default(of(key))
    };
    vec![
        list("checks", checks.clone(), None, "What is looked for.")
            .with("minItems", 1)
            .default(of("checks")),
        list(
            "fail_on",
            checks,
            None,
            "Findings of these fail the job; those of the others are warnings.",
        )
        .default(json!([])),
        value("black_min_s", 0.0..=3600.0, "s", "Shortest black stretch."),
        value(
            "black_pixel",
            0.0..=1.0,
            "",
            "A pixel is black up to this share of the luma range.",
        ),
        value(
            "black_picture_percent",
            1.0..=100.0,
            "%",
            "A picture is black with at least so many black pixels.",
        ),
        value("freeze_min_s", 0.1..=3600.0, "s", "Shortest freeze."),
        value(
            "freeze_noise_db",
            -120.0..=0.0,
            "dB",
            "Mean difference up to which two pictures are the same.",
        ),
        value("silence_min_s", 0.1..=3600.0, "s", "Shortest silence."),
        value("silence_db", -120.0..=0.0, "dBFS", "Loudest sample of silence."),
        value(
            "clipping_db",
            -6.0..=0.0,
            "dBFS",
            "A sample from this level on is clipped.",
        ),
        whole(
            "clipping_samples",
            1..=1000,
            "So many clipped samples in a row are a finding.",
        )
        .default(of("clipping_samples")),
        limit(
            "loudness_lufs",
            -70.0..=0.0,
            "LUFS",
            "Integrated loudness wanted; left out: measured, not judged.",
        ),
        value(
            "loudness_tolerance_lu",
            0.0..=20.0,
            "LU",
            "How far from it is still right.",
        ),
        limit(
            "loudness_range_max_lu",
            0.0..=50.0,
            "LU",
            "Largest loudness range; left out: not judged.",
        ),
        limit(
            "true_peak_max_dbtp",
            -20.0..=6.0,
            "dBTP",
            "Largest true peak; left out: not judged.",
        ),
        levels(
            "luma_range",
            "Lowest and highest luma in 8 bit, as EBU R 103 tolerates.",
        ),
        levels("chroma_range", "Lowest and highest chroma in 8 bit."),
        value(
            "levels_percent",
            0.0..=100.0,
            "%",
            "A picture is out of range with more than so many such pixels.",
        ),
        value(
            "repeats_percent",
            0.0..=100.0,
            "%",
            "More repeated pictures than this are a finding.",
        ),
        value(
            "interlace_percent",
            1.0..=100.0,
            "%",
            "More combed pictures than this are interlaced.",
        ),
        value(
            "av_start_max_ms",
            0.0..=60_000.0,
            "ms",
            "Largest distance between the beginnings of sound and pictures.",
        ),
        value(
            "av_end_max_ms",
            0.0..=600_000.0,
            "ms",
            "Largest distance between their ends.",
        ),
        value(
            "phase_correlation",
            -1.0..=0.0,
            "",
            "Correlation of left and right from which down they cancel each other.",
        ),
        value("phase_min_s", 0.1..=3600.0, "s", "Shortest stretch of it."),
    ]
}

fn meaning(check: QcCheck) -> &'static str {
    match check {
        QcCheck::Black => "Black pictures.",
        QcCheck::Freeze => "The same picture for a while.",
        QcCheck::Silence => "No sound.",
        QcCheck::Clipping => "Samples at full scale in a row.",
        QcCheck::Loudness => "Loudness, its range and true peak after EBU R128, judged where a limit is given.",
        QcCheck::Levels => "Luma or chroma outside what limited range allows.",
        QcCheck::Repeats => "Pictures that repeat the one before.",
        QcCheck::Gaps => "Missing pictures, and time stamps that step back.",
        QcCheck::Interlace => "Combed pictures in a progressive file, or none in an interlaced one.",
        QcCheck::FirstFrame => "The stream does not begin with a picture that decoding can begin at.",
        QcCheck::AvStart => "Sound and pictures begin at different times.",
        QcCheck::AvEnd => "Sound and pictures end at different times.",
        QcCheck::Damage => "Parts that could not be decoded, or were concealed.",
        QcCheck::Phase => "The two channels of a stereo track cancel each other.",
    }
}
