//! What should happen: definitions, graphs, names, statuses. Pure.
//!
//! Guarantees: no I/O, no clock, no async; the same input gives the same answer. Deliberately absent: when and where it happens.

pub mod condition;
pub mod plan;
pub mod resolved;
pub mod status;
