//! Video codecs, rate control and file containers through the real engine, read back with Debian's ffprobe and ffmpeg.

#[path = "../media_pass/room.rs"]
#[allow(dead_code)]
mod room;

mod containers;
mod copies;
mod formats;
mod rates;
mod reader;
