//! Turning settled arrivals into tasks.
//!
//! Guarantees: an arrival is taken and its media, tasks and jobs are made in one transaction, once, whatever dies; an
//! arrival that was replaced meanwhile is left alone. Deliberately absent: the ledger's own writing (`arrivals`) and
//! the rules of selection (`workflow::selector`).

use super::Store;
use super::error::StoreError;
use super::media;
use super::media::Source;
use super::row::Columns;
use super::tasks;
use super::tasks::NewTask;
use super::tasks::Overrides;
use crate::base::clock::UtcMs;
use crate::base::ids::TaskId;
use crate::base::ids::WorkflowId;
use crate::events::Purpose;
use crate::events::TriggerSource;
use crate::objects::uri::ObjectUri;
use crate::workflow::arrival::Member;
use crate::workflow::arrival::Parts;
use crate::workflow::arrival::SidecarOrder;
use crate::workflow::otherwise::Otherwise;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::side_order;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::named_params;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A settled arrival that no intake has looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Its place in the order of arrival; names this identity of the object.
    pub seq: i64,
    /// Object and identity.
    pub source: Source,
    /// It was there before its storage was first watched: only workflows that process existing objects take it.
    pub existing: bool,
}

/// A workflow that runs on an arrival.
#[derive(Debug, Clone)]
pub struct Match {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The version that matched.
    pub version: u32,
    /// What it means.
    pub resolved: Arc<ResolvedWorkflow>,
}

/// An arrival with what was chosen for it.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The arrival.
    pub settled: Settled,
    /// What runs on it.
    pub matches: Vec<Match>,
    /// What the ledger says where nothing does.
    pub why_not: String,
}

/// What an intake did with an arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// These tasks were made.
    Tasks(Vec<TaskId>),
    /// It is one of our own outputs.
    Ours,
    /// Nothing runs on it; the ledger says why not.
    None,
    /// It was replaced, or taken before. Nothing was changed.
    Stale,
}

impl Store {
    /// A file as the source that it stands for: of all files that are one media with it, where it is the first of them and
    /// what it was when they arrived; else of itself.
    pub async fn group_of(&self, alone: Source) -> Result<Source, StoreError> {
        const SQL: &str = "select a.size_bytes, a.mtime_ns, a.etag, p.parts from arrival_parts p \
            join storages s on s.id = p.storage join arrivals a on a.storage = p.storage and a.key = p.key \
            where s.name = :storage and p.key = :key and a.state <> 0";
        self.read("look for what a file stands for", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows =
                statement.query(named_params! { ":storage": alone.object.storage, ":key": alone.object.key })?;
            let Some(row) = rows.next()? else { return Ok(alone) };
            let parts: Parts = row.whole(3)?;
            let is_own = |member: &&Member| {
                member.key == alone.object.key
                    && member.size_bytes == alone.size_bytes
                    && member.mtime_ns == alone.mtime_ns
            };
            if !parts.is_group() || !parts.members.iter().any(|member| is_own(&member)) {
                return Ok(alone);
            }
            Ok(Source {
                size_bytes: row.size(0)?,
                mtime_ns: row.get(1)?,
                etag: row.text(2)?,
                ..alone
            })
        })
        .await
    }

    /// Those of these objects of a storage (key, size, time) that are outputs of ours.
    pub async fn ours_among(&self, storage: &str, seen: Vec<(String, u64, i64)>) -> Result<Vec<String>, StoreError> {
        let storage = storage.to_owned();
        self.read("look for outputs among objects", move |connection| {
            let mut ours = Vec::new();
            for (key, size_bytes, mtime_ns) in seen {
                let source = Source {
                    object: ObjectUri::new(storage.as_str(), key),
                    size_bytes,
                    mtime_ns,
                    etag: String::new(),
                };
                if is_ours(connection, &source)? {
                    ours.push(source.object.key);
                }
            }
            Ok(ours)
        })
        .await
    }

    /// Settled arrivals in their order.
    pub async fn settled_arrivals(&self, limit: u32) -> Result<Vec<Settled>, StoreError> {
        const SQL: &str = "select a.arrival_seq, s.name, a.key, a.size_bytes, a.mtime_ns, a.etag, \
            a.why_not is 'existing' from arrivals a \
            join storages s on s.id = a.storage where a.state = 1 order by a.arrival_seq limit ?1";
        self.read("look for arrivals", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([limit])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(Settled {
                    seq: row.get(0)?,
                    source: Source {
                        object: ObjectUri::new(row.text(1)?, row.text(2)?),
                        size_bytes: row.size(3)?,
                        mtime_ns: row.get(4)?,
                        etag: row.text(5)?,
                    },
                    existing: row.get(6)?,
                });
            }
            Ok(found)
        })
        .await
    }

    /// Takes one arrival: a task for each match that is enabled at this moment, or, without any, its sentence in the
    /// ledger. Our own outputs start nothing.
    pub async fn take_arrival(&self, chosen: Chosen, now: UtcMs) -> Result<Taken, StoreError> {
        self.write("take an arrival", move |connection| take(connection, &chosen, now))
            .await
    }

    /// The same for many in one step, all of them or none: thousands that come at once must not cost a commit for a few
    /// of them. Where it fails they are to be taken one by one.
    pub async fn take_arrivals(&self, chosen: Arc<Vec<Chosen>>, now: UtcMs) -> Result<Vec<Taken>, StoreError> {
        self.write("take arrivals", move |connection| {
            chosen.iter().map(|chosen| take(connection, chosen, now)).collect()
        })
        .await
    }
}

