//! What an attempt asks of a device, estimated before it runs. Pure.
//!
//! Guarantees: every encode that an NVIDIA encoder could make counts as a session; work that no stage of a device helps
//! needs none. The sizes are estimates: what a device really has is found out by the worker, which says so. Deliberately
//! absent: devices.

use crate::media::device_report::DeviceFacts;
use crate::media::facts::MediaFacts;
use crate::media::facts::StreamFacts;
use crate::media::facts::VideoFacts;
use crate::media::spec::MediaWork;
use crate::media::spec::VideoCodec;
use crate::workflow::plan;
use std::collections::BTreeSet;

/// What a process keeps on a device before it does anything: context, compiled kernels, engines.
const CONTEXT_BYTES: u64 = 512 << 20;
/// Pictures of the source at once: reference and queued ones of the decoder, and those on their way.
const DECODED_PICTURES: f64 = 24.0;
/// Pictures of a rendition at once, looking ahead included.
const ENCODED_PICTURES: f64 = 48.0;
/// The same where the encoder is a software one: what is on its way to the host.
const FETCHED_PICTURES: f64 = 8.0;
/// NV12.
const BYTES_A_PIXEL: f64 = 1.5;
/// Length of a source that does not say it, seconds.
const USUAL_LENGTH_S: f64 = 60.0;
const USUAL_RATE: f64 = 25.0;

/// What is asked of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// The stream to decode; none: nobody has looked at the source yet.
    pub decode: Option<DecodeNeed>,
    /// Encodes that an NVIDIA encoder could make.
    pub encodes: Vec<EncodeNeed>,
    /// There are encodes that none can make.
    pub other_encodes: bool,
    /// Memory of the device, bytes.
    pub memory_bytes: u64,
    /// Millions of pixels to decode and encode.
    pub work: f64,
}

/// A stream to decode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeNeed {
    /// As a probe calls it.
    pub codec: String,
    /// `4:2:0`, ...
    pub chroma: &'static str,
    /// Bits of a sample.
    pub bit_depth: u32,
    /// Pixels.
    pub size: (u32, u32),
}

/// One encode.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodeNeed {
    /// `h264`, `hevc` or `av1`.
    pub codec: &'static str,
    /// 10 bits a sample.
    pub ten_bit: bool,
}

impl Need {
    /// That of one attempt with these works; none: no stage of a device helps.
    pub fn of(works: &[&MediaWork], facts: Option<&MediaFacts>) -> Option<Self> {
        if works.iter().all(|work| matches!(work, MediaWork::Analysis)) {
            return None;
        }
        let video = facts.map(MediaFacts::main_video);
        // Known, and without pictures.
        if video == Some(None) {
            return None;
        }
        let decode = video.flatten().map(|(stream, video)| DecodeNeed::of(stream, video));
        let source = plan::source_pixels(facts);
        let depth = |ten_bit: bool| if ten_bit { 2.0 } else { 1.0 };
        let source_depth = depth(decode.as_ref().is_some_and(|decode| decode.bit_depth > 8));
        let mut need = Need {
            decode,
            encodes: Vec::new(),
            other_encodes: false,
            memory_bytes: 0,
            work: 0.0,
        };
        let mut picture_bytes = source * BYTES_A_PIXEL * source_depth * DECODED_PICTURES;
        let mut pixels = source;
        let mut seen = Vec::new();
        for (spec, size) in works.iter().flat_map(|work| plan::encodes(work, facts)) {
            if seen.contains(&spec) {
                continue;
            }
            let ten_bit = spec.bits() > 8;
            let encoded = match spec.codec {
                VideoCodec::H264 | VideoCodec::Hevc | VideoCodec::Av1 => {
                    need.encodes.push(EncodeNeed {
                        codec: spec.codec.word(),
                        ten_bit,
                    });
                    ENCODED_PICTURES
                }
                _ => {
                    need.other_encodes = true;
                    FETCHED_PICTURES
                }
            };
            picture_bytes += size * BYTES_A_PIXEL * depth(ten_bit) * encoded;
            pixels += size;
            seen.push(spec);
        }
        need.memory_bytes = CONTEXT_BYTES.saturating_add(picture_bytes as u64);
        need.work = pixels * pictures(facts) / 1e6;
        Some(need)
    }

