//! Audio encodes: of which tracks, in which codec, at which rate, with how many channels.
//!
//! Guarantees: the track that players choose by themselves stands first. Deliberately absent: how samples are mixed.

use crate::media::facts::AudioFacts;
use crate::media::facts::MediaFacts;
use crate::media::facts::StreamFacts;
use crate::media::facts::StreamKind;
use crate::media::language;
use crate::media::pass::plan::AudioEncode;
use crate::media::pass::plan::Plan;
use crate::media::spec::AudioCodec;
use crate::media::spec::AudioSpec;
use crate::media::spec::Channels;
use crate::media::spec::Container;
use crate::media::spec::Merge;
use crate::media::spec::TrackPick;
use crate::media::spec::Tracks;

/// Rates that others are brought to, the one first that divides theirs.
const USUAL_RATES_HZ: [u32; 2] = [48_000, 44_100];
/// Highest rate that is kept when none is asked for; beyond, numbers are a mistake of the file.
const HIGHEST_RATE_HZ: u32 = 384_000;

/// A track to be: one of the source, or several mono ones side by side.
type Picked<'a> = Vec<(&'a StreamFacts, &'a AudioFacts)>;

impl Plan {
    /// The first encode that has the same samples as this one, before they are encoded: what is measured of it is true of
    /// both. Copies, whose samples nobody sees, are alike to nothing else.
    pub fn first_alike(&self, number: usize) -> usize {
        let alike = |one: &AudioEncode, other: &AudioEncode| {
            one.spec.codec != AudioCodec::Copy
                && other.spec.codec != AudioCodec::Copy
                && (one.stream, &one.joined, one.rate_hz, one.channels)
                    == (other.stream, &other.joined, other.rate_hz, other.channels)
                && (one.spec.loudness, &one.spec.channel_map) == (other.spec.loudness, &other.spec.channel_map)
        };
        let own = self.audios.get(number);
        let first = own.and_then(|own| self.audios.iter().position(|other| alike(own, other)));
        first.unwrap_or(number)
    }

    /// The encodes of all tracks that a spec takes of a source, for an output in a container (sets of fMP4 segments:
    /// mp4). What cannot be had is told in `dropped`.
    pub(super) fn sounds_of(
        &mut self,
        spec: &AudioSpec,
        facts: &MediaFacts,
        output: &str,
        container: Container,
        dropped: &mut Vec<String>,
    ) -> Vec<usize> {
        let mut picked = picks(spec, facts, output, dropped);
        if container.holds_one_sound() {
            for track in picked.iter().skip(1) {
                dropped.push(format!(
                    "{output}: {} files hold one track; stream {} is left out",
                    container.extension().trim_start_matches('.'),
                    track[0].0.index
                ));
            }
            picked.truncate(1);
        }
        let mut sounds = Vec::new();
        for track in picked {
            let encode = encode_of(spec, &track, output, container, dropped);
            let known = self.audios.iter().position(|known| *known == encode);
            let sound = known.unwrap_or_else(|| {
                self.audios.push(encode);
                self.audios.len() - 1
            });
            if !sounds.contains(&sound) {
                sounds.push(sound);
            }
        }
        sounds
    }
}

/// The tracks that a spec takes.
fn picks<'a>(spec: &AudioSpec, facts: &'a MediaFacts, output: &str, dropped: &mut Vec<String>) -> Vec<Picked<'a>> {
    let all: Picked<'a> = facts
        .streams
        .iter()
        .filter_map(|stream| match &stream.kind {
            StreamKind::Audio(audio) if stream.decodable => Some((stream, audio)),
            _ => None,
        })
        .collect();
    let main = facts.main_audio().map(|(stream, _)| stream.index);
    let is_main = |stream: &StreamFacts| Some(stream.index) == main;
    let of_program = |all: Picked<'a>| -> Picked<'a> {
        all.into_iter()
            .filter(|(stream, _)| facts.is_of_main_program(stream))
            .collect()
    };
    let chosen: Picked<'a> = match (&spec.tracks, spec.merge) {
        (Tracks::Main, None) => all.into_iter().filter(|(stream, _)| is_main(stream)).collect(),
        // What is to be put together stands in the order of the file.
        (Tracks::All | Tracks::Main, Some(_)) => of_program(all),
        (Tracks::All, None) => {
            let (first, others): (Picked<'a>, Picked<'a>) =
                of_program(all).into_iter().partition(|(stream, _)| is_main(stream));
            first.into_iter().chain(others).collect()
        }
        (Tracks::These(wanted), _) => these(wanted, &all, output, dropped),
    };
    let mut tracks = merged(chosen, spec.merge);
    if spec.tracks == Tracks::Main {
        tracks.truncate(1);
    }
    tracks
}

