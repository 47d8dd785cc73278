//! Every kernel on random pictures, against `media::software`.
//!
//! Guarantees: the pictures are the same at every run; a kernel that the driver refuses to compile or to run is a line
//! that failed. Deliberately absent: speed.

use crate::media::cuda::CudaError;
use crate::media::cuda::Gpu;
use crate::media::cuda::Kernels;
use crate::media::cuda::Layout;
use crate::media::cuda::Surface;
use crate::media::cuda::kernels::FieldsJob;
use crate::media::cuda::kernels::Mark;
use crate::media::cuda::kernels::RgbJob;
use crate::media::cuda::kernels::ScaleJob;
use crate::media::cuda::kernels::ScaleOut;
use crate::media::cuda::kernels::Source;
use crate::media::device_trial::Line;
use crate::media::device_trial::Verdict;
use crate::media::device_trial::likeness::Likeness;
use crate::media::software;
use crate::media::software::Crop;
use crate::media::software::Range;
use crate::media::software::Raster;
use crate::media::software::Turn;
use crate::media::software::curves::Curve;
use crate::media::software::fields::Field;
use crate::media::software::fields::Moment;
use crate::media::software::marks;
use crate::media::software::marks::Cover;
use crate::media::software::marks::Layer;
use crate::media::software::rgb::Place;
use crate::media::software::rgb::View;
use crate::media::software::scale::Wish;
use crate::media::software::tone::ToneMap;
use std::sync::Arc;
use std::time::Instant;

const LAYOUTS: [Layout; 4] = [Layout::Nv12, Layout::P016, Layout::Yuv420p, Layout::Yuv420p10];
const SIZE: (u32, u32) = (322, 182);
/// Outputs of a scaling launch: layout, size.
const OUTPUTS: [(Layout, u32, u32); 4] = [
    (Layout::Nv12, 160, 90),
    (Layout::P016, 214, 120),
    (Layout::Yuv420p, 484, 274),
    (Layout::Yuv420p10, 322, 182),
];
/// BT.709, as H.273 numbers matrices.
const BT709: i32 = 1;

/// What a trial of one kernel comes to, and how many pictures it made.
type Tried = Result<(Likeness, u32), String>;

/// Tries all of them.
pub fn run(gpu: &Arc<Gpu>, tell: &mut dyn FnMut(Line)) {
    let begun = Instant::now();
    let kernels = match Kernels::load(gpu) {
        Ok(kernels) => kernels,
        Err(error) => return tell(Line::new("load", Verdict::Failed, error.to_string())),
    };
    let said = "the driver took the PTX of every kernel";
    tell(Line::new("load", Verdict::Passed, said).with("ms", begun.elapsed().as_secs_f64() * 1e3));
    // Each with the steps that it may be off.
    let trials: [(&str, u32, fn(&Kernels) -> Tried); 7] = [
        ("transfer", 0, transfer),
        ("scale", 0, scale),
        ("fields", 0, fields),
        ("mark", 0, mark),
        ("mosaic", 0, mosaic),
        ("cells", 0, cells),
        ("tone map", 1, tone),
    ];
    for (name, steps, trial) in trials {
        tell(match trial(&kernels) {
            Ok((likeness, pictures)) => {
                let verdict = if likeness.most <= steps {
                    Verdict::Passed
                } else {
                    Verdict::Failed
                };
                let said = format!("{pictures} random pictures against plain Rust: {}", likeness.words());
                Line::new(name, verdict, said).with("most_steps", f64::from(likeness.most))
            }
            Err(why) => Line::new(name, Verdict::Failed, why),
        });
    }
}

fn transfer(kernels: &Kernels) -> Tried {
    compare(LAYOUTS, |layout, likeness| {
        let one = random(layout, SIZE, 1);
        likeness.add_rasters(&one, &host(&device(kernels.gpu(), &one)?)?)?;
        Ok(1)
    })
}

