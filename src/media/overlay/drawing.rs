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
    /// Words for what is drawn beside the picture.
    fn outside(&self) -> String {
        let (width, height) = self.size();
        format!("it lies outside of pictures of {width}x{height}, so it is never seen")
    }
    fn beside(&self, at: (i64, i64), size: (u32, u32)) -> Option<String> {
        let crosses = |at: i64, size: u32, edge: u32| at < i64::from(edge) && at + i64::from(size) > 0;
        let is_seen = crosses(at.0, size.0, self.width) && crosses(at.1, size.1, self.height);
        (!is_seen).then(|| self.outside())
    }
    /// Words for what begins after the end.
    fn late(&self, start_s: f64) -> Option<String> {
        let length_s = self.length_s.filter(|length_s| start_s >= *length_s)?;
        Some(format!(
            "it begins at {start_s} s, after the end ({length_s:.3} s), so it is never seen"
        ))
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
    /// Prepares what a spec wants on a rendition; none when that is nothing. `burning` are its subtitles. What is never
    /// seen, or not as it was meant, is told in `notes`.
    pub fn prepare(
        spec: &VideoSpec,
        canvas: &Canvas,
        side: &SideFiles,
        burning: Option<Burning>,
        notes: &mut Vec<String>,
    ) -> Result<Option<Self>, Fault> {
        let mut marks = Vec::new();
        for (number, mark) in spec.watermarks.iter().enumerate() {
            let mut of_mark = Vec::new();
            let drawn = bitmap_of(mark, canvas, side, &mut of_mark)?;
            of_mark.extend(canvas.late(mark.start_s));
            if let Some(bitmap) = drawn {
                let size = (bitmap.width(), bitmap.height());
                let at = place::at(mark, size, canvas.size());
                of_mark.extend(canvas.beside(at, size));
                let stamp = canvas.stamp(&bitmap, at, mark.opacity);
                if !stamp.is_clear() {
                    let span = Span::new(mark.start_s, mark.duration_s, mark.every_s, canvas.length_s);
                    marks.push((span, stamp));
                }
            }
            notes.extend(of_mark.into_iter().map(|note| format!("watermark[{number}]: {note}")));
        }
        let mut mosaics = Vec::new();
        for (number, mosaic) in spec.mosaics.iter().enumerate() {
            let late = canvas.late(mosaic.start_s);
            notes.extend(late.map(|note| format!("mosaic[{number}]: {note}")));
            match Mosaic::new(mosaic, canvas.size(), canvas.length_s) {
                Some(mosaic) => mosaics.push(mosaic),
                None => notes.push(format!("mosaic[{number}]: {}", canvas.outside())),
            }
        }
        let drawing = Drawing {
            mosaics,
            burning,
            marks,
        };
        let is_empty = drawing.mosaics.is_empty() && drawing.burning.is_none() && drawing.marks.is_empty();
        Ok((!is_empty).then_some(drawing))
    }

    /// What is seen at a moment of the output, from the bottom: boxes, then marks, subtitles first.
    pub fn seen(&mut self, at_s: f64) -> Result<(Vec<Cover>, Vec<&Stamp>), AvError> {
        let subtitles = match &mut self.burning {
            Some(burning) => burning.stamps(at_s)?,
            None => &[],
        };
        let covers = self.mosaics.iter().filter(|mosaic| mosaic.is_on(at_s));
        let marks = self.marks.iter().filter(|(span, _)| span.holds(at_s));
        let stamps = subtitles.iter().chain(marks.map(|(_, stamp)| stamp));
        Ok((covers.map(Mosaic::cover).collect(), stamps.collect()))
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

fn bitmap_of(
    mark: &WatermarkSpec,
    canvas: &Canvas,
    side: &SideFiles,
    notes: &mut Vec<String>,
) -> Result<Option<Bitmap>, Fault> {
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
            Some(text) => lettering::draw(mark, text, canvas.size(), notes),
            None => Err(error::broken_invariant(
                "draw the watermark",
                "text",
                "a text without text",
            )),
        },
    }
}
