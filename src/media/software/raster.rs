//! A picture in the memory of the host, sample by sample.
//!
//! Guarantees: rows lie one after the other without gaps, planes as in [`Layout`]. Deliberately absent: what samples
//! mean.

use crate::media::cuda::Layout;

/// Bits of a word of P016 below ten bits of value.
const P016_SHIFT: u32 = 6;

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raster {
    layout: Layout,
    width: u32,
    height: u32,
    planes: Vec<Vec<u8>>,
}

impl Raster {
    /// Of zeros.
    pub fn new(layout: Layout, width: u32, height: u32) -> Self {
        let planes = (0..layout.planes())
            .map(|plane| {
                let (row_bytes, rows) = layout.plane_size(plane, width, height);
                vec![0; row_bytes * rows]
            })
            .collect();
        Raster {
            layout,
            width,
            height,
            planes,
        }
    }

    /// How its samples lie.
    pub fn layout(&self) -> Layout {
        self.layout
    }
    /// Pixels across.
    pub fn width(&self) -> u32 {
        self.width
    }
    /// Pixels down.
    pub fn height(&self) -> u32 {
        self.height
    }
    /// The bytes of a plane.
    pub fn plane(&self, plane: usize) -> &[u8] {
        &self.planes[plane]
    }
    /// The same, to be written.
    pub fn plane_mut(&mut self, plane: usize) -> &mut [u8] {
        &mut self.planes[plane]
    }

    /// Samples across and down of luma (0) or of Cb (1) or Cr (2).
    pub fn size(&self, component: usize) -> (usize, usize) {
        let (width, height) = (self.width as usize, self.height as usize);
        match component {
            0 => (width, height),
            _ => (width.div_ceil(2), height.div_ceil(2)),
        }
    }

    /// A sample of a 4:2:0 picture, of as many bits as its layout has.
    pub fn sample(&self, component: usize, x: usize, y: usize) -> i32 {
        let (plane, at) = self.place(component, x, y);
        match self.layout {
            Layout::P016 => self.word(plane, at) >> P016_SHIFT,
            Layout::Yuv420p10 => self.word(plane, at),
            _ => i32::from(self.planes[plane][at]),
        }
    }

    /// Writes one.
    pub fn set(&mut self, component: usize, x: usize, y: usize, value: i32) {
        let (plane, at) = self.place(component, x, y);
        let word = match self.layout {
            Layout::P016 => (value << P016_SHIFT) as u16,
            Layout::Yuv420p10 => value as u16,
            _ => {
                self.planes[plane][at] = value as u8;
                return;
            }
        };
        self.planes[plane][at * 2..at * 2 + 2].copy_from_slice(&word.to_le_bytes());
    }

    fn word(&self, plane: usize, at: usize) -> i32 {
        i32::from(u16::from_le_bytes([
            self.planes[plane][at * 2],
            self.planes[plane][at * 2 + 1],
        ]))
    }

    /// Plane, and which of its words.
    fn place(&self, component: usize, x: usize, y: usize) -> (usize, usize) {
        let (width, _) = self.size(component);
        match (self.layout, component) {
            (Layout::Nv12 | Layout::P016, 1 | 2) => (1, y * width * 2 + x * 2 + component - 1),
            _ => (component, y * width + x),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Raster;
    use crate::media::cuda::Layout;

    #[test]
    fn samples_come_back_from_every_layout() {
        for layout in [Layout::Nv12, Layout::P016, Layout::Yuv420p, Layout::Yuv420p10] {
            let mut raster = Raster::new(layout, 5, 3);
            let most = 1 << layout.bit_depth();
            let value =
                |component: usize, x: usize, y: usize| (component as i32 * 97 + x as i32 * 13 + y as i32 * 41) % most;
            let places: Vec<(usize, usize, usize)> = (0..3)
                .flat_map(|component| {
                    let (width, height) = Raster::new(layout, 5, 3).size(component);
                    (0..height).flat_map(move |y| (0..width).map(move |x| (component, x, y)))
                })
                .collect();
            for (component, x, y) in places.clone() {
                raster.set(component, x, y, value(component, x, y));
            }
            for (component, x, y) in places {
                assert_eq!(raster.sample(component, x, y), value(component, x, y), "{layout:?}");
            }
        }
        let mut high = Raster::new(Layout::P016, 2, 2);
        high.set(0, 0, 0, 1023);
        assert_eq!(high.plane(0)[..2], [0xc0, 0xff]);
    }
}
