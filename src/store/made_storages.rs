//! Storages that were made through the API: their definitions, what uses them, and how their ledger goes.
//!
//! Guarantees: keys are sealed in the database, each for its storage and field; one that is used is not removed; what a
//! removed one leaves in the ledger goes in small steps, whatever dies meanwhile. Deliberately absent: those of the
//! configuration, and whether one can work.

use super::Store;
use super::error::StoreError;
use super::row::Columns;
use super::tasks::Overrides;
use crate::base::clock::UtcMs;
use crate::base::sealed::Sealer;
use crate::workflow::arrival::Arrival;
use crate::workflow::destination;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::storage::Definition;
use crate::workflow::storage::is_named_by;
use rusqlite::Connection;
use rusqlite::named_params;
use std::sync::Arc;

/// What the row of a removed storage is called until its ledger is gone; no storage has such a name.
const REMOVED: &str = "~";
/// Rows of a ledger that go, or change hands, in one commit.
const STEP: u32 = 4_000;

/// One storage that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct MadeStorage {
    /// What it is, with its keys; without them where they cannot be opened.
    pub definition: Definition,
    /// The key file is another's: its keys cannot be opened.
    pub locked: bool,
    /// When it was made.
    pub created: UtcMs,
    /// When it was last changed.
    pub modified: UtcMs,
}

/// What came of a wish to remove a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Done,
    /// It is used by these, in words; nothing was changed.
    InUse(Vec<String>),
}

