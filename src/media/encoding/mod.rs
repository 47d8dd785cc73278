//! What encoder a video spec comes to: its pixel format, options, key frames and name in manifests.
//!
//! Guarantees: everything that differs from codec to codec stands here and nowhere else of the pass. Deliberately
//! absent: frames and packets.

mod format;
pub mod hdr;

pub use format::keeps_hdr;
pub use format::pixel_format;
