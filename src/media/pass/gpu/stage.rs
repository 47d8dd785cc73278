//! The thread that makes, of each picture of the source, all pictures of one grade that anybody wants: in one launch,
//! on the device.
//!
//! Guarantees: what comes out is upright, of square pixels, in the grade's colours, and lies on the device; whoever
//! needs it on the host brings it there. Picture jobs see the source's own picture, of which only what they want is made. What a launch cannot do (another matrix, another form of picture in the
//! middle) is done by libav's filters on the way, picture by picture. Deliberately absent: decoding and encoding.

use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Frame;
use crate::media::av::color;
use crate::media::cuda::SurfacePool;
use crate::media::cuda::kernels::ScaleOut;
use crate::media::error;
use crate::media::facts::Ratio;
use crate::media::grading;
use crate::media::grading::Between;
use crate::media::pass::gpu::cuts::Cut;
use crate::media::pass::gpu::hardware::Device;
use crate::media::pass::gpu::launch::Launches;
use crate::media::pass::gpu::refusal::refused;
use crate::media::pass::gpu::sight::Sight;
use crate::media::pass::gpu::transfer;
use crate::media::pass::gpu::transfer::Downloads;
use crate::media::pass::gpu::transfer::Uploads;
use crate::media::pass::lane::Aim;
use crate::media::pass::lane::Lane;
use crate::media::pass::lane::SQUARE;
use crate::media::pass::lane::Shape;
use crate::media::pass::lane::same_form;
use crate::media::pass::lane::shown_size;
use crate::media::pass::output::Health;
use crate::media::pass::rung::Fan;
use crate::media::pass::rung::Picture;
use crate::media::software::orientation::Turn;
use crate::media::software::range::Range;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;

/// Surfaces of one size that are kept idle: what an encoder that looks ahead holds.
const IDLE: usize = 64;

/// A picture that is made, and where it goes.
type Taken = (Cut, Vec<SyncSender<Picture>>);

/// One grade of a pass on a device.
#[derive(Debug)]
pub struct Stage {
    aim: Aim,
    device: Arc<Device>,
    cuts: Vec<(Cut, SurfacePool, Fan)>,
    taps: Fan,
    pictures: Receiver<Picture>,
    launches: Launches,
    uploads: Uploads,
    detour: Detour,
}

/// The way over the host, for pictures that a launch cannot bring to the grade.
#[derive(Debug)]
struct Detour {
    lane: Lane,
    downloads: Downloads,
}

impl Detour {
    fn run(&mut self, frame: &Frame, shape: Shape) -> Result<Frame, AvError> {
        let mut host = self.downloads.take(frame)?;
        host.set_color(shape.color);
        let shape = Shape {
            format: host.pixel_format(),
            ..shape
        };
        self.lane.run(&host, shape)
    }
}

impl Stage {
    /// Makes cuts of pictures that it is handed, and shows them to picture jobs; `unit` is that of their time stamps.
    pub fn new(
        device: &Arc<Device>,
        aim: Aim,
        (unit, threads): (Ratio, u32),
        (cuts, taps): (Vec<Taken>, Vec<SyncSender<Picture>>),
        pictures: Receiver<Picture>,
    ) -> Self {
        let pool = |cut: &Cut| SurfacePool::new(&device.gpu, cut.layout, cut.width, cut.height, IDLE);
        Stage {
            aim,
            device: Arc::clone(device),
            taps: Fan(taps),
            cuts: cuts
                .into_iter()
                .map(|(cut, takers)| (cut, pool(&cut), Fan(takers)))
                .collect(),
            pictures,
            launches: Launches::new(device),
            uploads: Uploads::new(&device.gpu),
            detour: Detour {
                lane: Lane::new(aim, unit, threads),
                downloads: Downloads::default(),
            },
        }
    }

    /// Works until the pictures end. What goes wrong here ends the pass.
    pub fn run(mut self, health: &Health, name: &str) {
        if let Err(refusal) = self.work() {
            health.fail_device(&error::source_refused("scale", name, &refusal));
        }
    }

