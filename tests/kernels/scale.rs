//! Scaling to several outputs at once.

use crate::pictures;
use crate::pictures::LAYOUTS;
use crate::pictures::Placed;
use crate::twins;
use crate::twins::Tables;
use reelmill::media::cuda::Layout;
use reelmill::media::cuda::kernels::scale;
use reelmill::media::cuda::kernels::scale::Target;
use reelmill::media::software::Crop;
use reelmill::media::software::Filter;
use reelmill::media::software::Range;
use reelmill::media::software::Raster;
use reelmill::media::software::Turn;
use reelmill::media::software::scale::Wish;

fn check(from: &Raster, wishes: &[Wish]) {
    let Some(twins) = twins::load() else { return };
    let mut source = Placed::new(from);
    let mut results: Vec<Placed> = wishes
        .iter()
        .map(|wish| Placed::new(&Raster::new(wish.layout, wish.width, wish.height)))
        .collect();
    let targets: Vec<Target> = results
        .iter_mut()
        .zip(wishes)
        .map(|(result, wish)| Target {
            picture: result.at(),
            filter: wish.filter,
            range: wish.range.1,
        })
        .collect();
    let mut tables = Tables::default();
    let first = &wishes[0];
    let launch = scale::parameters(
        &source.at(),
        first.crop,
        first.range.0,
        first.turn,
        &targets,
        &mut |key| tables.axis(key),
    )
    .expect("accepted");
    twins.launch(&launch);
    for (result, wish) in results.iter().zip(wishes) {
        let wanted = reelmill::media::software::scale::scale(from, wish);
        assert_eq!(
            pictures::difference(&result.read(), &wanted),
            (0, 0.0),
            "{:?} {wish:?}",
            from.layout()
        );
    }
}

fn wish(layout: Layout, size: (u32, u32), crop: Crop) -> Wish {
    Wish {
        layout,
        width: size.0,
        height: size.1,
        filter: None,
        crop,
        turn: Turn::default(),
        range: (Range::Limited, Range::Limited),
    }
}

#[test]
fn every_layout_becomes_every_layout_in_one_launch() {
    for (seed, layout) in (1..).zip(LAYOUTS) {
        let from = pictures::random(layout, 61, 47, seed);
        let crop = Crop::whole(61, 47);
        let sizes = [(61, 47), (30, 23), (44, 36), (122, 90), (7, 5), (20, 47)];
        let wishes: Vec<Wish> = sizes
            .into_iter()
            .flat_map(|size| LAYOUTS.map(|layout| wish(layout, size, crop)))
            .collect();
        wishes.chunks(16).for_each(|wishes| check(&from, wishes));
    }
}

#[test]
fn crops_turns_and_mirrors_are_done_on_the_way() {
    let from = pictures::random(Layout::Nv12, 54, 38, 5);
    let crop = Crop {
        x: 4,
        y: 2,
        width: 43,
        height: 33,
    };
    for rotation_degrees in [0, 90, 180, 270] {
        for mirrored in [false, true] {
            let turn = Turn {
                rotation_degrees,
                mirrored,
            };
            let sizes = [(33, 43), (43, 33), (16, 20), (21, 13)];
            let wishes = sizes.map(|size| Wish {
                turn,
                ..wish(Layout::Yuv420p, size, crop)
            });
            check(&from, &wishes);
        }
    }
}

#[test]
fn ranges_change_on_the_way() {
    for layout in LAYOUTS {
        let from = pictures::random(layout, 40, 32, 9);
        for range in [
            (Range::Limited, Range::Full),
            (Range::Full, Range::Limited),
            (Range::Full, Range::Full),
        ] {
            let wishes = LAYOUTS.map(|layout| Wish {
                range,
                ..wish(layout, (26, 20), Crop::whole(40, 32))
            });
            check(&from, &wishes);
        }
    }
}

#[test]
fn either_filter_can_be_asked_for_in_any_direction() {
    let from = pictures::random(Layout::P016, 37, 50, 11);
    for filter in [Filter::Area, Filter::Bicubic] {
        let sizes = [(8, 8), (74, 100), (37, 12), (100, 9), (1, 1), (2, 2)];
        let wishes = sizes.map(|size| Wish {
            filter: Some(filter),
            ..wish(Layout::Nv12, size, Crop::whole(37, 50))
        });
        check(&from, &wishes);
    }
    check(
        &pictures::random(Layout::Nv12, 1, 1, 3),
        &[wish(Layout::P016, (5, 3), Crop::whole(1, 1))],
    );
}

#[test]
fn what_cannot_be_made_is_refused() {
    let mut source = Placed::new(&pictures::random(Layout::Nv12, 16, 16, 1));
    let mut result = Placed::new(&Raster::new(Layout::Nv12, 8, 8));
    let target = Target {
        picture: result.at(),
        filter: None,
        range: Range::Limited,
    };
    let mut refused = |crop: Crop, outputs: usize, rotation_degrees: u32| {
        let turn = Turn {
            rotation_degrees,
            mirrored: false,
        };
        let mut tables = Tables::default();
        let targets = vec![target; outputs];
        scale::parameters(&source.at(), crop, Range::Limited, turn, &targets, &mut |key| {
            tables.axis(key)
        })
        .is_err()
    };
    let whole = Crop::whole(16, 16);
    assert!(!refused(whole, 16, 270));
    assert!(refused(whole, 0, 0) && refused(whole, 17, 0) && refused(whole, 1, 45));
    assert!(refused(Crop { x: 1, ..whole }, 1, 0) && refused(Crop { x: 2, ..whole }, 1, 0));
    assert!(refused(Crop { width: 0, ..whole }, 1, 0));
}
