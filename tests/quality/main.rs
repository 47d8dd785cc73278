//! Is what is said of quality true: of a source, of its renditions, of the ladder chosen for it?

mod clips;
mod ladder;
mod likeness;
mod qc;
#[allow(dead_code)]
#[path = "../media_pass/room.rs"]
mod room;
mod run;
mod vmaf;
