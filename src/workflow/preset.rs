//! The workflows that ship with the product.
//!
//! They take media of the library, can be viewed, enabled and disabled, and lend their activities to a user's
//! workflow by `preset = "NAME"`. Guarantees: each resolves (a test says so). Deliberately absent: a way to change them.

use crate::workflow::definition::Definition;
use crate::workflow::resolve;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::template::Templates;
use std::sync::LazyLock;

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

/// The workflow that looks at a media when it is registered. It stands in no list: nobody starts, enables or names it,
/// and no arrival is matched with it.
pub fn registration() -> &'static ResolvedWorkflow {
    static RESOLVED: LazyLock<ResolvedWorkflow> = LazyLock::new(|| {
        let definition = Definition::from_toml(include_str!("presets/registration.toml"));
        let definition = definition.expect("shipped presets are read by a test");
        resolve::resolve(&definition, &Templates::shipped()).expect("shipped presets are resolved by a test")
    });
    &RESOLVED
}
