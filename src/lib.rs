#![doc = include_str!("README.md")]

pub mod base;
pub mod callback;
pub mod events;
pub mod executor;
pub mod media;
pub mod objects;
pub mod store;
pub mod worker;
pub mod workflow;
