//! One run over a source: what is to be made is planned and opened, the source is read once, jobs are concluded.

use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::media::av::Color;
use crate::media::av::Parameters;
use crate::media::av::packet::rescale;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::pass::PassJob;
use crate::media::pass::PassOrder;
use crate::media::pass::Watch;
use crate::media::pass::conclude::Made;
use crate::media::pass::head;
use crate::media::pass::output::Health;
use crate::media::pass::output::Output;
use crate::media::pass::packaging::codec_name;
use crate::media::pass::packaging::seal;
use crate::media::pass::packaging::seal::Seals;
use crate::media::pass::plan::Plan;
use crate::media::pass::taps;
use crate::media::pass::taps::Tapped;
use crate::media::pass::timing;
use crate::media::pass::timing::Timing;
use crate::media::picture_tap::PictureTap;
use crate::media::probe::Opened;
use crate::media::product::JobEnd;
use crate::media::spec::Clip;
use crate::media::spec::TranscodeSpec;
use crate::media::tap::TapOrder;
use crate::media::verify::AudioExpected;

/// Runs the jobs of one clip range, and picture jobs that ride along. Answers the bytes read of the source.
/// `share`: where in 0..=1 this run begins and how much of it it is, for progress.
#[allow(clippy::too_many_arguments)]
pub fn run(
    order: &PassOrder,
    opened: Opened,
    clip: Option<Clip>,
    jobs: &[(&JobId, &TranscodeSpec)],
    pictures: &[PassJob],
    watch: &dyn Watch,
    share: (f64, f64),
) -> Result<u64, Fault> {
    let facts = opened.facts.clone();
    let missing = opened.missing_data();
    let jobs = match &missing {
        None => jobs.to_vec(),
        Some(missing) => keep_partial(
            jobs,
            error::source_truncated("read", opened.demuxer.name(), missing.as_str()),
            watch,
        )?,
    };
    let plan = Plan::make(&jobs, &facts);
    for job in plan.jobs.iter().filter(|job| job.groups.is_empty()) {
        let reason = match job.dropped.last() {
            Some(last) => format!("no output is possible: {last}"),
            None => "no output is possible".to_owned(),
        };
        watch.job_ended(&job.job, JobEnd::Skipped { reason });
    }
    let taps = open_taps(order, &facts, opened.demuxer.name(), pictures, watch);
    if plan.outputs.is_empty() && taps.is_empty() {
        return Ok(opened.demuxer.watch().read_bytes());
    }
    let timing = timing::of(&facts, clip, &plan, !taps.is_empty());
    let name = opened.demuxer.name().to_owned();
    let mut pass = Pass {
        order,
        plan: &plan,
        facts: &facts,
        timing,
        watch,
        share,
        name,
        is_cut: missing.is_some(),
        seals: seal::of_plan(&plan, &order.side),
    };
    pass.run(opened, taps, missing)
}

/// Fails the jobs that do not take a truncated source; all of them fails the attempt.
fn keep_partial<'a>(
    jobs: &[(&'a JobId, &'a TranscodeSpec)],
    fault: Fault,
    watch: &dyn Watch,
) -> Result<Vec<(&'a JobId, &'a TranscodeSpec)>, Fault> {
    if !jobs.iter().any(|(_, spec)| spec.partial) {
        return Err(fault);
    }
    let (kept, refused): (Vec<_>, Vec<_>) = jobs.iter().copied().partition(|(_, spec)| spec.partial);
    for (job, _) in refused {
        watch.job_ended(job, JobEnd::Failed { fault: fault.clone() });
    }
    Ok(kept)
}

fn open_taps(
    order: &PassOrder,
    facts: &MediaFacts,
    name: &str,
    pictures: &[PassJob],
    watch: &dyn Watch,
) -> Vec<Tapped> {
    let mut taps = Vec::new();
    for job in pictures {
        let tap_order = TapOrder {
            facts: facts.clone(),
            scratch: order.scratch.clone(),
            directory: job.job.as_str().to_owned(),
            source_name: name.to_owned(),
        };
        match PictureTap::open(&tap_order, &job.work) {
            Ok(tap) => taps.push(Tapped {
                job: job.job.clone(),
                tap: Box::new(tap),
            }),
            Err(end) => watch.job_ended(&job.job, end),
        }
    }
    taps
}

