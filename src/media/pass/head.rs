//! What happens to every decoded picture before it is scaled: made progressive, then, once for SDR and once for HDR
//! where both are wanted, given the colours of the outputs, turned upright and made square-pixelled.
//!
//! Guarantees: pictures come out display-oriented, in the pass's unit of time, with the numbers their label says; a
//! picture that needs nothing is passed on untouched. A change of size, format, colour or orientation in the middle
//! rebuilds what it concerns, and the new pictures are fitted into the first size.

use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Frame;
use crate::media::av::Graph;
use crate::media::av::PixelFormat;
use crate::media::av::filter::GraphInput;
use crate::media::facts::Ratio;
use crate::media::facts::VideoFacts;
use crate::media::grading;
use crate::media::pass::fields::Weaver;
use crate::media::pass::glance::Glance;
use crate::media::probe;

const SQUARE: Ratio = Ratio { num: 1, den: 1 };
/// Edges this much shorter are worth a scaler of their own.
const WORTH_SCALING: f64 = 0.8;

/// One picture in the grades that are wanted of it.
#[derive(Debug)]
pub struct Graded {
    /// When it is shown, pass units.
    pub pts: Option<i64>,
    /// For SDR renditions and stills.
    pub sdr: Option<Frame>,
    /// For HDR renditions.
    pub hdr: Option<Frame>,
}

/// The formats that a cascade must hold; none: nothing is fed from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Of SDR renditions and stills.
    pub sdr: Option<PixelFormat>,
    /// Of HDR renditions.
    pub hdr: Option<PixelFormat>,
    /// No SDR picture is wanted larger than this, upright; none: some may be.
    pub sdr_bounds: Option<(u32, u32)>,
}

/// The head of a pass.
#[derive(Debug)]
pub struct Head {
    weaver: Weaver,
    sdr: Option<Lane>,
    hdr: Option<Lane>,
    /// What the first pictures said; a later one that is silent means the same.
    glance: Glance,
    first_aspect: Ratio,
    /// Size and shape of pixels that the first picture said itself.
    first: Option<((u32, u32), Option<Ratio>)>,
    orientation: (u32, bool),
    current: Option<Shape>,
    changes: u64,
}

impl Head {
    /// For a stream; `unit` is that of the time stamps, in and out.
    pub fn new(video: &VideoFacts, glance: Glance, wanted: Wanted, unit: Ratio, frame_s: f64, threads: u32) -> Self {
        let display = video.display_size();
        let lane = |color: Color, format: PixelFormat| Lane {
            color,
            format,
            display,
            unit,
            threads,
            bounds: None,
            peak_nits: glance.metadata.peak_nits(),
            shape: None,
            graph: None,
            needs_nothing: true,
        };
        let (width, height) = display;
        Head {
            weaver: Weaver::new(glance.fields, unit, frame_s, threads),
            sdr: wanted
                .sdr
                .map(|format| lane(grading::sdr_of(glance.color, width, height), format))
                .map(|lane| Lane {
                    bounds: wanted.sdr_bounds,
                    ..lane
                }),
            hdr: wanted.hdr.map(|format| lane(grading::hdr_of(glance.color), format)),
            glance,
            first_aspect: video.sample_aspect_ratio.unwrap_or(SQUARE),
            first: None,
            orientation: (video.rotation_degrees, video.mirrored),
            current: None,
            changes: 0,
        }
    }

    /// Times the pictures changed in the middle.
    pub fn rebuilds(&self) -> u64 {
        self.changes
    }

    /// Repeats of a 3:2 pulldown that were left out.
    pub fn repeats(&self) -> u64 {
        self.weaver.repeats()
    }

    /// Pictures of two moments that were made one.
    pub fn deinterlaced(&self) -> u64 {
        self.weaver.deinterlaced()
    }

    /// Takes a decoded picture; what comes out is appended.
    pub fn push(&mut self, mut frame: Frame, out: &mut Vec<Graded>) -> Result<(), AvError> {
        frame.say_range_apart();
        let mut ready = Vec::new();
        self.weaver.push(frame, &mut ready)?;
        self.grade_all(ready, out)
    }

    /// Takes what is still inside, at the end.
    pub fn drain(&mut self, out: &mut Vec<Graded>) -> Result<(), AvError> {
        let mut ready = Vec::new();
        self.weaver.drain(&mut ready)?;
        self.grade_all(ready, out)
    }

