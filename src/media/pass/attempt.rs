//! One run over a source: threads are set up, the source is read once, jobs are concluded.

use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Decoder;
use crate::media::av::Encoder;
use crate::media::av::Parameters;
use crate::media::av::packet::rescale;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::pass::PassJob;
use crate::media::pass::PassOrder;
use crate::media::pass::Watch;
use crate::media::pass::clock;
use crate::media::pass::clock::Origin;
use crate::media::pass::conclude;
use crate::media::pass::conclude::Made;
use crate::media::pass::conclude::Proved;
use crate::media::pass::conclude::VideoMade;
use crate::media::pass::head;
use crate::media::pass::head::Head;
use crate::media::pass::output::FileTags;
use crate::media::pass::output::FileWriter;
use crate::media::pass::output::Health;
use crate::media::pass::output::Output;
use crate::media::pass::output::Writer;
use crate::media::pass::plan::Form;
use crate::media::pass::plan::OutputPlan;
use crate::media::pass::plan::Plan;
use crate::media::pass::playlist;
use crate::media::pass::reader::AudioIn;
use crate::media::pass::reader::Ear;
use crate::media::pass::reader::Reader;
use crate::media::pass::reader::Reading;
use crate::media::pass::reader::VideoIn;
use crate::media::pass::rung;
use crate::media::pass::rung::Fan;
use crate::media::pass::rung::Outputs;
use crate::media::pass::rung::VideoTrack;
use crate::media::pass::segments::SegmentWriter;
use crate::media::pass::sound;
use crate::media::pass::sound::SoundSummary;
use crate::media::pass::sound::SoundTrack;
use crate::media::pass::taps;
use crate::media::pass::taps::Tapped;
use crate::media::picture_tap::PictureTap;
use crate::media::probe;
use crate::media::probe::Opened;
use crate::media::product::JobEnd;
use crate::media::product::JobProduct;
use crate::media::progress::Progress;
use crate::media::spec::Clip;
use crate::media::spec::TranscodeSpec;
use crate::media::tap::TapOrder;
use crate::media::verify::AudioExpected;
use crate::media::verify::VideoExpected;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;
use std::time::Instant;

const PROGRESS_EVERY: Duration = Duration::from_millis(250);
/// Frame threads of the decoder beyond this only cost memory.
const MAX_DECODER_THREADS: u32 = 16;

/// Time of a pass.
#[derive(Debug, Clone, Copy)]
struct Timing {
    origin: Origin,
    end_s: Option<f64>,
    /// Length expected, seconds; for progress and the truncation check.
    expected_s: Option<f64>,
    unit: Ratio,
    rate: Ratio,
    is_clip: bool,
}

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
    let timing = timing(&facts, clip, &plan, !taps.is_empty());
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

fn timing(facts: &MediaFacts, clip: Option<Clip>, plan: &Plan, has_taps: bool) -> Timing {
    let video = facts.main_video().filter(|_| !plan.videos.is_empty() || has_taps);
    // The origin is the same whatever is made, so that times of pictures mean the same with and without a pass.
    let audio = facts.main_audio();
    let starts = [
        facts.main_video().map(|(stream, _)| stream),
        audio.map(|(stream, _)| stream),
    ];
    // The exact time stamp of whichever track begins first.
    let origin = starts
        .into_iter()
        .flatten()
        .filter_map(|stream| {
            let start_s = stream.start_time_s?;
            let ticks = (start_s / stream.time_base.value()).round() as i64;
            Some((
                start_s,
                Origin {
                    ticks,
                    unit: stream.time_base,
                },
            ))
        })
        .min_by(|one, other| one.0.total_cmp(&other.0))
        .map_or(
            Origin {
                ticks: 0,
                unit: clock::MICROSECOND,
            },
            |(_, origin)| origin,
        );
    let clip = clip.unwrap_or_default();
    let whole_s = video.and_then(|(stream, _)| stream.duration_s).or(facts.duration_s);
    let end_s = clip.end_s.map(|end_s| (end_s - clip.start_s).max(0.0));
    let rate = video
        .and_then(|(_, video)| video.average_frame_rate.or(video.frame_rate))
        .filter(|rate| (0.1..=1000.0).contains(&rate.value()))
        .unwrap_or(Ratio { num: 25, den: 1 });
    Timing {
        origin: origin.later(clip.start_s),
        end_s,
        expected_s: whole_s.map(|whole_s| {
            let left_s = (whole_s - clip.start_s).max(0.0);
            end_s.map_or(left_s, |end_s| end_s.min(left_s))
        }),
        unit: video.map_or(Ratio { num: 1, den: 90_000 }, |(stream, _)| {
            clock::output_unit(stream.time_base)
        }),
        rate,
        is_clip: clip.start_s > 0.0,
    }
}

