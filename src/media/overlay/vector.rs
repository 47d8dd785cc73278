//! SVG as pixels.
//!
//! Guarantees: an SVG opens no file and no address; what it holds itself it shows. Fonts are those of the host, looked
//! for once a process. Deliberately absent: scripts and animation, of which the library has none.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::error;
use crate::media::overlay::bitmap::Bitmap;
use resvg::tiny_skia::Pixmap;
use resvg::tiny_skia::Transform;
use resvg::usvg;
use resvg::usvg::Tree;
use resvg::usvg::fontdb::Database;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::OnceLock;

static FONTS: OnceLock<Arc<Database>> = OnceLock::new();

fn fonts() -> Arc<Database> {
    let load = || {
        let mut fonts = Database::new();
        fonts.load_system_fonts();
        let of = |kind: &str| generic(&fonts, kind).map_or_else(|| default_family(&fonts), str::to_owned);
        let (sans, serif, mono) = (of("sans-serif"), of("serif"), of("monospace"));
        fonts.set_sans_serif_family(sans);
        fonts.set_serif_family(serif);
        fonts.set_monospace_family(mono);
        Arc::new(fonts)
    };
    Arc::clone(FONTS.get_or_init(load))
}

/// A parsed SVG.
pub struct Vector {
    tree: Tree,
    name: String,
}

impl Vector {
    /// Parses an SVG. `name` is for messages.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, Fault> {
        let resolver = usvg::ImageHrefResolver {
            resolve_string: Box::new(|_, _| None),
            ..usvg::ImageHrefResolver::default()
        };
        let fontdb = fonts();
        let options = usvg::Options {
            font_family: default_family(&fontdb),
            image_href_resolver: resolver,
            fontdb,
            ..usvg::Options::default()
        };
        let tree = Tree::from_data(bytes, &options)
            .map_err(|cause| error::side_file_refused("read the watermark", name, cause.to_string()))?;
        Ok(Vector {
            tree,
            name: name.to_owned(),
        })
    }

    /// Its own size.
    pub fn size(&self) -> (f64, f64) {
        let size = self.tree.size();
        (f64::from(size.width()), f64::from(size.height()))
    }

    /// Left, top, width and height of what is drawn; none when nothing is.
    pub fn drawn(&self) -> Option<(f64, f64, f64, f64)> {
        let drawn = self.tree.root().abs_stroke_bounding_box();
        let (width, height) = (f64::from(drawn.width()), f64::from(drawn.height()));
        (width > 0.0 && height > 0.0).then(|| (f64::from(drawn.x()), f64::from(drawn.y()), width, height))
    }

    /// Letters that no font of the host has, each once; boxes are drawn in their place.
    pub fn unset_letters(&self) -> BTreeSet<char> {
        let mut unset = BTreeSet::new();
        gather_unset(self.tree.root(), &mut unset);
        unset
    }

    /// The part of it from `origin` on, `part` large, drawn over so many pixels.
    pub fn render(&self, origin: (f64, f64), part: (f64, f64), pixels: (u32, u32)) -> Result<Bitmap, Fault> {
        let too_large = || error::side_file_refused("draw the watermark", &self.name, "it has no size".to_owned());
        let mut pixmap = Pixmap::new(pixels.0, pixels.1).ok_or_else(too_large)?;
        let scale = (
            (f64::from(pixels.0) / part.0.max(1e-6)) as f32,
            (f64::from(pixels.1) / part.1.max(1e-6)) as f32,
        );
        let to_pixels = Transform::from_translate(-origin.0 as f32, -origin.1 as f32).post_scale(scale.0, scale.1);
        resvg::render(&self.tree, to_pixels, &mut pixmap.as_mut());
        let straight = pixmap.pixels().iter().flat_map(|pixel| {
            let color = pixel.demultiply();
            [color.red(), color.green(), color.blue(), color.alpha()]
        });
        Bitmap::new(pixels.0, pixels.1, straight.collect()).ok_or_else(too_large)
    }
}

fn gather_unset(group: &usvg::Group, unset: &mut BTreeSet<char>) {
    for node in group.children() {
        match node {
            usvg::Node::Group(inner) => gather_unset(inner, unset),
            usvg::Node::Text(text) => {
                let glyphs = text.layouted().iter().flat_map(|span| &span.positioned_glyphs);
                // Glyph 0 of every font is the one for what it has not.
                let missing = glyphs.filter(|glyph| glyph.id.0 == 0);
                unset.extend(
                    missing
                        .flat_map(|glyph| glyph.text.chars())
                        .filter(|letter| !letter.is_whitespace()),
                );
            }
            usvg::Node::Path(_) | usvg::Node::Image(_) => {}
        }
    }
}

