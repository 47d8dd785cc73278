//! A definition in a file, sent to the daemon as it is.
//!
//! Guarantees: TOML goes as text, so that messages name its lines; a name that ends in `.json` is JSON. Deliberately
//! absent: whether it is good.

use crate::cli::client::Client;
use crate::cli::outcome::BadUsage;
use serde_json::Value;
use std::path::Path;

/// Posts the file to `path`.
///
/// # Errors
/// It cannot be read, or the daemon refused it.
pub async fn send(client: &Client, file: &Path, path: &str) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        BadUsage(format!(
            "read of {} failed: {error}. Name a readable TOML or JSON file.",
            file.display()
        ))
    })?;
    if file.extension().is_some_and(|extension| extension == "json") {
        let body: Value = serde_json::from_str(&text)
            .map_err(|error| BadUsage(format!("{} is not JSON: {error}", file.display())))?;
        return client.post(path, &body).await;
    }
    client.post_toml(path, text).await
}

/// A definition of few fields, in either form, as JSON.
///
/// # Errors
/// It cannot be read, or is neither JSON nor TOML.
pub fn read(file: &Path) -> anyhow::Result<Value> {
    let text =
        std::fs::read_to_string(file).map_err(|error| BadUsage(format!("cannot read {}: {error}", file.display())))?;
    let read = if text.trim_start().starts_with('{') {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    } else {
        toml::from_str(&text).map_err(|error| error.to_string())
    };
    read.map_err(|error| BadUsage(format!("{}: {error}", file.display())).into())
}
