//! The one pass: a source is decoded once for all that the jobs of an attempt want of it.
//!
//! demux and decode (one thread, and libavcodec's frame threads) -> [head: deinterlace, turn, tone map] -> a cascade
//! of renditions, each scaled in its own thread from the smallest one of twice its size and encoded there -> outputs. Sound and
//! picture jobs have threads of their own; bounded queues between all of them.
//!
//! Guarantees: each job ends exactly once unless the whole attempt fails; a job's files are whole, proved and synced
//! before its end is told. An error of reading fails the attempt, one of an encoder or output its job only.
//! Deliberately absent: threads and processes above this one, and re-statting the source, which the caller does.

mod assembled;
mod attempt;
mod auto_ladder;
mod chapters;
mod clock;
mod closed_captions;
mod conclude;
mod copier;
mod cost;
mod crew;
mod drawn;
mod ending;
mod fields;
mod file_writer;
mod first_reading;
pub mod given;
mod glance;
pub mod gpu;
mod grade;
mod head;
mod hold;
mod hole;
mod inspect;
mod join;
mod kept;
mod key_seek;
mod lane;
mod left_out;
mod opening;
mod output;
pub mod outside;
mod packaging;
mod partial;
mod plan;
mod pulldown;
mod rating;
mod reader;
mod rung;
mod sound;
mod splice;
mod stretch;
mod taps;
mod text;
mod timing;
mod track;
mod verdict;

use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::media::assembly::Rest;
use crate::media::av::Source;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::family;
use crate::media::family::Family;
use crate::media::limits::Limits;
use crate::media::pass::given::Given;
use crate::media::pass::gpu::fallback::Left;
use crate::media::pass::gpu::hardware::Device;
use crate::media::pass::gpu::hardware::Hardware;
use crate::media::pass::gpu::sought;
use crate::media::pass::gpu::witness::Witness;
use crate::media::pass::stretch::Stretch;
use crate::media::pictures_alone::AloneJob;
use crate::media::pictures_alone::carry_out_alone;
use crate::media::probe;
use crate::media::product::JobEnd;
use crate::media::product::JobProduct;
use crate::media::progress::Cost;
use crate::media::progress::Progress;
use crate::media::side_file::SideFiles;
use crate::media::spec::Backend;
use crate::media::spec::Joined;
use crate::media::spec::MediaWork;
use crate::media::spec::TranscodeSpec;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

const OPERATION: &str = "pass";

/// One job of a pass.
#[derive(Debug, Clone, PartialEq)]
pub struct PassJob {
    /// The job; also the name of its directory beneath `scratch`.
    pub job: JobId,
    /// What to make.
    pub work: MediaWork,
}

/// One attempt's work.
#[derive(Debug, Clone)]
pub struct PassOrder {
    /// The jobs.
    pub jobs: Vec<PassJob>,
    /// Private, empty directory; nothing is written anywhere else.
    pub scratch: PathBuf,
    /// Threads the attempt may keep busy.
    pub threads: u32,
    /// Which hardware may be used.
    pub backend: Backend,
    /// Which NVIDIA device, by ordinal; none: the first there is.
    pub device: Option<u32>,
    /// Limits against hostile or hopeless sources.
    pub limits: Limits,
    /// Files that the jobs name beside the source.
    pub side: SideFiles,
    /// The source is a folder, and these files in it.
    pub family: Option<Family>,
    /// The source is the first of several files.
    pub rest: Option<Rest>,
}

/// Who is told how it goes. Called from several threads.
pub trait Watch: Send + Sync {
    /// The facts of the source, before anything is made of it.
    fn facts(&self, facts: &MediaFacts);
    /// How far it is; a few times a second at most.
    fn progress(&self, progress: Progress);
    /// A job ended, its files are whole.
    fn job_ended(&self, job: &JobId, end: JobEnd);
    /// Whether the attempt shall stop now. Asked often; must be cheap.
    fn stop_asked(&self) -> bool;
}

