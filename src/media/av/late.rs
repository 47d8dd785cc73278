//! Streams that a demuxer finds in the middle of a file: recordings one after the other in one transport stream, each with
//! streams of its own.
//!
//! Guarantees: what takes the place of a stream goes on as that one; what does not is told apart from it. Deliberately
//! absent: tables that change in their own place, whose streams the demuxer itself goes on in.

use crate::media::av::packet::Packet;
use crate::media::av::program;
use crate::media::av::program::Program;
use ffmpeg_the_third::ffi;
use std::collections::BTreeMap;

/// Most packets that a demuxer and its parser hold of a stream until its next ones come.
const HELD_PACKETS: usize = 4;

/// Streams beyond those that an opened file had.
#[derive(Debug, Default)]
pub(super) struct Late {
    /// So many there were when it was opened; none: nobody looked for all of them.
    known: Option<usize>,
    /// Late streams, and in whose place each stands.
    heirs: BTreeMap<usize, Option<usize>>,
    /// Streams that nobody asked for are left out.
    is_sifted: bool,
    /// Of each stream that was gone on in, which one now does, and how many packets of another one came since.
    owners: BTreeMap<usize, (usize, usize)>,
    /// Packets that came after their stream was gone on in.
    seam_packets: u64,
}

impl Late {
    /// Of a file in which so many streams were found.
    pub(super) fn after(known: usize) -> Self {
        Late {
            known: Some(known),
            ..Late::default()
        }
    }

    /// From now on only what was asked for is read.
    pub(super) fn sift(&mut self) {
        self.is_sifted = true;
    }

    /// Puts a packet of a late stream into the one that goes on in it; false: it is of one that is left out.
    pub(super) fn place(&mut self, context: &ffi::AVFormatContext, packet: &mut Packet) -> bool {
        let index = packet.stream_index();
        let Some(track) = self.goes_on_in(context, index) else {
            return !self.is_sifted;
        };
        if let Some((owner, behind)) = self.owners.get_mut(&track)
            && *owner != index
        {
            if *behind < HELD_PACKETS {
                // What a demuxer holds of a stream comes out later than the first of its heir.
                *behind += 1;
                self.seam_packets += 1;
                return false;
            }
            // More than that: the recording goes on in the stream it had before.
            (*owner, *behind) = (index, 0);
        }
        if track == index {
            return true;
        }
        packet.set_stream_index(track);
        // SAFETY: a live stream: the context had it when it was opened.
        unsafe { (**context.streams.add(track)).discard != ffi::AVDiscard::ALL }
    }

    /// The stream that packets of `index` go on in; none: they are of one that nobody knew of.
    fn goes_on_in(&mut self, context: &ffi::AVFormatContext, index: usize) -> Option<usize> {
        match self.known {
            Some(known) if index >= known => {
                if let Some(forebear) = self.heirs.get(&index) {
                    return *forebear;
                }
                let forebear = forebear(context, index, known);
                self.heirs.insert(index, forebear);
                if let Some(forebear) = forebear {
                    self.owners.insert(forebear, (index, 0));
                }
                forebear
            }
            _ => Some(index),
        }
    }

    /// Late streams that stand in no other's place; packets that came after their stream was gone on in.
    pub(super) fn left_out(&self) -> (u64, u64) {
        let strangers = self.heirs.values().filter(|forebear| forebear.is_none());
        (strangers.count() as u64, self.seam_packets)
    }
}

/// Codec and unit of a stream; none: it has none.
fn form(context: &ffi::AVFormatContext, index: usize) -> Option<(ffi::AVCodecID, i32, i32)> {
    if index >= context.nb_streams as usize {
        return None;
    }
    // SAFETY: nb_streams live streams with parameters, which live as long as the context.
    unsafe {
        let stream = &**context.streams.add(index);
        Some(((*stream.codecpar).codec_id, stream.time_base.num, stream.time_base.den))
    }
}

/// A stream of the same codec that no programme has any more: the first, second ... for the first, second ... new one.
fn forebear(context: &ffi::AVFormatContext, index: usize, known: usize) -> Option<usize> {
    let programs = program::of(context);
    let own = programs.iter().find(|program| program.streams.contains(&index))?;
    let wanted = form(context, index)?;
    let is_alike = |other: &usize| form(context, *other) == Some(wanted);
    let rank = own
        .streams
        .iter()
        .filter(|other| **other >= known && **other < index && is_alike(other))
        .count();
    (0..known)
        .filter(is_alike)
        .filter(|other| is_gone(&programs, *other))
        .nth(rank)
}

/// Whether no programme has a stream any more.
fn is_gone(programs: &[Program], index: usize) -> bool {
    !programs.iter().any(|program| program.streams.contains(&index))
}
