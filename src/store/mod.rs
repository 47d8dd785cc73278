//! The state of the daemon in one SQLite file: everything that must survive it.
//!
//! Guarantees: a method that changes something answers `Ok` only when the change is on disk (one writer thread,
//! group commit, `synchronous=FULL`); readers see one committed state; one process at a time (lock file); never on a
//! network file system; statuses change only through `workflow::status`. Deliberately absent: policy (when to change
//! what), HTTP, media verbs. All SQL of the program and every mention of rusqlite lie in this folder.
//!
//! # How to add a family of tables
//!
//! 1. Describe its tables in `schema.sql`, each column with a comment. While no release has been made, that is all;
//!    later also a step in `upgrade/`.
//! 2. Make one file here named after the rows (`deliveries.rs`), with `impl Store { pub async fn verb(...) }`. A
//!    method that changes calls [`Store::write`], one that looks calls [`Store::read`]; each passes its own name for
//!    messages. The closure gets the connection inside a transaction: it must not begin or commit one, sleep, or do
//!    I/O, and gets its time as an argument ([`UtcMs`]), so that tests can choose it.
//! 3. Statements are constants beside the function that runs them: lower case, named parameters, run through
//!    `prepare_cached`. Helpers for rows of other families that must change in the same transaction are
//!    `pub(super) fn name(connection: &Connection, ...)`; [`announce::announce`] writes an event that way.
//! 4. Say at each method what holds if the process dies at any line of it.

pub mod access_keys;
pub mod admission;
pub mod afters;
pub mod alerts;
mod anatomy;
pub(crate) mod announce;
pub mod arrivals;
pub mod attempt_logs;
pub mod attempts;
pub mod audit;
pub mod bucket_ledger;
pub mod clock_back;
pub mod conclusions;
mod covers;
pub mod deliveries;
pub mod delivery_list;
pub mod destinations;
pub mod errands;
pub mod error;
pub mod events;
pub mod existing;
pub mod first_steps;
pub mod forget;
pub mod gauges;
pub mod idempotency;
pub mod intake;
pub mod intents;
pub mod jobs;
pub mod library;
pub mod listeners;
pub mod listing;
mod made;
pub mod made_names;
pub mod made_storages;
pub mod media;
pub mod milestones;
mod narrowing;
mod ours;
pub mod outputs;
pub mod priorities;
pub mod pruning;
pub mod pulls;
mod readers;
mod registration;
pub mod restore;
pub mod reviews;
mod row;
pub mod search;
pub mod series;
pub mod sessions;
mod settings;
mod settling;
pub mod standing;
pub mod storages;
pub mod tasks;
mod telling;
pub mod templates;
pub mod tokens;
mod upgrade;
pub mod uploads;
pub mod users;
pub mod wishes;
pub mod workflow_versions;
pub mod workflows;
mod writer;

use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::file_system;
use error::StoreError;
use rusqlite::Connection;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;
use tokio::sync::watch;

/// The present form, as a new database gets it.
pub(crate) const SCHEMA: &str = include_str!("schema.sql");

/// Name of the database in the state directory.
pub const FILE_NAME: &str = "reelmill.db";

/// Writes that may wait before callers are made to wait for their turn to queue.
const QUEUE: usize = 4096;

/// The open database. Clones share it; it closes when the last one goes.
#[derive(Clone)]
pub struct Store(Arc<Open>);

struct Open {
    path: PathBuf,
    readers: readers::Readers,
    queue: Mutex<Option<mpsc::SyncSender<writer::Write>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    changed: watch::Receiver<u64>,
    common: narrowing::Common,
    /// Held as long as the database is open.
    _lock: File,
}

