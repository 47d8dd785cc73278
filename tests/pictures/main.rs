//! Does every picture show the frame its label claims, and does making it cost no more than it must?

mod bench;
mod frames;
mod numbered_clip;
mod sources;
