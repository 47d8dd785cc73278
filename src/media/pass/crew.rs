//! The threads of a pass: set up, fed by the reader, brought to their end.
//!
//! Guarantees: no thread outlives the pass; one that panics fails the attempt as a defect of ours.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Decoder;
use crate::media::av::Parameters;
use crate::media::av::PixelFormat;
use crate::media::cue::Cue;
use crate::media::error;
use crate::media::pass::attempt::Pass;
use crate::media::pass::closed_captions::CaptionFan;
use crate::media::pass::copier::Copier;
use crate::media::pass::copier::CopyTimes;
use crate::media::pass::gpu::cutting::Cutting;
use crate::media::pass::gpu::decoder::GpuDecoder;
use crate::media::pass::gpu::decoding::PictureDecoder;
use crate::media::pass::gpu::weaving::Weaving;
use crate::media::pass::gpu::work::is_launchable;
use crate::media::pass::grade;
use crate::media::pass::grade::Grade;
use crate::media::pass::head::Head;
use crate::media::pass::head::Wanted;
use crate::media::pass::hold::Hold;
use crate::media::pass::hole;
use crate::media::pass::inspect;
use crate::media::pass::opening::Encoders;
use crate::media::pass::opening::OpenedTexts;
use crate::media::pass::opening::VideoMaker;
use crate::media::pass::output::Health;
use crate::media::pass::output::Output;
use crate::media::pass::plan::Form;
use crate::media::pass::plan::OutputPlan;
use crate::media::pass::plan::VideoEncode;
use crate::media::pass::reader::AudioIn;
use crate::media::pass::reader::Ear;
use crate::media::pass::reader::Reader;
use crate::media::pass::reader::Reading;
use crate::media::pass::reader::VideoIn;
use crate::media::pass::rung;
use crate::media::pass::rung::Fan;
use crate::media::pass::rung::Outputs;
use crate::media::pass::sound;
use crate::media::pass::sound::Gain;
use crate::media::pass::sound::SoundMaker;
use crate::media::pass::sound::SoundSummary;
use crate::media::pass::taps;
use crate::media::pass::taps::Tapped;
use crate::media::pass::text::TextFeed;
use crate::media::pass::text::Texts;
use crate::media::pass::track::VideoTrack;
use crate::media::progress::Progress;
use crate::media::spec::VideoCodec;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;
use std::time::Instant;

const PROGRESS_EVERY: Duration = Duration::from_millis(250);
/// Frame threads of the decoder beyond this only cost memory.
const MAX_DECODER_THREADS: u32 = 16;
/// Encoding a picture takes at least so many times as long as decoding one of its size.
const ENCODING_OVER_DECODING: u32 = 4;

/// Where in the list of all fans those stand that the source feeds itself.
const SDR: usize = 0;
const HDR: usize = 1;

/// What came of reading: pictures, sound, and each tap with how it went.
pub type Harvest = (
    Reading,
    SoundSummary,
    Vec<(Tapped, Result<(), Fault>)>,
    Vec<Option<Vec<Cue>>>,
);

