//! Rows of `workflows` and their versions.
//!
//! Guarantees: a changed definition is a new version and tasks keep the one they began with; saving an unchanged one
//! changes nothing. Deliberately absent: reading definitions (`workflow::definition`) and who may do what.

use super::Store;
use super::error::StoreError;
use super::registration;
use super::row::Columns;
use crate::base::clock::UtcMs;
use crate::base::ids::WorkflowId;
use crate::workflow::preset;
use crate::workflow::resolved::ResolvedWorkflow;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;
use sha2::Digest;
use sha2::Sha256;

/// Where a definition comes from, and so who may change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A file of the workflows directory; the API may only enable and disable it.
    File,
    /// The API.
    Api,
    /// Shipped; may only be enabled and disabled.
    Preset,
}

impl Origin {
    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Origin::File => "file",
            Origin::Api => "api",
            Origin::Preset => "preset",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(word: &str) -> Option<Self> {
        [Origin::File, Origin::Api, Origin::Preset]
            .into_iter()
            .find(|origin| origin.as_str() == word)
    }
}

/// A definition to save.
#[derive(Debug, Clone)]
pub struct SaveWorkflow {
    /// Where it comes from.
    pub origin: Origin,
    /// As written.
    pub definition: String,
    /// What it means.
    pub resolved: ResolvedWorkflow,
    /// Whether it is enabled when it is new; a known one keeps what it is.
    pub enabled_first: bool,
}

/// What saving did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The workflow.
    pub id: WorkflowId,
    /// Its newest version.
    pub version: u32,
    /// A version was made.
    pub changed: bool,
}

/// One workflow in its newest version.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowRow {
    /// Its id.
    pub id: WorkflowId,
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether it runs.
    pub enabled: bool,
    /// Since when.
    pub enabled_at: Option<UtcMs>,
    /// Newest version.
    pub version: u32,
    /// As written.
    pub definition: String,
    /// What it means.
    pub resolved: ResolvedWorkflow,
    /// When it was first saved.
    pub created_at: UtcMs,
    /// When its newest version was saved, or it was enabled or disabled.
    pub modified_at: UtcMs,
}

const COLUMNS: &str = "select w.id, w.name, w.origin, w.enabled, w.enabled_ms, w.version, v.definition, v.resolved, \
    w.created_ms, w.modified_ms from workflows w join workflow_versions v \
    on v.workflow_id = w.id and v.version = w.version";

impl Store {
    /// Saves a definition under its name. All or nothing at any death.
    ///
    /// # Errors
    /// `Conflict` when the name belongs to a workflow of another origin.
    pub async fn save_workflow(&self, save: SaveWorkflow, now: UtcMs) -> Result<Saved, StoreError> {
        self.write("save a workflow", move |connection| save_one(connection, &save, now))
            .await
    }

    /// The workflow with this id or name.
    pub async fn workflow(&self, id_or_name: &str) -> Result<WorkflowRow, StoreError> {
        let wanted = id_or_name.to_owned();
        self.read("read a workflow", move |connection| find(connection, &wanted))
            .await
    }

    /// All workflows, by name.
    pub async fn workflows(&self) -> Result<Vec<WorkflowRow>, StoreError> {
        self.read("list workflows", |connection| {
            let mut statement = connection.prepare_cached(&format!("{COLUMNS} order by w.name"))?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(workflow_row(row)?);
            }
            Ok(found)
        })
        .await
    }

    /// Ids and newest versions of the workflows that run, by name.
    pub async fn enabled_workflows(&self) -> Result<Vec<(WorkflowId, u32)>, StoreError> {
        const SQL: &str = "select id, version from workflows where enabled = 1 order by name";
        self.read("list enabled workflows", |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push((row.text(0)?.into(), row.count(1)?));
            }
            Ok(found)
        })
        .await
    }

    /// One version, as tasks run it.
    pub async fn resolved_workflow(&self, id: &WorkflowId, version: u32) -> Result<ResolvedWorkflow, StoreError> {
        let id = id.clone();
        self.read("read a workflow version", move |connection| {
            resolved(connection, &id, version)
        })
        .await
    }

    /// Enables or disables a workflow; says whether that changed anything. Running tasks go on either way.
    pub async fn set_workflow_enabled(&self, id: &WorkflowId, enabled: bool, now: UtcMs) -> Result<bool, StoreError> {
        const SQL: &str = "update workflows set enabled = :enabled, modified_ms = :now, \
            enabled_ms = case when :enabled then :now end where id = :id and enabled <> :enabled";
        let id = id.clone();
        self.write("enable or disable a workflow", move |connection| {
            find(connection, id.as_str())?;
            let named = named_params! { ":enabled": enabled, ":now": now.0, ":id": id.as_str() };
            Ok(connection.prepare_cached(SQL)?.execute(named)? > 0)
        })
        .await
    }

    /// Deletes a workflow with its versions. Its ended tasks stay.
    ///
    /// # Errors
    /// `Conflict` while it is enabled, or one of its tasks has not ended.
    pub async fn delete_workflow(&self, id: &WorkflowId) -> Result<(), StoreError> {
        const OPEN: &str = "select count(*) from tasks where workflow_id = ?1 and status in ('Init', 'Processing')";
        let id = id.clone();
        self.write("delete a workflow", move |connection| {
            let workflow = find(connection, id.as_str())?;
            if workflow.enabled {
                return Err(StoreError::Conflict(format!(
                    "workflow {} is enabled; disable it before deleting it",
                    workflow.name
                )));
            }
            let open: i64 = connection
                .prepare_cached(OPEN)?
                .query_row([id.as_str()], |row| row.get(0))?;
            if open > 0 {
                return Err(StoreError::Conflict(format!(
                    "workflow {} still has {open} tasks that have not ended",
                    workflow.name
                )));
            }
            connection.execute("delete from workflows where id = ?1", [id.as_str()])?;
            Ok(())
        })
        .await
    }
}

