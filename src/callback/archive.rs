//! An archive of events in a storage: `PREFIX/yyyy-mm-dd.jsonl`, a line an event, by the day of the event in UTC; in a
//! bucket, whose objects cannot grow, `PREFIX/yyyy-mm-dd/HHMMSS-ID.jsonl`, an object an event.
//!
//! A line is `{"id": ..., "type": ..., "at": ..., "body": ...}` with the event's id and its body in the destination's
//! words. How "exactly one line" holds: before the first line is added to a day's file after a start, the file is read
//! once, what is left of a torn last line is cut off (its event was never answered for and comes again), and the ids of
//! all its lines are remembered; an event whose id is among them is answered for without being written again. A file
//! that is not as long as it was left is read anew. So a crash between the line and the row of its delivery costs a
//! repeated delivery and no second line, and the same goes for replays. In a bucket the name does it: the event's own time
//! and id, under which an object is written once.
//!
//! Guarantees: accepted means synced, the folder's entry too; files of this name never trigger a workflow
//! (`objects::ignored`). Deliberately absent: pruning; the archive is the user's.

use crate::base::fault::Fault;
use crate::callback::client::Answer;
use crate::callback::destination;
use crate::callback::transport::Message;
use crate::callback::transport::Transport;
use crate::callback::transport::accepted;
use crate::callback::transport::refused;
use crate::callback::transport::unreached;
use crate::objects::local::Folder;
use crate::objects::pulse::Pulse;
use crate::objects::s3::Bucket;
use crate::objects::s3::Put;
use crate::objects::s3::PutRule;
use crate::objects::s3::Replace;
use crate::objects::storages::Storages;
use crate::objects::uri::ObjectUri;
use crate::workflow::destination::Definition;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use tokio::sync::Mutex;
use tokio::sync::OwnedMutexGuard;
use tokio_util::bytes::Bytes;

/// Days whose files are remembered at once: today, and yesterday's stragglers.
const DAYS: usize = 3;

/// One archive.
#[derive(Debug)]
pub struct Archive {
    storages: Storages,
    storage: String,
    prefix: String,
    days: Arc<Mutex<Days>>,
}

#[derive(Debug, Default)]
struct Days(HashMap<String, Day>);

/// What is known of one file.
#[derive(Debug, Default)]
struct Day {
    /// Its length, up to the end of its last whole line.
    whole_bytes: u64,
    /// Ids of the events in it, as numbers.
    ids: HashSet<u128>,
    used: u64,
}

impl Archive {
    /// An archive in the storage that `definition` names.
    ///
    /// # Errors
    /// There is no such storage, or the prefix is no folder.
    pub fn new(storages: Option<&Storages>, definition: &Definition) -> Result<Self, Fault> {
        let prefix = definition.prefix.trim_matches('/').to_owned();
        let sound = prefix.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
        if !sound || prefix.contains('\0') {
            return Err(destination::refused(
                &format!("prefix {:?}", definition.prefix),
                "it is not a folder of the storage",
                "Name one, as in \"events\" or \"audit/events\".",
            ));
        }
        match storages.filter(|storages| storages.has(&definition.storage)) {
            Some(storages) => Ok(Archive {
                storages: storages.clone(),
                storage: definition.storage.clone(),
                prefix,
                days: Arc::default(),
            }),
            None => Err(destination::refused(
                &format!("storage {:?}", definition.storage),
                "there is no such storage",
                "Name one of the storages of the configuration.",
            )),
        }
    }

    async fn keep(&self, message: &Message, limit: Duration) -> Answer {
        let began = Instant::now();
        let day = message.at.wire();
        let object = ObjectUri {
            storage: self.storage.clone(),
            key: format!("{}/{}.jsonl", self.prefix, day.get(..10).unwrap_or("undated")),
        };
        let Ok(id) = u128::from_str_radix(&message.event_id, 16) else {
            return refused(began, format!("{} is no id of an event", message.event_id), None);
        };
        let line = match line(message) {
            Ok(line) => line,
            Err(error) => return refused(began, format!("its body is not JSON: {error}"), None),
        };
        if let Some(bucket) = self.storages.bucket(&self.storage) {
            return self.keep_in(&bucket, message, line, began, limit).await;
        }
        // Whoever hangs keeps it; nobody else writes beside them.
        let work = async {
            let days = Arc::clone(&self.days).lock_owned().await;
            let key = object.key.clone();
            self.storages
                .on(&object, "archive", move |folder, pulse| {
                    add(days, folder, &key, id, &line, pulse)
                })
                .await
        };
        match tokio::time::timeout(limit, work).await {
            Ok(Ok(Added::Now)) => accepted(began, None),
            Ok(Ok(Added::Before)) => accepted(began, Some("it is there already".to_owned())),
            Ok(Err(fault)) => unreached(began, fault.to_string()),
            Err(_) => unreached(began, format!("storage {} did not answer in time", self.storage)),
        }
    }

