//! The light an HDR film was graded for: the mastering display, and how bright its content gets.
//!
//! Guarantees: read from frames and streams alike, written to streams and into the words encoders want; values that
//! no display can have are not said at all. Deliberately absent: metadata that changes from scene to scene.

use crate::media::av::error::AvError;
use crate::media::av::frame::Frame;
use ffmpeg_the_third::ffi;

/// Chromaticities are written in units of 1/50000.
const CHROMA_UNIT: f64 = 50_000.0;
/// Luminances in units of 1/10000 cd/m2.
const LIGHT_UNIT: f64 = 10_000.0;

/// The display a film was graded on (SMPTE ST 2086), in the units of HEVC's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mastering {
    /// x and y of red, green and blue, 1/50000.
    pub primaries: [[u16; 2]; 3],
    /// x and y of white, 1/50000.
    pub white: [u16; 2],
    /// Brightest, 1/10000 cd/m2.
    pub max_luminance: u32,
    /// Darkest, 1/10000 cd/m2.
    pub min_luminance: u32,
}

/// How bright the content gets (CTA-861.3), cd/m2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentLight {
    /// The brightest pixel of all.
    pub max_cll: u32,
    /// The brightest average of a frame.
    pub max_fall: u32,
}

/// What a source says of its light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HdrLight {
    /// The display.
    pub mastering: Option<Mastering>,
    /// The content.
    pub content: Option<ContentLight>,
}

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

impl HdrLight {
    /// Nothing is said.
    pub fn is_empty(&self) -> bool {
        self.mastering.is_none() && self.content.is_none()
    }

    /// What `self` leaves open, as `other` says it.
    pub fn or(self, other: HdrLight) -> HdrLight {
        HdrLight {
            mastering: self.mastering.or(other.mastering),
            content: self.content.or(other.content),
        }
    }

    /// What a frame carries.
    pub fn of_frame(frame: &Frame) -> HdrLight {
        HdrLight::of_bytes(
            frame.side_data(ffi::AVFrameSideDataType::MASTERING_DISPLAY_METADATA),
            frame.side_data(ffi::AVFrameSideDataType::CONTENT_LIGHT_LEVEL),
        )
    }

    /// From libav's two structs as bytes.
    pub(super) fn of_bytes(mastering: Option<&[u8]>, content: Option<&[u8]>) -> HdrLight {
        HdrLight {
            mastering: mastering.and_then(mastering_of),
            content: content.and_then(content_of),
        }
    }

    /// libav's structs as bytes, with the kinds of side data they are in streams.
    pub(super) fn to_side_data(self) -> Vec<(ffi::AVPacketSideDataType, Vec<u8>)> {
        let mut all = Vec::new();
        if let Some(mastering) = self.mastering {
            let chroma = |value: u16| ffi::AVRational {
                num: i32::from(value),
                den: 50_000,
            };
            let light = |value: u32| ffi::AVRational {
                num: i32::try_from(value).unwrap_or(i32::MAX),
                den: 10_000,
            };
            let raw = RawMastering {
                primaries: mastering.primaries.map(|point| point.map(chroma)),
                white: mastering.white.map(chroma),
                min_luminance: light(mastering.min_luminance),
                max_luminance: light(mastering.max_luminance),
                has_primaries: 1,
                has_luminance: 1,
            };
            all.push((
                ffi::AVPacketSideDataType::MASTERING_DISPLAY_METADATA,
                bytes_of(&raw).to_vec(),
            ));
        }
        if let Some(content) = self.content {
            let raw = RawContentLight {
                max_cll: content.max_cll,
                max_fall: content.max_fall,
            };
            all.push((
                ffi::AVPacketSideDataType::CONTENT_LIGHT_LEVEL,
                bytes_of(&raw).to_vec(),
            ));
        }
        all
    }

    /// x265's `master-display`, in its integer units.
    pub fn x265_master_display(&self) -> Option<String> {
        let m = self.mastering?;
        let [red, green, blue] = m.primaries;
        Some(format!(
            "G({},{})B({},{})R({},{})WP({},{})L({},{})",
            green[0],
            green[1],
            blue[0],
            blue[1],
            red[0],
            red[1],
            m.white[0],
            m.white[1],
            m.max_luminance,
            m.min_luminance
        ))
    }

    /// SVT-AV1's `mastering-display`, the same in decimal fractions.
    pub fn svt_master_display(&self) -> Option<String> {
        let m = self.mastering?;
        let point = |p: [u16; 2]| {
            format!(
                "({:.5},{:.5})",
                f64::from(p[0]) / CHROMA_UNIT,
                f64::from(p[1]) / CHROMA_UNIT
            )
        };
        let [red, green, blue] = m.primaries;
        Some(format!(
            "G{}B{}R{}WP{}L({:.4},{:.4})",
            point(green),
            point(blue),
            point(red),
            point(m.white),
            f64::from(m.max_luminance) / LIGHT_UNIT,
            f64::from(m.min_luminance) / LIGHT_UNIT
        ))
    }

