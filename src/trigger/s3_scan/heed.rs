//! Following hints: looking at the objects that notifications told of.
//!
//! Guarantees: a hint goes only after what it led to is written down, or after a listing that began later answered it;
//! hints that come told twice, late or in the wrong order lead to the same end, because what is there now is looked at;
//! more of them than are quickly followed are answered by one listing. Deliberately absent: taking them in (`s3_notify`).

use crate::base::clock::UtcMs;
use crate::objects::s3::Head;
use crate::objects::s3::Listed;
use crate::store::bucket_ledger::BucketHint;
use crate::store::bucket_ledger::BucketRow;
use crate::trigger::s3_scan::Trouble;
use crate::trigger::s3_scan::WatchBucket;
use crate::trigger::s3_scan::merge;
use crate::trigger::s3_scan::merge::Standing;
use std::collections::HashMap;
use std::time::Instant;

/// More hints than this are answered by a listing: one call tells of a thousand objects.
pub(super) const BY_LISTING: u64 = 2_000;
/// Hints followed in one step.
const STEP: u32 = 128;

impl WatchBucket {
    /// Follows some hints; says whether there may be more right now.
    pub(super) async fn heed(&mut self) -> Result<bool, Trouble> {
        let now = UtcMs::now();
        let due = self.told || self.next_hint.is_some_and(|at| at <= now);
        if !due || self.frozen.is_some() {
            return Ok(false);
        }
        let store = self.surroundings.store.clone();
        let waiting = store.hints_waiting(self.id, now).await?;
        self.backlog = waiting.due;
        self.next_hint = waiting.next;
        if waiting.due == 0 {
            self.told = false;
            return Ok(false);
        }
        if waiting.due > BY_LISTING && !self.cursor.needs.is_empty() {
            if self.round.is_none() {
                self.next_round = Instant::now();
            } else if !self.round_answers_hints() {
                self.again = true;
            }
            return Ok(false);
        }
        let hints = store.due_hints(self.id, now, STEP).await?;
        let keys = hints.iter().map(|hint| &hint.key);
        let keys: Vec<String> = keys
            .filter(|key| self.takes(key) && self.cursor.needs.takes(key))
            .cloned()
            .collect();
        let rows = store.bucket_rows(self.id, keys.clone()).await?;
        let rows: HashMap<String, BucketRow> = rows.into_iter().map(|row| (row.key.clone(), row)).collect();
        let found = self.heads(keys).await?;
        self.follow(found, &rows, &hints).await?;
        Ok(true)
    }

    async fn follow(
        &mut self,
        found: Vec<(String, Option<Head>)>,
        rows: &HashMap<String, BucketRow>,
        hints: &[BucketHint],
    ) -> Result<(), Trouble> {
        let store = self.surroundings.store.clone();
        let (mut gone, mut back, mut news) = (Vec::new(), Vec::new(), Vec::new());
        for (key, head) in found {
            let row = rows.get(&key);
            // What is empty is no film yet.
            let Some(head) = head.filter(|head| head.size_bytes > 0) else {
                if row.is_some_and(|row| !row.gone) {
                    gone.push(key);
                }
                continue;
            };
            let object = Listed {
                key,
                size_bytes: head.size_bytes,
                mtime_ns: head.mtime_ns,
                etag: head.etag.clone(),
            };
            match merge::standing(&object, row) {
                Standing::Same => {}
                Standing::Back => back.push(object.key),
                Standing::New => news.push((object, Some(head))),
                // Written once more, if its listing says the same; a stamp alone says nothing.
                Standing::Restamped => match self.listed(&object.key).await? {
                    Some(listed) if merge::same_stamp(listed.mtime_ns, object.mtime_ns) => {
                        news.push((object, Some(head)))
                    }
                    _ => {}
                },
            }
        }
        let sifted = self.sift(news).await?;
        if !gone.is_empty() || !back.is_empty() {
            store.mark_gone(self.id, gone, back, UtcMs::now()).await?;
        }
        self.objects += sifted.arrived;
        let followed: Vec<BucketHint> = hints.to_vec();
        store.drop_hints(self.id, followed).await?;
        Ok(())
    }
}
