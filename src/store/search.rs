//! Finding media and tasks by words: the indexes `media_search` and `task_search`.
//!
//! A row is entered into its index a moment after it was made, many in one transaction ([`Store::index_some`]): an
//! index written once a row costs more than the row. Until then `search_row` is null, and who searches looks at the
//! few such rows as well. Rows are entered in the order of their ids, so the order of the index is the order of the
//! lists, and a page of what is found costs the same wherever it lies.
//! Guarantees: what changed is found by its new words as soon as the change is committed; rows of a database that was
//! upgraded are entered like new ones. Deliberately absent: ranking; the newest come first.

use super::Store;
use super::error::StoreError;
use crate::base::ids::MediaId;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

/// The fewest characters that the indexes can find.
pub(super) const SHORTEST: usize = 3;
/// Rows that are not entered yet and are looked at by every search; during an upgrade's first minutes there are more.
pub(super) const UNENTERED_SEEN: usize = 2_000;

/// `text` as the indexes are asked for it: anywhere, whatever its case. None: it is too short for them.
pub(super) fn phrase(text: &str) -> Option<String> {
    let bare = bare(text);
    (bare.chars().count() >= SHORTEST).then(|| format!("\"{}\"", bare.replace('"', "\"\"")))
}

/// `text` without the one character that ends a question to the index.
fn bare(text: &str) -> String {
    text.chars().filter(|character| *character != '\0').collect()
}

/// `text` with its letters as the index compares them: character by character, so that a letter's place in its word
/// makes no other letter of it.
pub(super) fn folded(text: &str) -> String {
    let small = |character: char| match character {
        'ς' => 'σ',
        other => other,
    };
    text.chars().flat_map(char::to_lowercase).map(small).collect()
}

/// One index and the rows that it is of.
struct Index {
    /// Rows that are not entered, oldest first: id, and its words, or null when it shall not be found.
    unentered: &'static str,
    /// The largest number given out.
    last: &'static str,
    number: &'static str,
    enter: &'static str,
}

const MEDIA: Index = Index {
    unentered: "select id, case when state <> 'Deleted' then \
        title || char(10) || key || char(10) || description || char(10) || tags end \
        from media indexed by media_unsearched where search_row is null order by id limit ?1",
    last: "select coalesce(max(search_row), 0) from media where search_row is not null",
    number: "update media set search_row = :row where id = :id",
    enter: "insert into media_search (rowid, words) values (:row, :words)",
};

const TASKS: Index = Index {
    unentered: "select t.id, m.key || char(10) || coalesce(t.user_data, '') \
        from tasks t indexed by tasks_unsearched join media m on m.id = t.media_id \
        where t.search_row is null order by t.id limit ?1",
    last: "select coalesce(max(search_row), 0) from tasks where search_row is not null",
    number: "update tasks set search_row = :row where id = :id",
    enter: "insert into task_search (rowid, words) values (:row, :words)",
};

impl Store {
    /// Enters up to `limit` rows of each index; how many it were. If the process dies, they are entered after the next
    /// start.
    ///
    /// # Errors
    /// The database failed.
    pub async fn index_some(&self, limit: u32) -> Result<usize, StoreError> {
        if self.indexed_all().await? {
            return Ok(0);
        }
        self.write("enter rows into the search", move |connection| {
            Ok(enter(connection, &MEDIA, limit)? + enter(connection, &TASKS, limit)?)
        })
        .await
    }

    /// Whether every row is entered.
    async fn indexed_all(&self) -> Result<bool, StoreError> {
        const SQL: &str = "select not exists (select 1 from media indexed by media_unsearched where search_row is null) \
            and not exists (select 1 from tasks indexed by tasks_unsearched where search_row is null)";
        self.read("look for rows to enter into the search", |connection| {
            Ok(connection.prepare_cached(SQL)?.query_row([], |row| row.get(0))?)
        })
        .await
    }
}

