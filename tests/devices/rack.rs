//! A daemon over the stand-in driver, with one small workflow or two and a receiver of native events.

use crate::appliance::Appliance;
use crate::appliance::clips;
use crate::appliance::http;
use crate::appliance::receiver::Receiver;
use serde_json::Value;
use serde_json::json;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Where the stand-in driver lies, built once.
fn driver() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standin");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standin/build.sh");
        let built = Command::new(script).arg(&folder).status().expect("the script runs");
        assert!(built.success(), "the stand-in driver is built");
        folder
    })
}

/// 1 s of 256x144: a device that is no device takes its time.
fn clip() -> PathBuf {
    let generator = ["-f", "lavfi", "-i", "testsrc2=size=256x144:rate=25:duration=1"];
    let encoder = [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-g",
        "25",
    ];
    clips::made("tiny-256x144.mp4", &[&generator[..], &encoder].concat())
}

pub struct Rack {
    pub appliance: Appliance,
    receiver: Receiver,
}

impl Rack {
    /// `gpu`: lines of `[capacity.gpu]`; `environment`: how the stand-in driver behaves.
    pub fn new(gpu: &str, environment: &[(&str, &str)]) -> Self {
        let mut rack = Rack::without_driver_but(gpu);
        let driver = driver().display().to_string();
        rack.appliance.set_variable("LD_LIBRARY_PATH", &driver);
        let violations = rack.appliance.path("violations").display().to_string();
        rack.appliance.set_variable("STANDIN_VIOLATIONS", &violations);
        for (name, value) in environment {
            rack.appliance.set_variable(name, value);
        }
        rack
    }

    /// The same with a driver that lacks NVML.
    pub fn without_nvml() -> Self {
        let mut rack = Rack::new("", &[]);
        let folder = rack.appliance.path("driver");
        std::fs::create_dir(&folder).expect("a fresh folder");
        // A caged worker can read the folder that it is told of, and not where links out of it lead.
        std::fs::copy(driver().join("libcuda.so.1"), folder.join("libcuda.so.1")).expect("copied");
        for name in ["libcuda.so", "libnvcuvid.so.1", "libnvidia-encode.so.1"] {
            std::os::unix::fs::symlink("libcuda.so.1", folder.join(name)).expect("a link");
        }
        rack.appliance
            .set_variable("LD_LIBRARY_PATH", &folder.display().to_string());
        rack
    }

    /// The same on a host without any driver.
    pub fn without_driver() -> Self {
        Rack::without_driver_but("")
    }

    fn without_driver_but(gpu: &str) -> Self {
        let receiver = Receiver::start();
        let extra = format!(
            "[callback]\nurl = \"{url}\"\nprofile = \"native\"\n\n[alerts]\ncheck_interval_s = 0.2\ndisk_low_bytes = 0\n\n\
             [capacity]\nthreads = 4\n\n[capacity.gpu]\n{gpu}\n\n\
             [[destination]]\nname = \"watcher\"\nurl = \"{url}\"\nprofile = \"native\"\n\
             events = [\"AlertRaised\", \"AlertCleared\"]\n",
            url = receiver.url()
        );
        Rack {
            appliance: Appliance::new(&extra),
            receiver,
        }
    }

    /// Writes the workflow of that name and backend: one rung over whatever arrives.
    pub fn workflow(&self, backend: &str) {
        let text = format!(
            r#"
name = "{backend}"
[source]
storage = "ingest"
[output]
storage = "renditions"
path = "{backend}/{{ObjectPrefix}}{{FileName}}/{{Name}}{{Ext}}"
[[activity]]
id = "ladder"
type = "transcode"
backend = "{backend}"
[[activity.group]]
kind = "file"
container = "mp4"
[[activity.group.output]]
name = "144p"
video = {{ codec = "h264", height = 144, preset = "ultrafast", rate = "cbr", bitrate_kbps = 200 }}
"#
        );
        self.appliance.workflow_file(backend, &text);
    }

    /// Starts the daemon and waits until it takes what arrives for new.
    pub fn begin(&mut self) {
        self.appliance.start();
        self.appliance.until("the first scan", || {
            self.appliance.log().contains("the first scan ended").then_some(())
        });
    }

    /// The same, and until it knows its devices.
    pub fn start(&mut self) {
        self.begin();
        self.appliance.until("the devices to be looked at", || {
            self.system()["looked_at"].as_str().map(str::to_owned)
        });
    }

    pub fn deliver(&self, name: &str) {
        self.appliance.deliver(&clip(), name);
    }

    pub fn drain(&self, on: bool) {
        let reply = self.appliance.post("/api/v1/system/drain", &json!({ "on": on }));
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// Asks for a look and waits for its answer; when it came.
    pub fn look(&self) -> String {
        // Times are told in whole seconds: two looks in one could not be told apart.
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        let before = self.system()["looked_at"].clone();
        let reply = self.appliance.post("/api/v1/system/devices/look", &json!({}));
        assert_eq!(reply.status, 202, "{}", reply.text());
        self.appliance.until("the look", || {
            let now = self.system()["looked_at"].clone();
            (now != before).then(|| now.as_str().unwrap_or_default().to_owned())
        })
    }

    /// What `/api/v1/system` says of the devices.
    pub fn system(&self) -> Value {
        self.appliance.get("/api/v1/system")["gpu"].clone()
    }

    pub fn metrics(&self) -> String {
        let token = self.appliance.token();
        let reply = http::get(self.appliance.port(), "/metrics", Some(&token)).expect("the daemon answers");
        reply.text().to_string()
    }

    /// The number of `/metrics` whose line begins so.
    pub fn number(&self, name: &str) -> Option<f64> {
        let metrics = self.metrics();
        let line = metrics.lines().find(|line| line.starts_with(name))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// The same with any labels.
    pub fn gauge(&self, name: &str) -> Option<f64> {
        self.number(&format!("{name}{{"))
    }

    /// The driver's complaints.
    pub fn violations(&self) -> String {
        std::fs::read_to_string(self.appliance.path("violations")).unwrap_or_default()
    }

    /// The body of the first event of that type.
    pub fn told(&self, event_type: &str) -> Value {
        self.appliance.until(event_type, || {
            let received = self.receiver.accepted();
            received
                .iter()
                .map(|one| one.json())
                .find(|body| body["type"] == event_type)
        })
    }

    /// The transcode job of a task.
    pub fn ladder(task: &Value) -> Value {
        let jobs = task["jobs"].as_array().expect("a task shows its jobs");
        let ladder = jobs.iter().find(|job| job["activity"] == "ladder");
        ladder.expect("it has a ladder").clone()
    }

    /// Where that was made, and why there.
    pub fn made(task: &Value) -> (String, Option<String>) {
        let result = Rack::ladder(task)["result"].clone();
        (
            result["backend"].as_str().unwrap_or_default().to_owned(),
            result["fallback_reason"].as_str().map(str::to_owned),
        )
    }
}
