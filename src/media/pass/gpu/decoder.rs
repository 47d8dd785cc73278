//! The device's decoder with the manners of [`crate::media::av::Decoder`]: packets in, frames out, on the device.
//!
//! Guarantees: frames come in the same order and with the same time stamps, colours, shapes of pixels and marks as
//! libavcodec's; what the device cannot decode is refused in one sentence. A refusal of the device ends this decoder:
//! somebody else has to decode the source anew. Deliberately absent: joined sources, which change their codec on the way.

use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Frame;
use crate::media::av::Packet;
use crate::media::av::Parameters;
use crate::media::av::color;
use crate::media::av::decode::Decode;
use crate::media::av::frame::Marks;
use crate::media::av::mastering;
use crate::media::cuda::Gpu;
use crate::media::cuda::nvdec::Codec;
use crate::media::cuda::nvdec::CodedPicture;
use crate::media::cuda::nvdec::DecodeSetup;
use crate::media::cuda::nvdec::DecodedPicture;
use crate::media::cuda::nvdec::Nvdec;
use crate::media::cuda::nvdec::Signal;
use crate::media::device_report::DeviceFacts;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::facts::Ratio;
use crate::media::limits::Limits;
use crate::media::pass::gpu::best_time::BestTime;
use crate::media::pass::gpu::packing::Packing;
use crate::media::pass::gpu::refusal::refused;
use std::collections::VecDeque;
use std::sync::Arc;

/// Packets kept back at the beginning while none of them is a key frame: some containers mark none.
const MAX_HELD: usize = 64;
/// Surfaces kept idle: about as many as wait in the queues behind a decoder.
const IDLE_SURFACES: usize = 12;
/// What closed captions begin with.
const CAPTIONS: &[u8] = b"GA94\x03";
/// Bytes of a packet in which they are looked for.
const MOST_BEFORE_PICTURE: usize = 4096;
/// Packets remembered until their pictures come out; deeper than any codec reorders.
const MAX_REMEMBERED: usize = 256;

/// The only colours that VP8 has.
const OF_VP8: Color = Color {
    matrix: color::BT601_625,
    range: color::LIMITED,
    ..Color::UNSPECIFIED
};

/// What is remembered of a packet until its picture comes out.
#[derive(Debug, Clone, Copy)]
struct Sent {
    number: u64,
    is_key: bool,
    is_discard: bool,
}

/// A decoder on the device.
#[derive(Debug)]
pub struct GpuDecoder {
    nvdec: Nvdec,
    codec: Codec,
    packing: Packing,
    which: Decode,
    /// Read before the first key frame; none from it on.
    held: Option<Vec<Packet>>,
    /// Somebody went to another place, and no picture that stands by itself has come since.
    is_astray: bool,
    sent: VecDeque<Sent>,
    times: BestTime,
    /// What the container and the first headers say of all pictures.
    color: Color,
    aspect: Option<Ratio>,
    size: (u32, u32),
    light: HdrMetadata,
    /// What the first sequence said of its colours; where a later one says the same, it means the same.
    first_signal: Option<Signal>,
    frames: u64,
    damaged_frames: u64,
    refused_packets: u64,
    has_captions: bool,
}

