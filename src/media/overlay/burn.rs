//! Subtitles drawn into pictures.
//!
//! Guarantees: text is drawn by libass, once for all pictures between two changes, and over every picture only while it
//! moves; its colours are those of the script whatever the rendition's are. Deliberately absent: reading subtitles.
//!
//! libass's filter draws onto opaque pictures only. It is given a black and a white one: how far both come out apart
//! tells how much is covered, and the black one the colour.

use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::av::Graph;
use crate::media::av::Packet;
use crate::media::av::PixelFormat;
use crate::media::av::SubtitleDecoder;
use crate::media::av::filter::GraphInput;
use crate::media::facts::Ratio;
use crate::media::overlay::bitmap::Bitmap;
use crate::media::overlay::drawing::Canvas;
use crate::media::overlay::stamp::Stamp;
use crate::media::subtitles::Bitmaps;
use crate::media::subtitles::Script;
use std::collections::VecDeque;
use std::path::Path;

/// What was drawn, and its left and top edge.
type Placed = (Bitmap, (i64, i64));

const MILLISECOND: Ratio = Ratio { num: 1, den: 1000 };

/// Subtitles of one rendition.
#[derive(Debug)]
pub struct Burning {
    canvas: Canvas,
    kind: Kind,
    stamps: Vec<Stamp>,
}

#[derive(Debug)]
enum Kind {
    Text(Box<Lettered>),
    Bitmaps(Box<Pictured>),
}

#[derive(Debug)]
struct Lettered {
    graph: Graph,
    black: Frame,
    white: Frame,
    /// From, until, moves: milliseconds, as the script's file rounds them.
    events: Vec<(i64, i64, bool)>,
    changes: Vec<i64>,
    drawn: Option<usize>,
}

#[derive(Debug)]
struct Pictured {
    decoder: SubtitleDecoder,
    packets: VecDeque<(f64, Packet)>,
    source: (u32, u32),
    origin_s: f64,
    until_s: f64,
}

impl Burning {
    /// Text by a script that was written to `file`, with fonts beside it in `fonts`.
    pub fn text(canvas: &Canvas, script: &Script, file: &Path, fonts: Option<&Path>) -> Result<Self, AvError> {
        let input = GraphInput {
            width: canvas.width,
            height: canvas.height,
            format: PixelFormat::RGB24,
            time_base: MILLISECOND,
            sample_aspect_ratio: Ratio { num: 1, den: 1 },
        };
        let mut chain = format!("ass=filename={}", escaped(file)?);
        if let Some(fonts) = fonts {
            chain.push_str(&format!(":fontsdir={}", escaped(fonts)?));
        }
        let graph = Graph::open(&input, &chain, 1)?;
        let filled = |value: u8| -> Result<Frame, AvError> {
            let mut frame = Frame::picture(PixelFormat::RGB24, canvas.width, canvas.height)?;
            for y in 0..canvas.height {
                frame.row_mut(0, y).ok_or_else(|| AvError::argument("row"))?.fill(value);
            }
            Ok(frame)
        };
        let ms = |seconds: f64| (seconds * 100.0).round() as i64 * 10;
        let events = script.events.iter();
        let events: Vec<_> = events
            .map(|event| (ms(event.start_s), ms(event.end_s), event.moves()))
            .collect();
        let mut changes: Vec<i64> = events.iter().flat_map(|(from, until, _)| [*from, *until]).collect();
        changes.sort_unstable();
        changes.dedup();
        Ok(Burning {
            canvas: *canvas,
            kind: Kind::Text(Box::new(Lettered {
                graph,
                black: filled(0)?,
                white: filled(255)?,
                events,
                changes,
                drawn: None,
            })),
            stamps: Vec::new(),
        })
    }

