//! What the parser says of a sequence when it begins, and what that asks of the decoder.
//!
//! Guarantees: plain numbers; values that the driver's lists do not have are numbers too. Deliberately absent: asking
//! the device.

use crate::media::cuda::nvdec::picture::Signal;
use crate::media::cuda::surface::Layout;
use crate::media::facts::Ratio;
use nvidia_video_codec_sdk::sys::cuviddec::cudaVideoChromaFormat_enum as Chroma;
use nvidia_video_codec_sdk::sys::cuviddec::cudaVideoCodec_enum as Number;
use nvidia_video_codec_sdk::sys::nvcuvid::CUVIDEOFORMAT;
use nvidia_video_codec_sdk::sys::nvcuvid::CUVIDEOFORMATEX;
use std::ptr::addr_of;

/// Edges are told to the decoder in 16 bits.
const LONGEST_EDGE: u32 = 32_767;
/// Pictures decoded ahead of the one that is shown, so that the engines never wait for us.
pub(super) const DISPLAY_DELAY: u32 = 4;
/// With more surfaces than these some drivers refuse.
const MOST_SURFACES: u32 = 32;

/// A part of a picture, pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
}

/// A sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) codec: u32,
    pub(super) chroma: u32,
    pub(super) bit_depth: u32,
    pub(super) chroma_bit_depth: u32,
    pub(super) coded: (u32, u32),
    /// The largest that pictures of it may become without a new sequence.
    pub(super) largest: (u32, u32),
    pub(super) area: Area,
    pub(super) is_progressive: bool,
    /// Width over height of the picture as shown.
    pub(super) display_aspect: (i32, i32),
    pub(super) signal: Signal,
    /// Surfaces that decoding it needs at least.
    pub(super) least_surfaces: u32,
}

/// What has to become of the decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It stays as it is.
    None,
    /// It takes pictures of another size.
    Size,
    /// Another one is needed.
    All,
}

impl Sequence {
    /// What the parser says.
    ///
    /// # Safety
    /// `format` is what a sequence callback was given, and the callback has not returned.
    pub(super) unsafe fn read(format: *const CUVIDEOFORMAT) -> Self {
        // SAFETY: by the contract above all fields are there; those of the driver's lists are read as numbers, because
        // newer drivers have values that ours have not.
        unsafe {
            let codec = addr_of!((*format).codec).cast::<u32>().read();
            let coded = ((*format).coded_width, (*format).coded_height);
            let area = addr_of!((*format).display_area).read();
            let signal = addr_of!((*format).video_signal_description).read();
            let aspect = addr_of!((*format).display_aspect_ratio).read();
            let mut largest = coded;
            if codec == Number::cudaVideoCodec_AV1 as u32 && (*format).seqhdr_data_length >= 8 {
                let header = addr_of!((*format.cast::<CUVIDEOFORMATEX>()).__bindgen_anon_1.av1);
                let (width, height) = (
                    addr_of!((*header).max_width).read(),
                    addr_of!((*header).max_height).read(),
                );
                largest = (coded.0.max(width), coded.1.max(height));
            }
            Sequence {
                codec,
                chroma: addr_of!((*format).chroma_format).cast::<u32>().read(),
                bit_depth: 8 + u32::from((*format).bit_depth_luma_minus8),
                chroma_bit_depth: 8 + u32::from((*format).bit_depth_chroma_minus8),
                coded,
                largest,
                area: Area {
                    left: area.left,
                    top: area.top,
                    right: area.right,
                    bottom: area.bottom,
                },
                is_progressive: (*format).progressive_sequence != 0,
                display_aspect: (aspect.x, aspect.y),
                signal: Signal {
                    primaries: signal.color_primaries,
                    transfer: signal.transfer_characteristics,
                    matrix: signal.matrix_coefficients,
                    is_full_range: signal.video_full_range_flag() != 0,
                },
                least_surfaces: u32::from((*format).min_num_decode_surfaces).max(1),
            }
        }
    }

    /// Why it is not taken, whatever the device can do.
    pub(super) fn refusal(&self, max_pixels: u64) -> Option<String> {
        let (width, height) = self.coded;
        let area = self.area;
        if self.chroma != Chroma::cudaVideoChromaFormat_420 as u32 {
            return Some("its pictures are not 4:2:0".to_owned());
        }
        if !matches!(self.bit_depth, 8 | 10) || self.bit_depth != self.chroma_bit_depth {
            return Some(format!(
                "its samples have {} bits",
                self.bit_depth.max(self.chroma_bit_depth)
            ));
        }
        let is_within = |from: i32, to: i32, edge: u32| from >= 0 && from < to && to as u32 <= edge.next_multiple_of(2);
        if width > LONGEST_EDGE - 1
            || height > LONGEST_EDGE - 1
            || !is_within(area.left, area.right, width)
            || !is_within(area.top, area.bottom, height)
        {
            return Some(format!("its pictures of {width}x{height} show {area:?} of themselves"));
        }
        (u64::from(width) * u64::from(height) > max_pixels).then(|| format!("{width}x{height} are too many pixels"))
    }

    /// Pixels shown, across and down.
    pub(super) fn shown(&self) -> (u32, u32) {
        let edge = |from: i32, to: i32| u32::try_from(to - from).unwrap_or(0);
        (
            edge(self.area.left, self.area.right),
            edge(self.area.top, self.area.bottom),
        )
    }

