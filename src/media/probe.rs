//! Facts of a file, and the refusal of what cannot be worked on.
//!
//! Guarantees: every refusal names what is wrong with the source; a file is never refused because of a stream
//! nobody needs. Deliberately absent: decoding beyond what the codecs' headers need, and truncation inside the
//! data, which the pass finds before it starts (see [`Opened::missing_data`]).

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Decoder;
use crate::media::av::Demuxer;
use crate::media::av::Source;
use crate::media::av::Stream;
use crate::media::av::color;
use crate::media::av::log;
use crate::media::av::parameters::Kind;
use crate::media::av::parameters::Parameters;
use crate::media::error;
use crate::media::facts::AudioFacts;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::facts::StreamFacts;
use crate::media::facts::StreamKind;
use crate::media::facts::TimecodeFacts;
use crate::media::facts::VideoFacts;
use crate::media::heif;
use crate::media::iso_box::IsoBox;
use crate::media::jpeg_parts;
use crate::media::length;
use crate::media::limits::Limits;
use crate::media::matroska_chapters;
use crate::media::protection;
use crate::media::protection::Protection;
use crate::media::timecode::Timecode;
use crate::media::wholeness;
use crate::media::wholeness::Wholeness;
use std::collections::BTreeMap;
use std::sync::OnceLock;

const OPERATION: &str = "probe";

/// A source that can be worked on, opened.
#[derive(Debug)]
pub struct Opened {
    /// Its demuxer, at the beginning.
    pub demuxer: Demuxer,
    /// Its facts.
    pub facts: MediaFacts,
    /// What its container says of its length.
    pub wholeness: Wholeness,
    /// What of its data is missing, once somebody asked.
    missing: OnceLock<Option<String>>,
}

/// Facts of a source.
pub fn probe(source: Source, limits: &Limits) -> Result<MediaFacts, Fault> {
    open(source, limits).map(|opened| opened.facts)
}

/// Opens a source and learns its facts.
pub fn open(source: Source, limits: &Limits) -> Result<Opened, Fault> {
    log::start();
    log::forget();
    let name = source.name().to_owned();
    if source.size_bytes() == 0 {
        return Err(error::source_empty(OPERATION, &name));
    }
    let wholeness =
        wholeness::look(&source).map_err(|cause| error::source_unreadable(OPERATION, &name, cause.to_string()))?;
    let signature =
        wholeness::signature(&source).map_err(|cause| error::source_unreadable(OPERATION, &name, cause.to_string()))?;
    let picture = heif::look(&source).map_err(|cause| error::source_unreadable(OPERATION, &name, cause.to_string()))?;
    if let Some(picture) = picture.filter(|picture| picture.is_tiled) {
        let cause = format!("it is {} in tiles, which are not put together here", picture.word());
        return Err(error::picture_undecodable(OPERATION, &name, cause));
    }
    let protection =
        protection::look(&source).map_err(|cause| error::source_unreadable(OPERATION, &name, cause.to_string()))?;
    let is_photograph =
        jpeg_parts::has_more(&source).map_err(|cause| error::source_unreadable(OPERATION, &name, cause.to_string()))?;
    let chapters = matroska_chapters::count(&source)
        .map_err(|cause| error::source_unreadable(OPERATION, &name, cause.to_string()))?;
    let (watch, again) = (source.watch(), source.again());
    let demuxer = Demuxer::open(source, limits).map_err(|refusal| match watch.trouble() {
        Some(trouble) => error::source_unreadable(OPERATION, &name, trouble),
        None => match picture.filter(|_| wholeness == Wholeness::Whole) {
            Some(picture) => {
                let cause = format!("it is {}, a kind that the libav here does not open", picture.word());
                error::picture_undecodable(OPERATION, &name, cause)
            }
            None => refused(&name, &refusal, &wholeness, signature),
        },
    })?;
    let mut facts = facts(&demuxer).map_err(|refusal| error::source_refused(OPERATION, &name, &refusal))?;
    facts.unread_chapters = chapters.saturating_sub(u32::try_from(facts.chapters.len()).unwrap_or(u32::MAX));
    if length::is_wanted(&demuxer, &facts, &wholeness) {
        length::measure(again, limits, &mut facts).map_err(|refusal| match watch.trouble() {
            Some(trouble) => error::source_unreadable(OPERATION, &name, trouble),
            None => error::source_refused(OPERATION, &name, &refusal),
        })?;
    }
    if is_photograph {
        facts.keep_one_picture();
    }
    refuse_the_hopeless(&name, &demuxer, &facts, limits, &protection)?;
    Ok(Opened {
        demuxer,
        facts,
        wholeness,
        missing: OnceLock::new(),
    })
}

