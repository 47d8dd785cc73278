//! Likeness of renditions: a sampler for each encode whose job asks, and what it said in the job's product.
//!
//! Guarantees: equal encodes are compared once; a least value that is not reached fails the job, or with `partial`
//! is a warning. Deliberately absent: comparing (`media::quality`).

use crate::base::fault::Fault;
use crate::media::error;
use crate::media::pass::attempt::Pass;
use crate::media::pass::plan::Plan;
use crate::media::pass::track::VideoTrack;
use crate::media::product::Check;
use crate::media::product::JobProduct;
use crate::media::product::Product;
use crate::media::product::Quality;
use crate::media::quality::Sampler;
use crate::media::quality::Slot;
use crate::media::spec::QualitySpec;
use crate::media::spec::TranscodeSpec;
use crate::media::verify;
use crate::media::vmaf::Library;

/// What is asked of each video encode, and where the answer will be.
#[derive(Debug, Default)]
pub struct Ratings(Vec<Option<(QualitySpec, Slot)>>);

impl Ratings {
    /// For the encodes of a plan.
    pub fn of(plan: &Plan) -> Self {
        let wanted = |encode: usize| {
            let output = plan
                .outputs
                .iter()
                .filter(|output| output.video == Some(encode))
                .find_map(|output| plan.jobs[output.job].quality.as_ref());
            output.map(|spec| (spec.clone(), Slot::default()))
        };
        Ratings((0..plan.videos.len()).map(wanted).collect())
    }

    /// Lets the encode `number` be compared if that is asked for.
    pub fn follow(&self, number: usize, track: VideoTrack, length_s: Option<f64>) -> VideoTrack {
        let Some(Some((spec, slot))) = self.0.get(number).filter(|_| !track.is_first_reading()) else {
            return track;
        };
        match track.encoder().parameters() {
            Ok(parameters) => {
                let sampler = Sampler::new(spec, track.unit(), parameters, length_s, slot.clone());
                track.followed_by(sampler)
            }
            Err(_) => track,
        }
    }

    fn result(&self, number: usize) -> Option<Result<Quality, String>> {
        self.0.get(number)?.as_ref()?.1.take()
    }
}

/// Why a job is not begun: it would fail at its end, because what it wants of its renditions cannot be measured here.
pub fn refusal(spec: &TranscodeSpec, name: &str) -> Option<Fault> {
    let _ = spec.quality.as_ref().filter(|_| !spec.partial)?.min_vmaf?;
    Library::of_host().err().map(|why| error::meter_missing(name, why))
}

impl Pass<'_> {
    /// Writes into a job's product what was found of its renditions.
    pub(super) fn rate(&self, job: usize, product: &mut JobProduct) -> Result<(), Fault> {
        let Some(spec) = &self.plan.jobs[job].quality else {
            return Ok(());
        };
        let mut failed = Vec::new();
        for output in self.plan.outputs.iter().filter(|output| output.job == job) {
            let Some(encode) = output.video else { continue };
            let quality = match self.ratings.result(encode) {
                Some(Ok(quality)) => quality,
                Some(Err(why)) => {
                    product
                        .warnings
                        .push(format!("{}: its quality is not known: {why}", output.name));
                    continue;
                }
                None => continue,
            };
            let mut checks = least(spec, &quality);
            if let Some(why) = &quality.vmaf_missing {
                product
                    .warnings
                    .push(format!("{}: its VMAF is not known: {why}", output.name));
                if let Some(least) = spec.min_vmaf {
                    checks.push(Check {
                        name: "vmaf".to_owned(),
                        expected: format!("{least} or more"),
                        found: "nothing that was measured".to_owned(),
                        ok: false,
                    });
                }
            }
            // Groups may have no names, or names in common; their folders are their own.
            let folder = format!("{}/{}/", self.plan.jobs[job].job, output.group);
            let of_group = |made: &&mut Product| made.files.iter().any(|file| file.scratch_path.starts_with(&folder));
            for made in product.outputs.iter_mut().filter(of_group) {
                if made.renditions.is_empty() && made.name == output.name {
                    made.quality = Some(quality.clone());
                    made.proof.checks.append(&mut checks.clone());
                }
                for rendition in &mut made.renditions {
                    if rendition.name == output.name {
                        rendition.quality = Some(quality.clone());
                        made.proof.checks.extend(checks.iter().cloned().map(|check| Check {
                            name: format!("{}/{}", output.name, check.name),
                            ..check
                        }));
                    }
                }
            }
            checks.retain(|check| !check.ok);
            failed.extend(checks.into_iter().map(|check| {
                format!(
                    "{}: {} of {} is not {}",
                    output.name, check.name, check.found, check.expected
                )
            }));
        }
        if failed.is_empty() {
            return Ok(());
        }
        if self.plan.jobs[job].partial {
            product.warnings.append(&mut failed);
            return Ok(());
        }
        failed.dedup();
        Err(error::output_too_poor(&self.name, failed.join("; ")))
    }
}

fn least(spec: &QualitySpec, quality: &Quality) -> Vec<Check> {
    let mut checks = Vec::new();
    let asked = [
        ("psnr_db", spec.min_psnr_db, quality.psnr_db),
        ("ssim", spec.min_ssim, quality.ssim),
        ("vmaf", spec.min_vmaf, quality.vmaf),
    ];
    for (name, least, found) in asked {
        if let (Some(least), Some(found)) = (least, found) {
            verify::check(&mut checks, name, format!("{least} or more"), found, found >= least);
        }
    }
    checks
}
