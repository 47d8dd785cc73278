//! Is a source in a bucket worked on like one in a folder, with no more bytes than needed, and is an ill endpoint never
//! taken for an ill file? The real worker in its cage, s3s-fs behind a proxy that makes it ill.

#[path = "../appliance/mod.rs"]
mod appliance;
#[path = "../collection/mod.rs"]
mod collection;

mod endings;
mod jumps;
mod likeness;
mod stage;
