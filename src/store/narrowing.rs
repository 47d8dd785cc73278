//! What the index of words is asked for, so that one hit among a million rows is found without reading long lists.
//!
//! The index keeps a list of rows for every three characters. What nearly every row has (the extension of all films, the
//! folder they lie in) has a list as long as the table, and tells nothing. So a large index is asked only for the rarest of
//! the characters that are looked for, and the rows themselves say whether all of it is there. What is rare is known from
//! some hundred rows that are looked at when the table has grown.
//! Guarantees: every row that has the words is among what is found; a guess that is wrong costs time, no row. Deliberately
//! absent: numbers kept in the database: they would cost every write.

use super::error::StoreError;
use super::search;
use super::search::SHORTEST;
use super::search::Words;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Rows from which on it is worth knowing what is common; below, every list is short.
const LARGE: i64 = 20_000;
/// Rows that are looked at, all over the table.
const SAMPLE: i64 = 1_024;
/// Characters of one that are looked at.
const SAMPLE_CHARS: usize = 2_000;
/// Entries of lists that one question may read, together: some milliseconds.
const ENTRIES: i64 = 120_000;
/// Threes of a word that are thought of: the first so many.
const THREES: usize = 48;

/// How common threes of characters are among the words of tasks, as of when the table was last looked at.
#[derive(Debug, Default)]
pub(super) struct Common(Mutex<Option<Arc<Seen>>>);

/// What was seen.
#[derive(Debug)]
struct Seen {
    /// The largest number of a row at that time.
    last: i64,
    /// Rows that were looked at.
    rows: i64,
    /// In how many of them each three is.
    threes: HashMap<String, i64>,
}

/// What to ask an index for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Narrowing {
    /// What is rare, as it is asked for: phrases that a row must all have. Rows without the words are found too.
    pub rare: Option<String>,
    /// The words, as they are asked for: only rows that have them are found.
    pub whole: String,
}

/// What to ask the index of tasks for, to find `words`; none: they are all too short for it.
///
/// # Errors
/// The database failed.
pub(super) fn narrowed(
    connection: &Connection,
    common: &Common,
    words: &Words,
) -> Result<Option<Narrowing>, StoreError> {
    const LAST: &str = "select coalesce(max(search_row), 0) from tasks where search_row is not null";
    let Some(whole) = words.asked() else { return Ok(None) };
    let last: i64 = connection.prepare_cached(LAST)?.query_row([], |row| row.get(0))?;
    let rare = match last < LARGE {
        true => None,
        false => rare(&*common.seen(connection, last)?, last, words),
    };
    Ok(Some(Narrowing { rare, whole }))
}

impl Common {
    /// What is common now; it is looked at anew when the table is a quarter larger than when it was.
    fn seen(&self, connection: &Connection, last: i64) -> Result<Arc<Seen>, StoreError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| (known.last..=known.last + known.last / 4).contains(&last)) {
            return Ok(known);
        }
        let fresh = Arc::new(look(connection, last)?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&fresh));
        Ok(fresh)
    }
}

fn look(connection: &Connection, last: i64) -> Result<Seen, StoreError> {
    const ROW: &str = "select m.key || char(10) || coalesce(t.user_data, '') from tasks t join media m on m.id = t.media_id \
        where t.search_row = ?1";
    let mut statement = connection.prepare_cached(ROW)?;
    let mut seen = Seen {
        last,
        rows: 0,
        threes: HashMap::new(),
    };
    for number in 0..SAMPLE {
        let mut rows = statement.query([last - number * (last / SAMPLE)])?;
        let Some(row) = rows.next()? else { continue };
        let words: String = row.get(0)?;
        let words: String = words.chars().take(SAMPLE_CHARS).collect();
        let own: HashSet<String> = threes(&words).into_iter().map(|three| three.text).collect();
        seen.rows += 1;
        for three in own {
            *seen.threes.entry(three).or_insert(0) += 1;
        }
    }
    // What was seen in a few rows is as rare as what was not: numbers have many threes.
    seen.threes.retain(|_, count| *count > 2);
    Ok(seen)
}