    /// `max-cll` of x265 and `content-light` of SVT-AV1: `1000,400`.
    pub fn content_words(&self) -> Option<String> {
        self.content
            .map(|content| format!("{},{}", content.max_cll, content.max_fall))
    }

    /// The brightest that is to be expected, cd/m2; none when nothing sensible is said.
    pub fn peak_nits(&self) -> Option<f64> {
        let content = self.content.map(|content| f64::from(content.max_cll));
        let display = self
            .mastering
            .map(|mastering| f64::from(mastering.max_luminance) / LIGHT_UNIT);
        [content, display]
            .into_iter()
            .flatten()
            .find(|nits| (100.0..=10_000.0).contains(nits))
    }
}

fn mastering_of(bytes: &[u8]) -> Option<Mastering> {
    if bytes.len() < size_of::<RawMastering>() {
        return None;
    }
    // SAFETY: long enough, and every bit pattern is a value of this struct; alignment is not assumed.
    let raw: RawMastering = unsafe { bytes.as_ptr().cast::<RawMastering>().read_unaligned() };
    if raw.has_primaries == 0 || raw.has_luminance == 0 {
        return None;
    }
    let value = |r: ffi::AVRational| (r.den != 0).then(|| f64::from(r.num) / f64::from(r.den));
    let chroma = |r: ffi::AVRational| {
        value(r)
            .filter(|value| (0.0..=1.0).contains(value))
            .map(|value| (value * CHROMA_UNIT).round() as u16)
    };
    let light = |r: ffi::AVRational| {
        value(r)
            .filter(|value| (0.0..=100_000.0).contains(value))
            .map(|value| (value * LIGHT_UNIT).round() as u32)
    };
    let point = |p: [ffi::AVRational; 2]| Some([chroma(p[0])?, chroma(p[1])?]);
    let mastering = Mastering {
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

fn content_of(bytes: &[u8]) -> Option<ContentLight> {
    if bytes.len() < size_of::<RawContentLight>() {
        return None;
    }
    // SAFETY: as above.
    let raw: RawContentLight = unsafe { bytes.as_ptr().cast::<RawContentLight>().read_unaligned() };
    let sane = raw.max_cll <= 65_535 && raw.max_fall <= 65_535 && (raw.max_cll > 0 || raw.max_fall > 0);
    sane.then_some(ContentLight {
        max_cll: raw.max_cll,
        max_fall: raw.max_fall,
    })
}

fn bytes_of<T: Copy>(value: &T) -> &[u8] {
    // SAFETY: both structs consist of 32-bit integers alone, so there is no padding to read.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }
}

impl std::fmt::Display for HdrLight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.x265_master_display(), self.content_words()) {
            (None, None) => f.write_str("none"),
            (display, content) => write!(
                f,
                "{} {}",
                display.unwrap_or_else(|| "-".to_owned()),
                content.unwrap_or_else(|| "-".to_owned())
            ),
        }
    }
}

/// Puts the light into a stream about to be written.
///
/// # Safety
/// `stream` is a live stream of a muxer that has not begun.
#[allow(deprecated)]
pub(super) unsafe fn write_to(stream: *mut ffi::AVStream, light: HdrLight) -> Result<(), AvError> {
    for (kind, bytes) in light.to_side_data() {
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
    use super::ContentLight;
    use super::HdrLight;
    use super::Mastering;

    const LIGHT: HdrLight = HdrLight {
        mastering: Some(Mastering {
            primaries: [[34_000, 16_000], [13_250, 34_500], [7_500, 3_000]],
            white: [15_635, 16_450],
            max_luminance: 10_000_000,
            min_luminance: 1,
        }),
        content: Some(ContentLight {
            max_cll: 1000,
            max_fall: 400,
        }),
    };

    #[test]
    fn what_is_written_to_a_stream_is_read_back() {
        let written = LIGHT.to_side_data();
        let (mastering, content) = (&written[0].1, &written[1].1);
        assert_eq!(HdrLight::of_bytes(Some(mastering), Some(content)), LIGHT);
        assert_eq!(
            HdrLight::of_bytes(Some(&mastering[..40]), None),
            HdrLight::default(),
            "a cut one says nothing"
        );
    }

    #[test]
    fn encoders_get_their_own_words() {
        assert_eq!(
            LIGHT.x265_master_display().expect("said"),
            "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
        );
        assert_eq!(
            LIGHT.svt_master_display().expect("said"),
            "G(0.26500,0.69000)B(0.15000,0.06000)R(0.68000,0.32000)WP(0.31270,0.32900)L(1000.0000,0.0001)"
        );
        assert_eq!(LIGHT.content_words().expect("said"), "1000,400");
        assert_eq!(LIGHT.peak_nits(), Some(1000.0));
    }
}
