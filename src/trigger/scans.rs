//! Which scan of one storage goes on, and which come next: whole ones by the clock, single folders when one appears.
//!
//! Guarantees: one scan at a time; a folder that appeared is scanned twice. Deliberately absent: the looking itself
//! (`objects::crawl`), and what a scan's finds mean.

use crate::base::clock::UtcMs;
use crate::objects::crawl::Crawl;
use crate::objects::scan::Found;
use crate::trigger::StorageOptions;
use crate::trigger::known::KnownSieve;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

/// A folder that appeared is scanned again after this: files may have come between the scan and the kernel's watch.
const FOLDER_AGAIN: Duration = Duration::from_secs(2);

/// The scans of one storage.
pub(super) struct Scans {
    root: PathBuf,
    others_within: Vec<PathBuf>,
    poll_every: Duration,
    running: Option<Running>,
    next_whole: Instant,
    /// One more whole scan was asked for while one went on: that one may have passed what the asker means.
    once_more: bool,
    folders: VecDeque<Folder>,
}

/// A scan that goes on.
pub(super) struct Running {
    /// How far it is.
    pub(super) crawl: Crawl,
    /// It goes over the whole storage.
    pub(super) whole: bool,
    /// What was found and not looked through yet: that is done while the next portion is looked for.
    pub(super) ahead: Vec<Found>,
    /// When it began.
    pub(super) began: Instant,
    /// The same as a time of day.
    pub(super) began_at: UtcMs,
}

struct Folder {
    at: Instant,
    key: String,
    again: bool,
}

impl Scans {
    /// None yet; a whole one is due.
    pub(super) fn new(options: &StorageOptions) -> Self {
        Scans {
            root: options.root.clone(),
            others_within: options.others_within.clone(),
            poll_every: Duration::from_secs(10),
            running: None,
            next_whole: Instant::now(),
            once_more: false,
            folders: VecDeque::new(),
        }
    }

    /// Sets the time between whole scans.
    pub(super) fn every(&mut self, interval: Duration) {
        self.poll_every = interval;
    }

    /// The next whole scan is due now; after the one that goes on, where one does.
    pub(super) fn whole_now(&mut self) {
        self.next_whole = Instant::now();
        self.once_more = self.whole().is_some();
    }

    /// A whole scan ended, which took so long. A storage is scanned half of the time at most, however large it is.
    pub(super) fn ended(&mut self, took: Duration) {
        let wait = match std::mem::take(&mut self.once_more) {
            true => took,
            false => self.poll_every.max(took),
        };
        self.next_whole = Instant::now() + wait;
    }

    /// A folder appeared.
    pub(super) fn folder_appeared(&mut self, key: String) {
        self.folders.push_front(Folder {
            at: Instant::now(),
            key,
            again: true,
        });
    }

    /// Breaks off the scan that goes on; a whole one is made after `wait`.
    pub(super) fn put_off(&mut self, wait: Duration) {
        self.running = None;
        self.next_whole = Instant::now() + wait;
    }

    /// Breaks off the scan that goes on and forgets the folders that appeared.
    pub(super) fn drop_all(&mut self) {
        self.running = None;
        self.folders.clear();
    }

    /// Begins what is due where nothing goes on. `sieve` is asked for what lets news pass before a scan takes its first
    /// look, a whole one or not. Answers whether a scan goes on.
    pub(super) fn begin_due(&mut self, sieve: impl FnOnce(bool) -> KnownSieve) -> bool {
        if self.running.is_some() {
            return true;
        }
        let now = Instant::now();
        if now >= self.next_whole {
            self.next_whole = Instant::now() + self.poll_every;
            self.begin("", sieve(true), true);
        } else if self.folders.front().is_some_and(|folder| folder.at <= now)
            && let Some(folder) = self.folders.pop_front()
        {
            self.begin(&folder.key, sieve(false), false);
            if folder.again {
                self.folders.push_back(Folder {
                    at: now + FOLDER_AGAIN,
                    again: false,
                    ..folder
                });
            }
        }
        self.running.is_some()
    }

    fn begin(&mut self, from: &str, sieve: KnownSieve, whole: bool) {
        self.running = Some(Running {
            crawl: Crawl::begin(&self.root, from, &self.others_within, sieve),
            whole,
            ahead: Vec::new(),
            began: Instant::now(),
            began_at: UtcMs::now(),
        });
    }

    /// Takes the scan that goes on, to look further.
    pub(super) fn take(&mut self) -> Option<Running> {
        self.running.take()
    }

    /// Gives it back.
    pub(super) fn go_on(&mut self, running: Running) {
        self.running = Some(running);
    }

    /// The scan that goes on.
    pub(super) fn running(&self) -> Option<&Running> {
        self.running.as_ref()
    }

    /// The whole scan that goes on.
    pub(super) fn whole(&self) -> Option<&Running> {
        self.running().filter(|running| running.whole)
    }

    /// When something is due that is not yet.
    pub(super) fn next(&self) -> Instant {
        let folder = self.folders.front().map(|folder| folder.at);
        folder.map_or(self.next_whole, |at| at.min(self.next_whole))
    }
}

#[cfg(test)]
mod tests {
    use super::Scans;
    use crate::trigger::known::Known;
    use std::time::Duration;
    use std::time::Instant;

    #[test]
    fn what_is_asked_for_during_a_scan_is_done_after_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut scans = Scans {
            root: folder.path().to_owned(),
            others_within: Vec::new(),
            poll_every: Duration::from_secs(3_600),
            running: None,
            next_whole: Instant::now(),
            once_more: false,
            folders: std::collections::VecDeque::new(),
        };
        for asked in [true, false] {
            assert!(scans.begin_due(|_| Known::default().sieve()));
            if asked {
                scans.whole_now();
            }
            scans.take();
            scans.ended(Duration::ZERO);
            assert_eq!(scans.next() <= Instant::now(), asked);
        }
    }
}