/// The rarest of what the words consist of; none: all of it may be asked for, or nothing of it is rare.
fn rare(seen: &Seen, last: i64, words: &Words) -> Option<String> {
    let parted: Vec<(&str, Vec<Three>)> = words.known().map(|word| (word, threes(word))).collect();
    let entries = |three: &Three| {
        let count = seen.threes.get(&three.text).copied().unwrap_or(1);
        count.saturating_mul(last) / seen.rows.max(1)
    };
    let distinct: BTreeMap<&str, i64> = parted
        .iter()
        .flat_map(|(_, threes)| threes.iter().take(THREES))
        .map(|three| (three.text.as_str(), entries(three)))
        .collect();
    let mut by_length: Vec<(i64, &str)> = distinct.into_iter().map(|(text, entries)| (entries, text)).collect();
    by_length.sort_unstable();
    let mut room = ENTRIES;
    let kept: HashSet<&str> = by_length
        .iter()
        .take_while(|(entries, _)| {
            room -= entries;
            room >= 0
        })
        .map(|(_, text)| *text)
        .collect();
    let is_kept = |three: &Three| kept.contains(three.text.as_str());
    let all = parted
        .iter()
        .all(|(_, threes)| threes.len() <= THREES && threes.iter().all(is_kept));
    if all {
        return None;
    }
    let mut asked = Vec::new();
    for (word, threes) in &parted {
        let wanted = |at: usize| at < THREES && threes.get(at).is_some_and(is_kept);
        let mut at = 0;
        while at < threes.len() {
            if !wanted(at) {
                at += 1;
                continue;
            }
            let end = (at..).find(|next| !wanted(*next)).unwrap_or(threes.len());
            // A three that repeats itself is a list that would be read again.
            let begin = (at..end - 1)
                .find(|at| threes[*at].text != threes[at + 1].text)
                .unwrap_or(end - 1);
            asked.extend(search::phrase(&word[threes[begin].begin..threes[end - 1].end]));
            at = end;
        }
    }
    (!asked.is_empty()).then(|| asked.join(" "))
}

/// Three characters of a word, as the index compares them, and where they stand in it, bytes.
struct Three {
    text: String,
    begin: usize,
    end: usize,
}

fn threes(word: &str) -> Vec<Three> {
    let ends: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
    ends.windows(SHORTEST + 1)
        .map(|window| Three {
            text: search::folded(&word[window[0]..window[SHORTEST]]),
            begin: window[0],
            end: window[SHORTEST],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Common;
    use super::Narrowing;
    use super::Seen;
    use super::narrowed;
    use super::rare;
    use crate::store::search::Words;
    use rusqlite::Connection;

    /// A million rows as of films that differ by their number alone.
    fn films() -> Seen {
        let mut seen = Seen {
            last: 1_000_000,
            rows: 1_000,
            threes: std::collections::HashMap::new(),
        };
        for (three, count) in [
            ("fil", 1_000),
            ("ilm", 1_000),
            ("lm-", 1_000),
            (".mp", 1_000),
            ("mp4", 1_000),
        ] {
            seen.threes.insert(three.to_owned(), count);
        }
        for (three, count) in [
            ("m-0", 900),
            ("-00", 90),
            ("000", 70),
            ("040", 5),
            ("40.", 40),
            ("0.m", 200),
        ] {
            seen.threes.insert(three.to_owned(), count);
        }
        seen
    }

    fn asked(text: &str) -> Option<String> {
        rare(&films(), 1_000_000, &Words::whole(text).expect("a word"))
    }

    #[test]
    fn what_every_row_has_is_not_asked_for() {
        assert_eq!(asked("film-0000040.mp4").as_deref(), Some("\"00040.\""));
        assert_eq!(asked("FILM-7\"7.mp4").as_deref(), Some("\"M-7\"\"7.m\""));
        // Nothing is rare, or all of it is: it is asked for as it is.
        assert_eq!(asked("film"), None);
        assert_eq!(asked("1234567"), None);
        let long = asked(&"7".repeat(4_000)).expect("too much to think of");
        assert_eq!(long, "\"777\"");
    }

    #[test]
    fn a_small_index_is_asked_at_once() {
        let connection = Connection::open_in_memory().expect("a database");
        connection.execute_batch(crate::store::SCHEMA).expect("the form");
        let ask = |text: &str| narrowed(&connection, &Common::default(), &Words::whole(text).expect("a word"));
        let whole = Narrowing {
            rare: None,
            whole: "\"film-7 mp4\"".to_owned(),
        };
        assert_eq!(ask("film-7 mp4").expect("asked"), Some(whole));
        assert_eq!(ask("x").expect("asked"), None);
    }
}
