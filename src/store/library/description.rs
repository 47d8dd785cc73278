//! What people say of a media: title, description, tags, category, cover, user data.
//!
//! Guarantees: a change is one transaction with its event, which tells exactly the fields that became other ones; what
//! changed is found by its new words at once. Deliberately absent: facts, which are read out of the file.

use crate::base::clock::UtcMs;
use crate::base::ids::MediaId;
use crate::events::library::FieldChange;
use crate::events::library::LibraryFact;
use crate::events::library::MediaType;
use crate::store::Store;
use crate::store::admission;
use crate::store::admission::Wanted;
use crate::store::covers;
use crate::store::error::StoreError;
use crate::store::library::facts_of;
use crate::store::row::Columns;
use crate::store::search;
use rusqlite::Connection;
use rusqlite::named_params;

/// What shall be said from now on; none: as before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Its title; empty: its file name.
    pub title: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// What it is found by.
    pub tags: Option<Vec<String>>,
    /// Id of the category it is filed under; none within: under none.
    pub category: Option<Option<String>>,
    /// `storage:key` of a picture, or an address; none within: none.
    pub cover: Option<Option<String>>,
    /// JSON text, echoed in its events; none within: none.
    pub user_data: Option<Option<String>>,
}

impl Change {
    /// What whoever brought a media in says of it.
    pub(in crate::store) fn of(wanted: &Wanted) -> Self {
        let said = |text: &String| (!text.is_empty()).then(|| text.clone());
        Change {
            title: said(&wanted.title),
            description: said(&wanted.description),
            tags: (!wanted.tags.is_empty()).then(|| wanted.tags.clone()),
            category: wanted.category.clone().map(Some),
            cover: None,
            user_data: wanted.user_data.clone().map(Some),
        }
    }
}

/// What is said of a media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Said {
    title: String,
    description: String,
    tags: Vec<String>,
    category: Option<String>,
    cover: Option<String>,
    user_data: Option<String>,
}

impl Said {
    /// Each field as its change is told.
    fn fields(&self) -> [(&'static str, String); 6] {
        let or_nothing = |text: &Option<String>| text.clone().unwrap_or_default();
        [
            ("title", self.title.clone()),
            ("description", self.description.clone()),
            ("tags", self.tags.join(",")),
            ("category", or_nothing(&self.category)),
            ("cover", or_nothing(&self.cover)),
            ("user_data", or_nothing(&self.user_data)),
        ]
    }
}

/// What a change did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Described {
    /// These fields are other ones now; none: everything was so already.
    Changed(Vec<FieldChange>),
    /// Somebody changed it since the state that the caller looked at.
    Stale,
}

impl Store {
    /// Changes what is said of a media of the library, only if it was last changed at `if_modified_ms`, where that is
    /// given. Nothing becomes other: nothing is told. Ring the callback's bell afterwards.
    ///
    /// # Errors
    /// There is no such media or category, or the database failed.
    pub async fn describe_media(
        &self,
        id: &MediaId,
        wanted: Change,
        if_modified_ms: Option<i64>,
        now: UtcMs,
    ) -> Result<Described, StoreError> {
        const MODIFIED: &str = "select modified_ms from media where id = ?1";
        let id = id.clone();
        self.write("describe a media", move |connection| {
            if let Some(Some(category)) = &wanted.category
                && !category_exists(connection, category)?
            {
                return Err(StoreError::not_found("category", category));
            }
            read(connection, &id)?;
            let modified_ms: i64 = connection
                .prepare_cached(MODIFIED)?
                .query_row([id.as_str()], |row| row.get(0))?;
            if if_modified_ms.is_some_and(|seen| seen != modified_ms) {
                return Ok(Described::Stale);
            }
            Ok(Described::Changed(change(connection, &id, wanted, now)?))
        })
        .await
    }
}

fn category_exists(connection: &Connection, id: &str) -> Result<bool, StoreError> {
    Ok(connection
        .prepare_cached("select 1 from categories where id = ?1")?
        .exists([id])?)
}

