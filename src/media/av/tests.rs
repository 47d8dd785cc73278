//! The wrappers together, on pictures and sound made here: encode, mux, demux, decode, scale, filter.

use crate::media::av::Color;
use crate::media::av::Decoder;
use crate::media::av::Demuxer;
use crate::media::av::Dict;
use crate::media::av::Encoder;
use crate::media::av::Frame;
use crate::media::av::Graph;
use crate::media::av::Muxer;
use crate::media::av::PackedRgb;
use crate::media::av::Packet;
use crate::media::av::PixelFormat;
use crate::media::av::Scaler;
use crate::media::av::Source;
use crate::media::av::decode::Decode;
use crate::media::av::encode::VideoSetup;
use crate::media::av::filter::GraphInput;
use crate::media::av::scale::Filter;
use crate::media::facts::Ratio;
use crate::media::limits::Limits;
use std::fs::File;
use std::path::Path;

const TICK: Ratio = Ratio { num: 1, den: 12_800 };

fn grey(width: u32, height: u32, luma: u8, pts: i64) -> Frame {
    let mut frame = Frame::picture(PixelFormat::YUV420P, width, height).expect("memory");
    for plane in 0..3 {
        let mut y = 0;
        while let Some(row) = frame.row_mut(plane, y) {
            row.fill(if plane == 0 { luma } else { 128 });
            y += 1;
        }
    }
    frame.set_pts(pts);
    frame.set_color(Color::BT709);
    frame
}

fn write_clip(path: &Path, frames: i64) {
    let setup = VideoSetup {
        encoder: "libx264",
        width: 320,
        height: 180,
        format: PixelFormat::YUV420P,
        time_base: TICK,
        frame_rate: Ratio { num: 25, den: 1 },
        color: Color::BT709,
        threads: 1,
        gop_frames: 25,
        bframes: Some(2),
        usual_duration: None,
    };
    let mut options = Dict::new();
    options.set("preset", "ultrafast").expect("option");
    let mut encoder = Encoder::video(&setup, options).expect("x264");
    let mut muxer = Muxer::to_file("mp4", path).expect("file");
    let stream = muxer
        .add_stream(&encoder.parameters().expect("parameters"), TICK)
        .expect("stream");
    muxer.begin(Dict::new()).expect("header");
    let unit = muxer.time_base(stream).expect("stream");
    let mut drain = |encoder: &mut Encoder| {
        while let Some(mut packet) = encoder.receive().expect("encode") {
            assert_eq!(packet.duration(), 512);
            packet.set_stream_index(stream);
            packet.rescale(TICK, unit);
            muxer.write_interleaved(&mut packet).expect("write");
        }
    };
    for number in 0..frames {
        encoder
            .send(&grey(320, 180, 16 + (number as u8 % 200), number * 512), 512)
            .expect("send");
        drain(&mut encoder);
    }
    encoder.send_end().expect("end");
    drain(&mut encoder);
    muxer.finish().expect("finish");
}

#[test]
fn what_is_encoded_comes_back() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("clip.mp4");
    write_clip(&path, 60);

    let source = Source::from_file(File::open(&path).expect("file"), "clip.mp4").expect("size");
    let watch = source.watch();
    let mut demuxer = Demuxer::open(source, &Limits::default()).expect("open");
    let stream = demuxer.stream(0).expect("stream");
    let (parameters, unit) = (stream.parameters().expect("parameters"), stream.time_base());
    assert_eq!(parameters.codec_name(), "h264");
    assert_eq!(parameters.color(), Color::BT709);
    assert_eq!(stream.frame_count(), Some(60));
    assert_eq!(stream.index_len(), 60);
    let mut decoder = Decoder::open(&parameters, unit, 2, &Limits::default()).expect("decoder");
    let mut packet = Packet::new().expect("memory");
    let mut times = Vec::new();
    while demuxer.read(&mut packet).expect("read") {
        decoder.send(&packet).expect("send");
        while let Some(frame) = decoder.receive().expect("receive") {
            times.push(frame.best_pts().expect("time"));
        }
    }
    decoder.send_end().expect("end");
    while let Some(frame) = decoder.receive().expect("receive") {
        times.push(frame.best_pts().expect("time"));
    }
    assert_eq!(times, (0..60).map(|n| n * 512).collect::<Vec<_>>());
    assert!(watch.read_bytes() > 0);

    demuxer.seek(0, 30 * 512).expect("seek");
    decoder.flush();
    decoder.decode_only(Decode::Keys);
    assert!(demuxer.read(&mut packet).expect("read"));
    assert!(packet.is_key());
    assert_eq!(packet.pts(), Some(25 * 512), "the key frame at or before the time");
}

