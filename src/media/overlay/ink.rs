//! Red, green and blue of a mark in the numbers of a rendition: its matrix, range, depth, primaries and transfer.
//!
//! Guarantees: white on an HDR rendition is reference white (203 nits, ITU-R BT.2408), not the brightest there is.
//! Deliberately absent: pixels.

use crate::media::av::Color;
use crate::media::av::color;

/// Reference white of HDR over the 10000 nits of PQ.
const WHITE_PQ: f64 = 203.0 / 10_000.0;
/// Scene light of HLG that is shown as reference white: its signal is 0.75.
const WHITE_HLG: f64 = 0.264_96;

/// Turns colours of marks into luma and chroma.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ink {
    kr: f64,
    kb: f64,
    full: bool,
    depth: u32,
    transfer: i32,
    wide: bool,
}

impl Ink {
    /// For renditions of this colour, depth and size.
    pub fn new(said: Color, depth: u32, width: u32, height: u32) -> Self {
        let (kr, kb) = match said.effective_matrix(width, height) {
            4 => (0.30, 0.11),
            5 | 6 => (0.299, 0.114),
            7 => (0.212, 0.087),
            9 | 10 => (0.2627, 0.0593),
            _ => (0.2126, 0.0722),
        };
        Ink {
            kr,
            kb,
            full: said.range == color::FULL,
            depth: depth.clamp(8, 16),
            transfer: said.transfer,
            wide: said.primaries == color::BT2020,
        }
    }

    /// Luma, blue and red difference of a colour, as numbers of the rendition's depth (not rounded).
    pub fn yuv(&self, rgb: [u8; 3]) -> [f64; 3] {
        let [r, g, b] = self.signal(rgb.map(|value| f64::from(value) / 255.0));
        let y = self.kr * r + (1.0 - self.kr - self.kb) * g + self.kb * b;
        let cb = (b - y) / (2.0 * (1.0 - self.kb));
        let cr = (r - y) / (2.0 * (1.0 - self.kr));
        let unit = f64::from(1_u32 << (self.depth - 8));
        if self.full {
            let most = f64::from((1_u32 << self.depth) - 1);
            let middle = f64::from(1_u32 << (self.depth - 1));
            [y * most, middle + cb * most, middle + cr * most]
        } else {
            [
                (16.0 + 219.0 * y) * unit,
                (128.0 + 224.0 * cb) * unit,
                (128.0 + 224.0 * cr) * unit,
            ]
        }
    }

    /// The colour's signal with the rendition's primaries and transfer.
    fn signal(&self, rgb: [f64; 3]) -> [f64; 3] {
        let hdr = self.transfer == color::PQ || self.transfer == color::HLG;
        if !hdr && !self.wide {
            return rgb;
        }
        let mut light = rgb.map(|value| {
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        });
        if self.wide {
            let [r, g, b] = light;
            // BT.709 to BT.2020, ITU-R BT.2087.
            light = [
                0.6274 * r + 0.3293 * g + 0.0433 * b,
                0.0691 * r + 0.9195 * g + 0.0114 * b,
                0.0164 * r + 0.0880 * g + 0.8956 * b,
            ];
        }
        light.map(|value| match self.transfer {
            color::PQ => pq(value * WHITE_PQ),
            color::HLG => hlg(value * WHITE_HLG),
            _ if value <= 0.003_130_8 => value * 12.92,
            _ => 1.055 * value.powf(1.0 / 2.4) - 0.055,
        })
    }
}

/// SMPTE ST 2084.
fn pq(light: f64) -> f64 {
    let powered = light.max(0.0).powf(0.159_301_757_812_5);
    ((0.835_937_5 + 18.851_562_5 * powered) / (1.0 + 18.6875 * powered)).powf(78.843_75)
}

/// ARIB STD-B67.
fn hlg(light: f64) -> f64 {
    if light <= 1.0 / 12.0 {
        (3.0 * light.max(0.0)).sqrt()
    } else {
        0.178_832_77 * (12.0 * light - 0.284_668_92).ln() + 0.559_910_73
    }
}

#[cfg(test)]
mod tests {
    use super::Ink;
    use crate::media::av::Color;

    fn rounded(ink: Ink, rgb: [u8; 3]) -> [i32; 3] {
        ink.yuv(rgb).map(|value| value.round() as i32)
    }

    #[test]
    fn matrices_and_ranges_are_the_standards() {
        let hd = Ink::new(Color::BT709, 8, 1920, 1080);
        assert_eq!(rounded(hd, [255, 255, 255]), [235, 128, 128]);
        assert_eq!(rounded(hd, [0, 0, 0]), [16, 128, 128]);
        assert_eq!(rounded(hd, [255, 0, 0]), [63, 102, 240]);
        let sd = Ink::new(Color::UNSPECIFIED, 8, 640, 480);
        assert_eq!(rounded(sd, [255, 0, 0]), [81, 90, 240]);
        let full = Ink::new(
            Color {
                range: 2,
                ..Color::BT709
            },
            8,
            1920,
            1080,
        );
        assert_eq!(rounded(full, [255, 255, 255]), [255, 128, 128]);
        let ten = Ink::new(Color::BT709, 10, 1920, 1080);
        assert_eq!(rounded(ten, [255, 255, 255]), [940, 512, 512]);
    }

    #[test]
    fn white_of_hdr_is_reference_white() {
        let of = |transfer| Color {
            primaries: 9,
            transfer,
            matrix: 9,
            range: 1,
        };
        let signal = |transfer| (Ink::new(of(transfer), 10, 1920, 1080).yuv([255; 3])[0] / 4.0 - 16.0) / 219.0;
        assert!((signal(16) - 0.58).abs() < 0.005, "PQ {}", signal(16));
        assert!((signal(18) - 0.75).abs() < 0.005, "HLG {}", signal(18));
    }
}
