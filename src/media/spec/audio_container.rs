//! Which container holds which audio: the one table of it.
//!
//! Guarantees: what the table allows, libav's muxers write and common players read. Deliberately absent: pictures.

use crate::media::spec::audio::AudioCodec;
use crate::media::spec::group::Container;

impl Container {
    /// Whether it holds sound of a codec. `Copy` is held by all: what cannot be copied is encoded.
    pub fn takes_audio(self, codec: AudioCodec) -> bool {
        use AudioCodec::Aac;
        use AudioCodec::Ac3;
        use AudioCodec::Copy;
        use AudioCodec::Eac3;
        use AudioCodec::Flac;
        use AudioCodec::Mp3;
        use AudioCodec::Opus;
        use AudioCodec::Pcm;
        match (self, codec) {
            (_, Copy) | (Container::Mkv, _) => true,
            (Container::Mp4, codec) => matches!(codec, Aac | Opus | Mp3 | Flac | Ac3 | Eac3),
            (Container::M4a, codec) => matches!(codec, Aac | Opus | Flac | Ac3 | Eac3),
            (Container::Mov, codec) => matches!(codec, Aac | Mp3 | Ac3 | Eac3 | Pcm),
            (Container::Webm, codec) => codec == Opus,
            (Container::Ts, codec) => matches!(codec, Aac | Mp3 | Ac3 | Eac3),
            (Container::Mp3, codec) => codec == Mp3,
            (Container::Flac, codec) => codec == Flac,
            (Container::Wav, codec) => codec == Pcm,
            (Container::Ogg, codec) => matches!(codec, Opus | Flac),
        }
    }

    /// Whether it holds packets of a source's codec (libav's name of it) as they are.
    pub fn takes_copy(self, codec_name: &str) -> bool {
        let pcm_le = matches!(codec_name, "pcm_s16le" | "pcm_s24le" | "pcm_s32le" | "pcm_f32le");
        let known = match codec_name {
            "aac" => Some(AudioCodec::Aac),
            "opus" => Some(AudioCodec::Opus),
            "mp3" => Some(AudioCodec::Mp3),
            "flac" => Some(AudioCodec::Flac),
            "ac3" => Some(AudioCodec::Ac3),
            "eac3" => Some(AudioCodec::Eac3),
            _ if pcm_le => Some(AudioCodec::Pcm),
            _ => None,
        };
        match (known, self) {
            (Some(codec), _) => self.takes_audio(codec),
            (None, Container::Mp4 | Container::M4a) => codec_name == "alac",
            (None, Container::Mov) => matches!(codec_name, "alac" | "pcm_s16be" | "pcm_s24be" | "pcm_s32be"),
            (None, Container::Mkv) => matches!(
                codec_name,
                "alac" | "mp2" | "vorbis" | "dts" | "truehd" | "mlp" | "tta" | "wavpack" | "pcm_s16be" | "pcm_s24be"
            ),
            (None, Container::Webm) => codec_name == "vorbis",
            (None, Container::Ts) => matches!(codec_name, "mp2" | "dts"),
            (None, Container::Ogg) => codec_name == "vorbis",
            (None, Container::Mp3 | Container::Flac | Container::Wav) => false,
        }
    }

    /// What it usually holds.
    pub fn usual_audio(self) -> AudioCodec {
        match self {
            Container::Mp4 | Container::M4a | Container::Mov | Container::Mkv | Container::Ts => AudioCodec::Aac,
            Container::Webm | Container::Ogg => AudioCodec::Opus,
            Container::Mp3 => AudioCodec::Mp3,
            Container::Flac => AudioCodec::Flac,
            Container::Wav => AudioCodec::Pcm,
        }
    }

    /// Whether there is room for one track of sound only.
    pub fn holds_one_sound(self) -> bool {
        matches!(self, Container::Mp3 | Container::Flac | Container::Wav | Container::Ogg)
    }

    /// The container of an output whose group names none: mp4 for pictures, else what its codec is usually kept in.
    pub fn usual(has_video: bool, audio: Option<AudioCodec>) -> Self {
        match audio {
            _ if has_video => Container::Mp4,
            Some(AudioCodec::Mp3) => Container::Mp3,
            Some(AudioCodec::Flac) => Container::Flac,
            Some(AudioCodec::Pcm) => Container::Wav,
            Some(AudioCodec::Opus) => Container::Ogg,
            Some(AudioCodec::Aac | AudioCodec::Ac3 | AudioCodec::Eac3 | AudioCodec::Copy) | None => Container::M4a,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AudioCodec;
    use super::Container;

    #[test]
    fn the_usual_codec_and_container_fit() {
        for container in [
            Container::Mp4,
            Container::M4a,
            Container::Mov,
            Container::Mkv,
            Container::Webm,
            Container::Ts,
            Container::Mp3,
            Container::Flac,
            Container::Wav,
            Container::Ogg,
        ] {
            assert!(container.takes_audio(container.usual_audio()), "{container:?}");
        }
        for codec in [
            AudioCodec::Aac,
            AudioCodec::Mp3,
            AudioCodec::Flac,
            AudioCodec::Pcm,
            AudioCodec::Opus,
        ] {
            assert!(Container::usual(false, Some(codec)).takes_audio(codec), "{codec:?}");
        }
        assert!(!Container::Webm.takes_copy("aac") && Container::Webm.takes_copy("vorbis"));
        assert!(!Container::Mp4.takes_copy("wmav2"));
    }
}
