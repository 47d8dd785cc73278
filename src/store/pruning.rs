//! Taking old rows away, a small step at a time.
//!
//! A step reads some keys in their order, then removes those that may go, in one short transaction; the caller pauses in
//! between. Guarantees: an object that is still there is never forgotten (the ledger of arrivals is not touched here, and
//! `own_files` and media stay until the ledger says otherwise); what is still to be delivered or done stays; the newest
//! delivery of a task to a destination stays as long as the task, so that its numbers go on. Deliberately absent: how old
//! is old, and when to do it.

use super::Store;
use super::error::StoreError;
use super::gauges::next_name;
use crate::base::clock::UtcMs;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::named_params;

#[cfg(test)]
mod tests;

/// Keys looked at by one step.
const STEP: i64 = 200;
/// Tasks forgotten by one step; each has some fifty rows.
const TASKS: usize = 25;
/// Gauges removed by one step.
const GAUGES: i64 = 2_000;

/// A kind of rows that grow old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Tasks that ended, with their jobs, attempts, outputs and reviews.
    Tasks,
    /// Deliveries that were accepted.
    Deliveries,
    /// Events that were told, with their deliveries.
    Events,
    /// Deeds.
    Audit,
    /// Numbers for graphs.
    Gauges,
    /// Uploads that ended.
    Uploads,
    /// Pulls that ended.
    Pulls,
    /// Alerts that are over.
    Alerts,
    /// Sessions that expired.
    Sessions,
    /// Answers kept for repeated calls.
    Idempotency,
    /// Media that nothing names any more and whose object is gone.
    Media,
    /// Identities of published files that are gone.
    OwnFiles,
}

/// What one step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Rows that are gone.
    pub removed: usize,
    /// Where the next step goes on; none: that was all.
    pub next: Option<String>,
}

/// How the keys of a family are read and removed. `:from` is the last key of the step before, `:bound` the least id of
/// what is too young; the second column says whether the row may go. A removal asks again.
struct Rule {
    read: &'static str,
    remove: &'static str,
}

/// Not the newest of its line to its destination, unless the task or media of that line is forgotten.
macro_rules! not_newest {
    ($d:literal) => {
        concat!(
            "(",
            $d,
            ".seq < (select max(n.seq) from deliveries n where n.lane = ",
            $d,
            ".lane and n.line = ",
            $d,
            ".line) ",
            "or not exists (select 1 from tasks t where t.id = ",
            $d,
            ".line) ",
            "and not exists (select 1 from media m where m.id = ",
            $d,
            ".line))"
        )
    };
}

macro_rules! event_may_go {
    () => {
        concat!(
            "e.dispatched = 1 and e.at_ms < :before and not exists (select 1 from deliveries d where d.event_seq = e.seq ",
            "and (d.state = 'pending' or not ", not_newest!("d"), "))"
        )
    };
}

macro_rules! delivery_may_go {
    () => {
        concat!("d.state = 'done' and d.ended_ms < :before and ", not_newest!("d"))
    };
}

/// Nothing names it, nobody said anything about it, and the ledger of its storage knows another content or none there.
macro_rules! media_may_go {
    () => {
        "not exists (select 1 from tasks t where t.media_id = m.id) \
         and not exists (select 1 from reviews r where r.media_id = m.id) \
         and not exists (select 1 from additions a where a.media_id = m.id) \
         and not exists (select 1 from events e where e.media_id = m.id) \
         and m.created_ms < :before and m.modified_ms < :before \
         and (m.state = 'Deleted' or (m.origin = 'arrival' and m.title = '' and m.description = '' and m.tags = '[]' \
           and m.category is null and (m.cover is null or m.cover_rank < 3) and m.user_data is null \
           and exists (select 1 from storages s where s.name = m.storage and s.baseline_ms is not null \
             and s.frozen is null) \
           and not exists (select 1 from arrivals a join storages s on s.id = a.storage where s.name = m.storage \
             and a.key = m.key and a.size_bytes = m.size_bytes and a.mtime_ns = m.mtime_ns and a.etag = m.etag \
             and a.gone_ms is null)))"
    };
}

/// The ledger met its key later, gone or with another content.
macro_rules! own_file_may_go {
    () => {
        "exists (select 1 from arrivals a join storages s on s.id = a.storage where s.name = f.storage and a.key = f.key \
         and (a.gone_ms is not null or a.size_bytes <> f.size_bytes \
           or (f.mtime_ns is not null and a.mtime_ns <> f.mtime_ns) or (f.etag is not null and a.etag <> f.etag)))"
    };
}

