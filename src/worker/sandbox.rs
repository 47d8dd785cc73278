//! The worker's cage, closed before any thread starts and before a byte of the source is read.
//!
//! Guarantees, each layer by itself: no new privileges; a seccomp filter (calls outside the list fail with ENOSYS, so
//! that libraries take another way; the network, other programs, other processes and the kernel's own interfaces end
//! the worker with SIGSYS); landlock (only scratch can be opened, besides a few harmless system files, and fonts where
//! letters are drawn); resource
//! limits. Layers the kernel lacks are named, or refuse the attempt in `required` mode. A worker that may use a device
//! has a wider cage: the device's nodes and the driver's files can be opened, sockets of this host's own kind (to which
//! nothing outside can be connected) and the driver's `ioctl`s pass, and what the driver may try without needing it is
//! refused instead of ending the worker. Its memory is watched by the parent: CUDA reserves terabytes of addresses, which
//! a limit on address space would forbid. Deliberately absent: everything the source could influence.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::worker::device_access::DeviceAccess;
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
/// `ioctl`s of the driver: `_IOC(.., 'F', nr, size)` of the control and device nodes, whatever number and size, as
/// (mask, value) of the low half.
const DRIVER_IOCTLS: [(u64, u64); 2] = [
    (0xff00, 0x4600),
    // Those of unified memory are plain small numbers.
    (0xffff_ff00, 0),
];
/// And its first and last: UVM_INITIALIZE, UVM_DEINITIALIZE.
const UNIFIED_MEMORY_IOCTLS: [u64; 2] = [0x3000_0001, 0x3000_0002];
const AF_UNIX: u64 = 1;
/// Kinds of sockets that cannot be used to speak to a socket's path: SOCK_STREAM and SOCK_SEQPACKET, which would have to
/// be connected first.
const CONNECTED_SOCKETS: [u64; 2] = [1, 5];
const SOCKET_KIND: u64 = 0xf;
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

/// Where fonts lie and what says so. Read by workers that draw letters, and by no others.
const FONTS: [&str; 5] = [
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/etc/fonts",
    "/usr/share/fontconfig",
    "/var/cache/fontconfig",
];

/// What the cage is to leave open.
#[derive(Debug, Clone, Copy)]
pub struct Cage<'a> {
    /// The one directory that can be written.
    pub scratch: &'a Path,
    /// A folder whose files may be read: those of a family of pictures.
    pub folder: Option<BorrowedFd<'a>>,
    /// Bytes of address space; 0: no limit. Not held where there is a `device`.
    pub max_memory_bytes: u64,
    /// How strict to be about what the kernel lacks.
    pub mode: SandboxMode,
    /// Letters are drawn: the host's fonts can be read.
    pub has_letters: bool,
    /// A device may be used, with these files.
    pub device: Option<&'a DeviceAccess>,
}

