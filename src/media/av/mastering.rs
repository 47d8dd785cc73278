//! The light an HDR film was graded for, as frames and streams carry it.
//!
//! Guarantees: values that no display can have are not said at all. Deliberately absent: metadata that changes from
//! scene to scene; the words that encoders want.

use crate::media::av::error::AvError;
use crate::media::av::frame::Frame;
use crate::media::encoding::hdr::ContentLight;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::encoding::hdr::MasteringDisplay;
use ffmpeg_the_third::ffi;

/// Chromaticities are written in units of 1/50000, as HEVC does.
const CHROMA_UNIT: i32 = 50_000;
/// Luminances in units of 1/10000 cd/m2.
const LIGHT_UNIT: i32 = 10_000;

// libav's own structs, the same in all versions since 3.0; the bindings leave them out.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawMastering {
    primaries: [[ffi::AVRational; 2]; 3],
    white: [ffi::AVRational; 2],
    min_luminance: ffi::AVRational,
    max_luminance: ffi::AVRational,
    has_primaries: i32,
    has_luminance: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct RawContentLight {
    max_cll: u32,
    max_fall: u32,
}

/// What a frame carries.
pub fn of_frame(frame: &Frame) -> HdrMetadata {
    of_bytes(
        frame.side_data(ffi::AVFrameSideDataType::MASTERING_DISPLAY_METADATA),
        frame.side_data(ffi::AVFrameSideDataType::CONTENT_LIGHT_LEVEL),
    )
}

/// From libav's two structs as bytes.
pub(super) fn of_bytes(mastering: Option<&[u8]>, light: Option<&[u8]>) -> HdrMetadata {
    HdrMetadata {
        mastering: mastering.and_then(mastering_of),
        light: light.and_then(light_of),
    }
}

fn mastering_of(bytes: &[u8]) -> Option<MasteringDisplay> {
    if bytes.len() < size_of::<RawMastering>() {
        return None;
    }
    // SAFETY: long enough, and every bit pattern is a value of this struct; alignment is not assumed.
    let raw: RawMastering = unsafe { bytes.as_ptr().cast::<RawMastering>().read_unaligned() };
    if raw.has_primaries == 0 || raw.has_luminance == 0 {
        return None;
    }
    let value = |r: ffi::AVRational| (r.den != 0).then(|| f64::from(r.num) / f64::from(r.den));
    let chroma = |r: ffi::AVRational| value(r).filter(|value| (0.0..=1.0).contains(value));
    let light = |r: ffi::AVRational| value(r).filter(|value| (0.0..=100_000.0).contains(value));
    let point = |p: [ffi::AVRational; 2]| Some((chroma(p[0])?, chroma(p[1])?));
    let mastering = MasteringDisplay {
        primaries: [
            point(raw.primaries[0])?,
            point(raw.primaries[1])?,
            point(raw.primaries[2])?,
        ],
        white: point(raw.white)?,
        max_luminance: light(raw.max_luminance)?,
        min_luminance: light(raw.min_luminance)?,
    };
    (mastering.max_luminance > mastering.min_luminance).then_some(mastering)
}

fn light_of(bytes: &[u8]) -> Option<ContentLight> {
    if bytes.len() < size_of::<RawContentLight>() {
        return None;
    }
    // SAFETY: as above.
    let raw: RawContentLight = unsafe { bytes.as_ptr().cast::<RawContentLight>().read_unaligned() };
    let is_sane = raw.max_cll <= 65_535 && raw.max_fall <= 65_535 && (raw.max_cll > 0 || raw.max_fall > 0);
    is_sane.then_some(ContentLight {
        max_content: raw.max_cll,
        max_frame_average: raw.max_fall,
    })
}

