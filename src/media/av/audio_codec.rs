//! What an audio encoder takes: sample formats and channel layouts.

use crate::media::av::error::AvError;
use crate::media::av::sound::SampleFormat;
use crate::media::av::sound::Sound;
use ffmpeg_the_third::ffi;
use std::ffi::CStr;
use std::ffi::CString;

/// What libopus takes, which says so only by refusing the rest (mapping family 1 of RFC 7845).
const OPUS_LAYOUTS: [&str; 8] = ["mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"];
/// What libav's AAC encoder takes and decoders give back as it was, again only by refusing others. Surrounds at the sides
/// are written as those behind, the way players know five of them.
const AAC_LAYOUTS: [&str; 13] = [
    "mono",
    "stereo",
    "3.0",
    "2.1",
    "3.0(back)",
    "4.0",
    "quad",
    "quad(side)",
    "3.1",
    "5.0",
    "5.1",
    "6.1",
    "7.1",
];

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

    /// Sound of so many channels in a layout that it takes: `kept` (libav's name of one, or nothing), else the usual one,
    /// else the first it has.
    pub fn sound(&self, rate_hz: u32, channels: u32, format: SampleFormat, kept: &str) -> Result<Sound, AvError> {
        let usual = Sound::usual(rate_hz, channels, format);
        let kept = Sound::named(rate_hz, kept, format).filter(|kept| kept.channels() == channels);
        let mut own = self.layouts(rate_hz, format)?;
        own.retain(|sound| sound.channels() == channels);
        let has = |wanted: &Sound| own.is_empty() || own.iter().any(|sound| sound.same_as(wanted));
        Ok(match (kept, own.is_empty()) {
            (Some(kept), _) if has(&kept) => kept,
            (_, false) if !has(&usual) => own.swap_remove(0),
            _ => usual,
        })
    }

    /// The layouts it takes; none: it says nothing of it.
    #[allow(deprecated)]
    fn layouts(&self, rate_hz: u32, format: SampleFormat) -> Result<Vec<Sound>, AvError> {
        // SAFETY: libav's constant name of the encoder.
        let name = unsafe { CStr::from_ptr(self.raw.name) };
        let unsaid: &[&str] = match name.to_bytes() {
            b"libopus" => &OPUS_LAYOUTS,
            b"aac" => &AAC_LAYOUTS,
            _ => &[],
        };
        let unsaid = unsaid.iter().filter_map(|name| Sound::named(rate_hz, name, format));
        let mut own: Vec<Sound> = unsaid.collect();
        let mut next = self.raw.ch_layouts;
        // SAFETY: null or a list of libav's that ends with an empty layout.
        unsafe {
            while !next.is_null() && (*next).nb_channels > 0 {
                own.push(Sound::from_raw(rate_hz as i32, &*next, format.0)?);
                next = next.add(1);
            }
        }
        Ok(own)
    }
}
