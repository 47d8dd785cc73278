//! Is what is told over time of outputs and sources true, bounded, and told as missing where nobody measured it? The real
//! daemon; numbers are held against those of the system's ffprobe and ffmpeg.

#[path = "../appliance/mod.rs"]
mod appliance;

mod findings;
mod outputs;
mod scene;
