//! One engine on a temporary directory: a database, two folder storages, a scheduler that can be stopped and begun again.

use crate::hand::Hand;
use crate::hand::Mood;
use reelmill::base::clock::UtcMs;
use reelmill::base::ids::TaskId;
use reelmill::base::progress_board::ProgressBoard;
use reelmill::base::wake::Bells;
use reelmill::events::Event;
use reelmill::events::TriggerSource;
use reelmill::executor::local::LocalExecutor;
use reelmill::executor::local::LocalExecutorOptions;
use reelmill::media::spec::Backend;
use reelmill::objects::uri::ObjectUri;
use reelmill::scheduler::Scheduler;
use reelmill::scheduler::SchedulerOptions;
use reelmill::scheduler::capacity::Capacity;
use reelmill::scheduler::retry::RetryPolicy;
use reelmill::scheduler::room::Limit;
use reelmill::store::Store;
use reelmill::store::jobs::JobRow;
use reelmill::store::media::Source;
use reelmill::store::tasks::Overrides;
use reelmill::store::tasks::StartTask;
use reelmill::store::tasks::TaskRow;
use reelmill::store::workflows::Origin;
use reelmill::store::workflows::SaveWorkflow;
use reelmill::workflow::resolved::Activity;
use reelmill::workflow::resolved::ActivityKind;
use reelmill::workflow::resolved::AfterRule;
use reelmill::workflow::resolved::CallbackRule;
use reelmill::workflow::resolved::OnConflict;
use reelmill::workflow::resolved::OutputRule;
use reelmill::workflow::resolved::ResolvedWorkflow;
use reelmill::workflow::resolved::SourceRule;
use reelmill::workflow::resolved::SuccessRule;
use reelmill::workflow::resolved::When;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longest wait for something that must come. Only a hang meets it.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct House {
    pub root: PathBuf,
    _temp: Option<tempfile::TempDir>,
    pub store: Store,
    pub hand: Arc<Hand>,
    pub bells: Bells,
    running: Option<(JoinHandle<()>, CancellationToken)>,
}

impl House {
    /// A new one; its scheduler does not run yet.
    pub fn new() -> Self {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let root = temp.path().to_owned();
        House {
            _temp: Some(temp),
            ..House::at(&root)
        }
    }

    /// A new one whose only task, of workflow `w` over one film, hangs in its worker; and the task.
    pub async fn hanging() -> (Self, TaskId) {
        let mut house = House::new();
        house.hand.feels(&[Mood::Hang]);
        let task = house.begun().await;
        house.hand.hanging.acquire().await.expect("open").forget();
        (house, task)
    }

    /// A new one whose only task, of workflow `w` over one film, is ready to publish and may not yet; and the task.
    pub async fn publishing() -> (Self, TaskId) {
        let mut house = House::new();
        house.hand.may_publish.forget_permits(usize::MAX);
        let task = house.begun().await;
        house.hand.asked_to_publish.acquire().await.expect("open").forget();
        (house, task)
    }

    async fn begun(&mut self) -> TaskId {
        self.save(ladder("w")).await;
        let task = self.start("w", self.file("clip.mov", "a film")).await;
        self.run();
        task
    }

    /// The one at `root`, made or found.
    pub fn at(root: &Path) -> Self {
        for folder in ["ingest", "out", "scratch"] {
            std::fs::create_dir_all(root.join(folder)).expect("folders can be made");
        }
        House {
            root: root.to_owned(),
            _temp: None,
            store: Store::open(&root.join("reelmill.db")).expect("the database opens"),
            hand: Arc::new(Hand::new(executor(root))),
            bells: Bells::default(),
            running: None,
        }
    }

    /// The same place after its process died: nothing is told to anyone, the store is merely opened again.
    pub async fn die_and_return(mut self) -> Self {
        if let Some((task, _)) = self.running.take() {
            task.abort();
            let _ = task.await;
        }
        let (root, temp) = (self.root.clone(), self._temp.take());
        self.store.close().await;
        drop(self);
        House {
            _temp: temp,
            ..House::at(&root)
        }
    }

