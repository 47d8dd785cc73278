//! Storages while the program runs: those of the configuration, and those that people make, change and remove.
//!
//! Guarantees: what is refused changes nothing; what is kept holds at once, without a restart, and after one; a folder
//! within another changes hands without anything running twice. Deliberately absent: watching (`trigger`), and the rules
//! of a definition (`config::made_storages`).

use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::sealed::Sealer;
use crate::config::layout::Nested;
use crate::config::made_storages;
use crate::config::made_storages::Joined;
use crate::config::resolved::Config;
use crate::config::storage::Storage;
use crate::daemon::places;
use crate::daemon::ports;
use crate::daemon::probe;
use crate::daemon::samples::Samples;
use crate::objects::storages::Storages;
use crate::objects::uri::key_text;
use crate::store::Store;
use crate::store::made_storages::MadeStorage;
use crate::store::made_storages::Removal;
use crate::trigger::s3_notify::Notices;
use crate::trigger::watches::Hands;
use crate::web::browse::space_of;
use crate::web::ports::ProbeStep;
use crate::web::ports::RootState;
use crate::web::ports::SampleMade;
use crate::web::ports::StorageGround;
use crate::web::ports::StorageMaking;
use crate::web::ports::StorageOrigin;
use crate::web::ports::StorageRefused;
use crate::web::ports::StorageWritten;
use crate::workflow::storage::Definition;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex as StdMutex;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::Mutex;

/// Pause between two steps of forgetting what a removed storage knew.
const STEP_PAUSE: Duration = Duration::from_millis(50);
/// Longest a folder is waited for when a storage is made of it.
const FOLDER_WITHIN: Duration = Duration::from_secs(10);

/// The storages of the running program. Clones share them.
#[derive(Clone)]
pub(super) struct MadeStorages(Arc<Parts>);

struct Parts {
    config: Config,
    store: Store,
    sealer: Sealer,
    registry: Storages,
    hands: Hands,
    notices: Notices,
    samples: Samples,
    /// Those that run, as they run, and what is wrong with those made that do not.
    now: StdMutex<Now>,
    /// One change at a time.
    turn: Mutex<()>,
}

#[derive(Default)]
struct Now {
    running: BTreeMap<String, Storage>,
    broken: BTreeMap<String, String>,
}

impl MadeStorages {
    /// Beside the storages of `config`, which run already.
    pub(super) fn new(
        config: &Config,
        store: Store,
        sealer: Sealer,
        registry: Storages,
        hands: Hands,
        notices: Notices,
    ) -> Self {
        let running = config.storages.iter();
        let running = running.map(|storage| (storage.name.clone(), storage.clone())).collect();
        MadeStorages(Arc::new(Parts {
            config: config.clone(),
            samples: Samples::new(registry.clone(), &config.server.scratch_dir),
            store,
            sealer,
            registry,
            hands,
            notices,
            now: StdMutex::new(Now {
                running,
                broken: BTreeMap::new(),
            }),
            turn: Mutex::new(()),
        }))
    }

    /// Takes over what was made in earlier runs, and goes on forgetting what was removed. Waits for no trigger.
    ///
    /// # Errors
    /// The database failed.
    pub(super) async fn begin(&self) -> Result<(), Fault> {
        let parts = &self.0;
        let _turn = parts.turn.lock().await;
        parts.take_over(false).await?;
        parts.samples.sweep().await;
        tokio::spawn(forget(parts.store.clone()));
        Ok(())
    }
}

/// Forgets what removed storages knew, in steps.
async fn forget(store: Store) {
    loop {
        match store.drop_removed().await {
            Ok(true) => tokio::time::sleep(STEP_PAUSE).await,
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(%error, "what a removed storage knew is forgotten at the next start");
                return;
            }
        }
    }
}

