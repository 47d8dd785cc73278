//! What a probe learned of a file: plain data in the field's (and ffprobe's) terms.
//!
//! Guarantees: times are seconds of the file's own timeline, rates are exact fractions beside their value,
//! and what the file does not say is `None`, never zero. Deliberately absent: any opinion on what to make of it.

use crate::media::timecode::Timecode;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the demuxers of single pictures say that each lasts.
const STILL_S: f64 = 0.04;

/// An exact fraction such as a time base or a frame rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratio {
    /// Numerator.
    pub num: i32,
    /// Denominator, never 0.
    pub den: i32,
}

impl Ratio {
    /// As a float.
    pub fn value(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }

    /// The exact rate that a decimal number of frames a second means: 23.976, 29.97 and 59.94 stand for what broadcasters
    /// mean by them.
    pub fn of_rate(fps: f64) -> Ratio {
        let thousands = (fps * 1.001).round();
        if (fps - fps.round()).abs() > 0.005 && (thousands / 1.001 - fps).abs() < 0.005 {
            return Ratio {
                num: (thousands * 1000.0) as i32,
                den: 1001,
            };
        }
        if (fps - fps.round()).abs() < 1e-9 {
            return Ratio {
                num: fps.round() as i32,
                den: 1,
            };
        }
        Ratio {
            num: (fps * 1000.0).round() as i32,
            den: 1000,
        }
    }
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Facts of one file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MediaFacts {
    /// Demuxer names as libav spells them, `mov,mp4,m4a,3gp,3g2,mj2`.
    pub format_name: String,
    /// The same in words.
    pub format_long_name: String,
    /// Length, seconds.
    pub duration_s: Option<f64>,
    /// Time stamp of the first thing shown, seconds.
    pub start_time_s: Option<f64>,
    /// Bytes.
    pub size_bytes: u64,
    /// All streams together.
    pub bitrate_kbps: Option<f64>,
    /// Every stream, in file order.
    pub streams: Vec<StreamFacts>,
    /// Chapters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chapters: Vec<ChapterFacts>,
    /// Chapters that the file has beside these: within others, or not in the order of their beginning.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unread_chapters: u32,
    /// Container tags (title, creation time, ...).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Timecode of the first picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timecode: Option<TimecodeFacts>,
}

impl MediaFacts {
    /// The stream that video work is done on: the first real video stream that can be decoded, attached pictures apart.
    pub fn main_video(&self) -> Option<(&StreamFacts, &VideoFacts)> {
        self.streams.iter().find_map(|stream| match &stream.kind {
            StreamKind::Video(video) if !video.attached_picture && stream.decodable => Some((stream, video)),
            _ => None,
        })
    }

    /// Makes them those of one picture, whatever else the demuxer took for pictures.
    pub fn keep_one_picture(&mut self) {
        self.duration_s = Some(STILL_S);
        for stream in &mut self.streams {
            stream.duration_s = Some(STILL_S);
        }
    }

    /// A file of one picture: PNG, JPEG, DPX.
    pub fn is_still(&self) -> bool {
        self.format_name.ends_with("_pipe") && self.duration_s.is_none_or(|duration_s| duration_s < 1.5 * STILL_S)
    }

    /// The stream that audio work is done on: of the main programme the default one that can be decoded, else the first.
    pub fn main_audio(&self) -> Option<(&StreamFacts, &AudioFacts)> {
        let audio = || {
            let streams = self.streams.iter().filter(|stream| self.is_of_main_program(stream));
            streams.filter_map(|stream| match &stream.kind {
                StreamKind::Audio(audio) if stream.decodable => Some((stream, audio)),
                _ => None,
            })
        };
        audio().find(|(stream, _)| stream.default).or_else(|| audio().next())
    }

    /// Whether a stream belongs to the programme that is worked on: that of the main video, of a radio multiplex that of
    /// the first sound. True where a file is no multiplex of several.
    pub fn is_of_main_program(&self, stream: &StreamFacts) -> bool {
        let is_sound = |stream: &&StreamFacts| stream.decodable && matches!(stream.kind, StreamKind::Audio(_));
        let main = self.main_video().map(|(main, _)| main);
        let Some(main) = main.or_else(|| self.streams.iter().find(is_sound)) else {
            return true;
        };
        main.programs.is_empty()
            || stream.programs.is_empty()
            || stream.programs.iter().any(|program| main.programs.contains(program))
    }
}

/// Facts of one stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamFacts {
    /// Position in the file, from 0.
    pub index: usize,
    /// Codec name, `h264`.
    pub codec_name: String,
    /// In words.
    pub codec_long_name: String,
    /// Profile in words, `High`.
    pub profile: Option<String>,
    /// Codec level as the codec writes it, 31 for 3.1.
    pub level: Option<i32>,
    /// Four characters, `avc1`.
    pub codec_tag_string: String,
    /// The same as hex, `0x31637661`.
    pub codec_tag: String,
    /// Unit of its time stamps.
    pub time_base: Ratio,
    /// First time stamp, seconds.
    pub start_time_s: Option<f64>,
    /// Length, seconds.
    pub duration_s: Option<f64>,
    /// Bit rate.
    pub bitrate_kbps: Option<f64>,
    /// Frames as the container counts them.
    pub frame_count: Option<u64>,
    /// RFC 5646 or ISO 639 as the file says it.
    pub language: Option<String>,
    /// Title, `Director's commentary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Marked as default.
    pub default: bool,
    /// What else it is marked as, in libav's words: `comment`, `dub`, `original`, `forced`, `hearing_impaired`,
    /// `visual_impaired`, `lyrics`, `karaoke`, `clean_effects`, `captions`, `descriptions`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dispositions: Vec<String>,
    /// A decoder for it is built in and allowed.
    pub decodable: bool,
    /// Numbers of the programmes it belongs to, where a file holds several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<u32>,
    /// What only its kind has.
    #[serde(flatten)]
    pub kind: StreamKind,
}

