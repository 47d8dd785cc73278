//! Paths that inotify names: where to look before the next whole scan.
//!
//! Guarantees: a hint is only a hint: names are gathered, never more than a fixed number, and when there were more,
//! or the kernel dropped some, that is said and a scan answers. Deliberately absent: what the kernel says happened;
//! the file is looked at instead.

use crate::base::wake::Bell;
use crate::objects::lane::Lane;
use notify::Event;
use notify::EventKind;
use notify::RecommendedWatcher;
use notify::RecursiveMode;
use notify::Watcher;
use notify::event::AccessKind;
use notify::event::AccessMode;
use notify::event::ModifyKind;
use std::collections::HashSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

/// Building the watch on a tree of many folders takes its time.
const PATIENCE: Duration = Duration::from_secs(600);
/// Names kept until someone takes them.
const MOST: usize = 200_000;

/// The watch on one storage; ends when dropped.
pub struct Hints {
    gathered: Arc<Mutex<Gathered>>,
    _watcher: RecommendedWatcher,
}

/// What was heard since the last time.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Files and folders that something happened to.
    pub paths: HashSet<PathBuf>,
    /// Some were dropped: only a scan can tell.
    pub incomplete: bool,
}

impl Hints {
    /// The same as [`begin`](Self::begin) on a thread of the storage, given up when it hangs.
    ///
    /// # Errors
    /// A clause.
    pub async fn begin_in(lane: &Lane, root: &Path, bell: Bell) -> Result<Self, String> {
        let root = root.to_owned();
        let hints = lane.run("watch", PATIENCE, move || Hints::begin(&root, bell)).await;
        hints.map_err(|fault| fault.cause).and_then(|hints| hints)
    }

    /// Begins to listen beneath `root`; rings `bell` when something is heard. Blocks as the storage does.
    ///
    /// # Errors
    /// A clause; too many folders for the kernel's limit among others.
    pub fn begin(root: &Path, bell: Bell) -> Result<Self, String> {
        let gathered = Arc::new(Mutex::new(Gathered::default()));
        let handler = {
            let gathered = Arc::clone(&gathered);
            move |event: notify::Result<Event>| {
                let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
                match event {
                    Ok(event) if event.need_rescan() => gathered.incomplete = true,
                    Ok(event) if is_news(&event.kind) => {
                        for path in event.paths {
                            if gathered.paths.len() < MOST {
                                gathered.paths.insert(path);
                            } else {
                                gathered.incomplete = true;
                            }
                        }
                    }
                    Ok(_) => return,
                    Err(_) => gathered.incomplete = true,
                }
                drop(gathered);
                bell.ring();
            }
        };
        let config = notify::Config::default().with_follow_symlinks(false);
        let mut watcher = RecommendedWatcher::new(handler, config).map_err(|error| error.to_string())?;
        watcher
            .watch(root, RecursiveMode::Recursive)
            .map_err(|error| match error.kind {
                notify::ErrorKind::MaxFilesWatch => {
                    "there are more folders than fs.inotify.max_user_watches allows".to_owned()
                }
                _ => error.to_string(),
            })?;
        Ok(Hints {
            gathered,
            _watcher: watcher,
        })
    }

    /// What was heard since the last time.
    pub fn take(&self) -> Gathered {
        std::mem::take(&mut self.gathered.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Reading and removing are no news: what is gone is noticed where it is missed. Nor is every piece that is written:
/// a recording of hours would be looked at without end; it is heard of when it begins and when it is closed.
fn is_news(kind: &EventKind) -> bool {
    match kind {
        EventKind::Modify(ModifyKind::Data(_)) => false,
        EventKind::Access(access) => *access == AccessKind::Close(AccessMode::Write),
        EventKind::Remove(_) => false,
        _ => true,
    }
}
