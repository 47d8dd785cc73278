//! What becomes of a source when everything made from it is published.
//!
//! Guarantees: only the very content that was processed is moved or deleted; nothing is overwritten; repeating it
//! after a crash is fine. Deliberately absent: whether to do it.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::executor::Identity;
use crate::objects::local::Folder;
use crate::objects::local::Placed;
use crate::workflow::resolved::AfterRule;

/// Sources of one name that may pile up beneath the prefix they are moved to.
const MAX_VERSIONS: u32 = 10_000;

/// Applies `rule` to the object `key`.
pub fn apply(storage: &Folder, key: &str, identity: &Identity, rule: &AfterRule) -> Result<(), Fault> {
    if *rule == AfterRule::Keep {
        return Ok(());
    }
    // Nothing there: it was done before a crash, or by the user. Either way there is nothing left to do.
    let Some(stat) = storage.stat(key)? else {
        return Ok(());
    };
    if stat.size_bytes != identity.size_bytes || (identity.mtime_ns != 0 && stat.mtime_ns != identity.mtime_ns) {
        return Err(Fault::new(
            "SourceChanged",
            Blame::Source,
            "apply after rule",
            format!("{}:{key}", storage.name()),
            "what stands there now is not what was processed",
            "Nothing: it is left alone and runs as a new arrival.",
        ));
    }
    match rule {
        AfterRule::Keep => Ok(()),
        AfterRule::Delete => storage.remove(key),
        AfterRule::Move(prefix) => move_beneath(storage, key, prefix),
    }
}

fn move_beneath(storage: &Folder, key: &str, prefix: &str) -> Result<(), Fault> {
    let prefix = prefix.trim_matches('/');
    if prefix.is_empty() || key.starts_with(&format!("{prefix}/")) {
        return Ok(());
    }
    let (stem, extension) = match key.rfind('.') {
        Some(dot) if key[dot..].find('/').is_none() => key.split_at(dot),
        _ => (key, ""),
    };
    for version in 1..=MAX_VERSIONS {
        let to = match version {
            1 => format!("{prefix}/{key}"),
            version => format!("{prefix}/{stem}-{version}{extension}"),
        };
        if storage.place(key, &to, false)? == Placed::Done {
            storage.sync_parent(&to)?;
            return storage.sync_parent(key);
        }
    }
    Err(Fault::new(
        "OutputTaken",
        Blame::Request,
        "apply after rule",
        format!("{}:{key}", storage.name()),
        format!("{MAX_VERSIONS} sources of this name lie beneath {prefix} already"),
        "Empty that folder now and then.",
    ))
}
