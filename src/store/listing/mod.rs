//! Reading for people and their programs: pages of tasks, media, events, and one of each with all that belongs to it.
//!
//! Guarantees: pages are read by key, newest first, at the same cost wherever they lie; nothing here changes a row.
//! Deliberately absent: what the loops of the daemon read, which stands with their families.

pub mod arrivals;
pub mod media;
pub mod outputs;
pub mod reviews;
mod task_pages;
pub mod tasks;

use super::error::StoreError;
use crate::base::clock::UtcMs;
use rusqlite::Row;
use rusqlite::ToSql;
use rusqlite::types::FromSql;
use serde::de::DeserializeOwned;

/// The conditions of one query, grown from filters that may be absent. Absent ones leave no trace in the SQL, so
/// that the index for the present ones is used.
#[derive(Default)]
struct Conditions {
    sql: String,
    values: Vec<Box<dyn ToSql + Send>>,
}

impl Conditions {
    /// Adds `condition`, in which each `?` is `value`, when there is a value.
    fn when<V: ToSql + Send + Clone + 'static>(&mut self, condition: &str, value: Option<V>) {
        let Some(value) = value else { return };
        self.sql.push_str(if self.sql.is_empty() { " where " } else { " and " });
        for piece in condition.split_inclusive('?') {
            self.sql.push_str(piece);
            if piece.ends_with('?') {
                self.values.push(Box::new(value.clone()));
            }
        }
    }

    /// Adds a condition with a value for each `?`.
    fn when_all(&mut self, condition: &str, values: Vec<String>) {
        self.always(condition);
        self.values
            .extend(values.into_iter().map(|value| Box::new(value) as Box<dyn ToSql + Send>));
    }

    /// Adds a condition without a value.
    fn always(&mut self, condition: &str) {
        self.sql.push_str(if self.sql.is_empty() { " where " } else { " and " });
        self.sql.push_str(condition);
    }

    /// Adds all of another's.
    fn add(&mut self, other: Conditions) {
        if let Some(rest) = other.sql.strip_prefix(" where ") {
            self.always(rest);
        }
        self.values.extend(other.values);
    }

    /// The values in their order.
    fn values(&self) -> impl Iterator<Item = &dyn ToSql> {
        self.values.iter().map(|value| value.as_ref() as &dyn ToSql)
    }
}

/// The pattern that finds `text` anywhere, for `like ? escape '\'`.
fn containing(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// A column that holds a time.
fn time(row: &Row<'_>, column: &str) -> Result<UtcMs, StoreError> {
    Ok(UtcMs(row.get(column)?))
}

/// A column that may hold a time.
fn time_or_none(row: &Row<'_>, column: &str) -> Result<Option<UtcMs>, StoreError> {
    Ok(row.get::<_, Option<i64>>(column)?.map(UtcMs))
}

/// A column that may hold JSON.
fn json_or_none<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<Option<T>, StoreError> {
    let text: Option<String> = row.get(column)?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// A column that holds a word of a closed list.
fn word<T>(row: &Row<'_>, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
    let text: String = row.get(column)?;
    parse(&text).ok_or_else(|| StoreError::unreadable(format!("{column} {text}")))
}

/// A count of bytes.
fn bytes(row: &Row<'_>, column: &str) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

/// All rows of a query.
fn collect<T>(
    mut rows: rusqlite::Rows<'_>,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

/// The only row of a query for the `noun` with this id.
fn only<T>(
    mut rows: rusqlite::Rows<'_>,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    noun: &'static str,
    id: &str,
) -> Result<T, StoreError> {
    match rows.next()? {
        Some(row) => read(row),
        None => Err(StoreError::not_found(noun, id)),
    }
}

/// A value of a row by name, of any type SQLite knows.
fn plain<T: FromSql>(row: &Row<'_>, column: &str) -> Result<T, StoreError> {
    Ok(row.get(column)?)
}
