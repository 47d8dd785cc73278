//! `reelmill check --unit-paths`: what the unit of the service must be told of this configuration's paths.
//!
//! The unit makes the whole system read-only but for its own directories and [`OPEN`], and hides homes and other programs'
//! temporary files. Guarantees: what is printed is a drop-in of systemd, comments where there is nothing to say, and the
//! same for the same configuration. Deliberately absent: writing it, and looking at what exists; a share may be away.

use crate::config::resolved::Config;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;

/// What the unit may write anyway: its own directories, and where media lie on most hosts.
const OPEN: [&str; 7] = [
    "/srv",
    "/mnt",
    "/media",
    "/var/lib/reelmill",
    "/var/cache/reelmill",
    "/var/log/reelmill",
    "/run/reelmill",
];
/// Hidden by `ProtectHome=`.
const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];
/// Hidden by `PrivateTmp=`.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];

/// Paths of a configuration by what the unit must be told of them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    /// To be written, somewhere that is read-only otherwise.
    writable: BTreeSet<PathBuf>,
    /// To be written, beneath homes or temporary files.
    shown: BTreeSet<PathBuf>,
    /// To be read there.
    readable: BTreeSet<PathBuf>,
    /// Cannot be told: a line would be another than it looks like.
    untold: BTreeSet<PathBuf>,
}

/// The drop-in, with a line end after each line.
pub fn drop_in(config: &Config) -> String {
    let server = &config.server;
    let folders = config.storages.iter().filter_map(|storage| storage.path());
    let roots = config.made_storages.roots.iter().map(PathBuf::as_path);
    let written = folders
        .chain(roots)
        .chain([server.state_dir.as_path(), server.scratch_dir.as_path()]);
    let mut read = vec![server.workflows_dir.as_path(), server.hooks_dir.as_path()];
    if let Some((certificate, key)) = &server.tls {
        read.extend([certificate.as_path(), key.as_path()]);
    }
    read.extend(server.hook_keys.files());
    read.extend(config.destination_files.iter().map(PathBuf::as_path));
    let told = sort(written, read.into_iter());
    text(&told)
}

fn sort<'a>(written: impl Iterator<Item = &'a Path>, read: impl Iterator<Item = &'a Path>) -> Told {
    let beneath = |path: &Path, places: &[&str]| places.iter().any(|place| path.starts_with(place));
    let mut told = Told::default();
    let hidden = |path: &Path| beneath(path, &HOMES) || beneath(path, &TEMPORARY);
    for path in written {
        let list = match path {
            _ if quoted(path).is_none() => &mut told.untold,
            _ if hidden(path) && has_colon(path) => &mut told.untold,
            _ if hidden(path) => &mut told.shown,
            _ if beneath(path, &OPEN) => continue,
            _ => &mut told.writable,
        };
        list.insert(path.to_owned());
    }
    for path in read.filter(|path| hidden(path)) {
        let list = match quoted(path) {
            Some(_) if !has_colon(path) => &mut told.readable,
            _ => &mut told.untold,
        };
        list.insert(path.to_owned());
    }
    told
}

/// A colon divides source and target of a bind.
fn has_colon(path: &Path) -> bool {
    path.as_os_str().as_bytes().contains(&b':')
}

fn text(told: &Told) -> String {
    let mut text = "# What the unit must be told of the paths in the configuration, by `reelmill check --unit-paths`.\n\
        # Keep it as /etc/systemd/system/reelmill.service.d/paths.conf, then: systemctl daemon-reload; systemctl restart reelmill\n"
        .to_owned();
    for path in &told.untold {
        let _ = writeln!(
            text,
            "# {:?} cannot be told to systemd: its name holds a colon or a control character, or is not UTF-8. Mount or link it elsewhere.",
            path.display().to_string()
        );
    }
    if told.writable.is_empty() && told.shown.is_empty() && told.readable.is_empty() {
        text.push_str("# Nothing: every path lies where the unit may write already.\n");
        return text;
    }
    text.push_str("[Service]\n");
    list(
        &mut text,
        "Outside of /srv, /mnt and /media.",
        "ReadWritePaths",
        &told.writable,
    );
    let mut hidden = told.shown.iter().chain(&told.readable);
    if hidden.any(|path| HOMES.iter().any(|home| path.starts_with(home))) {
        text.push_str("# Homes are empty but for what stands below, instead of closed.\nProtectHome=tmpfs\n");
    }
    list(&mut text, "Hidden otherwise, and written.", "BindPaths", &told.shown);
    list(
        &mut text,
        "Hidden otherwise, and read.",
        "BindReadOnlyPaths",
        &told.readable,
    );
    text
}

