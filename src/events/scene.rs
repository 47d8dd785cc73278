//! The scenes into which the clouds sort what moderation finds.
//!
//! Guarantees: every label has one. A hook's labels are its own words; those that the clouds use are sorted as they sort
//! them, all others fall into the scene whose list of labels ends in "others". Deliberately absent: judging.

use crate::workflow::opinion::Opinion;
use crate::workflow::opinion::Segment;
use crate::workflow::opinion::Verdict;

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// Nudity and the like.
    Porn,
    /// Politics.
    Political,
    /// Violence, weapons, and everything else.
    Terrorism,
}

impl Scene {
    /// All of them.
    pub const ALL: [Scene; 3] = [Scene::Porn, Scene::Political, Scene::Terrorism];

    /// The scene of a label.
    pub fn of(label: &str) -> Scene {
        let label = label.to_lowercase();
        let holds = |words: &[&str]| words.iter().any(|word| label.contains(word));
        if holds(&["porn", "sex", "vulgar", "intima", "nud"]) {
            Scene::Porn
        } else if holds(&["politic", "leader", "flag", "election"]) {
            Scene::Political
        } else {
            Scene::Terrorism
        }
    }
}

/// What an opinion says of one scene.
#[derive(Debug)]
pub struct Finding<'a> {
    /// Which.
    pub scene: Scene,
    /// The worst that is said.
    pub verdict: Verdict,
    /// The surest label.
    pub label: &'a str,
    /// How sure, 0..=1.
    pub confidence: f64,
    /// Where.
    pub segments: Vec<&'a Segment>,
}

/// An opinion by scenes; those of which nothing is said are not there. An opinion without labels and segments says
/// what it says of the first scene.
pub fn findings(opinion: &Opinion) -> Vec<Finding<'_>> {
    let mut found = Vec::new();
    for scene in Scene::ALL {
        let labels = opinion.labels.iter().filter(|label| Scene::of(&label.name) == scene);
        let segments: Vec<&Segment> = opinion
            .segments
            .iter()
            .filter(|segment| Scene::of(&segment.label) == scene)
            .collect();
        let said = labels
            .map(|label| (label.name.as_str(), label.confidence))
            .chain(
                segments
                    .iter()
                    .map(|segment| (segment.label.as_str(), segment.confidence)),
            )
            .max_by(|left, right| left.1.total_cmp(&right.1));
        let Some((label, confidence)) = said else {
            continue;
        };
        let verdict = segments
            .iter()
            .filter_map(|segment| segment.verdict)
            .max_by_key(|verdict| severity(*verdict))
            .unwrap_or(opinion.verdict);
        found.push(Finding {
            scene,
            verdict,
            label,
            confidence,
            segments,
        });
    }
    if found.is_empty() {
        found.push(Finding {
            scene: Scene::Porn,
            verdict: opinion.verdict,
            label: "",
            confidence: 0.0,
            segments: Vec::new(),
        });
    }
    found
}

fn severity(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => 0,
        Verdict::Review => 1,
        Verdict::Block => 2,
    }
}
