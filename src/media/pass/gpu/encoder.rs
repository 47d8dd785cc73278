//! The encoder of a device behind the calls of libav's: frames in, packets out.
//!
//! Guarantees: frames that are not on the device are refused with a word why; parameter sets stand in the stream's header
//! and, as with libav's encoders, nowhere else. Deliberately absent: bringing frames there, which is done before.

use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::DeviceTrouble;
use crate::media::av::Frame;
use crate::media::av::Packet;
use crate::media::av::Parameters;
use crate::media::av::PixelFormat;
use crate::media::av::parameters::EncodedVideo;
use crate::media::cuda::Gpu;
use crate::media::cuda::nvenc::EncodeSetup;
use crate::media::cuda::nvenc::NvencSession;
use crate::media::cuda::nvenc::Rate;
use crate::media::cuda::pool::PooledSurface;
use crate::media::pass::gpu::refusal::refused;
use std::sync::Arc;

/// An opened encoder of a device.
#[derive(Debug)]
pub struct GpuEncoder {
    session: NvencSession,
    setup: EncodeSetup,
    color: Color,
}

impl GpuEncoder {
    /// Opens one. `color` is what containers say of its pictures; the stream says what the setup does.
    pub fn open(gpu: &Arc<Gpu>, setup: EncodeSetup, color: Color) -> Result<Self, AvError> {
        let session = NvencSession::open(gpu, &setup).map_err(refused)?;
        Ok(GpuEncoder { session, setup, color })
    }

    /// What is not as it was asked for, a sentence without full stop each.
    pub fn notes(&self) -> &[String] {
        self.session.notes()
    }

    /// What a muxer must know of it.
    pub fn parameters(&self) -> Result<Parameters, AvError> {
        let reorders = self.setup.codec.reorders();
        Parameters::of_encoded_video(&EncodedVideo {
            codec: self.setup.codec.name(),
            width: self.setup.width,
            height: self.setup.height,
            format: if self.setup.is_ten_bit {
                PixelFormat::YUV420P10
            } else {
                PixelFormat::YUV420P
            },
            color: self.color,
            bit_rate: match self.setup.rate {
                Rate::Constant { bitrate, .. } | Rate::Average { bitrate, .. } => bitrate,
                Rate::Quality { .. } => 0,
            },
            video_delay: if reorders { self.session.bframes() } else { 0 },
            header: self.session.headers(),
        })
    }

    /// Gives it a frame on the device that is shown for `duration` units.
    pub fn send(&mut self, frame: &Frame, duration: i64, is_key: bool) -> Result<(), AvError> {
        let elsewhere = |why: String| AvError::device("nvEncEncodePicture", DeviceTrouble::Refused, why);
        let pixels = frame.device_pixels().ok_or_else(|| {
            let format = frame.pixel_format().name().unwrap_or_else(|| "no".to_owned());
            elsewhere(format!(
                "the encoder of the device was given a picture of the host's ({format})"
            ))
        })?;
        let surface = Arc::clone(pixels)
            .downcast::<PooledSurface>()
            .map_err(|_| elsewhere("the picture lies on a device in a way that is not known".to_owned()))?;
        let pts = frame
            .pts()
            .ok_or_else(|| elsewhere("the picture has no time stamp".to_owned()))?;
        self.session.send(surface, pts, duration, is_key).map_err(refused)
    }

    /// No more frames: the packets still inside come out.
    pub fn send_end(&mut self) -> Result<(), AvError> {
        self.session.send_end().map_err(refused)
    }

    /// The next packet; none when it wants a frame first, or after the end.
    pub fn receive(&mut self) -> Result<Option<Packet>, AvError> {
        let Some(coded) = self.session.receive().map_err(refused)? else {
            return Ok(None);
        };
        let bytes = match self.setup.codec.reorders() {
            // Key frames repeat them; containers hold them once, and those that repeat them do so by themselves.
            true => coded.bytes.strip_prefix(self.session.headers()).unwrap_or(&coded.bytes),
            false => &coded.bytes,
        };
        Packet::encoded(bytes, coded.pts, coded.dts, coded.duration, coded.is_key).map(Some)
    }
}
