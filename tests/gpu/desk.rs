//! `reelmill run` on the stand-in driver: a folder to work in, what it answered, and other readers of what it made.

use crate::appliance::REELMILL;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::sync::OnceLock;

/// Where the stand-in driver lies, built once.
pub fn driver() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standin");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standin/build.sh");
        let built = Command::new(script).arg(&folder).status().expect("the script runs");
        assert!(built.success(), "the stand-in driver is built");
        folder
    })
}

/// How one run ended.
pub struct Ended {
    pub code: i32,
    pub result: Value,
    pub words: String,
    /// Where its outputs lie.
    pub out: PathBuf,
}

impl Ended {
    pub fn backend(&self) -> &str {
        self.result["backend"].as_str().unwrap_or_default()
    }

    pub fn reason(&self) -> &str {
        self.result["fallback_reason"].as_str().unwrap_or_default()
    }

    /// It succeeded, and all its proofs did.
    pub fn proved(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.words, self.result);
        let outputs = self.result["outputs"].as_array().expect("outputs are listed");
        assert!(!outputs.is_empty());
        for output in outputs {
            let checks = output["proof"]["checks"].as_array().expect("each has its proof");
            let all_held = !checks.is_empty() && checks.iter().all(|check| check["ok"] == true);
            assert!(all_held, "{output}");
        }
        self
    }

    pub fn fault_codes(&self) -> Vec<&str> {
        let errors = self.result["errors"].as_array().expect("errors are listed");
        errors.iter().filter_map(|error| error["code"].as_str()).collect()
    }

    /// Names of the checks of each output.
    pub fn checks(&self) -> BTreeMap<String, Vec<String>> {
        let of = |output: &Value| {
            let checks = output["proof"]["checks"].as_array().expect("each has its proof");
            let names = checks
                .iter()
                .filter_map(|check| check["name"].as_str().map(str::to_owned));
            let key = format!("{}/{}/{}", output["activity"], output["group"], output["name"]);
            (key, names.collect())
        };
        self.result["outputs"]
            .as_array()
            .expect("listed")
            .iter()
            .map(of)
            .collect()
    }

    pub fn warnings(&self) -> String {
        self.result["warnings"].to_string()
    }
}

/// A folder to run workflows in.
pub struct Desk {
    root: tempfile::TempDir,
    runs: std::cell::Cell<u32>,
}

impl Desk {
    pub fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(root.path().join("scratch")).expect("a fresh folder");
        Desk {
            root,
            runs: std::cell::Cell::new(0),
        }
    }

    /// Runs a workflow on the stand-in driver, which must have found nothing to complain of.
    pub fn run(&self, workflow: &str, source: &Path, backend: &str, environment: &[(&str, &str)]) -> Ended {
        let violations = self.root.path().join(format!("violations-{}", self.runs.get()));
        let mut command = self.command(workflow, source, backend);
        command
            .env("LD_LIBRARY_PATH", driver())
            .env("STANDIN_VIOLATIONS", &violations)
            .envs(environment.iter().copied());
        let ended = self.ended(&mut command);
        let found = std::fs::read_to_string(&violations).unwrap_or_default();
        assert_eq!(found, "", "the driver's contract was kept; {}", ended.words);
        ended
    }

    /// The same without any driver.
    pub fn run_without_driver(&self, workflow: &str, source: &Path, backend: &str) -> Ended {
        let mut command = self.command(workflow, source, backend);
        command.env_remove("LD_LIBRARY_PATH");
        self.ended(&mut command)
    }

    fn command(&self, workflow: &str, source: &Path, backend: &str) -> Command {
        let number = self.runs.get() + 1;
        self.runs.set(number);
        let file = self.root.path().join(format!("workflow-{number}.toml"));
        std::fs::write(&file, workflow).expect("it can be written");
        let mut command = Command::new(REELMILL);
        command
            .arg("run")
            .arg(file)
            .arg(source)
            .args(["--json", "--threads", "2", "--backend", backend, "--output"])
            .arg(self.root.path().join(format!("out-{number}")))
            .arg("--scratch")
            .arg(self.root.path().join("scratch"))
            .stdin(Stdio::null());
        command
    }

    fn ended(&self, command: &mut Command) -> Ended {
        let output = command.output().expect("the binary runs");
        let left: Vec<_> = std::fs::read_dir(self.root.path().join("scratch"))
            .expect("it is there")
            .flatten()
            .collect();
        assert!(left.is_empty(), "nothing is left in scratch: {left:?}");
        Ended {
            code: output.status.code().unwrap_or(-1),
            result: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
            words: String::from_utf8_lossy(&output.stderr).into_owned(),
            out: self.root.path().join(format!("out-{}", self.runs.get())),
        }
    }
}

/// Time stamps of all pictures, and which are key frames, as ffprobe reads them.
pub fn pictures(path: &Path) -> Vec<(String, bool)> {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-show_entries",
            "packet=pts_time,flags",
            "-of",
            "csv=p=0",
        ])
        .arg(path)
        .output()
        .expect("ffprobe runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut all: Vec<(String, bool)> = text
        .lines()
        .filter_map(|line| {
            let (pts, flags) = line.split_once(',')?;
            Some((pts.to_owned(), flags.contains('K')))
        })
        .collect();
    all.sort_by(|one, other| {
        let seconds = |text: &str| text.parse::<f64>().unwrap_or(-1.0);
        seconds(&one.0).total_cmp(&seconds(&other.0))
    });
    all
}

/// How like the pictures of two files are as they are seen (red, green and blue), dB; 100 where nothing differs.
pub fn psnr_db(one: &Path, other: &Path) -> f64 {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-i"])
        .arg(one)
        .arg("-i")
        .arg(other)
        .args([
            "-lavfi",
            "[0:v]format=gbrp[a];[1:v]format=gbrp[b];[a][b]psnr",
            "-f",
            "null",
            "-",
        ])
        .output()
        .expect("ffmpeg runs");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let average = words
        .split("average:")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    match average {
        Some("inf") => 100.0,
        Some(number) => number.parse().expect("a number"),
        None => panic!("{words}"),
    }
}
