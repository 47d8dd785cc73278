//! Outputs and their files.
//!
//! Guarantees: the files of an output are paged, since an HLS tree of a long film has thousands. Deliberately absent:
//! the intents to publish.

use super::bytes;
use super::collect;
use super::json_or_none;
use super::only;
use super::plain;
use super::time;
use crate::base::clock::UtcMs;
use crate::base::ids::JobId;
use crate::base::ids::MediaId;
use crate::base::ids::OutputId;
use crate::base::ids::TaskId;
use crate::objects::uri::ObjectUri;
use crate::store::Store;
use crate::store::error::StoreError;
use rusqlite::Row;
use rusqlite::named_params;
use serde_json::Value;

/// One output.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputRow {
    /// Id.
    pub id: OutputId,
    /// The job that made it.
    pub job: JobId,
    /// Its task.
    pub task: TaskId,
    /// Its group; empty where there is none.
    pub group: String,
    /// Its name.
    pub name: String,
    /// `file`, `hls`, `stills`, `sprite`, `animation`.
    pub kind: String,
    /// The main object; of numbered files the first.
    pub object: ObjectUri,
    /// All its files.
    pub size_bytes: u64,
    /// MD5 of the main object.
    pub md5: Option<String>,
    /// Every file stands under its final name.
    pub published: bool,
    /// Facts, proof, renditions.
    pub detail: Option<Value>,
    /// Number of its files.
    pub file_count: i64,
    /// When publishing it was decided.
    pub created: UtcMs,
}

/// One file of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFileRow {
    /// Its place among the files of its output.
    pub ordinal: i64,
    /// Where it stands.
    pub object: ObjectUri,
    /// Bytes.
    pub size_bytes: u64,
    /// MD5.
    pub md5: String,
}

const OUTPUT: &str = "select o.id, o.job_id, o.task_id, o.group_name, o.name, o.kind, o.storage, o.key, o.size_bytes, \
    o.md5, o.published, o.detail, o.created_ms, \
    (select count(*) from output_files f where f.output_id = o.id) as file_count from outputs o";

fn output_of(row: &Row<'_>) -> Result<OutputRow, StoreError> {
    Ok(OutputRow {
        id: OutputId::from(plain::<String>(row, "id")?),
        job: JobId::from(plain::<String>(row, "job_id")?),
        task: TaskId::from(plain::<String>(row, "task_id")?),
        group: plain(row, "group_name")?,
        name: plain(row, "name")?,
        kind: plain(row, "kind")?,
        object: ObjectUri::new(plain::<String>(row, "storage")?, plain::<String>(row, "key")?),
        size_bytes: bytes(row, "size_bytes")?,
        md5: plain(row, "md5")?,
        published: plain(row, "published")?,
        detail: json_or_none(row, "detail")?,
        file_count: plain(row, "file_count")?,
        created: time(row, "created_ms")?,
    })
}

impl Store {
    /// The outputs of a task, in the order of its jobs.
    ///
    /// # Errors
    /// The database failed.
    pub async fn outputs_of_task(&self, task: &TaskId) -> Result<Vec<OutputRow>, StoreError> {
        let task = task.clone();
        self.read("list outputs", move |connection| {
            let sql = format!(
                "{OUTPUT} join jobs j on j.id = o.job_id where o.task_id = :task order by j.ordinal, o.ordinal"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            collect(statement.query(named_params! { ":task": task.as_str() })?, output_of)
        })
        .await
    }

    /// The outputs made from a media, newest task first, at most `limit`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn outputs_of_media(&self, media: &MediaId, limit: usize) -> Result<Vec<OutputRow>, StoreError> {
        let media = media.clone();
        self.read("list outputs", move |connection| {
            let sql = format!(
                "{OUTPUT} join tasks t on t.id = o.task_id where t.media_id = :media \
                 order by o.task_id desc, o.job_id, o.ordinal limit {limit}"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            collect(statement.query(named_params! { ":media": media.as_str() })?, output_of)
        })
        .await
    }

    /// One output.
    ///
    /// # Errors
    /// There is none with this id, or the database failed.
    pub async fn show_output(&self, id: &OutputId) -> Result<OutputRow, StoreError> {
        let id = id.clone();
        self.read("show an output", move |connection| {
            let mut statement = connection.prepare_cached(&format!("{OUTPUT} where o.id = :id"))?;
            only(
                statement.query(named_params! { ":id": id.as_str() })?,
                output_of,
                "output",
                id.as_str(),
            )
        })
        .await
    }

    /// Up to `limit` files of an output after the one with this ordinal, in the order of publishing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn output_files(
        &self,
        output: &OutputId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<OutputFileRow>, StoreError> {
        let output = output.clone();
        self.read("list files of an output", move |connection| {
            let sql = format!(
                "select ordinal, storage, key, size_bytes, md5 from output_files \
                 where output_id = :output and ordinal > :after order by ordinal limit {limit}"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query(named_params! { ":output": output.as_str(), ":after": after })?;
            collect(rows, |row| {
                Ok(OutputFileRow {
                    ordinal: plain(row, "ordinal")?,
                    object: ObjectUri::new(plain::<String>(row, "storage")?, plain::<String>(row, "key")?),
                    size_bytes: bytes(row, "size_bytes")?,
                    md5: plain(row, "md5")?,
                })
            })
        })
        .await
    }
}