fn refused(name: &str, refusal: &AvError, wholeness: &Wholeness, signature: Option<&str>) -> Fault {
    if *wholeness == Wholeness::NoIndex {
        return error::source_truncated(
            OPERATION,
            name,
            "the file has no index (moov box): the recording or the copy was not finished",
        );
    }
    if let Wholeness::Short { declared_bytes, part } = wholeness {
        return error::source_truncated(
            OPERATION,
            name,
            format!("its {part} declares {declared_bytes} bytes, which are not there"),
        );
    }
    // libav says "no memory" of this limit.
    if log::errors().iter().any(|line| line.contains("exceeds max_streams")) {
        return error::source_over_limit(OPERATION, name, "it has more streams than are looked at");
    }
    if refusal.is_no_memory() {
        return error::source_refused(OPERATION, name, refusal);
    }
    if let Some(container) = signature {
        return error::source_undecodable(
            OPERATION,
            name,
            format!(
                "it begins as {container}, which cannot be opened{}",
                log::errors()
                    .pop()
                    .map_or(String::new(), |line| format!("; libav said: {line}"))
            ),
        );
    }
    error::source_not_media(
        OPERATION,
        name,
        "the content is none of the audio or video containers that are opened here",
    )
}

fn refuse_the_hopeless(
    name: &str,
    demuxer: &Demuxer,
    facts: &MediaFacts,
    limits: &Limits,
    protection: &Protection,
) -> Result<(), Fault> {
    if facts.streams.len() > limits.max_streams as usize {
        return Err(error::source_over_limit(
            OPERATION,
            name,
            format!("{} streams are more than {}", facts.streams.len(), limits.max_streams),
        ));
    }
    if let Some(duration_s) = facts
        .duration_s
        .filter(|duration_s| *duration_s > limits.max_duration_s)
    {
        return Err(error::source_over_limit(
            OPERATION,
            name,
            format!("{duration_s:.0} s are longer than {:.0} s", limits.max_duration_s),
        ));
    }
    if let Some((_, video)) = facts.main_video() {
        let pixels = u64::from(video.width) * u64::from(video.height);
        if pixels > limits.max_pixels {
            return Err(error::source_over_limit(
                OPERATION,
                name,
                format!(
                    "pictures of {}x{} are larger than {} pixels",
                    video.width, video.height, limits.max_pixels
                ),
            ));
        }
    }
    if let Some(scheme) = protection.scheme.clone().or_else(|| encryption(demuxer, facts)) {
        return Err(error::source_encrypted(
            OPERATION,
            name,
            format!("the content is encrypted ({scheme})"),
        ));
    }
    let pictures = facts
        .streams
        .iter()
        .filter(|stream| matches!(&stream.kind, StreamKind::Video(video) if !video.attached_picture));
    let sounds = facts
        .streams
        .iter()
        .filter(|stream| matches!(stream.kind, StreamKind::Audio(_)));
    let (mut pictures, mut sounds) = (pictures.peekable(), sounds.peekable());
    let lost = if pictures.peek().is_some() {
        pictures.next().filter(|_| facts.main_video().is_none())
    } else if sounds.peek().is_some() {
        sounds.next().filter(|_| facts.main_audio().is_none())
    } else if facts
        .streams
        .iter()
        .any(|stream| matches!(&stream.kind, StreamKind::Video(_)))
    {
        None
    } else {
        return Err(error::source_not_media(
            OPERATION,
            name,
            "it holds neither pictures nor sound",
        ));
    };
    match lost {
        None => Ok(()),
        Some(_) if protection.is_scrambled => Err(error::source_encrypted(
            OPERATION,
            name,
            "the packets of the transport stream are scrambled",
        )),
        Some(stream) => Err(error::source_undecodable(OPERATION, name, why_undecodable(stream))),
    }
}

