//! Keys of what is drawn onto pictures: marks, boxes, subtitles.
//!
//! Guarantees: a test holds every key, word, range and default against the reader and the checks. Deliberately absent:
//! which combinations cannot be drawn, which only a check of the whole definition says.

use super::encodes::USED_BY;
use super::encodes::WEEK_S;
use super::field::Field;
use super::field::choice;
use super::field::extent;
use super::field::number;
use super::field::table;
use super::field::text;
use super::field::whole;
use serde_json::Value;
use serde_json::json;

fn color(key: &'static str, help: &str) -> Field {
    text(key, help)
        .with("x-form", "color")
        .with("pattern", "^#[0-9a-fA-F]{6}$")
}

fn span(every: bool) -> Vec<Field> {
    let mut span = vec![
        number(
            "start_s",
            -WEEK_S..=WEEK_S,
            "Second of the output where it begins; negative: counted from the end.",
        )
        .default(0.0)
        .unit("s"),
        number("duration_s", 0.01..=WEEK_S, "For how long; left out: to the end.").unit("s"),
    ];
    if every {
        span.push(
            number(
                "every_s",
                0.1..=WEEK_S,
                "It appears again every so many seconds; longer than duration_s, which it needs.",
            )
            .unit("s")
            .with("x-needs", json!(["duration_s"])),
        );
    }
    span
}

pub(super) fn watermark() -> Value {
    let size = |key, help| {
        extent(key, help)
            .with("x-pixels", json!({ "minimum": 8, "maximum": 4096 }))
            .with("x-part", json!({ "minimum": 0.0001, "maximum": 1.0 }))
    };
    let mut fields = vec![
        text(
            "template",
            "A template of type image_watermark or text_watermark; keys beside it override it.",
        )
        .with("x-form", "template"),
        choice(
            "kind",
            &[
                ("image", "A PNG, JPEG or WebP file."),
                ("svg", "An SVG, from a file or written out."),
                ("text", "A line of text, or several."),
            ],
            "What it is drawn from.",
        )
        .default("image"),
        text("image", "The file, as storage:key.")
            .with("x-form", "object")
            .with("maxLength", 4096)
            .when("kind", &["image", "svg"]),
        text("svg", "The SVG itself, instead of a file.")
            .with("maxLength", 2_000_000)
            .when("kind", &["svg"]),
        text("text", "The text; \\n begins a line.")
            .with("minLength", 1)
            .with("maxLength", 500)
            .when("kind", &["text"]),
        choice(
            "corner",
            &[
                ("top_left", "Left and top edge."),
                ("top_right", "Right and top edge."),
                ("bottom_left", "Left and bottom edge."),
                ("bottom_right", "Right and bottom edge."),
                ("center", "The middle."),
            ],
            "From where x and y count.",
        )
        .default("top_right"),
        extent("x", "Distance from that edge: pixels, or a part of the width.").default(0),
        extent("y", "Distance from that edge: pixels, or a part of the height.").default(0),
        size(
            "width",
            "Width: pixels, or a part of the rendition's. One edge keeps the shape; left out: 12 %, of text what its font gives it.",
        ),
        size("height", "Height: pixels, or a part of the rendition's."),
        number("opacity", 0.0..=1.0, "0 is not seen, 1 hides what is beneath.").default(1.0),
    ];
    fields.extend(span(true));
    fields.extend([
        extent(
            "font_size",
            "Height of letters: pixels, or a part of the rendition's height.",
        )
        .default("0.05")
        .with("x-pixels", json!({ "minimum": 4, "maximum": 400 }))
        .with("x-part", json!({ "minimum": 0.005, "maximum": 0.5 }))
        .when("kind", &["text"]),
        text("font", "An installed font family, or sans-serif, serif, monospace.")
            .default("sans-serif")
            .with("maxLength", 100)
            .when("kind", &["text"]),
        color("color", "Colour of the text.")
            .default("#ffffff")
            .when("kind", &["text"]),
        whole("border", 0..=4096, "Width of the border around letters.")
            .default(0)
            .unit("px")
            .when("kind", &["text"]),
        color("border_color", "Colour of that border.")
            .default("#000000")
            .when("kind", &["text"]),
    ]);
    table(
        "Watermark",
        "A mark on every picture, or on those of a span of time.",
        &USED_BY,
        fields,
    )
}

pub(super) fn mosaic() -> Value {
    let mut fields = vec![
        choice(
            "kind",
            &[("blur", "Unsharp."), ("pixelate", "Large squares of one colour.")],
            "How it hides what is beneath.",
        )
        .default("blur"),
        extent("x", "Left edge: pixels, or a part of the width.").required(),
        extent("y", "Top edge: pixels, or a part of the height.").required(),
        extent(
            "width",
            "Width: pixels, or a part of the rendition's; more than nothing.",
        )
        .required(),
        extent(
            "height",
            "Height: pixels, or a part of the rendition's; more than nothing.",
        )
        .required(),
        whole(
            "strength",
            1..=100,
            "Radius of the blur or edge of the squares, in tenths of a per cent of the height.",
        )
        .default(30),
    ];
    fields.extend(span(false));
    table("Box", "A box that hides what is beneath it.", &USED_BY, fields)
}

pub(super) fn burn() -> Value {
    table(
        "Burnt-in subtitles",
        "Subtitles drawn into the pictures.",
        &USED_BY,
        vec![
            text("template", "A template of type subtitle; keys beside it override it.").with("x-form", "template"),
            text(
                "source",
                "track:LANGUAGE or track:NUMBER of the source, or an SRT, WebVTT or ASS file as storage:key.",
            )
            .required()
            .with("x-form", "subtitles")
            .with("maxLength", 4096),
            text("font", "Font family; left out: the subtitles' own, else sans-serif.").with("maxLength", 100),
            extent(
                "font_size",
                "Height of letters; left out: the subtitles' own, else 5 % of the height.",
            )
            .with("x-pixels", json!({ "minimum": 4, "maximum": 400 }))
            .with("x-part", json!({ "minimum": 0.005, "maximum": 0.5 })),
            color(
                "color",
                "Colour of the letters; left out: the subtitles' own, else white.",
            ),
            color(
                "border_color",
                "Colour of their border; left out: the subtitles' own, else black.",
            ),
            extent(
                "margin",
                "Distance from the lower edge; left out: the subtitles' own, else 5 % of the height.",
            ),
        ],
    )
}
