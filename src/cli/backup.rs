//! `reelmill backup`: the daemon writes a whole and consistent copy of its database while it works.
//!
//! Guarantees: the copy is complete or absent; an existing file is never replaced; with `--keep` only files that were named
//! by `--into` are removed, the oldest first, and none before the new one is complete. Deliberately absent: the media.

use crate::base::clock::UtcMs;
use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::outcome::BadUsage;
use crate::cli::remote::Remote;
use crate::cli::table;
use anyhow::Context as _;
use serde_json::json;
use std::path::Path;
use std::path::PathBuf;

/// What the names of copies begin and end with; between stands the time.
const NAME: (&str, &str) = ("reelmill-", ".db");

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the copy goes; a path on the daemon's host that the daemon may write.
    #[arg(required_unless_present = "into", conflicts_with = "into")]
    pub file: Option<PathBuf>,
    /// A folder for copies instead: this one is named reelmill-TIME.db.
    #[arg(long, value_name = "FOLDER")]
    pub into: Option<PathBuf>,
    /// Keep so many copies in that folder, the newest; remove the others.
    #[arg(long, value_name = "COUNT", requires = "into", value_parser = clap::value_parser!(u32).range(1..))]
    pub keep: Option<u32>,
    #[command(flatten)]
    remote: Remote,
}

/// Carries it out.
///
/// # Errors
/// The daemon refused or did not answer, or an old copy could not be removed.
pub fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let file = match (&args.file, &args.into) {
        (Some(file), _) => file.clone(),
        (None, Some(folder)) => folder.join(name_at(UtcMs::now())),
        (None, None) => return Err(BadUsage("name a file, or a folder with --into".to_owned()).into()),
    };
    let file =
        std::path::absolute(&file).map_err(|error| BadUsage(format!("{} is not a path: {error}", file.display())))?;
    block_on(async {
        let made = Client::connect(&args.remote, context)?
            .post("/api/v1/system/backup", &json!({ "file": file }))
            .await?;
        let removed = match (&args.into, args.keep) {
            (Some(folder), Some(keep)) => thin_out(folder, keep as usize)?,
            _ => Vec::new(),
        };
        if args.remote.json {
            return table::print_json(&made);
        }
        println!("{} ({} bytes)", file.display(), table::cell(&made["size_bytes"]));
        for file in removed {
            println!("removed {}", file.display());
        }
        Ok(())
    })
}

/// The name of a copy, such that names sort by time.
fn name_at(now: UtcMs) -> String {
    let digits: String = now.wire().chars().filter(|char| !matches!(char, '-' | ':')).collect();
    format!("{}{digits}{}", NAME.0, NAME.1)
}

/// Removes all copies but the newest; what bears another name is nobody's here.
fn thin_out(folder: &Path, keep: usize) -> anyhow::Result<Vec<PathBuf>> {
    let read = || format!("the old copies in {} cannot be listed", folder.display());
    let mut copies = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(read)? {
        let entry = entry.with_context(read)?;
        let is_ours = entry.file_name().to_str().is_some_and(is_copy);
        if is_ours && entry.file_type().with_context(read)?.is_file() {
            copies.push(entry.path());
        }
    }
    copies.sort();
    copies.truncate(copies.len().saturating_sub(keep));
    for copy in &copies {
        std::fs::remove_file(copy).with_context(|| format!("the old copy {} cannot be removed", copy.display()))?;
    }
    Ok(copies)
}

fn is_copy(name: &str) -> bool {
    let time = name.strip_prefix(NAME.0).and_then(|rest| rest.strip_suffix(NAME.1));
    time.is_some_and(|time| {
        let shape: String = time
            .chars()
            .map(|char| if char.is_ascii_digit() { '0' } else { char })
            .collect();
        shape == "00000000T000000Z"
    })
}

#[cfg(test)]
mod tests {
    use super::is_copy;
    use super::name_at;
    use super::thin_out;
    use crate::base::clock::UtcMs;

    #[test]
    fn the_newest_copies_stay_and_what_is_not_ours_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let copies: Vec<String> = [1_000, 90_000_000, 5_000, 4_000_000_000_000]
            .map(|ms| name_at(UtcMs(ms)))
            .to_vec();
        assert!(copies.iter().all(|name| is_copy(name)), "{copies:?}");
        for name in copies
            .iter()
            .map(String::as_str)
            .chain(["reelmill-notes.db", "reelmill.db", "a.txt"])
        {
            std::fs::write(folder.path().join(name), name).expect("written");
        }
        let removed = thin_out(folder.path(), 2).expect("readable");
        assert_eq!(removed, [&copies[0], &copies[2]].map(|name| folder.path().join(name)));
        assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 5);
        assert!(thin_out(folder.path(), 2).expect("readable").is_empty());
    }
}
