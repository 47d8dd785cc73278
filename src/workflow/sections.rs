//! The sections of a definition beside its activities, as rules: where it takes from, puts to, and whom it tells.
//!
//! Guarantees: every problem of a section is found and named by its key; what a section leaves out has its default.
//! Deliberately absent: activities (`activity`), and whether storages and destinations exist.

use crate::base::reader::Wrong;
use crate::workflow::definition::CallbackKind;
use crate::workflow::definition::CallbackSection;
use crate::workflow::definition::Existing;
use crate::workflow::definition::OutputSection;
use crate::workflow::definition::Problem;
use crate::workflow::definition::SourceSection;
use crate::workflow::definition::TriggerMode;
use crate::workflow::naming::DEFAULT_PATH;
use crate::workflow::naming::PathTemplate;
use crate::workflow::output_names::same_key;
use crate::workflow::resolved::Activity;
use crate::workflow::resolved::AfterRule;
use crate::workflow::resolved::CallbackRule;
use crate::workflow::resolved::InlineDestination;
use crate::workflow::resolved::OnConflict;
use crate::workflow::resolved::OutputRule;
use crate::workflow::resolved::SourceRule;
use crate::workflow::selector::DEFAULT_EXTENSIONS;
use crate::workflow::selector::within_prefix;
use std::collections::BTreeSet;

/// What was found so far.
#[derive(Default)]
pub(super) struct Problems(pub(super) Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, wrong: Wrong) {
        self.0.push(Problem { node: None, wrong });
    }

    pub(super) fn at(&mut self, path: &str, why: impl Into<String>) {
        self.add(Wrong::at(path, why));
    }
}

/// The rule that `[source]` means.
pub(super) fn source(problems: &mut Problems, section: Option<&SourceSection>) -> SourceRule {
    let Some(section) = section else {
        problems.at(
            "source",
            "is missing: write [source] with storage = \"NAME\", \"*\", or library = true",
        );
        return source(&mut Problems::default(), Some(&SourceSection::default()));
    };
    if section.library {
        if section.storage.is_some() || !section.prefix.is_empty() {
            problems.at("source.library", "goes without storage and prefix");
        }
        if section.trigger.is_some() {
            problems.at(
                "source.trigger",
                "media of the library are started by hand; leave trigger out",
            );
        }
    } else if section.storage.is_none() {
        problems.at(
            "source.storage",
            "is missing: the name of a storage, \"*\" for any, or library = true instead",
        );
    }
    prefix(problems, "source.prefix", &section.prefix);
    let automatic = !section.library && section.trigger != Some(TriggerMode::Manual);
    let after = after(problems, section, automatic);
    SourceRule {
        storage: section.storage.clone().filter(|name| name != "*"),
        library: section.library,
        prefix: section.prefix.trim_start_matches('/').to_owned(),
        automatic,
        extensions: extensions(problems, section.extensions.as_deref()),
        process_existing: section.existing == Existing::Process,
        after,
    }
}

fn prefix(problems: &mut Problems, path: &str, prefix: &str) {
    if !prefix.is_empty() && !prefix.ends_with('/') {
        problems.at(
            path,
            format!("{prefix:?} must be empty (the whole storage) or end with a slash"),
        );
    }
    if prefix.split('/').any(|segment| segment == "." || segment == "..") {
        problems.at(path, format!("{prefix:?} has a . or .. segment"));
    }
    if prefix.trim_start_matches('/').starts_with(".reelmill/") {
        problems.at(path, "is reelmill's own staging folder");
    }
}

fn after(problems: &mut Problems, section: &SourceSection, automatic: bool) -> AfterRule {
    let text = section.after.as_deref().unwrap_or("keep");
    match text.split_once(':') {
        None if text == "keep" => AfterRule::Keep,
        None if text == "delete" => AfterRule::Delete,
        Some(("move", target)) => {
            prefix(problems, "source.after", target);
            let target = target.trim_start_matches('/');
            if target.is_empty() {
                problems.at("source.after", "move: needs a prefix, as in \"move:done/\"");
            } else if automatic && within_prefix(&section.prefix, target) {
                let why = format!(
                    "{target:?} lies under source.prefix, so a moved file would arrive again; set a prefix beside it"
                );
                problems.at("source.after", why);
            }
            AfterRule::Move(target.to_owned())
        }
        _ => {
            problems.at(
                "source.after",
                format!("{text:?} is not one of keep, move:PREFIX, delete"),
            );
            AfterRule::Keep
        }
    }
}

