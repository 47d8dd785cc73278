//! Reading columns as the types they hold.
//!
//! Guarantees: what a row cannot mean is an error that says which column and what stood there. Deliberately absent:
//! statements.

use super::error::StoreError;
use crate::base::clock::UtcMs;
use rusqlite::Row;
use serde::de::DeserializeOwned;

/// Typed access to the columns of a row, by position.
pub(super) trait Columns {
    /// Text.
    fn text(&self, at: usize) -> Result<String, StoreError>;
    /// A time in milliseconds.
    fn time(&self, at: usize) -> Result<UtcMs, StoreError>;
    /// A time that may be null.
    fn maybe_time(&self, at: usize) -> Result<Option<UtcMs>, StoreError>;
    /// A size in bytes.
    fn size(&self, at: usize) -> Result<u64, StoreError>;
    /// A small count.
    fn count(&self, at: usize) -> Result<u32, StoreError>;
    /// JSON that may be null.
    fn json<T: DeserializeOwned>(&self, at: usize) -> Result<Option<T>, StoreError>;
    /// JSON that may not.
    fn whole<T: DeserializeOwned>(&self, at: usize) -> Result<T, StoreError>;
    /// A word of a closed list.
    fn word<T>(&self, at: usize, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError>;
}

impl Columns for Row<'_> {
    fn text(&self, at: usize) -> Result<String, StoreError> {
        Ok(self.get(at)?)
    }

    fn time(&self, at: usize) -> Result<UtcMs, StoreError> {
        Ok(UtcMs(self.get(at)?))
    }

    fn maybe_time(&self, at: usize) -> Result<Option<UtcMs>, StoreError> {
        Ok(self.get::<_, Option<i64>>(at)?.map(UtcMs))
    }

    fn size(&self, at: usize) -> Result<u64, StoreError> {
        let size: i64 = self.get(at)?;
        u64::try_from(size).map_err(|_| StoreError::unreadable(format!("column {at} is a size of {size}")))
    }

    fn count(&self, at: usize) -> Result<u32, StoreError> {
        let count: i64 = self.get(at)?;
        u32::try_from(count).map_err(|_| StoreError::unreadable(format!("column {at} is a count of {count}")))
    }

    fn json<T: DeserializeOwned>(&self, at: usize) -> Result<Option<T>, StoreError> {
        match self.get_ref(at)?.as_str_or_null().map_err(rusqlite::Error::from)? {
            None => Ok(None),
            Some(text) => serde_json::from_str(text)
                .map(Some)
                .map_err(|error| StoreError::unreadable(format!("column {at}: {error}"))),
        }
    }

    fn whole<T: DeserializeOwned>(&self, at: usize) -> Result<T, StoreError> {
        self.json(at)?
            .ok_or_else(|| StoreError::unreadable(format!("column {at} is null")))
    }

    fn word<T>(&self, at: usize, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        let word = self.text(at)?;
        parse(&word).ok_or_else(|| StoreError::unreadable(format!("column {at} is {word:?}")))
    }
}

/// Reads a word that serde spells, `transcode`.
pub(super) fn serde_word<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}