fn these<'a>(wanted: &[TrackPick], all: &Picked<'a>, output: &str, dropped: &mut Vec<String>) -> Picked<'a> {
    let mut chosen: Picked<'a> = Vec::new();
    for pick in wanted {
        let before = chosen.len();
        for (stream, audio) in all {
            let fits = match pick {
                TrackPick::Index(index) => stream.index == *index,
                TrackPick::Language(language) => stream
                    .language
                    .as_deref()
                    .is_some_and(|said| same_language(said, language)),
            };
            if fits && !chosen.iter().any(|(known, _)| known.index == stream.index) {
                chosen.push((*stream, *audio));
            }
        }
        if chosen.len() == before {
            dropped.push(match pick {
                TrackPick::Index(index) => format!("{output}: the source has no audio stream {index}"),
                TrackPick::Language(language) => format!("{output}: the source has no audio in {language:?}"),
            });
        }
    }
    chosen
}

/// Two spellings of a language, `en` and `eng`; a region counts where it is asked for.
fn same_language(said: &str, wanted: &str) -> bool {
    let (Some(said), Some(wanted)) = (language::tag(said), language::tag(wanted)) else {
        return said.eq_ignore_ascii_case(wanted);
    };
    said == wanted || said.split('-').next() == Some(wanted.as_str())
}