    async fn keep_in(
        &self,
        bucket: &Bucket,
        message: &Message,
        line: Vec<u8>,
        began: Instant,
        limit: Duration,
    ) -> Answer {
        let at = message.at.wire();
        let (day, time) = at.split_once('T').unwrap_or((&at, ""));
        let time: String = time.chars().filter(char::is_ascii_digit).collect();
        let key = format!("{}/{day}/{time}-{}.jsonl", self.prefix, message.event_id);
        let rule = PutRule {
            content_type: "application/x-ndjson".to_owned(),
            metadata: BTreeMap::new(),
            replace: Replace::Never,
        };
        match tokio::time::timeout(limit, bucket.put(&key, Bytes::from(line), &rule)).await {
            Ok(Ok(Put::Done(_))) => accepted(began, None),
            Ok(Ok(Put::Taken)) => accepted(began, Some("it is there already".to_owned())),
            Ok(Err(fault)) => unreached(began, fault.to_string()),
            Err(_) => unreached(began, format!("storage {} did not answer in time", self.storage)),
        }
    }
}

impl Transport for Archive {
    fn send<'a>(&'a self, message: &'a Message, timeout: Duration) -> BoxFuture<'a, Answer> {
        Box::pin(self.keep(message, timeout))
    }

    fn close<'a>(&'a self) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Added {
    Now,
    Before,
}

fn line(message: &Message) -> Result<Vec<u8>, serde_json::Error> {
    // Parsed, so that a body over several lines becomes one.
    let body: serde_json::Value = serde_json::from_slice(&message.body)?;
    let mut line = serde_json::to_vec(&serde_json::json!({
        "id": message.event_id,
        "type": message.event_type,
        "at": message.at.wire(),
        "body": body,
    }))?;
    line.push(b'\n');
    Ok(line)
}

/// Adds a line to the file `key`, unless its event stands there.
fn add(
    mut days: OwnedMutexGuard<Days>,
    folder: &Folder,
    key: &str,
    id: u128,
    line: &[u8],
    pulse: &Pulse,
) -> Result<Added, Fault> {
    let size_bytes = folder.stat(key)?.map_or(0, |stat| stat.size_bytes);
    let known = days.0.remove(key);
    let mut day = match known {
        Some(day) if day.whole_bytes == size_bytes => day,
        _ if size_bytes == 0 => Day::default(),
        _ => read(folder, key, pulse)?,
    };
    let added = if day.ids.contains(&id) {
        Added::Before
    } else {
        // What goes wrong from here on leaves the day forgotten, and the next line begins by reading the file.
        let mut file = folder.grow(key, day.whole_bytes)?;
        let write = |file: &mut std::fs::File| {
            file.write_all(line)?;
            file.sync_data()
        };
        write(&mut file).map_err(|error| write_fault(folder, key, &error))?;
        if day.whole_bytes == 0 {
            folder.sync_parent(key)?;
        }
        day.whole_bytes += line.len() as u64;
        day.ids.insert(id);
        Added::Now
    };
    let newest = days.0.values().map(|day| day.used).max().unwrap_or(0);
    day.used = newest + 1;
    days.0.insert(key.to_owned(), day);
    if days.0.len() > DAYS {
        let oldest = days
            .0
            .iter()
            .min_by_key(|(_, day)| day.used)
            .map(|(key, _)| key.clone());
        oldest.map(|key| days.0.remove(&key));
    }
    Ok(added)
}

