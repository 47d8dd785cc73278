//! Rows of `deletions`: media of which something is to go, and how far that is.
//!
//! Guarantees: what was asked for stays in its row until it is done or given up, whatever dies; what is removed is told
//! once, in the transaction that ends the row; a source is never in the ledger of arrivals as there when it goes, so
//! no trigger takes its going, or its coming back as it was, for news. Deliberately absent: removing files
//! (`web::library`).

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::AdditionId;
use crate::base::ids::MediaId;
use crate::base::ids::OutputId;
use crate::events::library::DeleteType;
use crate::events::library::LibraryFact;
use crate::objects::uri::ObjectUri;
use crate::store::Store;
use crate::store::admission;
use crate::store::error::StoreError;
use crate::store::library::additions;
use crate::store::library::description;
use crate::store::library::facts_of;
use crate::store::listing;
use crate::store::media::MediaState;
use crate::store::media::Source;
use crate::store::media::media_row;
use crate::store::row::Columns;
use crate::store::search;
use crate::workflow::arrival::Parts;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::named_params;

/// What shall go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doom {
    /// What of the media.
    pub what: DeleteType,
    /// With `All`: the files of its attachments and renditions too.
    pub additions: bool,
    /// Cancel its tasks first; else it is refused while any of them runs.
    pub cancel: bool,
    /// Who asks.
    pub who: String,
}

/// What asking did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doomed {
    /// It is written down.
    Yes,
    /// So many tasks of the media have not ended.
    Running(i64),
    /// Something else of it is being deleted.
    Otherwise(DeleteType),
}

/// A deletion that is not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionRow {
    /// The media.
    pub media: MediaId,
    /// What of it goes.
    pub what: DeleteType,
    /// The files of what was added to it go too.
    pub additions: bool,
    /// Tries that failed.
    pub tries: u32,
}

/// A file that is to go, with what it was when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoomedFile {
    /// Where.
    pub object: ObjectUri,
    /// Bytes.
    pub size_bytes: u64,
    /// Modification time; none: not known.
    pub mtime_ns: Option<i64>,
    /// ETag; none or empty: not known.
    pub etag: Option<String>,
    /// Folders beneath this one go with it when they are empty; the folder itself, and all above it, stay.
    pub keep: String,
}

/// What is still there of a media that goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remains {
    /// Tasks of it that have not ended: nothing may go yet.
    pub running: bool,
    /// Its source.
    pub source: Option<DoomedFile>,
    /// The other files of its source.
    pub members: Vec<DoomedFile>,
    /// Its outputs, each with its main object.
    pub outputs: Vec<(OutputId, ObjectUri)>,
    /// What was added to it.
    pub additions: Vec<(AdditionId, DoomedFile)>,
}

/// One part of a media whose files are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Its source.
    Source,
    /// One output.
    Output(OutputId),
    /// One attachment or rendition.
    Addition(AdditionId),
}

/// Outputs that are looked at in one go.
const OUTPUTS: u32 = 256;

fn parse(word: &str) -> Option<DeleteType> {
    [
        DeleteType::All,
        DeleteType::Media,
        DeleteType::Outputs,
        DeleteType::Source,
    ]
    .into_iter()
    .find(|known| known.as_str() == word)
}

impl Store {
    /// Writes down that something of a media shall go. Asking for the same twice is asking once. Ring the scheduler's
    /// and the library's bell afterwards.
    ///
    /// # Errors
    /// There is no such media, or the database failed.
    pub async fn doom_media(&self, id: &MediaId, doom: Doom, now: UtcMs) -> Result<Doomed, StoreError> {
        let id = id.clone();
        self.write("begin to delete a media", move |connection| {
            begin(connection, &id, &doom, now)
        })
        .await
    }

