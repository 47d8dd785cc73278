//! What is drawn onto the renditions of a pass: subtitles are read and everything is prepared before the first picture.
//!
//! Guarantees: subtitles of one track are read once, however many renditions show them; a refusal concerns only the
//! renditions that want what is refused.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::av::Demuxer;
use crate::media::error;
use crate::media::facts::StreamFacts;
use crate::media::facts::StreamKind;
use crate::media::language;
use crate::media::overlay;
use crate::media::overlay::Burning;
use crate::media::overlay::Canvas;
use crate::media::overlay::Drawing;
use crate::media::pass::attempt::Pass;
use crate::media::pass::grade::Grade;
use crate::media::pass::plan::VideoEncode;
use crate::media::spec::BurnSpec;
use crate::media::spec::Extent;
use crate::media::subtitles;
use crate::media::subtitles::Holder;
use crate::media::subtitles::Style;
use crate::media::subtitles::Track;
use crate::media::subtitles::Unfollowed;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::PoisonError;

const OPERATION: &str = "burn the subtitles in";
/// Fonts inside a file are small; more is no font.
const MAX_FONT_BYTES: usize = 64 << 20;

/// Subtitles by what names them.
pub(super) type Subtitles = BTreeMap<String, Result<Track, Fault>>;

impl Pass<'_> {
    /// Reads all subtitles that renditions show.
    pub(super) fn subtitles_shown(&self) -> Subtitles {
        let mut all = Subtitles::new();
        for burn in self.plan.videos.iter().filter_map(|video| video.spec.burn.as_ref()) {
            if !all.contains_key(&burn.source) {
                all.insert(burn.source.clone(), self.subtitles_of(burn));
            }
        }
        all
    }

    /// Prepares what is drawn onto one rendition.
    pub(super) fn drawing(
        &self,
        number: usize,
        video: &VideoEncode,
        grade: &Grade,
        subtitles: &Subtitles,
    ) -> Result<Option<Drawing>, Fault> {
        let canvas = Canvas {
            width: video.width,
            height: video.height,
            format: grade.format,
            color: grade.color,
            length_s: self.timing.expected_s,
        };
        let burning = match &video.spec.burn {
            None => None,
            Some(burn) => match subtitles.get(&burn.source) {
                Some(Ok(track)) => Some(self.burning(number, burn, track, &canvas)?),
                Some(Err(fault)) => return Err(fault.clone()),
                None => return Err(error::broken_invariant(OPERATION, &burn.source, "they were not read")),
            },
        };
        let mut notes = Vec::new();
        if let Some(burn) = &video.spec.burn {
            notes.extend(self.burn_notes(burn, &canvas));
            if let Some(Ok(Track::Text(script))) = subtitles.get(&burn.source) {
                let words = Unfollowed::of_script(script).words(Holder::Pictures);
                notes.extend(words.into_iter().map(|words| format!("burn: {}: {words}", burn.source)));
            }
        }
        let drawing = Drawing::prepare(&video.spec, &canvas, &self.order.side, burning, &mut notes);
        let mut told = self.drawn_notes.lock().unwrap_or_else(PoisonError::into_inner);
        told.extend(notes);
        drawing
    }

    /// What of the wishes for subtitles comes to nothing.
    fn burn_notes(&self, burn: &BurnSpec, canvas: &Canvas) -> Vec<String> {
        let mut notes = Vec::new();
        let font = burn.font.as_deref().filter(|_| self.attached_fonts.is_empty());
        let font_note = font.and_then(overlay::font_note);
        notes.extend(font_note.map(|note| format!("burn: {note}")));
        let margin = burn.margin.map(|margin| margin.on(canvas.height));
        if let Some(margin) = margin.filter(|margin| *margin >= canvas.height) {
            let (width, height) = (canvas.width, canvas.height);
            notes.push(format!(
                "burn: a margin of {margin} pixels moves subtitles out of pictures of {width}x{height}, so none are seen"
            ));
        }
        notes
    }

    fn subtitles_of(&self, burn: &BurnSpec) -> Result<Track, Fault> {
        let Some(wanted) = burn.track() else {
            let bytes = self.order.side.read(&burn.source)?;
            let script = subtitles::text_of_file(&bytes, &burn.source)
                .map_err(|cause| error::side_file_refused(OPERATION, &burn.source, cause))?;
            return Ok(Track::Text(script.moved(-self.timing.start_s)));
        };
        let stream = self.subtitle_stream(wanted)?;
        let unreadable = |refusal| error::source_refused(OPERATION, &self.name, &refusal);
        let mut demuxer = (self.reopen)()?.demuxer;
        match subtitles::read(&mut demuxer, stream.index).map_err(unreadable)? {
            Track::Text(script) => Ok(Track::Text(script.moved(-self.origin_s()))),
            bitmaps @ Track::Bitmaps(_) => Ok(bitmaps),
        }
    }

    /// The source's subtitle track that is meant: by its number among them, or by its language.
    fn subtitle_stream(&self, wanted: &str) -> Result<&StreamFacts, Fault> {
        let all: Vec<&StreamFacts> = self
            .facts
            .streams
            .iter()
            .filter(|stream| matches!(stream.kind, StreamKind::Subtitle))
            .collect();
        let found = match wanted.parse::<usize>() {
            Ok(number) => all.get(number).copied(),
            Err(_) => {
                let spoken = language::tag(wanted);
                all.iter().copied().find(|stream| {
                    let language = stream.language.as_deref();
                    language == Some(wanted) || spoken.is_some() && language.and_then(language::tag) == spoken
                })
            }
        };
        let refused = |cause: String| {
            let remedy = "Name one of the tracks it has, or a file as burn.source = \"storage:key\".";
            Fault::new("SubtitlesMissing", Blame::Request, OPERATION, &self.name, cause, remedy).retryable(false)
        };
        match found {
            None => {
                let has: Vec<String> = (0..)
                    .zip(&all)
                    .map(|(number, stream): (usize, _)| {
                        let language = stream.language.as_deref().unwrap_or("no language");
                        format!("{number} ({language}, {})", stream.codec_name)
                    })
                    .collect();
                let has = if has.is_empty() {
                    "none".to_owned()
                } else {
                    has.join(", ")
                };
                Err(refused(format!("it has no subtitles track:{wanted}; it has {has}")))
            }
            Some(stream) if subtitles::is_text(&stream.codec_name) || subtitles::is_bitmap(&stream.codec_name) => {
                Ok(stream)
            }
            Some(stream) => Err(refused(format!(
                "subtitles of codec {} cannot be drawn",
                stream.codec_name
            ))),
        }
    }

    fn burning(&self, number: usize, burn: &BurnSpec, track: &Track, canvas: &Canvas) -> Result<Burning, Fault> {
        let refused = |refusal| error::output_refused(OPERATION, &burn.source, &refusal);
        let script = match track {
            Track::Bitmaps(bitmaps) => {
                let source = self
                    .facts
                    .main_video()
                    .map_or((0, 0), |(_, video)| (video.width, video.height));
                return Burning::bitmaps(canvas, bitmaps, source, self.origin_s()).map_err(refused);
            }
            Track::Text(script) => script,
        };
        let percent = |extent: Extent| f64::from(extent.on(canvas.height)) * 100.0 / f64::from(canvas.height.max(1));
        let style = Style {
            font: burn.font.clone(),
            size_percent: burn.font_size.map(percent),
            color: burn.color.clone(),
            border_color: burn.border_color.clone(),
            margin_percent: burn.margin.map(percent),
        };
        let folder = self.order.scratch.join(format!("burn-{number}"));
        let written = || -> Result<(PathBuf, bool), std::io::Error> {
            std::fs::create_dir_all(&folder)?;
            let file = folder.join("subtitles.ass");
            std::fs::write(&file, script.write(&style))?;
            let mut has_fonts = false;
            for (number, font) in self.attached_fonts.iter().enumerate() {
                std::fs::write(folder.join(format!("font-{number}.ttf")), font)?;
                has_fonts = true;
            }
            Ok((file, has_fonts))
        };
        let (file, has_fonts) = written().map_err(|cause| error::output_io(OPERATION, &folder, &cause))?;
        let burning = Burning::text(canvas, script, &file, has_fonts.then_some(folder.as_path())).map_err(refused);
        // The library has read them; what is left in scratch would be carried along.
        let _ = std::fs::remove_dir_all(&folder);
        burning
    }

    /// The pass's time 0 on the clock of the source's streams.
    pub(super) fn origin_s(&self) -> f64 {
        self.timing.origin.ticks as f64 * self.timing.origin.unit.value()
    }
}

/// Fonts attached to a Matroska file.
pub(super) fn attached_fonts(demuxer: &Demuxer) -> Vec<Vec<u8>> {
    let fonts = demuxer.streams().filter_map(|stream| {
        let parameters = stream.parameters().ok()?;
        let is_font = matches!(parameters.codec_name().as_str(), "ttf" | "otf");
        let bytes = parameters.extradata();
        (is_font && !bytes.is_empty() && bytes.len() <= MAX_FONT_BYTES).then(|| bytes.to_vec())
    });
    fonts.collect()
}
