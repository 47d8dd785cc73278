//! Keeps the workflows of the database in step with the files and with what ships.
//!
//! Guarantees: a file that reads well is the newest version of its workflow; one that does not leaves the version that
//! ran before in place and is told in the log; a workflow whose file is gone goes once nothing of it runs. Whether a
//! workflow is enabled stays as users left it. Deliberately absent: workflows made through the API.

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::config::definitions::DefinitionFile;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::workflows::Origin;
use crate::store::workflows::SaveWorkflow;
use crate::workflow::definition::BadDefinition;
use crate::workflow::preset;
use crate::workflow::resolve;
use crate::workflow::template::Templates;
use std::collections::BTreeSet;

/// Saves what was read at this start.
pub(super) async fn keep(store: &Store, files: &[DefinitionFile], now: UtcMs) -> Result<(), Fault> {
    let database = |error: StoreError| error.fault("the workflows");
    for save in presets().map_err(|bad| shipped_is_broken(&bad))? {
        let name = save.resolved.name.clone();
        match store.save_workflow(save, now).await {
            // An operator's own workflow of that name came first and keeps it.
            Err(StoreError::Conflict(why)) => {
                tracing::warn!(workflow = name, why, "the shipped workflow is not offered")
            }
            answer => drop(answer.map_err(database)?),
        }
    }
    let mut there = BTreeSet::new();
    let mut unread = false;
    for file in files {
        let loaded = match &file.content {
            Ok(loaded) => loaded,
            Err(lines) => {
                unread = true;
                for line in lines {
                    tracing::error!(file = %file.file.display(), "workflow not loaded: {line}");
                }
                continue;
            }
        };
        let name = loaded.resolved.name.clone();
        if !there.insert(name.clone()) {
            tracing::error!(file = %file.file.display(), workflow = name, "not loaded: another file has a workflow of this name");
            continue;
        }
        let save = SaveWorkflow {
            origin: Origin::File,
            definition: loaded.text.clone(),
            resolved: loaded.resolved.clone(),
            enabled_first: loaded.enabled_first,
        };
        match store.save_workflow(save, now).await {
            Ok(saved) if saved.changed => tracing::info!(workflow = name, version = saved.version, "workflow loaded"),
            Ok(_) => {}
            Err(StoreError::Conflict(why)) => {
                tracing::error!(file = %file.file.display(), workflow = name, why, "workflow not loaded");
            }
            Err(error) => return Err(database(error)),
        }
    }
    // A file that could not be read may be any of the known ones: nothing is taken for removed then.
    if unread {
        return Ok(());
    }
    for row in store.workflows().await.map_err(database)? {
        if row.origin == Origin::File && !there.contains(&row.resolved.name) {
            let gone = async {
                store.set_workflow_enabled(&row.id, false, now).await?;
                store.delete_workflow(&row.id).await
            };
            match gone.await {
                Ok(()) => tracing::info!(workflow = row.resolved.name, "its file is gone, and so is the workflow"),
                Err(StoreError::Conflict(why)) => {
                    tracing::info!(
                        workflow = row.resolved.name,
                        why,
                        "its file is gone; disabled, and deleted later"
                    );
                }
                Err(error) => return Err(database(error)),
            }
        }
    }
    Ok(())
}

fn presets() -> Result<Vec<SaveWorkflow>, BadDefinition> {
    let templates = Templates::shipped();
    preset::names()
        .into_iter()
        .filter_map(|name| Some((preset::text(name)?, preset::get(name)?)))
        .map(|(text, definition)| {
            Ok(SaveWorkflow {
                origin: Origin::Preset,
                definition: text.to_owned(),
                enabled_first: definition.enabled.unwrap_or(true),
                resolved: resolve::resolve(&definition, &templates)?,
            })
        })
        .collect()
}

fn shipped_is_broken(bad: &BadDefinition) -> Fault {
    Fault::new(
        "PresetBroken",
        crate::base::fault::Blame::Bug,
        "resolve",
        "the shipped workflows",
        bad.to_string(),
        "Report this: a release is tested against it.",
    )
}
