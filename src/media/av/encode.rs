//! An encoder: frames in, packets out.
//!
//! Guarantees: packets carry the duration of the frame they hold, which libav's encoders forget; an option that
//! the encoder does not know is an error.

use crate::media::av::color;
use crate::media::av::color::Color;
use crate::media::av::dict::Dict;
use crate::media::av::error::AvError;
use crate::media::av::error::check;
use crate::media::av::frame::Frame;
use crate::media::av::log;
use crate::media::av::packet::Packet;
use crate::media::av::packet::ratio;
use crate::media::av::packet::rational;
use crate::media::av::parameters::Parameters;
use crate::media::av::pixel::PixelFormat;
use crate::media::av::sound::Sound;
use crate::media::facts::Ratio;
use ffmpeg_the_third::ffi;
use std::collections::HashMap;
use std::ffi::CStr;
use std::ffi::CString;
use std::ffi::c_int;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// How a video encoder is opened.
#[derive(Debug, Clone, Copy)]
pub struct VideoSetup<'a> {
    /// libav's name of the encoder, `libx264`.
    pub encoder: &'a str,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Pixel format of the frames.
    pub format: PixelFormat,
    /// Unit of the time stamps.
    pub time_base: Ratio,
    /// Nominal frames a second, for rate control.
    pub frame_rate: Ratio,
    /// Written into the stream.
    pub color: Color,
    /// Threads of its own; 1: it works in the caller's.
    pub threads: u32,
    /// Most frames between key frames; 0: the encoder's default.
    pub gop_frames: u32,
    /// B-frames in a row; none: the encoder's default.
    pub bframes: Option<u32>,
    /// How many units a frame usually lasts, for encoders that do not believe the time stamps of the first ones.
    pub usual_duration: Option<u32>,
}

/// An opened encoder.
#[derive(Debug)]
pub struct Encoder {
    raw: NonNull<ffi::AVCodecContext>,
    durations: HashMap<i64, i64>,
    /// The context points into it.
    statistics_in: Option<CString>,
    /// SVT-AV1 waits for ever when it is closed before its end.
    must_end: bool,
    /// Whether its codec keeps what it knows of the machine in one place for the whole process.
    one_at_a_time: bool,
}

/// Held while an SVT-AV1 encoder is opened or closed. Version 1.4.1 lists the machine's processors anew in a variable
/// of the process for each encoder (`svt_av1_enc_init_handle`): two at once write over freed memory.
static SVT_AV1: Mutex<()> = Mutex::new(());

// SAFETY: the context belongs to this value alone; its own threads are the encoder's affair.
unsafe impl Send for Encoder {}

impl Encoder {
    /// Opens a video encoder with global headers.
    pub fn video(setup: &VideoSetup<'_>, options: Dict) -> Result<Self, AvError> {
        Self::video_with_statistics(setup, options, None)
    }

    /// The same with what a first reading of the source left, for encoders that are handed it as text.
    #[allow(deprecated)]
    pub fn video_with_statistics(
        setup: &VideoSetup<'_>,
        options: Dict,
        statistics: Option<&str>,
    ) -> Result<Self, AvError> {
        let (codec, mut encoder) = Self::allocate(setup.encoder)?;
        encoder.statistics_in = statistics
            .map(CString::new)
            .transpose()
            .map_err(|_| AvError::argument("avcodec_open2"))?;
        // SAFETY: not opened yet, so these fields are ours to set.
        unsafe {
            let context = &mut *encoder.raw.as_ptr();
            context.width = c_int::try_from(setup.width).map_err(|_| AvError::argument("avcodec_open2"))?;
            context.height = c_int::try_from(setup.height).map_err(|_| AvError::argument("avcodec_open2"))?;
            context.pix_fmt = setup.format.raw();
            context.time_base = rational(setup.time_base);
            context.framerate = rational(setup.frame_rate);
            context.sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
            context.color_primaries = color::raw_primaries(setup.color.primaries);
            context.color_trc = color::raw_transfer(setup.color.transfer);
            context.colorspace = color::raw_matrix(setup.color.matrix);
            context.color_range = color::raw_range(setup.color.range);
            context.thread_count = setup.threads.clamp(1, 128) as c_int;
            if setup.gop_frames > 0 {
                context.gop_size = c_int::try_from(setup.gop_frames).unwrap_or(c_int::MAX);
            }
            if let Some(bframes) = setup.bframes {
                context.max_b_frames = bframes.min(16) as c_int;
            }
            if let Some(units) = setup.usual_duration {
                context.ticks_per_frame = c_int::try_from(units.max(1)).unwrap_or(c_int::MAX);
            }
            if let Some(text) = &encoder.statistics_in {
                context.stats_in = text.as_ptr().cast_mut();
            }
        }
        let mut encoder = encoder.open(codec, options)?;
        encoder.must_end = encoder.one_at_a_time;
        Ok(encoder)
    }

