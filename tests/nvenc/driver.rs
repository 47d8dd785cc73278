//! A test body in a process of its own, on the stand-in driver.

use crate::standin_driver;
use crate::standin_driver::Violations;
use std::process::Command;

/// Says to a test program which of its tests it was started for.
const INSIDE: &str = "REELMILL_TEST_NVENC";

/// Runs `body` in a process whose loader finds the stand-in driver, with `faults` in its environment (without their
/// `STANDIN_`); the driver must not have seen its contract broken. `test`: path of the calling test.
pub fn on_device(test: &str, faults: &[(&str, &str)], body: impl FnOnce()) {
    if std::env::var(INSIDE).is_ok_and(|inside| inside == test) {
        return body();
    }
    let Some(driver) = standin_driver::driver() else { return };
    let room = tempfile::tempdir().expect("a temporary directory");
    let violations = Violations::in_folder(room.path());
    let mut command = Command::new(std::env::current_exe().expect("a test program"));
    driver
        .apply(&mut command, &violations)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, test)
        .envs(faults.iter().map(|(name, value)| (format!("STANDIN_{name}"), value)));
    let output = command.output().expect("started");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{test} failed on the stand-in driver:\n{text}");
    assert!(text.contains("1 passed"), "{test} names no test:\n{text}");
    violations.none();
}
