//! Pictures for kernels: random ones, smooth ones, and their place in memory with room around every row.

use reelmill::media::cuda::Layout;
use reelmill::media::cuda::kernels::parameters::PictureAt;
use reelmill::media::software::Raster;

pub const LAYOUTS: [Layout; 4] = [Layout::Nv12, Layout::P016, Layout::Yuv420p, Layout::Yuv420p10];
/// Bytes beside a row that nobody may touch.
const ROOM: usize = 22;
const UNTOUCHED: u8 = 0xa5;

/// Numbers without pattern, the same every time.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, end: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(end)) as u32
    }
}

/// Any numbers at all.
pub fn random(layout: Layout, width: u32, height: u32, seed: u64) -> Raster {
    let mut dice = Dice::new(seed);
    made(layout, width, height, |_, _, _| {
        dice.below(1 << layout.bit_depth()) as i32
    })
}

/// Of a function of component and place, in numbers of its depth.
pub fn made(layout: Layout, width: u32, height: u32, mut value: impl FnMut(usize, usize, usize) -> i32) -> Raster {
    let mut raster = Raster::new(layout, width, height);
    for component in 0..3 {
        let (wide, high) = raster.size(component);
        for y in 0..high {
            for x in 0..wide {
                raster.set(component, x, y, value(component, x, y));
            }
        }
    }
    raster
}

/// A raster in memory as a device has it: rows apart from one another.
pub struct Placed {
    raster: Raster,
    planes: Vec<Vec<u16>>,
    pitch_bytes: Vec<usize>,
}

impl Placed {
    pub fn new(raster: &Raster) -> Self {
        let layout = raster.layout();
        let mut planes = Vec::new();
        let mut pitch_bytes = Vec::new();
        for plane in 0..layout.planes() {
            let (row_bytes, rows) = layout.plane_size(plane, raster.width(), raster.height());
            let pitch = (row_bytes + ROOM).next_multiple_of(2);
            let mut bytes = vec![UNTOUCHED; pitch * rows];
            for (row, own) in raster.plane(plane).chunks_exact(row_bytes).enumerate() {
                bytes[row * pitch..row * pitch + row_bytes].copy_from_slice(own);
            }
            planes.push(
                bytes
                    .chunks_exact(2)
                    .map(|two| u16::from_ne_bytes([two[0], two[1]]))
                    .collect(),
            );
            pitch_bytes.push(pitch);
        }
        Placed {
            raster: raster.clone(),
            planes,
            pitch_bytes,
        }
    }

    pub fn at(&mut self) -> PictureAt {
        let mut address = [0; 3];
        let mut pitch_bytes = [0; 3];
        for plane in 0..self.planes.len() {
            address[plane] = self.planes[plane].as_mut_ptr() as u64;
            pitch_bytes[plane] = self.pitch_bytes[plane] as u32;
        }
        PictureAt {
            layout: self.raster.layout(),
            width: self.raster.width(),
            height: self.raster.height(),
            address,
            pitch_bytes,
        }
    }

    /// What lies there now; the room beside the rows must be as it was.
    pub fn read(&self) -> Raster {
        let mut raster = self.raster.clone();
        let layout = raster.layout();
        for plane in 0..layout.planes() {
            let (row_bytes, _) = layout.plane_size(plane, raster.width(), raster.height());
            let bytes: Vec<u8> = self.planes[plane].iter().flat_map(|word| word.to_ne_bytes()).collect();
            let rows = bytes.chunks_exact(self.pitch_bytes[plane]);
            for (row, own) in rows.zip(raster.plane_mut(plane).chunks_exact_mut(row_bytes)) {
                assert!(
                    row[row_bytes..].iter().all(|byte| *byte == UNTOUCHED),
                    "written beside a row"
                );
                own.copy_from_slice(&row[..row_bytes]);
            }
        }
        raster
    }
}

/// Largest and mean difference of all samples, in steps of their depth.
pub fn difference(one: &Raster, other: &Raster) -> (i32, f64) {
    assert_eq!(
        (one.layout(), one.width(), one.height()),
        (other.layout(), other.width(), other.height())
    );
    let (mut most, mut sum, mut count) = (0, 0.0, 0.0);
    for component in 0..3 {
        let (width, height) = one.size(component);
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let apart = (one.sample(component, x, y) - other.sample(component, x, y)).abs();
            most = most.max(apart);
            sum += f64::from(apart);
            count += 1.0;
        }
    }
    (most, sum / count)
}

/// Likeness of two pictures in one component, dB of full scale.
pub fn psnr(one: &Raster, other: &Raster, component: usize) -> f64 {
    let (width, height) = one.size(component);
    let depth = |raster: &Raster| f64::from(1_u32 << (raster.layout().bit_depth() - 8));
    let mut sum = 0.0;
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let value = |raster: &Raster| f64::from(raster.sample(component, x, y)) / depth(raster);
        sum += (value(one) - value(other)).powi(2);
    }
    let mean = sum / (width * height) as f64;
    if mean == 0.0 {
        f64::INFINITY
    } else {
        10.0 * (255.0 * 255.0 / mean).log10()
    }
}