impl Pass<'_> {
    /// Reads the source with all threads at work. `gains`: of each audio encode.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn read(
        &self,
        demuxer: &mut crate::media::av::Demuxer,
        (encoders, texts): (Encoders, OpenedTexts),
        gains: &[Option<Gain>],
        outputs: &[Output],
        health: &Health,
        taps: Vec<Tapped>,
    ) -> Result<Harvest, Fault> {
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
            .map(|index| feeds(&|planned| planned.audios.contains(&index)))
            .collect();
        let ended_well = AtomicBool::new(false);
        let reached_ms = AtomicU64::new(0);
        let reached_s = || reached_ms.load(Ordering::Relaxed) as f64 / 1000.0;
        let whole = || ended_well.load(Ordering::Relaxed) && !self.watch.stop_asked() && !health.has_device_failed();
        let threads = self.order.threads.clamp(1, MAX_DECODER_THREADS);
        let decoder_threads = self.decoder_threads(threads);
        let source = self
            .facts
            .main_video()
            .map_or((0, 0), |(_, video)| video.display_size());
        let sdr_bounds = self.sdr_bounds(&taps);
        let has_taps = !taps.is_empty() || !self.inspections.is_empty();
        let mut cutting = self.work.device().map(|device| Cutting::new(device, source));

        let name = self.name.as_str();
        thread::scope(|scope| {
            // Taps first, then renditions from the smallest up: each needs the senders of those it feeds.
            let mut tap_threads = Vec::new();
            // First those that the source itself feeds, in SDR and in HDR, then those of each rendition.
            let mut fans: Vec<Vec<_>> = (0..self.plan.videos.len() + 2).map(|_| Vec::new()).collect();
            for tapped in taps {
                let (sender, receiver) = sync_channel(taps::QUEUE);
                match &mut cutting {
                    Some(cutting) => cutting.tap(sender),
                    None => {
                        let place = taps::place(tapped.tap.as_ref(), &self.plan.videos, &self.grades);
                        fans[place.map_or(SDR, |index| index + 2)].push(sender);
                    }
                }
                let unit = self.timing.unit;
                tap_threads.push(scope.spawn(move || taps::run(tapped, receiver, unit)));
            }
            let mut raw = Vec::new();
            let mut inspection_threads = Vec::new();
            for inspection in self.inspections.iter().filter(|_| self.facts.main_video().is_some()) {
                let (sender, receiver) = sync_channel(inspect::QUEUE);
                raw.push(sender);
                let unit = self.timing.unit;
                inspection_threads.push(scope.spawn(move || inspection.watch(receiver, unit)));
            }
            let mut captions = CaptionFan::default();
            let mut rung_threads = Vec::new();
            for (index, maker) in encoders.videos.into_iter().enumerate().rev() {
                let track = match maker {
                    Ok(VideoMaker::Source { .. }) => continue,
                    Ok(VideoMaker::Encoder(track)) if track.writes_captions() => Some(track.captioned(captions.open())),
                    Ok(VideoMaker::Encoder(track)) => Some(*track),
                    Err(_) => None,
                };
                let encode = &self.plan.videos[index];
                let feeder = feeder(&self.plan.videos, &self.grades, index, source);
                let (width, height) = match feeder.map(|larger| &self.plan.videos[larger]) {
                    Some(larger) => (larger.width, larger.height),
                    None => source,
                };
                let (sender, receiver) = sync_channel(rung::waiting(width, height));
                let fan = Fan(std::mem::take(&mut fans[index + 2]));
                let grade = self.grades[index];
                let root = if grade.is_hdr { HDR } else { SDR };
                match &mut cutting {
                    Some(cutting) => {
                        let takes_surfaces = track.as_ref().is_some_and(VideoTrack::takes_surfaces);
                        cutting.rendition(&grade, (encode.width, encode.height), takes_surfaces, sender);
                    }
                    None => fans[feeder.map_or(root, |larger| larger + 2)].push(sender),
                }
                let outputs = Outputs {
                    all: &video_feeds[index],
                    health,
                };
                let whole = &whole;
                rung_threads.push(scope.spawn(move || rung::run(encode, grade, track, receiver, fan, outputs, whole)));
            }
            let mut wanted = Vec::new();
            let mut audios = Vec::new();
            let mut sound_threads = Vec::new();
            let mut makers: Vec<Option<SoundMaker>> = encoders.audios.into_iter().map(Result::ok).collect();
            let mut maker = |number: usize| {
                let all = &audio_feeds[number];
                makers[number]
                    .take()
                    .map(|maker| Some((maker, Outputs { all, health })))
            };
            for stage in self.sound_stages(demuxer, &|_| true, &self.inspections, gains, &mut maker)? {
                let (sender, receiver) = sync_channel(sound::QUEUE);
                for stream in stage.streams() {
                    wanted.push(stream);
                    audios.push(AudioIn {
                        stream,
                        packets: sender.clone(),
                        done: false,
                    });
                }
                let (whole, reached_s) = (&whole, &reached_s);
                sound_threads.push(scope.spawn(move || sound::run(stage, receiver, whole, reached_s)));
            }
            let mut video = None;
            let mut stage_threads = Vec::new();
            let is_copy = |video: &VideoEncode| video.spec.codec == VideoCodec::Copy;
            let is_decoded = self.plan.videos.iter().any(|video| !is_copy(video)) || self.outside.captions().is_some();
            let copied = self.plan.videos.iter().position(is_copy);
            let copier = copied.zip(self.facts.main_video()).map(|(index, (stream, _))| {
                wanted.push(stream.index);
                let of_second = |seconds: f64| (seconds / self.timing.unit.value()).round() as i64;
                let times = CopyTimes {
                    source: stream.time_base,
                    pass: self.timing.unit,
                    origin: self.timing.origin,
                    end: self.timing.end_s.map(of_second),
                    usual_duration: of_second(1.0 / self.timing.rate.value()).max(1),
                };
                let outputs = Outputs {
                    all: &video_feeds[index],
                    health,
                };
                Copier::new(stream.index, times, outputs, self.timing.is_clip)
            });
            if let Some((stream, facts)) = self.facts.main_video().filter(|_| is_decoded || has_taps) {
                let parameters = stream_parameters(demuxer, stream.index).map_err(refused)?;
                let decoder = match self.work.decoding_device() {
                    Some(device) => {
                        let opened = GpuDecoder::open(&device.gpu, &parameters, stream.time_base, &self.order.limits);
                        PictureDecoder::Device(Box::new(opened.map_err(refused)?))
                    }
                    None => {
                        let opened = Decoder::open(&parameters, stream.time_base, decoder_threads, &self.order.limits);
                        PictureDecoder::Host(Box::new(opened.map_err(refused)?))
                    }
                };
                wanted.push(stream.index);
                let (has_sdr, has_hdr) = match &cutting {
                    Some(cutting) => (cutting.has_sdr(), cutting.has_hdr()),
                    None => (!fans[SDR].is_empty(), !fans[HDR].is_empty()),
                };
                let wanted_grades = Wanted {
                    sdr: has_sdr.then(|| grade::widest(&self.grades, false).unwrap_or(PixelFormat::YUV420P)),
                    hdr: grade::widest(&self.grades, true).filter(|_| has_hdr),
                    sdr_bounds,
                };
                let frame_s = facts.nominal_rate().map_or(0.04, |rate| 1.0 / rate.value());
                let unit = self.timing.unit;
                let mut head = Head::new(facts, self.glance, wanted_grades, unit, frame_s, threads);
                if let Some(device) = self.work.decoding_device() {
                    head = head.weaving(Weaving::on_device(device, self.glance.fields));
                }
                let (sdr, hdr) = match cutting.take() {
                    None => (std::mem::take(&mut fans[SDR]), std::mem::take(&mut fans[HDR])),
                    Some(cutting) => {
                        if is_launchable(&self.glance, &self.grades) {
                            head = head.leaving_rest();
                        }
                        let (stages, fans) = cutting.stages(head.aims(), unit, threads);
                        for stage in stages {
                            stage_threads.push(scope.spawn(move || stage.run(health, name)));
                        }
                        fans
                    }
                };
                video = Some(VideoIn {
                    stream: stream.index,
                    unit: stream.time_base,
                    origin: self.timing.origin.later(self.timing.lag_s),
                    decoder,
                    head,
                    out_unit: self.timing.unit,
                    usual_duration: (1.0 / self.timing.rate.value() / self.timing.unit.value())
                        .round()
                        .max(1.0) as i64,
                    next: None,
                    hold: Hold::within(
                        stream
                            .duration_s
                            .map(|length_s| (length_s / stream.time_base.value()).round() as i64),
                    ),
                    sdr: Fan(sdr),
                    hdr: Fan(hdr),
                    raw: Fan(raw),
                    captions,
                });
            }
            let texts = self.text_feeds(texts, outputs, health);
            wanted.extend(texts.streams());
            hole::add_witnesses(self.facts, &mut wanted);
            demuxer.keep_only(&wanted);
            let is_witnessed = demuxer.is_alone() && hole::is_witnessed(self.facts, &wanted);
            let mut reader = Reader {
                demuxer,
                video,
                audios,
                copier,
                origin: self.timing.origin,
                end_s: self.timing.end_s,
                is_clip: self.timing.is_clip,
                texts,
                holes: self.holes(is_witnessed),
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
            let until_s = reading.as_ref().map_or(0.0, |reading| reading.reached_s);
            reached_ms.store((until_s * 1000.0) as u64, Ordering::Relaxed);
            ended_well.store(
                matches!(&reading, Ok(reading) if self.check_damage(reading).is_ok()),
                Ordering::Relaxed,
            );
            if let Some(copier) = reader.copier.as_ref().filter(|_| whole()) {
                copier.outputs().end_track();
            }
            // With the reader go the first senders: all threads come to their end, one after the other.
            let Reader {
                texts, video, audios, ..
            } = reader;
            drop((video, audios));
            let (cues, notes) = texts.finish(whole());
            self.drawn_notes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(notes);
            let died = |_| error::broken_invariant("pass", &self.name, "a thread of the pass panicked");
            for thread in stage_threads {
                thread.join().map_err(died)?;
            }
            let mut tapped = Vec::new();
            for thread in tap_threads {
                let (tap, answer) = thread.join().map_err(died)?;
                if let Some(fault) = answer.as_ref().err().filter(|fault| error::is_of_device(fault)) {
                    health.fail_device(fault);
                }
                tapped.push((tap, answer));
            }
            for thread in inspection_threads {
                if let Err(refusal) = thread.join().map_err(died)? {
                    health.fail_device(&error::source_refused("look at the pictures", &self.name, &refusal));
                }
            }
            for thread in rung_threads {
                thread.join().map_err(died)?;
            }
            let mut sound = SoundSummary::default();
            for thread in sound_threads {
                let answer = thread.join().map_err(died)?;
                sound.add(answer.map_err(|refusal| error::sound_refused("decode the sound", &self.name, &refusal))?);
            }
            if let Some(fault) = health.device_fault() {
                return Err(fault);
            }
            Ok((reading?, sound, tapped, cues))
        })
    }

    /// The largest that SDR pictures are wanted: by the largest rendition, and for twice the next ones, which are
    /// scaled from it. None: some picture may want them as large as they are.
    fn sdr_bounds(&self, taps: &[Tapped]) -> Option<(u32, u32)> {
        let mut sizes: Vec<(u32, u32)> = self
            .plan
            .videos
            .iter()
            .zip(&self.grades)
            .filter(|(_, grade)| !grade.is_hdr)
            .map(|(video, _)| (video.width, video.height))
            .collect();
        for tapped in taps {
            sizes.push(tapped.tap.wanted_size()?);
        }
        sizes.sort_by_key(|(width, height)| std::cmp::Reverse(u64::from(*width) * u64::from(*height)));
        sizes.dedup();
        let largest = *sizes.first()?;
        let next = sizes.get(1).copied().unwrap_or((0, 0));
        Some((largest.0.max(2 * next.0), largest.1.max(2 * next.1)))
    }

    /// Where text goes while the source is read.
    fn text_feeds<'o>(&self, tracks: OpenedTexts, outputs: &'o [Output], health: &'o Health) -> Texts<'o> {
        let mut feeds = Vec::new();
        for (output, planned) in outputs.iter().zip(&self.plan.outputs) {
            let Form::File(container) = &planned.form else { continue };
            for text in &planned.texts {
                let (Some(track), Some(form)) = (&tracks[*text], self.text_form(*text, *container)) else {
                    continue;
                };
                match form.encoder(track.header()) {
                    Ok(encoder) => feeds.push(TextFeed {
                        text: *text,
                        output,
                        form,
                        encoder,
                        places: track.places().clone(),
                        waiting: Vec::new(),
                    }),
                    Err(refusal) => output.fail(
                        error::output_refused("open the output", &planned.name, &refusal),
                        health,
                    ),
                }
            }
        }
        // Sets have their text as WebVTT.
        let apart = self.plan.outputs.iter().flat_map(|planned| match &planned.form {
            Form::File(_) => planned.beside.as_slice(),
            Form::Segments(_) | Form::Captions(_) => planned.texts.as_slice(),
        });
        Texts {
            tracks,
            feeds,
            apart: apart.copied().collect(),
            health,
            end_s: self.timing.end_s,
            last_s: self.timing.expected_s,
        }
    }

    /// Threads of the decoder: each holds pictures of the source's size, and where renditions as large as the source
    /// are made, the encoders are what a pass waits for.
    fn decoder_threads(&self, threads: u32) -> u32 {
        let area = |(width, height): (u32, u32)| u64::from(width) * u64::from(height);
        let made: u64 = self
            .plan
            .videos
            .iter()
            .filter(|video| video.spec.codec != VideoCodec::Copy)
            .map(|video| area((video.width, video.height)))
            .sum();
        match self.facts.main_video() {
            Some((_, video)) if made >= area(video.display_size()) => threads.div_ceil(ENCODING_OVER_DECODING),
            _ => threads,
        }
    }
}

/// Which rendition feeds number `index` of `videos` (largest first); none: the source. The smallest one of at least
/// twice its size, because scaling by less than half a second time is what softens a picture; the source, which is
/// less than twice its size then or has nothing between, else.
fn feeder(videos: &[VideoEncode], grades: &[Grade], index: usize, source: (u32, u32)) -> Option<usize> {
    let wanted = &videos[index];
    let twice = |width: u32, height: u32| width >= 2 * wanted.width && height >= 2 * wanted.height;
    let found = (0..index).rev().find(|larger| {
        grades[*larger].can_feed(&grades[index]) && twice(videos[*larger].width, videos[*larger].height)
    });
    // An enlarged rendition is no better a source than the source itself.
    found.filter(|larger| videos[*larger].width <= source.0 && videos[*larger].height <= source.1)
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
        self.pass.watch.stop_asked() || self.health.has_device_failed() || (!self.has_taps && self.health.is_hopeless())
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
