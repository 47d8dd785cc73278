//! A file decoded by libavcodec and on the device, in the same terms.

use reelmill::media::av::AvError;
use reelmill::media::av::Color;
use reelmill::media::av::Decoder;
use reelmill::media::av::Demuxer;
use reelmill::media::av::Frame;
use reelmill::media::av::Packet;
use reelmill::media::av::Parameters;
use reelmill::media::av::Source;
use reelmill::media::cuda::Gpu;
use reelmill::media::cuda::Layout;
use reelmill::media::cuda::PooledSurface;
use reelmill::media::digest;
use reelmill::media::facts::Ratio;
use reelmill::media::limits::Limits;
use reelmill::media::pass::gpu::decoder::GpuDecoder;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// A picture as both decoders tell of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub pts: Option<i64>,
    pub size: (u32, u32),
    pub is_key: bool,
    /// Which field is first, of those of two moments.
    pub fields: Option<bool>,
    pub repeated_fields: u32,
    pub is_damaged: bool,
    pub color: Color,
    pub aspect: Option<Ratio>,
    /// Of its planes, apart from padding.
    pub digest: String,
}

/// A file's main video stream.
pub struct Film {
    pub demuxer: Demuxer,
    pub stream: usize,
    pub unit: Ratio,
    pub parameters: Parameters,
}

impl Film {
    pub fn open(path: &Path) -> Self {
        let source = Source::from_file(File::open(path).expect("the clip"), "clip").expect("its size");
        let opened = reelmill::media::probe::open(source, &Limits::default()).expect("facts");
        let (stream, _) = opened.facts.main_video().expect("pictures");
        let (stream, unit) = (stream.index, stream.time_base);
        let mut demuxer = opened.demuxer;
        demuxer.keep_only(&[stream]);
        let parameters = demuxer.stream(stream).and_then(|stream| stream.parameters().ok());
        Film {
            demuxer,
            stream,
            unit,
            parameters: parameters.expect("parameters"),
        }
    }

    /// The next packet of the pictures.
    pub fn next(&mut self) -> Option<Packet> {
        loop {
            let mut packet = Packet::new().expect("a packet");
            if !self.demuxer.read(&mut packet).expect("read") {
                return None;
            }
            // What was read ahead before the others were left out still comes.
            if packet.stream_index() == self.stream {
                return Some(packet);
            }
        }
    }

    /// All of them.
    pub fn packets(&mut self) -> Vec<Packet> {
        std::iter::from_fn(|| self.next()).collect()
    }
}

/// What libavcodec makes of packets.
pub fn in_software(film: &Film, packets: &[Packet]) -> Vec<Picture> {
    let mut decoder = Decoder::open(&film.parameters, film.unit, 1, &Limits::default()).expect("a decoder");
    let mut pictures = Vec::new();
    for packet in packets.iter().map(Some).chain([None]) {
        match packet {
            Some(packet) => decoder.send(packet).expect("taken"),
            None => decoder.send_end().expect("ended"),
        }
        while let Some(mut frame) = decoder.receive().expect("decoded") {
            frame.say_range_apart();
            pictures.push(told(&frame, planes_on_host(&frame)));
        }
    }
    pictures
}

/// A decoder on device 0.
pub fn device_decoder(film: &Film) -> GpuDecoder {
    let gpu = Gpu::open(0).expect("the stand-in driver");
    GpuDecoder::open(&gpu, &film.parameters, film.unit, &Limits::default()).expect("a decoder")
}

/// What the device makes of them.
pub fn on_device(decoder: &mut GpuDecoder, packets: &[Packet]) -> Result<Vec<Picture>, AvError> {
    let mut pictures = Vec::new();
    for packet in packets.iter().map(Some).chain([None]) {
        match packet {
            Some(packet) => decoder.send(packet)?,
            None => decoder.send_end()?,
        }
        take(decoder, &mut pictures)?;
    }
    Ok(pictures)
}

/// Takes what is ready.
pub fn take(decoder: &mut GpuDecoder, pictures: &mut Vec<Picture>) -> Result<(), AvError> {
    while let Some(frame) = decoder.receive()? {
        pictures.push(told(&frame, planes_on_device(&frame)));
    }
    Ok(())
}

/// Both, which must say the same of every picture.
pub fn assert_same(device: &[Picture], software: &[Picture]) {
    let times = |pictures: &[Picture]| pictures.iter().map(|picture| picture.pts).collect::<Vec<_>>();
    assert_eq!(times(device), times(software));
    for (number, (device, software)) in device.iter().zip(software).enumerate() {
        assert_eq!(device, software, "picture {number}");
    }
}

fn told(frame: &Frame, planes: Vec<u8>) -> Picture {
    Picture {
        pts: frame.best_pts(),
        size: (frame.width(), frame.height()),
        is_key: frame.is_key(),
        fields: frame.is_interlaced().then(|| frame.is_top_field_first()),
        repeated_fields: frame.repeated_fields(),
        is_damaged: frame.is_damaged(),
        color: frame.color(),
        aspect: frame.sample_aspect_ratio(),
        digest: digest::of_bytes(&planes),
    }
}

/// Luma, Cb, Cr, each row by row; 10 bits in the low bits of two bytes.
fn planes_on_host(frame: &Frame) -> Vec<u8> {
    let (_, down) = frame.pixel_format().chroma_shift();
    let mut bytes = Vec::new();
    for plane in 0..3 {
        let rows = if plane == 0 {
            frame.height()
        } else {
            frame.height().div_ceil(1 << down)
        };
        for y in 0..rows {
            bytes.extend_from_slice(frame.row(plane, y).expect("a row"));
        }
    }
    bytes
}

fn planes_on_device(frame: &Frame) -> Vec<u8> {
    let pixels = frame.device_pixels().expect("pixels on the device");
    let surface: &PooledSurface = pixels.downcast_ref().expect("a pooled surface");
    let fetched = surface.fetch().expect("fetched");
    let (luma, chroma) = (fetched.plane(0).0.to_vec(), fetched.plane(1).0.to_vec());
    match surface.layout() {
        Layout::Nv12 => {
            let half = |odd: usize| chroma.iter().skip(odd).step_by(2).copied().collect::<Vec<_>>();
            [luma, half(0), half(1)].concat()
        }
        Layout::P016 => {
            let low = |bytes: &[u8], from: usize, step: usize| {
                let words = bytes.chunks_exact(2).skip(from).step_by(step);
                words
                    .flat_map(|word| (u16::from_le_bytes([word[0], word[1]]) >> 6).to_le_bytes())
                    .collect::<Vec<_>>()
            };
            [low(&luma, 0, 1), low(&chroma, 0, 2), low(&chroma, 1, 2)].concat()
        }
        other => panic!("a decoder gives no {other:?}"),
    }
}

/// The device of a test.
pub fn gpu() -> Arc<Gpu> {
    Gpu::open(0).expect("the stand-in driver")
}