    /// Deletions that are due, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn deletions_due(&self, now: UtcMs, limit: u32) -> Result<Vec<DeletionRow>, StoreError> {
        const SQL: &str = "select media_id, what, additions, tries from deletions where next_ms <= ?1 \
            order by next_ms limit ?2";
        self.read("look for media to delete", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([now.0, i64::from(limit)])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(DeletionRow {
                    media: row.text(0)?.into(),
                    what: row.word(1, parse)?,
                    additions: row.get(2)?,
                    tries: row.count(3)?,
                });
            }
            Ok(found)
        })
        .await
    }

    /// What is being deleted of a media, if anything is.
    ///
    /// # Errors
    /// The database failed.
    pub async fn deletion_of(&self, id: &MediaId) -> Result<Option<DeleteType>, StoreError> {
        let id = id.clone();
        self.read("look whether a media is being deleted", move |connection| {
            open(connection, &id)
        })
        .await
    }

    /// What is still there of a media that goes.
    ///
    /// # Errors
    /// The database failed.
    pub async fn remains(&self, row: &DeletionRow) -> Result<Remains, StoreError> {
        let row = row.clone();
        self.read("look what is to be deleted", move |connection| {
            remains(connection, &row)
        })
        .await
    }

    /// The files of an output, manifests first: nobody shall begin to play what is going. Those that were written over
    /// by a later output are not among them.
    ///
    /// # Errors
    /// The database failed.
    pub async fn doomed_files(&self, output: &OutputId) -> Result<Vec<DoomedFile>, StoreError> {
        const SQL: &str = "select f.storage, f.key, f.size_bytes, f.mtime_ns, f.etag, o.key, m.key from output_files f \
            join outputs o on o.id = f.output_id join tasks t on t.id = o.task_id join media m on m.id = t.media_id \
            where f.output_id = ?1 and not exists (select 1 from output_files later \
              where later.storage = f.storage and later.key = f.key and later.output_id > f.output_id) \
            order by f.ordinal desc";
        let output = output.clone();
        self.read("list the files of an output to delete", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([output.as_str()])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(DoomedFile {
                    object: ObjectUri::new(row.text(0)?, row.text(1)?),
                    size_bytes: row.size(2)?,
                    mtime_ns: row.get(3)?,
                    etag: row.get(4)?,
                    keep: kept_of_output(&row.text(5)?, &row.text(6)?).to_owned(),
                });
            }
            Ok(found)
        })
        .await
    }

    /// The ledger of arrivals takes these objects for gone from now on. Called before they are removed: whoever looks
    /// in between notes that they are back, and loses them as any other object.
    ///
    /// # Errors
    /// The database failed.
    pub async fn let_go(&self, objects: Vec<ObjectUri>, now: UtcMs) -> Result<(), StoreError> {
        const SQL: &str = "update arrivals set gone_ms = :now, state = case state when 1 then 3 else state end, \
            why_not = case state when 1 then 'it was deleted' else why_not end \
            where storage = (select id from storages where name = :storage) and key = :key";
        self.write("let objects go", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            for object in &objects {
                statement.execute(named_params! {
                    ":now": now.0, ":storage": object.storage, ":key": object.key,
                })?;
            }
            Ok(())
        })
        .await
    }

    /// Notes that the files of one part are gone; `object` names it in the event, none: it was not there any more. If
    /// the process dies before, they are removed once more, which changes nothing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn part_gone(&self, media: &MediaId, part: Part, object: Option<ObjectUri>) -> Result<(), StoreError> {
        const GONE: &str = "update deletions set gone = json_insert(gone, '$[#]', :object) where media_id = :media \
            and not exists (select 1 from json_each(deletions.gone) where value = :object)";
        const COVER: &str = "update media set cover = null where id = :media and cover = :object";
        let media = media.clone();
        self.write("note what is deleted", move |connection| {
            match &part {
                Part::Source => {}
                Part::Output(id) => {
                    connection
                        .prepare_cached("delete from outputs where id = ?1")?
                        .execute([id.as_str()])?;
                }
                Part::Addition(id) => {
                    connection
                        .prepare_cached("delete from additions where id = ?1")?
                        .execute([id.as_str()])?;
                }
            }
            if let Some(object) = object {
                let object = object.to_string();
                for sql in [GONE, COVER] {
                    connection
                        .prepare_cached(sql)?
                        .execute(named_params! { ":object": object, ":media": media.as_str() })?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Whether another media is this object, or has it added to it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn has_elsewhere(&self, object: &ObjectUri, media: &MediaId) -> Result<bool, StoreError> {
        let (object, media) = (object.clone(), media.clone());
        self.read("look who has an object", move |connection| {
            used_elsewhere(connection, &object, &media)
        })
        .await
    }

    /// Looks again at `next`; a try that failed is counted.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_off_deletion(&self, media: &MediaId, failed: bool, next: UtcMs) -> Result<(), StoreError> {
        const SQL: &str = "update deletions set tries = tries + :failed, next_ms = :next where media_id = :media";
        let media = media.clone();
        self.write("put off a deletion", move |connection| {
            connection.prepare_cached(SQL)?.execute(named_params! {
                ":failed": failed, ":next": next.0, ":media": media.as_str(),
            })?;
            Ok(())
        })
        .await
    }

    /// Ends a deletion with its event: done, or given up because of `fault`; false: a task began meanwhile, or it was
    /// ended before, and nothing was changed. Ring the callback's bell afterwards.
    ///
    /// # Errors
    /// The database failed.
    pub async fn end_deletion(&self, media: &MediaId, fault: Option<Fault>, now: UtcMs) -> Result<bool, StoreError> {
        let media = media.clone();
        self.write("end a deletion", move |connection| end(connection, &media, fault, now))
            .await
    }
}

fn begin(connection: &Connection, id: &MediaId, doom: &Doom, now: UtcMs) -> Result<Doomed, StoreError> {
    const CANCEL: &str = "update tasks set intent = 'cancel', intent_jobs = null where media_id = ?1 \
        and status in ('Init', 'Processing')";
    const AFTERS: &str = "delete from task_afters where task_id in (select id from tasks where media_id = ?1)";
    const MAKE: &str = "insert into deletions (media_id, what, additions, who, next_ms, created_ms) \
        values (:media, :what, :additions, :who, :now, :now)";
    if listing::media::show(connection, id)?.state == MediaState::Deleted {
        return Err(StoreError::not_found("media", id.as_str()));
    }
    let running = running(connection, id)?;
    if running > 0 && !doom.cancel {
        return Ok(Doomed::Running(running));
    }
    if let Some(what) = open(connection, id)? {
        return Ok(if what == doom.what {
            Doomed::Yes
        } else {
            Doomed::Otherwise(what)
        });
    }
    connection.prepare_cached(CANCEL)?.execute([id.as_str()])?;
    if matches!(doom.what, DeleteType::All | DeleteType::Source) {
        // The source goes: nobody shall move it in between.
        connection.prepare_cached(AFTERS)?.execute([id.as_str()])?;
    }
    connection.prepare_cached(MAKE)?.execute(named_params! {
        ":media": id.as_str(), ":what": doom.what.as_str(), ":additions": doom.additions, ":who": doom.who,
        ":now": now.0,
    })?;
    Ok(Doomed::Yes)
}

fn running(connection: &Connection, id: &MediaId) -> Result<i64, StoreError> {
    const SQL: &str = "select count(*) from tasks where media_id = ?1 and status in ('Init', 'Processing')";
    Ok(connection
        .prepare_cached(SQL)?
        .query_row([id.as_str()], |row| row.get(0))?)
}

fn open(connection: &Connection, id: &MediaId) -> Result<Option<DeleteType>, StoreError> {
    let word: Option<String> = connection
        .prepare_cached("select what from deletions where media_id = ?1")?
        .query_row([id.as_str()], |row| row.get(0))
        .optional()?;
    word.map(|word| parse(&word).ok_or_else(|| StoreError::unreadable(format!("a deletion of {word}"))))
        .transpose()
}

fn remains(connection: &Connection, row: &DeletionRow) -> Result<Remains, StoreError> {
    const SUCCEEDING: &str = "select o.id, o.storage, o.key from tasks t join outputs o on o.task_id = t.id \
        where t.media_id = ?1 order by o.id limit ?2";
    let mut remains = Remains {
        running: running(connection, &row.media)? > 0,
        ..Remains::default()
    };
    if matches!(row.what, DeleteType::All | DeleteType::Outputs) {
        let mut statement = connection.prepare_cached(SUCCEEDING)?;
        let mut rows = statement.query(rusqlite::params![row.media.as_str(), OUTPUTS])?;
        while let Some(row) = rows.next()? {
            let object = ObjectUri::new(row.text(1)?, row.text(2)?);
            remains.outputs.push((row.text(0)?.into(), object));
        }
    }
    if matches!(row.what, DeleteType::All | DeleteType::Source) {
        let media = media_row(connection, &row.media)?;
        let Source {
            object,
            mut size_bytes,
            mut mtime_ns,
            etag,
        } = media.source;
        let group = media.parts.filter(Parts::is_group).unwrap_or_default();
        for member in group.members.into_iter().chain(group.attendants) {
            if member.key == object.key {
                (size_bytes, mtime_ns) = (member.size_bytes, member.mtime_ns);
                continue;
            }
            remains.members.push(DoomedFile {
                keep: folder_of(&member.key).to_owned(),
                object: ObjectUri::new(object.storage.as_str(), member.key),
                size_bytes: member.size_bytes,
                mtime_ns: Some(member.mtime_ns),
                etag: Some(member.etag),
            });
        }
        let keep = folder_of(&object.key).to_owned();
        remains.source = Some(DoomedFile {
            object,
            size_bytes,
            mtime_ns: Some(mtime_ns),
            etag: Some(etag),
            keep,
        });
    }
    if row.what == DeleteType::All && row.additions {
        for addition in additions::of_media(connection, &row.media, None)? {
            if used_elsewhere(connection, &addition.object, &row.media)? {
                continue;
            }
            let file = DoomedFile {
                keep: folder_of(&addition.object.key).to_owned(),
                object: addition.object,
                size_bytes: addition.size_bytes,
                mtime_ns: addition.mtime_ns,
                etag: addition.etag,
            };
            remains.additions.push((addition.id, file));
        }
    }
    Ok(remains)
}

/// The folder of a key, without its closing slash.
fn folder_of(key: &str) -> &str {
    key.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folder that stays when an output goes: that of its main object, but the one above where it was made for the
/// source and bears its name.
fn kept_of_output<'a>(main: &'a str, source: &str) -> &'a str {
    let folder = folder_of(main);
    let name = source.rsplit('/').next().unwrap_or(source);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    if folder.rsplit('/').next() == Some(stem) {
        folder_of(folder)
    } else {
        folder
    }
}

/// Whether another media is this object, or has it added to it.
fn used_elsewhere(connection: &Connection, object: &ObjectUri, media: &MediaId) -> Result<bool, StoreError> {
    const SQL: &str = "select exists (select 1 from additions where storage = :storage and key = :key \
          and media_id <> :media) \
        or exists (select 1 from media where storage = :storage and key = :key and id <> :media and state <> 'Deleted')";
    let named = named_params! { ":storage": object.storage, ":key": object.key, ":media": media.as_str() };
    Ok(connection.prepare_cached(SQL)?.query_row(named, |row| row.get(0))?)
}

fn end(connection: &Connection, id: &MediaId, fault: Option<Fault>, now: UtcMs) -> Result<bool, StoreError> {
    const READ: &str = "select d.what, d.gone, m.user_data from deletions d join media m on m.id = d.media_id \
        where d.media_id = ?1";
    let mut statement = connection.prepare_cached(READ)?;
    let mut rows = statement.query([id.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(false) };
    let what = row.word(0, parse)?;
    let gone: Vec<String> = row.whole(1)?;
    let user_data: Option<String> = row.get(2)?;
    if fault.is_none() && running(connection, id)? > 0 {
        return Ok(false);
    }
    let done = fault.is_none();
    let fact = LibraryFact::MediaDeleted {
        delete_type: what,
        objects: gone.iter().filter_map(|text| ObjectUri::parse(text)).collect(),
        fault,
    };
    let rule = admission::rule_for(user_data.as_deref(), None);
    facts_of::tell(connection, Some(id), fact, &rule, now)?;
    connection
        .prepare_cached("delete from deletions where media_id = ?1")?
        .execute([id.as_str()])?;
    if done && matches!(what, DeleteType::All | DeleteType::Media) {
        leave(connection, id, now)?;
    } else {
        connection
            .prepare_cached("update media set modified_ms = max(?1, modified_ms + 1) where id = ?2")?
            .execute(rusqlite::params![now.0, id.as_str()])?;
    }
    Ok(true)
}

/// A media leaves the library. Its row stays where tasks name it: their history is not rewritten.
fn leave(connection: &Connection, id: &MediaId, now: UtcMs) -> Result<(), StoreError> {
    const NAMED: &str = "select 1 from tasks where media_id = ?1";
    const ADDITIONS: &str = "delete from additions where media_id = ?1";
    const REVIEWS: &str =
        "update reviews set state = 'canceled', ended_ms = ?2 where media_id = ?1 and state = 'waiting'";
    const STATE: &str = "update media set state = 'Deleted', fault = null, modified_ms = max(?2, modified_ms + 1) \
        where id = ?1";
    if !connection.prepare_cached(NAMED)?.exists([id.as_str()])? {
        connection
            .prepare_cached("delete from media where id = ?1")?
            .execute([id.as_str()])?;
        return Ok(());
    }
    connection.prepare_cached(ADDITIONS)?.execute([id.as_str()])?;
    for sql in [REVIEWS, STATE] {
        connection
            .prepare_cached(sql)?
            .execute(rusqlite::params![id.as_str(), now.0])?;
    }
    description::forget(connection, id)?;
    search::renew_media(connection, id)
}

#[cfg(test)]
mod tests {
    use super::kept_of_output;

    #[test]
    fn only_a_folder_made_for_the_source_goes_with_its_outputs() {
        assert_eq!(kept_of_output("in/clip/720p.mp4", "in/clip.mov"), "in");
        assert_eq!(kept_of_output("in/720p.mp4", "in/clip.mov"), "in");
        assert_eq!(kept_of_output("clip/720p.mp4", "clip.mov"), "");
        assert_eq!(kept_of_output("720p.mp4", "clip.mov"), "");
    }
}
