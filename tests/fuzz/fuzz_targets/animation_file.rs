//! See the property of the same name.
#![no_main]
#![allow(dead_code)]

#[path = "../properties/mod.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::animation_file(bytes));
