//! Subtitles of a source: read, turned from one form into another, written beside and into outputs.
//!
//! Guarantees: times are those of the source, on the outputs' clock. Deliberately absent: drawing them.

mod ass;
mod markup;
mod position;
mod track;
mod unfollowed;
pub mod vtt;

pub use ass::Event;
pub use ass::Places;
pub use ass::Script;
pub use ass::Style;
pub use markup::cue_of;
pub use position::Position;
pub use track::Bitmaps;
pub use track::Track;
pub use track::is_bitmap;
pub use track::is_text;
pub use track::read;
pub use track::text_of_file;
pub use unfollowed::Holder;
pub use unfollowed::Unfollowed;
pub use vtt::file_of;
