//! The encoder of one audio encode: samples in, packets out.
//!
//! Guarantees: samples that the codec holds reach it to the bit; those that are rounded to 16 bits are dithered.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Dict;
use crate::media::av::Encoder;
use crate::media::av::Frame;
use crate::media::av::Packet;
use crate::media::av::Parameters;
use crate::media::av::audio_codec::AudioCodecInfo;
use crate::media::av::samples::Dither;
use crate::media::av::sound::Place;
use crate::media::av::sound::SampleFormat;
use crate::media::av::sound::Sound;
use crate::media::error;
use crate::media::facts::Ratio;
use crate::media::pass::plan::AudioEncode;
use crate::media::spec::AudioCodec;

/// Samples of a packet where the codec does not care.
const PACKET_SAMPLES: usize = 1024;
/// Bit rates of AC-3, kbit/s.
const AC3_KBPS: [u32; 19] = [
    32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
];

/// What makes the packets of an audio encode.
#[derive(Debug)]
pub enum SoundMaker {
    /// An encoder.
    Encode(Box<SoundEncoder>),
    /// The source's own packets.
    Copy {
        /// What a muxer must know.
        parameters: Parameters,
        /// Unit of their time stamps.
        unit: Ratio,
    },
}

impl SoundMaker {
    /// Opens what an encode needs. `source`: the parameters of its stream and the unit of its time stamps.
    pub fn open(encode: &AudioEncode, source: Option<(Parameters, Ratio)>) -> Result<Self, Fault> {
        let refused = |refusal: AvError| error::output_sound_refused("open the encoder", &encode.codec_name, &refusal);
        if encode.spec.codec == AudioCodec::Copy {
            let (mut parameters, unit) = source.ok_or_else(|| refused(AvError::argument("stream")))?;
            parameters.clear_codec_tag();
            return Ok(SoundMaker::Copy { parameters, unit });
        }
        let encoder = SoundEncoder::open(encode).map_err(refused)?;
        Ok(SoundMaker::Encode(Box::new(encoder)))
    }

    /// What a muxer must know of it.
    pub fn parameters(&self) -> Result<Parameters, AvError> {
        match self {
            SoundMaker::Encode(encoder) => encoder.encoder.parameters(),
            SoundMaker::Copy { parameters, .. } => parameters.duplicate(),
        }
    }

    /// Unit of its packets.
    pub fn time_base(&self) -> Ratio {
        match self {
            SoundMaker::Encode(encoder) => encoder.encoder.time_base(),
            SoundMaker::Copy { unit, .. } => *unit,
        }
    }
}

/// An opened encoder and the samples that wait for it.
#[derive(Debug)]
pub struct SoundEncoder {
    encoder: Encoder,
    sound: Sound,
    frame_samples: usize,
    bits: u32,
    dither: Option<Dither>,
    waiting: Vec<Vec<f64>>,
    encoded: i64,
}

impl SoundEncoder {
    fn open(encode: &AudioEncode) -> Result<Self, AvError> {
        let name = encoder_name(encode);
        let info = AudioCodecInfo::find(name)?;
        let format = info.format(wanted_formats(encode));
        let sound = info.sound(encode.rate_hz, encode.channels, format, &encode.layout)?;
        let bitrate = u64::from(bitrate_kbps(encode)) * 1000;
        let encoder = Encoder::audio_of_depth(name, &sound, bitrate, encode.bit_depth, options(encode)?)?;
        let frame_samples = match encoder.frame_size() {
            0 => PACKET_SAMPLES,
            samples => samples,
        };
        Ok(SoundEncoder {
            waiting: vec![Vec::new(); sound.channels() as usize],
            frame_samples,
            bits: encode.bit_depth,
            dither: None,
            encoder,
            sound,
            encoded: 0,
        })
    }

    /// Where its channels are heard.
    pub fn places(&self) -> Vec<Place> {
        self.sound.places()
    }

    /// Samples to come have more bits than the codec: rounding them is hidden in noise.
    pub fn dithers(&mut self, dithers: bool) {
        if dithers && self.bits == 16 && self.dither.is_none() {
            self.dither = Some(Dither::default());
        }
    }

