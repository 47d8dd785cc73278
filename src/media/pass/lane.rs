//! The way of pictures to one grade by libav's filters: the colours of the outputs, upright, square-pixelled, and fitted
//! into the first size where they change in the middle.
//!
//! Guarantees: one picture in gives one picture out, at once; one that needs nothing is passed on untouched. Deliberately
//! absent: fields, and finding out what a picture is.

use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Frame;
use crate::media::av::Graph;
use crate::media::av::PixelFormat;
use crate::media::av::filter::GraphInput;
use crate::media::facts::Ratio;
use crate::media::grading;

/// Pixels as wide as they are high.
pub const SQUARE: Ratio = Ratio { num: 1, den: 1 };
/// Edges this much shorter are worth a scaler of their own.
const WORTH_SCALING: f64 = 0.8;

/// What decides what must be done to a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Pixel format.
    pub format: PixelFormat,
    /// Width of a pixel over its height.
    pub aspect: Ratio,
    /// What its numbers mean, every gap filled.
    pub color: Color,
    /// Clockwise turn, degrees.
    pub rotation_degrees: u32,
    /// Mirrored left to right after the turn.
    pub mirrored: bool,
}

/// What comes out of a lane.
#[derive(Debug, Clone, Copy)]
pub struct Aim {
    /// What the numbers mean then.
    pub color: Color,
    /// The format to take where one has to be chosen.
    pub format: PixelFormat,
    /// Size as displayed.
    pub display: (u32, u32),
    /// Nothing is wanted larger than this; none: something may be.
    pub bounds: Option<(u32, u32)>,
    /// Brightest light of an HDR source, where it is known.
    pub peak_nits: Option<f64>,
}

/// The way to one grade.
#[derive(Debug)]
pub struct Lane {
    aim: Aim,
    unit: Ratio,
    threads: u32,
    shape: Option<Shape>,
    graph: Option<Graph>,
    needs_nothing: bool,
}

impl Lane {
    /// A way there; `unit` is that of the time stamps.
    pub fn new(aim: Aim, unit: Ratio, threads: u32) -> Self {
        Lane {
            aim,
            unit,
            threads,
            shape: None,
            graph: None,
            needs_nothing: true,
        }
    }

    /// What comes out.
    pub fn aim(&self) -> Aim {
        self.aim
    }

    /// Brings a picture there, whose time stamp stays.
    pub fn run(&mut self, frame: &Frame, shape: Shape) -> Result<Frame, AvError> {
        if self.shape != Some(shape) {
            self.rebuild(shape)?;
        }
        let mut done = match &mut self.graph {
            None if self.needs_nothing => frame.share()?,
            None => return Err(AvError::argument("avfilter_graph_config")),
            Some(graph) => {
                graph.push(Some(frame))?;
                let mut done = graph
                    .pull()?
                    .ok_or_else(|| AvError::argument("av_buffersink_get_frame"))?;
                if let Some(pts) = frame.pts() {
                    done.set_pts(pts);
                }
                done
            }
        };
        done.set_color(self.aim.color);
        done.forget_display();
        Ok(done)
    }

    fn rebuild(&mut self, shape: Shape) -> Result<(), AvError> {
        let mut chain: Vec<String> = Vec::new();
        let given = shape;
        // A tone map works in floats: what is not wanted that large is made smaller first.
        let shape = match self.aim.bounds {
            Some(bounds) if shape.color.is_hdr() && !self.aim.color.is_hdr() => smaller(shape, bounds),
            _ => shape,
        };
        if (shape.width, shape.height) != (given.width, given.height) {
            chain.push(format!("scale={}:{}:flags=bicubic,setsar=1", shape.width, shape.height));
        }
        chain.extend(grading::chain(
            shape.color,
            shape.format,
            (shape.width, shape.height),
            self.aim.color,
            self.aim.format,
            self.aim.peak_nits,
        ));
        chain.extend(upright(shape.rotation_degrees, shape.mirrored));
        let shown = shown_size(shape);
        let (width, height) = self.aim.display;
        if !same_form(shown, self.aim.display) {
            let (inner_width, inner_height) = fitted(shown, self.aim.display);
            chain.push(format!(
                "scale={inner_width}:{inner_height}:flags=bicubic,pad={width}:{height}:(ow-iw)/2:(oh-ih)/2,setsar=1"
            ));
        } else if shape.aspect != SQUARE {
            chain.push(format!("scale={}:{}:flags=bicubic,setsar=1", shown.0, shown.1));
        }
        self.shape = Some(given);
        self.needs_nothing = chain.is_empty();
        self.graph = if chain.is_empty() {
            None
        } else {
            let input = GraphInput {
                width: given.width,
                height: given.height,
                format: given.format,
                time_base: self.unit,
                sample_aspect_ratio: given.aspect,
            };
            Some(Graph::open_for(&input, shape.color, &chain.join(","), self.threads)?)
        };
        Ok(())
    }
}