/// Everything the threads of a pass share.
struct Pass<'a> {
    order: &'a PassOrder,
    plan: &'a Plan,
    facts: &'a MediaFacts,
    timing: Timing,
    watch: &'a dyn Watch,
    share: (f64, f64),
    name: String,
    /// The source is known to be truncated, and that is accepted.
    is_cut: bool,
}

/// Encoders opened before the first picture, so that muxers know their streams.
struct Encoders {
    videos: Vec<Result<VideoTrack, Fault>>,
    audios: Vec<Result<Encoder, Fault>>,
    parameters: Vec<Option<Parameters>>,
    audio_parameters: Vec<Option<Parameters>>,
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
                let tracks = usize::from(output.video.is_some()) + usize::from(output.audio.is_some());
                let partial = self.plan.jobs[output.job].partial;
                let writer = self.open_writer(output, &encoders);
                Output::new(&output.name, output.job, partial, tracks, writer)
            })
            .collect();
        for (output, planned) in outputs.iter().zip(&self.plan.outputs) {
            let failed = [
                planned.video.and_then(|index| encoders.videos[index].as_ref().err()),
                planned.audio.and_then(|index| encoders.audios[index].as_ref().err()),
            ];
            if let Some(fault) = failed.into_iter().flatten().next() {
                output.fail(fault.clone(), &health);
            }
        }
        let mut made = Made {
            videos: vec![None; self.plan.videos.len()],
            audios: vec![None; self.plan.audios.len()],
            language: self.facts.main_audio().and_then(|(stream, _)| stream.language.clone()),
        };
        let header = |index: usize| encoders.parameters[index].as_ref();
        let codecs: Vec<Option<String>> = (0..self.plan.videos.len())
            .map(|index| playlist::avc_codec(header(index)?.extradata()))
            .collect();

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

    fn open_encoders(&self, color: Color) -> Encoders {
        let areas: Vec<u64> = self
            .plan
            .videos
            .iter()
            .map(|video| u64::from(video.width) * u64::from(video.height))
            .collect();
        let total = areas.iter().sum::<u64>().max(1);
        let videos: Vec<Result<VideoTrack, Fault>> = self
            .plan
            .videos
            .iter()
            .zip(&areas)
            .map(|(video, area)| {
                // Renditions run side by side already; only a host with more cores than renditions gains from
                // threads inside an encoder, the larger ones most.
                let share = u64::from(self.order.threads) * area / total;
                let threads = u32::try_from(share).unwrap_or(1).clamp(1, 16);
                VideoTrack::open(video, self.timing.unit, self.timing.rate, color, threads)
            })
            .collect();
        let audios: Vec<Result<Encoder, Fault>> = self.plan.audios.iter().map(sound::open_encoder).collect();
        Encoders {
            parameters: videos
                .iter()
                .map(|track| track.as_ref().ok()?.encoder().parameters().ok())
                .collect(),
            audio_parameters: audios
                .iter()
                .map(|encoder| encoder.as_ref().ok()?.parameters().ok())
                .collect(),
            videos,
            audios,
        }
    }

    fn open_writer(&self, output: &OutputPlan, encoders: &Encoders) -> Result<Writer, Fault> {
        let path = self.order.scratch.join(conclude::path_of(self.plan, output));
        let directory = match output.form {
            Form::File(_) => path.parent().unwrap_or(&path),
            Form::Segments { .. } => &path,
        };
        std::fs::create_dir_all(directory).map_err(|cause| error::output_io("create the folder", directory, &cause))?;
        let refused = |refusal: AvError| error::output_refused("open the output", &output.name, &refusal);
        let video = match output.video {
            None => None,
            Some(index) => match (&encoders.videos[index], &encoders.parameters[index]) {
                (Ok(track), Some(parameters)) => Some((parameters, track.unit(), track.rate())),
                (Err(fault), _) => return Err(fault.clone()),
                _ => {
                    return Err(error::broken_invariant(
                        "open the output",
                        &output.name,
                        "an encoder has no parameters",
                    ));
                }
            },
        };
        let audio = match output.audio {
            None => None,
            Some(index) => match (&encoders.audios[index], &encoders.audio_parameters[index]) {
                (Ok(encoder), Some(parameters)) => Some((parameters, encoder.time_base())),
                (Err(fault), _) => return Err(fault.clone()),
                _ => {
                    return Err(error::broken_invariant(
                        "open the output",
                        &output.name,
                        "an encoder has no parameters",
                    ));
                }
            },
        };
        let language = self.facts.main_audio().and_then(|(stream, _)| stream.language.clone());
        match &output.form {
            Form::File(_) => {
                let tags = FileTags {
                    chapters: self.chapters(),
                    tags: self.kept_tags(),
                    language,
                };
                FileWriter::create(&path, video, audio, &tags)
                    .map(Writer::File)
                    .map_err(refused)
            }
            Form::Segments { segment_s, .. } => {
                let (parameters, unit, rate) = match (video, audio) {
                    (Some((parameters, unit, rate)), _) => (parameters, unit, Some(rate)),
                    (None, Some((parameters, unit))) => (parameters, unit, None),
                    (None, None) => {
                        return Err(error::broken_invariant(
                            "open the output",
                            &output.name,
                            "it has no track",
                        ));
                    }
                };
                SegmentWriter::create(&path, parameters, unit, rate, language.as_deref(), *segment_s)
                    .map(Writer::Segments)
                    .map_err(refused)
            }
        }
    }

    /// Chapters inside the clip, on the outputs' clock.
    fn chapters(&self) -> Vec<(f64, f64, Option<String>)> {
        let zero_s = self.timing.origin.ticks as f64 * self.timing.origin.unit.value();
        let end_s = self.timing.expected_s.unwrap_or(f64::MAX);
        self.facts
            .chapters
            .iter()
            .map(|chapter| {
                (
                    (chapter.start_s - zero_s).max(0.0),
                    (chapter.end_s - zero_s).min(end_s),
                    chapter.title.clone(),
                )
            })
            .filter(|(start_s, end_s, _)| end_s > start_s)
            .collect()
    }

    fn kept_tags(&self) -> std::collections::BTreeMap<String, String> {
        const KEPT: [&str; 8] = [
            "title",
            "artist",
            "album",
            "date",
            "comment",
            "copyright",
            "description",
            "creation_time",
        ];
        let tags = &self.facts.tags;
        KEPT.iter()
            .filter_map(|key| Some(((*key).to_owned(), tags.get(*key)?.clone())))
            .collect()
    }

    /// Reads the source with all threads at work.
    fn read(
        &self,
        demuxer: &mut crate::media::av::Demuxer,
        color: Color,
        encoders: Encoders,
        outputs: &[Output],
        health: &Health,
        taps: Vec<Tapped>,
    ) -> Result<(Reading, SoundSummary, Vec<(Tapped, Result<(), Fault>)>), Fault> {
        let refused = |refusal: AvError| error::source_refused("open the decoder", &self.name, &refusal);
        let feeds = |wanted: &dyn Fn(&OutputPlan) -> bool| -> Vec<&Output> {
            let pairs = outputs.iter().zip(&self.plan.outputs);
            pairs
                .filter(|(_, planned)| wanted(planned))
                .map(|(output, _)| output)
                .collect()
        };
        let video_feeds: Vec<Vec<&Output>> = (0..self.plan.videos.len())
            .map(|index| feeds(&|planned| planned.video == Some(index)))
            .collect();
        let audio_feeds: Vec<Vec<&Output>> = (0..self.plan.audios.len())
            .map(|index| feeds(&|planned| planned.audio == Some(index)))
            .collect();
        let ended_well = AtomicBool::new(false);
        let whole = || ended_well.load(Ordering::Relaxed) && !self.watch.stop_asked();
        let threads = self.order.threads.clamp(1, MAX_DECODER_THREADS);
        let has_taps = !taps.is_empty();

        thread::scope(|scope| {
            // Taps first, then renditions from the smallest up: each needs the senders of those it feeds.
            let mut tap_threads = Vec::new();
            let mut fans: Vec<Vec<_>> = (0..=self.plan.videos.len()).map(|_| Vec::new()).collect();
            for tapped in taps {
                let (sender, receiver) = sync_channel(taps::QUEUE);
                let place = taps::place(tapped.tap.as_ref(), &self.plan.videos);
                fans[place.map_or(0, |index| index + 1)].push(sender);
                let unit = self.timing.unit;
                tap_threads.push(scope.spawn(move || taps::run(tapped, receiver, unit)));
            }
            let mut rung_threads = Vec::new();
            for (index, track) in encoders.videos.into_iter().enumerate().rev() {
                let (sender, receiver) = sync_channel(rung::QUEUE);
                let fan = Fan(std::mem::take(&mut fans[index + 1]));
                fans[index].push(sender);
                let encode = &self.plan.videos[index];
                let outputs = Outputs {
                    all: &video_feeds[index],
                    health,
                };
                let whole = &whole;
                rung_threads.push(scope.spawn(move || rung::run(encode, track.ok(), receiver, fan, outputs, whole)));
            }
            let mut wanted = Vec::new();
            let mut audio = None;
            let mut sound_thread = None;
            if let Some((stream, _)) = self.facts.main_audio().filter(|_| !self.plan.audios.is_empty()) {
                let parameters = stream_parameters(demuxer, stream.index).map_err(refused)?;
                let decoder = Decoder::open(&parameters, stream.time_base, 1, &self.order.limits).map_err(refused)?;
                let tracks: Vec<SoundTrack<'_>> = self
                    .plan
                    .audios
                    .iter()
                    .zip(encoders.audios)
                    .zip(&audio_feeds)
                    .filter_map(|((encode, encoder), all)| {
                        Some(SoundTrack::new(
                            encode,
                            encoder.ok()?,
                            self.timing.end_s,
                            Outputs { all, health },
                        ))
                    })
                    .collect();
                let (sender, receiver) = sync_channel(sound::QUEUE);
                let (unit, origin, whole) = (stream.time_base, self.timing.origin, &whole);
                sound_thread = Some(scope.spawn(move || sound::run(decoder, unit, origin, receiver, tracks, whole)));
                wanted.push(stream.index);
                audio = Some(AudioIn {
                    stream: stream.index,
                    packets: sender,
                });
            }
            let mut video = None;
            if let Some((stream, facts)) = self
                .facts
                .main_video()
                .filter(|_| !self.plan.videos.is_empty() || has_taps)
            {
                let parameters = stream_parameters(demuxer, stream.index).map_err(refused)?;
                let decoder =
                    Decoder::open(&parameters, stream.time_base, threads, &self.order.limits).map_err(refused)?;
                wanted.push(stream.index);
                video = Some(VideoIn {
                    stream: stream.index,
                    unit: stream.time_base,
                    decoder,
                    head: Head::new(facts, color, self.timing.unit, threads),
                    out_unit: self.timing.unit,
                    usual_duration: (1.0 / self.timing.rate.value() / self.timing.unit.value())
                        .round()
                        .max(1.0) as i64,
                    fan: Fan(std::mem::take(&mut fans[0])),
                });
            }
            demuxer.keep_only(&wanted);
            let mut reader = Reader {
                demuxer,
                video,
                audio,
                origin: self.timing.origin,
                end_s: self.timing.end_s,
                is_clip: self.timing.is_clip,
            };
            let mut ear = Listener {
                pass: self,
                health,
                has_taps,
                started: Instant::now(),
                told: Instant::now(),
                percent: 0.0,
            };
            let reading = reader.run(&mut ear);
            ended_well.store(
                matches!(&reading, Ok(reading) if self.check_damage(reading).is_ok()),
                Ordering::Relaxed,
            );
            // With the reader go the first senders: all threads come to their end, one after the other.
            drop(reader);
            let died = |_| error::broken_invariant("pass", &self.name, "a thread of the pass panicked");
            let mut tapped = Vec::new();
            for thread in tap_threads {
                tapped.push(thread.join().map_err(died)?);
            }
            for thread in rung_threads {
                thread.join().map_err(died)?;
            }
            let sound = match sound_thread {
                None => SoundSummary::default(),
                Some(thread) => thread
                    .join()
                    .map_err(died)?
                    .map_err(|refusal| error::source_refused("decode the sound", &self.name, &refusal))?,
            };
            Ok((reading?, sound, tapped))
        })
    }

    fn check_damage(&self, reading: &Reading) -> Result<(), Fault> {
        let total = reading.decoded.max(reading.damaged);
        let percent = reading.damaged as f64 * 100.0 / total.max(1) as f64;
        // Where a file was cut, its last pictures are damaged.
        if !self.is_cut && reading.damaged > 0 && percent > self.order.limits.max_damaged_percent {
            return Err(error::source_damaged(
                "decode",
                &self.name,
                format!(
                    "{} of {total} pictures are damaged ({percent:.1} %, allowed are {} %)",
                    reading.damaged, self.order.limits.max_damaged_percent
                ),
            ));
        }
        Ok(())
    }

    fn check_source(&self, reading: &Reading, sound: &SoundSummary) -> Result<(), Fault> {
        self.check_damage(reading)?;
        let has_video = self.facts.main_video().is_some() && !self.plan.videos.is_empty();
        if has_video && reading.shown == 0 {
            return Err(error::source_undecodable(
                "decode",
                &self.name,
                "not one picture of it could be decoded",
            ));
        }
        if !has_video && !self.plan.audios.is_empty() && sound.frames == 0 {
            return Err(error::source_undecodable(
                "decode",
                &self.name,
                "no sound of it could be decoded",
            ));
        }
        Ok(())
    }

    /// Why the source is shorter than it declares, if it is; known only after it was read.
    fn truncation(&self, demuxer: &crate::media::av::Demuxer, reading: &Reading) -> Option<String> {
        if reading.past_end {
            return None;
        }
        if let Some(line) = demuxer.cut_short() {
            return Some(line);
        }
        if reading.lost_rest {
            return Some("the rest of the file could not be read".to_owned());
        }
        if let Some(missing) = probe::missing_samples(demuxer) {
            return Some(missing);
        }
        let declares = ["mov,", "matroska", "mxf", "avi", "asf", "flv"];
        let expected_s = self.timing.expected_s.filter(|_| {
            !demuxer.duration_is_guess() && declares.iter().any(|name| self.facts.format_name.starts_with(name))
        })?;
        let tolerance_s = (expected_s * 0.02).max(2.0);
        (reading.reached_s + tolerance_s < expected_s).then(|| {
            format!(
                "it declares {expected_s:.1} s and ends after {:.1} s",
                reading.reached_s
            )
        })
    }

    fn warnings(&self, reading: &Reading, sound: &SoundSummary) -> Vec<String> {
        let mut warnings = Vec::new();
        if reading.damaged > 0 {
            warnings.push(format!(
                "{} of {} pictures are damaged",
                reading.damaged, reading.decoded
            ));
        }
        if reading.rebuilds > 0 {
            warnings.push(format!(
                "pictures changed their size or format {} times",
                reading.rebuilds
            ));
        }
        if reading.jumps > 0 {
            warnings.push(format!("{} jumps of the time stamps were closed", reading.jumps));
        }
        if reading.resynchronised > 0 {
            warnings.push(format!(
                "the demuxer found its way again {} times",
                reading.resynchronised
            ));
        }
        if sound.refused_packets > 0 {
            warnings.push(format!(
                "{} packets of sound could not be decoded",
                sound.refused_packets
            ));
        }
        if sound.moved_s > 0.1 {
            warnings.push(format!(
                "sound was moved by {:.2} s in all to follow its time stamps",
                sound.moved_s
            ));
        }
        warnings
    }

    fn video_made(&self, index: usize, reading: &Reading, color: Color, codec: Option<String>) -> VideoMade {
        let encode = &self.plan.videos[index];
        let unit = self.timing.unit.value();
        let (first_s, last_s, end_s) = (
            reading.first.unwrap_or(0) as f64 * unit,
            reading.last as f64 * unit,
            reading.end as f64 * unit,
        );
        let (frames, first_s, last_s, end_s, rate) = match encode.spec.fps {
            None => (reading.shown, first_s, last_s, end_s, self.timing.rate),
            Some(fps) => {
                let rate = clock::exact_rate(fps);
                let slot_s = 1.0 / rate.value();
                let slots = (end_s / slot_s - 0.5).ceil().max(0.0);
                (slots as u64, 0.0, (slots - 1.0).max(0.0) * slot_s, slots * slot_s, rate)
            }
        };
        VideoMade {
            expected: VideoExpected {
                width: encode.width,
                height: encode.height,
                frames,
                first_s,
                last_s,
                end_s,
                color,
            },
            codec,
            rate,
        }
    }

    /// Proves all outputs, side by side, and ends the jobs.
    fn conclude(&self, outputs: Vec<Output>, made: &Made, warnings: &[String], truncated: Option<&str>) {
        let mut results: Vec<Option<Result<Option<crate::media::pass::segments::Track>, Fault>>> =
            outputs.into_iter().map(|output| Some(output.into_result())).collect();
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
            let end = self.end_job(number, job, &failed, &mut proved, made, warnings, truncated);
            self.watch
                .job_ended(&job.job, end.unwrap_or_else(|fault| JobEnd::Failed { fault }));
        }
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
        truncated: Option<&str>,
    ) -> Result<JobEnd, Fault> {
        if let (Some(missing), false) = (truncated, job.partial) {
            return Err(error::source_truncated("decode", &self.name, missing));
        }
        let mine = self.plan.outputs.iter().filter(|output| output.job == number).count();
        if let Some((_, fault)) = failed.first().filter(|_| !job.partial || failed.len() == mine) {
            return Err((*fault).clone());
        }
        let mut product = JobProduct {
            dropped: job.dropped.clone(),
            warnings: warnings.to_vec(),
            backend: "software".to_owned(),
            ..JobProduct::default()
        };
        for (output, fault) in failed {
            product.warnings.push(format!("{} is missing: {fault}", output.name));
        }
        for group in &job.groups {
            product
                .outputs
                .extend(conclude::products(self.plan, group, proved, made, &self.order.scratch)?);
        }
        Ok(JobEnd::Success(product))
    }
}

