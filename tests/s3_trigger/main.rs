//! Arrivals from buckets: by listing and by notifications.

#[path = "../appliance/mod.rs"]
mod appliance;
mod daemon;
mod listing;
mod notices;
mod shelf;
