//! Which rungs a ladder gets, from what trials say of quality and bitrate.
//!
//! Guarantees: pure. Nothing is enlarged; neighbours differ in bitrate by 1.5 to 2, more only where a rung between
//! them is no better than the cheaper one and was left out; sizes never rise towards the cheap end. Deliberately absent: encoding parameters.

use crate::media::pass::auto_ladder::curve::Curves;
use crate::media::product::LadderReject;
use crate::media::spec::AutoLadder;
use crate::media::spec::RUNG_HEIGHTS;

/// Bitrates of neighbours, as long as the numbers of rungs allow it, at least and at most.
const STEP: (f64, f64, f64) = (1.75, 1.5, 2.0);
/// What a rung must be better than the next cheaper one, dB.
const BETTER_DB: f64 = 0.15;
/// The same where both have one size: bits alone must buy something that is seen.
const BETTER_BY_BITS_DB: f64 = 0.5;
/// Beyond the target by this all sizes are as good.
const SATED_DB: f64 = 0.5;
/// A usual size as near to the source's own as this is left out.
const NEAR: f64 = 1.12;
/// A size larger than was tried is taken from this far below the target on.
const UNSEEN_DB: f64 = 3.0;
/// Without trials: bits of a pixel and frame of the largest rung.
const BLIND_BITS_PER_PIXEL: f64 = 0.09;

/// One rung before it has a name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Pixels across and down.
    pub size: (u32, u32),
    /// Kilobits a second of H.264.
    pub kbps: f64,
    /// Quality expected.
    pub psnr_db: Option<f64>,
}

/// Sizes that a source can have, largest first: its own, and the usual ones below.
pub fn sizes(source: (u32, u32), ladder: &AutoLadder) -> Vec<(u32, u32)> {
    let short = source.0.min(source.1);
    let most = ladder.max_height.unwrap_or(short).min(short);
    let scaled = |edge: u32| {
        let factor = f64::from(edge) / f64::from(short.max(1));
        let even = |pixels: u32| (((f64::from(pixels) * factor / 2.0).round() as u32) * 2).max(2);
        (even(source.0), even(source.1))
    };
    let own = if most == short {
        (source.0 & !1, source.1 & !1)
    } else {
        scaled(most)
    };
    let usual = RUNG_HEIGHTS
        .into_iter()
        .filter(|edge| f64::from(*edge) * NEAR < f64::from(most))
        .map(scaled);
    std::iter::once(own).chain(usual).collect()
}

