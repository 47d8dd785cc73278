//! One audio encode while it is made: channels mixed, level set, encoded, handed to its outputs.
//!
//! Guarantees: a refusal fails its outputs alone. Tracks that are put together stay in step; one that lags is silent.

use crate::media::av::AvError;
use crate::media::av::sound::Place;
use crate::media::av::sound::SampleFormat;
use crate::media::av::sound::Sound;
use crate::media::error;
use crate::media::loudness::Loudness;
use crate::media::pass::output::TrackId;
use crate::media::pass::plan::AudioEncode;
use crate::media::pass::rung::Outputs;
use crate::media::pass::sound::encoder::SoundEncoder;
use crate::media::pass::sound::lane::Piece;
use crate::media::pass::sound::level::Gain;
use crate::media::pass::sound::level::Level;
use crate::media::pass::sound::mix::Mix;

/// Seconds that one of several joined streams may be ahead of another; the other is silent then.
const LEAD_S: usize = 20;

/// Where the samples of an encode go.
pub struct Target<'a> {
    /// Makes packets of them.
    pub encoder: Box<SoundEncoder>,
    /// Take the packets.
    pub outputs: Outputs<'a>,
}

/// The share of one lane in a track.
#[derive(Debug)]
struct Input {
    lane: usize,
    /// Channels taken over.
    places: Vec<Place>,
    /// How the lane's channels become those, for the layout that came last.
    mix: Option<(Vec<Place>, Mix)>,
    waiting: Vec<Vec<f64>>,
    /// Samples to come that were already made up for by silence.
    late: usize,
}

/// One encode.
pub struct SoundTrack<'a> {
    /// Of the encode in the plan.
    pub number: usize,
    name: String,
    rate_hz: u32,
    inputs: Vec<Input>,
    /// How joined channels become those of the encode.
    joined: Option<Mix>,
    map: Vec<u32>,
    level: Level,
    channels: usize,
    bit_depth: u32,
    is_finer: bool,
    target: Option<Target<'a>>,
    samples: u64,
    failed: bool,
}

impl<'a> SoundTrack<'a> {
    /// Encode `number` of the plan, of these lanes (with as many channels each). Without a target it is only measured.
    /// `measures`: its loudness is of interest though nobody asked for another one.
    pub fn new(
        number: usize,
        encode: &AudioEncode,
        lanes: &[(usize, u32)],
        gain: Option<&Gain>,
        target: Option<Target<'a>>,
        measures: bool,
    ) -> Self {
        let usual = |channels: u32| Sound::usual(encode.rate_hz, channels, SampleFormat::FLOAT_PLANAR).places();
        let places = match &target {
            Some(target) => target.encoder.places(),
            None => usual(encode.channels),
        };
        let map = encode.spec.channel_map.clone();
        let total: u32 = lanes.iter().map(|(_, channels)| channels).sum();
        let is_joined = lanes.len() > 1;
        let joined = is_joined.then(|| match map.is_empty() {
            true => Mix::between(&usual(total), &places),
            false => Mix::picked(total as usize, &map),
        });
        let inputs = lanes
            .iter()
            .map(|(lane, channels)| {
                let places = if is_joined { usual(*channels) } else { places.clone() };
                Input {
                    lane: *lane,
                    waiting: vec![Vec::new(); places.len()],
                    places,
                    mix: None,
                    late: 0,
                }
            })
            .collect();
        SoundTrack {
            number,
            name: format!("audio of stream {} as {}", encode.stream, encode.codec_name),
            rate_hz: encode.rate_hz,
            inputs,
            joined,
            map: if is_joined { Vec::new() } else { map },
            level: Level::new(
                encode.channels,
                encode.rate_hz,
                gain,
                measures || encode.spec.loudness.is_some(),
            ),
            channels: encode.channels as usize,
            bit_depth: encode.bit_depth,
            is_finer: false,
            target,
            samples: 0,
            failed: false,
        }
    }

    /// Whether anybody waits for it.
    pub fn is_wanted(&self) -> bool {
        !self.failed && self.target.as_ref().is_none_or(|target| target.outputs.are_wanted())
    }

    /// What comes next is of a source with so many bits a sample (none: lossy), resampled or not.
    pub fn comes_from(&mut self, source_bits: Option<u32>, is_resampled: bool) {
        self.is_finer = is_resampled || source_bits.is_none_or(|bits| bits > self.bit_depth);
    }

    /// Whether samples have more bits than the encoder takes.
    fn is_rounded(&self) -> bool {
        let mut mixes = self
            .inputs
            .iter()
            .filter_map(|input| input.mix.as_ref())
            .map(|(_, mix)| mix);
        self.is_finer
            || !self.level.is_idle()
            || self.joined.as_ref().is_some_and(|mix| !mix.is_identity())
            || mixes.any(|mix| !mix.is_identity())
    }