/// Puts the light into a frame, in place of what it carried.
pub fn write_to_frame(frame: &mut Frame, metadata: &HdrMetadata) -> Result<(), AvError> {
    use ffi::AVFrameSideDataType as Kind;
    for (kind, bytes) in side_data_of(metadata) {
        let kind = match kind {
            ffi::AVPacketSideDataType::MASTERING_DISPLAY_METADATA => Kind::MASTERING_DISPLAY_METADATA,
            _ => Kind::CONTENT_LIGHT_LEVEL,
        };
        // SAFETY: a live frame, borrowed exclusively; the answer is null or has that many bytes, owned by the frame.
        unsafe {
            ffi::av_frame_remove_side_data(frame.as_ptr(), kind);
            let side = ffi::av_frame_new_side_data(frame.as_ptr(), kind, bytes.len() as _);
            let place = side
                .as_ref()
                .ok_or_else(|| AvError::memory("av_frame_new_side_data"))?
                .data;
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len());
        }
    }
    Ok(())
}

/// libav's structs as bytes, with the kinds of side data they are in streams.
fn side_data_of(metadata: &HdrMetadata) -> Vec<(ffi::AVPacketSideDataType, Vec<u8>)> {
    use ffi::AVPacketSideDataType as Kind;
    let fraction = |value: f64, den: i32| ffi::AVRational {
        num: (value * f64::from(den)).round() as i32,
        den,
    };
    let point = |(x, y): (f64, f64)| [fraction(x, CHROMA_UNIT), fraction(y, CHROMA_UNIT)];
    let mastering = metadata.mastering.map(|mastering| {
        let raw = RawMastering {
            primaries: mastering.primaries.map(point),
            white: point(mastering.white),
            min_luminance: fraction(mastering.min_luminance, LIGHT_UNIT),
            max_luminance: fraction(mastering.max_luminance, LIGHT_UNIT),
            has_primaries: 1,
            has_luminance: 1,
        };
        (Kind::MASTERING_DISPLAY_METADATA, bytes_of(&raw).to_vec())
    });
    let light = metadata.light.map(|light| {
        let raw = RawContentLight {
            max_cll: light.max_content,
            max_fall: light.max_frame_average,
        };
        (Kind::CONTENT_LIGHT_LEVEL, bytes_of(&raw).to_vec())
    });
    mastering.into_iter().chain(light).collect()
}

fn bytes_of<T: Copy>(value: &T) -> &[u8] {
    // SAFETY: both structs consist of 32-bit integers alone, so there is no padding to read.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// Puts the light into a stream about to be written.
///
/// # Safety
/// `stream` is a live stream of a muxer that has not begun.
#[allow(deprecated)]
pub(super) unsafe fn write_to(stream: *mut ffi::AVStream, metadata: &HdrMetadata) -> Result<(), AvError> {
    for (kind, bytes) in side_data_of(metadata) {
        // SAFETY: by the contract above; the answer is null or that many bytes owned by the stream.
        unsafe {
            let place = ffi::av_stream_new_side_data(stream, kind, bytes.len() as _);
            if place.is_null() {
                return Err(AvError::memory("av_stream_new_side_data"));
            }
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::of_bytes;
    use super::of_frame;
    use super::side_data_of;
    use super::write_to_frame;
    use crate::media::av::Frame;
    use crate::media::av::PixelFormat;
    use crate::media::encoding::hdr::ContentLight;
    use crate::media::encoding::hdr::HdrMetadata;
    use crate::media::encoding::hdr::MasteringDisplay;

    #[test]
    fn what_is_written_to_a_stream_is_read_back() {
        let metadata = HdrMetadata {
            mastering: Some(MasteringDisplay {
                primaries: [(0.68, 0.32), (0.265, 0.69), (0.15, 0.06)],
                white: (0.3127, 0.329),
                max_luminance: 1000.0,
                min_luminance: 0.0001,
            }),
            light: Some(ContentLight {
                max_content: 1000,
                max_frame_average: 400,
            }),
        };
        let written = side_data_of(&metadata);
        let (mastering, light) = (&written[0].1, &written[1].1);
        assert_eq!(of_bytes(Some(mastering), Some(light)), metadata);
        let mut frame = Frame::picture(PixelFormat::YUV420P, 16, 16).expect("a frame");
        write_to_frame(&mut frame, &metadata).expect("written");
        assert_eq!(of_frame(&frame), metadata);
        assert_eq!(
            of_bytes(Some(&mastering[..40]), None),
            HdrMetadata::default(),
            "a cut one says nothing"
        );
    }
}
