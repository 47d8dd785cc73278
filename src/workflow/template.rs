//! Named parameter sets of activities, and of what is drawn onto pictures.
//!
//! A template file is an activity without its place in a graph: `name`, `type`, `description`, and the parameters of
//! that type; or, of the types `image_watermark`, `text_watermark` and `subtitle`, the keys of a `watermark` or `burn`
//! table of a transcode. Guarantees: a template that was read is in range by itself, and complete but for the file or
//! text that is drawn. Deliberately absent: where user-made ones are kept (store), and merging (`activity`, `marks`).

use crate::base::reader;
use crate::base::reader::Wrong;
use crate::workflow::activity;
use crate::workflow::marks;
use crate::workflow::name_rule::is_name;
use crate::workflow::resolved::ActivityKind;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;

/// The templates that ship with the product.
const SHIPPED: [&str; 14] = [
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
    include_str!("templates/logo-top-right.toml"),
    include_str!("templates/text-bottom-right.toml"),
    include_str!("templates/subtitle-white.toml"),
];

/// What a template is for; in definitions its `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TemplateKind {
    /// Activities of this type.
    Activity(ActivityKind),
    /// A `watermark` table that draws a picture.
    ImageWatermark,
    /// A `watermark` table that draws text.
    TextWatermark,
    /// A `burn` table.
    Subtitle,
}

impl TemplateKind {
    /// The kinds that are no activities.
    pub const DRAWN: [TemplateKind; 3] = [
        TemplateKind::ImageWatermark,
        TemplateKind::TextWatermark,
        TemplateKind::Subtitle,
    ];

    /// The word in definitions and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            TemplateKind::Activity(kind) => kind.as_str(),
            TemplateKind::ImageWatermark => "image_watermark",
            TemplateKind::TextWatermark => "text_watermark",
            TemplateKind::Subtitle => "subtitle",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    ///
    /// # Errors
    /// A clause that names the nearest known type.
    pub fn parse(word: &str) -> Result<Self, String> {
        if let Some(drawn) = Self::DRAWN.into_iter().find(|kind| kind.as_str() == word) {
            return Ok(drawn);
        }
        activity::kind(word).map(TemplateKind::Activity).map_err(|why| {
            let drawn = Self::DRAWN.map(TemplateKind::as_str);
            match reader::nearest(word, drawn) {
                Some(near) => format!("{word:?} is no type of a template; did you mean {near:?}?"),
                None => format!("{why}; or one of {}", drawn.join(", ")),
            }
        })
    }
}

/// One template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: TemplateKind,
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

    /// Reads a JSON text.
    ///
    /// # Errors
    /// The first problem.
    pub fn from_json(text: &str) -> Result<Self, Wrong> {
        Self::from_tree(&reader::tree_of_json(text)?)
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
        let kind = TemplateKind::parse(&word("type")?).map_err(|why| Wrong::at("type", why))?;
        let description = match written.get("description") {
            Some(_) => word("description")?,
            None => String::new(),
        };
        let parameters: Map<String, Value> = written
            .iter()
            .filter(|(key, _)| !["name", "type", "description"].contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        match kind {
            TemplateKind::Activity(kind) => {
                activity::work(kind, &parameters).map_err(|mut problems| problems.swap_remove(0))?;
            }
            drawn => marks::check(drawn, &parameters)?,
        }
        Ok(Template {
            name,
            kind,
            description,
            parameters,
            shipped: false,
        })
    }
}

/// Every template that a definition may name, and which one stands in for none.
#[derive(Debug, Clone, PartialEq)]
pub struct Templates {
    all: BTreeMap<String, Template>,
    defaults: BTreeMap<&'static str, String>,
}

impl Templates {
    /// Those that ship with the product.
    pub fn shipped() -> Self {
        let read = |text| Template {
            shipped: true,
            ..Template::from_toml(text).expect("shipped templates are read by a test")
        };
        Templates {
            all: SHIPPED
                .into_iter()
                .map(read)
                .map(|template| (template.name.clone(), template))
                .collect(),
            defaults: BTreeMap::new(),
        }
    }

    /// The shipped ones and a user's; a user's template cannot take a shipped name.
    pub fn with(users: impl IntoIterator<Item = Template>) -> Self {
        let mut templates = Self::shipped();
        for template in users {
            templates.all.entry(template.name.clone()).or_insert(template);
        }
        templates
    }

    /// The same where these stand in for none, each for its own type. Names of nothing are left out.
    pub fn with_defaults(mut self, names: impl IntoIterator<Item = String>) -> Self {
        let found = names
            .into_iter()
            .filter_map(|name| Some((self.all.get(&name)?.kind.as_str(), name)));
        self.defaults = found.collect();
        self
    }

    /// The template of that name.
    pub fn get(&self, name: &str) -> Option<&Template> {
        self.all.get(name)
    }

    /// What stands in where nothing of this kind is said.
    pub fn default_of(&self, kind: TemplateKind) -> Option<&Template> {
        self.all.get(self.defaults.get(kind.as_str())?)
    }

    /// Whether it stands in where nothing is said.
    pub fn is_default(&self, template: &Template) -> bool {
        self.defaults.get(template.kind.as_str()) == Some(&template.name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Template> {
        self.all.values()
    }
}
