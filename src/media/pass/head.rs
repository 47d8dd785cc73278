//! What happens to every decoded picture before it is scaled: made progressive, upright, square-pixelled, SDR.
//!
//! Guarantees: pictures come out display-oriented, in the pass's unit of time; a picture that needs nothing is
//! passed on untouched. A change of size or format in the middle rebuilds the chain, and the new pictures are
//! fitted into the first size.

use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Frame;
use crate::media::av::Graph;
use crate::media::av::PixelFormat;
use crate::media::av::Scaler;
use crate::media::av::color;
use crate::media::av::filter::GraphInput;
use crate::media::av::packet::rescale;
use crate::media::av::scale::Filter;
use crate::media::facts::Ratio;
use crate::media::facts::VideoFacts;

const SQUARE: Ratio = Ratio { num: 1, den: 1 };

/// What decides the chain.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shape {
    width: u32,
    height: u32,
    format: PixelFormat,
    aspect: Ratio,
    interlaced: bool,
    hdr: bool,
}

/// The head of a pass.
#[derive(Debug)]
pub struct Head {
    unit: Ratio,
    threads: u32,
    display: (u32, u32),
    rotation_degrees: u32,
    mirrored: bool,
    aspect: Ratio,
    interlaced: bool,
    color: Color,
    shape: Option<Shape>,
    graph: Option<Graph>,
    to_yuv: Option<Scaler>,
    rebuilds: u64,
}

impl Head {
    /// For a stream; `unit` is that of the time stamps, in and out.
    pub fn new(video: &VideoFacts, color: Color, unit: Ratio, threads: u32) -> Self {
        Head {
            unit,
            threads,
            display: video.display_size(),
            rotation_degrees: video.rotation_degrees,
            mirrored: video.mirrored,
            aspect: video.sample_aspect_ratio.unwrap_or(SQUARE),
            interlaced: !matches!(video.field_order.as_str(), "progressive" | "unknown"),
            color,
            shape: None,
            graph: None,
            to_yuv: None,
            rebuilds: 0,
        }
    }

    /// Times the chain was built anew in the middle.
    pub fn rebuilds(&self) -> u64 {
        self.rebuilds.saturating_sub(1)
    }

    /// Takes a decoded picture; what comes out is appended.
    pub fn push(&mut self, mut frame: Frame, out: &mut Vec<Frame>) -> Result<(), AvError> {
        self.interlaced |= frame.is_interlaced();
        let mut said = frame.color();
        if said.is_hdr() {
            // A tone map must know what it maps from; PQ and HLG come with BT.2020.
            if said.primaries == color::UNSPECIFIED {
                said.primaries = color::BT2020;
            }
            if said.matrix == color::UNSPECIFIED {
                said.matrix = color::BT2020;
            }
            if said.range == 0 {
                said.range = color::LIMITED;
            }
            frame.set_color(said);
        }
        frame.say_range_apart();
        let shape = Shape {
            width: frame.width(),
            height: frame.height(),
            format: frame.pixel_format(),
            // A stream that changes its size may change the shape of its pixels with it.
            aspect: match self.shape {
                Some(shape) if (shape.width, shape.height) != (frame.width(), frame.height()) => {
                    frame.sample_aspect_ratio().unwrap_or(SQUARE)
                }
                Some(shape) => shape.aspect,
                None => self.aspect,
            },
            interlaced: self.interlaced,
            hdr: said.is_hdr(),
        };
        if self.shape != Some(shape) {
            self.drain(out)?;
            self.rebuild(shape)?;
        }
        if self.graph.is_some() {
            if let Some(graph) = &mut self.graph {
                graph.push(Some(&frame))?;
            }
            return self.take(out);
        }
        let frame = self.finish(frame)?;
        out.push(frame);
        Ok(())
    }

    /// Takes what is still inside, at the end or before a change.
    pub fn drain(&mut self, out: &mut Vec<Frame>) -> Result<(), AvError> {
        if let Some(graph) = &mut self.graph {
            graph.push(None)?;
            self.take(out)?;
            self.graph = None;
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
            let frame = self.finish(frame)?;
            out.push(frame);
        }
        Ok(())
    }