    pub fn run(&mut self) {
        self.run_within(None);
    }

    /// The same with so much scratch.
    pub fn run_within(&mut self, scratch: Option<Limit>) -> ProgressBoard {
        let options = SchedulerOptions {
            scratch,
            capacity: Capacity {
                threads: 4,
                attempts: 2,
                memory_bytes: 64 << 30,
            },
            retry: RetryPolicy {
                tries: 5,
                first_ms: 40,
                ceiling_ms: 40,
            },
            grace: Duration::ZERO,
            ..SchedulerOptions::default()
        };
        let executor = Arc::clone(&self.hand) as Arc<dyn reelmill::executor::Executor>;
        let scheduler = Scheduler::new(options, self.store.clone(), executor, self.bells.clone());
        let board = scheduler.board();
        let stop = CancellationToken::new();
        let token = stop.clone();
        self.running = Some((tokio::spawn(scheduler.run(token)), stop));
        board
    }

    pub async fn stop(&mut self) {
        if let Some((task, stop)) = self.running.take() {
            stop.cancel();
            task.await.expect("the scheduler ends well");
        }
    }

    pub async fn save(&self, workflow: ResolvedWorkflow) {
        let save = SaveWorkflow {
            origin: Origin::Api,
            definition: String::new(),
            resolved: workflow,
            enabled_first: true,
        };
        self.store
            .save_workflow(save, UtcMs::now())
            .await
            .expect("it can be saved");
    }

    /// A file in `ingest`, as a source.
    pub fn file(&self, key: &str, content: &str) -> Source {
        use std::os::unix::fs::MetadataExt;
        let path = self.root.join("ingest").join(key);
        std::fs::write(&path, content).expect("ingest can be written");
        let metadata = std::fs::metadata(&path).expect("it is there");
        Source {
            object: ObjectUri::new("ingest", key),
            size_bytes: metadata.len(),
            mtime_ns: metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec(),
            etag: String::new(),
        }
    }

    pub async fn start(&self, workflow: &str, source: Source) -> TaskId {
        let start = StartTask {
            workflow: workflow.to_owned(),
            source,
            trigger: TriggerSource::Api,
            user_data: None,
            priority: 0,
            overrides: Overrides::default(),
            idempotency_key: None,
        };
        let started = self
            .store
            .start_task(start, UtcMs::now())
            .await
            .expect("it can be started");
        self.bells.scheduler.ring();
        started.task
    }

    pub async fn ended(&self, task: &TaskId) -> TaskRow {
        let waiting = async {
            loop {
                let row = self.store.task(task).await.expect("the task is there");
                if row.status.ended() && row.intent.is_none() {
                    return row;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(row) => row,
            Err(_) => panic!("the task never ended: {:#?}", self.store.jobs_of_task(task).await),
        }
    }

    pub async fn job(&self, task: &TaskId, activity: &str) -> JobRow {
        let jobs = self.store.jobs_of_task(task).await.expect("the jobs are there");
        jobs.into_iter()
            .find(|job| job.activity == activity)
            .expect("it is one of them")
    }

    /// Status words of the jobs, in the order of the activities.
    pub async fn statuses(&self, task: &TaskId) -> Vec<&'static str> {
        let jobs = self.store.jobs_of_task(task).await.expect("the jobs are there");
        jobs.iter().map(|job| job.status.as_str()).collect()
    }

    /// Every event of a task, in the order of commit.
    pub fn events(&self, task: &TaskId) -> Vec<Event> {
        let rows = self.rows("select body from events where task_id = ?1 order by seq", task.as_str());
        rows.iter()
            .map(|body| serde_json::from_str(body).expect("an event"))
            .collect()
    }

    /// Names of the events of a task.
    pub fn told(&self, task: &TaskId) -> Vec<&'static str> {
        self.events(task)
            .iter()
            .map(|event| event.event_type().as_str())
            .collect()
    }

