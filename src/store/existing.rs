//! Objects that were there before their storage was first scanned, and the workflows that take them all the same.
//!
//! Guarantees: one that was let go is marked, so that only workflows with `existing = "process"` take it; letting go again
//! finds nothing left to do. Deliberately absent: finding them (`trigger`), and their rows (`arrivals`).

use super::Store;
use super::arrivals;
use super::error::StoreError;
use super::row::Columns;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::selector::ArrivalFacts;
use crate::workflow::selector::select;
use rusqlite::named_params;

/// Rows of one transaction, where a call changes many.
const PAGE: u32 = 2_000;

impl Store {
    /// Makes ready those objects of the baseline that an enabled workflow with `existing = "process"` selects; answers
    /// how many. They are marked, so that no other workflow takes them. Repeating it finds nothing left to do.
    pub async fn release_existing(&self, storage_name: &str) -> Result<usize, StoreError> {
        let storage = self.enter_storage(storage_name).await?.id;
        let workflows = self.existing_wanted().await?;
        let mut released = 0;
        let mut after = String::new();
        while !workflows.is_empty() {
            let keys = self.existing_page(storage, &after).await?;
            let Some(last) = keys.last() else { break };
            after.clone_from(last);
            let chosen: Vec<String> = keys
                .into_iter()
                .filter(|key| {
                    let facts = ArrivalFacts {
                        storage: storage_name,
                        key,
                    };
                    workflows.iter().any(|workflow| select(workflow, &facts).is_ok())
                })
                .collect();
            if !chosen.is_empty() {
                released += self.release(storage, chosen).await?;
            }
        }
        Ok(released)
    }

    async fn existing_wanted(&self) -> Result<Vec<ResolvedWorkflow>, StoreError> {
        const SQL: &str = "select v.resolved from workflows w join workflow_versions v \
            on v.workflow_id = w.id and v.version = w.version where w.enabled = 1";
        self.read("look for workflows that take existing objects", |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let workflow: ResolvedWorkflow = row.whole(0)?;
                if workflow.source.process_existing {
                    found.push(workflow);
                }
            }
            Ok(found)
        })
        .await
    }

    async fn existing_page(&self, storage: i64, after: &str) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "select key from arrivals where storage = :storage and key > :after and state = 3 \
            and why_not = 'existing' and gone_ms is null order by key limit :limit";
        let after = after.to_owned();
        self.read("read existing objects", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query(named_params! { ":storage": storage, ":after": after, ":limit": PAGE })?;
            let mut keys = Vec::new();
            while let Some(row) = rows.next()? {
                keys.push(row.text(0)?);
            }
            Ok(keys)
        })
        .await
    }

    async fn release(&self, storage: i64, keys: Vec<String>) -> Result<usize, StoreError> {
        const SQL: &str = "update arrivals set state = 1, arrival_seq = :seq \
            where storage = :storage and key = :key and state = 3 and why_not = 'existing'";
        self.write("release existing objects", move |connection| {
            let mut released = 0;
            for key in &keys {
                let seq = arrivals::next_seq(connection)?;
                let named = named_params! { ":seq": seq, ":storage": storage, ":key": key };
                released += connection.prepare_cached(SQL)?.execute(named)?;
            }
            Ok(released)
        })
        .await
    }
}
