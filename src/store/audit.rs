//! Who did what by hand.
//!
//! Guarantees: rows are only added. Deliberately absent: secrets and whole requests; a row names the deed and its object.

use super::Store;
use super::error::StoreError;
use crate::base::clock::UtcMs;
use rusqlite::named_params;

impl Store {
    /// Adds a row. If the process dies before the answer it may be missing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn note_by_hand(&self, who: &str, verb: &str, subject: &str, now: UtcMs) -> Result<(), StoreError> {
        let (who, verb, subject) = (who.to_owned(), verb.to_owned(), subject.to_owned());
        self.write("note a deed", move |connection| {
            const SQL: &str = "insert into audit (at_ms, who, verb, subject) values (:at, :who, :verb, :subject)";
            connection.prepare_cached(SQL)?.execute(named_params! {
                ":at": now.0, ":who": who, ":verb": verb, ":subject": subject,
            })?;
            Ok(())
        })
        .await
    }
}
