//! One `[[destination]]` section, checked, and `[callback]`, which names one or writes one out.
//!
//! Guarantees: secrets are read here and nowhere later; a key file that everybody can read is warned of. Deliberately
//! absent: whether anybody answers.

use crate::base::reader;
use crate::config::file::DestinationSection;
use crate::config::file::File;
use crate::config::resolved::Destination;
use crate::config::resolved::Findings;
use crate::config::resolved::UNIFIED;
use crate::config::resolved::is_http;
use crate::config::secret::Secret;
use std::path::Path;

/// The destination of the section at `path`; relative paths begin at `folder`. None: of a kind that there is not.
pub(super) fn resolve(
    findings: &mut Findings,
    path: &str,
    section: &DestinationSection,
    folder: &Path,
) -> Option<Destination> {
    match section.kind.as_str() {
        "http" => {}
        "amqp" | "nats" | "mqtt" | "redis" | "exec" | "storage" | "mail" => {
            let why = format!(
                "destinations of kind {:?} come with a later version of reelmill; this one has \"http\"",
                section.kind
            );
            findings.error(format!("{path}.kind"), why);
            return None;
        }
        other => {
            findings.error(
                format!("{path}.kind"),
                format!("{other:?} is no kind of destination; this version has \"http\""),
            );
            return None;
        }
    }
    if !is_http(&section.url) {
        findings.error(
            format!("{path}.url"),
            format!("{:?} is no http or https address", section.url),
        );
    }
    match section.profile.as_str() {
        "ims" | "vod" | "mps" | "native" => {}
        other => {
            let why = format!(
                "{other:?} is no profile; {}",
                reader::meant(other, &["ims", "vod", "mps", "native"])
            );
            findings.error(format!("{path}.profile"), why);
        }
    }
    if !["default", "ims"].contains(&section.retry.as_str()) {
        findings.error(
            format!("{path}.retry"),
            format!("{:?} is not one of default, ims", section.retry),
        );
    }
    let mut secret = |key: &str, file: &str| {
        if file.is_empty() {
            return None;
        }
        match Secret::from_file(&folder.join(file)) {
            Ok((secret, open)) => {
                if open {
                    findings.warning(
                        format!("{path}.{key}"),
                        "every user of this host can read the file; chmod 640 it",
                    );
                }
                Some(secret)
            }
            Err(why) => {
                findings.error(format!("{path}.{key}"), why);
                None
            }
        }
    };
    let from_file = secret("auth_key_file", &section.auth_key_file);
    let signing_keys = ["signing_key_file", "old_signing_key_file"]
        .into_iter()
        .zip([&section.signing_key_file, &section.old_signing_key_file])
        .filter_map(|(key, file)| secret(key, file))
        .collect();
    if from_file.is_some() && !section.auth_key.is_empty() {
        findings.error(format!("{path}.auth_key"), "goes without auth_key_file");
    }
    Some(Destination {
        name: section.name.clone(),
        url: section.url.clone(),
        profile: section.profile.clone(),
        auth_key: from_file.or_else(|| (!section.auth_key.is_empty()).then(|| Secret::new(&section.auth_key))),
        signing_keys,
        events: section.events.clone(),
        legacy_events: section.legacy_events,
        retry: section.retry.clone(),
    })
}

/// Name of the unified destination, as `[callback]` has it; one that is written out there joins `destinations`.
pub(super) fn unified(
    findings: &mut Findings,
    raw: &File,
    folder: &Path,
    destinations: &mut Vec<Destination>,
) -> Option<String> {
    let section = &raw.callback;
    if !section.destination.is_empty() {
        if !section.url.is_empty() {
            findings.error("callback.url", "goes without callback.destination");
        }
        let known: Vec<&str> = raw
            .destination
            .iter()
            .map(|destination| destination.name.as_str())
            .collect();
        if !known.contains(&section.destination.as_str()) {
            let why = format!(
                "there is no [[destination]] {:?}; {}",
                section.destination,
                reader::meant(&section.destination, &known)
            );
            findings.error("callback.destination", why);
        }
        return Some(section.destination.clone());
    }
    if section.url.is_empty() {
        let keys = [
            &section.auth_key,
            &section.auth_key_file,
            &section.signing_key_file,
            &section.old_signing_key_file,
        ];
        if keys.iter().any(|key| !key.is_empty()) {
            findings.warning(
                "callback.url",
                "is empty, so the keys of [callback] are not used and nobody is told",
            );
        }
        return None;
    }
    if raw.destination.iter().any(|destination| destination.name == UNIFIED) {
        findings.error(
            "callback.url",
            format!("a [[destination]] is named {UNIFIED:?}, which is the name of this one; rename it"),
        );
    }
    let written_out = DestinationSection {
        name: UNIFIED.to_owned(),
        kind: "http".to_owned(),
        url: section.url.clone(),
        profile: section.profile.clone(),
        auth_key: section.auth_key.clone(),
        auth_key_file: section.auth_key_file.clone(),
        signing_key_file: section.signing_key_file.clone(),
        old_signing_key_file: section.old_signing_key_file.clone(),
        events: section.events.clone(),
        legacy_events: section.legacy_events,
        retry: section.retry.clone(),
    };
    destinations.extend(resolve(findings, "callback", &written_out, folder));
    Some(UNIFIED.to_owned())
}
