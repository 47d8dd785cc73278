//! Who listens to which events, for those who decide whether one is worth writing.
//!
//! Guarantees: read in the transaction that would write the event. A daemon that starts puts its destinations here before
//! anything runs. Deliberately absent: whom an event is sent to (`callback::dispatch`, which knows the addresses).

use super::Store;
use super::error::StoreError;
use crate::events::listeners::Listeners;
use rusqlite::Connection;
use rusqlite::OptionalExtension;

impl Store {
    /// Keeps who listens; call it at the start and whenever a destination is made, changed or removed. If the process
    /// dies before the commit, the former ones hold until the next start.
    pub async fn keep_listeners(&self, listeners: &Listeners) -> Result<(), StoreError> {
        const SQL: &str = "insert into meta (name, value) values ('listeners', ?1) \
            on conflict (name) do update set value = excluded.value";
        let text = serde_json::to_string(listeners)?;
        self.write("keep listeners", move |connection| {
            connection.prepare_cached(SQL)?.execute([&text])?;
            Ok(())
        })
        .await
    }

    /// Who listens.
    pub async fn listeners(&self) -> Result<Listeners, StoreError> {
        self.read("read listeners", listeners).await
    }
}

/// Who listens.
pub(super) fn listeners(connection: &Connection) -> Result<Listeners, StoreError> {
    const SQL: &str = "select value from meta where name = 'listeners'";
    let text: Option<String> = connection
        .prepare_cached(SQL)?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(match text {
        Some(text) => serde_json::from_str(&text)?,
        None => Listeners::default(),
    })
}
