//! Do the kernels' pictures look like those that software passes make? What the kernels must come to, against
//! libswscale, bwdif, and the tone map of `media::grading`.

use crate::natural;
use crate::pictures;
use reelmill::media::av::Color;
use reelmill::media::av::Frame;
use reelmill::media::av::Graph;
use reelmill::media::av::PixelFormat;
use reelmill::media::av::Scaler;
use reelmill::media::av::color;
use reelmill::media::av::filter::GraphInput;
use reelmill::media::av::scale::Filter as Scaling;
use reelmill::media::cuda::Layout;
use reelmill::media::facts::Ratio;
use reelmill::media::grading;
use reelmill::media::software::Crop;
use reelmill::media::software::Filter;
use reelmill::media::software::Range;
use reelmill::media::software::Raster;
use reelmill::media::software::Turn;
use reelmill::media::software::curves::Curve;
use reelmill::media::software::fields::Field;
use reelmill::media::software::fields::Moment;
use reelmill::media::software::fields::deinterlace;
use reelmill::media::software::rgb::Place;
use reelmill::media::software::rgb::View;
use reelmill::media::software::rgb::paint;
use reelmill::media::software::scale::Wish;
use reelmill::media::software::scale::scale;
use reelmill::media::software::tone::ToneMap;
use reelmill::media::software::tone::tone;

fn format_of(layout: Layout) -> PixelFormat {
    match layout {
        Layout::Yuv420p10 => PixelFormat::YUV420P10,
        _ => PixelFormat::YUV420P,
    }
}

/// Likeness of luma, Cb and Cr to libswscale's, dB.
fn likeness(from: &Raster, layout: Layout, (width, height): (u32, u32), ranges: (Range, Range)) -> [f64; 3] {
    let crop = Crop::whole(from.width(), from.height());
    let wish = Wish {
        layout,
        width,
        height,
        filter: None,
        crop,
        turn: Turn::default(),
        range: ranges,
    };
    let ours = scale(from, &wish);
    let filter = match Filter::between((from.width(), from.height()), (width, height)) {
        Filter::Area => Scaling::Area,
        Filter::Bicubic => Scaling::Bicubic,
    };
    let range = |range: Range| {
        if range == Range::Full {
            color::FULL
        } else {
            color::LIMITED
        }
    };
    let mut frame = natural::frame(from);
    frame.set_color(Color {
        range: range(ranges.0),
        ..Color::BT709
    });
    let mut scaler = Scaler::new(format_of(layout), width, height, filter)
        .expect("a scaler")
        .in_range(range(ranges.1));
    let theirs = natural::raster(&scaler.run(&frame).expect("scaled"));
    [0, 1, 2].map(|component| pictures::psnr(&ours, &theirs, component))
}

const LIMITED: (Range, Range) = (Range::Limited, Range::Limited);

#[test]
fn scaled_pictures_are_like_those_of_libswscale() {
    let mut scenes: Vec<(String, Raster)> = [Layout::Yuv420p, Layout::Yuv420p10]
        .map(|layout| (format!("scene {layout:?}"), natural::scene(layout, 480, 270, 0.0)))
        .into();
    for (name, number) in [("bbb_480p_30s.mp4", 40), ("tc_h265_10bits.mp4", 3)] {
        scenes.extend(natural::filmed(name, number).map(|raster| (name.to_owned(), raster)));
    }
    for (name, from) in &scenes {
        let (width, height) = (from.width(), from.height());
        let sizes = [(2, 3), (3, 4), (1, 2), (1, 3), (3, 2), (5, 12)];
        for (times, of) in sizes {
            let size = (width * times / of / 2 * 2, height * times / of / 2 * 2);
            for layout in [Layout::Yuv420p, Layout::Yuv420p10] {
                let [y, cb, cr] = likeness(from, layout, size, LIMITED);
                println!("{name} to {size:?} {layout:?}: {y:.1} {cb:.1} {cr:.1} dB");
                assert!(
                    y >= 45.0 && cb >= 45.0 && cr >= 45.0,
                    "{name} to {size:?} {layout:?}: {y} {cb} {cr}"
                );
            }
        }
    }
}