/// Reads a file for the ids in it.
fn read(folder: &Folder, key: &str, pulse: &Pulse) -> Result<Day, Fault> {
    let (file, _) = folder.open(key)?;
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    let mut day = Day::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader
            .read_until(b'\n', &mut line)
            .and_then(|read| pulse.beat().map(|()| read))
            .map_err(|error| write_fault(folder, key, &error))?;
        if read == 0 || !line.ends_with(b"\n") {
            return Ok(day);
        }
        day.whole_bytes += read as u64;
        day.ids.extend(id_of(&line));
    }
}

/// The id in a line of ours.
fn id_of(line: &[u8]) -> Option<u128> {
    let rest = line.strip_prefix(b"{\"id\":\"")?;
    let id = rest.get(..32)?;
    u128::from_str_radix(std::str::from_utf8(id).ok()?, 16).ok()
}

fn write_fault(folder: &Folder, key: &str, error: &std::io::Error) -> Fault {
    Fault::new(
        "ArchiveUnwritable",
        crate::base::fault::Blame::Host,
        "archive",
        format!("{}:{key}", folder.name()),
        error.to_string(),
        "Look at the storage; the event is tried again.",
    )
}

#[cfg(test)]
mod tests {
    use super::Archive;
    use crate::base::clock::UtcMs;
    use crate::callback::transport::Message;
    use crate::callback::transport::Transport;
    use crate::objects::local::Folder;
    use crate::objects::storages::Storages;
    use crate::workflow::destination::Definition;
    use std::path::Path;
    use std::time::Duration;

    fn archive(root: &Path) -> Archive {
        let definition = Definition {
            storage: "vault".to_owned(),
            prefix: "events/".to_owned(),
            ..Definition::default()
        };
        Archive::new(Some(&Storages::new([Folder::new("vault", root)])), &definition).expect("valid")
    }

    fn message(id: u128, at: &str) -> Message {
        Message {
            event_id: format!("{id:032x}"),
            event_type: "SnapshotComplete".to_owned(),
            headers: Vec::new(),
            body: b"{\n \"a\": 1}".to_vec(),
            at: UtcMs::parse_wire(at).expect("a time"),
            line: String::new(),
        }
    }

    async fn keep(archive: &Archive, message: &Message) -> Option<String> {
        let answer = archive.send(message, Duration::from_secs(60)).await;
        assert_eq!((answer.status, answer.error), (Some(200), None));
        answer.body
    }

    #[tokio::test]
    async fn one_line_an_event_over_repeats_restarts_and_torn_lines() {
        let root = tempfile::tempdir().expect("a folder");
        let file = root.path().join("events/2026-01-02.jsonl");
        let day = "2026-01-02T23:59:59Z";
        {
            let archive = archive(root.path());
            for id in [1, 2, 1] {
                keep(&archive, &message(id, day)).await;
            }
            keep(&archive, &message(3, "2026-01-03T00:00:00Z")).await;
        }
        // A crash left half a line behind.
        let whole = std::fs::read_to_string(&file).expect("there");
        std::fs::write(&file, format!("{whole}{{\"id\":\"000")).expect("written");
        let archive = archive(root.path());
        assert!(
            keep(&archive, &message(2, day)).await.is_some(),
            "it says that it is there"
        );
        assert!(keep(&archive, &message(4, day)).await.is_none());
        let text = std::fs::read_to_string(&file).expect("there");
        let ids: Vec<String> = text
            .lines()
            .map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).expect("a whole line");
                assert_eq!(line["body"]["a"], 1);
                line["id"].as_str().expect("an id").trim_start_matches('0').to_owned()
            })
            .collect();
        assert_eq!(ids, ["1", "2", "4"]);
        assert!(root.path().join("events/2026-01-03.jsonl").exists());
    }

    #[test]
    fn a_prefix_is_a_plain_folder() {
        for prefix in ["", "/", "../x", "a//b", ".reelmill"] {
            let definition = Definition {
                storage: "vault".to_owned(),
                prefix: prefix.to_owned(),
                ..Definition::default()
            };
            let storages = Storages::new([Folder::new("vault", "/nonexistent")]);
            assert!(Archive::new(Some(&storages), &definition).is_err(), "{prefix:?}");
        }
    }
}