    fn work(&mut self) -> Result<(), AvError> {
        while let Ok(picture) = self.pictures.recv() {
            let shape = picture.shape.unwrap_or_else(|| finished(&picture.frame));
            let (whole, shape) = self.whole(&picture.frame, shape)?;
            let done = |frame: Frame| Picture {
                frame,
                shape: None,
                ..picture
            };
            if !self.taps.0.is_empty() {
                self.taps.send(&done(self.sight(&whole, shape)?))?;
            }
            let made = self.cut(&whole, shape)?;
            for ((_, _, fan), frame) in self.cuts.iter().zip(made) {
                fan.send(&done(frame))?;
            }
        }
        Ok(())
    }

    /// A picture on the device, and what it is there: what it was, but where it went through libav's filters.
    fn whole(&mut self, frame: &Frame, shape: Shape) -> Result<(Frame, Shape), AvError> {
        let between = grading::between(shape.color, shape.format, self.aim.color);
        if between == Between::Other || !same_form(shown_size(shape), self.aim.display) {
            let graded = self.detour.run(frame, shape)?;
            let surface = self.uploads.put(&graded)?;
            return Ok((transfer::frame_of(surface, frame)?, finished(&graded)));
        }
        if transfer::surface_of(frame).is_some() {
            return Ok((frame.share()?, shape));
        }
        Ok((transfer::frame_of(self.uploads.put(frame)?, frame)?, shape))
    }

    /// A picture as picture jobs see it.
    fn sight(&self, whole: &Frame, shape: Shape) -> Result<Frame, AvError> {
        let colors = (shape.color, self.aim.color);
        let sight = Sight::of_frame(&self.device, whole, colors, turn_of(shape), self.aim.peak_nits)?;
        sight.ok_or_else(|| AvError::argument("frame colour"))
    }

    /// One picture in all sizes.
    fn cut(&mut self, whole: &Frame, shape: Shape) -> Result<Vec<Frame>, AvError> {
        if self.cuts.is_empty() {
            return Ok(Vec::new());
        }
        let source = transfer::surface_of(whole).ok_or_else(|| AvError::argument("frame"))?;
        let is_mapped = grading::between(shape.color, shape.format, self.aim.color) == Between::ToneMap;
        let mapped = is_mapped.then_some(self.aim.peak_nits);
        let seen = self.launches.see(source, shape.color, mapped)?;
        let mut made = Vec::with_capacity(self.cuts.len());
        for (_, pool, _) in &self.cuts {
            made.push(pool.take().map_err(refused)?);
        }
        let outputs = self.cuts.iter().zip(&made);
        let outputs: Vec<ScaleOut<'_>> = outputs
            .map(|((cut, ..), surface)| ScaleOut {
                surface,
                filter: None,
                range: if cut.is_full { Range::Full } else { Range::Limited },
            })
            .collect();
        self.launches
            .scale(seen.surface(), seen.range(), turn_of(shape), &outputs)?;
        let mut frames = Vec::with_capacity(made.len());
        for ((cut, ..), surface) in self.cuts.iter().zip(made) {
            let mut frame = transfer::frame_of(surface, whole)?;
            frame.set_color(Color {
                range: if cut.is_full { color::FULL } else { color::LIMITED },
                ..self.aim.color
            });
            frame.set_sample_aspect_ratio(SQUARE);
            frame.forget_display();
            frames.push(frame);
        }
        Ok(frames)
    }
}

/// How it is turned to be upright.
fn turn_of(shape: Shape) -> Turn {
    Turn {
        rotation_degrees: shape.rotation_degrees,
        mirrored: shape.mirrored,
    }
}

/// What a picture is that went through libav's filters.
fn finished(frame: &Frame) -> Shape {
    Shape {
        width: frame.width(),
        height: frame.height(),
        format: frame.pixel_format(),
        aspect: SQUARE,
        color: frame.color(),
        rotation_degrees: 0,
        mirrored: false,
    }
}
