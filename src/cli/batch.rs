//! `reelmill task start --prefix` and `--list`: many tasks, page by page.
//!
//! Guarantees: says what became of every object; a page that is sent again starts nothing twice; ends with 1 when one
//! was refused. Deliberately absent: watching the tasks.

use crate::cli::client::Client;
use crate::cli::outcome::BadUsage;
use crate::cli::outcome::WorkFailed;
use crate::cli::table;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::path::Path;

/// Objects sent with one call.
const AT_ONCE: usize = 200;

/// Starts a task on every object whose key begins with a prefix, `STORAGE:PREFIX`.
///
/// # Errors
/// The daemon refused the call, or an object.
pub async fn prefix(
    client: &Client,
    place: &str,
    body: Map<String, Value>,
    key: &str,
    json: bool,
) -> anyhow::Result<()> {
    let (storage, prefix) = place.split_once(':').ok_or_else(|| {
        BadUsage(format!(
            "--prefix {place} is not STORAGE:PREFIX; STORAGE: alone means all of it"
        ))
    })?;
    let mut told = Told::new(json);
    let mut cursor = Value::Null;
    loop {
        let mut page = body.clone();
        page.insert("storage".to_owned(), storage.into());
        page.insert("prefix".to_owned(), prefix.into());
        page.insert("limit".to_owned(), AT_ONCE.into());
        page.insert("cursor".to_owned(), cursor);
        let answer = client
            .post_once("/api/v1/tasks/batch", &Value::Object(page), key)
            .await?;
        told.tell(&answer)?;
        cursor = answer["next"].clone();
        if cursor.is_null() {
            return told.end();
        }
    }
}

/// Starts a task on every object of a file, one `STORAGE:KEY` a line; `-` is standard input.
///
/// # Errors
/// The file cannot be read, or the daemon refused the call or an object.
pub async fn list(client: &Client, file: &Path, body: Map<String, Value>, key: &str, json: bool) -> anyhow::Result<()> {
    let text = match file.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin()),
        false => std::fs::read_to_string(file),
    };
    let text = text.map_err(|error| BadUsage(format!("read of {} failed: {error}", file.display())))?;
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let mut told = Told::new(json);
    for some in lines.chunks(AT_ONCE) {
        let mut page = body.clone();
        page.insert("objects".to_owned(), json!(some));
        let answer = client
            .post_once("/api/v1/tasks/batch", &Value::Object(page), key)
            .await?;
        told.tell(&answer)?;
    }
    told.end()
}

/// What was told so far.
struct Told {
    json: bool,
    items: Vec<Value>,
    started: u64,
    refused: u64,
}

impl Told {
    fn new(json: bool) -> Self {
        Told {
            json,
            items: Vec::new(),
            started: 0,
            refused: 0,
        }
    }

    fn tell(&mut self, answer: &Value) -> anyhow::Result<()> {
        self.started += answer["started"].as_u64().unwrap_or(0);
        self.refused += answer["refused"].as_u64().unwrap_or(0);
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        if self.json {
            self.items.extend(items);
            return Ok(());
        }
        for item in items {
            let what = match item["problem"].is_object() {
                true => table::cell(&item["problem"]["detail"]),
                false => table::cell(&item["task"]),
            };
            println!(
                "{}  {}  {what}",
                table::cell(&item["object"]),
                table::cell(&item["status"])
            );
        }
        Ok(())
    }

    fn end(self) -> anyhow::Result<()> {
        if self.json {
            table::print_json(&json!({ "items": self.items, "started": self.started, "refused": self.refused }))?;
        } else {
            eprintln!("{} started, {} refused", self.started, self.refused);
        }
        match self.refused {
            0 => Ok(()),
            _ => Err(WorkFailed.into()),
        }
    }
}
