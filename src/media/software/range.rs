//! From limited to full range and back, in whole numbers.

/// Which numbers black and white are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Range {
    /// 16 to 235, chroma 16 to 240, times 4 for ten bits.
    Limited,
    /// All there are.
    Full,
}

/// Fractional bits of a gain.
const GAIN_BITS: u32 = 16;
/// Fractional bits of an 8-bit step at the place where ranges are changed.
const STEP_BITS: u32 = 19;

/// A change of range: `value * gain / 2^16 + offset`, where an 8-bit step is 2^19.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Of luma, then of chroma.
    pub gain: [i32; 2],
    /// See `gain`.
    pub offset: [i32; 2],
}

impl Change {
    /// From a range at a depth (8 or 10) to another; none where the numbers stay, because only bits come or go.
    pub fn between(from: (Range, u32), to: (Range, u32)) -> Option<Self> {
        if from.0 == to.0 {
            return None;
        }
        let (from_luma, from_chroma) = extents(from);
        let (to_luma, to_chroma) = extents(to);
        let black = |range: Range| if range == Range::Limited { 16.0 } else { 0.0 };
        let gains = [to_luma / from_luma, to_chroma / from_chroma];
        let offsets = [black(to.0) - black(from.0) * gains[0], 128.0 - 128.0 * gains[1]];
        Some(Change {
            gain: gains.map(|gain| (gain * f64::from(1_u32 << GAIN_BITS)).round() as i32),
            offset: offsets.map(|offset| (offset * f64::from(1_u32 << STEP_BITS)).round() as i32),
        })
    }

    /// Of a number of luma (0) or chroma (1).
    pub fn of(&self, component: usize, value: i32) -> i32 {
        ((i64::from(value) * i64::from(self.gain[component])) >> GAIN_BITS) as i32 + self.offset[component]
    }
}

/// From black to white, and from one end of chroma to the other, in steps of 8 bits.
pub fn extents((range, depth): (Range, u32)) -> (f64, f64) {
    match range {
        Range::Limited => (219.0, 224.0),
        Range::Full => {
            let most = f64::from((1_u32 << depth) - 1) / f64::from(1_u32 << (depth - 8));
            (most, most)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Change;
    use super::Range;
    use super::STEP_BITS;

    #[test]
    fn black_and_white_stay_what_they_are() {
        let wider = Change::between((Range::Limited, 8), (Range::Full, 8)).expect("a change");
        let step = |value: i32| value << STEP_BITS;
        let near = |value: i32, wanted: i32| (value - step(wanted)).abs() < step(1) / 100;
        assert!(near(wider.of(0, step(16)), 0) && near(wider.of(0, step(235)), 255));
        assert!(near(wider.of(1, step(128)), 128));
        assert!(
            near(wider.of(1, step(240)) * 2 - step(255), 256),
            "half a step beyond the largest"
        );
        let deep = Change::between((Range::Full, 10), (Range::Limited, 8)).expect("a change");
        assert!(near(deep.of(0, step(1023) / 4), 235));
        assert_eq!(Change::between((Range::Full, 10), (Range::Full, 8)), None);
    }
}
