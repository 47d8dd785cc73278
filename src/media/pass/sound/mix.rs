//! Channels of one layout from those of another.
//!
//! Guarantees: pure. After ITU-R BS.775: centre and surrounds at -3 dB, low effects left out; what could pass full
//! scale is turned down as a whole, so nothing clips and the balance stays.

use crate::media::av::sound::Place;
use std::f64::consts::FRAC_1_SQRT_2;

/// How much of each source channel stands in each channel made.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    rows: Vec<Vec<f64>>,
    /// Channels as they are, in their order.
    is_identity: bool,
}

impl Mix {
    /// From channels heard at these places to channels heard at those.
    pub fn between(from: &[Place], to: &[Place]) -> Self {
        if from == to {
            return Self::straight(from.len(), to.len());
        }
        let is_known = |place: &Place| *place != Place::Other;
        if !from.iter().any(is_known) || !to.iter().any(is_known) {
            return Self::straight(from.len(), to.len());
        }
        let mut rows = vec![vec![0.0; from.len()]; to.len()];
        for (channel, place) in from.iter().enumerate() {
            for (target, weight) in shares(*place, from, to) {
                for (row, _) in to.iter().enumerate().filter(|(_, place)| **place == target) {
                    rows[row][channel] += weight;
                }
            }
        }
        let fullest = rows
            .iter()
            .map(|row| row.iter().map(|weight| weight.abs()).sum::<f64>())
            .fold(0.0, f64::max);
        if fullest > 1.0 {
            rows.iter_mut().flatten().for_each(|weight| *weight /= fullest);
        }
        Mix {
            rows,
            is_identity: false,
        }
    }

    /// The channels of these numbers, in this order; one that the source lacks is silent.
    pub fn picked(from: usize, map: &[u32]) -> Self {
        let row = |wanted: &u32| {
            (0..from)
                .map(|channel| f64::from(channel == *wanted as usize))
                .collect()
        };
        Mix {
            rows: map.iter().map(row).collect(),
            is_identity: map.len() == from && map.iter().enumerate().all(|(at, wanted)| at == *wanted as usize),
        }
    }

    /// Channels without places: one after the other, as many as both have.
    fn straight(from: usize, to: usize) -> Self {
        let map: Vec<u32> = (0..to as u32).collect();
        Self::picked(from, &map)
    }

    /// Mixes; all channels have as many samples.
    pub fn run(&self, channels: &[&[f64]]) -> Vec<Vec<f64>> {
        if self.is_identity && channels.len() == self.rows.len() {
            return channels.iter().map(|samples| samples.to_vec()).collect();
        }
        let count = channels.first().map_or(0, |samples| samples.len());
        let mut mixed = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let mut out = vec![0.0; count];
            for (samples, weight) in channels.iter().zip(row).filter(|(_, weight)| **weight != 0.0) {
                for (sum, sample) in out.iter_mut().zip(*samples) {
                    *sum += sample * weight;
                }
            }
            mixed.push(out);
        }
        mixed
    }

    /// Whether samples come out as they went in.
    pub fn is_identity(&self) -> bool {
        self.is_identity
    }
}

