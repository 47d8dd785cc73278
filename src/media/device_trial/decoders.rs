//! Clips of every codec, decoded by the device and by libavcodec.
//!
//! Guarantees: pictures are compared one by one, with their time stamps; codecs whose standard leaves no choice must come
//! out bit by bit, the others nearly. Deliberately absent: damaged streams.

use crate::media::av::AvError;
use crate::media::av::Decoder;
use crate::media::av::Frame;
use crate::media::av::Packet;
use crate::media::av::Parameters;
use crate::media::av::Source;
use crate::media::av::inventory;
use crate::media::cuda::Gpu;
use crate::media::cuda::capabilities;
use crate::media::device_report::DeviceFacts;
use crate::media::device_trial::Line;
use crate::media::device_trial::Verdict;
use crate::media::device_trial::clips;
use crate::media::device_trial::clips::Kind;
use crate::media::device_trial::likeness::Likeness;
use crate::media::facts::Ratio;
use crate::media::limits::Limits;
use crate::media::pass::gpu::decoder::GpuDecoder;
use crate::media::pass::gpu::transfer::Downloads;
use crate::media::probe;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// Codecs whose standard says every bit of a picture.
const EXACT: [&str; 4] = ["h264", "hevc", "av1", "vp9"];
/// How like the others must be: their standards bound the error of the transform only.
const NEARLY_DB: f64 = 40.0;

/// The pictures of a file, packed.
pub struct Film {
    /// How they are coded.
    pub parameters: Parameters,
    /// Unit of their time stamps.
    pub unit: Ratio,
    /// All packets, in order.
    pub packets: Vec<Packet>,
}

impl Film {
    /// Reads a file.
    ///
    /// # Errors
    /// In one sentence.
    pub fn read(path: &Path) -> Result<Self, String> {
        let words = |error: AvError| error.to_string();
        let file = File::open(path).map_err(|error| error.to_string())?;
        let source = Source::from_file(file, "clip").map_err(|error| error.to_string())?;
        let opened = probe::open(source, &Limits::default()).map_err(|fault| fault.to_string())?;
        let (stream, _) = opened.facts.main_video().ok_or("it has no pictures")?;
        let (index, unit) = (stream.index, stream.time_base);
        let mut demuxer = opened.demuxer;
        demuxer.keep_only(&[index]);
        let stream = demuxer.stream(index).ok_or("its stream is gone")?;
        let parameters = stream.parameters().map_err(words)?;
        let mut packets = Vec::new();
        loop {
            let mut packet = Packet::new().map_err(words)?;
            if !demuxer.read(&mut packet).map_err(words)? {
                break;
            }
            packets.push(packet);
        }
        Ok(Film {
            parameters,
            unit,
            packets,
        })
    }
}

/// Tries all of them.
pub fn run(gpu: &Arc<Gpu>, folder: &Path, tell: &mut dyn FnMut(Line)) {
    let facts = capabilities::of(gpu);
    for kind in &clips::KINDS {
        let name = format!("{} {} bit", kind.codec, kind.bit_depth);
        let path = folder.join(format!("{}-{}.clip", kind.codec, kind.bit_depth));
        let line = one(gpu, &facts, kind, &path);
        let _ = std::fs::remove_file(&path);
        tell(line.unwrap_or_else(|(verdict, why)| Line::new(name.as_str(), verdict, why)));
    }
    let made = |codec: &str| clips::KINDS.iter().any(|kind| kind.codec == codec);
    let mut untried: Vec<&str> = facts.decode.iter().map(|one| one.codec.as_str()).collect();
    untried.retain(|codec| !made(codec));
    untried.dedup();
    for codec in untried {
        tell(Line::new(
            codec,
            Verdict::LeftOut,
            "the device takes it, and nothing here makes it",
        ));
    }
}

fn one(gpu: &Arc<Gpu>, facts: &DeviceFacts, kind: &Kind, path: &Path) -> Result<Line, (Verdict, String)> {
    let left_out = |why: String| (Verdict::LeftOut, why);
    let failed = |why: String| (Verdict::Failed, why);
    if !facts.can_decode(kind.codec, "4:2:0", kind.bit_depth, clips::SIZE) {
        return Err(left_out("the device does not take it".to_owned()));
    }
    if !inventory::has_encoder(kind.encoder) {
        return Err(left_out(format!(
            "this build has no {} to make a clip with",
            kind.encoder
        )));
    }
    clips::write(kind, path).map_err(|error| left_out(format!("no clip could be made: {error}")))?;
    let film = Film::read(path).map_err(failed)?;
    GpuDecoder::supports(&film.parameters, false, false, facts).map_err(left_out)?;
    let wanted = in_software(&film).map_err(|error| failed(format!("libavcodec: {error}")))?;
    let made = on_device(gpu, &film).map_err(|error| failed(error.to_string()))?;
    if wanted.len() != made.len() {
        return Err(failed(format!("{} pictures instead of {}", made.len(), wanted.len())));
    }
    let mut likeness = Likeness::default();
    for (number, (wanted, made)) in wanted.iter().zip(&made).enumerate() {
        if wanted.best_pts() != made.best_pts() {
            let (right, wrong) = (wanted.best_pts(), made.best_pts());
            return Err(failed(format!("picture {number} is at {wrong:?} instead of {right:?}")));
        }
        likeness.add_frames(wanted, made).map_err(failed)?;
    }
    let is_well = if EXACT.contains(&kind.codec) {
        likeness.most == 0
    } else {
        likeness.psnr_db() >= NEARLY_DB
    };
    let verdict = if is_well { Verdict::Passed } else { Verdict::Failed };
    let name = format!("{} {} bit", kind.codec, kind.bit_depth);
    let said = format!("{} pictures against libavcodec: {}", made.len(), likeness.words());
    Ok(Line::new(name, verdict, said).with("psnr_db", likeness.psnr_db()))
}

fn in_software(film: &Film) -> Result<Vec<Frame>, AvError> {
    let mut decoder = Decoder::open(&film.parameters, film.unit, 4, &Limits::default())?;
    let mut frames = Vec::new();
    for packet in film.packets.iter().map(Some).chain([None]) {
        match packet {
            Some(packet) => decoder.send(packet)?,
            None => decoder.send_end()?,
        }
        while let Some(frame) = decoder.receive()? {
            frames.push(frame);
        }
    }
    Ok(frames)
}

fn on_device(gpu: &Arc<Gpu>, film: &Film) -> Result<Vec<Frame>, AvError> {
    let mut decoder = GpuDecoder::open(gpu, &film.parameters, film.unit, &Limits::default())?;
    let mut downloads = Downloads::default();
    let mut frames = Vec::new();
    for packet in film.packets.iter().map(Some).chain([None]) {
        match packet {
            Some(packet) => decoder.send(packet)?,
            None => decoder.send_end()?,
        }
        while let Some(frame) = decoder.receive()? {
            frames.push(downloads.take(&frame)?);
        }
    }
    Ok(frames)
}
