//! Whether the key frames of renditions stand at the same times, so that a player can change between them.
//!
//! Guarantees: compares what was read back from the outputs. Deliberately absent: renditions whose key frames were never
//! meant to agree: other lengths of their groups, other frame rates beyond half a picture.

use crate::media::product::Check;
use crate::media::verify;

/// Time stamps of outputs are written in units of at most this.
const STAMP_S: f64 = 0.002;

/// The key frames of one rendition.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    /// Its name.
    pub name: &'a str,
    /// Times, rising, seconds.
    pub at_s: &'a [f64],
    /// How long one picture is shown.
    pub picture_s: f64,
}

/// Compares all with the first.
pub fn check(renditions: &[Keys<'_>]) -> Vec<Check> {
    let mut checks = Vec::new();
    let Some((first, others)) = renditions.split_first() else {
        return checks;
    };
    for other in others {
        // Of two rates, a key frame stands within half a picture of where it belongs.
        let tolerance_s = if (first.picture_s - other.picture_s).abs() < 1e-6 {
            STAMP_S
        } else {
            first.picture_s.max(other.picture_s) / 2.0 + STAMP_S
        };
        let near = first
            .at_s
            .iter()
            .zip(other.at_s)
            .filter(|(one, other)| (*one - *other).abs() <= tolerance_s);
        let (wanted, found) = (first.at_s.len(), near.count());
        verify::check(
            &mut checks,
            &format!("{}/key_frames_aligned", other.name),
            format!("{wanted} where {} has them", first.name),
            format!("{found} of {}", other.at_s.len()),
            found == wanted && other.at_s.len() == wanted,
        );
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys<'a>(name: &'a str, at_s: &'a [f64], picture_s: f64) -> Keys<'a> {
        Keys { name, at_s, picture_s }
    }

    #[test]
    fn a_missing_or_moved_key_frame_is_seen() {
        let first = keys("1080p", &[0.0, 2.0, 4.0], 0.04);
        let of = |other: Keys<'_>| check(&[first, other])[0].ok;
        assert!(of(keys("a", &[0.0, 2.0, 4.0], 0.04)));
        assert!(!of(keys("a", &[0.0, 2.04, 4.0], 0.04)));
        assert!(of(keys("a", &[0.0, 2.04, 4.0], 0.08)), "half the rate");
        assert!(!of(keys("a", &[0.0, 2.0], 0.04)));
        assert!(!of(keys("a", &[0.0, 2.0, 4.0, 6.0], 0.04)));
    }
}
