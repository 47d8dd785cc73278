//! A bucket that lives in memory, which can be made to fail, to lie and to be huge, and a ledger for its trigger.

use futures_util::future::BoxFuture;
use reelmill::base::address::Reach;
use reelmill::base::clock::UtcMs;
use reelmill::base::fault::Blame;
use reelmill::base::fault::Fault;
use reelmill::base::ids::WorkflowId;
use reelmill::base::wake::Bell;
use reelmill::objects::s3::Bucket;
use reelmill::objects::s3::BucketOptions;
use reelmill::objects::s3::CredentialSource;
use reelmill::objects::s3::Head;
use reelmill::objects::s3::Listed;
use reelmill::objects::s3::Page;
use reelmill::objects::s3::Patience;
use reelmill::objects::s3::UploadOptions;
use reelmill::objects::uri::key_bytes;
use reelmill::objects::uri::key_text;
use reelmill::store::Store;
use reelmill::store::workflows::Origin;
use reelmill::store::workflows::SaveWorkflow;
use reelmill::trigger::BucketWatch;
use reelmill::trigger::WatchMode;
use reelmill::trigger::board::Board;
use reelmill::trigger::s3_scan::Lister;
use reelmill::trigger::s3_scan::Surroundings;
use reelmill::trigger::s3_scan::WatchBucket;
use reelmill::workflow::definition::Definition;
use reelmill::workflow::resolve::resolve;
use reelmill::workflow::template::Templates;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

const SECOND: i64 = 1_000_000_000;

/// Size, time and ETag, and its metadata.
type Kept = (u64, i64, String, BTreeMap<String, String>);

/// A bucket in memory, in the order of its keys' bytes.
#[derive(Default)]
pub struct Shelf {
    pub objects: Mutex<BTreeMap<Vec<u8>, Kept>>,
    pub lists: AtomicU64,
    pub heads: AtomicU64,
    pub down: AtomicBool,
    pub backwards: AtomicBool,
    /// Tells ETags to who asks for an object alone, and to nobody else.
    pub lists_no_etags: AtomicBool,
    /// What the first look at an object alone sees instead of it.
    pub seen_early: Mutex<BTreeMap<Vec<u8>, Kept>>,
    /// Fails after so many pages; 0: does not.
    pub fails_after: AtomicU64,
}

impl Shelf {
    pub fn put(&self, key: &str, mtime_s: i64, etag: &str) {
        let kept = (5, mtime_s * SECOND, etag.to_owned(), BTreeMap::new());
        self.objects.lock().expect("lock").insert(key.as_bytes().to_vec(), kept);
    }

    pub fn note(&self, key: &str, name: &str, value: &str) {
        let mut objects = self.objects.lock().expect("lock");
        let kept = objects.get_mut(key.as_bytes()).expect("there");
        kept.3.insert(name.to_owned(), value.to_owned());
    }

    /// The next look at this object alone sees it without ETag.
    pub fn shows_early(&self, key: &str) {
        let objects = self.objects.lock().expect("lock");
        let mut kept = objects.get(key.as_bytes()).expect("there").clone();
        kept.2.clear();
        self.seen_early
            .lock()
            .expect("lock")
            .insert(key.as_bytes().to_vec(), kept);
    }

    pub fn remove(&self, key: &str) {
        self.objects.lock().expect("lock").remove(key.as_bytes());
    }

    fn refused(&self) -> Option<Fault> {
        self.down.load(Ordering::Relaxed).then(|| {
            Fault::new(
                "StorageNotAnswering",
                Blame::Host,
                "list",
                "shelf",
                "it is down",
                "Wait.",
            )
        })
    }

    fn page(&self, prefix: &str, after: Option<&str>, token: Option<&str>, limit: u32) -> Result<Page, Fault> {
        let lists = self.lists.fetch_add(1, Ordering::Relaxed) + 1;
        let fails_after = self.fails_after.load(Ordering::Relaxed);
        if fails_after > 0 && lists > fails_after {
            self.down.store(true, Ordering::Relaxed);
        }
        if let Some(fault) = self.refused() {
            return Err(fault);
        }
        let prefix = key_bytes(prefix);
        let after = token.map(|token| token.as_bytes().to_vec()).or(after.map(key_bytes));
        let objects = self.objects.lock().expect("lock");
        let from = after.clone().unwrap_or_else(|| prefix.clone());
        let fitting = objects
            .range(from..)
            .filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after))
            .take_while(|(key, _)| key.starts_with(&prefix));
        let mut found: Vec<Listed> = fitting
            .take(limit as usize + 1)
            .map(|(key, (size_bytes, mtime_ns, etag, _))| Listed {
                key: key_text(key),
                size_bytes: *size_bytes,
                mtime_ns: *mtime_ns,
                etag: if self.lists_no_etags.load(Ordering::Relaxed) {
                    String::new()
                } else {
                    etag.clone()
                },
            })
            .collect();
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found
            .last()
            .filter(|_| more)
            .map(|last| String::from_utf8(key_bytes(&last.key)).expect("UTF-8"));
        if self.backwards.load(Ordering::Relaxed) {
            found.reverse();
        }
        Ok(Page {
            objects: found,
            folders: Vec::new(),
            next,
        })
    }
}

