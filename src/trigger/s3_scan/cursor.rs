//! What a listing of a bucket must remember over a restart (`storages.cursor`).
//!
//! Guarantees: one that cannot be read is as if there were none: everything is listed anew, and what settled settles no
//! second time. Deliberately absent: objects; those are in the ledger.

use crate::trigger::s3_scan::needs::Needs;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;

/// What is remembered of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cursor {
    /// What is listed, and what of it had its baseline.
    pub needs: Needs,
    /// Where the listing under way is; none: none is.
    pub listing: Option<Place>,
    /// The last key beneath each prefix whose keys only grow.
    pub last_keys: BTreeMap<String, String>,
    /// When everything was last listed, those prefixes too, milliseconds since 1970.
    pub whole_ms: i64,
}

/// A place in a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// When the listing began, milliseconds since 1970.
    pub begun_ms: i64,
    /// The prefix it is in.
    pub prefix: String,
    /// The last key that was dealt with; none: nothing of this prefix was.
    pub after: Option<String>,
}

impl Cursor {
    /// Reads what was kept.
    pub fn read(text: Option<&str>) -> Self {
        let Some(text) = text else {
            return Cursor::default();
        };
        serde_json::from_str(text).unwrap_or_else(|error| {
            tracing::warn!(%error, "where a listing was cannot be read; it begins anew");
            Cursor::default()
        })
    }

    /// As it is kept.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("maps of texts and numbers become JSON")
    }

    /// The last key of the prefix whose keys only grow and that `key` lies in, where it lies behind `key`.
    pub fn jump(&self, key: &str) -> Option<&str> {
        let over = self
            .last_keys
            .iter()
            .filter(|(prefix, _)| key.starts_with(prefix.as_str()));
        let last = over.map(|(_, last)| last.as_str()).max()?;
        (last > key).then_some(last)
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;
    use super::Place;

    #[test]
    fn what_is_kept_is_read_and_what_is_not_readable_begins_anew() {
        let mut cursor = Cursor::default();
        cursor.needs.need(&["in/".to_owned()], 5, 5);
        cursor.listing = Some(Place {
            begun_ms: 5,
            prefix: "in/".to_owned(),
            after: Some("in/k".to_owned()),
        });
        cursor.last_keys.insert("in/".to_owned(), "in/z".to_owned());
        assert_eq!(Cursor::read(Some(&cursor.text())), cursor);
        assert_eq!(Cursor::read(Some("?")), Cursor::default());
        assert_eq!(Cursor::read(None), Cursor::default());
        assert_eq!(cursor.jump("in/k"), Some("in/z"));
        assert_eq!((cursor.jump("in/z"), cursor.jump("out/a")), (None, None));
    }
}
