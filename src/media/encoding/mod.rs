//! What encoder a video spec comes to: its pixel format, options, key frames and name in manifests.
//!
//! Guarantees: everything that differs from codec to codec stands here and nowhere else of the pass. Deliberately
//! absent: frames and packets.

pub mod caption_message;
mod codec_name;
mod engine;
mod format;
pub mod hdr;
mod hdr_message;
pub mod nvenc;
mod options;
mod preset;

pub use codec_name::Shape;
pub use codec_name::codec_name;
pub use engine::CaptionsBy;
pub use engine::Engine;
pub use engine::KeyFrames;
pub use format::keeps_hdr;
pub use format::pixel_format;
pub use format::read_back_format;
pub use options::Reading;
pub use options::Wanted;
pub use options::options;
