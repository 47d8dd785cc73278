//! What this process and its host use, as the kernel tells it.
//!
//! Guarantees: cheap, and what cannot be read is none. Deliberately absent: worker processes, which report their own cost.

use super::cpu_ticks::CpuTicks;
use super::host_meter::memory_of;
use std::time::Duration;
use std::time::Instant;

/// Reads the meters; keeps what the reading before said, since processor time only counts up.
#[derive(Debug)]
pub struct ProcessMeter {
    at: Instant,
    own: Duration,
    host: Option<CpuTicks>,
}

/// What one reading says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reading {
    /// Processor time of this process since the reading before, per cent of one processor.
    pub cpu_percent: f64,
    /// Memory this process holds, bytes.
    pub memory_bytes: Option<f64>,
    /// How busy all processors of the host were since the reading before, per cent.
    pub host_cpu_percent: Option<f64>,
    /// Memory of the host that programs could still have, bytes.
    pub host_memory_available_bytes: Option<f64>,
}

impl Default for ProcessMeter {
    fn default() -> Self {
        ProcessMeter {
            at: Instant::now(),
            own: own_cpu(),
            host: CpuTicks::now(),
        }
    }
}

impl ProcessMeter {
    /// Reads.
    pub fn read(&mut self) -> Reading {
        let now = ProcessMeter::default();
        let wall = now.at.duration_since(self.at).as_secs_f64();
        let own = now.own.saturating_sub(self.own).as_secs_f64();
        let host = self.host.zip(now.host).and_then(|(before, now)| now.busy_since(before));
        *self = now;
        Reading {
            cpu_percent: if wall > 0.0 { own / wall * 100.0 } else { 0.0 },
            memory_bytes: kib("/proc/self/status", "VmRSS:"),
            host_cpu_percent: host,
            host_memory_available_bytes: kib("/proc/meminfo", "MemAvailable:"),
        }
    }
}

fn own_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// A line `NAME NUMBER kB` of a file, in bytes.
fn kib(file: &str, name: &str) -> Option<f64> {
    let text = std::fs::read_to_string(file).ok()?;
    memory_of(&text, name).map(|bytes| bytes as f64)
}

#[cfg(test)]
mod tests {
    use super::ProcessMeter;

    #[test]
    fn says_something_of_this_process() {
        let mut meter = ProcessMeter::default();
        let mut sum = 0_u64;
        for number in 0..20_000_000_u64 {
            sum = sum.wrapping_add(std::hint::black_box(number));
        }
        let reading = meter.read();
        assert!(sum > 0 && reading.cpu_percent > 0.0, "{reading:?}");
        assert!(reading.memory_bytes.is_some_and(|bytes| bytes > 1e6), "{reading:?}");
        assert!(reading.host_memory_available_bytes.is_some(), "{reading:?}");
    }
}
