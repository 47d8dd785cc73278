//! What is told of one attempt, line by line: for people who ask why.
//!
//! Guarantees: bounded, the beginning and the latest lines are kept; every line says when. Deliberately absent: progress,
//! which is shown while it happens.

use crate::media::product::JobEnd;
use crate::worker::protocol::Message;
use crate::worker::supervisor::Ended;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Instant;

/// Most that is kept of one attempt, bytes.
pub const LOG_BYTES: usize = 64 << 10;
/// Of these, what the first lines may have.
const HEAD_BYTES: usize = 16 << 10;
/// Longest line, bytes.
const LINE_BYTES: usize = 2 << 10;

/// The lines of one attempt.
#[derive(Debug)]
pub struct AttemptLog {
    began: Instant,
    head: String,
    tail: VecDeque<String>,
    tail_bytes: usize,
    left_out: usize,
}

impl Default for AttemptLog {
    fn default() -> Self {
        AttemptLog {
            began: Instant::now(),
            head: String::new(),
            tail: VecDeque::new(),
            tail_bytes: 0,
            left_out: 0,
        }
    }
}

impl AttemptLog {
    /// Adds what was said now; several lines become several.
    pub fn say(&mut self, text: &str) {
        let at_s = self.began.elapsed().as_secs_f64();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let mut end = line.len().min(LINE_BYTES);
            while !line.is_char_boundary(end) {
                end -= 1;
            }
            let plain: String = line[..end]
                .chars()
                .map(|one| if one.is_control() { ' ' } else { one })
                .collect();
            self.keep(format!("{at_s:>9.3} s  {}\n", plain.trim_end()));
        }
    }

    fn keep(&mut self, line: String) {
        if self.tail.is_empty() && self.head.len() + line.len() <= HEAD_BYTES {
            self.head.push_str(&line);
            return;
        }
        self.tail_bytes += line.len();
        self.tail.push_back(line);
        while self.tail_bytes > LOG_BYTES - HEAD_BYTES - LINE_BYTES {
            let Some(gone) = self.tail.pop_front() else { break };
            self.tail_bytes -= gone.len();
            self.left_out += 1;
        }
    }

    /// Adds what a worker told, but for its progress.
    pub(super) fn heard(&mut self, message: &Message) {
        match message {
            Message::Started { sandbox_missing } if sandbox_missing.is_empty() => {
                self.say("the worker is confined and begins");
            }
            Message::Started { sandbox_missing } => self.say(&format!(
                "the worker begins; its sandbox lacks {}",
                sandbox_missing.join(", ")
            )),
            Message::Facts { .. } => self.say("the facts of the source are known"),
            Message::Progress(_) => {}
            Message::Heard { lines } => lines.iter().for_each(|line| self.say(&format!("libav: {line}"))),
            Message::JobEnded { job, end } => match end.as_ref() {
                JobEnd::Success(product) => {
                    let mut line = format!("job {job} is done: {} outputs, proved", product.outputs.len());
                    if let Some(code) = &product.fallback_code {
                        let _ = write!(line, "; made in software ({code})");
                    }
                    self.say(&line);
                }
                JobEnd::Skipped { reason } => self.say(&format!("job {job} has nothing to do: {reason}")),
                JobEnd::Rejected { fault, .. } => {
                    self.say(&format!("job {job} rejects the source ({}): {fault}", fault.code))
                }
                JobEnd::Failed { fault } => self.say(&format!("job {job} failed ({}): {fault}", fault.code)),
            },
            // Both are told with the end of the worker.
            Message::AttemptFailed { .. } | Message::Finished { .. } => {}
        }
    }

    /// Adds how the worker ended, and what it wrote to its standard error.
    pub(super) fn ended(&mut self, ended: &Ended) {
        if !ended.words.trim().is_empty() {
            self.say("the worker wrote to its standard error:");
            self.say(&ended.words);
        }
        if let Some(cost) = &ended.cost {
            self.say(&format!(
                "it took {:.1} s, {:.1} s of processor time, {} MiB of memory at most, {} MiB read",
                cost.wall_ms as f64 / 1000.0,
                cost.cpu_ms as f64 / 1000.0,
                cost.peak_memory_bytes >> 20,
                cost.read_bytes >> 20
            ));
        }
        match (&ended.fault, ended.stopped, ended.crashed) {
            (None, ..) => self.say("the attempt came to its end"),
            (Some(fault), true, _) => self.say(&format!("the attempt was stopped: {}", fault.cause)),
            (Some(fault), _, true) => self.say(&format!("the worker died ({}): {fault}", fault.code)),
            (Some(fault), ..) => self.say(&format!("the attempt failed ({}): {fault}", fault.code)),
        }
    }

    /// The whole text.
    pub fn text(&self) -> String {
        let mut text = self.head.clone();
        if self.left_out > 0 {
            let _ = writeln!(text, "            ... {} lines left out ...", self.left_out);
        }
        text.extend(self.tail.iter().map(String::as_str));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::AttemptLog;
    use super::LOG_BYTES;

    #[test]
    fn the_first_and_the_latest_lines_are_kept() {
        let mut log = AttemptLog::default();
        log.say("the first\n\nthe second\u{7}");
        assert_eq!(log.text().lines().count(), 2);
        assert!(!log.text().contains('\u{7}'));
        for number in 0..5_000 {
            log.say(&format!("line {number} of many"));
        }
        log.say(&"\u{4e2d}".repeat(9_000));
        let text = log.text();
        assert!(text.len() <= LOG_BYTES, "{}", text.len());
        assert!(text.contains("the first") && text.contains("line 4999 of many") && text.contains("lines left out"));
    }
}
