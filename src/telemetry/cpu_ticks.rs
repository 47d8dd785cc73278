//! Ticks of all processors of the host, which only count up.
//!
//! Guarantees: a guest's time is not counted twice. Deliberately absent: single processors.

/// What the kernel counted since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CpuTicks {
    busy: u64,
    all: u64,
}

impl CpuTicks {
    /// What is counted now; none where `/proc/stat` cannot be read.
    pub(super) fn now() -> Option<Self> {
        CpuTicks::of(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    fn of(text: &str) -> Option<Self> {
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = line.split_whitespace().filter_map(|field| field.parse().ok()).collect();
        // User, nice, system, idle, iowait, irq, softirq, steal; guests are within user.
        let all: u64 = ticks.iter().take(8).sum();
        let idle = ticks.get(3)? + ticks.get(4)?;
        Some(CpuTicks {
            busy: all.saturating_sub(idle),
            all,
        })
    }

    /// How busy they were since `before`, per cent; none where no tick passed.
    pub(super) fn busy_since(self, before: CpuTicks) -> Option<f64> {
        let all = self.all.checked_sub(before.all).filter(|all| *all > 0)?;
        Some(self.busy.saturating_sub(before.busy) as f64 / all as f64 * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::CpuTicks;

    #[test]
    fn what_the_kernel_writes_is_read() {
        let before = CpuTicks::of("cpu  10 0 5 80 5 0 0 0 7 0\ncpu0 1").expect("read");
        assert_eq!((before.busy, before.all), (15, 100));
        let after = CpuTicks::of("cpu  15 0 5 90 10 0 0 0 7 0\n").expect("read");
        assert_eq!(after.busy_since(before), Some(25.0));
        assert_eq!(after.busy_since(after), None);
    }
}
