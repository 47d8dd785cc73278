//! The tone map.

use crate::pictures;
use crate::pictures::Dice;
use crate::pictures::LAYOUTS;
use crate::pictures::Placed;
use crate::twins;
use reelmill::media::cuda::Layout;
use reelmill::media::cuda::kernels::tone;
use reelmill::media::software::Crop;
use reelmill::media::software::Range;
use reelmill::media::software::Raster;
use reelmill::media::software::curves;
use reelmill::media::software::curves::Curve;
use reelmill::media::software::tone::ToneMap;

#[test]
fn tables_come_within_a_step_of_the_formulas() {
    let Some(twins) = twins::load() else { return };
    for curve in [Curve::Pq, Curve::Hlg] {
        let tables = curves::tables(curve);
        for (from_layout, range) in [
            (Layout::P016, Range::Limited),
            (Layout::Yuv420p10, Range::Full),
            (Layout::Nv12, Range::Limited),
        ] {
            let mut dice = Dice::new(21);
            let scale = 1 << (from_layout.bit_depth() - 8);
            // Chroma near grey, as pictures have it, and anything.
            let from = pictures::made(from_layout, 45, 37, |component, x, _| {
                let any = dice.below(256) as i32;
                let value = if component > 0 && x % 3 > 0 { 112 + any / 8 } else { any };
                value * scale + dice.below(scale as u32) as i32
            });
            let map = ToneMap {
                curve,
                range,
                peak: 10.0,
            };
            for layout in LAYOUTS {
                let mut source = Placed::new(&from);
                let mut result = Placed::new(&Raster::new(layout, 45, 37));
                let launch = tone::parameters(
                    &source.at(),
                    Crop::whole(45, 37),
                    &map,
                    &result.at(),
                    tables.as_ptr() as u64,
                );
                twins.launch(&launch.expect("accepted"));
                let wanted = reelmill::media::software::tone::tone(&from, &map, layout);
                let (most, mean) = pictures::difference(&result.read(), &wanted);
                assert!(
                    most <= 1 && mean < 0.05,
                    "{curve:?} {from_layout:?} {layout:?}: {most} {mean}"
                );
            }
        }
    }
}

#[test]
fn a_result_of_another_size_is_refused() {
    let mut source = Placed::new(&pictures::random(Layout::P016, 16, 16, 1));
    let mut result = Placed::new(&Raster::new(Layout::Nv12, 16, 14));
    let map = ToneMap {
        curve: Curve::Pq,
        range: Range::Limited,
        peak: 10.0,
    };
    let mut crop = Crop::whole(16, 16);
    assert!(tone::parameters(&source.at(), crop, &map, &result.at(), 0).is_err());
    crop.height = 14;
    assert!(tone::parameters(&source.at(), crop, &map, &result.at(), 0).is_ok());
    let nan = ToneMap { peak: f64::NAN, ..map };
    assert!(tone::parameters(&source.at(), crop, &nan, &result.at(), 0).is_err());
}
