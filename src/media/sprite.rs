//! A sprite: sheets of cells and the WebVTT that says which cell stands for which time; where asked for, the cells
//! as files of their own, and the sheets as an HLS image playlist.
//!
//! Guarantees: one sheet in memory; sheets are numbered from 1, the WebVTT stands beside them and comes last; all
//! have been read back and agree with one another. Deliberately absent: choosing moments and frames.

use crate::base::fault::Fault;
use crate::media::gather::Checks;
use crate::media::gather::Fit;
use crate::media::gather::Gather;
use crate::media::image_playlist;
use crate::media::picture::Color;
use crate::media::picture::Picture;
use crate::media::product::JobProduct;
use crate::media::product::Place;
use crate::media::product::Product;
use crate::media::product::ProductFile;
use crate::media::product::ProductKind;
use crate::media::product::reference;
use crate::media::scratch_file::JobScratch;
use crate::media::sheet::CellBox;
use crate::media::sheet::Layout;
use crate::media::sheet::SheetBuilder;
use crate::media::snapshot::check_picture;
use crate::media::spec::PictureFormat;
use crate::media::spec::SnapshotSpec;
use crate::media::spec::VttOf;
use crate::media::webvtt;

/// Pixels of a cell when the spec does not say.
pub const DEFAULT_CELL_WIDTH: u32 = 160;

/// A sprite on its way to files.
#[derive(Debug)]
pub struct Sprite {
    scratch: JobScratch,
    format: PictureFormat,
    /// None: without loss.
    quality: Option<u8>,
    start_s: f64,
    fit: Fit,
    builder: SheetBuilder,
    index: VttOf,
    /// Time between cells when an image playlist is wanted.
    playlist_step_s: Option<f64>,
    keep_cells: bool,
    sheets: Vec<(ProductFile, (u32, u32))>,
    cells: Vec<ProductFile>,
    labels_s: Vec<f64>,
}

impl Sprite {
    /// No cells yet; they will be `step_s` apart. A sheet too large for its format or for memory is a fault of the
    /// request.
    pub fn new(spec: &SnapshotSpec, fit: Fit, color: Color, step_s: f64, scratch: JobScratch) -> Result<Self, Fault> {
        let mut layout = Layout::of(spec, fit.width, fit.height, color)?;
        if spec.vtt == VttOf::Stills {
            // A still is a sheet of one cell.
            (layout.columns, layout.lines, layout.margin) = (1, 1, 0);
        }
        Ok(Sprite {
            scratch,
            format: spec.format,
            quality: (!spec.lossless).then_some(spec.quality),
            start_s: spec.start_s,
            fit,
            builder: SheetBuilder::new(layout),
            index: spec.vtt,
            playlist_step_s: spec.image_playlist.then_some(step_s),
            keep_cells: spec.keep_cells,
            sheets: Vec::new(),
            cells: Vec::new(),
            labels_s: Vec::new(),
        })
    }

    fn write_sheet(&mut self, sheet: &Picture) -> Result<(), Fault> {
        let number = self.sheets.len() as u32 + 1;
        let bytes = sheet.encode(self.format, self.quality)?;
        let name = format!("sheet-{number:05}{}", self.format.extension());
        let file = self.scratch.write(&name, &bytes, Place::Numbered(number))?;
        self.sheets.push((file, (sheet.width(), sheet.height())));
        Ok(())
    }

    fn keep_cell(&mut self, cell: &Picture) -> Result<(), Fault> {
        let bytes = cell.encode(self.format, self.quality)?;
        let name = format!("cell-{:05}{}", self.cells.len() + 1, self.format.extension());
        let file = self.scratch.write(&name, &bytes, Place::Inside(name.clone()))?;
        self.cells.push(file);
        Ok(())
    }

    fn check_pictures(&self, checks: &mut Checks) -> Result<(), Fault> {
        let (layout, cells) = (self.builder.layout(), self.labels_s.len());
        checks.same("sheet_count", layout.sheets(cells).max(1), self.sheets.len());
        for (number, (file, size)) in self.sheets.iter().enumerate() {
            let cells = cells.saturating_sub(number * layout.cells());
            checks.same("sheet_layout", format!("{:?}", layout.size(cells)), format!("{size:?}"));
            check_picture(checks, &self.scratch, file, self.format, *size)?;
        }
        if self.keep_cells {
            checks.same("cell_count", cells, self.cells.len());
        }
        for file in &self.cells {
            let size = (self.fit.width, self.fit.height);
            check_picture(checks, &self.scratch, file, self.format, size)?;
        }
        Ok(())
    }

