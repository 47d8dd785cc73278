//! Objects that are read to compare them with what a checksum file says, beside everything else the trigger does.
//!
//! Guarantees: a few at once a storage, on threads of their own, so that neither looks nor scans wait for them; a mount
//! that hangs is noticed by its missing signs of life; an object that changes while it is read is not judged. Deliberately
//! absent: what follows from the answer.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::wake::Bell;
use crate::objects::local::Folder;
use crate::objects::local::Stat;
use crate::objects::pool::StoragePool;
use crate::objects::pulse::Pulse;
use crate::trigger::checksum::Claim;
use crate::trigger::digest::Running;
use crate::trigger::settle::Compared;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinSet;

/// Read at once in one storage: one keeps a disk busy, a second hides the way to it.
const AT_ONCE: usize = 2;
/// A storage that shows no sign of life for so long is taken for hung.
const PATIENCE: Duration = Duration::from_secs(60);
const BUFFER_BYTES: usize = 1 << 20;

/// What a comparison came to.
#[derive(Debug)]
pub struct Done {
    /// The object.
    pub key: String,
    /// What it was compared with.
    pub claim: Claim,
    /// None: it changed meanwhile, or could not be read.
    pub compared: Option<Compared>,
}

/// The comparisons of one storage; they end when dropped.
pub struct Verifications {
    folder: Folder,
    pool: StoragePool,
    running: JoinSet<Done>,
    stop: Arc<AtomicBool>,
    bell: Bell,
}

impl Verifications {
    /// None yet. `bell` is rung when one is done.
    pub fn new(folder: Folder, bell: Bell) -> Self {
        Verifications {
            pool: StoragePool::new(folder.name(), AT_ONCE, PATIENCE),
            folder,
            running: JoinSet::new(),
            stop: Arc::default(),
            bell,
        }
    }

    /// Begins one. `size_bytes` and `mtime_ns` are what the object was when it settled.
    pub fn begin(&mut self, key: &str, (size_bytes, mtime_ns): (u64, i64), claim: Claim) {
        let (pool, folder, stop, bell) = (
            self.pool.clone(),
            self.folder.clone(),
            self.stop.clone(),
            self.bell.clone(),
        );
        let key = key.to_owned();
        self.running.spawn(async move {
            let (read, algorithm) = (key.clone(), claim.algorithm);
            let digest = pool.run("compare the checksum", &key, move |pulse| {
                digest_of(
                    &folder,
                    &read,
                    (size_bytes, mtime_ns),
                    Running::new(algorithm),
                    &stop,
                    pulse,
                )
            });
            let compared = match digest.await {
                Ok(Some(hex)) if hex == claim.hex => Some(Compared::Same),
                Ok(Some(hex)) => Some(Compared::Other(hex)),
                Ok(None) => None,
                Err(fault) => {
                    tracing::warn!(key, %fault, "an object could not be compared with its checksum; trying again");
                    None
                }
            };
            bell.ring();
            Done { key, claim, compared }
        });
    }

    /// Those that are done.
    pub fn take_done(&mut self) -> Vec<Done> {
        let mut done = Vec::new();
        while let Some(joined) = self.running.try_join_next() {
            match joined {
                Ok(one) => done.push(one),
                Err(error) if error.is_panic() => tracing::error!(%error, "a comparison died of a bug"),
                Err(_) => {}
            }
        }
        done
    }

    /// Gives all of them up.
    pub fn clear(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.stop = Arc::default();
        self.running = JoinSet::new();
    }
}

impl Drop for Verifications {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// The digest of an object; none: it is not, or not any more, what it was when it settled.
fn digest_of(
    folder: &Folder,
    key: &str,
    (size_bytes, mtime_ns): (u64, i64),
    mut digest: Running,
    stop: &AtomicBool,
    pulse: &Pulse,
) -> Result<Option<String>, Fault> {
    let (mut file, stat) = folder.open(key)?;
    let same = |stat: &Stat| stat.size_bytes == size_bytes && stat.mtime_ns == mtime_ns;
    if !same(&stat) {
        return Ok(None);
    }
    let failed = |error: std::io::Error| {
        let remedy = "Look at the mount and the kernel's log; it is tried again by itself.";
        Fault::new(
            "SourceUnreadable",
            Blame::Host,
            "read",
            format!("{}:{key}", folder.name()),
            error.to_string(),
            remedy,
        )
        .retryable(true)
    };
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        pulse.beat().map_err(failed)?;
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => digest.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let after = Stat::of(&file).map_err(failed)?;
    Ok(same(&after).then(|| digest.hex()))
}