fn why_undecodable(stream: &StreamFacts) -> String {
    let codec = if stream.codec_name == "none" {
        format!("with the tag {}", stream.codec_tag_string.trim())
    } else {
        stream.codec_name.clone()
    };
    match &stream.kind {
        StreamKind::Video(video) if video.width == 0 => {
            format!("its video ({codec}) has no picture size: no whole header was found")
        }
        StreamKind::Video(_) => format!("its video codec {codec} cannot be decoded here"),
        _ => format!("its audio codec {codec} cannot be decoded here"),
    }
}

fn encryption(demuxer: &Demuxer, facts: &MediaFacts) -> Option<String> {
    if let Some(said) = facts.tags.get("encryption") {
        return Some(said.clone());
    }
    demuxer.streams().zip(&facts.streams).find_map(|(stream, facts)| {
        let protected_tag = matches!(facts.codec_tag_string.as_str(), "encv" | "enca" | "drms" | "drmi");
        let is_tagged = facts
            .codec_tag_string
            .chars()
            .any(|letter| letter.is_ascii_alphabetic());
        let tag = if is_tagged {
            &facts.codec_tag_string
        } else {
            &facts.codec_name
        };
        (protected_tag || stream.is_encrypted()).then(|| format!("stream {}, {tag}", facts.index))
    })
}

/// Facts of an opened file.
pub fn facts(demuxer: &Demuxer) -> Result<MediaFacts, AvError> {
    let mut streams = Vec::new();
    for stream in demuxer.streams() {
        streams.push(stream_facts(&stream)?);
    }
    let programs = demuxer.programs();
    if programs.len() > 1 {
        for stream in &mut streams {
            let of = programs
                .iter()
                .filter(|program| program.streams.contains(&stream.index));
            stream.programs = of.map(|program| program.number).collect();
        }
    }
    let bit_rate = demuxer.bit_rate();
    Ok(MediaFacts {
        format_name: demuxer.format_name(),
        format_long_name: demuxer.format_long_name(),
        duration_s: demuxer.duration_s(),
        start_time_s: demuxer.start_time_s(),
        size_bytes: demuxer.size_bytes(),
        bitrate_kbps: (bit_rate > 0).then_some(bit_rate as f64 / 1000.0),
        streams,
        chapters: demuxer.chapters(),
        unread_chapters: 0,
        tags: demuxer.tags(),
        timecode: timecode(demuxer),
    })
}

/// Timecode as tracks and tags have it.
fn timecode(demuxer: &Demuxer) -> Option<TimecodeFacts> {
    let of_tags = |tags: BTreeMap<String, String>| {
        let found = tags.into_iter().find(|(key, _)| key.eq_ignore_ascii_case("timecode"));
        found.map(|(_, value)| value)
    };
    let is_track = |stream: &Stream<'_>| {
        stream
            .parameters()
            .is_ok_and(|parameters| parameters.codec_tag_text() == "tmcd")
    };
    let pictures = demuxer.streams().find(|stream| {
        let is_video = stream
            .parameters()
            .is_ok_and(|parameters| parameters.kind() == Kind::Video);
        is_video && !stream.is_attached_picture()
    });
    let track = demuxer.streams().find(is_track);
    let rate = pictures.and_then(|stream| stream.average_frame_rate().or_else(|| stream.real_frame_rate()));
    let rate = track
        .and_then(|stream| stream.average_frame_rate())
        .or(rate)
        .filter(|rate| (1.0..=240.0).contains(&rate.value()))?;
    let of_track = track
        .and_then(|stream| of_tags(stream.tags()))
        .map(|start| (start, "track"));
    let of_pictures = || pictures.and_then(|stream| of_tags(stream.tags()));
    let (start, origin) = of_track.or_else(|| Some((of_pictures().or_else(|| of_tags(demuxer.tags()))?, "tag")))?;
    let first = Timecode::parse(&start, rate).ok()?;
    Some(TimecodeFacts {
        start: first.to_string(),
        rate,
        origin: origin.to_owned(),
    })
}