/// The shape of a picture made just large enough to cover `bounds` when it is upright; itself when that spares little.
fn smaller(shape: Shape, bounds: (u32, u32)) -> Shape {
    let shown = shown_size(shape);
    let factor = (f64::from(bounds.0) / f64::from(shown.0)).max(f64::from(bounds.1) / f64::from(shown.1));
    if factor > WORTH_SCALING {
        return shape;
    }
    let flat = shown_size(Shape {
        rotation_degrees: 0,
        ..shape
    });
    let even = |edge: u32| (((f64::from(edge) * factor).round() as u32 + 1) & !1).max(2);
    Shape {
        width: even(flat.0),
        height: even(flat.1),
        aspect: SQUARE,
        ..shape
    }
}

/// The turn, and the mirroring left to right that follows it.
fn upright(rotation_degrees: u32, mirrored: bool) -> Option<String> {
    let turn = match (rotation_degrees % 360, mirrored) {
        (90, false) => "transpose=clock",
        (90, true) => "transpose=clock,hflip",
        (180, false) => "hflip,vflip",
        (180, true) => "vflip",
        (270, false) => "transpose=cclock",
        (270, true) => "transpose=cclock,hflip",
        (_, true) => "hflip",
        _ => return None,
    };
    Some(turn.to_owned())
}

/// Size with square pixels and upright.
pub fn shown_size(shape: Shape) -> (u32, u32) {
    let aspect = shape.aspect.value();
    let (width, height) = if aspect > 1.0 {
        ((f64::from(shape.width) * aspect).round() as u32, shape.height)
    } else {
        (shape.width, (f64::from(shape.height) / aspect).round() as u32)
    };
    if shape.rotation_degrees % 180 == 90 {
        (height, width)
    } else {
        (width, height)
    }
}

/// Whether two sizes have the same shape to within two per cent; then the scaler does the rest.
pub fn same_form(one: (u32, u32), other: (u32, u32)) -> bool {
    let form = |size: (u32, u32)| f64::from(size.0) / f64::from(size.1.max(1));
    (form(one) / form(other) - 1.0).abs() < 0.02
}

/// Largest even size of the shape of `size` inside `bounds`.
fn fitted(size: (u32, u32), bounds: (u32, u32)) -> (u32, u32) {
    let factor = (f64::from(bounds.0) / f64::from(size.0)).min(f64::from(bounds.1) / f64::from(size.1));
    let even = |edge: u32| (((f64::from(edge) * factor) as u32) & !1).max(2);
    (even(size.0), even(size.1))
}

#[cfg(test)]
mod tests {
    use super::SQUARE;
    use super::Shape;
    use super::fitted;
    use super::same_form;
    use super::smaller;
    use super::upright;
    use crate::media::av::Color;
    use crate::media::av::PixelFormat;

    #[test]
    fn other_shapes_are_fitted_into_the_first() {
        assert!(same_form((1920, 1080), (854, 480)));
        assert!(!same_form((1440, 1080), (1920, 1080)));
        assert_eq!(fitted((1440, 1080), (1280, 720)), (960, 720));
        assert_eq!(fitted((1000, 100), (640, 360)), (640, 64));
    }

    #[test]
    fn a_tone_map_sees_no_more_than_is_wanted() {
        let film = Shape {
            width: 3840,
            height: 2160,
            format: PixelFormat::YUV420P10,
            aspect: SQUARE,
            color: Color::BT709,
            rotation_degrees: 90,
            mirrored: false,
        };
        let small = smaller(film, (1080, 1920));
        assert_eq!((small.width, small.height), (1920, 1080), "as coded, not as shown");
        assert_eq!(smaller(film, (2000, 3600)), film);
    }

    #[test]
    fn a_turned_picture_is_turned_once() {
        assert_eq!(upright(0, false), None);
        assert_eq!(upright(180, true).as_deref(), Some("vflip"));
        assert_eq!(upright(450, false).as_deref(), Some("transpose=clock"));
    }
}
