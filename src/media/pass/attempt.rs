//! One run over a source: what is to be made is planned and opened, the source is read once, jobs are concluded.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::media::assembly::Rest;
use crate::media::av::Demuxer;
use crate::media::av::Parameters;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::facts::StreamFacts;
use crate::media::pass::PassJob;
use crate::media::pass::PassOrder;
use crate::media::pass::Watch;
use crate::media::pass::clock::Origin;
use crate::media::pass::conclude::Made;
use crate::media::pass::copier;
use crate::media::pass::drawn;
use crate::media::pass::fields::Fields;
use crate::media::pass::file_writer::Cover;
use crate::media::pass::first_reading;
use crate::media::pass::glance;
use crate::media::pass::glance::Glance;
use crate::media::pass::glance::Looking;
use crate::media::pass::gpu::hardware::Hardware;
use crate::media::pass::gpu::work::Question;
use crate::media::pass::gpu::work::Work;
use crate::media::pass::grade::Grade;
use crate::media::pass::inspect;
use crate::media::pass::inspect::Inspection;
use crate::media::pass::join;
use crate::media::pass::kept;
use crate::media::pass::key_seek;
use crate::media::pass::output::Health;
use crate::media::pass::output::Output;
use crate::media::pass::outside::Outside;
use crate::media::pass::packaging::codec_name;
use crate::media::pass::packaging::seal;
use crate::media::pass::packaging::seal::Seals;
use crate::media::pass::partial;
use crate::media::pass::partial::Lack;
use crate::media::pass::plan::Plan;
use crate::media::pass::rating::Ratings;
use crate::media::pass::sound::Measured;
use crate::media::pass::stretch::Stretch;
use crate::media::pass::taps;
use crate::media::pass::taps::Tapped;
use crate::media::pass::timing;
use crate::media::pass::timing::Timing;
use crate::media::pass::track::Turn;
use crate::media::probe::Opened;
use crate::media::product::JobEnd;
use crate::media::spec::Clip;
use crate::media::spec::MediaWork;
use crate::media::spec::TranscodeSpec;
use crate::media::spec::VideoCodec;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Opens the source once more.
pub type Reopen<'a> = &'a (dyn Fn() -> Result<Opened, Fault> + Sync);