/// What only one kind of stream has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum StreamKind {
    /// Pictures.
    Video(VideoFacts),
    /// Sound.
    Audio(AudioFacts),
    /// Text or bitmap subtitles.
    Subtitle,
    /// Timecode, telemetry, attachments.
    Data,
}

/// Facts of a video stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoFacts {
    /// Coded size, pixels, before rotation.
    pub width: u32,
    /// See `width`.
    pub height: u32,
    /// Width of a pixel over its height; none: square or unknown.
    pub sample_aspect_ratio: Option<Ratio>,
    /// Clockwise turn a player applies: 0, 90, 180 or 270.
    pub rotation_degrees: u32,
    /// Mirrored by the display matrix, after the rotation.
    pub mirrored: bool,
    /// Pixel format as libav spells it, `yuv420p`.
    pub pixel_format: Option<String>,
    /// Bits of a sample.
    pub bit_depth: u32,
    /// Lowest frame rate with which all time stamps can be written (libav's `r_frame_rate`).
    pub frame_rate: Option<Ratio>,
    /// Frames over time.
    pub average_frame_rate: Option<Ratio>,
    /// `progressive`, `tt`, `bb`, `tb`, `bt` or `unknown`.
    pub field_order: String,
    /// `tv`, `pc` or `unknown`.
    pub color_range: String,
    /// Primaries as libav spells them, `bt709`.
    pub color_primaries: String,
    /// Transfer characteristics.
    pub color_transfer: String,
    /// Matrix.
    pub color_space: String,
    /// `sdr`, `hdr10`, `hlg` or `dovi`.
    pub hdr: String,
    /// B-frames that reorder.
    pub has_b_frames: i32,
    /// A cover picture in an audio file, not video.
    pub attached_picture: bool,
    /// Transparency that stands beside the pictures in the container, as WebM has it, and is not decoded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alpha_beside: bool,
    /// Metadata of HDR that change from picture to picture, `HDR10+` or `HDR Vivid`, as far as pictures were looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dynamic_hdr: Option<String>,
    /// Neither a container nor the codec's headers say how many pictures are shown a second: the rates are a convention.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_rate_assumed: bool,
    /// Its first picture has a palette, and nothing can be seen through any colour of it. Known only to a pass, which looked.
    #[serde(skip)]
    pub is_opaque: bool,
}

impl VideoFacts {
    /// Frames a second as its makers mean it: the average, unless the file's own count of it is beyond what its time
    /// stamps can hold.
    pub fn nominal_rate(&self) -> Option<Ratio> {
        match (self.average_frame_rate, self.frame_rate) {
            (Some(average), Some(finest)) if average.value() > 1.5 * finest.value() => Some(finest),
            (average, finest) => average.or(finest),
        }
    }

    /// Width and height as shown: square pixels, rotation applied.
    pub fn display_size(&self) -> (u32, u32) {
        let sar = self.sample_aspect_ratio.map_or(1.0, Ratio::value);
        let (width, height) = if sar > 1.0 {
            ((f64::from(self.width) * sar).round() as u32, self.height)
        } else {
            (self.width, (f64::from(self.height) / sar).round() as u32)
        };
        if self.rotation_degrees % 180 == 90 {
            (height, width)
        } else {
            (width, height)
        }
    }
}

/// Facts of an audio stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioFacts {
    /// Hz.
    pub sample_rate_hz: u32,
    /// Channels.
    pub channels: u32,
    /// `stereo`, `5.1(side)`.
    pub channel_layout: String,
    /// `fltp`.
    pub sample_format: Option<String>,
    /// Bits of a sample of lossless codecs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_depth: Option<u32>,
}

/// Timecode as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimecodeFacts {
    /// Of the first picture: `HH:MM:SS:FF`, with `;` before the frames where it is drop frame.
    pub start: String,
    /// Frames a second it counts.
    pub rate: Ratio,
    /// Where it was found: `track` (tmcd), `tag` (of the container, MXF included), `picture` (SEI, GOP header).
    pub origin: String,
}

impl TimecodeFacts {
    /// The label of the first picture; none when the file says something that is none.
    pub fn first(&self) -> Option<Timecode> {
        Timecode::parse(&self.start, self.rate).ok()
    }
}

/// One chapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChapterFacts {
    /// Seconds.
    pub start_s: f64,
    /// Seconds.
    pub end_s: f64,
    /// Title, where there is one.
    pub title: Option<String>,
}
