//! What one part of the daemon needs of another and may not reach by itself.
//!
//! Guarantees: nothing here waits. Deliberately absent: any decision.

use crate::base::clock::UtcMs;
use crate::base::ids::AttemptId;
use crate::base::ids::JobId;
use crate::base::progress_board::ProgressBoard;
use crate::config::resolved::Config;
use crate::config::storage::Place;
use crate::config::storage::Storage;
use crate::config::storage_section as config;
use crate::config::storage_section::Watch;
use crate::objects::name_rules::NameRules;
use crate::objects::storages as registry;
use crate::objects::uri::ObjectUri;
use crate::scheduler::links::Links;
use crate::scheduler::looking::DeviceBoard;
use crate::store::Store;
use crate::telemetry::metrics::Metrics;
use crate::trigger;
use crate::trigger::BucketWatch;
use crate::trigger::StorageOptions;
use crate::trigger::TriggerOptions;
use crate::trigger::WatchMode;
use crate::trigger::board::Board;
use crate::trigger::group::GroupKind;
use crate::trigger::s3_notify::Door;
use crate::trigger::s3_notify::DoorSecret;
use crate::trigger::s3_notify::Notices as S3Notices;
use crate::trigger::s3_notify::Refused;
use crate::trigger::watches::Watched;
use crate::web::links::Signer;
use crate::web::ports::BucketNotices;
use crate::web::ports::DeviceControl;
use crate::web::ports::DeviceUse;
use crate::web::ports::DevicesState;
use crate::web::ports::Live;
use crate::web::ports::LiveProgress;
use crate::web::ports::NoticeRefused;
use crate::web::ports::Scanning;
use crate::web::ports::SetAside;
use crate::web::ports::StorageControl;
use crate::web::ports::StorageState;
use crate::web::ports::WaitingObject;
use crate::web::ports::Word;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio_util::bytes::Bytes;

/// The storages of the configuration as the triggers want them.
pub(super) fn trigger_options(config: &Config, registered: &registry::Storages, metrics: &Metrics) -> TriggerOptions {
    let mut options = TriggerOptions {
        metrics: metrics.clone(),
        ..TriggerOptions::default()
    };
    for watched in config
        .storages
        .iter()
        .filter_map(|storage| watched(storage, registered))
    {
        match watched {
            Watched::Folder(folder) => options.storages.push(*folder),
            Watched::Bucket(bucket) => options.buckets.push(*bucket),
        }
    }
    options
}

/// One of them; none: it is not registered.
pub(super) fn watched(storage: &Storage, registered: &registry::Storages) -> Option<Watched> {
    let names = Arc::new(NameRules::new(storage.arriving.names()).unwrap_or_default());
    Some(match &storage.place {
        Place::Folder(place) => Watched::Folder(Box::new(StorageOptions {
            name: storage.name.clone(),
            root: place.path.clone(),
            watch: watch_mode(storage.watch),
            settle_looks: storage.arriving.settle_looks,
            settle_interval: storage.arriving.settle_interval,
            poll_interval: storage.poll_interval,
            others_within: storage.others_within.clone(),
            sentinel: place.sentinel.clone(),
            ground: registered.folder(&storage.name)?.pool.ground(),
            ready: match storage.arriving.ready {
                config::Ready::Stable => trigger::Ready::Stable,
                config::Ready::Rename => trigger::Ready::Rename,
                config::Ready::Marker => trigger::Ready::Marker,
                config::Ready::Checksum => trigger::Ready::Checksum,
            },
            min_age: storage.arriving.min_age,
            names,
            groups: storage.arriving.groups.iter().copied().map(group_kind).collect(),
            sequence_fps: storage.arriving.sequence_fps,
        })),
        Place::Bucket(place) => Watched::Bucket(Box::new(BucketWatch {
            name: storage.name.clone(),
            bucket: registered.bucket(&storage.name)?,
            watch: watch_mode(storage.watch),
            poll_interval: storage.poll_interval,
            min_age: storage.arriving.min_age,
            names,
            monotonic_prefixes: place.monotonic_prefixes.clone(),
        })),
    })
}

fn group_kind(grouping: config::Grouping) -> GroupKind {
    match grouping {
        config::Grouping::Sequences => GroupKind::Sequences,
        config::Grouping::Gopro => GroupKind::Gopro,
        config::Grouping::P2 => GroupKind::P2,
        config::Grouping::Xdcam => GroupKind::Xdcam,
        config::Grouping::Avchd => GroupKind::Avchd,
    }
}

fn watch_mode(watch: Watch) -> WatchMode {
    match watch {
        Watch::Auto => WatchMode::Auto,
        Watch::Inotify => WatchMode::Inotify,
        Watch::Poll => WatchMode::Poll,
        Watch::Off => WatchMode::Off,
    }
}

/// Addresses for programs that the scheduler asks.
pub(super) struct Addresses {
    pub(super) signer: Signer,
    pub(super) public_url: String,
}

impl Links for Addresses {
    fn object(&self, object: &ObjectUri, expires: UtcMs) -> Option<String> {
        Some(format!(
            "{}{}",
            self.public_url,
            self.signer.object_path(object, expires)
        ))
    }

    fn set(&self, main: &ObjectUri, numbered: bool, expires: UtcMs) -> Option<String> {
        let path = self.signer.set_path(main, numbered, expires)?;
        Some(format!("{}{path}", self.public_url))
    }

