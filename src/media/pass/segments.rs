//! One track as fragmented MP4 in files: `init.mp4`, `seg-00001.m4s`, ...
//!
//! Guarantees: pictures are cut at key frames only; lengths are the exact distances of time stamps; times of all
//! tracks of a pass fit together (edit lists hold the delay of reordering and the sound encoder's padding).
//! Deliberately absent: playlists.

use crate::media::av::AvError;
use crate::media::av::Dict;
use crate::media::av::Muxer;
use crate::media::av::Packet;
use crate::media::facts::Ratio;
use crate::media::pass::file_writer::TrackIn;
use crate::media::pass::playlist::Segment;
use md5::Digest;
use md5::Md5;
use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Name of the initialisation segment.
pub const INIT: &str = "init.mp4";

/// One finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Name in its folder.
    pub name: String,
    /// Bytes.
    pub size_bytes: u64,
    /// MD5, hex.
    pub md5: String,
}

/// A track written.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// The initialisation segment.
    pub init: Piece,
    /// The segments with their hashes.
    pub pieces: Vec<Piece>,
    /// The segments as a playlist has them.
    pub segments: Vec<Segment>,
}

/// Where the muxer's bytes go: one file after the other.
#[derive(Debug)]
struct Spool {
    directory: PathBuf,
    open: Option<(String, File, Md5, u64)>,
    pieces: Vec<Piece>,
}

impl Spool {
    fn begin(&mut self, name: String) -> io::Result<()> {
        let file = File::create_new(self.directory.join(&name))?;
        self.open = Some((name, file, Md5::new(), 0));
        Ok(())
    }
    fn end(&mut self) -> u64 {
        let Some((name, _, hash, size_bytes)) = self.open.take() else {
            return 0;
        };
        self.pieces.push(Piece {
            name,
            size_bytes,
            md5: hex::encode(hash.finalize()),
        });
        size_bytes
    }
}

struct SpoolWriter(Arc<Mutex<Spool>>);

impl Write for SpoolWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut spool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, file, hash, size_bytes)) = &mut spool.open else {
            return Err(io::Error::other("no segment is open"));
        };
        file.write_all(bytes)?;
        hash.update(bytes);
        *size_bytes += bytes.len() as u64;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes one track.
#[derive(Debug)]
pub struct SegmentWriter {
    muxer: Muxer,
    spool: Arc<Mutex<Spool>>,
    unit: Ratio,
    muxer_unit: Ratio,
    is_video: bool,
    target: f64,
    start: Option<i64>,
    first: i64,
    end: i64,
    usual_duration: i64,
    has_init: bool,
    segments: Vec<Segment>,
}

impl SegmentWriter {
    /// Begins a track in an existing, empty directory. `unit` is that of the packets to come.
    pub fn create(directory: &Path, track: &TrackIn<'_>, segment_s: f64) -> Result<Self, AvError> {
        let unit = track.unit;
        let mut spool = Spool {
            directory: directory.to_owned(),
            open: None,
            pieces: Vec::new(),
        };
        spool.begin(INIT.to_owned()).map_err(io_refusal)?;
        let spool = Arc::new(Mutex::new(spool));
        let mut muxer = Muxer::to_sink("mp4", Box::new(SpoolWriter(Arc::clone(&spool))))?;
        let stream = muxer.add_stream(track.parameters, unit)?;
        let is_video = track.rate.is_some();
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
        muxer.keep_negative_times();
        let mut options = Dict::new();
        let common = "+frag_custom+delay_moov+default_base_moof+dash+skip_sidx+skip_trailer";
        if is_video {
            // With this flag tfdt holds the true time of the first picture, and the edit list only the delay of
            // reordering. Negative composition offsets would need no edit list at all, but libav's own demuxer
            // reads them late by that delay.
            options.set("movflags", &format!("{common}+frag_discont"))?;
            options.set("video_track_timescale", &unit.den.to_string())?;
        } else {
            options.set("movflags", common)?;
        }
        muxer.begin(options)?;
        let muxer_unit = muxer.time_base(stream).unwrap_or(unit);
        Ok(SegmentWriter {
            muxer,
            spool,
            unit,
            muxer_unit,
            is_video,
            target: segment_s / unit.value(),
            start: None,
            first: 0,
            end: 0,
            usual_duration: 0,
            has_init: false,
            segments: Vec::new(),
        })
    }

    /// Writes a packet.
    pub fn write(&mut self, mut packet: Packet) -> Result<(), AvError> {
        let pts = packet.pts().ok_or_else(|| AvError::argument("av_write_frame"))?;
        match self.start {
            // The encoder's padding before 0 is not played.
            None => {
                self.first = pts.max(0);
                self.start = Some(self.first);
            }
            Some(start) if self.cuts(&packet, pts, start) => self.cut(pts)?,
            Some(_) => {}
        }
        if packet.duration() > 0 {
            self.usual_duration = packet.duration();
        }
        // The sound encoder gives its last packet no length.
        self.end = self.end.max(pts + self.usual_duration);
        packet.set_stream_index(0);
        packet.rescale(self.unit, self.muxer_unit);
        self.muxer.write(&mut packet)
    }

    fn cuts(&self, packet: &Packet, pts: i64, start: i64) -> bool {
        let near = packet.duration() as f64 / 2.0;
        if self.is_video {
            return packet.is_key() && (pts - start) as f64 >= self.target - near;
        }
        // Sound is cut at multiples of the target, whatever was cut before, so that it keeps step with pictures.
        let next = (self.segments.len() + 1) as f64 * self.target;
        (pts - self.first) as f64 >= next - near
    }

    fn cut(&mut self, until: i64) -> Result<(), AvError> {
        if !self.has_init {
            // With delay_moov the first flush writes only the initialisation segment.
            self.muxer.flush_fragment()?;
            let mut spool = self.spool.lock().unwrap_or_else(PoisonError::into_inner);
            spool.end();
            self.has_init = true;
        }
        let name = format!("seg-{:05}.m4s", self.segments.len() + 1);
        {
            let mut spool = self.spool.lock().unwrap_or_else(PoisonError::into_inner);
            spool.begin(name.clone()).map_err(io_refusal)?;
        }
        self.muxer.flush_fragment()?;
        let size_bytes = self.spool.lock().unwrap_or_else(PoisonError::into_inner).end();
        let start = self.start.unwrap_or(until);
        self.segments.push(Segment {
            name,
            duration_s: (until - start) as f64 * self.unit.value(),
            size_bytes,
        });
        self.start = Some(until);
        Ok(())
    }

    /// Writes the last segment.
    pub fn finish(mut self) -> Result<Track, AvError> {
        if self.start.is_some() {
            self.cut(self.end)?;
        }
        let mut spool = self.spool.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pieces = std::mem::take(&mut spool.pieces);
        if pieces.len() < 2 {
            return Err(AvError {
                code: -22,
                call: "finish",
                text: "nothing was encoded".to_owned(),
            });
        }
        let init = pieces.remove(0);
        Ok(Track {
            init,
            pieces,
            segments: self.segments,
        })
    }
}

/// A refusal of the file system in libav's terms, so that a full disk is told the same way everywhere.
fn io_refusal(error: io::Error) -> AvError {
    AvError::new(-error.raw_os_error().unwrap_or(5), "open")
}
