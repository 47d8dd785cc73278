//! How libav's threads share the processor with others: they compute for minutes, and lose by every
//! interruption what they had in the caches.
//!
//! Guarantees: they wait their turn when others wake, and then have a long one (`SCHED_BATCH`, sched(7)); the share of the
//! processor stays what it was. Deliberately absent: niceness, which is the service's.

use std::ffi::c_int;

/// Makes the process and all threads that it starts batch work. A refusal changes nothing but speed.
pub fn take_long_ones() {
    /// `SCHED_BATCH` of sched.h.
    const BATCH: c_int = 3;
    /// `struct sched_param` of sched.h.
    #[repr(C)]
    struct Parameters {
        priority: c_int,
    }
    unsafe extern "C" {
        fn sched_setscheduler(process: c_int, policy: c_int, parameters: *const Parameters) -> c_int;
    }
    let parameters = Parameters { priority: 0 };
    // SAFETY: reads the parameters, which live until it answers; 0 is the caller.
    let _ = unsafe { sched_setscheduler(0, BATCH, &parameters) };
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_thread_becomes_batch_work() {
        let policy = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("readable");
            // The 41st field of proc(5); the second one, a name, may hold blanks.
            let (_, rest) = stat.rsplit_once(") ").expect("a name");
            rest.split(' ').nth(38).map(str::to_owned)
        };
        super::take_long_ones();
        assert_eq!(policy().as_deref(), Some("3"));
    }
}