impl Family {
    fn rule(self) -> Option<Rule> {
        Some(match self {
            // These two have steps of their own.
            Family::Tasks | Family::Gauges => return None,
            Family::Deliveries => Rule {
                read: concat!(
                    "select d.id, ",
                    delivery_may_go!(),
                    " from deliveries d where d.id > :from and d.id < :bound order by d.id limit :step"
                ),
                remove: concat!("delete from deliveries as d where d.id = :key and ", delivery_may_go!()),
            },
            Family::Events => Rule {
                read: concat!(
                    "select e.id, ",
                    event_may_go!(),
                    " from events e where e.id > :from and e.id < :bound order by e.id limit :step"
                ),
                remove: concat!("delete from events as e where e.id = :key and ", event_may_go!()),
            },
            Family::Audit => Rule {
                // Numbers of one width sort as they count.
                read: "select printf('%020d', seq), at_ms < :before from audit \
                    where seq > cast(:from as integer) and :bound is not null order by seq limit :step",
                remove: "delete from audit where seq = cast(:key as integer) and at_ms < :before",
            },
            Family::Uploads => Rule {
                read: "select id, state in ('done', 'failed', 'canceled') and ended_ms < :before from uploads \
                    where id > :from and id < :bound order by id limit :step",
                remove: "delete from uploads where id = :key and ended_ms < :before",
            },
            Family::Pulls => Rule {
                read: "select id, state in ('done', 'failed', 'canceled') and ended_ms < :before from pulls \
                    where id > :from and id < :bound order by id limit :step",
                remove: "delete from pulls where id = :key and ended_ms < :before",
            },
            Family::Alerts => Rule {
                read: "select id, coalesce(cleared_ms < :before, 0) from alerts \
                    where id > :from and id < :bound order by id limit :step",
                remove: "delete from alerts where id = :key and cleared_ms < :before",
            },
            Family::Sessions => Rule {
                read: "select sha256, expires_ms < :before from sessions \
                    where sha256 > :from and :bound is not null order by sha256 limit :step",
                remove: "delete from sessions where sha256 = :key and expires_ms < :before",
            },
            Family::Idempotency => Rule {
                read: "select key, created_ms < :before from idempotency \
                    where key > :from and :bound is not null order by key limit :step",
                remove: "delete from idempotency where key = :key and created_ms < :before",
            },
            Family::Media => Rule {
                read: concat!(
                    "select m.id, ",
                    media_may_go!(),
                    " from media m where m.id > :from and m.id < :bound order by m.id limit :step"
                ),
                remove: concat!(
                    "delete from media as m where m.id = :key and ",
                    media_may_go!(),
                    " returning search_row"
                ),
            },
            Family::OwnFiles => Rule {
                read: concat!(
                    "select f.storage || ':' || f.key, ",
                    own_file_may_go!(),
                    " and :before is not null from own_files f ",
                    "where (f.storage, f.key) > (substr(:from, 1, instr(:from, ':') - 1), ",
                    "substr(:from, instr(:from, ':') + 1)) and :bound is not null ",
                    "order by f.storage, f.key limit :step"
                ),
                remove: concat!(
                    "delete from own_files as f where f.storage = substr(:key, 1, instr(:key, ':') - 1) ",
                    "and f.key = substr(:key, instr(:key, ':') + 1) and :before is not null and ",
                    own_file_may_go!()
                ),
            },
        })
    }
}

/// The least id that can have been made at `at`: ids begin with their time.
fn bound(at: UtcMs) -> String {
    format!("{:012x}", at.0.max(0))
}

