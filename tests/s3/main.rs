//! Is the client for buckets right, and clear where it fails? The library against s3s-fs, through a proxy that makes the
//! service ill; with REELMILL_S3_PEER (see `tests/s3_peers.sh`) against another service.

#[path = "../appliance/mod.rs"]
mod appliance;

mod checks;
mod faults;
mod objects;
mod peer;
mod tls;
mod uploads;
