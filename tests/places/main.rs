//! Storages that are made, changed, tried and removed while the daemon runs.

mod ages;
#[path = "../appliance/mod.rs"]
mod appliance;
mod buckets;
mod folders;
mod samples;
mod studio;
