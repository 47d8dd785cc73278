//! Do files come into the library whole, by tus, by ranges and by address, through interruptions, kill -9 and servers
//! that lie? Against the real daemon, with requests written by hand.

#[path = "../appliance/mod.rs"]
mod appliance;

mod desk;
mod pulls;
mod ranged;
mod server;
mod tus;
