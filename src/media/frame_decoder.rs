//! Who decodes the frames of pictures that are sought one by one: libavcodec here, or somebody else with the same manners.
//!
//! Guarantees: frames come out in a form that `frame_painter` makes pictures of, whoever decoded them. Deliberately
//! absent: who else there is.

use crate::media::av::AvError;
use crate::media::av::Decoder;
use crate::media::av::Frame;
use crate::media::av::Packet;
use crate::media::av::Parameters;
use crate::media::av::decode::Decode;
use crate::media::facts::Ratio;
use crate::media::limits::Limits;
use std::fmt::Debug;

/// Opens a decoder that is not libavcodec's, for packets of these parameters whose times are in that unit.
pub type Elsewhere<'a> = dyn Fn(&Parameters, Ratio, &Limits) -> Result<Box<dyn FrameDecoder>, AvError> + 'a;

/// Packets in, frames out.
pub trait FrameDecoder: Debug {
    /// Which frames to decode from the next packet on.
    fn decode_only(&mut self, which: Decode);
    /// Gives it a packet; one that cannot be decoded is counted and passed over.
    fn send(&mut self, packet: &Packet) -> Result<(), AvError>;
    /// No more packets: the frames still inside come out.
    fn send_end(&mut self) -> Result<(), AvError>;
    /// The next frame; none when it wants a packet first, or after the end.
    fn receive(&mut self) -> Result<Option<Frame>, AvError>;
    /// Forgets everything, after a seek or to decode again after the end.
    fn flush(&mut self);
    /// Frames that came out.
    fn frames(&self) -> u64;
    /// Of these, with parts concealed.
    fn damaged_frames(&self) -> u64;
    /// Packets that gave nothing.
    fn refused_packets(&self) -> u64;
}

impl FrameDecoder for Decoder {
    fn decode_only(&mut self, which: Decode) {
        Decoder::decode_only(self, which);
    }
    fn send(&mut self, packet: &Packet) -> Result<(), AvError> {
        Decoder::send(self, packet)
    }
    fn send_end(&mut self) -> Result<(), AvError> {
        Decoder::send_end(self)
    }
    fn receive(&mut self) -> Result<Option<Frame>, AvError> {
        Decoder::receive(self)
    }
    fn flush(&mut self) {
        Decoder::flush(self);
    }
    fn frames(&self) -> u64 {
        Decoder::frames(self)
    }
    fn damaged_frames(&self) -> u64 {
        Decoder::damaged_frames(self)
    }
    fn refused_packets(&self) -> u64 {
        Decoder::refused_packets(self)
    }
}
