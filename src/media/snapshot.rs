//! Stills: every picture a file of its own.
//!
//! Guarantees: each file has been read back from disk, decoded and measured. A spec that can come to one picture
//! only puts it at the output's own path; otherwise files are numbered from 1. Deliberately absent: sheets.

use crate::base::fault::Fault;
use crate::media::gather::Checks;
use crate::media::gather::Fit;
use crate::media::gather::Gather;
use crate::media::moments::is_lone;
use crate::media::picture::Picture;
use crate::media::product::JobProduct;
use crate::media::product::Place;
use crate::media::product::Product;
use crate::media::product::ProductFile;
use crate::media::product::ProductKind;
use crate::media::product::StillMark;
use crate::media::scratch_file::JobScratch;
use crate::media::spec::PictureFormat;
use crate::media::spec::SnapshotSpec;
use md5::Digest;
use md5::Md5;

/// Stills on their way to files.
#[derive(Debug)]
pub struct Stills {
    scratch: JobScratch,
    format: PictureFormat,
    /// None: without loss.
    quality: Option<u8>,
    lone: bool,
    fit: Fit,
    files: Vec<ProductFile>,
    marks: Vec<StillMark>,
}

impl Stills {
    /// None yet.
    pub fn new(spec: &SnapshotSpec, fit: Fit, scratch: JobScratch) -> Self {
        Stills {
            scratch,
            format: spec.format,
            quality: (!spec.lossless).then_some(spec.quality),
            lone: is_lone(spec),
            fit,
            files: Vec::new(),
            marks: Vec::new(),
        }
    }
}

impl Gather for Stills {
    fn fit(&self) -> Fit {
        self.fit
    }

    fn take(&mut self, label_s: f64, picture: Picture) -> Result<(), Fault> {
        let bytes = picture.encode(self.format, self.quality)?;
        let number = self.files.len() as u32 + 1;
        let place = if self.lone {
            Place::Main
        } else {
            Place::Numbered(number)
        };
        let name = format!("still-{number:05}{}", self.format.extension());
        self.files.push(self.scratch.write(&name, &bytes, place)?);
        self.marks.push(StillMark {
            time_s: label_s,
            score: None,
        });
        Ok(())
    }

    fn finish(self: Box<Self>, _end_s: f64) -> Result<JobProduct, Fault> {
        let mut checks = Checks::default();
        checks.add(
            "picture_count",
            "at least 1",
            self.files.len().to_string(),
            !self.files.is_empty(),
        );
        for file in &self.files {
            check_picture(
                &mut checks,
                &self.scratch,
                file,
                self.format,
                (self.fit.width, self.fit.height),
            )?;
        }
        let proof = checks.prove("the stills")?;
        Ok(JobProduct {
            outputs: vec![Product {
                group: String::new(),
                name: String::new(),
                extension: self.format.extension().to_owned(),
                kind: ProductKind::Stills,
                quality: None,
                series: Vec::new(),
                picture_count: Some(self.files.len() as u32),
                files: self.files,
                facts: None,
                proof,
                renditions: Vec::new(),
            }],
            stills: self.marks,
            ..JobProduct::default()
        })
    }
}

/// Reads a picture file back from disk and compares bytes and size with what was meant.
pub fn check_picture(
    checks: &mut Checks,
    scratch: &JobScratch,
    file: &ProductFile,
    format: PictureFormat,
    (width, height): (u32, u32),
) -> Result<(), Fault> {
    let bytes = scratch.read_back(file)?;
    checks.same("md5", file.md5.clone(), hex::encode(Md5::digest(&bytes)));
    let expected = format!("{width}x{height}");
    match Picture::decode(&bytes, format) {
        Ok(picture) => checks.same(
            "picture_size",
            expected,
            format!("{}x{}", picture.width(), picture.height()),
        ),
        Err(cause) => checks.add("picture_size", expected, format!("not decodable: {cause}"), false),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::picture::Color;

    fn stills(json: &str, root: &std::path::Path) -> Box<Stills> {
        let spec: SnapshotSpec = serde_json::from_str(json).expect("a spec");
        let fit = Fit::new((spec.width, spec.height), (64, 36), u32::MAX, Color([0, 0, 0]), None);
        Box::new(Stills::new(&spec, fit, JobScratch::create(root, "job").expect("made")))
    }

    fn shade(level: u8) -> Picture {
        Picture::filled(64, 36, Color([level; 3])).expect("not empty")
    }

    #[test]
    fn a_lone_still_is_the_main_object_and_many_are_numbered() {
        let root = tempfile::tempdir().expect("a directory");
        let mut one = stills("{}", root.path());
        one.take(0.0, shade(10)).expect("taken");
        let product = one.finish(1.0).expect("proved");
        assert_eq!(product.outputs[0].files[0].place, Place::Main);

        let mut many = stills(r#"{"interval_s":1,"format":"png"}"#, root.path());
        many.take(0.0, shade(10)).expect("taken");
        many.take(1.0, shade(20)).expect("taken");
        let product = many.finish(2.0).expect("proved").outputs.remove(0);
        assert_eq!(
            product.files.iter().map(|file| file.place.clone()).collect::<Vec<_>>(),
            [Place::Numbered(1), Place::Numbered(2)]
        );
        assert_eq!((product.picture_count, product.extension.as_str()), (Some(2), ".png"));
        assert!(product.proof.checks.iter().all(|check| check.ok) && product.proof.checks.len() == 5);
    }

    #[test]
    fn a_damaged_file_or_a_wrong_size_is_not_proved() {
        let root = tempfile::tempdir().expect("a directory");
        let mut damaged = stills("{}", root.path());
        damaged.take(0.0, shade(10)).expect("taken");
        std::fs::write(root.path().join("job/still-00001.jpg"), b"no picture").expect("written");
        assert_eq!(damaged.finish(1.0).expect_err("damaged").code, "OutputUnproved");

        let mut small = stills("{}", root.path());
        small
            .take(0.0, Picture::filled(8, 8, Color([0; 3])).expect("not empty"))
            .expect("taken");
        assert_eq!(small.finish(1.0).expect_err("wrong size").code, "OutputUnproved");

        assert_eq!(
            stills("{}", root.path()).finish(1.0).expect_err("no picture").code,
            "OutputUnproved"
        );
    }
}
