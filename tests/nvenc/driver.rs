//! A test body in a process of its own, on the stand-in driver.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Says to a test program which of its tests it was started for.
const INSIDE: &str = "REELMILL_TEST_NVENC";

/// Runs `body` in a process whose loader finds the stand-in driver, with `faults` in its environment (without their
/// `STANDIN_`); the driver must not have seen its contract violated. `test`: path of the calling test.
pub fn on_device(test: &str, faults: &[(&str, &str)], body: impl FnOnce()) {
    if std::env::var(INSIDE).is_ok_and(|inside| inside == test) {
        return body();
    }
    let room = tempfile::tempdir().expect("a temporary directory");
    let violations = room.path().join("violations");
    let mut command = Command::new(std::env::current_exe().expect("a test program"));
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, test)
        .env("LD_LIBRARY_PATH", libraries())
        .env("STANDIN_VIOLATIONS", &violations);
    for (name, value) in faults {
        command.env(format!("STANDIN_{name}"), value);
    }
    let output = command.output().expect("started");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{test} failed on the stand-in driver:\n{text}");
    assert!(text.contains("1 passed"), "{test} names no test:\n{text}");
    let broken = std::fs::read_to_string(&violations).unwrap_or_default();
    assert_eq!(broken, "", "the contract of the driver was violated");
}

/// The folder with the stand-in driver, built once.
fn libraries() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standin");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standin/build.sh");
        let status = Command::new(script).arg(&folder).status().expect("the script runs");
        assert!(status.success(), "the stand-in driver is built");
        folder
    })
}
