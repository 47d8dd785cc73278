//! Encoding on the device: what comes out is whole, in order, at the times that went in, with key frames where they were
//! asked for. On the stand-in driver (`tests/standin/`), which codes in software and enforces the contract of the real
//! one; that a real device makes the same of it is not shown here.

mod bench;
mod driver;
mod faults;
mod player;
#[path = "../standin_driver/mod.rs"]
mod standin_driver;
mod streams;
mod together;
