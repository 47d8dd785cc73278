//! Pictures of two moments.

use crate::pictures;
use crate::pictures::Dice;
use crate::pictures::LAYOUTS;
use crate::pictures::Placed;
use crate::twins;
use reelmill::media::cuda::Layout;
use reelmill::media::cuda::kernels::fields;
use reelmill::media::software::Raster;
use reelmill::media::software::fields::Field;
use reelmill::media::software::fields::Moment;
use reelmill::media::software::fields::deinterlace;

/// Pictures where some things move, some change a little, and some stand still.
fn moving(layout: Layout, width: u32, height: u32) -> [Raster; 3] {
    [0_usize, 1, 2].map(|time| {
        let mut dice = Dice::new(7);
        let scale = 1 << (layout.bit_depth() - 8);
        pictures::made(layout, width, height, move |component, x, y| {
            let still = (x * 5 + y * 3 + component * 40) % 200;
            let noise = dice.below(60) as usize;
            let moment = time * 2 + y % 2;
            let value = match (x * 4 / width as usize, component) {
                (0, _) => still,
                (1, _) => (still + moment * 37 + noise) % 256,
                (2, _) => (((x + moment * 3) / 4 % 2) * 200 + y % 3) % 256,
                _ => still + moment,
            };
            value.min(255) as i32 * scale
        })
    })
}

#[test]
fn both_moments_of_both_orders_agree_in_every_layout_and_at_the_ends() {
    let Some(twins) = twins::load() else { return };
    for layout in LAYOUTS {
        for (width, height) in [(40, 36), (13, 17), (8, 2), (6, 4), (4, 1)] {
            let rasters = moving(layout, width, height);
            let mut placed = rasters.each_ref().map(Placed::new);
            let at = placed.each_mut().map(Placed::at);
            for first in [Field::Top, Field::Bottom] {
                for is_second in [false, true] {
                    for (has_previous, has_next) in [(true, true), (false, true), (true, false), (false, false)] {
                        let moment = Moment { first, is_second };
                        let mut result = Placed::new(&Raster::new(layout, width, height));
                        let previous = has_previous.then_some(&at[0]);
                        let next = has_next.then_some(&at[2]);
                        let launch =
                            fields::parameters(previous, &at[1], next, moment, &result.at()).expect("accepted");
                        twins.launch(&launch);
                        let wanted = deinterlace(
                            has_previous.then_some(&rasters[0]),
                            &rasters[1],
                            has_next.then_some(&rasters[2]),
                            moment,
                        );
                        assert_eq!(result.read(), wanted, "{layout:?} {width}x{height} {moment:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn surfaces_that_differ_are_refused() {
    let mut one = Placed::new(&Raster::new(Layout::Nv12, 8, 8));
    let mut other = Placed::new(&Raster::new(Layout::Nv12, 8, 10));
    let moment = Moment {
        first: Field::Top,
        is_second: false,
    };
    assert!(fields::parameters(Some(&other.at()), &one.at(), None, moment, &one.at()).is_err());
}
