//! Where the suites let their work be done: in whatever way is best, or as `REELMILL_TEST_BACKEND` says. `gpu` is meant
//! for the stand-in driver, whose folder `LD_LIBRARY_PATH` names then (`tests/gpu_suites.sh` sets both).
//!
//! What a device rightly does otherwise stands in the tests themselves, as what they expect of it.

#![allow(dead_code)] // each suite uses its part

use reelmill::media::product::JobEnd;
use reelmill::media::spec::Backend;

/// What was asked for.
pub fn asked() -> Backend {
    match std::env::var("REELMILL_TEST_BACKEND").as_deref() {
        Ok("gpu") => Backend::Gpu,
        Ok("software") => Backend::Software,
        Ok(other) if !other.is_empty() && other != "auto" => {
            panic!("REELMILL_TEST_BACKEND is {other:?}, and must be auto, gpu or software")
        }
        _ => Backend::Auto,
    }
}

/// A device is demanded.
pub fn is_gpu() -> bool {
    asked() == Backend::Gpu
}

/// What the binary is told of it.
pub fn arguments() -> &'static [&'static str] {
    match asked() {
        Backend::Gpu => &["--backend", "gpu"],
        Backend::Software => &["--backend", "software"],
        Backend::Auto => &[],
    }
}

/// Where a daemon that gets no other variables of ours finds the driver.
pub fn driver_environment() -> Vec<(String, String)> {
    let folder = std::env::var("LD_LIBRARY_PATH").ok().filter(|_| is_gpu());
    let known = folder.map(|folder| ("LD_LIBRARY_PATH".to_owned(), folder));
    known.into_iter().collect()
}

/// A workflow whose activities say it themselves, for the daemon.
pub fn in_workflow(text: &str) -> String {
    let word = match asked() {
        Backend::Gpu => "gpu",
        Backend::Software => "software",
        Backend::Auto => return text.to_owned(),
    };
    text.replace("[[activity]]\n", &format!("[[activity]]\nbackend = \"{word}\"\n"))
}

/// Codecs that NVENC makes.
pub fn makes(codec: &str) -> bool {
    matches!(codec, "h264" | "hevc" | "av1")
}

/// A job that a demanded device does not do, and the words that say why.
#[track_caller]
pub fn refused(end: &JobEnd, words: &str) {
    match end {
        JobEnd::Failed { fault } => {
            assert_eq!(
                (fault.code.as_str(), fault.retryable),
                ("BackendUnavailable", false),
                "{fault}"
            );
            assert!(fault.cause.contains(words), "{words}: {fault}");
        }
        other => panic!("a device does not do this ({words}): {other:?}"),
    }
}
