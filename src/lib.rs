#![doc = include_str!("README.md")]

pub mod base;
pub mod callback;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod events;
pub mod executor;
pub mod media;
pub mod objects;
pub mod scheduler;
pub mod store;
pub mod telemetry;
pub mod trigger;
pub mod web;
pub mod worker;
pub mod workflow;