    /// First column of a query with one parameter, past the store.
    pub fn rows(&self, sql: &str, parameter: &str) -> Vec<String> {
        let database = self.database();
        let mut statement = database.prepare(sql).expect("good SQL");
        let rows = statement.query_map([parameter], |row| row.get(0)).expect("it runs");
        rows.collect::<Result<_, _>>().expect("text")
    }

    /// A connection of one's own.
    pub fn database(&self) -> rusqlite::Connection {
        let database = rusqlite::Connection::open(self.root.join("reelmill.db")).expect("it opens");
        database.busy_timeout(PATIENCE).expect("a timeout");
        database
    }

    /// Everything in a storage, relative, sorted.
    pub fn tree(&self, storage: &str) -> Vec<String> {
        let top = self.root.join(storage);
        let mut names: Vec<String> = walkdir::WalkDir::new(&top)
            .into_iter()
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| entry.path().strip_prefix(&top).expect("beneath").display().to_string())
            .collect();
        names.sort();
        names
    }
}

fn executor(root: &Path) -> LocalExecutor {
    let options = LocalExecutorOptions::new(root.join("scratch"))
        .with_folder("ingest", root.join("ingest"))
        .with_folder("out", root.join("out"));
    LocalExecutor::new(options)
}

/// A workflow from `ingest` to `out`.
pub fn workflow(name: &str, activities: Vec<Activity>) -> ResolvedWorkflow {
    ResolvedWorkflow {
        name: name.to_owned(),
        description: String::new(),
        source: SourceRule {
            storage: Some("ingest".to_owned()),
            library: false,
            prefix: String::new(),
            automatic: true,
            extensions: vec!["mov".to_owned()],
            process_existing: false,
            after: AfterRule::Keep,
        },
        output: OutputRule {
            storage: Some("out".to_owned()),
            prefix: None,
            path: "{FileName}/{Name}{Ext}".to_owned(),
            on_conflict: OnConflict::Version,
        },
        callback: CallbackRule {
            unified: true,
            ..CallbackRule::default()
        },
        success: SuccessRule::All,
        activities,
    }
}

pub fn activity(id: &str, kind: ActivityKind, needs: &[&str], when: When) -> Activity {
    let work = match kind {
        ActivityKind::Noop => None,
        ActivityKind::Analysis => Some(serde_json::json!({ "kind": "analysis" })),
        ActivityKind::Transcode => Some(serde_json::json!({ "kind": "transcode", "spec": { "group": [
            { "name": "MP4", "kind": "file", "output": [
                { "name": format!("{id}-720p"), "video": { "codec": "h264", "height": 720 } },
                { "name": format!("{id}-360p"), "video": { "codec": "h264", "height": 360 } },
            ] },
        ] } })),
        ActivityKind::Snapshot | ActivityKind::Cover => {
            Some(serde_json::json!({ "kind": "snapshot", "spec": { "mode": "sprite" } }))
        }
        ActivityKind::DynamicImage => Some(serde_json::json!({ "kind": "dynamic_image", "spec": {} })),
        ActivityKind::Qc => Some(serde_json::json!({ "kind": "qc", "spec": {} })),
        ActivityKind::Review
        | ActivityKind::Hook
        | ActivityKind::Moderation
        | ActivityKind::Recognition
        | ActivityKind::ContentAnalysis
        | ActivityKind::Copy => None,
    };
    Activity {
        id: id.to_owned(),
        kind,
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        when,
        optional: false,
        backend: Backend::Auto,
        deed: None,
        work: work.map(|work| serde_json::from_value(work).expect("a work")),
        template: None,
        parameters: serde_json::Value::Null,
    }
}

/// Facts, a ladder, a sprite, and a noop after the ladder.
pub fn ladder(name: &str) -> ResolvedWorkflow {
    workflow(
        name,
        vec![
            activity("facts", ActivityKind::Analysis, &[], When::Success),
            activity("ladder", ActivityKind::Transcode, &[], When::Success),
            activity("sprite", ActivityKind::Snapshot, &[], When::Success),
            activity("done", ActivityKind::Noop, &["ladder"], When::Success),
        ],
    )
}