/// Chooses rungs, best first. `sizes` as of [`sizes`], `fps` of the source.
pub fn choose(
    ladder: &AutoLadder,
    sizes: &[(u32, u32)],
    curves: Option<&Curves>,
    fps: f64,
) -> (Vec<Choice>, Vec<LadderReject>) {
    let Some(largest) = sizes.first().copied() else {
        return (Vec::new(), Vec::new());
    };
    let (low, cap) = (f64::from(ladder.min_bitrate_kbps), f64::from(ladder.max_bitrate_kbps));
    let top = match curves {
        Some(curves) => top_kbps(ladder, sizes, curves),
        None => area(largest) * fps * BLIND_BITS_PER_PIXEL / 1000.0,
    }
    .clamp(low.min(cap), cap);
    let span = (top / low).max(1.0);
    let wanted = 1.0 + (span.ln() / STEP.0.ln()).floor();
    let count = (wanted as u32).clamp(ladder.min_rungs, ladder.max_rungs.max(ladder.min_rungs));
    let step = if count > 1 {
        span.powf(1.0 / f64::from(count - 1)).clamp(STEP.1, STEP.2)
    } else {
        STEP.0
    };
    let mut rejected = Vec::new();
    let mut rungs: Vec<Choice> = Vec::new();
    for number in 0..count {
        let kbps = rounded(top / step.powi(number as i32));
        let bound = rungs.last().map_or(largest, |above| above.size);
        let size = match curves {
            Some(curves) => {
                let size = best_size(ladder, sizes, bound, curves, kbps);
                // Where quality rises no further with bits, what costs less is at least smaller.
                let same = rungs.last().is_some_and(|above| {
                    let psnr_db = curves.psnr_db(area(size), kbps);
                    above.size == size
                        && above
                            .psnr_db
                            .is_some_and(|above_db| above_db - psnr_db < BETTER_BY_BITS_DB)
                });
                let smaller = sizes.iter().copied().find(|smaller| area(*smaller) < area(size));
                smaller.filter(|_| same).unwrap_or(size)
            }
            None => blind_size(sizes, bound, largest, kbps / top),
        };
        rungs.push(Choice {
            size,
            kbps,
            psnr_db: curves.map(|curves| curves.psnr_db(area(size), kbps)),
        });
    }
    // From the cheap end: what costs more must be better.
    let mut kept: Vec<Choice> = Vec::new();
    let mut spare = rungs.len().saturating_sub(ladder.min_rungs as usize);
    for rung in rungs.into_iter().rev() {
        let is_seen = |size| curves.is_none_or(|curves| !is_unseen(size, curves));
        // Of sizes that were not tried nobody knows which is better.
        let are_comparable = |size| size == rung.size || is_seen(size) && is_seen(rung.size);
        let cheaper = kept.last().filter(|cheaper| are_comparable(cheaper.size));
        let better_db = match cheaper {
            Some(cheaper) if cheaper.size == rung.size => BETTER_BY_BITS_DB,
            _ => BETTER_DB,
        };
        let cheaper = cheaper.and_then(|cheaper| cheaper.psnr_db);
        match (cheaper, rung.psnr_db) {
            (Some(cheaper), Some(psnr_db)) if spare > 0 && psnr_db < cheaper + better_db => {
                spare -= 1;
                rejected.push(LadderReject {
                    what: format!("{}x{} at {:.0} kbit/s", rung.size.0, rung.size.1, rung.kbps),
                    reason: format!("{psnr_db:.1} dB are hardly better than the {cheaper:.1} dB of the cheaper rung"),
                });
            }
            _ => kept.push(rung),
        }
    }
    kept.reverse();
    for size in sizes {
        if kept.iter().all(|rung| rung.size != *size) {
            rejected.push(LadderReject {
                what: format!("{}x{}", size.0, size.1),
                reason: "at none of the bitrates is it the best size".to_owned(),
            });
        }
    }
    (kept, rejected)
}

