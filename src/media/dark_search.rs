//! The search for a frame that is not black, near a moment whose own frame is.
//!
//! Guarantees: a dark frame is kept until a brighter one relieves it, and given out when none does; the search ends at
//! most [`DARK_SEARCH_S`] after the moment. Deliberately absent: frames and rendering.

use crate::media::picture::Picture;
use crate::media::wish::Blackness;

/// How far after its moment a frame that is not black is looked for, as the clouds have it.
pub const DARK_SEARCH_S: f64 = 5.0;

/// What is black, and the dark frame that waits to be relieved.
#[derive(Debug)]
pub struct DarkSearch {
    black: Option<Blackness>,
    kept: Option<Kept>,
}

/// A dark frame, kept in case nothing brighter follows.
#[derive(Debug)]
struct Kept {
    label_s: f64,
    picture: Picture,
    until_s: f64,
}

impl DarkSearch {
    /// Nothing is looked for; without `black` nothing ever is.
    pub fn new(black: Option<Blackness>) -> Self {
        DarkSearch { black, kept: None }
    }

    /// Whether black frames are passed over.
    pub fn minds_black(&self) -> bool {
        self.black.is_some()
    }

    /// Whether this is one.
    pub fn is_too_dark(&self, picture: &Picture) -> bool {
        self.black
            .is_some_and(|black| picture.black_percent(black.luma) >= black.percent)
    }

    /// Keeps a dark frame of a moment; a brighter one is looked for from here on, and not past the next moment.
    pub fn begin(&mut self, label_s: f64, picture: Picture, moment_s: f64, next_s: f64) {
        self.kept = Some(Kept {
            label_s,
            picture,
            until_s: (moment_s + DARK_SEARCH_S).min(next_s),
        });
    }

    /// Until when a brighter frame is of use; none when none is looked for.
    pub fn until_s(&self) -> Option<f64> {
        self.kept.as_ref().map(|kept| kept.until_s)
    }

    /// Ends the search: the dark frame with its label, which stands where no brighter one was found.
    pub fn end(&mut self) -> Option<(f64, Picture)> {
        self.kept.take().map(|kept| (kept.label_s, kept.picture))
    }
}
