//! Reads a value out of a TOML or JSON text that a person wrote, and says exactly where the text is wrong.
//!
//! Guarantees: an error carries the path of the key (`activity[1].group[0].vidio`), its line where the text is TOML,
//! and for an unknown key or word the nearest known one. Deliberately absent: ranges and meaning, which belong to
//! the type that is read; types with flattened or internally tagged parts, whose errors serde cannot place.

use serde::de::DeserializeOwned;
use serde::de::DeserializeSeed;
use serde::de::Deserializer;
use serde::de::EnumAccess;
use serde::de::IntoDeserializer;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Unexpected;
use serde::de::VariantAccess;
use serde::de::Visitor;
use serde::forward_to_deserialize_any;
use serde_json::Map;
use serde_json::Value;
use std::cell::RefCell;

/// Where and why a text is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}{why}", place = self.place())]
pub struct Wrong {
    /// Keys and positions from the top, `activity[1].type`; empty: the whole text.
    pub path: String,
    /// Line of the text, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong there, a clause without full stop.
    pub why: String,
}

impl Wrong {
    /// Something wrong at a path, without a line.
    pub fn at(path: impl Into<String>, why: impl Into<String>) -> Self {
        Wrong {
            path: path.into(),
            line: None,
            why: why.into(),
        }
    }

    fn place(&self) -> String {
        match (self.path.as_str(), self.line) {
            ("", None) => String::new(),
            ("", Some(line)) => format!("line {line}: "),
            (path, None) => format!("{path}: "),
            (path, Some(line)) => format!("line {line}, {path}: "),
        }
    }
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    At(usize),
}

fn spelt(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
            Step::At(position) => text.push_str(&format!("[{position}]")),
        }
    }
    text
}

/// Reads a TOML text into a tree, the form in which JSON and TOML are the same.
///
/// # Errors
/// What TOML itself does not allow, with its line.
pub fn tree_of_toml(text: &str) -> Result<Value, Wrong> {
    toml::from_str::<Value>(text).map_err(|error| Wrong {
        path: String::new(),
        line: error.span().map(|span| line_at(text, span.start)),
        why: error.message().to_owned(),
    })
}

/// Reads a JSON text into a tree.
///
/// # Errors
/// What JSON itself does not allow, with its line.
pub fn tree_of_json(text: &str) -> Result<Value, Wrong> {
    serde_json::from_str(text).map_err(|error| Wrong {
        path: String::new(),
        line: Some(error.line()),
        why: error.to_string(),
    })
}

/// Reads a value out of a TOML text.
///
/// # Errors
/// The first thing wrong with it, with its line.
pub fn from_toml<T: DeserializeOwned>(text: &str) -> Result<T, Wrong> {
    from_tree(&tree_of_toml(text)?).map_err(|wrong| with_line(text, wrong))
}

/// Reads a value out of a tree.
///
/// # Errors
/// The first thing wrong with it.
pub fn from_tree<T: DeserializeOwned>(tree: &Value) -> Result<T, Wrong> {
    let path = RefCell::new(Vec::new());
    T::deserialize(Node {
        value: tree,
        path: &path,
    })
    .map_err(|problem| Wrong::at(spelt(&path.borrow()), problem.0))
}

/// The same problem with the line at which its path stands in a TOML text; an absent key has that of its table.
pub fn with_line(text: &str, wrong: Wrong) -> Wrong {
    Wrong {
        line: wrong.line.or_else(|| line_of(text, &wrong.path)),
        ..wrong
    }
}

/// The line of a path in a TOML text, or of the deepest part of it that exists.
fn line_of(text: &str, path: &str) -> Option<usize> {
    let document = toml::de::DeTable::parse(text).ok()?;
    let mut table = Some(document.get_ref());
    let mut array: Option<&toml::de::DeArray<'_>> = None;
    let mut offset = None;
    for part in path.split(['.', '[']) {
        let value =
            match (part.strip_suffix(']'), table, array) {
                (None, Some(table), _) => table.get_key_value(part).map(|(key, value)| {
                    offset = Some(key.span().start);
                    value
                }),
                (Some(position), _, Some(array)) => position
                    .parse::<usize>()
                    .ok()
                    .and_then(|at| array.get(at))
                    .inspect(|value| {
                        offset = Some(value.span().start);
                    }),
                _ => None,
            };
        let Some(value) = value else { break };
        (table, array) = match value.get_ref() {
            toml::de::DeValue::Table(table) => (Some(table), None),
            toml::de::DeValue::Array(array) => (None, Some(array)),
            _ => (None, None),
        };
    }
    offset.map(|offset| line_at(text, offset))
}

fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// The known word most like the one written; none when nothing is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |other: &str| strsim::jaro_winkler(&word.to_lowercase(), &other.to_lowercase());
    known
        .into_iter()
        .map(|other| (likeness(other), other))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other)
}

/// A sentence's end that names what was probably meant, or all there is.
pub fn meant(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean {near:?}?"),
        None if known.is_empty() => "nothing is known there".to_owned(),
        None => format!("known are {}", known.join(", ")),
    }
}

/// Why a value was refused.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Problem(String);

