//! The small texts on cards that say which files are one recording: clips of P2, takes and indexes of XDCAM.
//!
//! Guarantees: reads any text without harm, names by their local part alone; a text that is damaged says so. Deliberately
//! absent: the rest of what these texts say.

use quick_xml::Reader;
use quick_xml::events::BytesStart;
use quick_xml::events::Event;

/// What a clip of a P2 card says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct P2Clip {
    /// Its own id.
    pub id: String,
    /// Files of pictures: 0 or 1.
    pub videos: usize,
    /// Files of sound.
    pub audios: usize,
    /// The clip that it goes on from.
    pub previous: Option<String>,
    /// The clip that goes on from it.
    pub next: Option<String>,
}

/// One stretch of a take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ref {
    /// Path of a file, or a UMID.
    pub src: String,
    /// Frames taken, first and first not taken.
    pub frames: Option<(u64, u64)>,
}

/// Reads `CONTENTS/CLIP/*.XML`.
///
/// # Errors
/// It is damaged, in a clause.
pub(super) fn p2_clip(text: &[u8]) -> Result<P2Clip, String> {
    let mut clip = P2Clip::default();
    walk(text, |path, event| match (path, event) {
        ([.., essence], Step::Begin(_)) if essence == "Video" && within(path, "EssenceList") => clip.videos += 1,
        ([.., essence], Step::Begin(_)) if essence == "Audio" && within(path, "EssenceList") => clip.audios += 1,
        ([.., parent, leaf], Step::Text(text)) if leaf == "GlobalClipID" => match parent.as_str() {
            "ClipContent" => clip.id = text.to_owned(),
            "Previous" => clip.previous = Some(text.to_owned()),
            "Next" => clip.next = Some(text.to_owned()),
            _ => {}
        },
        _ => {}
    })?;
    match clip.id.is_empty() && clip.videos + clip.audios == 0 {
        true => Err("it is no description of a P2 clip".to_owned()),
        false => Ok(clip),
    }
}

/// Reads the stretches of a take, `TAKR/*/*.SMI`.
///
/// # Errors
/// It is damaged, in a clause.
pub(super) fn take(text: &[u8]) -> Result<Vec<Ref>, String> {
    let mut refs = Vec::new();
    walk(text, |path, event| {
        let Step::Begin(attributes) = event else { return };
        let is_stretch = path.last().is_some_and(|name| matches!(name.as_str(), "ref" | "video"));
        if let Some(src) = attribute(attributes, "src").filter(|_| is_stretch) {
            let moment = |name: &str| attribute(attributes, name).and_then(|text| frames_of(&text));
            refs.push(Ref {
                src,
                frames: moment("clipBegin")
                    .zip(moment("clipEnd"))
                    .filter(|(from, until)| from < until),
            });
        }
    })?;
    Ok(refs)
}

/// Reads `MEDIAPRO.XML`: path and UMID of each material.
///
/// # Errors
/// It is damaged, in a clause.
pub(super) fn index(text: &[u8]) -> Result<Vec<(String, String)>, String> {
    let mut materials = Vec::new();
    walk(text, |path, event| {
        let Step::Begin(attributes) = event else { return };
        let is_material = path
            .last()
            .is_some_and(|name| matches!(name.as_str(), "Material" | "Component"));
        if let (true, Some(uri)) = (is_material, attribute(attributes, "uri")) {
            materials.push((uri, attribute(attributes, "umid").unwrap_or_default()));
        }
    })?;
    Ok(materials)
}

/// Frames of `smpte-25=00:00:10:05`: the count of frames, at the rate written.
fn frames_of(text: &str) -> Option<u64> {
    let (form, time) = text.trim().split_once('=')?;
    let mut words = form.strip_prefix("smpte-")?.split('-');
    let rate: u64 = words.next()?.parse().ok().filter(|rate| (1..=240).contains(rate))?;
    let drops = words.next() == Some("drop");
    let parts: Option<Vec<u64>> = time.split([':', ';']).map(|part| part.parse().ok()).collect();
    let [hours, minutes, seconds, frames] = parts?[..] else {
        return None;
    };
    let all_minutes = hours.checked_mul(60)?.checked_add(minutes)?;
    let counted = all_minutes
        .checked_mul(60)?
        .checked_add(seconds)?
        .checked_mul(rate)?
        .checked_add(frames)?;
    let dropped = if drops {
        (all_minutes - all_minutes / 10) * 2 * (rate / 30)
    } else {
        0
    };
    counted.checked_sub(dropped)
}

fn within(path: &[String], name: &str) -> bool {
    path.iter().rev().nth(1).is_some_and(|parent| parent == name)
}

enum Step<'a> {
    Begin(&'a BytesStart<'a>),
    Text(&'a str),
}

/// Deeper texts than these are no camera's.
const DEEPEST: usize = 64;

fn walk(text: &[u8], mut told: impl FnMut(&[String], Step<'_>)) -> Result<(), String> {
    let mut reader = Reader::from_reader(text);
    let damaged = |error: &dyn std::fmt::Display| format!("its XML is damaged: {error}");
    let mut path: Vec<String> = Vec::new();
    loop {
        match reader.read_event().map_err(|error| damaged(&error))? {
            Event::Start(start) => {
                path.push(local(&start));
                if path.len() > DEEPEST {
                    return Err("its XML is nested too deeply".to_owned());
                }
                told(&path, Step::Begin(&start));
            }
            Event::Empty(start) => {
                path.push(local(&start));
                told(&path, Step::Begin(&start));
                path.pop();
            }
            Event::Text(text) => {
                let text = text.decode().map_err(|error| damaged(&error))?;
                if !text.trim().is_empty() {
                    told(&path, Step::Text(text.trim()));
                }
            }
            Event::End(_) => {
                path.pop();
            }
            Event::Eof if path.is_empty() => return Ok(()),
            Event::Eof => return Err("its XML ends in the middle".to_owned()),
            _ => {}
        }
    }
}

fn local(start: &BytesStart<'_>) -> String {
    String::from_utf8_lossy(start.local_name().as_ref()).into_owned()
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = start
        .attributes()
        .flatten()
        .find(|one| one.key.local_name().as_ref() == name.as_bytes())?;
    String::from_utf8(attribute.value.into_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::frames_of;
    use super::p2_clip;
    use super::take;

    #[test]
    fn times_of_takes_are_counts_of_frames() {
        assert_eq!(frames_of("smpte-25=00:01:00:05"), Some(1505));
        assert_eq!(frames_of("smpte-30-drop=00:01:00;02"), Some(1800));
        assert_eq!(frames_of("smpte-30-drop=00:10:00;00"), Some(17_982));
        for none in [
            "",
            "npt=10s",
            "smpte-25=1:2",
            "smpte-0=00:00:00:00",
            "smpte-x=00:00:00:00",
        ] {
            assert_eq!(frames_of(none), None, "{none}");
        }
    }

    #[test]
    fn damaged_texts_say_so() {
        for damaged in [&b"<P2Main><ClipContent>"[..], b"", b"\xff\xfe", b"<a></b>", b"<other/>"] {
            assert!(p2_clip(damaged).is_err(), "{damaged:?}");
        }
        assert!(take(b"<smil><body><par><ref src=").is_err());
        assert_eq!(take(b"<smil><body/></smil>"), Ok(Vec::new()));
    }
}