/// Runs the jobs of one clip range, and picture jobs that ride along. Answers the bytes read of the source.
/// `share`: where in 0..=1 this run begins and how much of it it is, for progress; `reopen` opens the source once
/// more, for what must be known of it before; `hardware` is asked for its device where pictures are made.
#[allow(clippy::too_many_arguments)]
pub fn run(
    order: &PassOrder,
    opened: Opened,
    stretch: &Stretch<'_>,
    pictures: &[PassJob],
    watch: &dyn Watch,
    share: (f64, f64),
    reopen: Reopen<'_>,
    hardware: &Hardware,
) -> Result<u64, Fault> {
    let mut opened = opened;
    let (clip, jobs) = (stretch.clip, stretch.jobs.as_slice());
    let missing = opened.missing_data();
    let jobs = match &missing {
        None => jobs.to_vec(),
        Some(missing) => partial::keep_transcodes(
            jobs,
            error::source_truncated("read", opened.demuxer.name(), missing.as_str()),
            watch,
        )?,
    };
    let (facts, glance) = look_first(order, &mut opened, clip, &jobs, pictures)?;
    let takes_partial = jobs.iter().all(|(_, spec)| spec.partial);
    let (own_facts, own_clip) = (facts, clip);
    let again = || {
        let mut opened = reopen()?;
        if !stretch.joined.is_empty() {
            join::extend(order, &mut opened, &own_facts, own_clip, &stretch.joined, takes_partial)?;
        }
        Ok(opened)
    };
    let (facts, clip) = if stretch.joined.is_empty() {
        (own_facts.clone(), clip)
    } else {
        match join::extend(order, &mut opened, &own_facts, clip, &stretch.joined, takes_partial) {
            Ok(facts) => (facts, None),
            // What is wrong with a joined file is no reason to fail jobs that do not join it.
            Err(fault) if fault.blame != Blame::Host => {
                for (job, _) in jobs {
                    watch.job_ended(job, JobEnd::Failed { fault: fault.clone() });
                }
                return Ok(opened.demuxer.watch().read_bytes());
            }
            Err(fault) => return Err(fault),
        }
    };
    let mut facts = facts;
    let is_late = !stretch.joined.before.is_empty();
    let outside = Outside::read(order, &jobs, is_late, glance.has_captions, &mut facts);
    let plan = Plan::with_texts(&jobs, &facts, &outside);
    if !pictures.is_empty() || plan.videos.iter().any(|video| video.spec.codec != VideoCodec::Copy) {
        glance::refuse_dolby(&opened.demuxer, &facts)?;
    }
    for job in plan.jobs.iter().filter(|job| job.groups.is_empty()) {
        let reason = match job.dropped.last() {
            Some(last) => format!("no output is possible: {last}"),
            None => "no output is possible".to_owned(),
        };
        watch.job_ended(&job.job, JobEnd::Skipped { reason });
    }
    let taps = taps::open(order, &facts, opened.demuxer.name(), pictures, watch);
    let inspects = pictures.iter().any(|job| matches!(job.work, MediaWork::Qc(_)));
    if plan.outputs.is_empty() && taps.is_empty() && !inspects {
        return Ok(opened.demuxer.watch().read_bytes());
    }
    let mut timing = timing::of(&facts, clip, &plan, !taps.is_empty() || inspects);
    if matches!(glance.fields, Fields::Telecined(_)) {
        timing.rate = four_fifths(timing.rate);
    }
    let mut notes = Vec::new();
    if timing.is_clip && plan.videos.iter().any(|video| video.spec.codec == VideoCodec::Copy) {
        notes.extend(begin_at_key(&mut opened, &facts, &mut timing)?);
    }
    let name = opened.demuxer.name().to_owned();
    let grades: Vec<Grade> = plan
        .videos
        .iter()
        .map(|video| Grade::of(&video.spec, &glance))
        .collect();
    let main = facts
        .main_video()
        .and_then(|(stream, _)| opened.demuxer.stream(stream.index));
    let parameters = main.and_then(|stream| stream.parameters().ok());
    let question = Question {
        plan: &plan,
        grades: &grades,
        facts: &facts,
        parameters: parameters.as_ref(),
        glance: &glance,
        is_joined: !stretch.joined.is_empty() || order.rest.as_ref().is_some_and(Rest::is_row),
        reads_captions: outside.captions().is_some(),
        has_taps: !taps.is_empty() || inspects,
        name: &name,
    };
    let work = Work::choose(hardware, &question)?;
    let mut pass = Pass {
        order,
        plan: &plan,
        facts: &facts,
        glance,
        grades,
        work,
        hardware,
        timing,
        watch,
        share,
        name,
        is_cut: missing.is_some(),
        outside: &outside,
        seals: seal::of_plan(&plan, &order.side),
        ratings: Ratings::of(&plan),
        inspections: inspect::open(pictures, &facts, timing.rate),
        turns: vec![Ok(Turn::Only); plan.videos.len()],
        notes,
        drawn_notes: Mutex::default(),
        reopen,
        attached_fonts: drawn::attached_fonts(&opened.demuxer),
        cover: kept::cover(&opened.demuxer, &facts),
    };
    let measured = pass.measure_loudness(&again)?;
    if first_reading::is_needed(&plan, &pass.work) {
        first_reading::run(&mut pass, again()?)?;
    }
    let answer = pass.run(opened, taps, missing, &measured);
    first_reading::forget(&pass);
    answer
}

/// Copied pictures begin at a key frame, and all of the clip with them. Answers what is to be said of it.
fn begin_at_key(opened: &mut Opened, facts: &MediaFacts, timing: &mut Timing) -> Result<Option<String>, Fault> {
    let Some((stream, _)) = facts.main_video() else {
        return Ok(None);
    };
    let found = copier::next_key(&mut opened.demuxer, stream.index)
        .map_err(|refusal| error::source_refused("read", opened.demuxer.name(), &refusal))?;
    let Some(ticks) = found else { return Ok(None) };
    let key = Origin {
        ticks,
        unit: stream.time_base,
    };
    let early_s = timing.origin.ticks as f64 * timing.origin.unit.value() - ticks as f64 * key.unit.value();
    timing.origin = key;
    timing.end_s = timing.end_s.map(|end_s| end_s + early_s);
    timing.expected_s = timing.expected_s.map(|expected_s| expected_s + early_s);
    timing.start_s -= early_s;
    Ok((early_s.abs() > 0.001).then(|| {
        let (by_s, when) = (early_s.abs(), if early_s > 0.0 { "earlier" } else { "later" });
        format!("the clip begins {by_s:.3} s {when}, at a key frame, because its pictures are copied")
    }))
}

impl Pass<'_> {
    /// Something of the source's stream of each text track.
    fn text_streams<T: Default>(&self, of: impl Fn(&StreamFacts) -> T) -> Vec<T> {
        let streams = self.plan.texts.iter().map(|text| self.facts.streams.get(text.stream));
        streams.map(|stream| stream.map(&of).unwrap_or_default()).collect()
    }
}

