//! The workflows that ship with the product.
//!
//! They take media of the library, can be viewed, enabled and disabled, and lend their activities to a user's
//! workflow by `preset = "NAME"`. Guarantees: each resolves (a test says so). Deliberately absent: a way to change them.

use crate::workflow::definition::Definition;

const SHIPPED: [(&str, &str); 4] = [
    ("web-ladder", include_str!("presets/web-ladder.toml")),
    ("edit-proxy", include_str!("presets/edit-proxy.toml")),
    ("audio-only", include_str!("presets/audio-only.toml")),
    ("contact-sheet", include_str!("presets/contact-sheet.toml")),
];

/// Names of all of them.
pub fn names() -> [&'static str; 4] {
    SHIPPED.map(|(name, _)| name)
}

/// The text of one.
pub fn text(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The definition of one.
pub fn get(name: &str) -> Option<Definition> {
    text(name).map(|text| Definition::from_toml(text).expect("shipped presets are read by a test"))
}