    /// Sessions it takes of a device that encodes what it can.
    pub fn sessions(&self, device: &DeviceFacts) -> u32 {
        let made = self.encodes.iter().filter(|one| makes(device, one)).count();
        u32::try_from(made).unwrap_or(u32::MAX)
    }

    /// What of it a device does.
    pub fn ability(&self, device: &DeviceFacts) -> Ability {
        let made = self.encodes.iter().filter(|one| makes(device, one)).count();
        let decodes = match &self.decode {
            None => !device.decode.is_empty(),
            Some(need) => device.can_decode(&need.codec, need.chroma, need.bit_depth, need.size),
        };
        let all = made == self.encodes.len() && !self.other_encodes;
        match (decodes, made > 0) {
            (true, _) if all => Ability::Everything,
            (true, true) => Ability::Much,
            (false, true) if all => Ability::Much,
            (true, false) | (false, true) => Ability::Something,
            (false, false) => Ability::Nothing,
        }
    }
}

/// How much of an attempt a device does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ability {
    /// No stage.
    Nothing,
    /// One stage; the encoders, which take most of the time, are software ones, or most are.
    Something,
    /// Most of it.
    Much,
    /// Decoding and every encode: processors are hardly needed.
    Everything,
}

fn makes(device: &DeviceFacts, need: &EncodeNeed) -> bool {
    device
        .encoder_of(need.codec)
        .is_some_and(|encoder| encoder.ten_bit || !need.ten_bit)
}

impl DecodeNeed {
    fn of(stream: &StreamFacts, video: &VideoFacts) -> Self {
        DecodeNeed {
            codec: stream.codec_name.clone(),
            chroma: chroma(video.pixel_format.as_deref().unwrap_or_default()),
            bit_depth: video.bit_depth.max(8),
            size: (video.width, video.height),
        }
    }
}

/// How much colour pictures of a pixel format of libav's hold, as devices call it.
fn chroma(pixel_format: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| pixel_format.contains(word));
    if has(&["444", "gbr", "rgb"]) {
        "4:4:4"
    } else if has(&["422", "yuyv", "uyvy"]) {
        "4:2:2"
    } else if pixel_format.starts_with("gray") {
        "4:0:0"
    } else {
        "4:2:0"
    }
}

/// Pictures of the source.
fn pictures(facts: Option<&MediaFacts>) -> f64 {
    let length_s = facts.and_then(|facts| facts.duration_s).unwrap_or(USUAL_LENGTH_S);
    let rate = facts
        .and_then(MediaFacts::main_video)
        .and_then(|(_, video)| video.nominal_rate())
        .map_or(USUAL_RATE, |rate| rate.value());
    (length_s * rate).max(1.0)
}

