//! Choosing the pictures to keep among many: the best ones that are not all of one scene.
//!
//! Guarantees: holds a bounded number of candidates however many come; one without a flaw always comes before one
//! with; of pictures alike only the best is kept, as long as there are others. Deliberately absent: what a candidate
//! holds beside its look.

use crate::media::cover::look::Look;

/// Distance of colours below which two pictures are of one scene.
const SAME_SCENE_BELOW: f64 = 0.22;
/// Candidates held beyond those that are kept.
const ROOM: usize = 6;

/// A picture in the running.
#[derive(Debug, Clone)]
pub struct Candidate<T> {
    /// How it looks.
    pub look: Look,
    /// Its score.
    pub score: f64,
    /// What is kept of it.
    pub kept: T,
}

/// Candidates, of which the best are kept.
#[derive(Debug)]
pub struct Choice<T> {
    keep: usize,
    running: Vec<Candidate<T>>,
}

impl<T> Choice<T> {
    /// None yet; at the end `keep` of them.
    pub fn new(keep: usize) -> Self {
        Choice {
            keep: keep.max(1),
            running: Vec::new(),
        }
    }

    /// One more. `hold` makes what is kept of it, and is asked only when it may be kept.
    ///
    /// # Errors
    /// Those of `hold`.
    pub fn offer<E>(&mut self, look: Look, hold: impl FnOnce() -> Result<T, E>) -> Result<(), E> {
        let score = look.score();
        let rank = rank(&look, score);
        if self.running.len() >= self.keep + ROOM {
            let out = self.least(&look, rank);
            match out {
                Some(out) => {
                    self.running.swap_remove(out);
                }
                None => return Ok(()),
            }
        }
        self.running.push(Candidate {
            look,
            score,
            kept: hold()?,
        });
        Ok(())
    }

    /// Which one makes room for a newcomer; none: the newcomer itself is the one to go.
    fn least(&self, look: &Look, rank: (bool, f64)) -> Option<usize> {
        let ranked = |at: usize| self.rank_of(at);
        let twins = (0..self.running.len()).filter(|at| self.running[*at].look.distance(look) < SAME_SCENE_BELOW);
        // Of a scene that is there already the better one stays.
        if let Some(twin) = twins.min_by(|one, other| compare(ranked(*one), ranked(*other))) {
            return compare(ranked(twin), rank).is_lt().then_some(twin);
        }
        let worst = (0..self.running.len()).min_by(|one, other| compare(ranked(*one), ranked(*other)))?;
        compare(ranked(worst), rank).is_lt().then_some(worst)
    }

    fn rank_of(&self, at: usize) -> (bool, f64) {
        rank(&self.running[at].look, self.running[at].score)
    }

    /// Those to keep, the best first.
    pub fn chosen(self) -> Vec<Candidate<T>> {
        let mut running = self.running;
        running.sort_by(|one, other| compare(rank(&other.look, other.score), rank(&one.look, one.score)));
        let mut chosen: Vec<Candidate<T>> = Vec::new();
        let mut alike = Vec::new();
        for candidate in running {
            let is_twin = chosen
                .iter()
                .any(|kept| kept.look.distance(&candidate.look) < SAME_SCENE_BELOW);
            if is_twin || chosen.len() == self.keep {
                alike.push(candidate);
            } else {
                chosen.push(candidate);
            }
        }
        // A film of one scene has its covers from there; a flaw is no better for being another scene.
        let flawless = chosen
            .iter()
            .filter(|candidate| candidate.look.flaw().is_none())
            .count();
        if flawless > 0 && flawless < chosen.len() {
            alike.extend(chosen.drain(flawless..));
            alike.sort_by(|one, other| compare(rank(&other.look, other.score), rank(&one.look, one.score)));
        }
        let room = self.keep - chosen.len();
        chosen.extend(alike.into_iter().take(room));
        chosen.sort_by(|one, other| compare(rank(&other.look, other.score), rank(&one.look, one.score)));
        // With good ones there, nobody wants the others.
        if chosen.first().is_some_and(|best| best.look.flaw().is_none()) {
            chosen.retain(|candidate| candidate.look.flaw().is_none());
        }
        chosen
    }
}

/// Without a flaw first, then by score.
fn rank(look: &Look, score: f64) -> (bool, f64) {
    (look.flaw().is_none(), score)
}

fn compare(one: (bool, f64), other: (bool, f64)) -> std::cmp::Ordering {
    one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
}

#[cfg(test)]
mod tests {
    use super::Choice;
    use crate::media::cover::look::Look;
    use crate::media::picture::Picture;

    /// Fine stripes of one colour; `force` is their contrast, 0: a flat picture.
    fn striped(colour: [u8; 3], force: u8) -> Look {
        let rgb = (0..90_u32)
            .flat_map(|y| (0..160_u32).map(move |x| (x, y)))
            .flat_map(|(x, y)| {
                let up = (x / 2 + y / 3).is_multiple_of(2);
                colour.map(|value| {
                    if up {
                        value.saturating_add(force)
                    } else {
                        value.saturating_sub(force)
                    }
                })
            })
            .collect();
        Look::of(&Picture::new(160, 90, rgb).expect("sized right"))
    }

    fn run(keep: usize, looks: &[(&'static str, Look)]) -> Vec<&'static str> {
        let mut choice = Choice::new(keep);
        for (name, look) in looks {
            choice.offer(look.clone(), || Ok::<_, ()>(*name)).expect("held");
        }
        choice.chosen().into_iter().map(|candidate| candidate.kept).collect()
    }

    #[test]
    fn the_best_of_each_scene_is_kept() {
        let red = |force| striped([150, 60, 60], force);
        let blue = |force| striped([60, 60, 170], force);
        let looks = [
            ("red", red(20)),
            ("red, better", red(22)),
            ("blue", blue(12)),
            ("flat", striped([90, 140, 60], 0)),
        ];
        assert!(looks[1].1.score() > looks[0].1.score() && looks[0].1.distance(&looks[1].1) < 0.2);
        assert_eq!(run(1, &looks), ["red, better"]);
        assert_eq!(run(2, &looks), ["red, better", "blue"]);
        // There are no more scenes, and nobody wants the flat one.
        assert_eq!(run(4, &looks), ["red, better", "red", "blue"]);
    }

    #[test]
    fn however_many_come_few_are_held_and_the_best_is_among_them() {
        let mut choice = Choice::new(2);
        let mut made = 0;
        let colours: Vec<[u8; 3]> = (0..200_u8)
            .map(|at| [at.wrapping_mul(53), at.wrapping_mul(97), at.wrapping_mul(29)])
            .collect();
        let looks: Vec<Look> = colours.iter().map(|colour| striped(*colour, 30)).collect();
        let best = (0..looks.len())
            .filter(|at| looks[*at].flaw().is_none())
            .max_by(|one, other| looks[*one].score().total_cmp(&looks[*other].score()))
            .expect("one is good");
        for (at, look) in looks.iter().enumerate() {
            choice
                .offer(look.clone(), || {
                    made += 1;
                    Ok::<_, ()>(at)
                })
                .expect("held");
            assert!(choice.running.len() <= 8);
        }
        assert_eq!(choice.chosen()[0].kept, best);
        assert!(made < looks.len(), "what cannot be kept is not made: {made}");
    }

    #[test]
    fn where_nothing_is_good_the_least_bad_is_kept() {
        assert_eq!(
            run(2, &[("dark", striped([3; 3], 3)), ("grey", striped([110; 3], 3))]),
            ["grey", "dark"]
        );
    }
}
