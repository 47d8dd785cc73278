//! How fast the kernels are, against a copy of memory on the same device.
//!
//! Guarantees: times are of many launches in a row, waited for once; bytes are those that must be read and written at
//! least, each once. Deliberately absent: targets.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::kernels::FieldsJob;
use crate::media::cuda::kernels::Kernels;
use crate::media::cuda::kernels::Mark;
use crate::media::cuda::kernels::RgbJob;
use crate::media::cuda::kernels::ScaleJob;
use crate::media::cuda::kernels::ScaleOut;
use crate::media::cuda::kernels::Source;
use crate::media::cuda::kernels::trial;
use crate::media::cuda::memory::DeviceMemory;
use crate::media::cuda::surface::Layout;
use crate::media::cuda::surface::Surface;
use crate::media::software::Range;
use crate::media::software::Turn;
use crate::media::software::curves::Curve;
use crate::media::software::fields::Field;
use crate::media::software::fields::Moment;
use crate::media::software::marks;
use crate::media::software::marks::Cover;
use crate::media::software::marks::Layer;
use crate::media::software::rgb::Place;
use crate::media::software::tone::ToneMap;
use serde::Serialize;
use std::time::Duration;
use std::time::Instant;

/// Pictures as large as a copy: beyond the cache of every device.
const COPY_PICTURES: usize = 24;
/// Launches between two waits.
const BATCH: u32 = 16;
/// Long enough to see the clock's steps as nothing.
const LONG_ENOUGH: Duration = Duration::from_millis(150);
const MOST_LAUNCHES: u32 = 4096;
/// Edges of a ladder's rungs, in twelfths of the source's.
const RUNGS: [u32; 4] = [12, 8, 5, 4];

/// The rate of one kind of work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pace {
    /// What is done.
    pub work: &'static str,
    /// Pictures in a second.
    pub pictures_per_s: f64,
    /// Bytes that are read and written in a second.
    pub bytes_per_s: f64,
    /// The same as part of what a copy reaches.
    pub share_of_copy: f64,
}

/// The rate of a copy, bytes read and written in a second, and of every kernel.
pub fn run(kernels: &Kernels, size: (u32, u32)) -> Result<(f64, Vec<Pace>), CudaError> {
    let meter = Meter {
        kernels,
        size,
        copied: copy_rate(kernels, size)?,
    };
    let paces = vec![
        meter.ladder("scale: NV12 to four rungs", Layout::Nv12)?,
        meter.ladder("scale: P016 to four rungs of 8 bits", Layout::P016)?,
        meter.tone()?,
        meter.deinterlace()?,
        meter.blend()?,
        meter.hide("mosaic in squares", false)?,
        meter.hide("mosaic blurred", true)?,
        meter.cell("to_rgb: a cell of a sheet", (160, 90))?,
        meter.cell("to_rgb: a still", size)?,
    ];
    Ok((meter.copied, paces))
}

fn copy_rate(kernels: &Kernels, size: (u32, u32)) -> Result<f64, CudaError> {
    let bytes = picture_bytes(Layout::Nv12, size) * COPY_PICTURES;
    let from = DeviceMemory::new(kernels.gpu(), bytes)?;
    let to = DeviceMemory::new(kernels.gpu(), bytes)?;
    let copies_per_s = rate(kernels, || from.copy_to(&to))?;
    Ok(copies_per_s * 2.0 * bytes as f64)
}

/// How often in a second.
fn rate(kernels: &Kernels, mut once: impl FnMut() -> Result<(), CudaError>) -> Result<f64, CudaError> {
    // The first has tables to upload.
    once()?;
    kernels.gpu().settle()?;
    let begun = Instant::now();
    let mut done = 0;
    let mut batch = 1;
    loop {
        for _ in 0..batch {
            once()?;
        }
        kernels.gpu().settle()?;
        done += batch;
        batch = BATCH;
        if begun.elapsed() >= LONG_ENOUGH || done >= MOST_LAUNCHES {
            return Ok(f64::from(done) / begun.elapsed().as_secs_f64().max(1e-9));
        }
    }
}

fn picture_bytes(layout: Layout, (width, height): (u32, u32)) -> usize {
    (0..layout.planes())
        .map(|plane| layout.plane_size(plane, width, height))
        .map(|(row_bytes, rows)| row_bytes * rows)
        .sum()
}

struct Meter<'a> {
    kernels: &'a Kernels,
    size: (u32, u32),
    copied: f64,
}

