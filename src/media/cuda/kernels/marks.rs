//! Marks laid onto pictures, and boxes that hide what is beneath them.
//!
//! Guarantees: numbers are those of `media::overlay`, bit by bit; what is not covered is not touched. Deliberately
//! absent: colours, which a mark already has in the numbers of its picture.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::kernels::Kernels;
use crate::media::cuda::kernels::parameters::BlendLayer;
use crate::media::cuda::kernels::parameters::BlendParameters;
use crate::media::cuda::kernels::parameters::Grid;
use crate::media::cuda::kernels::parameters::PictureAt;
use crate::media::cuda::kernels::parameters::PixelateParameters;
use crate::media::cuda::kernels::parameters::PixelatePlane;
use crate::media::cuda::kernels::parameters::Samples;
use crate::media::cuda::kernels::parameters::SmoothParameters;
use crate::media::cuda::kernels::parameters::SmoothPlane;
use crate::media::cuda::memory::DeviceMemory;
use crate::media::cuda::surface::Surface;
use crate::media::software::marks;
use crate::media::software::marks::Cover;
use crate::media::software::marks::Layer;
use std::sync::Arc;
use std::sync::PoisonError;

const BLEND: &str = "blend";
const HIDE: &str = "mosaic";
const THREADS: [u32; 3] = [32, 8, 1];
const SQUARE_THREADS: [u32; 3] = [8, 8, 1];
const LINE_THREADS: [u32; 3] = [64, 1, 1];

/// A mark on a device, at its place of pictures of one depth.
#[derive(Debug)]
pub struct Mark {
    memory: DeviceMemory,
    /// Where each layer begins in a picture, its size, and where its values and covers begin in the memory.
    layers: [Placed; 3],
}

/// A layer of a [`Mark`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Placed {
    /// Place in the picture, samples.
    pub x: u32,
    /// See `x`.
    pub y: u32,
    /// Samples across.
    pub width: u32,
    /// Samples down.
    pub height: u32,
    /// Offset of its values, bytes.
    pub values: u64,
    /// Offset of its covers, bytes.
    pub covers: u64,
}

