//! What becomes of a source when everything made from it is published.
//!
//! Guarantees: only the very content that was processed is moved or deleted; nothing is overwritten; repeating it
//! after a crash is fine. Deliberately absent: whether to do it.

mod bucket;
mod folder;

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::executor::Identity;
use crate::objects::storages::Medium;
use crate::objects::storages::Storages;
use crate::objects::uri::ObjectUri;
use crate::workflow::resolved::AfterRule;

/// Sources of one name that may pile up beneath the prefix they are moved to.
const MAX_VERSIONS: u32 = 10_000;

/// Applies `rule` to the object `source`.
pub async fn apply(
    storages: &Storages,
    source: &ObjectUri,
    identity: &Identity,
    rule: &AfterRule,
) -> Result<(), Fault> {
    const OPERATION: &str = "apply after rule";
    if *rule == AfterRule::Keep {
        return Ok(());
    }
    match storages.medium(source, OPERATION)? {
        Medium::Bucket(bucket) => bucket::apply(&bucket, &source.key, identity, rule).await,
        Medium::Folder(storage) => {
            let (folder, key) = (storage.folder.clone(), source.key.clone());
            let (identity, rule) = (identity.clone(), rule.clone());
            let told = source.to_string();
            let applied = storage.pool.run(OPERATION, &told, move |_| {
                folder::apply(&folder, &key, &identity, &rule)
            });
            applied.await
        }
    }
}

/// The keys that `key` may be moved to, the nearest first; none: it lies beneath the prefix already.
fn targets(key: &str, prefix: &str) -> Option<impl Iterator<Item = String>> {
    let prefix = prefix.trim_matches('/').to_owned();
    if prefix.is_empty() || key.starts_with(&format!("{prefix}/")) {
        return None;
    }
    let (stem, extension) = match key.rfind('.') {
        Some(dot) if key[dot..].find('/').is_none() => key.split_at(dot),
        _ => (key, ""),
    };
    let (stem, extension) = (stem.to_owned(), extension.to_owned());
    Some((1..=MAX_VERSIONS).map(move |version| match version {
        1 => format!("{prefix}/{stem}{extension}"),
        version => format!("{prefix}/{stem}-{version}{extension}"),
    }))
}

/// The fault of a source that is not the one that was processed.
fn changed(subject: String) -> Fault {
    Fault::new(
        "SourceChanged",
        Blame::Source,
        "apply after rule",
        subject,
        "what stands there now is not what was processed",
        "Nothing: it is left alone and runs as a new arrival.",
    )
}

/// The fault of a prefix that is full of sources of one name.
fn crowded(subject: String, prefix: &str) -> Fault {
    Fault::new(
        "OutputTaken",
        Blame::Request,
        "apply after rule",
        subject,
        format!("{MAX_VERSIONS} sources of this name lie beneath {prefix} already"),
        "Empty that folder now and then.",
    )
}
