//! Whether a picture is woven of two moments, told from its neighbours in time as libavfilter's idet does.
//!
//! Guarantees: pure; says unknown where nothing moves. Deliberately absent: what many pictures together say; sharp
//! patterns in motion look woven one way and the other by turns, where fields always do in one.

use crate::media::av::Frame;

/// How a picture looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combing {
    /// Of two moments, the earlier one in the even rows.
    TopFirst,
    /// Of two moments, the earlier one in the odd rows.
    BottomFirst,
    /// Of one.
    Whole,
    /// Cannot be told.
    Unknown,
}

/// One field fits its neighbours in time so much worse than the other that the picture has two moments.
const COMBED: f64 = 1.04;
/// Rows fit each other so much better than those of other pictures that it has one.
const WHOLE: f64 = 1.5;
/// Groups of rows looked at, at most.
const GROUPS: u32 = 240;

/// How the middle one of three pictures looks.
pub fn of(before: &Frame, middle: &Frame, after: &Frame) -> Combing {
    let size = |frame: &Frame| (frame.width(), frame.height());
    if size(before) != size(middle) || size(after) != size(middle) || middle.height() < 8 {
        return Combing::Unknown;
    }
    // With the picture before and the one after, by the parity of the row taken from elsewhere; and within.
    let mut apart = [0_u64; 2];
    let mut within = 0_u64;
    // An odd step meets both parities alike.
    let step = (middle.height() / GROUPS) | 1;
    for y in (2..middle.height() - 2).step_by(step as usize) {
        let neighbours = |y: u32| {
            Some((
                middle.row(0, y - 1)?,
                middle.row(0, y)?,
                middle.row(0, y + 1)?,
                before.row(0, y)?,
                after.row(0, y)?,
            ))
        };
        let Some((above, here, below, earlier, later)) = neighbours(y) else {
            return Combing::Unknown;
        };
        let parity = (y & 1) as usize;
        apart[parity] += bend(above, earlier, below);
        apart[parity ^ 1] += bend(above, later, below);
        within += bend(above, here, below);
    }
    let [even, odd] = apart.map(|sum| sum as f64);
    if even > COMBED * odd {
        Combing::TopFirst
    } else if odd > COMBED * even {
        Combing::BottomFirst
    } else if odd > WHOLE * within as f64 {
        Combing::Whole
    } else {
        Combing::Unknown
    }
}

fn bend(above: &[u8], here: &[u8], below: &[u8]) -> u64 {
    let bends =
        above.iter().zip(here).zip(below).map(|((above, here), below)| {
            (i32::from(*above) + i32::from(*below) - 2 * i32::from(*here)).unsigned_abs()
        });
    u64::from(bends.sum::<u32>())
}
