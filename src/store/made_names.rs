//! Names of the storages and destinations that people made while the program ran: what workflow files may name besides
//! the configuration.
//!
//! Guarantees: no key is opened for it. Deliberately absent: their definitions (`made_storages`, `destinations`).

use super::Store;
use super::error::StoreError;
use rusqlite::Connection;
use rusqlite::OpenFlags;
use std::path::Path;

/// The names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MadeNames {
    /// Of storages, ascending.
    pub storages: Vec<String>,
    /// Of destinations, ascending.
    pub destinations: Vec<String>,
}

impl Store {
    /// The names of what was made.
    ///
    /// # Errors
    /// The database failed.
    pub async fn made_names(&self) -> Result<MadeNames, StoreError> {
        self.read("list what was made", read_all).await
    }
}

/// The names in the database at `path`, which may be another process's: for `check`. None: there is no database yet, or it
/// is not of this program's form.
pub fn of_database(path: &Path) -> Option<MadeNames> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).ok()?;
    read_all(&connection).ok()
}

fn read_all(connection: &Connection) -> Result<MadeNames, StoreError> {
    const STORAGES: &str = "select name from storages where definition is not null order by name";
    const DESTINATIONS: &str = "select name from destinations order by name";
    let names = |sql: &str| -> Result<Vec<String>, StoreError> {
        let mut statement = connection.prepare_cached(sql)?;
        let names = statement.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    };
    Ok(MadeNames {
        storages: names(STORAGES)?,
        destinations: names(DESTINATIONS)?,
    })
}
