//! What a worker says: one message a line on its standard output, from whichever thread.
//!
//! Guarantees: lines never mix and are flushed one by one; progress is passed on a few times a second however often
//! it is told, and never falls; what jobs came to is held back until the source is known to be unchanged, since a
//! changed source fails them all; the first line that nobody reads asks the pass to stop. Deliberately absent: logs.

use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::media::facts::MediaFacts;
use crate::media::pass::Watch;
use crate::media::product::JobEnd;
use crate::media::progress::Cost;
use crate::media::progress::Progress;
use crate::worker::protocol::Message;
use std::io::Write;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

/// Five lines a second are enough for any eye.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// Speaks to the parent. `W` is standard output but in tests.
#[derive(Debug)]
pub struct Voice<W> {
    state: Mutex<State<W>>,
    stop: AtomicBool,
}

#[derive(Debug)]
struct State<W> {
    out: W,
    progress_at: Option<Instant>,
    percent: f64,
    held: Vec<(JobId, JobEnd)>,
}

impl<W: Write> Voice<W> {
    /// Speaks into `out`.
    pub fn new(out: W) -> Self {
        let state = State {
            out,
            progress_at: None,
            percent: 0.0,
            held: Vec::new(),
        };
        Voice {
            state: Mutex::new(state),
            stop: AtomicBool::new(false),
        }
    }

    /// Says one thing now.
    pub fn say(&self, message: &Message) {
        self.speak(&mut self.lock(), message);
    }

    /// The whole attempt failed: what was held back is dropped.
    pub fn fail(&self, fault: Fault) {
        let mut state = self.lock();
        state.held.clear();
        self.speak(&mut state, &Message::AttemptFailed { fault });
    }

    /// The source is as it was: tells what was held back, and the cost.
    pub fn finish(&self, cost: Cost) {
        let mut state = self.lock();
        for (job, end) in std::mem::take(&mut state.held) {
            let end = Box::new(end);
            self.speak(&mut state, &Message::JobEnded { job, end });
        }
        self.speak(&mut state, &Message::Finished { cost });
    }

    /// Asks the pass to stop.
    pub fn ask_to_stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn speak(&self, state: &mut State<W>, message: &Message) {
        let mut line = serde_json::to_vec(message).expect("messages have string keys and finite numbers become null");
        line.push(b'\n');
        if state.out.write_all(&line).and_then(|()| state.out.flush()).is_err() {
            self.ask_to_stop();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State<W>> {
        // A panic of another thread while it spoke leaves at worst a torn line, which the parent reports.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write + Send> Watch for Voice<W> {
    fn facts(&self, facts: &MediaFacts) {
        let facts = Box::new(facts.clone());
        self.say(&Message::Facts { facts });
    }

    fn progress(&self, mut progress: Progress) {
        let mut state = self.lock();
        let now = Instant::now();
        let due = state
            .progress_at
            .is_none_or(|said| now.duration_since(said) >= PROGRESS_EVERY);
        if due {
            state.progress_at = Some(now);
            // JSON has no word for what a division by zero gives.
            for value in [&mut progress.percent, &mut progress.fps, &mut progress.speed] {
                *value = if value.is_finite() { *value } else { 0.0 };
            }
            progress.percent = progress.percent.clamp(state.percent, 100.0);
            state.percent = progress.percent;
            self.speak(&mut state, &Message::Progress(progress));
        }
    }

    /// Told when [`Voice::finish`] is called.
    fn job_ended(&self, job: &JobId, end: JobEnd) {
        self.lock().held.push((job.clone(), end));
    }

    fn stop_asked(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::Voice;
    use crate::base::ids::JobId;
    use crate::media::pass::Watch;
    use crate::media::product::JobEnd;
    use crate::media::product::JobProduct;
    use crate::media::progress::Cost;
    use crate::media::progress::Progress;
    use crate::worker::protocol::Message;

    fn said(voice: Voice<Vec<u8>>) -> Vec<Message> {
        let out = voice.state.into_inner().expect("nobody panicked").out;
        String::from_utf8(out)
            .expect("JSON is UTF-8")
            .lines()
            .map(|line| serde_json::from_str(line).expect("a message a line"))
            .collect()
    }

    #[test]
    fn ends_of_jobs_wait_for_the_source_to_be_proved_unchanged() {
        let success = || JobEnd::Success(JobProduct::default());
        let voice = Voice::new(Vec::new());
        voice.job_ended(&JobId::from("a"), success());
        voice.finish(Cost::default());
        assert!(matches!(
            said(voice)[..],
            [Message::JobEnded { .. }, Message::Finished { .. }]
        ));

        let voice = Voice::new(Vec::new());
        voice.job_ended(&JobId::from("a"), success());
        voice.fail(crate::worker::death::stopped("a.mp4"));
        assert!(matches!(said(voice)[..], [Message::AttemptFailed { .. }]));
    }

    #[test]
    fn a_flood_of_progress_becomes_a_few_lines() {
        let voice = Voice::new(Vec::new());
        for frames in 0..10_000 {
            voice.progress(Progress {
                frames,
                ..Progress::default()
            });
        }
        assert!(said(voice).len() < 1_000);
    }

    #[test]
    fn a_listener_that_went_away_stops_the_pass() {
        struct Gone;
        impl std::io::Write for Gone {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let voice = Voice::new(Gone);
        voice.finish(Cost::default());
        assert!(voice.stop_asked());
    }
}
