//! Cells of sheets and stills.

use crate::pictures;
use crate::pictures::LAYOUTS;
use crate::pictures::Placed;
use crate::twins;
use crate::twins::Tables;
use reelmill::media::cuda::Layout;
use reelmill::media::cuda::kernels::rgb;
use reelmill::media::software::Crop;
use reelmill::media::software::Range;
use reelmill::media::software::Raster;
use reelmill::media::software::Turn;
use reelmill::media::software::rgb::Place;
use reelmill::media::software::rgb::View;
use reelmill::media::software::rgb::paint;

const FILL: [u8; 3] = [9, 8, 7];

fn check(from: &Raster, view: &View, place: &Place) {
    let Some(twins) = twins::load() else { return };
    let mut sheet = Raster::new(Layout::Rgb24, 64, 50);
    sheet.plane_mut(0).fill(77);
    let mut placed = Placed::new(&sheet);
    let mut tables = Tables::default();
    let mut source = Placed::new(from);
    let launch = rgb::parameters(&source.at(), view, &placed.at(), place, &mut |key| tables.axis(key));
    twins.launch(&launch.expect("accepted"));
    paint(from, view, &mut sheet, place);
    assert!(placed.read() == sheet, "{:?} {view:?} {place:?}", from.layout());
}

fn view(crop: Crop) -> View {
    View {
        crop,
        turn: Turn::default(),
        matrix: 1,
        range: Range::Limited,
        filter: None,
    }
}

#[test]
fn cells_of_every_layout_range_and_matrix() {
    for layout in LAYOUTS {
        let from = pictures::random(layout, 45, 33, 6);
        for (range, matrix) in [
            (Range::Limited, 1),
            (Range::Full, 6),
            (Range::Limited, 9),
            (Range::Full, 2),
        ] {
            let view = View {
                range,
                matrix,
                ..view(Crop::whole(45, 33))
            };
            check(&from, &view, &Place::stretched(5, 7, 16, 9));
            check(&from, &view, &Place::stretched(0, 0, 64, 50));
            check(&from, &view, &Place::centred(3, 2, (40, 20), (27, 20), FILL));
        }
    }
}

#[test]
fn turned_cropped_and_cut_cells() {
    let from = pictures::random(Layout::Nv12, 50, 40, 2);
    let crop = Crop {
        x: 6,
        y: 4,
        width: 41,
        height: 31,
    };
    for rotation_degrees in [0, 90, 180, 270] {
        for mirrored in [false, true] {
            let turn = Turn {
                rotation_degrees,
                mirrored,
            };
            let view = View { turn, ..view(crop) };
            check(&from, &view, &Place::centred(10, 10, (20, 24), (18, 24), FILL));
            check(&from, &view, &Place::centred(10, 10, (20, 24), (33, 40), FILL));
        }
    }
}

#[test]
fn a_place_beyond_the_sheet_is_refused() {
    let mut source = Placed::new(&pictures::random(Layout::Nv12, 16, 16, 1));
    let mut sheet = Placed::new(&Raster::new(Layout::Rgb24, 64, 50));
    let view = view(Crop::whole(16, 16));
    let mut refused = |sheet: &mut Placed, place: Place| {
        let mut tables = Tables::default();
        rgb::parameters(&source.at(), &view, &sheet.at(), &place, &mut |key| tables.axis(key)).is_err()
    };
    assert!(!refused(&mut sheet, Place::stretched(48, 34, 16, 16)));
    for place in [
        Place::stretched(49, 34, 16, 16),
        Place::stretched(0, u32::MAX, 1, 2),
        Place::stretched(0, 0, 0, 1),
    ] {
        assert!(refused(&mut sheet, place), "{place:?}");
    }
    let mut other = Placed::new(&Raster::new(Layout::Nv12, 64, 50));
    assert!(refused(&mut other, Place::stretched(0, 0, 16, 16)));
}
