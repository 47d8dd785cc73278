//! The media library: what people say of media, what was added to them, and their deletion.
//!
//! Guarantees: every change here writes its event in its own transaction. Deliberately absent: the rows themselves
//! (`media`), files coming in (`admission`), and lists (`listing`).

pub mod additions;
pub mod by_hand;
pub mod categories;
pub mod deletions;
pub mod description;
pub(super) mod facts_of;
pub mod overview;