fn extensions(problems: &mut Problems, written: Option<&[String]>) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for word in written.unwrap_or(&["default".to_owned()]) {
        match word.as_str() {
            "default" => list.extend(DEFAULT_EXTENSIONS.map(str::to_owned)),
            "*" => list.push("*".to_owned()),
            word if word.is_empty() || word.contains(['.', '/', '*']) => {
                problems.at(
                    "source.extensions",
                    format!("{word:?} is not an extension; write it without dot, as in \"mp4\""),
                );
            }
            word => list.push(word.to_lowercase()),
        }
    }
    if written.is_some_and(<[String]>::is_empty) {
        problems.at(
            "source.extensions",
            "is empty; write [\"default\"] for media files or [\"*\"] for all",
        );
    }
    let mut seen = BTreeSet::new();
    list.retain(|word| seen.insert(word.clone()));
    list
}

/// The rule that `[output]` means.
pub(super) fn output(
    problems: &mut Problems,
    section: Option<&OutputSection>,
    source: &SourceRule,
    activities: &[Activity],
) -> OutputRule {
    let section = section.cloned().unwrap_or_default();
    let path = section.path.unwrap_or_else(|| DEFAULT_PATH.to_owned());
    if let Some(written) = &section.prefix {
        prefix(problems, "output.prefix", written);
    }
    if section.storage.as_deref() == Some("*") {
        problems.at("output.storage", "must be the name of one storage");
    }
    match PathTemplate::parse(&path) {
        Err(bad) => problems.at("output.path", bad.to_string()),
        Ok(template) => {
            if !source.library && !template.tells_sources_apart() {
                let why = "would give every source the same names; add {ObjectPrefix}{FileName}, {MediaId} or {RunId}";
                problems.at("output.path", why);
            }
            if section.on_conflict != OnConflict::Version
                && let Some((one, other)) = same_key(&template, activities)
            {
                let why = format!(
                    "gives {one} and {other} the same name; add {{Name}}, {{Activity}} or {{Group}}, or set on_conflict = \"version\""
                );
                problems.at("output.path", why);
            }
        }
    }
    OutputRule {
        storage: section.storage,
        prefix: section.prefix.map(|prefix| prefix.trim_start_matches('/').to_owned()),
        path,
        on_conflict: section.on_conflict,
    }
}

/// The rule that `[callback]` means.
pub(super) fn callback(problems: &mut Problems, section: Option<&CallbackSection>) -> CallbackRule {
    let section = section.cloned().unwrap_or_default();
    let own = section.destination.is_some() || section.url.is_some();
    if own && section.kind.is_some() {
        problems.at(
            "callback.kind",
            "goes without destination and url; also_unified = true tells the unified callback as well",
        );
    }
    if section.destination.is_some() && section.url.is_some() {
        problems.at("callback.url", "goes without destination");
    }
    if section.url.is_none() && (section.profile.is_some() || section.auth_key.is_some()) {
        problems.at("callback.url", "is missing: profile and auth_key are for a url");
    }
    if section.kind == Some(CallbackKind::None) && section.also_unified {
        problems.at("callback.also_unified", "contradicts kind = \"none\"");
    }
    if let Some(address) = &section.url {
        let valid =
            url::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !valid {
            problems.at("callback.url", format!("{address:?} is no http or https address"));
        }
    }
    CallbackRule {
        unified: section.also_unified || (!own && section.kind != Some(CallbackKind::None)),
        destination: section.destination,
        inline: section.url.map(|url| InlineDestination {
            url,
            profile: section.profile.unwrap_or_default().as_str().to_owned(),
            auth_key: section.auth_key,
        }),
        legacy_events: section.legacy_events,
    }
}
