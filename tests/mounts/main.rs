//! Is a storage believed only while it is that storage, and does one that hangs, vanishes or fills up harm nobody else?
//! The real daemon on real mounts: bindfs, sshfs with its server killed, ext4 on a loop device.

#[path = "../appliance/mod.rs"]
mod appliance;

mod arriving;
mod asking;
mod ground;
mod house;
mod hung;
mod outputs;
mod vanished;
