//! Covers: of many moments the pictures that look best, each a file of its own.
//!
//! Guarantees: every candidate is judged by what is on its picture alone (sharpness, exposure, colours), none that is
//! black, white, empty or blurred is taken where there is another, and those kept are of different scenes where there
//! are some. Files are numbered by rank, a single one stands at the output's own path; each has been read back.
//! Deliberately absent: which moments are candidates (`moments`).

pub mod choice;
pub mod look;

use crate::base::fault::Fault;
use crate::media::cover::choice::Choice;
use crate::media::cover::look::Look;
use crate::media::gather::Checks;
use crate::media::gather::Fit;
use crate::media::gather::Gather;
use crate::media::moments::is_lone;
use crate::media::picture::Picture;
use crate::media::product::JobProduct;
use crate::media::product::Place;
use crate::media::product::Product;
use crate::media::product::ProductKind;
use crate::media::product::StillMark;
use crate::media::scratch_file::JobScratch;
use crate::media::snapshot::check_picture;
use crate::media::spec::PictureFormat;
use crate::media::spec::SnapshotSpec;

/// Candidates on their way.
#[derive(Debug)]
pub struct Covers {
    scratch: JobScratch,
    format: PictureFormat,
    /// None: without loss.
    quality: Option<u8>,
    lone: bool,
    fit: Fit,
    seen: usize,
    choice: Choice<Held>,
}

/// What is kept of a candidate: its file's bytes are a tenth of its pixels.
#[derive(Debug)]
struct Held {
    time_s: f64,
    bytes: Vec<u8>,
}

impl Covers {
    /// None yet; `keep` of them at the end.
    pub fn new(spec: &SnapshotSpec, keep: u32, fit: Fit, scratch: JobScratch) -> Self {
        Covers {
            scratch,
            format: spec.format,
            quality: (!spec.lossless).then_some(spec.quality),
            lone: is_lone(spec),
            fit,
            seen: 0,
            choice: Choice::new(keep as usize),
        }
    }
}

impl Gather for Covers {
    fn fit(&self) -> Fit {
        self.fit
    }

    fn take(&mut self, label_s: f64, picture: Picture) -> Result<(), Fault> {
        self.seen += 1;
        let (format, quality) = (self.format, self.quality);
        let look = Look::of(&picture);
        tracing::trace!(label_s, ?look, score = look.score(), "candidate for a cover");
        self.choice.offer(look, || {
            Ok(Held {
                time_s: label_s,
                bytes: picture.encode(format, quality)?,
            })
        })
    }

    fn finish(self: Box<Self>, _end_s: f64) -> Result<JobProduct, Fault> {
        let mut checks = Checks::default();
        let mut warnings = Vec::new();
        let (mut files, mut stills) = (Vec::new(), Vec::new());
        for (at, candidate) in self.choice.chosen().into_iter().enumerate() {
            if at == 0
                && let Some(flaw) = candidate.look.flaw()
            {
                warnings.push(format!(
                    "none of {} candidates is a good cover; the best of them is {}",
                    self.seen,
                    flaw.as_str()
                ));
            }
            let number = at as u32 + 1;
            let place = if self.lone {
                Place::Main
            } else {
                Place::Numbered(number)
            };
            let name = format!("cover-{number:05}{}", self.format.extension());
            files.push(self.scratch.write(&name, &candidate.kept.bytes, place)?);
            stills.push(StillMark {
                time_s: candidate.kept.time_s,
                score: Some(candidate.score),
            });
        }
        checks.add(
            "picture_count",
            "at least 1",
            files.len().to_string(),
            !files.is_empty(),
        );
        for file in &files {
            check_picture(
                &mut checks,
                &self.scratch,
                file,
                self.format,
                (self.fit.width, self.fit.height),
            )?;
        }
        let proof = checks.prove("the covers")?;
        Ok(JobProduct {
            outputs: vec![Product {
                group: String::new(),
                name: String::new(),
                extension: self.format.extension().to_owned(),
                kind: ProductKind::Stills,
                quality: None,
                series: Vec::new(),
                picture_count: Some(files.len() as u32),
                files,
                facts: None,
                proof,
                renditions: Vec::new(),
            }],
            warnings,
            stills,
            ..JobProduct::default()
        })
    }
}