impl Store {
    /// Those that were made, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn made_storages(&self, sealer: &Sealer) -> Result<Vec<MadeStorage>, StoreError> {
        const SQL: &str = "select name, definition, created_ms, modified_ms from storages \
            where definition is not null order by name";
        let sealer = sealer.clone();
        self.read("list made storages", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let name = row.text(0)?;
                let sealed: Definition = row.whole(1)?;
                let opened = sealed.clone().change_secrets(|field, text| {
                    let opened = sealer.open(&purpose(&name, field), text);
                    opened.ok_or_else(|| field.to_owned())
                });
                if let Err(field) = &opened {
                    tracing::error!(
                        storage = name,
                        field,
                        "its key cannot be opened, so it is not used; put the right seal.key back, or give the key again"
                    );
                }
                let locked = opened.is_err();
                found.push(MadeStorage {
                    definition: opened.unwrap_or_else(|_| sealed.shown().0),
                    locked,
                    created: row.maybe_time(2)?.unwrap_or(UtcMs(0)),
                    modified: row.maybe_time(3)?.unwrap_or(UtcMs(0)),
                });
            }
            Ok(found)
        })
        .await
    }

    /// Makes or replaces one; true: it is new. If the process dies before the answer, it is wholly as before or as after.
    ///
    /// # Errors
    /// A key cannot be sealed, or the database failed.
    pub async fn save_storage(&self, definition: &Definition, sealer: &Sealer, now: UtcMs) -> Result<bool, StoreError> {
        const THERE: &str = "select 1 from storages where name = :name and definition is not null";
        const SQL: &str = "insert into storages (name, definition, created_ms, modified_ms) \
            values (:name, :definition, :now, :now) on conflict (name) do update set definition = excluded.definition, \
            created_ms = coalesce(created_ms, excluded.created_ms), modified_ms = excluded.modified_ms";
        let name = definition.name.clone();
        let sealed = definition
            .clone()
            .change_secrets(|field, text| sealer.seal(&purpose(&name, field), text));
        let text = serde_json::to_string(&sealed.map_err(StoreError::Refused)?)?;
        self.write("save a storage", move |connection| {
            let there = connection
                .prepare_cached(THERE)?
                .exists(named_params! { ":name": name })?;
            connection
                .prepare_cached(SQL)?
                .execute(named_params! { ":name": name, ":definition": text, ":now": now.0 })?;
            Ok(!there)
        })
        .await
    }

    /// What uses a storage now, in words; empty: nothing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn storage_uses(&self, name: &str) -> Result<Vec<String>, StoreError> {
        let name = name.to_owned();
        self.read("look at what uses a storage", move |connection| uses(connection, &name))
            .await
    }

    /// What goes on in a storage now, in words; empty: nothing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn storage_work(&self, name: &str) -> Result<Vec<String>, StoreError> {
        let name = name.to_owned();
        self.read("look at what goes on in a storage", move |connection| {
            work(connection, &name)
        })
        .await
    }

    /// Removes one that was made, unless something uses it. Its ledger goes later, in steps ([`Store::drop_removed`]);
    /// a new storage of the same name knows nothing of it. All or nothing at any death.
    ///
    /// # Errors
    /// `NotFound` where there is none that was made.
    pub async fn remove_storage(&self, name: &str) -> Result<Removal, StoreError> {
        const SETTLED: &str = "update arrivals set state = 3, why_not = 'its storage was removed' where state = 1 \
            and storage = (select id from storages where name = :name and definition is not null)";
        const SQL: &str = "update storages set name = :removed || id, definition = null where name = :name \
            and definition is not null";
        let name = name.to_owned();
        self.write("remove a storage", move |connection| {
            let uses = uses(connection, &name)?;
            if !uses.is_empty() {
                return Ok(Removal::InUse(uses));
            }
            // Nothing of it is taken any more.
            connection
                .prepare_cached(SETTLED)?
                .execute(named_params! { ":name": name })?;
            let named = named_params! { ":removed": REMOVED, ":name": name };
            match connection.prepare_cached(SQL)?.execute(named)? {
                0 => Err(StoreError::not_found("storage", &name)),
                _ => Ok(Removal::Done),
            }
        })
        .await
    }

    /// Takes a step in forgetting the ledgers of removed storages; false: nothing is left.
    ///
    /// # Errors
    /// The database failed.
    pub async fn drop_removed(&self) -> Result<bool, StoreError> {
        const FIND: &str = "select id from storages where name >= :removed and name < '~~' limit 1";
        const ARRIVALS: &str = "delete from arrivals where storage = :id and key in \
            (select key from arrivals where storage = :id order by key limit :step)";
        self.write("forget a removed storage", |connection| {
            let found = connection
                .prepare_cached(FIND)?
                .query_map(named_params! { ":removed": REMOVED }, |row| row.get::<_, i64>(0))?
                .next();
            let Some(id) = found.transpose()? else {
                return Ok(false);
            };
            let went = connection
                .prepare_cached(ARRIVALS)?
                .execute(named_params! { ":id": id, ":step": STEP })?;
            if went == 0 {
                connection.execute("delete from bucket_hints where storage = ?1", [id])?;
                connection.execute("delete from storages where id = ?1", [id])?;
            }
            Ok(true)
        })
        .await
    }

    /// A storage was made within another: what the outer one knows beneath `folder` (a key) is the inner one's from now on.
    /// Repeating it is harmless.
    ///
    /// # Errors
    /// The database failed.
    pub async fn hand_over(&self, outer: &str, folder: &str, now: UtcMs) -> Result<usize, StoreError> {
        // '0' is the character after '/'.
        const SQL: &str = "update arrivals set gone_ms = :now where gone_ms is null and \
            storage = (select id from storages where name = :name) and key > :folder || '/' and key < :folder || '0'";
        let (outer, folder) = (outer.to_owned(), folder.to_owned());
        self.write("hand objects over", move |connection| {
            let named = named_params! { ":now": now.0, ":name": outer, ":folder": folder };
            Ok(connection.prepare_cached(SQL)?.execute(named)?)
        })
        .await
    }

    /// A storage within another is about to go: what it knows is old to the outer one, beneath `folder`, so that nothing
    /// of it runs again. Repeating it is harmless.
    ///
    /// # Errors
    /// The database failed.
    pub async fn hand_back(&self, inner: &str, outer: &str, folder: &str, now: UtcMs) -> Result<(), StoreError> {
        let (from, to) = (self.enter_storage(inner).await?.id, self.enter_storage(outer).await?.id);
        let mut after = String::new();
        loop {
            let page = self.ledger_page(from, &after, STEP).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.key);
            let known = page.into_iter().filter(|row| row.settled && !row.gone);
            let old = known.map(|row| Arrival {
                key: format!("{folder}/{}", row.key),
                size_bytes: row.size_bytes,
                mtime_ns: row.mtime_ns,
                etag: String::new(),
                seen_at: now,
            });
            self.record_existing(to, old.collect()).await?;
        }
    }
}

