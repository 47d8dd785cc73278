//! What attempts left open in buckets: uploads in parts that were begun and are neither completed nor aborted.
//!
//! A server keeps the parts of such an upload, and charges for them, until somebody aborts it, and not every server
//! can list them. So each is noted beneath scratch, in a file of its attempt, before its first part is sent.
//! Guarantees: an upload that may be open stands in the file, or the server was never asked for one; a line torn by a
//! power cut hides no other line; the file goes only when everything in it was aborted. Deliberately absent: sending
//! parts.

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::objects::pool::StoragePool;
use crate::objects::refusal;
use crate::objects::refusal::Access;
use crate::objects::s3::Bucket;
use crate::objects::s3::Part;
use crate::objects::storages::Medium;
use crate::objects::storages::Storages;
use crate::objects::uri::ObjectUri;
use crate::worker::scratch::is_attempt;
use serde::Deserialize;
use serde::Serialize;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

/// The folder of the files, beneath the scratch root.
const FOLDER: &str = "uploads";
/// How far a server's clock may be behind ours when it says since when an upload is open.
const SKEW_S: i64 = 15 * 60;

/// One upload into a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The key it will have.
    pub to: ObjectUri,
    /// Its id; none: it was asked for, and no answer is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<String>,
    /// When it was begun.
    pub begun_ms: i64,
    /// What was sent, once it is all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staged: Option<StagedParts>,
    /// It is completed or aborted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
}

/// An upload that is whole but for its completion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedParts {
    /// Bytes of all parts.
    pub size_bytes: u64,
    /// MD5 of all parts, hex.
    pub md5: String,
    /// The parts, in order.
    pub parts: Vec<Part>,
}

impl Trace {
    /// An upload that is about to be asked for.
    pub fn asked(to: &ObjectUri) -> Self {
        Trace {
            to: to.clone(),
            upload: None,
            begun_ms: UtcMs::now().0,
            staged: None,
            over: false,
        }
    }
}

/// The files.
#[derive(Debug, Clone)]
pub struct Traces {
    folder: PathBuf,
    pool: StoragePool,
}

impl Traces {
    /// Beneath `scratch_root`, which is touched on the threads of `pool`.
    pub fn new(scratch_root: &Path, pool: StoragePool) -> Self {
        Traces {
            folder: scratch_root.join(FOLDER),
            pool,
        }
    }

    /// What `attempt` left open.
    pub async fn of(&self, attempt: &AttemptId) -> Result<Vec<Trace>, Fault> {
        let path = self.folder.join(attempt.as_str());
        self.on(Access::Read, "read", path, |path| match std::fs::read_to_string(path) {
            Ok(text) => Ok(open_ones(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        })
        .await
    }

    /// Notes how an upload of `attempt` stands; it survives a power cut.
    pub async fn note(&self, attempt: &AttemptId, trace: &Trace) -> Result<(), Fault> {
        let path = self.folder.join(attempt.as_str());
        let line = serde_json::to_string(trace).expect("plain data has a JSON form");
        self.on(Access::Write, "note upload", path, move |path| {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
            // Begins with the end of a line: a torn one before it stays alone.
            file.write_all(format!("\n{line}\n").as_bytes())?;
            file.sync_data()
        })
        .await
    }

    /// Nothing of `attempt` is open any more.
    async fn forget(&self, attempt: &AttemptId) -> Result<(), Fault> {
        let path = self.folder.join(attempt.as_str());
        self.on(Access::Write, "remove", path, |path| match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }

    /// The attempts that may have left something open.
    pub async fn attempts(&self) -> Result<Vec<AttemptId>, Fault> {
        self.on(Access::Read, "list", self.folder.clone(), |path| {
            let entries = match std::fs::read_dir(path) {
                Ok(entries) => entries,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            let mut found = Vec::new();
            for entry in entries {
                let name = entry?.file_name();
                if let Some(name) = name.to_str().filter(|name| is_attempt(name)) {
                    found.push(AttemptId::from(name));
                }
            }
            Ok(found)
        })
        .await
    }

    async fn on<T: Send + 'static>(
        &self,
        access: Access,
        operation: &'static str,
        path: PathBuf,
        work: impl FnOnce(&Path) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, Fault> {
        let subject = path.display().to_string();
        let told = subject.clone();
        self.pool
            .run(operation, &subject, move |_| {
                work(&path).map_err(|error| refusal::fault(access, operation, &told, &error))
            })
            .await
    }
}

/// Those of the noted uploads that may be open.
fn open_ones(text: &str) -> Vec<Trace> {
    let mut open: Vec<Trace> = Vec::new();
    for trace in text.lines().filter_map(|line| serde_json::from_str::<Trace>(line).ok()) {
        // What is known now takes the place of what was known of it before: the id that of a question.
        open.retain(|known| known.to != trace.to || (known.upload.is_some() && known.upload != trace.upload));
        if !trace.over {
            open.push(trace);
        }
    }
    open
}

/// Aborts one upload; one that is not there any more is fine.
pub async fn abort(bucket: &Bucket, trace: &Trace) -> Result<(), Fault> {
    if let Some(upload) = &trace.upload {
        return bucket.abort(&trace.to.key, upload).await;
    }
    // Nobody knows its id, or whether there is one: the server does, where it can list them.
    for upload in bucket.uploads(&trace.to.key).await? {
        if upload.key == trace.to.key && upload.begun_s >= trace.begun_ms / 1_000 - SKEW_S {
            bucket.abort(&upload.key, &upload.upload).await?;
        }
    }
    Ok(())
}

/// Aborts everything that `attempt` left open. What a storage that is not registered any more holds, or that we may not
/// abort, is beyond reach.
pub async fn abort_all(traces: &Traces, storages: &Storages, attempt: &AttemptId) -> Result<(), Fault> {
    for trace in traces.of(attempt).await? {
        match storages.medium(&trace.to, "abort upload") {
            Ok(Medium::Bucket(bucket)) => match abort(&bucket, &trace).await {
                Err(fault) if fault.retryable => return Err(fault),
                Err(fault) => {
                    tracing::warn!(object = %trace.to, %fault, "an upload cannot be aborted and is left open")
                }
                Ok(()) => {}
            },
            Ok(Medium::Folder(_)) => {}
            Err(fault) => tracing::warn!(%attempt, %fault, "an upload was left open there"),
        }
    }
    traces.forget(attempt).await
}

#[cfg(test)]
mod tests {
    use super::Trace;
    use super::open_ones;
    use crate::objects::uri::ObjectUri;

    fn line(key: &str, upload: Option<&str>, over: bool) -> String {
        let trace = Trace {
            upload: upload.map(str::to_owned),
            begun_ms: 7,
            over,
            ..Trace::asked(&ObjectUri::new("out", key))
        };
        serde_json::to_string(&trace).expect("JSON")
    }

    #[test]
    fn what_was_asked_for_answered_and_ended_is_told_apart() {
        let torn = &line("d", Some("4"), false)[..20];
        let text = [
            line("a", None, false),
            line("a", Some("1"), false),
            line("a", Some("1"), true),
            line("a", None, false),
            line("b", None, false),
            line("b", Some("2"), false),
            torn.to_owned(),
            line("c", Some("3"), false),
        ]
        .join("\n");
        let open: Vec<(String, Option<String>)> = open_ones(&text)
            .into_iter()
            .map(|trace| (trace.to.key, trace.upload))
            .collect();
        let known = |key: &str, upload: Option<&str>| (key.to_owned(), upload.map(str::to_owned));
        assert_eq!(open, [known("a", None), known("b", Some("2")), known("c", Some("3"))]);
    }
}
