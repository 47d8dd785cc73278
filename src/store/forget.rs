//! Forgetting tasks that ended: their rows go, the files they published stay.
//!
//! Guarantees: only tasks that nothing has to be done for any more; what is still to be delivered is delivered; the
//! identity of every published file is kept (`own_files`), so that it is never taken for somebody's upload. Deliberately
//! absent: which tasks, and files.

use super::Store;
use super::error::StoreError;
use super::listing::tasks::TaskFilter;
use crate::base::ids::TaskId;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::named_params;
use rusqlite::params_from_iter;

/// Rows of files moved by one transaction: an HLS tree of a long film has thousands.
const FILES_AT_ONCE: usize = 2_000;

/// What makes a task one that nothing has to be done for any more; `t` is its row.
pub(super) const SETTLED: &str = "t.status in ('Succeed', 'Failed', 'Canceled') and t.intent is null \
    and not exists (select 1 from task_afters a where a.task_id = t.id) \
    and not exists (select 1 from attempts a where a.task_id = t.id and a.phase <> 'ended') \
    and not exists (select 1 from outputs o join publish_intents i on i.output_id = o.id where o.task_id = t.id)";

/// What one step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// Tasks that are gone.
    pub tasks: usize,
    /// There may be others.
    pub more: bool,
}

impl Store {
    /// Forgets tasks that the filter finds and that have ended, with their events, at most `limit` of them; call it again
    /// while there are more. If the process dies on the way, whole tasks are gone and others not; of one, the list of its
    /// files may be shorter.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_tasks(&self, filter: TaskFilter, limit: usize) -> Result<Forgotten, StoreError> {
        self.write("forget tasks", move |connection| {
            let mut conditions = filter.conditions(connection)?;
            conditions.always(SETTLED);
            let sql = format!(
                "select t.id from tasks t join media m on m.id = t.media_id{} order by t.id desc limit {limit}",
                conditions.sql()
            );
            let found: Vec<String> = connection
                .prepare_cached(&sql)?
                .query_map(params_from_iter(conditions.values()), |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let mut room = FILES_AT_ONCE;
            let mut tasks = 0;
            for task in &found {
                if !forget(connection, task, &mut room)? {
                    break;
                }
                forget_events(connection, task)?;
                tasks += 1;
            }
            Ok(Forgotten {
                tasks,
                more: found.len() == limit || tasks < found.len(),
            })
        })
        .await
    }

    /// Forgets one task that has ended, with its events; false: it had many files, and a further call goes on.
    ///
    /// # Errors
    /// There is no such task, something still has to be done for it, or the database failed.
    pub async fn forget_task(&self, id: &TaskId) -> Result<bool, StoreError> {
        let id = id.clone();
        self.write("forget a task", move |connection| {
            let sql = format!("select {SETTLED} from tasks t where t.id = :id");
            let settled: Option<bool> = connection
                .prepare_cached(&sql)?
                .query_row(named_params! { ":id": id.as_str() }, |row| row.get(0))
                .optional()?;
            match settled {
                Some(true) => {}
                Some(false) => {
                    return Err(StoreError::Conflict(format!(
                        "task {id} has not ended, or something still has to be done for it"
                    )));
                }
                None => return Err(StoreError::not_found("task", id.as_str())),
            }
            let mut room = FILES_AT_ONCE;
            if !forget(connection, id.as_str(), &mut room)? {
                return Ok(false);
            }
            forget_events(connection, id.as_str())?;
            Ok(true)
        })
        .await
    }

    /// Forgets these tasks where nothing has to be done for them any more, in their order, until one transaction has
    /// enough; how many are gone, and how many of the names were looked at. Their events stay as long as events do.
    ///
    /// # Errors
    /// The database failed.
    pub(super) async fn forget_named(&self, ids: Vec<String>) -> Result<(usize, usize), StoreError> {
        self.write("forget old tasks", move |connection| {
            let sql = format!("select exists (select 1 from tasks t where t.id = :id and {SETTLED})");
            let (mut gone, mut looked, mut room) = (0, 0, FILES_AT_ONCE);
            for id in &ids {
                let settled: bool = connection
                    .prepare_cached(&sql)?
                    .query_row(named_params! { ":id": id }, |row| row.get(0))?;
                if settled && !forget(connection, id, &mut room)? {
                    break;
                }
                looked += 1;
                gone += usize::from(settled);
            }
            Ok((gone, looked))
        })
        .await
    }
}

/// Takes a task's rows away; false: it has more files than there is room for, and stays for the next step.
fn forget(connection: &Connection, task: &str, room: &mut usize) -> Result<bool, StoreError> {
    const FILES: &str = "select f.output_id, f.ordinal from outputs o join output_files f on f.output_id = o.id \
        where o.task_id = :task limit :room";
    // A later file under the same key may have been forgotten before: the newest identity stays.
    const KEEP: &str = "insert into own_files (storage, key, size_bytes, mtime_ns, etag) \
        select storage, key, size_bytes, mtime_ns, etag from output_files where output_id = :output and ordinal = :ordinal \
        on conflict (storage, key) do update set size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, \
            etag = excluded.etag where coalesce(excluded.mtime_ns, 0) >= coalesce(own_files.mtime_ns, 0)";
    const DROP: &str = "delete from output_files where output_id = :output and ordinal = :ordinal";
    const TASK: &str = "delete from tasks where id = :task";
    let limit = i64::try_from(*room).unwrap_or(i64::MAX);
    let files: Vec<(String, i64)> = connection
        .prepare_cached(FILES)?
        .query_map(named_params! { ":task": task, ":room": limit }, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    let (mut keep, mut drop) = (connection.prepare_cached(KEEP)?, connection.prepare_cached(DROP)?);
    for (output, ordinal) in &files {
        keep.execute(named_params! { ":output": output, ":ordinal": ordinal })?;
        drop.execute(named_params! { ":output": output, ":ordinal": ordinal })?;
    }
    *room -= files.len();
    if *room == 0 {
        return Ok(false);
    }
    connection
        .prepare_cached(TASK)?
        .execute(named_params! { ":task": task })?;
    Ok(true)
}

/// Takes a forgotten task's events away, but for what is still to be delivered.
fn forget_events(connection: &Connection, task: &str) -> Result<(), StoreError> {
    const DELIVERIES: &str = "delete from deliveries where state <> 'pending' \
        and event_seq in (select seq from events where task_id = :task)";
    const EVENTS: &str = "delete from events where task_id = :task and dispatched = 1 \
        and not exists (select 1 from deliveries d where d.event_seq = events.seq)";
    for sql in [DELIVERIES, EVENTS] {
        connection
            .prepare_cached(sql)?
            .execute(named_params! { ":task": task })?;
    }
    Ok(())
}
