//! The rules of `src/README.md` as a test: who may use whom, who may name which crate, and that every file says what
//! it is for. The compiler does not hold these inside one crate, so this does.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

/// What one module may use: a whole module, or parts of it.
#[derive(Debug, Default)]
struct Allowed {
    all: bool,
    whole: BTreeSet<String>,
    parts: BTreeMap<String, BTreeSet<String>>,
}

fn source_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every `.rs` file beneath `src`, with its path relative to it.
fn sources() -> Vec<(String, String)> {
    let root = source_root();
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("src is readable") {
            let path = entry.expect("src is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path
                    .strip_prefix(&root)
                    .expect("beneath src")
                    .to_string_lossy()
                    .into_owned();
                files.push((relative, std::fs::read_to_string(&path).expect("sources are UTF-8")));
            }
        }
    }
    files.sort();
    assert!(files.len() > 20, "the scan must see the sources");
    files
}

/// The code of a file: comments and string contents removed, so that prose cannot break a rule.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    for line in text.lines() {
        let line = line.trim_start();
        if line.starts_with("//") {
            continue;
        }
        let line = line.split(" // ").next().unwrap_or(line);
        let mut inside = false;
        let mut escaped = false;
        for character in line.chars() {
            match character {
                '"' if !escaped => inside = !inside,
                _ if !inside => code.push(character),
                _ => {}
            }
            escaped = character == '\\' && !escaped;
        }
        code.push('\n');
    }
    code
}

fn table() -> BTreeMap<String, Allowed> {
    let page = std::fs::read_to_string(source_root().join("README.md")).expect("src/README.md exists");
    let layers = page
        .split("## Layers")
        .nth(1)
        .expect("the page has its table")
        .split("\n## ")
        .next()
        .expect("text");
    let mut table = BTreeMap::new();
    for row in layers.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        if cells.len() < 4 || cells[1] == "module" {
            continue;
        }
        table.insert(cells[1].to_owned(), allowed(cells[2]));
    }
    assert!(table.len() >= 15, "the table of src/README.md was not read: {table:?}");
    table
}

fn allowed(cell: &str) -> Allowed {
    let mut allowed = Allowed {
        all: cell == "all",
        ..Allowed::default()
    };
    let mut rest = cell;
    while !rest.is_empty() && rest != "-" && rest != "all" {
        let end = match (rest.find('{'), rest.find(',')) {
            (Some(brace), Some(comma)) if brace < comma => rest.find('}').map_or(rest.len(), |close| close + 1),
            (Some(_), None) => rest.len(),
            (_, Some(comma)) => comma,
            (None, None) => rest.len(),
        };
        let item = rest[..end].trim();
        match item.split_once("::") {
            None => {
                allowed.whole.insert(item.to_owned());
            }
            Some((module, parts)) => {
                let parts = parts
                    .trim_matches(|c| c == '{' || c == '}')
                    .split(',')
                    .map(|part| part.trim().to_owned());
                allowed.parts.entry(module.to_owned()).or_default().extend(parts);
            }
        }
        rest = rest[end..].trim_start_matches(|c: char| c == ',' || c.is_whitespace());
    }
    allowed
}

/// `crate::a::b` in code, as (a, b).
fn uses(code: &str) -> Vec<(String, String)> {
    code.match_indices("crate::")
        .filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$'))
        .map(|(at, found)| {
            let mut path = code[at + found.len()..].split("::").map(|part| {
                part.chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect::<String>()
            });
            (path.next().unwrap_or_default(), path.next().unwrap_or_default())
        })
        .collect()
}

#[test]
fn modules_use_only_what_the_map_allows() {
    let table = table();
    let mut broken = Vec::new();
    for (file, text) in sources() {
        let module = file.split(['/', '.']).next().expect("a name");
        if module == "lib" {
            continue;
        }
        let Some(rule) = table.get(module) else {
            broken.push(format!(
                "{file}: module `{module}` has no row in the table of src/README.md"
            ));
            continue;
        };
        for (used, part) in uses(&code_of(&text)) {
            let own = used == module || matches!(used.as_str(), "base" | "telemetry");
            let in_part = rule.parts.get(&used).is_some_and(|parts| parts.contains(&part));
            if !(own || rule.all || rule.whole.contains(&used) || in_part) {
                broken.push(format!("{file}: `{module}` may not use `crate::{used}::{part}`"));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "the layers of src/README.md are broken:\n{}",
        broken.join("\n")
    );
}

#[test]
fn outside_crates_are_named_only_where_they_belong() {
    let homes: [(&str, &[&str]); 15] = [
        ("lapin", &["callback/queue/"]),
        ("async_nats", &["callback/queue/"]),
        ("rumqttc", &["callback/queue/"]),
        ("redis::", &["callback/queue/"]),
        ("rusqlite", &["store/"]),
        ("axum", &["web/"]),
        (
            "reqwest",
            &[
                "base/http_client.rs",
                "callback/",
                "cli/client.rs",
                "executor/hook",
                "executor/pull",
                "objects/s3/",
            ],
        ),
        ("ffmpeg_the_third", &["media/av/"]),
        ("notify::", &["trigger/"]),
        ("seccompiler", &["worker/sandbox"]),
        ("landlock", &["worker/sandbox"]),
        ("cudarc", &["media/cuda/"]),
        ("nvidia_video_codec_sdk", &["media/cuda/"]),
        ("nvml_wrapper", &["telemetry/device_meters.rs"]),
        ("unsafe {", &["media/av/", "media/cuda/", "media/vmaf/"]),
    ];
    let mut broken = Vec::new();
    for (file, text) in sources() {
        let code = code_of(&text);
        for (name, allowed) in homes {
            let named = code.match_indices(name).any(|(at, _)| {
                !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '.')
            });
            if named && !allowed.iter().any(|home| file.starts_with(home)) {
                broken.push(format!("{file}: `{name}` belongs in {allowed:?}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn media_knows_neither_async_nor_sql() {
    for (file, text) in sources().into_iter().filter(|(file, _)| file.starts_with("media/")) {
        let code = code_of(&text);
        for word in ["tokio", "rusqlite", "axum", "reqwest", "async fn"] {
            assert!(!code.contains(word), "{file} names `{word}`");
        }
    }
}

#[test]
fn every_file_opens_by_saying_what_it_is_for() {
    for (file, text) in sources() {
        assert!(
            text.starts_with("//!") || text.starts_with("#![doc"),
            "{file} must open with `//!`: what it is for, what it guarantees, what it deliberately lacks"
        );
    }
}

#[test]
fn no_drawer_has_been_opened() {
    for (file, _) in sources() {
        for part in file.trim_end_matches(".rs").split('/') {
            assert!(
                ![
                    "util", "utils", "common", "helpers", "helper", "manager", "misc", "types"
                ]
                .contains(&part),
                "{file}: name the noun"
            );
        }
    }
}

#[test]
fn paths_are_written_so_that_the_scan_is_exact() {
    for (file, text) in sources() {
        let code = code_of(&text);
        assert!(!code.contains("use crate::{"), "{file}: one path per `use` line");
        assert!(!code.contains("super::super"), "{file}: write the path from `crate::`");
    }
}
