//! The sample is the reference, and slips do not pass.

use super::file::File;
use super::from_text;
use super::load;
use crate::base::reader;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

const SAMPLE: &str = include_str!("../../config/reelmill.toml");

/// The sample with its commented examples made real.
fn with_examples() -> String {
    let example = |line: &str| -> Option<String> {
        let rest = line.strip_prefix("# ")?;
        let key = rest.split(" = ").next()?;
        let is_key = rest.contains(" = ") && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        (is_key || rest.starts_with("[[")).then(|| rest.to_owned())
    };
    SAMPLE
        .lines()
        .map(|line| example(line).unwrap_or_else(|| line.to_owned()))
        .collect::<Vec<_>>()
        .join("\n")
}

fn keys(tree: &Value) -> BTreeSet<String> {
    tree.as_object().expect("a table").keys().cloned().collect()
}

#[test]
fn the_sample_shows_every_key_with_its_default() {
    let sample = reader::tree_of_toml(SAMPLE).expect("the sample is TOML");
    let defaults = serde_json::to_value(File::default()).expect("serialises");
    assert_eq!(sample, defaults);
}

#[test]
fn the_examples_of_the_sample_show_every_key_with_its_default() {
    let text = with_examples();
    let shown = reader::tree_of_toml(&text).expect("the examples are TOML");
    let folder = "[[storage]]\nname = \"ingest\"\npath = \"/mnt/nas/ingest\"\n";
    let bucket = "[[storage]]\nname = \"archive\"\nkind = \"s3\"\nendpoint = \"https://s3.studio.example\"\n\
        bucket = \"archive\"\naccess_key_file = \"/etc/reelmill/archive.access\"\n\
        secret_key_file = \"/etc/reelmill/archive.secret\"\n";
    let mam = "[[destination]]\nname = \"mam\"\nurl = \"http://mam.local/hook\"\n";
    // The two kinds of storage share one section and show their keys together.
    for (noun, examples) in [("storage", vec![folder, bucket]), ("destination", vec![mam])] {
        let mut seen = BTreeSet::new();
        let mut all = BTreeSet::new();
        for (at, least) in examples.into_iter().enumerate() {
            let least: File = reader::from_toml(least).expect("what is required");
            let least = serde_json::to_value(least).expect("serialises");
            all.extend(keys(&least[noun][0]));
            for key in keys(&shown[noun][at]) {
                assert_eq!(shown[noun][at][&key], least[noun][0][&key], "{noun}[{at}].{key}");
                seen.insert(key);
            }
        }
        assert_eq!(seen, all, "{noun}");
    }
    from_text(&text, Path::new("/")).expect("the examples are right");
}

