//! What happens to every decoded picture before it is scaled: made progressive, then, once for SDR and once for HDR
//! where both are wanted, given the colours of the outputs, turned upright and made square-pixelled.
//!
//! Guarantees: pictures come out display-oriented, in the pass's unit of time, with the numbers their label says; a
//! picture that needs nothing is passed on untouched. A change of size, format, colour or orientation in the middle
//! rebuilds what it concerns, and the new pictures are fitted into the first size.

use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Frame;
use crate::media::av::PixelFormat;
use crate::media::container_facts;
use crate::media::facts::Ratio;
use crate::media::facts::VideoFacts;
use crate::media::grading;
use crate::media::pass::fields::Weaver;
use crate::media::pass::glance::Glance;
use crate::media::pass::gpu::weaving::Weaving;
use crate::media::pass::lane::Aim;
use crate::media::pass::lane::Lane;
use crate::media::pass::lane::SQUARE;
use crate::media::pass::lane::Shape;

/// One picture in the grades that are wanted of it.
#[derive(Debug)]
pub struct Graded {
    /// When it is shown, pass units.
    pub pts: Option<i64>,
    /// For SDR renditions and stills.
    pub sdr: Option<Frame>,
    /// For HDR renditions.
    pub hdr: Option<Frame>,
    /// What is still to be done to it; none: nothing.
    pub shape: Option<Shape>,
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
    weaver: Weaving,
    sdr: Option<Lane>,
    hdr: Option<Lane>,
    /// What the first pictures said; a later one that is silent means the same.
    glance: Glance,
    first_aspect: Ratio,
    /// Size and shape of pixels that the first picture said itself.
    first: Option<((u32, u32), Option<Ratio>)>,
    orientation: (u32, bool),
    /// Pictures are only made progressive; whoever takes them does the rest.
    leaves_rest: bool,
    current: Option<Shape>,
    changes: u64,
}

impl Head {
    /// For a stream; `unit` is that of the time stamps, in and out.
    pub fn new(video: &VideoFacts, glance: Glance, wanted: Wanted, unit: Ratio, frame_s: f64, threads: u32) -> Self {
        let display = video.display_size();
        let (width, height) = display;
        let aim = |color: Color, format: PixelFormat, bounds: Option<(u32, u32)>| Aim {
            color,
            format,
            display,
            bounds,
            peak_nits: glance.metadata.peak_nits(),
        };
        let sdr = wanted
            .sdr
            .map(|format| aim(grading::sdr_of(glance.color, width, height), format, wanted.sdr_bounds));
        let hdr = wanted
            .hdr
            .map(|format| aim(grading::hdr_of(glance.color), format, None));
        Head {
            weaver: Weaving::Host(Weaver::new(glance.fields, unit, frame_s, threads)),
            sdr: sdr.map(|aim| Lane::new(aim, unit, threads)),
            hdr: hdr.map(|aim| Lane::new(aim, unit, threads)),
            glance,
            first_aspect: video.sample_aspect_ratio.unwrap_or(SQUARE),
            first: None,
            orientation: (video.rotation_degrees, video.mirrored),
            leaves_rest: false,
            current: None,
            changes: 0,
        }
    }

    /// Makes pictures progressive and says what they are; whoever takes them does the rest.
    pub fn leaving_rest(mut self) -> Self {
        self.leaves_rest = true;
        self
    }

    /// Fields are taken care of so.
    pub fn weaving(mut self, weaver: Weaving) -> Self {
        self.weaver = weaver;
        self
    }

    /// What comes out of it in SDR and in HDR, as far as it is wanted.
    pub fn aims(&self) -> (Option<Aim>, Option<Aim>) {
        (self.sdr.as_ref().map(Lane::aim), self.hdr.as_ref().map(Lane::aim))
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
        // Only some encoders would write them, and no others know that they were there.
        frame.leave_dynamic_hdr();
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
            if self.leaves_rest {
                out.push(Graded {
                    pts: frame.pts(),
                    sdr: self.sdr.as_ref().map(|_| frame.share()).transpose()?,
                    hdr: self.hdr.as_ref().map(|_| frame.share()).transpose()?,
                    shape: Some(shape),
                });
                continue;
            }
            let grade = |lane: &mut Option<Lane>| lane.as_mut().map(|lane| lane.run(&frame, shape)).transpose();
            out.push(Graded {
                pts: frame.pts(),
                sdr: grade(&mut self.sdr)?,
                hdr: grade(&mut self.hdr)?,
                shape: None,
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
            .map(container_facts::orientation);
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
