//! What a sequence is, as its callback is told.

use crate::cuvid::codec::Codec;
use crate::cuvid::libav::Decoder;
use crate::cuvid::libav::Frame;
use crate::cuvid::splitter::Unit;
use crate::cuvid::sps;
use ffmpeg_the_third::ffi;
use nvidia_video_codec_sdk::sys::cuviddec::cudaVideoChromaFormat_enum as Chroma;
use nvidia_video_codec_sdk::sys::cuviddec::cudaVideoCodec_enum as Number;
use nvidia_video_codec_sdk::sys::nvcuvid::CUVIDEOFORMAT;

/// A sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    coded: (u32, u32),
    /// Left, top, right, bottom.
    area: [i32; 4],
    chroma: u32,
    depth: u32,
    rate: (u32, u32),
    aspect: (i32, i32),
    progressive: bool,
    /// Macroblocks choose between frame and field.
    pub adaptive: bool,
    full_range: bool,
    /// Primaries, transfer, matrix.
    colour: [u8; 3],
    /// Pictures that are held back to be put into the order of display.
    reorder: usize,
    /// Pictures that others are made of.
    pub references: usize,
}

impl Format {
    /// Of the sequence that begins with this picture; none when nothing can be made of it.
    pub fn of(codec: &'static Codec, probe: &mut Decoder, unit: &Unit) -> Option<Self> {
        probe.send(&unit.bytes, 0);
        probe.end();
        let mut frame = None;
        while let Some(next) = probe.receive() {
            frame.get_or_insert(next);
        }
        let (reorder, rate) = (probe.reorder(), probe.rate());
        let references = match codec.id {
            // libav says it of this one alone.
            ffi::AVCodecID::H264 => probe.references().max(1),
            _ => codec.references,
        };
        probe.restart();
        Self::read(codec, &frame?, unit, reorder, references, rate)
    }

    fn read(
        codec: &'static Codec,
        frame: &Frame,
        unit: &Unit,
        reorder: usize,
        references: usize,
        rate: (u32, u32),
    ) -> Option<Self> {
        let raw = frame.raw();
        let (width, height) = (u32::try_from(raw.width).ok()?, u32::try_from(raw.height).ok()?);
        let block = match codec.id {
            ffi::AVCodecID::HEVC | ffi::AVCodecID::VP9 | ffi::AVCodecID::AV1 => 8,
            _ => 16,
        };
        let area = [
            raw.crop_left as i32,
            raw.crop_top as i32,
            raw.width - raw.crop_right as i32,
            raw.height - raw.crop_bottom as i32,
        ];
        let descriptor = frame.descriptor()?;
        let chroma = match (
            descriptor.nb_components,
            descriptor.log2_chroma_w,
            descriptor.log2_chroma_h,
        ) {
            (1 | 2, _, _) => 0,
            (_, 1, 1) => 1,
            (_, 1, 0) => 2,
            _ => 3,
        };
        let fields = match codec.id {
            ffi::AVCodecID::H264 => sps::fields_of(&unit.bytes),
            _ => None,
        };
        let (across, down) = (area[2] - area[0], area[3] - area[1]);
        let pixel = raw.sample_aspect_ratio;
        let shape = if pixel.num > 0 && pixel.den > 0 {
            (
                i64::from(across) * i64::from(pixel.num),
                i64::from(down) * i64::from(pixel.den),
            )
        } else {
            (i64::from(across), i64::from(down))
        };
        let divisor = gcd(shape.0, shape.1).max(1);
        // A full range that only the name of the format tells is one, too.
        // SAFETY: names of pixel formats are text that ends with a zero byte.
        let name = unsafe { std::ffi::CStr::from_ptr(descriptor.name) }.to_bytes();
        Some(Format {
            coded: (width.next_multiple_of(block), height.next_multiple_of(block)),
            area,
            chroma,
            depth: frame.depth(),
            rate,
            aspect: ((shape.0 / divisor) as i32, (shape.1 / divisor) as i32),
            progressive: fields.map_or(raw.interlaced_frame == 0, |fields| fields.frames_only),
            adaptive: fields.is_some_and(|fields| fields.adaptive),
            full_range: raw.color_range == ffi::AVColorRange::JPEG || name.starts_with(b"yuvj"),
            colour: [
                raw.color_primaries.0 as u8,
                raw.color_trc.0 as u8,
                raw.colorspace.0 as u8,
            ],
            reorder,
            references,
        })
    }

    /// Surfaces without which it cannot be decoded.
    pub fn least_surfaces(&self) -> usize {
        self.references.max(self.reorder + 1) + 2
    }

    /// Pictures that are held back to be put into the order of display.
    pub fn reorder(&self) -> u64 {
        self.reorder as u64
    }

    /// Frames a second; (0, 0): not said.
    pub fn rate(&self) -> (u32, u32) {
        self.rate
    }

    /// Macroblocks across and down.
    pub fn blocks(&self) -> (u32, u32) {
        (self.coded.0.div_ceil(16), self.coded.1.div_ceil(16))
    }

    /// As its callback is told.
    pub fn told(&self, codec: &Codec) -> CUVIDEOFORMAT {
        // SAFETY: zeros are values of all of its fields.
        let mut told: CUVIDEOFORMAT = unsafe { std::mem::zeroed() };
        told.codec = match codec.number {
            0 => Number::cudaVideoCodec_MPEG1,
            1 => Number::cudaVideoCodec_MPEG2,
            2 => Number::cudaVideoCodec_MPEG4,
            3 => Number::cudaVideoCodec_VC1,
            4 => Number::cudaVideoCodec_H264,
            5 => Number::cudaVideoCodec_JPEG,
            8 => Number::cudaVideoCodec_HEVC,
            9 => Number::cudaVideoCodec_VP8,
            10 => Number::cudaVideoCodec_VP9,
            _ => Number::cudaVideoCodec_AV1,
        };
        (told.frame_rate.numerator, told.frame_rate.denominator) = self.rate;
        told.progressive_sequence = u8::from(self.progressive);
        told.bit_depth_luma_minus8 = (self.depth - 8) as u8;
        told.bit_depth_chroma_minus8 = (self.depth - 8) as u8;
        told.min_num_decode_surfaces = self.least_surfaces() as u8;
        (told.coded_width, told.coded_height) = self.coded;
        let [left, top, right, bottom] = self.area;
        told.display_area.left = left;
        told.display_area.top = top;
        told.display_area.right = right;
        told.display_area.bottom = bottom;
        told.chroma_format = match self.chroma {
            0 => Chroma::cudaVideoChromaFormat_Monochrome,
            1 => Chroma::cudaVideoChromaFormat_420,
            2 => Chroma::cudaVideoChromaFormat_422,
            _ => Chroma::cudaVideoChromaFormat_444,
        };
        (told.display_aspect_ratio.x, told.display_aspect_ratio.y) = self.aspect;
        let signal = &mut told.video_signal_description;
        // Unspecified, as streams of today have it.
        signal.set_video_format(5);
        signal.set_video_full_range_flag(u8::from(self.full_range));
        signal.color_primaries = self.colour[0];
        signal.transfer_characteristics = self.colour[1];
        signal.matrix_coefficients = self.colour[2];
        told
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}
