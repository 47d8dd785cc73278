//! Does the media library hold what the clouds' does? Media are registered, described, filed, found, added to, linked
//! to and deleted, through REST and the command line of the real daemon. Sentences cited are those of the seeds
//! (`002`: the events) and of the part 4.

mod additions;
#[path = "../appliance/mod.rs"]
mod appliance;
mod deletion;
mod description;
mod house;
mod registration;
mod search;
mod speed;
