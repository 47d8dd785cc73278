//! Files beside the source that jobs name: watermarks, subtitles, clips to join.
//!
//! Guarantees: opened read-only by this process, in registered storages alone, and handed to the worker as descriptors or
//! through its relay, checked like the source; what cannot be opened fails the jobs that name it and no other. Deliberately
//! absent: what is in them.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::executor::AttemptOrder;
use crate::executor::AttemptUpdate;
use crate::executor::bucket_source::BucketSource;
use crate::executor::inheritance::Opened;
use crate::executor::local::LocalExecutor;
use crate::media::product::JobEnd;
use crate::objects::local::Kind;
use crate::objects::local::Stat;
use crate::objects::refusal;
use crate::objects::storages::Medium;
use crate::objects::uri::ObjectUri;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use tokio::sync::mpsc;

/// Most files beside one source: the limit of joined clips, and room for marks and subtitles.
const MAX_FILES: usize = 200;

/// One such file, open.
#[derive(Debug)]
pub struct SideFile {
    /// The text that names it in the work.
    pub name: String,
    /// The file.
    pub opened: Opened,
}

impl LocalExecutor {
    /// Opens what the jobs of `order` name. Jobs that name something that cannot be opened are told to have failed and
    /// leave the order.
    pub(super) async fn open_side(
        &self,
        order: &mut AttemptOrder,
        updates: &mpsc::Sender<AttemptUpdate>,
    ) -> Vec<SideFile> {
        let names: BTreeSet<String> = order
            .jobs
            .iter()
            .flat_map(|(_, work)| work.side_names())
            .map(str::to_owned)
            .collect();
        let mut files = Vec::new();
        let mut faults: BTreeMap<String, Fault> = BTreeMap::new();
        for (number, name) in names.into_iter().enumerate() {
            let opened = if number < MAX_FILES {
                self.open_side_file(&name).await
            } else {
                Err(too_many(&name))
            };
            match opened {
                Ok(opened) => files.push(SideFile { name, opened }),
                Err(fault) => {
                    faults.insert(name, fault);
                }
            }
        }
        let mut kept = Vec::new();
        for (job, work) in std::mem::take(&mut order.jobs) {
            let fault = work.side_names().into_iter().find_map(|name| faults.get(name)).cloned();
            match fault {
                None => kept.push((job, work)),
                Some(fault) => {
                    let end = Box::new(JobEnd::Failed { fault });
                    // Nobody listens any more: the attempt still has to come to its end.
                    let _ = updates.send(AttemptUpdate::JobEnded(job, end)).await;
                }
            }
        }
        order.jobs = kept;
        files.retain(|file| {
            order
                .jobs
                .iter()
                .any(|(_, work)| work.side_names().contains(file.name.as_str()))
        });
        files
    }

    async fn open_side_file(&self, name: &str) -> Result<Opened, Fault> {
        match (ObjectUri::parse(name), self.plain_names.as_deref()) {
            (Some(object), _) => {
                let opened = match self.storages.medium(&object, "open")? {
                    Medium::Folder(_) => {
                        let key = object.key.clone();
                        let opened = self.on(&object, "open", move |folder, _| folder.open(&key)).await;
                        opened.map(|(file, stat)| Opened::File(file, stat))
                    }
                    Medium::Bucket(bucket) => BucketSource::open(&bucket, &object.key).await.map(Opened::Object),
                };
                opened.map_err(|fault| missing_or(name, fault))
            }
            (None, Some(folder)) => open_plain(name, &folder.join(name)),
            (None, None) => Err(Fault::new(
                "SideFileUnnamed",
                Blame::Request,
                "open",
                name,
                "it is no object: the name of a storage is missing",
                "Write `storage:key`, with a storage of the configuration.",
            )
            .retryable(false)),
        }
    }
}

/// A file by its path, for a command that has the rights of whoever called it.
fn open_plain(name: &str, path: &Path) -> Result<Opened, Fault> {
    let open = || -> std::io::Result<(File, Stat)> {
        let file = File::open(path)?;
        let stat = Stat::of(&file)?;
        Ok((file, stat))
    };
    match open() {
        Ok((file, stat)) if stat.kind == Kind::File => Ok(Opened::File(file, stat)),
        Ok(_) => Err(missing(name, format!("{} is not a regular file", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(missing(name, format!("{} does not exist", path.display())))
        }
        Err(error) => Err(refusal::fault(refusal::Access::Read, "open", name, &error)),
    }
}

/// A source that is gone is a new arrival's affair; a file beside it is the definition's.
fn missing_or(name: &str, fault: Fault) -> Fault {
    match fault.code.as_str() {
        "SourceVanished" | "SourceNotAFile" | "SourceGone" => missing(name, fault.cause),
        _ => fault,
    }
}

fn missing(name: &str, cause: String) -> Fault {
    Fault::new(
        "SideFileMissing",
        Blame::Request,
        "open",
        name,
        cause,
        "Put the file there, or correct its name in the workflow; then run the task again.",
    )
    .retryable(false)
}

fn too_many(name: &str) -> Fault {
    Fault::new(
        "SideFilesTooMany",
        Blame::Request,
        "open",
        name,
        format!("more than {MAX_FILES} files are named beside one source"),
        "Name fewer, or join some of them first.",
    )
    .retryable(false)
}
