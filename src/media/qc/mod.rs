//! Quality control: what is wrong with a source, found while it is decoded.
//!
//! Guarantees: rides the one decode of a pass; sees pictures and sound as decoded, before anything is done to them.
//! Deliberately absent: threads and queues, which are the pass's; what follows from a finding.

mod cadence;
mod combing;
mod judge;
mod opening;
mod pictures;
mod plane;
mod sound;
mod span;
mod words;

pub use judge::Evidence;
pub use judge::report;
pub use opening::Opening;
pub use pictures::PictureScan;
pub use sound::SoundScan;