    fn grade_all(&mut self, ready: Vec<Frame>, out: &mut Vec<Graded>) -> Result<(), AvError> {
        for mut frame in ready {
            let shape = self.shape_of(&frame);
            if self.current.is_some_and(|current| current != shape) {
                self.changes += 1;
            }
            self.current = Some(shape);
            frame.set_color(shape.color);
            let grade = |lane: &mut Option<Lane>| lane.as_mut().map(|lane| lane.run(&frame, shape)).transpose();
            out.push(Graded {
                pts: frame.pts(),
                sdr: grade(&mut self.sdr)?,
                hdr: grade(&mut self.hdr)?,
            });
        }
        Ok(())
    }

    fn shape_of(&mut self, frame: &Frame) -> Shape {
        let size = (frame.width(), frame.height());
        let own = frame
            .sample_aspect_ratio()
            .filter(|own| (0.1..=10.0).contains(&own.value()));
        let first = *self.first.get_or_insert((size, own));
        let own_turn = frame
            .display_matrix()
            .filter(|_| !self.glance.is_turned_by_container)
            .map(probe::orientation);
        let (rotation_degrees, mirrored) = *own_turn.as_ref().unwrap_or(&self.orientation);
        // The container's word on the shape of pixels holds for pictures like the first.
        let aspect = if first == (size, own) {
            self.first_aspect
        } else {
            own.unwrap_or(SQUARE)
        };
        let said = frame.color();
        let silent = Color {
            range: said.range,
            ..Color::UNSPECIFIED
        };
        let color = if said == silent && !frame.pixel_format().is_rgb() && self.glance.color.matrix != 0 {
            Color {
                range: if said.range == 0 {
                    self.glance.color.range
                } else {
                    said.range
                },
                ..self.glance.color
            }
        } else {
            let mut known = said;
            if self.glance.color.is_hdr() && said.transfer == crate::media::av::color::UNSPECIFIED {
                known.transfer = self.glance.color.transfer;
            }
            grading::completed(known, frame.pixel_format(), size.0, size.1)
        };
        Shape {
            width: size.0,
            height: size.1,
            format: frame.pixel_format(),
            aspect,
            color,
            rotation_degrees,
            mirrored,
        }
    }
}

/// What decides what must be done to a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shape {
    width: u32,
    height: u32,
    format: PixelFormat,
    aspect: Ratio,
    color: Color,
    rotation_degrees: u32,
    mirrored: bool,
}

/// The way to one grade. One picture in gives one picture out, at once.
#[derive(Debug)]
struct Lane {
    color: Color,
    format: PixelFormat,
    display: (u32, u32),
    unit: Ratio,
    threads: u32,
    bounds: Option<(u32, u32)>,
    peak_nits: Option<f64>,
    shape: Option<Shape>,
    graph: Option<Graph>,
    needs_nothing: bool,
}

impl Lane {
    fn run(&mut self, frame: &Frame, shape: Shape) -> Result<Frame, AvError> {
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
        done.set_color(self.color);
        done.forget_display();
        Ok(done)
    }

    fn rebuild(&mut self, shape: Shape) -> Result<(), AvError> {
        let mut chain: Vec<String> = Vec::new();
        let given = shape;
        // A tone map works in floats: what is not wanted that large is made smaller first.
        let shape = match self.bounds {
            Some(bounds) if shape.color.is_hdr() && !self.color.is_hdr() => smaller(shape, bounds),
            _ => shape,
        };
        if (shape.width, shape.height) != (given.width, given.height) {
            chain.push(format!("scale={}:{}:flags=bicubic,setsar=1", shape.width, shape.height));
        }
        chain.extend(grading::chain(
            shape.color,
            shape.format,
            (shape.width, shape.height),
            self.color,
            self.format,
            self.peak_nits,
        ));
        chain.extend(upright(shape.rotation_degrees, shape.mirrored));
        let shown = shown_size(shape);
        let (width, height) = self.display;
        if !same_form(shown, self.display) {
            let (inner_width, inner_height) = fitted(shown, self.display);
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
fn shown_size(shape: Shape) -> (u32, u32) {
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
fn same_form(one: (u32, u32), other: (u32, u32)) -> bool {
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
