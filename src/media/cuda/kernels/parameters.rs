//! What kernels are given, field by field as `kernel.h` and the `.cu` files have it.
//!
//! Guarantees: every struct is of the size that the PTX says its parameter has (a test looks), and every gap is a field.
//! Deliberately absent: where the numbers come from.

use crate::media::cuda::surface::Layout;
use crate::media::cuda::surface::Surface;

/// Outputs of one launch of `scale`.
pub const OUTPUTS: usize = 16;
/// Samples of a column that one thread of `scale` makes.
pub const COLUMN: u32 = 4;

/// A parameter, and the kernel that takes it.
pub trait Parameters: Copy {
    /// Name of the kernel.
    const KERNEL: &'static str;
}

/// Blocks and threads of a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Blocks.
    pub blocks: [u32; 3],
    /// Threads of a block.
    pub threads: [u32; 3],
}

impl Grid {
    /// Enough blocks of these threads for so many places.
    pub fn over(places: [u32; 3], threads: [u32; 3]) -> Self {
        let blocks = [0, 1, 2].map(|edge: usize| places[edge].div_ceil(threads[edge]).max(1));
        Grid { blocks, threads }
    }
}

/// Where a picture lies: addresses and pitches of its planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureAt {
    /// How its samples lie.
    pub layout: Layout,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// First sample of each plane.
    pub address: [u64; 3],
    /// From a row to the next, bytes.
    pub pitch_bytes: [u32; 3],
}

impl PictureAt {
    /// A surface's.
    pub fn of(surface: &Surface) -> Self {
        let plane = |number: usize| surface.plane(number);
        PictureAt {
            layout: surface.layout(),
            width: surface.width(),
            height: surface.height(),
            address: [0, 1, 2].map(|number| plane(number).map_or(0, |plane| plane.address)),
            pitch_bytes: [0, 1, 2].map(|number| plane(number).map_or(0, |plane| plane.pitch_bytes as u32)),
        }
    }

    /// Bytes of a word.
    pub fn word_bytes(&self) -> u32 {
        if is_wide(self.layout) { 2 } else { 1 }
    }

    /// Its components, the first sample of each `x` and `y` pixels away from the corner; both even.
    pub fn planes(&self, x: u32, y: u32) -> Planes {
        let word = u64::from(self.word_bytes());
        let (cr_plane, step) = if self.layout.planes() == 2 { (1, 2) } else { (2, 1) };
        let at = |plane: usize, x: u32, y: u32, step: u32, more: u64| Samples {
            address: self.address[plane]
                + u64::from(y) * u64::from(self.pitch_bytes[plane])
                + u64::from(x) * u64::from(step) * word
                + more,
            pitch_bytes: self.pitch_bytes[plane],
            step,
        };
        Planes {
            y: at(0, x, y, 1, 0),
            cb: at(1, x / 2, y / 2, step, 0),
            cr: at(cr_plane, x / 2, y / 2, step, if step == 2 { word } else { 0 }),
            wide: u32::from(is_wide(self.layout)),
            shift: shift(self.layout),
            depth: self.layout.bit_depth(),
            reserved: 0,
        }
    }
}

/// Whether samples are 16-bit words.
pub fn is_wide(layout: Layout) -> bool {
    layout.bit_depth() > 8
}

/// Bits of a word below the value.
pub fn shift(layout: Layout) -> u32 {
    if layout == Layout::P016 { 6 } else { 0 }
}

/// Samples of one component.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Samples {
    /// Of the first.
    pub address: u64,
    /// From a row to the next, bytes.
    pub pitch_bytes: u32,
    /// From a sample to the next, samples.
    pub step: u32,
}

/// A 4:2:0 picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Planes {
    /// Luma.
    pub y: Samples,
    /// Blue difference.
    pub cb: Samples,
    /// Red difference.
    pub cr: Samples,
    /// 1: words of 16 bits.
    pub wide: u32,
    /// Bits of a word below the value.
    pub shift: u32,
    /// Bits of the value.
    pub depth: u32,
    /// 0.
    pub reserved: u32,
}