/// Least bitrate at which the best size reaches the target; the cap where none does. A size larger than was tried that
/// is good enough at the cap is the best one: what smaller ones lose beside it is not seen in the trials.
fn top_kbps(ladder: &AutoLadder, sizes: &[(u32, u32)], curves: &Curves) -> f64 {
    let (mut low, mut high) = (10.0_f64, f64::from(ladder.max_bitrate_kbps));
    let unseen = sizes.iter().find(|size| {
        is_unseen(**size, curves) && curves.psnr_db(area(**size), high) >= ladder.target_psnr_db - UNSEEN_DB
    });
    let candidates = unseen.map_or(sizes, std::slice::from_ref);
    let best = |kbps: f64| {
        candidates
            .iter()
            .map(|size| curves.psnr_db(area(*size), kbps))
            .fold(f64::MIN, f64::max)
    };
    if best(high) < ladder.target_psnr_db {
        return high;
    }
    for _ in 0..40 {
        let middle = (low * high).sqrt();
        if best(middle) < ladder.target_psnr_db {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

fn best_size(ladder: &AutoLadder, sizes: &[(u32, u32)], bound: (u32, u32), curves: &Curves, kbps: f64) -> (u32, u32) {
    let allowed = || sizes.iter().copied().filter(|size| area(*size) <= area(bound));
    // What was not tried at its size cannot be seen to be better; it is taken where it is good enough.
    let unseen = allowed().find(|size| {
        is_unseen(*size, curves) && curves.psnr_db(area(*size), kbps) >= ladder.target_psnr_db - UNSEEN_DB
    });
    let seen = || allowed().filter(|size| !is_unseen(*size, curves));
    let best = seen().max_by(|one, other| {
        // Beyond what is asked for all sizes are as good, and the largest is taken.
        let of = |size: &(u32, u32)| curves.psnr_db(area(*size), kbps).min(ladder.target_psnr_db + SATED_DB);
        of(one).total_cmp(&of(other)).then(area(*one).total_cmp(&area(*other)))
    });
    unseen.or(best).unwrap_or(bound)
}

/// Larger than was tried, so that its quality cannot be compared with that of sizes that were.
fn is_unseen(size: (u32, u32), curves: &Curves) -> bool {
    area(size) > curves.largest() * 1.05
}

/// Without trials pixels follow the bits.
fn blind_size(sizes: &[(u32, u32)], bound: (u32, u32), largest: (u32, u32), share: f64) -> (u32, u32) {
    let pixels = area(largest) * share.powf(4.0 / 3.0) * 1.1;
    let mut allowed = sizes.iter().copied().filter(|size| area(*size) <= area(bound));
    allowed
        .clone()
        .find(|size| area(*size) <= pixels)
        .or_else(|| allowed.next_back())
        .unwrap_or(bound)
}

fn area(size: (u32, u32)) -> f64 {
    f64::from(size.0) * f64::from(size.1)
}

/// Three digits at most: nobody means 3847 kbit/s.
fn rounded(kbps: f64) -> f64 {
    let unit = 10f64.powf((kbps.max(1.0).log10().floor() - 2.0).max(0.0));
    (kbps / unit).round() * unit
}

#[cfg(test)]
mod tests {
    use super::choose;
    use super::sizes;
    use crate::media::pass::auto_ladder::curve::Curves;
    use crate::media::product::LadderTrial;
    use crate::media::spec::AutoLadder;

    /// Trials of a source that needs `kbps` for 42 dB at 1080p.
    fn curves(kbps: f64) -> Curves {
        let trial = |height: u32, share: f64, psnr_db: f64, crf: f64| LadderTrial {
            width: height * 16 / 9,
            height,
            crf,
            kbps: kbps * share,
            psnr_db,
        };
        Curves::fit(&[
            trial(1080, 1.5, 44.0, 20.0),
            trial(1080, 0.25, 36.0, 32.0),
            trial(540, 0.5, 39.0, 20.0),
            trial(540, 0.08, 35.0, 32.0),
            trial(270, 0.15, 34.0, 20.0),
            trial(270, 0.03, 32.0, 32.0),
        ])
        .expect("trials")
    }

    #[test]
    fn a_ladder_steps_down_by_one_and_a_half_to_two() {
        let ladder = AutoLadder::default();
        let (rungs, _) = choose(&ladder, &sizes((1920, 1080), &ladder), Some(&curves(4000.0)), 25.0);
        assert!((3..=8).contains(&rungs.len()), "{rungs:?}");
        assert_eq!(rungs[0].size, (1920, 1080));
        assert!((2000.0..6000.0).contains(&rungs[0].kbps), "{rungs:?}");
        for pair in rungs.windows(2) {
            let ratio = pair[0].kbps / pair[1].kbps;
            assert!((1.45..=2.05).contains(&ratio), "{rungs:?}");
            assert!(pair[1].size.0 <= pair[0].size.0 && pair[1].psnr_db < pair[0].psnr_db);
        }
        assert!(rungs.last().expect("rungs").size.1 < 1080, "{rungs:?}");
    }

    #[test]
    fn rungs_of_one_size_differ_in_what_is_seen() {
        // White noise of 720 lines: whatever it costs, nothing can be made of it.
        let trial = |height: u32, crf: f64, kbps: f64, psnr_db: f64| LadderTrial {
            width: height * 16 / 9,
            height,
            crf,
            kbps,
            psnr_db,
        };
        let curves = Curves::fit(&[
            trial(720, 20.0, 88_295.6, 29.99),
            trial(720, 33.0, 31_673.95, 17.5),
            trial(432, 20.0, 25_212.15, 12.54),
            trial(432, 33.0, 5_631.68, 11.75),
            trial(216, 20.0, 4_934.11, 11.36),
            trial(216, 33.0, 107.27, 11.04),
        ])
        .expect("trials");
        let ladder = AutoLadder::default();
        let (rungs, rejected) = choose(&ladder, &sizes((1280, 720), &ladder), Some(&curves), 25.0);
        assert!(rungs.len() >= 3, "{rungs:?}");
        for pair in rungs.windows(2) {
            let better_db = pair[0].psnr_db.expect("tried") - pair[1].psnr_db.expect("tried");
            let is_useful = pair[0].size != pair[1].size || better_db >= 0.5;
            assert!(is_useful, "{rungs:?}");
        }
        assert!(rejected.iter().any(|one| one.what.contains("kbit/s")), "{rejected:?}");
    }

    #[test]
    fn a_simple_source_gets_fewer_and_cheaper_rungs_and_a_hard_one_the_cap() {
        let ladder = AutoLadder::default();
        let all = sizes((1920, 1080), &ladder);
        let (simple, _) = choose(&ladder, &all, Some(&curves(500.0)), 25.0);
        let (hard, _) = choose(&ladder, &all, Some(&curves(60_000.0)), 25.0);
        assert!(simple.len() < hard.len() && simple[0].kbps < 1000.0, "{simple:?}");
        assert_eq!(hard[0].kbps, 8000.0);
        assert!(
            hard[0].size.1 < 1080,
            "at the cap a smaller picture is better: {hard:?}"
        );
    }

    #[test]
    fn a_source_larger_than_was_tried_keeps_its_size_where_the_bitrate_allows_it() {
        let ladder = AutoLadder::default();
        let all = sizes((3840, 2160), &ladder);
        for (kbps, reaches_db) in [(500.0, 42.0), (2000.0, 42.0), (4000.0, 39.0)] {
            let (rungs, rejected) = choose(&ladder, &all, Some(&curves(kbps)), 25.0);
            assert_eq!(rungs[0].size, (3840, 2160), "{kbps}: {rungs:?} {rejected:?}");
            assert!(
                rungs[0].psnr_db.is_some_and(|psnr_db| psnr_db > reaches_db - 0.1),
                "{kbps}: {rungs:?}"
            );
            assert!(
                rungs.windows(2).all(|pair| pair[1].size.0 <= pair[0].size.0),
                "{kbps}: {rungs:?}"
            );
        }
        let (hard, _) = choose(&ladder, &all, Some(&curves(60_000.0)), 25.0);
        assert!(hard[0].size.1 <= 1080, "{hard:?}");
    }

    #[test]
    fn nothing_is_larger_than_the_source_or_the_limit() {
        let ladder = AutoLadder::default();
        assert_eq!(sizes((640, 360), &ladder)[0], (640, 360));
        assert!(sizes((640, 360), &ladder).iter().all(|size| size.1 <= 360));
        assert_eq!(sizes((1080, 1920), &ladder)[1], (720, 1280));
        let limited = AutoLadder {
            max_height: Some(720),
            ..AutoLadder::default()
        };
        assert_eq!(sizes((3840, 2160), &limited)[0], (1280, 720));
    }

    #[test]
    fn without_trials_there_is_a_ladder_all_the_same() {
        let ladder = AutoLadder::default();
        let (rungs, _) = choose(&ladder, &sizes((1280, 720), &ladder), None, 30.0);
        assert!(rungs.len() >= 3 && rungs[0].size == (1280, 720), "{rungs:?}");
        assert!(rungs[rungs.len() - 1].size.1 < 720 && rungs[0].psnr_db.is_none());
    }
}
