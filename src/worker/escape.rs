//! Tries to break out of the cage, one way at a time, from inside: what a source that took the worker over would do.
//!
//! Guarantees: harmless where it succeeds (a socket to nobody, `/bin/true`, signal 0). Used by the tests and by whoever
//! wants to see the cage hold on their own host: `reelmill worker --try socket`.

use crate::worker::device_access::DeviceAccess;
use crate::worker::environment::DeviceEnvironment;
use crate::worker::protocol::SandboxMode;
use crate::worker::sandbox;
use crate::worker::sandbox::Cage;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::ExitCode;

/// One way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Escape {
    /// Opens a network socket.
    Socket,
    /// Becomes another program.
    Exec,
    /// Starts another program.
    Fork,
    /// Reads a file outside scratch.
    File,
    /// Writes a file outside scratch.
    Write,
    /// Reads a file outside scratch, as a worker that draws letters: fonts alone are open to it.
    Letters,
    /// Links a file from outside into scratch.
    Link,
    /// Signals the daemon.
    KillParent,
    /// Speaks to a service of this host through its socket.
    Service,
    /// None: what a worker must be able to do (threads, files in scratch, its own abort).
    Work,
    /// None: what a device's driver must be able to do.
    Driver,
}

/// Enters the cage around `scratch`, then tries `escape` on `target`. Exit code 0: it worked (for [`Escape::Work`],
/// and [`Escape::Driver`] as it should; for the others, the cage leaks), 3: it was refused. `has_device`: the wider cage
/// of a worker that may use one.
pub fn attempt(escape: Escape, scratch: &Path, target: &Path, mode: SandboxMode, has_device: bool) -> ExitCode {
    let bare = DeviceAccess {
        nodes: Vec::new(),
        readable: Vec::new(),
    };
    let host = has_device.then(|| DeviceAccess::of_host(&DeviceEnvironment::default()).unwrap_or(bare));
    let cage = Cage {
        scratch,
        folder: None,
        max_memory_bytes: 0,
        mode,
        has_letters: escape == Escape::Letters,
        device: host.as_ref(),
    };
    match sandbox::enter(&cage) {
        Ok(missing) => missing.iter().for_each(|layer| eprintln!("missing: {layer}")),
        Err(fault) => {
            eprintln!("{fault}");
            return ExitCode::from(2);
        }
    }
    match go(escape, scratch, target) {
        Ok(()) => {
            eprintln!("{escape:?}: done");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{escape:?}: {error}");
            ExitCode::from(3)
        }
    }
}

fn go(escape: Escape, scratch: &Path, target: &Path) -> std::io::Result<()> {
    match escape {
        Escape::Socket => std::net::UdpSocket::bind("127.0.0.1:0").map(|_| ()),
        Escape::Exec => Err(Command::new("/bin/true").exec()),
        Escape::Fork => Command::new("/bin/true").status().map(|_| ()),
        Escape::File | Escape::Letters => std::fs::read(target).map(|_| ()),
        Escape::Write => std::fs::write(target, b"written from inside the cage"),
        Escape::Link => std::fs::hard_link(target, scratch.join("linked")),
        Escape::KillParent => match rustix::process::getppid() {
            Some(parent) => Ok(rustix::process::test_kill_process(parent)?),
            None => Ok(()),
        },
        Escape::Service => std::os::unix::net::UnixStream::connect(target).map(|_| ()),
        Escape::Work => work(scratch.join("work")),
        Escape::Driver => drive(),
    }
}

/// The calls of a driver that are known: a pair of sockets, a listening one without a path, shared memory without a file.
fn drive() -> std::io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;
    use std::os::unix::net::UnixListener;
    use std::os::unix::net::UnixStream;
    let name = format!("reelmill-{}", std::process::id());
    let (_one, _other) = UnixStream::pair()?;
    let _listening = UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?)?;
    let shared = rustix::fs::memfd_create("shared", rustix::fs::MemfdFlags::CLOEXEC)?;
    rustix::fs::ftruncate(&shared, 1 << 16)?;
    std::thread::spawn(|| ())
        .join()
        .map_err(|_| std::io::Error::other("a thread panicked"))
}

fn work(folder: PathBuf) -> std::io::Result<()> {
    std::fs::create_dir_all(&folder)?;
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let folder = folder.clone();
            std::thread::spawn(move || -> std::io::Result<()> {
                let (part, whole) = (folder.join(format!("{number}.part")), folder.join(format!("{number}")));
                std::fs::write(&part, vec![number; 1 << 20])?;
                std::fs::File::open(&part)?.sync_all()?;
                std::fs::rename(&part, &whole)?;
                std::fs::read(&whole).map(|_| ())
            })
        })
        .collect();
    for thread in threads {
        thread
            .join()
            .map_err(|_| std::io::Error::other("a thread panicked"))??;
    }
    std::fs::remove_dir_all(&folder)
}
