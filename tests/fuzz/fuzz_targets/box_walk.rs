//! The walk that tells an unfinished file before it triggers anything.
#![no_main]
use libfuzzer_sys::fuzz_target;
use reelmill::trigger::box_check;
use std::io::Cursor;

fuzz_target!(|input: (u64, &[u8])| {
    let (claimed, bytes) = input;
    for size in [bytes.len() as u64, claimed, u64::MAX] {
        box_check::check(&mut Cursor::new(bytes), size).expect("memory is always read");
    }
});
