//! After the last picture: outputs are proved side by side and the transcode jobs end.

use crate::base::fault::Fault;
use crate::media::av::Parameters;
use crate::media::encoding;
use crate::media::error;
use crate::media::facts::Ratio;
use crate::media::pass::attempt::Pass;
use crate::media::pass::conclude;
use crate::media::pass::conclude::Made;
use crate::media::pass::conclude::Proved;
use crate::media::pass::conclude::VideoMade;
use crate::media::pass::output::Health;
use crate::media::pass::output::Output;
use crate::media::pass::partial::Lack;
use crate::media::pass::plan::OutputPlan;
use crate::media::pass::reader::Reading;
use crate::media::product::FailedOutput;
use crate::media::product::JobEnd;
use crate::media::product::JobProduct;
use crate::media::spec::VideoCodec;
use crate::media::verify::VideoExpected;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

impl Pass<'_> {
    /// What a video encode should hold, by what was read of the source.
    /// `source`: what the copied stream of the source is.
    pub(super) fn video_made(
        &self,
        index: usize,
        reading: &Reading,
        codec: Option<String>,
        source: Option<&Parameters>,
    ) -> VideoMade {
        let encode = &self.plan.videos[index];
        let unit = self.timing.unit.value();
        let source = source.filter(|_| encode.spec.codec == VideoCodec::Copy);
        let (first_s, last_s, end_s) = (
            reading.first.unwrap_or(0) as f64 * unit,
            reading.last as f64 * unit,
            reading.end as f64 * unit,
        );
        let copied = reading.copied;
        let (frames, first_s, last_s, end_s, rate) = match encode.spec.fps {
            _ if source.is_some() => (
                copied.packets,
                copied.first.unwrap_or(0) as f64 * unit,
                copied.last as f64 * unit,
                copied.end as f64 * unit,
                self.timing.rate,
            ),
            None => (reading.shown, first_s, last_s, end_s, self.timing.rate),
            Some(fps) => {
                let rate = Ratio::of_rate(fps);
                let slot_s = 1.0 / rate.value();
                let slots = (end_s / slot_s - 0.5).ceil().max(0.0);
                (slots as u64, 0.0, (slots - 1.0).max(0.0) * slot_s, slots * slot_s, rate)
            }
        };
        VideoMade {
            expected: VideoExpected {
                codec: source.map_or(encode.spec.codec.stream_name(), Parameters::codec_constant_name),
                width: encode.width,
                height: encode.height,
                frames,
                first_s,
                last_s,
                end_s,
                color: source.map_or(self.grades[index].color, Parameters::color),
                format: encoding::read_back_format(&encode.spec, self.grades[index].format),
                metadata: self.grades[index].metadata,
            },
            codec,
            rate,
        }
    }

    /// Name of a video encode in manifests.
    pub(super) fn codec_name(&self, index: usize, parameters: &Parameters) -> Option<String> {
        let encode = &self.plan.videos[index];
        let rate = encode.spec.fps.map_or(self.timing.rate, Ratio::of_rate);
        let shape = encoding::Shape {
            width: encode.width,
            height: encode.height,
            rate: rate.value(),
            bits: encode.spec.bits(),
        };
        encoding::codec_name(&parameters.codec_name(), parameters.extradata(), shape)
    }

    /// Proves all outputs, side by side, and ends the jobs. Those of a job that failed on the way are not looked at.
    pub(super) fn conclude(
        &self,
        outputs: Vec<Output>,
        health: &Health,
        made: &Made,
        warnings: &[String],
        lack: Option<&Lack>,
    ) {
        let result = |output: Output| health.ended_by(output.job()).map_or_else(|| output.into_result(), Err);
        let mut results: Vec<Option<Result<Option<crate::media::pass::packaging::segments::Track>, Fault>>> =
            outputs.into_iter().map(|output| Some(result(output))).collect();
        let work: Vec<_> = results
            .iter_mut()
            .map(|result| Mutex::new((result.take(), None)))
            .collect();
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..self.order.threads.clamp(1, 8) {
                scope.spawn(|| {
                    while let Some(slot) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let at = work.iter().position(|other| std::ptr::eq(other, slot)).unwrap_or(0);
                        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
                        let proved = match slot.0.take() {
                            Some(Ok(track)) => {
                                conclude::prove(self.plan, &self.plan.outputs[at], track, made, &self.order.scratch)
                            }
                            Some(Err(fault)) => Err(fault),
                            None => continue,
                        };
                        slot.1 = Some(proved);
                    }
                });
            }
        });
        let mut proved: Vec<Option<Proved>> = Vec::new();
        let mut faults: Vec<Option<Fault>> = Vec::new();
        for slot in work {
            let (_, result) = slot.into_inner().unwrap_or_else(PoisonError::into_inner);
            match result {
                Some(Ok(done)) => {
                    proved.push(Some(done));
                    faults.push(None);
                }
                Some(Err(fault)) => {
                    proved.push(None);
                    faults.push(Some(fault));
                }
                None => {
                    proved.push(None);
                    faults.push(Some(error::broken_invariant(
                        "verify",
                        &self.name,
                        "an output was not proved",
                    )));
                }
            }
        }
        for (number, job) in self
            .plan
            .jobs
            .iter()
            .enumerate()
            .filter(|(_, job)| !job.groups.is_empty())
        {
            let failed: Vec<(&OutputPlan, &Fault)> = self
                .plan
                .outputs
                .iter()
                .zip(&faults)
                .filter(|(output, _)| output.job == number)
                .filter_map(|(output, fault)| Some((output, fault.as_ref()?)))
                .collect();
            let end = self.end_job(number, job, &failed, &mut proved, made, warnings, lack);
            self.watch
                .job_ended(&job.job, end.unwrap_or_else(|fault| JobEnd::Failed { fault }));
        }
    }

    /// What is to be said of closed captions that a job's renditions do not have.
    fn captions_left_out(&self, number: usize, made: &Made) -> Option<String> {
        let outputs = self.plan.outputs.iter().filter(|output| output.job == number);
        let mut names: Vec<&str> = outputs
            .filter(|output| output.video.is_some_and(|index| !made.is_captioned[index]))
            .map(|output| output.name.as_str())
            .collect();
        names.dedup();
        (made.has_captions && !names.is_empty()).then(|| {
            format!(
                "closed captions (CEA-608 or 708) inside the pictures: {} without a place for them",
                names.join(", ")
            )
        })
    }

    #[allow(clippy::too_many_arguments)]
    fn end_job(
        &self,
        number: usize,
        job: &crate::media::pass::plan::JobPlan,
        failed: &[(&OutputPlan, &Fault)],
        proved: &mut [Option<Proved>],
        made: &Made,
        warnings: &[String],
        lack: Option<&Lack>,
    ) -> Result<JobEnd, Fault> {
        if let (Some(lack), false) = (lack, job.partial) {
            return Err(lack.fault("decode", &self.name));
        }
        let mine = self.plan.outputs.iter().filter(|output| output.job == number).count();
        if let Some((_, fault)) = failed.first().filter(|_| !job.partial || failed.len() == mine) {
            return Err((*fault).clone());
        }
        let mut product = JobProduct {
            dropped: job
                .dropped
                .iter()
                .cloned()
                .chain(self.chapters_left_out(number))
                .chain(self.captions_left_out(number, made))
                .collect(),
            warnings: warnings.to_vec(),
            ..JobProduct::default()
        };
        product.partial = lack.is_some() || !failed.is_empty();
        for output in self.plan.outputs.iter().filter(|output| output.job == number) {
            let notes = output
                .video
                .and_then(|index| made.notes.get(index))
                .into_iter()
                .flatten();
            product
                .warnings
                .extend(notes.map(|note| format!("{}: {note}", output.name)));
        }
        for (output, done) in self.plan.outputs.iter().zip(proved.iter()) {
            let notes = done
                .iter()
                .filter(|_| output.job == number)
                .flat_map(|done| &done.notes);
            product
                .warnings
                .extend(notes.map(|note| format!("{}: {note}", output.name)));
        }
        for (output, fault) in failed {
            product.warnings.push(format!("{} is missing: {fault}", output.name));
            product.failed_outputs.push(FailedOutput {
                group: job
                    .groups
                    .get(output.group)
                    .map_or(String::new(), |group| group.group.clone()),
                name: output.name.clone(),
                fault: (*fault).clone(),
            });
        }
        for group in &job.groups {
            product
                .outputs
                .extend(conclude::products(self.plan, group, proved, made, &self.order.scratch)?);
        }
        self.rate(number, &mut product)?;
        Ok(JobEnd::Success(product))
    }
}
