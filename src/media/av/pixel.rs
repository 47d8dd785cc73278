//! Pixel formats.

use ffmpeg_the_third::ffi;
use std::ffi::CStr;

/// One of libav's pixel formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PixelFormat(pub(super) i32);

impl PixelFormat {
    /// None or unknown.
    pub const NONE: PixelFormat = PixelFormat(ffi::AVPixelFormat::NONE.0);
    /// Planar 4:2:0, 8 bit.
    pub const YUV420P: PixelFormat = PixelFormat(ffi::AVPixelFormat::YUV420P.0);
    /// Planar 4:2:0, 10 bit.
    pub const YUV420P10: PixelFormat = PixelFormat(ffi::AVPixelFormat::YUV420P10LE.0);
    /// Planar 4:2:2, 8 bit.
    pub const YUV422P: PixelFormat = PixelFormat(ffi::AVPixelFormat::YUV422P.0);
    /// Planar 4:2:2, 10 bit.
    pub const YUV422P10: PixelFormat = PixelFormat(ffi::AVPixelFormat::YUV422P10LE.0);
    /// Planar 4:4:4, 10 bit.
    pub const YUV444P10: PixelFormat = PixelFormat(ffi::AVPixelFormat::YUV444P10LE.0);
    /// Planar G, B, R, 8 bit each.
    pub const GBRP: PixelFormat = PixelFormat(ffi::AVPixelFormat::GBRP.0);
    /// Packed R, G, B, 8 bit each.
    pub const RGB24: PixelFormat = PixelFormat(ffi::AVPixelFormat::RGB24.0);
    /// Packed R, G, B, A, 8 bit each.
    pub const RGBA: PixelFormat = PixelFormat(ffi::AVPixelFormat::RGBA.0);
    /// 8 bit grey.
    pub const GRAY8: PixelFormat = PixelFormat(ffi::AVPixelFormat::GRAY8.0);
    /// Packed B, G, R, A.
    pub const BGRA: PixelFormat = PixelFormat(ffi::AVPixelFormat::BGRA.0);
    /// 8 bit with a palette.
    pub const PAL8: PixelFormat = PixelFormat(ffi::AVPixelFormat::PAL8.0);

    /// libav's name, `yuv420p`.
    pub fn name(self) -> Option<String> {
        // SAFETY: null or a constant string.
        let raw = unsafe { ffi::av_get_pix_fmt_name(ffi::AVPixelFormat(self.0)) };
        // SAFETY: checked for null; constant NUL-terminated string.
        (!raw.is_null()).then(|| unsafe { CStr::from_ptr(raw) }.to_string_lossy().into_owned())
    }

    /// Bits of the first component; 0 for an unknown format.
    pub fn bit_depth(self) -> u32 {
        self.descriptor()
            .map_or(0, |descriptor| descriptor.comp[0].depth.max(0) as u32)
    }

    /// Red, green and blue rather than luma and chroma.
    pub fn is_rgb(self) -> bool {
        let rgb = (ffi::AV_PIX_FMT_FLAG_RGB | ffi::AV_PIX_FMT_FLAG_PAL) as u64;
        self.descriptor().is_some_and(|descriptor| descriptor.flags & rgb != 0)
    }

    /// Shows what is behind it, by a plane, a channel or entries of its palette.
    pub fn has_alpha(self) -> bool {
        let alpha = (ffi::AV_PIX_FMT_FLAG_ALPHA | ffi::AV_PIX_FMT_FLAG_PAL) as u64;
        self.descriptor()
            .is_some_and(|descriptor| descriptor.flags & alpha != 0)
    }

    /// Luma alone.
    pub fn is_grey(self) -> bool {
        let alpha = ffi::AV_PIX_FMT_FLAG_ALPHA as u64;
        self.descriptor().is_some_and(|descriptor| {
            let colours = descriptor.nb_components - u8::from(descriptor.flags & alpha != 0);
            !self.is_rgb() && colours == 1
        })
    }

    /// Planar luma and chroma of a depth (8, 10, 12 or 16 bits) and chroma halvings; the next better one that exists.
    pub fn planar(depth: u32, chroma_shift: (u32, u32)) -> PixelFormat {
        let form = match chroma_shift {
            (0, 0) => "444",
            (1, 0) => "422",
            (1, 1) => "420",
            // 4:1:1, 4:4:0, 4:1:0 and their like.
            (0, _) => "444",
            (_, 0) => "422",
            _ => "420",
        };
        let name = match depth {
            0..=8 => format!("yuv{form}p"),
            9 | 10 => format!("yuv{form}p10"),
            11 | 12 => format!("yuv{form}p12"),
            _ => format!("yuv{form}p16"),
        };
        PixelFormat::named(&name).unwrap_or(PixelFormat::YUV420P)
    }

    /// The format of a name of libav's, in the byte order of this machine.
    pub fn named(name: &str) -> Option<PixelFormat> {
        let name = std::ffi::CString::new(name).ok()?;
        // SAFETY: a NUL-terminated string that lives through the call.
        let raw = unsafe { ffi::av_get_pix_fmt(name.as_ptr()) };
        (raw != ffi::AVPixelFormat::NONE).then_some(PixelFormat(raw.0))
    }

    /// The same of samples of several bytes, whose names say the order in the end: `gbrpf32`.
    pub fn native(name: &str) -> Option<PixelFormat> {
        let order = if cfg!(target_endian = "big") { "be" } else { "le" };
        PixelFormat::named(&format!("{name}{order}"))
    }

    /// Whether a picture of this format loses nothing of what one of `other` can hold.
    pub fn holds(self, other: PixelFormat) -> bool {
        let (across, down) = self.chroma_shift();
        let (other_across, other_down) = other.chroma_shift();
        self.bit_depth() >= other.bit_depth() && across <= other_across && down <= other_down
    }

    /// Chroma halvings, horizontal and vertical, as powers of two.
    pub fn chroma_shift(self) -> (u32, u32) {
        self.descriptor().map_or((0, 0), |descriptor| {
            (u32::from(descriptor.log2_chroma_w), u32::from(descriptor.log2_chroma_h))
        })
    }

    /// The format without the old habit of saying "full range" in its name (`yuvj420p`), and whether it did.
    pub fn without_range(self) -> (PixelFormat, bool) {
        use ffi::AVPixelFormat as P;
        let plain = match P(self.0) {
            P::YUVJ420P => P::YUV420P,
            P::YUVJ422P => P::YUV422P,
            P::YUVJ444P => P::YUV444P,
            P::YUVJ440P => P::YUV440P,
            P::YUVJ411P => P::YUV411P,
            _ => return (self, false),
        };
        (PixelFormat(plain.0), true)
    }

    pub(super) fn raw(self) -> ffi::AVPixelFormat {
        ffi::AVPixelFormat(self.0)
    }

    fn descriptor(self) -> Option<&'static ffi::AVPixFmtDescriptor> {
        // SAFETY: null or a constant of libav's.
        unsafe { ffi::av_pix_fmt_desc_get(self.raw()).as_ref() }
    }
}
