//! Rows of `templates` and `default_templates`: what users made, and what stands in where nothing is said.
//!
//! Guarantees: a template is read before it is kept; a default is a template that exists, for its own type. Deliberately
//! absent: those that ship, which no row holds, and workflows, which keep a resolved copy of what they name.

use super::Store;
use super::error::StoreError;
use super::idempotency::Once;
use super::idempotency::OnceKey;
use super::idempotency::once;
use super::row::Columns;
use crate::base::clock::UtcMs;
use crate::base::reader::Wrong;
use crate::workflow::template::Template;
use crate::workflow::template::Templates;
use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::OptionalExtension;
use rusqlite::named_params;
use std::path::Path;

/// When a user's template was made and last changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateTimes {
    /// Its name.
    pub name: String,
    /// When it was first saved.
    pub created_at: UtcMs,
    /// When it was last saved.
    pub modified_at: UtcMs,
}

impl Store {
    /// Every template: those that ship, users', and the defaults. A row that this program does not understand is told
    /// in the log and left out.
    pub async fn templates(&self) -> Result<Templates, StoreError> {
        self.read("read templates", read_all).await
    }

    /// Times of users' templates, by name.
    pub async fn template_times(&self) -> Result<Vec<TemplateTimes>, StoreError> {
        const SQL: &str = "select name, created_ms, modified_ms from templates order by name";
        self.read("read the times of templates", |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(TemplateTimes {
                    name: row.text(0)?,
                    created_at: row.time(1)?,
                    modified_at: row.time(2)?,
                });
            }
            Ok(found)
        })
        .await
    }

    /// Keeps a user's template under its name; says whether it is new. `definition` is what `template` was read from.
    /// All or nothing at any death.
    ///
    /// # Errors
    /// `Conflict` when a template of another type has the name.
    pub async fn save_template(
        &self,
        template: Template,
        definition: String,
        key: Option<OnceKey>,
        now: UtcMs,
    ) -> Result<Once<bool>, StoreError> {
        const SAVE: &str = "insert into templates (name, definition, created_ms, modified_ms) \
            values (:name, :definition, :now, :now) \
            on conflict (name) do update set definition = :definition, modified_ms = :now";
        self.write("save a template", move |connection| {
            once(connection, key.as_ref(), now, || {
                let known = definition_of(connection, &template.name)?;
                if let Some(other) = known.as_deref().and_then(|text| read(text).ok())
                    && other.kind != template.kind
                {
                    return Err(StoreError::Conflict(format!(
                        "template {} is of type {}; what names it could not use another type",
                        other.name,
                        other.kind.as_str()
                    )));
                }
                connection.prepare_cached(SAVE)?.execute(named_params! {
                    ":name": template.name, ":definition": definition, ":now": now.0,
                })?;
                Ok(known.is_none())
            })
        })
        .await
    }

    /// Deletes a user's template, and what it stood in for.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn delete_template(&self, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write("delete a template", move |connection| {
            let gone = connection.execute("delete from templates where name = ?1", [&name])?;
            if gone == 0 {
                return Err(StoreError::not_found("template", name));
            }
            connection.execute("delete from default_templates where template = ?1", [&name])?;
            Ok(())
        })
        .await
    }

    /// Lets a template stand in for its type, in the place of the one that did; or no more.
    pub async fn set_default_template(
        &self,
        template: Template,
        is_default: bool,
        now: UtcMs,
    ) -> Result<(), StoreError> {
        const SET: &str = "insert into default_templates (kind, template, set_ms) values (:kind, :template, :now) \
            on conflict (kind) do update set template = :template, set_ms = :now";
        const UNSET: &str = "delete from default_templates where kind = :kind and template = :template";
        self.write("set a default template", move |connection| {
            let kind = template.kind.as_str();
            if !is_default {
                connection
                    .prepare_cached(UNSET)?
                    .execute(named_params! { ":kind": kind, ":template": template.name })?;
                return Ok(());
            }
            if !template.shipped && definition_of(connection, &template.name)?.is_none() {
                return Err(StoreError::not_found("template", template.name));
            }
            connection
                .prepare_cached(SET)?
                .execute(named_params! { ":kind": kind, ":template": template.name, ":now": now.0 })?;
            Ok(())
        })
        .await
    }
}

/// The templates of the database at `path`, which may be another process's: for `check`. None: there is no database
/// yet, or it is not of this program's form.
pub fn of_database(path: &Path) -> Option<Templates> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).ok()?;
    read_all(&connection).ok()
}

fn read_all(connection: &Connection) -> Result<Templates, StoreError> {
    let mut users = Vec::new();
    let mut statement = connection.prepare_cached("select name, definition from templates order by name")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, definition) = (row.text(0)?, row.text(1)?);
        match read(&definition) {
            Ok(template) => users.push(template),
            Err(wrong) => tracing::warn!(template = name, %wrong, "a template is not understood and left out"),
        }
    }
    let mut statement = connection.prepare_cached("select template from default_templates order by kind")?;
    let mut rows = statement.query([])?;
    let mut defaults = Vec::new();
    while let Some(row) = rows.next()? {
        defaults.push(row.text(0)?);
    }
    Ok(Templates::with(users).with_defaults(defaults))
}

fn definition_of(connection: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    const SQL: &str = "select definition from templates where name = ?1";
    Ok(connection
        .prepare_cached(SQL)?
        .query_row([name], |row| row.get(0))
        .optional()?)
}

/// A template as it was written: JSON begins with a brace, which no TOML of ours does.
fn read(definition: &str) -> Result<Template, Wrong> {
    match definition.trim_start().starts_with('{') {
        true => Template::from_json(definition),
        false => Template::from_toml(definition),
    }
}
