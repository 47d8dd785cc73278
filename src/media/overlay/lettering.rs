//! Text marks: a text as SVG, whose letters the library sets.
//!
//! Guarantees: a text is shown as it stands, whatever characters it has, or it is told which are not. Deliberately absent: fonts and pixels.

use crate::base::fault::Fault;
use crate::media::overlay::bitmap::Bitmap;
use crate::media::overlay::place;
use crate::media::overlay::vector;
use crate::media::overlay::vector::Vector;
use crate::media::spec::WatermarkSpec;

/// Distance of lines, in heights of letters.
const LINE: f64 = 1.25;

/// The text of a mark as pixels.
///
/// What of it cannot be shown as it was meant is told in `notes`.
pub fn draw(
    spec: &WatermarkSpec,
    text: &str,
    canvas: (u32, u32),
    notes: &mut Vec<String>,
) -> Result<Option<Bitmap>, Fault> {
    let size = f64::from(spec.font_size.on(canvas.1).max(4));
    let family = vector::family(&spec.font)?;
    let vector = Vector::parse(svg(spec, text, &family, size).as_bytes(), "the text")?;
    notes.extend(vector::font_note(&spec.font));
    let unset: Vec<String> = vector.unset_letters().into_iter().map(String::from).collect();
    if !unset.is_empty() {
        notes.push(format!(
            "no font of this host has {}; boxes stand in their place",
            unset.join(" ")
        ));
    }
    let Some((x, y, width, height)) = vector.drawn() else {
        return Ok(None);
    };
    let pixels = place::size(spec, (width.ceil(), height.ceil()), canvas, None);
    vector.render((x, y), (width, height), pixels).map(Some)
}

fn svg(spec: &WatermarkSpec, text: &str, family: &str, size: f64) -> String {
    let mut lines = String::new();
    for (number, line) in text.lines().enumerate() {
        let y = (number + 1) as f64 * size * LINE;
        lines.push_str(&format!(
            "<text xml:space=\"preserve\" x=\"0\" y=\"{y}\">{}</text>",
            escaped(line)
        ));
    }
    let stroke = match spec.border {
        0 => String::new(),
        border => format!(
            " stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\" paint-order=\"stroke\"",
            escaped(&spec.border_color),
            u64::from(border) * 2
        ),
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"16384\" height=\"16384\">\
        <g font-family=\"{}\" font-size=\"{size}\" fill=\"{}\"{stroke}>{lines}</g></svg>",
        escaped(family),
        escaped(&spec.color),
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML has no place for them.
            control if control.is_control() && control != '\t' => {}
            '\u{fffe}' | '\u{ffff}' => {}
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::media::spec::WatermarkSpec;

    #[test]
    fn any_text_is_drawn_at_its_size() {
        let spec: WatermarkSpec = toml::from_str("kind=\"text\"\nfont_size=40\ncolor=\"#ff0000\"").expect("a mark");
        let one = draw(&spec, "<Hx> & \"\u{1}\u{ffff}", (1280, 720), &mut Vec::new())
            .expect("fonts")
            .expect("letters");
        assert!((28..60).contains(&one.height()), "{}", one.height());
        assert!((0..one.width()).any(|x| (0..one.height()).any(|y| one.pixel(x, y) == [255, 0, 0, 255])));
        let two = draw(&spec, "Hx\nHx", (1280, 720), &mut Vec::new())
            .expect("fonts")
            .expect("letters");
        assert!(two.height() > one.height() + 30, "{} {}", two.height(), one.height());
        assert_eq!(draw(&spec, " ", (1280, 720), &mut Vec::new()).expect("fonts"), None);
    }

    #[test]
    fn a_border_goes_around() {
        let plain: WatermarkSpec = toml::from_str("kind=\"text\"\nfont_size=40").expect("a mark");
        let bordered: WatermarkSpec = toml::from_str("kind=\"text\"\nfont_size=40\nborder=5").expect("a mark");
        let size = |spec| {
            let bitmap = draw(spec, "I", (1280, 720), &mut Vec::new())
                .expect("fonts")
                .expect("letters");
            (bitmap.width(), bitmap.height())
        };
        let (small, large) = (size(&plain), size(&bordered));
        assert!((9..=11).contains(&(large.0 - small.0)), "{small:?} {large:?}");
        assert!((9..=11).contains(&(large.1 - small.1)), "{small:?} {large:?}");
    }
}
