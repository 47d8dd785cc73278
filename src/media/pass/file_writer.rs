//! One file while it is written: its tracks, tags and chapters in one of the containers.
//!
//! Guarantees: packets of all tracks stand in the order of time. Deliberately absent: codecs; which container may hold
//! which stands in `spec_check`.

use crate::media::av::AvError;
use crate::media::av::Dict;
use crate::media::av::Muxer;
use crate::media::av::Packet;
use crate::media::av::Parameters;
use crate::media::av::Stream;
use crate::media::av::packet::rescale;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::facts::Ratio;
use crate::media::language;
use crate::media::pass::output::TrackId;
use crate::media::spec::Container;
use std::collections::BTreeMap;
use std::path::Path;

/// Longest time that sound and pictures wait for text.
const TEXT_WAIT_S: f64 = 1.0;
const COVER_UNIT: Ratio = Ratio { num: 1, den: 90_000 };

/// A track to be written.
#[derive(Debug, Clone)]
pub struct TrackIn<'a> {
    /// What feeds it.
    pub id: TrackId,
    /// What the muxer must know of it.
    pub parameters: &'a Parameters,
    /// Unit of the packets to come.
    pub unit: Ratio,
    /// Frames a second of pictures.
    pub rate: Option<Ratio>,
    /// The stream of the source that is copied, if this is a copy: what its container says of it is said again.
    pub source: Option<Stream<'a>>,
    /// For which light HDR pictures were graded.
    pub metadata: HdrMetadata,
    /// Tags: `language`, `title`.
    pub tags: BTreeMap<String, String>,
    /// Players choose it by themselves.
    pub default: bool,
    /// What else it is marked as, see [`StreamFacts`](crate::media::facts::StreamFacts).
    pub dispositions: Vec<String>,
}

/// What a file says beside its tracks.
#[derive(Debug, Default)]
pub struct FileTags {
    /// Chapters, seconds of the output.
    pub chapters: Vec<(f64, f64, Option<String>)>,
    /// Title, comment ...
    pub tags: BTreeMap<String, String>,
    /// A picture that stands for the whole.
    pub cover: Option<Cover>,
}

/// A picture that stands for a file of sound.
#[derive(Debug)]
pub struct Cover {
    /// What the muxer must know of it.
    pub parameters: Parameters,
    /// Its data.
    pub packet: Packet,
}

impl Cover {
    /// The same once more.
    pub fn share(&self) -> Option<Self> {
        Some(Cover {
            parameters: self.parameters.duplicate().ok()?,
            packet: self.packet.share().ok()?,
        })
    }
}

#[derive(Debug)]
struct Slot {
    id: TrackId,
    stream: usize,
    unit: Ratio,
    muxer_unit: Ratio,
    /// What is added to the times of its packets.
    shift: i64,
}

/// A file of one or more tracks.
#[derive(Debug)]
pub struct FileWriter {
    muxer: Muxer,
    slots: Vec<Slot>,
}