impl Planes {
    /// A component.
    pub fn component(&self, number: usize) -> Samples {
        [self.y, self.cb, self.cr][number.min(2)]
    }
}

/// How one axis is made: a table of [`Weights`](crate::media::software::weights::Weights) on the device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Axis {
    /// The table.
    pub table: u64,
    /// Samples that are made.
    pub count: u32,
    /// Weights of each.
    pub taps: u32,
}

/// The four axes of a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Axes {
    /// Of luma, along the source's rows.
    pub luma_across: Axis,
    /// Of luma, down its columns.
    pub luma_down: Axis,
    /// Of chroma.
    pub chroma_across: Axis,
    /// Of chroma.
    pub chroma_down: Axis,
}

/// One output of `scale`.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct ScaleOutput {
    /// Where it goes.
    pub to: Planes,
    /// How it is made.
    pub axes: Axes,
    /// Number of its first block.
    pub first_block: u32,
    /// Blocks of luma; those of chroma follow.
    pub luma_blocks: u32,
    /// Of these, side by side.
    pub luma_blocks_across: u32,
    /// Of those of chroma, side by side.
    pub chroma_blocks_across: u32,
    /// To another range, see [`Change`](crate::media::software::range::Change).
    pub luma_gain: i32,
    /// See `luma_gain`.
    pub luma_offset: i32,
    /// See `luma_gain`.
    pub chroma_gain: i32,
    /// See `luma_gain`.
    pub chroma_offset: i32,
    /// 1: the range changes.
    pub ranged: u32,
    /// 1: columns of the source become rows.
    pub turned: u32,
    /// 1: fewer bits come out than went in.
    pub dithered: u32,
    /// 0.
    pub reserved: u32,
}

/// Of `scale`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct ScaleParameters {
    /// The source's crop.
    pub from: Planes,
    /// How many outputs count.
    pub outputs: u32,
    /// 0.
    pub reserved: u32,
    /// All of them.
    pub output: [ScaleOutput; OUTPUTS],
}

/// Of `to_rgb`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct RgbParameters {
    /// The source's crop.
    pub from: Planes,
    /// How it is made; chroma in luma's size.
    pub axes: Axes,
    /// Corner of the place.
    pub to: u64,
    /// From a row to the next, bytes.
    pub to_pitch_bytes: u32,
    /// Of the place.
    pub width: u32,
    /// Of the place.
    pub height: u32,
    /// Where the picture begins in the place.
    pub left: i32,
    /// See `left`.
    pub top: i32,
    /// Of the picture.
    pub inner_width: u32,
    /// Of the picture.
    pub inner_height: u32,
    /// 1: columns of the source become rows.
    pub turned: u32,
    /// See [`Factors`](crate::media::software::rgb::Factors).
    pub black: i32,
    /// See `black`.
    pub luma_gain: i32,
    /// See `black`.
    pub cr_to_r: i32,
    /// See `black`.
    pub cb_to_g: i32,
    /// See `black`.
    pub cr_to_g: i32,
    /// See `black`.
    pub cb_to_b: i32,
    /// Red, green, blue of what stays open.
    pub fill: [u32; 3],
    /// 0.
    pub reserved: u32,
}

/// A plane of `deinterlace`.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct FieldsPlane {
    /// The picture before, the one at hand, the one after, and the result.
    pub address: [u64; 4],
    /// Of each, from a row to the next, bytes.
    pub pitch_bytes: [u32; 4],
    /// Samples of a row, all components together.
    pub samples: u32,
    /// Rows.
    pub rows: u32,
}

/// Of `deinterlace`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct FieldsParameters {
    /// Planes; those that are not there have no rows.
    pub plane: [FieldsPlane; 3],
    /// 1: words of 16 bits.
    pub wide: u32,
    /// Bits of a word below the value.
    pub shift: u32,
    /// Largest value.
    pub most: u32,
    /// Even (0) or odd (1) lines are made.
    pub made: u32,
    /// 1: the field that is made lies between the picture before and the one at hand.
    pub earlier: u32,
    /// 1: there are no neighbours in time.
    pub alone: u32,
}