impl Parts {
    fn now(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_of_file(&self, name: &str) -> bool {
        self.config.storage(name).is_some()
    }

    async fn made(&self) -> Result<Vec<MadeStorage>, Fault> {
        let made = self.store.made_storages(&self.sealer).await;
        made.map_err(|error| error.fault("the storages"))
    }

    async fn joined(&self, made: Vec<Definition>) -> Result<Joined, Fault> {
        let config = self.config.clone();
        let joined = tokio::task::spawn_blocking(move || made_storages::join(&config, &made)).await;
        joined.map_err(|error| {
            Fault::new(
                "StoragesUnreadable",
                Blame::Bug,
                "look at",
                "the storages",
                error.to_string(),
                "Report this with the daemon's log.",
            )
        })
    }

    /// Makes what runs be what is kept. `wait`: until the triggers have it too.
    async fn take_over(&self, wait: bool) -> Result<(), Fault> {
        let made = self.made().await?;
        let created: BTreeMap<&str, UtcMs> = made
            .iter()
            .map(|made| (made.definition.name.as_str(), made.created))
            .collect();
        let mut broken: BTreeMap<String, String> = made
            .iter()
            .filter(|made| made.locked)
            .map(|made| {
                let why = "its keys were sealed with another seal.key; give them again with PUT";
                (made.definition.name.clone(), why.to_owned())
            })
            .collect();
        let usable = made.iter().filter(|made| !made.locked);
        let joined = self
            .joined(usable.map(|made| made.definition.clone()).collect())
            .await?;
        for (name, problems) in joined.broken {
            let why: Vec<String> = problems.iter().map(ToString::to_string).collect();
            tracing::error!(
                storage = name,
                why = why.join("; "),
                "a storage that was made cannot be used"
            );
            broken.insert(name, why.join("; "));
        }
        let before = self.now().running.clone();
        let wanted: BTreeMap<String, Storage> = joined
            .storages
            .into_iter()
            .map(|storage| (storage.name.clone(), storage))
            .collect();
        for name in before.keys().filter(|name| !wanted.contains_key(*name)) {
            self.notices.shut(name);
            self.registry.remove(name);
            self.hands.end(name).await;
            self.now().running.remove(name);
        }
        for (name, storage) in wanted {
            if before.get(&name) == Some(&storage) {
                continue;
            }
            if !self.is_of_file(&name) {
                match places::medium(&storage) {
                    Ok(medium) => self.registry.insert(medium),
                    Err(fault) => {
                        tracing::error!(storage = name, %fault, "a storage that was made cannot be used");
                        broken.insert(name, fault.to_string());
                        continue;
                    }
                }
            }
            match ports::door(&storage) {
                Some(door) => self.notices.open(door),
                None => self.notices.shut(&name),
            }
            if let Some(watched) = ports::watched(&storage, &self.registry) {
                let since = created.get(name.as_str()).copied().unwrap_or_else(UtcMs::now);
                if wait {
                    self.hands.begin(watched, since).await;
                } else {
                    self.hands.begin_soon(watched, since);
                }
            }
            self.now().running.insert(name, storage);
        }
        self.now().broken = broken;
        Ok(())
    }

    async fn save(&self, mut definition: Definition, replace: bool, make_folder: bool) -> Result<bool, StorageRefused> {
        let _turn = self.turn.lock().await;
        let name = definition.name.clone();
        if self.is_of_file(&name) {
            return Err(of_file(&name));
        }
        let made = self.made().await?;
        let before = made.iter().find(|made| made.definition.name == name);
        if let Some(before) = before {
            if !replace {
                return match before.definition == definition {
                    true => Ok(false),
                    false => Err(conflict(
                        "StorageExists",
                        "make",
                        &name,
                        "there is a storage of this name already",
                        "Change it with PUT, or choose another name.",
                    )),
                };
            }
            definition.keep_secrets_of(&before.definition);
            self.may_change(&before.definition, &definition).await?;
        }
        let others = made.iter().filter(|made| made.definition.name != name && !made.locked);
        let mut all: Vec<Definition> = others.map(|made| made.definition.clone()).collect();
        all.push(definition.clone());
        let (storage, nested) = self.right(all, &name).await?;
        if let Some(path) = storage.path() {
            self.there(path.to_owned(), make_folder).await?;
            // As it was found, without links: what is looked at later is what was looked at now.
            definition.path = path.display().to_string();
        }
        // What it needs at once: its group, its authorities.
        places::medium(&storage)?;
        self.take_from_outer(&name, &nested).await?;
        let new = self.store.save_storage(&definition, &self.sealer, UtcMs::now()).await;
        let new = new.map_err(|error| error.fault(&name))?;
        self.take_over(true).await?;
        Ok(new)
    }

    /// Refuses to change what would pull the ground from under what goes on.
    async fn may_change(&self, before: &Definition, after: &Definition) -> Result<(), StorageRefused> {
        if before.kind() != after.kind() {
            return Err(conflict(
                "StorageKindFixed",
                "change",
                &after.name,
                format!("it is of kind {:?} and cannot become {:?}", before.kind(), after.kind()),
                "Make another storage.",
            ));
        }
        if before.is_where(after) {
            return Ok(());
        }
        let work = self.store.storage_work(&after.name).await;
        let work = work.map_err(|error| error.fault(&after.name))?;
        match work.is_empty() {
            true => Ok(()),
            false => Err(conflict(
                "StorageInUse",
                "move",
                &after.name,
                format!("its place cannot change while it is used: {}", work.join("; ")),
                "Wait for what goes on, or cancel it.",
            )),
        }
    }

    /// The storage `name` of these, if nothing is wrong with it, and which lie within which.
    async fn right(&self, all: Vec<Definition>, name: &str) -> Result<(Storage, Vec<Nested>), Fault> {
        let joined = self.joined(all).await?;
        let wrong: Vec<String> = joined
            .broken
            .iter()
            .filter(|(broken, _)| broken == name)
            .flat_map(|(_, problems)| problems.iter().map(ToString::to_string))
            .collect();
        let found = joined.storages.into_iter().find(|storage| storage.name == name);
        let found = found.filter(|_| wrong.is_empty());
        found.map(|found| (found, joined.nested)).ok_or_else(|| {
            Fault::new(
                "StorageInvalid",
                Blame::Request,
                "make",
                format!("storage {name}"),
                wrong.join("; "),
                "Correct it; config/reelmill.toml says what each key means. Nothing was changed.",
            )
        })
    }

    /// Sees to it that the folder is there.
    async fn there(&self, path: PathBuf, make_folder: bool) -> Result<(), Fault> {
        let refused = |code: &str, path: &Path, cause: String, remedy: &str| {
            Fault::new(code, Blame::Request, "make", path.display().to_string(), cause, remedy)
        };
        let looked = path.clone();
        let made = tokio::task::spawn_blocking(move || match looked.metadata() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && make_folder => {
                std::fs::create_dir_all(&looked).map(|()| true)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        });
        let made = tokio::time::timeout(FOLDER_WITHIN, made).await;
        let made =
            made.map_err(|_| std::io::Error::other(format!("it did not answer within {} s", FOLDER_WITHIN.as_secs())));
        match made.and_then(|made| made.map_err(std::io::Error::other).flatten()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(refused(
                "FolderMissing",
                &path,
                "the folder is not there".to_owned(),
                "Mount the share or correct the path; with make_folder = true it is made.",
            )),
            Err(error) => Err(refused(
                "FolderUnusable",
                &path,
                error.to_string(),
                "Let the daemon's user read and enter the folder, or choose another one.",
            )),
        }
    }

    /// A storage comes to lie within others: what they know of it is its own from now on.
    async fn take_from_outer(&self, name: &str, nested: &[Nested]) -> Result<(), Fault> {
        let was_within = |outer: &str, folder: &PathBuf| {
            let now = self.now();
            now.running
                .get(outer)
                .is_some_and(|outer| outer.others_within.contains(folder))
        };
        for around in nested.iter().filter(|nested| nested.inner == name) {
            if was_within(&around.outer, &around.folder) {
                continue;
            }
            self.rest(&around.outer).await;
            let handed = self
                .store
                .hand_over(&around.outer, &key_of(&around.folder), UtcMs::now())
                .await;
            let handed = handed.map_err(|error| error.fault(&around.outer))?;
            tracing::info!(
                storage = name,
                outer = around.outer,
                handed,
                "a storage was made within another"
            );
        }
        Ok(())
    }

    /// Stops a watch until the next taking over begins it again.
    async fn rest(&self, name: &str) {
        self.hands.end(name).await;
        self.now().running.remove(name);
    }

    async fn remove(&self, name: &str) -> Result<(), StorageRefused> {
        let _turn = self.turn.lock().await;
        if self.is_of_file(name) {
            return Err(of_file(name));
        }
        if !self.made().await?.iter().any(|made| made.definition.name == name) {
            return Err(StorageRefused::Unknown);
        }
        let uses = self.store.storage_uses(name).await;
        let mut uses = uses.map_err(|error| error.fault(name))?;
        if self.config.library.storage.as_deref() == Some(name) {
            uses.push("library.storage of the configuration names it".to_owned());
        }
        if !uses.is_empty() {
            return Err(in_use(name, &uses));
        }
        let usable = self.made().await?.into_iter().filter(|made| !made.locked);
        let joined = self.joined(usable.map(|made| made.definition).collect()).await?;
        self.notices.shut(name);
        self.registry.remove(name);
        self.rest(name).await;
        let removed = self.remove_quiet(name, &joined.nested).await;
        // Whatever came of it: what rests is watched again, and what was not removed is back.
        self.take_over(true).await?;
        match removed? {
            Removal::InUse(uses) => Err(in_use(name, &uses)),
            Removal::Done => {
                tokio::spawn(forget(self.store.clone()));
                Ok(())
            }
        }
    }

    /// Removes a storage that nobody watches any more.
    async fn remove_quiet(&self, name: &str, nested: &[Nested]) -> Result<Removal, Fault> {
        let around = nested.iter().filter(|nested| nested.inner == name);
        let nearest = around.min_by_key(|nested| nested.folder.components().count());
        if let Some(Nested { outer, folder, .. }) = nearest {
            self.rest(outer).await;
            let handed = self.store.hand_back(name, outer, &key_of(folder), UtcMs::now()).await;
            handed.map_err(|error| error.fault(outer))?;
        }
        let removed = self.store.remove_storage(name).await;
        removed.map_err(|error| error.fault(name))
    }
}

fn key_of(folder: &Path) -> String {
    key_text(folder.as_os_str().as_bytes())
}

fn conflict(code: &str, operation: &str, name: &str, cause: impl Into<String>, remedy: &str) -> StorageRefused {
    StorageRefused::Conflict(Box::new(Fault::new(
        code,
        Blame::Request,
        operation,
        format!("storage {name}"),
        cause.into(),
        remedy,
    )))
}

fn of_file(name: &str) -> StorageRefused {
    conflict(
        "StorageOfFile",
        "change",
        name,
        "it stands in the configuration file",
        "Change it there and start the daemon again, or choose another name.",
    )
}

fn in_use(name: &str, uses: &[String]) -> StorageRefused {
    conflict(
        "StorageInUse",
        "remove",
        name,
        format!("it is used: {}", uses.join("; ")),
        "Change or delete what names it, wait for what goes on or cancel it, and ask again.",
    )
}

impl StorageMaking for MadeStorages {
    fn written(&self) -> BoxFuture<'_, Result<Vec<StorageWritten>, Fault>> {
        Box::pin(async move {
            let made = self.0.made().await?;
            let now = self.0.now();
            let of_file = self.0.config.storages.iter().map(|storage| StorageWritten {
                definition: places::written(storage),
                origin: StorageOrigin::File,
                fault: None,
            });
            let made = made.into_iter().map(|made| StorageWritten {
                fault: now.broken.get(&made.definition.name).cloned(),
                origin: StorageOrigin::Api {
                    created: made.created,
                    modified: made.modified,
                },
                definition: made.definition,
            });
            Ok(of_file.chain(made).collect())
        })
    }

