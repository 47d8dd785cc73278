//! Proof of an output: it is opened again from disk by the engine's own demuxer and compared with what was read
//! from the source.
//!
//! Guarantees: every packet of the output is read, its first picture and all from its last key frame on are decoded. A
//! comparison is recorded whether it holds or not. Deliberately absent: expectations taken from the output's own encoder or muxer.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Demuxer;
use crate::media::av::PixelFormat;
use crate::media::av::Source;
use crate::media::container_facts;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::facts::StreamKind;
use crate::media::limits::Limits;
use crate::media::loudness::Loudness;
use crate::media::product::Check;
use crate::media::product::TrackSeries;
use crate::media::tally::Counted;
use crate::media::tally::Tally;
use crate::media::tally::count;

/// What pictures should be there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VideoExpected {
    /// Codec, as a probe calls it.
    pub codec: &'static str,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Pictures.
    pub frames: u64,
    /// When the first is shown, seconds.
    pub first_s: f64,
    /// When the last is shown.
    pub last_s: f64,
    /// When the last ends.
    pub end_s: f64,
    /// What their numbers mean.
    pub color: Color,
    /// How they are stored: depth and chroma.
    pub format: PixelFormat,
    /// For which light they were graded; nothing for SDR.
    pub metadata: HdrMetadata,
}

/// How loud a track should be heard.
#[derive(Debug, Clone, PartialEq)]
pub struct LoudnessExpected {
    /// Integrated loudness.
    pub lufs: f64,
    /// Highest true peak.
    pub ceiling_dbtp: f64,
    /// Decoding gives back the samples that went into the encoder.
    pub is_lossless: bool,
    /// What was measured of the source and done about it, in words.
    pub words: String,
}

/// What sound should be there.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioExpected {
    /// Codec, as a probe calls it.
    pub codec: String,
    /// Hz.
    pub rate_hz: u32,
    /// Channels.
    pub channels: u32,
    /// When it begins, seconds: 0 unless it was copied.
    pub first_s: f64,
    /// When it ends.
    pub end_s: f64,
    /// How loud, where that was asked for.
    pub loudness: Option<LoudnessExpected>,
}

/// What text should be there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextExpected {
    /// Codec, as a probe calls it.
    pub codec: &'static str,
    /// When the first cue appears, seconds; none: there is none.
    pub first_s: Option<f64>,
}

/// What an output should hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expected {
    /// Pictures.
    pub video: Option<VideoExpected>,
    /// Sound, a track each, in the order of the file.
    pub audios: Vec<AudioExpected>,
    /// Text, a track each, in the order of the file.
    pub texts: Vec<TextExpected>,
    /// Where time 0 stands in the file, seconds: transport streams begin later.
    pub start_s: f64,
    /// The container does not say how long the last picture is shown.
    pub open_end: bool,
    /// Fragments, whose last packet of sound is read back as long as those before.
    pub is_fragmented: bool,
}

impl Expected {
    /// How long a packet of sound may be, seconds.
    fn packet_s(&self, audio: &AudioExpected) -> f64 {
        let usual_s = PACKET_SAMPLES / f64::from(audio.rate_hz.max(1));
        match audio.codec == "flac" && self.is_fragmented {
            true => usual_s.max(FLAC_PACKET_S),
            false => usual_s,
        }
    }
}

/// An output as it was read back.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadBack {
    /// Its facts.
    pub facts: MediaFacts,
    /// What was compared; failed comparisons are among them.
    pub checks: Vec<Check>,
    /// When its key frames are shown, seconds from time 0.
    pub keys_s: Vec<f64>,
    /// Its tracks over their length, as far as bits tell.
    pub series: Vec<TrackSeries>,
    /// What is no failure and not as it was asked for.
    pub notes: Vec<String>,
}

/// Most that sound and pictures may be moved against one another.
const SKEW_S: f64 = 0.040;
/// Time stamps are written in units of at most this.
const STAMP_S: f64 = 0.002;
/// Samples of the longest packet of sound, by which containers without edit lists may be longer.
const PACKET_SAMPLES: f64 = 1600.0;
/// The longest packet of FLAC, seconds.
const FLAC_PACKET_S: f64 = 0.105;
/// Most that loudness may be off, LU.
const LOUDNESS_LU: f64 = 0.5;
/// Most that a lossy codec may add, LU; it mixes in noise of its own.
const ADDED_LU: f64 = 1.0;
/// Most that a lossy codec may take, LU: at few bits it leaves out what noise is made of. More is a fault.
const TAKEN_LU: f64 = 12.0;
/// Most that a true peak may be above its ceiling, dB: meters differ by that.
const PEAK_DB: f64 = 0.2;
/// The same after a lossy codec, whose peaks nobody can foretell; more is told.
const CODED_PEAK_DB: f64 = 1.0;