impl FileWriter {
    /// Begins a file with its tracks.
    pub fn create(path: &Path, container: Container, tracks: &[TrackIn<'_>], tags: &FileTags) -> Result<Self, AvError> {
        let mut muxer = Muxer::to_file(muxer_name(container), path)?;
        let mut options = Dict::new();
        if container == Container::Ts {
            let rate = tracks.iter().find_map(|track| track.rate);
            muxer.set_longest_delay(transport_delay_us(rate));
            muxer.keep_negative_times();
        }
        let is_iso = matches!(container, Container::Mp4 | Container::M4a | Container::Mov);
        if is_iso {
            options.set("movflags", "+faststart")?;
        }
        match container {
            Container::Wav => options.set("rf64", "auto")?,
            // The LAME tag cannot say less, and libav writes nonsense into it then.
            Container::Mp3
                if tracks
                    .iter()
                    .any(|track| track.parameters.initial_padding() < MP3_DECODER_DELAY) =>
            {
                options.set("write_xing", "0")?;
            }
            // Older versions of libav call Opus and FLAC in MP4 experimental.
            Container::Mp4 | Container::M4a => options.set("strict", "experimental")?,
            _ => {}
        }
        let mut slots = Vec::new();
        for track in tracks {
            let stream = muxer.add_stream(track.parameters, track.unit)?;
            if let Some(rate) = track.rate {
                muxer.set_frame_rate(stream, rate);
                if is_iso {
                    options.set("video_track_timescale", &track.unit.den.to_string())?;
                }
            }
            muxer.set_hdr_metadata(stream, &track.metadata)?;
            if let Some(source) = track.source {
                muxer.say_as(stream, &source)?;
            }
            let mut tags = spoken(container, &track.tags);
            if let Some(title) = tags.get("title").filter(|_| is_iso).cloned() {
                // Where these containers keep what a track is called.
                tags.insert("handler_name".to_owned(), title);
            }
            if !tags.is_empty() {
                muxer.set_stream_tags(stream, &tags)?;
            }
            muxer.set_dispositions(stream, track.default, &track.dispositions);
            slots.push((track.id, stream, track.unit, delay_said_apart(container, track)));
        }
        if tracks.iter().any(|track| matches!(track.id, TrackId::Text(_))) {
            // Text is silent for minutes; its packets come before those they belong to.
            muxer.wait_at_most(TEXT_WAIT_S);
        }
        let cover = match &tags.cover {
            None => None,
            Some(cover) => {
                let stream = muxer.add_stream(&cover.parameters, COVER_UNIT)?;
                muxer.mark_cover(stream);
                Some((stream, cover.packet.share()?))
            }
        };
        if matches!(container, Container::Mkv | Container::Webm) {
            // Matroska has a field for an encoder's delay; shifting all tracks would count it twice.
            muxer.keep_negative_times();
        }
        muxer.set_tags(&tags.tags)?;
        if !tags.chapters.is_empty() {
            muxer.add_chapters(&tags.chapters)?;
        }
        muxer.begin(options)?;
        if let Some((stream, mut packet)) = cover {
            packet.set_stream_index(stream);
            packet.set_times(Some(0), Some(0), 0);
            muxer.write_interleaved(&mut packet)?;
        }
        let slots = slots
            .into_iter()
            .map(|(id, stream, unit, shift)| Slot {
                id,
                stream,
                unit,
                shift,
                muxer_unit: muxer.time_base(stream).unwrap_or(unit),
            })
            .collect();
        Ok(FileWriter { muxer, slots })
    }

    /// Writes a packet of a track; one of a track that this file does not have is passed over.
    pub fn write(&mut self, track: TrackId, mut packet: Packet) -> Result<(), AvError> {
        let Some(slot) = self.slots.iter().find(|slot| slot.id == track) else {
            return Ok(());
        };
        packet.set_stream_index(slot.stream);
        if slot.shift != 0 {
            let moved = |time: Option<i64>| time.map(|time| time + slot.shift);
            let (pts, dts, duration) = (moved(packet.pts()), moved(packet.dts()), packet.duration());
            packet.set_times(pts, dts, duration);
        }
        packet.rescale(slot.unit, slot.muxer_unit);
        self.muxer.write_interleaved(&mut packet)
    }

    /// Writes the end of the file.
    pub fn finish(self) -> Result<(), AvError> {
        self.muxer.finish()
    }
}

/// Samples by which every MP3 decoder lags; the LAME tag counts from there.
const MP3_DECODER_DELAY: u32 = 529;

/// Where time 0 of the pass stands in a file of this container, seconds.
pub fn start_s(container: Container, rate: Option<Ratio>) -> f64 {
    match container {
        Container::Ts => f64::from(transport_delay_us(rate)) * 2.0 / 1e6,
        _ => 0.0,
    }
}

/// Whether a file of this container says how long its last picture is shown.
pub fn says_last_duration(container: Container) -> bool {
    !matches!(container, Container::Mkv | Container::Webm | Container::Ts)
}

/// What multiplexers usually leave, and enough for pictures that wait for four others.
fn transport_delay_us(rate: Option<Ratio>) -> u32 {
    const USUAL_US: f64 = 700_000.0;
    let four_us = rate.map_or(0.0, |rate| 4.0e6 / rate.value().max(0.1));
    USUAL_US.max(four_us / 2.0) as u32
}

/// How much later the packets of a track are written: Matroska tells the delay of Opus in a field that players take off
/// again, which libav's muxer fills without writing the packets so; browsers play nothing that begins before 0.
fn delay_said_apart(container: Container, track: &TrackIn<'_>) -> i64 {
    let rate = track.parameters.sample_rate_hz();
    if !matches!(container, Container::Mkv | Container::Webm) || track.parameters.codec_name() != "opus" || rate == 0 {
        return 0;
    }
    let sample = Ratio {
        num: 1,
        den: rate as i32,
    };
    rescale(i64::from(track.parameters.initial_padding()), sample, track.unit)
}

/// Tags of a track with the language as a container can say it.
fn spoken(container: Container, tags: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut tags = tags.clone();
    if let Some(said) = tags.get("language") {
        let code = match container {
            Container::Mp4 | Container::M4a | Container::Ts => language::long(said),
            Container::Mov => language::of_quicktime(said),
            _ => None,
        };
        tags.extend(code.map(|code| ("language".to_owned(), code)));
    }
    tags
}

/// libav's name of the muxer of a container.
fn muxer_name(container: Container) -> &'static str {
    match container {
        Container::Mp4 | Container::M4a => "mp4",
        Container::Mov => "mov",
        Container::Mkv => "matroska",
        Container::Webm => "webm",
        Container::Ts => "mpegts",
        Container::Mp3 => "mp3",
        Container::Flac => "flac",
        Container::Wav => "wav",
        Container::Ogg => "ogg",
    }
}
