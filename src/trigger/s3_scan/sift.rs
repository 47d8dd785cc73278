//! What objects are that the ledger does not know as they are: old ones, young ones, our own, and arrivals.
//!
//! Guarantees: an object is looked at by itself only where a listing cannot tell: whether it is ours, whether it was
//! written once more, which ETag it has where none is listed; nothing is written down before that. What we published
//! never arrives, what somebody else put under its key does. Deliberately absent: which workflows an arrival starts.

use crate::base::clock::UtcMs;
use crate::objects::s3::Head;
use crate::objects::s3::Listed;
use crate::store::bucket_ledger::Claim;
use crate::telemetry::metrics::Metric;
use crate::trigger::s3_scan::Trouble;
use crate::trigger::s3_scan::WatchBucket;
use crate::trigger::s3_scan::merge;
use crate::workflow::arrival::Arrival;
use std::collections::HashMap;

/// The note that our uploads carry: the id of their output.
pub(super) const OUTPUT: &str = "reelmill-output";
/// An object of this age should have been told of.
const TOLD_WITHIN_MS: i64 = 60_000;
/// After so long an object is looked at again that stands where we are publishing.
const LOOK_AGAIN_MS: i64 = 1_000;

/// An object, with what is known of it alone where somebody looked.
pub(super) type Candidate = (Listed, Option<Head>);

/// What became of candidates.
#[derive(Debug, Default)]
pub(super) struct Sifted {
    /// So many arrived.
    pub arrived: u64,
    /// Of these, so many were there for so long that a notification would have told.
    pub late: u64,
}

