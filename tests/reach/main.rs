//! Do events reach whoever they are for, by every way there is, through failures, restarts and exchanged keys; and is a
//! person told when something stands still?

mod alerts;
#[path = "../appliance/mod.rs"]
mod appliance;
mod archive;
mod certificates;
mod failures;
mod made;
mod notify;
mod programs;
mod smtp;
mod smtp_tls;
mod world;
