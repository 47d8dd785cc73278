//! Rows of `outputs`, their files, and the intents to publish them.
//!
//! Guarantees: an output and its ids are on disk before a byte stands under a final name; a key that is reserved is
//! reserved by one output only; an intent leaves only together with the conclusion of its job. Deliberately absent:
//! the choice of keys, and publishing.

use super::Store;
use super::error::StoreError;
use super::intents::Intent;
use super::jobs;
use super::jobs::JobResult;
use super::media::size_column;
use super::ours;
use super::row::Columns;
use super::row::serde_word;
use super::series;
use super::series::RenditionSeries;
use super::tasks::task_row;
use crate::base::clock::UtcMs;
use crate::base::ids::AttemptId;
use crate::base::ids::JobId;
use crate::base::ids::OutputId;
use crate::media::facts::MediaFacts;
use crate::media::product::Measured;
use crate::media::product::ProductKind;
use crate::media::product::Proof;
use crate::media::product::Quality;
use crate::objects::uri::ObjectUri;
use crate::workflow::status::JobStatus;
use rusqlite::Connection;
use rusqlite::named_params;
use serde::Deserialize;
use serde::Serialize;

/// What an output's row holds as JSON.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OutputDetail {
    /// Facts of the main object as re-read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<MediaFacts>,
    /// What was compared, and with what result.
    pub proof: Proof,
    /// Renditions inside a set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renditions: Vec<RenditionRow>,
    /// How like its pictures are to those it was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// Pictures made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_count: Option<u32>,
    /// Key of numbered files with `{Count}` in the place of the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Key of the WebVTT index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webvtt: Option<String>,
}

/// One rendition inside a set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenditionRow {
    /// The output's own id, as events tell it.
    pub id: OutputId,
    /// Its name in the definition.
    pub name: String,
    /// Key of its playlist.
    pub key: String,
    /// All its segments together.
    pub size_bytes: u64,
    /// Its facts.
    pub facts: MediaFacts,
    /// How like its pictures are to those it was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
}

/// One output.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputRow {
    /// Its id.
    pub id: OutputId,
    /// Its job.
    pub job: JobId,
    /// Its group's id.
    pub group: Option<OutputId>,
    /// Its group's name, or empty.
    pub group_name: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ProductKind,
    /// Its main object; of numbered files the first.
    pub main: ObjectUri,
    /// All its files together.
    pub size_bytes: u64,
    /// Of the main object; none of numbered files.
    pub md5: Option<String>,
    /// Every file stands under its final name.
    pub published: bool,
    /// The rest.
    pub detail: OutputDetail,
}

/// One file that shall be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentRow {
    /// Its output.
    pub output: OutputId,
    /// Its place in the order of publishing.
    pub ordinal: u32,
    /// Where it goes.
    pub to: ObjectUri,
    /// Relative to the attempt's scratch directory; empty for copies.
    pub scratch_path: String,
    /// The object that it is a copy of.
    pub from: Option<ObjectUri>,
    /// ETag with which that object has this hash; none: it lies in a folder, or only the hash is known.
    pub from_etag: Option<String>,
    /// Bytes.
    pub size_bytes: u64,
    /// MD5, hex.
    pub md5: String,
    /// May replace what stands there.
    pub overwrite: bool,
}

/// Outputs of one job about to be published.
#[derive(Debug, Clone)]
pub struct Reservation {
    /// The attempt that made them.
    pub attempt: AttemptId,
    /// Their job.
    pub job: JobId,
    /// What the job did beside them.
    pub result: JobResult,
    /// The outputs, in their order.
    pub outputs: Vec<OutputRow>,
    /// All their files, in the order of publishing within each output.
    pub intents: Vec<IntentRow>,
    /// What was measured of them over their length, of those of which anything was.
    pub series: Vec<(OutputId, RenditionSeries)>,
    /// What was measured of the source.
    pub measured: Option<Box<Measured>>,
}

/// What reserving found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// The keys are this job's; publish now.
    Yes,
    /// Another output is being published under this key.
    Taken(ObjectUri),
    /// A user canceled the task before; publish nothing.
    Canceled,
    /// The attempt does not hold the job any more.
    Stale,
}

