//! The source as the worker holds it: an open descriptor, checked before and after the pass, or a file of the relay.
//!
//! Guarantees: a source that was replaced, rewritten, truncated or deleted while it was read fails the attempt; of a
//! relayed one the executor sees to that with every range. Deliberately absent: paths; the worker has none.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::family::Family;
use crate::media::pass::given::Given;
use crate::worker::protocol::SourceOrder;
use crate::worker::relay::Line;
use crate::worker::relay::RelayedBytes;
use crate::worker::relay::RelayedShelf;
use rustix::fs::AtFlags;
use rustix::io::Errno;
use rustix::process::PidfdFlags;
use rustix::process::PidfdGetfdFlags;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

/// The open source.
#[derive(Debug)]
pub struct HeldSource {
    /// None: it is relayed.
    file: Option<Arc<File>>,
    order: SourceOrder,
}

impl HeldSource {
    /// Takes the inherited descriptors of files beside the source. Must come before the cage closes.
    pub fn take_all(orders: &[SourceOrder]) -> Result<Vec<Self>, Fault> {
        orders.iter().map(Self::take).collect()
    }

    /// The folder it is, where a family of files in it is the source.
    pub fn folder(&self) -> Option<BorrowedFd<'_>> {
        let is_folder = self.order.family.is_some();
        self.file.as_ref().filter(|_| is_folder).map(|file| file.as_fd())
    }

    /// The name it was ordered by.
    pub fn name(&self) -> &str {
        &self.order.name
    }

    /// Takes the inherited descriptor. Must come before the cage closes.
    pub fn take(order: &SourceOrder) -> Result<Self, Fault> {
        let file = match order.relay {
            Some(_) => None,
            None => Some(Arc::new(take_descriptor(order.descriptor, &order.name)?)),
        };
        let held = HeldSource {
            file,
            order: order.clone(),
        };
        held.check()?;
        Ok(held)
    }

    /// What the engine reads; of a relayed file over `line`.
    pub fn given(&self, line: Option<&Line>) -> Result<Given, Fault> {
        match (&self.file, self.order.relay, line) {
            (Some(file), _, _) => Ok(Given::File(Arc::clone(file))),
            (None, Some(first), Some(line)) if self.order.family.is_some() => Ok(Given::Shelf(Arc::new(
                RelayedShelf::new(line, first, &self.order.relayed),
            ))),
            (None, Some(member), Some(line)) => Ok(Given::Bytes(Arc::new(RelayedBytes::new(
                line,
                member,
                self.order.size_bytes,
            )))),
            _ => Err(self.unreadable("open source", "the order names no relay to read it over".to_owned())),
        }
    }

    /// Files that [`check`](Self::check) looks at.
    pub fn looks(&self) -> usize {
        self.order.pictures.len().max(1)
    }

    /// Fails when one of the pictures of a family is no longer what was ordered.
    fn check_pictures(&self, folder: &File, family: &Family) -> Result<(), Fault> {
        for (number, (size_bytes, mtime_ns)) in family.each().zip(&self.order.pictures) {
            let name = family.name(number);
            let stat = match rustix::fs::statat(folder, name.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::STALE | Errno::NOENT) => return Err(self.changed(&format!("{name} was deleted"))),
                Err(error) => return Err(self.unreadable("check source", format!("{name}: {error}"))),
            };
            if u64::try_from(stat.st_size).unwrap_or(0) != *size_bytes || mtime_ns_of(&stat) != *mtime_ns {
                return Err(self.changed(&format!("{name} was written to")));
            }
        }
        Ok(())
    }

    /// Fails when the source is no longer what was ordered. Of a relayed one its line knows.
    pub fn check(&self) -> Result<(), Fault> {
        let Some(file) = &self.file else { return Ok(()) };
        if let Some(family) = self.order.family.as_ref().filter(|_| !self.order.pictures.is_empty()) {
            return self.check_pictures(file, family);
        }
        let stat = match rustix::fs::fstat(file) {
            Ok(stat) => stat,
            Err(Errno::STALE | Errno::NOENT) => return Err(self.changed("it was deleted on its server")),
            Err(error) => return Err(self.unreadable("check source", error.to_string())),
        };
        if stat.st_nlink == 0 {
            return Err(self.changed("it was deleted or replaced"));
        }
        let size_bytes = u64::try_from(stat.st_size).unwrap_or(0);
        if size_bytes != self.order.size_bytes {
            let cause = format!("its size went from {} to {size_bytes} bytes", self.order.size_bytes);
            return Err(self.changed(&cause));
        }
        if mtime_ns_of(&stat) != self.order.mtime_ns {
            return Err(self.changed("it was written to"));
        }
        Ok(())
    }

    fn unreadable(&self, operation: &str, cause: String) -> Fault {
        Fault::new(
            "SourceUnreadable",
            Blame::Host,
            operation,
            &self.order.name,
            cause,
            "Look at the mount of the source; the work is tried again by itself.",
        )
    }

    fn changed(&self, cause: &str) -> Fault {
        Fault::new(
            "SourceChanged",
            Blame::Source,
            "read source",
            &self.order.name,
            format!("{cause} while it was being processed"),
            "Nothing: what stands there now runs as a new arrival. Let uploads finish under a temporary name.",
        )
    }
}

/// An own handle to an inherited descriptor, of what is called `name`. Must come before the cage closes.
pub fn take_descriptor(number: i32, name: &str) -> Result<File, Fault> {
    inherited(number).map_err(|error| {
        Fault::new(
            "SourceUnreadable",
            Blame::Host,
            "open source",
            name,
            format!("descriptor {number} cannot be taken over: {error}"),
            "Start the worker through the daemon or `reelmill run`.",
        )
    })
}

fn mtime_ns_of(stat: &rustix::fs::Stat) -> i64 {
    stat.st_mtime
        .saturating_mul(1_000_000_000)
        .saturating_add(stat.st_mtime_nsec as i64)
}

/// An own handle to descriptor `number` of this process.
fn inherited(number: i32) -> std::io::Result<File> {
    let copied = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty())
        .and_then(|own| rustix::process::pidfd_getfd(own, number, PidfdGetfdFlags::empty()));
    match copied {
        Ok(descriptor) => Ok(File::from(descriptor)),
        Err(Errno::BADF) => Err(Errno::BADF.into()),
        // Kernels and containers without pidfds: the same file, opened again.
        Err(_) => File::open(format!("/proc/self/fd/{number}")),
    }
}