impl serde::de::Error for Problem {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Problem(message.to_string())
    }
    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Problem(format!("unknown key {field:?}; {}", meant(field, expected)))
    }
    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let known = expected.join(", ");
        Problem(match nearest(variant, expected.iter().copied()) {
            Some(near) => format!("{variant:?} is not one of {known}; did you mean {near:?}?"),
            None => format!("{variant:?} is not one of {known}"),
        })
    }
    fn missing_field(field: &'static str) -> Self {
        Problem(format!("key {field:?} is missing"))
    }
}

/// A part of the tree, and where it stands. A path is left as it is when something fails, so it tells where.
#[derive(Clone, Copy)]
struct Node<'a> {
    value: &'a Value,
    path: &'a RefCell<Vec<Step>>,
}

impl<'de, 'a: 'de> Deserializer<'de> for Node<'a> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::String(text) => visitor.visit_str(text),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                (None, Some(value), _) => visitor.visit_i64(value),
                (None, None, Some(value)) => visitor.visit_f64(value),
                (None, None, None) => Err(serde::de::Error::custom("not a number")),
            },
            Value::Array(items) => visitor.visit_seq(Items {
                items,
                next: 0,
                path: self.path,
            }),
            Value::Object(object) => visitor.visit_map(Entries {
                entries: object.iter(),
                value: None,
                path: self.path,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match self.value {
            Value::String(word) => visitor.visit_enum(Word(word)),
            other => Err(serde::de::Error::invalid_type(unexpected(other), &"a word")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

fn unexpected(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(value) => Unexpected::Bool(*value),
        Value::Number(_) => Unexpected::Other("number"),
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    }
}

struct Items<'a> {
    items: &'a [Value],
    next: usize,
    path: &'a RefCell<Vec<Step>>,
}

impl<'de, 'a: 'de> SeqAccess<'de> for Items<'a> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Problem> {
        let Some(value) = self.items.get(self.next) else {
            return Ok(None);
        };
        self.path.borrow_mut().push(Step::At(self.next));
        self.next += 1;
        let element = seed.deserialize(Node { value, path: self.path })?;
        self.path.borrow_mut().pop();
        Ok(Some(element))
    }
}

struct Entries<'a> {
    entries: serde_json::map::Iter<'a>,
    value: Option<&'a Value>,
    path: &'a RefCell<Vec<Step>>,
}

impl<'de, 'a: 'de> MapAccess<'de> for Entries<'a> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Problem> {
        let Some((key, value)) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        self.path.borrow_mut().push(Step::Key(key.clone()));
        seed.deserialize(key.as_str().into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Problem> {
        let value = self.value.take().expect("serde asks for a value after its key");
        let read = seed.deserialize(Node { value, path: self.path })?;
        self.path.borrow_mut().pop();
        Ok(read)
    }
}

struct Word<'a>(&'a str);

impl<'de, 'a: 'de> EnumAccess<'de> for Word<'a> {
    type Error = Problem;
    type Variant = Unit;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Unit), Problem> {
        Ok((seed.deserialize(self.0.into_deserializer())?, Unit))
    }
}

struct Unit;

impl<'de> VariantAccess<'de> for Unit {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        Ok(())
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Problem> {
        Err(serde::de::Error::custom("this word needs a value"))
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Problem> {
        Err(serde::de::Error::custom("this word needs values"))
    }
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Problem> {
        Err(serde::de::Error::custom("this word needs a table"))
    }
}

/// Lays what was written over a base: a table is merged key by key, anything else (lists too) replaces.
pub fn overlay(base: &mut Map<String, Value>, written: &Map<String, Value>) {
    for (key, value) in written {
        match (base.get_mut(key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => overlay(below, above),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::from_toml;
    use super::nearest;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Small,
        Large,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Part {
        kind: Kind,
        width: Option<u32>,
        #[serde(default)]
        seconds: f64,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Whole {
        part: Vec<Part>,
    }

    fn why(text: &str) -> String {
        from_toml::<Whole>(text).expect_err("must be refused").to_string()
    }

    #[test]
    fn reads_what_is_right() {
        let whole: Whole =
            from_toml("part = [{ kind = \"small\", seconds = 2 }, { kind = \"large\", width = 7 }]").expect("right");
        assert_eq!(whole.part[0].seconds, 2.0);
        assert_eq!(whole.part[1].width, Some(7));
    }

    #[test]
    fn says_where_and_what_was_meant() {
        let text = "[[part]]\nkind = \"small\"\n\n[[part]]\nkind = \"large\"\nwitdh = 3\n";
        assert_eq!(
            why(text),
            "line 6, part[1].witdh: unknown key \"witdh\"; did you mean \"width\"?"
        );
        assert_eq!(
            why("[[part]]\nkind = \"lrge\"\n"),
            "line 2, part[0].kind: \"lrge\" is not one of small, large; did you mean \"large\"?"
        );
        let missing = why("\n[[part]]\nwidth = 3\n");
        assert!(
            missing.starts_with("line 2, part[0]: key \"kind\" is missing"),
            "{missing}"
        );
        let number = why("part = [{ kind = \"small\", width = -1 }]");
        assert!(number.starts_with("line 1, part[0].width: "), "{number}");
        assert!(why("part = [").starts_with("line 1"), "{}", why("part = ["));
    }

    #[test]
    fn nothing_near_suggests_nothing() {
        assert_eq!(nearest("zzz", ["width", "kind"]), None);
    }
}
