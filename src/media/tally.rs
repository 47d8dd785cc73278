//! What is in an output, by reading all of it: packets, times, key frames, what its first and last pictures decode to,
//! and how loud it is.
//!
//! Guarantees: every packet is read. Deliberately absent: what should be there, which `verify` compares.

use crate::media::av::AvError;
use crate::media::av::Decoder;
use crate::media::av::Demuxer;
use crate::media::av::Packet;
use crate::media::av::Source;
use crate::media::av::mastering;
use crate::media::av::parameters::Kind;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::facts::MediaFacts;
use crate::media::facts::StreamFacts;
use crate::media::facts::StreamKind;
use crate::media::hearing::Hearing;
use crate::media::last_gop::LastGop;
use crate::media::last_gop::LastPictures;
use crate::media::limits::Limits;
use crate::media::loudness::Loudness;
use crate::media::over_time::Bits;
use crate::media::product::TrackKind;
use crate::media::product::TrackSeries;
use crate::media::verify::Expected;

/// Packets of one stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counted {
    /// Packets that are played.
    pub frames: u64,
    /// Seconds of the first.
    pub first_s: Option<f64>,
    /// Of the last.
    pub last_s: f64,
    /// Where the last ends.
    pub end_s: f64,
    /// Nobody says how long the last is shown: it has no length, or packets are not stored in the order in which they are
    /// shown, so that their lengths are those of decoding.
    pub is_open: bool,
}

/// What reading all packets came to.
pub struct Tally {
    /// By stream.
    pub counted: Vec<Counted>,
    /// What was heard of the tracks whose loudness counts, by their number.
    pub heard: Heard,
    /// What the first picture, or its container, says of light.
    pub metadata: HdrMetadata,
    /// When each key frame is shown, seconds.
    pub keys_s: Vec<f64>,
    /// Pictures and sound over their length, as far as bits tell.
    pub series: Vec<TrackSeries>,
    /// What the pictures from the last key frame on came to.
    pub last: Option<LastPictures>,
}

/// What was heard of the tracks whose loudness counts, by their number.
pub type Heard = Vec<(usize, Option<Loudness>)>;

