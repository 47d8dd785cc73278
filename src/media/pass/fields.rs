//! Pictures of two moments made into pictures of one: deinterlacing, and films taken back from 3:2 pulldown.
//!
//! Guarantees: a progressive picture is passed on untouched; time stamps stay those of the source. Deliberately
//! absent: finding out what a source is, which is the glance's.

use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Frame;
use crate::media::av::Graph;
use crate::media::av::PixelFormat;
use crate::media::av::filter::GraphInput;
use crate::media::av::packet::rescale;
use crate::media::facts::Ratio;
use crate::media::pass::pulldown::Pulldown;

/// Which field of a picture is the earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parity {
    /// The upper lines.
    Top,
    /// The lower lines.
    Bottom,
}

/// What is known of a source's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fields {
    /// Each picture says for itself whether it is of two moments.
    #[default]
    AsMarked,
    /// All are, whatever they say.
    Interlaced(Parity),
    /// A film at 24 pictures a second, spread over 60 fields.
    Telecined(Parity),
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Shape {
    width: u32,
    height: u32,
    format: PixelFormat,
    aspect: Option<Ratio>,
    color: Color,
}

/// Makes pictures progressive.
#[derive(Debug)]
pub struct Weaver {
    fields: Fields,
    unit: Ratio,
    threads: u32,
    shape: Option<Shape>,
    graph: Option<Graph>,
    pulldown: Option<Pulldown>,
    /// A marked picture was seen; from then on the filter stays in, because it looks at neighbours.
    is_mixed: bool,
    deinterlaced: u64,
}

impl Weaver {
    /// For a source; `unit` is that of the time stamps, in and out. `frame_s`: how long a picture usually lasts.
    pub fn new(fields: Fields, unit: Ratio, frame_s: f64, threads: u32) -> Self {
        Weaver {
            fields,
            unit,
            threads,
            shape: None,
            graph: None,
            pulldown: matches!(fields, Fields::Telecined(_))
                .then(|| Pulldown::new((frame_s / unit.value()).round().max(1.0) as i64)),
            is_mixed: false,
            deinterlaced: 0,
        }
    }

    /// Repeats of a 3:2 pulldown that were left out.
    pub fn repeats(&self) -> u64 {
        self.pulldown.as_ref().map_or(0, Pulldown::dropped)
    }

    /// Pictures of two moments that went through.
    pub fn deinterlaced(&self) -> u64 {
        self.deinterlaced
    }

    /// Takes a decoded picture; what comes out is appended.
    pub fn push(&mut self, frame: Frame, out: &mut Vec<Frame>) -> Result<(), AvError> {
        let is_marked = frame.is_interlaced();
        let wants = match self.fields {
            Fields::AsMarked => {
                self.is_mixed |= is_marked;
                self.is_mixed
            }
            _ => true,
        };
        self.deinterlaced += u64::from(is_marked || matches!(self.fields, Fields::Interlaced(_)));
        if !wants {
            out.push(frame);
            return Ok(());
        }
        let shape = Shape {
            width: frame.width(),
            height: frame.height(),
            format: frame.pixel_format(),
            aspect: frame.sample_aspect_ratio(),
            color: frame.color(),
        };
        if self.shape != Some(shape) || self.graph.is_none() {
            self.drain(out)?;
            self.shape = Some(shape);
            let input = GraphInput {
                width: shape.width,
                height: shape.height,
                format: shape.format,
                time_base: self.unit,
                sample_aspect_ratio: shape.aspect.unwrap_or(Ratio { num: 1, den: 1 }),
            };
            self.graph = Some(Graph::open_for(&input, shape.color, chain(self.fields), self.threads)?);
        }
        if let Some(graph) = &mut self.graph {
            graph.push(Some(&frame))?;
        }
        self.take(out)
    }

    /// Takes what is still inside, at the end or before a change.
    pub fn drain(&mut self, out: &mut Vec<Frame>) -> Result<(), AvError> {
        if let Some(graph) = &mut self.graph {
            graph.push(None)?;
            self.take(out)?;
            self.graph = None;
        }
        if let Some(pulldown) = &mut self.pulldown {
            pulldown.drain(out);
        }
        Ok(())
    }

    fn take(&mut self, out: &mut Vec<Frame>) -> Result<(), AvError> {
        while let Some(graph) = &mut self.graph {
            let unit = graph.time_base();
            let Some(mut frame) = graph.pull()? else { break };
            if let Some(pts) = frame.pts() {
                frame.set_pts(rescale(pts, unit, self.unit));
            }
            match &mut self.pulldown {
                Some(pulldown) => pulldown.push(frame, out),
                None => out.push(frame),
            }
        }
        Ok(())
    }
}

fn chain(fields: Fields) -> &'static str {
    match fields {
        Fields::AsMarked => "bwdif=mode=send_frame:parity=auto:deint=interlaced",
        Fields::Interlaced(Parity::Top) => "setfield=tff,bwdif=mode=send_frame:parity=tff:deint=all",
        Fields::Interlaced(Parity::Bottom) => "setfield=bff,bwdif=mode=send_frame:parity=bff:deint=all",
        // What the matching leaves combed is marked by it, and only that is deinterlaced.
        Fields::Telecined(Parity::Top) => {
            "fieldmatch=order=tff:combmatch=full,bwdif=mode=send_frame:parity=auto:deint=interlaced"
        }
        Fields::Telecined(Parity::Bottom) => {
            "fieldmatch=order=bff:combmatch=full,bwdif=mode=send_frame:parity=auto:deint=interlaced"
        }
    }
}
