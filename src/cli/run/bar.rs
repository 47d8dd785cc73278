//! The progress bar of a command that works by itself.
//!
//! Guarantees: on standard error, and only when that is a terminal. Deliberately absent: results.

use crate::executor::AttemptUpdate;
use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use std::io::IsTerminal;

/// The bar.
#[derive(Debug, Clone)]
pub struct Bar(ProgressBar);

impl Bar {
    /// A visible one on a terminal, else one that shows nothing.
    pub fn on_terminal() -> Self {
        if !std::io::stderr().is_terminal() {
            return Bar(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(1_000);
        if let Ok(style) = ProgressStyle::with_template("{bar:32} {msg}") {
            bar.set_style(style);
        }
        Bar(bar)
    }

    /// One that shows nothing.
    pub fn hidden() -> Self {
        Bar(ProgressBar::hidden())
    }

    /// Says what is being worked on.
    pub fn begin(&self, what: &str) {
        self.0.set_position(0);
        self.0.set_message(what.to_owned());
    }

    /// Shows news of an attempt.
    pub fn show(&self, update: &AttemptUpdate) {
        if let AttemptUpdate::Progress(progress) = update {
            let eta = progress.eta_s.map_or(String::new(), |eta_s| {
                format!(", {}:{:02} left", eta_s as u64 / 60, eta_s as u64 % 60)
            });
            self.0.set_position((progress.percent * 10.0) as u64);
            self.0.set_message(format!(
                "{:5.1} %  {} frames, {:.0} fps, {:.2}x{eta}",
                progress.percent, progress.frames, progress.fps, progress.speed
            ));
        }
    }

    /// Takes it away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