    fn answer(&self, attempt: &AttemptId) -> Option<String> {
        let word = self.signer.answer_word(attempt.as_str());
        Some(format!("{}/api/v1/hooks/{word}", self.public_url))
    }
}

/// The scheduler's board, for requests.
#[derive(Debug)]
pub(super) struct Progress(pub(super) ProgressBoard);

impl LiveProgress for Progress {
    fn running(&self) -> Vec<Live> {
        let attempts = self.0.all();
        let lives = attempts.into_iter().flat_map(|(_, running)| {
            let jobs = running.jobs.clone();
            jobs.into_iter().map(move |job| Live {
                task: running.task.clone(),
                job,
                percent: running.percent,
                frames: running.frames,
                fps: running.fps,
                speed: running.speed,
                eta_s: running.eta_s,
                device: running.device.clone(),
            })
        });
        lives.collect()
    }

    fn why_waiting(&self, job: &JobId) -> Option<String> {
        self.0.why_waiting(job)
    }
}

/// The scheduler's devices, for requests.
#[derive(Debug)]
pub(super) struct Devices(pub(super) DeviceBoard);

impl DeviceControl for Devices {
    fn devices(&self) -> DevicesState {
        let now = self.0.now();
        let used = now.devices.into_iter().map(|device| DeviceUse {
            attempts: device.attempts,
            attempts_limit: device.room.attempts,
            sessions: device.sessions,
            // Nobody could count them.
            sessions_limit: (device.room.sessions < u32::MAX).then_some(device.room.sessions),
            memory_bytes: device.memory_bytes,
            memory_limit_bytes: device.room.memory_bytes,
            set_aside: device.aside.map(|aside| SetAside {
                since: aside.since,
                why: aside.why,
                next_look: aside.next_look,
            }),
            facts: device.facts,
        });
        DevicesState {
            looked_at: now.looked_at,
            report: now.report,
            used: used.collect(),
        }
    }

    fn look(&self) -> bool {
        self.0.look()
    }
}

/// The doors of buckets that may tell what happens in them.
pub(super) fn notices(config: &Config, store: &Store, board: Board) -> S3Notices {
    let doors = config.storages.iter().filter_map(door);
    S3Notices::new(doors, store.clone(), board)
}

/// The door of a bucket; none: it has none.
pub(super) fn door(storage: &Storage) -> Option<Door> {
    let Place::Bucket(place) = &storage.place else {
        return None;
    };
    let secret = match (&place.given, &place.notify_secret_file) {
        (Some(given), _) => DoorSecret::Given(given.notify_secret.as_ref()?.expose().to_owned()),
        (None, Some(file)) => DoorSecret::File(file.clone()),
        (None, None) => return None,
    };
    (storage.watch != Watch::Off).then(|| Door {
        storage: storage.name.clone(),
        bucket: place.bucket.clone(),
        secret,
        confirm_urls: place.notify_confirm_urls.clone(),
    })
}

/// What takes notifications in, for requests.
#[derive(Debug)]
pub(super) struct Notices(pub(super) S3Notices);

impl BucketNotices for Notices {
    fn take<'a>(
        &'a self,
        storage: &'a str,
        offered: Vec<String>,
        body: Bytes,
    ) -> BoxFuture<'a, Result<(), NoticeRefused>> {
        Box::pin(async move {
            let taken = self.0.take(storage, &offered, &body).await;
            taken.map_err(|refused| match refused {
                Refused::Unknown => NoticeRefused::Unknown,
                Refused::Secret => NoticeRefused::Secret,
                Refused::Unreadable(cause) => NoticeRefused::Unreadable(cause),
                Refused::Later(fault) => NoticeRefused::Later(fault),
            })
        })
    }
}

/// The triggers' board, for requests.
#[derive(Debug)]
pub(super) struct Storages(pub(super) Board);

impl StorageControl for Storages {
    fn storages(&self) -> Vec<StorageState> {
        let states = self.0.storages().into_iter().map(|state| StorageState {
            name: state.name,
            kind: state.kind.to_owned(),
            location: state.location,
            watch: state.watch.to_owned(),
            file_system: state.file_system,
            available: state.available && state.frozen.is_none(),
            frozen: state.frozen,
            note: state.note.or(state.incomplete),
            space: state.space.map(|space| (space.free_bytes, space.total_bytes)),
            objects: state.objects as u64,
            backlog: state.backlog as u64,
            waiting: state
                .slow
                .into_iter()
                .map(|slow| WaitingObject {
                    key: slow.key,
                    size_bytes: slow.size_bytes,
                    since: slow.since,
                    why: slow.waits.map(|waits| waits.to_string()),
                })
                .collect(),
            troubled: state.troubles as u64,
            scan: state.scan.map(|scan| Scanning {
                began: scan.began,
                found: scan.found,
                expected: scan.expected,
                first: scan.first,
            }),
            last_scan: state.last_scan,
            last_scan_ms: state.last_scan_ms,
            calls_per_hour: state.calls_per_hour,
        });
        states.collect()
    }

    fn scan(&self, storage: &str) -> bool {
        self.0.scan(storage)
    }

    fn thaw(&self, storage: &str) -> bool {
        self.0.thaw(storage)
    }

    fn explain<'a>(&'a self, storage: &'a str, key: &'a str) -> BoxFuture<'a, Vec<Word>> {
        Box::pin(async move {
            let words = self.0.explain(storage, key).await.unwrap_or_default();
            let told = words.into_iter().map(|word| Word {
                code: word.code,
                prevents: word.prevents,
                text: word.text,
            });
            told.collect()
        })
    }
}
