//! What a container and the headers of its codecs say of a file, as facts.
//!
//! Guarantees: complete as far as libav tells; nothing is decoded. Deliberately absent: judgement of them (`probe`), and what
//! only pictures tell.

use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Decoder;
use crate::media::av::Demuxer;
use crate::media::av::Stream;
use crate::media::av::color;
use crate::media::av::parameters::Kind;
use crate::media::av::parameters::Parameters;
use crate::media::facts::AudioFacts;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::facts::StreamFacts;
use crate::media::facts::StreamKind;
use crate::media::facts::TimecodeFacts;
use crate::media::facts::VideoFacts;
use crate::media::timecode::Timecode;
use std::collections::BTreeMap;

/// Facts of an opened file.
pub fn of(demuxer: &Demuxer) -> Result<MediaFacts, AvError> {
    let mut streams = Vec::new();
    for stream in demuxer.streams() {
        streams.push(stream_facts(demuxer, &stream)?);
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

fn stream_facts(demuxer: &Demuxer, stream: &Stream<'_>) -> Result<StreamFacts, AvError> {
    let parameters = stream.parameters()?;
    let time_base = stream.time_base();
    let seconds = |ticks: i64| ticks as f64 * time_base.value();
    let kind = match parameters.kind() {
        Kind::Video => StreamKind::Video(video_facts(demuxer, stream, &parameters)),
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

fn video_facts(demuxer: &Demuxer, stream: &Stream<'_>, parameters: &Parameters) -> VideoFacts {
    // Of a bare stream libav 7 goes by this rate and says that of the demuxer, which is always 25.
    let coded_rate = parameters.frame_rate().filter(|_| demuxer.has_no_times());
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
        frame_rate: coded_rate.or_else(|| stream.real_frame_rate()),
        average_frame_rate: coded_rate.or_else(|| stream.average_frame_rate()),
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
        is_opaque: false,
        is_rate_assumed: demuxer.has_no_times() && coded_rate.is_none() && Parameters::tell_frame_rates(),
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
pub fn orientation(matrix: [i32; 9]) -> (u32, bool) {
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
