//! A trial of a storage: listed, written, read back, and left as it was.
//!
//! Guarantees: what is written lies beneath `.reelmill`, which no trigger takes, and is removed whatever came before;
//! each step has its own answer, since a share that may only be read is a right place for sources. Deliberately absent:
//! judging whether the storage will do.

use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::objects::local::STAGING;
use crate::objects::s3::Bucket;
use crate::objects::s3::PutRule;
use crate::objects::s3::Replace;
use crate::objects::storages::Medium;
use crate::objects::storages::Storages;
use crate::objects::uri::ObjectUri;
use crate::web::ports::ProbeStep;
use std::collections::BTreeMap;
use std::future::Future;
use std::io::Read;
use std::time::Duration;
use std::time::Instant;
use tokio_util::bytes::Bytes;

/// What is written.
const WORDS: &[u8] = b"reelmill was here, and will be gone in a moment\n";
/// Longest one step is waited for.
const STEP_WITHIN: Duration = Duration::from_secs(12);

/// Tries the storage `name`.
///
/// # Errors
/// `StorageUnknown`.
pub(super) async fn probe(storages: &Storages, name: &str) -> Result<Vec<ProbeStep>, Fault> {
    let key = format!("{STAGING}/probe/{}", AttemptId::fresh());
    let object = ObjectUri::new(name, key.as_str());
    let mut steps = Vec::new();
    match storages.medium(&object, "try")? {
        Medium::Folder(_) => {
            let root = ObjectUri::new(name, "");
            let listed = storages.on(&root, "list", |folder, _| folder.list("").map(drop));
            step(&mut steps, "list", listed).await;
            let at = key.clone();
            let written = storages.on(&object, "write", move |folder, _| folder.write(&at, WORDS));
            if step(&mut steps, "write", written).await {
                let at = key.clone();
                let read = storages.on(&object, "read", move |folder, _| {
                    let (mut file, _) = folder.open(&at)?;
                    let mut back = Vec::new();
                    let read = file.read_to_end(&mut back);
                    Ok(read.is_ok() && back == WORDS)
                });
                step(&mut steps, "read", same(&object, read)).await;
                let removed = storages.on(&object, "remove", move |folder, _| {
                    folder.remove(&key)?;
                    folder.remove_empty_folder(&format!("{STAGING}/probe")).map(drop)
                });
                step(&mut steps, "remove", removed).await;
            }
        }
        Medium::Bucket(bucket) => try_bucket(&bucket, &object, &mut steps).await,
    }
    Ok(steps)
}

async fn try_bucket(bucket: &Bucket, object: &ObjectUri, steps: &mut Vec<ProbeStep>) {
    let key = object.key.as_str();
    if !step(steps, "list", bucket.reach()).await {
        // Whoever cannot be reached or does not know us says the same of the rest.
        return;
    }
    let rule = PutRule {
        content_type: "text/plain".to_owned(),
        metadata: BTreeMap::new(),
        replace: Replace::Always,
    };
    let written = async { bucket.put(key, Bytes::from_static(WORDS), &rule).await.map(drop) };
    if !step(steps, "write", written).await {
        return;
    }
    let read = async {
        let Some(head) = bucket.head(key).await? else {
            return Ok(false);
        };
        let back = bucket.read(key, &head.etag, 0..WORDS.len() as u64).await?;
        Ok(back.as_ref() == WORDS)
    };
    step(steps, "read", same(object, read)).await;
    step(steps, "remove", bucket.remove(key)).await;
}

/// What was read has to be what was written.
async fn same(object: &ObjectUri, read: impl Future<Output = Result<bool, Fault>>) -> Result<(), Fault> {
    match read.await? {
        true => Ok(()),
        false => Err(Fault::new(
            "OutputCorrupt",
            crate::base::fault::Blame::Host,
            "read back",
            object.to_string(),
            "what was read is not what was written",
            "Look at the storage's server and its log.",
        )),
    }
}

async fn step(steps: &mut Vec<ProbeStep>, name: &'static str, work: impl Future<Output = Result<(), Fault>>) -> bool {
    let began = Instant::now();
    let error = match tokio::time::timeout(STEP_WITHIN, work).await {
        Ok(Ok(())) => None,
        Ok(Err(fault)) => Some((fault.cause.clone(), fault.remedy)),
        Err(_) => Some((
            format!("it did not answer within {} s", STEP_WITHIN.as_secs()),
            "Look at the mount or the service and its network.".to_owned(),
        )),
    };
    let is_well = error.is_none();
    let (error, remedy) = error.unzip();
    steps.push(ProbeStep {
        name,
        error,
        remedy,
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    is_well
}
