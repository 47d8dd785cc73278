//! A piece of subtitles with its time: what every text track is once it was read, whatever it was in the source.
//!
//! Deliberately absent: reading and writing it in a format.

/// One caption.
#[derive(Debug, Clone, PartialEq)]
pub struct Cue {
    /// When it appears, seconds from the origin of the pass.
    pub start_s: f64,
    /// When it is gone.
    pub end_s: f64,
    /// Its lines, with WebVTT's tags (`<i>`, `<b>`, `<u>`) and its escapes of `&` and `<`; never an empty line.
    pub text: String,
    /// WebVTT's cue settings, `line:10% align:left`; empty: where players put captions.
    pub settings: String,
}
