//! An executor over a folder and over a bucket with the same files, and what attempts on it come to.

use crate::appliance::REELMILL;
use crate::appliance::fault_proxy::FaultProxy;
use crate::appliance::s3_server::S3Server;
use reelmill::base::address::Reach;
use reelmill::base::ids::AttemptId;
use reelmill::base::ids::JobId;
use reelmill::base::ids::TaskId;
use reelmill::executor::AttemptEnd;
use reelmill::executor::AttemptOrder;
use reelmill::executor::AttemptUpdate;
use reelmill::executor::Executor;
use reelmill::executor::Identity;
use reelmill::executor::local::LocalExecutor;
use reelmill::executor::local::LocalExecutorOptions;
use reelmill::media::facts::MediaFacts;
use reelmill::media::limits::Limits;
use reelmill::media::product::JobEnd;
use reelmill::media::spec::Backend;
use reelmill::media::spec::MediaWork;
use reelmill::objects::s3::Bucket;
use reelmill::objects::s3::BucketOptions;
use reelmill::objects::s3::CredentialSource;
use reelmill::objects::s3::Patience;
use reelmill::objects::s3::UploadOptions;
use reelmill::objects::storages::Medium;
use reelmill::objects::uri::ObjectUri;
use reelmill::workflow::resolve::resolve_named;
use reelmill::workflow::template::Templates;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

/// What an attempt came to.
#[derive(Debug)]
pub struct Outcome {
    pub end: AttemptEnd,
    pub facts: Option<MediaFacts>,
    /// By the name of the job.
    pub jobs: BTreeMap<String, JobEnd>,
}

impl Outcome {
    /// Code of the attempt's fault; empty: it has none.
    pub fn code(&self) -> &str {
        self.end.fault.as_ref().map_or("", |fault| &fault.code)
    }
}

/// The place.
pub struct Stage {
    root: tempfile::TempDir,
    pub server: S3Server,
    pub proxy: FaultProxy,
    executor: LocalExecutor,
}

impl Stage {
    pub fn new() -> Self {
        Self::with(|_, _| ())
    }

    /// With other options of the executor and another patience with the bucket.
    pub fn with(change: impl FnOnce(&mut LocalExecutorOptions, &mut Patience)) -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(root.path().join("nas")).expect("a fresh directory");
        let server = S3Server::start(&["media"]);
        // It has a runtime of its own.
        let proxy = tokio::task::block_in_place(|| FaultProxy::start(server.port()));
        let mut options =
            LocalExecutorOptions::new(root.path().join("scratch")).with_folder("nas", root.path().join("nas"));
        options.supervisor.program = REELMILL.into();
        let mut patience = Patience {
            first_pause: Duration::from_millis(10),
            longest_pause: Duration::from_millis(100),
            ..Patience::default()
        };
        change(&mut options, &mut patience);
        let (access_key, secret_key) = server.key_files();
        let bucket = Bucket::new(BucketOptions {
            name: "cloud".to_owned(),
            endpoint: Url::parse(&proxy.endpoint()).expect("a URL"),
            region: "us-east-1".to_owned(),
            bucket: "media".to_owned(),
            path_style: true,
            credentials: CredentialSource::Files {
                access_key,
                secret_key,
                session_token: None,
            },
            tls_ca_pem: None,
            upload: UploadOptions::default(),
            reach: Reach::Loopback,
            patience,
        });
        let bucket = bucket.expect("a bucket");
        options.storages.insert(Medium::Bucket(bucket));
        Stage {
            root,
            server,
            proxy,
            executor: LocalExecutor::new(options),
        }
    }

    /// Puts the same bytes under the same key into both storages.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        let path = self.root.path().join("nas").join(key);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
        self.server.deliver("media", key, bytes);
    }

    pub fn executor(&self) -> &LocalExecutor {
        &self.executor
    }

    /// The order for these jobs over `object`, as it stands there now.
    pub async fn order(&self, object: &str, jobs: &[(&str, MediaWork)]) -> AttemptOrder {
        let source = ObjectUri::parse(object).expect("an object");
        let path = match source.storage.as_str() {
            "nas" => self.root.path().join("nas").join(&source.key),
            _ => self.server.folder("media").join(&source.key),
        };
        let metadata = std::fs::metadata(path).expect("it is there");
        AttemptOrder {
            attempt: AttemptId::fresh(),
            task: TaskId::fresh(),
            jobs: jobs
                .iter()
                .map(|(job, work)| (JobId::from(*job), work.clone()))
                .collect(),
            source,
            identity: Identity {
                size_bytes: metadata.len(),
                mtime_ns: 0,
                etag: String::new(),
            },
            parts: None,
            threads: 2,
            backend: Backend::Software,
            device: None,
            limits: Limits::default(),
        }
    }

    /// Carries out an order to its end.
    pub async fn carry_out(&self, order: AttemptOrder, stop: CancellationToken) -> Outcome {
        let (sender, mut receiver) = mpsc::channel(64);
        let (mut facts, mut jobs) = (None, BTreeMap::new());
        let listening = async {
            while let Some(update) = receiver.recv().await {
                match update {
                    AttemptUpdate::Facts(told) => facts = Some(*told),
                    AttemptUpdate::JobEnded(job, end) => {
                        jobs.insert(job.as_str().to_owned(), *end);
                    }
                    AttemptUpdate::Progress(_) | AttemptUpdate::Log(_) => {}
                }
            }
        };
        let (end, ()) = tokio::join!(self.executor.carry_out(order, sender, stop), listening);
        Outcome { end, facts, jobs }
    }

    /// These jobs over an object of either storage.
    pub async fn run(&self, object: &str, jobs: &[(&str, MediaWork)]) -> Outcome {
        let order = self.order(object, jobs).await;
        self.carry_out(order, CancellationToken::new()).await
    }

    /// Bytes of objects that the service has sent so far.
    pub fn sent_bytes(&self) -> u64 {
        let gets = self.proxy.seen().into_iter().filter(|seen| seen.method == "GET");
        gets.map(|seen| seen.answered_bytes as u64).sum()
    }
}

/// The works of a preset workflow, a template or a definition.
pub fn works(named: &str) -> Vec<(String, MediaWork)> {
    let resolved = match named.contains("[[activity]]") {
        true => {
            let read = |_: &str| Ok(named.to_owned());
            resolve_named("given.toml", &Templates::shipped(), read)
        }
        false => resolve_named(named, &Templates::shipped(), |_| {
            Err(std::io::ErrorKind::NotFound.into())
        }),
    };
    let activities = resolved.expect("a workflow").activities.into_iter();
    activities
        .filter_map(|activity| Some((activity.id, activity.work?)))
        .collect()
}

/// One rung that costs little.
pub fn small_rung(more: &str) -> MediaWork {
    let text = format!(
        "name = \"small\"\n[[activity]]\nid = \"rung\"\ntype = \"transcode\"\n{more}\n[[activity.group]]\nkind = \"file\"\n\
         container = \"mp4\"\n[[activity.group.output]]\nname = \"rung\"\n\
         video = {{ codec = \"h264\", height = 128, preset = \"ultrafast\", rate = \"crf\", crf = 30, gop_s = 2.0 }}\n\
         audio = {{ codec = \"aac\", bitrate_kbps = 64 }}\n"
    );
    works(&text).remove(0).1
}

/// Sheets of pictures 10 s apart.
pub fn sprite() -> MediaWork {
    works("sprite-webvtt").remove(0).1
}

/// The bytes of a clip of the tests.
pub fn bytes_of(clip: PathBuf) -> Vec<u8> {
    std::fs::read(clip).expect("the clip was made")
}
