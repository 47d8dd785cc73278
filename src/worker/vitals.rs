//! Whether a worker is alive: its processor time and its I/O, beside the progress it reports; and how much it holds.
//!
//! Guarantees: a slow host never looks like a hang, since any frame, any tick of processor time and any byte moved is
//! life; a worker that only burns processor time without ever moving on is found too, much later. Deliberately
//! absent: killing, and any limit on how long a pass may take as a whole.

use std::time::Duration;
use std::time::Instant;

/// What the kernel counts of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vitals {
    /// Processor time of all its threads, ticks of 10 ms.
    pub cpu_ticks: u64,
    /// Bytes passed through read and write calls; 0 where the kernel does not say.
    pub io_bytes: u64,
}

impl Vitals {
    /// Those of process `pid`; none: it is gone.
    pub fn of(pid: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold anything; what follows it is numbers. utime and stime are fields 14 and 15.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
        let io = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
        Some(Vitals {
            cpu_ticks: ticks(11)? + ticks(12)?,
            io_bytes: counter(&io, "rchar:") + counter(&io, "wchar:"),
        })
    }
}

/// Memory that process `pid` keeps, bytes; none: it is gone.
pub fn resident_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    Some(counter(&status, "VmRSS:") * 1024)
}

/// The number after `name` in a `name: number` file of `/proc`.
pub(super) fn counter(text: &str, name: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// What the watchdog thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Alive,
    /// Nothing moves: no progress, no processor time, no I/O, for so long.
    Idle(Duration),
    /// It burns processor time and gets nowhere, for so long.
    Spinning(Duration),
}

/// Watches one worker.
#[derive(Debug)]
pub struct Watchdog {
    idle_limit: Duration,
    spin_limit: Duration,
    seen: Vitals,
    reported: (u64, f64),
    lived_at: Instant,
    moved_at: Instant,
}

impl Watchdog {
    /// One that begins now. A limit of zero is off.
    pub fn new(idle_limit: Duration, spin_limit: Duration, now: Instant) -> Self {
        Watchdog {
            idle_limit,
            spin_limit,
            seen: Vitals::default(),
            reported: (0, 0.0),
            lived_at: now,
            moved_at: now,
        }
    }

    /// The worker reported how far it is.
    pub fn reported(&mut self, frames: u64, percent: f64, now: Instant) {
        if self.reported != (frames, percent) {
            self.reported = (frames, percent);
            self.moved(now);
        }
    }

    /// The worker said something else than progress.
    pub fn moved(&mut self, now: Instant) {
        self.lived_at = now;
        self.moved_at = now;
    }

    /// Looks at it.
    pub fn look(&mut self, vitals: Vitals, now: Instant) -> Verdict {
        if vitals.io_bytes != self.seen.io_bytes {
            self.moved(now);
        } else if vitals.cpu_ticks != self.seen.cpu_ticks {
            self.lived_at = now;
        }
        self.seen = vitals;
        let over = |since: Instant, limit: Duration| {
            let so_long = now.duration_since(since);
            (!limit.is_zero() && so_long >= limit).then_some(so_long)
        };
        match (
            over(self.lived_at, self.idle_limit),
            over(self.moved_at, self.spin_limit),
        ) {
            (Some(so_long), _) => Verdict::Idle(so_long),
            (None, Some(so_long)) => Verdict::Spinning(so_long),
            (None, None) => Verdict::Alive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict;
    use super::Vitals;
    use super::Watchdog;
    use std::time::Duration;
    use std::time::Instant;

    const IDLE: Duration = Duration::from_secs(60);
    const SPIN: Duration = Duration::from_secs(600);

    fn vitals(cpu_ticks: u64, io_bytes: u64) -> Vitals {
        Vitals { cpu_ticks, io_bytes }
    }

    #[test]
    fn a_slow_worker_is_not_a_dead_one() {
        let start = Instant::now();
        let mut dog = Watchdog::new(IDLE, SPIN, start);
        for minute in 0..9 {
            let now = start + Duration::from_secs(minute * 59);
            assert_eq!(
                dog.look(vitals(minute, 0), now),
                Verdict::Alive,
                "one tick a minute is life"
            );
        }
    }

    #[test]
    fn silence_of_everything_is_a_hang() {
        let start = Instant::now();
        let mut dog = Watchdog::new(IDLE, SPIN, start);
        dog.look(vitals(5, 5), start);
        assert_eq!(dog.look(vitals(5, 5), start + IDLE), Verdict::Idle(IDLE));
        dog.reported(1, 0.1, start + IDLE);
        assert_eq!(dog.look(vitals(5, 5), start + IDLE), Verdict::Alive);
    }

    #[test]
    fn the_same_report_again_is_no_progress() {
        let start = Instant::now();
        let mut dog = Watchdog::new(IDLE, SPIN, start);
        for second in 0..600 {
            let now = start + Duration::from_secs(second);
            dog.reported(0, 0.0, now);
            assert_eq!(dog.look(vitals(second * 100, 0), now), Verdict::Alive);
        }
        assert_eq!(dog.look(vitals(70_000, 0), start + SPIN), Verdict::Spinning(SPIN));
        assert_eq!(
            dog.look(vitals(70_000, 1), start + SPIN),
            Verdict::Alive,
            "a byte moved"
        );
    }

    #[test]
    fn reads_this_very_process() {
        let own = Vitals::of(std::process::id()).expect("this process is there");
        assert!(own.io_bytes > 0, "{own:?}");
        assert_eq!(Vitals::of(u32::MAX), None);
        assert!(super::resident_bytes(std::process::id()).is_some_and(|bytes| bytes > 1 << 20));
        assert_eq!(super::resident_bytes(u32::MAX), None);
    }
}
