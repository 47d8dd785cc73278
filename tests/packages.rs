//! The packages: do both hold the same files, does what a fresh installation gets fit together, and does the operators'
//! page speak the program's own words? Whether they install is `packaging/test.sh`'s question.

use reelmill::config;
use reelmill::workflow::definition::Definition;
use reelmill::workflow::resolve;
use reelmill::workflow::template::Templates;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

/// What the distributions spell differently: the name in the .deb, the name in the .rpm; empty: not there.
const DIFFERENT: [(&str, &str); 3] = [
    (
        "usr/share/zsh/vendor-completions/_reelmill",
        "usr/share/zsh/site-functions/_reelmill",
    ),
    // Debian has the text of the licence in /usr/share/common-licenses.
    ("", "usr/share/licenses/reelmill/LICENSE"),
    ("usr/share/lintian/overrides/reelmill", ""),
];

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn manifest() -> toml::Table {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("TOML");
    manifest["package"]["metadata"].as_table().expect("a table").clone()
}

fn text<'a>(value: &'a toml::Value, key: &str) -> &'a str {
    value[key].as_str().expect("a text")
}

/// Destination to (source, mode) of the .deb.
fn of_deb() -> BTreeMap<String, (String, String)> {
    let assets = manifest()["deb"]["assets"].as_array().expect("a list").clone();
    let part = |asset: &toml::Value, at: usize| asset[at].as_str().expect("a text").to_owned();
    assets
        .iter()
        .map(|asset| (part(asset, 1), (part(asset, 0), part(asset, 2))))
        .collect()
}

/// The same of the .rpm, with what it keeps at an upgrade.
fn of_rpm() -> (BTreeMap<String, (String, String)>, BTreeSet<String>) {
    let assets = manifest()["generate-rpm"]["assets"].as_array().expect("a list").clone();
    let mut files = BTreeMap::new();
    let mut kept = BTreeSet::new();
    for asset in &assets {
        let dest = text(asset, "dest").strip_prefix('/').expect("absolute").to_owned();
        if asset.get("config").is_some() {
            assert_eq!(
                text(asset, "config"),
                "noreplace",
                "{dest}: what a person changed is kept"
            );
            kept.insert(dest.clone());
        }
        files.insert(dest, (text(asset, "source").to_owned(), text(asset, "mode").to_owned()));
    }
    (files, kept)
}

#[test]
fn both_packages_hold_the_same_files() {
    let (deb, (rpm, kept)) = (of_deb(), of_rpm());
    assert!(deb.len() > 15, "{deb:?}");
    let mut expected = deb.clone();
    for (in_deb, in_rpm) in DIFFERENT {
        let moved = (!in_deb.is_empty()).then(|| expected.remove(in_deb).expect(in_deb));
        if !in_rpm.is_empty() {
            let there = rpm.get(in_rpm).expect(in_rpm).clone();
            if let Some(moved) = moved {
                assert_eq!(moved, there, "{in_deb} and {in_rpm}");
            }
            expected.insert(in_rpm.to_owned(), there);
        }
    }
    assert_eq!(expected, rpm);
    // dpkg keeps everything in /etc by itself; rpm wants to be told.
    let in_etc: BTreeSet<String> = deb.keys().filter(|dest| dest.starts_with("etc/")).cloned().collect();
    assert_eq!(kept, in_etc);
    assert!(in_etc.contains("etc/reelmill/reelmill.toml"), "{in_etc:?}");
}

#[test]
fn every_source_is_in_the_repository_or_made_by_the_build() {
    let build = read("packaging/build.sh");
    for (source, mode) in of_deb().into_values().chain(of_rpm().0.into_values()) {
        let is_program = source == "target/packages/stage/reelmill";
        assert_eq!(mode, if is_program { "755" } else { "644" }, "{source}");
        if let Some(staged) = source.strip_prefix("target/packages/stage/") {
            let first = staged.split(['/', '*']).next().expect("a name");
            let stem = first.strip_suffix(".gz").unwrap_or(first);
            assert!(build.contains(stem), "packaging/build.sh makes no {source}");
        } else {
            let folder = Path::new(&source).parent().expect("a folder");
            let is_there = if source.contains('*') {
                let end = source.rsplit('*').next().expect("an end");
                let files = std::fs::read_dir(top().join(folder)).map(|entries| {
                    let names = entries.map(|entry| entry.expect("entry").file_name());
                    names.filter(|name| name.to_string_lossy().ends_with(end)).count()
                });
                files.is_ok_and(|count| count > 0)
            } else {
                top().join(&source).is_file()
            };
            assert!(is_there, "{source} is not there");
        }
    }
}