impl Meter<'_> {
    fn pace(
        &self,
        work: &'static str,
        bytes: usize,
        once: impl FnMut() -> Result<(), CudaError>,
    ) -> Result<Pace, CudaError> {
        let pictures_per_s = rate(self.kernels, once)?;
        let bytes_per_s = pictures_per_s * bytes as f64;
        Ok(Pace {
            work,
            pictures_per_s,
            bytes_per_s,
            share_of_copy: bytes_per_s / self.copied,
        })
    }

    fn picture(&self, layout: Layout) -> Result<Surface, CudaError> {
        let raster = trial::random(layout, self.size.0, self.size.1, 1);
        trial::on_device(self.kernels.gpu(), &raster)
    }

    fn empty(&self, layout: Layout, (width, height): (u32, u32)) -> Result<Surface, CudaError> {
        Surface::new(self.kernels.gpu(), layout, width, height)
    }

    fn ladder(&self, work: &'static str, layout: Layout) -> Result<Pace, CudaError> {
        let source = self.picture(layout)?;
        let sizes = RUNGS.map(|part| (self.size.0 * part / 24 * 2, self.size.1 * part / 24 * 2));
        let surfaces = sizes
            .iter()
            .map(|size| self.empty(Layout::Nv12, *size))
            .collect::<Result<Vec<_>, _>>()?;
        let outputs: Vec<ScaleOut<'_>> = surfaces
            .iter()
            .map(|surface| ScaleOut {
                surface,
                filter: None,
                range: Range::Limited,
            })
            .collect();
        let job = ScaleJob {
            source: Source::whole(&source),
            range: Range::Limited,
            turn: Turn::default(),
            outputs: &outputs,
        };
        let written: usize = sizes.iter().map(|size| picture_bytes(Layout::Nv12, *size)).sum();
        self.pace(work, picture_bytes(layout, self.size) + written, || {
            self.kernels.scale(&job)
        })
    }

    fn tone(&self) -> Result<Pace, CudaError> {
        let source = self.picture(Layout::P016)?;
        let to = self.empty(Layout::P016, self.size)?;
        let map = ToneMap {
            curve: Curve::Pq,
            range: Range::Limited,
            peak: 10.0,
        };
        self.pace(
            "tone: PQ to SDR in 10 bits",
            2 * picture_bytes(Layout::P016, self.size),
            || self.kernels.tone(Source::whole(&source), &map, &to),
        )
    }

    fn deinterlace(&self) -> Result<Pace, CudaError> {
        let pictures = [
            self.picture(Layout::Nv12)?,
            self.picture(Layout::Nv12)?,
            self.picture(Layout::Nv12)?,
        ];
        let to = self.empty(Layout::Nv12, self.size)?;
        let job = FieldsJob {
            previous: Some(&pictures[0]),
            current: &pictures[1],
            next: Some(&pictures[2]),
            moment: Moment {
                first: Field::Top,
                is_second: false,
            },
            to: &to,
        };
        self.pace("deinterlace: NV12", 4 * picture_bytes(Layout::Nv12, self.size), || {
            self.kernels.deinterlace(&job)
        })
    }

    fn blend(&self) -> Result<Pace, CudaError> {
        let surface = self.picture(Layout::Nv12)?;
        let samples = (self.size.0 * self.size.1) as usize;
        let (values, covers) = (vec![100; samples], vec![marks::ALL / 3; samples]);
        let layer = |width: u32, height: u32| Layer {
            x: 0,
            y: 0,
            width,
            height,
            values: &values[..(width * height) as usize],
            covers: &covers[..(width * height) as usize],
        };
        let half = (self.size.0 / 2, self.size.1 / 2);
        let layers = [
            layer(self.size.0, self.size.1),
            layer(half.0, half.1),
            layer(half.0, half.1),
        ];
        let mark = Mark::new(self.kernels.gpu(), &layers)?;
        // Value, cover, and the picture read and written.
        let bytes = picture_bytes(Layout::Nv12, self.size) * (2 + 4 + 1 + 1);
        self.pace("blend: a mark over all", bytes, || self.kernels.blend(&surface, &mark))
    }

    fn hide(&self, work: &'static str, is_blurred: bool) -> Result<Pace, CudaError> {
        let surface = self.picture(Layout::Nv12)?;
        let part = (self.size.0 / 8 * 2, self.size.1 / 8 * 2);
        let cover = Cover {
            x: part.0,
            y: part.1,
            width: part.0,
            height: part.1,
            reach: (self.size.1 / 50).max(2),
            is_blurred,
        };
        let launches = if is_blurred { 2 * marks::BLURS } else { 1 };
        let bytes = 2 * launches * picture_bytes(Layout::Nv12, part);
        self.pace(work, bytes, || self.kernels.mosaic(&surface, &cover))
    }

    fn cell(&self, work: &'static str, (width, height): (u32, u32)) -> Result<Pace, CudaError> {
        let source = self.picture(Layout::Nv12)?;
        let sheet = self.empty(Layout::Rgb24, (width, height))?;
        let job = RgbJob {
            source: Source::whole(&source),
            turn: Turn::default(),
            matrix: 1,
            range: Range::Limited,
            filter: None,
            sheet: &sheet,
            place: Place::stretched(0, 0, width, height),
        };
        let bytes = picture_bytes(Layout::Nv12, self.size) + picture_bytes(Layout::Rgb24, (width, height));
        self.pace(work, bytes, || self.kernels.to_rgb(&job))
    }
}
