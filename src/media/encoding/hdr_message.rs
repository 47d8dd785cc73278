//! HDR10's metadata as messages of a stream, for encoders that must be handed them: SEI messages of HEVC (H.265 annex
//! D), metadata OBUs of AV1.
//!
//! Guarantees: pure; HEVC's bytes are those that x265 writes. Deliberately absent: start codes and framing, which
//! the encoder adds.

use crate::media::cuda::nvenc::Codec;
use crate::media::cuda::nvenc::Message;
use crate::media::encoding::hdr::ContentLight;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::encoding::hdr::MasteringDisplay;

/// Numbers of the messages in H.265.
const SEI_MASTERING: u32 = 137;
const SEI_LIGHT: u32 = 144;
/// Numbers of the metadata in AV1.
const OBU_LIGHT: u32 = 1;
const OBU_MASTERING: u32 = 2;

/// The messages that say this; none where nothing is said, or the codec has no place for it.
pub fn messages(codec: Codec, metadata: &HdrMetadata) -> Vec<Message> {
    let (mastering, light) = match codec {
        Codec::H264 => return Vec::new(),
        Codec::Hevc => (
            metadata
                .mastering
                .map(|display| (SEI_MASTERING, mastering_of_hevc(&display))),
            metadata.light.map(|light| (SEI_LIGHT, light_of(light))),
        ),
        Codec::Av1 => (
            metadata
                .mastering
                .map(|display| (OBU_MASTERING, mastering_of_av1(&display))),
            metadata.light.map(|light| (OBU_LIGHT, light_of(light))),
        ),
    };
    let message = |(kind, payload)| Message { kind, payload };
    mastering.into_iter().chain(light).map(message).collect()
}

/// Chromaticities in 1/50000, green, blue, red, white; luminances in 1/10000 cd/m2, brightest and darkest.
fn mastering_of_hevc(display: &MasteringDisplay) -> Vec<u8> {
    let [red, green, blue] = display.primaries;
    let points = [green, blue, red, display.white];
    let mut bytes = points_of(points, 50_000.0);
    for luminance in [display.max_luminance, display.min_luminance] {
        bytes.extend(((luminance * 10_000.0).round() as u32).to_be_bytes());
    }
    bytes
}

/// Chromaticities in 1/65536, red, green, blue, white; brightest in 1/256 cd/m2, darkest in 1/16384.
fn mastering_of_av1(display: &MasteringDisplay) -> Vec<u8> {
    let [red, green, blue] = display.primaries;
    let mut bytes = points_of([red, green, blue, display.white], 65_536.0);
    bytes.extend(((display.max_luminance * 256.0).round() as u32).to_be_bytes());
    bytes.extend(((display.min_luminance * 16_384.0).round() as u32).to_be_bytes());
    bytes
}

fn points_of(points: [(f64, f64); 4], units: f64) -> Vec<u8> {
    let number = |value: f64| (value * units).round().clamp(0.0, f64::from(u16::MAX)) as u16;
    points
        .iter()
        .flat_map(|(x, y)| [number(*x), number(*y)])
        .flat_map(u16::to_be_bytes)
        .collect()
}

