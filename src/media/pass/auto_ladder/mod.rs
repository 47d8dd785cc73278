//! Ladders that the source decides: groups with `ladder = "auto"` get their rungs before the pass is planned.
//!
//! Guarantees: what comes out is a spec like any other; each choice is explained in the product of its job. A source
//! that cannot be tried gets a ladder by its size alone, and the explanation says so. Deliberately absent: sound.

mod choice;
mod curve;
mod trial;

use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::limits::Limits;
use crate::media::pass::PassJob;
use crate::media::pass::Watch;
use crate::media::pass::auto_ladder::choice::Choice;
use crate::media::pass::auto_ladder::curve::Curves;
use crate::media::pass::auto_ladder::trial::Range;
use crate::media::probe::Opened;
use crate::media::product::JobEnd;
use crate::media::product::LadderDecision;
use crate::media::product::LadderReject;
use crate::media::product::LadderRung;
use crate::media::product::LadderTrial;
use crate::media::progress::Progress;
use crate::media::spec::AutoLadder;
use crate::media::spec::Clip;
use crate::media::spec::GroupSpec;
use crate::media::spec::MediaWork;
use crate::media::spec::OutputSpec;
use crate::media::spec::RateControl;
use crate::media::spec::VideoCodec;
use crate::media::spec::VideoSpec;
use std::collections::BTreeMap;

/// Peak bitrate over the average.
const PEAK: f64 = 1.5;
/// Cap of a rung of constant quality over the average expected.
const CAP: f64 = 1.25;
/// Decoder buffer, seconds of the average.
const BUFFER_S: f64 = 2.0;

/// Why each job's ladders are what they are.
pub type Decisions = BTreeMap<JobId, Vec<LadderDecision>>;

/// Whether any job leaves its ladder to the source.
pub fn is_wanted(jobs: &[PassJob]) -> bool {
    jobs.iter().any(|job| match &job.work {
        MediaWork::Transcode(spec) => spec.groups.iter().any(|group| group.ladder.is_some()),
        _ => false,
    })
}

/// Writes out the ladders of all jobs. `opened` is read from for the trials, and is of no more use after that.
pub fn expand(
    jobs: &[PassJob],
    opened: &mut Opened,
    limits: &Limits,
    threads: u32,
    watch: &dyn Watch,
) -> Result<(Vec<PassJob>, Decisions), Fault> {
    let facts = opened.facts.clone();
    let mut tries = Tries {
        opened,
        limits,
        threads,
        watch,
        known: Vec::new(),
    };
    let mut decisions = Decisions::new();
    let mut expanded = jobs.to_vec();
    for job in &mut expanded {
        let MediaWork::Transcode(spec) = &mut job.work else {
            continue;
        };
        let clip = spec.clip;
        for group in &mut spec.groups {
            let Some(ladder) = group.ladder.take() else { continue };
            if let Some(decision) = decide(group, &ladder, &facts, clip, &mut tries)? {
                decisions.entry(job.job.clone()).or_default().push(decision);
            }
        }
    }
    Ok((expanded, decisions))
}

/// Trials made so far: several groups may want the same.
struct Tries<'a> {
    opened: &'a mut Opened,
    limits: &'a Limits,
    threads: u32,
    watch: &'a dyn Watch,
    known: Vec<(Key, Result<Vec<LadderTrial>, String>)>,
}

/// What trials depend on.
#[derive(PartialEq, Clone, Copy)]
struct Key {
    preset: &'static str,
    largest: (u32, u32),
    from_s: f64,
    length_s: f64,
    gop_frames: f64,
}

impl Tries<'_> {
    fn of(&mut self, facts: &MediaFacts, range: Range) -> Result<Result<Vec<LadderTrial>, String>, Fault> {
        let key = Key {
            preset: range.preset,
            largest: range.largest,
            from_s: range.from_s,
            length_s: range.length_s,
            gop_frames: range.gop_frames,
        };
        if let Some((_, trials)) = self.known.iter().find(|(known, _)| *known == key) {
            return Ok(trials.clone());
        }
        let goes_on = || !self.watch.stop_asked();
        let made = trial::run(&mut self.opened.demuxer, facts, self.limits, range, &goes_on);
        if self.watch.stop_asked() {
            return Err(error::stopped("choose the ladder", self.opened.demuxer.name()));
        }
        let trials = made.map_err(|refusal| refusal.to_string());
        self.known.push((key, trials.clone()));
        Ok(trials)
    }
}