impl GpuDecoder {
    /// Why a source is not for this device, in one sentence without its full stop; nothing when it is. `needs_dolby`: its
    /// colours are Dolby's alone.
    pub fn supports(
        parameters: &Parameters,
        is_joined: bool,
        needs_dolby: bool,
        device: &DeviceFacts,
    ) -> Result<(), String> {
        let name = parameters.codec_constant_name();
        let Some(codec) = Codec::named(name) else {
            return Err(format!("NVDEC does not know the codec {name}"));
        };
        if is_joined {
            return Err("several sources are joined, which are decoded in software".to_owned());
        }
        if needs_dolby {
            return Err("its pictures are Dolby Vision without a base layer".to_owned());
        }
        let (format, _) = parameters.pixel_format().without_range();
        let depth = format.bit_depth();
        let words = format.name().unwrap_or_else(|| "an unknown pixel format".to_owned());
        if format.chroma_shift() != (1, 1) || format.is_grey() || format.is_rgb() || !matches!(depth, 8 | 10) {
            return Err(format!(
                "its pictures are {words}, and NVDEC is asked for 4:2:0 of 8 or 10 bits alone"
            ));
        }
        if let Some(why) = unfit_kind(codec, parameters) {
            return Err(why);
        }
        let (width, height) = (parameters.width(), parameters.height());
        // Codecs of macroblocks are measured by what is coded; of the others nobody says how that is rounded.
        let coded = match codec {
            Codec::H264 | Codec::Mpeg1 | Codec::Mpeg2 | Codec::Mpeg4 | Codec::Vc1 | Codec::Jpeg => {
                (width.next_multiple_of(16), height.next_multiple_of(16))
            }
            _ => (width, height),
        };
        let fits = device.can_decode(name, "4:2:0", depth, coded);
        if !fits {
            let known = device
                .decode
                .iter()
                .any(|one| one.codec == name && one.bit_depth == depth);
            return Err(if known {
                format!("{} does not decode {name} of {width}x{height}", device.name)
            } else {
                format!("{} does not decode {name} of {depth} bits", device.name)
            });
        }
        Ok(())
    }

    /// Opens it. `time_base` is that of the packets to come.
    pub fn open(gpu: &Arc<Gpu>, parameters: &Parameters, time_base: Ratio, limits: &Limits) -> Result<Self, AvError> {
        let name = parameters.codec_constant_name();
        let codec = Codec::named(name)
            .ok_or_else(|| AvError::unusable("cuvidCreateDecoder", format!("NVDEC does not know the codec {name}")))?;
        let packing = Packing::open(codec, parameters.duplicate()?, time_base)?;
        let setup = DecodeSetup {
            codec,
            headers: packing.headers(),
            unit: time_base,
            max_pixels: limits.max_pixels,
            idle_surfaces: IDLE_SURFACES,
        };
        Ok(GpuDecoder {
            nvdec: Nvdec::open(gpu, setup).map_err(refused)?,
            codec,
            packing,
            which: Decode::All,
            held: Some(Vec::new()),
            is_astray: false,
            sent: VecDeque::new(),
            times: BestTime::new(usize::try_from(parameters.video_delay()).unwrap_or(0)),
            color: parameters.color(),
            aspect: parameters.sample_aspect_ratio(),
            size: (parameters.width(), parameters.height()),
            light: HdrMetadata::default(),
            first_signal: None,
            frames: 0,
            damaged_frames: 0,
            refused_packets: 0,
            has_captions: false,
        })
    }

    /// Says for which light the pictures were graded; the device's parser does not tell.
    pub fn set_light(&mut self, light: HdrMetadata) {
        self.light = light;
    }

    /// Which frames to decode from the next packet on. Those that no other frame needs are decoded all the same: only the
    /// parser knows them.
    pub fn decode_only(&mut self, which: Decode) {
        self.which = which;
    }

    /// Gives it a packet. A packet that cannot be decoded is counted and passed over.
    ///
    /// # Errors
    /// [`AvError::is_device`]: nothing more is to be had of this decoder, and software must begin anew.
    pub fn send(&mut self, packet: &Packet) -> Result<(), AvError> {
        if self.which == Decode::Keys && !packet.is_key() || packet.size_bytes() == 0 {
            return Ok(());
        }
        self.has_captions = self.has_captions || holds_captions(packet.data());
        if let Some(extradata) = packet.new_extradata() {
            self.packing.change(extradata)?;
            self.nvdec.set_headers(self.packing.headers());
        }
        self.hold_or_pack(packet)
    }

