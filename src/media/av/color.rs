//! What the numbers of a picture mean: primaries, transfer, matrix, range.

use ffmpeg_the_third::ffi;
use std::ffi::CStr;

/// Colour description with the code points of H.273, which are libav's too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Color {
    /// 1 BT.709, 2 unspecified, 9 BT.2020 ...
    pub primaries: i32,
    /// 1 BT.709, 16 PQ, 18 HLG ...
    pub transfer: i32,
    /// 0 RGB, 1 BT.709, 5 and 6 BT.601, 9 BT.2020 ...
    pub matrix: i32,
    /// 0 unspecified, 1 limited, 2 full.
    pub range: i32,
}

/// Not said.
pub const UNSPECIFIED: i32 = 2;
/// BT.709, in primaries, transfer and matrix.
pub const BT709: i32 = 1;
/// SMPTE 170M (BT.601 at 525 lines), in primaries, transfer and matrix.
pub const SMPTE170M: i32 = 6;
/// BT.470 B and G (BT.601 at 625 lines), in primaries and matrix.
pub const BT601_625: i32 = 5;
/// BT.2020 primaries, and its non-constant matrix.
pub const BT2020: i32 = 9;
/// PQ transfer.
pub const PQ: i32 = 16;
/// HLG transfer.
pub const HLG: i32 = 18;
/// Video range, 16..235.
pub const LIMITED: i32 = 1;
/// 0..255.
pub const FULL: i32 = 2;

impl Color {
    /// Nothing said.
    pub const UNSPECIFIED: Color = Color {
        primaries: UNSPECIFIED,
        transfer: UNSPECIFIED,
        matrix: UNSPECIFIED,
        range: 0,
    };
    /// BT.709 in video range.
    pub const BT709: Color = Color {
        primaries: BT709,
        transfer: BT709,
        matrix: BT709,
        range: LIMITED,
    };

    /// PQ or HLG.
    pub fn is_hdr(self) -> bool {
        self.transfer == PQ || self.transfer == HLG
    }

    /// libav's name of the primaries, `bt709`.
    pub fn primaries_name(self) -> String {
        // SAFETY: answers null or a constant string.
        name(unsafe { ffi::av_color_primaries_name(raw_primaries(self.primaries)) })
    }

    /// libav's name of the transfer.
    pub fn transfer_name(self) -> String {
        // SAFETY: as above.
        name(unsafe { ffi::av_color_transfer_name(raw_transfer(self.transfer)) })
    }

    /// libav's name of the matrix.
    pub fn matrix_name(self) -> String {
        // SAFETY: as above.
        name(unsafe { ffi::av_color_space_name(raw_matrix(self.matrix)) })
    }

    /// `tv`, `pc` or `unknown`.
    pub fn range_name(self) -> String {
        match self.range {
            LIMITED => "tv".to_owned(),
            FULL => "pc".to_owned(),
            _ => "unknown".to_owned(),
        }
    }

    /// Matrix to calculate with: the one said, else the one every player assumes for a picture of that size.
    pub fn effective_matrix(self, width: u32, height: u32) -> i32 {
        match self.matrix {
            UNSPECIFIED | 3 => {
                if width >= 1280 || height > 576 {
                    BT709
                } else {
                    SMPTE170M
                }
            }
            said => said,
        }
    }
}

fn name(raw: *const std::ffi::c_char) -> String {
    if raw.is_null() {
        return "unknown".to_owned();
    }
    // SAFETY: libav's names are constant NUL-terminated strings.
    unsafe { CStr::from_ptr(raw) }.to_string_lossy().into_owned()
}

pub(super) fn raw_primaries(value: i32) -> ffi::AVColorPrimaries {
    ffi::AVColorPrimaries(value as _)
}
pub(super) fn raw_transfer(value: i32) -> ffi::AVColorTransferCharacteristic {
    ffi::AVColorTransferCharacteristic(value as _)
}
pub(super) fn raw_matrix(value: i32) -> ffi::AVColorSpace {
    ffi::AVColorSpace(value as _)
}
pub(super) fn raw_range(value: i32) -> ffi::AVColorRange {
    ffi::AVColorRange(value as _)
}
