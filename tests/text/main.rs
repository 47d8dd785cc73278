//! Watermarks, hiding boxes, subtitles, timecode, chapters and tags: what comes out, seen by an independent decoder.

mod carried;
mod closed_captions;
mod drawn;
mod workshop;