fn decide(
    group: &mut GroupSpec,
    ladder: &AutoLadder,
    facts: &MediaFacts,
    clip: Option<Clip>,
    tries: &mut Tries<'_>,
) -> Result<Option<LadderDecision>, Fault> {
    let Some((_, video)) = facts.main_video() else {
        return Ok(None);
    };
    let Some(at) = group.outputs.iter().position(|output| output.video.is_some()) else {
        return Ok(None);
    };
    let Some(pattern) = group.outputs[at].video.clone() else {
        return Ok(None);
    };
    let clip = clip.unwrap_or_default();
    let whole_s = facts.duration_s.unwrap_or(0.0);
    let source_fps = video.nominal_rate().map_or(25.0, |rate| rate.value()).clamp(1.0, 240.0);
    let fps = pattern.fps.map_or(source_fps, |fps| fps.min(source_fps));
    let sizes = choice::sizes(video.display_size(), ladder);
    let range = Range {
        preset: quick(&pattern),
        largest: sizes[0],
        from_s: clip.start_s,
        length_s: (clip.end_s.unwrap_or(whole_s).min(whole_s) - clip.start_s).max(0.0),
        fps,
        gop_frames: (pattern.gop_s * fps).max(1.0),
        threads: tries.threads,
    };
    let trials = tries.of(facts, range)?;
    let (trials, trouble) = match trials {
        Ok(trials) => (trials, None),
        Err(trouble) => (Vec::new(), Some(trouble)),
    };
    let curves = Curves::fit(&trials);
    let (choices, rejected) = choice::choose(ladder, &sizes, curves.as_ref(), fps);
    let outputs = rungs(
        &group.outputs[at],
        &pattern,
        &choices,
        curves.as_ref(),
        video.display_size(),
    );
    let decision = explain(group, ladder, &choices, &outputs, trials, rejected, fps, trouble);
    group.outputs.splice(at..=at, outputs);
    Ok(Some(decision))
}

/// The outputs that stand for the pattern.
fn rungs(
    output: &OutputSpec,
    pattern: &VideoSpec,
    choices: &[Choice],
    curves: Option<&Curves>,
    source: (u32, u32),
) -> Vec<OutputSpec> {
    let mut names: Vec<String> = Vec::new();
    choices
        .iter()
        .map(|choice| {
            let short = choice.size.0.min(choice.size.1);
            let mut name = format!("{short}p");
            let mut number = 2;
            while names.contains(&name) {
                name = format!("{short}p-{number}");
                number += 1;
            }
            names.push(name.clone());
            let own = (source.0 & !1, source.1 & !1) == choice.size;
            let mut video = VideoSpec {
                width: None,
                height: (!own).then_some(short),
                long_short: true,
                upscale: false,
                ..pattern.clone()
            };
            let kbps = choice.kbps * thrift(pattern.codec);
            let whole = |value: f64| value.round().max(10.0) as u32;
            video.bufsize_kbps = Some(whole(kbps * BUFFER_S));
            match (pattern.rate, curves) {
                // Constant quality means other numbers in other encoders.
                (RateControl::Crf, Some(curves)) if pattern.codec == VideoCodec::H264 => {
                    let pixels = f64::from(choice.size.0) * f64::from(choice.size.1);
                    let crf = curves.crf(pixels, choice.kbps).clamp(14.0, 40.0);
                    video.crf = Some((crf * 10.0).round() / 10.0);
                    video.max_bitrate_kbps = Some(whole(kbps * CAP));
                }
                (RateControl::Cbr, _) => {
                    video.bitrate_kbps = Some(whole(kbps));
                    video.max_bitrate_kbps = None;
                }
                _ => {
                    video.rate = RateControl::Vbr;
                    video.crf = None;
                    video.bitrate_kbps = Some(whole(kbps));
                    video.max_bitrate_kbps = Some(whole(kbps * PEAK));
                }
            }
            OutputSpec {
                name,
                video: Some(video),
                ..output.clone()
            }
        })
        .collect()
}