impl WatchBucket {
    /// Writes down what candidates are.
    pub(super) async fn sift(&mut self, candidates: Vec<Candidate>) -> Result<Sifted, Trouble> {
        if candidates.is_empty() {
            return Ok(Sifted::default());
        }
        let now = UtcMs::now();
        let (mut old, mut young, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for (object, head) in candidates {
            let arrival = arrival(&object, now);
            let age_ms = now.0.saturating_sub(object.mtime_ns / 1_000_000);
            let min_age_ms = i64::try_from(self.options.min_age.as_millis()).unwrap_or(i64::MAX);
            if self.cursor.needs.is_old(&object.key, object.mtime_ns) {
                old.push(arrival);
            } else if age_ms < min_age_ms {
                // A clock that runs ahead makes nothing wait for longer than it is told to.
                let wait_ms = min_age_ms.saturating_sub(age_ms).min(min_age_ms);
                young.push((object.key, now.plus_ms(wait_ms)));
            } else {
                rest.push((arrival, head));
            }
        }
        let store = self.surroundings.store.clone();
        if !old.is_empty() {
            store.record_existing(self.id, old).await?;
        }
        for (key, due) in young {
            store.keep_hints(&self.options.name, vec![key], due).await?;
            self.told = true;
        }
        let (arrivals, ours) = self.tell_ours(rest).await?;
        if !ours.is_empty() {
            let aside = ours.into_iter().map(|arrival| (arrival, "ours".to_owned())).collect();
            store.set_aside(self.id, aside).await?;
        }
        let late_ms = now.plus_ms(-TOLD_WITHIN_MS).0;
        let late = arrivals
            .iter()
            .filter(|arrival| arrival.mtime_ns / 1_000_000 < late_ms)
            .count();
        let arrived = self.arrive(arrivals).await?;
        Ok(Sifted {
            arrived,
            late: (late as u64).min(arrived),
        })
    }

    async fn arrive(&mut self, arrivals: Vec<Arrival>) -> Result<u64, Trouble> {
        if arrivals.is_empty() {
            return Ok(0);
        }
        let settled = arrivals.into_iter().map(Into::into).collect();
        let new = self
            .surroundings
            .store
            .settle_arrivals(self.id, settled, UtcMs::now())
            .await?;
        if new > 0 {
            self.surroundings.scheduler.ring();
            let metrics = &self.surroundings.metrics;
            metrics.add_labelled(Metric::Arrivals, &self.options.name, new as f64);
            tracing::debug!(storage = self.options.name, new, "objects arrived");
        }
        Ok(new as u64)
    }

    /// Tells what arrives from what is ours. An object that is gone by now is neither; one that stands where we are just
    /// publishing, and is not what we publish, is looked at again later.
    async fn tell_ours(&mut self, rest: Vec<(Arrival, Option<Head>)>) -> Result<(Vec<Arrival>, Vec<Arrival>), Trouble> {
        let store = self.surroundings.store.clone();
        let claims = store
            .claims(
                &self.options.name,
                rest.iter().map(|(arrival, _)| arrival.clone()).collect(),
            )
            .await?;
        let (mut arrivals, mut ours, mut doubtful) = (Vec::new(), Vec::new(), Vec::new());
        for ((arrival, head), claim) in rest.into_iter().zip(claims) {
            let in_doubt = self.concern.published_into || arrival.etag.is_empty();
            match claim {
                Claim::Ours => ours.push(arrival),
                // Somebody looked before we knew what we had made: the look may be older than what stands there.
                Claim::Doubtful | Claim::Coming => doubtful.push((arrival, None)),
                Claim::None if in_doubt => doubtful.push((arrival, head)),
                Claim::None => arrivals.push(arrival),
            }
        }
        let unknown = doubtful.iter().filter(|(_, head)| head.is_none());
        let unknown = unknown.map(|(arrival, _)| arrival.key.clone()).collect();
        let mut heads: HashMap<String, Option<Head>> = self.heads(unknown).await?.into_iter().collect();
        let mut without_note = Vec::new();
        for (arrival, head) in doubtful {
            let Some(head) = head.or_else(|| heads.remove(&arrival.key).flatten()) else {
                continue;
            };
            // Whatever a listing said: what is there now is this.
            let arrival = Arrival {
                size_bytes: head.size_bytes,
                mtime_ns: merge::whole_seconds(head.mtime_ns),
                etag: head.etag.clone(),
                ..arrival
            };
            if self.is_ours(&arrival.key, &head).await? {
                ours.push(arrival);
            } else {
                without_note.push(arrival);
            }
        }
        // A service may show an object before its note, or have shown something else in the listing: what has the
        // identity of something we made or are making is ours without a note.
        let claims = store.claims(&self.options.name, without_note.clone()).await?;
        let (mut early, mut stale) = (Vec::new(), Vec::new());
        for (arrival, claim) in without_note.into_iter().zip(claims) {
            match claim {
                Claim::Ours => ours.push(arrival),
                Claim::None => arrivals.push(arrival),
                Claim::Coming => early.push(arrival.key),
                Claim::Doubtful => stale.push(arrival),
            }
        }
        // What we made may have become known only after the look: one after that tells whether it saw something else.
        let keys = stale.iter().map(|arrival| arrival.key.clone()).collect();
        let mut heads: HashMap<String, Option<Head>> = self.heads(keys).await?.into_iter().collect();
        for arrival in stale {
            match heads.remove(&arrival.key).flatten() {
                Some(head) if is_same(&arrival, &head) => arrivals.push(arrival),
                Some(_) => early.push(arrival.key),
                None => {}
            }
        }
        if !early.is_empty() {
            let due = UtcMs::now().plus_ms(LOOK_AGAIN_MS);
            store.keep_hints(&self.options.name, early, due).await?;
            self.told = true;
        }
        Ok((arrivals, ours))
    }

    /// Whether an object carries the note of an output that was published under its key as long as it is. Who copies an
    /// output of ours elsewhere copies the note too, and means it. An output that is not known may be one of before a restored backup,
    /// or of another reelmill.
    async fn is_ours(&self, key: &str, head: &Head) -> Result<bool, Trouble> {
        let Some(output) = head.metadata.get(OUTPUT) else {
            return Ok(false);
        };
        let store = &self.surroundings.store;
        let stands = store.output_stands_at(output, &self.options.name, key, head.size_bytes);
        Ok(stands.await?.unwrap_or(true))
    }

    /// Of objects whose content is known and whose stamp is later: those that were written once more. The others are
    /// stamped otherwise in a listing than by themselves; their rows take the stamp of the listing.
    pub(super) async fn written_again(&mut self, restamped: Vec<Listed>) -> Result<Vec<Candidate>, Trouble> {
        if restamped.is_empty() {
            return Ok(Vec::new());
        }
        let keys = restamped.iter().map(|object| object.key.clone()).collect();
        let heads = self.heads(keys).await?;
        let (mut again, mut same) = (Vec::new(), Vec::new());
        for (object, (_, head)) in restamped.into_iter().zip(heads) {
            match head {
                Some(head) if merge::same_stamp(head.mtime_ns, object.mtime_ns) => again.push((object, Some(head))),
                Some(_) => same.push((object.key, merge::whole_seconds(object.mtime_ns))),
                None => {}
            }
        }
        if !same.is_empty() {
            self.surroundings.store.restamp(self.id, same).await?;
        }
        Ok(again)
    }
}

fn is_same(arrival: &Arrival, head: &Head) -> bool {
    let seen = (arrival.size_bytes, arrival.mtime_ns, &arrival.etag);
    seen == (head.size_bytes, merge::whole_seconds(head.mtime_ns), &head.etag)
}

fn arrival(object: &Listed, now: UtcMs) -> Arrival {
    Arrival {
        key: object.key.clone(),
        size_bytes: object.size_bytes,
        mtime_ns: merge::whole_seconds(object.mtime_ns),
        etag: object.etag.clone(),
        seen_at: now,
    }
}