/// Encoders that a list of needs names, each once: for sentences.
pub fn codecs(need: &Need) -> String {
    let names: BTreeSet<&str> = need.encodes.iter().map(|one| one.codec).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::Ability;
    use super::Need;
    use super::chroma;
    use crate::media::device_report::DecodeAbility;
    use crate::media::device_report::DeviceFacts;
    use crate::media::device_report::EncodeAbility;
    use crate::media::facts::MediaFacts;
    use crate::media::spec::MediaWork;

    fn transcode(videos: &[serde_json::Value]) -> MediaWork {
        let outputs: Vec<serde_json::Value> = videos
            .iter()
            .enumerate()
            .map(|(at, video)| serde_json::json!({ "name": format!("v{at}"), "video": video }))
            .collect();
        let spec = serde_json::json!({ "group": [{ "kind": "file", "output": outputs }] });
        serde_json::from_value(serde_json::json!({ "kind": "transcode", "spec": spec })).expect("a transcode")
    }

    fn video(codec: &str, height: u32) -> serde_json::Value {
        serde_json::json!({ "codec": codec, "height": height })
    }

    fn source(codec: &str, pixel_format: &str) -> MediaFacts {
        let stream = serde_json::json!({
            "index": 0, "codec_name": codec, "codec_long_name": codec, "codec_tag_string": "", "codec_tag": "",
            "time_base": { "num": 1, "den": 25 }, "default": true, "decodable": true, "type": "video",
            "width": 1920, "height": 1080, "rotation_degrees": 0, "mirrored": false, "pixel_format": pixel_format,
            "bit_depth": 8, "field_order": "progressive", "color_range": "tv", "color_primaries": "bt709",
            "color_transfer": "bt709", "color_space": "bt709", "hdr": "sdr", "has_b_frames": 0,
            "attached_picture": false,
        });
        MediaFacts {
            duration_s: Some(10.0),
            streams: vec![serde_json::from_value(stream).expect("a stream")],
            ..MediaFacts::default()
        }
    }

    fn decoder(codec: &str) -> DecodeAbility {
        DecodeAbility {
            codec: codec.to_owned(),
            chroma: "4:2:0".to_owned(),
            bit_depth: 8,
            min_width: 48,
            min_height: 16,
            max_width: 4096,
            max_height: 4096,
            max_macroblocks: 65_536,
            engines: 1,
        }
    }

    fn encoder(codec: &str, ten_bit: bool) -> EncodeAbility {
        EncodeAbility {
            codec: codec.to_owned(),
            ten_bit,
            ..EncodeAbility::default()
        }
    }

    #[test]
    fn every_distinct_encode_is_a_session_and_equal_ones_are_made_once() {
        let ladder = transcode(&[
            video("h264", 1080),
            video("h264", 720),
            video("hevc", 720),
            video("vp9", 360),
        ]);
        let twin = transcode(&[video("h264", 720)]);
        let need = Need::of(&[&ladder, &twin, &MediaWork::Analysis], None).expect("a device helps");
        let codecs: Vec<_> = need.encodes.iter().map(|one| one.codec).collect();
        assert_eq!(codecs, ["h264", "h264", "hevc"]);
        assert!(need.other_encodes);
        let device = DeviceFacts {
            encode: vec![encoder("h264", false)],
            ..DeviceFacts::default()
        };
        assert_eq!(need.sessions(&device), 2, "it makes no HEVC");
    }

    #[test]
    fn larger_and_more_renditions_need_more_memory_and_work() {
        let of = |heights: &[u32]| {
            let videos: Vec<_> = heights.iter().map(|height| video("h264", *height)).collect();
            Need::of(&[&transcode(&videos)], Some(&source("h264", "yuv420p"))).expect("a need")
        };
        let (small, large) = (of(&[360]), of(&[1080, 720, 360]));
        assert!(large.memory_bytes > small.memory_bytes && large.work > small.work);
        // 1080p in, 1080p, 720p and 360p out.
        assert!(
            (600 << 20..1_200 << 20).contains(&large.memory_bytes),
            "{}",
            large.memory_bytes
        );
        assert!(
            (large.work - 250.0 * (2.0736 * 2.0 + 0.9216 + 0.2304)).abs() < 1.0,
            "{}",
            large.work
        );
    }

    #[test]
    fn facts_alone_and_sources_without_pictures_need_no_device() {
        assert_eq!(Need::of(&[&MediaWork::Analysis], None), None);
        let sound = MediaFacts::default();
        let ladder = transcode(&[video("h264", 720)]);
        assert_eq!(Need::of(&[&ladder], Some(&sound)), None);
    }

    #[test]
    fn what_a_device_does_of_it_is_what_its_driver_says() {
        let ladder = transcode(&[video("h264", 1080), video("h264", 720)]);
        let need = |facts: &MediaFacts| Need::of(&[&ladder], Some(facts)).expect("a need");
        let card = DeviceFacts {
            decode: vec![decoder("h264")],
            encode: vec![encoder("h264", false)],
            ..DeviceFacts::default()
        };
        let datacentre = DeviceFacts {
            encode: Vec::new(),
            ..card.clone()
        };
        let h264 = need(&source("h264", "yuv420p"));
        assert_eq!(h264.ability(&card), Ability::Everything);
        assert_eq!(h264.ability(&datacentre), Ability::Something);
        let prores = need(&source("prores", "yuv422p10le"));
        assert_eq!(
            prores.ability(&card),
            Ability::Much,
            "decoded by the host, encoded by the card"
        );
        assert_eq!(prores.ability(&datacentre), Ability::Nothing);
        let unseen = Need::of(&[&ladder], None).expect("a need");
        assert_eq!(unseen.ability(&card), Ability::Everything, "nobody has looked yet");
    }

    #[test]
    fn pixel_formats_say_their_chroma() {
        let found = ["yuv420p", "nv12", "yuvj422p", "yuv444p10le", "gray"].map(chroma);
        assert_eq!(found, ["4:2:0", "4:2:0", "4:2:2", "4:4:4", "4:0:0"]);
    }
}
