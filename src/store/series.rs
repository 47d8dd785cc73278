//! What was measured over the length of outputs and sources.
//!
//! Guarantees: it comes and goes in the transactions of the outputs and jobs that it is of; a job that is done again has
//! none of its last time. Deliberately absent: measuring, and how it is drawn.

use super::Store;
use super::error::StoreError;
use super::jobs::JobResult;
use super::row::Columns;
use crate::base::clock::UtcMs;
use crate::base::ids::JobId;
use crate::base::ids::MediaId;
use crate::base::ids::OutputId;
use crate::base::ids::TaskId;
use crate::media::product::Measured;
use crate::media::product::QcReport;
use crate::media::product::TrackSeries;
use crate::workflow::status::JobStatus;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::named_params;
use std::collections::HashMap;

/// The tracks of each rendition of an output, in the order of its detail; of a file those of its own.
pub type RenditionSeries = Vec<Vec<TrackSeries>>;

/// What quality control said of a source, and what it measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspected {
    /// The job.
    pub job: JobId,
    /// Its task.
    pub task: TaskId,
    /// Its activity.
    pub activity: String,
    /// How it ended.
    pub status: JobStatus,
    /// When.
    pub at: Option<UtcMs>,
    /// All of its report; none: it failed before it had one, or has not ended.
    pub report: Option<Box<QcReport>>,
    /// What it measured.
    pub measured: Measured,
}

impl Store {
    /// What was measured of these outputs; those of which nothing was are missing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn series_of_outputs(
        &self,
        outputs: Vec<OutputId>,
    ) -> Result<HashMap<OutputId, RenditionSeries>, StoreError> {
        const SQL: &str = "select series from output_series where output_id = ?1";
        self.read("read the series of outputs", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut found = HashMap::new();
            for output in outputs {
                let text: Option<String> = statement.query_row([output.as_str()], |row| row.get(0)).optional()?;
                if let Some(text) = text {
                    found.insert(output, serde_json::from_str(&text)?);
                }
            }
            Ok(found)
        })
        .await
    }

    /// What quality control said in a task, in the order of its activities.
    ///
    /// # Errors
    /// The database failed.
    pub async fn inspected_in_task(&self, task: &TaskId) -> Result<Vec<Inspected>, StoreError> {
        const SQL: &str = "select j.id, j.task_id, j.activity, j.status, j.ended_ms, j.result, m.measured from jobs j \
            left join job_measures m on m.job_id = j.id where j.task_id = :of and j.kind = 'qc' \
            order by j.ordinal limit :limit";
        let task = task.as_str().to_owned();
        self.read("read quality control of a task", move |connection| {
            inspected(connection, SQL, &task, MOST_INSPECTED)
        })
        .await
    }

    /// What quality control said of a media, newest task first, at most `limit`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn inspected_of_media(&self, media: &MediaId, limit: u32) -> Result<Vec<Inspected>, StoreError> {
        const SQL: &str = "select j.id, j.task_id, j.activity, j.status, j.ended_ms, j.result, m.measured from tasks t \
            join jobs j on j.task_id = t.id left join job_measures m on m.job_id = j.id \
            where t.media_id = :of and j.kind = 'qc' order by t.id desc, j.ordinal limit :limit";
        let media = media.as_str().to_owned();
        self.read("read quality control of a media", move |connection| {
            inspected(connection, SQL, &media, limit)
        })
        .await
    }
}

/// A task has hardly more.
const MOST_INSPECTED: u32 = 100;

fn inspected(connection: &Connection, sql: &str, of: &str, limit: u32) -> Result<Vec<Inspected>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(named_params! { ":of": of, ":limit": limit })?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let result: Option<JobResult> = row.json(5)?;
        let mut measured: Measured = row.json(6)?.unwrap_or_default();
        found.push(Inspected {
            job: row.text(0)?.into(),
            task: row.text(1)?.into(),
            activity: row.text(2)?,
            status: row.word(3, JobStatus::parse)?,
            at: row.maybe_time(4)?,
            report: measured.qc.take().or(result.and_then(|result| result.qc)),
            measured,
        });
    }
    Ok(found)
}

/// Keeps what was measured of an output.
pub(super) fn keep_of_output(
    connection: &Connection,
    output: &OutputId,
    series: &RenditionSeries,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into output_series (output_id, series) values (:output, :series)";
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":output": output.as_str(), ":series": serde_json::to_string(series)?,
    })?;
    Ok(())
}

/// Keeps what a job measured of its source, in the place of what it measured before.
pub(super) fn keep_of_job(connection: &Connection, job: &JobId, measured: &Measured) -> Result<(), StoreError> {
    const SQL: &str = "insert or replace into job_measures (job_id, measured) values (:job, :measured)";
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":job": job.as_str(), ":measured": serde_json::to_string(measured)?,
    })?;
    Ok(())
}

/// Forgets what a job measured of its source. What is measured of outputs goes with them.
pub(super) fn forget(connection: &Connection, job: &JobId) -> Result<(), StoreError> {
    connection
        .prepare_cached("delete from job_measures where job_id = ?1")?
        .execute([job.as_str()])?;
    Ok(())
}
