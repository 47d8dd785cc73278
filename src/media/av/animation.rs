//! Encoders of short animated pictures: GIF with a palette made for the clip, and WebP, animated or not.
//!
//! Guarantees: frames are asked for one at a time, so a clip is never in memory as a whole (GIF asks for each frame
//! twice: once for the palette, once to draw it). Deliberately absent: where frames come from, proof of the result.

use crate::media::animation_file::webp_repeats_at;
use crate::media::av::AvError;
use crate::media::picture::Picture;
use crate::media::spec::Dither;
use ffmpeg_the_third as ffmpeg;
use std::path::Path;

/// What is being encoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clip {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames.
    pub frames: usize,
    /// Frames a second.
    pub fps: f64,
}

/// Gives a frame of a clip by its number, in the clip's size.
pub type FrameOf<'a> = dyn FnMut(usize) -> Result<Picture, std::io::Error> + 'a;

/// Why an animation could not be encoded.
#[derive(Debug, thiserror::Error)]
pub enum AnimationError {
    /// libav refused.
    #[error("{step}: {cause}")]
    Libav {
        /// What it was asked to do.
        step: &'static str,
        /// Its answer.
        cause: ffmpeg::Error,
    },
    /// libav refused, as our own types tell it.
    #[error("{0}")]
    Av(#[from] AvError),
    /// An encoder or filter is not built in.
    #[error("{0} is not built into this libav")]
    Missing(&'static str),
    /// A frame could not be had.
    #[error("a frame could not be read back: {0}")]
    Frame(#[from] std::io::Error),
    /// The path cannot be handed to libav.
    #[error("the path is not UTF-8")]
    Path,
    /// The encoder gave nothing.
    #[error("the encoder gave no data")]
    Empty,
}

fn step(step: &'static str) -> impl Fn(ffmpeg::Error) -> AnimationError {
    move |cause| AnimationError::Libav { step, cause }
}

/// The colours of a GIF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// How many, 4..=256.
    pub colors: u32,
    /// How those between are imitated.
    pub dither: Dither,
}

/// Writes a GIF that is shown `loops` times, 0: for ever.
pub fn write_gif(
    path: &Path,
    clip: Clip,
    wanted: Palette,
    loops: u32,
    frame_of: &mut FrameOf<'_>,
) -> Result<(), AnimationError> {
    let palette = palette_of(clip, wanted, frame_of)?;
    let mut painter = painter(clip, wanted, &palette)?;

    let codec = ffmpeg::encoder::find(ffmpeg::codec::Id::GIF).ok_or(AnimationError::Missing("the GIF encoder"))?;
    let mut encoder = ffmpeg::codec::Context::new_with_codec(codec)
        .encoder()
        .video()
        .map_err(step("set up the GIF encoder"))?;
    encoder.set_width(clip.width);
    encoder.set_height(clip.height);
    encoder.set_format(ffmpeg::format::Pixel::PAL8);
    encoder.set_time_base((1, 100));
    let mut encoder = encoder.open_as(codec).map_err(step("open the GIF encoder"))?;

    let mut file = ffmpeg::format::output_as(path.to_str().ok_or(AnimationError::Path)?, "gif")
        .map_err(step("create the GIF file"))?;
    file.add_stream(codec)
        .map_err(step("lay out the GIF file"))?
        .copy_parameters_from_context(&encoder);
    let mut options = ffmpeg::Dictionary::new();
    // The muxer counts repetitions, and -1 is none.
    let again = match loops {
        0 => 0,
        1 => -1,
        loops => i64::from(loops) - 1,
    };
    options.set("loop", again.to_string());
    file.write_header_with(options).map_err(step("write the GIF header"))?;
    let time_base = file.stream(0).expect("one stream was added").time_base();

    let last_cs = (time_of(clip.frames, clip.fps, 100) - time_of(clip.frames.saturating_sub(1), clip.fps, 100)).max(1);
    let mut painted = ffmpeg::frame::Video::empty();
    let mut packet = ffmpeg::codec::packet::Packet::empty();
    for number in 0..=clip.frames {
        if number < clip.frames {
            let frame = rgb_frame(&frame_of(number)?, time_of(number, clip.fps, 100));
            painter
                .get("in")
                .expect("the graph has it")
                .source()
                .add(&frame)
                .map_err(step("colour a frame"))?;
        } else {
            painter
                .get("in")
                .expect("the graph has it")
                .source()
                .flush()
                .map_err(step("colour the last frame"))?;
        }
        while painter
            .get("out")
            .expect("the graph has it")
            .sink()
            .frame(&mut painted)
            .is_ok()
        {
            encoder.send_frame(&painted).map_err(step("encode a GIF frame"))?;
            write_packets(&mut encoder, &mut packet, (time_base, last_cs), &mut file)?;
        }
    }
    encoder.send_eof().map_err(step("end the GIF"))?;
    write_packets(&mut encoder, &mut packet, (time_base, last_cs), &mut file)?;
    file.write_trailer().map_err(step("close the GIF file"))
}

fn write_packets(
    encoder: &mut ffmpeg::encoder::Video,
    packet: &mut ffmpeg::codec::packet::Packet,
    (time_base, last_cs): (ffmpeg::Rational, i64),
    file: &mut ffmpeg::format::context::Output,
) -> Result<(), AnimationError> {
    while encoder.receive_packet(packet).is_ok() {
        packet.set_stream(0);
        // Newer muxers take it for the last frame, which no other one ends.
        packet.set_duration(last_cs);
        packet.rescale_ts(ffmpeg::Rational::new(1, 100), time_base);
        packet.write_interleaved(file).map_err(step("write to the GIF file"))?;
    }
    Ok(())
}

/// A WebP picture with loss, as a file's bytes. `quality` is 1..=100.
pub fn encode_webp_still(picture: &Picture, quality: u8) -> Result<Vec<u8>, AnimationError> {
    let codec = ffmpeg::encoder::find_by_name("libwebp").ok_or(AnimationError::Missing("the WebP encoder"))?;
    let mut encoder = ffmpeg::codec::Context::new_with_codec(codec)
        .encoder()
        .video()
        .map_err(step("set up the WebP encoder"))?;
    encoder.set_width(picture.width());
    encoder.set_height(picture.height());
    // The encoder's own way from RGB keeps sharp edges better than a chroma made beforehand.
    encoder.set_format(ffmpeg::format::Pixel::BGRA);
    encoder.set_time_base((1, 1));
    let mut options = ffmpeg::Dictionary::new();
    options.set("lossless", "0");
    options.set("quality", quality.to_string());
    options.set("compression_level", "4");
    let mut encoder = encoder
        .open_as_with(codec, options)
        .map_err(step("open the WebP encoder"))?;
    encoder
        .send_frame(&bgra_frame(picture, 0))
        .map_err(step("encode a WebP picture"))?;
    encoder.send_eof().map_err(step("end the WebP"))?;
    let mut packet = ffmpeg::codec::packet::Packet::empty();
    encoder
        .receive_packet(&mut packet)
        .map_err(step("encode a WebP picture"))?;
    match packet.data() {
        Some(file) if !file.is_empty() => Ok(file.to_vec()),
        _ => Err(AnimationError::Empty),
    }
}

/// An animated WebP that is shown `loops` times (0: for ever), as a file's bytes. `quality` is 1..=100.
pub fn encode_webp(clip: Clip, quality: u8, loops: u32, frame_of: &mut FrameOf<'_>) -> Result<Vec<u8>, AnimationError> {
    let codec =
        ffmpeg::encoder::find_by_name("libwebp_anim").ok_or(AnimationError::Missing("the animated WebP encoder"))?;
    let mut encoder = ffmpeg::codec::Context::new_with_codec(codec)
        .encoder()
        .video()
        .map_err(step("set up the WebP encoder"))?;
    encoder.set_width(clip.width);
    encoder.set_height(clip.height);
    encoder.set_format(ffmpeg::format::Pixel::BGRA);
    encoder.set_time_base((1, 1000));
    let mut options = ffmpeg::Dictionary::new();
    options.set("lossless", "0");
    options.set("quality", quality.to_string());
    options.set("compression_level", "4");
    let mut encoder = encoder
        .open_as_with(codec, options)
        .map_err(step("open the WebP encoder"))?;

    let mut file = Vec::new();
    let mut packet = ffmpeg::codec::packet::Packet::empty();
    for number in 0..=clip.frames {
        if number < clip.frames {
            let frame = bgra_frame(&frame_of(number)?, time_of(number, clip.fps, 1000));
            encoder.send_frame(&frame).map_err(step("encode a WebP frame"))?;
        } else {
            encoder.send_eof().map_err(step("end the WebP"))?;
        }
        // The encoder keeps everything until the end and then gives the whole file, container included.
        while encoder.receive_packet(&mut packet).is_ok() {
            file.extend_from_slice(packet.data().unwrap_or_default());
        }
    }
    if file.is_empty() {
        return Err(AnimationError::Empty);
    }
    // The encoder knows no number of repetitions; the file has a place for it.
    if let Some(at) = webp_repeats_at(&file).filter(|_| loops > 0)
        && let Some(place) = file.get_mut(at..at + 2)
    {
        place.copy_from_slice(&u16::try_from(loops).unwrap_or(u16::MAX).to_le_bytes());
    }
    Ok(file)
}

/// Start of a frame in units of 1/`base` second.
fn time_of(number: usize, fps: f64, base: u32) -> i64 {
    (number as f64 * f64::from(base) / fps).round() as i64
}

/// The colours that serve the whole clip best.
fn palette_of(clip: Clip, wanted: Palette, frame_of: &mut FrameOf<'_>) -> Result<ffmpeg::frame::Video, AnimationError> {
    let mut graph = ffmpeg::filter::Graph::new();
    add_source(&mut graph, "in", "rgb24", clip.width, clip.height)?;
    add_sink(&mut graph)?;
    graph
        .output("in", 0)
        .and_then(|parser| parser.input("out", 0))
        .and_then(|parser| parser.parse(&format!("palettegen=stats_mode=full:max_colors={}", wanted.colors)))
        .map_err(step("set up the palette maker"))?;
    graph.validate().map_err(step("set up the palette maker"))?;
    for number in 0..clip.frames {
        let frame = rgb_frame(&frame_of(number)?, time_of(number, clip.fps, 100));
        graph
            .get("in")
            .expect("the graph has it")
            .source()
            .add(&frame)
            .map_err(step("count colours"))?;
    }
    graph
        .get("in")
        .expect("the graph has it")
        .source()
        .flush()
        .map_err(step("count colours"))?;
    let mut palette = ffmpeg::frame::Video::empty();
    graph
        .get("out")
        .expect("the graph has it")
        .sink()
        .frame(&mut palette)
        .map_err(step("make the palette"))?;
    palette.set_pts(Some(0));
    Ok(palette)
}

/// A graph that turns frames into pictures of that palette.
fn painter(
    clip: Clip,
    wanted: Palette,
    palette: &ffmpeg::frame::Video,
) -> Result<ffmpeg::filter::Graph, AnimationError> {
    let dither = match wanted.dither {
        Dither::Sierra => "sierra2_4a",
        Dither::Bayer => "bayer:bayer_scale=3",
        Dither::None => "none",
    };
    let chain = format!("[in][colours]paletteuse=dither={dither}:diff_mode=rectangle[out]");
    let mut graph = ffmpeg::filter::Graph::new();
    add_source(&mut graph, "in", "rgb24", clip.width, clip.height)?;
    add_source(&mut graph, "colours", "bgra", palette.width(), palette.height())?;
    add_sink(&mut graph)?;
    graph
        .output("in", 0)
        .and_then(|parser| parser.output("colours", 0))
        .and_then(|parser| parser.input("out", 0))
        .and_then(|parser| parser.parse(&chain))
        .map_err(step("set up the palette"))?;
    graph.validate().map_err(step("set up the palette"))?;
    let mut colours = graph.get("colours").expect("the graph has it");
    colours.source().add(palette).map_err(step("hand over the palette"))?;
    let mut colours = graph.get("colours").expect("the graph has it");
    colours.source().flush().map_err(step("hand over the palette"))?;
    Ok(graph)
}

fn add_source(
    graph: &mut ffmpeg::filter::Graph,
    name: &str,
    format: &str,
    width: u32,
    height: u32,
) -> Result<(), AnimationError> {
    let filter = ffmpeg::filter::find("buffer").ok_or(AnimationError::Missing("the buffer filter"))?;
    let arguments = format!("video_size={width}x{height}:pix_fmt={format}:time_base=1/100:pixel_aspect=1/1");
    graph
        .add(&filter, name, &arguments)
        .map_err(step("set up a filter input"))?;
    Ok(())
}

fn add_sink(graph: &mut ffmpeg::filter::Graph) -> Result<(), AnimationError> {
    let filter = ffmpeg::filter::find("buffersink").ok_or(AnimationError::Missing("the buffersink filter"))?;
    graph.add(&filter, "out", "").map_err(step("set up a filter output"))?;
    Ok(())
}

fn rgb_frame(picture: &Picture, pts: i64) -> ffmpeg::frame::Video {
    let mut frame = ffmpeg::frame::Video::new(ffmpeg::format::Pixel::RGB24, picture.width(), picture.height());
    let (stride, row_bytes) = (frame.stride(0), picture.width() as usize * 3);
    for (to, from) in frame
        .data_mut(0)
        .chunks_mut(stride)
        .zip(picture.rgb().chunks_exact(row_bytes))
    {
        to[..row_bytes].copy_from_slice(from);
    }
    frame.set_pts(Some(pts));
    frame
}

fn bgra_frame(picture: &Picture, pts: i64) -> ffmpeg::frame::Video {
    let mut frame = ffmpeg::frame::Video::new(ffmpeg::format::Pixel::BGRA, picture.width(), picture.height());
    let (stride, row_bytes) = (frame.stride(0), picture.width() as usize * 3);
    for (to, from) in frame
        .data_mut(0)
        .chunks_mut(stride)
        .zip(picture.rgb().chunks_exact(row_bytes))
    {
        for (pixel, rgb) in to.chunks_exact_mut(4).zip(from.chunks_exact(3)) {
            pixel.copy_from_slice(&[rgb[2], rgb[1], rgb[0], 255]);
        }
    }
    frame.set_pts(Some(pts));
    frame
}
