//! A router that answers on a port of its own.

use futures_util::future::BoxFuture;
use reelmill::base::address::Reach;
use reelmill::base::clock::UtcMs;
use reelmill::base::fault::Fault;
use reelmill::base::ids::JobId;
use reelmill::base::ids::TaskId;
use reelmill::base::wake::Bells;
use reelmill::objects::inflow::Inflow;
use reelmill::objects::local::Folder;
use reelmill::objects::storages::Storages;
use reelmill::store::Store;
use reelmill::telemetry::device_meters::DeviceMeters;
use reelmill::telemetry::metrics::Metrics;
use reelmill::web;
use reelmill::web::browse::Browser;
use reelmill::web::feed::Feed;
use reelmill::web::gate::Gate;
use reelmill::web::inlet::Inlet;
use reelmill::web::inlet::InletRules;
use reelmill::web::links::Signer;
use reelmill::web::ports::BucketNotices;
use reelmill::web::ports::DestinationControl;
use reelmill::web::ports::DestinationState;
use reelmill::web::ports::DeviceControl;
use reelmill::web::ports::DevicesState;
use reelmill::web::ports::Live;
use reelmill::web::ports::LiveProgress;
use reelmill::web::ports::NoticeRefused;
use reelmill::web::ports::ProbeStep;
use reelmill::web::ports::SampleMade;
use reelmill::web::ports::StorageControl;
use reelmill::web::ports::StorageGround;
use reelmill::web::ports::StorageMaking;
use reelmill::web::ports::StorageRefused;
use reelmill::web::ports::StorageState;
use reelmill::web::ports::StorageWritten;
use reelmill::web::ports::TrialAnswer;
use reelmill::web::ports::Word;
use reelmill::web::secrets;
use reelmill::web::state::About;
use reelmill::web::state::WebState;
use reelmill::web::storage_writer::StorageWriter;
use reelmill::web::stored_objects::StoredObjects;
use reelmill::web::template_shelf::TemplateShelf;
use reelmill::workflow::destination::Definition;
use reelmill::workflow::resolved::OnConflict;
use reelmill::workflow::template::Templates;
use reqwest::Method;
use reqwest::RequestBuilder;
use reqwest::Response;
use reqwest::StatusCode;
use serde_json::Value;
use serde_json::json;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A workflow that needs no worker.
pub const NOOP: &str = r#"
name = "noop"
[source]
storage = "ingest"
prefix = "in/"
[[activity]]
id = "one"
type = "noop"
"#;

#[derive(Default)]
pub struct Playing(pub Mutex<Vec<Live>>);

impl LiveProgress for Playing {
    fn running(&self) -> Vec<Live> {
        self.0.lock().expect("not poisoned").clone()
    }

    fn why_waiting(&self, _job: &JobId) -> Option<String> {
        None
    }
}

struct NoDevices;

impl DeviceControl for NoDevices {
    fn devices(&self) -> DevicesState {
        DevicesState {
            looked_at: None,
            report: None,
            used: Vec::new(),
        }
    }

    fn look(&self) -> bool {
        true
    }
}

struct NoDestinations;

impl DestinationControl for NoDestinations {
    fn destinations(&self) -> Vec<DestinationState> {
        Vec::new()
    }

    fn check(&self, _: &Definition) -> Result<(), Fault> {
        Ok(())
    }

    fn changed(&self) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }

    fn trial<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<TrialAnswer, Fault>> {
        Box::pin(async {
            Ok(TrialAnswer {
                status: Some(200),
                error: None,
                answer: None,
                took_ms: 1,
            })
        })
    }
}

struct OneStorage;

/// Nothing is made while this runs.
struct NothingMade;

impl StorageMaking for NothingMade {
    fn written(&self) -> BoxFuture<'_, Result<Vec<StorageWritten>, Fault>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn save(
        &self,
        _: reelmill::workflow::storage::Definition,
        _: bool,
        _: bool,
    ) -> BoxFuture<'_, Result<bool, StorageRefused>> {
        Box::pin(async { Err(StorageRefused::Unknown) })
    }

    fn remove(&self, _: String) -> BoxFuture<'_, Result<(), StorageRefused>> {
        Box::pin(async { Err(StorageRefused::Unknown) })
    }

    fn probe<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Vec<ProbeStep>, Fault>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn sample<'a>(&'a self, _: &'a str, key: &'a str, _: u32) -> BoxFuture<'a, Result<SampleMade, Fault>> {
        let key = key.to_owned();
        Box::pin(async { Ok(SampleMade { key, size_bytes: 1 }) })
    }

    fn ground(&self) -> BoxFuture<'_, StorageGround> {
        Box::pin(async { StorageGround::default() })
    }
}

/// No bucket may tell.
struct NoDoors;

impl BucketNotices for NoDoors {
    fn take<'a>(
        &'a self,
        _: &'a str,
        _: Vec<String>,
        _: tokio_util::bytes::Bytes,
    ) -> BoxFuture<'a, Result<(), NoticeRefused>> {
        Box::pin(async { Err(NoticeRefused::Unknown) })
    }
}

impl StorageControl for OneStorage {
    fn storages(&self) -> Vec<StorageState> {
        vec![StorageState {
            name: "ingest".to_owned(),
            kind: "folder".to_owned(),
            location: "/ingest".to_owned(),
            watch: "inotify".to_owned(),
            available: true,
            ..StorageState::default()
        }]
    }

    fn thaw(&self, storage: &str) -> bool {
        storage == "ingest"
    }

    fn explain<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Vec<Word>> {
        Box::pin(async { Vec::new() })
    }

