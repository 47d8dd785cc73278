//! Audio encodes.

use crate::media::spec::AudioCodec;
use crate::media::spec::AudioSpec;
use crate::media::spec::Channels;
use crate::media::spec::Container;
use crate::media::spec_check::findings::Findings;
use std::ops::RangeInclusive;

/// What a codec has: sample rates (empty: any of 8000 to 192000), bit rates of all channels, most channels, profiles.
struct Range {
    rates_hz: &'static [u32],
    bitrates_kbps: RangeInclusive<u32>,
    channels: u32,
    profiles: &'static [&'static str],
}

fn range(codec: AudioCodec) -> Range {
    let bitrates_kbps = match codec {
        AudioCodec::Mp3 => 8..=320,
        AudioCodec::Opus => 8..=510,
        AudioCodec::Ac3 => 32..=640,
        AudioCodec::Eac3 => 32..=1000,
        AudioCodec::Aac | AudioCodec::Flac | AudioCodec::Pcm | AudioCodec::Copy => 8..=1000,
    };
    Range {
        rates_hz: codec.rates_hz(),
        bitrates_kbps,
        channels: codec.most_channels().min(8),
        profiles: match codec {
            AudioCodec::Aac => &["aac_low", "aac_main", "aac_ltp"],
            AudioCodec::Opus => &["audio", "voip", "lowdelay"],
            _ => &[],
        },
    }
}

pub(super) fn audio_of(findings: &mut Findings, path: &str, audio: &AudioSpec) {
    let range = range(audio.codec);
    findings.within_if(format!("{path}.bitrate_kbps"), audio.bitrate_kbps, range.bitrates_kbps);
    if let Some(rate_hz) = audio.sample_rate_hz {
        if range.rates_hz.is_empty() {
            findings.within(format!("{path}.sample_rate_hz"), rate_hz, 8_000..=192_000);
        } else if !range.rates_hz.contains(&rate_hz) {
            let known: Vec<String> = range.rates_hz.iter().map(u32::to_string).collect();
            findings.add(
                format!("{path}.sample_rate_hz"),
                format!("{rate_hz} is not one of {}", known.join(", ")),
            );
        }
    }
    if let Some(Channels::Count(channels)) = audio.channels {
        findings.within(format!("{path}.channels"), channels, 1..=range.channels);
    }
    depth_of(findings, path, audio);
    profile_of(findings, path, audio, range.profiles);
    if audio.channel_map.len() > range.channels as usize {
        findings.add(
            format!("{path}.channel_map"),
            format!("{} channels are more than {}", audio.channel_map.len(), range.channels),
        );
    }
    if let Some(channel) = audio.channel_map.iter().find(|channel| **channel >= 64) {
        findings.add(
            format!("{path}.channel_map"),
            format!("{channel} is out of range, 0 to 63"),
        );
    }
    if let (false, Some(Channels::Count(channels))) = (audio.channel_map.is_empty(), audio.channels)
        && channels as usize != audio.channel_map.len()
    {
        findings.add(
            format!("{path}.channel_map"),
            format!("has {} entries where channels = {channels}", audio.channel_map.len()),
        );
    }
    if let Some(loudness) = audio.loudness {
        findings.within(
            format!("{path}.loudness.target_lufs"),
            loudness.target_lufs,
            -70.0..=-5.0,
        );
        findings.within(
            format!("{path}.loudness.true_peak_dbtp"),
            loudness.true_peak_dbtp,
            -9.0..=0.0,
        );
        findings.within_if(format!("{path}.loudness.range_lu"), loudness.range_lu, 1.0..=50.0);
    }
    if audio.codec == AudioCodec::Copy {
        changes_of_a_copy(findings, path, audio);
    }
}

/// A copy is what the source has; whoever asks for a change wants an encode.
fn changes_of_a_copy(findings: &mut Findings, path: &str, audio: &AudioSpec) {
    for (key, asked) in [
        ("bitrate_kbps", audio.bitrate_kbps.is_some()),
        ("sample_rate_hz", audio.sample_rate_hz.is_some()),
        ("channels", audio.channels.is_some()),
        ("channel_map", !audio.channel_map.is_empty()),
        ("merge", audio.merge.is_some()),
        ("loudness", audio.loudness.is_some()),
    ] {
        if asked {
            findings.add(format!("{path}.{key}"), "means nothing with codec = \"copy\"");
        }
    }
}

