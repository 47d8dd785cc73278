//! Decoding on the device against libavcodec: the same pictures, at the same times, with the same marks, of every codec,
//! across changes and damage. On the stand-in driver (`tests/standin/`), which does the work in software and enforces the
//! contract of the real one; what a real device makes of a stream is told by `tests/device.sh`.

mod clips;
#[path = "../collection/mod.rs"]
mod collection;
mod decoding;
mod driver;
mod faults;
mod real_files;
mod streams;
