//! One rendition in segments while it is written: fragmented MP4 (`init.mp4`, `seg-00001.m4s` ...) or transport stream
//! (`seg-00001.ts` ...), each in files of their own or all in one.
//!
//! Guarantees: pictures are cut at key frames only; lengths are the exact distances of time stamps; times of all
//! tracks of a pass fit together (edit lists hold the delay of reordering and the sound encoder's padding); where each
//! key frame lies is known. Deliberately absent: playlists.

use crate::media::av::AvError;
use crate::media::av::Dict;
use crate::media::av::Muxer;
use crate::media::av::Packet;
use crate::media::facts::Ratio;
use crate::media::pass::file_writer::TrackIn;
use crate::media::pass::output::TrackId;
use crate::media::pass::packaging::braid::Braid;
use crate::media::pass::packaging::seal::Seal;
use crate::media::pass::packaging::spool::Part;
use crate::media::pass::packaging::spool::Piece;
use crate::media::pass::packaging::spool::Spool;
use crate::media::pass::plan::SegmentForm;
use crate::media::spec::SegmentFormat;
use std::io;
use std::path::Path;

/// Name of the initialisation segment.
const INIT: &str = "init.mp4";
/// Where time 0 of the pass stands in transport streams, seconds: their time stamps cannot be negative, and those of
/// reordered pictures and of a sound encoder's padding are.
pub const TS_START_S: f64 = 10.0;
/// The clock of transport streams runs ahead of the pictures by so many microseconds, for the decoder's buffer.
const TS_LEAD_US: &str = "700000";
/// What a segment of DASH begins with: a box that says so.
const SEGMENT_TYPE: &[u8; 24] = b"\0\0\0\x18stypmsdh\0\0\0\0msdhmsix";

/// Where a key frame lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFrame {
    /// When it is shown, in the track's unit.
    pub pts: i64,
    /// The bytes a player needs to show it, after the initialisation segment: of fMP4 its whole fragment until
    /// [`super::fragment`] looked into it.
    pub part: Part,
}

/// One media segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Where its bytes are.
    pub part: Part,
    /// When it begins, in the track's unit.
    pub start: i64,
    /// How long it lasts, in the track's unit.
    pub duration: i64,
    /// The same in seconds.
    pub duration_s: f64,
    /// Its key frames. Of sealed segments and of sound none.
    pub keys: Vec<KeyFrame>,
}

/// A rendition written.
#[derive(Debug, Clone)]
pub struct Track {
    /// The initialisation segment of fMP4.
    pub init: Option<Part>,
    /// All files with their hashes.
    pub pieces: Vec<Piece>,
    /// The segments in their order.
    pub segments: Vec<Segment>,
    /// Unit of the segments' times.
    pub unit: Ratio,
    /// What they are sealed with.
    pub seal: Option<Seal>,
}

#[derive(Debug)]
struct Slot {
    id: TrackId,
    stream: usize,
    unit: Ratio,
    muxer_unit: Ratio,
}

/// Writes one rendition.
#[derive(Debug)]
pub struct SegmentWriter {
    muxer: Muxer,
    spool: Spool,
    slots: Vec<Slot>,
    braid: Option<Braid>,
    format: SegmentFormat,
    seal: Option<Seal>,
    is_video: bool,
    segment_s: f64,
    init: Option<Part>,
    /// Start of the segment under way; none before the first packet.
    start: Option<i64>,
    has_part: bool,
    /// Start of the fragment under way, when a key frame stands there.
    fragment_key: Option<i64>,
    keys: Vec<KeyFrame>,
    end: i64,
    usual_duration: i64,
    segments: Vec<Segment>,
    /// The packet of fMP4 before the one that comes next, which says how long it lasts.
    held: Option<Packet>,
}

