//! Named parameter sets of activities.
//!
//! A template file is an activity without its place in a graph: `name`, `type`, `description`, and the parameters of
//! that type. Guarantees: a template that was read is complete and in range by itself. Deliberately absent: where
//! user-made ones are kept (store).

use crate::base::reader;
use crate::base::reader::Wrong;
use crate::workflow::activity;
use crate::workflow::name_rule::is_name;
use crate::workflow::resolved::ActivityKind;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;

/// The templates that ship with the product.
const SHIPPED: [&str; 11] = [
    include_str!("templates/h264-hls-ladder.toml"),
    include_str!("templates/h264-mp4-ladder.toml"),
    include_str!("templates/hevc-hls-ladder.toml"),
    include_str!("templates/av1-cmaf-ladder.toml"),
    include_str!("templates/proxy-540p.toml"),
    include_str!("templates/sprite-webvtt.toml"),
    include_str!("templates/poster.toml"),
    include_str!("templates/animated-preview.toml"),
    include_str!("templates/media-info.toml"),
    include_str!("templates/audio-aac.toml"),
    include_str!("templates/qc-basic.toml"),
];

/// One template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// Type of the activities it is for.
    pub kind: ActivityKind,
    /// For people.
    pub description: String,
    /// Parameters as written.
    pub parameters: Map<String, Value>,
    /// Ships with the product: cannot be changed or deleted.
    pub shipped: bool,
}

impl Template {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// The first problem, with its line.
    pub fn from_toml(text: &str) -> Result<Self, Wrong> {
        Self::from_tree(&reader::tree_of_toml(text)?).map_err(|wrong| reader::with_line(text, wrong))
    }

    /// Reads the body of an API call.
    ///
    /// # Errors
    /// The first problem.
    pub fn from_tree(tree: &Value) -> Result<Self, Wrong> {
        let Value::Object(written) = tree else {
            return Err(Wrong::at("", "a template is a table of keys"));
        };
        let word = |key: &str| match written.get(key) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(Wrong::at(key, "must be a text")),
            None => Err(Wrong::at("", format!("key {key:?} is missing"))),
        };
        let name = word("name")?;
        if !is_name(&name, 128) {
            return Err(Wrong::at(
                "name",
                format!("{name:?} is not a name of 1 to 128 letters, digits, - and _"),
            ));
        }
        let kind = activity::kind(&word("type")?).map_err(|why| Wrong::at("type", why))?;
        let description = match written.get("description") {
            Some(_) => word("description")?,
            None => String::new(),
        };
        let parameters: Map<String, Value> = written
            .iter()
            .filter(|(key, _)| !["name", "type", "description"].contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        activity::work(kind, &parameters).map_err(|mut problems| problems.swap_remove(0))?;
        Ok(Template {
            name,
            kind,
            description,
            parameters,
            shipped: false,
        })
    }
}

/// Every template that a definition may name.
#[derive(Debug, Clone, PartialEq)]
pub struct Templates(BTreeMap<String, Template>);

impl Templates {
    /// Those that ship with the product.
    pub fn shipped() -> Self {
        let read = |text| Template {
            shipped: true,
            ..Template::from_toml(text).expect("shipped templates are read by a test")
        };
        Templates(
            SHIPPED
                .into_iter()
                .map(read)
                .map(|template| (template.name.clone(), template))
                .collect(),
        )
    }

    /// The shipped ones and a user's; a user's template cannot take a shipped name.
    pub fn with(users: impl IntoIterator<Item = Template>) -> Self {
        let mut all = Self::shipped();
        for template in users {
            all.0.entry(template.name.clone()).or_insert(template);
        }
        all
    }

    /// The template of that name.
    pub fn get(&self, name: &str) -> Option<&Template> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Template> {
        self.0.values()
    }
}
