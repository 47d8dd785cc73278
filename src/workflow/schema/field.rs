//! How one key of a definition is described in JSON Schema.
//!
//! Besides the keywords of JSON Schema a key carries: `x-unit`; `x-choices`, what each word of `enum` means; `x-when`,
//! words that a key beside it must have for this one to mean something; `x-by`, keywords that are others for each word of
//! a key beside it; `x-form`, what stands in a text (`object`, `color`, `time`, `moment`, `timecode`, `tracks`, `extent`).
//! Guarantees: plain data; keys keep the order they are written in. Deliberately absent: which keys there are.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::ops::RangeInclusive;

/// One key.
pub(super) struct Field {
    key: &'static str,
    schema: Map<String, Value>,
    required: bool,
}

fn field(key: &'static str, schema: Value, help: &str) -> Field {
    let Value::Object(mut schema) = schema else {
        unreachable!("schemas of keys are tables");
    };
    schema.insert("description".to_owned(), help.into());
    Field {
        key,
        schema,
        required: false,
    }
}

/// A text.
pub(super) fn text(key: &'static str, help: &str) -> Field {
    field(key, json!({ "type": "string" }), help)
}

/// Yes or no.
pub(super) fn flag(key: &'static str, default: bool, help: &str) -> Field {
    field(key, json!({ "type": "boolean", "default": default }), help)
}

/// A whole number.
pub(super) fn whole(key: &'static str, range: RangeInclusive<i64>, help: &str) -> Field {
    field(
        key,
        json!({ "type": "integer", "minimum": range.start(), "maximum": range.end() }),
        help,
    )
}

/// A number.
pub(super) fn number(key: &'static str, range: RangeInclusive<f64>, help: &str) -> Field {
    field(
        key,
        json!({ "type": "number", "minimum": range.start(), "maximum": range.end() }),
        help,
    )
}

/// One of some words, each with what it means.
pub(super) fn choice(key: &'static str, words: &[(&str, &str)], help: &str) -> Field {
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let meanings = words
        .iter()
        .map(|(word, meaning)| json!({ "value": word, "help": meaning }));
    field(
        key,
        json!({ "type": "string", "enum": known, "x-choices": meanings.collect::<Vec<_>>() }),
        help,
    )
}

/// A list whose entries are all of this form.
pub(super) fn list(key: &'static str, items: Value, most: Option<usize>, help: &str) -> Field {
    let field = field(key, json!({ "type": "array", "items": items }), help);
    match most {
        Some(most) => field.with("maxItems", most),
        None => field,
    }
}

/// A table that is described elsewhere.
pub(super) fn part(key: &'static str, name: &str, help: &str) -> Field {
    field(key, reference(name), help)
}

/// Something of several forms.
pub(super) fn any_of(key: &'static str, forms: Vec<Value>, help: &str) -> Field {
    field(key, json!({ "anyOf": forms }), help)
}

/// Seconds, or a clock time `hh:mm:ss.SSS`.
pub(super) fn time(key: &'static str, range: RangeInclusive<f64>, help: &str) -> Field {
    number(key, range, help)
        .with("type", json!(["number", "string"]))
        .with("x-form", "time")
        .unit("s")
}

/// Pixels, or a part of an edge of the picture.
pub(super) fn extent(key: &'static str, help: &str) -> Field {
    field(
        key,
        json!({ "type": ["integer", "number", "string"], "x-form": "extent",
            "pattern": "^([0-9]+(px)?|[0-9.]+%|0?\\.[0-9]+|[01]\\.[0-9]+)$" }),
        help,
    )
}

/// The description of a table under this name.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

impl Field {
    /// Must be there.
    pub(super) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// What holds when it is left out.
    pub(super) fn default(self, value: impl Into<Value>) -> Self {
        self.with("default", value)
    }

    /// What it is counted in.
    pub(super) fn unit(self, unit: &str) -> Self {
        self.with("x-unit", unit)
    }

    /// It means something only while the key beside it has one of these words.
    pub(super) fn when(mut self, beside: &str, words: &[&str]) -> Self {
        let all = self.schema.entry("x-when").or_insert_with(|| json!({}));
        all[beside] = json!(words);
        self
    }

    /// These keywords hold instead while the key beside it has this word.
    pub(super) fn by(mut self, beside: &str, word: &str, keywords: Value) -> Self {
        let all = self.schema.entry("x-by").or_insert_with(|| json!({}));
        all[beside][word] = keywords;
        self
    }

    /// One more keyword.
    pub(super) fn with(mut self, keyword: &str, value: impl Into<Value>) -> Self {
        self.schema.insert(keyword.to_owned(), value.into());
        self
    }
}

/// A table of keys; unknown ones are refused. `used_by`: types of activities that it belongs to.
pub(super) fn table(title: &str, help: &str, used_by: &[&str], fields: Vec<Field>) -> Value {
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.key)
        .collect();
    let properties: Map<String, Value> = fields
        .into_iter()
        .map(|field| (field.key.to_owned(), Value::Object(field.schema)))
        .collect();
    let mut table = json!({
        "type": "object", "title": title, "description": help, "properties": properties, "additionalProperties": false,
    });
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    if !used_by.is_empty() {
        table["x-used-by"] = json!(used_by);
    }
    table
}
