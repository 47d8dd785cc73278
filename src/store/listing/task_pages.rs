//! Pages of tasks, by filters and by the text of their object and user data.
//!
//! Guarantees: newest first, and a page ends when it is full; a text is found by its index, not by reading a million
//! rows, unless it is shorter than the index knows. Deliberately absent: what is shown of a task (`tasks`).

use super::Conditions;
use super::tasks;
use super::tasks::TaskFilter;
use super::tasks::TaskSummary;
use crate::store::error::StoreError;
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
    filter: &TaskFilter,
    before: Option<&str>,
    limit: usize,
) -> Result<Vec<TaskSummary>, StoreError> {
    let words = filter.text.as_deref().and_then(Words::whole);
    let mut page = Vec::new();
    match words.as_ref().and_then(|words| words.asked.as_deref()) {
        None => {
            let mut conditions = filter.narrow(connection)?.0;
            conditions.when("t.id < ?", before.map(str::to_owned));
            let sql = format!("{}{} order by t.id desc", tasks::TASK, conditions.sql);
            fill(connection, &sql, &conditions, words.as_ref(), limit, &mut page)?;
        }
        Some(asked) => {
            unentered(connection, filter, before, words.as_ref(), limit, &mut page)?;
            entered(connection, filter, before, asked, limit, &mut page)?;
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

fn entered(
    connection: &Connection,
    filter: &TaskFilter,
    before: Option<&str>,
    asked: &str,
    limit: usize,
    page: &mut Vec<TaskSummary>,
) -> Result<(), StoreError> {
    const BOUND: &str =
        "select search_row + 1 from tasks where id < ?1 and search_row is not null order by id desc limit 1";
    let mut conditions = Conditions::default();
    conditions.when("task_search match ?", Some(asked.to_owned()));
    if let Some(before) = before {
        // Rows were entered in the order of ids: whatever became of that task, its neighbour leads on.
        let bound: Option<i64> = connection
            .prepare_cached(BOUND)?
            .query_row([before], |row| row.get(0))
            .optional()?;
        conditions.when("task_search.rowid < ?", Some(bound.unwrap_or(0)));
    }
    conditions.add(filter.narrow(connection)?.0);
    let sql = format!(
        "{} order by task_search.rowid desc",
        tasks::TASK.replace(
            "from tasks t join",
            "from task_search cross join tasks t on t.search_row = task_search.rowid cross join"
        ) + &conditions.sql
    );
    fill(connection, &sql, &conditions, None, limit, page)
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
