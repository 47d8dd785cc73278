//! How much may run at once on this host. Pure but for reading the host's size once.
//!
//! Heavy attempts decode and encode; light ones read facts or a few pictures and need one thread. Guarantees: never
//! more attempts than allowed; a light attempt is not kept waiting by heavy ones, and one that a device carries by none
//! of them. Deliberately absent: devices, which say themselves how much they carry (`devices`).

use std::num::NonZeroUsize;

/// Threads that an attempt keeps busy whose pictures never leave a device.
const CARRIED_THREADS: u32 = 4;

/// What this host gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Threads that all attempts together may keep busy.
    pub threads: u32,
    /// Heavy attempts at once; as many light ones may run beside them.
    pub attempts: u32,
    /// Memory of all workers together, bytes.
    pub memory_bytes: u64,
}

impl Capacity {
    /// All cores, one heavy attempt for each eight of them, three quarters of the memory. An encoder ladder keeps
    /// about eight cores busy; more of them at once only make all of them late.
    pub fn auto() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let memory = rustix::system::sysinfo();
        let unit = u64::from(memory.mem_unit.max(1));
        Capacity {
            threads: u32::try_from(cores).unwrap_or(u32::MAX),
            attempts: u32::try_from(cores.div_ceil(8)).unwrap_or(u32::MAX),
            memory_bytes: (memory.totalram as u64).saturating_mul(unit) / 4 * 3,
        }
    }

    /// Memory of one attempt.
    pub fn memory_of_one(&self) -> u64 {
        self.memory_bytes / u64::from(self.attempts.max(1))
    }

    /// Threads for one more attempt beside `busy`, or none when it must wait. `alone`: nothing else wants to run.
    pub fn grant(&self, busy: Busy, heavy: bool, alone: bool) -> Option<u32> {
        if !heavy {
            return (busy.light < self.attempts.max(1)).then_some(1);
        }
        if busy.heavy >= self.attempts.max(1) {
            return None;
        }
        let share = (self.threads / self.attempts.max(1)).max(1);
        let free = self.threads.saturating_sub(busy.threads);
        Some(if alone { free.max(share) } else { share })
    }

    /// Threads for one more attempt that a device carries: for sound, packets and proofs.
    pub fn grant_carried(&self) -> u32 {
        self.threads.clamp(1, CARRIED_THREADS)
    }

    /// Whether neither a heavy nor a light attempt could start.
    pub fn full(&self, busy: Busy) -> bool {
        self.grant(busy, true, false).is_none() && self.grant(busy, false, false).is_none()
    }
}

/// How an attempt burdens the processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Decodes and encodes.
    Heavy,
    /// Reads facts or a few pictures.
    Light,
    /// A device decodes and encodes; packets and sound are left to do.
    Carried,
    /// Somebody else is asked: burdens nobody here.
    Asking,
    /// Bytes go from one storage to another: burdens the storages alone.
    Copying,
}

/// What runs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Busy {
    /// Heavy attempts.
    pub heavy: u32,
    /// Light attempts.
    pub light: u32,
    /// Attempts that a device carries.
    pub carried: u32,
    /// Threads of all of them.
    pub threads: u32,
}

#[cfg(test)]
mod tests {
    use super::Busy;
    use super::Capacity;

    const HOST: Capacity = Capacity {
        threads: 16,
        attempts: 2,
        memory_bytes: 1 << 30,
    };

    #[test]
    fn the_only_attempt_gets_all_threads_and_several_share_them() {
        let idle = Busy::default();
        assert_eq!(HOST.grant(idle, true, true), Some(16));
        assert_eq!(HOST.grant(idle, true, false), Some(8));
        let one = Busy {
            heavy: 1,
            light: 0,
            carried: 0,
            threads: 8,
        };
        assert_eq!(HOST.grant(one, true, true), Some(8));
        let greedy = Busy { threads: 16, ..one };
        assert_eq!(HOST.grant(greedy, true, true), Some(8), "a late comer is not starved");
    }

    #[test]
    fn heavy_ones_do_not_keep_light_ones_waiting() {
        let full = Busy {
            heavy: 2,
            light: 1,
            carried: 3,
            threads: 17,
        };
        assert_eq!(HOST.grant(full, true, true), None);
        assert_eq!(HOST.grant(full, false, false), Some(1));
        assert!(HOST.full(Busy { light: 2, ..full }));
    }
}
