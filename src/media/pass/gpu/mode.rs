//! Which stages of a pass work on the device, and why the others do not.
//!
//! Guarantees: pure. A stage that the device can do is done there, and every one that it is not done there for a reason
//! of the device's has that reason in the answer, in one line. Deliberately absent: opening anything; a session that
//! is refused later is `settle`d afterwards.

use crate::media::av::PixelFormat;
use crate::media::device_report::DeviceFacts;
use crate::media::pass::fields::Fields;

/// How a pass is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Decoded, scaled and encoded on the device: pictures never leave it.
    Full,
    /// Decoded and scaled there, encoded in software.
    DecodeAndScale,
    /// Decoded in software, scaled and encoded there.
    Encode,
    /// Nothing there.
    Software,
}

impl Mode {
    /// What a product says of where it was made.
    pub fn word(self) -> &'static str {
        match self {
            Mode::Full => "gpu",
            Mode::DecodeAndScale => "gpu-decode",
            Mode::Encode => "gpu-encode",
            Mode::Software => "software",
        }
    }

    fn of(decodes: bool, encodes: bool) -> Self {
        match (decodes, encodes) {
            (true, true) => Mode::Full,
            (true, false) => Mode::DecodeAndScale,
            (false, true) => Mode::Encode,
            (false, false) => Mode::Software,
        }
    }
}

/// What decides whether a device's decoder takes a source.
#[derive(Debug, Clone, Copy)]
pub struct SourceKind<'a> {
    /// Codec, as a probe calls it.
    pub codec: &'a str,
    /// Pixel format of its first pictures.
    pub format: PixelFormat,
    /// Coded size, pixels.
    pub size: (u32, u32),
    /// Its fields.
    pub fields: Fields,
    /// Others are joined to it.
    pub is_joined: bool,
    /// One launch brings its pictures to all grades that are wanted.
    pub is_launchable: bool,
}

/// Whether the decoder of a device takes a source, or why not.
pub fn decodes(device: &DeviceFacts, source: &SourceKind<'_>) -> Result<(), String> {
    let chroma = chroma_of(source.format).ok_or("its pictures are of no kind that the device decodes")?;
    let depth = source.format.bit_depth();
    let (width, height) = source.size;
    if source.is_joined {
        return Err("joined sources are decoded in software".to_owned());
    }
    if let Fields::Telecined(_) = source.fields {
        return Err("a film spread over fields is put together again in software".to_owned());
    }
    if !source.is_launchable {
        return Err("its colours are converted in software".to_owned());
    }
    if !device.can_decode(source.codec, chroma, depth, source.size) {
        let codec = source.codec;
        return Err(format!(
            "the device does not decode {codec} {chroma} of {depth} bits at {width}x{height}"
        ));
    }
    Ok(())
}

/// As `device_report` writes it.
fn chroma_of(format: PixelFormat) -> Option<&'static str> {
    if format.is_rgb() || format.has_alpha() || format.bit_depth() == 0 {
        return None;
    }
    if format.is_grey() {
        return Some("4:0:0");
    }
    match format.chroma_shift() {
        (1, 1) => Some("4:2:0"),
        (1, 0) => Some("4:2:2"),
        (0, 0) => Some("4:4:4"),
        _ => None,
    }
}

/// Where the stages of a pass work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The whole.
    pub mode: Mode,
    /// By video encode: by the device's encoder. Copies are not.
    pub encoders: Vec<bool>,
    /// Why not all of it is on the device.
    pub reason: Option<String>,
}

impl Choice {
    /// Nothing on the device.
    pub fn software(videos: usize, reason: Option<String>) -> Self {
        Choice {
            mode: Mode::Software,
            encoders: vec![false; videos],
            reason,
        }
    }

    /// Puts stages where they can be. `encoders`: of each video encode whether the device's encoder makes it, or why not;
    /// none for copies.
    pub fn make(decodes: Result<(), String>, encoders: &[Option<Result<(), String>>]) -> Self {
        let on_device = |one: &Option<Result<(), String>>| matches!(one, Some(Ok(())));
        let encodes = encoders.iter().any(on_device);
        let mut reasons: Vec<String> = Vec::new();
        for reason in encoders.iter().flatten().filter_map(|one| one.as_ref().err()) {
            if !reasons.contains(reason) {
                reasons.push(reason.clone());
            }
        }
        let is_decoded = decodes.is_ok();
        reasons.extend(decodes.err());
        Choice {
            mode: Mode::of(is_decoded, encodes),
            encoders: encoders.iter().map(on_device).collect(),
            reason: one_line(&reasons),
        }
    }

    /// The encoder of number `index` could not be opened on the device; it is a software one now.
    pub fn settle(&mut self, index: usize, reason: &str) {
        if let Some(is_there) = self.encoders.get_mut(index) {
            *is_there = false;
        }
        let known = self.reason.take();
        self.reason = match known {
            Some(known) if known.contains(reason) => Some(known),
            known => one_line(&known.into_iter().chain([reason.to_owned()]).collect::<Vec<_>>()),
        };
        let decodes = matches!(self.mode, Mode::Full | Mode::DecodeAndScale);
        self.mode = Mode::of(decodes, self.encoders.contains(&true));
    }