    fn scan(&self, storage: &str) -> bool {
        storage == "ingest"
    }
}

/// A router that answers on a port of its own.
pub struct Served {
    pub folder: tempfile::TempDir,
    pub store: Store,
    pub state: WebState,
    pub playing: Arc<Playing>,
    pub http: reqwest::Client,
    pub url: String,
    pub admin: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.state.stopping.cancel();
    }
}

impl Served {
    pub async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("ingest/in")).expect("made");
        let store = Store::open(&folder.path().join("reelmill.db")).expect("opens");
        let file = secrets::first_admin_token(&store, folder.path(), UtcMs::now())
            .await
            .expect("works")
            .expect("is made");
        let admin = std::fs::read_to_string(file).expect("readable").trim().to_owned();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let url = format!("http://{}", listener.local_addr().expect("has an address"));
        let playing = Arc::new(Playing::default());
        let storages = Storages::new([Folder::new("ingest", folder.path().join("ingest"))]);
        let state = WebState {
            store: store.clone(),
            feed: Feed::new(store.clone()),
            bells: Bells::default(),
            objects: Arc::new(StoredObjects::new(storages.clone())),
            writer: Arc::new(StorageWriter::new(Inflow::new(
                storages.clone(),
                folder.path().join("spool"),
            ))),
            inlet: Inlet::new(
                InletRules {
                    storage: Some("ingest".to_owned()),
                    prefix: "uploads/".to_owned(),
                    on_conflict: OnConflict::Version,
                    max_bytes: None,
                    expires: Duration::from_secs(3600),
                    idle: Duration::from_secs(60),
                    reach: Reach::Public,
                },
                secrets::sealer(folder.path()).expect("is made"),
            ),
            progress: Arc::clone(&playing) as Arc<dyn LiveProgress>,
            storages: Arc::new(OneStorage),
            made_storages: Arc::new(NothingMade),
            notices: Arc::new(NoDoors),
            devices: Arc::new(NoDevices),
            destinations: Arc::new(NoDestinations),
            meters: DeviceMeters::default(),
            host: Default::default(),
            check: Arc::new(|| Box::pin(async { serde_json::Value::Null })),
            templates: TemplateShelf::new(Templates::shipped()),
            missing_for: Arc::new(|workflow| match workflow.source.storage.as_deref() {
                Some("ingest") | None => Vec::new(),
                Some(other) => vec![format!("there is no storage {other:?} in the configuration")],
            }),
            metrics: Metrics::default(),
            signer: Signer::new(secrets::link_secret(folder.path()).expect("is made")),
            sealer: secrets::sealer(folder.path()).expect("is made"),
            gate: Arc::new(Gate::new(&url, Duration::from_secs(3_600))),
            browser: Browser::new(storages),
            about: Arc::new(About {
                public_url: url.clone(),
                started: UtcMs::now(),
                threads: 2,
                attempts: 1,
                pass_memory_bytes: 8 << 30,
                workflow_quota: None,
                settings: Default::default(),
            }),
            ready: Arc::new(AtomicBool::new(true)),
            draining: Arc::new(AtomicBool::new(false)),
            stopping: CancellationToken::new(),
        };
        let router = web::router(state.clone());
        tokio::spawn(web::serve(listener, None, router, state.stopping.clone()));
        Served {
            folder,
            store,
            state,
            playing,
            http: reqwest::Client::new(),
            url,
            admin,
        }
    }

    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.admin)
    }

    pub async fn get(&self, path: &str) -> Value {
        let response = self.ask(Method::GET, path).send().await.expect("answers");
        let status = response.status();
        let body = response.json().await.expect("is JSON");
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let response = self.ask(Method::POST, path).json(&body).send().await.expect("answers");
        let status = response.status();
        let text = response.text().await.expect("is text");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub async fn apply(&self, definition: &str) -> Value {
        let response = self
            .ask(Method::POST, "/api/v1/workflows")
            .header("content-type", "application/toml")
            .body(definition.to_owned())
            .send()
            .await
            .expect("answers");
        let status = response.status();
        let body: Value = response.json().await.expect("is JSON");
        assert!(status.is_success(), "{body}");
        body
    }

    pub fn object(&self, key: &str, content: &[u8]) {
        let path = self.folder.path().join("ingest").join(key);
        std::fs::create_dir_all(path.parent().expect("has one")).expect("made");
        std::fs::write(path, content).expect("written");
    }

    pub async fn start(&self, key: &str) -> String {
        self.object(key, b"not looked at");
        let body = json!({ "workflow": "noop", "object": format!("ingest:{key}") });
        let (status, task) = self.post("/api/v1/tasks", body).await;
        assert_eq!(status, StatusCode::CREATED, "{task}");
        task["id"].as_str().expect("has an id").to_owned()
    }

    /// What the scheduler does with a noop.
    pub async fn carry_out(&self, task: &str) {
        let detail = self.store.show_task(&TaskId::from(task)).await.expect("is there");
        let workflow = Arc::new(detail.workflow.expect("has its version"));
        for job in detail.jobs {
            self.store
                .conclude_noop(&job.id, Arc::clone(&workflow), UtcMs::now())
                .await
                .expect("concludes");
        }
    }
}

/// The problem in an answer, whose shape is checked.
pub async fn problem(response: Response) -> (StatusCode, Value) {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let status = response.status();
    let body: Value = response.json().await.expect("is JSON");
    assert_eq!(body["status"], status.as_u16());
    for field in ["title", "detail", "code", "remedy"] {
        assert!(
            body[field].as_str().is_some_and(|text| !text.is_empty()),
            "{field} of {body}"
        );
    }
    (status, body)
}