/// Opens an output and compares it.
pub fn media(source: Source, expected: &Expected) -> Result<ReadBack, Fault> {
    let name = source.name().to_owned();
    let unreadable = |refusal: AvError| error::output_unproved(&name, format!("it cannot be read back: {refusal}"));
    let mut demuxer = Demuxer::open(source, &Limits::default()).map_err(unreadable)?;
    let facts = container_facts::of(&demuxer).map_err(unreadable)?;
    let mut checks = Vec::new();
    check(
        &mut checks,
        "size_bytes",
        "more than 0",
        facts.size_bytes,
        facts.size_bytes > 0,
    );
    let (wanted, found) = (streams_wanted(expected), streams_found(&facts));
    check(&mut checks, "streams", &wanted, &found, wanted == found);
    let Tally {
        counted,
        heard,
        metadata,
        mut keys_s,
        series,
        last,
    } = count(&mut demuxer, &facts, expected).map_err(unreadable)?;
    if let Some(last) = last {
        let (wanted, found) = (last.expected, last.whole);
        check(&mut checks, "last_gop_pictures", wanted, found, found >= wanted);
    }
    keys_s.sort_by(f64::total_cmp);
    let of = |kind: fn(&StreamKind) -> bool, number: usize| {
        let index = facts
            .streams
            .iter()
            .enumerate()
            .filter(|(_, stream)| kind(&stream.kind))
            .nth(number);
        index
            .and_then(|(index, _)| counted.get(index).copied())
            .unwrap_or_default()
    };
    let mut pictures = of(
        |kind| matches!(kind, StreamKind::Video(video) if !video.attached_picture),
        0,
    );
    let open_end = expected.open_end || pictures.is_open;
    if let Some(video) = expected.video.as_ref().filter(|_| open_end) {
        pictures.end_s = pictures.last_s + (video.end_s - video.last_s);
    }
    if let Some(video) = &expected.video {
        check_video(&mut checks, video, &pictures, &facts);
        check_form(&mut checks, video, &facts, metadata);
    }
    let mut found_end_s = pictures.end_s;
    for (number, audio) in expected.audios.iter().enumerate() {
        let sound = of(|kind| matches!(kind, StreamKind::Audio(_)), number);
        found_end_s = found_end_s.max(sound.end_s);
        let of_track = |name: &str| match number {
            0 => name.to_owned(),
            number => format!("{name}_{}", number + 1),
        };
        let packet_s = expected.packet_s(audio);
        let tolerance_s = 2.0 * packet_s;
        near(
            &mut checks,
            &of_track("audio_end_s"),
            audio.end_s,
            sound.end_s,
            tolerance_s + STAMP_S,
        );
        if let Some(video) = &expected.video {
            // Sound that was encoded begins at the origin by construction, pictures where the source has them.
            let wanted_ms = (video.first_s - audio.first_s) * 1000.0;
            let found_ms = (pictures.first_s.unwrap_or(f64::NAN) - sound.first_s.unwrap_or(f64::NAN)) * 1000.0;
            check(
                &mut checks,
                &of_track("av_skew_ms"),
                format!("{wanted_ms:.1} within {:.0}", SKEW_S * 1000.0),
                format!("{found_ms:.1}"),
                (found_ms - wanted_ms).abs() <= SKEW_S * 1000.0,
            );
            let wanted_ms = (video.end_s - audio.end_s) * 1000.0;
            let found_ms = (pictures.end_s - sound.end_s) * 1000.0;
            let allowed_ms = SKEW_S.max(packet_s) * 1000.0;
            check(
                &mut checks,
                &of_track("av_end_skew_ms"),
                format!("{wanted_ms:.1} within {allowed_ms:.0}"),
                format!("{found_ms:.1}"),
                (found_ms - wanted_ms).abs() <= allowed_ms,
            );
        }
    }
    let mut notes = Vec::new();
    for (number, loudness) in &heard {
        let audio = expected.audios.get(*number);
        if let Some((audio, wanted)) = audio.and_then(|audio| Some((audio, audio.loudness.as_ref()?))) {
            let note = check_loudness(&mut checks, *number, wanted, loudness.as_ref());
            notes.extend(note.map(|note| format!("{}, track {}: {note}", audio.codec, number + 1)));
        }
    }
    for (number, text) in expected.texts.iter().enumerate() {
        let cues = of(|kind| matches!(kind, StreamKind::Subtitle), number);
        if let (Some(wanted_s), Some(found_s)) = (text.first_s, cues.first_s) {
            // MP4 fills what is before the first text with an empty one.
            let ok = (found_s - wanted_s).abs() <= STAMP_S || found_s == 0.0;
            let name = format!("text_first_s_{}", number + 1);
            check(
                &mut checks,
                &name,
                format!("{wanted_s:.3}"),
                format!("{found_s:.3}"),
                ok,
            );
        }
    }
    let ends = expected.audios.iter().map(|audio| audio.end_s);
    let longest = ends.fold(expected.video.map_or(0.0, |video| video.end_s), f64::max);
    // Where packets cannot tell it, the head of the file does; from 0, or from the first picture on.
    if let Some(length_s) = facts
        .duration_s
        .filter(|_| pictures.is_open && !expected.open_end && !expected.is_fragmented)
    {
        let from_first_s = length_s + facts.start_time_s.unwrap_or(0.0);
        let is_from_0 = (length_s - longest).abs() <= (from_first_s - longest).abs();
        found_end_s = if is_from_0 { length_s } else { from_first_s } - expected.start_s;
    }
    // Sound ends with a whole packet, which lasts long at the rates of telephones.
    let packets = expected.audios.iter().map(|audio| 2.0 * expected.packet_s(audio));
    near(
        &mut checks,
        "duration_s",
        longest,
        found_end_s,
        packets.fold(0.1, f64::max),
    );
    Ok(ReadBack {
        facts,
        checks,
        keys_s,
        series,
        notes,
    })
}