#[test]
fn ranges_change_as_libav_changes_them() {
    for ranges in [(Range::Limited, Range::Full), (Range::Full, Range::Limited)] {
        let from = natural::scene(Layout::Yuv420p, 240, 136, 0.0);
        let likeness = likeness(&from, Layout::Yuv420p, (160, 90), ranges);
        println!("{ranges:?}: {likeness:.1?} dB");
        assert!(likeness.iter().all(|db| *db >= 45.0), "{ranges:?}: {likeness:?}");
        // libswscale leaves the range of ten bits as it is: zimg knows it.
        let from = natural::scene(Layout::Yuv420p10, 240, 136, 0.0);
        let word = |range: Range| if range == Range::Full { "full" } else { "limited" };
        let chain = format!("zscale=rin={}:r={}", word(ranges.0), word(ranges.1));
        let said = Color {
            range: if ranges.0 == Range::Full {
                color::FULL
            } else {
                color::LIMITED
            },
            ..Color::BT709
        };
        let theirs = filtered(&from, said, &chain);
        let wish = Wish {
            layout: Layout::Yuv420p10,
            width: 240,
            height: 136,
            filter: None,
            crop: Crop::whole(240, 136),
            turn: Turn::default(),
            range: ranges,
        };
        let (most, mean) = pictures::difference(&scale(&from, &wish), &theirs);
        println!("{ranges:?} in ten bits: at most {most}, {mean:.3} in the mean");
        assert!(most <= 1 && mean < 0.1, "{ranges:?}: {most} {mean}");
    }
}

#[test]
fn cells_are_like_those_of_libswscale() {
    let mut scenes = vec![natural::scene(Layout::Yuv420p, 480, 270, 0.0)];
    scenes.extend(natural::filmed("bbb_480p_30s.mp4", 40));
    for from in &scenes {
        for (matrix, range) in [
            (1, Range::Limited),
            (6, Range::Limited),
            (9, Range::Limited),
            (1, Range::Full),
        ] {
            for (width, height, filter) in [(160, 90, Scaling::Area), (320, 180, Scaling::Bicubic)] {
                let mut sheet = Raster::new(Layout::Rgb24, width, height);
                let view = View {
                    crop: Crop::whole(from.width(), from.height()),
                    turn: Turn::default(),
                    matrix,
                    range,
                    filter: None,
                };
                paint(from, &view, &mut sheet, &Place::stretched(0, 0, width, height));
                let mut frame = natural::frame(from);
                frame.set_color(Color {
                    matrix,
                    range: if range == Range::Full {
                        color::FULL
                    } else {
                        color::LIMITED
                    },
                    ..Color::BT709
                });
                let mut scaler = Scaler::new(PixelFormat::RGB24, width, height, filter).expect("a scaler");
                let theirs = natural::raster(&scaler.run(&frame).expect("scaled"));
                let pairs = sheet.plane(0).iter().zip(theirs.plane(0));
                let sum: f64 = pairs.map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
                let psnr = 10.0 * (65_025.0 * sheet.plane(0).len() as f64 / sum.max(1e-9)).log10();
                println!("matrix {matrix} {range:?} to {width}x{height}: {psnr:.1} dB");
                assert!(psnr >= 45.0, "matrix {matrix} {range:?} to {width}x{height}: {psnr}");
            }
        }
    }
}

fn graph(frame: &Frame, color: Color, chain: &str) -> Graph {
    let input = GraphInput {
        width: frame.width(),
        height: frame.height(),
        format: frame.pixel_format(),
        time_base: Ratio { num: 1, den: 25 },
        sample_aspect_ratio: Ratio { num: 1, den: 1 },
    };
    Graph::open_for(&input, color, chain, 1).expect("a graph")
}

/// One picture through libav's filters.
fn filtered(from: &Raster, said: Color, chain: &str) -> Raster {
    let mut frame = natural::frame(from);
    frame.set_color(said);
    frame.set_pts(0);
    let mut graph = graph(&frame, said, chain);
    graph.push(Some(&frame)).expect("pushed");
    natural::raster(&graph.pull().expect("pulled").expect("a picture"))
}

