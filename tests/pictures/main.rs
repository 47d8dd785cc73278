//! Does every picture show the frame its label claims, and does making it cost no more than it must?

mod animations;
mod bench;
mod fills;
mod frames;
mod numbered_clip;
mod seeking;
mod sets;
mod sources;
