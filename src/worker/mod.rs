//! One attempt = one child process: this binary run again as `reelmill worker`.
//!
//! Guarantees: a crash, hang or memory blow-up of an attempt is a failed attempt, never an outage. Deliberately
//! absent: the database, storages, the network.

mod account;
pub mod death;
pub mod device_access;
pub mod device_look;
pub mod device_trial;
pub mod environment;
pub mod escape;
mod held;
mod inquiry;
pub mod kernel_trial;
pub mod process;
pub mod protocol;
pub mod relay;
pub mod sandbox;
pub mod scratch;
pub mod supervisor;
mod syscalls;
pub mod vitals;
pub mod voice;
