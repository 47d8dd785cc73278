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
use crate::media::product::Quality;
use crate::media::quality::Sampler;
use crate::media::quality::Slot;
use crate::media::spec::QualitySpec;
use crate::media::verify;

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
        let Some(Some((spec, slot))) = self.0.get(number) else {
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
            let groups = &self.plan.jobs[job].groups;
            let Some(group) = groups.iter().find(|group| group.number == output.group) else {
                continue;
            };
            let made = product.outputs.iter_mut().filter(|made| made.group == group.group);
            for made in made {
                if made.renditions.is_empty() && made.name == output.name {
                    made.quality = Some(quality);
                    made.proof.checks.append(&mut checks.clone());
                }
                for rendition in &mut made.renditions {
                    if rendition.name == output.name {
                        rendition.quality = Some(quality);
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
    ];
    for (name, least, found) in asked {
        if let (Some(least), Some(found)) = (least, found) {
            verify::check(&mut checks, name, format!("{least} or more"), found, found >= least);
        }
    }
    checks
}