/// Keys of one step, with whether each may go.
fn read(connection: &Connection, sql: &str, before: UtcMs, from: &str) -> Result<Vec<(String, bool)>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(
        named_params! { ":from": from, ":bound": bound(before), ":before": before.0, ":step": STEP },
        |row| Ok((row.get(0)?, row.get::<_, Option<bool>>(1)?.unwrap_or(false))),
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Store {
    /// One step through what of `family` is older than `before`, after the key `from` (empty: from the begin). If the
    /// process dies, some rows are gone and others not; the next round finishes.
    ///
    /// # Errors
    /// The database failed.
    pub async fn prune(&self, family: Family, before: UtcMs, from: &str) -> Result<Step, StoreError> {
        match family {
            Family::Tasks => self.prune_tasks(before, from).await,
            Family::Gauges => self.prune_gauges(before, from).await,
            _ => self.prune_rows(family, before, from).await,
        }
    }

    async fn prune_rows(&self, family: Family, before: UtcMs, from: &str) -> Result<Step, StoreError> {
        let rule = family.rule().expect("only tasks and gauges have none");
        let from = from.to_owned();
        let keys = self
            .read("look for old rows", move |connection| {
                read(connection, rule.read, before, &from)
            })
            .await?;
        let next = next_of(&keys);
        let old: Vec<String> = keys.into_iter().filter(|(_, old)| *old).map(|(key, _)| key).collect();
        let removed = if old.is_empty() {
            0
        } else {
            self.write("remove old rows", move |connection| {
                let mut removed = 0;
                for key in &old {
                    let named = named_params! { ":key": key, ":before": before.0 };
                    let mut statement = connection.prepare_cached(rule.remove)?;
                    if family == Family::Media {
                        let gone = statement
                            .query_row(named, |row| row.get::<_, Option<i64>>(0))
                            .optional()?;
                        removed += usize::from(gone.is_some());
                        if let Some(Some(row)) = gone {
                            unlist(connection, row)?;
                        }
                    } else {
                        removed += statement.execute(named)?;
                    }
                }
                Ok(removed)
            })
            .await?
        };
        Ok(Step { removed, next })
    }

    async fn prune_tasks(&self, before: UtcMs, from: &str) -> Result<Step, StoreError> {
        const READ: &str = "select id, coalesce(ended_ms < :before, 0) from tasks \
            where id > :from and id < :bound order by id limit :step";
        let from = from.to_owned();
        let begin = from.clone();
        let keys = self
            .read("look for old tasks", move |connection| {
                read(connection, READ, before, &begin)
            })
            .await?;
        let all: Vec<String> = keys
            .iter()
            .filter(|(_, old)| *old)
            .map(|(key, _)| key.clone())
            .collect();
        let some = all[..all.len().min(TASKS)].to_vec();
        let (removed, looked) = match some.is_empty() {
            true => (0, 0),
            false => self.forget_named(some).await?,
        };
        let next = if looked == all.len() {
            next_of(&keys)
        } else {
            // The step had enough: the next one begins after what it came to.
            Some(looked.checked_sub(1).map_or(from, |last| all[last].clone()))
        };
        Ok(Step { removed, next })
    }

    async fn prune_gauges(&self, before: UtcMs, from: &str) -> Result<Step, StoreError> {
        let from = from.to_owned();
        let name = self
            .read("look for old gauges", move |connection| next_name(connection, &from))
            .await?;
        let Some(name) = name else {
            return Ok(Step { removed: 0, next: None });
        };
        let of = name.clone();
        let removed = self
            .write("remove old gauges", move |connection| {
                const SQL: &str = "delete from gauges where name = :name and at_ms < :before and at_ms < coalesce( \
                    (select at_ms from gauges where name = :name order by at_ms limit 1 offset :step), :before)";
                let named = named_params! { ":name": of, ":before": before.0, ":step": GAUGES };
                Ok(connection.prepare_cached(SQL)?.execute(named)?)
            })
            .await?;
        // While a name has many old ones, the same name again.
        let full = i64::try_from(removed).unwrap_or(0) >= GAUGES;
        let next = if full { before_name(&name) } else { name };
        Ok(Step {
            removed,
            next: Some(next),
        })
    }

    /// Gives up to `pages` free pages of the database file back to the disk, but for some that are soon needed again;
    /// whether there are more.
    ///
    /// # Errors
    /// The database failed.
    pub async fn give_pages_back(&self, pages: u32) -> Result<bool, StoreError> {
        self.write("give free pages back", move |connection| {
            let of = |pragma: &str| -> Result<i64, StoreError> {
                Ok(connection.query_row(&format!("pragma {pragma}"), [], |row| row.get(0))?)
            };
            let spare = |free: i64, all: i64| free - (all / 50).max(1_000);
            if spare(of("freelist_count")?, of("page_count")?) <= 0 {
                return Ok(false);
            }
            let mut statement = connection.prepare(&format!("pragma incremental_vacuum({pages})"))?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            Ok(spare(of("freelist_count")?, of("page_count")?) > 0)
        })
        .await
    }
}

/// Where the next step begins; none when this one did not find a whole step's keys.
fn next_of(keys: &[(String, bool)]) -> Option<String> {
    let whole = i64::try_from(keys.len()).unwrap_or(0) >= STEP;
    keys.last().filter(|_| whole).map(|(key, _)| key.clone())
}

/// A text that sorts right before `name`, so that it is found again.
fn before_name(name: &str) -> String {
    let mut text = name.to_owned();
    // Names of gauges are printable: what sorts right before one is the same without its last character and something small.
    match text.pop() {
        Some(last) => {
            let below = char::from_u32(u32::from(last).saturating_sub(1)).unwrap_or('\u{1}');
            text.push(below);
            text.push(char::MAX);
            text
        }
        None => text,
    }
}

/// Takes the words of a media that is gone out of the search index.
fn unlist(connection: &Connection, row: i64) -> Result<(), StoreError> {
    const SQL: &str = "delete from media_search where rowid = :row";
    connection.prepare_cached(SQL)?.execute(named_params! { ":row": row })?;
    Ok(())
}
