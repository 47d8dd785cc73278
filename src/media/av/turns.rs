//! How libav's threads share the processor with others: they compute for minutes, and lose by every
//! interruption what they had in the caches.
//!
//! Guarantees: they wait their turn when others wake (`SCHED_BATCH`, sched(7)), and then have a long one, as long as the kernel
//! can be asked for it (Linux 6.12); the share of the processor stays what it was. Where the calls are refused, as in the
//! service, whose unit is batch work as a whole, that is how it stays. Deliberately absent: niceness, which is the service's.

use std::ffi::c_int;
use std::ffi::c_long;
use std::ffi::c_uint;

/// `SCHED_BATCH` of sched.h.
const BATCH: u32 = 3;
/// A turn of theirs. Others' are 3 ms, so that these come first; the most that can be had is 100.
const TURN_NS: u64 = 50_000_000;

/// `struct sched_attr` of linux/sched/types.h, first version.
#[derive(Debug, Default)]
#[repr(C)]
struct Attributes {
    size_bytes: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    /// Of fair policies the length of a turn; kernels before 6.12 look at it in others alone.
    runtime_ns: u64,
    deadline_ns: u64,
    period_ns: u64,
}

unsafe extern "C" {
    fn sched_setscheduler(process: c_int, policy: c_int, priority: *const c_int) -> c_int;
    fn getpriority(which: c_int, who: c_uint) -> c_int;
    fn syscall(number: c_long, ...) -> c_long;
}

/// Numbers of `sched_setattr`, which the C library does not wrap before 2.41.
#[cfg(target_arch = "x86_64")]
const SET_ATTRIBUTES: Option<c_long> = Some(314);
#[cfg(target_arch = "aarch64")]
const SET_ATTRIBUTES: Option<c_long> = Some(274);
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const SET_ATTRIBUTES: Option<c_long> = None;

/// Makes the calling thread and all threads that it starts batch work. A refusal changes nothing but speed.
pub fn take_long_ones() {
    let attributes = Attributes {
        size_bytes: std::mem::size_of::<Attributes>() as u32,
        policy: BATCH,
        // SAFETY: no memory is touched; 0 and 0 are this thread. It cannot fail for it.
        nice: unsafe { getpriority(0, 0) },
        runtime_ns: TURN_NS,
        ..Attributes::default()
    };
    let set = |number: c_long| {
        // SAFETY: reads the attributes, which live until it answers and say their size; 0 is the caller, the last 0 no flags.
        unsafe { syscall(number, 0 as c_int, &raw const attributes, 0 as c_uint) == 0 }
    };
    if !SET_ATTRIBUTES.is_some_and(set) {
        let no_priority: c_int = 0;
        // SAFETY: reads one number, all there is to its `struct sched_param`, which lives until it answers; 0 is the caller.
        let _ = unsafe { sched_setscheduler(0, BATCH as c_int, &raw const no_priority) };
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_thread_becomes_batch_work_with_long_turns() {
        let policy = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("readable");
            // The 41st field of proc(5); the second one, a name, may hold blanks.
            let (_, rest) = stat.rsplit_once(") ").expect("a name");
            rest.split(' ').nth(38).map(str::to_owned)
        };
        super::take_long_ones();
        assert_eq!(policy().as_deref(), Some("3"));

        let version = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("readable");
        let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        // Kernels without this file cannot be asked.
        let Ok(told) = std::fs::read_to_string("/proc/thread-self/sched") else {
            return;
        };
        let slice = told
            .lines()
            .find_map(|line| line.strip_prefix("se.slice")?.split(':').nth(1));
        if version >= (6, 12) {
            assert_eq!(slice.map(str::trim), Some("50000000"));
        }
    }
}
