//! What should happen: definitions, graphs, names, statuses. Pure.
//!
//! Guarantees: no I/O, no clock, no async; the same input gives the same answer. Deliberately absent: when and where it happens.

pub mod activity;
pub mod arrival;
pub mod condition;
pub mod deed;
pub mod definition;
pub mod destination;
pub mod expression;
pub mod graph;
pub mod graph_view;
pub mod marks;
pub mod name_rule;
pub mod naming;
pub mod opinion;
pub mod otherwise;
pub mod output_names;
pub mod plan;
pub mod preset;
pub mod rehearsal;
pub mod resolve;
pub mod resolved;
pub mod schema;
pub mod secrets;
mod sections;
pub mod segment;
pub mod selector;
pub mod side_order;
pub mod status;
pub mod storage;
pub mod template;
pub mod waiting;
