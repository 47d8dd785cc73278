//! Does the REST API keep its promises? A whole router on a port of its own, with a store and a folder storage on disk;
//! only the scheduler is played by the test.

use reelmill::base::clock::UtcMs;
use reelmill::base::ids::JobId;
use reelmill::base::ids::TaskId;
use reelmill::base::wake::Bells;
use reelmill::objects::local::Folder;
use reelmill::objects::uri::ObjectUri;
use reelmill::store::Store;
use reelmill::telemetry::metrics::Metrics;
use reelmill::web;
use reelmill::web::folders::FolderObjects;
use reelmill::web::links::Signer;
use reelmill::web::ports::Live;
use reelmill::web::ports::LiveProgress;
use reelmill::web::ports::StorageControl;
use reelmill::web::ports::StorageState;
use reelmill::web::secrets;
use reelmill::web::state::About;
use reelmill::web::state::WebState;
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
use tokio_util::sync::CancellationToken;

/// A workflow that needs no worker.
const NOOP: &str = r#"
name = "noop"
[source]
storage = "ingest"
prefix = "in/"
[[activity]]
id = "one"
type = "noop"
"#;

#[derive(Default)]
struct Playing(Mutex<Vec<Live>>);

impl LiveProgress for Playing {
    fn running(&self) -> Vec<Live> {
        self.0.lock().expect("not poisoned").clone()
    }
}

struct OneStorage;

impl StorageControl for OneStorage {
    fn storages(&self) -> Vec<StorageState> {
        vec![StorageState {
            name: "ingest".to_owned(),
            kind: "folder".to_owned(),
            location: "/ingest".to_owned(),
            watch: "inotify".to_owned(),
            available: true,
            note: None,
            last_scan: None,
        }]
    }

    fn scan(&self, storage: &str) -> bool {
        storage == "ingest"
    }
}

/// A router that answers on a port of its own.
struct Served {
    folder: tempfile::TempDir,
    store: Store,
    state: WebState,
    playing: Arc<Playing>,
    http: reqwest::Client,
    url: String,
    admin: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.state.stopping.cancel();
    }
}

