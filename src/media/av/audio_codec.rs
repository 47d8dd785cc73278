//! What an audio encoder takes: sample formats and channel layouts.

use crate::media::av::error::AvError;
use crate::media::av::sound::SampleFormat;
use crate::media::av::sound::Sound;
use ffmpeg_the_third::ffi;
use std::ffi::CString;

/// An audio encoder that is built in.
#[derive(Debug, Clone, Copy)]
pub struct AudioCodecInfo {
    raw: &'static ffi::AVCodec,
}

impl AudioCodecInfo {
    /// By libav's name of the encoder.
    pub fn find(name: &str) -> Result<Self, AvError> {
        let name = CString::new(name).map_err(|_| AvError::argument("avcodec_find_encoder_by_name"))?;
        // SAFETY: null or a constant of libav's.
        let raw = unsafe { ffi::avcodec_find_encoder_by_name(name.as_ptr()).as_ref() };
        raw.map(|raw| AudioCodecInfo { raw })
            .ok_or_else(|| AvError::new(ffi::AVERROR_ENCODER_NOT_FOUND, "avcodec_find_encoder_by_name"))
    }

    /// The first of the wanted formats that it takes; its own first one otherwise.
    #[allow(deprecated)]
    pub fn format(&self, wanted: &[SampleFormat]) -> SampleFormat {
        let mut own = Vec::new();
        let mut next = self.raw.sample_fmts;
        // SAFETY: null or a list of libav's that ends with -1.
        unsafe {
            while !next.is_null() && (*next).0 >= 0 {
                own.push(SampleFormat((*next).0));
                next = next.add(1);
            }
        }
        let fits = wanted.iter().find(|format| own.contains(format));
        let first = own.first().or(wanted.first());
        *fits.or(first).unwrap_or(&SampleFormat::FLOAT_PLANAR)
    }

    /// Sound of so many channels in a layout that it takes; the usual one where it takes any.
    #[allow(deprecated)]
    pub fn sound(&self, rate_hz: u32, channels: u32, format: SampleFormat) -> Result<Sound, AvError> {
        let usual = Sound::usual(rate_hz, channels, format);
        let mut next = self.raw.ch_layouts;
        let mut found = None;
        // SAFETY: null or a list of libav's that ends with an empty layout.
        unsafe {
            while !next.is_null() && (*next).nb_channels > 0 {
                let sound = Sound::from_raw(rate_hz as i32, &*next, format.0)?;
                if sound.same_as(&usual) {
                    return Ok(usual);
                }
                if found.is_none() && sound.channels() == channels {
                    found = Some(sound);
                }
                next = next.add(1);
            }
        }
        Ok(found.unwrap_or(usual))
    }
}