/// A component of a mark.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct BlendLayer {
    /// From the upper left sample that it covers.
    pub to: Samples,
    /// 16-bit values.
    pub values: u64,
    /// 32-bit covers.
    pub covers: u64,
    /// Samples across.
    pub width: u32,
    /// Samples down.
    pub height: u32,
}

/// Of `blend`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct BlendParameters {
    /// Of luma, Cb, Cr.
    pub layer: [BlendLayer; 3],
    /// 1: words of 16 bits.
    pub wide: u32,
    /// Bits of a word below the value.
    pub shift: u32,
}

/// A component of a box in squares.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct PixelatePlane {
    /// From the upper left sample of the box.
    pub at: Samples,
    /// Of the box.
    pub width: u32,
    /// Of the box.
    pub height: u32,
    /// Of a square.
    pub square_width: u32,
    /// Of a square.
    pub square_height: u32,
}

/// Of `pixelate`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PixelateParameters {
    /// Of luma, Cb, Cr.
    pub plane: [PixelatePlane; 3],
    /// 1: words of 16 bits.
    pub wide: u32,
    /// Bits of a word below the value.
    pub shift: u32,
}

/// Lines of one component that are smoothed.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct SmoothPlane {
    /// First sample.
    pub from: u64,
    /// Where its mean goes.
    pub to: u64,
    /// From a sample to the next of its line, bytes.
    pub from_along: u32,
    /// From a line to the next, bytes.
    pub from_between: u32,
    /// See `from_along`.
    pub to_along: u32,
    /// See `from_between`.
    pub to_between: u32,
    /// Samples of a line.
    pub length: u32,
    /// Lines.
    pub lines: u32,
    /// Neighbours on each side.
    pub reach: u32,
    /// 0.
    pub reserved: u32,
}

/// Of `smooth`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct SmoothParameters {
    /// Of luma, Cb, Cr.
    pub plane: [SmoothPlane; 3],
    /// 1: words of 16 bits.
    pub wide: u32,
    /// Bits of a word below the value.
    pub shift: u32,
}

/// Of `tone`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct ToneParameters {
    /// HDR.
    pub from: Planes,
    /// SDR.
    pub to: Planes,
    /// [`curves::tables`](crate::media::software::curves::tables) on the device.
    pub tables: u64,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// 1: the result has 8 bits.
    pub dithered: u32,
    /// Signal of a step of luma.
    pub luma_step: f32,
    /// Luma of black.
    pub black: f32,
    /// Difference of a step of chroma.
    pub chroma_step: f32,
    /// Chroma of grey.
    pub middle: f32,
    /// Source's differences to its colours.
    pub cr_to_r: f32,
    /// See `cr_to_r`.
    pub cb_to_g: f32,
    /// See `cr_to_r`.
    pub cr_to_g: f32,
    /// See `cr_to_r`.
    pub cb_to_b: f32,
    /// Source's primaries to the result's.
    pub gamut: [f32; 9],
    /// What light is divided by.
    pub white: f32,
    /// Weights of luma in the result.
    pub luma: [f32; 3],
    /// Differences to numbers, in 1/128 of 8 bits.
    pub cb_gain: f32,
    /// See `cb_gain`.
    pub cr_gain: f32,
    /// Luma to numbers.
    pub luma_gain: f32,
    /// Number of black.
    pub luma_offset: f32,
    /// Number of grey's chroma.
    pub chroma_offset: f32,
    /// 0.
    pub reserved: u32,
}

impl Parameters for ScaleParameters {
    const KERNEL: &'static str = "scale";
}
impl Parameters for RgbParameters {
    const KERNEL: &'static str = "to_rgb";
}
impl Parameters for FieldsParameters {
    const KERNEL: &'static str = "deinterlace";
}
impl Parameters for BlendParameters {
    const KERNEL: &'static str = "blend";
}
impl Parameters for PixelateParameters {
    const KERNEL: &'static str = "pixelate";
}
impl Parameters for SmoothParameters {
    const KERNEL: &'static str = "smooth";
}
impl Parameters for ToneParameters {
    const KERNEL: &'static str = "tone";
}
