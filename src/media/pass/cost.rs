//! What an attempt cost its process.

use crate::media::progress::Cost;
use std::time::Instant;

/// Since a moment; memory and processor time of the whole process.
pub fn of_process(started: Instant, read_bytes: u64) -> Cost {
    Cost {
        wall_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        cpu_ms: cpu_ms(),
        read_bytes,
        peak_memory_bytes: peak_memory_bytes().unwrap_or(0),
    }
}

fn cpu_ms() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1000 + u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000_000
}

/// The kernel's high-water mark; none where the sandbox hides /proc.
fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
}
