//! HDR10's metadata as messages of a stream, for encoders that must be handed them: SEI messages of HEVC (H.265 annex
//! D), metadata OBUs of AV1.
//!
//! Guarantees: pure; the bytes are those that x265 and SVT-AV1 write. Deliberately absent: start codes and framing, which
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