    /// The same for some of the video encodes, by their numbers.
    pub fn of(&self, chosen: &[usize]) -> Self {
        Choice {
            encoders: chosen
                .iter()
                .map(|index| self.encoders.get(*index).copied().unwrap_or(false))
                .collect(),
            ..self.clone()
        }
    }
}

fn one_line(reasons: &[String]) -> Option<String> {
    (!reasons.is_empty()).then(|| reasons.join("; ").replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::Choice;
    use super::Mode;
    use super::SourceKind;
    use super::decodes;
    use crate::media::av::PixelFormat;
    use crate::media::device_report::DecodeAbility;
    use crate::media::device_report::DeviceFacts;
    use crate::media::pass::fields::Fields;
    use crate::media::pass::fields::Parity;

    fn device() -> DeviceFacts {
        DeviceFacts {
            decode: vec![DecodeAbility {
                codec: "h264".to_owned(),
                chroma: "4:2:0".to_owned(),
                bit_depth: 8,
                min_width: 48,
                min_height: 16,
                max_width: 4096,
                max_height: 4096,
                engines: 1,
                max_macroblocks: 65_536,
            }],
            ..DeviceFacts::default()
        }
    }

    const FILM: SourceKind<'static> = SourceKind {
        codec: "h264",
        format: PixelFormat::YUV420P,
        size: (1920, 1080),
        fields: Fields::AsMarked,
        is_joined: false,
        is_launchable: true,
    };

    #[test]
    fn a_source_is_decoded_where_the_device_takes_it() {
        assert_eq!(decodes(&device(), &FILM), Ok(()));
        let interlaced = SourceKind {
            fields: Fields::Interlaced(Parity::Top),
            ..FILM
        };
        assert_eq!(decodes(&device(), &interlaced), Ok(()));
        let others = [
            SourceKind { codec: "hevc", ..FILM },
            SourceKind {
                format: PixelFormat::YUV422P,
                ..FILM
            },
            SourceKind {
                format: PixelFormat::YUV420P10,
                ..FILM
            },
            SourceKind {
                size: (8192, 4320),
                ..FILM
            },
            SourceKind {
                fields: Fields::Telecined(Parity::Top),
                ..FILM
            },
            SourceKind {
                is_joined: true,
                ..FILM
            },
            SourceKind {
                is_launchable: false,
                ..FILM
            },
            SourceKind {
                format: PixelFormat::RGBA,
                ..FILM
            },
        ];
        for other in others {
            assert!(decodes(&device(), &other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn what_can_be_on_the_device_is() {
        let no = |why: &str| -> Result<(), String> { Err(why.to_owned()) };
        let full = Choice::make(Ok(()), &[Some(Ok(())), None, Some(Ok(()))]);
        assert_eq!(
            (full.mode, full.encoders, full.reason),
            (Mode::Full, vec![true, false, true], None)
        );
        let mixed = Choice::make(Ok(()), &[Some(Ok(())), Some(no("no vp9")), Some(no("no vp9"))]);
        assert_eq!(
            (mixed.mode, mixed.encoders, mixed.reason.as_deref()),
            (Mode::Full, vec![true, false, false], Some("no vp9"))
        );
        let decoding = Choice::make(Ok(()), &[Some(no("no NVENC"))]);
        assert_eq!(decoding.mode, Mode::DecodeAndScale);
        let pictures = Choice::make(Ok(()), &[]);
        assert_eq!((pictures.mode, pictures.reason), (Mode::DecodeAndScale, None));
        let encoding = Choice::make(no("4:2:2"), &[Some(Ok(()))]);
        assert_eq!(
            (encoding.mode, encoding.reason.as_deref()),
            (Mode::Encode, Some("4:2:2"))
        );
        let nothing = Choice::make(no("4:2:2"), &[Some(no("no NVENC"))]);
        assert_eq!(
            (nothing.mode, nothing.reason.as_deref()),
            (Mode::Software, Some("no NVENC; 4:2:2"))
        );
    }

    #[test]
    fn refused_sessions_change_the_mode() {
        let mut choice = Choice::make(Ok(()), &[Some(Ok(())), Some(Ok(()))]);
        choice.settle(1, "all sessions are taken");
        assert_eq!((choice.mode, choice.encoders.clone()), (Mode::Full, vec![true, false]));
        choice.settle(0, "all sessions are taken");
        assert_eq!(choice.mode, Mode::DecodeAndScale);
        assert_eq!(choice.reason.as_deref(), Some("all sessions are taken"));
        let mut choice = Choice::make(Err("4:2:2".to_owned()), &[Some(Ok(()))]);
        choice.settle(0, "all sessions are taken");
        assert_eq!(choice.mode, Mode::Software);
    }
}
