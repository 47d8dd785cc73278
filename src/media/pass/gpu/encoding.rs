//! The encoder of a rendition, wherever it works.
//!
//! Guarantees: the calls are the same, so that timing, key frames, comparison and outputs are one path. Deliberately
//! absent: which it is, which is decided when it is opened.

use crate::media::av::AvError;
use crate::media::av::Encoder;
use crate::media::av::Frame;
use crate::media::av::Packet;
use crate::media::av::Parameters;
use crate::media::pass::gpu::encoder::GpuEncoder;

/// An opened encoder.
#[derive(Debug)]
pub enum PictureEncoder {
    /// libav's.
    Host(Box<Encoder>),
    /// The device's.
    Device(Box<GpuEncoder>),
}

impl PictureEncoder {
    /// What a muxer must know of it.
    pub fn parameters(&self) -> Result<Parameters, AvError> {
        match self {
            PictureEncoder::Host(encoder) => encoder.parameters(),
            PictureEncoder::Device(encoder) => encoder.parameters(),
        }
    }

    /// Gives it a frame that is shown for `duration` units; decoding shall begin there if `is_key`.
    pub fn send(&mut self, frame: &mut Frame, duration: i64, is_key: bool) -> Result<(), AvError> {
        match self {
            PictureEncoder::Host(encoder) => {
                frame.ask_key(is_key);
                encoder.send(frame, duration)
            }
            PictureEncoder::Device(encoder) => encoder.send(frame, duration, is_key),
        }
    }

    /// No more frames: the packets still inside come out.
    pub fn send_end(&mut self) -> Result<(), AvError> {
        match self {
            PictureEncoder::Host(encoder) => encoder.send_end(),
            PictureEncoder::Device(encoder) => encoder.send_end(),
        }
    }

    /// The next packet; none when it wants a frame first, or after the end.
    pub fn receive(&mut self) -> Result<Option<Packet>, AvError> {
        match self {
            PictureEncoder::Host(encoder) => encoder.receive(),
            PictureEncoder::Device(encoder) => encoder.receive(),
        }
    }

    /// What a first reading tells the second, from encoders that give it out as text.
    pub fn statistics(&self) -> Option<String> {
        match self {
            PictureEncoder::Host(encoder) => encoder.statistics(),
            PictureEncoder::Device(_) => None,
        }
    }

    /// What is not as it was asked for, a sentence without full stop each.
    pub fn notes(&self) -> &[String] {
        match self {
            PictureEncoder::Host(_) => &[],
            PictureEncoder::Device(encoder) => encoder.notes(),
        }
    }
}
