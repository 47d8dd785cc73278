//! Every kernel tried on the device at hand: does it come to what `media::software` says, and how fast is it?
//!
//! Guarantees: pictures are random and the same every time; a kernel that cannot be launched is an error of the trial,
//! one that computes something else is a line of it. Deliberately absent: a verdict on the device.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::kernels::FieldsJob;
use crate::media::cuda::kernels::Kernels;
use crate::media::cuda::kernels::Mark;
use crate::media::cuda::kernels::RgbJob;
use crate::media::cuda::kernels::ScaleJob;
use crate::media::cuda::kernels::ScaleOut;
use crate::media::cuda::kernels::Source;
use crate::media::cuda::kernels::pace;
use crate::media::cuda::kernels::pace::Pace;
use crate::media::cuda::surface::Layout;
use crate::media::cuda::surface::Surface;
use crate::media::software::Crop;
use crate::media::software::Range;
use crate::media::software::Raster;
use crate::media::software::Turn;
use crate::media::software::curves::Curve;
use crate::media::software::fields;
use crate::media::software::fields::Field;
use crate::media::software::fields::Moment;
use crate::media::software::marks;
use crate::media::software::marks::Cover;
use crate::media::software::marks::Layer;
use crate::media::software::rgb;
use crate::media::software::rgb::Place;
use crate::media::software::rgb::View;
use crate::media::software::scale;
use crate::media::software::scale::Wish;
use crate::media::software::tone;
use crate::media::software::tone::ToneMap;
use serde::Serialize;
use std::sync::Arc;

/// Of odd size, and more than one block of threads.
const WIDTH: u32 = 149;
const HEIGHT: u32 = 83;
const LAYOUTS: [Layout; 4] = [Layout::Nv12, Layout::P016, Layout::Yuv420p, Layout::Yuv420p10];

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KernelTrial {
    /// Number of the device.
    pub ordinal: u32,
    /// The driver's name of it.
    pub device: String,
    /// Each kernel against `media::software`.
    pub agreement: Vec<Agreement>,
    /// Pictures that the rates are of.
    pub picture: (u32, u32),
    /// What a copy within the device reads and writes, bytes/s.
    pub copy_bytes_per_s: f64,
    /// How fast each is.
    pub paces: Vec<Pace>,
}

/// A kernel's pictures against what they must be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// The kernel.
    pub kernel: &'static str,
    /// Pictures.
    pub pictures: u32,
    /// Largest difference of a sample, steps of its depth.
    pub largest: i32,
    /// Of all samples, in the mean.
    pub mean: f64,
    /// Largest that is right.
    pub allowed: i32,
    /// It does what it must.
    pub agrees: bool,
}

/// Tries every kernel. Rates are of pictures of `picture` (even, at least 64 by 64).
pub fn run(gpu: &Arc<Gpu>, picture: (u32, u32)) -> Result<KernelTrial, CudaError> {
    if picture.0 < 64 || picture.1 < 64 || !picture.0.is_multiple_of(2) || !picture.1.is_multiple_of(2) {
        return Err(CudaError::refused("trial", format!("pictures of {picture:?}")));
    }
    let kernels = Kernels::load(gpu)?;
    let bench = Bench {
        kernels: Arc::clone(&kernels),
    };
    let agreement = vec![
        bench.scale()?,
        bench.tone()?,
        bench.deinterlace()?,
        bench.blend()?,
        bench.hide(false)?,
        bench.hide(true)?,
        bench.to_rgb()?,
    ];
    let (copy_bytes_per_s, paces) = pace::run(&kernels, picture)?;
    Ok(KernelTrial {
        ordinal: gpu.ordinal(),
        device: gpu.name()?,
        agreement,
        picture,
        copy_bytes_per_s,
        paces,
    })
}

impl KernelTrial {
    /// Whether every kernel does what it must.
    pub fn agrees(&self) -> bool {
        self.agreement.iter().all(|one| one.agrees)
    }
}

/// A surface with a picture on it.
pub(super) fn on_device(gpu: &Arc<Gpu>, raster: &Raster) -> Result<Surface, CudaError> {
    let surface = Surface::new(gpu, raster.layout(), raster.width(), raster.height())?;
    let mut outgoing = surface.outgoing()?;
    for plane in 0..raster.layout().planes() {
        let (row_bytes, _) = raster.layout().plane_size(plane, raster.width(), raster.height());
        outgoing.write(plane, raster.plane(plane), row_bytes)?;
    }
    outgoing.send()?;
    Ok(surface)
}

fn from_device(surface: &Surface) -> Result<Raster, CudaError> {
    let mut raster = Raster::new(surface.layout(), surface.width(), surface.height());
    let fetched = surface.fetch()?;
    for plane in 0..raster.layout().planes() {
        raster.plane_mut(plane).copy_from_slice(fetched.plane(plane).0);
    }
    Ok(raster)
}

