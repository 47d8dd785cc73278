//! The kernel and the host: the workers' cage, inotify, the address.
//!
//! Guarantees: the cage is judged by trying to break out of it with a real worker. Deliberately absent:
//! devices, which are `devices`' affair.

use crate::cli::check::finding::Finding;
use crate::config::file::Sandbox;
use crate::config::resolved::Config;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::ResolveFlags;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

/// Ways out of the cage that are tried; each must be refused.
const ESCAPES: [&str; 4] = ["socket", "exec", "file", "write"];
/// Exit code of a try that the cage stopped.
const REFUSED: i32 = 3;
/// Folders one inotify instance should be able to watch.
const WATCHES: u64 = 65_536;
/// Looks at what needs no configuration.
pub fn look(findings: &mut Vec<Finding>) {
    findings.push(confined_open());
    findings.push(inotify(Path::new("/proc/sys/fs/inotify/max_user_watches")));
}

/// Whether a path can be opened beneath a folder and never outside of it, as every object is.
fn confined_open() -> Finding {
    let opened = rustix::fs::openat2(
        rustix::fs::CWD,
        "/",
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::NO_MAGICLINKS,
    );
    match opened {
        Ok(_) => Finding::good("openat2", "objects can be opened without ever leaving their storage"),
        Err(error) => Finding::broken(
            "openat2",
            format!("the kernel, or what confines this process, refuses it: {error}; no object can be opened"),
            "Use Linux 5.6 or later; take RestrictSUIDSGID= out of the unit, and let a container's seccomp profile allow it.",
        ),
    }
}

fn inotify(limit: &Path) -> Finding {
    let watches: Option<u64> = std::fs::read_to_string(limit)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    match watches {
        Some(watches) if watches >= WATCHES => Finding::good("inotify", format!("{watches} folders can be watched")),
        Some(watches) => Finding::note(
            "inotify",
            format!("only {watches} folders can be watched; beyond that new files are found by scans"),
            format!("Set fs.inotify.max_user_watches = {WATCHES} or more in /etc/sysctl.d/."),
        ),
        None => Finding::note(
            "inotify",
            "this kernel does not offer inotify; new files are found by scans",
            "Fine where storages are shares; otherwise use a kernel with inotify.",
        ),
    }
}

/// Tries to break out of the cage, and says what the kernel lacks for it.
pub fn look_at_sandbox(config: &Config, findings: &mut Vec<Finding>) {
    let required = config.sandbox == Sandbox::Required;
    if config.sandbox == Sandbox::Off {
        findings.push(Finding::note(
            "sandbox",
            "security.sandbox is off: workers that read foreign files are not confined",
            "Set it to \"auto\" or \"required\".",
        ));
        return;
    }
    let bad = |detail: String, remedy: &str| {
        if required {
            Finding::broken("sandbox", detail, remedy)
        } else {
            Finding::note("sandbox", detail, remedy)
        }
    };
    match try_escapes() {
        Ok(found) if found.leaks.is_empty() && found.missing.is_empty() => findings.push(Finding::good(
            "sandbox",
            "workers are confined: network, other programs and foreign files are refused",
        )),
        Ok(found) => {
            if !found.missing.is_empty() {
                findings.push(bad(
                    format!("this kernel lacks {}", found.missing.join("; ")),
                    "Use a kernel of 6.1 or later with landlock and seccomp; containers may have to allow them.",
                ));
            }
            if !found.leaks.is_empty() {
                findings.push(bad(
                    format!("a worker could get out by: {}", found.leaks.join(", ")),
                    "See what the kernel lacks; where workers must be confined, set security.sandbox = \"required\".",
                ));
            }
        }
        Err(cause) => findings.push(bad(
            format!("the sandbox could not be tried: {cause}"),
            "Run the check as the daemon's user.",
        )),
    }
}

/// What tries to break out showed.
#[derive(Default)]
struct Tried {
    leaks: Vec<&'static str>,
    missing: Vec<String>,
}

fn try_escapes() -> Result<Tried, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let scratch = std::env::temp_dir().join(format!("reelmill-check-{}", std::process::id()));
    std::fs::create_dir(&scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    let tried = try_each(&program, &scratch);
    let _ = std::fs::remove_dir_all(&scratch);
    tried
}

fn try_each(program: &Path, scratch: &Path) -> Result<Tried, String> {
    let mut tried = Tried::default();
    let target = scratch.with_extension("outside");
    for way in ESCAPES {
        let mut command = Command::new(program);
        command
            .args(["worker", "--try", way, "--scratch"])
            .arg(scratch)
            .stdin(Stdio::null());
        if way == "write" {
            // Whatever gets out writes a file of ours.
            std::fs::write(&target, "outside").map_err(|error| format!("{}: {error}", target.display()))?;
            command.arg("--target").arg(&target);
        }
        let output = command.output().map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        for layer in said.lines().filter_map(|line| line.strip_prefix("missing: ")) {
            if !tried.missing.iter().any(|known| known == layer) {
                tried.missing.push(layer.to_owned());
            }
        }
        match output.status.code() {
            Some(REFUSED) | None => {}
            Some(0) => tried.leaks.push(way),
            Some(_) => return Err(said.trim().to_owned()),
        }
    }
    let _ = std::fs::remove_file(&target);
    Ok(tried)
}

/// Whether the daemon can listen where it should.
pub fn look_at_address(config: &Config, findings: &mut Vec<Finding>) {
    let address = config.server.listen;
    findings.push(match std::net::TcpListener::bind(address) {
        Ok(_) => Finding::good("address", format!("{address} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Finding::note(
            "address",
            format!("{address} is in use"),
            "Fine when the daemon runs; otherwise stop the other program or set server.listen.",
        ),
        Err(error) => Finding::stops(
            "address",
            format!("{address} cannot be listened on: {error}"),
            "Set server.listen to an address of this host and a port this user may use.",
        ),
    });
}

#[cfg(test)]
mod tests {
    use super::inotify;
    use crate::cli::check::finding::Level;

    #[test]
    fn a_low_inotify_limit_is_noted() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("max");
        std::fs::write(&file, "8192\n").expect("written");
        assert_eq!(inotify(&file).level, Level::Note);
        std::fs::write(&file, "1000000\n").expect("written");
        assert_eq!(inotify(&file).level, Level::Good);
    }
}
