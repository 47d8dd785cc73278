//! Numbers into and out of frames of sound, whatever their sample format.
//!
//! Guarantees: a number that the format holds goes in and comes out unchanged; beyond full scale it is cut, never
//! wrapped. Deliberately absent: mixing and resampling.

use crate::media::av::error::AvError;
use crate::media::av::frame::Frame;
use ffmpeg_the_third::ffi;

/// Noise of one step, triangular, that makes the error of rounding independent of the sound; the same for every run.
#[derive(Debug, Clone)]
pub struct Dither(u64);

impl Default for Dither {
    fn default() -> Self {
        Dither(0x9E37_79B9_7F4A_7C15)
    }
}

impl Dither {
    /// -1.0 to 1.0 steps.
    fn next(&mut self) -> f64 {
        let mut half = || {
            // xorshift64*
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
            bits as f64 / (1_u64 << 53) as f64
        };
        half() - half()
    }
}

impl Frame {
    /// Samples of one channel of a planar 64-bit float sound.
    pub fn double_channel(&self, channel: usize) -> Option<&[f64]> {
        let raw = self.get();
        let planar = raw.format == ffi::AVSampleFormat::DBLP.0;
        if !planar || channel >= raw.ch_layout.nb_channels.max(0) as usize {
            return None;
        }
        // SAFETY: extended_data has one pointer a channel of a planar sound, each to nb_samples doubles.
        unsafe {
            let start = *raw.extended_data.add(channel);
            (!start.is_null()).then(|| std::slice::from_raw_parts(start.cast(), self.samples()))
        }
    }

    /// Writes samples, full scale 1.0, as many of each channel as the frame has; integers get `bits` that count (0:
    /// all) and, where asked for, dither.
    pub fn write_samples(
        &mut self,
        channels: &[&[f64]],
        bits: u32,
        mut dither: Option<&mut Dither>,
    ) -> Result<(), AvError> {
        let refused = || AvError::argument("write_samples");
        let count = self.samples();
        let expected = self.get().ch_layout.nb_channels.max(0) as usize;
        if channels.len() != expected || channels.iter().any(|samples| samples.len() != count) {
            return Err(refused());
        }
        // SAFETY: reads reference counts of a live frame.
        if unsafe { ffi::av_frame_is_writable(self.as_ptr()) } <= 0 {
            return Err(refused());
        }
        let format = ffi::AVSampleFormat(self.get().format);
        // SAFETY: pure arithmetic on a format.
        let (planar, size) = unsafe {
            (
                ffi::av_sample_fmt_is_planar(format) != 0,
                ffi::av_get_bytes_per_sample(format),
            )
        };
        let size = usize::try_from(size).map_err(|_| refused())?;
        let planes = if planar { expected } else { 1 };
        for plane in 0..planes {
            let length = count * size * if planar { 1 } else { expected };
            // SAFETY: each plane of a frame of this format holds that many bytes, and nobody else has the buffer.
            let bytes = unsafe {
                let start = *self.get().extended_data.add(plane);
                if start.is_null() {
                    return Err(refused());
                }
                std::slice::from_raw_parts_mut(start, length)
            };
            let sources = if planar { &channels[plane..=plane] } else { channels };
            let mut places = bytes.chunks_exact_mut(size);
            for at in 0..count {
                for samples in sources {
                    let (Some(place), value) = (places.next(), samples[at]) else {
                        return Err(refused());
                    };
                    store(format, place, value, bits, dither.as_deref_mut()).ok_or_else(refused)?;
                }
            }
        }
        Ok(())
    }
}

/// One sample; none: a format nobody asks for.
fn store(
    format: ffi::AVSampleFormat,
    place: &mut [u8],
    value: f64,
    bits: u32,
    dither: Option<&mut Dither>,
) -> Option<()> {
    match format {
        ffi::AVSampleFormat::S16 | ffi::AVSampleFormat::S16P => {
            place.copy_from_slice(&(whole(value, 16, dither) as i16).to_ne_bytes());
        }
        ffi::AVSampleFormat::S32 | ffi::AVSampleFormat::S32P => {
            let bits = if bits == 0 { 32 } else { bits.min(32) };
            let number = whole(value, bits, dither) << (32 - bits);
            place.copy_from_slice(&(number as i32).to_ne_bytes());
        }
        ffi::AVSampleFormat::FLT | ffi::AVSampleFormat::FLTP => {
            place.copy_from_slice(&(value as f32).to_ne_bytes());
        }
        ffi::AVSampleFormat::DBL | ffi::AVSampleFormat::DBLP => place.copy_from_slice(&value.to_ne_bytes()),
        _ => return None,
    }
    Some(())
}

/// To the nearest integer of so many bits.
fn whole(value: f64, bits: u32, dither: Option<&mut Dither>) -> i64 {
    let full = (1_i64 << (bits - 1)) as f64;
    let noise = dither.map_or(0.0, Dither::next);
    // Not a number becomes 0.
    ((value * full + noise).round_ties_even()).clamp(-full, full - 1.0) as i64
}

#[cfg(test)]
mod tests {
    use super::Dither;
    use super::whole;

    #[test]
    fn integers_survive_and_full_scale_is_cut() {
        for number in [i16::MIN, -1, 0, 1, 12_345, i16::MAX] {
            assert_eq!(whole(f64::from(number) / 32_768.0, 16, None), i64::from(number));
        }
        let deepest = f64::from(i32::MIN + 1) / 2_147_483_648.0;
        assert_eq!(whole(deepest, 32, None), i64::from(i32::MIN + 1));
        assert_eq!(whole(1.5, 16, None), 32_767);
        assert_eq!(whole(-1.5, 24, None), -8_388_608);
        assert_eq!(whole(f64::NAN, 16, None), 0);
    }

    #[test]
    fn dither_is_of_one_step_and_has_no_offset() {
        let mut dither = Dither::default();
        let noise: Vec<f64> = (0..100_000).map(|_| dither.next()).collect();
        assert!(noise.iter().all(|step| step.abs() <= 1.0));
        assert!((noise.iter().sum::<f64>() / noise.len() as f64).abs() < 0.01);
    }
}