    /// Pictures that stand on a canvas of their own, or on one of the source's size. `origin_s` of their clock is 0.
    pub fn bitmaps(canvas: &Canvas, bitmaps: &Bitmaps, source: (u32, u32), origin_s: f64) -> Result<Self, AvError> {
        let decoder = SubtitleDecoder::open(&bitmaps.parameters, bitmaps.unit)?;
        let mut packets = VecDeque::new();
        for packet in &bitmaps.packets {
            let at = packet.pts().or_else(|| packet.dts());
            let at_s = at.map_or(f64::NEG_INFINITY, |at| at as f64 * bitmaps.unit.value() - origin_s);
            packets.push_back((at_s, packet.share()?));
        }
        Ok(Burning {
            canvas: *canvas,
            kind: Kind::Bitmaps(Box::new(Pictured {
                decoder,
                packets,
                source,
                origin_s,
                until_s: f64::INFINITY,
            })),
            stamps: Vec::new(),
        })
    }

    /// What is to be laid onto the picture of a moment. Moments rise.
    pub fn stamps(&mut self, at_s: f64) -> Result<&[Stamp], AvError> {
        match &mut self.kind {
            Kind::Text(text) => {
                let at_ms = (at_s * 1000.0).round() as i64;
                let since = text.changes.partition_point(|change| *change <= at_ms);
                let on = || {
                    text.events
                        .iter()
                        .filter(|(from, until, _)| (*from..*until).contains(&at_ms))
                };
                if on().next().is_none() {
                    self.stamps.clear();
                    text.drawn = Some(since);
                } else if text.drawn != Some(since) || on().any(|(_, _, moves)| *moves) {
                    let bitmap = text.render(at_ms)?;
                    self.stamps.clear();
                    self.stamps
                        .extend(bitmap.map(|(bitmap, at)| self.canvas.stamp(&bitmap, at, 1.0)));
                    text.drawn = Some(since);
                }
            }
            Kind::Bitmaps(pictures) => pictures.advance(at_s, &self.canvas, &mut self.stamps),
        }
        Ok(&self.stamps)
    }
}

impl Lettered {
    fn render(&mut self, at_ms: i64) -> Result<Option<Placed>, AvError> {
        let mut drawn = |frame: &Frame| -> Result<Frame, AvError> {
            let mut frame = frame.share()?;
            frame.set_pts(at_ms);
            self.graph.push(Some(&frame))?;
            self.graph.pull()?.ok_or_else(|| AvError::argument("ass"))
        };
        let on_black = drawn(&self.black)?;
        let on_white = drawn(&self.white)?;
        Ok(apart(&on_black, &on_white))
    }
}

/// What was drawn onto black and onto white, cut to where it is, and its place.
fn apart(on_black: &Frame, on_white: &Frame) -> Option<Placed> {
    let width = on_black.width();
    let (mut left, mut right, mut top, mut bottom) = (width, 0, None, 0);
    for y in 0..on_black.height() {
        let (black, white) = (on_black.row(0, y)?, on_white.row(0, y)?);
        let touched = |x: &usize| black[3 * x..3 * x + 3] != [0; 3] || white[3 * x..3 * x + 3] != [255; 3];
        let mut columns = 0..width as usize;
        let Some(first) = columns.find(touched) else { continue };
        let last = columns.rev().find(touched).unwrap_or(first);
        left = left.min(first as u32);
        right = right.max(last as u32 + 1);
        top.get_or_insert(y);
        bottom = y + 1;
    }
    let top = top?;
    let mut rgba = Vec::with_capacity(((right - left) * (bottom - top) * 4) as usize);
    for y in top..bottom {
        let (black, white) = (on_black.row(0, y)?, on_white.row(0, y)?);
        for x in left as usize..right as usize {
            let (dark, light) = (&black[3 * x..3 * x + 3], &white[3 * x..3 * x + 3]);
            let seen_through: u32 = dark
                .iter()
                .zip(light)
                .map(|(dark, light)| u32::from(light.saturating_sub(*dark)))
                .sum();
            let cover = 255 - (seen_through + 1) / 3;
            let straight = |value: u8| (u32::from(value) * 255 / cover.max(1)).min(255) as u8;
            rgba.extend([straight(dark[0]), straight(dark[1]), straight(dark[2]), cover as u8]);
        }
    }
    let bitmap = Bitmap::new(right - left, bottom - top, rgba)?;
    Some((bitmap, (i64::from(left), i64::from(top))))
}

