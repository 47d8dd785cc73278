//! One output while it is written: encoders hand it packets, it ends by itself when its last track does.
//!
//! Guarantees: a refusal fails this output and, unless its job takes what it gets, its job; nothing else.

use crate::base::fault::Fault;
use crate::media::av::Packet;
use crate::media::error;
use crate::media::pass::file_writer::FileWriter;
use crate::media::pass::packaging::segments::SegmentWriter;
use crate::media::pass::packaging::segments::Track;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

/// A track of an output, by what feeds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackId {
    /// Pictures.
    Video,
    /// Sound, by the number of its encode in the plan.
    Audio(usize),
    /// Text, by its number in the plan.
    Text(usize),
}

/// Whether anybody still waits for each job, and whether the device at work is well.
#[derive(Debug)]
pub struct Health {
    alive: Vec<AtomicBool>,
    /// Why each job ended early.
    ended_by: Mutex<Vec<Option<Fault>>>,
    has_device_failed: AtomicBool,
    device_fault: Mutex<Option<Fault>>,
}

impl Health {
    /// For so many jobs, all well.
    pub fn new(jobs: usize) -> Self {
        Health {
            alive: (0..jobs).map(|_| AtomicBool::new(true)).collect(),
            ended_by: Mutex::new(vec![None; jobs]),
            has_device_failed: AtomicBool::new(false),
            device_fault: Mutex::default(),
        }
    }
    /// The device failed, which concerns the whole pass; the first cause stays.
    pub fn fail_device(&self, fault: &Fault) {
        let mut first = self.device_fault.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| fault.clone());
        drop(first);
        self.has_device_failed.store(true, Ordering::Relaxed);
    }
    /// Whether the device failed.
    pub fn has_device_failed(&self) -> bool {
        self.has_device_failed.load(Ordering::Relaxed)
    }
    /// Why the device failed, if it did.
    pub fn device_fault(&self) -> Option<Fault> {
        self.device_fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// Still worth working for.
    pub fn is_alive(&self, job: usize) -> bool {
        self.alive.get(job).is_some_and(|alive| alive.load(Ordering::Relaxed))
    }
    /// Nobody waits any more.
    pub fn is_hopeless(&self) -> bool {
        !self.alive.iter().any(|alive| alive.load(Ordering::Relaxed))
    }
    /// What a job failed of first: from then on its other outputs are not gone on with, and what they lack says nothing.
    pub fn ended_by(&self, job: usize) -> Option<Fault> {
        let faults = self.ended_by.lock().unwrap_or_else(PoisonError::into_inner);
        faults.get(job).cloned().flatten()
    }
    fn end(&self, job: usize, fault: &Fault) {
        let mut faults = self.ended_by.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = faults.get_mut(job) {
            first.get_or_insert_with(|| fault.clone());
        }
        drop(faults);
        if let Some(alive) = self.alive.get(job) {
            alive.store(false, Ordering::Relaxed);
        }
    }
}

/// What writes an output.
#[derive(Debug)]
pub enum Writer {
    /// One file.
    File(FileWriter),
    /// Segments of one track.
    Segments(Box<SegmentWriter>),
    /// Nothing: it is written when the pass is over.
    None,
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
            Ok(Writer::None) => State::Written(None),
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

    /// Tells those who wait for it that it could not even be opened, if it could not.
    pub fn tell_unopened(&self, health: &Health) {
        let guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let (State::Failed(fault), false) = (&guard.0, self.partial) {
            health.end(self.job, fault);
        }
    }

    /// Its job, by number in the plan.
    pub fn job(&self) -> usize {
        self.job
    }

    /// Whether packets for it still make sense.
    pub fn is_wanted(&self, health: &Health) -> bool {
        !self.has_failed.load(Ordering::Relaxed) && health.is_alive(self.job)
    }

    /// Writes one packet, in the unit of the encoder it comes from.
    pub fn write(&self, track: TrackId, packet: Packet, health: &Health) {
        if !self.is_wanted(health) {
            return;
        }
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match &mut guard.0 {
            State::Writing(Writer::File(writer)) => writer.write(track, packet),
            State::Writing(Writer::Segments(writer)) => writer.write(track, packet),
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
            Writer::File(writer) => writer.finish().map(|()| None),
            Writer::Segments(writer) => writer.finish().map(Some),
            Writer::None => Ok(None),
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
        if error::is_of_device(&fault) {
            health.fail_device(&fault);
        }
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.partial {
            health.end(self.job, &fault);
        }
        if !matches!(guard.0, State::Failed(_)) {
            guard.0 = State::Failed(fault);
        }
        drop(guard);
        self.has_failed.store(true, Ordering::Relaxed);
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
