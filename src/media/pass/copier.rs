//! The source's own pictures, not decoded: packets taken from the reader and handed to outputs as they are.
//!
//! Guarantees: begins at a key frame; every packet up to the end is handed on with the time stamps of the source,
//! counted from the pass's origin; at the end of a clip nothing is kept that only pictures beyond it need. Deliberately
//! absent: repair; packets without time stamps are refused.

use crate::media::av::AvError;
use crate::media::av::Demuxer;
use crate::media::av::Packet;
use crate::media::av::packet::rescale;
use crate::media::facts::Ratio;
use crate::media::pass::clock::Origin;
use crate::media::pass::output::TrackId;
use crate::media::pass::rung::Outputs;

/// Packets read to find the key frame that a clip begins at.
const MAX_PACKETS: usize = 20_000;
/// Bytes of them kept.
const MAX_KEPT_BYTES: usize = 64 << 20;
/// Packets held back at the end of a clip before they are known to be beyond it.
const MAX_HELD: usize = 64;

/// How packets of the source come to those of the outputs.
#[derive(Debug, Clone, Copy)]
pub struct CopyTimes {
    /// Unit of the stream.
    pub source: Ratio,
    /// Unit of the pass, which is that of the outputs' packets.
    pub pass: Ratio,
    /// Time 0.
    pub origin: Origin,
    /// Where a clip ends, pass units.
    pub end: Option<i64>,
    /// How long a picture usually lasts, pass units.
    pub usual_duration: i64,
}

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Packets.
    pub packets: u64,
    /// First time stamp shown, pass units.
    pub first: Option<i64>,
    /// Last time stamp shown.
    pub last: i64,
    /// End of the last picture.
    pub end: i64,
    /// Packets came while an output waited for them.
    pub was_wanted: bool,
}

/// Copies one stream.
pub struct Copier<'a> {
    /// Stream in the file.
    pub stream: usize,
    times: CopyTimes,
    outputs: Outputs<'a>,
    has_begun: bool,
    begins_late: bool,
    first_key: i64,
    held: Vec<Packet>,
    is_done: bool,
    copied: Copied,
}

impl<'a> Copier<'a> {
    /// For a stream. `begins_late`: pictures that are shown before the first key frame belong to what a clip leaves out.
    pub fn new(stream: usize, times: CopyTimes, outputs: Outputs<'a>, begins_late: bool) -> Self {
        Copier {
            stream,
            times,
            outputs,
            has_begun: false,
            begins_late,
            first_key: 0,
            held: Vec::new(),
            is_done: false,
            copied: Copied::default(),
        }
    }

    /// Takes a packet of its stream.
    pub fn take(&mut self, packet: &Packet) -> Result<(), AvError> {
        if self.is_done || !self.outputs.are_wanted() {
            return Ok(());
        }
        self.copied.was_wanted = true;
        if !self.has_begun && !packet.is_key() {
            self.begins_late = true;
            return Ok(());
        }
        let mut packet = packet.share()?;
        let since = |at: i64| self.times.origin.since(at, self.times.source, self.times.pass);
        let dts = packet.dts().map(since);
        let Some(pts) = packet.pts().map(since) else {
            return Err(AvError {
                code: -22,
                call: "copy",
                text: "a packet of the source does not say when it is shown; it cannot be copied, only encoded"
                    .to_owned(),
            });
        };
        if !self.has_begun {
            self.has_begun = true;
            self.first_key = pts;
        } else if self.begins_late && pts < self.first_key {
            // Needs pictures before the first key frame.
            return Ok(());
        }
        let duration = match packet.duration() {
            0 => self.times.usual_duration,
            ticks => rescale(ticks, self.times.source, self.times.pass).max(1),
        };
        packet.set_times(Some(pts), dts, duration);
        match self.times.end {
            Some(end) if dts.unwrap_or(pts) >= end || self.held.len() >= MAX_HELD => {
                self.is_done = true;
                self.held.clear();
                Ok(())
            }
            Some(end) if pts >= end => {
                // Pictures before the end may still need it.
                self.held.push(packet);
                Ok(())
            }
            _ => {
                for held in std::mem::take(&mut self.held) {
                    self.write(held)?;
                }
                self.write(packet)
            }
        }
    }

    fn write(&mut self, packet: Packet) -> Result<(), AvError> {
        let (pts, duration) = (packet.pts().unwrap_or(0), packet.duration());
        self.copied.packets += 1;
        self.copied.first = Some(self.copied.first.map_or(pts, |first| first.min(pts)));
        self.copied.last = self.copied.last.max(pts);
        self.copied.end = self.copied.end.max(pts + duration);
        for output in self.outputs.all {
            output.write(TrackId::Video, packet.share()?, self.outputs.health);
        }
        Ok(())
    }

    /// Nothing more is wanted.
    pub fn is_done(&self) -> bool {
        self.is_done
    }
    /// So far.
    pub fn copied(&self) -> Copied {
        self.copied
    }
    /// Where its packets go.
    pub fn outputs(&self) -> Outputs<'a> {
        self.outputs
    }
}

/// Time stamp of the first key frame of a stream from where the demuxer stands, in units of the stream. What was read is
/// given back.
pub fn next_key(demuxer: &mut Demuxer, stream: usize) -> Result<Option<i64>, AvError> {
    let mut read = Vec::new();
    let mut read_bytes = 0;
    let mut found = None;
    while read.len() < MAX_PACKETS && read_bytes < MAX_KEPT_BYTES {
        let mut packet = Packet::new()?;
        if !demuxer.read(&mut packet)? {
            break;
        }
        if packet.stream_index() == stream && packet.is_key() {
            found = packet.pts();
        }
        read_bytes += packet.size_bytes();
        read.push(packet);
        if found.is_some() {
            break;
        }
    }
    demuxer.give_back(read);
    Ok(found)
}