/// Puts mono tracks of one rate together; others stay as they are.
fn merged(chosen: Picked<'_>, merge: Option<Merge>) -> Vec<Picked<'_>> {
    let wanted = match merge {
        None => 1,
        Some(Merge::StereoPairs) => 2,
        Some(Merge::Surround51) => 6,
    };
    let mut tracks: Vec<Picked<'_>> = Vec::new();
    let mut open: Picked<'_> = Vec::new();
    for (stream, audio) in chosen {
        let joins = audio.channels == 1
            && wanted > 1
            && open
                .first()
                .is_none_or(|(_, first)| first.sample_rate_hz == audio.sample_rate_hz);
        if !joins {
            tracks.extend(open.drain(..).map(|track| vec![track]));
        }
        if audio.channels == 1 && wanted > 1 {
            open.push((stream, audio));
            if open.len() == wanted {
                tracks.push(std::mem::take(&mut open));
            }
        } else {
            tracks.push(vec![(stream, audio)]);
        }
    }
    tracks.extend(open.into_iter().map(|track| vec![track]));
    tracks
}

fn encode_of(
    spec: &AudioSpec,
    track: &Picked<'_>,
    output: &str,
    container: Container,
    dropped: &mut Vec<String>,
) -> AudioEncode {
    let (stream, audio) = track[0];
    let joined: Vec<usize> = track[1..].iter().map(|(stream, _)| stream.index).collect();
    let resolved = AudioSpec {
        sample_rate_hz: None,
        channels: None,
        bit_depth: None,
        float: false,
        tracks: Tracks::All,
        merge: None,
        ..spec.clone()
    };
    if spec.codec == AudioCodec::Copy && container.takes_copy(&stream.codec_name) {
        return AudioEncode {
            stream: stream.index,
            joined,
            spec: resolved,
            codec_name: stream.codec_name.clone(),
            rate_hz: audio.sample_rate_hz,
            channels: audio.channels,
            layout: String::new(),
            bit_depth: 0,
        };
    }
    let codec = match spec.codec {
        AudioCodec::Copy => {
            let instead = container.usual_audio();
            dropped.push(format!(
                "{output}: {} files hold no {}; stream {} is encoded instead of copied",
                container.extension().trim_start_matches('.'),
                stream.codec_name,
                stream.index
            ));
            instead
        }
        codec if container.takes_audio(codec) => codec,
        _ => container.usual_audio(),
    };
    let source_channels: u32 = track.iter().map(|(_, audio)| audio.channels).sum();
    let most = codec.most_channels();
    let channels = match spec.channels {
        _ if !spec.channel_map.is_empty() => spec.channel_map.len() as u32,
        Some(Channels::Count(channels)) => channels,
        Some(Channels::Source) => source_channels,
        None if spec.merge.is_some() && !joined.is_empty() => source_channels,
        None => source_channels.min(2),
    };
    if spec.channels == Some(Channels::Source) && channels > most {
        dropped.push(format!(
            "{output}: stream {} has {channels} channels and {} at most {most}; they are mixed down",
            stream.index,
            codec_name(codec, 0)
        ));
    }
    let channels = channels.clamp(1, most);
    let keeps_places = joined.is_empty() && spec.channel_map.is_empty() && channels == audio.channels;
    let bit_depth = depth(spec, codec, stream, audio);
    AudioEncode {
        stream: stream.index,
        joined,
        codec_name: codec_name(codec, bit_depth).to_owned(),
        spec: AudioSpec { codec, ..resolved },
        rate_hz: rate(spec.sample_rate_hz.unwrap_or(audio.sample_rate_hz), codec),
        channels,
        layout: if keeps_places {
            audio.channel_layout.clone()
        } else {
            String::new()
        },
        bit_depth,
    }
}

/// The rate of an encode for a wanted one: that where the codec has it, else a usual one that divides it.
fn rate(wanted_hz: u32, codec: AudioCodec) -> u32 {
    let has = |rate_hz: u32| match codec.rates_hz() {
        [] => (1..=HIGHEST_RATE_HZ).contains(&rate_hz),
        rates => rates.contains(&rate_hz),
    };
    if has(wanted_hz) {
        return wanted_hz;
    }
    let divides = |rate_hz: &u32| wanted_hz > 0 && wanted_hz.is_multiple_of(*rate_hz) && has(*rate_hz);
    USUAL_RATES_HZ.into_iter().find(divides).unwrap_or(USUAL_RATES_HZ[0])
}

/// Bits of a sample that a lossless codec writes; 0: floating point numbers.
fn depth(spec: &AudioSpec, codec: AudioCodec, stream: &StreamFacts, audio: &AudioFacts) -> u32 {
    let is_float = stream.codec_name.starts_with("pcm_f");
    match (codec, spec.bit_depth) {
        (AudioCodec::Pcm, _) if spec.float => 0,
        (AudioCodec::Pcm | AudioCodec::Flac, Some(depth)) => depth,
        (AudioCodec::Pcm, None) if is_float => 0,
        (AudioCodec::Flac, None) if is_float => 24,
        (AudioCodec::Pcm, None) => match audio.bit_depth.unwrap_or(16) {
            0..=16 => 16,
            17..=24 => 24,
            _ => 32,
        },
        (AudioCodec::Flac, None) if audio.bit_depth.unwrap_or(16) > 16 => 24,
        (AudioCodec::Flac, None) => 16,
        _ => 0,
    }
}

/// What a probe calls a stream of it.
fn codec_name(codec: AudioCodec, bit_depth: u32) -> &'static str {
    match (codec, bit_depth) {
        (AudioCodec::Aac | AudioCodec::Copy, _) => "aac",
        (AudioCodec::Opus, _) => "opus",
        (AudioCodec::Mp3, _) => "mp3",
        (AudioCodec::Flac, _) => "flac",
        (AudioCodec::Ac3, _) => "ac3",
        (AudioCodec::Eac3, _) => "eac3",
        (AudioCodec::Pcm, 0) => "pcm_f32le",
        (AudioCodec::Pcm, 16) => "pcm_s16le",
        (AudioCodec::Pcm, 24) => "pcm_s24le",
        (AudioCodec::Pcm, _) => "pcm_s32le",
    }
}

#[cfg(test)]
mod tests {
    use super::rate;
    use crate::media::facts::MediaFacts;
    use crate::media::pass::plan::AudioEncode;
    use crate::media::pass::plan::Plan;
    use crate::media::spec::AudioCodec;
    use crate::media::spec::Container;

    /// A source of audio streams: codec, language, channels.
    fn source(streams: &[(&str, &str, u32)]) -> MediaFacts {
        let streams: Vec<String> = streams
            .iter()
            .enumerate()
            .map(|(index, (codec, language, channels))| {
                format!(
                    "{{\"index\":{index},\"codec_name\":\"{codec}\",\"codec_long_name\":\"\",\"codec_tag_string\":\"\",\
                    \"codec_tag\":\"\",\"time_base\":{{\"num\":1,\"den\":48000}},\"default\":{},\"decodable\":true,\
                    \"language\":\"{language}\",\"type\":\"audio\",\"sample_rate_hz\":48000,\"channels\":{channels},\
                    \"channel_layout\":\"\",\"bit_depth\":24}}",
                    index == 1
                )
            })
            .collect();
        let text = format!(
            "{{\"format_name\":\"mxf\",\"format_long_name\":\"\",\"size_bytes\":1,\"streams\":[{}]}}",
            streams.join(",")
        );
        serde_json::from_str(&text).expect("facts")
    }