/// Looks at the first pictures of what is asked for, where any of it needs pictures. The facts are the source's,
/// corrected by them.
fn look_first(
    order: &PassOrder,
    opened: &mut Opened,
    clip: Option<Clip>,
    jobs: &[(&JobId, &TranscodeSpec)],
    pictures: &[PassJob],
) -> Result<(MediaFacts, Glance), Fault> {
    let mut facts = opened.facts.clone();
    let timing = timing::of(&facts, clip, &Plan::default(), true);
    if timing.is_clip
        && let Some((stream, _)) = facts.main_video()
    {
        let at = timing.seek_to(stream.time_base);
        // A container that cannot seek is read from its beginning.
        let _ = key_seek::seek(&mut opened.demuxer, stream.index, at);
    }
    let outputs = jobs
        .iter()
        .flat_map(|(_, spec)| &spec.groups)
        .flat_map(|group| &group.outputs);
    let mut videos = outputs.filter_map(|output| output.video.as_ref());
    let for_captions = jobs.iter().any(|(_, spec)| spec.wants_text_of_captions());
    if pictures.is_empty() && !for_captions && !videos.any(|video| video.codec != VideoCodec::Copy) {
        return Ok((facts, Glance::of_nothing()));
    }
    let (limits, threads) = (&order.limits, order.threads);
    let whole = Looking {
        is_from_start: !timing.is_clip,
        for_captions,
    };
    let glance = glance::look(&mut opened.demuxer, &mut facts, limits, threads, whole)
        .map_err(|refusal| error::source_refused("open the decoder", opened.demuxer.name(), &refusal))?;
    Ok((facts, glance))
}

/// The rate of a film that was spread to fields.
fn four_fifths(rate: Ratio) -> Ratio {
    Ratio {
        num: rate.num.saturating_mul(4),
        den: rate.den.saturating_mul(5),
    }
}

/// Everything the threads of a pass share.
pub(super) struct Pass<'a> {
    pub(super) order: &'a PassOrder,
    pub(super) plan: &'a Plan,
    pub(super) facts: &'a MediaFacts,
    /// Subtitles beside the source.
    pub(super) outside: &'a Outside,
    pub(super) glance: Glance,
    /// By video encode.
    pub(super) grades: Vec<Grade>,
    /// What of it the device does.
    pub(super) work: Work,
    pub(super) hardware: &'a Hardware,
    pub(super) timing: Timing,
    pub(super) watch: &'a dyn Watch,
    pub(super) share: (f64, f64),
    pub(super) name: String,
    /// The source is known to be truncated, and that is accepted.
    pub(super) is_cut: bool,
    /// Keys of sealed sets.
    pub(super) seals: Seals,
    /// Likeness of renditions.
    pub(super) ratings: Ratings,
    /// Quality control riding along.
    pub(super) inspections: Vec<Inspection>,
    /// By video encode: which reading of the source it is opened for, or why it cannot be.
    pub(super) turns: Vec<Result<Turn, Fault>>,
    /// What deserves to be said of the outputs, known before they are made.
    pub(super) notes: Vec<String>,
    /// The same of what is drawn onto renditions, told while they are opened.
    pub(super) drawn_notes: Mutex<BTreeSet<String>>,
    /// The source once more, from its beginning.
    pub(super) reopen: Reopen<'a>,
    /// Fonts inside the source.
    pub(super) attached_fonts: Vec<Vec<u8>>,
    /// The picture that stands for the source.
    pub(super) cover: Option<Cover>,
}

/// What manifests call an encode of sound.
fn name_of(parameters: &Option<Parameters>) -> Option<String> {
    let parameters = parameters.as_ref()?;
    codec_name::of_sound(&parameters.codec_name(), parameters.extradata())
}