/// Preset of the trials: the pattern's own where that is quick.
fn quick(pattern: &VideoSpec) -> &'static str {
    match pattern.preset.as_str() {
        "ultrafast" => "ultrafast",
        "superfast" => "superfast",
        _ => "veryfast",
    }
}

/// Bits of a codec beside H.264 at the same quality.
fn thrift(codec: VideoCodec) -> f64 {
    match codec {
        VideoCodec::Hevc => 0.65,
        VideoCodec::Av1 => 0.55,
        VideoCodec::Vp9 => 0.7,
        _ => 1.0,
    }
}

#[allow(clippy::too_many_arguments)]
fn explain(
    group: &GroupSpec,
    ladder: &AutoLadder,
    choices: &[Choice],
    outputs: &[OutputSpec],
    trials: Vec<LadderTrial>,
    rejected: Vec<LadderReject>,
    fps: f64,
    trouble: Option<String>,
) -> LadderDecision {
    let codec = outputs
        .iter()
        .find_map(|output| output.video.as_ref())
        .map_or(VideoCodec::H264, |video| video.codec);
    let rungs: Vec<LadderRung> = choices
        .iter()
        .zip(outputs)
        .map(|(choice, output)| LadderRung {
            name: output.name.clone(),
            width: choice.size.0,
            height: choice.size.1,
            bitrate_kbps: (choice.kbps * thrift(codec)).round() as u32,
            psnr_db: choice.psnr_db.map(|psnr_db| (psnr_db * 100.0).round() / 100.0),
        })
        .collect();
    let listed: Vec<String> = rungs
        .iter()
        .map(|rung| format!("{} at {} kbit/s", rung.name, rung.bitrate_kbps))
        .collect();
    let best = choices.first();
    let bits_per_pixel = best.filter(|_| !trials.is_empty()).map(|best| {
        let pixels = f64::from(best.size.0) * f64::from(best.size.1);
        (best.kbps * 1000.0 / (pixels * fps) * 1e5).round() / 1e5
    });
    let why = match (best.and_then(|best| best.psnr_db), trouble) {
        (Some(psnr_db), _) if psnr_db + 0.05 < ladder.target_psnr_db => {
            let most = ladder.max_bitrate_kbps;
            if best.is_some_and(|best| best.kbps < f64::from(most) * 0.98) {
                format!("the best reaches {psnr_db:.1} dB; more bits, up to the {most} kbit/s allowed, hardly help")
            } else {
                format!("the best reaches {psnr_db:.1} dB, because {most} kbit/s are the most allowed")
            }
        }
        (Some(psnr_db), _) => format!("the best reaches {psnr_db:.1} dB"),
        (None, Some(trouble)) => format!("by size alone, because the source could not be tried: {trouble}"),
        (None, None) => "by size alone, because the source gave no pictures to try".to_owned(),
    };
    LadderDecision {
        group: group.name.clone(),
        summary: format!("{} rungs: {}; {why}", rungs.len(), listed.join(", ")),
        bits_per_pixel,
        trials,
        rungs,
        rejected,
    }
}

/// Adds to the end of each job why its ladders are what they are.
pub struct Explaining<'a> {
    /// Who is told.
    pub inner: &'a dyn Watch,
    /// What is added.
    pub decisions: Decisions,
}

impl Watch for Explaining<'_> {
    fn facts(&self, facts: &MediaFacts) {
        self.inner.facts(facts);
    }
    fn progress(&self, progress: Progress) {
        self.inner.progress(progress);
    }
    fn job_ended(&self, job: &JobId, mut end: JobEnd) {
        if let (JobEnd::Success(product), Some(decisions)) = (&mut end, self.decisions.get(job)) {
            product.decisions = decisions.clone();
        }
        self.inner.job_ended(job, end);
    }
    fn stop_asked(&self) -> bool {
        self.inner.stop_asked()
    }
}
