//! P2 cards: `CONTENTS/CLIP/NAME.XML` names `VIDEO/NAME.MXF` and `AUDIO/NAME00.MXF` ..., and the clips it goes on from
//! and to, on this card or the one beside it.
//!
//! Guarantees: files of pictures and sound never stand for themselves; a clip is whole when its XML and all that it
//! counts are there, a recording when the clips it goes on from and to are. Deliberately absent: shots that are told by
//! `OffsetInShot` alone, without neighbours.

use super::Contents;
use super::Group;
use super::Piece;
use super::Room;
use super::beneath;
use super::clip_text;
use super::clip_text::P2Clip;
use super::split;
use super::stem_and_extension;
use super::up_to;
use crate::workflow::arrival::PartsKind;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

const ROOT: &str = "CONTENTS";
/// Folders of a card, upper case.
const FOLDERS: [&str; 6] = ["CLIP", "VIDEO", "AUDIO", "ICON", "PROXY", "VOICE"];

/// A file of a card: its `CONTENTS`, folder (upper case), clip, and the rest of its name (upper case).
fn parts(key: &str) -> Option<(&str, &'static str, &str, String)> {
    let root = up_to(key, ROOT)?;
    let (folder, name) = key.get(root.len() + 1..)?.split_once('/')?;
    let folder = FOLDERS.into_iter().find(|known| folder.eq_ignore_ascii_case(known))?;
    if name.contains('/') {
        return None;
    }
    let (stem, extension) = stem_and_extension(name);
    // Sound has the number of its channel after the name of the clip.
    let clip = match folder {
        "AUDIO" | "VOICE" => stem.get(..stem.len().checked_sub(2)?)?,
        _ => stem,
    };
    (!clip.is_empty()).then_some((root, folder, clip, extension))
}

pub(super) fn room_of(key: &str) -> Option<Room> {
    let (root, ..) = parts(key)?;
    let card = split(root).0;
    Some(Room::P2 {
        folder: split(card).0.to_owned(),
    })
}

pub(super) fn reads(key: &str) -> bool {
    parts(key).is_some_and(|(_, folder, _, extension)| folder == "CLIP" && extension == "XML")
}

/// What lies on a card of one clip.
#[derive(Default)]
struct Files<'a> {
    text: Option<&'a str>,
    video: Option<&'a str>,
    audios: BTreeSet<&'a str>,
    others: Vec<&'a str>,
}

/// A clip with its files, by card and name.
struct Clip<'a> {
    root: &'a str,
    name: &'a str,
    files: Files<'a>,
    said: Result<P2Clip, String>,
}

pub(super) fn groups(contents: &Contents) -> Vec<Group> {
    let mut found: BTreeMap<(&str, &str), Files<'_>> = BTreeMap::new();
    for key in contents.files.keys() {
        let Some((root, folder, name, extension)) = parts(key) else {
            continue;
        };
        let files = found.entry((root, name)).or_default();
        match (folder, extension.as_str()) {
            ("CLIP", "XML") => files.text = Some(key),
            ("VIDEO", "MXF") => files.video = Some(key),
            ("AUDIO", "MXF") => {
                files.audios.insert(key);
            }
            _ => files.others.push(key),
        }
    }
    let clips: Vec<Clip<'_>> = found
        .into_iter()
        .map(|((root, name), files)| {
            let said = match files.text {
                None => Err(format!("{} is not there", beneath(root, &format!("CLIP/{name}.XML")))),
                Some(key) => match contents.texts.get(key) {
                    Some(text) => clip_text::p2_clip(text).map_err(|why| format!("{key}: {why}")),
                    None => Err(format!("{key} cannot be read")),
                },
            };
            Clip {
                root,
                name,
                files,
                said,
            }
        })
        .collect();
    let by_id: BTreeMap<&str, usize> = clips
        .iter()
        .enumerate()
        .filter_map(|(at, clip)| Some((clip.said.as_ref().ok()?.id.as_str(), at)))
        .filter(|(id, _)| !id.is_empty())
        .collect();
    let mut taken = BTreeSet::new();
    let mut groups = Vec::new();
    let is_head = |clip: &Clip<'_>| {
        let said = clip.said.as_ref().ok();
        let previous = said.and_then(|said| said.previous.as_deref());
        previous.is_none_or(|previous| !by_id.contains_key(previous))
    };
    // Heads first; what is left then goes in a circle, which no camera writes, and stands as it is.
    let heads = clips.iter().enumerate().filter(|(_, clip)| is_head(clip));
    let rest = clips.iter().enumerate().filter(|(_, clip)| !is_head(clip));
    for (at, _) in heads.chain(rest) {
        if taken.contains(&at) {
            continue;
        }
        let mut group = Group {
            kind: PartsKind::Span,
            pieces: Vec::new(),
            attendants: Vec::new(),
            missing: Vec::new(),
        };
        let mut next = Some(at);
        while let Some(clip) = next.filter(|at| taken.insert(*at)).map(|at| &clips[at]) {
            add(clip, &mut group);
            next = None;
            let Ok(said) = &clip.said else { continue };
            if let Some(id) = &said.next {
                next = by_id.get(id.as_str()).copied();
                if next.is_none() {
                    group
                        .missing
                        .push(format!("the clip that goes on from {} is not there", clip.title()));
                }
            }
            if group.pieces.is_empty() {
                continue;
            }
            let previous = said.previous.as_deref();
            if previous.is_some_and(|previous| !by_id.contains_key(previous)) {
                group
                    .missing
                    .push(format!("the clip that {} goes on from is not there", clip.title()));
            }
        }
        groups.push(group);
    }
    groups
}

impl Clip<'_> {
    fn title(&self) -> String {
        beneath(self.root, &format!("CLIP/{}", self.name))
    }
}

fn add(clip: &Clip<'_>, group: &mut Group) {
    let files = &clip.files;
    let (videos, audios) = match &clip.said {
        Ok(said) => (said.videos, said.audios),
        Err(why) => {
            group.missing.push(why.clone());
            (usize::from(files.video.is_some()), files.audios.len())
        }
    };
    let mut pieces: Vec<String> = Vec::new();
    if videos > 0 {
        let expected = || beneath(clip.root, &format!("VIDEO/{}.MXF", clip.name));
        pieces.push(files.video.map_or_else(expected, str::to_owned));
    }
    let has_number = |key: &&&str, number: usize| {
        let (stem, _) = stem_and_extension(split(key).1);
        stem.ends_with(&format!("{number:02}"))
    };
    for number in 0..audios.min(100) {
        let found = files.audios.iter().find(|key| has_number(key, number));
        let expected = || beneath(clip.root, &format!("AUDIO/{}{number:02}.MXF", clip.name));
        pieces.push(found.map_or_else(expected, |key| (*key).to_owned()));
    }
    let first = group.pieces.len();
    for (at, key) in pieces.into_iter().enumerate() {
        group.pieces.push(Piece {
            sound_of: (at > 0).then_some(first),
            ..Piece::whole(key)
        });
    }
    let counted = |key: &&&str| group.pieces.iter().any(|piece| piece.key == ***key);
    let more: Vec<String> = files
        .audios
        .iter()
        .chain(&files.video)
        .filter(|key| !counted(key))
        .map(|key| (*key).to_owned())
        .collect();
    group
        .attendants
        .extend(files.text.iter().chain(&files.others).map(|key| (*key).to_owned()));
    group.attendants.extend(more);
}
