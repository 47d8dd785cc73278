//! What is told of attempts, in lines.
//!
//! Guarantees: goes with its attempt when that is forgotten. Deliberately absent: what a line says.

use super::Store;
use super::error::StoreError;
use crate::base::ids::AttemptId;
use rusqlite::OptionalExtension;
use rusqlite::named_params;

impl Store {
    /// Keeps the log of an attempt, in the place of an earlier one.
    ///
    /// # Errors
    /// There is no such attempt, or the database failed.
    pub async fn keep_attempt_log(&self, attempt: &AttemptId, text: String) -> Result<(), StoreError> {
        let attempt = attempt.clone();
        self.write("keep the log of an attempt", move |connection| {
            const SQL: &str = "insert into attempt_logs (attempt_id, text) values (:attempt, :text) \
                on conflict (attempt_id) do update set text = excluded.text";
            connection
                .prepare_cached(SQL)?
                .execute(named_params! { ":attempt": attempt.as_str(), ":text": text })?;
            Ok(())
        })
        .await
    }

    /// The log of an attempt; none: nothing was kept of it.
    ///
    /// # Errors
    /// There is no such attempt, or the database failed.
    pub async fn attempt_log(&self, attempt: &AttemptId) -> Result<Option<String>, StoreError> {
        let attempt = attempt.clone();
        self.read("read the log of an attempt", move |connection| {
            const SQL: &str =
                "select l.text from attempts a left join attempt_logs l on l.attempt_id = a.id where a.id = :id";
            let found: Option<Option<String>> = connection
                .prepare_cached(SQL)?
                .query_row(named_params! { ":id": attempt.as_str() }, |row| row.get(0))
                .optional()?;
            found.ok_or_else(|| StoreError::not_found("attempt", attempt.as_str()))
        })
        .await
    }

    /// The newest attempts that did not come to their end: id, task, outcome and log.
    ///
    /// # Errors
    /// The database failed.
    pub async fn failed_attempts(&self, limit: usize) -> Result<Vec<FailedAttempt>, StoreError> {
        self.read("list failed attempts", move |connection| {
            // Of the newest alone, which the key has in their order: there may be millions.
            const SQL: &str = "select a.id, a.task_id, a.outcome, a.fault, l.text \
                from (select id, task_id, outcome, fault from attempts order by id desc limit 5000) a \
                left join attempt_logs l on l.attempt_id = a.id \
                where a.outcome in ('failed', 'crashed', 'lost') order by a.id desc limit :limit";
            let mut statement = connection.prepare_cached(SQL)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = statement.query_map(named_params! { ":limit": limit }, |row| {
                Ok(FailedAttempt {
                    id: row.get(0)?,
                    task: row.get(1)?,
                    outcome: row.get(2)?,
                    fault: row.get(3)?,
                    log: row.get(4)?,
                })
            })?;
            rows.collect::<Result<Vec<_>, _>>().map_err(Into::into)
        })
        .await
    }
}

/// An attempt that did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// Its id.
    pub id: String,
    /// Its task.
    pub task: String,
    /// failed, crashed or lost.
    pub outcome: String,
    /// JSON of its fault.
    pub fault: Option<String>,
    /// Its log.
    pub log: Option<String>,
}
