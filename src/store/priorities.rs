//! The priority of a task that has not ended, changed by a person.
//!
//! Guarantees: the task and all its jobs change in one transaction, so the queues never disagree with what is shown; what
//! the task was started with is kept, so that its Idempotency-Key still answers. Deliberately absent: what runs already,
//! which is not interrupted.

use super::Store;
use super::error::StoreError;
use super::tasks::task_row;
use crate::base::ids::TaskId;
use rusqlite::named_params;

impl Store {
    /// Gives a task another priority; the one it had. Ring the scheduler's bell afterwards.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it has ended; the database failed.
    pub async fn prioritize(&self, task: &TaskId, priority: i64) -> Result<i64, StoreError> {
        const TASK: &str = "update tasks set priority = :priority, overrides = case \
            when json_extract(overrides, '$.first_priority') is not null then overrides \
            else json_set(coalesce(overrides, '{}'), '$.first_priority', priority) end where id = :task";
        const JOBS: &str = "update jobs set priority = :priority where task_id = :task";
        let task = task.clone();
        self.write("change the priority of a task", move |connection| {
            let row = task_row(connection, &task)?;
            if row.status.ended() {
                return Err(StoreError::Conflict(format!(
                    "task {task} has ended, and what has ended waits for nothing"
                )));
            }
            if row.priority != priority {
                for sql in [TASK, JOBS] {
                    let mut statement = connection.prepare_cached(sql)?;
                    statement.execute(named_params! { ":priority": priority, ":task": task.as_str() })?;
                }
            }
            Ok(row.priority)
        })
        .await
    }
}
