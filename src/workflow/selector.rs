//! Whether a workflow runs on an arrived object, and if not, why not.
//!
//! The rules are those of the clouds: the object's storage, a key prefix, an extension list in which a key without
//! extension passes, and an automatic trigger. Guarantees: pure; every refusal is a sentence that an operator can
//! act on. Deliberately absent: whether the workflow is enabled (the caller asks only enabled ones), own outputs
//! and old objects, which the ledger of arrivals knows.

use crate::objects::likeness::nfc;
use crate::objects::uri::key_text;
use crate::workflow::resolved::ResolvedWorkflow;

/// What `extensions = ["default"]` stands for: the media extensions that IMS triggers on.
pub const DEFAULT_EXTENSIONS: [&str; 43] = [
    "3gp", "asf", "avi", "dat", "dv", "flv", "f4v", "gif", "m2t", "m3u8", "m4v", "mj2", "mjpeg", "mkv", "mov", "mp4",
    "mpe", "mpg", "mpeg", "mts", "ogg", "qt", "rm", "rmvb", "swf", "ts", "vob", "wmv", "webm", "aac", "ac3", "acm",
    "amr", "ape", "caf", "flac", "m4a", "mp3", "ra", "wav", "wma", "aiff", "m2ts",
];

/// What the rules look at.
#[derive(Debug, Clone, Copy)]
pub struct ArrivalFacts<'a> {
    /// Name of the storage.
    pub storage: &'a str,
    /// Key in its text form.
    pub key: &'a str,
}

/// Why a workflow does not run on an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhyNot {
    /// It takes media of the library only.
    #[error("workflow {workflow} takes media of the library, not objects that arrive in a storage")]
    Library {
        /// Name of the workflow.
        workflow: String,
    },
    /// It is started by hand.
    #[error("workflow {workflow} has trigger = \"manual\", so objects start it only by hand")]
    Manual {
        /// Name of the workflow.
        workflow: String,
    },
    /// It watches another storage.
    #[error("workflow {workflow} watches storage {wanted}, and this object is in {found}")]
    Storage {
        /// Name of the workflow.
        workflow: String,
        /// Storage of its source.
        wanted: String,
        /// Storage of the object.
        found: String,
    },
    /// The key begins with something else.
    #[error("workflow {workflow} takes keys that begin with {prefix:?}, and this one does not")]
    Prefix {
        /// Name of the workflow.
        workflow: String,
        /// Prefix of its source.
        prefix: String,
    },
    /// The extension is not on the list.
    #[error("workflow {workflow} does not take files with the extension .{extension}; its list is source.extensions")]
    Extension {
        /// Name of the workflow.
        workflow: String,
        /// Extension of the object, lower case.
        extension: String,
    },
}

/// Whether `workflow` runs by itself on the object.
///
/// # Errors
/// The first rule that does not hold.
pub fn select(workflow: &ResolvedWorkflow, arrival: &ArrivalFacts<'_>) -> Result<(), WhyNot> {
    let name = || workflow.name.clone();
    let source = &workflow.source;
    if source.library {
        return Err(WhyNot::Library { workflow: name() });
    }
    if let Some(wanted) = source.storage.as_deref().filter(|wanted| *wanted != arrival.storage) {
        return Err(WhyNot::Storage {
            workflow: name(),
            wanted: wanted.to_owned(),
            found: arrival.storage.to_owned(),
        });
    }
    if !within_prefix(&source.prefix, arrival.key) {
        return Err(WhyNot::Prefix {
            workflow: name(),
            prefix: source.prefix.clone(),
        });
    }
    if let Some(extension) = extension_of(arrival.key)
        && !source
            .extensions
            .iter()
            .any(|taken| taken == "*" || *taken == extension)
    {
        return Err(WhyNot::Extension {
            workflow: name(),
            extension,
        });
    }
    if !source.automatic {
        return Err(WhyNot::Manual { workflow: name() });
    }
    Ok(())
}

/// Whether a key (in text form) begins with a prefix as written in a definition: plain text, so a `%` in it means itself.
/// It does not count how accents are composed.
pub fn within_prefix(prefix: &str, key: &str) -> bool {
    if prefix.is_empty() {
        return true;
    }
    let prefix = key_text(prefix.trim_start_matches('/').as_bytes());
    key.starts_with(&prefix) || nfc(key).starts_with(&*nfc(&prefix))
}