    /// Takes what a lane hands on.
    pub fn take(&mut self, lane: usize, piece: &Piece<'_>) {
        for input in self.inputs.iter_mut().filter(|input| input.lane == lane) {
            match piece {
                Piece::Silence(count) => input.append(*count, |_, waiting, count| {
                    waiting.resize(waiting.len() + count, 0.0);
                }),
                Piece::Sound(from, channels) => {
                    if input.mix.as_ref().is_none_or(|(known, _)| known != from) {
                        let mix = match self.map.is_empty() {
                            true => Mix::between(from, &input.places),
                            false => Mix::picked(from.len(), &self.map),
                        };
                        input.mix = Some((from.to_vec(), mix));
                    }
                    let count = channels.first().map_or(0, |samples| samples.len());
                    if let Some((_, mix)) = &input.mix {
                        let mixed = mix.run(channels);
                        input.append(count, |channel, waiting, count| {
                            if let Some(samples) = mixed.get(channel) {
                                waiting.extend_from_slice(&samples[samples.len() - count..]);
                            }
                        });
                    }
                }
            }
        }
        self.advance(false);
    }

    /// The lanes are over: the rest is encoded.
    pub fn finish(&mut self, whole: bool) {
        if !self.failed && self.is_wanted() && whole {
            self.advance(true);
            let rest = self.level.finish(self.channels);
            self.encode(&rest);
            let answer = self.with_target(|encoder, out| encoder.finish(out));
            self.guard(answer);
        }
        if let (Some(target), true) = (&self.target, whole) {
            target.outputs.end_track();
        }
    }

    /// Makes everything that all inputs have.
    fn advance(&mut self, all: bool) {
        let lengths = || {
            self.inputs
                .iter()
                .map(|input| input.waiting.first().map_or(0, Vec::len))
        };
        let (shortest, longest) = (lengths().min().unwrap_or(0), lengths().max().unwrap_or(0));
        let lead = LEAD_S * self.rate_hz as usize;
        let ready = if all {
            longest
        } else {
            shortest.max(longest.saturating_sub(lead))
        };
        if ready == 0 {
            return;
        }
        let mut channels: Vec<Vec<f64>> = Vec::new();
        for input in &mut self.inputs {
            let missing = ready.saturating_sub(input.waiting.first().map_or(0, Vec::len));
            input.late += missing;
            for waiting in &mut input.waiting {
                waiting.resize(waiting.len() + missing, 0.0);
                let rest = waiting.split_off(ready);
                channels.push(std::mem::replace(waiting, rest));
            }
        }
        if let Some(mix) = &self.joined {
            let slices: Vec<&[f64]> = channels.iter().map(Vec::as_slice).collect();
            channels = mix.run(&slices);
        }
        let leveled = self.level.run(channels);
        self.encode(&leveled);
    }

    fn encode(&mut self, channels: &[Vec<f64>]) {
        let count = channels.first().map_or(0, Vec::len);
        self.samples += count as u64;
        if count > 0 && !self.failed {
            let is_rounded = self.is_rounded();
            if let Some(target) = &mut self.target {
                target.encoder.dithers(is_rounded);
            }
            let answer = self.with_target(|encoder, out| encoder.push(channels, out));
            self.guard(answer);
        }
    }

    fn with_target(
        &mut self,
        work: impl FnOnce(&mut SoundEncoder, &mut dyn FnMut(crate::media::av::Packet)) -> Result<(), AvError>,
    ) -> Result<(), AvError> {
        let Some(Target { encoder, outputs }) = &mut self.target else {
            return Ok(());
        };
        let (outputs, number) = (*outputs, self.number);
        let mut failed = None;
        work(encoder, &mut |packet| {
            for output in outputs.all {
                match packet.share() {
                    Ok(packet) => output.write(TrackId::Audio(number), packet, outputs.health),
                    Err(refusal) => failed = Some(refusal),
                }
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    fn guard(&mut self, answer: Result<(), AvError>) {
        if let Err(refusal) = answer {
            self.failed = true;
            if let Some(target) = &self.target {
                target
                    .outputs
                    .fail(&error::output_sound_refused("encode", &self.name, &refusal));
            }
        }
    }

    /// Length so far, seconds.
    pub fn end_s(&self) -> f64 {
        self.samples as f64 / f64::from(self.rate_hz)
    }

    /// What was measured of it, where it was asked for.
    pub fn loudness(&self) -> Option<Loudness> {
        self.level.loudness()
    }

    /// Its level.
    pub fn level(&self) -> &Level {
        &self.level
    }
}

impl Input {
    /// Appends the part of `count` samples that is not late: `add` gets the channel, its place and how many of the
    /// last ones.
    fn append(&mut self, count: usize, add: impl Fn(usize, &mut Vec<f64>, usize)) {
        let late = self.late.min(count);
        self.late -= late;
        for (channel, waiting) in self.waiting.iter_mut().enumerate() {
            add(channel, waiting, count - late);
        }
    }
}
