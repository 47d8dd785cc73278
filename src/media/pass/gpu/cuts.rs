//! Which pictures one launch makes of a source's picture, and who takes each: every size once, however many want it.
//!
//! Guarantees: pure; edges are even, as decoders and encoders want them. Deliberately absent: memory and launches.

use crate::media::av::PixelFormat;
use crate::media::av::color;
use crate::media::cuda::Layout;
use crate::media::pass::grade::Grade;

/// One picture that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// How its samples lie.
    pub layout: Layout,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// In full range.
    pub is_full: bool,
}

impl Cut {
    /// For a rendition. Those with more chroma than a device makes get the picture as large as it is displayed, for
    /// libav's scaler; `is_encoded_there`: the device's encoder takes it, and nothing is drawn on it before.
    pub fn of_rendition(grade: &Grade, size: (u32, u32), display: (u32, u32), is_encoded_there: bool) -> Self {
        let is_deep = grade.format.bit_depth() > 8;
        let is_usual = grade.format == PixelFormat::YUV420P || grade.format == PixelFormat::YUV420P10;
        let (width, height) = if is_usual { size } else { even(display) };
        Cut {
            layout: match (is_encoded_there, is_deep) {
                (true, false) => Layout::Nv12,
                (true, true) => Layout::P016,
                (false, false) => Layout::Yuv420p,
                (false, true) => Layout::Yuv420p10,
            },
            width,
            height,
            is_full: grade.color.range == color::FULL,
        }
    }
}

fn even((width, height): (u32, u32)) -> (u32, u32) {
    ((width.max(1) + 1) & !1, (height.max(1) + 1) & !1)
}

/// What is made of each picture, with those who take it.
#[derive(Debug)]
pub struct Cuts<T>(Vec<(Cut, Vec<T>)>);

impl<T> Default for Cuts<T> {
    fn default() -> Self {
        Cuts(Vec::new())
    }
}

impl<T> Cuts<T> {
    /// One more that takes a cut.
    pub fn add(&mut self, cut: Cut, taker: T) {
        match self.0.iter_mut().find(|(known, _)| *known == cut) {
            Some((_, takers)) => takers.push(taker),
            None => self.0.push((cut, vec![taker])),
        }
    }

    /// Nobody takes anything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All, each once.
    pub fn into_all(self) -> Vec<(Cut, Vec<T>)> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Cut;
    use super::Cuts;
    use crate::media::av::Color;
    use crate::media::av::PixelFormat;
    use crate::media::cuda::Layout;
    use crate::media::encoding::hdr::HdrMetadata;
    use crate::media::pass::grade::Grade;

    fn grade(format: PixelFormat) -> Grade {
        Grade {
            is_hdr: false,
            format,
            color: Color::BT709,
            metadata: HdrMetadata::default(),
        }
    }

    #[test]
    fn encoders_get_what_they_take() {
        let of = |format, there| Cut::of_rendition(&grade(format), (640, 360), (1921, 1081), there);
        assert_eq!(of(PixelFormat::YUV420P, true).layout, Layout::Nv12);
        assert_eq!(of(PixelFormat::YUV420P10, true).layout, Layout::P016);
        assert_eq!(of(PixelFormat::YUV420P, false).layout, Layout::Yuv420p);
        let mezzanine = of(PixelFormat::YUV422P10, false);
        assert_eq!(
            (mezzanine.layout, mezzanine.width, mezzanine.height),
            (Layout::Yuv420p10, 1922, 1082)
        );
    }

    #[test]
    fn each_size_is_made_once() {
        let mut cuts = Cuts::default();
        let of = |size| Cut::of_rendition(&grade(PixelFormat::YUV420P), size, (1920, 1080), true);
        cuts.add(of((640, 360)), "file");
        cuts.add(of((1280, 720)), "large");
        cuts.add(of((640, 360)), "set");
        let all = cuts.into_all();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0], (of((640, 360)), vec!["file", "set"]));
    }
}
