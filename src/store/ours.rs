//! Arrivals that were taken for our own outputs because their keys were reserved at that moment.
//!
//! While a file is being published nobody knows yet what it will be known by, so an arrival of its size under its key is
//! taken for it. Guarantees: when the publishing ends, whatever arrived meanwhile and is another content becomes an
//! arrival like any other, in the transaction of that end; a user's own file is put off, never lost. Deliberately
//! absent: what is ours once it is published (`intake`).

use super::Store;
use super::arrivals;
use super::error::StoreError;
use super::outputs::IntentRow;
use crate::base::ids::JobId;
use crate::objects::uri::ObjectUri;
use rusqlite::Connection;
use rusqlite::named_params;

impl Store {
    /// The publishing of `job` has failed, and under these of its names stands something of somebody else: what arrived
    /// there is an arrival like any other, and stays one while the names are still reserved. If the process dies before,
    /// the publishing is tried again and ends the same way.
    pub async fn disown(&self, job: &JobId, objects: Vec<ObjectUri>) -> Result<(), StoreError> {
        const STRANGE: &str = "update publish_intents set strange = 1 where storage = :storage and key = :key \
            and output_id in (select id from outputs where job_id = :job)";
        const AGAIN: &str = "update arrivals set state = 1, arrival_seq = :seq, why_not = null \
            where storage = (select id from storages where name = :storage) and key = :key and state = 3 \
            and why_not = 'ours' and exists (select 1 from publish_intents i where i.storage = :storage \
              and i.key = :key and i.strange = 1 and arrivals.seen_ms >= i.created_ms)";
        let job = job.clone();
        self.write("disown names", move |connection| {
            for object in &objects {
                let named = named_params! { ":storage": object.storage, ":key": object.key, ":job": job.as_str() };
                connection.prepare_cached(STRANGE)?.execute(named)?;
                let seq = arrivals::next_seq(connection)?;
                let named = named_params! { ":storage": object.storage, ":key": object.key, ":seq": seq };
                connection.prepare_cached(AGAIN)?.execute(named)?;
            }
            Ok(())
        })
        .await
    }
}

/// Makes an arrival that was taken for `intent` ready for intake again when it is not what was published: that has this
/// time or ETag, where they are known.
pub(super) fn look_again(
    connection: &Connection,
    intent: &IntentRow,
    mtime_ns: Option<i64>,
    etag: Option<&str>,
) -> Result<(), StoreError> {
    const OTHER: &str = "select 1 from arrivals a join storages s on s.id = a.storage where s.name = :storage \
        and a.key = :key and a.state = 3 and a.why_not = 'ours' \
        and ((:mtime is not null and a.mtime_ns <> :mtime) or (:etag is not null and a.etag <> :etag)) \
        and a.seen_ms >= (select created_ms from publish_intents where storage = :storage and key = :key)";
    const AGAIN: &str = "update arrivals set state = 1, arrival_seq = :seq, why_not = null \
        where storage = (select id from storages where name = :storage) and key = :key";
    let named = named_params! {
        ":storage": intent.to.storage, ":key": intent.to.key, ":mtime": mtime_ns, ":etag": etag,
    };
    if connection.prepare_cached(OTHER)?.exists(named)? {
        let seq = arrivals::next_seq(connection)?;
        let named = named_params! { ":storage": intent.to.storage, ":key": intent.to.key, ":seq": seq };
        connection.prepare_cached(AGAIN)?.execute(named)?;
    }
    Ok(())
}
