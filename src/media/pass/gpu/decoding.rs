//! Who decodes the pictures of a pass: libavcodec or the device, with the same calls.

use crate::media::av::AvError;
use crate::media::av::Decoder;
use crate::media::av::Frame;
use crate::media::av::Packet;
use crate::media::pass::gpu::decoder::GpuDecoder;

/// A decoder of either kind.
#[derive(Debug)]
pub enum PictureDecoder {
    /// In software: pictures come out on the host.
    Host(Box<Decoder>),
    /// NVDEC: they come out on the device.
    Device(Box<GpuDecoder>),
}

impl PictureDecoder {
    /// Gives it a packet; one that cannot be decoded is counted and passed over.
    pub fn send(&mut self, packet: &Packet) -> Result<(), AvError> {
        match self {
            PictureDecoder::Host(decoder) => decoder.send(packet),
            PictureDecoder::Device(decoder) => decoder.send(packet),
        }
    }

    /// No more packets: the pictures still inside come out.
    pub fn send_end(&mut self) -> Result<(), AvError> {
        match self {
            PictureDecoder::Host(decoder) => decoder.send_end(),
            PictureDecoder::Device(decoder) => decoder.send_end(),
        }
    }

    /// The next picture; none when it wants a packet first, or after the end.
    pub fn receive(&mut self) -> Result<Option<Frame>, AvError> {
        match self {
            PictureDecoder::Host(decoder) => decoder.receive(),
            PictureDecoder::Device(decoder) => decoder.receive(),
        }
    }

    /// Pictures that came out.
    pub fn frames(&self) -> u64 {
        match self {
            PictureDecoder::Host(decoder) => decoder.frames(),
            PictureDecoder::Device(decoder) => decoder.frames(),
        }
    }

    /// Of these, with parts concealed.
    pub fn damaged_frames(&self) -> u64 {
        match self {
            PictureDecoder::Host(decoder) => decoder.damaged_frames(),
            PictureDecoder::Device(decoder) => decoder.damaged_frames(),
        }
    }

    /// Packets that gave nothing before the first picture did, as a recording has them that begins between two key
    /// frames. A decoder that had to begin again lost others.
    pub fn refused_at_start(&self) -> u64 {
        match self {
            PictureDecoder::Host(decoder) => decoder.refused_packets(),
            PictureDecoder::Device(decoder) if decoder.rebuilds() == 0 => decoder.refused_packets(),
            PictureDecoder::Device(_) => 0,
        }
    }

    /// Closed captions were seen that do not come out with the pictures.
    pub fn has_lost_captions(&self) -> bool {
        match self {
            PictureDecoder::Host(_) => false,
            PictureDecoder::Device(decoder) => decoder.has_captions(),
        }
    }

    /// Packets that gave nothing.
    pub fn refused_packets(&self) -> u64 {
        match self {
            PictureDecoder::Host(decoder) => decoder.refused_packets(),
            PictureDecoder::Device(decoder) => decoder.refused_packets(),
        }
    }
}