impl Pictured {
    fn advance(&mut self, at_s: f64, canvas: &Canvas, stamps: &mut Vec<Stamp>) {
        if at_s >= self.until_s {
            stamps.clear();
            self.until_s = f64::INFINITY;
        }
        while self
            .packets
            .front()
            .is_some_and(|(packet_s, _)| *packet_s <= at_s + 1e-4)
        {
            let Some((packet_s, packet)) = self.packets.pop_front() else {
                break;
            };
            let Some(shown) = self.decoder.decode(&packet) else {
                continue;
            };
            let start_s = shown.start_s.map_or(packet_s, |start_s| start_s - self.origin_s);
            self.until_s = shown
                .duration_s
                .map_or(f64::INFINITY, |duration_s| start_s + duration_s);
            stamps.clear();
            if at_s >= self.until_s {
                self.until_s = f64::INFINITY;
                continue;
            }
            let (own_width, own_height) = match self.decoder.canvas() {
                (0, _) | (_, 0) => self.source,
                own => own,
            };
            let across = f64::from(canvas.width) / f64::from(own_width.max(1));
            let down = f64::from(canvas.height) / f64::from(own_height.max(1));
            for picture in shown.pictures {
                let at = (
                    (f64::from(picture.x) * across).round() as i64,
                    (f64::from(picture.y) * down).round() as i64,
                );
                let width = ((f64::from(picture.width) * across).round() as u32).max(1);
                let height = ((f64::from(picture.height) * down).round() as u32).max(1);
                if let Some(bitmap) = Bitmap::new(picture.width, picture.height, picture.rgba) {
                    stamps.push(canvas.stamp(&bitmap.resized(width, height), at, 1.0));
                }
            }
        }
    }
}

/// A path as the value of an option in a description of a graph, which is parsed twice.
fn escaped(path: &Path) -> Result<String, AvError> {
    let path = path.to_str().ok_or_else(|| AvError::argument("ass"))?;
    let escape = |text: &str, special: &str| -> String {
        let mut out = String::new();
        for letter in text.chars() {
            if special.contains(letter) {
                out.push('\\');
            }
            out.push(letter);
        }
        out
    };
    Ok(escape(&escape(path, "\\':"), "\\'[],;"))
}

#[cfg(test)]
mod tests {
    use super::Burning;
    use crate::media::av::Color;
    use crate::media::av::PixelFormat;
    use crate::media::overlay::drawing::Canvas;
    use crate::media::subtitles::Style;
    use crate::media::subtitles::text_of_file;

    #[test]
    fn text_is_there_only_during_its_cue_whatever_the_path() {
        let directory = tempfile::tempdir().expect("directory");
        let odd = directory.path().join("it's [a], b; c:d \\e");
        std::fs::create_dir(&odd).expect("a folder");
        let script = text_of_file(b"1\n00:00:01,000 --> 00:00:02,000\nHello\n", "a.srt").expect("subtitles");
        let file = odd.join("burn.ass");
        std::fs::write(&file, script.write(&Style::default())).expect("write");
        let canvas = Canvas {
            width: 320,
            height: 180,
            format: PixelFormat::YUV420P,
            color: Color::BT709,
            length_s: None,
        };
        let mut burning = Burning::text(&canvas, &script, &file, Some(&odd)).expect("libass");
        for (at_s, seen) in [(0.0, 0), (0.99, 0), (1.0, 1), (1.5, 1), (1.99, 1), (2.0, 0), (3.0, 0)] {
            let stamps = burning.stamps(at_s).expect("drawn");
            assert_eq!(stamps.len(), seen, "{at_s}");
            assert!(stamps.iter().all(|stamp| !stamp.is_clear()), "{at_s}");
        }
    }
}
