//! Who did what by hand.
//!
//! Guarantees: rows are only added, and go only when they are old; lists are read by index, newest first. Deliberately
//! absent: secrets and whole requests; a row names the deed, its object, and what became otherwise.

use super::Store;
use super::error::StoreError;
use super::row::Columns as _;
use crate::base::clock::UtcMs;
use rusqlite::ToSql;
use rusqlite::named_params;
use serde_json::Value;

/// One deed.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// Order in which deeds were noted.
    pub seq: i64,
    /// When.
    pub at: UtcMs,
    /// Name of the user, token or access key.
    pub who: String,
    /// `task.cancel`, `workflow.apply`, ...
    pub verb: String,
    /// Id or name of its object.
    pub subject: String,
    /// What became otherwise.
    pub detail: Option<Value>,
}

/// Which deeds a list shows; all that are given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeedFilter {
    /// By whom.
    pub who: Option<String>,
    /// The verb; one that ends with a dot stands for all that begin with it.
    pub verb: Option<String>,
    /// On what.
    pub subject: Option<String>,
    /// Not before.
    pub from: Option<UtcMs>,
    /// Before.
    pub to: Option<UtcMs>,
}

impl Store {
    /// Adds a row. If the process dies before the answer it may be missing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn note_by_hand(
        &self,
        who: &str,
        verb: &str,
        subject: &str,
        detail: Option<&Value>,
        now: UtcMs,
    ) -> Result<(), StoreError> {
        let (who, verb, subject) = (who.to_owned(), verb.to_owned(), subject.to_owned());
        let detail = detail.map(Value::to_string);
        self.write("note a deed", move |connection| {
            const SQL: &str = "insert into audit (at_ms, who, verb, subject, detail) \
                values (:at, :who, :verb, :subject, :detail)";
            connection.prepare_cached(SQL)?.execute(named_params! {
                ":at": now.0, ":who": who, ":verb": verb, ":subject": subject, ":detail": detail,
            })?;
            Ok(())
        })
        .await
    }

    /// Deeds that match, newest first, from below `before` on; at most `limit`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn deeds(&self, filter: DeedFilter, before: Option<i64>, limit: usize) -> Result<Vec<Deed>, StoreError> {
        self.read("list deeds", move |connection| {
            let before = before.unwrap_or(i64::MAX);
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut sql = "select seq, at_ms, who, verb, subject, detail from audit where seq < :before".to_owned();
            let mut values: Vec<(&str, &dyn ToSql)> = vec![(":before", &before), (":limit", &limit)];
            if let Some(who) = &filter.who {
                sql.push_str(" and who = :who");
                values.push((":who", who));
            }
            if let Some(subject) = &filter.subject {
                sql.push_str(" and subject = :subject");
                values.push((":subject", subject));
            }
            // All verbs that begin with "task." lie between it and the same with the next character, '/'.
            let group = filter.verb.as_ref().and_then(|verb| verb.strip_suffix('.'));
            let beyond = group.map(|group| format!("{group}/"));
            if let Some(verb) = &filter.verb {
                match &beyond {
                    Some(beyond) => {
                        sql.push_str(" and verb >= :verb and verb < :beyond");
                        values.push((":beyond", beyond));
                    }
                    None => sql.push_str(" and verb = :verb"),
                }
                values.push((":verb", verb));
            }
            let (from, to) = (filter.from.map(|at| at.0), filter.to.map(|at| at.0));
            if let Some(from) = &from {
                sql.push_str(" and at_ms >= :from");
                values.push((":from", from));
            }
            if let Some(to) = &to {
                sql.push_str(" and at_ms < :to");
                values.push((":to", to));
            }
            sql.push_str(" order by seq desc limit :limit");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(values.as_slice())?;
            let mut deeds = Vec::new();
            while let Some(row) = rows.next()? {
                deeds.push(Deed {
                    seq: row.get(0)?,
                    at: row.time(1)?,
                    who: row.text(2)?,
                    verb: row.text(3)?,
                    subject: row.text(4)?,
                    detail: row.json(5)?,
                });
            }
            Ok(deeds)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::DeedFilter;
    use crate::base::clock::UtcMs;
    use crate::store::Store;
    use serde_json::json;

    #[tokio::test]
    async fn deeds_are_found_by_every_filter() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("state.db")).expect("opens");
        for (who, verb, subject, at) in [
            ("anna", "task.start", "t1", 10),
            ("otto", "task.cancel", "t1", 20),
            ("anna", "taskless", "t2", 30),
        ] {
            let detail = json!({ "at": at });
            store
                .note_by_hand(who, verb, subject, Some(&detail), UtcMs(at))
                .await
                .expect("noted");
        }
        let filter = DeedFilter::default;
        let cases = [
            (filter(), vec![30, 20, 10]),
            (
                DeedFilter {
                    who: Some("anna".to_owned()),
                    ..filter()
                },
                vec![30, 10],
            ),
            (
                DeedFilter {
                    verb: Some("task.".to_owned()),
                    ..filter()
                },
                vec![20, 10],
            ),
            (
                DeedFilter {
                    verb: Some("task.cancel".to_owned()),
                    ..filter()
                },
                vec![20],
            ),
            (
                DeedFilter {
                    subject: Some("t1".to_owned()),
                    ..filter()
                },
                vec![20, 10],
            ),
            (
                DeedFilter {
                    from: Some(UtcMs(20)),
                    to: Some(UtcMs(30)),
                    ..filter()
                },
                vec![20],
            ),
        ];
        for (filter, expected) in cases {
            let found = store.deeds(filter.clone(), None, 10).await.expect("reads");
            let at: Vec<i64> = found.iter().map(|deed| deed.at.0).collect();
            assert_eq!(at, expected, "{filter:?}");
        }
        let page = store.deeds(filter(), Some(3), 1).await.expect("reads");
        assert_eq!((page.len(), page[0].at), (1, UtcMs(20)));
        assert_eq!(page[0].detail, Some(json!({ "at": 20 })));
    }
}