/// Where the sound of one place goes, and how loud.
fn shares(place: Place, from: &[Place], to: &[Place]) -> Vec<(Place, f64)> {
    use Place::BackCentre;
    use Place::BackLeft;
    use Place::BackRight;
    use Place::Centre;
    use Place::Left;
    use Place::LeftOfCentre;
    use Place::Right;
    use Place::RightOfCentre;
    use Place::SideLeft;
    use Place::SideRight;
    let has = |wanted: Place| to.contains(&wanted);
    if has(place) {
        return vec![(place, 1.0)];
    }
    // Surrounds: where the other pair of surrounds is free it stands for this one.
    let surround = |other: Place, front: Place| {
        if has(other) {
            vec![(other, if from.contains(&other) { FRAC_1_SQRT_2 } else { 1.0 })]
        } else if has(front) {
            vec![(front, FRAC_1_SQRT_2)]
        } else {
            vec![(Centre, 0.5)]
        }
    };
    match place {
        // One channel alone is what both ears are to hear.
        Centre if from.len() == 1 => vec![(Left, 1.0), (Right, 1.0)],
        Centre => vec![(Left, FRAC_1_SQRT_2), (Right, FRAC_1_SQRT_2)],
        Left | Right => vec![(Centre, FRAC_1_SQRT_2)],
        LeftOfCentre if has(Left) => vec![(Left, 1.0)],
        RightOfCentre if has(Right) => vec![(Right, 1.0)],
        LeftOfCentre | RightOfCentre => vec![(Centre, FRAC_1_SQRT_2)],
        SideLeft => surround(BackLeft, Left),
        SideRight => surround(BackRight, Right),
        BackLeft => surround(SideLeft, Left),
        BackRight => surround(SideRight, Right),
        BackCentre if has(BackLeft) => vec![(BackLeft, FRAC_1_SQRT_2), (BackRight, FRAC_1_SQRT_2)],
        BackCentre if has(SideLeft) => vec![(SideLeft, FRAC_1_SQRT_2), (SideRight, FRAC_1_SQRT_2)],
        BackCentre if has(Left) => vec![(Left, 0.5), (Right, 0.5)],
        BackCentre => vec![(Centre, FRAC_1_SQRT_2)],
        Place::Lfe | Place::Other => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::Mix;
    use crate::media::av::sound::Place;
    use crate::media::av::sound::Place::BackLeft;
    use crate::media::av::sound::Place::BackRight;
    use crate::media::av::sound::Place::Centre;
    use crate::media::av::sound::Place::Left;
    use crate::media::av::sound::Place::Lfe;
    use crate::media::av::sound::Place::Other;
    use crate::media::av::sound::Place::Right;
    use crate::media::av::sound::Place::SideLeft;
    use crate::media::av::sound::Place::SideRight;

    const SURROUND: [Place; 6] = [Left, Right, Centre, Lfe, SideLeft, SideRight];

    /// What comes out when each source channel alone has a sample of 1.
    fn weights(mix: &Mix, channels: usize) -> Vec<Vec<f64>> {
        (0..channels)
            .map(|loud| {
                let samples: Vec<[f64; 1]> = (0..channels).map(|at| [f64::from(at == loud)]).collect();
                let samples: Vec<&[f64]> = samples.iter().map(|one| one.as_slice()).collect();
                mix.run(&samples).into_iter().map(|one| one[0]).collect()
            })
            .collect()
    }

    #[test]
    fn surround_becomes_stereo_by_the_standard_and_cannot_clip() {
        let found = weights(&Mix::between(&SURROUND, &[Left, Right]), 6);
        let front = 1.0 / (1.0 + 2.0 * std::f64::consts::FRAC_1_SQRT_2);
        let down = front * std::f64::consts::FRAC_1_SQRT_2;
        let wanted = [
            [front, 0.0],
            [0.0, front],
            [down, down],
            [0.0, 0.0],
            [down, 0.0],
            [0.0, down],
        ];
        for (found, wanted) in found.iter().zip(wanted) {
            for (found, wanted) in found.iter().zip(wanted) {
                assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
            }
        }
    }

    #[test]
    fn mono_and_stereo_go_back_and_forth() {
        assert_eq!(weights(&Mix::between(&[Centre], &[Left, Right]), 1), [[1.0, 1.0]]);
        assert_eq!(weights(&Mix::between(&[Left, Right], &[Centre]), 2), [[0.5], [0.5]]);
    }

    #[test]
    fn surrounds_at_the_sides_and_behind_stand_for_one_another() {
        let behind = [Left, Right, Centre, Lfe, BackLeft, BackRight];
        let found = weights(&Mix::between(&SURROUND, &behind), 6);
        let one = |at: usize| (0..6).map(|channel| f64::from(channel == at)).collect::<Vec<_>>();
        assert_eq!(found, (0..6).map(one).collect::<Vec<_>>());
        assert_eq!(weights(&Mix::between(&[Left, Right], &SURROUND), 2)[1][1], 1.0);
    }

    #[test]
    fn channels_without_places_keep_their_order() {
        let mix = Mix::between(&[Other; 10], &[Left, Right]);
        let found = weights(&mix, 10);
        assert_eq!((found[0][0], found[1][1], found[2][0] + found[2][1]), (1.0, 1.0, 0.0));
        assert_eq!(weights(&Mix::picked(3, &[2, 2, 7]), 3)[2], [1.0, 1.0, 0.0]);
    }
}
