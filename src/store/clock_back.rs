//! What a clock that was set back would spoil: the order of ids, and times of next tries that are suddenly far away.
//!
//! Guarantees: after a host's clock was corrected by hours, lists keep their order, and whatever waits for its next try
//! waits no longer than the longest wait there is. Deliberately absent: noticing it (`daemon::clock_watch`); times that
//! people or definitions chose (reviews, expiries), which stay as they are.

use super::Store;
use super::error::StoreError;
use crate::base::clock::UtcMs;
use crate::base::ids;
use rusqlite::Connection;
use rusqlite::named_params;

/// No next try is planned further ahead: the longest back-off is a quarter of an hour.
const LONGEST_WAIT_MS: i64 = 20 * 60 * 1_000;

/// Families in the order of ids.
const NEWEST: [&str; 6] = [
    "select max(id) from tasks",
    "select max(id) from media",
    "select max(id) from deliveries",
    "select max(id) from reviews",
    "select max(id) from uploads",
    "select max(id) from pulls",
];

/// New ids sort after those that are there, by whatever clock these were made.
pub(super) fn go_on(connection: &Connection) -> Result<(), StoreError> {
    for sql in NEWEST {
        let newest: Option<String> = connection.query_row(sql, [], |row| row.get(0))?;
        ids::go_on_after(newest.as_deref().unwrap_or_default());
    }
    Ok(())
}

impl Store {
    /// Makes due what was to be tried again at a time that is further away than any wait: the clock was set back since.
    /// How many rows it was. Ring the bells of scheduler, callback and inlet afterwards.
    ///
    /// # Errors
    /// The database failed.
    pub async fn clock_was_set_back(&self, now: UtcMs) -> Result<usize, StoreError> {
        // Held deliveries and jobs that wait for somebody have times of other meanings.
        const AGAIN: [&str; 5] = [
            "update deliveries set next_ms = :now where state = 'pending' and next_ms > :far \
                and next_ms < 9223372036854775807",
            "update jobs set not_before_ms = :now where status = 'Init' and not_before_ms > 0 and not_before_ms > :far",
            "update pulls set next_ms = :now where state = 'waiting' and next_ms > :far",
            "update deletions set next_ms = :now where next_ms > :far",
            "update task_afters set not_before_ms = :now where not_before_ms > :far",
        ];
        self.write("bring next tries near", move |connection| {
            let mut rows = 0;
            for sql in AGAIN {
                let named = named_params! { ":now": now.0, ":far": now.plus_ms(LONGEST_WAIT_MS).0 };
                rows += connection.prepare_cached(sql)?.execute(named)?;
            }
            Ok(rows)
        })
        .await
    }
}
