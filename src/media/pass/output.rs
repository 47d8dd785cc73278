//! One output while it is written: encoders hand it packets, it ends by itself when its last track does.
//!
//! Guarantees: a refusal fails this output and, unless its job takes what it gets, its job; nothing else.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Dict;
use crate::media::av::Muxer;
use crate::media::av::Packet;
use crate::media::av::Parameters;
use crate::media::error;
use crate::media::facts::Ratio;
use crate::media::pass::segments::SegmentWriter;
use crate::media::pass::segments::Track;
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

/// Kind of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackKind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// Whether anybody still waits for each job.
#[derive(Debug)]
pub struct Health {
    alive: Vec<AtomicBool>,
}

impl Health {
    /// For so many jobs, all well.
    pub fn new(jobs: usize) -> Self {
        Health {
            alive: (0..jobs).map(|_| AtomicBool::new(true)).collect(),
        }
    }
    /// Still worth working for.
    pub fn is_alive(&self, job: usize) -> bool {
        self.alive.get(job).is_some_and(|alive| alive.load(Ordering::Relaxed))
    }
    /// Nobody waits any more.
    pub fn is_hopeless(&self) -> bool {
        !self.alive.iter().any(|alive| alive.load(Ordering::Relaxed))
    }
    fn end(&self, job: usize) {
        if let Some(alive) = self.alive.get(job) {
            alive.store(false, Ordering::Relaxed);
        }
    }
}

/// A file of one or two tracks.
#[derive(Debug)]
pub struct FileWriter {
    muxer: Muxer,
    video: Option<(usize, Ratio, Ratio)>,
    audio: Option<(usize, Ratio, Ratio)>,
}

/// What a file says beside its tracks.
#[derive(Debug, Clone, Default)]
pub struct FileTags {
    /// Chapters, seconds of the output.
    pub chapters: Vec<(f64, f64, Option<String>)>,
    /// Title, comment ...
    pub tags: std::collections::BTreeMap<String, String>,
    /// Language of the sound.
    pub language: Option<String>,
}

impl FileWriter {
    /// Begins a file; each track by its encoder's parameters and unit, pictures with their rate.
    pub fn create(
        path: &Path,
        video: Option<(&Parameters, Ratio, Ratio)>,
        audio: Option<(&Parameters, Ratio)>,
        tags: &FileTags,
    ) -> Result<Self, AvError> {
        let mut muxer = Muxer::to_file("mp4", path)?;
        let mut options = Dict::new();
        options.set("movflags", "+faststart")?;
        let mut writer_video = None;
        if let Some((parameters, unit, rate)) = video {
            let stream = muxer.add_stream(parameters, unit)?;
            muxer.set_frame_rate(stream, rate);
            options.set("video_track_timescale", &unit.den.to_string())?;
            writer_video = Some((stream, unit));
        }
        let mut writer_audio = None;
        if let Some((parameters, unit)) = audio {
            let stream = muxer.add_stream(parameters, unit)?;
            if let Some(language) = &tags.language {
                muxer.set_stream_tags(stream, &[("language".to_owned(), language.clone())].into())?;
            }
            writer_audio = Some((stream, unit));
        }
        muxer.set_tags(&tags.tags)?;
        if !tags.chapters.is_empty() {
            muxer.add_chapters(&tags.chapters)?;
        }
        muxer.begin(options)?;
        let with_unit = |(stream, unit): (usize, Ratio)| (stream, unit, muxer.time_base(stream).unwrap_or(unit));
        let (video, audio) = (writer_video.map(with_unit), writer_audio.map(with_unit));
        Ok(FileWriter { muxer, video, audio })
    }

    fn write(&mut self, kind: TrackKind, mut packet: Packet) -> Result<(), AvError> {
        let track = match kind {
            TrackKind::Video => self.video,
            TrackKind::Audio => self.audio,
        };
        let Some((stream, unit, muxer_unit)) = track else {
            return Ok(());
        };
        packet.set_stream_index(stream);
        packet.rescale(unit, muxer_unit);
        self.muxer.write_interleaved(&mut packet)
    }
}

/// What writes an output.
#[derive(Debug)]
pub enum Writer {
    /// One file.
    File(FileWriter),
    /// Segments of one track.
    Segments(SegmentWriter),
}

/// How an output stands.
#[derive(Debug)]
enum State {
    Writing(Writer),
    Written(Option<Track>),
    Failed(Fault),
}

/// One output.
#[derive(Debug)]
pub struct Output {
    name: String,
    job: usize,
    partial: bool,
    state: Mutex<(State, usize)>,
    has_failed: AtomicBool,
}

impl Output {
    /// An output of a job with so many tracks.
    pub fn new(name: &str, job: usize, partial: bool, tracks: usize, writer: Result<Writer, Fault>) -> Self {
        let has_failed = AtomicBool::new(writer.is_err());
        let state = match writer {
            Ok(writer) => State::Writing(writer),
            Err(fault) => State::Failed(fault),
        };
        Output {
            name: name.to_owned(),
            job,
            partial,
            state: Mutex::new((state, tracks)),
            has_failed,
        }
    }

    /// Whether packets for it still make sense.
    pub fn is_wanted(&self, health: &Health) -> bool {
        !self.has_failed.load(Ordering::Relaxed) && health.is_alive(self.job)
    }

    /// Writes one packet, in the unit of the encoder it comes from.
    pub fn write(&self, kind: TrackKind, packet: Packet, health: &Health) {
        if !self.is_wanted(health) {
            return;
        }
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match &mut guard.0 {
            State::Writing(Writer::File(writer)) => writer.write(kind, packet),
            State::Writing(Writer::Segments(writer)) => writer.write(packet),
            _ => Ok(()),
        };
        drop(guard);
        if let Err(refusal) = answer {
            self.fail(error::output_refused("write", &self.name, &refusal), health);
        }
    }

    /// One of its tracks is complete; after the last the output is finished.
    pub fn end_track(&self, health: &Health) {
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        guard.1 = guard.1.saturating_sub(1);
        if guard.1 > 0 || !matches!(guard.0, State::Writing(_)) {
            return;
        }
        let State::Writing(writer) = std::mem::replace(&mut guard.0, State::Written(None)) else {
            return;
        };
        let finished = match writer {
            Writer::File(writer) => writer.muxer.finish().map(|()| None),
            Writer::Segments(writer) => writer.finish().map(Some),
        };
        match finished {
            Ok(track) => guard.0 = State::Written(track),
            Err(refusal) => {
                drop(guard);
                self.fail(error::output_refused("finish", &self.name, &refusal), health);
            }
        }
    }

    /// Fails it; the first cause stays.
    pub fn fail(&self, fault: Fault, health: &Health) {
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(guard.0, State::Failed(_)) {
            guard.0 = State::Failed(fault);
        }
        drop(guard);
        self.has_failed.store(true, Ordering::Relaxed);
        if !self.partial {
            health.end(self.job);
        }
    }

    /// How it ended: segments of a track, `None` for a file, or why it failed.
    pub fn into_result(self) -> Result<Option<Track>, Fault> {
        let (state, _) = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        match state {
            State::Written(track) => Ok(track),
            State::Failed(fault) => Err(fault),
            State::Writing(_) => Err(error::broken_invariant(
                "finish",
                &self.name,
                "the output was still being written when its pass ended",
            )),
        }
    }
}
