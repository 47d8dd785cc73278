//! Safe libav: the place of the engine where its C begins. One noun a file.
//!
//! Guarantees: no raw pointer leaves this folder; every object frees itself; nothing here opens a path or a
//! protocol for reading, the caller brings the bytes. Builds against libav 5.1 to 7.1. Deliberately absent:
//! decisions about media; these types do what they are told.
#![allow(unsafe_code)]
// Types of libav's constants differ between its versions; a cast that is idle here is needed there.
#![allow(clippy::unnecessary_cast)]

mod allowed;
pub mod animation;
pub mod audio_codec;
pub mod avif;
pub mod bitstream_filter;
mod braid;
pub mod color;
mod counted;
pub mod decode;
pub mod demux;
pub mod device_frame;
pub mod dict;
pub mod encode;
pub mod error;
pub mod feed;
pub mod filter;
mod float_planes;
mod heap;
pub mod inventory;
mod late;

pub mod frame;
pub mod log;
pub mod mastering;
pub mod mux;
pub mod packed_rgb;
pub mod packet;
mod palette;
pub mod parameters;
pub mod pixel;
pub mod pool;
pub mod program;
pub mod resample;
pub mod samples;
pub mod scale;
pub mod sound;
pub mod source;
pub mod stream;
pub mod subtitle;
mod told_name;
pub mod turn;
pub mod turns;
mod webvtt_text;

#[cfg(test)]
mod tests;

pub use bitstream_filter::BitstreamFilter;
pub use color::Color;
pub use decode::Decoder;
pub use demux::Demuxer;
pub use dict::Dict;
pub use encode::Encoder;
pub use error::AvError;
pub use error::DeviceTrouble;
pub use filter::Graph;
pub use frame::Frame;
pub use mux::Muxer;
pub use packed_rgb::PackedRgb;
pub use packet::Packet;
pub use parameters::Parameters;
pub use pixel::PixelFormat;
pub use resample::Resampler;
pub use scale::Scaler;
pub use source::Source;
pub use stream::Stream;
pub use subtitle::SubtitleDecoder;
pub use subtitle::SubtitleEncoder;
