//! A piece of subtitles with its time: what every text track is once it was read, whatever it was in the source.
//!
//! Deliberately absent: reading and writing it in a format.

/// Classes of WebVTT that players show as colours of letters without a style sheet, and what they are: blue, green, red.
/// Source: WebVTT, default classes.
pub const COLORS: [(&str, u32); 8] = [
    ("white", 0xff_ffff),
    ("lime", 0x00_ff00),
    ("cyan", 0xff_ff00),
    ("red", 0x00_00ff),
    ("yellow", 0x00_ffff),
    ("magenta", 0xff_00ff),
    ("blue", 0xff_0000),
    ("black", 0x00_0000),
];

/// One caption.
#[derive(Debug, Clone, PartialEq)]
pub struct Cue {
    /// When it appears, seconds from the origin of the pass.
    pub start_s: f64,
    /// When it is gone.
    pub end_s: f64,
    /// Its lines, with WebVTT's tags (`<i>`, `<b>`, `<u>`, `<c.red>`, of WebVTT all there are) and its escapes of `&` and
    /// `<`; never an empty line.
    pub text: String,
    /// WebVTT's cue settings, `line:10% align:left`; empty: where players put captions.
    pub settings: String,
}
