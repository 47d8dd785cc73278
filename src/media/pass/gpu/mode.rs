//! Which stages of a pass work on the device, and why the others do not.
//!
//! Guarantees: pure. A stage that the device can do is done there, and every one that it is not done there for a reason
//! of the device's has that reason in the answer, in one line. Deliberately absent: opening anything; a session that
//! is refused later is `settle`d afterwards.

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

/// Whether pictures of a source go well from a device's decoder through its launches, or why not. `decodes`: whether the
/// decoder takes them; `is_launchable`: launches bring them to all grades that are wanted.
pub fn fits(decodes: Result<(), String>, fields: Fields, is_launchable: bool) -> Result<(), String> {
    decodes?;
    if let Fields::Telecined(_) = fields {
        return Err("a film spread over fields is put together again in software".to_owned());
    }
    if !is_launchable {
        return Err("its colours are converted in software".to_owned());
    }
    Ok(())
}

/// Whether the device's encoder makes an encode, or why not; none of a copy.
pub type Place = Option<Result<(), String>>;

/// Where the stages of a pass work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The whole.
    pub mode: Mode,
    /// By video encode.
    pub encoders: Vec<Place>,
    /// Why not all of it is on the device.
    pub reason: Option<String>,
}

impl Choice {
    /// Nothing on the device.
    pub fn software(reason: Option<String>) -> Self {
        Choice {
            mode: Mode::Software,
            encoders: Vec::new(),
            reason,
        }
    }

    /// Puts stages where they can be.
    pub fn make(decodes: Result<(), String>, encoders: Vec<Place>) -> Self {
        let encodes = encoders.contains(&Some(Ok(())));
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
            encoders,
            reason: one_line(&reasons),
        }
    }

    /// Whether the encode of number `index` is made by the device's encoder.
    pub fn encodes(&self, index: usize) -> bool {
        matches!(self.encoders.get(index), Some(Some(Ok(()))))
    }

    /// Why it is not; none as well of a copy, and where nothing is on the device.
    pub fn why_not(&self, index: usize) -> Option<&str> {
        self.encoders.get(index)?.as_ref()?.as_ref().err().map(String::as_str)
    }

    /// Whether sources are decoded on the device.
    pub fn decodes(&self) -> bool {
        matches!(self.mode, Mode::Full | Mode::DecodeAndScale)
    }

    /// The encoder of number `index` could not be opened on the device; it is a software one now.
    pub fn settle(&mut self, index: usize, reason: &str) {
        if let Some(Some(place)) = self.encoders.get_mut(index) {
            *place = Err(reason.to_owned());
        }
        let known = self.reason.take();
        self.reason = match known {
            Some(known) if known.contains(reason) => Some(known),
            known => one_line(&known.into_iter().chain([reason.to_owned()]).collect::<Vec<_>>()),
        };
        self.mode = Mode::of(self.decodes(), self.encoders.contains(&Some(Ok(()))));
    }

    /// The same for some of the video encodes, by their numbers.
    pub fn of(&self, chosen: &[usize]) -> Self {
        Choice {
            encoders: chosen
                .iter()
                .map(|index| self.encoders.get(*index).cloned().flatten())
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
    use super::fits;
    use crate::media::pass::fields::Fields;
    use crate::media::pass::fields::Parity;

    #[test]
    fn sources_that_need_software_are_decoded_by_it() {
        assert_eq!(fits(Ok(()), Fields::Interlaced(Parity::Top), true), Ok(()));
        assert_eq!(
            fits(Err("4:2:2".to_owned()), Fields::AsMarked, true),
            Err("4:2:2".to_owned())
        );
        assert!(fits(Ok(()), Fields::Telecined(Parity::Top), true).is_err());
        assert!(fits(Ok(()), Fields::AsMarked, false).is_err());
    }

    #[test]
    fn what_can_be_on_the_device_is() {
        let no = |why: &str| -> Result<(), String> { Err(why.to_owned()) };
        let full = Choice::make(Ok(()), vec![Some(Ok(())), None, Some(Ok(()))]);
        assert_eq!(
            (full.mode, full.encodes(1), full.encodes(2), full.reason),
            (Mode::Full, false, true, None)
        );
        let mixed = Choice::make(Ok(()), vec![Some(Ok(())), Some(no("no vp9")), Some(no("no vp9"))]);
        assert_eq!(
            (mixed.mode, mixed.why_not(0), mixed.why_not(2), mixed.reason.as_deref()),
            (Mode::Full, None, Some("no vp9"), Some("no vp9"))
        );
        let decoding = Choice::make(Ok(()), vec![Some(no("no NVENC"))]);
        assert_eq!(decoding.mode, Mode::DecodeAndScale);
        let pictures = Choice::make(Ok(()), vec![]);
        assert_eq!((pictures.mode, pictures.reason), (Mode::DecodeAndScale, None));
        let encoding = Choice::make(no("4:2:2"), vec![Some(Ok(()))]);
        assert_eq!(
            (encoding.mode, encoding.reason.as_deref()),
            (Mode::Encode, Some("4:2:2"))
        );
        let nothing = Choice::make(no("4:2:2"), vec![Some(no("no NVENC"))]);
        assert_eq!(
            (nothing.mode, nothing.reason.as_deref()),
            (Mode::Software, Some("no NVENC; 4:2:2"))
        );
    }

    #[test]
    fn refused_sessions_change_the_mode() {
        let mut choice = Choice::make(Ok(()), vec![Some(Ok(())), Some(Ok(()))]);
        choice.settle(1, "all sessions are taken");
        assert_eq!(
            (choice.mode, choice.encodes(0), choice.encodes(1)),
            (Mode::Full, true, false)
        );
        choice.settle(0, "all sessions are taken");
        assert_eq!(choice.mode, Mode::DecodeAndScale);
        assert_eq!(choice.reason.as_deref(), Some("all sessions are taken"));
        let mut choice = Choice::make(Err("4:2:2".to_owned()), vec![Some(Ok(()))]);
        choice.settle(0, "all sessions are taken");
        assert_eq!(choice.mode, Mode::Software);
    }
}