/// Closes the cage around this process, which must have a single thread. Returns the layers the kernel lacks.
pub fn enter(cage: &Cage) -> Result<Vec<String>, Fault> {
    let max_memory_bytes = if cage.device.is_some() {
        0
    } else {
        cage.max_memory_bytes
    };
    limit_resources(max_memory_bytes).map_err(|error| refused("resource limits", &error.to_string()))?;
    if cage.mode == SandboxMode::Off {
        return Ok(vec!["all of them: the sandbox is off".to_owned()]);
    }
    let mut missing = Vec::new();
    if let Err(error) = rustix::thread::set_no_new_privs(true) {
        missing.push(format!("no_new_privs: {error}"));
    }
    if let Err(cause) = confine_files(cage) {
        missing.push(format!("landlock: {cause}"));
    }
    if let Err(cause) = confine_calls(cage.device.is_some()) {
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

/// Leaves scratch, [`READABLE`] and the folder of all files, [`FONTS`] where letters are drawn, and what a device needs.
fn confine_files(cage: &Cage<'_>) -> Result<(), String> {
    let abi = landlock::ABI::V6;
    let in_scratch = AccessFs::from_all(abi)
        & !(AccessFs::Execute
            | AccessFs::MakeChar
            | AccessFs::MakeBlock
            | AccessFs::MakeFifo
            | AccessFs::MakeSock
            | AccessFs::MakeSym
            | AccessFs::IoctlDev);
    let on_nodes = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::ReadDir | AccessFs::IoctlDev;
    let confine = || -> Result<_, landlock::RulesetError> {
        let mut rules = Ruleset::default()
            .handle_access(AccessFs::from_all(abi))?
            .handle_access(AccessNet::from_all(abi))?
            .scope(Scope::from_all(abi))?
            .create()?;
        let fonts = FONTS.iter().filter(|_| cage.has_letters);
        let of_device = cage.device.iter().flat_map(|device| &device.readable).map(Path::new);
        for path in READABLE.iter().chain(fonts).map(Path::new).chain(of_device) {
            if let Ok(opened) = PathFd::new(path) {
                rules = rules.add_rule(PathBeneath::new(opened, readable(path)))?;
            }
        }
        for node in cage.device.iter().flat_map(|device| &device.nodes) {
            if let Ok(opened) = PathFd::new(node) {
                let access = if node.is_dir() {
                    on_nodes
                } else {
                    on_nodes & !AccessFs::ReadDir
                };
                rules = rules.add_rule(PathBeneath::new(opened, access))?;
            }
        }
        if let Ok(opened) = PathFd::new(cage.scratch) {
            rules = rules.add_rule(PathBeneath::new(opened, in_scratch))?;
        }
        if let Some(folder) = cage.folder {
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
fn confine_calls(has_device: bool) -> Result<(), String> {
    let own = u64::from(rustix::process::getpid().as_raw_pid().unsigned_abs());
    let programs = [
        filter(
            forbidden(own, has_device)?,
            SeccompAction::Allow,
            SeccompAction::KillProcess,
        )?,
        filter(
            allowed(own, has_device)?,
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
fn allowed(own: u64, has_device: bool) -> Result<Rules, String> {
    let thread = SeccompCmpOp::MaskedEq(CLONE_THREAD);
    let mut some = vec![
        ("clone", vec![when(0, SeccompCmpArgLen::Qword, thread, CLONE_THREAD)?]),
        ("kill", vec![when(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own)?]),
        ("tgkill", vec![when(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own)?]),
        ("prctl", any_of(0, &PRCTLS)?),
        ("prlimit64", any_of(0, &[0, own])?),
    ];
    let mut ioctls = any_of(1, &IOCTLS)?;
    if has_device {
        ioctls.extend(any_of(1, &UNIFIED_MEMORY_IOCTLS)?);
        for (mask, value) in DRIVER_IOCTLS {
            ioctls.push(when(1, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), value)?);
        }
        let sockets: Result<Vec<SeccompRule>, String> = CONNECTED_SOCKETS.iter().map(|kind| socket(*kind)).collect();
        some.push(("socket", sockets?));
    }
    some.push(("ioctl", ioctls));
    let mut rules = rules(syscalls::ALLOWED, some);
    if has_device {
        rules.extend(numbers(syscalls::DEVICE).map(|number| (number, Vec::new())));
    }
    Ok(rules)
}

/// A socket between processes of this host, of that kind.
fn socket(kind: u64) -> Result<SeccompRule, String> {
    let conditions = [
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, AF_UNIX),
        SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(SOCKET_KIND), kind),
    ];
    let conditions: Result<Vec<SeccompCondition>, _> = conditions.into_iter().collect();
    conditions.and_then(SeccompRule::new).map_err(|error| error.to_string())
}

/// What ends the worker. `clone3` is in neither list: its flags cannot be looked at, and libraries fall back to `clone`.
fn forbidden(own: u64, has_device: bool) -> Result<Rules, String> {
    let thread = SeccompCmpOp::MaskedEq(CLONE_THREAD);
    let mut some = vec![
        ("kill", vec![when(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, own)?]),
        ("tgkill", vec![when(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, own)?]),
    ];
    if !has_device {
        some.push(("clone", vec![when(0, SeccompCmpArgLen::Qword, thread, 0)?]));
        return Ok(rules(syscalls::FORBIDDEN, some));
    }
    let mut rules = rules(syscalls::FORBIDDEN, some);
    for number in numbers(syscalls::DEVICE).chain(numbers(syscalls::TRIED_BY_DRIVER)) {
        rules.remove(&number);
    }
    let network = when(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, AF_UNIX)?;
    rules.extend(guarded("socket").map(|number| (number, vec![network])));
    Ok(rules)
}

fn numbers(calls: &[syscalls::Call]) -> impl Iterator<Item = i64> {
    calls.iter().filter_map(|call| call.number)
}

/// `calls` whatever their arguments, and the guarded ones with theirs, as far as there are such calls here.
fn rules(calls: &[syscalls::Call], with: Vec<(&str, Vec<SeccompRule>)>) -> Rules {
    let some = with
        .into_iter()
        .filter_map(|(name, wanted)| Some((guarded(name)?, wanted)));
    numbers(calls).map(|number| (number, Vec::new())).chain(some).collect()
}

fn guarded(name: &str) -> Option<i64> {
    let all = syscalls::GUARDED.iter().chain(syscalls::FORBIDDEN);
    all.into_iter().find(|call| call.name == name)?.number
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
        for has_device in [false, true] {
            for rules in [super::allowed(7, has_device), super::forbidden(7, has_device)] {
                let program = super::filter(
                    rules.expect("the rules are sound"),
                    seccompiler::SeccompAction::Errno(38),
                    seccompiler::SeccompAction::Allow,
                );
                assert!(program.expect("they compile").len() < 4096);
            }
        }
    }

    #[test]
    fn a_device_widens_the_cage_by_nothing_that_leads_out_of_the_host() {
        let ended = super::forbidden(7, true).expect("the rules are sound");
        let passed = super::allowed(7, true).expect("the rules are sound");
        let number = |name: &str| {
            let call = syscalls::FORBIDDEN.iter().find(|call| call.name == name);
            call.and_then(|call| call.number).expect("a call of this architecture")
        };
        for name in [
            "socket",
            "ptrace",
            "mount",
            "bpf",
            "process_vm_readv",
            "unshare",
            "io_uring_setup",
        ] {
            assert!(ended.contains_key(&number(name)), "{name}");
        }
        for name in ["connect", "execve", "sendto"] {
            assert!(!passed.contains_key(&number(name)), "{name}");
        }
        assert!(passed.contains_key(&number("memfd_create")));
        assert_eq!(passed[&number("socket")].len(), 2, "of two kinds only");
    }
}
