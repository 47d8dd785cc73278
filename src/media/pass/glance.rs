//! A first look at the pictures of a source, before anything is opened for writing: what headers leave out or get
//! wrong is learned from the first pictures themselves.
//!
//! Guarantees: what was read is given back to the demuxer, so nothing is lost or read twice; memory is bounded. Errors
//! are left for the pass to find. Deliberately absent: decisions about outputs.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Decoder;
use crate::media::av::Demuxer;
use crate::media::av::Frame;
use crate::media::av::Graph;
use crate::media::av::Packet;
use crate::media::av::PixelFormat;
use crate::media::av::color;
use crate::media::av::filter::GraphInput;
use crate::media::av::mastering;
use crate::media::av::stream::DolbyVision;
use crate::media::container_facts;
use crate::media::count_message::Counting;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::facts::StreamKind;
use crate::media::facts::TimecodeFacts;
use crate::media::facts::VideoFacts;
use crate::media::grading;
use crate::media::limits::Limits;
use crate::media::pass::fields::Fields;
use crate::media::pass::fields::Parity;
use crate::media::timecode::Timecode;
use crate::media::timeline;

/// Pictures looked at where fields are in doubt: about four seconds of film in 3:2 pulldown.
const DOUBTFUL_PICTURES: u32 = 120;
/// Coded data kept for it.
const MAX_KEPT_BYTES: usize = 48 << 20;
/// Packets read without finding a picture.
const MAX_PACKETS: usize = 20_000;
/// Heights of pictures that television made of two fields.
const FIELD_HEIGHTS: [u32; 11] = [480, 484, 486, 512, 576, 578, 592, 608, 1080, 1088, 1035];
/// Codecs whose pictures say for themselves, always.
const SPEAKING_CODECS: [&str; 14] = [
    "h264",
    "hevc",
    "vp8",
    "vp9",
    "av1",
    "vvc",
    "gif",
    "apng",
    "webp",
    "theora",
    "vp6",
    "vp6f",
    "mpeg2video",
    "dvvideo",
];

/// Codecs whose pictures may carry timecode.
const TIMED_CODECS: [&str; 5] = ["h264", "hevc", "mpeg1video", "mpeg2video", "dvvideo"];
/// Codecs whose pictures carry captions.
const CAPTIONED_CODECS: [&str; 4] = ["h264", "hevc", "mpeg2video", "av1"];
/// Captioned television has something, if only filling, in every picture; after so many without there are none.
const CAPTIONLESS_PICTURES: u32 = 60;

/// What the first pictures are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Glance {
    /// What their numbers mean, every gap filled.
    pub color: Color,
    /// For which light they were graded.
    pub metadata: HdrMetadata,
    /// Their pixel format.
    pub format: PixelFormat,
    /// Their size as displayed.
    pub display: (u32, u32),
    /// Their fields.
    pub fields: Fields,
    /// Dolby Vision, and what is below it.
    pub dolby_vision: Option<DolbyVision>,
    /// The container says how they are turned; what pictures say for themselves does not count then.
    pub is_turned_by_container: bool,
    /// Closed captions are inside them; decoders of devices do not tell.
    pub has_captions: bool,
}

impl Glance {
    /// Of a source without pictures.
    pub fn of_nothing() -> Self {
        Glance {
            color: Color::BT709,
            metadata: HdrMetadata::default(),
            format: PixelFormat::YUV420P,
            display: (0, 0),
            fields: Fields::AsMarked,
            dolby_vision: None,
            is_turned_by_container: false,
            has_captions: false,
        }
    }
}

/// How closely the first pictures are looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Looking {
    /// The demuxer stands at the beginning.
    pub is_from_start: bool,
    /// Until captions are found, or are not where they would be.
    pub for_captions: bool,
}

