//! How much of a source the engine is willing to take: limits against hostile or hopeless files.
//!
//! Guarantees: plain data with defaults that any real production file passes. Deliberately absent: enforcement,
//! which stands where each quantity is first known.

use serde::Deserialize;
use serde::Serialize;

/// Limits against hostile or hopeless sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Largest picture, pixels.
    pub max_pixels: u64,
    /// Most streams looked at.
    pub max_streams: u32,
    /// Longest source, seconds.
    pub max_duration_s: f64,
    /// Share of damaged frames, per cent, above which the job fails.
    pub max_damaged_percent: f64,
    /// Address space of the worker, bytes; 0: none set.
    pub max_memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_pixels: 16_384 * 16_384,
            max_streams: 256,
            max_duration_s: 7.0 * 86_400.0,
            max_damaged_percent: 1.0,
            max_memory_bytes: 0,
        }
    }
}