/// A sealed key opens for its storage and field alone.
fn purpose(name: &str, field: &str) -> String {
    format!("storage:{name}:{field}")
}

fn uses(connection: &Connection, name: &str) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    workflows(connection, name, &mut found)?;
    archives(connection, name, &mut found)?;
    found.extend(work(connection, name)?);
    Ok(found)
}

/// What goes on in it.
fn work(connection: &Connection, name: &str) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    const COUNTS: [(&str, &str); 6] = [
        (
            "of its objects are being worked on",
            "select count(*) from tasks t join media m on m.id = t.media_id \
             where t.status in ('Init', 'Processing') and m.storage = :name",
        ),
        (
            "sources of it are still to be moved or deleted",
            "select count(*) from task_afters a join tasks t on t.id = a.task_id join media m on m.id = t.media_id \
             where m.storage = :name",
        ),
        (
            "files are being published into it",
            "select count(*) from publish_intents where storage = :name",
        ),
        (
            "media of it are being deleted",
            "select count(*) from deletions d join media m on m.id = d.media_id where m.storage = :name",
        ),
        (
            "uploads go into it",
            "select count(*) from uploads where state in ('open', 'finishing') and storage = :name",
        ),
        (
            "pulls go into it",
            "select count(*) from pulls where state in ('waiting', 'fetching') and storage = :name",
        ),
    ];
    for (what, sql) in COUNTS {
        let count: i64 = connection
            .prepare_cached(sql)?
            .query_row(named_params! { ":name": name }, |row| row.get(0))?;
        if count > 0 {
            found.push(format!("{count} {what}"));
        }
    }
    open_tasks(connection, name, &mut found)?;
    Ok(found)
}

fn workflows(connection: &Connection, name: &str, found: &mut Vec<String>) -> Result<(), StoreError> {
    const SQL: &str = "select w.name, v.resolved from workflows w join workflow_versions v \
        on v.workflow_id = w.id and v.version = w.version order by w.name";
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let workflow: ResolvedWorkflow = row.whole(1)?;
        if is_named_by(name, &workflow) {
            found.push(format!("workflow {}", row.text(0)?));
        }
    }
    Ok(())
}

fn archives(connection: &Connection, name: &str, found: &mut Vec<String>) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("select name, definition from destinations order by name")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let definition: destination::Definition = row.whole(1)?;
        if definition.kind() == "storage" && definition.storage == name {
            found.push(format!("destination {}", row.text(0)?));
        }
    }
    Ok(())
}