impl Store {
    /// Commits the intent to publish the outputs of one job: from here on a cancel means finish. Replaces an earlier
    /// reservation of the same job. If the process dies before the commit nothing was reserved and the job is done
    /// again; after it, recovery publishes and concludes.
    pub async fn reserve(&self, reservation: Reservation, now: UtcMs) -> Result<Reserved, StoreError> {
        self.write("reserve outputs", move |connection| {
            let job = jobs::job_row(connection, &reservation.job)?;
            if job.status != JobStatus::Processing || job.attempt.as_ref() != Some(&reservation.attempt) {
                return Ok(Reserved::Stale);
            }
            let task = task_row(connection, &job.task)?;
            if task.intent == Some(Intent::Cancel) && outputs_of_job(connection, &job.id)?.is_empty() {
                return Ok(Reserved::Canceled);
            }
            if let Some(taken) = taken(connection, &reservation)? {
                return Ok(Reserved::Taken(taken));
            }
            release(connection, &reservation.job)?;
            insert(connection, &reservation, task.id.as_str(), now)?;
            connection
                .prepare_cached("update attempts set phase = 'publishing' where id = ?1 and phase = 'running'")?
                .execute([reservation.attempt.as_str()])?;
            Ok(Reserved::Yes)
        })
        .await
    }

    /// What a job still has to publish, in order: of each output its own order.
    pub async fn intents_of_job(&self, job: &JobId) -> Result<Vec<IntentRow>, StoreError> {
        let job = job.clone();
        self.read("read intents", move |connection| intents_of(connection, &job))
            .await
    }

    /// The outputs of a job, published or reserved.
    pub async fn outputs_of_job(&self, job: &JobId) -> Result<Vec<OutputRow>, StoreError> {
        let job = job.clone();
        self.read("read outputs", move |connection| outputs_of_job(connection, &job))
            .await
    }
}

/// A key of the reservation that another job's open intent holds.
fn taken(connection: &Connection, reservation: &Reservation) -> Result<Option<ObjectUri>, StoreError> {
    const SQL: &str = "select count(*) from publish_intents i join outputs o on o.id = i.output_id \
        where i.storage = ?1 and i.key = ?2 and o.job_id <> ?3";
    let mut statement = connection.prepare_cached(SQL)?;
    for intent in &reservation.intents {
        let held: i64 = statement.query_row([&intent.to.storage, &intent.to.key, reservation.job.as_str()], |row| {
            row.get(0)
        })?;
        if held > 0 {
            return Ok(Some(intent.to.clone()));
        }
    }
    Ok(None)
}

/// Takes back what a job reserved and did not publish, and what it measured.
pub(super) fn release(connection: &Connection, job: &JobId) -> Result<(), StoreError> {
    // Intents and files go with their output.
    connection
        .prepare_cached("delete from outputs where job_id = ?1 and published = 0")?
        .execute([job.as_str()])?;
    series::forget(connection, job)
}

fn insert(connection: &Connection, reservation: &Reservation, task: &str, now: UtcMs) -> Result<(), StoreError> {
    const OUTPUT: &str = "insert into outputs (id, job_id, task_id, attempt_id, ordinal, group_id, group_name, name, \
        kind, storage, key, size_bytes, md5, detail, created_ms) values (:id, :job, :task, :attempt, :ordinal, \
        :group, :group_name, :name, :kind, :storage, :key, :size, :md5, :detail, :now)";
    const INTENT: &str = "insert into publish_intents (output_id, ordinal, attempt_id, storage, key, scratch_path, \
        size_bytes, md5, overwrite, created_ms, from_object, from_etag) values (:output, :ordinal, :attempt, :storage, \
        :key, :scratch, :size, :md5, :overwrite, :now, :from, :from_etag)";
    const RESULT: &str = "update jobs set result = :result where id = :job";
    for (ordinal, output) in reservation.outputs.iter().enumerate() {
        connection.prepare_cached(OUTPUT)?.execute(named_params! {
            ":id": output.id.as_str(), ":job": reservation.job.as_str(), ":task": task,
            ":attempt": reservation.attempt.as_str(), ":ordinal": i64::try_from(ordinal).unwrap_or(i64::MAX),
            ":group": output.group.as_ref().map(OutputId::as_str), ":group_name": output.group_name,
            ":name": output.name, ":kind": kind_word(output.kind), ":storage": output.main.storage,
            ":key": output.main.key, ":size": size_column(output.size_bytes)?, ":md5": output.md5,
            ":detail": serde_json::to_string(&output.detail)?, ":now": now.0,
        })?;
    }
    for intent in &reservation.intents {
        connection.prepare_cached(INTENT)?.execute(named_params! {
            ":output": intent.output.as_str(), ":ordinal": intent.ordinal, ":attempt": reservation.attempt.as_str(),
            ":storage": intent.to.storage, ":key": intent.to.key, ":scratch": intent.scratch_path,
            ":size": size_column(intent.size_bytes)?, ":md5": intent.md5, ":overwrite": intent.overwrite, ":now": now.0,
            ":from": intent.from.as_ref().map(ToString::to_string), ":from_etag": intent.from_etag,
        })?;
    }
    connection.prepare_cached(RESULT)?.execute(named_params! {
        ":result": serde_json::to_string(&reservation.result)?, ":job": reservation.job.as_str(),
    })?;
    for (output, measured) in &reservation.series {
        series::keep_of_output(connection, output, measured)?;
    }
    if let Some(measured) = &reservation.measured {
        series::keep_of_job(connection, &reservation.job, measured)?;
    }
    Ok(())
}

