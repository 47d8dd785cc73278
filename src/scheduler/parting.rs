//! What becomes of a source of one file or several when everything made from it is published.
//!
//! Guarantees: all files of a source go the same way, or none begins to when one of them is not what was processed; what
//! is moved keeps its places relative to each other; a death in between is gone on from. Deliberately absent: moving and
//! deleting one file (`executor::after`).

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::executor::Identity;
use crate::objects::uri::ObjectUri;
use crate::scheduler::context::Context;
use crate::scheduler::order;
use crate::store::media::MediaRow;
use crate::workflow::arrival::Member;
use crate::workflow::resolved::AfterRule;

/// Sources of one name that may pile up beneath the prefix they are moved to.
const MAX_VERSIONS: u32 = 10_000;

/// Applies the rule to all files of a media.
pub(super) async fn part(context: &Context, media: &MediaRow, rule: &AfterRule) -> Result<(), Fault> {
    let source = &media.source;
    let Some(parts) = media.parts.as_ref().filter(|parts| parts.is_group()) else {
        let identity = order::identity(source);
        return context.executor.after(&source.object, &identity, rule).await;
    };
    // The one that stands for all last: as long as it is there, the rule is not done.
    let own = |member: &&Member| member.key == source.object.key;
    let all = || parts.members.iter().chain(&parts.attendants);
    let ordered = || all().filter(|member| !own(member)).chain(all().filter(own));
    let object = |member: &Member| ObjectUri::new(source.object.storage.as_str(), member.key.as_str());
    let mut there = Vec::new();
    for member in ordered() {
        // Gone: it was done before a death, or by the user.
        if let Some(found) = context.executor.head(&object(member)).await? {
            if found.size_bytes != member.size_bytes || (member.mtime_ns != 0 && found.mtime_ns != member.mtime_ns) {
                return Err(changed(&object(member)));
            }
            there.push(member);
        }
    }
    let rule = match rule {
        AfterRule::Move(prefix) => AfterRule::Move(free_prefix(context, &source.object, &there, prefix).await?),
        other => other.clone(),
    };
    for member in there {
        let identity = Identity {
            size_bytes: member.size_bytes,
            mtime_ns: member.mtime_ns,
            etag: member.etag.clone(),
        };
        context.executor.after(&object(member), &identity, &rule).await?;
    }
    Ok(())
}

/// The prefix, or a version of it, beneath which none of these names is taken.
async fn free_prefix(context: &Context, source: &ObjectUri, there: &[&Member], prefix: &str) -> Result<String, Fault> {
    let plain = prefix.trim_matches('/');
    if plain.is_empty() {
        return Ok(prefix.to_owned());
    }
    'versions: for version in 1..=MAX_VERSIONS {
        let tried = match version {
            1 => format!("{plain}/"),
            version => format!("{plain}/{version}/"),
        };
        for member in there {
            let to = ObjectUri::new(source.storage.as_str(), format!("{tried}{}", member.key));
            if context.executor.head(&to).await?.is_some() {
                continue 'versions;
            }
        }
        return Ok(tried);
    }
    Err(Fault::new(
        "OutputTaken",
        Blame::Request,
        "apply after rule",
        source.to_string(),
        format!("{MAX_VERSIONS} sources of this name lie beneath {plain} already"),
        "Empty that folder now and then.",
    ))
}

fn changed(object: &ObjectUri) -> Fault {
    Fault::new(
        "SourceChanged",
        Blame::Source,
        "apply after rule",
        object.to_string(),
        "what stands there now is not what was processed",
        "Nothing: all files of the source are left alone, and run as a new arrival.",
    )
}
