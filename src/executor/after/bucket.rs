//! The `after` rule of a source in a bucket.
//!
//! A bucket has no rename: a move is a copy that the server makes of the very content that was processed, and a removal
//! once it is there. Guarantees: those of the rule; what a death left between the two is known by its mark and finished;
//! the moved object keeps its type and metadata. Deliberately absent: retrying.

use crate::base::fault::Fault;
use crate::executor::Identity;
use crate::executor::after::changed;
use crate::executor::after::crowded;
use crate::executor::after::targets;
use crate::objects::s3::Bucket;
use crate::objects::s3::Head;
use crate::objects::s3::ObjectInBucket;
use crate::objects::s3::Put;
use crate::objects::s3::PutRule;
use crate::objects::s3::Replace;
use crate::workflow::resolved::AfterRule;

/// Metadata of a moved source: the ETag it had where it arrived.
const META_MOVED: &str = "reelmill-moved";

/// Applies `rule` to the object `key`.
pub async fn apply(bucket: &Bucket, key: &str, identity: &Identity, rule: &AfterRule) -> Result<(), Fault> {
    let subject = || format!("{}:{key}", bucket.name());
    // Nothing there: it was done before a crash, or by the user. Either way there is nothing left to do.
    let Some(head) = bucket.head(key).await? else {
        return Ok(());
    };
    if !is_same(&head, identity) {
        return Err(changed(subject()));
    }
    let AfterRule::Move(prefix) = rule else {
        return match rule {
            AfterRule::Delete => bucket.remove(key).await,
            _ => Ok(()),
        };
    };
    let Some(targets) = targets(key, prefix) else {
        return Ok(());
    };
    for to in targets {
        if copy(bucket, key, &head, &to).await? {
            // A user may have put another one there while the server copied; that one stays.
            return match bucket.head(key).await? {
                Some(now) if is_same(&now, identity) => bucket.remove(key).await,
                Some(_) => Err(changed(subject())),
                None => Ok(()),
            };
        }
    }
    Err(crowded(subject(), prefix))
}

/// Copies the source to `to`; false: something else stands there.
async fn copy(bucket: &Bucket, key: &str, head: &Head, to: &str) -> Result<bool, Fault> {
    if let Some(there) = bucket.head(to).await? {
        return Ok(is_copy(&there, head));
    }
    let mut metadata = head.metadata.clone();
    metadata.insert(META_MOVED.to_owned(), head.etag.clone());
    let rule = PutRule {
        content_type: head.content_type.clone(),
        metadata,
        replace: Replace::Never,
    };
    let from = ObjectInBucket {
        bucket: bucket.clone(),
        key: key.to_owned(),
        etag: head.etag.clone(),
        size_bytes: head.size_bytes,
    };
    match bucket.copy(&from, to, &rule).await? {
        Put::Done(_) => Ok(true),
        // Somebody else's, or ours by a call whose answer was lost.
        Put::Taken => Ok(bucket.head(to).await?.is_some_and(|there| is_copy(&there, head))),
    }
}

fn is_copy(there: &Head, head: &Head) -> bool {
    there.size_bytes == head.size_bytes && there.metadata.get(META_MOVED) == Some(&head.etag)
}

fn is_same(head: &Head, identity: &Identity) -> bool {
    head.size_bytes == identity.size_bytes
        && match identity.etag.is_empty() {
            true => identity.mtime_ns == 0 || head.mtime_ns == identity.mtime_ns,
            false => head.etag == identity.etag,
        }
}