fn take(connection: &Connection, chosen: &Chosen, now: UtcMs) -> Result<Taken, StoreError> {
    let Chosen {
        settled,
        matches,
        why_not,
    } = chosen;
    let Some(existing) = still_settled(connection, settled)? else {
        return Ok(Taken::Stale);
    };
    if is_ours(connection, &settled.source)? {
        note(connection, settled, 3, Some("ours"))?;
        return Ok(Taken::Ours);
    }
    let parts = parts_of(connection, &settled.source.object)?;
    let order = match &parts {
        Some(parts) => serde_json::from_str::<Parts>(parts)?.order.unwrap_or_default(),
        None => SidecarOrder::default(),
    };
    let user_data = side_order::user_data(&order);
    let mut made = Vec::new();
    let mut asked_for = false;
    for found in matches {
        if !enabled(connection, &found.workflow)? || (existing && !found.resolved.source.process_existing) {
            continue;
        }
        if runs_already(connection, &found.workflow, &settled.source)? {
            asked_for = true;
            continue;
        }
        let overrides = overrides_of(&order, &found.resolved);
        let new = NewTask {
            workflow: &found.workflow,
            version: found.version,
            source: &settled.source,
            trigger: TriggerSource::Workflow,
            purpose: Purpose::Run,
            user_data: user_data.as_deref(),
            priority: order.priority.map_or(0, i64::from),
            overrides: &overrides,
            idempotency_key: None,
            arrival_seq: Some(settled.seq),
        };
        made.push(tasks::insert(connection, &new, &found.resolved, now)?);
    }
    if !made.is_empty()
        && let Some(parts) = &parts
    {
        media::keep_parts(connection, &settled.source, parts)?;
    }
    if made.is_empty() && !asked_for {
        note(connection, settled, 3, Some(why_not))?;
        return Ok(Taken::None);
    }
    note(connection, settled, 2, None)?;
    Ok(Taken::Tasks(made))
}

/// What the file beside an object wants otherwise than the workflow says.
fn overrides_of(order: &SidecarOrder, workflow: &ResolvedWorkflow) -> Overrides {
    let activities = side_order::clipped(workflow, order);
    let parameters: BTreeMap<String, Map<String, Value>> = activities
        .iter()
        .filter_map(|activity| {
            let clip = activity.parameters.get("clip")?.clone();
            Some((activity.id.clone(), Map::from_iter([("clip".to_owned(), clip)])))
        })
        .collect();
    let asked = Otherwise {
        parameters,
        ..Otherwise::default()
    };
    Overrides {
        asked: match asked.is_empty() {
            true => Value::Null,
            false => serde_json::to_value(&asked).unwrap_or_default(),
        },
        activities,
        ..Overrides::default()
    }
}

/// Whether the arrival is still to be taken, and if so, whether it was there before the baseline: then only workflows
/// that take existing objects may have it.
fn still_settled(connection: &Connection, settled: &Settled) -> Result<Option<bool>, StoreError> {
    const SQL: &str = "select a.why_not is 'existing' from arrivals a join storages s on s.id = a.storage \
        where s.name = :storage and a.key = :key and a.arrival_seq = :seq and a.state = 1";
    let named = named_params! {
        ":storage": settled.source.object.storage, ":key": settled.source.object.key, ":seq": settled.seq,
    };
    Ok(connection
        .prepare_cached(SQL)?
        .query_row(named, |row| row.get(0))
        .optional()?)
}