fn stream_facts(stream: &Stream<'_>) -> Result<StreamFacts, AvError> {
    let parameters = stream.parameters()?;
    let time_base = stream.time_base();
    let seconds = |ticks: i64| ticks as f64 * time_base.value();
    let kind = match parameters.kind() {
        Kind::Video => StreamKind::Video(video_facts(stream, &parameters)),
        Kind::Audio => StreamKind::Audio(AudioFacts {
            sample_rate_hz: parameters.sample_rate_hz(),
            channels: parameters.channels(),
            channel_layout: parameters.layout_name(),
            sample_format: parameters.sample_format_name(),
            bit_depth: Some(parameters.sample_bits()).filter(|bits| *bits > 0),
        }),
        Kind::Subtitle => StreamKind::Subtitle,
        Kind::Data => StreamKind::Data,
    };
    let complete = match &kind {
        StreamKind::Video(video) => video.width > 0 && video.height > 0,
        StreamKind::Audio(audio) => audio.sample_rate_hz > 0 && audio.channels > 0,
        _ => true,
    };
    let bit_rate = parameters.bit_rate();
    Ok(StreamFacts {
        index: stream.index(),
        codec_name: parameters.codec_name(),
        codec_long_name: parameters.codec_long_name(),
        profile: parameters.profile_name(),
        level: parameters.level(),
        codec_tag_string: parameters.codec_tag_text(),
        codec_tag: format!("{:#010x}", parameters.codec_tag()),
        time_base,
        start_time_s: stream.start_time().map(seconds),
        duration_s: stream.duration().map(seconds),
        bitrate_kbps: (bit_rate > 0).then_some(bit_rate as f64 / 1000.0),
        frame_count: stream.frame_count(),
        language: stream.tags().remove("language").filter(|language| language != "und"),
        title: title(stream),
        default: stream.is_default(),
        dispositions: stream.dispositions(),
        decodable: complete && Decoder::exists(&parameters),
        programs: Vec::new(),
        kind,
    })
}

/// Names that writers of ISO files put in for every track.
const GENERIC_HANDLERS: [&str; 8] = [
    "handler",
    "mainconcept",
    "core media",
    "gpac",
    "iso media",
    "alias data",
    "stereo",
    "mono",
];

/// What a track is called. ISO files keep it where most writers put the name of their code.
fn title(stream: &Stream<'_>) -> Option<String> {
    let mut tags = stream.tags();
    let handler = tags.remove("handler_name").filter(|name| {
        let name = name.to_ascii_lowercase();
        let is_generic = GENERIC_HANDLERS.iter().any(|generic| name.contains(generic));
        !is_generic && name.chars().any(|letter| letter.is_ascii_lowercase())
    });
    tags.remove("title")
        .or(handler)
        .filter(|title| !title.trim().is_empty())
}

fn video_facts(stream: &Stream<'_>, parameters: &Parameters) -> VideoFacts {
    let (rotation_degrees, mirrored) = stream.display_matrix().map_or((0, false), orientation);
    let format = parameters.pixel_format();
    let color = parameters.color();
    let bit_depth = match (format.bit_depth(), parameters.bits_per_raw_sample()) {
        (0, raw) => raw,
        (depth, _) => depth,
    };
    VideoFacts {
        width: parameters.width(),
        height: parameters.height(),
        sample_aspect_ratio: stream
            .sample_aspect_ratio()
            .or_else(|| parameters.sample_aspect_ratio())
            .filter(|sar| sane_aspect(*sar)),
        rotation_degrees,
        mirrored,
        pixel_format: format.name(),
        bit_depth,
        frame_rate: stream.real_frame_rate(),
        average_frame_rate: stream.average_frame_rate(),
        field_order: parameters.field_order().to_owned(),
        color_range: color.range_name(),
        color_primaries: color.primaries_name(),
        color_transfer: color.transfer_name(),
        color_space: color.matrix_name(),
        hdr: hdr(stream, color).to_owned(),
        has_b_frames: parameters.video_delay(),
        attached_picture: stream.is_attached_picture(),
        alpha_beside: matches!(parameters.codec_name().as_str(), "vp8" | "vp9")
            && stream.tags().get("alpha_mode").is_some_and(|mode| mode == "1"),
        dynamic_hdr: None,
    }
}

