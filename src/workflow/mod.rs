//! What should happen: definitions, graphs, names, statuses. Pure.
//!
//! Guarantees: no I/O, no clock, no async; the same input gives the same answer. Deliberately absent: when and where it happens.

pub mod arrival;
pub mod naming;
pub mod resolved;
pub mod segment;
pub mod selector;
pub mod status;
