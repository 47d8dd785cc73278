//! How large the database is, and in which form.
//!
//! Guarantees: cheap: pages are counted by SQLite, and rows of a few tables. Deliberately absent: an integrity check.

use super::Store;
use super::error::StoreError;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Tables whose rows tell how much there is.
const TABLES: [&str; 11] = [
    "arrivals",
    "media",
    "workflows",
    "tasks",
    "jobs",
    "attempts",
    "outputs",
    "events",
    "deliveries",
    "alerts",
    "audit",
];

impl Store {
    /// Form, pages and rows.
    ///
    /// # Errors
    /// The database failed.
    pub async fn anatomy(&self) -> Result<Value, StoreError> {
        self.read("measure the database", |connection| {
            let pragma = |name: &str| -> Result<i64, StoreError> {
                Ok(connection.query_row(&format!("pragma {name}"), [], |row| row.get(0))?)
            };
            let (pages, page_bytes) = (pragma("page_count")?, pragma("page_size")?);
            let mut rows = Map::new();
            for table in TABLES {
                let count: i64 =
                    connection.query_row(&format!("select count(*) from {table}"), [], |row| row.get(0))?;
                rows.insert(table.to_owned(), count.into());
            }
            Ok(json!({
                "form": pragma("user_version")?, "size_bytes": pages * page_bytes,
                "free_bytes": pragma("freelist_count")? * page_bytes, "rows": rows,
                "sqlite": rusqlite::version(),
            }))
        })
        .await
    }
}
