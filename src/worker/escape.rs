//! Tries to break out of the cage, one way at a time, from inside: what a source that took the worker over would do.
//!
//! Guarantees: harmless where it succeeds (a socket to nobody, `/bin/true`, signal 0). Used by the tests and by whoever
//! wants to see the cage hold on their own host: `reelmill worker --try socket`.

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
    /// Links a file from outside into scratch.
    Link,
    /// Signals the daemon.
    KillParent,
    /// None: what a worker must be able to do (threads, files in scratch, its own abort).
    Work,
}

/// Enters the cage around `scratch`, then tries `escape` on `target`. Exit code 0: it worked (for [`Escape::Work`],
/// as it should; for the others, the cage leaks), 3: it was refused.
pub fn attempt(escape: Escape, scratch: &Path, target: &Path, mode: SandboxMode) -> ExitCode {
    let cage = Cage {
        scratch,
        folder: None,
        max_memory_bytes: 0,
        mode,
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
        Escape::File => std::fs::read(target).map(|_| ()),
        Escape::Write => std::fs::write(target, b"written from inside the cage"),
        Escape::Link => std::fs::hard_link(target, scratch.join("linked")),
        Escape::KillParent => match rustix::process::getppid() {
            Some(parent) => Ok(rustix::process::test_kill_process(parent)?),
            None => Ok(()),
        },
        Escape::Work => work(scratch.join("work")),
    }
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
