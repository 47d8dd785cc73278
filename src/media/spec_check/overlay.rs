//! Watermarks, boxes and burnt-in subtitles.

use crate::media::spec::BurnSpec;
use crate::media::spec::Extent;
use crate::media::spec::MosaicSpec;
use crate::media::spec::WatermarkKind;
use crate::media::spec::WatermarkSpec;
use crate::media::spec_check::findings::Findings;

/// As the clouds allow for one output.
const MAX_WATERMARKS: usize = 20;
const MAX_MOSAICS: usize = 10;
const MAX_TEXT: usize = 500;
const MAX_SVG: usize = 2_000_000;
/// A week, as for clips.
const LONGEST_S: f64 = 604_800.0;

/// `path` is empty for the marks of a whole job.
pub(super) fn drawn_of(
    findings: &mut Findings,
    path: &str,
    watermarks: &[WatermarkSpec],
    mosaics: &[MosaicSpec],
    burn: Option<&BurnSpec>,
) {
    let prefix = if path.is_empty() {
        String::new()
    } else {
        format!("{path}.")
    };
    for (key, count, most) in [
        ("watermark", watermarks.len(), MAX_WATERMARKS),
        ("mosaic", mosaics.len(), MAX_MOSAICS),
    ] {
        if count > most {
            findings.add(format!("{prefix}{key}"), format!("{count} are more than {most}"));
        }
    }
    for (at, mark) in watermarks.iter().enumerate() {
        watermark_of(findings, &format!("{prefix}watermark[{at}]"), mark);
    }
    for (at, mosaic) in mosaics.iter().enumerate() {
        let path = format!("{prefix}mosaic[{at}]");
        findings.within(format!("{path}.strength"), mosaic.strength, 1..=100);
        for (key, extent) in [("width", mosaic.width), ("height", mosaic.height)] {
            if matches!(extent, Extent::Pixels(0)) || extent == Extent::Part(0.0) {
                findings.add(format!("{path}.{key}"), "a box needs a size");
            }
        }
        span_of(findings, &path, mosaic.start_s, mosaic.duration_s);
    }
    if let Some(burn) = burn {
        burn_of(findings, &format!("{prefix}burn"), burn);
    }
}

fn watermark_of(findings: &mut Findings, path: &str, mark: &WatermarkSpec) {
    let given = [
        ("image", mark.image.is_some()),
        ("svg", mark.svg.is_some()),
        ("text", mark.text.is_some()),
    ];
    let (wanted, words): (&[&str], _) = match mark.kind {
        WatermarkKind::Image => (&["image"], "an image needs image = \"storage:key\""),
        WatermarkKind::Svg => (
            &["image", "svg"],
            "an SVG needs image = \"storage:key\" or svg = \"<svg ...>\"",
        ),
        WatermarkKind::Text => (&["text"], "a text needs text = \"...\""),
    };
    let has = given.iter().filter(|(key, is)| *is && wanted.contains(key)).count();
    if has != 1 {
        findings.add(path, words);
    }
    for (key, _) in given.iter().filter(|(key, is)| *is && !wanted.contains(key)) {
        findings.add(format!("{path}.{key}"), "means nothing with this kind");
    }
    if let Some(name) = &mark.image {
        object(findings, format!("{path}.image"), name);
    }
    if let Some(text) = mark
        .text
        .as_ref()
        .filter(|text| text.is_empty() || text.chars().count() > MAX_TEXT)
    {
        findings.add(
            format!("{path}.text"),
            format!("{} characters are not 1 to {MAX_TEXT}", text.chars().count()),
        );
    }
    if let Some(svg) = mark.svg.as_ref().filter(|svg| svg.len() > MAX_SVG) {
        findings.add(
            format!("{path}.svg"),
            format!("{} bytes are more than {MAX_SVG}", svg.len()),
        );
    }
    for (key, extent) in [("width", mark.width), ("height", mark.height)] {
        match extent {
            Some(Extent::Pixels(pixels)) => findings.within(format!("{path}.{key}"), pixels, 8..=4096),
            Some(Extent::Part(part)) => findings.within(format!("{path}.{key}"), part, 0.0001..=1.0),
            None => {}
        }
    }
    match mark.font_size {
        Extent::Pixels(pixels) => findings.within(format!("{path}.font_size"), pixels, 4..=400),
        Extent::Part(part) => findings.within(format!("{path}.font_size"), part, 0.005..=0.5),
    }
    findings.within(format!("{path}.opacity"), mark.opacity, 0.0..=1.0);
    findings.within(format!("{path}.border"), mark.border, 0..=4096);
    color(findings, format!("{path}.color"), &mark.color);
    color(findings, format!("{path}.border_color"), &mark.border_color);
    font(findings, format!("{path}.font"), &mark.font);
    span_of(findings, path, mark.start_s, mark.duration_s);
    if let Some(every_s) = mark.every_s {
        findings.within(format!("{path}.every_s"), every_s, 0.1..=LONGEST_S);
        match mark.duration_s {
            None => findings.add(
                format!("{path}.every_s"),
                "needs duration_s: how long it is seen each time",
            ),
            Some(duration_s) if duration_s >= every_s => findings.add(
                format!("{path}.every_s"),
                format!("{every_s} is not longer than duration_s, {duration_s}"),
            ),
            Some(_) => {}
        }
    }
}

