//! Numbers by the minute, for graphs.
//!
//! Guarantees: one value a name and minute; a history is read as a bounded number of points, each with the mean, the
//! lowest and the highest of its span. Deliberately absent: what is measured.

use super::Store;
use super::error::StoreError;
use super::row::Columns as _;
use crate::base::clock::UtcMs;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::named_params;

/// One span of a history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Begin of the span.
    pub at: UtcMs,
    /// Mean of its values.
    pub mean: f64,
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
}

/// The newest value of a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Newest {
    /// What was measured.
    pub name: String,
    /// Begin of its minute.
    pub at: UtcMs,
    /// The value.
    pub value: f64,
}

/// The first name after `after`; found by a step of the index, however many rows a name has.
pub(super) fn next_name(connection: &Connection, after: &str) -> Result<Option<String>, StoreError> {
    const SQL: &str = "select name from gauges where name > :after order by name limit 1";
    Ok(connection
        .prepare_cached(SQL)?
        .query_row(named_params! { ":after": after }, |row| row.get(0))
        .optional()?)
}

impl Store {
    /// Keeps what was measured in the minute that begins at `minute`; later values of the same minute replace earlier
    /// ones. If the process dies before the answer all of them are kept or none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_gauges(&self, minute: UtcMs, values: Vec<(String, f64)>) -> Result<(), StoreError> {
        self.write("keep gauges", move |connection| {
            const SQL: &str = "insert into gauges (name, at_ms, value) values (:name, :at, :value) \
                on conflict (name, at_ms) do update set value = excluded.value";
            let mut statement = connection.prepare_cached(SQL)?;
            for (name, value) in values.iter().filter(|(_, value)| value.is_finite()) {
                statement.execute(named_params! { ":name": name, ":at": minute.0, ":value": value })?;
            }
            Ok(())
        })
        .await
    }

    /// The values of `name` in `from..to`, drawn together into spans of `step_ms`; oldest first, at most `limit` spans.
    ///
    /// # Errors
    /// The database failed.
    pub async fn gauge_history(
        &self,
        name: &str,
        from: UtcMs,
        to: UtcMs,
        step_ms: i64,
        limit: usize,
    ) -> Result<Vec<Point>, StoreError> {
        let name = name.to_owned();
        self.read("read a history", move |connection| {
            const SQL: &str = "select (at_ms / :step) * :step as span, avg(value), min(value), max(value) from gauges \
                where name = :name and at_ms >= :from and at_ms < :to group by span order by span limit :limit";
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query(named_params! {
                ":step": step_ms.max(1), ":name": name, ":from": from.0, ":to": to.0,
                ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
            })?;
            let mut points = Vec::new();
            while let Some(row) = rows.next()? {
                points.push(Point {
                    at: row.time(0)?,
                    mean: row.get(1)?,
                    min: row.get(2)?,
                    max: row.get(3)?,
                });
            }
            Ok(points)
        })
        .await
    }

    /// Every name that has values, with its newest one; at most `limit`, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn newest_gauges(&self, after: &str, limit: usize) -> Result<Vec<Newest>, StoreError> {
        let mut after = after.to_owned();
        self.read("list gauges", move |connection| {
            const SQL: &str = "select at_ms, value from gauges where name = :name order by at_ms desc limit 1";
            let mut newest = Vec::new();
            while newest.len() < limit
                && let Some(name) = next_name(connection, &after)?
            {
                let (at, value) = connection
                    .prepare_cached(SQL)?
                    .query_row(named_params! { ":name": name }, |row| Ok((row.get(0)?, row.get(1)?)))?;
                after.clone_from(&name);
                newest.push(Newest {
                    name,
                    at: UtcMs(at),
                    value,
                });
            }
            Ok(newest)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use crate::base::clock::UtcMs;
    use crate::store::Store;

    #[tokio::test]
    async fn a_history_is_drawn_together_and_bounded() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("state.db")).expect("opens");
        for minute in 0..10_i64 {
            let at = UtcMs(minute * 60_000);
            let values = vec![("a".to_owned(), minute as f64), ("b".to_owned(), f64::NAN)];
            store.keep_gauges(at, values).await.expect("kept");
        }
        let points = store
            .gauge_history("a", UtcMs(60_000), UtcMs(540_000), 300_000, 100)
            .await
            .expect("reads");
        let drawn: Vec<_> = points
            .iter()
            .map(|point| (point.at.0, point.mean, point.min, point.max))
            .collect();
        assert_eq!(drawn, [(0, 2.5, 1.0, 4.0), (300_000, 6.5, 5.0, 8.0)]);
        let one = store.gauge_history("a", UtcMs(0), UtcMs(540_000), 60_000, 1).await;
        assert_eq!(one.expect("reads").len(), 1);
        let newest = store.newest_gauges("", 10).await.expect("reads");
        assert_eq!(newest.len(), 1, "what is no number is not kept");
        assert_eq!((newest[0].at, newest[0].value), (UtcMs(540_000), 9.0));
    }
}