    /// Opens an audio encoder with global headers; time stamps count samples.
    pub fn audio(name: &str, sound: &Sound, bitrate: u64, options: Dict) -> Result<Self, AvError> {
        Self::audio_of_depth(name, sound, bitrate, 0, options)
    }

    /// The same, for samples of which only so many bits count (0: all).
    pub fn audio_of_depth(name: &str, sound: &Sound, bitrate: u64, bits: u32, options: Dict) -> Result<Self, AvError> {
        let (codec, encoder) = Self::allocate(name)?;
        // SAFETY: not opened yet, so these fields are ours to set.
        unsafe {
            let context = &mut *encoder.raw.as_ptr();
            context.sample_rate = sound.rate_hz as c_int;
            context.sample_fmt = ffi::AVSampleFormat(sound.format);
            context.bit_rate = i64::try_from(bitrate).unwrap_or(i64::MAX);
            context.bits_per_raw_sample = bits.min(64) as c_int;
            context.time_base = ffi::AVRational {
                num: 1,
                den: sound.rate_hz as c_int,
            };
            sound.copy_layout(&mut context.ch_layout)?;
        }
        encoder.open(codec, options)
    }

    fn allocate(name: &str) -> Result<(*const ffi::AVCodec, Self), AvError> {
        let (codec, raw) = context_of(name)?;
        let encoder = Encoder {
            raw,
            durations: HashMap::new(),
            statistics_in: None,
            must_end: false,
            one_at_a_time: name == "libsvtav1",
        };
        Ok((codec, encoder))
    }

    fn open(self, codec: *const ffi::AVCodec, mut options: Dict) -> Result<Self, AvError> {
        let turn = self.turn();
        // SAFETY: a context made for this codec, not opened yet; the dictionary is ours.
        unsafe {
            (*self.raw.as_ptr()).flags |= ffi::AV_CODEC_FLAG_GLOBAL_HEADER as c_int;
            check(
                "avcodec_open2",
                ffi::avcodec_open2(self.raw.as_ptr(), codec, options.as_mut_ptr()),
            )?;
        }
        drop(turn);
        match options.entries().into_keys().next() {
            None => Ok(self),
            Some(unknown) => Err(AvError {
                code: ffi::AVERROR_OPTION_NOT_FOUND,
                call: "avcodec_open2",
                text: format!("the encoder has no option {unknown}"),
            }),
        }
    }