/// Looks at the first pictures from where the demuxer stands, which may be its beginning, corrects the facts by them, and
/// gives back what it read.
pub fn look(
    demuxer: &mut Demuxer,
    facts: &mut MediaFacts,
    limits: &Limits,
    threads: u32,
    looking: Looking,
) -> Result<Glance, AvError> {
    let Some((stream, video)) = facts.main_video() else {
        return Ok(Glance::of_nothing());
    };
    let (index, unit, codec) = (stream.index, stream.time_base, stream.codec_name.clone());
    let mut video = video.clone();
    let Some(raw) = demuxer.stream(index) else {
        return Ok(Glance::of_nothing());
    };
    let parameters = raw.parameters()?;
    let container_metadata = raw.hdr_metadata();
    let dolby_vision = raw.dolby_vision();
    let is_turned_by_container = raw.display_matrix().is_some() && (video.rotation_degrees != 0 || video.mirrored);
    let mut decoder = Decoder::open(&parameters, unit, threads, limits)?;
    let mut look = Look {
        wanted: 1,
        pictures: Vec::new(),
        fields: None,
        seen: 0,
        has_captions: false,
        counting: Counting::new(&codec, parameters.extradata()),
    };
    let mut kept = Vec::new();
    let mut kept_bytes = 0;
    let mut reached_end = false;
    let for_captions = looking.for_captions && CAPTIONED_CODECS.contains(&codec.as_str());
    while (look.seen < look.wanted || for_captions && look.misses_captions())
        && kept_bytes < MAX_KEPT_BYTES
        && kept.len() < MAX_PACKETS
    {
        let mut packet = Packet::new()?;
        match demuxer.read(&mut packet) {
            Ok(true) => {}
            Ok(false) => {
                reached_end = true;
                break;
            }
            Err(_) => break,
        }
        if packet.stream_index() == index && look.seen == 0 {
            look.counting.look(packet.data());
        }
        if packet.stream_index() == index && decoder.send(&packet).is_ok() {
            look.receive(&mut decoder, unit, &video, &codec)?;
        }
        kept_bytes += packet.size_bytes();
        kept.push(packet);
    }
    if (reached_end || look.seen == 0) && decoder.send_end().is_ok() {
        look.receive(&mut decoder, unit, &video, &codec)?;
    }
    if looking.is_from_start {
        say_starts(facts, &kept);
    }
    demuxer.give_back(kept);

    let first = look.pictures.first();
    let (said, format) = match first {
        Some(first) => (or_else(first.color, parameters.color()), first.format),
        None => (parameters.color(), parameters.pixel_format()),
    };
    if let Some(first) = first {
        // Streams that change their size begin at any; the one the file declares is the one they are meant for.
        if video.width == 0 || video.height == 0 {
            (video.width, video.height) = (first.width, first.height);
        }
        video.sample_aspect_ratio = video.sample_aspect_ratio.or(first.aspect);
        video.dynamic_hdr = first.dynamic_hdr.map(str::to_owned);
        video.is_opaque = first.format == PixelFormat::PAL8 && first.is_opaque;
        if let Some(matrix) = first.matrix.filter(|_| !is_turned_by_container) {
            (video.rotation_degrees, video.mirrored) = container_facts::orientation(matrix);
        }
    }
    let display = video.display_size();
    let color = grading::completed(base_of(said, dolby_vision), format, display.0, display.1);
    let glance = Glance {
        color,
        metadata: first
            .map_or_else(HdrMetadata::default, |first| first.metadata)
            .or(container_metadata),
        format,
        display,
        fields: look
            .fields
            .map_or(Fields::AsMarked, |count| count.verdict(&video, format)),
        dolby_vision,
        is_turned_by_container,
        has_captions: look.has_captions,
    };
    if let Some((at, timecode)) = look.pictures.into_iter().next().and_then(|first| first.timecode)
        && facts.timecode.is_none()
        && is_first(at, unit, facts, looking.is_from_start)
    {
        facts.timecode = Some(timecode);
    }
    for stream in &mut facts.streams {
        if stream.index == index {
            stream.kind = StreamKind::Video(video.clone());
        }
    }
    Ok(glance)
}

/// When streams begin of which the container did not say so, as of those of one picture: by their first packets.
fn say_starts(facts: &mut MediaFacts, packets: &[Packet]) {
    if facts.start_time_s.is_some() {
        return;
    }
    for stream in &mut facts.streams {
        let mine = packets.iter().filter(|packet| packet.stream_index() == stream.index);
        let first = mine.filter_map(Packet::pts).min();
        let start_s = first.map(|pts| pts as f64 * stream.time_base.value());
        stream.start_time_s = stream.start_time_s.or(start_s);
    }
    let starts = facts.streams.iter().filter_map(|stream| stream.start_time_s);
    facts.start_time_s = starts.min_by(f64::total_cmp);
}

/// Timecode of a picture, and its time stamp. All zeros are what encoders write that know none. `drops`: its message says
/// that it counts as drop frame does, which its label may not.
fn timecode_of(frame: &Frame, video: &VideoFacts, drops: bool) -> Option<(Option<i64>, TimecodeFacts)> {
    let rate = video.nominal_rate()?;
    let label = Timecode::parse(&frame.timecode(rate)?, rate).ok()?;
    let label = label.dropping().filter(|_| drops).unwrap_or(label);
    let timecode = TimecodeFacts {
        start: label.to_string(),
        rate,
        origin: "picture".to_owned(),
    };
    (label.frame() > 0).then(|| (frame.best_pts(), timecode))
}

