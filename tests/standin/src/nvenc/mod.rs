//! libnvidia-encode: encoder sessions, as `nvEncodeAPI.h` of version 12.1 and its comments describe them.
//!
//! Guarantees: every entry of the function list is there; what is not done here says so. Pictures are coded by libav's
//! software encoders (`coder`), made to answer at once; `order` decides what is coded when, and `stream` writes it down
//! the way NVENC does. What a client must keep to is checked where it matters: settings in `setup`, pictures in
//! `resource`, buffers in `output`.

mod ability;
mod answer;
mod av1;
mod bits;
mod codec_setup;
mod coder;
mod driver;
mod encode;
mod entry;
mod h264;
mod hevc;
mod lifetime;
mod lock;
mod order;
mod output;
mod picture;
mod preset;
mod query;
mod rate;
mod register;
mod resource;
mod session;
mod setup;
mod stream;