/// Compares how loud a track is heard; answers what a lossy codec made of it, where that is worth a word.
fn check_loudness(
    checks: &mut Vec<Check>,
    number: usize,
    wanted: &LoudnessExpected,
    found: Option<&Loudness>,
) -> Option<String> {
    let of_track = |name: &str| match number {
        0 => name.to_owned(),
        number => format!("{name}_{}", number + 1),
    };
    let lufs = found.and_then(|found| found.integrated_lufs).unwrap_or(f64::NAN);
    let peak = found.and_then(|found| found.true_peak_dbtp).unwrap_or(f64::NAN);
    let (less_lu, more_lu) = if wanted.is_lossless {
        (LOUDNESS_LU, LOUDNESS_LU)
    } else {
        (TAKEN_LU, ADDED_LU)
    };
    check(
        checks,
        &of_track("loudness_lufs"),
        format!(
            "{:.1}, {less_lu} less to {more_lu} more ({})",
            wanted.lufs, wanted.words
        ),
        format!(
            "{lufs:.1}, range {:.1} LU, true peak {peak:.1} dBTP",
            found.map_or(0.0, |found| found.range_lu)
        ),
        lufs >= wanted.lufs - less_lu && lufs <= wanted.lufs + more_lu,
    );
    let ceiling_dbtp = wanted.ceiling_dbtp;
    if wanted.is_lossless {
        check(
            checks,
            &of_track("true_peak_dbtp"),
            format!("at most {ceiling_dbtp:.1}"),
            format!("{peak:.1}"),
            peak <= ceiling_dbtp + PEAK_DB,
        );
        return None;
    }
    let is_off = (lufs - wanted.lufs).abs() > LOUDNESS_LU;
    let is_above = peak > ceiling_dbtp + CODED_PEAK_DB;
    (is_off || is_above).then(|| {
        format!(
            "heard at {lufs:.1} LUFS and {peak:.1} dBTP, at {:.1} LUFS and at most {ceiling_dbtp:.1} dBTP it was handed to \
             its codec; more bits keep it closer",
            wanted.lufs
        )
    })
}

