//! How pictures ride a pass: a tap is shown every frame of it and takes the ones it wants.
//!
//! The pass gives each tap a thread of its own and a short queue, so a slow JPEG holds up nobody until the queue is
//! full. Frames arrive in order of time, display-oriented (rotated, square pixels, deinterlaced, SDR), scaled to
//! some rendition of the pass not smaller than [`FrameTap::wanted_size`] where there is one. They may be shared:
//! read only. Guarantees: `take` follows a `wants` that answered yes, for the same frame; `end` comes once.
//! Deliberately absent: seeking; work without a pass is `pictures_alone`.

use crate::base::fault::Fault;
use crate::media::av::Frame;
use crate::media::facts::MediaFacts;
use crate::media::product::JobEnd;
use std::path::PathBuf;

/// What a tap is opened with.
#[derive(Debug, Clone)]
pub struct TapOrder {
    /// Facts of the source.
    pub facts: MediaFacts,
    /// Directory of the attempt; paths of product files are relative to it.
    pub scratch: PathBuf,
    /// Name of the job's own directory beneath `scratch`; it exists.
    pub directory: String,
    /// Name of the source for messages.
    pub source_name: String,
}

/// One picture job riding a pass.
pub trait FrameTap: Send {
    /// Size of frames it needs at least, pixels as displayed; none: the source's own.
    fn wanted_size(&self) -> Option<(u32, u32)>;

    /// Whether it wants the frame shown from `pts_s` on for `duration_s`. Seconds since the first frame shown.
    fn wants(&mut self, pts_s: f64, duration_s: f64) -> bool;

    /// Takes a frame it wanted.
    fn take(&mut self, frame: &Frame, pts_s: f64) -> Result<(), Fault>;

    /// Writes what is left, proves its files and tells how the job ended. `end_s`: end of the last frame shown.
    /// Not called when the pass itself failed.
    fn end(self: Box<Self>, end_s: f64) -> JobEnd;
}