    /// What comes before the first key frame needs pictures that nobody has: libavcodec shows none of it, a device might.
    fn hold_or_pack(&mut self, packet: &Packet) -> Result<(), AvError> {
        if let Some(held) = self.held.as_mut().filter(|_| !packet.is_key()) {
            held.push(packet.share()?);
            return if held.len() < MAX_HELD {
                Ok(())
            } else {
                self.pack_held()
            };
        }
        self.held = None;
        self.pack(Some(packet))
    }

    /// No packet is marked as a key frame, so that the parser has to find one.
    fn pack_held(&mut self) -> Result<(), AvError> {
        for packet in self.held.take().unwrap_or_default() {
            self.pack(Some(&packet))?;
        }
        Ok(())
    }

    /// No more packets: the frames still inside come out.
    pub fn send_end(&mut self) -> Result<(), AvError> {
        self.pack_held()?;
        self.pack(None)?;
        self.nvdec.send_end().map_err(refused)
    }

    fn pack(&mut self, packet: Option<&Packet>) -> Result<(), AvError> {
        let mut packets = Vec::new();
        self.refused_packets += self.packing.run(packet, &mut packets)?;
        for packet in &packets {
            let bytes = self.packing.bytes(packet);
            self.times.give(packet.dts());
            let coded = CodedPicture {
                bytes: &bytes,
                pts: packet.pts(),
                is_key: packet.is_key(),
            };
            let number = self.nvdec.send(&coded).map_err(refused)?;
            self.sent.push_back(Sent {
                number,
                is_key: packet.is_key(),
                is_discard: packet.is_discard(),
            });
            if self.sent.len() > MAX_REMEMBERED {
                self.sent.pop_front();
            }
        }
        Ok(())
    }

    /// The next frame; none when it wants a packet first, or after the end.
    pub fn receive(&mut self) -> Result<Option<Frame>, AvError> {
        while let Some(picture) = self.nvdec.receive() {
            let sent = self.packet_of(&picture);
            let pts = self.times.of(picture.pts);
            // What lies before the start of an edit list is decoded and never shown.
            let is_discard = sent.is_some_and(|sent| sent.is_discard);
            // An index may call key frames what are none, and what leans over one needs pictures from before it.
            // libavcodec shows none of them; a device makes up what it lacks, and says so or not.
            self.is_astray &= !picture.stands_alone;
            if is_discard || self.is_astray {
                continue;
            }
            let is_key = sent.map_or(picture.is_intra, |sent| sent.is_key);
            let frame = self.frame_of(picture, pts, is_key)?;
            self.frames += 1;
            self.damaged_frames += u64::from(frame.is_damaged());
            return Ok(Some(frame));
        }
        Ok(None)
    }

    /// Forgets everything, after a seek or to decode again after the end.
    pub fn flush(&mut self) {
        // Who goes to another place goes to a key frame.
        self.held = None;
        self.is_astray = true;
        self.packing.flush();
        self.nvdec.flush();
        self.sent.clear();
        self.times.flush();
    }

    /// Frames that came out.
    pub fn frames(&self) -> u64 {
        self.frames
    }
    /// Of these, with errors, concealed or not.
    pub fn damaged_frames(&self) -> u64 {
        self.damaged_frames
    }
    /// Packets that gave nothing.
    pub fn refused_packets(&self) -> u64 {
        self.refused_packets + self.nvdec.refused_packets()
    }
    /// There are closed captions in what was given to it, which a device does not hand on.
    pub fn has_captions(&self) -> bool {
        self.has_captions
    }
    /// Times the device's decoder was rebuilt in the middle.
    pub fn rebuilds(&self) -> u64 {
        self.nvdec.rebuilds()
    }

    /// The packet that a picture began in.
    fn packet_of(&mut self, picture: &DecodedPicture) -> Option<Sent> {
        let number = picture.packet?;
        let at = self.sent.iter().position(|sent| sent.number == number)?;
        self.sent.remove(at)
    }