fn save_one(connection: &Connection, save: &SaveWorkflow, now: UtcMs) -> Result<Saved, StoreError> {
    const KNOWN: &str = "select w.id, w.origin, w.version, v.hash from workflows w join workflow_versions v \
        on v.workflow_id = w.id and v.version = w.version where w.name = ?1";
    const MAKE: &str = "insert into workflows (id, name, origin, enabled, enabled_ms, version, created_ms, modified_ms) \
        values (:id, :name, :origin, :enabled, case when :enabled then :now end, 1, :now, :now)";
    const RAISE: &str = "update workflows set version = :version, modified_ms = :now where id = :id";
    const VERSION: &str = "insert into workflow_versions (workflow_id, version, definition, resolved, hash, created_ms) \
        values (:id, :version, :definition, :resolved, :hash, :now)";
    const REWORD: &str =
        "update workflow_versions set definition = :definition where workflow_id = :id and version = :version";
    let resolved = serde_json::to_string(&save.resolved)?;
    let hash = hex::encode(Sha256::digest(resolved.as_bytes()));
    let known = connection
        .prepare_cached(KNOWN)?
        .query_row([&save.resolved.name], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, u32>(2)?,
                row.get::<_, String>(3)?,
            ))
        })
        .optional()?;
    let (id, version) = match known {
        None => {
            let id = WorkflowId::fresh();
            connection.prepare_cached(MAKE)?.execute(named_params! {
                ":id": id.as_str(), ":name": save.resolved.name, ":origin": save.origin.as_str(),
                ":enabled": save.enabled_first, ":now": now.0,
            })?;
            (id, 1)
        }
        Some((_, origin, _, _)) if origin != save.origin.as_str() => {
            return Err(StoreError::Conflict(format!(
                "the name {} belongs to a workflow of origin {origin}",
                save.resolved.name
            )));
        }
        Some((id, _, version, old)) if old == hash => {
            // Comments and spacing of the text may have changed all the same.
            connection.prepare_cached(REWORD)?.execute(named_params! {
                ":definition": save.definition, ":id": id, ":version": version,
            })?;
            return Ok(Saved {
                id: id.into(),
                version,
                changed: false,
            });
        }
        Some((id, _, version, _)) => {
            let version = version + 1;
            connection
                .prepare_cached(RAISE)?
                .execute(named_params! { ":version": version, ":now": now.0, ":id": id })?;
            (WorkflowId::from(id), version)
        }
    };
    connection.prepare_cached(VERSION)?.execute(named_params! {
        ":id": id.as_str(), ":version": version, ":definition": save.definition, ":resolved": resolved,
        ":hash": hash, ":now": now.0,
    })?;
    Ok(Saved {
        id,
        version,
        changed: true,
    })
}

/// The workflow with this id or name.
pub(super) fn find(connection: &Connection, id_or_name: &str) -> Result<WorkflowRow, StoreError> {
    // An id is no legal name of another workflow's choosing: ids win.
    let sql = format!("{COLUMNS} where w.id = ?1 or w.name = ?1 order by w.id <> ?1 limit 1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([id_or_name])?;
    let row = rows
        .next()?
        .ok_or_else(|| StoreError::not_found("workflow", id_or_name))?;
    workflow_row(row)
}

/// One version, as tasks run it.
pub(super) fn resolved(connection: &Connection, id: &WorkflowId, version: u32) -> Result<ResolvedWorkflow, StoreError> {
    const SQL: &str = "select resolved from workflow_versions where workflow_id = ?1 and version = ?2";
    if id.as_str() == registration::WORKFLOW {
        return Ok(preset::registration().clone());
    }
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query(rusqlite::params![id.as_str(), version])?;
    let row = rows
        .next()?
        .ok_or_else(|| StoreError::not_found("workflow version", format!("{id}/{version}")))?;
    row.whole(0)
}

fn workflow_row(row: &Row<'_>) -> Result<WorkflowRow, StoreError> {
    Ok(WorkflowRow {
        id: row.text(0)?.into(),
        name: row.text(1)?,
        origin: row.word(2, Origin::parse)?,
        enabled: row.get(3)?,
        enabled_at: row.maybe_time(4)?,
        version: row.count(5)?,
        definition: row.text(6)?,
        resolved: row.whole(7)?,
        created_at: row.time(8)?,
        modified_at: row.time(9)?,
    })
}
