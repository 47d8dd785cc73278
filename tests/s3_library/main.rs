//! Does the library work with buckets as with folders? Files that come in through interruptions, links, deletions, batches
//! and the folder picker, through the real daemon against s3s-fs, with a proxy between them that makes it ill.

#[path = "../appliance/mod.rs"]
mod appliance;

mod archive;
mod cloud;
mod coming_in;
mod faults;
mod links;
mod looking;
