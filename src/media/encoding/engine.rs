//! Encoders of the libav that is linked.
//!
//! Guarantees: an encoder is looked for before it is opened, so that a missing one is told as what it is. Deliberately
//! absent: their options.

use crate::base::fault::Fault;
use crate::media::av::inventory;
use crate::media::error;
use crate::media::spec::VideoCodec;
use crate::media::spec::VideoSpec;

/// A video encoder that this engine knows how to drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// x264.
    X264,
    /// x265.
    X265,
    /// SVT-AV1.
    SvtAv1,
    /// libaom.
    Aom,
    /// libvpx for VP9.
    Vpx,
    /// libav's better one of ProRes.
    ProresKs,
    /// libav's of DNxHD and DNxHR.
    Dnxhd,
    /// libav's of MPEG-2.
    Mpeg2,
}

/// How an encoder comes to its key frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFrames {
    /// Every frame is one.
    Every,
    /// It makes one where a frame asks for it.
    Asked,
    /// It cannot be asked and makes one every so many frames by itself.
    Counted(u32),
    /// It cannot be asked: where a key frame is wanted the encoder is brought to its end and a new one begins.
    Anew,
}

/// Who writes closed captions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptionsBy {
    /// The encoder, of pictures that carry them.
    Encoder,
    /// Whoever takes what it made, in messages of that codec.
    Message(VideoCodec),
}

impl Engine {
    /// libav's name.
    pub fn name(self) -> &'static str {
        match self {
            Engine::X264 => "libx264",
            Engine::X265 => "libx265",
            Engine::SvtAv1 => "libsvtav1",
            Engine::Aom => "libaom-av1",
            Engine::Vpx => "libvpx-vp9",
            Engine::ProresKs => "prores_ks",
            Engine::Dnxhd => "dnxhd",
            Engine::Mpeg2 => "mpeg2video",
        }
    }

    /// Encoders of a codec, the best first.
    pub fn of(codec: VideoCodec) -> &'static [Engine] {
        match codec {
            VideoCodec::H264 => &[Engine::X264],
            VideoCodec::Hevc => &[Engine::X265],
            VideoCodec::Av1 => &[Engine::SvtAv1, Engine::Aom],
            VideoCodec::Vp9 => &[Engine::Vpx],
            VideoCodec::Prores => &[Engine::ProresKs],
            VideoCodec::Dnxhr => &[Engine::Dnxhd],
            VideoCodec::Mpeg2 => &[Engine::Mpeg2],
            VideoCodec::Copy => &[],
        }
    }

    /// The best encoder of a codec that there is. `output` is named in the fault when there is none.
    pub fn find(codec: VideoCodec, output: &str) -> Result<Engine, Fault> {
        let known = Engine::of(codec);
        known
            .iter()
            .copied()
            .find(|engine| inventory::has_encoder(engine.name()))
            .ok_or_else(|| {
                let names: Vec<&str> = known.iter().map(|engine| engine.name()).collect();
                error::encoder_missing(output, codec.word(), &names)
            })
    }

    /// How it comes to the key frames of a spec.
    pub fn key_frames(self, spec: &VideoSpec) -> KeyFrames {
        match self {
            Engine::ProresKs | Engine::Dnxhd => KeyFrames::Every,
            Engine::SvtAv1 | Engine::Aom => match steady_gop(spec) {
                Some(frames) => KeyFrames::Counted(frames),
                None => KeyFrames::Anew,
            },
            _ => KeyFrames::Asked,
        }
    }

    /// Whether its time stamps must count frames: MPEG-2 knows a few steady rates only.
    pub fn counts_frames(self) -> bool {
        self == Engine::Mpeg2
    }

    /// Whether packets come in the order in which they are shown, so that both their time stamps are the same.
    pub fn keeps_order(self) -> bool {
        matches!(self, Engine::SvtAv1 | Engine::Aom | Engine::Vpx)
    }

    /// How closed captions come into its pictures; none: they have no place for them.
    pub fn captions(self) -> Option<CaptionsBy> {
        match self {
            Engine::X264 | Engine::Mpeg2 => Some(CaptionsBy::Encoder),
            Engine::X265 => Some(CaptionsBy::Message(VideoCodec::Hevc)),
            Engine::SvtAv1 | Engine::Aom => Some(CaptionsBy::Message(VideoCodec::Av1)),
            Engine::Vpx | Engine::ProresKs | Engine::Dnxhd => None,
        }
    }

    /// Whether it reads and writes the statistics of two passes as files of its own.
    pub fn keeps_statistics(self) -> bool {
        matches!(self, Engine::X264 | Engine::X265)
    }
}

/// Frames between key frames, when they are as many in every GOP whatever the source.
fn steady_gop(spec: &VideoSpec) -> Option<u32> {
    if spec.gop_frames.is_some() {
        return spec.gop_frames;
    }
    let frames = spec.fps? * spec.gop_s;
    let whole = frames.round();
    ((frames - whole).abs() < 1e-9 && whole >= 1.0).then_some(whole as u32)
}

#[cfg(test)]
mod tests {
    use super::Engine;
    use super::KeyFrames;
    use crate::media::spec::VideoCodec;
    use crate::media::spec::VideoSpec;

    #[test]
    fn a_missing_encoder_is_told_as_what_it_is() {
        let fault = Engine::find(VideoCodec::Copy, "720p").expect_err("there is none");
        assert_eq!((fault.code.as_str(), fault.retryable), ("EncoderMissing", false));
        assert!(
            fault.cause.contains("copy") && fault.remedy.contains("reelmill check"),
            "{fault}"
        );
    }

    #[test]
    fn key_frames_of_av1_are_counted_only_where_counting_is_exact() {
        let keys = |text: &str| {
            let spec: VideoSpec = toml::from_str(&format!("codec = \"av1\"\n{text}")).expect("a spec");
            Engine::SvtAv1.key_frames(&spec)
        };
        assert_eq!(keys("gop_frames = 48"), KeyFrames::Counted(48));
        assert_eq!(keys("fps = 25\ngop_s = 2"), KeyFrames::Counted(50));
        assert_eq!(keys("fps = 29.97\ngop_s = 2"), KeyFrames::Anew);
        assert_eq!(
            keys("gop_s = 2"),
            KeyFrames::Anew,
            "the source's timing may be anything"
        );
    }
}
