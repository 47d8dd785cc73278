//! What callers want to have back: any JSON, kept as text.
//!
//! Guarantees: a string is its own text; everything else keeps each digit and letter that was sent, without the spaces
//! between. Deliberately absent: how long it may be, which each address knows.

use crate::base::json_text;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde_json::value::RawValue;

/// User data as they are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserData {
    /// None: null.
    text: Option<String>,
    is_string: bool,
}

impl UserData {
    /// As it is kept; none: null.
    pub fn into_text(self) -> Option<String> {
        self.text
    }

    /// The same, shared.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }
}

impl From<String> for UserData {
    fn from(text: String) -> Self {
        UserData {
            text: Some(text),
            is_string: true,
        }
    }
}

impl<'de> Deserialize<'de> for UserData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Numbers of `Value` have the digits of a double.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let json = raw.get().trim();
        let is_string = json.starts_with('"');
        Ok(UserData {
            text: match json {
                "null" => None,
                _ if is_string => Some(serde_json::from_str(json).map_err(serde::de::Error::custom)?),
                _ => Some(json_text::without_spaces(json)),
            },
            is_string,
        })
    }
}

impl Serialize for UserData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.text {
            Some(text) if !self.is_string => match RawValue::from_string(text.clone()) {
                Ok(raw) => raw.serialize(serializer),
                Err(_) => text.serialize(serializer),
            },
            text => text.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::UserData;

    #[test]
    fn each_digit_is_kept_and_spaces_are_not() {
        for (sent, kept) in [
            ("\"a \\\"b\\\" c\"", Some("a \"b\" c")),
            ("null", None),
            (
                "{ \"id\" : 123456789012345678901234567890, \"of\": [1.00, 1e400] }",
                Some("{\"id\":123456789012345678901234567890,\"of\":[1.00,1e400]}"),
            ),
            ("{\"a \\\" b\": \" c \"}", Some("{\"a \\\" b\":\" c \"}")),
        ] {
            let read: UserData = serde_json::from_str(sent).unwrap_or_else(|why| panic!("{sent}: {why}"));
            assert_eq!(read.text(), kept, "{sent}");
            let again: UserData = serde_json::from_str(&serde_json::to_string(&read).expect("writes")).expect("reads");
            assert_eq!(again, read);
        }
    }
}
