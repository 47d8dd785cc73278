//! XDCAM cards and discs: `BPAV/CLPR/NAME/NAME.MP4` with takes in `BPAV/TAKR`, `XDROOT/Clip/NAME.MXF`, and the
//! `M4ROOT/CLIP/NAME.MP4` of smaller cameras, each with its XML, proxies and thumbnails.
//!
//! Guarantees: a recording that the camera cut at 4 GB is one media, cut where its take says, since such files overlap;
//! clips of takes that are not there yet wait. Deliberately absent: edit lists (`Edit/*.SMI`), which people make.

use super::Contents;
use super::Group;
use super::Piece;
use super::Room;
use super::beneath;
use super::clip_text;
use super::clip_text::Ref;
use super::split;
use super::stem_and_extension;
use super::up_to;
use crate::workflow::arrival::PartsKind;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

const ROOTS: [&str; 3] = ["BPAV", "XDROOT", "M4ROOT"];
const INDEX: &str = "MEDIAPRO.XML";

pub(super) fn room_of(key: &str) -> Option<Room> {
    let root = ROOTS.into_iter().find_map(|root| up_to(key, root))?;
    Some(Room::Xdcam { root: root.to_owned() })
}

pub(super) fn reads(key: &str) -> bool {
    let name = split(key).1.to_ascii_uppercase();
    let (folder, above) = folders(key);
    name == INDEX || name.ends_with(".SMI") && (above == "TAKR" || folder == "TAKE")
}

/// The folder of a key and the one above it, upper case.
fn folders(key: &str) -> (String, String) {
    let mut names = key.rsplit('/').skip(1).map(str::to_ascii_uppercase);
    (names.next().unwrap_or_default(), names.next().unwrap_or_default())
}

/// Files of one clip.
#[derive(Default)]
struct Clip {
    essence: Option<String>,
    attendants: Vec<String>,
}