#[test]
fn fields_become_what_bwdif_makes_of_them() {
    for layout in [Layout::Yuv420p, Layout::Yuv420p10] {
        let rasters: Vec<Raster> = (0..4)
            .map(|time| {
                let lines = [0, 1].map(|field| natural::scene(layout, 72, 52, f64::from(time * 2 + field)));
                pictures::made(layout, 72, 52, |component, x, y| lines[y % 2].sample(component, x, y))
            })
            .collect();
        for (first, word) in [(Field::Top, "tff"), (Field::Bottom, "bff")] {
            let chain = format!("setfield={word},bwdif=mode=send_field:parity={word}:deint=all");
            let mut graph = graph(&natural::frame(&rasters[0]), Color::BT709, &chain);
            let mut theirs = Vec::new();
            for (pts, raster) in (0..).zip(&rasters) {
                let mut frame = natural::frame(raster);
                frame.set_color(Color::BT709);
                frame.set_pts(pts);
                graph.push(Some(&frame)).expect("pushed");
                while let Some(frame) = graph.pull().expect("pulled") {
                    theirs.push(natural::raster(&frame));
                }
            }
            graph.push(None).expect("ended");
            while let Some(frame) = graph.pull().expect("pulled") {
                theirs.push(natural::raster(&frame));
            }
            assert_eq!(theirs.len(), 8);
            for (number, theirs) in theirs.iter().enumerate() {
                let (at, is_second) = (number / 2, number % 2 == 1);
                if number == 1 {
                    // The filter knows the picture after the first one, and does not look.
                    continue;
                }
                let previous = at.checked_sub(1).map(|at| &rasters[at]);
                let ours = deinterlace(previous, &rasters[at], rasters.get(at + 1), Moment { first, is_second });
                // At the edges of deep pictures the filter counts bytes for lines.
                let edge = if layout == Layout::Yuv420p { 0 } else { 6 };
                for component in 0..3 {
                    let (width, height) = ours.size(component);
                    for (y, x) in (edge..height - edge).flat_map(|y| (0..width).map(move |x| (y, x))) {
                        let (own, other) = (ours.sample(component, x, y), theirs.sample(component, x, y));
                        assert_eq!(own, other, "{layout:?} {word} {number} {component} {x},{y}");
                    }
                }
            }
        }
    }
}

/// Likeness of luma and chroma, and the mean difference in steps of 8 bits, to what software passes make.
fn toned(from: &Raster, curve: Curve) -> ([f64; 3], f64) {
    let said = Color {
        primaries: color::BT2020,
        transfer: if curve == Curve::Pq { color::PQ } else { color::HLG },
        matrix: color::BT2020,
        range: color::LIMITED,
    };
    let size = (from.width(), from.height());
    let wide = PixelFormat::YUV420P10;
    let chain = grading::chain(said, wide, size, Color::BT709, wide, None).expect("a map");
    let theirs = filtered(from, said, &chain);
    let map = ToneMap {
        curve,
        range: Range::Limited,
        peak: 10.0,
    };
    let ours = tone(from, &map, Layout::Yuv420p10);
    let mean = pictures::difference(&ours, &theirs).1 / 4.0;
    (
        [0, 1, 2].map(|component| pictures::psnr(&ours, &theirs, component)),
        mean,
    )
}

#[test]
fn tone_maps_look_like_those_of_software_passes() {
    let scene = natural::scene(Layout::Yuv420p10, 240, 136, 0.0);
    let mut scenes = vec![("scene", scene.clone(), Curve::Pq), ("scene", scene, Curve::Hlg)];
    for (name, curve) in [("ax_hdr10-av1.mp4", Curve::Pq), ("ax_hlg10-color-test.mp4", Curve::Hlg)] {
        scenes.extend(natural::filmed(name, 4).map(|raster| (name, raster, curve)));
    }
    for (name, from, curve) in scenes {
        let ([y, cb, cr], mean) = toned(&from, curve);
        println!("{name} {curve:?}: {y:.1} {cb:.1} {cr:.1} dB, mean {mean:.3}");
        assert!(
            y >= 60.0 && cb >= 45.0 && cr >= 45.0 && mean < 0.25,
            "{name} {curve:?}: {y} {cb} {cr} {mean}"
        );
    }
}

#[test]
fn single_colours_come_out_alike_even_where_they_are_extreme() {
    let colours = [
        [64, 512, 512],
        [200, 512, 512],
        [500, 512, 512],
        [900, 512, 512],
        [400, 600, 512],
        [400, 512, 600],
        // Outside of BT.709, and signals below 0 and above 1.
        [400, 450, 450],
        [600, 600, 450],
        [100, 512, 450],
        [150, 700, 400],
        [950, 500, 500],
        [600, 300, 700],
    ];
    for curve in [Curve::Pq, Curve::Hlg] {
        for colour in colours {
            let from = pictures::made(Layout::Yuv420p10, 64, 36, |component, _, _| colour[component]);
            let (likeness, mean) = toned(&from, curve);
            assert!(
                likeness.iter().all(|db| *db > 58.0),
                "{curve:?} {colour:?}: {likeness:?} {mean}"
            );
        }
    }
}
