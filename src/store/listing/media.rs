//! Media: every input identity of the library, found by what is said of it.
//!
//! Guarantees: pages by key, newest or oldest first; every filter has its index, and a page ends when it is full, so it
//! costs what it shows. Deliberately absent: changing media (`library`).

use super::Conditions;
use super::bytes;
use super::json_or_none;
use super::only;
use super::plain;
use super::time;
use super::word;
use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::MediaId;
use crate::events::library::MediaType;
use crate::media::facts::MediaFacts;
use crate::objects::uri::ObjectUri;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::media::MediaState;
use crate::store::media::Origin;
use crate::store::search::UNENTERED_SEEN;
use crate::store::search::Words;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;
use rusqlite::params_from_iter;

/// Which media; all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaFilter {
    /// Every word of it stands in title, key, description or tags.
    pub search: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// Filed under this category, by id.
    pub category: Option<String>,
    /// Of this state; none: all but the deleted.
    pub state: Option<MediaState>,
    /// Of this storage.
    pub storage: Option<String>,
    /// Of this kind.
    pub media_type: Option<MediaType>,
    /// That came this way.
    pub origin: Option<Origin>,
    /// Made at this time or later.
    pub created_after: Option<UtcMs>,
    /// Made before this time.
    pub created_before: Option<UtcMs>,
    /// Oldest first instead of newest first.
    pub oldest_first: bool,
}

/// One media.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaRow {
    /// Id.
    pub id: MediaId,
    /// The object.
    pub object: ObjectUri,
    /// Bytes.
    pub size_bytes: u64,
    /// Facts; none until the first attempt told them.
    pub facts: Option<MediaFacts>,
    /// When it was first taken.
    pub created: UtcMs,
    /// How it came first.
    pub origin: Origin,
    /// What it is; none: not known yet.
    pub media_type: Option<MediaType>,
    /// Its title, its file name if nobody said better.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// What it is found by.
    pub tags: Vec<String>,
    /// Id of its category.
    pub category: Option<String>,
    /// `storage:key` of a picture, or an address.
    pub cover: Option<String>,
    /// The caller's JSON text.
    pub user_data: Option<String>,
    /// How it stands.
    pub state: MediaState,
    /// Why it could not be read.
    pub fault: Option<Fault>,
    /// When what is said of it, or its state, last changed, milliseconds; never the same twice for one media.
    pub modified_ms: i64,
}

const COLUMNS: &str = "m.id, m.storage, m.key, m.size_bytes, m.facts, m.created_ms, m.origin, m.media_type, m.title, \
    m.description, m.tags, m.category, m.cover, m.user_data, m.state, m.fault, m.modified_ms";

fn media_of(row: &Row<'_>) -> Result<MediaRow, StoreError> {
    Ok(MediaRow {
        id: MediaId::from(plain::<String>(row, "id")?),
        object: ObjectUri::new(plain::<String>(row, "storage")?, plain::<String>(row, "key")?),
        size_bytes: bytes(row, "size_bytes")?,
        facts: json_or_none(row, "facts")?,
        created: time(row, "created_ms")?,
        origin: word(row, "origin", Origin::parse)?,
        media_type: MediaType::parse(&plain::<String>(row, "media_type")?),
        title: plain(row, "title")?,
        description: plain(row, "description")?,
        tags: json_or_none(row, "tags")?.unwrap_or_default(),
        category: plain(row, "category")?,
        cover: plain(row, "cover")?,
        user_data: plain(row, "user_data")?,
        state: word(row, "state", MediaState::parse)?,
        fault: json_or_none(row, "fault")?,
        modified_ms: plain(row, "modified_ms")?,
    })
}

impl Store {
    /// Up to `limit` media after the one named `after`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_media(
        &self,
        filter: MediaFilter,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<MediaRow>, StoreError> {
        self.read("list media", move |connection| {
            let search = filter.search.as_deref().and_then(Words::of);
            let page = PageOf {
                filter: &filter,
                after: after.as_deref(),
                words: search.as_ref(),
                limit,
            };
            match search.as_ref().and_then(Words::asked) {
                None => page.scanned(connection),
                Some(asked) => page.found(connection, &asked),
            }
        })
        .await
    }

