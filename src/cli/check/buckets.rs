//! The buckets of the configuration: is each there, and may it be listed?
//!
//! Guarantees: all are asked at once, a few seconds at most; nothing is written into them. Deliberately absent: whether
//! they may be written to, which only writing would show.

use crate::cli::check::finding::Finding;
use crate::config::resolved::Config;
use crate::config::storage::Place;
use crate::daemon::places;
use crate::objects::s3::Bucket;
use futures_util::future;

/// Looks at every bucket.
pub fn look(config: &Config, findings: &mut Vec<Finding>) {
    let mut buckets = Vec::new();
    for storage in &config.storages {
        let Place::Bucket(place) = &storage.place else { continue };
        match places::bucket(&storage.name, place).and_then(Bucket::new) {
            Ok(bucket) => buckets.push(bucket),
            Err(fault) => findings.push(Finding::stops(
                format!("storage {}", storage.name),
                fault.cause,
                fault.remedy,
            )),
        }
    }
    if buckets.is_empty() {
        return;
    }
    let asked = crate::cli::block_on(async { Ok(future::join_all(buckets.iter().map(reached)).await) });
    match asked {
        Ok(found) => findings.extend(found),
        Err(error) => findings.push(Finding::broken(
            "buckets",
            format!("they could not be asked: {error:#}"),
            "Raise the limit of threads.",
        )),
    }
}

async fn reached(bucket: &Bucket) -> Finding {
    let subject = format!("storage {}", bucket.name());
    match bucket.reach().await {
        Ok(()) => Finding::good(subject, format!("{} is there and can be listed", bucket.address(""))),
        Err(fault) => Finding::broken(
            subject,
            format!("{}: {}", bucket.address(""), fault.cause),
            format!("{} The daemon starts without it.", fault.remedy),
        ),
    }
}
