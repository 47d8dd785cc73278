//! Where on a rendition a mark stands, and how large it is.
//!
//! Guarantees: pure. Deliberately absent: what is drawn there.

use crate::media::spec::Corner;
use crate::media::spec::Extent;
use crate::media::spec::WatermarkSpec;

/// Left and top edge of a mark of this size, which may lie outside.
pub fn at(spec: &WatermarkSpec, size: (u32, u32), canvas: (u32, u32)) -> (i64, i64) {
    let (x, y) = (i64::from(spec.x.on(canvas.0)), i64::from(spec.y.on(canvas.1)));
    let right = i64::from(canvas.0) - i64::from(size.0);
    let bottom = i64::from(canvas.1) - i64::from(size.1);
    match spec.corner {
        Corner::TopLeft => (x, y),
        Corner::TopRight => (right - x, y),
        Corner::BottomLeft => (x, bottom - y),
        Corner::BottomRight => (right - x, bottom - y),
        Corner::Center => (right / 2 + x, bottom / 2 + y),
    }
}

/// Size of a mark whose own size is `natural`: what is asked for, with its shape where one edge alone is asked for.
pub fn size(
    spec: &WatermarkSpec,
    natural: (f64, f64),
    canvas: (u32, u32),
    default_width: Option<Extent>,
) -> (u32, u32) {
    let shape = natural.0.max(1e-3) / natural.1.max(1e-3);
    let pixels = |edge: f64| (edge.round() as u32).clamp(1, 16_384);
    let width = spec.width.map(|width| f64::from(width.on(canvas.0)));
    let height = spec.height.map(|height| f64::from(height.on(canvas.1)));
    let default = default_width.map(|width| f64::from(width.on(canvas.0)));
    match (width, height, default) {
        (Some(width), Some(height), _) => (pixels(width), pixels(height)),
        (Some(width), None, _) | (None, None, Some(width)) => (pixels(width), pixels(width / shape)),
        (None, Some(height), _) => (pixels(height * shape), pixels(height)),
        (None, None, None) => (pixels(natural.0), pixels(natural.1)),
    }
}

#[cfg(test)]
mod tests {
    use super::at;
    use super::size;
    use crate::media::spec::WatermarkSpec;

    fn spec(text: &str) -> WatermarkSpec {
        toml::from_str(text).expect("a mark")
    }

    #[test]
    fn corners_count_inward() {
        let place = |corner: &str| {
            at(
                &spec(&format!("corner=\"{corner}\"\nx=10\ny=\"10%\"")),
                (100, 50),
                (640, 360),
            )
        };
        assert_eq!(place("top_left"), (10, 36));
        assert_eq!(place("top_right"), (530, 36));
        assert_eq!(place("bottom_left"), (10, 274));
        assert_eq!(place("bottom_right"), (530, 274));
        assert_eq!(place("center"), (280, 191));
    }

    #[test]
    fn one_edge_keeps_the_shape() {
        let default = Some(WatermarkSpec::DEFAULT_WIDTH);
        assert_eq!(size(&spec(""), (200.0, 100.0), (1000, 500), default), (120, 60));
        assert_eq!(size(&spec("width=50"), (200.0, 100.0), (1000, 500), default), (50, 25));
        assert_eq!(
            size(&spec("height=\"10%\""), (200.0, 100.0), (1000, 500), default),
            (100, 50)
        );
        assert_eq!(
            size(&spec("width=10\nheight=90"), (200.0, 100.0), (1000, 500), default),
            (10, 90)
        );
        assert_eq!(size(&spec(""), (33.4, 12.0), (1000, 500), None), (33, 12));
    }
}