fn span_of(findings: &mut Findings, path: &str, start_s: f64, duration_s: Option<f64>) {
    findings.within(format!("{path}.start_s"), start_s, -LONGEST_S..=LONGEST_S);
    findings.within_if(format!("{path}.duration_s"), duration_s, 0.01..=LONGEST_S);
}

fn burn_of(findings: &mut Findings, path: &str, burn: &BurnSpec) {
    match burn.track() {
        Some(track) => {
            let plain = track
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
            if track.is_empty() || track.len() > 35 || !plain {
                findings.add(
                    format!("{path}.source"),
                    format!("{:?} is neither track:LANGUAGE nor track:NUMBER", burn.source),
                );
            }
        }
        None => object(findings, format!("{path}.source"), &burn.source),
    }
    match burn.font_size {
        Some(Extent::Pixels(pixels)) => findings.within(format!("{path}.font_size"), pixels, 4..=400),
        Some(Extent::Part(part)) => findings.within(format!("{path}.font_size"), part, 0.005..=0.5),
        None => {}
    }
    if let Some(Extent::Part(part)) = burn.margin {
        findings.within(format!("{path}.margin"), part, 0.0..=0.9);
    }
    for (key, value) in [("color", &burn.color), ("border_color", &burn.border_color)] {
        if let Some(value) = value {
            color(findings, format!("{path}.{key}"), value);
        }
    }
    if let Some(family) = &burn.font {
        font(findings, format!("{path}.font"), family);
    }
}

fn color(findings: &mut Findings, path: String, value: &str) {
    let digits = value.strip_prefix('#').unwrap_or_default();
    if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        findings.add(path, format!("{value:?} is not of the form \"#rrggbb\""));
    }
}

/// A family stands in SVG and in ASS: letters, digits, blanks and hyphens of any script.
fn font(findings: &mut Findings, path: String, family: &str) {
    let plain = |letter: char| letter.is_alphanumeric() || letter == ' ' || letter == '-' || letter == '_';
    if family.is_empty() || family.len() > 100 || !family.chars().all(plain) {
        findings.add(path, format!("{family:?} is not a name of a font family"));
    }
}

fn object(findings: &mut Findings, path: String, name: &str) {
    let is_object = name
        .split_once(':')
        .is_some_and(|(storage, key)| !storage.is_empty() && !key.is_empty());
    if !is_object || name.len() > 4096 {
        findings.add(path, format!("{name:?} is not of the form \"storage:key\""));
    }
}

#[cfg(test)]
mod tests {
    use crate::media::spec::MediaWork;
    use crate::media::spec_check::check;

    fn wrong(drawn: &str) -> Vec<String> {
        let text =
            format!("{drawn}\n[[group]]\nkind=\"file\"\n[[group.output]]\nname=\"a\"\nvideo={{codec=\"h264\"}}\n");
        let work = MediaWork::Transcode(toml::from_str(&text).unwrap_or_else(|error| panic!("{drawn}: {error}")));
        check(&work).into_iter().map(|wrong| format!("{wrong:?}")).collect()
    }

    #[test]
    fn what_can_be_drawn_passes() {
        for drawn in [
            "[[watermark]]\nimage=\"marks:logo.png\"",
            "[[watermark]]\nkind=\"text\"\ntext=\"x\"\nfont_size=16\nopacity=0.5\nx=10\ny=\"2%\"",
            "[[watermark]]\nkind=\"svg\"\nsvg=\"<svg/>\"\nstart_s=-3\nduration_s=1\nevery_s=2",
            "[[mosaic]]\nx=0\ny=0\nwidth=\"10%\"\nheight=0.2\nkind=\"pixelate\"",
            "[burn]\nsource=\"track:zh-Hans\"\ncolor=\"#ffff00\"",
            "[burn]\nsource=\"subs:a/b.srt\"",
        ] {
            assert_eq!(wrong(drawn), Vec::<String>::new(), "{drawn}");
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_named() {
        let many = "[[watermark]]\nkind=\"text\"\ntext=\"x\"\n".repeat(21);
        for (drawn, key) in [
            (many.as_str(), "watermark"),
            ("[[watermark]]", "watermark[0]"),
            ("[[watermark]]\nimage=\"logo.png\"", "watermark[0].image"),
            ("[[watermark]]\nimage=\"a:b\"\ntext=\"x\"", "watermark[0].text"),
            ("[[watermark]]\nimage=\"a:b\"\nopacity=1.5", "opacity"),
            ("[[watermark]]\nimage=\"a:b\"\nwidth=4", "width"),
            ("[[watermark]]\nimage=\"a:b\"\nevery_s=4", "every_s"),
            ("[[watermark]]\nkind=\"text\"\ntext=\"x\"\nfont=\"a,b\"", "font"),
            ("[[watermark]]\nkind=\"text\"\ntext=\"x\"\ncolor=\"red\"", "color"),
            ("[[mosaic]]\nx=0\ny=0\nwidth=0\nheight=10", "mosaic[0].width"),
            ("[[mosaic]]\nx=0\ny=0\nwidth=9\nheight=10\nstrength=0", "strength"),
            ("[burn]\nsource=\"track:\"", "burn.source"),
            ("[burn]\nsource=\"a.srt\"", "burn.source"),
            ("[burn]\nsource=\"a:b.srt\"\nmargin=\"95%\"", "burn.margin"),
        ] {
            let found = wrong(drawn);
            assert!(found.iter().any(|wrong| wrong.contains(key)), "{drawn}: {found:?}");
        }
    }
}