impl Pass<'_> {
    fn run(
        &mut self,
        opened: Opened,
        taps: Vec<Tapped>,
        missing: Option<String>,
        measured: &[Option<Measured>],
    ) -> Result<u64, Fault> {
        let Opened { mut demuxer, .. } = opened;
        let source = self
            .facts
            .main_video()
            .and_then(|(stream, _)| demuxer.stream(stream.index));
        let parameters = source.and_then(|stream| stream.parameters().ok());
        let encoders = self.open_encoders(&demuxer);
        self.hardware.works_in(self.work.mode(), self.work.reason());
        let texts = self.open_texts(&demuxer);
        let health = Health::new(self.plan.jobs.len());
        let outputs: Vec<Output> = self
            .plan
            .outputs
            .iter()
            .map(|output| {
                let partial = self.plan.jobs[output.job].partial;
                let writer = self.open_writer(output, &encoders, (source, &texts));
                Output::new(&output.name, output.job, partial, output.track_count(), writer)
            })
            .collect();
        for (output, planned) in outputs.iter().zip(&self.plan.outputs) {
            output.tell_unopened(&health);
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
            notes: encoders.notes.clone(),
            audios: vec![None; self.plan.audios.len()],
            loudness: vec![None; self.plan.audios.len()],
            audio_codecs: encoders.audio_parameters.iter().map(name_of).collect(),
            texts: Vec::new(),
            has_captions: false,
            is_captioned: encoders.captioned(self.work.decoding_device().is_none()),
            text_codecs: self.text_streams(|stream| stream.codec_name.clone()),
            text_languages: self.text_streams(|stream| {
                let language = stream.language.as_deref()?;
                let plain = language
                    .bytes()
                    .all(|letter| letter.is_ascii_alphanumeric() || letter == b'-');
                (plain && !language.is_empty()).then(|| language.to_owned())
            }),
        };
        let header = |index: usize| encoders.parameters[index].as_ref();
        let codecs: Vec<Option<String>> = (0..self.plan.videos.len())
            .map(|index| self.codec_name(index, header(index)?))
            .collect();

        let has_taps = !taps.is_empty() || !self.inspections.is_empty();
        if self.timing.is_clip {
            self.seek_to_start(&mut demuxer);
        }
        let gains: Vec<_> = measured
            .iter()
            .map(|found| Some(found.as_ref()?.gain.clone()))
            .collect();
        let (reading, sound, tapped, cues) =
            self.read(&mut demuxer, (encoders, texts), &gains, &outputs, &health, taps)?;
        made.texts = cues;
        made.has_captions = reading.has_captions || self.glance.has_captions;
        if reading.is_empty {
            // Nothing came of any output, and that is none of their faults.
            return Err(error::source_undecodable(
                "read",
                &self.name,
                "it has the head of a film and not one packet of it",
            ));
        }
        // When no output is left to work for, reading ends early, and that says nothing of the source.
        let is_given_up = health.is_hopeless() && !self.plan.jobs.is_empty() && !has_taps;
        let short = self.lack(&demuxer, &reading).filter(|_| !is_given_up);
        if !is_given_up {
            let is_decoders =
                short.is_some() && missing.is_none() && short == self.ends_early(&demuxer, &reading).map(Lack::End);
            self.doubt_device(&reading, is_decoders)?;
            self.check_source(&reading, &sound)?;
        }
        let lack = missing.map(Lack::End).or(short);
        if self.watch.stop_asked() {
            return Err(error::stopped("decode", &self.name));
        }

        let end_s = reading.end as f64 * self.timing.unit.value();
        for (index, codec) in codecs.into_iter().enumerate() {
            made.videos[index] = Some(self.video_made(index, &reading, codec, parameters.as_ref()));
        }
        for track in &sound.tracks {
            made.audios[track.number] = Some(self.audio_made(track, measured[track.number].as_ref()));
            made.loudness[track.number] = self.loudness_of(track, &sound);
        }
        let mut warnings = self.warnings(&reading, &sound);
        warnings.extend(self.notes.iter().cloned());
        warnings.extend(
            self.drawn_notes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .iter()
                .cloned(),
        );
        warnings.extend(self.loudness_warnings(&sound, measured));
        if let Some(lack) = &lack {
            let is_work = |work: &MediaWork| !matches!(work, MediaWork::Analysis);
            let mut works = self.order.jobs.iter().map(|job| &job.work);
            if !works.any(|work| is_work(work) && work.takes_partial()) {
                return Err(lack.fault("decode", &self.name));
            }
            warnings.push(lack.words());
        }
        self.conclude(outputs, &health, &made, &warnings, lack.as_ref());
        for inspection in std::mem::take(&mut self.inspections) {
            let (job, end) = match &lack {
                Some(lack) => {
                    let fault = lack.fault("decode", &self.name);
                    (inspection.job.clone(), JobEnd::Failed { fault })
                }
                None => inspection.end(self.facts, &reading, &sound, end_s, &self.order.scratch, &self.name),
            };
            self.watch.job_ended(&job, end);
        }
        for (tapped, answer) in tapped {
            let is_partial = self
                .order
                .jobs
                .iter()
                .any(|job| job.job == tapped.job && job.work.takes_partial());
            let (job, end) = match &lack {
                Some(lack) if is_partial => {
                    let (job, end) = taps::end(tapped, answer, end_s);
                    (job, partial::mark(end, lack))
                }
                Some(lack) => {
                    let fault = lack.fault("decode", &self.name);
                    (tapped.job, JobEnd::Failed { fault })
                }
                None => taps::end(tapped, answer, end_s),
            };
            self.watch.job_ended(&job, end);
        }
        Ok(demuxer.watch().read_bytes())
    }

    /// Goes to where a clip begins. A container that cannot seek is read from its beginning.
    pub(super) fn seek_to_start(&self, demuxer: &mut Demuxer) {
        let main = self.facts.main_video().map(|(stream, _)| stream);
        if let Some(stream) = main.or(self.facts.main_audio().map(|(stream, _)| stream)) {
            let at = self.timing.seek_to(stream.time_base);
            let _ = key_seek::seek(demuxer, stream.index, at);
        }
    }
}
