//! Choosing the pictures to keep among many: the best ones that are not all of one scene.
//!
//! Guarantees: holds a bounded number of candidates however many come; one with a flaw is kept only where all have
//! one; of pictures alike only the best is kept, as long as there are others. Deliberately absent: what a candidate
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
        let flawless = look.flaw().is_none();
        if flawless {
            // With a good one there, nobody wants the others.
            self.running.retain(|candidate| candidate.look.flaw().is_none());
        } else if self.running.iter().any(|candidate| candidate.look.flaw().is_none()) {
            return Ok(());
        }
        if self.running.len() >= self.keep + ROOM {
            match self.least(&look, score) {
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

    /// Which one makes room for a newcomer; none: the newcomer itself is the one to go. Of those that have a better one
    /// of their scene beside them it is the worst, else the worst of all.
    fn least(&self, look: &Look, score: f64) -> Option<usize> {
        let all = || {
            let held = self.running.iter().map(|candidate| (&candidate.look, candidate.score));
            held.chain([(look, score)]).enumerate()
        };
        let outshone = all().filter(|(at, (look, score))| {
            all().any(|(other_at, (other, other_score))| {
                let is_better = other_score > *score || other_score == *score && other_at < *at;
                is_better && other.distance(look) < SAME_SCENE_BELOW
            })
        });
        let worst = |one: &(usize, (&Look, f64)), other: &(usize, (&Look, f64))| one.1.1.total_cmp(&other.1.1);
        let (out, _) = outshone.min_by(worst).or_else(|| all().min_by(worst))?;
        (out < self.running.len()).then_some(out)
    }

    /// Those to keep, the best first.
    pub fn chosen(self) -> Vec<Candidate<T>> {
        let mut running = self.running;
        let best_first = |one: &Candidate<T>, other: &Candidate<T>| other.score.total_cmp(&one.score);
        running.sort_by(best_first);
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
        // A film of few scenes has several covers of one.
        let room = self.keep - chosen.len();
        chosen.extend(alike.into_iter().take(room));
        chosen.sort_by(best_first);
        chosen
    }
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