    /// Its turn to be opened or closed, for codecs of which only one at a time can be.
    fn turn(&self) -> Option<MutexGuard<'static, ()>> {
        // The lock guards no value of ours, so one that a panic left is as good as any.
        self.one_at_a_time
            .then(|| SVT_AV1.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Unit of its time stamps.
    pub fn time_base(&self) -> Ratio {
        // SAFETY: a live context.
        ratio(unsafe { (*self.raw.as_ptr()).time_base })
    }
    /// Samples of a frame that an audio encoder wants; 0: any.
    pub fn frame_size(&self) -> usize {
        // SAFETY: a live context.
        unsafe { (*self.raw.as_ptr()).frame_size }.max(0) as usize
    }
    /// What a muxer must know of it.
    pub fn parameters(&self) -> Result<Parameters, AvError> {
        let parameters = Parameters::empty()?;
        // SAFETY: a live, opened context.
        check("avcodec_parameters_from_context", unsafe {
            ffi::avcodec_parameters_from_context(parameters.as_ptr(), self.raw.as_ptr())
        })?;
        Ok(parameters)
    }

    /// Gives it a frame that is shown for `duration` units.
    pub fn send(&mut self, frame: &Frame, duration: i64) -> Result<(), AvError> {
        if let Some(pts) = frame.pts() {
            self.durations.insert(pts, duration);
        }
        // SAFETY: live context and frame.
        check("avcodec_send_frame", unsafe {
            ffi::avcodec_send_frame(self.raw.as_ptr(), frame.as_ptr())
        })?;
        Ok(())
    }

    /// What a first reading tells the second, as far as it was told since the last call's packet; for encoders that
    /// give it out as text.
    pub fn statistics(&self) -> Option<String> {
        // SAFETY: a live context; null or a NUL-terminated string of the encoder's, copied at once.
        unsafe {
            let text = (*self.raw.as_ptr()).stats_out;
            (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned())
        }
    }

    /// Gives it sound; how long its packets last, the encoder knows itself.
    pub fn send_sound(&mut self, frame: &Frame) -> Result<(), AvError> {
        // SAFETY: live context and frame.
        check("avcodec_send_frame", unsafe {
            ffi::avcodec_send_frame(self.raw.as_ptr(), frame.as_ptr())
        })?;
        Ok(())
    }

    /// No more frames: the packets still inside come out.
    pub fn send_end(&mut self) -> Result<(), AvError> {
        self.must_end = false;
        // SAFETY: a live context; null starts draining.
        match check("avcodec_send_frame", unsafe {
            ffi::avcodec_send_frame(self.raw.as_ptr(), std::ptr::null())
        }) {
            Err(error) if !error.is_eof() => Err(error),
            _ => Ok(()),
        }
    }

    /// The next packet; none when it wants a frame first, or after the end.
    pub fn receive(&mut self) -> Result<Option<Packet>, AvError> {
        let mut packet = Packet::new()?;
        // SAFETY: live context and packet.
        let answer = unsafe { ffi::avcodec_receive_packet(self.raw.as_ptr(), packet.as_ptr()) };
        match check("avcodec_receive_packet", answer) {
            Ok(_) => {
                if let Some(duration) = packet.pts().and_then(|pts| self.durations.remove(&pts)) {
                    let (pts, dts) = (packet.pts(), packet.dts());
                    packet.set_times(pts, dts, duration);
                }
                Ok(Some(packet))
            }
            Err(error) if error.is_again() || error.is_eof() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The encoder of that name, and a fresh context for it that the caller owns.
pub(super) fn context_of(name: &str) -> Result<(*const ffi::AVCodec, NonNull<ffi::AVCodecContext>), AvError> {
    const CALL: &str = "avcodec_find_encoder_by_name";
    log::start();
    let name = CString::new(name).map_err(|_| AvError::argument(CALL))?;
    // SAFETY: null or a constant of libav's.
    let codec = unsafe { ffi::avcodec_find_encoder_by_name(name.as_ptr()) };
    if codec.is_null() {
        return Err(AvError::new(ffi::AVERROR_ENCODER_NOT_FOUND, CALL));
    }
    // SAFETY: answers null or a fresh context for that codec.
    NonNull::new(unsafe { ffi::avcodec_alloc_context3(codec) })
        .map(|raw| (codec, raw))
        .ok_or_else(|| AvError::memory("avcodec_alloc_context3"))
}

impl Drop for Encoder {
    fn drop(&mut self) {
        if self.must_end && self.send_end().is_ok() {
            while matches!(self.receive(), Ok(Some(_))) {}
        }
        let mut raw = self.raw.as_ptr();
        let _turn = self.turn();
        // SAFETY: freed once, by its owner.
        unsafe { ffi::avcodec_free_context(&mut raw) }
    }
}

#[cfg(test)]
mod tests {
    use super::Encoder;
    use super::VideoSetup;
    use crate::media::av::color::Color;
    use crate::media::av::dict::Dict;
    use crate::media::av::frame::Frame;
    use crate::media::av::inventory;
    use crate::media::av::pixel::PixelFormat;
    use crate::media::facts::Ratio;

    /// Opens an encoder for one small picture, encodes it and closes it.
    fn one_picture() {
        let setup = VideoSetup {
            encoder: "libsvtav1",
            width: 64,
            height: 64,
            format: PixelFormat::YUV420P,
            time_base: Ratio { num: 1, den: 25 },
            frame_rate: Ratio { num: 25, den: 1 },
            color: Color {
                primaries: 1,
                transfer: 1,
                matrix: 1,
                range: 1,
            },
            threads: 1,
            gop_frames: 0,
            bframes: None,
            usual_duration: None,
        };
        let mut options = Dict::new();
        options.set("preset", "12").expect("an option");
        options.set("svtav1-params", "lp=1").expect("an option");
        let mut frame = Frame::picture(PixelFormat::YUV420P, 64, 64).expect("a picture");
        frame.set_pts(0);
        let mut encoder = Encoder::video(&setup, options).expect("it opens");
        encoder.send(&frame, 1).expect("it takes a picture");
        encoder.send_end().expect("it ends");
        assert!(encoder.receive().expect("it answers").is_some(), "no packet");
    }

    #[test]
    fn several_av1_encoders_are_opened_and_closed_at_the_same_time() {
        if !inventory::has_encoder("libsvtav1") {
            return;
        }
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..8).for_each(|_| one_picture()));
            }
        });
    }
}