    fn frame_of(&mut self, picture: DecodedPicture, pts: Option<i64>, is_key: bool) -> Result<Frame, AvError> {
        let (width, height) = (picture.surface.width(), picture.surface.height());
        let color = self.color_of(picture.signal);
        let marks = Marks {
            is_key,
            is_interlaced: picture.is_interlaced,
            is_top_first: picture.is_top_first,
            repeated_fields: picture.repeated_fields,
            is_damaged: picture.is_damaged,
        };
        let aspect = self.aspect_of(picture.aspect, (width, height));
        let mut frame = Frame::on_device(Arc::new(picture.surface), width, height)?;
        frame.set_decoded_pts(pts);
        frame.set_color(color);
        frame.set_marks(marks);
        if let Some(aspect) = aspect {
            frame.set_sample_aspect_ratio(aspect);
        }
        if !self.light.is_empty() && color.is_hdr() {
            mastering::write_to_frame(&mut frame, &self.light)?;
        }
        Ok(frame)
    }

    /// What the numbers mean: what was found out when the source was opened, until the stream says something new.
    fn color_of(&mut self, signal: Signal) -> Color {
        let first = *self.first_signal.get_or_insert(signal);
        let said = match self.codec {
            Codec::Vp8 => OF_VP8,
            codec if codec.states_colour() => color_said(signal),
            _ => Color::UNSPECIFIED,
        };
        if first == signal {
            completed(self.color, said)
        } else {
            completed(said, self.color_beside(first))
        }
    }

    /// What the container says beyond the first header.
    fn color_beside(&self, first: Signal) -> Color {
        if color_said(first) == Color::UNSPECIFIED {
            self.color
        } else {
            Color::UNSPECIFIED
        }
    }

    /// The container's exact fraction where the header's is the same but for its rounding.
    fn aspect_of(&self, said: Option<Ratio>, size: (u32, u32)) -> Option<Ratio> {
        let known = self.aspect.filter(|_| size == self.size);
        match (said, known) {
            (Some(said), Some(known)) if (said.value() / known.value() - 1.0).abs() < 0.02 => Some(known),
            (None, Some(known)) => Some(known),
            (said, _) => said,
        }
    }
}

/// Kinds of a codec's streams that its decoders on devices leave out.
fn unfit_kind(codec: Codec, parameters: &Parameters) -> Option<String> {
    let profile = parameters.profile_name().unwrap_or_default();
    match (codec, profile.as_str()) {
        (Codec::H264, "Extended" | "CAVLC 4:4:4") | (Codec::Mpeg4, "Simple Studio Profile" | "Core Studio Profile") => {
            Some(format!(
                "NVDEC does not decode {} of the profile {profile}",
                codec.name()
            ))
        }
        (Codec::Jpeg, _) if !matches!(parameters.field_order(), "progressive" | "unknown") => {
            Some("its JPEG pictures hold one field each".to_owned())
        }
        _ => None,
    }
}

/// Whether a packet begins with closed captions: ATSC A/53 part 4, 6.2, user data of type 3. They stand before the picture.
fn holds_captions(packet: &[u8]) -> bool {
    let before = &packet[..packet.len().min(MOST_BEFORE_PICTURE)];
    before.windows(CAPTIONS.len()).any(|bytes| bytes == CAPTIONS)
}

fn color_said(signal: Signal) -> Color {
    // 0 is reserved in two of the lists, and RGB in the third, which no 4:2:0 picture is.
    let said = |point: u8| {
        if point == 0 {
            color::UNSPECIFIED
        } else {
            i32::from(point)
        }
    };
    Color {
        primaries: said(signal.primaries),
        transfer: said(signal.transfer),
        matrix: said(signal.matrix),
        // A parser that does not know says "limited" as well.
        range: if signal.is_full_range { color::FULL } else { 0 },
    }
}

