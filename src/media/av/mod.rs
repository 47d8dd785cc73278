//! libav behind safe types, one noun a file.

pub mod animation;
