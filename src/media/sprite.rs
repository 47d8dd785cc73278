//! A sprite: sheets of cells and the WebVTT that says which cell stands for which time.
//!
//! Guarantees: one sheet in memory; sheets are numbered from 1, the WebVTT stands beside them and comes last; both
//! have been read back and agree with one another. Deliberately absent: choosing moments and frames.

use crate::base::fault::Fault;
use crate::media::gather::Checks;
use crate::media::gather::Fit;
use crate::media::gather::Gather;
use crate::media::picture::Picture;
use crate::media::product::JobProduct;
use crate::media::product::Place;
use crate::media::product::Product;
use crate::media::product::ProductFile;
use crate::media::product::ProductKind;
use crate::media::product::reference;
use crate::media::scratch_file::JobScratch;
use crate::media::sheet::Layout;
use crate::media::sheet::SheetBuilder;
use crate::media::snapshot::check_picture;
use crate::media::spec::PictureFormat;
use crate::media::spec::SnapshotSpec;
use crate::media::webvtt;

/// Pixels of a cell when the spec does not say.
pub const DEFAULT_CELL_WIDTH: u32 = 160;

/// A sprite on its way to files.
#[derive(Debug)]
pub struct Sprite {
    scratch: JobScratch,
    format: PictureFormat,
    quality: u8,
    start_s: f64,
    fit: Fit,
    builder: SheetBuilder,
    sheets: Vec<(ProductFile, (u32, u32))>,
    labels_s: Vec<f64>,
}

impl Sprite {
    /// No cells yet. A sheet too large for its format or for memory is a fault of the request.
    pub fn new(spec: &SnapshotSpec, fit: Fit, scratch: JobScratch) -> Result<Self, Fault> {
        Ok(Sprite {
            scratch,
            format: spec.format,
            quality: spec.quality,
            start_s: spec.start_s,
            fit,
            builder: SheetBuilder::new(Layout::of(spec, fit.width, fit.height)?),
            sheets: Vec::new(),
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
}

impl Gather for Sprite {
    fn fit(&self) -> Fit {
        self.fit
    }

    fn take(&mut self, label_s: f64, picture: Picture) -> Result<(), Fault> {
        self.labels_s.push(label_s);
        match self.builder.push(&picture) {
            Some(full) => self.write_sheet(&full),
            None => Ok(()),
        }
    }

    fn finish(mut self: Box<Self>, end_s: f64) -> Result<JobProduct, Fault> {
        let layout = *self.builder.layout();
        let empty = SheetBuilder::new(layout);
        if let Some(partial) = std::mem::replace(&mut self.builder, empty).finish() {
            self.write_sheet(&partial)?;
        }
        // A sprite of the whole source covers it from its first moment, whatever the first frame's time stamp.
        if let Some(first_s) = self.labels_s.first_mut().filter(|_| self.start_s <= 0.0) {
            *first_s = 0.0;
        }
        let name_of = |cell: usize| {
            let (sheet, place) = layout.place(cell);
            (reference(&Place::Numbered(sheet as u32 + 1)), place)
        };
        let cues = webvtt::cues(&self.labels_s, end_s, name_of);
        let note = "Each cue begins at the time its cell shows; the first one covers the beginning.".to_owned();
        let text = webvtt::write(&cues, &[note]);
        let mut vtt = self
            .scratch
            .write("sprite.vtt", text.as_bytes(), Place::Beside(".vtt".to_owned()))?;
        vtt.names_others = true;

        let mut checks = Checks::default();
        checks.same(
            "sheet_count",
            layout.sheets(self.labels_s.len()).max(1),
            self.sheets.len(),
        );
        for (number, (file, size)) in self.sheets.iter().enumerate() {
            let cells = self.labels_s.len().saturating_sub(number * layout.cells());
            checks.same("sheet_layout", format!("{:?}", layout.size(cells)), format!("{size:?}"));
            check_picture(&mut checks, &self.scratch, file, self.format, *size)?;
        }
        let written = String::from_utf8_lossy(&self.scratch.read_back(&vtt)?).into_owned();
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
                        cue.sheet == reference(&Place::Numbered(number as u32 + 1))
                            && cue.cell.x + cue.cell.width <= size.0
                            && cue.cell.y + cue.cell.height <= size.1
                    })
                });
                checks.same("cues_off_their_sheet", 0, outside.count());
            }
            Err(cause) => checks.add("cue_count", self.labels_s.len().to_string(), cause, false),
        }
        let proof = checks.prove("the sprite")?;
        let mut files: Vec<ProductFile> = self.sheets.into_iter().map(|(file, _)| file).collect();
        files.push(vtt);
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
            }],
            backend: "software".to_owned(),
            ..JobProduct::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::picture::Color;

    fn sprite(json: &str, root: &std::path::Path) -> Box<Sprite> {
        let spec: SnapshotSpec = serde_json::from_str(json).expect("a spec");
        let fit = Fit::new(Some(16), Some(9), (1920, 1080), DEFAULT_CELL_WIDTH, Color([0; 3]));
        Box::new(Sprite::new(&spec, fit, JobScratch::create(root, "job").expect("made")).expect("fits"))
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
        assert_eq!((cues[3].sheet.as_str(), cues[3].cell.x), ("{reelmill:numbered:2}", 16));
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