#[test]
fn scaling_to_rgb_honours_matrix_and_range() {
    let mut scaler = Scaler::new(PixelFormat::RGB24, 40, 20, Filter::Area).expect("scaler");
    let white = scaler.run(&grey(320, 180, 235, 7)).expect("scale");
    assert_eq!((white.width(), white.height(), white.pts()), (40, 20, Some(7)));
    assert_eq!(white.row(0, 19).expect("row").len(), 120);
    assert!(white.row(0, 20).is_none());
    assert!(white.row(0, 0).expect("row").iter().all(|value| *value >= 254));
    let mut full = grey(320, 180, 235, 0);
    full.set_color(Color {
        range: 2,
        ..Color::BT709
    });
    let pale = scaler.run(&full).expect("scale");
    assert!(
        pale.row(0, 0)
            .expect("row")
            .iter()
            .all(|value| (234..=236).contains(value))
    );
}

/// A picture in which no two samples that lie beside one another are alike.
fn motley(format: PixelFormat, width: u32, height: u32) -> Frame {
    let mut frame = Frame::picture(format, width, height).expect("memory");
    for plane in 0..3 {
        let mut y = 0;
        while let Some(row) = frame.row_mut(plane, y) {
            for (x, value) in (0..).zip(row.iter_mut()) {
                *value = (x * 37 + y * 91 + plane as u32 * 53) as u8;
            }
            y += 1;
        }
    }
    frame.set_color(Color::BT709);
    frame
}

#[test]
fn packed_rgb_is_what_scaling_straight_to_it_gives() {
    let sizes = [
        (162, 90, Filter::Bicubic),
        (200, 111, Filter::Bicubic),
        (61, 35, Filter::Bicubic),
        (61, 35, Filter::Area),
        (16, 9, Filter::Area),
    ];
    for format in [PixelFormat::YUV420P, PixelFormat::YUV422P, PixelFormat::RGB24] {
        let frame = motley(format, 162, 90);
        for (width, height, filter) in sizes {
            let packed = PackedRgb::new(width, height, filter).run(&frame).expect("scaled");
            let mut scaler = Scaler::new(PixelFormat::RGB24, width, height, filter).expect("scaler");
            let straight = scaler.run(&frame).expect("scaled");
            let rows = packed.chunks_exact(width as usize * 3);
            assert_eq!(rows.len(), height as usize, "{format:?} {width}x{height}");
            for (y, row) in (0..).zip(rows) {
                let is_same = straight.row(0, y) == Some(row);
                assert!(is_same, "{format:?} {width}x{height} {filter:?}, row {y}");
            }
        }
    }
}

#[test]
fn a_picture_that_fits_is_shared_and_then_read_only() {
    let mut scaler = Scaler::new(PixelFormat::YUV420P, 320, 180, Filter::Bicubic).expect("scaler");
    let mut frame = grey(320, 180, 99, 0);
    let mut same = scaler.run(&frame).expect("scale");
    assert_eq!(same.row(0, 0).map(<[u8]>::as_ptr), frame.row(0, 0).map(<[u8]>::as_ptr));
    assert!(same.row_mut(0, 0).is_none());
    drop(same);
    assert!(frame.row_mut(0, 0).is_some());
}

#[test]
fn a_graph_turns_pictures() {
    let input = GraphInput {
        width: 320,
        height: 180,
        format: PixelFormat::YUV420P,
        time_base: TICK,
        sample_aspect_ratio: Ratio { num: 1, den: 1 },
    };
    let mut graph = Graph::open(&input, "transpose=clock", 1).expect("graph");
    graph.push(Some(&grey(320, 180, 50, 3))).expect("push");
    let turned = graph.pull().expect("pull").expect("a frame");
    assert_eq!((turned.width(), turned.height(), turned.pts()), (180, 320, Some(3)));
    assert!(graph.pull().expect("pull").is_none());
}

#[test]
fn text_is_no_media() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("notes.mp4");
    std::fs::write(&path, "a plain text\n".repeat(500)).expect("write");
    let source = Source::from_file(File::open(&path).expect("file"), "notes.mp4").expect("size");
    let error = Demuxer::open(source, &Limits::default()).expect_err("no media");
    assert!(error.is_invalid_data(), "{error}");
}