/// What `one` leaves open, as `other` says it.
fn completed(one: Color, other: Color) -> Color {
    let or = |one: i32, other: i32| if one == color::UNSPECIFIED { other } else { one };
    Color {
        primaries: or(one.primaries, other.primaries),
        transfer: or(one.transfer, other.transfer),
        matrix: or(one.matrix, other.matrix),
        range: if one.range == 0 { other.range } else { one.range },
    }
}

#[cfg(test)]
mod tests {
    use super::GpuDecoder;
    use super::color_said;
    use super::completed;
    use crate::media::av::Color;
    use crate::media::av::Parameters;
    use crate::media::av::PixelFormat;
    use crate::media::av::color;
    use crate::media::cuda::nvdec::Signal;
    use crate::media::device_report::DecodeAbility;
    use crate::media::device_report::DeviceFacts;

    fn source(codec: &str, format: PixelFormat, size: (u32, u32)) -> Parameters {
        let mut parameters = Parameters::of_video(codec).expect("known");
        parameters.set_picture(format, size.0, size.1);
        parameters
    }

    fn device() -> DeviceFacts {
        let ability = |codec: &str, bit_depth: u32| DecodeAbility {
            codec: codec.to_owned(),
            chroma: "4:2:0".to_owned(),
            bit_depth,
            min_width: 48,
            min_height: 16,
            max_width: 4096,
            max_height: 4096,
            max_macroblocks: 65_536,
            engines: 1,
        };
        DeviceFacts {
            name: "Card".to_owned(),
            decode: vec![ability("h264", 8), ability("hevc", 8), ability("hevc", 10)],
            ..DeviceFacts::default()
        }
    }

    #[test]
    fn what_is_not_for_a_device_is_said_in_one_sentence() {
        let why = |codec: &str, format: PixelFormat, size: (u32, u32)| {
            GpuDecoder::supports(&source(codec, format, size), false, false, &device()).err()
        };
        let film = (1920, 1080);
        assert_eq!(why("h264", PixelFormat::YUV420P, film), None);
        assert_eq!(why("hevc", PixelFormat::YUV420P10, film), None);
        let wrong = [
            (why("prores", PixelFormat::YUV422P10, film), "the codec prores"),
            (why("h264", PixelFormat::YUV422P, film), "yuv422p"),
            (why("h264", PixelFormat::NONE, film), "unknown pixel format"),
            (why("h264", PixelFormat::YUV420P10, film), "h264 of 10 bits"),
            (why("av1", PixelFormat::YUV420P, film), "av1 of 8 bits"),
            (why("hevc", PixelFormat::YUV420P, (8192, 4320)), "hevc of 8192x4320"),
            (why("hevc", PixelFormat::YUV420P, (32, 32)), "hevc of 32x32"),
        ];
        for (why, words) in wrong {
            let why = why.expect(words);
            assert!(
                why.contains(words) && !why.contains('\n') && !why.ends_with('.'),
                "{why}"
            );
        }
        let good = source("h264", PixelFormat::YUV420P, film);
        assert!(GpuDecoder::supports(&good, true, false, &device()).is_err_and(|why| why.contains("joined")));
        assert!(GpuDecoder::supports(&good, false, true, &device()).is_err_and(|why| why.contains("Dolby")));
    }

    #[test]
    fn what_a_header_leaves_open_stays_open() {
        let silent = Signal {
            primaries: 2,
            transfer: 0,
            matrix: 2,
            is_full_range: false,
        };
        assert_eq!(color_said(silent), Color::UNSPECIFIED);
        let pq = Signal {
            primaries: 9,
            transfer: 16,
            matrix: 9,
            is_full_range: true,
        };
        assert!(color_said(pq).is_hdr());
        assert_eq!(color_said(pq).range, color::FULL);
        assert_eq!(completed(color_said(silent), Color::BT709), Color::BT709);
        assert_eq!(completed(Color::BT709, color_said(pq)), Color::BT709);
    }
}