/// Shapes beyond this are damage, not anamorphic video.
fn sane_aspect(sar: Ratio) -> bool {
    (0.1..=10.0).contains(&sar.value())
}

fn hdr(stream: &Stream<'_>, color: Color) -> &'static str {
    if stream.dolby_vision().is_some() {
        "dovi"
    } else if color.transfer == color::PQ {
        "hdr10"
    } else if color.transfer == color::HLG {
        "hlg"
    } else {
        "sdr"
    }
}

/// Clockwise turn to the nearest quarter, and whether a horizontal mirroring follows it.
pub(crate) fn orientation(matrix: [i32; 9]) -> (u32, bool) {
    let [a, b, _, c, d, ..] = matrix.map(f64::from);
    let determinant = a * d - b * c;
    if determinant == 0.0 {
        return (0, false);
    }
    let mirrored = determinant < 0.0;
    let degrees = b.atan2(if mirrored { -a } else { a }).to_degrees();
    let quarters = (degrees / 90.0).round() as i64;
    ((quarters.rem_euclid(4) * 90) as u32, mirrored)
}

impl Opened {
    /// Why data that the file declares is not in it, if so; found in lengths and indexes alone.
    pub fn missing_data(&self) -> Option<String> {
        self.missing.get_or_init(|| self.look_for_missing()).clone()
    }

    fn look_for_missing(&self) -> Option<String> {
        let size_bytes = self.facts.size_bytes;
        match &self.wholeness {
            Wholeness::Short { declared_bytes, part } if !IsoBox::begins_files(part.as_bytes()) => {
                return Some(format!(
                    "it has {size_bytes} bytes where its {part} declares {declared_bytes}"
                ));
            }
            _ => {}
        }
        missing_samples(&self.demuxer)
    }
}

/// Samples of the demuxer's index that lie beyond the end of the file.
pub fn missing_samples(demuxer: &Demuxer) -> Option<String> {
    let size_bytes = demuxer.size_bytes();
    for stream in demuxer.streams() {
        let count = stream.index_len();
        let is_missing = |number: usize| {
            stream
                .index_entry(number)
                .is_some_and(|entry| entry.position.saturating_add(u64::from(entry.size_bytes)) > size_bytes)
        };
        let missing = (0..count).filter(|number| is_missing(*number)).count();
        if missing > 0 {
            return Some(format!(
                "the file has {size_bytes} bytes, and {missing} of {count} samples of stream {} lie beyond them",
                stream.index()
            ));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::orientation;

    fn matrix(a: i32, b: i32, c: i32, d: i32) -> [i32; 9] {
        [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30]
    }

    #[test]
    fn orientation_of_display_matrices() {
        assert_eq!(orientation(matrix(1, 0, 0, 1)), (0, false));
        assert_eq!(orientation(matrix(0, 1, -1, 0)), (90, false), "a phone held upright");
        assert_eq!(orientation(matrix(-1, 0, 0, -1)), (180, false));
        assert_eq!(orientation(matrix(0, -1, 1, 0)), (270, false));
        assert_eq!(orientation(matrix(-1, 0, 0, 1)), (0, true), "mirrored left to right");
        assert_eq!(
            orientation(matrix(1, 0, 0, -1)),
            (180, true),
            "upside down by mirroring"
        );
        assert_eq!(orientation([0; 9]), (0, false), "a matrix of zeros says nothing");
    }
}
