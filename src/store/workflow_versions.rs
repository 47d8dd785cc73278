//! Versions of workflows, for reading.
//!
//! Guarantees: a version never changes but for the spelling of its text; those of a workflow are numbered from 1
//! without gaps. Deliberately absent: making them (`store::workflows`).

use super::Store;
use super::error::StoreError;
use super::row::Columns;
use super::workflows;
use crate::base::clock::UtcMs;
use crate::base::ids::WorkflowId;
use crate::workflow::resolved::ResolvedWorkflow;
use rusqlite::Row;
use rusqlite::named_params;

/// One version of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionRow {
    /// The workflow.
    pub workflow: WorkflowId,
    /// From 1.
    pub version: u32,
    /// It is the newest, which new tasks take.
    pub newest: bool,
    /// As written.
    pub definition: String,
    /// What it means.
    pub resolved: ResolvedWorkflow,
    /// When it was saved.
    pub created_at: UtcMs,
}

impl Store {
    /// Up to `limit` versions of a workflow older than `before`, newest first.
    ///
    /// # Errors
    /// `NotFound` for the workflow.
    pub async fn workflow_versions(
        &self,
        id_or_name: &str,
        before: Option<u32>,
        limit: usize,
    ) -> Result<Vec<VersionRow>, StoreError> {
        let wanted = id_or_name.to_owned();
        self.read("list the versions of a workflow", move |connection| {
            let workflow = workflows::find(connection, &wanted)?;
            let sql = format!(
                "{COLUMNS} where v.workflow_id = :id and v.version < :before order by v.version desc limit {limit}"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(named_params! {
                ":id": workflow.id.as_str(), ":before": before.unwrap_or(u32::MAX),
            })?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(version_row(row)?);
            }
            Ok(found)
        })
        .await
    }

    /// One version of a workflow.
    ///
    /// # Errors
    /// `NotFound` for the workflow or the version.
    pub async fn workflow_version(&self, id_or_name: &str, version: u32) -> Result<VersionRow, StoreError> {
        let wanted = id_or_name.to_owned();
        self.read("read a workflow version", move |connection| {
            let workflow = workflows::find(connection, &wanted)?;
            let sql = format!("{COLUMNS} where v.workflow_id = :id and v.version = :version");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(named_params! { ":id": workflow.id.as_str(), ":version": version })?;
            let row = rows
                .next()?
                .ok_or_else(|| StoreError::not_found("workflow version", format!("{}/{version}", workflow.name)))?;
            version_row(row)
        })
        .await
    }
}

const COLUMNS: &str = "select v.workflow_id, v.version, v.version = w.version, v.definition, v.resolved, v.created_ms \
    from workflow_versions v join workflows w on w.id = v.workflow_id";

fn version_row(row: &Row<'_>) -> Result<VersionRow, StoreError> {
    Ok(VersionRow {
        workflow: row.text(0)?.into(),
        version: row.count(1)?,
        newest: row.get(2)?,
        definition: row.text(3)?,
        resolved: row.whole(4)?,
        created_at: row.time(5)?,
    })
}