/// Numbers without pattern, the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(end)) as u32
    }
}

/// A random picture.
pub(super) fn random(layout: Layout, width: u32, height: u32, seed: u64) -> Raster {
    let mut dice = Dice(seed);
    let mut raster = Raster::new(layout, width, height);
    for component in 0..3 {
        let (wide, high) = raster.size(component);
        for (y, x) in (0..high).flat_map(|y| (0..wide).map(move |x| (y, x))) {
            raster.set(component, x, y, dice.below(1 << layout.bit_depth()) as i32);
        }
    }
    raster
}

/// Differences so far.
struct Count {
    kernel: &'static str,
    pictures: u32,
    largest: i32,
    sum: f64,
    samples: f64,
    allowed: i32,
}

impl Count {
    fn of(kernel: &'static str, allowed: i32) -> Self {
        Count {
            kernel,
            pictures: 0,
            largest: 0,
            sum: 0.0,
            samples: 0.0,
            allowed,
        }
    }

    fn add(&mut self, made: &Raster, wanted: &Raster) {
        self.pictures += 1;
        if wanted.layout() == Layout::Rgb24 {
            let pairs = made.plane(0).iter().zip(wanted.plane(0));
            pairs.for_each(|(one, other)| self.sample(i32::from(*one), i32::from(*other)));
            return;
        }
        for component in 0..3 {
            let (width, height) = wanted.size(component);
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                self.sample(made.sample(component, x, y), wanted.sample(component, x, y));
            }
        }
    }

    fn sample(&mut self, made: i32, wanted: i32) {
        let apart = (made - wanted).abs();
        self.largest = self.largest.max(apart);
        self.sum += f64::from(apart);
        self.samples += 1.0;
    }

    fn end(self) -> Agreement {
        Agreement {
            kernel: self.kernel,
            pictures: self.pictures,
            largest: self.largest,
            mean: self.sum / f64::max(self.samples, 1.0),
            allowed: self.allowed,
            agrees: self.pictures > 0 && self.largest <= self.allowed,
        }
    }
}

/// Kernels at work.
struct Bench {
    kernels: Arc<Kernels>,
}

impl Bench {
    fn put(&self, raster: &Raster) -> Result<Surface, CudaError> {
        on_device(self.kernels.gpu(), raster)
    }

    fn empty(&self, layout: Layout, width: u32, height: u32) -> Result<Surface, CudaError> {
        Surface::new(self.kernels.gpu(), layout, width, height)
    }

    fn scale(&self) -> Result<Agreement, CudaError> {
        let mut count = Count::of("scale", 0);
        let crop = Crop {
            x: 2,
            y: 4,
            width: 143,
            height: 77,
        };
        for (seed, layout) in (1..).zip(LAYOUTS) {
            let from = random(layout, WIDTH, HEIGHT, seed);
            let surface = self.put(&from)?;
            for rotation_degrees in [0, 90, 180, 270] {
                let turn = Turn {
                    rotation_degrees,
                    mirrored: rotation_degrees >= 180,
                };
                let range = if seed % 2 == 0 { Range::Full } else { Range::Limited };
                let wishes: Vec<Wish> = [(143, 77), (96, 52), (71, 38), (200, 111), (20, 11)]
                    .into_iter()
                    .flat_map(|(width, height)| LAYOUTS.map(|layout| (layout, width, height)))
                    .take(16)
                    .map(|(layout, width, height)| Wish {
                        layout,
                        width,
                        height,
                        filter: None,
                        crop,
                        turn,
                        range: (range, Range::Limited),
                    })
                    .collect();
                let surfaces = wishes
                    .iter()
                    .map(|wish| self.empty(wish.layout, wish.width, wish.height))
                    .collect::<Result<Vec<_>, _>>()?;
                let outputs: Vec<ScaleOut<'_>> = surfaces
                    .iter()
                    .map(|surface| ScaleOut {
                        surface,
                        filter: None,
                        range: Range::Limited,
                    })
                    .collect();
                let source = Source {
                    surface: &surface,
                    crop,
                };
                self.kernels.scale(&ScaleJob {
                    source,
                    range,
                    turn,
                    outputs: &outputs,
                })?;
                for (made, wish) in surfaces.iter().zip(&wishes) {
                    count.add(&from_device(made)?, &scale::scale(&from, wish));
                }
            }
        }
        Ok(count.end())
    }