/// Whether a time stamp of the pictures is that of the first. `is_from_start`: it is of the first one that was decoded,
/// which has no time in raw streams, and in some containers that of its decoding.
fn is_first(at: Option<i64>, unit: Ratio, facts: &MediaFacts, is_from_start: bool) -> bool {
    let start_s = facts.main_video().and_then(|(stream, _)| stream.start_time_s);
    match (at, start_s) {
        (Some(at), Some(start_s)) => {
            let late_s = at as f64 * unit.value() - start_s;
            late_s.abs() < 0.001 || is_from_start && (late_s - timeline::lag_s(facts)).abs() < 0.001
        }
        _ => is_from_start,
    }
}

/// Looks for timecode in the first picture of a source that stands at its beginning and says none itself, so that clips
/// can be counted by it; gives back what it read.
pub fn look_for_timecode(demuxer: &mut Demuxer, facts: &mut MediaFacts, limits: &Limits) -> Result<(), AvError> {
    let codec = facts.main_video().map(|(stream, _)| stream.codec_name.as_str());
    if facts.timecode.is_some() || !codec.is_some_and(|codec| TIMED_CODECS.contains(&codec)) {
        return Ok(());
    }
    let mut seen = facts.clone();
    let looking = Looking {
        is_from_start: true,
        for_captions: false,
    };
    look(demuxer, &mut seen, limits, 1, looking)?;
    facts.timecode = seen.timecode;
    Ok(())
}

/// Refuses pictures that only Dolby's own decoder gives their colours.
pub fn refuse_dolby(demuxer: &Demuxer, facts: &MediaFacts) -> Result<(), Fault> {
    let stream = facts.main_video().and_then(|(stream, _)| demuxer.stream(stream.index));
    match stream.and_then(|stream| stream.dolby_vision()) {
        Some(dolby) if dolby.needs_dolby() => Err(error::source_undecodable(
            "decode",
            demuxer.name(),
            format!(
                "its pictures are Dolby Vision profile {}, which has no base layer that other decoders can show",
                dolby.profile
            ),
        )),
        _ => Ok(()),
    }
}

/// What the base layer of Dolby Vision is, where its own header is silent.
fn base_of(said: Color, dolby_vision: Option<DolbyVision>) -> Color {
    let transfer = match dolby_vision.map(|dolby| (dolby.profile, dolby.compatibility)) {
        Some((_, 1 | 6) | (7, _)) => color::PQ,
        Some((_, 4)) => color::HLG,
        _ => return said,
    };
    if said.transfer == color::UNSPECIFIED {
        return Color { transfer, ..said };
    }
    said
}

/// What `one` leaves open, as `other` says it.
fn or_else(one: Color, other: Color) -> Color {
    let or = |one: i32, other: i32| if one == color::UNSPECIFIED { other } else { one };
    Color {
        primaries: or(one.primaries, other.primaries),
        transfer: or(one.transfer, other.transfer),
        matrix: or(one.matrix, other.matrix),
        range: if one.range == 0 { other.range } else { one.range },
    }
}

/// What is kept of a picture that was looked at.
#[derive(Debug)]
struct Seen {
    color: Color,
    metadata: HdrMetadata,
    format: PixelFormat,
    width: u32,
    height: u32,
    aspect: Option<Ratio>,
    matrix: Option<[i32; 9]>,
    dynamic_hdr: Option<&'static str>,
    timecode: Option<(Option<i64>, TimecodeFacts)>,
    is_opaque: bool,
}

#[derive(Debug)]
struct Look {
    wanted: u32,
    pictures: Vec<Seen>,
    fields: Option<FieldCount>,
    seen: u32,
    has_captions: bool,
    counting: Counting,
}

impl Look {
    fn misses_captions(&self) -> bool {
        !self.has_captions && self.seen < CAPTIONLESS_PICTURES
    }

    fn receive(&mut self, decoder: &mut Decoder, unit: Ratio, video: &VideoFacts, codec: &str) -> Result<(), AvError> {
        while let Some(mut frame) = decoder.receive()? {
            self.seen += 1;
            self.has_captions |= frame.take_captions().is_some();
            if self.pictures.is_empty() {
                self.pictures.push(Seen {
                    color: frame.color(),
                    metadata: mastering::of_frame(&frame),
                    format: frame.pixel_format(),
                    width: frame.width(),
                    height: frame.height(),
                    aspect: frame.sample_aspect_ratio(),
                    matrix: frame.display_matrix(),
                    dynamic_hdr: frame.dynamic_hdr(),
                    timecode: timecode_of(&frame, video, self.counting.drops()),
                    is_opaque: !frame.may_be_seen_through(),
                });
                if are_fields_in_doubt(&frame, video, codec) {
                    self.wanted = DOUBTFUL_PICTURES;
                    self.fields = FieldCount::open(&frame, unit)?;
                }
            }
            if let Some(fields) = &mut self.fields {
                fields.count(&frame)?;
            }
        }
        Ok(())
    }
}

