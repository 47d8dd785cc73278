//! The configuration as people read it: every key with its value, where that comes from, and what it is for.
//!
//! Guarantees: a secret written into the file is never part of it; help is that of `config/reelmill.toml`. Deliberately
//! absent: changing anything.

use crate::base::reader;
use crate::base::reader::Wrong;
use crate::config::file::File;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const REFERENCE: &str = include_str!("../../config/reelmill.toml");
const MASK: &str = "***";

/// One key.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// `server.listen`, `storage[0].path`.
    pub key: String,
    /// Its value; secrets masked.
    pub value: Value,
    /// It stands in the file; else it has its default.
    pub written: bool,
    /// Where it stands.
    pub line: Option<usize>,
    /// What it is for; empty: nothing is said.
    pub help: String,
}

/// Every key of a file that was read.
pub(super) fn of(text: &str, raw: &File) -> Vec<Setting> {
    let all = serde_json::to_value(raw).unwrap_or(Value::Null);
    let written = reader::tree_of_toml(text).unwrap_or(Value::Null);
    let mut settings = Vec::new();
    walk(text, &all, Some(&written), String::new(), &mut settings);
    settings
}

fn walk(text: &str, all: &Value, written: Option<&Value>, path: String, into: &mut Vec<Setting>) {
    match all {
        Value::Object(table) if !is_free(&path) => {
            for (key, value) in table {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                walk(text, value, written.and_then(|written| written.get(key)), path, into);
            }
        }
        Value::Array(list) if list.iter().any(Value::is_object) => {
            for (at, value) in list.iter().enumerate() {
                walk(
                    text,
                    value,
                    written.and_then(|written| written.get(at)),
                    format!("{path}[{at}]"),
                    into,
                );
            }
        }
        value => into.push(Setting {
            value: shown(&path, value),
            written: written.is_some(),
            line: written.and_then(|_| reader::with_line(text, Wrong::at(&*path, "")).line),
            help: help(&path),
            key: path,
        }),
    }
}

/// Tables whose keys are the user's own.
fn is_free(path: &str) -> bool {
    path.ends_with(".headers")
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// The value without what may be a secret. Keys that name files show their paths, not what is in them.
fn shown(path: &str, value: &Value) -> Value {
    let key = last(path);
    let is_secret = ["key", "keys", "secret", "password", "token", "passphrase"]
        .iter()
        .any(|word| key == *word || key.ends_with(&format!("_{word}")))
        && !["tls_key", "sse_kms_key"].contains(&key);
    match value {
        Value::Object(table) => Value::Object(table.keys().map(|key| (key.clone(), MASK.into())).collect()),
        Value::String(text) if text.is_empty() => value.clone(),
        Value::Array(list) if is_secret && list.is_empty() => value.clone(),
        _ if is_secret => MASK.into(),
        Value::String(text) if text.contains("://") => address(text).into(),
        Value::Array(list) => Value::Array(list.iter().map(|value| shown("", value)).collect()),
        other => other.clone(),
    }
}

/// An address without its password and its query, where keys of chat robots stand.
fn address(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else {
        return MASK.to_owned();
    };
    if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
        return MASK.to_owned();
    }
    if url.query().is_some() {
        url.set_query(Some(MASK));
    }
    // What a chat service calls a hook has its key in the path.
    if url.path().to_lowercase().contains("hook") {
        url.set_path(MASK);
    }
    if url.path() == "/" && !text.ends_with('/') {
        return url.as_str().trim_end_matches('/').to_owned();
    }
    url.into()
}

/// What the reference says of a key, by its path without positions.
fn help(path: &str) -> String {
    static HELP: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| read_help(REFERENCE));
    let mut plain = String::new();
    let mut inside = false;
    for letter in path.chars() {
        match letter {
            '[' => inside = true,
            ']' => inside = false,
            letter if !inside => plain.push(letter),
            _ => {}
        }
    }
    HELP.get(&plain).cloned().unwrap_or_default()
}

/// Comments of a file whose keys stand beneath them; sections may be commented out as a whole.
fn read_help(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let (mut section, mut commented) = (String::new(), false);
    let (mut said, mut used): (Vec<&str>, bool) = (Vec::new(), false);
    for line in text.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let head = bare.trim().trim_start_matches('[').trim_end_matches(']');
        let is_name = !head.is_empty()
            && head
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte));
        if bare.starts_with('[') && bare.trim_end().ends_with(']') && is_name {
            commented = line.starts_with('#');
            head.clone_into(&mut section);
            said.clear();
            continue;
        }
        let body = match line {
            "#" if commented => "",
            line if commented && line.starts_with('#') => line.strip_prefix("# ").unwrap_or(""),
            line => line,
        };
        if let Some(comment) = body.strip_prefix('#') {
            if used {
                said.clear();
                used = false;
            }
            said.push(comment.trim());
            continue;
        }
        match body.split_once('=') {
            Some((key, _))
                if !said.is_empty()
                    && key
                        .trim()
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit()) =>
            {
                found.insert(format!("{section}.{}", key.trim()), said.join(" "));
                used = true;
            }
            _ => {
                said.clear();
                used = false;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::config;
    use serde_json::json;
    use std::path::Path;

    #[test]
    fn every_key_tells_its_source_and_no_secret() {
        let text = "[server]\nlisten = \"127.0.0.1:9000\"\n[[storage]]\nname = \"a\"\npath = \"/srv/a\"\n\
            [[destination]]\nname = \"d\"\nurl = \"http://u:hunter2@mam.local/x?key=hunter2\"\nauth_key = \"hunter2\"\n\
            headers = { X-Key = \"hunter2\" }\n[callback]\nurl = \"\"\n";
        let config = config::from_text(text, Path::new("/")).expect("a configuration");
        let find = |key: &str| config.settings.iter().find(|setting| setting.key == key).expect(key);
        let listen = find("server.listen");
        assert_eq!(
            (listen.written, listen.line, &listen.value),
            (true, Some(2), &json!("127.0.0.1:9000"))
        );
        assert!(listen.help.contains("listen"), "{}", listen.help);
        let grace = find("server.stop_grace_s");
        assert_eq!((grace.written, grace.line, &grace.value), (false, None, &json!(20)));
        assert_eq!(find("server.tls_key").help, find("server.tls_cert").help);
        assert_eq!(find("storage[0].path").value, json!("/srv/a"));
        assert!(
            find("storage[0].watch").help.contains("inotify"),
            "{}",
            find("storage[0].watch").help
        );
        assert_eq!(find("destination[0].auth_key").value, json!("***"));
        assert_eq!(find("destination[0].headers").value, json!({ "X-Key": "***" }));
        assert_eq!(find("destination[0].url").value, json!("http://u:***@mam.local/x?***"));
        for setting in &config.settings {
            assert!(!setting.value.to_string().contains("hunter2"), "{}", setting.key);
        }
        // Nearly every key is explained by the reference.
        let silent: Vec<&str> = config
            .settings
            .iter()
            .filter(|setting| setting.help.is_empty())
            .map(|setting| setting.key.as_str())
            .collect();
        assert!(silent.len() * 10 < config.settings.len(), "{silent:?}");
    }
}