    /// One media.
    ///
    /// # Errors
    /// There is none with this id, or the database failed.
    pub async fn show_media(&self, id: &MediaId) -> Result<MediaRow, StoreError> {
        let id = id.clone();
        self.read("show a media", move |connection| show(connection, &id)).await
    }
}

/// One media.
pub(in crate::store) fn show(connection: &Connection, id: &MediaId) -> Result<MediaRow, StoreError> {
    let mut statement = connection.prepare_cached(&format!("select {COLUMNS} from media m where m.id = :id"))?;
    only(
        statement.query(named_params! { ":id": id.as_str() })?,
        media_of,
        "media",
        id.as_str(),
    )
}

/// Time by which an id may differ from the row's own time: the clock may have been set in between.
const SLACK_MS: i64 = 600_000;

/// A page that is asked for.
struct PageOf<'a> {
    filter: &'a MediaFilter,
    after: Option<&'a str>,
    words: Option<&'a Words>,
    limit: usize,
}

impl PageOf<'_> {
    fn order(&self) -> &'static str {
        if self.filter.oldest_first { "asc" } else { "desc" }
    }

    /// What lies beyond the page before.
    fn beyond(&self) -> &'static str {
        if self.filter.oldest_first { ">" } else { "<" }
    }

    /// The filters as conditions on `media m`.
    fn conditions(&self) -> Conditions {
        let filter = self.filter;
        let mut conditions = Conditions::default();
        match filter.state {
            Some(state) => conditions.when("m.state = ?", Some(state.as_str())),
            None => conditions.always("m.state <> 'Deleted'"),
        }
        conditions.when("m.category = ?", filter.category.clone());
        conditions.when("m.storage = ?", filter.storage.clone());
        conditions.when("m.media_type = ?", filter.media_type.map(MediaType::as_str));
        conditions.when("m.origin = ?", filter.origin.map(Origin::as_str));
        // Ids begin with their time, so a stretch of time is a stretch of the index of ids, whatever the order.
        conditions.when("m.created_ms >= ?", filter.created_after.map(|at| at.0));
        conditions.when("m.id >= ?", filter.created_after.map(|at| id_at(at.0 - SLACK_MS)));
        conditions.when("m.created_ms < ?", filter.created_before.map(|at| at.0));
        conditions.when("m.id < ?", filter.created_before.map(|at| id_at(at.0 + SLACK_MS)));
        conditions
    }

    /// The index that narrows most; all of them are in the order of ids.
    fn source(&self) -> &'static str {
        let filter = self.filter;
        if filter.tag.is_some() {
            "media_tags g cross join media m on m.id = g.media_id"
        } else if filter.category.is_some() {
            "media m indexed by media_by_category"
        } else if filter.state.is_some_and(|state| state != MediaState::Normal) {
            "media m indexed by media_by_state"
        } else if filter.storage.is_some() {
            "media m indexed by media_by_storage"
        } else if filter.media_type.is_some() {
            "media m indexed by media_by_type"
        } else if filter.origin.is_some() {
            "media m indexed by media_by_origin"
        } else {
            "media m indexed by sqlite_autoindex_media_1"
        }
    }

    /// The page without the search's index; short words are looked for in each row.
    fn scanned(&self, connection: &Connection) -> Result<Vec<MediaRow>, StoreError> {
        let mut conditions = self.conditions();
        conditions.when("g.tag = ?", self.filter.tag.clone());
        let id = if self.filter.tag.is_some() {
            "g.media_id"
        } else {
            "m.id"
        };
        conditions.when(&format!("{id} {} ?", self.beyond()), self.after.map(str::to_owned));
        let sql = format!(
            "select {COLUMNS} from {}{} order by {id} {}",
            self.source(),
            conditions.sql,
            self.order()
        );
        let mut page = Vec::new();
        self.fill(connection, &sql, &conditions, &mut page)?;
        Ok(page)
    }

    /// The page by the search's index, and by looking at the few rows that are not entered yet: the newest.
    fn found(&self, connection: &Connection, asked: &str) -> Result<Vec<MediaRow>, StoreError> {
        let mut page = Vec::new();
        if self.filter.oldest_first {
            self.entered(connection, asked, &mut page)?;
            self.unentered(connection, &mut page)?;
        } else {
            self.unentered(connection, &mut page)?;
            self.entered(connection, asked, &mut page)?;
        }
        Ok(page)
    }

    fn entered(&self, connection: &Connection, asked: &str, page: &mut Vec<MediaRow>) -> Result<(), StoreError> {
        let mut conditions = Conditions::default();
        conditions.when("media_search match ?", Some(asked.to_owned()));
        if let Some(after) = self.after {
            // Rows were entered in the order of ids: whatever became of that media, its neighbour leads on.
            let (sql, none) = match self.filter.oldest_first {
                false => (
                    "select search_row + 1 from media where id < ?1 and search_row is not null order by id desc limit 1",
                    0,
                ),
                true => (
                    "select search_row - 1 from media where id > ?1 and search_row is not null order by id limit 1",
                    i64::MAX,
                ),
            };
            let bound: Option<i64> = connection
                .prepare_cached(sql)?
                .query_row([after], |row| row.get(0))
                .optional()?;
            let bound = bound.unwrap_or(none);
            conditions.when(&format!("media_search.rowid {} ?", self.beyond()), Some(bound));
        }
        let mut filters = self.conditions();
        filters.when(
            "exists (select 1 from media_tags g where g.tag = ? and g.media_id = m.id)",
            self.filter.tag.clone(),
        );
        conditions.add(filters);
        let sql = format!(
            "select {COLUMNS} from media_search cross join media m on m.search_row = media_search.rowid{} \
             order by media_search.rowid {}",
            conditions.sql,
            self.order()
        );
        self.fill(connection, &sql, &conditions, page)
    }

    fn unentered(&self, connection: &Connection, page: &mut Vec<MediaRow>) -> Result<(), StoreError> {
        let mut conditions = self.conditions();
        conditions.always(&format!(
            "m.id in (select id from media indexed by media_unsearched where search_row is null \
             order by id desc limit {UNENTERED_SEEN})"
        ));
        conditions.when(
            "exists (select 1 from media_tags g where g.tag = ? and g.media_id = m.id)",
            self.filter.tag.clone(),
        );
        conditions.when(&format!("m.id {} ?", self.beyond()), self.after.map(str::to_owned));
        let sql = format!(
            "select {COLUMNS} from media m{} order by m.id {}",
            conditions.sql,
            self.order()
        );
        self.fill(connection, &sql, &conditions, page)
    }

    /// Reads rows until the page is full.
    fn fill(
        &self,
        connection: &Connection,
        sql: &str,
        conditions: &Conditions,
        page: &mut Vec<MediaRow>,
    ) -> Result<(), StoreError> {
        if page.len() >= self.limit {
            return Ok(());
        }
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(conditions.values()))?;
        while let Some(row) = rows.next()? {
            if self.words.is_some_and(|words| !says(row, words)) {
                continue;
            }
            page.push(media_of(row)?);
            if page.len() >= self.limit {
                break;
            }
        }
        Ok(())
    }
}

/// Whether the row says all of the words; one that cannot be read is shown with its error instead.
fn says(row: &Row<'_>, words: &Words) -> bool {
    let text = |column: &str| {
        row.get_ref(column)
            .ok()
            .and_then(|value| value.as_str().ok())
            .unwrap_or_default()
    };
    words.found_in(&[text("title"), text("key"), text("description"), text("tags")])
}

/// The smallest id of a time.
fn id_at(ms: i64) -> String {
    format!("{:012x}", ms.max(0))
}
