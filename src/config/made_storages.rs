//! Storages that are made while the program runs: the same rules as for those of the file, and where they may lie.
//!
//! Guarantees: a folder lies beneath one of `security.storage_roots`, links followed, each time it is looked at; what
//! clashes with the configuration, or with one made before it, is refused by itself and costs no other its place.
//! Deliberately absent: keeping them, and starting anything.

use crate::base::reader;
use crate::base::reader::Wrong;
use crate::config::file::SecuritySection;
use crate::config::layout;
use crate::config::layout::Nested;
use crate::config::resolved::Config;
use crate::config::resolved::Findings;
use crate::config::storage;
use crate::config::storage::Given;
use crate::config::storage::Storage;
use crate::config::storage_section::StorageSection;
use crate::workflow::name_rule::is_name;
use crate::workflow::storage::Definition;
use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;

/// Where storages may be made while the program runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StorageGround {
    /// Folders beneath which they may lie.
    pub roots: Vec<PathBuf>,
    /// Buckets may be served by this very host.
    pub local_buckets: bool,
}

/// Storages as they lie among each other.
#[derive(Debug, Default)]
pub struct Joined {
    /// Those of the configuration, then those made that can be used.
    pub storages: Vec<Storage>,
    /// Which of them lie within others.
    pub nested: Vec<Nested>,
    /// Those made that cannot, with everything that is wrong.
    pub broken: Vec<(String, Vec<Wrong>)>,
}

/// What the configuration says of them.
pub(super) fn ground(findings: &mut Findings, section: &SecuritySection, folder: &Path) -> StorageGround {
    let mut roots = Vec::new();
    for (at, written) in section.storage_roots.iter().enumerate() {
        let root = folder.join(written);
        if written.is_empty() || root == Path::new("/") {
            findings.error(
                format!("security.storage_roots[{at}]"),
                format!("{written:?} would open the whole host; name the folders of media"),
            );
            continue;
        }
        roots.push(root);
    }
    StorageGround {
        roots,
        local_buckets: section.allow_local_buckets,
    }
}

/// The storages of `config`, and those of `made` that can be used beside them. Asks the file system, for a few seconds
/// at most.
pub fn join(config: &Config, made: &[Definition]) -> Joined {
    let mut joined = Joined::default();
    let mut storages = config.storages.clone();
    for definition in made {
        match alone(config, definition) {
            Ok(storage) => storages.push(storage),
            Err(problems) => joined.broken.push((definition.name.clone(), problems)),
        }
    }
    let ground = &config.made_storages;
    let (storages, nested, refused) = layout::place(&config.server, storages, config.storages.len(), &ground.roots);
    joined.broken.extend(refused);
    joined.nested = nested;
    joined.storages = storages;
    joined
}

/// One of them by itself.
fn alone(config: &Config, definition: &Definition) -> Result<Storage, Vec<Wrong>> {
    let mut findings = Findings::default();
    if !is_name(&definition.name, 128) {
        findings.error(
            "name",
            format!(
                "{:?} is not a name of 1 to 128 letters, digits, - and _",
                definition.name
            ),
        );
    }
    if config.storage(&definition.name).is_some() {
        findings.error(
            "name",
            format!(
                "{:?} stands in the configuration file; choose another name",
                definition.name
            ),
        );
    }
    if definition.kind() == "folder" {
        if !Path::new(&definition.path).is_absolute() {
            findings.error("path", format!("{:?} is not absolute", definition.path));
        }
        for (key, set) in [
            ("access_key", definition.access_key.is_some()),
            ("secret_key", definition.secret_key.is_some()),
            ("session_token", definition.session_token.is_some()),
            ("credentials", definition.credentials.is_some()),
            ("tls_ca", definition.tls_ca.is_some()),
            ("notify_secret", definition.notify_secret.is_some()),
        ] {
            if set {
                findings.error(key, "is for storages of kind \"s3\"");
            }
        }
    }
    let section = section(definition).map_err(|wrong| vec![wrong])?;
    let given = Given {
        access_key: definition.access_key.clone().unwrap_or_default(),
        secret_key: definition.secret_key.clone().unwrap_or_default(),
        session_token: definition.session_token.clone(),
        tls_ca: definition.tls_ca.clone().unwrap_or_default(),
        notify_secret: definition.notify_secret.clone(),
        may_be_local: config.made_storages.local_buckets,
    };
    // Paths of what is wrong begin at the definition itself.
    let storage = storage::resolve_with(&mut findings, "", &section, Path::new("/"), Some(given));
    let bare = |wrong: Wrong| Wrong {
        path: wrong.path.trim_start_matches('.').to_owned(),
        ..wrong
    };
    match (storage, findings.errors.is_empty()) {
        (Some(storage), true) => Ok(storage),
        _ => Err(findings.errors.into_iter().map(bare).collect()),
    }
}

