//! What was made, in brief: small enough to be repeated in the events that end a job and a task.
//!
//! Guarantees: taken from the same facts as the whole ones; ids are those of the outputs' own events. Deliberately
//! absent: what only one output's own event needs (its whole facts).

use crate::base::fault::Fault;
use crate::base::ids::OutputId;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::facts::StreamKind;
use crate::media::product::ProductKind;
use crate::objects::uri::ObjectUri;
use serde::Deserialize;
use serde::Serialize;

/// One output of a transcode: a file, or a set with its renditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MadeOutput {
    /// Its id.
    pub id: OutputId,
    /// Its name in the definition; of a set its group's.
    pub name: String,
    /// Its group's name.
    pub group: String,
    /// What it is.
    pub kind: ProductKind,
    /// Its main object; none: it is missing.
    pub object: Option<ObjectUri>,
    /// Bytes, of a set all its files.
    pub size_bytes: u64,
    /// MD5 of the main object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    /// What the main object is; none of sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Box<FileBrief>>,
    /// The renditions of a set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renditions: Vec<MadeRendition>,
    /// Why it is missing, where its job takes what it gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// One rendition of a set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MadeRendition {
    /// Its id.
    pub id: OutputId,
    /// Its name in the definition.
    pub name: String,
    /// Its playlist, or what stands for it.
    pub object: ObjectUri,
    /// All its segments.
    pub size_bytes: u64,
    /// What it is.
    pub file: Box<FileBrief>,
}

/// What a media file is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FileBrief {
    /// Demuxer names as libav spells them, `mov,mp4,m4a,3gp,3g2,mj2`.
    pub format_name: String,
    /// Length, seconds.
    pub duration_s: Option<f64>,
    /// All streams together.
    pub bitrate_kbps: Option<f64>,
    /// Video streams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub video: Vec<VideoBrief>,
    /// Audio streams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audio: Vec<AudioBrief>,
}

/// One video stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoBrief {
    /// Codec name.
    pub codec: String,
    /// Four characters.
    pub tag: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Clockwise turn a player applies.
    #[serde(default)]
    pub rotation_degrees: u32,
    /// Frames a second.
    pub rate: Option<Ratio>,
    /// Bit rate.
    pub bitrate_kbps: Option<f64>,
    /// Length, seconds.
    pub duration_s: Option<f64>,
    /// Primaries.
    pub color_primaries: String,
    /// Matrix.
    pub color_space: String,
    /// Transfer characteristics.
    pub color_transfer: String,
    /// `sdr`, `hdr10`, `hlg` or `dovi`.
    pub hdr: String,
}

/// One audio stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioBrief {
    /// Codec name.
    pub codec: String,
    /// Four characters.
    pub tag: String,
    /// Hz.
    pub sample_rate_hz: u32,
    /// Channels.
    pub channels: u32,
    /// Bit rate.
    pub bitrate_kbps: Option<f64>,
    /// Length, seconds.
    pub duration_s: Option<f64>,
}

impl FileBrief {
    /// The main video stream: the first.
    pub fn main_video(&self) -> Option<&VideoBrief> {
        self.video.first()
    }
}

impl From<&MediaFacts> for FileBrief {
    fn from(facts: &MediaFacts) -> Self {
        let mut brief = FileBrief {
            format_name: facts.format_name.clone(),
            duration_s: facts.duration_s,
            bitrate_kbps: facts.bitrate_kbps,
            ..FileBrief::default()
        };
        for stream in &facts.streams {
            match &stream.kind {
                StreamKind::Video(video) if !video.attached_picture => brief.video.push(VideoBrief {
                    codec: stream.codec_name.clone(),
                    tag: stream.codec_tag_string.clone(),
                    width: video.width,
                    height: video.height,
                    rotation_degrees: video.rotation_degrees,
                    rate: video.nominal_rate(),
                    bitrate_kbps: stream.bitrate_kbps,
                    duration_s: stream.duration_s,
                    color_primaries: video.color_primaries.clone(),
                    color_space: video.color_space.clone(),
                    color_transfer: video.color_transfer.clone(),
                    hdr: video.hdr.clone(),
                }),
                StreamKind::Audio(audio) => brief.audio.push(AudioBrief {
                    codec: stream.codec_name.clone(),
                    tag: stream.codec_tag_string.clone(),
                    sample_rate_hz: audio.sample_rate_hz,
                    channels: audio.channels,
                    bitrate_kbps: stream.bitrate_kbps,
                    duration_s: stream.duration_s,
                }),
                StreamKind::Video(_) | StreamKind::Subtitle | StreamKind::Data => {}
            }
        }
        brief
    }
}
