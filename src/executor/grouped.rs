//! Sources of several files: all of them opened, each checked against what arrived.
//!
//! Guarantees: an attempt begins only with the very files that arrived together; a file that was changed, or is gone, is
//! named. Deliberately absent: which files belong together, and what is made of them.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::executor::AttemptOrder;
use crate::executor::Identity;
use crate::executor::bucket_source::BucketSource;
use crate::executor::inheritance::Opened;
use crate::executor::local::LocalExecutor;
use crate::executor::side::SideFile;
use crate::media::assembly::Assembly;
use crate::media::assembly::Recording;
use crate::media::facts::Ratio;
use crate::media::family::Family;
use crate::objects::local::Stat;
use crate::objects::refusal;
use crate::objects::s3::Bucket;
use crate::objects::storages::Medium;
use crate::objects::uri::ObjectUri;
use crate::objects::uri::key_bytes;
use crate::workflow::arrival::Member;
use crate::workflow::arrival::Parts;
use crate::workflow::arrival::PartsKind;

/// Files of one source, but for pictures, which are opened one at a time.
const MAX_FILES: usize = 500;
/// Pictures a second where nobody said how many.
const USUAL_FPS: f64 = 25.0;

/// A source, open: one file, or several that belong together.
pub(super) struct Group {
    /// The first file, or where the pictures are.
    pub(super) source: Opened,
    /// The pictures.
    pub(super) family: Option<Family>,
    /// What they were, in their order, where they lie in a folder.
    pub(super) pictures: Vec<(u64, i64)>,
    /// The other files.
    pub(super) members: Vec<SideFile>,
    pub(super) assembly: Option<Assembly>,
}

impl Group {
    /// Of one file, or of the pictures of a folder that nobody listed.
    pub(super) fn single(source: Opened, family: Option<Family>) -> Self {
        Group {
            source,
            family,
            pictures: Vec::new(),
            members: Vec::new(),
            assembly: None,
        }
    }
}

/// A folder of a key, and the name in it.
fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('/').unwrap_or(("", key))
}

impl LocalExecutor {
    /// Opens the source of an order where it is several files; none: it is one.
    pub(super) async fn open_group(&self, order: &AttemptOrder) -> Result<Option<Group>, Fault> {
        let Some(parts) = order.parts.as_ref().filter(|parts| parts.is_group()) else {
            return Ok(None);
        };
        match parts.kind {
            PartsKind::Single => Ok(None),
            PartsKind::Sequence => self.open_pictures(order, parts).await.map(Some),
            PartsKind::Span | PartsKind::Cut => self.open_files(order, parts).await.map(Some),
        }
    }

    async fn open_pictures(&self, order: &AttemptOrder, parts: &Parts) -> Result<Group, Fault> {
        let names: Vec<String> = parts
            .members
            .iter()
            .map(|member| String::from_utf8_lossy(&key_bytes(split(&member.key).1)).into_owned())
            .collect();
        let rate = Ratio::of_rate(parts.fps.unwrap_or(USUAL_FPS));
        let family =
            Family::of_names(&names, rate).ok_or_else(|| broken(order, "its names are not those of one sequence"))?;
        if let Medium::Bucket(bucket) = self.storages.medium(&order.source, "open")? {
            let mut pictures = Vec::with_capacity(names.len());
            for (name, member) in names.into_iter().zip(&parts.members) {
                pictures.push((name, open_object(&bucket, member).await?));
            }
            return Ok(Group::single(Opened::Pictures(pictures), Some(family)));
        }
        let (members, folder_key) = (parts.members.clone(), split(&order.source.key).0.to_owned());
        let (storage, source) = (order.source.storage.clone(), order.source.clone());
        let folder = self
            .on(&source, "open", move |folder, pulse| {
                for member in &members {
                    let _ = pulse.beat();
                    let stat = folder.stat(&member.key)?;
                    as_it_was(&storage, member, stat)?;
                }
                let opened = folder.open_folder(&folder_key)?;
                let stat = Stat::of(&opened).map_err(|error| {
                    refusal::fault(
                        refusal::Access::Read,
                        "open",
                        &format!("{storage}:{folder_key}"),
                        &error,
                    )
                })?;
                Ok(Opened::File(opened, stat))
            })
            .await?;
        Ok(Group {
            source: folder,
            family: Some(family),
            pictures: parts
                .members
                .iter()
                .map(|member| (member.size_bytes, member.mtime_ns))
                .collect(),
            members: Vec::new(),
            assembly: None,
        })
    }

