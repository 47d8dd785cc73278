//! The worker's cage, closed before any thread starts and before a byte of the source is read.
//!
//! Guarantees, each layer by itself: no new privileges; a seccomp filter (calls outside the list fail with ENOSYS, so
//! that libraries take another way; the network, other programs, other processes and the kernel's own interfaces end
//! the worker with SIGSYS); landlock (only scratch can be opened, besides a few harmless system files); resource
//! limits. Layers the kernel lacks are named, or refuse the attempt in `required` mode. Deliberately absent: a
//! profile for workers that use a device, and everything the source could influence.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::worker::protocol::SandboxMode;
use crate::worker::syscalls;
use landlock::Access;
use landlock::AccessFs;
use landlock::AccessNet;
use landlock::BitFlags;
use landlock::PathBeneath;
use landlock::PathFd;
use landlock::Ruleset;
use landlock::RulesetAttr;
use landlock::RulesetCreatedAttr;
use landlock::RulesetStatus;
use landlock::Scope;
use rustix::io::Errno;
use rustix::process::Resource;
use rustix::process::Rlimit;
use seccompiler::BpfProgram;
use seccompiler::SeccompAction;
use seccompiler::SeccompCmpArgLen;
use seccompiler::SeccompCmpOp;
use seccompiler::SeccompCondition;
use seccompiler::SeccompFilter;
use seccompiler::SeccompRule;
use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::path::Path;

/// Descriptors a worker may hold: its files and segments, not the host's table.
const MAX_DESCRIPTORS: u64 = 1024;
/// `clone` makes a thread, not a process.
const CLONE_THREAD: u64 = 0x0001_0000;
/// `ioctl`s of plain files and terminals: TCGETS, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX.
const IOCTLS: [u64; 5] = [0x5401, 0x541B, 0x5421, 0x5451, 0x5450];
/// `prctl`s of threads and allocators: names and name tags of memory.
const PRCTLS: [u64; 3] = [15, 16, 0x5356_4d41];
/// Read by libraries when they first need them; none of them tells anything of the studio.
const READABLE: [&str; 7] = [
    "/dev/null",
    "/dev/zero",
    "/dev/urandom",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
    "/etc/localtime",
];

/// What the cage is to leave open.
#[derive(Debug, Clone, Copy)]
pub struct Cage<'a> {
    /// The one directory that can be written.
    pub scratch: &'a Path,
    /// A folder whose files may be read: those of a family of pictures.
    pub folder: Option<BorrowedFd<'a>>,
    /// Bytes of address space; 0: no limit.
    pub max_memory_bytes: u64,
    /// How strict to be about what the kernel lacks.
    pub mode: SandboxMode,
}

/// Closes the cage around this process, which must have a single thread. Returns the layers the kernel lacks.
pub fn enter(cage: &Cage) -> Result<Vec<String>, Fault> {
    limit_resources(cage.max_memory_bytes).map_err(|error| refused("resource limits", &error.to_string()))?;
    if cage.mode == SandboxMode::Off {
        return Ok(vec!["all of them: the sandbox is off".to_owned()]);
    }
    let mut missing = Vec::new();
    if let Err(error) = rustix::thread::set_no_new_privs(true) {
        missing.push(format!("no_new_privs: {error}"));
    }
    if let Err(cause) = confine_files(cage.scratch, cage.folder) {
        missing.push(format!("landlock: {cause}"));
    }
    if let Err(cause) = confine_calls() {
        missing.push(format!("seccomp: {cause}"));
    }
    match (cage.mode, missing.first()) {
        (SandboxMode::Required, Some(first)) => Err(refused("the sandbox", first)),
        _ => Ok(missing),
    }
}

fn refused(what: &str, cause: &str) -> Fault {
    Fault::new(
        "SandboxMissing",
        Blame::Host,
        "confine worker",
        what,
        cause,
        "Use a kernel with landlock and seccomp (5.13 or newer, landlock in its lsm= list), or set the sandbox to auto.",
    )
    .retryable(false)
}

fn limit_resources(max_memory_bytes: u64) -> Result<(), Errno> {
    let fixed = |limit| Rlimit {
        current: Some(limit),
        maximum: Some(limit),
    };
    rustix::process::setrlimit(Resource::Core, fixed(0))?;
    let descriptors = rustix::process::getrlimit(Resource::Nofile)
        .maximum
        .unwrap_or(MAX_DESCRIPTORS);
    rustix::process::setrlimit(Resource::Nofile, fixed(descriptors.min(MAX_DESCRIPTORS)))?;
    if max_memory_bytes > 0 {
        rustix::process::setrlimit(Resource::As, fixed(max_memory_bytes))?;
    }
    Ok(())
}