/// Extension of a key, lower case and without its dot; none for names without one.
pub fn extension_of(key: &str) -> Option<String> {
    let name = key.rsplit('/').next().unwrap_or(key);
    let (stem, extension) = name.rsplit_once('.')?;
    (!stem.is_empty() && !extension.is_empty()).then(|| extension.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::ArrivalFacts;
    use super::DEFAULT_EXTENSIONS;
    use super::WhyNot;
    use super::extension_of;
    use super::select;
    use crate::workflow::resolved::AfterRule;
    use crate::workflow::resolved::CallbackRule;
    use crate::workflow::resolved::OnConflict;
    use crate::workflow::resolved::OutputRule;
    use crate::workflow::resolved::ResolvedWorkflow;
    use crate::workflow::resolved::SourceRule;
    use crate::workflow::resolved::SuccessRule;

    fn workflow(prefix: &str, extensions: &[&str]) -> ResolvedWorkflow {
        ResolvedWorkflow {
            name: "w".to_owned(),
            description: String::new(),
            source: SourceRule {
                storage: Some("ingest".to_owned()),
                library: false,
                prefix: prefix.to_owned(),
                automatic: true,
                extensions: extensions.iter().map(|word| (*word).to_owned()).collect(),
                process_existing: false,
                after: AfterRule::Keep,
            },
            output: OutputRule {
                storage: None,
                prefix: None,
                path: "{FileName}/{Name}{Ext}".to_owned(),
                on_conflict: OnConflict::Version,
            },
            callback: CallbackRule {
                unified: true,
                ..CallbackRule::default()
            },
            success: SuccessRule::All,
            activities: Vec::new(),
        }
    }

    fn key(key: &str) -> ArrivalFacts<'_> {
        ArrivalFacts { storage: "ingest", key }
    }

    #[test]
    fn prefixes_are_those_of_the_key_not_of_any_folder_in_it() {
        let in_b = workflow("A/B/", &DEFAULT_EXTENSIONS);
        assert_eq!(select(&in_b, &key("A/B/C/test1.flv")), Ok(()));
        for other in ["A/B2/test1.flv", "A2/B/C/test1.flv", "X/A/B/test1.flv", "A/B"] {
            assert!(
                matches!(select(&in_b, &key(other)), Err(WhyNot::Prefix { .. })),
                "{other}"
            );
        }
        // The clouds write a leading slash; keys have none.
        assert_eq!(select(&workflow("/A/", &["*"]), &key("A/x.mp4")), Ok(()));
    }

    #[test]
    fn accents_of_a_prefix_count_however_they_are_composed() {
        let composed = workflow("caf\u{e9}/", &["*"]);
        assert_eq!(select(&composed, &key("cafe\u{301}/x.mp4")), Ok(()));
        assert!(select(&composed, &key("cafe/x.mp4")).is_err());
    }

    #[test]
    fn a_percent_sign_in_a_prefix_means_itself() {
        let odd = workflow("100%E9/", &["*"]);
        assert_eq!(select(&odd, &key("100%25E9/x.mp4")), Ok(()));
        assert!(select(&odd, &key("100%E9/x.mp4")).is_err());
    }

    #[test]
    fn the_default_list_takes_media_and_names_without_extension() {
        let any = workflow("", &DEFAULT_EXTENSIONS);
        for taken in ["clip.MP4", "clip.ts", "tape 7", "a.b/noext", "odd.", "\u{4f60}.mov"] {
            assert_eq!(select(&any, &key(taken)), Ok(()), "{taken}");
        }
        let why = select(&any, &key("notes.TXT")).expect_err("text is not media");
        assert!(why.to_string().contains(".txt"), "{why}");
        assert_eq!(select(&workflow("", &["*"]), &key("notes.txt")), Ok(()));
        assert_eq!(extension_of(".hidden"), None);
    }

    #[test]
    fn storage_and_mode_are_told_apart() {
        let mut by_hand = workflow("", &["*"]);
        by_hand.source.automatic = false;
        assert!(matches!(select(&by_hand, &key("a.mp4")), Err(WhyNot::Manual { .. })));
        let elsewhere = ArrivalFacts {
            storage: "b",
            key: "a.mp4",
        };
        assert!(matches!(select(&by_hand, &elsewhere), Err(WhyNot::Storage { .. })));
        by_hand.source.storage = None;
        by_hand.source.automatic = true;
        assert_eq!(select(&by_hand, &elsewhere), Ok(()));
    }
}
