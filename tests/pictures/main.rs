//! Does every picture show the frame its label claims, and does making it cost no more than it must?

mod animations;
#[path = "../backend/mod.rs"]
mod backend;
mod bench;
mod fills;
mod frames;
mod numbered_clip;
mod riding;
mod seeking;
mod sets;
mod sources;