impl Mark {
    /// Uploads a mark: its luma, Cb and Cr, in the numbers of the pictures it is for (10 bits unshifted, for P016, too).
    pub fn new(gpu: &Arc<Gpu>, layers: &[Layer<'_>; 3]) -> Result<Self, CudaError> {
        let (bytes, layers) = packed(layers)?;
        Ok(Mark {
            memory: DeviceMemory::holding(gpu, &bytes)?,
            layers,
        })
    }
}

/// A mark as one piece of memory, and where in it everything is.
pub fn packed(layers: &[Layer<'_>; 3]) -> Result<(Vec<u8>, [Placed; 3]), CudaError> {
    let mut bytes = Vec::new();
    let mut placed = [Placed::default(); 3];
    for (layer, placed) in layers.iter().zip(&mut placed) {
        let samples = layer.width as usize * layer.height as usize;
        if layer.values.len() != samples || layer.covers.len() != samples {
            let text = format!("{}x{} with {} values", layer.width, layer.height, layer.values.len());
            return Err(CudaError::refused(BLEND, text));
        }
        if layer.covers.iter().any(|cover| *cover > marks::ALL) {
            return Err(CudaError::refused(BLEND, "a cover of more than all"));
        }
        let covers = bytes.len() as u64;
        bytes.extend(layer.covers.iter().flat_map(|cover| cover.to_ne_bytes()));
        let values = bytes.len() as u64;
        bytes.extend(layer.values.iter().flat_map(|value| value.to_ne_bytes()));
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        *placed = Placed {
            x: layer.x,
            y: layer.y,
            width: layer.width,
            height: layer.height,
            values,
            covers,
        };
    }
    Ok((bytes, placed))
}

impl Kernels {
    /// Queues the laying of a mark onto a picture, in place. The mark may be dropped at once: that
    /// waits for the device.
    pub fn blend(&self, surface: &Surface, mark: &Mark) -> Result<(), CudaError> {
        self.is_ours(BLEND, surface)?;
        let (parameters, grid) = blend_parameters(&PictureAt::of(surface), mark.memory.address(), &mark.layers)?;
        self.modules().launch(&parameters, grid)
    }

    /// Queues the hiding of what is beneath a box of a picture, in place.
    pub fn mosaic(&self, surface: &Surface, cover: &Cover) -> Result<(), CudaError> {
        self.is_ours(HIDE, surface)?;
        let picture = PictureAt::of(surface);
        check(&picture, cover)?;
        if !cover.is_blurred {
            let (parameters, grid) = pixelate_parameters(&picture, cover);
            return self.modules().launch(&parameters, grid);
        }
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let needed = scratch_bytes(&picture, cover);
        let memory = match scratch.take() {
            Some(memory) if memory.size_bytes() >= needed => memory,
            _ => Arc::new(DeviceMemory::new(self.gpu(), needed)?),
        };
        let steps = smooth_parameters(&picture, cover, memory.address());
        *scratch = Some(memory);
        for _ in 0..marks::BLURS {
            for (parameters, grid) in &steps {
                self.modules().launch(parameters, *grid)?;
            }
        }
        Ok(())
    }
}

/// Whether a box may be drawn on a picture.
pub fn check(picture: &PictureAt, cover: &Cover) -> Result<(), CudaError> {
    let inside = |at: u32, length: u32, edge: u32| {
        let ends_well = |end: u32| end <= edge && (end.is_multiple_of(2) || end == edge);
        length > 0 && at.is_multiple_of(2) && at.checked_add(length).is_some_and(ends_well)
    };
    let fits = inside(cover.x, cover.width, picture.width) && inside(cover.y, cover.height, picture.height);
    if fits && cover.reach > 0 && cover.reach <= picture.width.max(picture.height) {
        Ok(())
    } else {
        let text = format!("{cover:?} on {}x{}", picture.width, picture.height);
        Err(CudaError::refused(HIDE, text))
    }
}

/// What `blend` is given; the mark's memory begins at `memory`.
pub fn blend_parameters(
    picture: &PictureAt,
    memory: u64,
    layers: &[Placed; 3],
) -> Result<(BlendParameters, Grid), CudaError> {
    let planes = picture.planes(0, 0);
    let mut layer = [BlendLayer::default(); 3];
    let mut places = [1, 1, 3];
    for (component, (placed, layer)) in layers.iter().zip(&mut layer).enumerate() {
        let shared = if component == 0 { 1 } else { 2 };
        let inside = |at: u32, length: u32, edge: u32| {
            length == 0 || at.checked_add(length).is_some_and(|end| end <= edge.div_ceil(shared))
        };
        if !inside(placed.x, placed.width, picture.width) || !inside(placed.y, placed.height, picture.height) {
            let text = format!("{placed:?} on {}x{}", picture.width, picture.height);
            return Err(CudaError::refused(BLEND, text));
        }
        *layer = BlendLayer {
            to: moved(planes.component(component), placed.x, placed.y, picture.word_bytes()),
            values: memory + placed.values,
            covers: memory + placed.covers,
            width: placed.width,
            height: placed.height,
        };
        places = [places[0].max(placed.width), places[1].max(placed.height), 3];
    }
    let parameters = BlendParameters {
        layer,
        wide: planes.wide,
        shift: planes.shift,
    };
    Ok((parameters, Grid::over(places, THREADS)))
}

/// What `pixelate` is given.
pub fn pixelate_parameters(picture: &PictureAt, cover: &Cover) -> (PixelateParameters, Grid) {
    let planes = picture.planes(0, 0);
    let mut places = [1, 1, 3];
    let plane = [0, 1, 2].map(|component| {
        let patch = cover.patch(component);
        let squares = |length: u32, edge: u32| length.div_ceil(edge);
        places[0] = places[0].max(squares(patch.width, patch.reach.0));
        places[1] = places[1].max(squares(patch.height, patch.reach.1));
        PixelatePlane {
            at: moved(planes.component(component), patch.x, patch.y, picture.word_bytes()),
            width: patch.width,
            height: patch.height,
            square_width: patch.reach.0,
            square_height: patch.reach.1,
        }
    });
    let parameters = PixelateParameters {
        plane,
        wide: planes.wide,
        shift: planes.shift,
    };
    (parameters, Grid::over(places, SQUARE_THREADS))
}

/// Bytes that a blur needs beside the picture.
pub fn scratch_bytes(picture: &PictureAt, cover: &Cover) -> usize {
    let samples = |component| {
        let patch = cover.patch(component);
        patch.width as usize * patch.height as usize
    };
    (0..3).map(samples).sum::<usize>() * picture.word_bytes() as usize
}

/// What `smooth` is given: rows to the scratch memory, then columns back.
pub fn smooth_parameters(picture: &PictureAt, cover: &Cover, scratch: u64) -> [(SmoothParameters, Grid); 2] {
    let planes = picture.planes(0, 0);
    let word = picture.word_bytes();
    let mut free = scratch;
    let mut rows = [SmoothPlane::default(); 3];
    let mut columns = [SmoothPlane::default(); 3];
    for component in 0..3 {
        let patch = cover.patch(component);
        let at = moved(planes.component(component), patch.x, patch.y, word);
        rows[component] = SmoothPlane {
            from: at.address,
            to: free,
            from_along: at.step * word,
            from_between: at.pitch_bytes,
            to_along: word,
            to_between: patch.width * word,
            length: patch.width,
            lines: patch.height,
            reach: patch.reach.0,
            reserved: 0,
        };
        columns[component] = SmoothPlane {
            from: free,
            to: at.address,
            from_along: patch.width * word,
            from_between: word,
            to_along: at.pitch_bytes,
            to_between: at.step * word,
            length: patch.height,
            lines: patch.width,
            reach: patch.reach.1,
            reserved: 0,
        };
        free += u64::from(patch.width) * u64::from(patch.height) * u64::from(word);
    }
    [rows, columns].map(|plane| {
        let parameters = SmoothParameters {
            plane,
            wide: planes.wide,
            shift: planes.shift,
        };
        (parameters, Grid::over([plane[0].lines, 1, 3], LINE_THREADS))
    })
}

fn moved(samples: Samples, x: u32, y: u32, word_bytes: u32) -> Samples {
    let along = u64::from(x) * u64::from(samples.step) * u64::from(word_bytes);
    Samples {
        address: samples.address + u64::from(y) * u64::from(samples.pitch_bytes) + along,
        ..samples
    }
}
