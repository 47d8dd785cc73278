//! How far a pass is, and what it cost.
//!
//! Guarantees: plain data; `percent` never falls within an attempt. Deliberately absent: logging and rows,
//! progress lives in memory only.

use serde::Deserialize;
use serde::Serialize;

/// How far a pass is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// 0..=100, never falling.
    pub percent: f64,
    /// Source frames done.
    pub frames: u64,
    /// Source frames a second.
    pub fps: f64,
    /// Source seconds a second.
    pub speed: f64,
    /// Seconds left.
    pub eta_s: Option<f64>,
}

/// What a pass cost.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Cost {
    /// Wall time.
    pub wall_ms: u64,
    /// Processor time of the worker.
    pub cpu_ms: u64,
    /// Bytes read from the source.
    pub read_bytes: u64,
    /// Largest resident set.
    pub peak_memory_bytes: u64,
}
