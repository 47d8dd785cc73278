//! The stand-in driver for tests: built once a process, and what to set for a program that is to use it.
//!
//! `#[path = "../standin_driver/mod.rs"] mod standin_driver;`, then
//! ```ignore
//! let Some(driver) = standin_driver::driver() else { return };
//! let violations = Violations::in_folder(scratch);
//! driver.apply(&mut command, &violations).env("STANDIN_SESSIONS", "2");
//! ...
//! violations.none();
//! ```
//! Without a compiler or libav's headers the tests say so and pass; with `REELMILL_REQUIRE_MEDIA=1`, as in CI, they
//! fail. `REELMILL_STANDIN_DIR` names a folder that holds it already.

#![allow(dead_code)] // each test file uses its part

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The names under which the driver's libraries are looked for.
pub const LIBRARIES: [&str; 5] = [
    "libcuda.so.1",
    "libcuda.so",
    "libnvcuvid.so.1",
    "libnvidia-encode.so.1",
    "libnvidia-ml.so.1",
];

/// Where it lies.
#[derive(Debug, Clone)]
pub struct Driver {
    folder: PathBuf,
}

/// The stand-in driver; none, with a word on why, where it cannot be built.
pub fn driver() -> Option<&'static Driver> {
    static DRIVER: OnceLock<Option<Driver>> = OnceLock::new();
    DRIVER.get_or_init(build).as_ref()
}

fn build() -> Option<Driver> {
    if let Some(folder) = std::env::var_os("REELMILL_STANDIN_DIR") {
        return Some(Driver {
            folder: PathBuf::from(folder),
        });
    }
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = top.join("target/standin/lib");
    let built = Command::new(top.join("tests/standin/build.sh")).arg(&folder).output();
    let why = match built {
        Ok(output) if output.status.success() => return Some(Driver { folder }),
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    let required = std::env::var_os("REELMILL_REQUIRE_MEDIA").is_some_and(|value| value == "1");
    assert!(!required, "the stand-in driver cannot be built: {why}");
    println!("skipped: the stand-in driver cannot be built: {why}");
    None
}

impl Driver {
    /// The folder with its libraries.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What a program needs in its environment to find it.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![("LD_LIBRARY_PATH", self.folder.display().to_string())]
    }

    /// Sets a program up to use it, and to write down what contract it breaks.
    pub fn apply<'a>(&self, command: &'a mut Command, violations: &Violations) -> &'a mut Command {
        command
            .envs(self.environment())
            .env("STANDIN_VIOLATIONS", violations.path())
    }

    /// The same driver without one of its libraries, in a folder that is made for it.
    pub fn without(&self, library: &str, folder: &Path) -> Driver {
        assert!(LIBRARIES.contains(&library), "{library} is no library of the driver's");
        std::fs::create_dir_all(folder).expect("a folder for libraries");
        for name in LIBRARIES {
            if !name.starts_with(library.trim_end_matches(".1")) {
                let from = self
                    .folder
                    .canonicalize()
                    .expect("the driver's folder")
                    .join("libcuda.so.1");
                std::os::unix::fs::symlink(from, folder.join(name)).expect("a link");
            }
        }
        Driver {
            folder: folder.to_owned(),
        }
    }
}

/// The file in which broken promises are written down.
#[derive(Debug, Clone)]
pub struct Violations {
    path: PathBuf,
}

impl Violations {
    /// A fresh one in that folder.
    pub fn in_folder(folder: &Path) -> Self {
        let path = folder.join("violations.txt");
        std::fs::write(&path, "").expect("a file for violations");
        Violations { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What stands in it.
    pub fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.path).expect("the file of violations");
        text.lines().map(str::to_owned).collect()
    }

    /// Fails when a promise was broken.
    #[track_caller]
    pub fn none(&self) {
        let lines = self.lines();
        assert!(
            lines.is_empty(),
            "the driver's contract was broken:\n{}",
            lines.join("\n")
        );
    }
}