impl Store {
    /// Opens the database at `path`, making or upgrading it where needed. Its directory must exist and be local.
    /// Blocks; a database of a newer program, another process's or a network file system is refused with a remedy.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        refuse_network(directory)?;
        let lock = lock(path)?;
        // Made by us and not by SQLite, whose files everybody may read; its log and index take over the mode.
        private(path, false).map_err(|error| host_fault("open the database", path, &error))?;
        let connection = Connection::open(path).map_err(|error| StoreError::from(error).of("open"))?;
        settings::writer(&connection).map_err(|error| StoreError::from(error).of("open"))?;
        upgrade::bring_up(&connection, path, SCHEMA, upgrade::STEPS, upgrade::PRESENT)
            .map_err(|error| error.of("open"))?;
        christen(&connection).map_err(|error| error.of("open"))?;
        clock_back::go_on(&connection).map_err(|error| error.of("open"))?;
        let (queue, waiting) = mpsc::sync_channel(QUEUE);
        let (changes, changed) = watch::channel(0);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer::serve(connection, &waiting, &changes))
            .map_err(|error| host_fault("start the writer thread", path, &error))?;
        Ok(Store(Arc::new(Open {
            path: path.to_owned(),
            readers: readers::Readers::new(path),
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            changed,
            common: narrowing::Common::default(),
            _lock: lock,
        })))
    }

    /// Changes after every commit, whatever was committed; ends when the database is closed.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.changed.clone()
    }

    /// Runs `f` in the writer's transaction and returns when it is on disk. Many calls share one commit, each in its
    /// own savepoint: an error or a panic of `f` undoes `f` alone. Dropping the future does not take the change back.
    ///
    /// If the process dies before `Ok`, either all of `f` holds or nothing of it.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        f: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        // The value is made inside the transaction and handed over only after the commit.
        let made = Arc::new(Mutex::new(None));
        let (tell, told) = oneshot::channel();
        let write = writer::Write {
            operation,
            run: Some(Box::new({
                let made = Arc::clone(&made);
                move |connection| {
                    let value = f(connection)?;
                    *made.lock().unwrap_or_else(|poison| poison.into_inner()) = Some(value);
                    Ok(())
                }
            })),
            reply: Box::new(move |result| {
                // Nobody waits any more: the change stands all the same.
                let _ = tell.send(result);
            }),
        };
        self.enqueue(write).await?;
        told.await.map_err(|_| StoreError::Closed { operation })??;
        let value = made.lock().unwrap_or_else(|poison| poison.into_inner()).take();
        value.ok_or(StoreError::Closed { operation })
    }

    /// Returns when everything queued before is on disk; writes nothing. That it returns is the writer's sign of life.
    ///
    /// # Errors
    /// The database is closed.
    pub async fn knock(&self) -> Result<(), StoreError> {
        let operation = "knock at the writer";
        let (tell, told) = oneshot::channel();
        let knock = writer::Write {
            operation,
            run: None,
            reply: Box::new(move |_| {
                // Whatever became of those before it: it was its turn.
                let _ = tell.send(());
            }),
        };
        self.enqueue(knock).await?;
        told.await.map_err(|_| StoreError::Closed { operation })
    }

    async fn enqueue(&self, write: writer::Write) -> Result<(), StoreError> {
        let operation = write.operation;
        let queue = {
            let guard = self.0.queue.lock().unwrap_or_else(|poison| poison.into_inner());
            guard.clone().ok_or(StoreError::Closed { operation })?
        };
        if let Err(refused) = queue.try_send(write) {
            match refused {
                mpsc::TrySendError::Full(write) => {
                    tokio::task::spawn_blocking(move || queue.send(write))
                        .await
                        .ok()
                        .and_then(Result::ok)
                        .ok_or(StoreError::Closed { operation })?;
                }
                mpsc::TrySendError::Disconnected(_) => return Err(StoreError::Closed { operation }),
            }
        }
        Ok(())
    }

    /// Runs `f` in a read transaction on a connection of the pool, off the async threads.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        f: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _turn = self.0.readers.turn(operation).await?;
        let open = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || open.readers.run(operation, f))
            .await
            .map_err(|error| StoreError::Bug {
                operation,
                cause: error.to_string(),
            })?
    }

    /// Writes a whole, compact copy of the database as of now to `to`, which must not exist. Readers and writers go on.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let to = to.to_owned();
        let path = self.0.path.clone();
        tokio::task::spawn_blocking(move || {
            // A connection of its own: the pool's are inside transactions, where VACUUM is refused.
            let connection = Connection::open(&path)?;
            connection.busy_timeout(std::time::Duration::from_secs(10))?;
            backup_to(&connection, &to)
        })
        .await
        .map_err(|error| StoreError::Bug {
            operation: "backup",
            cause: error.to_string(),
        })?
        .map_err(|error| error.of("backup"))
    }

    /// In what the database's form differs from this program's, in words; empty when it is the same. For `check`.
    pub async fn form_differences(&self) -> Result<Vec<String>, StoreError> {
        self.read("compare the form", |connection| {
            let fresh = Connection::open_in_memory()?;
            fresh.execute_batch(SCHEMA)?;
            upgrade::compare::differences(&fresh, connection)
        })
        .await
    }

    /// Where the database lies.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Refuses further writes, waits for those queued, folds the log and releases the file. Clones stay readable
    /// until they go.
    pub async fn close(&self) {
        let open = Arc::clone(&self.0);
        let _ = tokio::task::spawn_blocking(move || open.stop_writer()).await;
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Store").field(&self.0.path).finish()
    }
}

