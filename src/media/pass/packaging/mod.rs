//! Sets: segments, their seals, and the manifests that name them.
//!
//! [`segments`] writes while the source is read, through a [`spool`]; the rest works on what lies on disk afterwards:
//! it is read back ([`joined`], [`fragment`]), described ([`playlist`], [`mpd`], [`captions`]) and compared
//! ([`alignment`], [`manifest_check`]). [`set`] puts a whole set together.

pub mod alignment;
pub mod braid;
pub mod captions;
pub mod codec_name;
pub mod fragment;
pub mod joined;
pub mod manifest_check;
pub mod mpd;
pub mod playlist;
pub mod rendition;
pub mod seal;
pub mod segments;
pub mod set;
pub mod spool;
pub mod xml;
