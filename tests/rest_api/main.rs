//! Does the REST API keep its promises? A whole router on a port of its own, with a store and a folder storage on disk;
//! only the scheduler is played by the test.

mod access;
mod changes;
mod command_line;
mod links;
mod served;
mod shape;
mod stream;
mod tasks;
mod workflows;