/// Reads every packet, decodes pictures until the first comes out and those from the last key frame on, and the sound
/// whose loudness counts. Times are counted from the beginning that the output should have.
pub fn count(demuxer: &mut Demuxer, facts: &MediaFacts, expected: &Expected) -> Result<Tally, AvError> {
    let mut metadata = HdrMetadata::default();
    let mut counted = vec![Counted::default(); facts.streams.len()];
    let mut first_picture = None;
    let mut last_gop = None;
    let mut keys_s = Vec::new();
    for stream in demuxer.streams() {
        let parameters = stream.parameters()?;
        if parameters.kind() == Kind::Video && !stream.is_attached_picture() {
            let decoder = Decoder::open(&parameters, stream.time_base(), 1, &Limits::default())?;
            first_picture = Some((stream.index(), decoder, false));
            metadata = stream.hdr_metadata();
            last_gop = Some(LastGop::new(parameters, stream.time_base()));
            break;
        }
    }
    let mut hearings = Vec::new();
    let mut tracks = 0;
    for stream in demuxer.streams() {
        let parameters = stream.parameters()?;
        if parameters.kind() == Kind::Audio {
            if expected
                .audios
                .get(tracks)
                .is_some_and(|audio| audio.loudness.is_some())
            {
                hearings.push((tracks, stream.index(), Hearing::open(&parameters, stream.time_base())?));
            }
            tracks += 1;
        }
    }
    let mut bits: Vec<Bits> = vec![Bits::default(); facts.streams.len()];
    let mut packet = Packet::new()?;
    while demuxer.read(&mut packet)? {
        let index = packet.stream_index();
        for (_, _, hearing) in hearings.iter_mut().filter(|(_, stream, _)| *stream == index) {
            hearing.take(&packet)?;
        }
        let (Some(stream), Some(counted)) = (facts.streams.get(index), counted.get_mut(index)) else {
            continue;
        };
        if let Some((video, decoder, decoded)) = &mut first_picture
            && *video == index
            && !*decoded
        {
            decoder.send(&packet)?;
            if let Some(frame) = decoder.receive()? {
                *decoded = true;
                metadata = mastering::of_frame(&frame).or(metadata);
            }
        }
        let unit = stream.time_base.value();
        let pts_s = packet.pts().or_else(|| packet.dts()).unwrap_or(0) as f64 * unit - expected.start_s;
        if let (Some((video, _, _)), Some(last_gop)) = (&first_picture, &mut last_gop)
            && *video == index
        {
            last_gop.take(&packet)?;
            if packet.is_key() {
                keys_s.push(pts_s);
            }
        }
        if let Some(bits) = bits.get_mut(index) {
            bits.add(pts_s, packet.size_bytes());
        }
        let end_s = pts_s + packet.duration() as f64 * unit;
        if pts_s < 0.0 && end_s <= 0.0 {
            // The encoder's padding.
            continue;
        }
        counted.frames += 1;
        counted.first_s = Some(
            counted
                .first_s
                .map_or(pts_s.max(0.0), |first_s| first_s.min(pts_s.max(0.0))),
        );
        counted.is_open |= pts_s < counted.last_s;
        counted.last_s = counted.last_s.max(pts_s);
        counted.end_s = counted.end_s.max(end_s);
    }
    if let Some((_, decoder, false)) = &mut first_picture {
        decoder.send_end()?;
        match decoder.receive()? {
            Some(frame) => metadata = mastering::of_frame(&frame).or(metadata),
            None => {
                return Err(AvError {
                    code: -22,
                    call: "decode",
                    text: "no picture of it can be decoded".to_owned(),
                });
            }
        }
    }
    for (counted, said) in counted.iter_mut().zip(&facts.streams) {
        let Some(first_s) = counted.first_s.filter(|_| counted.end_s <= counted.last_s) else {
            continue;
        };
        counted.is_open = true;
        // Packets of fragments do not say how long the last picture lasts; it lasts as long as the others, one alone as
        // long as its track.
        counted.end_s = counted.last_s
            + match counted.frames {
                ..=1 => said.duration_s.unwrap_or(0.0),
                frames => (counted.last_s - first_s) / (frames - 1) as f64,
            };
    }
    let series = series(facts, &counted, &bits);
    let mut heard = Vec::new();
    for (number, _, hearing) in hearings {
        heard.push((number, hearing.finish()?));
    }
    Ok(Tally {
        counted,
        heard,
        metadata,
        keys_s,
        series,
        last: last_gop.map(LastGop::finish).transpose()?,
    })
}

/// The tracks of pictures and sound with their bits over time.
fn series(facts: &MediaFacts, counted: &[Counted], bits: &[Bits]) -> Vec<TrackSeries> {
    let tracks = facts.streams.iter().zip(counted).zip(bits).enumerate();
    let of = |(stream, ((said, counted), bits)): (usize, ((&StreamFacts, &Counted), &Bits))| {
        let kind = match &said.kind {
            StreamKind::Video(video) if !video.attached_picture => TrackKind::Video,
            StreamKind::Audio(_) => TrackKind::Audio,
            _ => return None,
        };
        Some(TrackSeries {
            stream,
            kind,
            bitrate: bits.series(counted.first_s.unwrap_or(0.0), counted.end_s),
            loudness: None,
        })
    };
    tracks.filter_map(of).collect()
}

/// Decodes the first picture of something that holds nothing else worth knowing.
pub fn shows_a_picture(source: Source) -> Result<bool, AvError> {
    let mut demuxer = Demuxer::open(source, &Limits::default())?;
    let found = demuxer.streams().find_map(|stream| {
        let parameters = stream.parameters().ok()?;
        (parameters.kind() == Kind::Video).then(|| (stream.index(), parameters, stream.time_base()))
    });
    let Some((index, parameters, unit)) = found else {
        return Ok(false);
    };
    let mut decoder = Decoder::open(&parameters, unit, 1, &Limits::default())?;
    let mut packet = Packet::new()?;
    // What ends in the middle of a later picture is read as far as the first.
    while let Ok(true) = demuxer.read(&mut packet) {
        if packet.stream_index() == index {
            decoder.send(&packet)?;
            break;
        }
    }
    decoder.send_end()?;
    Ok(decoder.receive()?.is_some() && decoder.damaged_frames() == 0)
}