/// Changes what is said of a media, and tells it where anything became other.
pub(in crate::store) fn change(
    connection: &Connection,
    id: &MediaId,
    wanted: Change,
    now: UtcMs,
) -> Result<Vec<FieldChange>, StoreError> {
    let (before, after) = write(connection, id, wanted, now)?;
    let changes: Vec<FieldChange> = before
        .fields()
        .into_iter()
        .zip(after.fields())
        .filter(|((_, old), (_, new))| old != new)
        .map(|((field, old), (_, new))| FieldChange {
            field: field.to_owned(),
            old,
            new,
        })
        .collect();
    if !changes.is_empty() {
        const TYPE: &str = "select media_type, key from media where id = ?1";
        let (word, key) = connection.prepare_cached(TYPE)?.query_row([id.as_str()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        let fact = LibraryFact::MediaChanged {
            media_type: MediaType::parse(&word).unwrap_or_else(|| admission::media_type_of(&key)),
            changes: changes.clone(),
        };
        let rule = admission::rule_for(after.user_data.as_deref(), None);
        facts_of::tell(connection, Some(id), fact, &rule, now)?;
    }
    Ok(changes)
}

/// Writes what is said of a media, without telling anyone; what was said before, and what is now.
pub(in crate::store) fn write(
    connection: &Connection,
    id: &MediaId,
    wanted: Change,
    now: UtcMs,
) -> Result<(Said, Said), StoreError> {
    const SQL: &str = "update media set title = :title, description = :description, tags = :tags, category = :category, \
        cover = :cover, user_data = :user_data, modified_ms = max(:now, modified_ms + 1) where id = :id";
    const TAG: &str = "insert or ignore into media_tags (tag, media_id) values (?1, ?2)";
    let before = read(connection, id)?;
    let mut after = before.clone();
    if wanted.cover.is_some() {
        covers::chosen_by_a_person(connection, id.as_str())?;
    }
    let Change {
        title,
        description,
        tags,
        category,
        cover,
        user_data,
    } = wanted;
    if let Some(title) = title {
        after.title = match title.is_empty() {
            true => file_name(connection, id)?,
            false => title,
        };
    }
    after.description = description.unwrap_or(after.description);
    after.tags = tags.unwrap_or(after.tags);
    after.cover = cover.unwrap_or(after.cover);
    after.user_data = user_data.unwrap_or(after.user_data);
    match category {
        // A category that went while a file was on its way does not keep the file out.
        Some(Some(category)) if !category_exists(connection, &category)? => {}
        Some(category) => after.category = category,
        None => {}
    }
    if after == before {
        return Ok((before, after));
    }
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":title": after.title, ":description": after.description, ":tags": serde_json::to_string(&after.tags)?,
        ":category": after.category, ":cover": after.cover, ":user_data": after.user_data, ":now": now.0,
        ":id": id.as_str(),
    })?;
    if after.tags != before.tags {
        connection
            .prepare_cached("delete from media_tags where media_id = ?1")?
            .execute([id.as_str()])?;
        for tag in &after.tags {
            connection.prepare_cached(TAG)?.execute([tag.as_str(), id.as_str()])?;
        }
    }
    search::renew_media(connection, id)?;
    Ok((before, after))
}

/// Forgets what is said of a media that leaves the library.
pub(in crate::store) fn forget(connection: &Connection, id: &MediaId) -> Result<(), StoreError> {
    const SQL: &str = "update media set title = '', description = '', tags = '[]', category = null, cover = null, \
        user_data = null where id = ?1";
    connection.prepare_cached(SQL)?.execute([id.as_str()])?;
    connection
        .prepare_cached("delete from media_tags where media_id = ?1")?
        .execute([id.as_str()])?;
    Ok(())
}

fn read(connection: &Connection, id: &MediaId) -> Result<Said, StoreError> {
    const SQL: &str = "select title, description, tags, category, cover, user_data from media \
        where id = ?1 and state <> 'Deleted'";
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query([id.as_str()])?;
    let row = rows
        .next()?
        .ok_or_else(|| StoreError::not_found("media", id.as_str()))?;
    Ok(Said {
        title: row.text(0)?,
        description: row.text(1)?,
        tags: row.whole(2)?,
        category: row.get(3)?,
        cover: row.get(4)?,
        user_data: row.get(5)?,
    })
}

fn file_name(connection: &Connection, id: &MediaId) -> Result<String, StoreError> {
    let key: String = connection
        .prepare_cached("select key from media where id = ?1")?
        .query_row([id.as_str()], |row| row.get(0))?;
    Ok(key.rsplit('/').next().unwrap_or(&key).to_owned())
}
