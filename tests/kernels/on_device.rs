//! All kernels through the driver's own calls: modules, memory and launches, on the stand-in driver.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn trial(driver: Option<&Path>, violations: &Path) -> (Option<i32>, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reelmill"));
    command
        .args(["worker", "--kernel-trial", "--picture", "128x72"])
        .env("STANDIN_VIOLATIONS", violations);
    if let Some(driver) = driver {
        command.env("LD_LIBRARY_PATH", driver);
    }
    let output = command.output().expect("starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().last().unwrap_or_default();
    let answer = serde_json::from_str(line).unwrap_or_else(|_| {
        panic!("{text}{}", String::from_utf8_lossy(&output.stderr));
    });
    (output.status.code(), answer)
}

#[test]
fn every_kernel_does_on_the_stand_in_what_it_must() {
    let driver = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standin");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standin/build.sh");
    let built = Command::new(script).arg(&driver).status().expect("the script runs");
    assert!(built.success(), "the stand-in driver is built");
    let folder = tempfile::tempdir().expect("a folder");
    let violations = folder.path().join("violations");
    let (code, answer) = trial(Some(&driver), &violations);
    assert_eq!(code, Some(0), "{answer}");
    let list = |key: &str| answer[key].as_array().cloned().unwrap_or_default();
    let agreement = list("agreement");
    assert_eq!(agreement.len(), 7, "{answer}");
    for one in &agreement {
        let largest = one["largest"].as_i64().expect("a number");
        assert!(
            one["agrees"] == true && largest <= i64::from(one["kernel"] == "tone"),
            "{one}"
        );
        assert!(one["pictures"].as_u64().is_some_and(|pictures| pictures >= 4), "{one}");
    }
    assert_eq!(list("paces").len(), 9);
    for pace in list("paces") {
        assert!(pace["pictures_per_s"].as_f64().is_some_and(|rate| rate > 0.0), "{pace}");
    }
    let violations = std::fs::read_to_string(violations).unwrap_or_default();
    assert_eq!(violations, "", "the driver's contract is kept");
}

#[test]
fn without_a_driver_the_trial_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, answer) = trial(None, &folder.path().join("violations"));
    if answer["device"].is_string() {
        eprintln!("skipped: this machine has a driver");
        return;
    }
    assert_eq!(code, Some(1));
    assert!(
        answer["error"].as_str().is_some_and(|error| error.contains("libcuda")),
        "{answer}"
    );
}
