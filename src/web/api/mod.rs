//! REST API v1: one file per noun, each with its handlers and the shapes they answer.
//!
//! Guarantees: every list is a page of `items` and `next`; every item has `id` and `created_at`; times are
//! `yyyy-MM-ddTHH:mm:ssZ`; unknown fields and parameters are refused. Deliberately absent: policy; a handler reads or
//! writes the store, rings a bell, and answers.

pub mod access_keys;
pub mod additions;
pub mod alerts;
pub mod attempt_log;
pub mod audit;
pub mod batches;
pub mod categories;
pub mod definition_check;
pub mod deliveries;
pub mod destinations;
pub mod devices;
pub mod diagnostics;
pub mod dry_run;
pub mod events;
pub mod explain;
pub mod history;
pub mod hooks;
pub mod host;
pub mod log_level;
pub mod made_storages;
pub mod media;
pub mod media_deletion;
pub mod media_urls;
pub mod media_view;
pub mod objects;
pub mod objects_browse;
pub mod outputs;
pub mod parts_view;
pub mod pulls;
pub mod reviews;
pub mod s3_events;
pub mod schemas;
pub mod series;
pub mod series_view;
pub mod sessions;
pub mod settings;
pub mod starting;
pub mod storages;
pub mod stream;
pub mod system;
pub mod task_change;
pub mod task_view;
pub mod tasks;
pub mod templates;
pub mod tokens;
pub mod unsaved_run;
pub mod uploads;
pub mod users;
pub mod versions;
pub mod wish;
pub mod workflow_view;
pub mod workflows;
pub mod written;