    fn tone(&self) -> Result<Agreement, CudaError> {
        let mut count = Count::of("tone", 1);
        for curve in [Curve::Pq, Curve::Hlg] {
            let map = ToneMap {
                curve,
                range: Range::Limited,
                peak: 10.0,
            };
            let from = random(Layout::P016, WIDTH, HEIGHT, 31);
            let surface = self.put(&from)?;
            for layout in LAYOUTS {
                let to = self.empty(layout, WIDTH, HEIGHT)?;
                self.kernels.tone(Source::whole(&surface), &map, &to)?;
                count.add(&from_device(&to)?, &tone::tone(&from, &map, layout));
            }
        }
        Ok(count.end())
    }

    fn deinterlace(&self) -> Result<Agreement, CudaError> {
        let mut count = Count::of("deinterlace", 0);
        for layout in LAYOUTS {
            let rasters = [11, 12, 13].map(|seed| random(layout, WIDTH, HEIGHT, seed));
            let [previous, current, next] = &rasters;
            let surfaces = [self.put(previous)?, self.put(current)?, self.put(next)?];
            let to = self.empty(layout, WIDTH, HEIGHT)?;
            for (first, is_second, has_previous) in [
                (Field::Top, false, true),
                (Field::Bottom, true, true),
                (Field::Top, false, false),
            ] {
                let moment = Moment { first, is_second };
                self.kernels.deinterlace(&FieldsJob {
                    previous: has_previous.then_some(&surfaces[0]),
                    current: &surfaces[1],
                    next: Some(&surfaces[2]),
                    moment,
                    to: &to,
                })?;
                let wanted = fields::deinterlace(has_previous.then_some(previous), current, Some(next), moment);
                count.add(&from_device(&to)?, &wanted);
            }
        }
        Ok(count.end())
    }

    fn blend(&self) -> Result<Agreement, CudaError> {
        let mut count = Count::of("blend", 0);
        for layout in LAYOUTS {
            let mut dice = Dice(17);
            let mut raster = random(layout, WIDTH, HEIGHT, 5);
            let surface = self.put(&raster)?;
            let values: Vec<u16> = (0..60 * 40)
                .map(|_| dice.below(1 << layout.bit_depth()) as u16)
                .collect();
            let covers: Vec<u32> = (0..60 * 40).map(|_| dice.below(marks::ALL + 1)).collect();
            let layer = |x, y, width, height| Layer {
                x,
                y,
                width,
                height,
                values: &values[..(width * height) as usize],
                covers: &covers[..(width * height) as usize],
            };
            let layers = [layer(80, 40, 60, 40), layer(40, 20, 30, 20), layer(40, 20, 30, 20)];
            self.kernels.blend(&surface, &Mark::new(self.kernels.gpu(), &layers)?)?;
            marks::blend(&mut raster, &layers);
            count.add(&from_device(&surface)?, &raster);
        }
        Ok(count.end())
    }

    fn hide(&self, is_blurred: bool) -> Result<Agreement, CudaError> {
        let mut count = Count::of(if is_blurred { "smooth" } else { "pixelate" }, 0);
        for layout in LAYOUTS {
            let mut raster = random(layout, WIDTH, HEIGHT, 6);
            let surface = self.put(&raster)?;
            let cover = Cover {
                x: 30,
                y: 10,
                width: 119,
                height: 60,
                reach: 8,
                is_blurred,
            };
            self.kernels.mosaic(&surface, &cover)?;
            marks::hide(&mut raster, &cover);
            count.add(&from_device(&surface)?, &raster);
        }
        Ok(count.end())
    }

    fn to_rgb(&self) -> Result<Agreement, CudaError> {
        let mut count = Count::of("to_rgb", 0);
        for (seed, layout) in (1..).zip(LAYOUTS) {
            let from = random(layout, WIDTH, HEIGHT, seed);
            let surface = self.put(&from)?;
            let mut raster = Raster::new(Layout::Rgb24, 320, 200);
            let sheet = self.put(&raster)?;
            let places = [
                Place::stretched(8, 5, 64, 36),
                Place::centred(100, 50, (90, 90), (90, 51), [9, 8, 7]),
                Place::stretched(200, 0, 120, 200),
            ];
            for (place, rotation_degrees) in places.into_iter().zip([0, 90, 270]) {
                let turn = Turn {
                    rotation_degrees,
                    mirrored: rotation_degrees == 90,
                };
                let range = if seed % 2 == 0 { Range::Full } else { Range::Limited };
                let source = Source::whole(&surface);
                self.kernels.to_rgb(&RgbJob {
                    source,
                    turn,
                    matrix: 1,
                    range,
                    filter: None,
                    sheet: &sheet,
                    place,
                })?;
                let view = View {
                    crop: source.crop,
                    turn,
                    matrix: 1,
                    range,
                    filter: None,
                };
                rgb::paint(&from, &view, &mut raster, &place);
            }
            count.add(&from_device(&sheet)?, &raster);
        }
        Ok(count.end())
    }
}
