//! Marks and boxes.

use crate::pictures;
use crate::pictures::Dice;
use crate::pictures::LAYOUTS;
use crate::pictures::Placed;
use crate::twins;
use reelmill::media::cuda::Layout;
use reelmill::media::cuda::kernels::marks;
use reelmill::media::software::marks::Cover;
use reelmill::media::software::marks::Layer;
use reelmill::media::software::marks::blend;
use reelmill::media::software::marks::hide;

#[test]
fn marks_are_laid_on_bit_by_bit() {
    let Some(twins) = twins::load() else { return };
    for layout in LAYOUTS {
        let mut dice = Dice::new(3);
        let mut raster = pictures::random(layout, 31, 21, 8);
        let mut placed = Placed::new(&raster);
        let sizes = [(9, 7), (5, 4), (5, 4)];
        let most = 1 << layout.bit_depth();
        let values =
            sizes.map(|(width, height)| -> Vec<u16> { (0..width * height).map(|_| dice.below(most) as u16).collect() });
        let covers = sizes.map(|(width, height)| -> Vec<u32> {
            (0..width * height)
                .map(|_| [0, 65_536, dice.below(65_537)][dice.below(3) as usize])
                .collect()
        });
        let layers = [0, 1, 2].map(|component: usize| Layer {
            x: if component == 0 { 22 } else { 11 },
            y: if component == 0 { 13 } else { 6 },
            width: sizes[component].0,
            height: sizes[component].1,
            values: &values[component],
            covers: &covers[component],
        });
        let (bytes, layout_of) = marks::packed(&layers).expect("accepted");
        let memory: Vec<u32> = bytes
            .chunks_exact(4)
            .map(|four| u32::from_ne_bytes([four[0], four[1], four[2], four[3]]))
            .collect();
        let launch = marks::blend_parameters(&placed.at(), memory.as_ptr() as u64, &layout_of).expect("inside");
        twins.launch(&launch);
        blend(&mut raster, &layers);
        assert_eq!(placed.read(), raster, "{layout:?}");
    }
}

#[test]
fn boxes_hide_bit_by_bit() {
    let Some(twins) = twins::load() else { return };
    for layout in LAYOUTS {
        for is_blurred in [false, true] {
            for (x, y, width, height, reach) in [
                (4, 2, 20, 14, 6),
                (0, 0, 37, 27, 3),
                (30, 20, 7, 7, 40),
                (8, 8, 2, 2, 1),
            ] {
                let cover = Cover {
                    x,
                    y,
                    width,
                    height,
                    reach: reach.min(37),
                    is_blurred,
                };
                let mut raster = pictures::random(layout, 37, 27, 4);
                let mut placed = Placed::new(&raster);
                let at = placed.at();
                marks::check(&at, &cover).expect("inside");
                if is_blurred {
                    let mut scratch = vec![0_u16; marks::scratch_bytes(&at, &cover).div_ceil(2)];
                    for _ in 0..3 {
                        for launch in marks::smooth_parameters(&at, &cover, scratch.as_mut_ptr() as u64) {
                            twins.launch(&launch);
                        }
                    }
                } else {
                    twins.launch(&marks::pixelate_parameters(&at, &cover));
                }
                hide(&mut raster, &cover);
                assert_eq!(placed.read(), raster, "{layout:?} {cover:?}");
            }
        }
    }
}

#[test]
fn what_reaches_beyond_the_picture_is_refused() {
    let mut placed = Placed::new(&pictures::random(Layout::Nv12, 16, 16, 1));
    let at = placed.at();
    let layer = |x, width| Layer {
        x,
        y: 0,
        width,
        height: 1,
        values: &[1, 1, 1, 1][..width as usize],
        covers: &[1, 1, 1, 1][..width as usize],
    };
    let packed = |layers| marks::packed(&layers).expect("whole").1;
    let none = layer(0, 0);
    assert!(marks::blend_parameters(&at, 0, &packed([layer(12, 4), none, none])).is_ok());
    assert!(marks::blend_parameters(&at, 0, &packed([layer(13, 4), none, none])).is_err());
    assert!(marks::blend_parameters(&at, 0, &packed([none, layer(5, 4), none])).is_err());
    assert!(
        marks::packed(&[
            Layer {
                height: 2,
                ..layer(0, 4)
            },
            none,
            none
        ])
        .is_err()
    );
    assert!(
        marks::packed(&[
            Layer {
                covers: &[65_537],
                ..layer(0, 1)
            },
            none,
            none
        ])
        .is_err()
    );
    let cover = |x, width, reach| Cover {
        x,
        y: 0,
        width,
        height: 16,
        reach,
        is_blurred: false,
    };
    assert!(marks::check(&at, &cover(8, 8, 4)).is_ok());
    for wrong in [
        cover(7, 8, 4),
        cover(8, 10, 4),
        cover(8, 3, 4),
        cover(8, 0, 4),
        cover(8, 8, 0),
        cover(8, 8, 17),
    ] {
        assert!(marks::check(&at, &wrong).is_err(), "{wrong:?}");
    }
}
