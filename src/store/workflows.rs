//! Rows of `workflows` and their versions.
//!
//! Guarantees: a changed definition is a new version and tasks keep the one they began with; saving an unchanged one
//! changes nothing. Deliberately absent: reading definitions (`workflow::definition`) and who may do what.

use super::Store;
use super::error::StoreError;
use super::idempotency::Once;
use super::idempotency::OnceKey;
use super::idempotency::once;
use super::registration;
use super::row::Columns;
use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
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

/// What holds when a person saves a definition, beside what holds for files and what ships.
#[derive(Debug, Clone, Default)]
pub struct ByHand {
    /// The workflow it replaces, which takes the definition's name; none: the one of that name, or a new one.
    pub replaces: Option<WorkflowId>,
    /// Most workflows that are not shipped; none: no limit.
    pub quota: Option<u32>,
    /// The key of the call, which is carried out once.
    pub once: Option<OnceKey>,
}

/// Fault code: there are as many workflows as the quota allows.
pub const QUOTA_REACHED: &str = "WorkflowQuotaReached";

/// What saving did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
        self.write("save a workflow", move |connection| {
            save_one(connection, &save, None, now)
        })
        .await
    }

    /// The same as a person's doing: a new one within the quota, a known one only while it is disabled, under another
    /// name where that is free. All or nothing at any death.
    ///
    /// # Errors
    /// `Refused` with [`QUOTA_REACHED`]; `Conflict` when it is enabled and would change, its name belongs to another, or it
    /// is of another origin.
    pub async fn save_workflow_by_hand(
        &self,
        save: SaveWorkflow,
        by_hand: ByHand,
        now: UtcMs,
    ) -> Result<Once<Saved>, StoreError> {
        self.write("save a workflow", move |connection| {
            once(connection, by_hand.once.as_ref(), now, || {
                save_one(connection, &save, Some(&by_hand), now)
            })
        })
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

/// What is kept of a workflow before it is saved again.
struct Known {
    id: String,
    name: String,
    origin: String,
    version: u32,
    enabled: bool,
    hash: String,
}

fn known_by(connection: &Connection, column: &str, value: &str) -> Result<Option<Known>, StoreError> {
    let sql = format!(
        "select w.id, w.name, w.origin, w.version, w.enabled, v.hash from workflows w join workflow_versions v \
         on v.workflow_id = w.id and v.version = w.version where w.{column} = ?1"
    );
    let row = |row: &Row<'_>| {
        Ok(Known {
            id: row.get(0)?,
            name: row.get(1)?,
            origin: row.get(2)?,
            version: row.get(3)?,
            enabled: row.get(4)?,
            hash: row.get(5)?,
        })
    };
    Ok(connection.prepare_cached(&sql)?.query_row([value], row).optional()?)
}

fn save_one(
    connection: &Connection,
    save: &SaveWorkflow,
    by_hand: Option<&ByHand>,
    now: UtcMs,
) -> Result<Saved, StoreError> {
    const MAKE: &str = "insert into workflows (id, name, origin, enabled, enabled_ms, version, created_ms, modified_ms) \
        values (:id, :name, :origin, :enabled, case when :enabled then :now end, 1, :now, :now)";
    const RAISE: &str = "update workflows set version = :version, name = :name, modified_ms = :now where id = :id";
    const VERSION: &str = "insert into workflow_versions (workflow_id, version, definition, resolved, hash, created_ms) \
        values (:id, :version, :definition, :resolved, :hash, :now)";
    const REWORD: &str =
        "update workflow_versions set definition = :definition where workflow_id = :id and version = :version";
    let resolved = serde_json::to_string(&save.resolved)?;
    let hash = hex::encode(Sha256::digest(resolved.as_bytes()));
    let name = &save.resolved.name;
    let of_name = known_by(connection, "name", name)?;
    let known = match by_hand.and_then(|by_hand| by_hand.replaces.as_ref()) {
        None => of_name,
        Some(id) => {
            let known = known_by(connection, "id", id.as_str())?;
            if let Some(other) = of_name.filter(|other| other.id != id.as_str()) {
                return Err(StoreError::Conflict(format!(
                    "the name {} belongs to another workflow",
                    other.name
                )));
            }
            Some(known.ok_or_else(|| StoreError::not_found("workflow", id.as_str()))?)
        }
    };
    let (id, version) = match known {
        None => {
            if let Some(quota) = by_hand.and_then(|by_hand| by_hand.quota) {
                within_quota(connection, name, quota)?;
            }
            let id = WorkflowId::fresh();
            connection.prepare_cached(MAKE)?.execute(named_params! {
                ":id": id.as_str(), ":name": name, ":origin": save.origin.as_str(),
                ":enabled": save.enabled_first, ":now": now.0,
            })?;
            (id, 1)
        }
        Some(known) if known.origin != save.origin.as_str() => {
            return Err(StoreError::Conflict(format!(
                "the name {name} belongs to a workflow of origin {}",
                known.origin
            )));
        }
        Some(known) if known.hash == hash => {
            // Comments and spacing of the text may have changed all the same.
            connection.prepare_cached(REWORD)?.execute(named_params! {
                ":definition": save.definition, ":id": known.id, ":version": known.version,
            })?;
            return Ok(Saved {
                id: known.id.into(),
                version: known.version,
                changed: false,
            });
        }
        Some(known) if by_hand.is_some() && known.enabled => {
            return Err(StoreError::Conflict(format!(
                "workflow {} is enabled and can be edited only while disabled",
                known.name
            )));
        }
        Some(known) => {
            let version = known.version + 1;
            connection
                .prepare_cached(RAISE)?
                .execute(named_params! { ":version": version, ":name": name, ":now": now.0, ":id": known.id })?;
            (WorkflowId::from(known.id), version)
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

fn within_quota(connection: &Connection, name: &str, quota: u32) -> Result<(), StoreError> {
    const COUNT: &str = "select count(*) from workflows where origin <> 'preset'";
    let count: u32 = connection.prepare_cached(COUNT)?.query_row([], |row| row.get(0))?;
    if count < quota {
        return Ok(());
    }
    Err(StoreError::Refused(Fault::new(
        QUOTA_REACHED,
        Blame::Request,
        "make a workflow",
        name,
        format!("there are {count} workflows besides those that ship, and the quota is {quota}"),
        "Delete one that is not needed, or raise workflows.quota in the configuration.",
    )))
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
