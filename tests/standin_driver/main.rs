//! Does the stand-in driver do what a driver does, and does it notice what one would take amiss?
//!
//! Each test is a process of its own, because the state of a driver is a process's: it starts itself again with the
//! driver's environment and looks at what was written down.

#![allow(unsafe_code)] // the driver's functions are C

#[path = "mod.rs"]
mod standin_driver;

mod api;
mod contexts;
mod copies;
mod decoding;
mod faults;
mod kernels;
mod stream;

use standin_driver::Violations;
use standin_driver::driver;
use std::process::Command;

/// Runs the body of a test in a process of its own on the stand-in driver, with these settings; what contract it broke,
/// or none when there is no driver, or when this is that process.
pub fn alone(test: &str, settings: &[(&str, &str)], body: impl FnOnce()) -> Option<Vec<String>> {
    if std::env::var_os("REELMILL_STANDIN_CHILD").is_some() {
        body();
        return None;
    }
    let driver = driver()?;
    let folder = tempfile::tempdir().expect("a temporary directory");
    let violations = Violations::in_folder(folder.path());
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    driver.apply(&mut command, &violations);
    let output = command
        .args([test, "--exact", "--nocapture"])
        .env("REELMILL_STANDIN_CHILD", "1")
        .envs(settings.iter().copied())
        .output()
        .expect("this program runs");
    let words = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{test}: {words}");
    assert!(words.contains("1 passed"), "{test} is no test: {words}");
    Some(violations.lines())
}

/// Whether what was written down are these, in order.
#[track_caller]
pub fn assert_noticed(lines: Option<Vec<String>>, expected: &[&str]) {
    let Some(lines) = lines else {
        return;
    };
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, words) in lines.iter().zip(expected) {
        assert!(line.contains(words), "{line:?} does not say {words:?}");
    }
}
