//! Pictures as cameras make them, and their way to libav's frames and back.

use crate::collection;
use crate::pictures;
use crate::pictures::Dice;
use reelmill::media::av::Decoder;
use reelmill::media::av::Demuxer;
use reelmill::media::av::Frame;
use reelmill::media::av::Packet;
use reelmill::media::av::PixelFormat;
use reelmill::media::av::Scaler;
use reelmill::media::av::Source;
use reelmill::media::av::parameters::Kind;
use reelmill::media::av::scale::Filter;
use reelmill::media::cuda::Layout;
use reelmill::media::limits::Limits;
use reelmill::media::software::Raster;

/// A scene of shaded surfaces, edges, fine lines and grain.
pub fn scene(layout: Layout, width: u32, height: u32, moment: f64) -> Raster {
    let mut dice = Dice::new(77);
    let scale = f64::from(1_u32 << (layout.bit_depth() - 8));
    pictures::made(layout, width, height, |component, x, y| {
        let shared = if component == 0 { 1.0 } else { 2.0 };
        let (x, y) = (x as f64 * shared, y as f64 * shared);
        let along = x / f64::from(width);
        let down = y / f64::from(height);
        let shade = 90.0 + 50.0 * (along * 5.0 + down * 3.0 + moment).sin();
        let ball = (along - 0.4 - moment * 0.01).hypot(down - 0.5) < 0.2;
        let lines = if down > 0.75 {
            12.0 * (x * 0.7 + y * 0.3).sin()
        } else {
            0.0
        };
        let grain = f64::from(dice.below(5)) - 2.0;
        let value = match component {
            0 => shade + if ball { 60.0 } else { 0.0 } + lines + grain,
            1 => 128.0 + 30.0 * (along * 4.0).cos() + if ball { 25.0 } else { 0.0 } + grain / 2.0,
            _ => 128.0 - 25.0 * (down * 6.0).sin() - if ball { 30.0 } else { 0.0 } + grain / 2.0,
        };
        (value.clamp(16.0, 235.0) * scale) as i32
    })
}

/// A picture of a file of the collection, by number, planar in 8 or 10 bits; none, with a message, where there is no
/// such file.
pub fn filmed(name: &str, number: usize) -> Option<Raster> {
    let frame = decoded(name, number)?;
    let deep = frame.pixel_format().bit_depth() > 8;
    let format = if deep {
        PixelFormat::YUV420P10
    } else {
        PixelFormat::YUV420P
    };
    let scaler = Scaler::new(format, frame.width(), frame.height(), Filter::Bicubic);
    Some(raster(&scaler.expect("a scaler").run(&frame).expect("scaled")))
}

fn decoded(name: &str, number: usize) -> Option<Frame> {
    let file = std::fs::File::open(collection::media(name)?).expect("open");
    let limits = Limits::default();
    let mut demuxer = Demuxer::open(Source::from_file(file, name).expect("size"), &limits).expect("a container");
    let (index, mut decoder) = (0..demuxer.stream_count())
        .filter_map(|index| Some((index, demuxer.stream(index)?)))
        .find_map(|(index, stream)| {
            let parameters = stream
                .parameters()
                .ok()
                .filter(|parameters| parameters.kind() == Kind::Video)?;
            let decoder = Decoder::open(&parameters, stream.time_base(), 1, &limits).ok()?;
            Some((index, decoder))
        })
        .expect("a decoder");
    let mut packet = Packet::new().expect("memory");
    while demuxer.read(&mut packet).expect("readable") {
        if packet.stream_index() != index {
            continue;
        }
        decoder.send(&packet).expect("sent");
        while let Some(frame) = decoder.receive().expect("decoded") {
            if decoder.frames() > number as u64 {
                return Some(frame);
            }
        }
    }
    panic!("{name} has no picture {number}")
}

/// A planar frame as raster.
pub fn raster(frame: &Frame) -> Raster {
    let layout = match frame.pixel_format().without_range().0 {
        PixelFormat::YUV420P => Layout::Yuv420p,
        PixelFormat::YUV420P10 => Layout::Yuv420p10,
        PixelFormat::RGB24 => Layout::Rgb24,
        other => panic!("{other:?}"),
    };
    let mut raster = Raster::new(layout, frame.width(), frame.height());
    for plane in 0..layout.planes() {
        let (row_bytes, _) = layout.plane_size(plane, frame.width(), frame.height());
        for (y, row) in (0..).zip(raster.plane_mut(plane).chunks_exact_mut(row_bytes)) {
            row.copy_from_slice(&frame.row(plane, y).expect("a row")[..row_bytes]);
        }
    }
    raster
}

/// A planar raster as frame.
pub fn frame(raster: &Raster) -> Frame {
    let (width, height) = (raster.width(), raster.height());
    let format = match raster.layout() {
        Layout::Yuv420p => PixelFormat::YUV420P,
        Layout::Yuv420p10 => PixelFormat::YUV420P10,
        other => panic!("{other:?}"),
    };
    let mut frame = Frame::picture(format, width, height).expect("memory");
    for plane in 0..3 {
        let (row_bytes, _) = raster.layout().plane_size(plane, width, height);
        for (y, row) in (0..).zip(raster.plane(plane).chunks_exact(row_bytes)) {
            frame.row_mut(plane, y).expect("a row")[..row_bytes].copy_from_slice(row);
        }
    }
    frame
}