/// A line a path. With a minus: a share that is away freezes its storage, and must not keep the service from starting.
fn list(text: &mut String, why: &str, key: &str, paths: &BTreeSet<PathBuf>) {
    if !paths.is_empty() {
        let _ = writeln!(text, "# {why}");
    }
    for path in paths.iter().filter_map(|path| quoted(path)) {
        let _ = writeln!(text, "{key}={path}");
    }
}

/// A path as the value of a unit's key, not minded when it is missing; none: it cannot be written there.
fn quoted(path: &Path) -> Option<String> {
    let plain = std::str::from_utf8(path.as_os_str().as_bytes()).ok()?;
    if plain.chars().any(char::is_control) {
        return None;
    }
    let mut quoted = String::from("\"-");
    for char in plain.chars() {
        match char {
            // A specifier otherwise.
            '%' => quoted.push_str("%%"),
            '"' | '\\' => quoted.extend(['\\', char]),
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    Some(quoted)
}

#[cfg(test)]
mod tests {
    use super::drop_in;
    use super::quoted;
    use std::path::Path;

    fn of(toml: &str) -> String {
        let config = crate::config::from_text(toml, Path::new("/etc/reelmill")).expect("understood");
        drop_in(&config)
    }

    fn lines(text: &str) -> Vec<&str> {
        text.lines().filter(|line| !line.starts_with('#')).collect()
    }

    #[test]
    fn paths_that_the_unit_may_write_anyway_need_no_line() {
        let said =
            of("[[storage]]\nname = \"a\"\npath = \"/mnt/nas/in\"\n[[storage]]\nname = \"b\"\npath = \"/srv/out\"");
        assert!(lines(&said).is_empty(), "{said}");
        assert!(said.contains("# Nothing:"), "{said}");
        let beside = of("[[storage]]\nname = \"a\"\npath = \"/mntx/in\"");
        assert_eq!(lines(&beside), ["[Service]", "ReadWritePaths=\"-/mntx/in\""]);
    }

    #[test]
    fn what_lies_elsewhere_is_told_by_where_it_lies() {
        let said = of(
            "[server]\nscratch_dir = \"/fast/scratch\"\ntls_cert = \"/home/ops/a.pem\"\ntls_key = \"/home/ops/a.key\"\n\
            [[storage]]\nname = \"a\"\npath = \"/volume1/50% \\\"new\\\"\"\n\
            [[storage]]\nname = \"b\"\npath = \"/home/studio/in\"",
        );
        assert_eq!(
            lines(&said),
            [
                "[Service]",
                "ReadWritePaths=\"-/fast/scratch\"",
                "ReadWritePaths=\"-/volume1/50%% \\\"new\\\"\"",
                "ProtectHome=tmpfs",
                "BindPaths=\"-/home/studio/in\"",
                "BindReadOnlyPaths=\"-/home/ops/a.key\"",
                "BindReadOnlyPaths=\"-/home/ops/a.pem\"",
            ]
        );
    }

    #[test]
    fn a_name_that_would_make_another_line_is_not_written() {
        assert_eq!(quoted(Path::new("/a\nExecStart=/bin/sh")), None);
        assert_eq!(quoted(Path::new("/a b")).as_deref(), Some("\"-/a b\""));
    }
}