fn enter(connection: &Connection, index: &Index, limit: u32) -> Result<usize, StoreError> {
    let found: Vec<(String, Option<String>)> = {
        let mut statement = connection.prepare_cached(index.unentered)?;
        let rows = statement.query_map([limit], |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<Result<_, _>>()?
    };
    let mut row: i64 = connection.prepare_cached(index.last)?.query_row([], |row| row.get(0))?;
    for (id, words) in &found {
        row += 1;
        connection
            .prepare_cached(index.number)?
            .execute(named_params! { ":row": row, ":id": id })?;
        if let Some(words) = words {
            connection
                .prepare_cached(index.enter)?
                .execute(named_params! { ":row": row, ":words": words })?;
        }
    }
    Ok(found.len())
}

/// Enters the words of a media anew after they changed. One that is not entered yet is left to its turn.
pub(super) fn renew_media(connection: &Connection, id: &MediaId) -> Result<(), StoreError> {
    const WORDS: &str = "select search_row, title || char(10) || key || char(10) || description || char(10) || tags, state \
        from media where id = ?1 and search_row is not null";
    const AGAIN: &str = "insert or replace into media_search (rowid, words) values (:row, :words)";
    const LEAVE: &str = "delete from media_search where rowid = ?1";
    let mut statement = connection.prepare_cached(WORDS)?;
    let found = statement
        .query_row([id.as_str()], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
            ))
        })
        .optional()?;
    match found {
        None => {}
        Some((row, _, state)) if state == "Deleted" => {
            connection.prepare_cached(LEAVE)?.execute([row])?;
        }
        Some((row, words, _)) => {
            connection
                .prepare_cached(AGAIN)?
                .execute(named_params! { ":row": row, ":words": words })?;
        }
    }
    Ok(())
}

/// What somebody searches for: every one of the words, anywhere in the title, key, description or tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    /// As they were written.
    all: Vec<String>,
    /// As they are compared.
    folded: Vec<String>,
}

impl Words {
    /// The words of `text`; none: it has none.
    pub fn of(text: &str) -> Option<Self> {
        Self::new(text.split_whitespace())
    }

    /// `text` as one word with its spaces.
    pub fn whole(text: &str) -> Option<Self> {
        Self::new([text])
    }

    fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let all: Vec<String> = words
            .into_iter()
            .map(str::to_owned)
            .filter(|word| !word.is_empty())
            .collect();
        (!all.is_empty()).then(|| Words {
            folded: all.iter().map(|word| folded(word)).collect(),
            all,
        })
    }

    /// As an index is asked for all of those that it can find; none: they are all too short.
    pub fn asked(&self) -> Option<String> {
        let phrases: Vec<String> = self.known().filter_map(phrase).collect();
        (!phrases.is_empty()).then(|| phrases.join(" "))
    }

    /// Those that the indexes can find; others are too short.
    pub fn known(&self) -> impl Iterator<Item = &str> {
        let long = |word: &&String| word.chars().count() >= SHORTEST;
        self.all.iter().filter(long).map(String::as_str)
    }

    /// Whether a row with these texts is looked for.
    pub fn found_in(&self, texts: &[&str]) -> bool {
        let texts: Vec<String> = texts.iter().map(|text| folded(text)).collect();
        self.folded
            .iter()
            .all(|word| texts.iter().any(|text| text.contains(word)))
    }
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn short_words_are_looked_for_by_eye() {
        let words = Words::of("  Shot 7 say\"it ").expect("has words");
        assert_eq!(words.known().collect::<Vec<_>>(), ["Shot", "say\"it"]);
        assert!(words.found_in(&["the SHOT", "take 7", "Say\"It"]));
        assert!(!words.found_in(&["the shot", "take 8", "say\"it"]));
        assert_eq!(Words::of(" \t"), None);
        assert!(!Words::whole("\0").expect("a word").found_in(&["anything"]));
        assert_eq!(Words::of("ab").expect("a word").known().count(), 0);
        let whole = Words::whole("a b").expect("a word");
        assert_eq!(whole.known().collect::<Vec<_>>(), ["a b"]);
    }

    #[test]
    fn a_letter_is_the_same_wherever_it_stands() {
        for (word, text) in [
            ("οδος", "ΟΔΟΣ-1.mp4"),
            ("ΟΔΟΣ", "οδοσ"),
            ("é", "CAFÉ"),
            ("東京", "東京タワー.mov"),
        ] {
            assert!(Words::of(word).expect("a word").found_in(&[text]), "{word} in {text}");
        }
    }
}