fn check_video(checks: &mut Vec<Check>, video: &VideoExpected, found: &Counted, facts: &MediaFacts) {
    check(
        checks,
        "frame_count",
        video.frames,
        found.frames,
        video.frames == found.frames,
    );
    near(
        checks,
        "first_pts_s",
        video.first_s,
        found.first_s.unwrap_or(f64::NAN),
        STAMP_S,
    );
    near(checks, "last_pts_s", video.last_s, found.last_s, STAMP_S);
    if let Some((_, pictures)) = facts.main_video() {
        let wanted = color_words(video.color);
        let said = [
            &pictures.color_primaries,
            &pictures.color_transfer,
            &pictures.color_space,
            &pictures.color_range,
        ]
        .map(String::as_str);
        // What the source leaves open, the output may leave open; a stream that says nothing of its range means tv.
        let holds = |wanted: &String, said: &str| match (wanted.as_str(), said) {
            ("unknown", _) | ("tv", "unknown") => true,
            (wanted, said) => wanted == said,
        };
        let ok = wanted.iter().zip(said).all(|(wanted, said)| holds(wanted, said));
        check(checks, "color", wanted.join("/"), said.join("/"), ok);
    }
}

/// Depth, chroma and light.
fn check_form(checks: &mut Vec<Check>, video: &VideoExpected, facts: &MediaFacts, metadata: HdrMetadata) {
    let Some((_, pictures)) = facts.main_video().filter(|_| video.format != PixelFormat::NONE) else {
        return;
    };
    let said = pictures.pixel_format.as_deref().unwrap_or("unknown");
    // Some decoders say full range in the name of the format.
    let found = PixelFormat::named(said).map(|format| format.without_range().0);
    let wanted = video.format.name().unwrap_or_default();
    check(checks, "pixel_format", &wanted, said, found == Some(video.format));
    // QuickTime has no place for it.
    let has_place = !matches!(video.codec, "prores" | "dnxhd");
    let (wanted, found) = (video.metadata.to_string(), metadata.to_string());
    if has_place && (!video.metadata.is_empty() || !metadata.is_empty()) {
        check(checks, "hdr_metadata", &wanted, &found, wanted == found);
    }
}

fn color_words(color: Color) -> [String; 4] {
    [
        color.primaries_name(),
        color.transfer_name(),
        color.matrix_name(),
        color.range_name(),
    ]
}

fn streams_wanted(expected: &Expected) -> String {
    let video = expected
        .video
        .map(|video| format!("{} {}x{}", video.codec, video.width, video.height));
    let audios = expected
        .audios
        .iter()
        .map(|audio| format!("{} {} Hz {} channels", audio.codec, audio.rate_hz, audio.channels));
    let texts = expected.texts.iter().map(|text| text.codec.to_owned());
    video
        .into_iter()
        .chain(audios)
        .chain(texts)
        .collect::<Vec<_>>()
        .join(", ")
}

fn streams_found(facts: &MediaFacts) -> String {
    let words = |kind: &StreamKind, codec: &str| match kind {
        StreamKind::Video(video) if video.attached_picture => None,
        StreamKind::Video(video) => Some(format!("{codec} {}x{}", video.width, video.height)),
        StreamKind::Audio(audio) => Some(format!(
            "{codec} {} Hz {} channels",
            audio.sample_rate_hz, audio.channels
        )),
        // Chapters of an MP4 are a text track.
        StreamKind::Data => None,
        StreamKind::Subtitle => Some(codec.to_owned()),
    };
    let found: Vec<_> = facts
        .streams
        .iter()
        .filter_map(|stream| words(&stream.kind, &stream.codec_name))
        .collect();
    found.join(", ")
}

/// Records a comparison.
pub fn check(
    checks: &mut Vec<Check>,
    name: &str,
    expected: impl std::fmt::Display,
    found: impl std::fmt::Display,
    ok: bool,
) {
    checks.push(Check {
        name: name.to_owned(),
        expected: expected.to_string(),
        found: found.to_string(),
        ok,
    });
}

/// Records a comparison of seconds.
pub fn near(checks: &mut Vec<Check>, name: &str, expected: f64, found: f64, tolerance: f64) {
    let ok = (expected - found).abs() <= tolerance;
    check(
        checks,
        name,
        format!("{expected:.4} within {tolerance:.4}"),
        format!("{found:.4}"),
        ok,
    );
}

/// The fault of a proof with failed checks, if it has any.
pub fn refusal(name: &str, checks: &[Check]) -> Option<Fault> {
    let failed: Vec<String> = checks
        .iter()
        .filter(|check| !check.ok)
        .map(|check| format!("{}: expected {}, found {}", check.name, check.expected, check.found))
        .collect();
    (!failed.is_empty()).then(|| error::output_unproved(name, failed.join("; ")))
}
