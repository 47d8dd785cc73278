//! Sound of another rate or sample format; channels stay as they are.
//!
//! Guarantees: without a change of rate, what comes out is what went in, to the bit where the format holds it.

use crate::media::av::error::AvError;
use crate::media::av::error::check;
use crate::media::av::frame::Frame;
use crate::media::av::sound::SampleFormat;
use crate::media::av::sound::Sound;
use ffmpeg_the_third::ffi;
use std::ffi::c_int;
use std::ptr;
use std::ptr::NonNull;

/// Length of the low-pass filter, input samples.
const FILTER_TAPS: i64 = 64;
/// Where it begins to cut, as a share of half the lower rate.
const CUTOFF: f64 = 0.97;

/// A resampler between two kinds of sound.
#[derive(Debug)]
pub struct Resampler {
    raw: NonNull<ffi::SwrContext>,
    from: Sound,
    to: Sound,
}

// SAFETY: one owner; libswresample keeps no thread-local state.
unsafe impl Send for Resampler {}

impl Resampler {
    /// Opens one; both have the same layout.
    pub fn open(from: Sound, to: Sound) -> Result<Self, AvError> {
        if from.channels() != to.channels() {
            return Err(AvError::argument("swr_alloc_set_opts2"));
        }
        let mut raw = ptr::null_mut();
        // SAFETY: both layouts are live; the call makes the context.
        check("swr_alloc_set_opts2", unsafe {
            ffi::swr_alloc_set_opts2(
                &mut raw,
                to.layout() as *const _ as *mut _,
                ffi::AVSampleFormat(to.format),
                to.rate_hz as c_int,
                from.layout() as *const _ as *mut _,
                ffi::AVSampleFormat(from.format),
                from.rate_hz as c_int,
                0,
                ptr::null_mut(),
            )
        })?;
        let raw = NonNull::new(raw).ok_or_else(|| AvError::memory("swr_alloc_set_opts2"))?;
        let resampler = Resampler { raw, from, to };
        if resampler.from.rate_hz != resampler.to.rate_hz {
            // Twice the usual length: the edge of the stop band lies within 1 kHz of half the rate at 48 kHz.
            // SAFETY: a live context, not initialised yet; both names are options of it.
            check("av_opt_set", unsafe {
                ffi::av_opt_set_int(raw.as_ptr().cast(), c"filter_size".as_ptr(), FILTER_TAPS, 0)
            })?;
            // SAFETY: as above.
            check("av_opt_set", unsafe {
                ffi::av_opt_set_double(raw.as_ptr().cast(), c"cutoff".as_ptr(), CUTOFF, 0)
            })?;
        }
        // SAFETY: a live, configured context.
        check("swr_init", unsafe { ffi::swr_init(raw.as_ptr()) })?;
        Ok(resampler)
    }

    /// Another one for the same sounds, with nothing inside.
    pub fn fresh(&self) -> Result<Self, AvError> {
        let from = self.from.converted(self.from.rate_hz, SampleFormat(self.from.format))?;
        let to = self.to.converted(self.to.rate_hz, SampleFormat(self.to.format))?;
        Resampler::open(from, to)
    }

    /// Makes so many samples more (or fewer) of the next `distance` ones that come out.
    pub fn compensate(&mut self, delta: i64, distance: i64) -> Result<(), AvError> {
        let (Ok(delta), Ok(distance)) = (c_int::try_from(delta), c_int::try_from(distance)) else {
            return Err(AvError::argument("swr_set_compensation"));
        };
        // SAFETY: a live, initialised context.
        check("swr_set_compensation", unsafe {
            ffi::swr_set_compensation(self.raw.as_ptr(), delta, distance)
        })?;
        Ok(())
    }

    /// Whether it takes sound like this.
    pub fn takes(&self, sound: &Sound) -> bool {
        self.from.same_as(sound)
    }

    /// Samples, in the rate that comes out, that went in and have not come out.
    pub fn delay(&self) -> i64 {
        // SAFETY: a live context; the call only reads.
        unsafe { ffi::swr_get_delay(self.raw.as_ptr(), i64::from(self.to.rate_hz)) }
    }

    /// What comes out for a stretch of sound (`None`: the rest); none when nothing does yet.
    pub fn run(&mut self, frame: Option<&Frame>) -> Result<Option<Frame>, AvError> {
        let samples = frame.map_or(0, |frame| frame.samples() as c_int);
        // SAFETY: a live context; the call only calculates.
        let room = check("swr_get_out_samples", unsafe {
            ffi::swr_get_out_samples(self.raw.as_ptr(), samples)
        })?;
        if room == 0 {
            return Ok(None);
        }
        let mut out = Frame::silence(&self.to, room as usize)?;
        // SAFETY: out has room for `room` samples of the agreed kind, the input frame is of the other agreed kind.
        let count = check("swr_convert", unsafe {
            let input = frame.map_or(ptr::null_mut(), |frame| (*frame.as_ptr()).extended_data);
            ffi::swr_convert(self.raw.as_ptr(), out.get().extended_data, room, input as _, samples)
        })?;
        if count == 0 {
            return Ok(None);
        }
        out.get_mut().nb_samples = count;
        Ok(Some(out))
    }
}

impl Drop for Resampler {
    fn drop(&mut self) {
        let mut raw = self.raw.as_ptr();
        // SAFETY: freed once, by its owner.
        unsafe { ffi::swr_free(&mut raw) }
    }
}
