//! Sources that still have to be moved or deleted by their workflow's `after` rule.
//!
//! Guarantees: an entry is made in the transaction that lets its task succeed, and leaves only when the rule was
//! carried out. Deliberately absent: touching sources.

use super::Store;
use super::error::StoreError;
use super::row::Columns;
use crate::base::clock::UtcMs;
use crate::base::ids::TaskId;
use rusqlite::named_params;

impl Store {
    /// Tasks whose rule is due, with the tries made so far. A source that another unfinished task still needs waits.
    pub async fn afters_due(&self, now: UtcMs) -> Result<Vec<(TaskId, u32)>, StoreError> {
        const SQL: &str = "select a.task_id, a.tries from task_afters a join tasks t on t.id = a.task_id \
            where a.not_before_ms <= ?1 and not exists (select 1 from tasks other where other.media_id = t.media_id \
              and other.status in ('Init', 'Processing')) limit 64";
        self.read("look for sources to move", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([now.0])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push((row.text(0)?.into(), row.count(1)?));
            }
            Ok(found)
        })
        .await
    }

    /// The rule was carried out; dying before this makes it run once more, which adopts what it did.
    pub async fn after_done(&self, task: &TaskId, now: UtcMs) -> Result<(), StoreError> {
        // The source went by our own hand: nobody who counts objects needs to miss it.
        const GONE: &str = "update arrivals as a set gone_ms = :now from tasks t join media m on m.id = t.media_id \
            join storages s on s.name = m.storage where t.id = :id and a.storage = s.id and a.key = m.key \
            and a.size_bytes = m.size_bytes and a.mtime_ns = m.mtime_ns and a.etag = m.etag";
        let task = task.clone();
        self.write("note a moved source", move |connection| {
            connection.execute("delete from task_afters where task_id = ?1", [task.as_str()])?;
            let named = named_params! { ":now": now.0, ":id": task.as_str() };
            connection.execute("update tasks set after_ms = :now where id = :id", named)?;
            connection.execute(GONE, named)?;
            Ok(())
        })
        .await
    }

    /// The rule failed; it is tried again at `not_before`, or never when that is none.
    pub async fn after_failed(&self, task: &TaskId, not_before: Option<UtcMs>) -> Result<(), StoreError> {
        const AGAIN: &str = "update task_afters set tries = tries + 1, not_before_ms = ?2 where task_id = ?1";
        let task = task.clone();
        self.write("put off moving a source", move |connection| {
            match not_before {
                Some(at) => connection.execute(AGAIN, rusqlite::params![task.as_str(), at.0])?,
                None => connection.execute("delete from task_afters where task_id = ?1", [task.as_str()])?,
            };
            Ok(())
        })
        .await
    }
}