    /// Encodes samples; packets go to `out`.
    pub fn push(&mut self, channels: &[Vec<f64>], out: &mut dyn FnMut(Packet)) -> Result<(), AvError> {
        for (waiting, samples) in self.waiting.iter_mut().zip(channels) {
            waiting.extend_from_slice(samples);
        }
        self.encode(false, out)
    }

    /// Encodes the rest.
    pub fn finish(&mut self, out: &mut dyn FnMut(Packet)) -> Result<(), AvError> {
        self.encode(true, out)?;
        self.encoder.send_end()?;
        self.drain(out)
    }

    fn encode(&mut self, all: bool, out: &mut dyn FnMut(Packet)) -> Result<(), AvError> {
        let waiting = self.waiting.first().map_or(0, Vec::len);
        let mut done = 0;
        while waiting - done >= self.frame_samples || (all && waiting > done) {
            let count = self.frame_samples.min(waiting - done);
            let mut frame = Frame::silence(&self.sound, count)?;
            let channels: Vec<&[f64]> = self
                .waiting
                .iter()
                .map(|samples| &samples[done..done + count])
                .collect();
            frame.write_samples(&channels, self.bits, self.dither.as_mut())?;
            frame.set_pts(self.encoded);
            self.encoder.send_sound(&frame)?;
            self.encoded += count as i64;
            done += count;
            self.drain(out)?;
        }
        for samples in &mut self.waiting {
            samples.drain(..done);
        }
        Ok(())
    }

    fn drain(&mut self, out: &mut dyn FnMut(Packet)) -> Result<(), AvError> {
        while let Some(packet) = self.encoder.receive()? {
            out(packet);
        }
        Ok(())
    }
}

/// libav's name of the encoder of a codec, where that is not the codec's.
fn encoder_name(encode: &AudioEncode) -> &str {
    match encode.codec_name.as_str() {
        "opus" => "libopus",
        "mp3" => "libmp3lame",
        same => same,
    }
}

/// Sample formats, the best for it first.
fn wanted_formats(encode: &AudioEncode) -> &'static [SampleFormat] {
    match (encode.spec.codec, encode.bit_depth) {
        (AudioCodec::Flac | AudioCodec::Pcm, 16) => &[SampleFormat::S16],
        (AudioCodec::Flac | AudioCodec::Pcm, 24 | 32) => &[SampleFormat::S32],
        _ => &[SampleFormat::FLOAT_PLANAR, SampleFormat::FLOAT],
    }
}

/// What is asked for within what the codec has at this rate and number of channels.
fn bitrate_kbps(encode: &AudioEncode) -> u32 {
    let channels = encode.channels.max(1);
    let wanted = |usual: u32| encode.spec.bitrate_kbps.unwrap_or(usual * channels);
    match encode.spec.codec {
        AudioCodec::Ac3 => {
            let wanted = wanted(96);
            let next = AC3_KBPS.into_iter().find(|kbps| *kbps >= wanted);
            next.unwrap_or(AC3_KBPS[AC3_KBPS.len() - 1])
        }
        AudioCodec::Eac3 => wanted(96),
        AudioCodec::Opus => wanted(64).clamp(6, 256 * channels),
        // The low rates end at 160.
        AudioCodec::Mp3 if encode.rate_hz < 32_000 => wanted(64).min(160),
        AudioCodec::Mp3 => wanted(64).min(320),
        // A frame of AAC has at most 6144 bits a channel.
        AudioCodec::Aac => wanted(64).min(encode.rate_hz.saturating_mul(6 * channels) / 1000),
        AudioCodec::Flac | AudioCodec::Pcm | AudioCodec::Copy => 0,
    }
}

fn options(encode: &AudioEncode) -> Result<Dict, AvError> {
    let mut options = Dict::new();
    match (encode.spec.codec, encode.spec.profile.as_deref()) {
        (AudioCodec::Aac, Some(profile)) => options.set("profile", profile)?,
        (AudioCodec::Opus, Some(application)) => options.set("application", application)?,
        _ => {}
    }
    Ok(options)
}