    /// The same in whole pairs of pixels, which is what surfaces are made of: nothing is scaled, the odd ones' neighbours
    /// come along.
    pub(super) fn target(&self) -> (u32, u32) {
        let (width, height) = self.shown();
        (width.next_multiple_of(2), height.next_multiple_of(2))
    }

    /// How its samples lie when they are mapped.
    pub(super) fn layout(&self) -> Layout {
        if self.bit_depth > 8 { Layout::P016 } else { Layout::Nv12 }
    }

    /// Surfaces to decode it with: what it needs, and one for each picture that waits to be shown.
    pub(super) fn surfaces(&self) -> u32 {
        (self.least_surfaces + DISPLAY_DELAY)
            .min(MOST_SURFACES)
            .max(self.least_surfaces)
    }

    /// Shape of a pixel; none when square or not said.
    pub(super) fn aspect(&self) -> Option<Ratio> {
        let (width, height) = self.shown();
        let (across, down) = self.display_aspect;
        if across <= 0 || down <= 0 {
            return None;
        }
        let num = u64::from(across.unsigned_abs()) * u64::from(height);
        let den = u64::from(down.unsigned_abs()) * u64::from(width);
        let common = common_divisor(num, den).max(1);
        let (num, den) = (num / common, den / common);
        // A picture of 854x480 is 16:9 to whoever wrote its header.
        if num.abs_diff(den) * 200 <= den {
            return None;
        }
        Some(Ratio {
            num: i32::try_from(num).ok()?,
            den: i32::try_from(den).ok()?,
        })
    }

    /// What has to become of a decoder made for `before`, with room for pictures of `room`.
    pub(super) fn change_from(&self, before: &Sequence, room: (u32, u32), surfaces: u32) -> Change {
        let is_other = (self.codec, self.chroma, self.bit_depth) != (before.codec, before.chroma, before.bit_depth)
            || self.coded.0 > room.0
            || self.coded.1 > room.1
            || self.least_surfaces > surfaces;
        if is_other {
            Change::All
        } else if (self.coded, self.area) != (before.coded, before.area) {
            Change::Size
        } else {
            Change::None
        }
    }
}

fn common_divisor(one: u64, other: u64) -> u64 {
    if other == 0 {
        one
    } else {
        common_divisor(other, one % other)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::Area;
    use super::Change;
    use super::Sequence;
    use crate::media::cuda::nvdec::picture::Signal;
    use crate::media::cuda::surface::Layout;
    use crate::media::facts::Ratio;

    pub(in crate::media::cuda::nvdec) fn film() -> Sequence {
        Sequence {
            codec: 4,
            chroma: 1,
            bit_depth: 8,
            chroma_bit_depth: 8,
            coded: (1920, 1088),
            largest: (1920, 1088),
            area: Area {
                left: 0,
                top: 0,
                right: 1920,
                bottom: 1080,
            },
            is_progressive: true,
            display_aspect: (16, 9),
            signal: Signal {
                primaries: 1,
                transfer: 1,
                matrix: 1,
                is_full_range: false,
            },
            least_surfaces: 5,
        }
    }

    #[test]
    fn a_crop_is_what_is_shown() {
        let mut film = film();
        assert_eq!(
            (film.shown(), film.target(), film.layout()),
            ((1920, 1080), (1920, 1080), Layout::Nv12)
        );
        film.area.right = 853;
        assert_eq!((film.shown().0, film.target().0), (853, 854));
        assert_eq!(film.surfaces(), 9);
        film.least_surfaces = 40;
        assert_eq!(film.surfaces(), 40, "never fewer than it needs");
    }

    #[test]
    fn pixels_are_square_unless_the_header_says_more_than_rounding_would() {
        let mut film = film();
        assert_eq!(film.aspect(), None);
        film.area.right = 1440;
        assert_eq!(film.aspect(), Some(Ratio { num: 4, den: 3 }));
        film.area = Area {
            right: 854,
            bottom: 480,
            ..film.area
        };
        assert_eq!(film.aspect(), None);
        film.display_aspect = (0, 0);
        assert_eq!(film.aspect(), None);
    }

    #[test]
    fn a_smaller_size_is_taken_in_place_and_a_larger_one_not() {
        let (before, mut now) = (film(), film());
        let change = |now: &Sequence| now.change_from(&before, (1920, 1088), 9);
        now.signal.matrix = 9;
        assert_eq!(change(&now), Change::None);
        now.coded = (1280, 720);
        assert_eq!(change(&now), Change::Size);
        now.coded = (1936, 1088);
        assert_eq!(change(&now), Change::All);
        assert_eq!(
            change(&Sequence {
                bit_depth: 10,
                ..film()
            }),
            Change::All
        );
        assert_eq!(
            change(&Sequence {
                least_surfaces: 10,
                ..film()
            }),
            Change::All
        );
    }

    #[test]
    fn what_surfaces_cannot_hold_is_refused_in_words() {
        let refusal = |sequence: Sequence| sequence.refusal(1 << 30);
        assert_eq!(refusal(film()), None);
        assert!(refusal(Sequence { chroma: 2, ..film() }).is_some_and(|why| why.contains("4:2:0")));
        assert!(
            refusal(Sequence {
                bit_depth: 12,
                ..film()
            })
            .is_some_and(|why| why.contains("12 bits"))
        );
        assert!(
            refusal(Sequence {
                coded: (40_000, 16),
                ..film()
            })
            .is_some()
        );
        let mut upside_down = film();
        upside_down.area.bottom = -1;
        assert!(refusal(upside_down).is_some());
        assert!(film().refusal(1000).is_some_and(|why| why.contains("too many pixels")));
    }
}