    fn save(
        &self,
        definition: Definition,
        replace: bool,
        make_folder: bool,
    ) -> BoxFuture<'_, Result<bool, StorageRefused>> {
        // Somebody who goes away leaves nothing half done.
        let parts = Arc::clone(&self.0);
        Box::pin(whole(async move { parts.save(definition, replace, make_folder).await }))
    }

    fn remove(&self, name: String) -> BoxFuture<'_, Result<(), StorageRefused>> {
        let parts = Arc::clone(&self.0);
        Box::pin(whole(async move { parts.remove(&name).await }))
    }

    fn probe<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<ProbeStep>, Fault>> {
        Box::pin(probe::probe(&self.0.registry, name))
    }

    fn sample<'a>(&'a self, name: &'a str, key: &'a str, seconds: u32) -> BoxFuture<'a, Result<SampleMade, Fault>> {
        Box::pin(self.0.samples.put(name, key, seconds))
    }

    fn ground(&self) -> BoxFuture<'_, StorageGround> {
        let ground = self.0.config.made_storages.clone();
        Box::pin(async move {
            let look = move || {
                let roots = ground.roots.into_iter().map(|root| {
                    let space = space_of(&root).ok();
                    RootState {
                        path: root.display().to_string(),
                        is_there: root.is_dir(),
                        space: space.map(|space| (space.free_bytes, space.size_bytes)),
                    }
                });
                StorageGround {
                    roots: roots.collect(),
                    local_buckets: ground.local_buckets,
                }
            };
            tokio::task::spawn_blocking(look).await.unwrap_or_default()
        })
    }
}

/// Carries out what must not stop half-way, though whoever asked for it goes away.
async fn whole<T: Send + 'static>(
    work: impl std::future::Future<Output = Result<T, StorageRefused>> + Send + 'static,
) -> Result<T, StorageRefused> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(error) => Err(StorageRefused::Fault(Box::new(Fault::new(
            "StorageChangeFailed",
            Blame::Bug,
            "change",
            "the storages",
            error.to_string(),
            "Report this with the daemon's log.",
        )))),
    }
}