/// Carries out an attempt. `Err` fails all jobs that have not been told to have ended.
pub fn carry_out(
    order: &PassOrder,
    source: impl Into<Given>,
    source_name: &str,
    watch: &dyn Watch,
) -> Result<Cost, Fault> {
    let source = source.into();
    let started = Instant::now();
    let hardware = Hardware::new(order.backend, order.device);
    let witness = Witness::new(watch, &hardware);
    let watch: &dyn Watch = &witness;
    let unreadable = |cause: std::io::Error| error::source_unreadable(OPERATION, source_name, cause.to_string());
    let open = || -> Result<Source, Fault> {
        let bytes = source.bytes().map_err(unreadable)?;
        Source::from_shared(bytes, source_name).map_err(unreadable)
    };
    let mut read_bytes = 0;
    let begin = || -> Result<probe::Opened, Fault> {
        match (&order.family, &order.rest) {
            (Some(family), _) => {
                let shelf = source.shelf().map_err(unreadable)?;
                family::open(&shelf, family, source_name, &order.limits)
            }
            (None, Some(rest)) => {
                let first = source.bytes().map_err(unreadable)?;
                assembled::open(&first, source_name, rest, &order.limits)
            }
            (None, None) => probe::open(open()?, &order.limits),
        }
    };
    let mut opened = begin()?;
    watch.facts(&opened.facts);
    let missing = opened.missing_data();
    let order = &match &missing {
        None => order.clone(),
        Some(missing) => {
            let kept = partial::keep(order, source_name, missing, watch)?;
            // Moments are placed on what there is of it, not on what it declares.
            partial::settle(&mut opened, open()?, &order.limits, source_name)?;
            kept
        }
    };
    if order.jobs.iter().any(|job| takes_part(&job.work)) {
        // What is wrong with its pictures is found when they are wanted.
        let _ = glance::look_for_timecode(&mut opened.demuxer, &mut opened.facts, &order.limits);
    }
    let facts = opened.facts.clone();
    let reopen = || -> Result<probe::Opened, Fault> {
        let mut opened = begin()?;
        opened.facts = facts.clone();
        Ok(opened)
    };

    let (jobs, decisions) = if facts.main_video().is_some() && auto_ladder::is_wanted(&order.jobs) {
        let mut tried = reopen()?;
        let expanded = auto_ladder::expand(&order.jobs, &mut tried, &order.limits, order.threads, watch)?;
        read_bytes += tried.demuxer.watch().read_bytes();
        expanded
    } else {
        (order.jobs.clone(), auto_ladder::Decisions::new())
    };
    let watch: &dyn Watch = &auto_ladder::Explaining {
        inner: watch,
        decisions,
    };
    let mut transcodes: Vec<(&JobId, &TranscodeSpec)> = Vec::new();
    let mut pictures: Vec<PassJob> = Vec::new();
    let mut inspections: Vec<PassJob> = Vec::new();
    for job in &jobs {
        make_directory(order, &job.job)?;
        match &job.work {
            MediaWork::Analysis => watch.job_ended(&job.job, JobEnd::Success(analysis(&opened))),
            MediaWork::Transcode(_) if order.family.is_none() && facts.is_still() => {
                let reason = "the source is a single picture, not a film".to_owned();
                watch.job_ended(&job.job, JobEnd::Skipped { reason });
            }
            MediaWork::Transcode(spec) => match rating::refusal(spec, source_name) {
                Some(fault) => watch.job_ended(&job.job, JobEnd::Failed { fault }),
                None => transcodes.push((&job.job, spec)),
            },
            MediaWork::Snapshot(_) | MediaWork::DynamicImage(_) if facts.main_video().is_none() => {
                let reason = "the source has no pictures".to_owned();
                watch.job_ended(&job.job, JobEnd::Skipped { reason });
            }
            MediaWork::Snapshot(_) | MediaWork::DynamicImage(_) => pictures.push(job.clone()),
            MediaWork::Qc(_) => inspections.push(job.clone()),
        }
    }
    let (mut passes, refused) = stretch::sort(&transcodes, &facts, source_name);
    for (job, fault) in refused {
        watch.job_ended(job, JobEnd::Failed { fault });
    }
    // Quality control looks at all of the source, whether anything is made of it or not.
    if !inspections.is_empty() && !passes.iter().any(Stretch::is_whole) {
        passes.push(Stretch {
            clip: None,
            joined: Joined::default(),
            copies: false,
            jobs: Vec::new(),
        });
    }
    // Pictures have times of their own and ride the pass that sees all of the source.
    let ride = passes.iter().position(Stretch::is_whole);
    read_bytes += opened.demuxer.watch().read_bytes();
    let mut first = Some(opened);
    for (number, stretch) in passes.iter().enumerate() {
        let opened = match first.take() {
            Some(opened) => opened,
            None => reopen()?,
        };
        let reading = opened.demuxer.watch();
        let before = reading.read_bytes();
        let riding = if ride == Some(number) {
            let mut riding = std::mem::take(&mut pictures);
            riding.append(&mut inspections);
            riding
        } else {
            Vec::new()
        };
        let share = (number as f64 / passes.len() as f64, 1.0 / passes.len() as f64);
        let run = |opened, stretch: &Stretch<'_>, riding: &[PassJob]| {
            attempt::run(order, opened, stretch, riding, watch, share, &reopen, &hardware)
        };
        match run(opened, stretch, &riding) {
            Err(fault) if hardware.falls_back(&fault) => {
                read_bytes += reading.read_bytes().saturating_sub(before);
                if let Some(left) = Left::of(order, stretch, &riding, &witness)? {
                    let opened = reopen()?;
                    let before = opened.demuxer.watch().read_bytes();
                    read_bytes += run(opened, &left.stretch, &left.riding)?.saturating_sub(before);
                }
            }
            total => read_bytes += total?.saturating_sub(before),
        }
    }
    if !pictures.is_empty() {
        let opened = match first.take() {
            Some(opened) => opened,
            None => reopen()?,
        };
        let is_row = order.rest.as_ref().is_some_and(Rest::is_row);
        let device = sought::choose(&hardware, &opened, is_row)?;
        read_bytes += pictures_alone(order, opened, &pictures, device, watch)?;
    }
    Ok(cost::of_process(started, read_bytes))
}