    fn write_index(&mut self, end_s: f64, checks: &mut Checks) -> Result<ProductFile, Fault> {
        let layout = *self.builder.layout();
        let index = self.index;
        let name_of = |cell: usize| {
            let (sheet, place) = layout.place(cell);
            let part = (index == VttOf::Sheet).then_some(place);
            (reference(&Place::Numbered(sheet as u32 + 1)), part)
        };
        let cues = webvtt::cues(&self.labels_s, end_s, name_of);
        let note = "Each cue begins at the time its cell shows; the first one covers the beginning.".to_owned();
        let text = webvtt::write(&cues, &[note]);
        let file = self.write_text("sprite.vtt", &text, ".vtt")?;
        let written = String::from_utf8_lossy(&self.scratch.read_back(&file)?).into_owned();
        match webvtt::read(&written) {
            Ok(found) => {
                checks.same("cue_count", self.labels_s.len(), found.len());
                checks.add(
                    "cue_times",
                    "rising without gaps",
                    webvtt::flaw(&found).unwrap_or("rising without gaps".to_owned()),
                    webvtt::flaw(&found).is_none(),
                );
                let outside = found.iter().filter(|cue| {
                    !self.sheets.iter().enumerate().any(|(number, (_, size))| {
                        let inside = |cell: CellBox| cell.x + cell.width <= size.0 && cell.y + cell.height <= size.1;
                        cue.sheet == reference(&Place::Numbered(number as u32 + 1)) && cue.cell.is_none_or(inside)
                    })
                });
                checks.same("cues_off_their_sheet", 0, outside.count());
            }
            Err(cause) => checks.add("cue_count", self.labels_s.len().to_string(), cause, false),
        }
        Ok(file)
    }

    fn write_playlist(&mut self, step_s: f64, end_s: f64, checks: &mut Checks) -> Result<ProductFile, Fault> {
        let (layout, cells) = (*self.builder.layout(), self.labels_s.len());
        let name_of = |sheet: usize| reference(&Place::Numbered(sheet as u32 + 1));
        let segments = image_playlist::segments(&layout, cells, step_s, end_s, name_of);
        let file = self.write_text("images.m3u8", &image_playlist::write(&segments), ".m3u8")?;
        let written = String::from_utf8_lossy(&self.scratch.read_back(&file)?).into_owned();
        match image_playlist::read(&written) {
            Ok(found) => {
                checks.same("playlist_sheets", self.sheets.len(), found.len());
                let unlike = found.iter().zip(&self.sheets).filter(|(segment, (_, size))| {
                    let (tile, layout) = (segment.tile, segment.layout);
                    (tile.0 * layout.0, tile.1 * layout.1) != *size
                });
                checks.same("playlist_tiles_unlike_their_sheet", 0, unlike.count());
                let covered_s: f64 = found.iter().map(|segment| segment.duration_s).sum();
                let ok = (covered_s - end_s).abs() <= 0.001 * (found.len() as f64 + 1.0);
                checks.add(
                    "playlist_duration_s",
                    format!("{end_s:.3}"),
                    format!("{covered_s:.3}"),
                    ok,
                );
                // A tile stands for the time of its number, so its cell must be the one of that time; the last may
                // be the last frame, and one picked instead of a black one lies a little later.
                let stray = self.labels_s.iter().enumerate().filter(|(number, label_s)| {
                    let from_s = *number as f64 * step_s;
                    let is_last = number + 1 == cells;
                    !is_last && !(from_s - 0.001..from_s + step_s).contains(label_s)
                });
                checks.same("tiles_off_their_time", 0, stray.count());
            }
            Err(cause) => checks.add("playlist_sheets", self.sheets.len().to_string(), cause, false),
        }
        Ok(file)
    }

    fn write_text(&self, name: &str, text: &str, suffix: &str) -> Result<ProductFile, Fault> {
        let place = Place::Beside(suffix.to_owned());
        let file = self.scratch.write(name, text.as_bytes(), place)?;
        Ok(ProductFile {
            names_others: true,
            ..file
        })
    }
}

impl Gather for Sprite {
    fn fit(&self) -> Fit {
        self.fit
    }

    fn take(&mut self, label_s: f64, picture: Picture) -> Result<(), Fault> {
        self.labels_s.push(label_s);
        if self.keep_cells {
            self.keep_cell(&picture)?;
        }
        match self.builder.push(&picture) {
            Some(full) => self.write_sheet(&full),
            None => Ok(()),
        }
    }

