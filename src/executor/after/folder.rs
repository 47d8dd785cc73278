//! The `after` rule of a source in a folder.
//!
//! Guarantees: those of the rule; a move is one rename, never over anything. Deliberately absent: threads.

use crate::base::fault::Fault;
use crate::executor::Identity;
use crate::executor::after::changed;
use crate::executor::after::crowded;
use crate::executor::after::targets;
use crate::objects::local::Folder;
use crate::objects::local::Placed;
use crate::workflow::resolved::AfterRule;

/// Applies `rule` to the object `key`.
pub fn apply(storage: &Folder, key: &str, identity: &Identity, rule: &AfterRule) -> Result<(), Fault> {
    // Nothing there: it was done before a crash, or by the user. Either way there is nothing left to do.
    let Some(stat) = storage.stat(key)? else {
        return Ok(());
    };
    if stat.size_bytes != identity.size_bytes || (identity.mtime_ns != 0 && stat.mtime_ns != identity.mtime_ns) {
        return Err(changed(format!("{}:{key}", storage.name())));
    }
    match rule {
        AfterRule::Keep => Ok(()),
        AfterRule::Delete => storage.remove(key),
        AfterRule::Move(prefix) => move_beneath(storage, key, prefix),
    }
}

fn move_beneath(storage: &Folder, key: &str, prefix: &str) -> Result<(), Fault> {
    let Some(targets) = targets(key, prefix) else {
        return Ok(());
    };
    for to in targets {
        if storage.place(key, &to, false)? == Placed::Done {
            storage.sync_parent(&to)?;
            return storage.sync_parent(key);
        }
    }
    Err(crowded(format!("{}:{key}", storage.name()), prefix))
}