/// What to tell of a wanted family that is not installed; none when it is.
pub fn font_note(wanted: &str) -> Option<String> {
    let is_kind = matches!(wanted, "sans-serif" | "serif" | "monospace");
    let taken = family(wanted).ok()?;
    (!is_kind && taken != wanted).then(|| format!("the font {wanted:?} is not installed; {taken:?} stands in"))
}

/// The family a letter is looked for in first when nothing else is said.
fn default_family(fonts: &Database) -> String {
    generic(fonts, "sans-serif")
        .map(str::to_owned)
        .or_else(|| {
            fonts
                .faces()
                .next()
                .and_then(|face| Some(face.families.first()?.0.clone()))
        })
        .unwrap_or_default()
}

fn has(fonts: &Database, family: &str) -> bool {
    fonts
        .faces()
        .any(|face| face.families.iter().any(|(name, _)| name == family))
}

/// The installed family of a kind.
fn generic(fonts: &Database, kind: &str) -> Option<&'static str> {
    let known: &[&'static str] = match kind {
        "sans-serif" => &["DejaVu Sans", "Noto Sans", "Liberation Sans", "Arial"],
        "serif" => &["DejaVu Serif", "Noto Serif", "Liberation Serif", "Times New Roman"],
        "monospace" => &["DejaVu Sans Mono", "Noto Sans Mono", "Liberation Mono", "Courier New"],
        _ => &[],
    };
    known.iter().find(|family| has(fonts, family)).copied()
}

/// The installed family that stands for a wanted one: itself, or one of the same kind.
pub fn family(wanted: &str) -> Result<String, Fault> {
    let fonts = fonts();
    if fonts.is_empty() {
        return Err(Fault::new(
            "FontsMissing",
            Blame::Host,
            "draw the watermark",
            wanted,
            "no font is installed on this host",
            "Install one, for example the package fonts-dejavu-core, or fonts-noto-cjk for Chinese, Japanese and Korean.",
        )
        .retryable(false));
    }
    if has(&fonts, wanted) {
        return Ok(wanted.to_owned());
    }
    Ok(generic(&fonts, wanted).map_or_else(|| default_family(&fonts), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::Vector;

    const SQUARE: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10">
        <rect x="10" width="10" height="10" fill="#ff0000" fill-opacity="0.5"/></svg>"##;

    #[test]
    fn shapes_become_straight_pixels_of_any_size() {
        let vector = Vector::parse(SQUARE.as_bytes(), "x").expect("an svg");
        assert_eq!(vector.size(), (20.0, 10.0));
        let bitmap = vector.render((0.0, 0.0), (20.0, 10.0), (40, 20)).expect("pixels");
        assert_eq!(bitmap.pixel(10, 10), [0, 0, 0, 0]);
        let [r, g, b, a] = bitmap.pixel(30, 10);
        assert!(
            r == 255 && g == 0 && b == 0 && a.abs_diff(128) <= 1,
            "{:?}",
            bitmap.pixel(30, 10)
        );
    }

    #[test]
    fn letters_in_an_svg_find_a_font() {
        for family in ["sans-serif", "serif", "monospace", "no such family"] {
            let svg = format!(
                "<svg xmlns='http://www.w3.org/2000/svg' width='60' height='40'>\
                <text y='30' font-size='30' font-family='{family}' fill='#00ff00'>HI</text></svg>"
            );
            let vector = Vector::parse(svg.as_bytes(), "x").expect("an svg");
            let bitmap = vector.render((0.0, 0.0), (60.0, 40.0), (60, 40)).expect("pixels");
            let all = (0..60).flat_map(|x| (0..40).map(move |y| (x, y)));
            let green = all.filter(|(x, y)| bitmap.pixel(*x, *y) == [0, 255, 0, 255]).count();
            assert!(green > 50, "{family}: {green}");
        }
    }

    #[test]
    fn an_svg_opens_no_file() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("red.svg");
        std::fs::write(&path, SQUARE.replace("x=\"10\"", "x=\"0\"")).expect("write");
        let outer = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><image href="{}" width="20" height="10"/></svg>"#,
            path.display()
        );
        let vector = Vector::parse(outer.as_bytes(), "x").expect("an svg");
        let bitmap = vector.render((0.0, 0.0), (20.0, 10.0), (20, 10)).expect("pixels");
        assert_eq!(bitmap.pixel(5, 5), [0; 4]);
        assert!(Vector::parse(b"<html/>", "x").is_err());
    }
}
