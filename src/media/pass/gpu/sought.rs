//! Pictures that are sought one by one, their frames decoded on the device where that is demanded.
//!
//! Guarantees: only what has to be decoded is, as in software; of what the device shows only the finished image comes down
//! from it, and what no launch can bring to one (fields, other matrices) comes down as it is. Deliberately absent: policy
//! `auto`, for which software seeks them: a few key frames are decoded before a device is opened. Putting together.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::av::Packet;
use crate::media::av::decode::Decode;
use crate::media::av::mastering;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::error;
use crate::media::frame_decoder::Elsewhere;
use crate::media::frame_decoder::FrameDecoder;
use crate::media::grading;
use crate::media::pass::PassOrder;
use crate::media::pass::glance;
use crate::media::pass::glance::Looking;
use crate::media::pass::gpu::decoder::GpuDecoder;
use crate::media::pass::gpu::hardware::Device;
use crate::media::pass::gpu::hardware::Hardware;
use crate::media::pass::gpu::mode::Mode;
use crate::media::pass::gpu::sight::Sight;
use crate::media::pass::gpu::transfer::Downloads;
use crate::media::probe::Opened;
use crate::media::software::orientation::Turn;
use crate::media::spec::Backend;
use std::sync::Arc;

/// What facts call pictures that are not HDR.
const SDR: &str = "sdr";
/// Why a demanded device does not do all of it.
const IN_PART: &str = "single pictures are compressed and put together in software";

/// The device that decodes pictures which are sought in a source, and what is told of it; none: software does. The fault
/// is for a policy that demands a device where there is none. `is_row`: several files are read as one.
pub fn choose(hardware: &Hardware, opened: &Opened, is_row: bool) -> Result<Option<Arc<Device>>, Fault> {
    if hardware.policy() != Backend::Gpu {
        hardware.works_in(Mode::Software, None);
        return Ok(None);
    }
    let device = match hardware.device(opened.demuxer.name())? {
        Ok(device) => device,
        Err(reason) => {
            hardware.works_in(Mode::Software, reason);
            return Ok(None);
        }
    };
    let main = opened.facts.main_video();
    let stream = main.and_then(|(stream, _)| opened.demuxer.stream(stream.index));
    let fits = match stream.map(|stream| stream.parameters()) {
        Some(Ok(parameters)) => GpuDecoder::supports(&parameters, is_row, false, &device.facts),
        _ => Err("its pictures are not described".to_owned()),
    };
    Ok(match fits {
        Ok(()) => {
            hardware.works_in(Mode::DecodeAndScale, Some(IN_PART.to_owned()));
            Some(device)
        }
        Err(why) => {
            hardware.works_in(Mode::Software, Some(why));
            None
        }
    })
}

/// Opens decoders on a device for what stands in a source, of which the first pictures are looked at where they say for
/// which light they were graded: the device's parser does not tell.
pub fn elsewhere(
    device: Arc<Device>,
    opened: &mut Opened,
    order: &PassOrder,
) -> Result<Box<Elsewhere<'static>>, Fault> {
    let mut facts = opened.facts.clone();
    let is_hdr = facts.main_video().is_some_and(|(_, video)| video.hdr != SDR);
    let light = if is_hdr {
        let glance = glance::look(
            &mut opened.demuxer,
            &mut facts,
            &order.limits,
            order.threads,
            Looking::default(),
        );
        let refused = |refusal| error::source_refused("open the decoder", opened.demuxer.name(), &refusal);
        glance.map_err(refused)?.metadata
    } else {
        HdrMetadata::default()
    };
    let main = facts.main_video();
    let turn = main.map_or(Turn::default(), |(_, video)| Turn {
        rotation_degrees: video.rotation_degrees % 360,
        mirrored: video.mirrored,
    });
    Ok(Box::new(move |parameters, unit, limits| {
        let mut decoder = GpuDecoder::open(&device.gpu, parameters, unit, limits)?;
        decoder.set_light(light);
        Ok(Box::new(Fetching {
            decoder,
            device: Arc::clone(&device),
            turn,
            downloads: Downloads::default(),
        }))
    }))
}

/// A decoder on the device whose frames are shown there, or fetched where that cannot be.
#[derive(Debug)]
struct Fetching {
    decoder: GpuDecoder,
    device: Arc<Device>,
    turn: Turn,
    downloads: Downloads,
}

impl Fetching {
    fn shown(&mut self, frame: &Frame) -> Result<Frame, AvError> {
        let format = frame.pixel_format();
        let (width, height) = (frame.width(), frame.height());
        let color = grading::completed(frame.color(), format, width, height);
        let colors = (color, grading::sdr_of(color, width, height));
        let peak_nits = mastering::of_frame(frame).peak_nits();
        let sight = match frame.is_interlaced() {
            true => None,
            false => Sight::of_frame(&self.device, frame, colors, self.turn, peak_nits)?,
        };
        sight.map_or_else(|| self.downloads.take(frame), Ok)
    }
}

impl FrameDecoder for Fetching {
    fn decode_only(&mut self, which: Decode) {
        self.decoder.decode_only(which);
    }
    fn send(&mut self, packet: &Packet) -> Result<(), AvError> {
        self.decoder.send(packet)
    }
    fn send_end(&mut self) -> Result<(), AvError> {
        self.decoder.send_end()
    }
    fn receive(&mut self) -> Result<Option<Frame>, AvError> {
        let frame = self.decoder.receive()?;
        frame.map(|frame| self.shown(&frame)).transpose()
    }
    fn flush(&mut self) {
        self.decoder.flush();
    }
    fn frames(&self) -> u64 {
        self.decoder.frames()
    }
    fn damaged_frames(&self) -> u64 {
        self.decoder.damaged_frames()
    }
    fn refused_packets(&self) -> u64 {
        self.decoder.refused_packets()
    }
}