impl Served {
    async fn new() -> Self {
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
        let state = WebState {
            store: store.clone(),
            bells: Bells::default(),
            objects: Arc::new(FolderObjects::new([Folder::new(
                "ingest",
                folder.path().join("ingest"),
            )])),
            progress: Arc::clone(&playing) as Arc<dyn LiveProgress>,
            storages: Arc::new(OneStorage),
            templates: Arc::new(Templates::shipped()),
            missing_for: Arc::new(|workflow| match workflow.source.storage.as_deref() {
                Some("ingest") | None => Vec::new(),
                Some(other) => vec![format!("there is no storage {other:?} in the configuration")],
            }),
            metrics: Metrics::default(),
            signer: Signer::new(secrets::link_secret(folder.path()).expect("is made")),
            about: Arc::new(About {
                public_url: url.clone(),
                started: UtcMs::now(),
                threads: 2,
                attempts: 1,
            }),
            ready: Arc::new(AtomicBool::new(true)),
            draining: Arc::new(AtomicBool::new(false)),
            stopping: CancellationToken::new(),
        };
        let router = web::router(state.clone());
        tokio::spawn(web::serve(listener, router, state.stopping.clone()));
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

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.admin)
    }

    async fn get(&self, path: &str) -> Value {
        let response = self.ask(Method::GET, path).send().await.expect("answers");
        let status = response.status();
        let body = response.json().await.expect("is JSON");
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let response = self.ask(Method::POST, path).json(&body).send().await.expect("answers");
        let status = response.status();
        let text = response.text().await.expect("is text");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn apply(&self, definition: &str) -> Value {
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

    fn object(&self, key: &str, content: &[u8]) {
        let path = self.folder.path().join("ingest").join(key);
        std::fs::create_dir_all(path.parent().expect("has one")).expect("made");
        std::fs::write(path, content).expect("written");
    }

    async fn start(&self, key: &str) -> String {
        self.object(key, b"not looked at");
        let body = json!({ "workflow": "noop", "object": format!("ingest:{key}") });
        let (status, task) = self.post("/api/v1/tasks", body).await;
        assert_eq!(status, StatusCode::CREATED, "{task}");
        task["id"].as_str().expect("has an id").to_owned()
    }

    /// What the scheduler does with a noop.
    async fn carry_out(&self, task: &str) {
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

async fn problem(response: Response) -> (StatusCode, Value) {
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

#[tokio::test]
async fn without_a_token_only_the_open_addresses_answer() {
    let served = Served::new().await;
    let bare = |path: &str| served.http.get(format!("{}{path}", served.url)).send();
    for open in [
        "/healthz",
        "/readyz",
        "/",
        "/assets/page.js",
        "/assets/page.css",
        "/assets/player.js",
    ] {
        let response = bare(open).await.expect("answers");
        assert_eq!(response.status(), StatusCode::OK, "{open}");
    }
    let document = served.get("/openapi.json").await;
    let paths = document["paths"].as_object().expect("has paths");
    assert!(paths.len() > 30);
    for path in paths
        .keys()
        .map(String::as_str)
        .chain(["/openapi.json", "/api/v2", "/nowhere"])
    {
        if ["/healthz", "/readyz"].contains(&path) {
            continue;
        }
        let (status, body) = problem(bare(path).await.expect("answers")).await;
        assert_eq!(
            (status, &body["code"]),
            (StatusCode::UNAUTHORIZED, &json!("Unauthorized")),
            "{path}"
        );
    }
    for wrong in ["Bearer nonsense", "Basic YTpi", "Bearer ", "bearer"] {
        let request = served
            .http
            .get(format!("{}/api/v1/tasks", served.url))
            .header("authorization", wrong);
        let (status, _) = problem(request.send().await.expect("answers")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    let (status, _) = problem(bare("/o/ingest/in/a.mp4").await.expect("answers")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = problem(served.ask(Method::GET, "/nowhere").send().await.expect("answers")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = problem(
        served
            .ask(Method::DELETE, "/api/v1/tasks")
            .send()
            .await
            .expect("answers"),
    )
    .await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn roles_may_do_what_they_may_and_revoked_tokens_nothing() {
    let served = Served::new().await;
    let mut tokens = Vec::new();
    for role in ["viewer", "operator"] {
        let (status, made) = served
            .post("/api/v1/tokens", json!({ "name": role, "role": role }))
            .await;
        assert_eq!(status, StatusCode::CREATED);
        tokens.push((
            made["token"].as_str().expect("is shown once").to_owned(),
            made["id"].clone(),
        ));
    }
    let listed = served.get("/api/v1/tokens").await;
    assert!(!listed.to_string().contains(&tokens[0].0), "a list never shows a token");
    let status_of = |token: &str, method: Method, path: &str| {
        let request = served
            .http
            .request(method, format!("{}{path}", served.url))
            .bearer_auth(token)
            .json(&json!({}));
        async move { request.send().await.expect("answers").status() }
    };
    let (viewer, operator) = (tokens[0].0.as_str(), tokens[1].0.as_str());
    assert_eq!(status_of(viewer, Method::GET, "/api/v1/tasks").await, StatusCode::OK);
    assert_eq!(
        status_of(viewer, Method::POST, "/api/v1/tasks/cancel").await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        status_of(operator, Method::POST, "/api/v1/tasks/cancel").await,
        StatusCode::ACCEPTED
    );
    assert_eq!(
        status_of(operator, Method::GET, "/api/v1/tokens").await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        status_of(operator, Method::POST, "/api/v1/system/drain").await,
        StatusCode::FORBIDDEN
    );
    let id = tokens[0].1.as_str().expect("has an id");
    let revoke = served
        .ask(Method::DELETE, &format!("/api/v1/tokens/{id}"))
        .send()
        .await
        .expect("answers");
    assert_eq!(revoke.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        status_of(viewer, Method::GET, "/api/v1/tasks").await,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn lists_page_to_their_end_without_repeating() {
    let served = Served::new().await;
    served.apply(NOOP).await;
    let mut started = Vec::new();
    for number in 0..7 {
        started.push(served.start(&format!("in/{number}.mp4")).await);
    }
    started.reverse();
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = served.get(&format!("/api/v1/tasks?limit=3{cursor}")).await;
        for item in page["items"].as_array().expect("a list") {
            seen.push(item["id"].as_str().expect("has an id").to_owned());
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, started, "newest first");
    let found = served.get("/api/v1/tasks?text=in/4&status=Init&workflow=noop").await;
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        served.get("/api/v1/tasks?text=%25").await["items"],
        json!([]),
        "a percent sign is no wildcard"
    );
    for (query, code) in [
        ("limit=0", "BadLimit"),
        ("limit=501", "BadLimit"),
        ("cursor=zzz", "BadCursor"),
        ("status=Done", "BadStatus"),
        ("colour=red", "BadQuery"),
    ] {
        let request = served.ask(Method::GET, &format!("/api/v1/tasks?{query}"));
        let (status, body) = problem(request.send().await.expect("answers")).await;
        assert_eq!(
            (status, &body["code"]),
            (StatusCode::BAD_REQUEST, &json!(code)),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_task_starts_once_for_a_key_and_only_when_it_can_run() {
    let served = Served::new().await;
    served.apply(NOOP).await;
    served.object("in/a.mp4", b"1234");
    served.object("out/b.mp4", b"12");
    let body = json!({ "workflow": "noop", "object": "ingest:in/a.mp4", "user_data": { "shot": 7 }, "priority": 3 });
    let keyed = |key: &str, body: &Value| {
        served
            .ask(Method::POST, "/api/v1/tasks")
            .header("idempotency-key", key)
            .json(body)
            .send()
    };
    let first = keyed("k1", &body).await.expect("answers");
    assert_eq!(first.status(), StatusCode::CREATED);
    let first: Value = first.json().await.expect("is JSON");
    assert_eq!(
        (&first["user_data"], &first["media"]["size_bytes"]),
        (&json!("{\"shot\":7}"), &json!(4))
    );
    let again = keyed("k1", &body).await.expect("answers");
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(again.json::<Value>().await.expect("is JSON")["id"], first["id"]);
    let other = json!({ "workflow": "noop", "object": "ingest:in/a.mp4" });
    let (status, reused) = problem(keyed("k1", &other).await.expect("answers")).await;
    assert_eq!(
        (status, &reused["code"]),
        (StatusCode::CONFLICT, &json!("IdempotencyKeyReused"))
    );
    assert_eq!(
        keyed("k2", &other).await.expect("answers").status(),
        StatusCode::CREATED
    );
    for (body, code) in [
        (
            json!({ "workflow": "noop", "object": "ingest:in/none.mp4" }),
            "ObjectNotFound",
        ),
        (json!({ "workflow": "noop", "object": "in/a.mp4" }), "BadObject"),
        (
            json!({ "workflow": "noop", "object": "ingest:out/b.mp4" }),
            "ObjectNotTaken",
        ),
        (
            json!({ "workflow": "noop", "object": "elsewhere:in/a.mp4", "skip_path_check": true }),
            "UnknownStorage",
        ),
        (
            json!({ "workflow": "noop", "object": "ingest:in/a.mp4", "priority": 11 }),
            "BadPriority",
        ),
        (json!({ "workflow": "none", "object": "ingest:in/a.mp4" }), "NotFound"),
        (
            json!({ "workflow": "noop", "object": "ingest:in/a.mp4", "prioriti": 1 }),
            "BadBody",
        ),
        (
            json!({ "workflow": "noop", "object": "ingest:in/../in/a.mp4" }),
            "InvalidKey",
        ),
    ] {
        let (status, answer) = served.post("/api/v1/tasks", body.clone()).await;
        assert!(status.is_client_error(), "{body}: {status} {answer}");
        if code != "InvalidKey" {
            assert_eq!(answer["code"], code, "{body}");
        }
    }
    let skipped = json!({ "workflow": "noop", "object": "ingest:out/b.mp4", "skip_path_check": true });
    assert_eq!(served.post("/api/v1/tasks", skipped).await.0, StatusCode::CREATED);
    served.post("/api/v1/workflows/noop/disable", json!({})).await;
    let (status, answer) = served.post("/api/v1/tasks", other).await;
    assert_eq!(
        (status, &answer["code"]),
        (StatusCode::CONFLICT, &json!("WorkflowDisabled"))
    );
}

#[tokio::test]
async fn a_task_shows_everything_of_it_and_takes_wishes() {
    let served = Served::new().await;
    served.apply(NOOP).await;
    let id = served.start("in/a.mp4").await;
    let task = served.get(&format!("/api/v1/tasks/{id}")).await;
    assert_eq!(task["activities"][0]["id"], "one");
    let job = task["jobs"][0]["id"].as_str().expect("has a job").to_owned();
    served.playing.0.lock().expect("not poisoned").push(Live {
        task: TaskId::from(id.as_str()),
        job: JobId::from(job.as_str()),
        percent: 12.5,
        frames: 3,
        fps: 1.0,
        speed: 2.0,
        eta_s: None,
    });
    assert_eq!(
        served.get(&format!("/api/v1/jobs/{job}")).await["progress"]["percent"],
        12.5
    );
    let (status, asked) = served.post(&format!("/api/v1/tasks/{id}/cancel"), json!({})).await;
    assert_eq!((status, &asked["intent"]), (StatusCode::ACCEPTED, &json!("cancel")));
    let (status, refused) = served.post(&format!("/api/v1/tasks/{id}/retry"), json!({})).await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::CONFLICT, &json!("IllegalChange"))
    );
    let done = served.start("in/b.mp4").await;
    served.carry_out(&done).await;
    let shown = served.get(&format!("/api/v1/tasks/{done}")).await;
    assert_eq!(shown["status"], "Succeed");
    assert_eq!(shown["events"][0]["type"], "WorkflowTaskComplete");
    let third = served.start("in/c.mp4").await;
    let (_, many) = served.post("/api/v1/tasks/cancel", json!({ "text": "in/" })).await;
    assert_eq!(many["tasks"], 2, "what has ended is not asked");
    assert_eq!(served.get(&format!("/api/v1/tasks/{third}")).await["intent"], "cancel");
    let missing = served
        .ask(Method::GET, "/api/v1/tasks/0123")
        .send()
        .await
        .expect("answers");
    assert_eq!(problem(missing).await.0, StatusCode::NOT_FOUND);
}

/// Reads a stream until it told the end of so many tasks; every event it told.
async fn events_until(mut response: Response, ends: usize) -> Vec<(i64, Value)> {
    let mut text = String::new();
    loop {
        let found: Vec<(i64, Value)> = text
            .split("\n\n")
            .filter(|block| block.contains("event: event"))
            .filter_map(|block| {
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
                Some((
                    field("id: ")?.parse().ok()?,
                    serde_json::from_str(field("data: ")?).ok()?,
                ))
            })
            .collect();
        if found
            .iter()
            .filter(|(_, event)| event["type"] == "WorkflowTaskComplete")
            .count()
            >= ends
        {
            return found;
        }
        let chunk = response.chunk().await.expect("goes on").expect("is open");
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
}

#[tokio::test]
async fn a_stream_resumes_where_it_was_left() {
    let served = Served::new().await;
    served.apply(NOOP).await;
    let open = |last: Option<i64>| {
        let mut request = served.ask(Method::GET, "/api/v1/events/stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        async move { request.send().await.expect("answers") }
    };
    let live = open(None).await;
    assert_eq!(live.headers()["content-type"], "text/event-stream");
    let first = served.start("in/a.mp4").await;
    served.carry_out(&first).await;
    let seen = events_until(live, 1).await;
    let second = served.start("in/b.mp4").await;
    served.carry_out(&second).await;
    let all = events_until(open(Some(0)).await, 2).await;
    assert_eq!(all[..seen.len()], seen[..]);
    let last = seen.last().expect("one came").0;
    let missed = events_until(open(Some(last)).await, 1).await;
    assert!(
        missed
            .iter()
            .all(|(seq, event)| *seq > last && event["task"] == second.as_str())
    );
    let listed = served.get("/api/v1/events?limit=1").await;
    assert_eq!(listed["items"][0]["task"], second.as_str(), "newest first");
    let request = served
        .ask(Method::GET, "/api/v1/events/stream")
        .header("last-event-id", "x");
    assert_eq!(
        problem(request.send().await.expect("answers")).await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn links_give_ranges_of_their_object_and_nothing_else() {
    let served = Served::new().await;
    served.object("in/a b.mp4", b"0123456789");
    served.object("in/page.html", b"<script>alert(1)</script>");
    std::fs::write(served.folder.path().join("secret.txt"), "no").expect("written");
    std::os::unix::fs::symlink(served.folder.path(), served.folder.path().join("ingest/up")).expect("linked");
    let later = UtcMs::now().plus_ms(60_000);
    let link = |key: &str| {
        format!(
            "{}{}",
            served.url,
            served.state.signer.object_path(&ObjectUri::new("ingest", key), later)
        )
    };
    let get = |url: String| served.http.get(url).send();
    let whole = get(link("in/a b.mp4")).await.expect("answers");
    assert_eq!(whole.status(), StatusCode::OK);
    let headers = whole.headers().clone();
    assert_eq!(headers["content-type"], "video/mp4");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(
        headers["content-security-policy"]
            .to_str()
            .expect("text")
            .contains("sandbox")
    );
    assert!(
        headers["content-disposition"]
            .to_str()
            .expect("text")
            .starts_with("inline")
    );
    assert_eq!(whole.text().await.expect("is text"), "0123456789");
    let range = |range: &'static str| {
        let request = served.http.get(link("in/a b.mp4")).header("range", range);
        async move { request.send().await.expect("answers") }
    };
    let part = range("bytes=2-4").await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()["content-range"], "bytes 2-4/10");
    assert_eq!(part.text().await.expect("is text"), "234");
    assert_eq!(range("bytes=-3").await.text().await.expect("is text"), "789");
    let outside = range("bytes=10-").await;
    assert_eq!(outside.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(outside.headers()["content-range"], "bytes */10");
    let fresh = served
        .http
        .get(link("in/a b.mp4"))
        .header("if-none-match", headers["etag"].clone());
    assert_eq!(fresh.send().await.expect("answers").status(), StatusCode::NOT_MODIFIED);
    let head = served.http.head(link("in/a b.mp4")).send().await.expect("answers");
    assert_eq!(head.headers()["content-length"], "10");
    let page = get(link("in/page.html")).await.expect("answers");
    assert_eq!(page.headers()["content-type"], "application/octet-stream");
    assert!(
        page.headers()["content-disposition"]
            .to_str()
            .expect("text")
            .starts_with("attachment")
    );
    // Even a key that was signed cannot leave the storage.
    for key in [
        "../secret.txt",
        "in/../../secret.txt",
        "up/secret.txt",
        "up/admin.token",
        "in",
    ] {
        let response = get(link(key)).await.expect("answers");
        assert!(response.status().is_client_error(), "{key}: {}", response.status());
    }
    let old = served
        .state
        .signer
        .object_path(&ObjectUri::new("ingest", "in/a b.mp4"), UtcMs(1_000));
    let (status, body) = problem(get(format!("{}{old}", served.url)).await.expect("answers")).await;
    assert_eq!((status, &body["code"]), (StatusCode::FORBIDDEN, &json!("LinkExpired")));
}

#[tokio::test]
async fn a_set_link_opens_the_whole_tree_by_relative_addresses() {
    let served = Served::new().await;
    served.object("clip/hls.m3u8", b"#EXTM3U\nhls/720p/index.m3u8\n");
    served.object("clip/hls/720p/index.m3u8", b"#EXTM3U\nseg-00001.m4s\n");
    served.object("clip/hls/720p/seg-00001.m4s", b"segment");
    served.object("clip/1080p.mp4", b"other output");
    let main = ObjectUri::new("ingest", "clip/hls.m3u8");
    let path = served
        .state
        .signer
        .set_path(&main, false, UtcMs::now().plus_ms(60_000))
        .expect("has a stem");
    let mut at = reqwest::Url::parse(&format!("{}{path}", served.url)).expect("an address");
    for expected in [
        "application/vnd.apple.mpegurl",
        "application/vnd.apple.mpegurl",
        "video/iso.segment",
    ] {
        let response = served.http.get(at.clone()).send().await.expect("answers");
        assert_eq!(response.status(), StatusCode::OK, "{at}");
        assert_eq!(response.headers()["content-type"], expected);
        let text = response.text().await.expect("is text");
        if let Some(next) = text.lines().nth(1) {
            at = at.join(next).expect("relative");
        }
    }
    let beside = reqwest::Url::parse(&format!("{}{path}", served.url))
        .expect("an address")
        .join("1080p.mp4")
        .expect("relative");
    assert_eq!(
        served.http.get(beside).send().await.expect("answers").status(),
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn workflows_are_changed_by_their_rules() {
    let served = Served::new().await;
    let made = served.apply(NOOP).await;
    assert_eq!(
        (&made["version"], &made["origin"], &made["enabled"]),
        (&json!(1), &json!("api"), &json!(true))
    );
    assert_eq!(served.apply(NOOP).await["version"], 1, "the same again is nothing new");
    let send = |method: Method, path: &str, body: String| {
        let request = served
            .ask(method, path)
            .header("content-type", "application/toml")
            .body(body);
        async move { request.send().await.expect("answers") }
    };
    let edited = format!("{NOOP}[[activity]]\nid = \"two\"\ntype = \"noop\"\nneeds = [\"one\"]\n");
    let (status, body) = problem(send(Method::POST, "/api/v1/workflows", edited.clone()).await).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::CONFLICT, &json!("WorkflowEnabled"))
    );
    let refused = served
        .ask(Method::DELETE, "/api/v1/workflows/noop")
        .send()
        .await
        .expect("answers");
    assert_eq!(problem(refused).await.1["code"], "WorkflowEnabled");
    served.post("/api/v1/workflows/noop/disable", json!({})).await;
    let put = send(Method::PUT, "/api/v1/workflows/noop", edited).await;
    assert_eq!(put.json::<Value>().await.expect("is JSON")["version"], 2);
    let (status, copied) = served
        .post("/api/v1/workflows/noop/copy", json!({ "name": "noop2" }))
        .await;
    assert_eq!((status, &copied["enabled"]), (StatusCode::CREATED, &json!(false)));
    let cut = served
        .ask(Method::DELETE, "/api/v1/workflows/noop2/activities/two")
        .send()
        .await
        .expect("answers");
    let cut: Value = cut.json().await.expect("is JSON");
    assert_eq!(cut["resolved"]["activities"].as_array().map(Vec::len), Some(1), "{cut}");
    assert_eq!(
        served.get("/api/v1/workflows?name=OOP2").await["items"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    let first = served.get("/api/v1/workflows?limit=1").await;
    let next = first["next"].as_str().expect("there is another");
    let second = served.get(&format!("/api/v1/workflows?limit=1&cursor={next}")).await;
    assert_eq!(
        (&first["items"][0]["name"], &second["items"][0]["name"]),
        (&json!("noop2"), &json!("noop"))
    );
    for (bad, word) in [
        (NOOP.replace("ingest", "elsewhere"), "elsewhere"),
        (NOOP.replace("type = \"noop\"", "type = \"nooop\""), "one"),
        (NOOP.replace("id = \"one\"", "id = \"one\"\nneeds = [\"one\"]"), "one"),
        (NOOP.replace("[source]", "colour = \"red\"\n[source]"), "colour"),
    ] {
        let (status, body) = problem(send(Method::POST, "/api/v1/workflows", bad).await).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(body["detail"].as_str().expect("text").contains(word), "{body}");
    }
    let gone = served
        .ask(Method::DELETE, "/api/v1/workflows/noop2")
        .send()
        .await
        .expect("answers");
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn the_rest_answers_in_shape() {
    let served = Served::new().await;
    served.apply(NOOP).await;
    let id = served.start("in/a.mp4").await;
    served.carry_out(&id).await;
    let media = served.get(&format!("/api/v1/tasks/{id}")).await["media"]["id"].clone();
    let media = media.as_str().expect("has an id");
    assert_eq!(
        served.get(&format!("/api/v1/media/{media}")).await["tasks"][0]["id"],
        id.as_str()
    );
    let urls = served.get(&format!("/api/v1/media/{media}/urls?expires_s=60")).await;
    let url = urls["items"][0]["url"].as_str().expect("a link");
    let bytes = served
        .http
        .get(url)
        .send()
        .await
        .expect("answers")
        .text()
        .await
        .expect("is text");
    assert_eq!(bytes, "not looked at");
    for list in [
        "media",
        "templates",
        "events",
        "deliveries",
        "storages",
        "tokens",
        "workflows",
    ] {
        let page = served.get(&format!("/api/v1/{list}")).await;
        for item in page["items"].as_array().expect("a list") {
            assert!(item["id"].is_string(), "{list}: {item}");
        }
        assert!(page.get("next").is_some(), "{list}");
    }
    let explained = served.get("/api/v1/storages/ingest/explain?key=in/a.mp4").await;
    assert_eq!(
        (&explained["state"], &explained["tasks"][0]),
        (&json!("unseen"), &json!(id))
    );
    assert_eq!(
        served.post("/api/v1/storages/ingest/scan", json!({})).await.0,
        StatusCode::ACCEPTED
    );
    let (_, drained) = served.post("/api/v1/system/drain", json!({ "on": true })).await;
    assert_eq!(drained["draining"], true, "{drained}");
    let metrics = served
        .ask(Method::GET, "/metrics")
        .send()
        .await
        .expect("answers")
        .text()
        .await
        .expect("is text");
    assert!(
        metrics.contains("reelmill_draining 1")
            && metrics.contains("reelmill_storage_unavailable{storage=\"ingest\"} 0")
    );
    let file = served.folder.path().join("copy.db");
    let (status, made) = served.post("/api/v1/system/backup", json!({ "file": file })).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert!(Store::open(&file).is_ok(), "the copy is a whole database");
    let large = "x".repeat(2 << 20);
    let refused = served
        .ask(Method::POST, "/api/v1/tasks")
        .json(&json!({ "workflow": large }))
        .send()
        .await
        .expect("answers");
    assert_eq!(problem(refused).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}