    async fn open_files(&self, order: &AttemptOrder, parts: &Parts) -> Result<Group, Fault> {
        if parts.members.len() > MAX_FILES {
            let why = format!("{} files are more than {MAX_FILES} of one source", parts.members.len());
            return Err(broken(order, &why));
        }
        let mut files = Vec::with_capacity(parts.members.len());
        for member in &parts.members {
            let object = ObjectUri::new(order.source.storage.as_str(), member.key.as_str());
            let key = member.key.clone();
            let opened = match self.storages.medium(&object, "open")? {
                Medium::Bucket(bucket) => Opened::Object(open_object(&bucket, member).await?),
                Medium::Folder(_) => {
                    let (file, stat) = self.on(&object, "open", move |folder, _| folder.open(&key)).await?;
                    as_it_was(&object.storage, member, Some(stat))?;
                    Opened::File(file, stat)
                }
            };
            files.push(SideFile {
                name: object.file_name().to_owned(),
                opened,
            });
        }
        if files.is_empty() {
            return Err(broken(order, "it has no files"));
        }
        Ok(Group {
            source: files.remove(0).opened,
            family: None,
            pictures: Vec::new(),
            members: files,
            assembly: assembly(parts),
        })
    }
}

/// A member that lies in a bucket. One whose ETag was seen is not looked at again: every read of it asks for that one.
async fn open_object(bucket: &Bucket, member: &Member) -> Result<BucketSource, Fault> {
    let identity = Identity {
        size_bytes: member.size_bytes,
        mtime_ns: member.mtime_ns,
        etag: member.etag.clone(),
    };
    if identity.etag.is_empty() {
        return BucketSource::open_as(bucket, &member.key, &identity).await;
    }
    Ok(BucketSource::known(bucket, &member.key, identity))
}

/// How the files go together; none: there is one, and all of it is taken.
fn assembly(parts: &Parts) -> Option<Assembly> {
    if parts.kind == PartsKind::Cut {
        return Some(Assembly::Cut);
    }
    let mut row: Vec<Recording> = Vec::new();
    for member in &parts.members {
        match (member.sound_of, row.last_mut()) {
            (Some(_), Some(recording)) => recording.sounds += 1,
            _ => row.push(Recording {
                sounds: 0,
                frames: member.frames,
            }),
        }
    }
    let is_plain = row.len() == 1 && row.iter().all(|one| one.sounds == 0 && one.frames.is_none());
    (!is_plain).then_some(Assembly::Row(row))
}

/// Refuses a file that is not what arrived.
pub(super) fn as_it_was(storage: &str, member: &Member, stat: Option<Stat>) -> Result<(), Fault> {
    let is_same =
        |stat: Stat| stat.size_bytes == member.size_bytes && (member.mtime_ns == 0 || stat.mtime_ns == member.mtime_ns);
    match stat {
        Some(stat) if is_same(stat) => Ok(()),
        other => Err(Fault::new(
            "SourceChanged",
            Blame::Source,
            "open",
            format!("{storage}:{}", member.key),
            match other {
                Some(_) => "what stands there now is not what arrived",
                None => "it arrived with others that are one media, and is gone",
            },
            "Nothing: what stands there now runs as a new arrival of all files that belong together.",
        )),
    }
}

fn broken(order: &AttemptOrder, why: &str) -> Fault {
    Fault::new(
        "SourceGroupUnreadable",
        Blame::Source,
        "open",
        order.source.to_string(),
        why,
        "Look at `reelmill storage explain` of the object; take the files out of the folder that do not belong to it.",
    )
    .retryable(false)
}

#[cfg(test)]
mod tests {
    use super::assembly;
    use crate::media::assembly::Assembly;
    use crate::media::assembly::Recording;
    use crate::workflow::arrival::Member;
    use crate::workflow::arrival::Parts;
    use crate::workflow::arrival::PartsKind;

    #[test]
    fn sounds_belong_to_the_pictures_before_them() {
        let member = |sound_of: Option<usize>| Member {
            key: "a".to_owned(),
            size_bytes: 1,
            mtime_ns: 1,
            etag: String::new(),
            sound_of,
            frames: None,
        };
        let parts = |members: Vec<Member>| Parts {
            kind: PartsKind::Span,
            members,
            ..Parts::default()
        };
        let recording = |sounds: usize| Recording { sounds, frames: None };
        let two = parts(vec![
            member(None),
            member(Some(0)),
            member(Some(0)),
            member(None),
            member(Some(3)),
        ]);
        assert_eq!(assembly(&two), Some(Assembly::Row(vec![recording(2), recording(1)])));
        assert_eq!(assembly(&parts(vec![member(None)])), None);
    }
}