fn scale(kernels: &Kernels) -> Tried {
    let turned = |rotation_degrees, mirrored| Turn {
        rotation_degrees,
        mirrored,
    };
    let turns = [turned(0, false), turned(90, false), turned(270, true)];
    compare(LAYOUTS, |layout, likeness| {
        let from = random(layout, SIZE, 2);
        let surface = device(kernels.gpu(), &from)?;
        let crop = Crop {
            x: 4,
            y: 2,
            width: SIZE.0 - 8,
            height: SIZE.1 - 6,
        };
        for turn in turns {
            let surfaces = OUTPUTS.map(|(layout, width, height)| Surface::new(kernels.gpu(), layout, width, height));
            let surfaces: Vec<Surface> = surfaces.into_iter().collect::<Result<_, _>>().map_err(words)?;
            let outputs: Vec<ScaleOut<'_>> = surfaces.iter().map(scaled_to).collect();
            let source = Source {
                surface: &surface,
                crop,
            };
            let job = ScaleJob {
                source,
                range: Range::Limited,
                turn,
                outputs: &outputs,
            };
            kernels.scale(&job).map_err(words)?;
            for made in &surfaces {
                let wish = Wish {
                    layout: made.layout(),
                    width: made.width(),
                    height: made.height(),
                    filter: None,
                    crop,
                    turn,
                    range: (Range::Limited, Range::Limited),
                };
                likeness.add_rasters(&software::scale::scale(&from, &wish), &host(made)?)?;
            }
        }
        Ok((turns.len() * OUTPUTS.len()) as u32)
    })
}

fn scaled_to(surface: &Surface) -> ScaleOut<'_> {
    ScaleOut {
        surface,
        filter: None,
        range: Range::Limited,
    }
}

fn fields(kernels: &Kernels) -> Tried {
    compare(LAYOUTS, |layout, likeness| {
        let pictures = [3, 4, 5].map(|seed| random(layout, SIZE, seed));
        let [previous, current, next] = &pictures;
        let on_device: Vec<Surface> = pictures
            .iter()
            .map(|picture| device(kernels.gpu(), picture))
            .collect::<Result<_, _>>()?;
        let mut made = 0;
        for first in [Field::Top, Field::Bottom] {
            for is_second in [false, true] {
                for (has_previous, has_next) in [(true, true), (false, true), (true, false)] {
                    let moment = Moment { first, is_second };
                    let to = Surface::new(kernels.gpu(), layout, SIZE.0, SIZE.1).map_err(words)?;
                    let job = FieldsJob {
                        previous: has_previous.then(|| &on_device[0]),
                        current: &on_device[1],
                        next: has_next.then(|| &on_device[2]),
                        moment,
                        to: &to,
                    };
                    kernels.deinterlace(&job).map_err(words)?;
                    let (before, after) = (has_previous.then_some(previous), has_next.then_some(next));
                    let wanted = software::fields::deinterlace(before, current, after, moment);
                    likeness.add_rasters(&wanted, &host(&to)?)?;
                    made += 1;
                }
            }
        }
        Ok(made)
    })
}

fn mark(kernels: &Kernels) -> Tried {
    compare(LAYOUTS, |layout, likeness| {
        let mut dice = Dice::new(6);
        let sizes = [(50_u32, 31_u32), (25, 16), (25, 16)];
        let samples: Vec<(Vec<u16>, Vec<u32>)> = sizes
            .iter()
            .map(|(width, height)| {
                let count = width * height;
                let values = (0..count).map(|_| dice.below(1 << layout.bit_depth()) as u16).collect();
                let covers = (0..count).map(|_| dice.below(marks::ALL + 1)).collect();
                (values, covers)
            })
            .collect();
        let layer = |number: usize| Layer {
            x: if number == 0 { 40 } else { 20 },
            y: if number == 0 { 22 } else { 11 },
            width: sizes[number].0,
            height: sizes[number].1,
            values: &samples[number].0,
            covers: &samples[number].1,
        };
        let layers = [layer(0), layer(1), layer(2)];
        let mut wanted = random(layout, SIZE, 7);
        let surface = device(kernels.gpu(), &wanted)?;
        let mark = Mark::new(kernels.gpu(), &layers).map_err(words)?;
        kernels.blend(&surface, &mark).map_err(words)?;
        marks::blend(&mut wanted, &layers);
        likeness.add_rasters(&wanted, &host(&surface)?)?;
        Ok(1)
    })
}

fn mosaic(kernels: &Kernels) -> Tried {
    compare(LAYOUTS, |layout, likeness| {
        for is_blurred in [false, true] {
            let cover = Cover {
                x: 30,
                y: 20,
                width: 101,
                height: 77,
                reach: 12,
                is_blurred,
            };
            let mut wanted = random(layout, SIZE, 8);
            let surface = device(kernels.gpu(), &wanted)?;
            kernels.mosaic(&surface, &cover).map_err(words)?;
            marks::hide(&mut wanted, &cover);
            likeness.add_rasters(&wanted, &host(&surface)?)?;
        }
        Ok(2)
    })
}

