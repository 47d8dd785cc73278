//! Rows of `categories`: the tree that media are filed under.
//!
//! Guarantees: names are unique under one parent; the tree stays a tree; a category goes only when nothing is under it.
//! Deliberately absent: what is filed (`description`).

use crate::base::clock::UtcMs;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::row::Columns;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::named_params;
use serde::Deserialize;
use serde::Serialize;

/// One category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryRow {
    /// Id.
    pub id: String,
    /// The one it lies under; none: at the top.
    pub parent: Option<String>,
    /// Its name.
    pub name: String,
    /// When it was made, milliseconds.
    pub created_ms: i64,
}

/// Levels of the tree.
const DEEPEST: usize = 16;

const COLUMNS: &str = "select id, parent, name, created_ms from categories";

impl Store {
    /// Up to `limit` categories after the one with this id, oldest first; those under one parent, or all. The empty
    /// parent is the top.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_categories(
        &self,
        parent: Option<String>,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<CategoryRow>, StoreError> {
        self.read("list categories", move |connection| {
            // All of them, those at the top, or those under one.
            let under = match parent.as_deref() {
                None => "true or :parent",
                Some("") => "parent is null or :parent = id",
                Some(_) => "parent = :parent",
            };
            let sql = format!("{COLUMNS} where id > :after and ({under}) order by id limit {limit}");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(named_params! { ":after": after.unwrap_or_default(), ":parent": parent })?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(read(row)?);
            }
            Ok(found)
        })
        .await
    }

    /// One category.
    ///
    /// # Errors
    /// There is none with this id, or the database failed.
    pub async fn category(&self, id: &str) -> Result<CategoryRow, StoreError> {
        let id = id.to_owned();
        self.read("show a category", move |connection| find(connection, &id))
            .await
    }

    /// Renames a category, moves it under another one, or both; `Some(None)` moves it to the top.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when the name is taken there or it would lie under itself.
    pub async fn change_category(
        &self,
        id: &str,
        name: Option<String>,
        parent: Option<Option<String>>,
    ) -> Result<CategoryRow, StoreError> {
        const SQL: &str = "update categories set name = :name, parent = :parent where id = :id";
        let id = id.to_owned();
        self.write("change a category", move |connection| {
            let mut row = find(connection, &id)?;
            row.name = name.unwrap_or(row.name);
            row.parent = parent.unwrap_or(row.parent);
            check(connection, &row)?;
            connection.prepare_cached(SQL)?.execute(named_params! {
                ":name": row.name, ":parent": row.parent, ":id": id,
            })?;
            Ok(row)
        })
        .await
    }

    /// Deletes a category with nothing under it.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when media or categories lie under it.
    pub async fn delete_category(&self, id: &str) -> Result<(), StoreError> {
        const UNDER: &str = "select exists (select 1 from categories where parent = ?1), \
            exists (select 1 from media where category = ?1 and state <> 'Deleted')";
        let id = id.to_owned();
        self.write("delete a category", move |connection| {
            let row = find(connection, &id)?;
            let (categories, media): (bool, bool) = connection
                .prepare_cached(UNDER)?
                .query_row([&id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let under = match (categories, media) {
                (true, _) => "categories",
                (_, true) => "media",
                _ => {
                    connection.execute("update media set category = null where category = ?1", [&id])?;
                    connection.execute("delete from categories where id = ?1", [&id])?;
                    return Ok(());
                }
            };
            Err(StoreError::Conflict(format!(
                "there are {under} under category {}",
                row.name
            )))
        })
        .await
    }
}

/// Makes a category.
pub(in crate::store) fn make(
    connection: &Connection,
    name: &str,
    parent: Option<&str>,
    now: UtcMs,
) -> Result<CategoryRow, StoreError> {
    const SQL: &str = "insert into categories (id, parent, name, created_ms) values (:id, :parent, :name, :now)";
    let row = CategoryRow {
        id: uuid::Uuid::now_v7().simple().to_string(),
        parent: parent.map(str::to_owned),
        name: name.to_owned(),
        created_ms: now.0,
    };
    check(connection, &row)?;
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":id": row.id, ":parent": row.parent, ":name": row.name, ":now": now.0,
    })?;
    Ok(row)
}

/// Whether the row may stand where it says.
fn check(connection: &Connection, row: &CategoryRow) -> Result<(), StoreError> {
    const TAKEN: &str = "select 1 from categories where name = :name and parent is :parent and id <> :id";
    let named = named_params! { ":name": row.name, ":parent": row.parent, ":id": row.id };
    if connection.prepare_cached(TAKEN)?.exists(named)? {
        return Err(StoreError::Conflict(format!(
            "there is a category {} there already",
            row.name
        )));
    }
    let mut above = row.parent.clone();
    for _ in 0..DEEPEST {
        let Some(id) = above else { return Ok(()) };
        if id == row.id {
            return Err(StoreError::Conflict(format!(
                "category {} would lie under itself",
                row.name
            )));
        }
        above = find(connection, &id)?.parent;
    }
    Err(StoreError::Conflict(format!(
        "categories lie at most {DEEPEST} levels deep"
    )))
}

fn find(connection: &Connection, id: &str) -> Result<CategoryRow, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} where id = ?1"))?;
    let mut rows = statement.query([id])?;
    match rows.next()? {
        Some(row) => read(row),
        None => Err(StoreError::not_found("category", id)),
    }
}

fn read(row: &Row<'_>) -> Result<CategoryRow, StoreError> {
    Ok(CategoryRow {
        id: row.text(0)?,
        parent: row.get(1)?,
        name: row.text(2)?,
        created_ms: row.get(3)?,
    })
}