/// Everything the threads of a pass share.
pub(super) struct Pass<'a> {
    pub(super) order: &'a PassOrder,
    pub(super) plan: &'a Plan,
    pub(super) facts: &'a MediaFacts,
    pub(super) timing: Timing,
    pub(super) watch: &'a dyn Watch,
    pub(super) share: (f64, f64),
    pub(super) name: String,
    /// The source is known to be truncated, and that is accepted.
    pub(super) is_cut: bool,
    /// Keys of sealed sets.
    pub(super) seals: Seals,
}

/// What manifests call an encode.
fn name_of(parameters: &Option<Parameters>) -> Option<String> {
    let parameters = parameters.as_ref()?;
    codec_name::of_header(&parameters.codec_name(), parameters.extradata())
}

impl Pass<'_> {
    fn run(&mut self, opened: Opened, taps: Vec<Tapped>, missing: Option<String>) -> Result<u64, Fault> {
        let Opened { mut demuxer, .. } = opened;
        let color = self.facts.main_video().map_or(Color::UNSPECIFIED, |(stream, video)| {
            let said = demuxer.stream(stream.index).and_then(|stream| stream.parameters().ok());
            let (width, height) = video.display_size();
            let said = said.map_or(Color::UNSPECIFIED, |parameters| {
                if parameters.pixel_format().is_rgb() {
                    head::color_of_rgb(width, height)
                } else {
                    parameters.color()
                }
            });
            if said.is_hdr() {
                Color::BT709
            } else {
                head::output_color(said, width, height)
            }
        });
        let encoders = self.open_encoders(color);
        let health = Health::new(self.plan.jobs.len());
        let outputs: Vec<Output> = self
            .plan
            .outputs
            .iter()
            .map(|output| {
                let partial = self.plan.jobs[output.job].partial;
                let writer = self.open_writer(output, &encoders);
                Output::new(&output.name, output.job, partial, output.track_count(), writer)
            })
            .collect();
        for (output, planned) in outputs.iter().zip(&self.plan.outputs) {
            let video = planned.video.and_then(|index| encoders.videos[index].as_ref().err());
            let sounds = planned
                .audios
                .iter()
                .filter_map(|index| encoders.audios[*index].as_ref().err());
            if let Some(fault) = video.into_iter().chain(sounds).next() {
                output.fail(fault.clone(), &health);
            }
        }
        let mut made = Made {
            videos: vec![None; self.plan.videos.len()],
            audios: vec![None; self.plan.audios.len()],
            audio_codecs: encoders.audio_parameters.iter().map(name_of).collect(),
            texts: vec![None; self.plan.texts.len()],
        };
        let codecs: Vec<Option<String>> = encoders.parameters.iter().map(name_of).collect();

        if self.timing.is_clip
            && let Some((stream, _)) = self.facts.main_video().or(None)
        {
            let at = rescale(self.timing.origin.ticks, self.timing.origin.unit, stream.time_base);
            // A container that cannot seek is read from its beginning.
            let _ = demuxer.seek(stream.index, at);
        }
        let (reading, sound, tapped) = self.read(&mut demuxer, color, encoders, &outputs, &health, taps)?;
        self.check_source(&reading, &sound)?;
        let truncated = missing.or_else(|| self.truncation(&demuxer, &reading));
        if self.watch.stop_asked() {
            return Err(error::stopped("decode", &self.name));
        }

        let end_s = reading.end as f64 * self.timing.unit.value();
        for (index, codec) in codecs.into_iter().enumerate() {
            made.videos[index] = Some(self.video_made(index, &reading, color, codec));
        }
        for (index, audio) in self.plan.audios.iter().enumerate() {
            made.audios[index] = Some(AudioExpected {
                codec: audio.spec.codec.stream_name(),
                rate_hz: audio.rate_hz,
                channels: audio.channels,
                end_s: sound.end_s,
            });
        }
        let mut warnings = self.warnings(&reading, &sound);
        if let Some(missing) = &truncated {
            if !self.plan.jobs.iter().any(|job| job.partial) {
                return Err(error::source_truncated("decode", &self.name, missing.as_str()));
            }
            warnings.push(format!(
                "the source is truncated, and what there is was taken: {missing}"
            ));
        }
        self.conclude(outputs, &made, &warnings, truncated.as_deref());
        for (tapped, answer) in tapped {
            let (job, end) = match &truncated {
                Some(missing) => (
                    tapped.job,
                    JobEnd::Failed {
                        fault: error::source_truncated("decode", &self.name, missing.as_str()),
                    },
                ),
                None => taps::end(tapped, answer, end_s),
            };
            self.watch.job_ended(&job, end);
        }
        Ok(demuxer.watch().read_bytes())
    }
}