/// The part of packaging/build.sh that writes what an rpm requires, run on a program that is there: this test.
#[test]
fn an_rpm_requires_what_its_program_needs_and_is_of_its_revision() {
    let build = read("packaging/build.sh");
    let (from, to) = ("# What an rpm requires:", "> \"$stage/rpm.toml\"\n");
    let begin = build.find(from).expect(from);
    let end = begin + build[begin..].find(to).expect(to) + to.len();
    let stage = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(
        std::env::current_exe().expect("this test"),
        stage.path().join("reelmill"),
    )
    .expect("linked");
    let wrote = std::process::Command::new("bash")
        .args(["-euo", "pipefail", "-c", &build[begin..end]])
        .env("stage", stage.path())
        .env("revision", "7")
        .env("needed", "libc.so.6\nlibgcc_s.so.1")
        .env("LC_ALL", "C")
        .status()
        .expect("bash runs");
    assert!(wrote.success());
    let written = std::fs::read_to_string(stage.path().join("rpm.toml")).expect("written");
    let written: toml::Table = written.parse().unwrap_or_else(|error| panic!("{error}:\n{written}"));
    // cargo-generate-rpm reads such a file as the table itself, without a heading before it.
    let known: Vec<&String> = written.keys().collect();
    assert_eq!(known, ["release", "requires"]);
    assert_eq!(text(&toml::Value::Table(written.clone()), "release"), "7");
    let requires = written["requires"].as_table().expect("a table");
    for name in ["/bin/sh", "systemd", "libc.so.6()(64bit)", "libgcc_s.so.1()(64bit)"] {
        assert!(requires.contains_key(name), "{name} in {requires:?}");
    }
    let versions = requires.keys().filter(|name| name.starts_with("libc.so.6(GLIBC_2."));
    assert!(versions.count() > 3, "{requires:?}");
}

/// rpm's first line, which lists show.
#[test]
fn the_summary_fits_into_a_line() {
    let summary = manifest()["generate-rpm"]["summary"]
        .as_str()
        .expect("a text")
        .to_owned();
    assert!((20..80).contains(&summary.chars().count()), "{summary}");
    assert!(!summary.ends_with('.'), "{summary}");
}

/// What a fresh installation's configuration says, as packaging/build.sh puts it together.
fn installed() -> config::resolved::Config {
    let text = read("config/reelmill.toml") + &read("packaging/installed/storages.toml");
    config::from_text(&text, Path::new("/etc/reelmill")).unwrap_or_else(|wrongs| panic!("{wrongs:?}"))
}

#[test]
fn a_fresh_installation_has_the_storages_that_its_workflows_and_folders_speak_of() {
    let config = installed();
    let made: BTreeSet<String> = read("packaging/installed/tmpfiles.conf")
        .lines()
        .filter(|line| line.starts_with("d "))
        .map(|line| line.split_whitespace().nth(1).expect("a path").to_owned())
        .collect();
    let names: Vec<String> = config.storages.iter().map(|storage| storage.name.clone()).collect();
    assert_eq!(names, ["ingest", "renditions"]);
    for name in &names {
        let path = format!("/srv/reelmill/{name}");
        assert!(
            read("packaging/installed/storages.toml").contains(&format!("path = \"{path}\"")),
            "{path}"
        );
        assert!(made.contains(&path), "{path} in {made:?}");
    }
    assert!(
        made.contains(&config.server.hooks_dir.display().to_string()),
        "{made:?}"
    );
}

fn definitions(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(top().join(folder))
        .expect(folder)
        .map(|entry| entry.expect("entry").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} is empty");
    files
}

#[test]
fn every_workflow_that_is_shipped_can_run_on_a_fresh_installation() {
    let config = installed();
    for file in ["config/workflows", "packaging/workflows"]
        .into_iter()
        .flat_map(definitions)
    {
        let text = std::fs::read_to_string(&file).expect("readable");
        let name = file.display();
        let definition = Definition::from_toml(&text).unwrap_or_else(|bad| panic!("{name}: {bad}"));
        let resolved =
            resolve::resolve(&definition, &Templates::shipped()).unwrap_or_else(|bad| panic!("{name}: {bad}"));
        let missing = config.missing_for(&resolved);
        assert!(missing.is_empty(), "{name}: {missing:?}");
    }
}

/// Every source and the reference of the configuration, strings that are continued on the next line joined.
fn words_of_the_program() -> String {
    let mut words = String::new();
    let mut waiting = vec![top().join("src")];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).expect("src is readable") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                words.push_str(&std::fs::read_to_string(&path).expect("UTF-8"));
            }
        }
    }
    words
        .split("\\\n")
        .enumerate()
        .map(|(at, piece)| if at == 0 { piece } else { piece.trim_start() })
        .collect()
}

#[test]
fn the_operators_page_speaks_the_programs_own_words() {
    let page = read("packaging/OPERATING.md");
    let words = words_of_the_program();
    let headings: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'))
        .collect();
    assert!(headings.len() > 20, "{headings:?}");
    let unknown: Vec<&&str> = headings.iter().filter(|heading| !words.contains(**heading)).collect();
    assert!(unknown.is_empty(), "no fault says {unknown:?}");
}

/// The daemon believes a proxy of its host; one that repeats what a client wrote takes the brake off log-ins.
#[test]
fn the_proxy_that_operators_are_shown_says_itself_whom_it_speaks_for() {
    let page = read("packaging/OPERATING.md");
    let shown = page.split("```nginx").nth(1).and_then(|rest| rest.split("```").next());
    let shown = shown.expect("a server of nginx");
    let set = shown.lines().find(|line| line.contains("X-Forwarded-For"));
    assert!(
        set.is_some_and(|line| line.contains("$remote_addr;")),
        "X-Forwarded-For is passed on as it came:\n{shown}"
    );
}
