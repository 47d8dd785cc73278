//! Writing events, in the transaction of the change they tell.
//!
//! Guarantees: [`announce`] is called with the connection of that transaction, so the event exists if and only if
//! the change committed. Deliberately absent: reading and dispatching events (`events`, `deliveries`).

use super::error::StoreError;
use crate::events::Event;
use crate::workflow::resolved::CallbackRule;
use rusqlite::Connection;
use rusqlite::named_params;

/// Writes `event` for whom `rule` names. The event's id must be fresh: the same id twice is refused.
pub(crate) fn announce(connection: &Connection, event: &Event, rule: &CallbackRule) -> Result<(), StoreError> {
    const SQL: &str = "insert into events (id, task_id, media_id, job_id, type, at_ms, body, callback) \
        values (:id, :task, :media, :job, :type, :at, :body, :callback)";
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":id": event.id.as_str(),
        ":task": event.task.as_ref().map_or("", |task| task.id.as_str()),
        ":media": event.media.as_ref().map_or("", |media| media.id.as_str()),
        ":job": event.job.as_ref().map(|job| job.id.as_str()),
        ":type": event.event_type().as_str(),
        ":at": event.at.0,
        ":body": serde_json::to_string(event)?,
        ":callback": serde_json::to_string(rule)?,
    })?;
    Ok(())
}