/// Carries out picture jobs without decoding everything, on a device if one is given. Answers the bytes read beyond the probe.
fn pictures_alone(
    order: &PassOrder,
    mut opened: probe::Opened,
    jobs: &[PassJob],
    device: Option<Arc<Device>>,
    watch: &dyn Watch,
) -> Result<u64, Fault> {
    glance::refuse_dolby(&opened.demuxer, &opened.facts)?;
    let started = Instant::now();
    let missing = opened.missing_data();
    let before = opened.demuxer.watch().read_bytes();
    let alone: Vec<AloneJob<'_>> = jobs
        .iter()
        .map(|job| AloneJob {
            directory: job.job.as_str(),
            work: &job.work,
        })
        .collect();
    let mut told_percent = 0.0_f64;
    let mut tell = |done: f64, frames: u64| {
        let percent = (done * 100.0).clamp(told_percent, 99.9);
        let wall_s = started.elapsed().as_secs_f64();
        if percent >= told_percent + 1.0 {
            told_percent = percent;
            watch.progress(Progress {
                percent,
                frames,
                fps: frames as f64 / wall_s.max(1e-3),
                speed: 0.0,
                eta_s: (done > 0.0).then(|| wall_s * (1.0 - done).max(0.0) / done),
            });
        }
        !watch.stop_asked()
    };
    let elsewhere = device
        .map(|device| sought::elsewhere(device, &mut opened, order))
        .transpose()?;
    let ends = carry_out_alone(
        &mut opened,
        &alone,
        &order.scratch,
        order.threads,
        &order.limits,
        elsewhere.as_deref(),
        &mut tell,
    )?;
    for (job, end) in jobs.iter().zip(ends) {
        let end = match &missing {
            Some(missing) => partial::mark(end, &partial::Lack::End(missing.clone())),
            None => end,
        };
        watch.job_ended(&job.job, end);
    }
    Ok(opened.demuxer.watch().read_bytes().saturating_sub(before))
}

/// Whether a transcode takes a part of the source, whose place may be said in timecode.
fn takes_part(work: &MediaWork) -> bool {
    matches!(work, MediaWork::Transcode(spec) if spec.clip.is_some())
}

fn make_directory(order: &PassOrder, job: &JobId) -> Result<(), Fault> {
    let path = order.scratch.join(job.as_str());
    std::fs::create_dir_all(&path).map_err(|cause| error::output_io("create the job's directory", &path, &cause))
}

fn analysis(opened: &probe::Opened) -> JobProduct {
    let warnings = opened
        .missing_data()
        .map(|missing| format!("the file is truncated: {missing}"));
    JobProduct {
        warnings: warnings.into_iter().collect(),
        ..JobProduct::default()
    }
}
