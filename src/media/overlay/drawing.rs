//! Everything drawn onto one rendition, prepared once and laid onto its pictures.
//!
//! Guarantees: a rendition on which nothing is drawn has none of it. Deliberately absent: threads.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Frame;
use crate::media::av::PixelFormat;
use crate::media::error;
use crate::media::overlay::bitmap::Bitmap;
use crate::media::overlay::burn::Burning;
use crate::media::overlay::ink::Ink;
use crate::media::overlay::lettering;
use crate::media::overlay::mosaic::Mosaic;
use crate::media::overlay::place;
use crate::media::overlay::span::Span;
use crate::media::overlay::stamp::Stamp;
use crate::media::overlay::vector::Vector;
use crate::media::side_file::SideFiles;
use crate::media::software::marks::Cover;
use crate::media::spec::VideoSpec;
use crate::media::spec::WatermarkKind;
use crate::media::spec::WatermarkSpec;

/// What is drawn on.
#[derive(Debug, Clone, Copy)]
pub struct Canvas {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Planar luma and chroma.
    pub format: PixelFormat,
    /// What its numbers mean.
    pub color: Color,
    /// Length of the output, seconds, where it is known: for what counts from its end.
    pub length_s: Option<f64>,
}

impl Canvas {
    /// Both edges.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }
    /// Its colours.
    pub(super) fn ink(&self) -> Ink {
        Ink::new(self.color, self.format.bit_depth(), self.width, self.height)
    }
    /// A bitmap for it.
    pub(super) fn stamp(&self, bitmap: &Bitmap, at: (i64, i64), opacity: f64) -> Stamp {
        Stamp::new(bitmap, at, opacity, self.size(), self.format, &self.ink())
    }
}

/// What is drawn onto one rendition, from the bottom: boxes, subtitles, marks.
#[derive(Debug)]
pub struct Drawing {
    mosaics: Vec<Mosaic>,
    burning: Option<Burning>,
    marks: Vec<(Span, Stamp)>,
}

impl Drawing {
    /// Prepares what a spec wants on a rendition; none when that is nothing. `burning` are its subtitles.
    pub fn prepare(
        spec: &VideoSpec,
        canvas: &Canvas,
        side: &SideFiles,
        burning: Option<Burning>,
    ) -> Result<Option<Self>, Fault> {
        let mut marks = Vec::new();
        for mark in &spec.watermarks {
            let Some(bitmap) = bitmap_of(mark, canvas, side)? else {
                continue;
            };
            let at = place::at(mark, (bitmap.width(), bitmap.height()), canvas.size());
            let stamp = canvas.stamp(&bitmap, at, mark.opacity);
            if !stamp.is_clear() {
                let span = Span::new(mark.start_s, mark.duration_s, mark.every_s, canvas.length_s);
                marks.push((span, stamp));
            }
        }
        let mosaics = spec.mosaics.iter();
        let mosaics: Vec<Mosaic> = mosaics
            .filter_map(|mosaic| Mosaic::new(mosaic, canvas.size(), canvas.length_s))
            .collect();
        let drawing = Drawing {
            mosaics,
            burning,
            marks,
        };
        let is_empty = drawing.mosaics.is_empty() && drawing.burning.is_none() && drawing.marks.is_empty();
        Ok((!is_empty).then_some(drawing))
    }

    /// What is seen at a moment of the output; moments rise.
    pub fn seen(&mut self, at_s: f64) -> Result<Seen<'_>, AvError> {
        let subtitles = match &mut self.burning {
            Some(burning) => burning.stamps(at_s)?,
            None => &[],
        };
        let boxes = self.mosaics.iter().filter(|mosaic| mosaic.is_on(at_s));
        let marks = self.marks.iter().filter(|(span, _)| span.holds(at_s));
        Ok(Seen {
            covers: boxes.map(Mosaic::cover).collect(),
            stamps: subtitles.iter().chain(marks.map(|(_, stamp)| stamp)).collect(),
        })
    }

    /// Draws what is seen at a moment of the output. Pixels that others share are copied first.
    pub fn draw(&mut self, frame: &mut Frame, at_s: f64) -> Result<(), AvError> {
        let subtitles = match &mut self.burning {
            Some(burning) => burning.stamps(at_s)?,
            None => &[],
        };
        let any = self.mosaics.iter().any(|mosaic| mosaic.is_on(at_s))
            || !subtitles.is_empty()
            || self.marks.iter().any(|(span, _)| span.holds(at_s));
        if !any {
            return Ok(());
        }
        frame.make_writable()?;
        for mosaic in self.mosaics.iter().filter(|mosaic| mosaic.is_on(at_s)) {
            mosaic.draw(frame)?;
        }
        for stamp in subtitles {
            stamp.draw(frame)?;
        }
        for (_, stamp) in self.marks.iter().filter(|(span, _)| span.holds(at_s)) {
            stamp.draw(frame)?;
        }
        Ok(())
    }
}

/// What is seen at one moment, from the bottom: boxes, then subtitles and marks.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Boxes that hide what is beneath them.
    pub covers: Vec<Cover>,
    /// What is laid on.
    pub stamps: Vec<&'a Stamp>,
}

impl Seen<'_> {
    /// Nothing is.
    pub fn is_empty(&self) -> bool {
        self.covers.is_empty() && self.stamps.is_empty()
    }
}

fn bitmap_of(mark: &WatermarkSpec, canvas: &Canvas, side: &SideFiles) -> Result<Option<Bitmap>, Fault> {
    let file = |name: &Option<String>| -> Result<(String, Vec<u8>), Fault> {
        let name = name.clone().unwrap_or_default();
        let bytes = side.read(&name)?;
        Ok((name, bytes))
    };
    let default_width = Some(WatermarkSpec::DEFAULT_WIDTH);
    match mark.kind {
        WatermarkKind::Image => {
            let (name, bytes) = file(&mark.image)?;
            let bitmap = Bitmap::decode(&bytes, &name)?;
            let natural = (f64::from(bitmap.width()), f64::from(bitmap.height()));
            let (width, height) = place::size(mark, natural, canvas.size(), default_width);
            Ok(Some(bitmap.resized(width, height)))
        }
        WatermarkKind::Svg => {
            let (name, bytes) = match &mark.svg {
                Some(svg) => ("the svg".to_owned(), svg.clone().into_bytes()),
                None => file(&mark.image)?,
            };
            let vector = Vector::parse(&bytes, &name)?;
            let pixels = place::size(mark, vector.size(), canvas.size(), default_width);
            vector.render((0.0, 0.0), vector.size(), pixels).map(Some)
        }
        WatermarkKind::Text => match &mark.text {
            Some(text) => lettering::draw(mark, text, canvas.size()),
            None => Err(error::broken_invariant(
                "draw the watermark",
                "text",
                "a text without text",
            )),
        },
    }
}