/// Whether only a look at the lines can tell: nobody says anything, or the film may have been spread to fields.
fn are_fields_in_doubt(frame: &Frame, video: &VideoFacts, codec: &str) -> bool {
    let is_television = FIELD_HEIGHTS.contains(&frame.height());
    if frame.is_interlaced() || !matches!(video.field_order.as_str(), "progressive" | "unknown") {
        return may_be_telecined(video) || !frame.is_interlaced();
    }
    is_television && video.field_order == "unknown" && !SPEAKING_CODECS.contains(&codec)
}

fn may_be_telecined(video: &VideoFacts) -> bool {
    video
        .nominal_rate()
        .is_some_and(|rate| (29.0..=31.0).contains(&rate.value()))
}

/// What a look at the lines of pictures counts.
#[derive(Debug)]
struct FieldCount {
    graph: Graph,
    size: (u32, u32),
    marked: u32,
    top: u32,
    bottom: u32,
    progressive: u32,
    repeated: u32,
    /// Of these, two or three pictures after the last one and of the other field, as 3:2 pulldown has them.
    in_step: u32,
    last_repeat: Option<(u32, bool)>,
    total: u32,
}

impl FieldCount {
    fn open(frame: &Frame, unit: Ratio) -> Result<Option<Self>, AvError> {
        let input = GraphInput {
            width: frame.width(),
            height: frame.height(),
            format: frame.pixel_format(),
            time_base: unit,
            sample_aspect_ratio: Ratio { num: 1, den: 1 },
        };
        Ok(Graph::open(&input, "idet", 1).ok().map(|graph| FieldCount {
            graph,
            size: (frame.width(), frame.height()),
            marked: 0,
            top: 0,
            bottom: 0,
            progressive: 0,
            repeated: 0,
            in_step: 0,
            last_repeat: None,
            total: 0,
        }))
    }

    fn count(&mut self, frame: &Frame) -> Result<(), AvError> {
        if (frame.width(), frame.height()) != self.size {
            return Ok(());
        }
        self.marked += u32::from(frame.is_interlaced());
        self.graph.push(Some(frame))?;
        while let Some(looked) = self.graph.pull()? {
            let notes = looked.notes();
            let note = |key: &str| notes.get(key).map_or("", String::as_str);
            self.total += 1;
            match note("lavfi.idet.single.current_frame") {
                "tff" => self.top += 1,
                "bff" => self.bottom += 1,
                "progressive" => self.progressive += 1,
                _ => {}
            }
            let is_top = match note("lavfi.idet.repeated.current_frame") {
                "top" => true,
                "bottom" => false,
                _ => continue,
            };
            self.repeated += 1;
            let is_in_step = |(at, was_top): (u32, bool)| (2..=3).contains(&(self.total - at)) && was_top != is_top;
            self.in_step += u32::from(self.last_repeat.is_some_and(is_in_step));
            self.last_repeat = Some((self.total, is_top));
        }
        Ok(())
    }

    fn verdict(&self, video: &VideoFacts, format: PixelFormat) -> Fields {
        let combed = self.top + self.bottom;
        let parity = if self.top >= self.bottom {
            Parity::Top
        } else {
            Parity::Bottom
        };
        // Of five pictures of a film spread to fields two repeat a field, the upper and the lower one in turn.
        let is_one_sided = self.top.max(self.bottom) * 10 >= combed * 8;
        if may_be_telecined(video)
            && self.total >= 30
            && self.repeated * 100 >= self.total * 25
            && self.in_step * 4 >= self.repeated * 3
            && combed * 5 >= self.total
            && is_one_sided
            && format.bit_depth() == 8
            && !format.is_rgb()
        {
            return Fields::Telecined(parity);
        }
        // Pictures that mark themselves are taken at their word.
        if self.marked > 0 {
            return Fields::AsMarked;
        }
        if combed >= 3 && combed > self.progressive && is_one_sided {
            return Fields::Interlaced(parity);
        }
        Fields::AsMarked
    }
}

#[cfg(test)]
mod tests {
    use super::base_of;
    use crate::media::av::Color;
    use crate::media::av::color;
    use crate::media::av::stream::DolbyVision;

    #[test]
    fn a_silent_base_layer_is_what_its_profile_says() {
        let base = |profile, compatibility| {
            let dolby = DolbyVision { profile, compatibility };
            base_of(Color::UNSPECIFIED, Some(dolby)).transfer
        };
        assert_eq!(base(8, 1), color::PQ);
        assert_eq!(base(7, 6), color::PQ);
        assert_eq!(base(8, 4), color::HLG);
        assert_eq!(base(8, 2), color::UNSPECIFIED);
        assert!(
            DolbyVision {
                profile: 5,
                compatibility: 0
            }
            .needs_dolby()
        );
    }
}
