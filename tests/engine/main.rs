//! The durable engine: store and scheduler over an executor that does real file work and no media work.
//!
//! `house` builds one on a temporary directory, `hand` is the executor; `flow` follows tasks to their ends, `rows`
//! asks the store alone, `faults` breaks things, `death` kills the process at random moments, `words` asks for what is told only on request,
//! `ours` whether outputs and what users put in their place are told apart.

mod death;
mod faults;
mod flow;
mod hand;
mod house;
mod ours;
mod pace;
mod rows;
mod words;
