//! The definitions that an operator keeps as files: `workflows_dir/*.toml`, read at start.
//!
//! Guarantees: every file gives either a workflow that can run on this configuration or the lines that say why not;
//! one bad file hides no other. Deliberately absent: the database; whoever starts the program keeps what was read.

use crate::base::reader::Wrong;
use crate::config::resolved::Config;
use crate::workflow::definition::BadDefinition;
use crate::workflow::definition::Definition;
use crate::workflow::resolve;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::template::Templates;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;

/// What people made while the program ran, by name: files may name it like what is configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// Storages.
    pub storages: Vec<String>,
    /// Destinations.
    pub destinations: Vec<String>,
}

/// One file of the folder.
#[derive(Debug, Clone)]
pub struct DefinitionFile {
    /// Where it lies.
    pub file: PathBuf,
    /// What it says, or every line of what is wrong with it.
    pub content: Result<LoadedDefinition, Vec<String>>,
}

/// A definition that can run.
#[derive(Debug, Clone)]
pub struct LoadedDefinition {
    /// As written.
    pub text: String,
    /// What it means.
    pub resolved: ResolvedWorkflow,
    /// Whether it is enabled when it is first seen.
    pub enabled_first: bool,
}

/// Reads every `*.toml` of the configuration's workflows folder, by name. A folder that is not there is empty.
///
/// # Errors
/// The folder itself cannot be read; the sentence names it.
pub fn load(config: &Config, templates: &Templates, made: &Made) -> Result<Vec<DefinitionFile>, String> {
    let folder = &config.server.workflows_dir;
    let unreadable = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.map_err(unreadable)?.path();
        let hidden = file
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && file.extension().is_some_and(|extension| extension == "toml") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files
        .into_iter()
        .map(|file| DefinitionFile {
            content: read(&file, config, templates, made),
            file,
        })
        .collect())
}

fn read(file: &Path, config: &Config, templates: &Templates, made: &Made) -> Result<LoadedDefinition, Vec<String>> {
    let named = |bad: BadDefinition| -> Vec<String> {
        bad.to_string()
            .lines()
            .map(|line| format!("{}: {line}", file.display()))
            .collect()
    };
    let text = std::fs::read_to_string(file).map_err(|error| vec![format!("{}: {error}", file.display())])?;
    let definition = Definition::from_toml(&text).map_err(named)?;
    let resolved = resolve::resolve(&definition, templates).map_err(named)?;
    let missing: Vec<Wrong> = config.missing_beside(&resolved, &made.storages, &made.destinations);
    if !missing.is_empty() {
        return Err(missing
            .iter()
            .map(|wrong| format!("{}: {wrong}", file.display()))
            .collect());
    }
    Ok(LoadedDefinition {
        enabled_first: definition.enabled.unwrap_or(true),
        resolved,
        text,
    })
}
