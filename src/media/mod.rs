//! The media engine: an open source and plain specs in; files, facts and proofs out.
//!
//! Guarantees: one pass decodes a source once for everything asked of it; every product has been re-opened and
//! compared before it is handed over; a read error is a failure, whatever libav says. Deliberately absent:
//! tasks, storages, SQLite, HTTP, configuration, tokio.

pub mod animate;
pub mod animation_file;
pub mod av;
pub mod backdrop;
pub mod claimed_length;
pub mod color_name;
pub mod cover;
pub mod cuda;
pub mod cue;
pub mod device_report;
pub mod device_trial;
pub mod digest;
pub mod encoding;
pub mod error;
pub mod facts;
pub mod family;
pub mod frame_painter;
pub mod frame_seeker;
pub mod gather;
pub mod grading;
pub mod hearing;
pub mod image_playlist;
pub mod key_decoders;
pub mod key_index;
pub mod ladder;
pub mod language;
pub mod last_gop;
pub mod length;
pub mod limits;
pub mod loudness;
pub mod measured_length;
pub mod moments;
pub mod overlay;
pub mod pass;
pub mod picker;
pub mod picture;
pub mod picture_job;
pub mod picture_tap;
pub mod pictures_alone;
pub mod probe;
pub mod product;
pub mod progress;
pub mod qc;
pub mod quality;
pub mod sample;
pub mod scratch_file;
pub mod sheet;
pub mod side_file;
pub mod snapshot;
pub mod software;
pub mod spec;
pub mod spec_check;
pub mod sprite;
pub mod subtitles;
pub mod tally;
pub mod tap;
pub mod timecode;
pub mod timeline;
pub mod verify;
pub mod webvtt;
pub mod wholeness;
pub mod wish;