impl Lister for Shelf {
    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        token: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Page, Fault>> {
        Box::pin(async move { self.page(prefix, after, token, limit) })
    }

    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Head>, Fault>> {
        Box::pin(async move {
            self.heads.fetch_add(1, Ordering::Relaxed);
            if let Some(fault) = self.refused() {
                return Err(fault);
            }
            let early = self.seen_early.lock().expect("lock").remove(&key_bytes(key));
            let objects = self.objects.lock().expect("lock");
            Ok(early
                .as_ref()
                .or(objects.get(&key_bytes(key)))
                .map(|(size_bytes, mtime_ns, etag, metadata)| Head {
                    size_bytes: *size_bytes,
                    mtime_ns: *mtime_ns,
                    etag: etag.clone(),
                    content_type: String::new(),
                    metadata: metadata.clone(),
                }))
        })
    }

    fn reach(&self) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(async move { self.refused().map_or(Ok(()), Err) })
    }
}

/// A ledger with one workflow that takes everything, and a shelf.
pub struct Room {
    folder: tempfile::TempDir,
    pub store: Store,
    pub shelf: Arc<Shelf>,
    board: Board,
    pub entered: UtcMs,
    pub monotonic: Vec<String>,
}

impl Room {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("reelmill.db")).expect("open");
        let room = Room {
            store,
            shelf: Arc::default(),
            board: Board::default(),
            entered: UtcMs(1_000_000 * 1_000),
            monotonic: Vec::new(),
            folder,
        };
        room.workflow("all", "").await;
        room
    }

    pub async fn workflow(&self, name: &str, prefix: &str) -> WorkflowId {
        let definition = format!(
            "name = \"{name}\"\n[source]\nstorage = \"archive\"\nprefix = \"{prefix}\"\nextensions = [\"*\"]\n\
             [output]\nstorage = \"elsewhere\"\n[[activity]]\nid = \"one\"\ntype = \"noop\"\n"
        );
        keep(&self.store, &definition).await
    }

    pub fn watch(&self) -> WatchBucket {
        let options = BucketWatch {
            name: "archive".to_owned(),
            bucket: Bucket::new(BucketOptions {
                name: "archive".to_owned(),
                endpoint: url::Url::parse("http://127.0.0.1:9").expect("an address"),
                region: "us-east-1".to_owned(),
                bucket: "archive".to_owned(),
                path_style: true,
                credentials: CredentialSource::Environment,
                tls_ca_pem: None,
                upload: UploadOptions::default(),
                patience: Patience::default(),
                reach: Reach::Loopback,
            })
            .expect("a bucket"),
            watch: WatchMode::Auto,
            poll_interval: Some(Duration::from_millis(500)),
            min_age: Duration::ZERO,
            names: Arc::default(),
            monotonic_prefixes: self.monotonic.clone(),
        };
        let surroundings = Surroundings {
            store: self.store.clone(),
            scheduler: Bell::default(),
            board: self.board.clone(),
            asked: Bell::default(),
            metrics: reelmill::telemetry::metrics::Metrics::default(),
            entered: self.entered,
        };
        WatchBucket::new(options, self.shelf.clone(), surroundings)
    }

    /// Writes down that we made an object of five bytes with this ETag.
    pub fn made_by_us(&self, key: &str, etag: &str) {
        let database = rusqlite::Connection::open(self.folder.path().join("reelmill.db")).expect("the database");
        let sql = "insert into own_files (storage, key, size_bytes, etag) values ('archive', ?1, 5, ?2)";
        database.execute(sql, [key, etag]).expect("written");
    }

    /// Writes down that we are making an object of so many bytes, or that this was given up.
    pub fn making(&self, key: &str, size_bytes: Option<u64>) {
        let database = rusqlite::Connection::open(self.folder.path().join("reelmill.db")).expect("the database");
        database.pragma_update(None, "foreign_keys", false).expect("set");
        let made = match size_bytes {
            Some(size_bytes) => database.execute(
                "insert into publish_intents (output_id, ordinal, attempt_id, storage, key, scratch_path, size_bytes, md5, \
                 overwrite, created_ms) values ('one', 0, 'one', 'archive', ?1, 'x', ?2, '', 0, 0)",
                (key, i64::try_from(size_bytes).expect("small")),
            ),
            None => database.execute("delete from publish_intents where key = ?1", [key]),
        };
        assert_eq!(made.expect("written"), 1);
    }

    /// Keys that wait for intake, sorted.
    pub async fn ready(&self) -> Vec<String> {
        let settled = self.store.settled_arrivals(1_000_000).await.expect("read");
        let mut keys: Vec<String> = settled.into_iter().map(|one| one.source.object.key).collect();
        keys.sort();
        keys
    }

    pub async fn gone(&self) -> Vec<String> {
        let id = self.store.enter_storage("archive").await.expect("entered").id;
        let rows = self
            .store
            .bucket_stretch(id, ("", true), "\u{10FFFF}", 1_000_000)
            .await
            .expect("read");
        rows.into_iter().filter(|row| row.gone).map(|row| row.key).collect()
    }
}

pub async fn keep(store: &Store, definition: &str) -> WorkflowId {
    let written = Definition::from_toml(definition).expect("a definition");
    let save = SaveWorkflow {
        origin: Origin::File,
        definition: definition.to_owned(),
        resolved: resolve(&written, &Templates::shipped()).expect("right"),
        enabled_first: true,
    };
    store.save_workflow(save, UtcMs::now()).await.expect("saved").id
}
