//! How the files of a media look on the wire.
//!
//! Guarantees: none for a media of one file; a film of very many pictures shows the first ones and how many there are.
//! Deliberately absent: where each of them is now.

use crate::objects::uri::ObjectUri;
use crate::workflow::arrival::Member;
use crate::workflow::arrival::Parts;
use crate::workflow::arrival::PartsKind;
use serde::Serialize;
use utoipa::ToSchema;

/// Files shown at most.
const SHOWN: usize = 1_000;

/// What a media of several files consists of.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PartsView {
    /// sequence: numbered pictures; span: recordings one after the other; cut: one stream of bytes in several files.
    pub kind: String,
    /// Pictures a second, of sequences.
    pub fps: Option<f64>,
    /// Of a sequence, what is missing between its pictures, in a sentence.
    pub gaps: Option<String>,
    /// Files that are read.
    pub count: usize,
    /// These and what goes with them, in their order, at most 1000.
    pub files: Vec<PartView>,
}

/// One file of a media.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PartView {
    /// It, `storage:key`.
    pub object: String,
    /// Bytes.
    pub size_bytes: u64,
    /// film: pictures, with sound or without; sound: of the film before it; beside: it goes where they go and is not read.
    pub role: String,
}

impl PartsView {
    /// The files of a media whose source is `object`; none: it is one file.
    pub fn of(object: &ObjectUri, parts: Option<Parts>) -> Option<Self> {
        let parts = parts.filter(Parts::is_group)?;
        let view = |member: &Member, role: &str| PartView {
            object: ObjectUri::new(object.storage.as_str(), member.key.as_str()).to_string(),
            size_bytes: member.size_bytes,
            role: role.to_owned(),
        };
        let read = parts.members.iter().map(|member| match member.sound_of {
            Some(_) => view(member, "sound"),
            None => view(member, "film"),
        });
        let beside = parts.attendants.iter().map(|member| view(member, "beside"));
        let kind = match parts.kind {
            PartsKind::Sequence => "sequence",
            PartsKind::Cut => "cut",
            PartsKind::Single | PartsKind::Span => "span",
        };
        Some(PartsView {
            kind: kind.to_owned(),
            fps: parts.fps,
            gaps: parts.gaps_told(),
            count: parts.members.len(),
            files: read.chain(beside).take(SHOWN).collect(),
        })
    }
}
