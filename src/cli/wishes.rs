//! What one run is to do otherwise, on the command line: options of `task start` and `workflow test`.
//!
//! Guarantees: makes the fields of the request and nothing else; whether they are good the daemon decides. Deliberately
//! absent: the workflow and the object.

use crate::cli::outcome::BadUsage;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// The options.
#[derive(Debug, Clone, clap::Args)]
pub struct Wishes {
    /// Text echoed in every event of the task; JSON for receivers that expect it. {"NotifyAddress": "http://..."} tells
    /// that address of this run.
    #[arg(long, value_name = "TEXT")]
    pub user_data: Option<String>,
    /// -10 (last) to 10 (first).
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(-10..=10), allow_hyphen_values = true)]
    pub priority: i64,
    /// Override a parameter of an activity for this run, as in --set ladder.clip.end_s=10; may be repeated.
    #[arg(long = "set", value_name = "ACTIVITY.KEY=VALUE")]
    pub set: Vec<String>,
    /// Override where outputs go: storage=NAME, prefix=PREFIX, path=TEMPLATE, on_conflict=RULE; may be repeated.
    #[arg(long = "output", value_name = "KEY=VALUE")]
    pub output: Vec<String>,
    /// Tell this address, or destination of the configuration, of this run instead of the workflow's.
    #[arg(long, value_name = "URL|NAME")]
    pub notify: Option<String>,
}

impl Wishes {
    /// The fields of a request.
    ///
    /// # Errors
    /// An option that is no `KEY=VALUE`.
    pub fn fields(&self) -> Result<Map<String, Value>, BadUsage> {
        let mut fields = Map::new();
        fields.insert("priority".to_owned(), self.priority.into());
        if let Some(text) = &self.user_data {
            fields.insert("user_data".to_owned(), text.as_str().into());
        }
        if let Some(address) = &self.notify {
            let key = if address.contains("://") { "url" } else { "destination" };
            fields.insert("callback".to_owned(), json!({ key: address }));
        }
        for (name, options) in [("parameters", &self.set), ("output", &self.output)] {
            let mut tree = Map::new();
            for option in options {
                let (path, value) = option
                    .split_once('=')
                    .ok_or_else(|| BadUsage(format!("{option} is not KEY=VALUE, as in --set ladder.clip.end_s=10")))?;
                // Output keys are texts, whatever they look like.
                let value = match name {
                    "output" => Value::from(value),
                    _ => serde_json::from_str(value).unwrap_or_else(|_| Value::from(value)),
                };
                put(&mut tree, path, value)?;
            }
            if !tree.is_empty() {
                fields.insert(name.to_owned(), Value::Object(tree));
            }
        }
        Ok(fields)
    }
}

/// Puts a value at a dotted path.
fn put(tree: &mut Map<String, Value>, path: &str, value: Value) -> Result<(), BadUsage> {
    match path.split_once('.') {
        None => {
            tree.insert(path.to_owned(), value);
            Ok(())
        }
        Some((first, rest)) => {
            let below = tree
                .entry(first.to_owned())
                .or_insert_with(|| Value::Object(Map::new()));
            match below.as_object_mut() {
                Some(below) => put(below, rest, value),
                None => Err(BadUsage(format!(
                    "{path} names something within {first}, which was set to a value"
                ))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Wishes;
    use serde_json::json;

    #[test]
    fn options_become_the_fields_of_a_request() {
        let wishes = Wishes {
            user_data: None,
            priority: 3,
            set: vec![
                "ladder.clip.end_s=10".to_owned(),
                "ladder.backend=software".to_owned(),
                "sheet.times=[\"1\"]".to_owned(),
            ],
            output: vec!["prefix=007/".to_owned()],
            notify: Some("mam".to_owned()),
        };
        assert_eq!(
            json!(wishes.fields().expect("good")),
            json!({
                "priority": 3,
                "parameters": { "ladder": { "clip": { "end_s": 10 }, "backend": "software" }, "sheet": { "times": ["1"] } },
                "output": { "prefix": "007/" },
                "callback": { "destination": "mam" },
            })
        );
        let bad = Wishes {
            set: vec!["ladder".to_owned()],
            ..wishes
        };
        assert!(bad.fields().is_err());
    }
}
