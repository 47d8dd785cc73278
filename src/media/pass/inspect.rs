//! Quality control riding a pass: a thread for the pictures as decoded, an ear in the sound's thread.
//!
//! Guarantees: the report is on disk and read back before the job ends. Deliberately absent: measuring (`media::qc`).

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::pass::PassJob;
use crate::media::pass::gpu::transfer::Downloads;
use crate::media::pass::reader::Reading;
use crate::media::pass::rung::Picture;
use crate::media::pass::sound::SoundSummary;
use crate::media::product::JobEnd;
use crate::media::product::JobProduct;
use crate::media::product::Measured;
use crate::media::product::Place;
use crate::media::product::Product;
use crate::media::product::ProductKind;
use crate::media::product::Proof;
use crate::media::product::QcReport;
use crate::media::product::QcVerdict;
use crate::media::qc;
use crate::media::qc::Evidence;
use crate::media::qc::PictureScan;
use crate::media::qc::SoundScan;
use crate::media::scratch_file::JobScratch;
use crate::media::spec::MediaWork;
use crate::media::spec::QcSpec;
use crate::media::verify;
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc::Receiver;

/// Pictures waiting to be looked at: each is as large as the source is.
pub const QUEUE: usize = 2;
/// Stretches a check that go into rows and events; the file has all.
const BRIEF: usize = 100;
const OPERATION: &str = "qc";

/// One job of quality control.
pub struct Inspection {
    /// The job.
    pub job: JobId,
    spec: QcSpec,
    pictures: Option<Mutex<PictureScan>>,
    sound: Option<Mutex<SoundScan>>,
}

/// Those of `jobs` that are about quality control.
pub fn open(jobs: &[PassJob], facts: &MediaFacts, rate: Ratio) -> Vec<Inspection> {
    let of = |job: &PassJob| match &job.work {
        MediaWork::Qc(spec) => Some(Inspection {
            job: job.job.clone(),
            pictures: facts
                .main_video()
                .map(|_| Mutex::new(PictureScan::new(spec, 1.0 / rate.value()))),
            sound: facts.main_audio().map(|_| Mutex::new(SoundScan::new(spec))),
            spec: spec.clone(),
        }),
        _ => None,
    };
    jobs.iter().filter_map(of).collect()
}

impl Inspection {
    /// Looks at the pictures of a pass until they end; the error is of the device that they lie on.
    pub fn watch(&self, pictures: Receiver<Picture>, unit: Ratio) -> Result<(), AvError> {
        let mut downloads = Downloads::default();
        for picture in pictures {
            if let Some(scan) = &self.pictures {
                let frame = downloads.take(&picture.frame)?;
                let mut scan = scan.lock().unwrap_or_else(PoisonError::into_inner);
                scan.look(&frame, picture.pts.max(0) as f64 * unit.value());
            }
        }
        Ok(())
    }

    /// Hears decoded sound, `at_s` seconds from the origin.
    pub fn hear(&self, frame: &Frame, at_s: Option<f64>) {
        if let Some(scan) = &self.sound {
            scan.lock().unwrap_or_else(PoisonError::into_inner).hear(frame, at_s);
        }
    }

    /// How the job ended, the source having been read to its end.
    pub fn end(
        self,
        facts: &MediaFacts,
        reading: &Reading,
        sound: &SoundSummary,
        end_s: f64,
        scratch: &Path,
        name: &str,
    ) -> (JobId, JobEnd) {
        let job = self.job.clone();
        let end = self.conclude(facts, reading, sound, end_s, scratch, name);
        (job, end.unwrap_or_else(|fault| JobEnd::Failed { fault }))
    }

    fn conclude(
        self,
        facts: &MediaFacts,
        reading: &Reading,
        heard: &SoundSummary,
        end_s: f64,
        scratch: &Path,
        name: &str,
    ) -> Result<JobEnd, Fault> {
        let mut pictures = self
            .pictures
            .map(|scan| scan.into_inner().unwrap_or_else(PoisonError::into_inner));
        let mut sound = self
            .sound
            .map(|scan| scan.into_inner().unwrap_or_else(PoisonError::into_inner));
        if pictures.is_some() && reading.shown == 0 {
            return Err(error::source_undecodable(
                OPERATION,
                name,
                "not one picture of it could be decoded",
            ));
        }
        if let Some(pictures) = &mut pictures {
            pictures.end(end_s);
        }
        if let Some(sound) = &mut sound {
            sound.end();
        }
        let report = qc::report(&Evidence {
            spec: &self.spec,
            facts,
            pictures: pictures.as_ref(),
            sound: sound.as_ref(),
            opening: reading.opening,
            damaged: reading.damaged,
            refused_packets: heard.refused_packets,
            resynchronised: reading.resynchronised,
            pictures_end_s: end_s,
        });
        let brief = report.brief(BRIEF);
        let mut product = JobProduct {
            measured: Some(Box::new(Measured {
                loudness: sound.as_ref().and_then(SoundScan::loudness_series),
                qc: (brief != report).then(|| Box::new(report.clone())),
            })),
            qc: Some(Box::new(brief)),
            ..JobProduct::default()
        };
        product.warnings = report
            .checks
            .iter()
            .filter(|check| check.verdict == QcVerdict::Warn)
            .map(|check| format!("{}: {}", check.check.as_str(), check.found))
            .collect();
        if sound.is_some_and(|sound| sound.has_changed()) {
            product
                .warnings
                .push("the sound changes its rate or channels; it was measured up to there".to_owned());
        }
        if report.verdict == QcVerdict::Fail {
            return Ok(JobEnd::Rejected {
                fault: refusal(&report, name),
                found: Box::new(product),
            });
        }
        product.outputs.push(write(&report, scratch, self.job.as_str())?);
        Ok(JobEnd::Success(product))
    }
}

fn write(report: &QcReport, scratch: &Path, job: &str) -> Result<Product, Fault> {
    let text = serde_json::to_vec_pretty(report)
        .map_err(|cause| error::broken_invariant(OPERATION, "qc.json", cause.to_string()))?;
    let scratch = JobScratch::create(scratch, job)?;
    let file = scratch.write("qc.json", &text, Place::Main)?;
    let read: Option<QcReport> = serde_json::from_slice(&scratch.read_back(&file)?).ok();
    let mut checks = Vec::new();
    let said = read.map_or("unreadable".to_owned(), |read| {
        format!("{} checks, {:?}", read.checks.len(), read.verdict)
    });
    let wanted = format!("{} checks, {:?}", report.checks.len(), report.verdict);
    verify::check(&mut checks, "report", &wanted, &said, wanted == said);
    if let Some(fault) = verify::refusal("qc.json", &checks) {
        return Err(fault);
    }
    Ok(Product {
        group: String::new(),
        name: String::new(),
        extension: ".json".to_owned(),
        kind: ProductKind::Report,
        files: vec![file],
        facts: None,
        proof: Proof { checks },
        renditions: Vec::new(),
        picture_count: None,
        quality: None,
        series: Vec::new(),
    })
}

fn refusal(report: &QcReport, name: &str) -> Fault {
    let failed: Vec<String> = report
        .checks
        .iter()
        .filter(|check| check.verdict == QcVerdict::Fail)
        .map(|check| format!("{}: {}", check.check.as_str(), check.found))
        .collect();
    Fault::new(
        "QcRejected",
        Blame::Source,
        OPERATION,
        name,
        failed.join("; "),
        "Deliver a corrected source, or take these checks out of fail_on.",
    )
}
