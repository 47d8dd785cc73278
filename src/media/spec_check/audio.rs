//! Audio encodes.

use crate::media::spec::AudioSpec;
use crate::media::spec_check::findings::Findings;

/// Sample rates that AAC has, Hz.
const SAMPLE_RATES_HZ: [u32; 13] = [
    7_350, 8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000,
];

pub(super) fn audio_of(findings: &mut Findings, path: &str, audio: &AudioSpec) {
    findings.within(format!("{path}.bitrate_kbps"), audio.bitrate_kbps, 8..=1000);
    if let Some(rate) = audio.sample_rate_hz.filter(|rate| !SAMPLE_RATES_HZ.contains(rate)) {
        let known = SAMPLE_RATES_HZ.map(|rate| rate.to_string()).join(", ");
        findings.add(
            format!("{path}.sample_rate_hz"),
            format!("{rate} is not one of {known}"),
        );
    }
    if let Some(channels) = audio.channels.filter(|channels| ![1, 2, 6, 8].contains(channels)) {
        findings.add(
            format!("{path}.channels"),
            format!("{channels} is not one of 1, 2, 6, 8"),
        );
    }
}
