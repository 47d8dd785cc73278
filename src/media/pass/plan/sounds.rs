//! Audio encodes: of which track, at which rate, with how many channels.

use crate::media::facts::AudioFacts;
use crate::media::pass::plan::AudioEncode;
use crate::media::pass::plan::Plan;
use crate::media::spec::AudioSpec;

/// Sample rates of AAC.
const AAC_RATES_HZ: [u32; 12] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
];

impl Plan {
    pub(super) fn audio_of(&mut self, spec: &AudioSpec, stream: usize, facts: &AudioFacts) -> usize {
        let wanted = spec.sample_rate_hz.unwrap_or(facts.sample_rate_hz);
        let encode = AudioEncode {
            stream,
            spec: AudioSpec {
                sample_rate_hz: None,
                channels: None,
                ..spec.clone()
            },
            rate_hz: if AAC_RATES_HZ.contains(&wanted) { wanted } else { 48_000 },
            channels: spec.channels.unwrap_or(facts.channels.clamp(1, 2)),
        };
        self.audios
            .iter()
            .position(|known| *known == encode)
            .unwrap_or_else(|| {
                self.audios.push(encode);
                self.audios.len() - 1
            })
    }
}
