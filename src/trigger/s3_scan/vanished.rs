//! What is gone when a listing has ended, and whether that is believed.
//!
//! Guarantees: when most of a bucket would be gone, nothing is: only what we moved or deleted ourselves counts as rightly
//! gone; the keys of gone objects that are held are bounded. Deliberately absent: looking at pages (`round`).

use crate::trigger::s3_scan::Trouble;
use crate::trigger::s3_scan::WatchBucket;
use crate::trigger::s3_scan::round::Round;
use crate::trigger::s3_scan::round::STRETCH;
use std::hash::BuildHasher;

/// Keys of gone objects that are kept until the end of a listing; the next one finds the others.
pub(super) const GONE_KEPT: usize = 50_000;
/// Keys of one transaction that marks them.
pub(super) const MARKED: usize = 2_000;
/// Objects whose disappearance, all of them, is not believed.
const ALL: u64 = 20;
/// Objects whose disappearance, more than half of all, is not believed.
const MOST: u64 = 100;

impl Round {
    /// Notes what a page lacks.
    pub(super) fn gone_too(&mut self, gone: Vec<String>) {
        self.gone_count += gone.len() as u64;
        let room = GONE_KEPT.saturating_sub(self.gone.len());
        self.gone.extend(gone.into_iter().take(room));
    }
}

impl WatchBucket {
    /// Finds what is gone of the keys that do not come in the order of their rows.
    pub(super) async fn gone_of_odd(&mut self, round: &mut Round) -> Result<(), Trouble> {
        let hasher = round.hasher.clone();
        let rows = std::mem::take(&mut round.odd_rows);
        let listed = std::mem::take(&mut round.odd_listed);
        let is_gone = |key: &String| !listed.contains(&hasher.hash_one(key));
        let gone: Vec<String> = rows.into_iter().filter(is_gone).collect();
        round.gone_too(gone);
        if self.sorted {
            return Ok(());
        }
        for prefix in round.prefixes.clone() {
            let (mut from, until) = ((prefix.clone(), true), format!("{prefix}{}", char::MAX));
            loop {
                let store = &self.surroundings.store;
                let rows = store
                    .bucket_stretch(self.id, (&from.0, from.1), &until, STRETCH)
                    .await?;
                let full = rows.len() >= STRETCH as usize;
                let bound = rows.last().map(|row| row.key.clone()).filter(|_| full);
                let rows = rows
                    .into_iter()
                    .filter(|row| row.settled && !row.gone && self.takes(&row.key));
                let gone: Vec<String> = rows.map(|row| row.key).filter(is_gone).collect();
                round.gone_too(gone);
                match bound {
                    Some(bound) => from = (bound, false),
                    None => break,
                }
            }
        }
        Ok(())
    }

    /// Why the end of a listing is not believed; none: it is.
    pub(super) async fn doubt(&self, round: &Round) -> Result<Option<String>, Trouble> {
        let much = |gone: u64| (round.met == 0 && gone >= ALL) || (gone >= MOST && gone > round.met);
        if !much(round.gone_count) {
            return Ok(None);
        }
        // What we moved or deleted ourselves is rightly gone.
        let mut ours = 0;
        for keys in round.gone.chunks(MARKED) {
            let store = &self.surroundings.store;
            ours += store.removed_by_us(&self.options.name, keys.to_vec()).await?;
        }
        let gone = round.gone_count.saturating_sub(ours);
        Ok(much(gone).then(|| {
            let before = round.met + gone;
            format!("of {before} objects {gone} are gone since the listing before; if that is meant, thaw the storage by hand")
        }))
    }
}
