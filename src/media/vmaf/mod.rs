//! VMAF, by the libvmaf of the host where it has one.
//!
//! Guarantees: a host without it loses this number and nothing else; the numbers are the library's own, of its built-in
//! models. Deliberately absent: choosing pictures (`media::quality`).

#![allow(unsafe_code)]

mod api;
pub mod library;
pub mod meter;

pub use library::Library;
pub use meter::Meter;