fn depth_of(findings: &mut Findings, path: &str, audio: &AudioSpec) {
    let depths: &[u32] = match audio.codec {
        AudioCodec::Pcm => &[16, 24, 32],
        AudioCodec::Flac => &[16, 24],
        _ => &[],
    };
    if let Some(depth) = audio.bit_depth.filter(|depth| !depths.contains(depth)) {
        let known: Vec<String> = depths.iter().map(u32::to_string).collect();
        let why = if known.is_empty() {
            "only flac and pcm have one".to_owned()
        } else {
            format!("{depth} is not one of {}", known.join(", "))
        };
        findings.add(format!("{path}.bit_depth"), why);
    }
    if audio.float && audio.codec != AudioCodec::Pcm {
        findings.add(format!("{path}.float"), "only pcm has floating point numbers");
    }
    if let (true, Some(depth)) = (audio.float, audio.bit_depth.filter(|depth| *depth != 32)) {
        findings.add(
            format!("{path}.bit_depth"),
            format!("{depth} bits are no floating point numbers; write 32 or nothing"),
        );
    }
}

fn profile_of(findings: &mut Findings, path: &str, audio: &AudioSpec, known: &[&str]) {
    let Some(profile) = &audio.profile else { return };
    if known.is_empty() {
        findings.add(format!("{path}.profile"), "this codec has no profiles");
    } else {
        findings.one_of(format!("{path}.profile"), profile, known);
    }
}

/// Whether a container holds what an output wants to put into it.
pub(super) fn audio_fits(findings: &mut Findings, path: &str, container: Container, audio: &AudioSpec) {
    if !container.takes_audio(audio.codec) {
        let codec = serde_json::to_value(audio.codec).ok();
        let codec = codec.as_ref().and_then(|word| word.as_str()).unwrap_or_default();
        findings.add(
            format!("{path}.codec"),
            format!(
                "{} files hold no {codec}",
                container.extension().trim_start_matches('.')
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::Findings;
    use super::audio_fits;
    use super::audio_of;
    use crate::media::spec::AudioSpec;
    use crate::media::spec::Container;

    fn found(text: &str) -> Vec<String> {
        let spec: AudioSpec = toml::from_str(text).expect("a spec");
        let mut findings = Findings::default();
        audio_of(&mut findings, "audio", &spec);
        audio_fits(&mut findings, "audio", Container::Mp4, &spec);
        findings.0.iter().map(|wrong| wrong.path.clone()).collect()
    }

    #[test]
    fn each_codec_has_its_own_ranges() {
        for fine in [
            "codec = \"aac\"\nsample_rate_hz = 96000\nchannels = 8",
            "codec = \"opus\"\nsample_rate_hz = 48000\nbitrate_kbps = 510\nprofile = \"voip\"",
            "codec = \"ac3\"\nchannels = 6\nbitrate_kbps = 448",
            "codec = \"flac\"\nbit_depth = 24\nsample_rate_hz = 192000",
            "codec = \"copy\"\ntracks = [\"eng\"]",
            "codec = \"aac\"\nloudness = { target_lufs = -16.0 }\nchannel_map = [2, 2]",
        ] {
            assert_eq!(found(fine), Vec::<String>::new(), "{fine}");
        }
        for (wrong, key) in [
            ("codec = \"opus\"\nsample_rate_hz = 44100", "audio.sample_rate_hz"),
            ("codec = \"mp3\"\nchannels = 6", "audio.channels"),
            ("codec = \"mp3\"\nbitrate_kbps = 400", "audio.bitrate_kbps"),
            ("codec = \"aac\"\nbit_depth = 16", "audio.bit_depth"),
            ("codec = \"aac\"\nprofile = \"aac_he\"", "audio.profile"),
            ("codec = \"ac3\"\nprofile = \"x\"", "audio.profile"),
            ("codec = \"copy\"\nchannels = 2", "audio.channels"),
            ("codec = \"pcm\"", "audio.codec"),
            (
                "codec = \"aac\"\nloudness = { target_lufs = 1.0 }",
                "audio.loudness.target_lufs",
            ),
            (
                "codec = \"aac\"\nchannels = 1\nchannel_map = [0, 1]",
                "audio.channel_map",
            ),
        ] {
            assert_eq!(found(wrong), [key], "{wrong}");
        }
    }
}