impl Open {
    fn stop_writer(&self) {
        self.queue.lock().unwrap_or_else(|poison| poison.into_inner()).take();
        let thread = self.thread.lock().unwrap_or_else(|poison| poison.into_inner()).take();
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the writer thread of the database panicked");
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.stop_writer();
    }
}

/// Copies the database of `connection` to a new file and makes the copy durable.
fn backup_to(connection: &Connection, to: &Path) -> Result<(), StoreError> {
    let refused = |blame: Blame, cause: String, remedy: &str| {
        StoreError::Refused(Fault::new(
            "BackupFailed",
            blame,
            "back up the database",
            to.display().to_string(),
            cause,
            remedy,
        ))
    };
    let text = to.to_str().ok_or_else(|| {
        refused(
            Blame::Request,
            "its name is not UTF-8".to_owned(),
            "Name a file with a plain name.",
        )
    })?;
    // Keys and tasks are in the copy too, wherever it lies. SQLite fills a file that is empty.
    private(to, true).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => refused(
            Blame::Request,
            "the file exists".to_owned(),
            "Name a file that does not exist.",
        ),
        _ => refused(Blame::Host, error.to_string(), "Check the folder and its rights."),
    })?;
    if let Err(error) = connection.execute("vacuum into ?1", [text]) {
        let _ = std::fs::remove_file(to);
        return Err(error.into());
    }
    let synced = File::open(to).and_then(|file| file.sync_all());
    synced.map_err(|error| refused(Blame::Host, error.to_string(), "Check the disk and try again."))
}

/// A file that its owner alone may read; `fresh`: none may be there. One that is there stays as it is.
fn private(path: &Path, fresh: bool) -> std::io::Result<()> {
    let mut options = File::options();
    options.write(true).mode(0o600);
    if fresh {
        options.create_new(true);
    } else {
        options.create(true).truncate(false);
    }
    options.open(path).map(drop)
}

/// Gives a new database its id.
fn christen(connection: &Connection) -> Result<(), StoreError> {
    const SQL: &str = "insert or ignore into meta (name, value) values \
        ('instance', lower(hex(randomblob(16)))), ('created_ms', :now), ('created_by', :by)";
    connection.execute(
        SQL,
        rusqlite::named_params! { ":now": UtcMs::now().0.to_string(), ":by": env!("CARGO_PKG_VERSION") },
    )?;
    Ok(())
}

fn refuse_network(directory: &Path) -> Result<(), StoreError> {
    let found = file_system::of(directory).map_err(|error| host_fault("open the database", directory, &error))?;
    if found.network {
        return Err(StoreError::Refused(Fault::new(
            "StateOnNetwork",
            Blame::Request,
            "open the database",
            directory.display().to_string(),
            format!(
                "it lies on {}, where SQLite's locks and syncs cannot be trusted",
                found.name
            ),
            "Set server.state_dir to a directory on a local disk.",
        )));
    }
    Ok(())
}

/// One process at a time: the kernel drops the lock with the process, however it dies.
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(|error| host_fault("open the database", &name, &error))?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(|_| {
        StoreError::Refused(Fault::new(
            "StateInUse",
            Blame::Request,
            "open the database",
            path.display().to_string(),
            "another reelmill process has it open",
            "Stop that process, or give this one another server.state_dir.",
        ))
    })?;
    Ok(file)
}

fn host_fault(operation: &str, path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Refused(Fault::new(
        "StateUnusable",
        Blame::Host,
        operation,
        path.display().to_string(),
        error.to_string(),
        "Check that server.state_dir exists and belongs to the daemon's user.",
    ))
}

#[cfg(test)]
mod tests;
