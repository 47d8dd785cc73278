//! What was found wrong so far.
//!
//! Guarantees: each finding names its key. Deliberately absent: which values are right.

use crate::base::reader::Wrong;
use std::fmt::Display;
use std::ops::RangeInclusive;

#[derive(Default)]
pub(super) struct Findings(pub(super) Vec<Wrong>);

impl Findings {
    pub(super) fn add(&mut self, path: impl Into<String>, why: impl Into<String>) {
        self.0.push(Wrong::at(path, why));
    }

    pub(super) fn within<T: PartialOrd + Display>(&mut self, path: String, value: T, range: RangeInclusive<T>) {
        if !range.contains(&value) {
            let why = format!("{value} is out of range, {} to {}", range.start(), range.end());
            self.add(path, why);
        }
    }

    pub(super) fn within_if<T: PartialOrd + Display + Copy>(
        &mut self,
        path: String,
        value: Option<T>,
        range: RangeInclusive<T>,
    ) {
        if let Some(value) = value {
            self.within(path, value, range);
        }
    }

    pub(super) fn one_of(&mut self, path: String, word: &str, known: &[&str]) {
        if !known.contains(&word) {
            self.add(path, format!("{word:?} is not one of {}", known.join(", ")));
        }
    }
}

/// Names become parts of file names and of playlists: plain ones only.
pub(super) fn name(findings: &mut Findings, path: String, name: &str) {
    let plain = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        findings.add(
            path,
            format!("{name:?} is not a name of 1 to 64 letters, digits, - and _"),
        );
    }
}
