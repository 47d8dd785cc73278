//! What the worker itself has used so far, by the kernel's count.
//!
//! Guarantees: opened before the cage closes, readable after. Deliberately absent: bytes read of the source, which
//! the pass counts.

use crate::media::progress::Cost;
use crate::worker::vitals::counter;
use rustix::time::ClockId;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Instant;

/// The running account of this process.
#[derive(Debug)]
pub struct Account {
    begun: Instant,
    status: Option<File>,
}

impl Account {
    /// Opens it.
    pub fn open() -> Self {
        Account {
            begun: Instant::now(),
            status: File::open("/proc/self/status").ok(),
        }
    }

    /// Completes what the pass counted.
    pub fn complete(&self, counted: Cost) -> Cost {
        let cpu = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
        let cpu_ms = u64::try_from(cpu.tv_sec * 1_000 + cpu.tv_nsec / 1_000_000).unwrap_or(0);
        let mut text = [0; 4096];
        let peak_kib = self
            .status
            .as_ref()
            .and_then(|file| file.read_at(&mut text, 0).ok())
            .map(|length| counter(&String::from_utf8_lossy(&text[..length]), "VmHWM:"))
            .unwrap_or(0);
        Cost {
            wall_ms: u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            cpu_ms,
            read_bytes: counted.read_bytes,
            peak_memory_bytes: (peak_kib * 1024).max(counted.peak_memory_bytes),
        }
    }
}