/// Brightest pixel and highest average.
fn light_of(light: ContentLight) -> Vec<u8> {
    let number = |value: u32| u16::try_from(value).unwrap_or(u16::MAX);
    [number(light.max_content), number(light.max_frame_average)]
        .into_iter()
        .flat_map(u16::to_be_bytes)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::messages;
    use crate::media::av::Encoder;
    use crate::media::av::Frame;
    use crate::media::av::PixelFormat;
    use crate::media::av::color::Color;
    use crate::media::av::encode::VideoSetup;
    use crate::media::cuda::nvenc::Codec;
    use crate::media::encoding::Engine;
    use crate::media::encoding::Reading;
    use crate::media::encoding::Wanted;
    use crate::media::encoding::hdr::ContentLight;
    use crate::media::encoding::hdr::HdrMetadata;
    use crate::media::encoding::hdr::MasteringDisplay;
    use crate::media::encoding::options;
    use crate::media::facts::Ratio;

    const METADATA: HdrMetadata = HdrMetadata {
        mastering: Some(MasteringDisplay {
            primaries: [(0.68, 0.32), (0.265, 0.69), (0.15, 0.06)],
            white: (0.3127, 0.329),
            max_luminance: 1000.0,
            min_luminance: 0.005,
        }),
        light: Some(ContentLight {
            max_content: 1000,
            max_frame_average: 400,
        }),
    };

    /// What an encoder of libav's writes for two grey pictures with this metadata.
    fn written(engine: Engine, codec: &str) -> Vec<u8> {
        let spec =
            toml::from_str(&format!("codec = \"{codec}\"\nbit_depth = 10\npreset = \"ultrafast\"")).expect("a spec");
        let (width, height) = (256, 144);
        let wanted = Wanted {
            engine,
            spec: &spec,
            width,
            threads: 1,
            hdr: &METADATA,
            reading: Reading::Only,
        };
        let setup = VideoSetup {
            encoder: engine.name(),
            width,
            height,
            format: PixelFormat::YUV420P10,
            time_base: Ratio { num: 1, den: 25 },
            frame_rate: Ratio { num: 25, den: 1 },
            color: Color::BT709,
            threads: 1,
            gop_frames: 1 << 20,
            bframes: None,
            usual_duration: None,
        };
        let mut encoder = Encoder::video(&setup, options(&wanted).expect("options")).expect("an encoder");
        let mut bytes = encoder.parameters().expect("parameters").extradata().to_vec();
        let mut take = |encoder: &mut Encoder| {
            while let Some(packet) = encoder.receive().expect("a packet") {
                bytes.extend(packet.data());
            }
        };
        for pts in 0..2 {
            let mut frame = Frame::picture(PixelFormat::YUV420P10, width, height).expect("a frame");
            for plane in 0..3 {
                (0..height).for_each(|y| frame.row_mut(plane, y).into_iter().for_each(|row| row.fill(2)));
            }
            frame.set_pts(pts);
            encoder.send(&frame, 1).expect("sent");
            take(&mut encoder);
        }
        encoder.send_end().expect("ended");
        take(&mut encoder);
        bytes
    }

    /// Bytes without the 3 after two zeros.
    fn plain(bytes: &[u8]) -> Vec<u8> {
        let mut plain: Vec<u8> = Vec::new();
        for byte in bytes {
            if *byte == 3 && plain.ends_with(&[0, 0]) {
                continue;
            }
            plain.push(*byte);
        }
        plain
    }

    fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
        bytes.windows(wanted.len()).any(|window| window == wanted)
    }

    #[test]
    fn hevc_says_it_as_x265_does() {
        let stream = plain(&written(Engine::X265, "hevc"));
        let messages = messages(Codec::Hevc, &METADATA);
        assert_eq!(messages.len(), 2);
        for message in messages {
            let mut wanted = vec![message.kind as u8, message.payload.len() as u8];
            wanted.extend(&message.payload);
            assert!(holds(&stream, &wanted), "{wanted:x?}");
        }
    }

    #[test]
    fn av1_says_it_as_its_standard_does() {
        let [mastering, light] = &messages(Codec::Av1, &METADATA)[..] else {
            panic!("two of them");
        };
        // Red x of 0.68 in 1/65536, the brightest in 1/256 and the darkest in 1/16384 cd/m2.
        assert_eq!((mastering.kind, mastering.payload.len()), (2, 24));
        assert_eq!(mastering.payload[..2], 44_564_u16.to_be_bytes());
        assert_eq!(mastering.payload[16..20], 256_000_u32.to_be_bytes());
        assert_eq!(mastering.payload[20..], 82_u32.to_be_bytes());
        assert_eq!((light.kind, light.payload.as_slice()), (1, [3, 232, 1, 144].as_slice()));
        assert!(messages(Codec::H264, &METADATA).is_empty(), "taken for SDR everywhere");
        assert!(messages(Codec::Hevc, &HdrMetadata::default()).is_empty());
    }
}