fn cells(kernels: &Kernels) -> Tried {
    compare(LAYOUTS, |layout, likeness| {
        let from = random(layout, SIZE, 9);
        let surface = device(kernels.gpu(), &from)?;
        // What the cells leave open must stay as it is.
        let mut sheet = Raster::new(Layout::Rgb24, 330, 200);
        sheet.plane_mut(0).fill(77);
        let on_device = device(kernels.gpu(), &sheet)?;
        let places = [
            Place::stretched(0, 0, 160, 90),
            Place::centred(162, 3, (160, 90), (120, 90), [10, 20, 30]),
            Place::stretched(5, 100, 40, 22),
        ];
        for place in &places {
            let view = View {
                crop: Crop::whole(SIZE.0, SIZE.1),
                turn: Turn::default(),
                matrix: BT709,
                range: Range::Limited,
                filter: None,
            };
            let job = RgbJob {
                source: Source::whole(&surface),
                turn: view.turn,
                matrix: view.matrix,
                range: view.range,
                filter: view.filter,
                sheet: &on_device,
                place: *place,
            };
            kernels.to_rgb(&job).map_err(words)?;
            software::rgb::paint(&from, &view, &mut sheet, place);
        }
        likeness.add_rasters(&sheet, &host(&on_device)?)?;
        Ok(places.len() as u32)
    })
}

fn tone(kernels: &Kernels) -> Tried {
    let curves = [Curve::Pq, Curve::Hlg];
    compare(
        [Layout::P016, Layout::Yuv420p10, Layout::P016, Layout::P016],
        |layout, likeness| {
            let from = random(layout, SIZE, 10);
            let surface = device(kernels.gpu(), &from)?;
            for curve in curves {
                let map = ToneMap {
                    curve,
                    range: Range::Limited,
                    peak: 10.0,
                };
                for to_layout in [Layout::Nv12, Layout::P016] {
                    let to = Surface::new(kernels.gpu(), to_layout, SIZE.0, SIZE.1).map_err(words)?;
                    kernels.tone(Source::whole(&surface), &map, &to).map_err(words)?;
                    likeness.add_rasters(&software::tone::tone(&from, &map, to_layout), &host(&to)?)?;
                }
            }
            Ok(2 * curves.len() as u32)
        },
    )
}

/// Sums up over layouts; `one` answers how many pictures it made.
fn compare(layouts: [Layout; 4], one: impl Fn(Layout, &mut Likeness) -> Result<u32, String>) -> Tried {
    let mut likeness = Likeness::default();
    let mut pictures = 0;
    for layout in layouts {
        pictures += one(layout, &mut likeness).map_err(|why| format!("{layout:?}: {why}"))?;
    }
    Ok((likeness, pictures))
}

fn words(error: CudaError) -> String {
    error.to_string()
}

fn device(gpu: &Arc<Gpu>, picture: &Raster) -> Result<Surface, String> {
    let surface = Surface::new(gpu, picture.layout(), picture.width(), picture.height()).map_err(words)?;
    for plane in 0..picture.layout().planes() {
        let (row_bytes, _) = picture.layout().plane_size(plane, picture.width(), picture.height());
        surface.upload(plane, picture.plane(plane), row_bytes).map_err(words)?;
    }
    Ok(surface)
}

fn host(surface: &Surface) -> Result<Raster, String> {
    let mut picture = Raster::new(surface.layout(), surface.width(), surface.height());
    for plane in 0..surface.layout().planes() {
        let (row_bytes, _) = surface.layout().plane_size(plane, surface.width(), surface.height());
        surface
            .download(plane, picture.plane_mut(plane), row_bytes)
            .map_err(words)?;
    }
    Ok(picture)
}

/// Any samples at all.
fn random(layout: Layout, (width, height): (u32, u32), seed: u64) -> Raster {
    let mut dice = Dice::new(seed);
    let mut picture = Raster::new(layout, width, height);
    for component in 0..3 {
        let (wide, high) = picture.size(component);
        for y in 0..high {
            for x in 0..wide {
                picture.set(component, x, y, dice.below(1 << layout.bit_depth()) as i32);
            }
        }
    }
    picture
}

/// Numbers without pattern, the same every time: Knuth's congruences.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, end: u32) -> u32 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(end)) as u32
    }
}
