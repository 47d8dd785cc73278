//! What a module says of itself: PTX, read as far as a launch needs it.

/// Newest PTX that CUDA 12.4 takes.
const NEWEST: (u32, u32) = (8, 4);

/// A module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ptx {
    /// `.version`.
    pub version: (u32, u32),
    /// `.target sm_52`: 52.
    pub target: u32,
    /// Its kernels.
    pub entries: Vec<Entry>,
}

/// A kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Bytes of each of its parameters.
    pub parameters: Vec<usize>,
}

/// Why a module is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No PTX.
    NoPtx,
    /// PTX that is newer than the driver.
    TooNew,
    /// For devices that can more.
    OtherDevice,
    /// PTX that cannot be understood, and why.
    Broken(String),
}

/// Reads a module, and whether a device of that capability (75) runs it.
pub fn read(text: &str, capability: u32) -> Result<Ptx, Refusal> {
    let text = without_comments(text);
    let word_behind = |directive: &str| {
        let mut words = text.split_whitespace().skip_while(|word| *word != directive);
        words.nth(1).map(str::to_owned)
    };
    let version = word_behind(".version").ok_or(Refusal::NoPtx)?;
    let version = version
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)))
        .ok_or_else(|| Refusal::Broken(format!(".version {version}")))?;
    if version > NEWEST {
        return Err(Refusal::TooNew);
    }
    let target = word_behind(".target").ok_or_else(|| Refusal::Broken("no .target".to_owned()))?;
    let target = target
        .trim_end_matches(',')
        .strip_prefix("sm_")
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| Refusal::Broken(format!(".target {target}")))?;
    if target > capability {
        return Err(Refusal::OtherDevice);
    }
    if word_behind(".address_size").as_deref() != Some("64") {
        return Err(Refusal::Broken("no .address_size 64".to_owned()));
    }
    let entries = text.split(".entry").skip(1).map(entry).collect::<Result<_, _>>()?;
    Ok(Ptx {
        version,
        target,
        entries,
    })
}

fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("/*") {
        plain.push_str(&rest[..at]);
        rest = rest[at..].split_once("*/").map_or("", |(_, behind)| behind);
    }
    plain.push_str(rest);
    plain
        .lines()
        .map(|line| line.split("//").next().unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// From behind `.entry` on.
fn entry(text: &str) -> Result<Entry, Refusal> {
    let broken = || Refusal::Broken(format!(".entry {}", text.trim().lines().next().unwrap_or_default()));
    let head = &text[..text.find('{').ok_or_else(broken)?];
    let (name, behind) = head.split_once('(').unwrap_or((head, ")"));
    let name = name.split_whitespace().next().ok_or_else(broken)?.to_owned();
    let list = &behind[..behind.find(')').ok_or_else(broken)?];
    let parameters = list
        .split(',')
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .map(|one| parameter(one).ok_or_else(broken))
        .collect::<Result<_, _>>()?;
    Ok(Entry { name, parameters })
}

/// `.param .align 8 .b8 name[128]`, `.param .u64 name`.
fn parameter(text: &str) -> Option<usize> {
    let kind = text
        .split_whitespace()
        .filter(|word| word.starts_with('.'))
        .nth_back(0)?;
    let bits: usize = kind.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok()?;
    let count = match text.split_once('[') {
        Some((_, behind)) => behind.split(']').next()?.trim().parse().ok()?,
        None => 1,
    };
    Some(bits / 8 * count)
}