fn wrongs(text: &str) -> String {
    match from_text(text, Path::new("/base")) {
        Ok(_) => panic!("must be refused:\n{text}"),
        Err(wrongs) => wrongs.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

#[test]
fn slips_are_refused_with_line_key_and_remedy() {
    let storage = "[[storage]]\nname = \"a\"\npath = \"/nonexistent-a\"\n";
    let bucket = |extra: &str, endpoint: &str| {
        format!(
            "[[storage]]\nname = \"a\"\nkind = \"s3\"\nendpoint = \"{endpoint}\"\nbucket = \"media\"\n\
             access_key_file = \"a\"\nsecret_key_file = \"s\"\n{extra}"
        )
    };
    let cases = [
        ("[server]\nlisten = \"localhost\"\n".to_owned(), "line 2, server.listen"),
        (
            "[server]\n\nlsten = \"127.0.0.1:1\"\n".to_owned(),
            "line 3, server.lsten: unknown key \"lsten\"; did you mean \"listen\"?",
        ),
        ("[sever]\n".to_owned(), "did you mean \"server\"?"),
        ("[server]\ntls_cert = \"x\"\n".to_owned(), "server.tls_key: is missing"),
        ("[security]\nsandbox = \"of\"\n".to_owned(), "did you mean \"off\"?"),
        ("[capacity]\nthreads = \"many\"\n".to_owned(), "\"auto\" or a number"),
        (
            "[capacity]\nthreads = 0\n".to_owned(),
            "capacity.threads: 0 is out of range",
        ),
        (format!("{storage}watch = \"inotfy\"\n"), "line 4, storage[0].watch"),
        (format!("{storage}{storage}"), "\"a\" names two storages"),
        (
            format!("{storage}[[storage]]\nname = \"b\"\npath = \"/nonexistent-a\"\n"),
            "is storage[0] already",
        ),
        (
            "[[storage]]\nname = \"a\"\nkind = \"s3\"\nbucket = \"b\"\n".to_owned(),
            "storage[0].endpoint",
        ),
        (
            format!("{storage}bucket = \"b\"\n"),
            "storage[0].bucket: is for storages of kind \"s3\"",
        ),
        (bucket("", "https://127.0.0.1:9000"), "set path_style = true"),
        (bucket("", "https://media.s3.example"), "without the bucket"),
        (bucket("", "https://key:secret@s3.example"), "without keys"),
        (bucket("sse = \"AES\"\n", "https://s3.example"), "\"AES256\""),
        (
            bucket("sse_kms_key = \"k\"\n", "https://s3.example"),
            "storage[0].sse_kms_key",
        ),
        (
            bucket("watch = \"inotify\"\n", "https://s3.example"),
            "storage[0].watch",
        ),
        (bucket("retry_s = 0.0\n", "https://s3.example"), "storage[0].retry_s"),
        (
            bucket("tls_ca_file = \"none.pem\"\n", "https://s3.example"),
            "/base/none.pem",
        ),
        (format!("{storage}ready = \"marked\"\n"), "line 4, storage[0].ready"),
        (format!("{storage}file_mode = \"rw\"\n"), "no permission bits"),
        (
            format!("{storage}settle_interval_s = -1\n"),
            "settle_interval_s: -1 is out of range",
        ),
        (
            format!("[server]\nstate_dir = \"/nonexistent-a/state\"\n{storage}"),
            "lies in storage \"a\"",
        ),
        (
            format!("[server]\nscratch_dir = \"/nonexistent-a\"\n{storage}"),
            "server.scratch_dir",
        ),
        (
            "[[storage]]\nname = \"root\"\npath = \"/\"\n".to_owned(),
            "the root of the host",
        ),
        (
            "[[destination]]\nname = \"d\"\nurl = \"mam.local\"\n".to_owned(),
            "no http or https",
        ),
        (
            "[[destination]]\nname = \"d\"\nkind = \"amqp\"\nqueue = \"q\"\n".to_owned(),
            "destination[0].url: a destination of kind amqp needs it",
        ),
        (
            "[[destination]]\nname = \"d\"\nkind = \"amqq\"\n".to_owned(),
            "did you mean \"amqp\"?",
        ),
        (
            "[[destination]]\nname = \"d\"\nurl = \"http://m\"\ntopic = \"t\"\n".to_owned(),
            "destination[0].topic: is for destinations of kind mqtt",
        ),
        (
            "[[destination]]\nname = \"d\"\nkind = \"storage\"\nstorage = \"none\"\nprefix = \"events\"\n".to_owned(),
            "there is no [[storage]] \"none\"",
        ),
        (
            "[[destination]]\nname = \"d\"\nurl = \"http://m\"\nprofile = \"native2\"\n".to_owned(),
            "did you mean \"native\"?",
        ),
        (
            "[[destination]]\nname = \"d\"\nurl = \"http://m\"\nauth_key_file = \"none\"\n".to_owned(),
            "cannot read /base/none",
        ),
        (
            "[callback]\ndestination = \"x\"\n".to_owned(),
            "no [[destination]] \"x\"",
        ),
    ];
    for (text, expected) in cases {
        let found = wrongs(&text);
        assert!(found.contains(expected), "{found:?} must say {expected:?}");
    }
}

#[test]
fn paths_begin_at_the_file_and_secrets_stay_secret() {
    let folder = tempfile::tempdir().expect("temp dir");
    let file = folder.path().join("reelmill.toml");
    std::fs::create_dir_all(folder.path().join("in/out")).expect("folders");
    std::fs::write(folder.path().join("key"), "hunter2\n").expect("key");
    let text = "[server]\nstate_dir = \"state\"\n[[storage]]\nname = \"in\"\npath = \"in\"\n[[storage]]\nname = \"out\"\n\
        path = \"in/out\"\nwatch = \"off\"\n[[storage]]\nname = \"gone\"\npath = \"gone\"\n\
        [[destination]]\nname = \"mam\"\nurl = \"http://mam/\"\nauth_key_file = \"key\"\nsigning_key_file = \"key\"\n\
        [callback]\nurl = \"http://other/\"\nauth_key = \"hunter2\"\n";
    std::fs::write(&file, text).expect("file");
    let config = load(&file).expect("right");
    assert_eq!(config.server.state_dir, folder.path().join("state"));
    assert_eq!(config.storages[0].others_within, [Path::new("out")]);
    assert!(config.storages[1].others_within.is_empty());
    let warnings: Vec<&str> = config.warnings.iter().map(|wrong| wrong.path.as_str()).collect();
    assert!(
        warnings.contains(&"storage[2].path"),
        "a share that is not mounted must not prevent starting: {warnings:?}"
    );
    assert_eq!(
        config.destinations[0].auth_key.as_ref().map(|key| key.expose()),
        Some("hunter2")
    );
    assert_eq!(config.unified.as_deref(), Some("unified"));
    assert_eq!(config.destinations[1].name, "unified");
    assert!(!format!("{config:?}").contains("hunter2"));
    let missing = load(&folder.path().join("none.toml")).expect_err("missing").to_string();
    assert!(missing.contains("none.toml: No such file"), "{missing}");
}

#[test]
fn a_workflow_that_names_what_is_not_there_is_told_so() {
    let config = from_text(
        "[[storage]]\nname = \"ingest\"\npath = \"/nonexistent-in\"\n",
        Path::new("/"),
    )
    .expect("right");
    let definition =
        crate::workflow::definition::Definition::from_toml(include_str!("../../config/workflows/ingest-ladder.toml"));
    let workflow = crate::workflow::resolve::resolve(
        &definition.expect("right"),
        &crate::workflow::template::Templates::shipped(),
    );
    let missing = config.missing_for(&workflow.expect("right"));
    assert_eq!(missing.len(), 1);
    assert!(
        missing[0].to_string().contains("no storage \"renditions\""),
        "{missing:?}"
    );
}
