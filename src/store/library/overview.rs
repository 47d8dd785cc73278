//! What is known of a media beside its row: what people and programs think of it, quality control, its reviews.
//!
//! Guarantees: bounded, newest first, each on its index. Deliberately absent: tasks, outputs, events and deliveries,
//! which have lists of their own.

use crate::base::clock::UtcMs;
use crate::base::ids::JobId;
use crate::base::ids::MediaId;
use crate::base::ids::ReviewId;
use crate::base::ids::TaskId;
use crate::media::product::QcReport;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::jobs::JobResult;
use crate::store::row::Columns;
use crate::workflow::opinion::Opinion;
use rusqlite::Connection;

/// What a job said of the media.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The job.
    pub job: JobId,
    /// Its task.
    pub task: TaskId,
    /// Its activity.
    pub activity: String,
    /// What it is, a word of `ActivityKind`.
    pub kind: String,
    /// When it ended.
    pub at: Option<UtcMs>,
    /// What quality control found.
    pub qc: Option<Box<QcReport>>,
    /// What a person or a program thinks.
    pub opinion: Option<Box<Opinion>>,
}

/// A review of the media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Id.
    pub id: ReviewId,
    /// `waiting`, `approved`, `blocked`, `expired`, `canceled`.
    pub state: String,
    /// Its task; none: outside of any.
    pub task: Option<TaskId>,
    /// Who decided.
    pub auditor: Option<String>,
    /// Why.
    pub reason: String,
    /// What they said.
    pub comment: String,
    /// When it was asked for.
    pub created_at: UtcMs,
    /// When it ended.
    pub ended_at: Option<UtcMs>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overview {
    /// What jobs said, newest task first.
    pub said: Vec<Said>,
    /// Reviews, newest first.
    pub reviews: Vec<Review>,
}

impl Store {
    /// What is thought of a media, at most `limit` of each.
    ///
    /// # Errors
    /// The database failed.
    pub async fn overview(&self, media: &MediaId, limit: u32) -> Result<Overview, StoreError> {
        let media = media.clone();
        self.read("read what is thought of a media", move |connection| {
            Ok(Overview {
                said: said(connection, &media, limit)?,
                reviews: reviews(connection, &media, limit)?,
            })
        })
        .await
    }
}

fn said(connection: &Connection, media: &MediaId, limit: u32) -> Result<Vec<Said>, StoreError> {
    const SQL: &str = "select j.id, j.task_id, j.activity, j.kind, j.ended_ms, j.result from tasks t \
        join jobs j on j.task_id = t.id where t.media_id = ?1 and j.result is not null \
        and j.kind in ('qc', 'review', 'hook', 'moderation', 'recognition', 'content_analysis') \
        order by t.id desc, j.ordinal limit ?2";
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query(rusqlite::params![media.as_str(), limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let result: JobResult = row.whole(5)?;
        found.push(Said {
            job: row.text(0)?.into(),
            task: row.text(1)?.into(),
            activity: row.text(2)?,
            kind: row.text(3)?,
            at: row.maybe_time(4)?,
            qc: result.qc,
            opinion: result.opinion,
        });
    }
    Ok(found)
}

fn reviews(connection: &Connection, media: &MediaId, limit: u32) -> Result<Vec<Review>, StoreError> {
    const SQL: &str = "select id, state, task_id, auditor, reason, comment, created_ms, ended_ms from reviews \
        where media_id = ?1 order by id desc limit ?2";
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query(rusqlite::params![media.as_str(), limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Review {
            id: row.text(0)?.into(),
            state: row.text(1)?,
            task: row.get::<_, Option<String>>(2)?.map(TaskId::from),
            auditor: row.get(3)?,
            reason: row.text(4)?,
            comment: row.text(5)?,
            created_at: row.time(6)?,
            ended_at: row.maybe_time(7)?,
        });
    }
    Ok(found)
}