/// Leaves scratch and [`READABLE`] of all files.
fn confine_files(scratch: &Path, folder: Option<BorrowedFd<'_>>) -> Result<(), String> {
    let abi = landlock::ABI::V6;
    let in_scratch = AccessFs::from_all(abi)
        & !(AccessFs::Execute
            | AccessFs::MakeChar
            | AccessFs::MakeBlock
            | AccessFs::MakeFifo
            | AccessFs::MakeSock
            | AccessFs::MakeSym
            | AccessFs::IoctlDev);
    let confine = || -> Result<_, landlock::RulesetError> {
        let mut rules = Ruleset::default()
            .handle_access(AccessFs::from_all(abi))?
            .handle_access(AccessNet::from_all(abi))?
            .scope(Scope::from_all(abi))?
            .create()?;
        for path in READABLE {
            if let Ok(opened) = PathFd::new(path) {
                rules = rules.add_rule(PathBeneath::new(opened, readable(Path::new(path))))?;
            }
        }
        if let Ok(opened) = PathFd::new(scratch) {
            rules = rules.add_rule(PathBeneath::new(opened, in_scratch))?;
        }
        if let Some(folder) = folder {
            rules = rules.add_rule(PathBeneath::new(folder, AccessFs::ReadFile))?;
        }
        rules.restrict_self()
    };
    match confine() {
        Ok(status) if status.ruleset == RulesetStatus::NotEnforced => Err("this kernel has none".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn readable(path: &Path) -> BitFlags<AccessFs> {
    if path.is_dir() {
        AccessFs::ReadFile | AccessFs::ReadDir
    } else if path == Path::new("/dev/null") {
        AccessFs::ReadFile | AccessFs::WriteFile
    } else {
        AccessFs::ReadFile.into()
    }
}

/// Two filters, of whose answers the kernel takes the harsher. The list of what passes comes last: it does not hold
/// the calls that set filters.
fn confine_calls() -> Result<(), String> {
    let own = u64::from(rustix::process::getpid().as_raw_pid().unsigned_abs());
    let programs = [
        filter(forbidden(own)?, SeccompAction::Allow, SeccompAction::KillProcess)?,
        filter(
            allowed(own)?,
            SeccompAction::Errno(Errno::NOSYS.raw_os_error().unsigned_abs()),
            SeccompAction::Allow,
        )?,
    ];
    for program in programs {
        seccompiler::apply_filter(&program).map_err(|error| error.to_string())?;
    }
    Ok(())
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// What passes.
fn allowed(own: u64) -> Result<Rules, String> {
    let thread = SeccompCmpOp::MaskedEq(CLONE_THREAD);
    Ok(rules(
        syscalls::ALLOWED,
        [
            ("clone", vec![when(0, SeccompCmpArgLen::Qword, thread, CLONE_THREAD)?]),
            ("kill", vec![when(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own)?]),
            ("tgkill", vec![when(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own)?]),
            ("ioctl", any_of(1, &IOCTLS)?),
            ("prctl", any_of(0, &PRCTLS)?),
            ("prlimit64", any_of(0, &[0, own])?),
        ],
    ))
}

/// What ends the worker. `clone3` is in neither list: its flags cannot be looked at, and libraries fall back to `clone`.
fn forbidden(own: u64) -> Result<Rules, String> {
    let thread = SeccompCmpOp::MaskedEq(CLONE_THREAD);
    Ok(rules(
        syscalls::FORBIDDEN,
        [
            ("clone", vec![when(0, SeccompCmpArgLen::Qword, thread, 0)?]),
            ("kill", vec![when(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, own)?]),
            ("tgkill", vec![when(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, own)?]),
        ],
    ))
}

/// `calls` whatever their arguments, and the guarded ones with theirs, as far as there are such calls here.
fn rules<const N: usize>(calls: &[syscalls::Call], with: [(&str, Vec<SeccompRule>); N]) -> Rules {
    let always = calls.iter().filter_map(|call| call.number);
    let some = with
        .into_iter()
        .filter_map(|(name, wanted)| Some((guarded(name)?, wanted)));
    always.map(|number| (number, Vec::new())).chain(some).collect()
}

fn guarded(name: &str) -> Option<i64> {
    syscalls::GUARDED.iter().find(|call| call.name == name)?.number
}

fn any_of(argument: u8, values: &[u64]) -> Result<Vec<SeccompRule>, String> {
    values
        .iter()
        .map(|value| when(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, *value))
        .collect()
}

fn when(argument: u8, length: SeccompCmpArgLen, compare: SeccompCmpOp, value: u64) -> Result<SeccompRule, String> {
    SeccompCondition::new(argument, length, compare, value)
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(|error| error.to_string())
}

fn filter(rules: Rules, otherwise: SeccompAction, on_match: SeccompAction) -> Result<BpfProgram, String> {
    let machine = std::env::consts::ARCH.try_into().map_err(|error| format!("{error}"))?;
    SeccompFilter::new(rules, otherwise, on_match, machine)
        .and_then(BpfProgram::try_from)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use crate::worker::syscalls;
    use std::collections::BTreeSet;

    #[test]
    fn no_call_is_both_allowed_and_forbidden() {
        let numbers = |calls: &[syscalls::Call]| calls.iter().filter_map(|call| call.number).collect::<BTreeSet<_>>();
        let (allowed, guarded, forbidden) = (
            numbers(syscalls::ALLOWED),
            numbers(syscalls::GUARDED),
            numbers(syscalls::FORBIDDEN),
        );
        assert!(allowed.is_disjoint(&forbidden));
        assert!(allowed.is_disjoint(&guarded));
        assert!(guarded.is_disjoint(&forbidden));
    }

    #[test]
    fn the_filters_fit_the_kernels_size() {
        for rules in [super::allowed(7), super::forbidden(7)] {
            let program = super::filter(
                rules.expect("the rules are sound"),
                seccompiler::SeccompAction::Errno(38),
                seccompiler::SeccompAction::Allow,
            );
            assert!(program.expect("they compile").len() < 4096);
        }
    }
}
