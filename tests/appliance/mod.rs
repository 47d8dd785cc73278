//! The real binary in a temporary directory, for tests: a daemon with two folder storages, a receiver of callbacks,
//! and clips made by the system's ffmpeg.

#![allow(dead_code)] // each test file uses its part

#[path = "../backend/mod.rs"]
pub mod backend;
pub mod clips;
pub mod fault_proxy;
pub mod http;
pub mod receiver;
pub mod s3_server;
pub mod workflows;

use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

/// The binary under test.
pub const REELMILL: &str = env!("CARGO_BIN_EXE_reelmill");

/// Longest any test waits for something that must happen: generous, because the machine may be loaded.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// One daemon with its directories.
pub struct Appliance {
    root: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
    extra: String,
    environment: Vec<(String, String)>,
}

impl Appliance {
    /// Directories and configuration, not started. `extra` is appended to the configuration.
    pub fn new(extra: &str) -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        for folder in ["state", "scratch", "workflows", "hooks", "ingest", "renditions"] {
            std::fs::create_dir(root.path().join(folder)).expect("a fresh directory");
        }
        let appliance = Appliance {
            root,
            port: free_port(),
            child: None,
            extra: extra.to_owned(),
            environment: backend::driver_environment(),
        };
        appliance.write_config();
        appliance
    }

    fn write_config(&self) {
        let root = self.root.path().display();
        let port = self.port;
        let text = format!(
            "{extra_head}\n[server]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://127.0.0.1:{port}\"\n\
             state_dir = \"{root}/state\"\nscratch_dir = \"{root}/scratch\"\nworkflows_dir = \"{root}/workflows\"\n\
             hooks_dir = \"{root}/hooks\"\n\n\
             [[storage]]\nname = \"ingest\"\nkind = \"folder\"\npath = \"{root}/ingest\"\n\
             settle_looks = 2\nsettle_interval_s = 0.2\n\n\
             [[storage]]\nname = \"renditions\"\nkind = \"folder\"\npath = \"{root}/renditions\"\nwatch = \"off\"\n\n{extra}\n",
            extra_head = "",
            extra = self.extra,
        );
        std::fs::write(self.config(), text).expect("the configuration is written");
    }

    /// Path of the configuration file.
    pub fn config(&self) -> PathBuf {
        self.root.path().join("reelmill.toml")
    }

    /// A path beneath the appliance's directory.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    /// Writes a workflow file that the next start loads.
    pub fn workflow_file(&self, name: &str, text: &str) {
        let text = backend::in_workflow(text);
        std::fs::write(self.path("workflows").join(format!("{name}.toml")), text).expect("the workflow is written");
    }

    /// Sets a variable of the next start.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Starts the daemon and waits until it is ready.
    pub fn start(&mut self) {
        assert!(self.child.is_none(), "already running");
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .expect("a log file");
        let child = Command::new(REELMILL)
            .args(["serve", "--config"])
            .arg(self.config())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        self.child = Some(child);
        let port = self.port;
        self.until("the daemon to be ready", || {
            http::get(port, "/readyz", None)
                .ok()
                .filter(|reply| reply.status == 200)
        });
    }

    /// Kills the daemon the hard way.
    pub fn kill_9(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it can be killed");
            child.wait().expect("it can be waited for");
        }
    }

    /// Asks it to stop and waits for its end.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        let mut child = self.child.take().expect("it runs");
        signal(child.id(), "TERM");
        let begin = Instant::now();
        loop {
            if let Some(status) = child.try_wait().expect("it can be waited for") {
                return status;
            }
            if begin.elapsed() > PATIENCE {
                let _ = child.kill();
                panic!("the daemon did not stop within {PATIENCE:?}\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Process id of the daemon.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Whether the daemon still runs.
    pub fn is_running(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| child.try_wait().ok().flatten().is_none())
    }

    /// Everything it printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The admin token of the first start.
    pub fn token(&self) -> String {
        std::fs::read_to_string(self.path("state/admin.token"))
            .expect("the token was written")
            .trim()
            .to_owned()
    }

    /// GET as admin; the body must be JSON.
    pub fn get(&self, path: &str) -> Value {
        let reply = http::get(self.port, path, Some(&self.token())).expect("the daemon answers");
        assert_eq!(reply.status, 200, "GET {path}: {}", reply.text());
        reply.json()
    }

    /// POST as admin.
    pub fn post(&self, path: &str, body: &Value) -> http::Reply {
        http::post(self.port, path, Some(&self.token()), body).expect("the daemon answers")
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs a command of the same binary against this daemon.
    pub fn cli(&self, args: &[&str]) -> Output {
        Command::new(REELMILL)
            .args(args)
            .env("REELMILL_TOKEN", self.token())
            .env("REELMILL_SERVER", format!("http://127.0.0.1:{}", self.port))
            .stdin(Stdio::null())
            .output()
            .expect("the binary starts")
    }

    /// Copies a file in beside the watched folder and moves it in, as careful senders do.
    pub fn deliver(&self, source: &Path, key: &str) {
        let target = self.path("ingest").join(key);
        std::fs::create_dir_all(target.parent().expect("a folder")).expect("the folder is made");
        let beside = self.path("delivery.tmp");
        std::fs::copy(source, &beside).expect("the clip is copied");
        std::fs::rename(&beside, &target).expect("the clip is moved in");
    }

    /// All tasks, newest first.
    pub fn tasks(&self) -> Vec<Value> {
        self.get("/api/v1/tasks?limit=500")["items"]
            .as_array()
            .expect("a list")
            .clone()
    }

    /// Waits until exactly `count` tasks exist and all have ended; returns them in full, newest first.
    pub fn ended_tasks(&self, count: usize) -> Vec<Value> {
        self.until(&format!("{count} tasks to end"), || {
            let tasks = self.tasks();
            assert!(tasks.len() <= count, "more tasks than expected: {tasks:#?}");
            let ended = |task: &Value| matches!(task["status"].as_str(), Some("Succeed" | "Failed" | "Canceled"));
            (tasks.len() == count && tasks.iter().all(ended)).then_some(tasks)
        })
        .iter()
        .map(|task| self.get(&format!("/api/v1/tasks/{}", task["id"].as_str().expect("an id"))))
        .collect()
    }

    /// Waits for something that must happen; on failure shows the daemon's log.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "waited {PATIENCE:?} for {what}\n--- log\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Every file beneath a folder, relative, sorted; hidden ones too.
    pub fn files(&self, folder: &str) -> Vec<String> {
        files_beneath(&self.path(folder))
    }
}

impl Drop for Appliance {
    fn drop(&mut self) {
        self.kill_9();
    }
}

/// Every file beneath a folder, relative to it, sorted.
pub fn files_beneath(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path.strip_prefix(root).expect("beneath").to_string_lossy().into_owned());
            }
        }
    }
    files.sort();
    files
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    // Below those that outgoing connections take: a port that is let go for a moment is not taken by one of them.
    let mut seed = std::process::id() ^ std::time::UNIX_EPOCH.elapsed().expect("a clock").subsec_nanos();
    loop {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let port = 10_000 + u16::try_from((seed >> 8) % 22_000).expect("small");
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Sends a signal by name.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(pid.to_string())
        .status()
        .expect("kill runs");
    assert!(status.success(), "kill -{name} {pid}");
}

/// Runs the binary without a daemon.
pub fn reelmill(args: &[&str]) -> Output {
    Command::new(REELMILL)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("the binary starts")
}

/// What a finished command printed, for messages.
pub fn said(output: &Output) -> String {
    format!(
        "exit {:?}\n--- stdout\n{}\n--- stderr\n{}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
