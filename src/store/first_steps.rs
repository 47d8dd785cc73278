//! What a new installation has of what it needs before it can work for somebody.
//!
//! Guarantees: looks at no more than one row of each table, so it may be asked with every page. Deliberately absent:
//! storages, which the configuration knows.

use super::Store;
use super::error::StoreError;

/// What there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstSteps {
    /// A user who may log in.
    pub user: bool,
    /// An enabled workflow besides those that ship.
    pub workflow: bool,
}

impl Store {
    /// What a new installation has already.
    ///
    /// # Errors
    /// The database failed.
    pub async fn first_steps(&self) -> Result<FirstSteps, StoreError> {
        self.read("look at the first steps", |connection| {
            const SQL: &str = "select exists(select 1 from users where disabled = 0), \
                exists(select 1 from workflows where enabled = 1 and origin <> 'preset')";
            let row = connection.prepare_cached(SQL)?.query_row([], |row| {
                Ok(FirstSteps {
                    user: row.get(0)?,
                    workflow: row.get(1)?,
                })
            })?;
            Ok(row)
        })
        .await
    }
}