    /// Luma and chroma, whatever it was, labelled as the pass labels its outputs.
    fn finish(&mut self, frame: Frame) -> Result<Frame, AvError> {
        let mut frame = frame;
        if frame.pixel_format().is_rgb() {
            let size = (frame.width(), frame.height());
            if self
                .to_yuv
                .as_ref()
                .is_none_or(|scaler| (scaler.width(), scaler.height()) != size)
            {
                self.to_yuv = Some(Scaler::new(PixelFormat::YUV420P, size.0, size.1, Filter::Bicubic)?);
            }
            if let Some(scaler) = &mut self.to_yuv {
                frame = scaler.run(&frame)?;
            }
        }
        frame.set_color(self.color);
        Ok(frame)
    }

    fn rebuild(&mut self, shape: Shape) -> Result<(), AvError> {
        let mut chain: Vec<String> = Vec::new();
        if shape.interlaced {
            chain.push("bwdif=mode=send_frame:parity=auto:deint=interlaced".to_owned());
        }
        if shape.hdr {
            if shape.width % 2 == 1 || shape.height % 2 == 1 {
                chain.push("crop=trunc(iw/2)*2:trunc(ih/2)*2".to_owned());
            }
            chain.push(
                "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,\
                zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
                    .to_owned(),
            );
        }
        let turn = match self.rotation_degrees {
            90 => Some("transpose=clock"),
            180 => Some("hflip,vflip"),
            270 => Some("transpose=cclock"),
            _ => None,
        };
        chain.extend(turn.map(str::to_owned));
        if self.mirrored {
            chain.push("hflip".to_owned());
        }
        let shown = shown_size(shape, self.rotation_degrees);
        let (width, height) = self.display;
        if self.shape.is_some() && !same_form(shown, self.display) {
            chain.push(format!(
                "scale={}:{}:flags=bicubic,pad={width}:{height}:(ow-iw)/2:(oh-ih)/2,setsar=1",
                fitted(shown, self.display).0,
                fitted(shown, self.display).1
            ));
        } else if shape.aspect != SQUARE {
            chain.push(format!("scale={}:{}:flags=bicubic,setsar=1", shown.0, shown.1));
        }
        self.rebuilds += 1;
        self.shape = Some(shape);
        self.graph = if chain.is_empty() {
            None
        } else {
            let input = GraphInput {
                width: shape.width,
                height: shape.height,
                format: shape.format,
                time_base: self.unit,
                sample_aspect_ratio: shape.aspect,
            };
            Some(Graph::open(&input, &chain.join(","), self.threads)?)
        };
        Ok(())
    }
}

/// Size with square pixels and upright.
fn shown_size(shape: Shape, rotation_degrees: u32) -> (u32, u32) {
    let aspect = shape.aspect.value();
    let (width, height) = if aspect > 1.0 {
        ((f64::from(shape.width) * aspect).round() as u32, shape.height)
    } else {
        (shape.width, (f64::from(shape.height) / aspect).round() as u32)
    };
    if rotation_degrees % 180 == 90 {
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

/// What the outputs of a source say of their colours.
pub fn output_color(said: Color, width: u32, height: u32) -> Color {
    let silent = said.primaries == color::UNSPECIFIED
        && said.transfer == color::UNSPECIFIED
        && said.matrix == color::UNSPECIFIED;
    // Players guess from the size, so a small rendition of a silent HD source would be shown in other colours.
    if silent && said.effective_matrix(width, height) == color::BT709 {
        return Color {
            range: said.range,
            ..Color::BT709
        };
    }
    said
}

/// What pictures of red, green and blue become: what every player assumes for their size.
pub fn color_of_rgb(width: u32, height: u32) -> Color {
    if Color::UNSPECIFIED.effective_matrix(width, height) == color::BT709 {
        return Color::BT709;
    }
    Color {
        primaries: color::SMPTE170M,
        transfer: color::SMPTE170M,
        matrix: color::SMPTE170M,
        range: color::LIMITED,
    }
}

#[cfg(test)]
mod tests {
    use super::fitted;
    use super::same_form;

    #[test]
    fn other_shapes_are_fitted_into_the_first() {
        assert!(same_form((1920, 1080), (854, 480)));
        assert!(!same_form((1440, 1080), (1920, 1080)));
        assert_eq!(fitted((1440, 1080), (1280, 720)), (960, 720));
        assert_eq!(fitted((1000, 100), (640, 360)), (640, 64));
    }
}