pub(super) fn groups(root: &str, contents: &Contents) -> Vec<Group> {
    let is_ex = split(root).1.eq_ignore_ascii_case("BPAV");
    let has_takes = !split(root).1.eq_ignore_ascii_case("M4ROOT");
    let mut clips: BTreeMap<String, Clip> = BTreeMap::new();
    let mut takes: BTreeMap<String, &str> = BTreeMap::new();
    let mut of_takes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut beside: Vec<&str> = Vec::new();
    for key in contents.files.keys() {
        let (stem, extension) = stem_and_extension(split(key).1);
        let is_essence = matches!(extension.as_str(), "MP4" | "MXF");
        match folders(key) {
            (folder, above) if above == "CLPR" => {
                let clip = clips.entry(folder.clone()).or_default();
                if is_essence && stem.eq_ignore_ascii_case(&folder) {
                    clip.essence = Some(key.clone());
                } else {
                    clip.attendants.push(key.clone());
                }
            }
            (folder, above) if above == "TAKR" => {
                of_takes.entry(folder.clone()).or_default().push(key.clone());
                if extension == "SMI" {
                    takes.insert(folder, key);
                }
            }
            (folder, _) if folder == "TAKE" && extension == "SMI" => {
                takes.insert(stem.to_ascii_uppercase(), key);
                of_takes.insert(stem.to_ascii_uppercase(), vec![key.clone()]);
            }
            (folder, _) if folder == "CLIP" && is_essence => {
                clips.entry(stem.to_ascii_uppercase()).or_default().essence = Some(key.clone());
            }
            (folder, _) if matches!(folder.as_str(), "CLIP" | "SUB" | "THMBNL") => beside.push(key),
            _ => {}
        }
    }
    for key in beside {
        let stem = stem_and_extension(split(key).1).0.to_ascii_uppercase();
        // `C0001M01`: the clip, a letter and two digits.
        let clip = stem
            .len()
            .checked_sub(3)
            .and_then(|end| stem.get(..end))
            .unwrap_or(&stem)
            .to_owned();
        clips.entry(clip).or_default().attendants.push(key.to_owned());
    }
    let index = index(root, contents);
    let mut waits: Vec<String> = Vec::new();
    let mut materials = BTreeMap::new();
    match index {
        Ok(known) => {
            for (key, umid) in known {
                let is_take = key.to_ascii_uppercase().ends_with(".SMI") && folders(&key).1 == "TAKR";
                if is_take && !contents.files.keys().any(|there| there.eq_ignore_ascii_case(&key)) {
                    waits.push(key.clone());
                }
                materials.insert(umid.to_ascii_uppercase(), key);
            }
        }
        Err(why) if has_takes => waits.push(why),
        Err(_) => {}
    }
    let mut groups = Vec::new();
    let mut spanned: BTreeSet<String> = BTreeSet::new();
    for (name, key) in &takes {
        let refs = contents.texts.get(*key).map(|text| clip_text::take(text));
        let (refs, why) = match refs {
            Some(Ok(refs)) => (refs, None),
            Some(Err(why)) => (Vec::new(), Some(format!("{key}: {why}"))),
            None => (Vec::new(), Some(format!("{key} cannot be read"))),
        };
        let resolved = refs
            .iter()
            .enumerate()
            .map(|(at, one)| clip_of(root, key, name, at, one, &materials, is_ex));
        let mut group = Group {
            kind: PartsKind::Span,
            pieces: Vec::new(),
            attendants: of_takes.remove(name).unwrap_or_default(),
            missing: why.into_iter().collect(),
        };
        for (one, expected) in refs.iter().zip(resolved) {
            let clip_name = clip_name(&expected);
            let clip = clips.get(&clip_name);
            let key = clip.and_then(|clip| clip.essence.clone()).unwrap_or(expected);
            // A clip may stand in one recording only, and only once.
            if !spanned.insert(clip_name) {
                continue;
            }
            group
                .attendants
                .extend(clip.into_iter().flat_map(|clip| clip.attendants.clone()));
            group.pieces.push(Piece {
                frames: one.frames,
                ..Piece::whole(key)
            });
        }
        if group.pieces.is_empty() {
            // A damaged take: the clips that bear its name wait with it.
            for (clip_name, clip) in &clips {
                if group.missing.is_empty()
                    || spanned.contains(clip_name)
                    || !clip_name.starts_with(&format!("{name}_"))
                {
                    continue;
                }
                spanned.insert(clip_name.clone());
                group.pieces.extend(clip.essence.clone().map(Piece::whole));
            }
        }
        if !group.pieces.is_empty() {
            groups.push(group);
        }
    }
    for (name, clip) in clips.into_iter().filter(|(name, _)| !spanned.contains(name)) {
        let expected = || match is_ex {
            true => format!("{root}/CLPR/{name}/{name}.MP4"),
            false => format!("{root}/Clip/{name}.MXF"),
        };
        let take_of = |wait: &&String| {
            let take = stem_and_extension(split(wait).1).0.to_ascii_uppercase();
            split(wait).1.eq_ignore_ascii_case(INDEX) || name.starts_with(&format!("{take}_"))
        };
        let missing = waits
            .iter()
            .filter(take_of)
            .map(|key| format!("{key} is not there"))
            .collect();
        groups.push(Group {
            kind: PartsKind::Span,
            pieces: vec![Piece::whole(clip.essence.unwrap_or_else(expected))],
            attendants: clip.attendants,
            missing,
        });
    }
    groups
}

/// Keys and UMIDs of what the index names.
fn index(root: &str, contents: &Contents) -> Result<Vec<(String, String)>, String> {
    let expected = beneath(root, INDEX);
    let Some((key, text)) = contents
        .texts
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(&expected))
    else {
        return Err(expected);
    };
    match clip_text::index(text) {
        Ok(known) => Ok(known.into_iter().map(|(uri, umid)| (along(root, &uri), umid)).collect()),
        // A damaged index keeps nobody waiting: takes name their clips themselves.
        Err(why) => {
            tracing::debug!(key, why, "the index of a card cannot be read");
            Ok(Vec::new())
        }
    }
}

/// The clip of a key, upper case.
fn clip_name(key: &str) -> String {
    stem_and_extension(split(key).1).0.to_ascii_uppercase()
}

/// The key of what stretch number `at` of a take names.
fn clip_of(
    root: &str,
    take_key: &str,
    take: &str,
    at: usize,
    one: &Ref,
    materials: &BTreeMap<String, String>,
    is_ex: bool,
) -> String {
    let umid = one.src.rsplit(':').next().unwrap_or_default().to_ascii_uppercase();
    let is_name = one.src.starts_with("urn:") || !one.src.contains(['/', '.']);
    match materials.get(&umid).filter(|_| is_name && !umid.is_empty()) {
        Some(key) => key.clone(),
        // The camera numbers the clips of a take.
        None if is_name && is_ex => {
            let clip = format!("{take}_{:02}", at + 1);
            format!("{root}/CLPR/{clip}/{clip}.MP4")
        }
        None if is_name => format!("{root}/Clip/{}", one.src),
        None => along(split(take_key).0, &one.src),
    }
}

/// A relative path from a folder; it never leads above the storage.
fn along(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
