//! Pages of tasks, by filters and by the text of their object and user data.
//!
//! Guarantees: newest first, and a page ends when it is full; a text is found by its index, not by reading a million
//! rows, unless it is shorter than the index knows. Deliberately absent: what is shown of a task (`tasks`).

use super::Conditions;
use super::tasks;
use super::tasks::TaskFilter;
use super::tasks::TaskSummary;
use crate::store::error::StoreError;
use crate::store::narrowing;
use crate::store::narrowing::Common;
use crate::store::search;
use crate::store::search::UNENTERED_SEEN;
use crate::store::search::Words;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::params_from_iter;

/// Adds to conditions on `tasks t` joined with `media m` that object or user data contain `text`. For verbs over all
/// that is found; a page is read by [`read`].
pub(super) fn contains(conditions: &mut Conditions, text: Option<&str>) {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return;
    };
    let like = super::containing(text);
    let seen = "(m.key like ? escape '\\' or t.user_data like ? escape '\\')";
    match search::phrase(text) {
        None => conditions.when(seen, Some(like)),
        Some(phrase) => conditions.when_all(
            &format!(
                "(t.search_row in (select rowid from task_search where task_search match ?) \
                 or (t.search_row is null and {seen}))"
            ),
            vec![phrase, like.clone(), like],
        ),
    }
}

/// Up to `limit` tasks made before the one named `before`, newest first.
pub(super) fn read(
    connection: &Connection,
    common: &Common,
    filter: &TaskFilter,
    (before, limit): (Option<&str>, usize),
) -> Result<Vec<TaskSummary>, StoreError> {
    let words = filter.text.as_deref().and_then(Words::whole);
    let asked = match &words {
        Some(words) => narrowing::narrowed(connection, common, words)?,
        None => None,
    };
    let mut page = Vec::new();
    match (asked, &words) {
        (Some(asked), Some(words)) => {
            unentered(connection, filter, before, Some(words), limit, &mut page)?;
            let mut below = bound(connection, before)?;
            if let Some(rare) = &asked.rare {
                let loose = Finding {
                    asked: rare,
                    below,
                    words: Some(words),
                };
                below = entered(connection, filter, loose, limit, &mut page)?;
            }
            if asked.rare.is_none() || below.is_some() {
                let exact = Finding {
                    asked: &asked.whole,
                    below,
                    words: None,
                };
                entered(connection, filter, exact, limit, &mut page)?;
            }
        }
        _ => {
            let mut conditions = filter.narrow(connection)?.0;
            conditions.when("t.id < ?", before.map(str::to_owned));
            let sql = format!("{}{} order by t.id desc", tasks::TASK, conditions.sql);
            fill(connection, &sql, &conditions, words.as_ref(), limit, &mut page)?;
        }
    }
    Ok(page)
}

/// Tasks that the index does not know yet: the newest.
fn unentered(
    connection: &Connection,
    filter: &TaskFilter,
    before: Option<&str>,
    words: Option<&Words>,
    limit: usize,
    page: &mut Vec<TaskSummary>,
) -> Result<(), StoreError> {
    let mut conditions = filter.narrow(connection)?.0;
    conditions.always(&format!(
        "t.id in (select id from tasks indexed by tasks_unsearched where search_row is null \
         order by id desc limit {UNENTERED_SEEN})"
    ));
    conditions.when("t.id < ?", before.map(str::to_owned));
    let sql = format!("{}{} order by t.id desc", tasks::TASK, conditions.sql);
    fill(connection, &sql, &conditions, words, limit, page)
}

/// Where in the index a page begins: below this row; none: at its end.
fn bound(connection: &Connection, before: Option<&str>) -> Result<Option<i64>, StoreError> {
    const BOUND: &str =
        "select search_row + 1 from tasks where id < ?1 and search_row is not null order by id desc limit 1";
    let Some(before) = before else { return Ok(None) };
    // Rows were entered in the order of ids: whatever became of that task, its neighbour leads on.
    let bound: Option<i64> = connection
        .prepare_cached(BOUND)?
        .query_row([before], |row| row.get(0))
        .optional()?;
    Ok(Some(bound.unwrap_or(0)))
}

/// Rows without the words that are looked at until the index is asked for the words themselves.
const MISSES: usize = 1_000;

/// What the index is asked.
struct Finding<'a> {
    asked: &'a str,
    /// Only rows below this one.
    below: Option<i64>,
    /// Rows without these are not meant; none: all are that are found.
    words: Option<&'a Words>,
}

/// Tasks that the index finds. Answers below which row it gave up, because most of what it found was not meant.
fn entered(
    connection: &Connection,
    filter: &TaskFilter,
    finding: Finding<'_>,
    limit: usize,
    page: &mut Vec<TaskSummary>,
) -> Result<Option<i64>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.when("task_search match ?", Some(finding.asked.to_owned()));
    conditions.when("task_search.rowid < ?", finding.below);
    conditions.add(filter.narrow(connection)?.0);
    let sql = format!(
        "{} order by task_search.rowid desc",
        tasks::TASK.replace("select t.id", "select t.search_row, t.id").replace(
            "from tasks t join",
            "from task_search cross join tasks t on t.search_row = task_search.rowid cross join"
        ) + &conditions.sql
    );
    let mut misses = 0;
    if page.len() >= limit {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(conditions.values()))?;
    while let Some(row) = rows.next()? {
        if finding.words.is_some_and(|words| !says(row, words)) {
            misses += 1;
            if misses == MISSES {
                return Ok(Some(row.get("search_row")?));
            }
            continue;
        }
        page.push(tasks::task_of(row)?);
        if page.len() >= limit {
            break;
        }
    }
    Ok(None)
}

/// Reads rows until the page is full.
fn fill(
    connection: &Connection,
    sql: &str,
    conditions: &Conditions,
    words: Option<&Words>,
    limit: usize,
    page: &mut Vec<TaskSummary>,
) -> Result<(), StoreError> {
    if page.len() >= limit {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(conditions.values()))?;
    while let Some(row) = rows.next()? {
        if words.is_some_and(|words| !says(row, words)) {
            continue;
        }
        page.push(tasks::task_of(row)?);
        if page.len() >= limit {
            break;
        }
    }
    Ok(())
}

fn says(row: &Row<'_>, words: &Words) -> bool {
    let text = |column: &str| {
        row.get_ref(column)
            .ok()
            .and_then(|value| value.as_str().ok())
            .unwrap_or_default()
    };
    words.found_in(&[text("key"), text("user_data")])
}
