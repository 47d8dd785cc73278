//! Whether two databases have the same form.
//!
//! Guarantees: compares tables with their columns, checks and keys, and indexes, by their definitions with comments
//! and spacing taken out. Deliberately absent: rows.

use crate::store::error::StoreError;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// What `right` has otherwise than `left`, in words; empty when they are the same.
pub(crate) fn differences(left: &Connection, right: &Connection) -> Result<Vec<String>, StoreError> {
    let (left, right) = (form(left)?, form(right)?);
    let mut found = Vec::new();
    for (name, definition) in &left {
        match right.get(name) {
            None => found.push(format!("{name} is missing")),
            Some(other) if other != definition => found.push(format!("{name} is {other}, not {definition}")),
            Some(_) => {}
        }
    }
    found.extend(
        right
            .keys()
            .filter(|name| !left.contains_key(*name))
            .map(|name| format!("{name} is too many")),
    );
    Ok(found)
}

fn form(connection: &Connection) -> Result<BTreeMap<String, String>, StoreError> {
    let mut statement = connection.prepare(
        "select type || ' ' || name, coalesce(sql, '') from sqlite_schema where name not like 'sqlite_stat%'",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut form = BTreeMap::new();
    for row in rows {
        let (name, sql) = row?;
        form.insert(name, plain(&sql));
    }
    Ok(form)
}

/// A definition without comments and with single spaces, none beside punctuation: `alter table` sets its own.
fn plain(sql: &str) -> String {
    let bare: Vec<&str> = sql
        .lines()
        .map(|line| line.split_once("--").map_or(line, |(code, _)| code))
        .flat_map(str::split_whitespace)
        .collect();
    let mut text = bare.join(" ");
    for mark in ["(", ")", ","] {
        text = text
            .replace(&format!(" {mark}"), mark)
            .replace(&format!("{mark} "), mark);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::differences;
    use rusqlite::Connection;

    #[test]
    fn sees_a_missing_index_and_a_changed_column_but_no_comments() {
        let left = Connection::open_in_memory().expect("memory");
        left.execute_batch("create table t (a integer, -- why\n b text) strict; create index i on t (a);")
            .expect("schema");
        let right = Connection::open_in_memory().expect("memory");
        right
            .execute_batch("create table t (a integer,   b text) strict; create index i on t (a);")
            .expect("schema");
        assert_eq!(differences(&left, &right).expect("compare"), Vec::<String>::new());
        right
            .execute_batch("drop index i; alter table t add column c text;")
            .expect("change");
        let found = differences(&left, &right).expect("compare");
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
