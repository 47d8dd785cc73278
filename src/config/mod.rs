//! The configuration: from the file to values the program can act on.
//!
//! `config/reelmill.toml` is the reference of every key. Guarantees: a file with an unknown key, a contradiction or a
//! value out of range is refused as a whole, every problem named with file, line and remedy; secrets come from files
//! and are never printed. Deliberately absent: changing anything while running, and the options of the parts.

mod bucket;
pub mod definitions;
mod destination;
pub mod file;
pub mod gpu;
pub mod hook_keys;
pub mod layout;
pub mod library;
pub mod made_storages;
pub mod resolved;
mod secret;
pub mod settings;
pub mod storage;
pub mod storage_section;

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::reader;
use crate::base::reader::Wrong;
use crate::config::file::File;
use crate::config::resolved::Config;
use std::path::Path;
use std::path::PathBuf;

/// Where the installed file lies.
pub const INSTALLED: &str = "/etc/reelmill/reelmill.toml";

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.lines().join("\n"))]
pub struct BadConfig {
    /// The file.
    pub file: PathBuf,
    /// Everything wrong with it, at least one thing.
    pub problems: Vec<Wrong>,
}

impl BadConfig {
    /// One line a problem: `FILE:LINE: KEY: what is wrong`.
    pub fn lines(&self) -> Vec<String> {
        self.problems.iter().map(|wrong| line(&self.file, wrong)).collect()
    }
}

impl From<BadConfig> for Fault {
    fn from(bad: BadConfig) -> Self {
        Fault::new(
            "ConfigInvalid",
            Blame::Request,
            "read configuration",
            bad.file.display().to_string(),
            bad.to_string(),
            "Correct the file; `reelmill check` reads it without starting anything.",
        )
    }
}

/// A problem or a warning as one line.
pub fn line(file: &Path, wrong: &Wrong) -> String {
    let place = wrong.line.map(|line| format!(":{line}")).unwrap_or_default();
    let key = if wrong.path.is_empty() {
        String::new()
    } else {
        format!("{}: ", wrong.path)
    };
    format!("{}{place}: {key}{}", file.display(), wrong.why)
}

/// Reads and resolves a file; relative paths in it begin at its folder.
///
/// # Errors
/// Everything that prevents starting.
pub fn load(file: &Path) -> Result<Config, BadConfig> {
    let bad = |problems| BadConfig {
        file: file.to_owned(),
        problems,
    };
    let text = std::fs::read_to_string(file).map_err(|error| bad(vec![Wrong::at("", error.to_string())]))?;
    let folder = match std::path::absolute(file) {
        Ok(absolute) => absolute.parent().map(Path::to_owned).unwrap_or_default(),
        Err(error) => return Err(bad(vec![Wrong::at("", error.to_string())])),
    };
    let mut config = from_text(&text, &folder).map_err(bad)?;
    config.file = Some(file.to_owned());
    Ok(config)
}

/// Resolves a text; relative paths in it begin at `folder`.
///
/// # Errors
/// Everything that prevents starting.
pub fn from_text(text: &str, folder: &Path) -> Result<Config, Vec<Wrong>> {
    let placed =
        |wrongs: Vec<Wrong>| -> Vec<Wrong> { wrongs.into_iter().map(|wrong| reader::with_line(text, wrong)).collect() };
    let raw: File = reader::from_toml(text).map_err(|wrong| vec![later(wrong)])?;
    let mut config = resolved::resolve(&raw, folder).map_err(placed)?;
    config.warnings = placed(std::mem::take(&mut config.warnings));
    config.settings = settings::of(text, &raw);
    Ok(config)
}

/// Keys that the design has and this version has not say so instead of being merely unknown.
fn later(wrong: Wrong) -> Wrong {
    const LATER: [(&str, &str); 4] = [
        ("server.metrics_listen", "a separate address for metrics"),
        ("capacity.gpu", "GPU encoding"),
        ("security.allow_private_pulls", "pulling sources by URL"),
        ("destination.signing_keys", "lists of signing keys"),
    ];
    match LATER.iter().find(|(key, _)| *key == wrong.path) {
        Some((_, what)) if wrong.why.starts_with("unknown key") => Wrong {
            why: format!("{what} comes with a later version of reelmill; remove the key"),
            ..wrong
        },
        _ => wrong,
    }
}

#[cfg(test)]
mod tests;
