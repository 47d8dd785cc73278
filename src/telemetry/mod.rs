//! What the program says about itself: log lines and numbers.
//!
//! Guarantees: depends on nothing of this crate; a log line or a count never fails its caller. Deliberately
//! absent: what is worth saying, which the places that know decide.

mod cpu_ticks;
pub mod device_meters;
pub mod host_meter;
pub mod journal;
pub mod logging;
pub mod metrics;
pub mod process_meter;
