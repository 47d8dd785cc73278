//! `[library]`: what comes into the media library by upload or by address.
//!
//! Deliberately absent: `security.allow_private_pulls`, which stands with the other doors.

use crate::config::resolved::Findings;
use crate::workflow::resolved::OnConflict;
use serde::Deserialize;
use serde::Serialize;
use std::time::Duration;

/// `[library]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "every key is described in config/reelmill.toml")]
pub struct LibrarySection {
    pub storage: String,
    pub prefix: String,
    pub on_conflict: OnConflict,
    pub max_upload_bytes: u64,
    pub upload_expires_h: u64,
    pub pulls: u64,
    pub pull_stall_s: u64,
    pub pull_tries: u64,
}

impl Default for LibrarySection {
    fn default() -> Self {
        LibrarySection {
            storage: String::new(),
            prefix: "uploads/".to_owned(),
            on_conflict: OnConflict::Version,
            max_upload_bytes: 0,
            upload_expires_h: 24,
            pulls: 4,
            pull_stall_s: 60,
            pull_tries: 8,
        }
    }
}

/// What comes into the media library by upload or by address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// Where files go that name no storage, one that is configured or was made; none: each has to name one.
    pub storage: Option<String>,
    /// What their keys begin with where they name none.
    pub prefix: String,
    /// What to do when something stands under the key.
    pub on_conflict: OnConflict,
    /// The largest file; none: any.
    pub max_upload_bytes: Option<u64>,
    /// How long an upload waits for more.
    pub upload_expires: Duration,
    /// Pulls at once.
    pub pulls: usize,
    /// A server that sends nothing for so long is given up for now.
    pub pull_stall: Duration,
    /// Failed tries in a row after which a pull has failed.
    pub pull_tries: u32,
}

/// Resolves the section.
pub(super) fn resolve(findings: &mut Findings, section: &LibrarySection) -> Library {
    let storage = Some(section.storage.clone()).filter(|name| !name.is_empty());
    let prefix_is_sound = section.prefix.is_empty()
        || section.prefix.strip_suffix('/').is_some_and(|folders| {
            folders
                .split('/')
                .all(|part| !part.is_empty() && part != "." && part != "..")
        });
    if !prefix_is_sound {
        findings.error(
            "library.prefix",
            format!(
                "{:?} is no folder; write it as \"uploads/\", or leave it empty",
                section.prefix
            ),
        );
    }
    let mut within = |key: &str, value: u64, least: u64, most: u64| {
        if !(least..=most).contains(&value) {
            findings.error(
                format!("library.{key}"),
                format!("{value} is out of range, {least} to {most}"),
            );
        }
        value.clamp(least, most)
    };
    let expires_h = within("upload_expires_h", section.upload_expires_h, 1, 8_760);
    let pulls = within("pulls", section.pulls, 1, 64);
    let stall_s = within("pull_stall_s", section.pull_stall_s, 1, 3_600);
    let tries = within("pull_tries", section.pull_tries, 1, 1_000);
    Library {
        storage,
        prefix: section.prefix.clone(),
        on_conflict: section.on_conflict,
        max_upload_bytes: (section.max_upload_bytes > 0).then_some(section.max_upload_bytes),
        upload_expires: Duration::from_secs(expires_h * 3_600),
        pulls: usize::try_from(pulls).unwrap_or(1),
        pull_stall: Duration::from_secs(stall_s),
        pull_tries: u32::try_from(tries).unwrap_or(1),
    }
}