    fn finish(mut self: Box<Self>, end_s: f64) -> Result<JobProduct, Fault> {
        let empty = SheetBuilder::new(*self.builder.layout());
        if let Some(partial) = std::mem::replace(&mut self.builder, empty).finish() {
            self.write_sheet(&partial)?;
        }
        // A sprite of the whole source covers it from its first moment, whatever the first frame's time stamp.
        if let Some(first_s) = self.labels_s.first_mut().filter(|_| self.start_s <= 0.0) {
            *first_s = 0.0;
        }
        let mut checks = Checks::default();
        self.check_pictures(&mut checks)?;
        let mut texts = Vec::new();
        if let Some(step_s) = self.playlist_step_s {
            texts.push(self.write_playlist(step_s, end_s, &mut checks)?);
        }
        texts.push(self.write_index(end_s, &mut checks)?);
        let proof = checks.prove("the sprite")?;
        let mut files: Vec<ProductFile> = self.sheets.into_iter().map(|(file, _)| file).collect();
        files.append(&mut self.cells);
        files.append(&mut texts);
        Ok(JobProduct {
            outputs: vec![Product {
                group: String::new(),
                name: String::new(),
                extension: self.format.extension().to_owned(),
                kind: ProductKind::Sprite,
                files,
                facts: None,
                proof,
                renditions: Vec::new(),
                picture_count: Some(self.labels_s.len() as u32),
                quality: None,
                series: Vec::new(),
            }],
            ..JobProduct::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sprite(json: &str, root: &std::path::Path) -> Box<Sprite> {
        let spec: SnapshotSpec = serde_json::from_str(json).expect("a spec");
        let ground = Color([0; 3]);
        let fit = Fit::new((Some(16), Some(9)), (1920, 1080), DEFAULT_CELL_WIDTH, ground, None);
        let scratch = JobScratch::create(root, "job").expect("made");
        Box::new(Sprite::new(&spec, fit, ground, 10.0, scratch).expect("fits"))
    }

    fn cell(level: u8) -> Picture {
        Picture::filled(16, 9, Color([level; 3])).expect("not empty")
    }

    #[test]
    fn sheets_and_index_agree_and_the_index_comes_last() {
        let root = tempfile::tempdir().expect("a directory");
        let mut sprite = sprite(r#"{"columns":2,"lines":1,"format":"png"}"#, root.path());
        for number in 0..5u8 {
            sprite
                .take(f64::from(number) * 10.0 + 0.02, cell(number * 40))
                .expect("taken");
        }
        let product = sprite.finish(47.0).expect("proved").outputs.remove(0);
        assert_eq!(product.picture_count, Some(5));
        let places: Vec<Place> = product.files.iter().map(|file| file.place.clone()).collect();
        assert_eq!(
            places,
            [
                Place::Numbered(1),
                Place::Numbered(2),
                Place::Numbered(3),
                Place::Beside(".vtt".to_owned())
            ]
        );
        assert!(product.files[3].names_others && !product.files[0].names_others);
        let text = std::fs::read_to_string(root.path().join(&product.files[3].scratch_path)).expect("read");
        let cues = webvtt::read(&text).expect("cues");
        assert_eq!(
            (cues[0].start_ms, cues[1].start_ms, cues[4].end_ms),
            (0, 10_020, 47_000)
        );
        assert_eq!(
            (cues[3].sheet.as_str(), cues[3].cell.map(|cell| cell.x)),
            ("{reelmill:numbered:2}", Some(16))
        );
        let bytes = std::fs::read(root.path().join(&product.files[1].scratch_path)).expect("read");
        assert_eq!(
            Picture::decode(&bytes, PictureFormat::Png)
                .expect("decodes")
                .pixel(16, 0),
            [120; 3]
        );
    }

    #[test]
    fn a_sprite_that_begins_later_does_not_claim_the_time_before() {
        let root = tempfile::tempdir().expect("a directory");
        let mut sprite = sprite(r#"{"start_s":5}"#, root.path());
        sprite.take(5.0, cell(9)).expect("taken");
        let product = sprite.finish(8.0).expect("proved").outputs.remove(0);
        let text = std::fs::read_to_string(root.path().join(&product.files[1].scratch_path)).expect("read");
        assert!(text.contains("00:00:05.000 --> 00:00:08.000"), "{text}");
    }

    #[test]
    fn a_damaged_sheet_or_no_cells_are_not_proved() {
        let root = tempfile::tempdir().expect("a directory");
        let mut damaged = sprite(r#"{"columns":1,"lines":1}"#, root.path());
        damaged.take(0.0, cell(9)).expect("taken");
        std::fs::write(root.path().join("job/sheet-00001.jpg"), b"").expect("written");
        assert_eq!(damaged.finish(8.0).expect_err("damaged").code, "OutputUnproved");
        assert_eq!(
            sprite("{}", root.path()).finish(8.0).expect_err("empty").code,
            "OutputUnproved"
        );
    }
}
