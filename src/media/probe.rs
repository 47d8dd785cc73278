//! A source that can be worked on, and the refusal of what cannot.
//!
//! Guarantees: every refusal names what is wrong with the source; a file is never refused because of a stream
//! nobody needs. Deliberately absent: decoding beyond what the codecs' headers need, and truncation inside the
//! data, which the pass finds before it starts (see [`Opened::missing_data`]).

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Demuxer;
use crate::media::av::Source;
use crate::media::av::log;
use crate::media::container_facts;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::facts::StreamFacts;
use crate::media::facts::StreamKind;
use crate::media::heif;
use crate::media::iso_box::IsoBox;
use crate::media::jpeg_parts;
use crate::media::length;
use crate::media::limits::Limits;
use crate::media::matroska_chapters;
use crate::media::protection;
use crate::media::protection::Protection;
use crate::media::wholeness;
use crate::media::wholeness::Wholeness;
use std::io;
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
    let unreadable = |cause: io::Error| error::source_unreadable(OPERATION, &name, cause.to_string());
    let wholeness = wholeness::look(&source).map_err(unreadable)?;
    let signature = wholeness::signature(&source).map_err(unreadable)?;
    let picture = heif::look(&source).map_err(unreadable)?;
    if let Some(picture) = picture.filter(|picture| picture.is_tiled) {
        let cause = format!("it is {} in tiles, which are not put together here", picture.word());
        return Err(error::picture_undecodable(OPERATION, &name, cause));
    }
    let protection = protection::look(&source).map_err(unreadable)?;
    let is_photograph = jpeg_parts::has_more(&source).map_err(unreadable)?;
    let chapters = matroska_chapters::count(&source).map_err(unreadable)?;
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
    let mut facts =
        container_facts::of(&demuxer).map_err(|refusal| error::source_refused(OPERATION, &name, &refusal))?;
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