    fn planned(facts: &MediaFacts, spec: &str, container: Container) -> (Vec<AudioEncode>, Vec<String>) {
        let mut plan = Plan::default();
        let mut dropped = Vec::new();
        let spec = toml::from_str(spec).expect("a spec");
        let sounds = plan.sounds_of(&spec, facts, "out", container, &mut dropped);
        (
            sounds.iter().map(|sound| plan.audios[*sound].clone()).collect(),
            dropped,
        )
    }

    fn streams(encodes: &[AudioEncode]) -> Vec<Vec<usize>> {
        encodes.iter().map(|encode| encode.streams().collect()).collect()
    }

    #[test]
    fn all_tracks_are_taken_with_the_default_one_first() {
        let facts = source(&[("aac", "eng", 2), ("ac3", "deu", 6), ("aac", "fra", 1)]);
        let (encodes, dropped) = planned(&facts, "codec = \"aac\"", Container::Mp4);
        assert_eq!(streams(&encodes), [[1], [0], [2]]);
        assert_eq!(
            encodes.iter().map(|encode| encode.channels).collect::<Vec<_>>(),
            [2, 2, 1]
        );
        assert!(dropped.is_empty());
        let (encodes, dropped) = planned(&facts, "codec = \"mp3\"", Container::Mp3);
        assert_eq!((streams(&encodes), dropped.len()), (vec![vec![1]], 2));
        let (encodes, _) = planned(
            &facts,
            "codec = \"aac\"\ntracks = \"main\"\nchannels = \"source\"",
            Container::Mp4,
        );
        assert_eq!((streams(&encodes), encodes[0].channels), (vec![vec![1]], 6));
        let (encodes, dropped) = planned(&facts, "codec = \"aac\"\ntracks = [\"fr\", 0, \"spa\"]", Container::Mp4);
        assert_eq!((streams(&encodes), dropped.len()), (vec![vec![2], vec![0]], 1));
    }

    #[test]
    fn mono_tracks_are_put_together_as_asked() {
        let facts = source(&[("pcm_s24le", "", 1); 8]);
        let pairs = "codec = \"aac\"\nmerge = \"stereo_pairs\"";
        assert_eq!(
            streams(&planned(&facts, pairs, Container::Mp4).0),
            [[0, 1], [2, 3], [4, 5], [6, 7]]
        );
        let (encodes, _) = planned(&facts, "codec = \"aac\"\nmerge = \"5.1\"", Container::Mp4);
        assert_eq!(streams(&encodes), [vec![0, 1, 2, 3, 4, 5], vec![6], vec![7]]);
        assert_eq!((encodes[0].channels, encodes[1].channels), (6, 1));
        assert_eq!(planned(&facts, "codec = \"aac\"", Container::Mp4).0.len(), 8);
    }

    #[test]
    fn copies_are_made_where_the_container_allows() {
        let facts = source(&[("eac3", "", 6), ("vorbis", "", 2)]);
        let (encodes, dropped) = planned(&facts, "codec = \"copy\"", Container::Mp4);
        let codecs: Vec<_> = encodes
            .iter()
            .map(|encode| (encode.spec.codec, encode.codec_name.as_str()))
            .collect();
        assert_eq!(codecs, [(AudioCodec::Aac, "aac"), (AudioCodec::Copy, "eac3")]);
        assert_eq!(dropped.len(), 1, "{dropped:?}");
    }

    #[test]
    fn rates_and_depths_follow_the_source() {
        assert_eq!(rate(96_000, AudioCodec::Aac), 96_000);
        assert_eq!(rate(96_000, AudioCodec::Mp3), 48_000);
        assert_eq!(rate(176_400, AudioCodec::Mp3), 44_100);
        assert_eq!(rate(44_100, AudioCodec::Opus), 48_000);
        assert_eq!(rate(192_000, AudioCodec::Flac), 192_000);
        let facts = source(&[("pcm_s24le", "", 2)]);
        let name = |spec: &str, container| planned(&facts, spec, container).0[0].codec_name.clone();
        assert_eq!(name("codec = \"pcm\"", Container::Wav), "pcm_s24le");
        assert_eq!(name("codec = \"pcm\"\nbit_depth = 16", Container::Wav), "pcm_s16le");
        assert_eq!(name("codec = \"pcm\"\nfloat = true", Container::Wav), "pcm_f32le");
        assert_eq!(planned(&facts, "codec = \"flac\"", Container::Flac).0[0].bit_depth, 24);
    }
}
