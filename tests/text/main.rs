//! Watermarks, hiding boxes, subtitles, timecode, chapters and tags: what comes out, seen by an independent decoder.

#[path = "../backend/mod.rs"]
mod backend;
mod bits;
mod carried;
mod closed_captions;
mod drawn;
mod labels;
mod marks;
mod workshop;