/// A file as it stood right after publishing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoodFile {
    /// Where.
    pub at: ObjectUri,
    /// Modification time, nanoseconds since 1970; 0 where the storage has none.
    pub mtime_ns: i64,
    /// ETag of S3 objects, else empty.
    pub etag: String,
}

impl StoodFile {
    /// Time and ETag, where the storage has them.
    fn known(&self) -> (Option<i64>, Option<&str>) {
        let mtime_ns = Some(self.mtime_ns).filter(|mtime_ns| *mtime_ns != 0);
        (mtime_ns, Some(self.etag.as_str()).filter(|etag| !etag.is_empty()))
    }
}

/// Turns the intents of a job into files of published outputs. `stood` tells what is known of them in place.
pub(super) fn settle_intents(connection: &Connection, job: &JobId, stood: &[StoodFile]) -> Result<(), StoreError> {
    const FILE: &str = "insert into output_files (output_id, ordinal, storage, key, size_bytes, md5, mtime_ns, etag) \
        values (:output, :ordinal, :storage, :key, :size, :md5, :mtime, :etag)";
    const CLEAR: &str = "delete from publish_intents where output_id = ?1 and ordinal = ?2";
    const PUBLISHED: &str = "update outputs set published = 1 where job_id = ?1";
    for intent in intents_of(connection, job)? {
        let found = stood.iter().find(|file| file.at == intent.to);
        let (mtime_ns, etag) = found.map_or((None, None), StoodFile::known);
        ours::look_again(connection, &intent, mtime_ns, etag)?;
        connection.prepare_cached(FILE)?.execute(named_params! {
            ":output": intent.output.as_str(), ":ordinal": intent.ordinal, ":storage": intent.to.storage,
            ":key": intent.to.key, ":size": size_column(intent.size_bytes)?, ":md5": intent.md5,
            ":mtime": mtime_ns, ":etag": etag,
        })?;
        connection
            .prepare_cached(CLEAR)?
            .execute(rusqlite::params![intent.output.as_str(), intent.ordinal])?;
    }
    connection.prepare_cached(PUBLISHED)?.execute([job.as_str()])?;
    Ok(())
}

/// What a job still has to publish.
pub(super) fn intents_of(connection: &Connection, job: &JobId) -> Result<Vec<IntentRow>, StoreError> {
    const SQL: &str = "select i.output_id, i.ordinal, i.storage, i.key, i.scratch_path, i.size_bytes, i.md5, i.overwrite, \
        i.from_object, i.from_etag from outputs o join publish_intents i on i.output_id = o.id where o.job_id = ?1 order by o.ordinal, i.ordinal";
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query([job.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(IntentRow {
            output: row.text(0)?.into(),
            ordinal: row.count(1)?,
            to: ObjectUri::new(row.text(2)?, row.text(3)?),
            scratch_path: row.text(4)?,
            size_bytes: row.size(5)?,
            md5: row.text(6)?,
            overwrite: row.get(7)?,
            from: row
                .get::<_, Option<String>>(8)?
                .map(|text| {
                    ObjectUri::parse(&text).ok_or_else(|| StoreError::unreadable(format!("from_object is {text:?}")))
                })
                .transpose()?,
            from_etag: row.get(9)?,
        });
    }
    Ok(found)
}

/// The outputs of a job.
pub(super) fn outputs_of_job(connection: &Connection, job: &JobId) -> Result<Vec<OutputRow>, StoreError> {
    const SQL: &str = "select id, job_id, group_id, group_name, name, kind, storage, key, size_bytes, md5, published, \
        detail from outputs where job_id = ?1 order by ordinal";
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query([job.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(OutputRow {
            id: row.text(0)?.into(),
            job: row.text(1)?.into(),
            group: row.get::<_, Option<String>>(2)?.map(OutputId::from),
            group_name: row.text(3)?,
            name: row.text(4)?,
            kind: row.word(5, serde_word)?,
            main: ObjectUri::new(row.text(6)?, row.text(7)?),
            size_bytes: row.size(8)?,
            md5: row.get(9)?,
            published: row.get(10)?,
            detail: row.whole(11)?,
        });
    }
    Ok(found)
}

fn kind_word(kind: ProductKind) -> &'static str {
    match kind {
        ProductKind::File => "file",
        ProductKind::Hls => "hls",
        ProductKind::Dash => "dash",
        ProductKind::Cmaf => "cmaf",
        ProductKind::Stills => "stills",
        ProductKind::Sprite => "sprite",
        ProductKind::Animation => "animation",
        ProductKind::Report => "report",
    }
}