/// The section that a definition stands for, without what was given instead of files.
fn section(definition: &Definition) -> Result<StorageSection, Wrong> {
    let (shown, _) = definition.shown();
    let mut tree = serde_json::to_value(&shown).map_err(|error| Wrong::at("", error.to_string()))?;
    if let Value::Object(fields) = &mut tree {
        fields.remove("tls_ca");
        match fields.get("credentials").and_then(Value::as_str) {
            Some("given" | "") => {
                fields.remove("credentials");
            }
            Some("files") => {
                return Err(Wrong::at(
                    "credentials",
                    "\"files\" is for the configuration file; here keys are \"given\", or come from the \"environment\" or the \"instance\"",
                ));
            }
            _ => {}
        }
    }
    reader::from_tree(&tree)
}

#[cfg(test)]
mod tests {
    use super::Joined;
    use super::join;
    use crate::config::from_text;
    use crate::config::resolved::Config;
    use crate::workflow::storage::Definition;
    use std::path::Path;

    fn config(folder: &Path) -> Config {
        for name in ["state", "media/scratch", "media/ingest", "elsewhere"] {
            std::fs::create_dir_all(folder.join(name)).expect("made");
        }
        let text = "[server]\nstate_dir = \"state\"\nscratch_dir = \"media/scratch\"\n[security]\nstorage_roots = [\"media\"]\n\
                    [[storage]]\nname = \"ingest\"\npath = \"media/ingest\"\n";
        from_text(text, folder).expect("right")
    }

    fn folder_of(name: &str, path: &Path) -> Definition {
        Definition {
            name: name.to_owned(),
            path: path.display().to_string(),
            ..Definition::default()
        }
    }

    fn bucket_of(endpoint: &str) -> Definition {
        Definition {
            name: "archive".to_owned(),
            kind: "s3".to_owned(),
            endpoint: Some(endpoint.to_owned()),
            bucket: Some("archive".to_owned()),
            path_style: Some(true),
            access_key: Some("AK".into()),
            secret_key: Some("hunter2".into()),
            ..Definition::default()
        }
    }

    fn why(joined: &Joined) -> String {
        let lines = joined.broken.iter().flat_map(|(_, problems)| problems);
        lines.map(|wrong| format!("{}: {}\n", wrong.path, wrong.why)).collect()
    }

    #[test]
    fn folders_lie_beneath_a_root_also_when_links_are_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("there");
        let config = config(&root);
        std::fs::create_dir(root.join("media/new")).expect("made");
        std::os::unix::fs::symlink(root.join("elsewhere"), root.join("media/link")).expect("made");
        let right = join(&config, &[folder_of("new", &root.join("media/new"))]);
        assert_eq!((right.storages.len(), right.broken.len()), (2, 0), "{}", why(&right));
        for (path, expected) in [
            ("elsewhere", "storage_roots"),
            ("media/link", "storage_roots"),
            ("media/new/../../elsewhere", "storage_roots"),
            ("media/ingest", "already"),
            ("state", "storage_roots"),
            ("media/scratch", "server.scratch_dir"),
        ] {
            let refused = join(&config, &[folder_of("new", &root.join(path))]);
            assert!(why(&refused).contains(expected), "{path}: {}", why(&refused));
            assert_eq!(refused.storages.len(), 1, "{path}");
        }
    }

    #[test]
    fn one_within_another_belongs_to_itself_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("there");
        let config = config(&root);
        std::fs::create_dir(root.join("media/ingest/deep")).expect("made");
        let joined = join(&config, &[folder_of("deep", &root.join("media/ingest/deep"))]);
        assert_eq!(joined.storages[0].others_within, [Path::new("deep")]);
        assert!(config.storages[0].others_within.is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_by_the_keys_of_the_definition() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = config(folder.path());
        let told = |definition: Definition| why(&join(&config, &[definition]));
        assert!(told(bucket_of("https://s3.example")).is_empty());
        for local in ["http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000"] {
            assert!(told(bucket_of(local)).contains("allow_local_buckets"), "{local}");
        }
        assert!(told(bucket_of("http://169.254.169.254")).contains("endpoint: it is"));
        let keyless = Definition {
            secret_key: None,
            ..bucket_of("https://s3.example")
        };
        assert!(told(keyless).starts_with("secret_key: is missing"));
        let of_files = Definition {
            credentials: Some("files".to_owned()),
            ..bucket_of("https://s3.example")
        };
        assert!(told(of_files).starts_with("credentials: "));
        let unknown = Definition {
            watch: Some("sometimes".to_owned()),
            ..bucket_of("https://s3.example")
        };
        assert!(told(unknown).starts_with("watch: "));
        let named = Definition {
            name: "ingest".to_owned(),
            ..bucket_of("https://s3.example")
        };
        assert!(told(named).contains("configuration file"));
    }
}