impl SegmentWriter {
    /// Begins a rendition in an existing, empty directory. Segments are cut where the first track says.
    pub fn create(
        directory: &Path,
        tracks: &[TrackIn<'_>],
        form: &SegmentForm,
        seal: Option<Seal>,
    ) -> Result<Self, AvError> {
        let (name, single) = match form.format {
            SegmentFormat::Fmp4 => ("mp4", "media.mp4"),
            SegmentFormat::Ts => ("mpegts", "media.ts"),
        };
        let spool = Spool::new(directory.to_owned(), form.single_file.then(|| single.to_owned()));
        let mut muxer = Muxer::to_sink(name, Box::new(spool.clone()))?;
        let is_video = tracks.first().is_some_and(|track| track.rate.is_some());
        let mut options = Dict::new();
        let mut slots = Vec::new();
        for track in tracks {
            let stream = muxer.add_stream(track.parameters, track.unit)?;
            if let Some(rate) = track.rate {
                muxer.set_frame_rate(stream, rate);
            }
            muxer.set_hdr_metadata(stream, &track.metadata)?;
            if let Some(source) = track.source {
                muxer.say_as(stream, &source)?;
            }
            if !track.tags.is_empty() {
                muxer.set_stream_tags(stream, &track.tags)?;
            }
            slots.push((track.id, stream, track.unit));
        }
        match form.format {
            SegmentFormat::Fmp4 => {
                if tracks.len() != 1 {
                    return Err(AvError::argument("avformat_new_stream"));
                }
                let common = "+frag_custom+delay_moov+default_base_moof+dash+skip_sidx+skip_trailer";
                if is_video {
                    if tracks[0].parameters.codec_name() == "hevc" {
                        // Apple's players take no hev1.
                        muxer.set_codec_tag(0, *b"hvc1");
                    }
                    // With this flag tfdt holds the true time of the first picture, and the edit list only the delay
                    // of reordering. Negative composition offsets would need no edit list at all, but libav's own
                    // demuxer reads them late by that delay.
                    options.set("movflags", &format!("{common}+frag_discont"))?;
                    options.set("video_track_timescale", &tracks[0].unit.den.to_string())?;
                } else {
                    options.set("movflags", common)?;
                }
                // What some of libav's releases call FLAC and Opus in MP4 to be.
                options.set("strict", "experimental")?;
                // The muxer writes its head through the first part.
                spool.begin(INIT, None).map_err(io_refusal)?;
            }
            SegmentFormat::Ts => {
                options.set("mpegts_copyts", "1")?;
                options.set("max_delay", TS_LEAD_US)?;
            }
        }
        muxer.keep_negative_times();
        muxer.begin(options)?;
        let slots: Vec<Slot> = slots
            .into_iter()
            .map(|(id, stream, unit)| Slot {
                id,
                stream,
                unit,
                muxer_unit: muxer.time_base(stream).unwrap_or(unit),
            })
            .collect();
        Ok(SegmentWriter {
            muxer,
            spool,
            braid: (slots.len() > 1).then(|| Braid::new(slots.len())),
            slots,
            format: form.format,
            seal,
            is_video,
            segment_s: form.segment_s,
            init: None,
            start: None,
            has_part: false,
            fragment_key: None,
            keys: Vec::new(),
            end: 0,
            usual_duration: 0,
            segments: Vec::new(),
            held: None,
        })
    }

    /// Takes a packet of a track; one of a track that is not in here is passed over.
    pub fn write(&mut self, track: TrackId, packet: Packet) -> Result<(), AvError> {
        let Some(number) = self.slots.iter().position(|slot| slot.id == track) else {
            return Ok(());
        };
        let Some(mut braid) = self.braid.take() else {
            return self.put(number, packet);
        };
        let at = packet.dts().or_else(|| packet.pts()).unwrap_or(0);
        braid.push(number, at as f64 * self.slots[number].unit.value(), packet);
        let mut answer = Ok(());
        while let (Ok(()), Some((number, packet))) = (&answer, braid.next()) {
            answer = self.put(number, packet);
        }
        self.braid = Some(braid);
        answer
    }

    fn put(&mut self, number: usize, packet: Packet) -> Result<(), AvError> {
        let pts = packet.pts().ok_or_else(|| AvError::argument("av_write_frame"))?;
        if packet.size_bytes() == 0 {
            // What an encoder has to say at its end: no sound, and no time that the packet before would last until.
            self.release(None)?;
            return self.mux(number, packet);
        }
        self.release(packet.dts())?;
        if number == 0 {
            self.follow(&packet, pts)?;
        } else if self.start.is_none() {
            // Sound before the first picture belongs to the first segment all the same.
            self.begin_part()?;
        }
        if self.format == SegmentFormat::Ts && number == 0 && self.is_video && packet.is_key() {
            return self.put_key(packet, pts);
        }
        if self.format == SegmentFormat::Fmp4 {
            self.held = Some(packet);
            return Ok(());
        }
        self.mux(number, packet)
    }

    /// Writes the packet that waits, in decoding order as long as until the next. Pictures of reordered, unsteady
    /// sources are shown for longer than that, and the muxer takes the last length of a fragment at its word: the next
    /// fragment would begin before this one ends, and its first picture would lose its time.
    fn release(&mut self, next_dts: Option<i64>) -> Result<(), AvError> {
        let Some(mut packet) = self.held.take() else {
            return Ok(());
        };
        let (pts, dts) = (packet.pts(), packet.dts());
        if let (Some(dts), Some(next)) = (dts, next_dts)
            && next > dts
        {
            packet.set_times(pts, Some(dts), next - dts);
        }
        self.mux(0, packet)
    }

    /// Keeps account of the track that segments are cut by, and cuts.
    fn follow(&mut self, packet: &Packet, pts: i64) -> Result<(), AvError> {
        let is_key = self.is_video && packet.is_key();
        match self.start {
            None => {
                // The encoder's padding before 0 is not played.
                self.start = Some(if self.is_video { pts } else { pts.max(0) });
                if self.format == SegmentFormat::Ts {
                    self.begin_part()?;
                }
                self.fragment_key = is_key.then_some(pts);
            }
            Some(start) if self.cuts(packet, pts, start) => {
                self.cut(pts)?;
                self.fragment_key = is_key.then_some(pts);
            }
            Some(_) if is_key && self.format == SegmentFormat::Fmp4 => {
                // A fragment for each key frame, so that each can be read alone.
                self.end_fragment()?;
                self.fragment_key = Some(pts);
            }
            Some(_) => {}
        }
        if packet.duration() > 0 {
            self.usual_duration = packet.duration();
        }
        // The sound encoder gives its last packet no length.
        self.end = self.end.max(pts + self.usual_duration);
        Ok(())
    }

    /// Segments begin nearest to multiples of their length on the clock of the pass, in each rendition alike.
    fn cuts(&self, packet: &Packet, pts: i64, start: i64) -> bool {
        if self.is_video && !packet.is_key() {
            return false;
        }
        let unit_s = self.slots[0].unit.value();
        let half = packet.duration().max(self.usual_duration) as f64 / 2.0;
        let number = |pts: i64| ((pts as f64 + half) * unit_s / self.segment_s).floor();
        number(pts) > number(start)
    }

    fn mux(&mut self, number: usize, mut packet: Packet) -> Result<(), AvError> {
        let slot = &self.slots[number];
        packet.set_stream_index(slot.stream);
        packet.rescale(slot.unit, slot.muxer_unit);
        if self.format == SegmentFormat::Ts {
            let shift = (TS_START_S / slot.muxer_unit.value()).round() as i64;
            let (pts, dts, duration) = (packet.pts(), packet.dts(), packet.duration());
            packet.set_times(pts.map(|pts| pts + shift), dts.map(|dts| dts + shift), duration);
        }
        self.muxer.write(&mut packet)
    }

    /// A key frame of a transport stream with the tables in front, so that it can be read alone.
    fn put_key(&mut self, packet: Packet, pts: i64) -> Result<(), AvError> {
        self.muxer.flush_bytes()?;
        let offset = self.spool.position();
        self.muxer.resend_tables()?;
        self.mux(0, packet)?;
        self.muxer.flush_bytes()?;
        self.note_key(pts, offset);
        Ok(())
    }

    /// What was written since `offset` shows the key frame of `pts`.
    fn note_key(&mut self, pts: i64, offset: u64) {
        let size_bytes = self.spool.position() - offset;
        self.keys.push(KeyFrame {
            pts,
            part: Part {
                name: String::new(),
                offset,
                size_bytes,
            },
        });
    }

    fn begin_part(&mut self) -> Result<(), AvError> {
        if self.has_part {
            return Ok(());
        }
        let sequence = self.segments.len();
        let extension = match self.format {
            SegmentFormat::Fmp4 => "m4s",
            SegmentFormat::Ts => "ts",
        };
        let name = format!("seg-{:05}.{extension}", sequence + 1);
        let seal = self.seal.as_ref().map(|seal| (seal, sequence as u64));
        self.spool.begin(&name, seal).map_err(io_refusal)?;
        self.has_part = true;
        match self.format {
            SegmentFormat::Fmp4 => io::Write::write_all(&mut self.spool, SEGMENT_TYPE).map_err(io_refusal),
            SegmentFormat::Ts => self.muxer.resend_tables(),
        }
    }

    /// Writes the fragment of fMP4 that is under way.
    fn end_fragment(&mut self) -> Result<(), AvError> {
        if self.init.is_none() {
            // With delay_moov the first flush writes only the initialisation segment.
            self.muxer.flush_fragment()?;
            self.init = Some(self.spool.end().map_err(io_refusal)?);
        }
        self.begin_part()?;
        let offset = self.spool.position();
        self.muxer.flush_fragment()?;
        if let Some(pts) = self.fragment_key.take() {
            self.note_key(pts, offset);
        }
        Ok(())
    }

    fn cut(&mut self, until: i64) -> Result<(), AvError> {
        self.end_segment(until)?;
        self.start = Some(until);
        match self.format {
            // Its first part waits for the first fragment.
            SegmentFormat::Fmp4 => Ok(()),
            SegmentFormat::Ts => self.begin_part(),
        }
    }

    fn end_segment(&mut self, until: i64) -> Result<(), AvError> {
        match self.format {
            SegmentFormat::Fmp4 => self.end_fragment()?,
            SegmentFormat::Ts => self.muxer.flush_fragment()?,
        }
        let part = self.spool.end().map_err(io_refusal)?;
        self.has_part = false;
        let start = self.start.unwrap_or(until);
        let mut keys = std::mem::take(&mut self.keys);
        match self.seal {
            // Parts of sealed segments cannot be opened alone.
            Some(_) => keys.clear(),
            None => keys.iter_mut().for_each(|key| key.part.name.clone_from(&part.name)),
        }
        self.segments.push(Segment {
            part,
            start,
            duration: until - start,
            duration_s: (until - start) as f64 * self.slots[0].unit.value(),
            keys,
        });
        Ok(())
    }

    /// Writes the last segment.
    pub fn finish(mut self) -> Result<Track, AvError> {
        if let Some(mut braid) = self.braid.take() {
            while let Some((number, packet)) = braid.rest() {
                self.put(number, packet)?;
            }
        }
        self.release(None)?;
        if self.start.is_some() {
            self.end_segment(self.end)?;
        }
        if self.segments.is_empty() {
            return Err(AvError {
                code: -22,
                call: "finish",
                text: "nothing was encoded".to_owned(),
            });
        }
        Ok(Track {
            init: self.init,
            pieces: self.spool.finish(),
            segments: self.segments,
            unit: self.slots[0].unit,
            seal: self.seal,
        })
    }
}

/// A refusal of the file system in libav's terms, so that a full disk is told the same way everywhere.
fn io_refusal(error: io::Error) -> AvError {
    AvError::new(-error.raw_os_error().unwrap_or(5), "open")
}