/// Open tasks that write into it or read from it beside their source, each by the version that it began with.
fn open_tasks(connection: &Connection, name: &str, found: &mut Vec<String>) -> Result<(), StoreError> {
    const VERSIONS: &str = "select v.resolved, t.overrides, count(*) from tasks t join workflow_versions v \
        on v.workflow_id = t.workflow_id and v.version = t.workflow_version \
        where t.status in ('Init', 'Processing') group by t.workflow_id, t.workflow_version, t.overrides";
    let mut statement = connection.prepare_cached(VERSIONS)?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let workflow: Arc<ResolvedWorkflow> = Arc::new(row.whole(0)?);
        let overrides: Option<Overrides> = row.json(1)?;
        let own = overrides.map_or_else(|| Arc::clone(&workflow), |overrides| overrides.applied_to(&workflow));
        // What it reads as its source is counted by its media.
        let mut beside = ResolvedWorkflow::clone(&own);
        beside.source.storage = None;
        if is_named_by(name, &beside) {
            count += row.get::<_, i64>(2)?;
        }
    }
    if count > 0 {
        found.push(format!("{count} tasks that write into it or read from it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Removal;
    use crate::base::clock::UtcMs;
    use crate::base::sealed::Sealer;
    use crate::store::Store;
    use crate::workflow::arrival::Arrival;
    use crate::workflow::storage::Definition;

    fn definition() -> Definition {
        Definition {
            name: "rushes".to_owned(),
            kind: "s3".to_owned(),
            access_key: Some("AKOPEN".into()),
            secret_key: Some("hunter2".into()),
            ..Definition::default()
        }
    }

    fn arrival(key: &str) -> Arrival {
        Arrival {
            key: key.to_owned(),
            size_bytes: 3,
            mtime_ns: 7,
            etag: String::new(),
            seen_at: UtcMs(1),
        }
    }

    #[tokio::test]
    async fn keys_lie_sealed_and_a_ledger_goes_with_its_storage() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("reelmill.db")).expect("opens");
        let (sealer, other) = (Sealer::new(&[1; 32]), Sealer::new(&[2; 32]));
        assert!(
            store
                .save_storage(&definition(), &sealer, UtcMs(1))
                .await
                .expect("saved")
        );
        assert!(
            !store
                .save_storage(&definition(), &sealer, UtcMs(2))
                .await
                .expect("saved")
        );
        let made = store.made_storages(&sealer).await.expect("listed");
        assert_eq!(
            (&made[0].definition, made[0].created, made[0].modified, made[0].locked),
            (&definition(), UtcMs(1), UtcMs(2), false)
        );
        let locked = store.made_storages(&other).await.expect("listed");
        assert!(locked[0].locked && locked[0].definition.secret_key.is_none());
        let copy = folder.path().join("copy.db");
        store.backup(&copy).await.expect("copied");
        let bytes = std::fs::read(&copy).expect("read");
        for secret in ["hunter2", "AKOPEN"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
        let before = store.enter_storage("rushes").await.expect("entered").id;
        let found = (0..9_000).map(|at| arrival(&format!("{at:05}.mp4"))).collect();
        store.record_existing(before, found).await.expect("kept");
        assert_eq!(store.remove_storage("rushes").await.expect("removed"), Removal::Done);
        assert!(store.remove_storage("rushes").await.is_err());
        let after = store.enter_storage("rushes").await.expect("entered").id;
        assert!(store.ledger_page(after, "", 10).await.expect("read").is_empty());
        while store.drop_removed().await.expect("dropped") {}
        assert!(store.ledger_page(before, "", 10).await.expect("read").is_empty());
    }

    #[tokio::test]
    async fn what_lies_within_another_changes_hands() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("reelmill.db")).expect("opens");
        let outer = store.enter_storage("nas").await.expect("entered").id;
        let found = ["day/a.mp4", "day/b/c.mp4", "day.mp4", "days/x.mp4"].map(arrival);
        store.record_existing(outer, found.to_vec()).await.expect("kept");
        assert_eq!(store.hand_over("nas", "day", UtcMs(9)).await.expect("handed over"), 2);
        let inner = store.enter_storage("day").await.expect("entered").id;
        store
            .record_existing(inner, vec![arrival("new.mp4")])
            .await
            .expect("kept");
        store
            .hand_back("day", "nas", "day", UtcMs(9))
            .await
            .expect("handed back");
        let page = store.ledger_page(outer, "", 10).await.expect("read");
        let rows: Vec<(&str, bool)> = page.iter().map(|row| (row.key.as_str(), row.gone)).collect();
        assert_eq!(
            rows,
            [
                ("day.mp4", false),
                ("day/a.mp4", true),
                ("day/b/c.mp4", true),
                ("day/new.mp4", false),
                ("days/x.mp4", false)
            ]
        );
    }
}
