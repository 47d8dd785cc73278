//! What stands on the command line as INPUT: a file, or a family of numbered pictures (`img_%04d.dpx`, `img_*.png`).
//!
//! Guarantees: a file of that very name comes first; numbers that are missing are told. Deliberately absent: opening
//! any picture.

use crate::cli::outcome::BadUsage;
use crate::cli::run::INPUT_STORAGE;
use crate::cli::run::source_of;
use crate::executor::Identity;
use crate::executor::local::LocalExecutorOptions;
use crate::media::facts::Ratio;
use crate::media::family::Family;
use crate::objects::local::Stat;
use crate::objects::uri::ObjectUri;
use crate::objects::uri::key_text;
use anyhow::Context as _;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

/// What is worked on.
#[derive(Debug)]
pub struct Input {
    folder: PathBuf,
    /// The object that stands for it.
    pub source: ObjectUri,
    /// What it was when the command began.
    pub identity: Identity,
    family: Option<Family>,
}

impl Input {
    /// Finds it. `fps`: pictures a second of a family.
    ///
    /// # Errors
    /// [`BadUsage`] when there is no such file and no such family.
    pub fn find(path: &Path, fps: f64) -> anyhow::Result<Self> {
        let stat_of = |path: &Path| -> anyhow::Result<Identity> {
            let stat = Stat::of(std::fs::File::open(path).with_context(|| path.display().to_string())?)?;
            Ok(Identity {
                size_bytes: stat.size_bytes,
                mtime_ns: stat.mtime_ns,
                etag: String::new(),
            })
        };
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some((prefix, suffix, digits)) = pattern(name).filter(|_| !path.exists()) else {
            let (folder, source) = source_of(path)?;
            let identity = stat_of(path)?;
            return Ok(Input {
                folder,
                source,
                identity,
                family: None,
            });
        };
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let folder = std::fs::canonicalize(folder)
            .map_err(|error| BadUsage(format!("cannot open the folder {}: {error}", folder.display())))?;
        let rate = Ratio::of_rate(fps);
        let family = scan(&folder, prefix, suffix, digits, rate)
            .with_context(|| folder.display().to_string())?
            .ok_or_else(|| BadUsage(format!("no file in {} fits {name}", folder.display())))?;
        for (first, last) in family.missing() {
            let names = match first == last {
                true => family.name(first),
                false => format!("{} to {}", family.name(first), family.name(last)),
            };
            eprintln!("warning: {names} are missing; the picture before stays on");
        }
        let stem = prefix.trim_end_matches(['_', '-', '.', ' ']);
        let stem = if stem.is_empty() { "pictures" } else { stem };
        Ok(Input {
            source: ObjectUri::new(INPUT_STORAGE, key_text(format!("{stem}{suffix}").as_bytes())),
            identity: stat_of(&folder)?,
            folder,
            family: Some(family),
        })
    }

    /// Where the executor finds it.
    pub fn add_to(&self, options: LocalExecutorOptions) -> LocalExecutorOptions {
        let mut options = options.with_folder(INPUT_STORAGE, &self.folder);
        options.family = self.family.clone().map(|family| (self.folder.clone(), family));
        options
    }
}

/// Before the number, after it, and its digits where the pattern says them.
fn pattern(name: &str) -> Option<(&str, &str, Option<usize>)> {
    if let Some((prefix, rest)) = name.split_once('%') {
        let (digits, suffix) = rest.split_once('d')?;
        let digits = match digits.strip_prefix('0') {
            Some(digits) => digits
                .parse::<usize>()
                .ok()
                .filter(|digits| (1..=18).contains(digits))?,
            None if digits.is_empty() => 0,
            None => return None,
        };
        return (!suffix.contains(['%', '*'])).then_some((prefix, suffix, Some(digits)));
    }
    let (prefix, suffix) = name.split_once('*')?;
    (!suffix.contains('*')).then_some((prefix, suffix, None))
}

fn scan(
    folder: &Path,
    prefix: &str,
    suffix: &str,
    digits: Option<usize>,
    rate: Ratio,
) -> std::io::Result<Option<Family>> {
    let mut found: BTreeSet<u64> = BTreeSet::new();
    let mut widths: BTreeSet<usize> = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix(prefix)?.strip_suffix(suffix))
            .filter(|number| (1..=18).contains(&number.len()) && number.bytes().all(|one| one.is_ascii_digit()));
        if let Some(number) = number {
            let is_form = match digits {
                Some(0) => number == "0" || !number.starts_with('0'),
                Some(digits) => number.len() == digits || number.len() > digits && !number.starts_with('0'),
                None => true,
            };
            if is_form && let Ok(value) = number.parse() {
                found.insert(value);
                widths.insert(number.len());
            }
        }
    }
    let mut numbers: Vec<(u64, u64)> = Vec::new();
    for number in found {
        match numbers.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => numbers.push((number, number)),
        }
    }
    // The narrowest number has all its leading zeros.
    let digits = digits.unwrap_or_else(|| widths.first().copied().unwrap_or(0));
    Ok((!numbers.is_empty()).then(|| Family {
        prefix: prefix.to_owned(),
        digits,
        suffix: suffix.to_owned(),
        numbers,
        rate,
    }))
}

/// A frame rate on the command line.
///
/// # Errors
/// It is none.
pub fn fps(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(fps) if (0.1..=240.0).contains(&fps) => Ok(fps),
        _ => Err("a number of pictures a second, 0.1 to 240".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::pattern;
    use super::scan;
    use crate::media::facts::Ratio;

    #[test]
    fn patterns_are_printf_or_a_star() {
        assert_eq!(pattern("a_%04d.png"), Some(("a_", ".png", Some(4))));
        assert_eq!(pattern("%d.jpg"), Some(("", ".jpg", Some(0))));
        assert_eq!(pattern("a_*.dpx"), Some(("a_", ".dpx", None)));
        for none in ["a.png", "a%s.png", "a_*_*.png", "100%.mp4"] {
            assert_eq!(pattern(none), None, "{none}");
        }
    }

    #[test]
    fn a_folder_is_scanned_for_one_family_only() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        for name in [
            "a_0098.png",
            "a_0099.png",
            "a_0102.png",
            "b_0100.png",
            "a_x.png",
            "a_0100.jpg",
        ] {
            std::fs::write(folder.path().join(name), "").expect("it can be written");
        }
        let rate = Ratio::of_rate(29.97);
        assert_eq!(rate, Ratio { num: 30_000, den: 1001 });
        let family = scan(folder.path(), "a_", ".png", None, rate)
            .expect("readable")
            .expect("a family");
        assert_eq!(family.numbers, [(98, 99), (102, 102)]);
        assert_eq!(family.name(102), "a_0102.png");
        assert!(
            scan(folder.path(), "c_", ".png", None, rate)
                .expect("readable")
                .is_none()
        );
    }
}