/// What the arrival under this key consists of, as JSON of `workflow::arrival::Parts`.
pub(in crate::store) fn parts_of(connection: &Connection, object: &ObjectUri) -> Result<Option<String>, StoreError> {
    const SQL: &str = "select p.parts from arrival_parts p join storages s on s.id = p.storage \
        where s.name = :storage and p.key = :key";
    let named = named_params! { ":storage": object.storage, ":key": object.key };
    Ok(connection
        .prepare_cached(SQL)?
        .query_row(named, |row| row.get(0))
        .optional()?)
}

/// The same of an arrival with exactly this identity.
pub(super) fn parts_of_source(connection: &Connection, source: &Source) -> Result<Option<String>, StoreError> {
    const SQL: &str = "select p.parts from arrival_parts p join storages s on s.id = p.storage \
        join arrivals a on a.storage = p.storage and a.key = p.key where s.name = :storage and p.key = :key \
        and a.size_bytes = :size and a.mtime_ns = :mtime and a.etag = :etag";
    let named = named_params! {
        ":storage": source.object.storage, ":key": source.object.key,
        ":size": i64::try_from(source.size_bytes).unwrap_or(i64::MAX), ":mtime": source.mtime_ns, ":etag": source.etag,
    };
    Ok(connection
        .prepare_cached(SQL)?
        .query_row(named, |row| row.get(0))
        .optional()?)
}

/// Whether the object is an output of ours, with the identity it was published with: its key is reserved right now, or
/// was published and the size is the same, and time and ETag where they are known. What is taken for ours by a
/// reservation alone is looked at again when that ends (`ours`).
fn is_ours(connection: &Connection, source: &Source) -> Result<bool, StoreError> {
    const SQL: &str = "select exists (select 1 from publish_intents where storage = :storage and key = :key \
          and size_bytes = :size and strange = 0) \
        or exists (select 1 from output_files where storage = :storage and key = :key and size_bytes = :size \
          and (mtime_ns is null or mtime_ns = :mtime) and (etag is null or etag = :etag)) \
        or exists (select 1 from own_files where storage = :storage and key = :key and size_bytes = :size \
          and (mtime_ns is null or mtime_ns = :mtime) and (etag is null or etag = :etag))";
    let named = named_params! {
        ":storage": source.object.storage, ":key": source.object.key,
        ":size": i64::try_from(source.size_bytes).unwrap_or(i64::MAX),
        ":mtime": source.mtime_ns, ":etag": source.etag,
    };
    Ok(connection.prepare_cached(SQL)?.query_row(named, |row| row.get(0))?)
}

/// Whether whoever sent the file, or had it fetched, named this very workflow: it runs once.
fn runs_already(connection: &Connection, workflow: &WorkflowId, source: &Source) -> Result<bool, StoreError> {
    const SQL: &str = "select exists (select 1 from media m join tasks t on t.media_id = m.id \
        where m.storage = :storage and m.key = :key and m.size_bytes = :size and m.mtime_ns = :mtime and m.etag = :etag \
        and m.origin in ('upload', 'pull') and t.workflow_id = :workflow and t.purpose = 'run' and t.arrival_seq is null)";
    let named = named_params! {
        ":storage": source.object.storage, ":key": source.object.key,
        ":size": i64::try_from(source.size_bytes).unwrap_or(i64::MAX), ":mtime": source.mtime_ns, ":etag": source.etag,
        ":workflow": workflow.as_str(),
    };
    Ok(connection.prepare_cached(SQL)?.query_row(named, |row| row.get(0))?)
}

fn enabled(connection: &Connection, workflow: &WorkflowId) -> Result<bool, StoreError> {
    const SQL: &str = "select enabled from workflows where id = ?1";
    let found: Option<bool> = connection
        .prepare_cached(SQL)?
        .query_row([workflow.as_str()], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(false))
}

fn note(connection: &Connection, settled: &Settled, state: i64, why_not: Option<&str>) -> Result<(), StoreError> {
    const SQL: &str = "update arrivals set state = :state, why_not = :why_not \
        where storage = (select id from storages where name = :storage) and key = :key";
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":state": state, ":why_not": why_not, ":storage": settled.source.object.storage,
        ":key": settled.source.object.key,
    })?;
    Ok(())
}