fn stream_parameters(demuxer: &crate::media::av::Demuxer, index: usize) -> Result<Parameters, AvError> {
    match demuxer.stream(index) {
        Some(stream) => stream.parameters(),
        None => Err(AvError::argument("stream")),
    }
}

/// Turns the reader's position into progress, and the world's wishes into an end.
struct Listener<'a, 'p> {
    pass: &'a Pass<'p>,
    health: &'a Health,
    has_taps: bool,
    started: Instant,
    told: Instant,
    percent: f64,
}

impl Ear for Listener<'_, '_> {
    fn must_end(&self) -> bool {
        self.pass.watch.stop_asked() || (!self.has_taps && self.health.is_hopeless())
    }

    fn reached(&mut self, seconds: f64, frames: u64) {
        if self.told.elapsed() < PROGRESS_EVERY {
            return;
        }
        self.told = Instant::now();
        let wall_s = self.started.elapsed().as_secs_f64().max(1e-3);
        let (from, width) = self.pass.share;
        let done = self
            .pass
            .timing
            .expected_s
            .filter(|expected_s| *expected_s > 0.0)
            .map(|expected_s| (seconds / expected_s).clamp(0.0, 0.999));
        self.percent = self.percent.max((from + width * done.unwrap_or(0.0)) * 100.0);
        let speed = seconds.max(0.0) / wall_s;
        let left_s = self
            .pass
            .timing
            .expected_s
            .map(|expected_s| (expected_s - seconds).max(0.0));
        self.pass.watch.progress(Progress {
            percent: self.percent,
            frames,
            fps: frames as f64 / wall_s,
            speed,
            eta_s: left_s.filter(|_| speed > 0.0).map(|left_s| left_s / speed),
        });
    }
}
