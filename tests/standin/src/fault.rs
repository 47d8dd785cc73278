//! What goes wrong on purpose.
//!
//! Guarantees: kernel launches and mapped frames are counted together over the process, from 1, so that a number
//! means the same in every run of the same work on one thread.

use crate::cuda::code::Code;
use crate::cuda::code::ILLEGAL_ADDRESS;
use crate::cuda::context::Context;
use crate::settings::settings;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Counts a launch or a mapped frame, and does to it what the environment asks for.
pub fn tick(context: &Context) -> Result<(), Code> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let settings = settings();
    if settings.fault_device.is_some_and(|device| device != context.device()) {
        return Ok(());
    }
    let number = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    if settings.crash_at == Some(number) {
        eprintln!("stand-in driver: ends the process, as it was told to");
        std::process::abort();
    }
    if settings.hang_at == Some(number) {
        eprintln!("stand-in driver: hangs, as it was told to");
        loop {
            std::thread::sleep(Duration::from_secs(3600));
        }
    }
    if settings.lost_at.is_some_and(|at| number >= at) {
        context.lose(ILLEGAL_ADDRESS);
        return Err(ILLEGAL_ADDRESS);
    }
    Ok(())
}

/// Whether launches of that kernel are refused.
pub fn is_refused(kernel: &str) -> bool {
    settings().refused_kernel.as_deref() == Some(kernel)
}

/// Whether the picture of that number, from 1 in the order of decoding, ends in an error.
pub fn picture_fails(number: u64) -> bool {
    settings().decode_error_at.contains(&number)
}

/// Whether the parser fails at the picture of that number.
pub fn parser_fails(number: u64) -> bool {
    settings().parse_error_at.contains(&number)
}

/// Whether no context can be had of the device now.
pub fn is_broken(device: usize) -> bool {
    let Some(text) = settings()
        .broken_while
        .as_ref()
        .and_then(|path| std::fs::read_to_string(path).ok())
    else {
        return false;
    };
    text.split_whitespace().any(|number| number.parse() == Ok(device))
}
