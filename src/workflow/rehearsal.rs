//! A run that is only thought: which activities would run, under which names their outputs would stand, and what would
//! share a pass.
//!
//! Guarantees: names come from the same code as those of real outputs, passes from the same plan; what cannot be known
//! before a run is said, never guessed. Deliberately absent: whether a name is free, which the storage knows.

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::media::facts::MediaFacts;
use crate::media::product::Place;
use crate::media::spec::MediaWork;
use crate::workflow::expression::Subject;
use crate::workflow::graph_view;
use crate::workflow::naming::BadPath;
use crate::workflow::naming::NameFacts;
use crate::workflow::naming::PathTemplate;
use crate::workflow::naming::ProductNames;
use crate::workflow::output_names;
use crate::workflow::plan;
use crate::workflow::plan::Budget;
use crate::workflow::plan::Candidate;
use crate::workflow::resolved::Activity;
use crate::workflow::resolved::Carrier;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::resolved::When;
use std::collections::BTreeMap;

/// What is known before the run.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// Key of the source.
    pub source_key: &'a str,
    /// The media it is already; none: it would become one.
    pub media: Option<&'a str>,
    /// Facts of it, where an earlier run told them.
    pub facts: Option<&'a MediaFacts>,
    /// The time that `{Date}` stands for.
    pub now: UtcMs,
    /// What one pass may use.
    pub budget: Budget,
}

/// The run.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// Each activity, in the order of the workflow.
    pub activities: Vec<Rehearsed>,
    /// What would be made, by activity.
    pub outputs: Vec<NamedOutput>,
    /// What would be done in one worker, in turn.
    pub passes: Vec<Pass>,
    /// What cannot be known before the run, in sentences.
    pub unknown: Vec<String>,
}

/// One activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsed {
    /// Its id.
    pub id: String,
    /// Whether it would run.
    pub runs: Runs,
}

/// Whether an activity would run, everything before it having succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runs {
    /// It would.
    Yes,
    /// It would not, because.
    No(String),
    /// That depends, on.
    Depends(String),
}

/// One output with its names.
#[derive(Debug, Clone)]
pub struct NamedOutput {
    /// Id of its activity.
    pub activity: String,
    /// Its output group; may be empty.
    pub group: String,
    /// Name of the product.
    pub name: String,
    /// It is several numbered files.
    pub numbered: bool,
    /// Whether there will be one is left to the source.
    pub perhaps: bool,
    names: ProductNames,
}

impl NamedOutput {
    /// Key of its main object, of numbered files the first, under version `n` of the name.
    pub fn key(&self, n: u32) -> String {
        let place = if self.numbered { Place::Numbered(1) } else { Place::Main };
        self.names.versioned(n).key(&place)
    }

    /// The key with `{Count}` in the place of the number; none: it is one file.
    pub fn pattern(&self, n: u32) -> Option<String> {
        self.numbered.then(|| self.names.versioned(n).pattern())
    }
}

/// Activities of one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// 1 for what may begin at once, 2 for what follows it, and so on.
    pub turn: u32,
    /// Their ids.
    pub activities: Vec<String>,
    /// It decodes the whole source.
    pub heavy: bool,
}

/// Thinks a run of `workflow` through.
///
/// # Errors
/// Names that no path can hold.
pub fn of(workflow: &ResolvedWorkflow, before: &Before<'_>) -> Result<Rehearsal, Fault> {
    let mut unknown = Vec::new();
    if before.facts.is_none() {
        unknown.push(
            "The facts of the source are not known before its first run: conditions on them, estimates of time and \
             memory, and sizes of rungs are not decided yet."
                .to_owned(),
        );
    }
    let activities = judged(&workflow.activities, before.facts);
    let outputs = outputs(workflow, before, &activities, &mut unknown)?;
    Ok(Rehearsal {
        passes: passes(&workflow.activities, &activities, before),
        activities,
        outputs,
        unknown,
    })
}

fn judged(activities: &[Activity], facts: Option<&MediaFacts>) -> Vec<Rehearsed> {
    let mut found: Vec<Rehearsed> = Vec::new();
    for activity in activities {
        let of_need = |need: &String| found.iter().find(|one| one.id == *need).map(|one| &one.runs);
        let needs: Vec<&Runs> = activity.needs.iter().filter_map(of_need).collect();
        let waits = activity
            .needs
            .iter()
            .find(|need| matches!(of_need(need), Some(Runs::Depends(_))));
        let runs = if !needs.is_empty() && needs.iter().all(|runs| matches!(runs, Runs::No(_))) {
            Runs::No("everything it follows would be skipped".to_owned())
        } else if activity.needs.is_empty() {
            Runs::Yes
        } else {
            match &activity.when {
                When::Success | When::Always => match waits {
                    None => Runs::Yes,
                    Some(need) => Runs::Depends(format!("whether {need} runs")),
                },
                When::Failure => Runs::Depends(format!("a failure of {}", activity.needs.join(" or "))),
                When::Blocked => Runs::Depends(format!("{} saying block", activity.needs.join(" or "))),
                When::Expression(expression) => {
                    let text = graph_view::words(&activity.when);
                    let subject = Subject { facts, done: &[] };
                    match expression.asks_results() {
                        true => Runs::Depends(format!("{text}, which asks for results")),
                        false => match expression.holds(&subject) {
                            Ok(true) => Runs::Yes,
                            Ok(false) => Runs::No(format!("its condition {text} does not hold for this source")),
                            Err(why) => Runs::Depends(format!("{text}; {why}")),
                        },
                    }
                }
            }
        };
        found.push(Rehearsed {
            id: activity.id.clone(),
            runs,
        });
    }
    found
}

fn outputs(
    workflow: &ResolvedWorkflow,
    before: &Before<'_>,
    activities: &[Rehearsed],
    unknown: &mut Vec<String>,
) -> Result<Vec<NamedOutput>, Fault> {
    let rule = &workflow.output;
    let template = PathTemplate::parse(&rule.path).map_err(|bad: BadPath| {
        Fault::new(
            "PathInvalid",
            crate::base::fault::Blame::Request,
            "name output",
            workflow.name.clone(),
            bad.to_string(),
            "Correct output.path of the workflow.",
        )
    })?;
    let short_edge = before
        .facts
        .and_then(MediaFacts::main_video)
        .map(|(_, video)| video.width.min(video.height))
        .filter(|edge| *edge > 0);
    let will = |id: &str| {
        let found = activities.iter().find(|one| one.id == id);
        found.is_some_and(|one| !matches!(one.runs, Runs::No(_)))
    };
    let mut found = Vec::new();
    for activity in workflow.activities.iter().filter(|activity| will(&activity.id)) {
        for output in output_names::outputs_of(activity, short_edge) {
            let names = template.names(&NameFacts {
                source_key: before.source_key,
                prefix: rule.prefix.as_deref(),
                name: &output.name,
                extension: output.extension,
                group: &output.group,
                activity: &activity.id,
                template: activity.template.as_deref(),
                media: before.media.unwrap_or("{MediaId}"),
                task: "{RunId}",
                job: "{JobId}",
                task_created_at: before.now,
            })?;
            found.push(NamedOutput {
                activity: activity.id.clone(),
                group: output.group,
                name: output.name,
                numbered: output.numbered,
                perhaps: output.perhaps,
                names,
            });
        }
    }
    let keys: Vec<String> = found.iter().map(|output| output.key(1)).collect();
    let names_runs = |token: &str| keys.iter().any(|key| key.contains(token));
    for (token, what) in [
        ("{RunId}", "the task's"),
        ("{JobId}", "a job's"),
        ("{MediaId}", "the media's"),
    ] {
        if names_runs(token) {
            unknown.push(format!("{token} stands for {what} id, which a real run gives."));
        }
    }
    if found.iter().any(|output| output.perhaps) {
        unknown
            .push("Which of the rungs of a ladder left to the source are made follows from its pictures.".to_owned());
    }
    Ok(found)
}

/// What a worker does, turn by turn: jobs become ready together when all that they follow has ended.
fn passes(activities: &[Activity], judged: &[Rehearsed], before: &Before<'_>) -> Vec<Pass> {
    let mut turns: BTreeMap<&str, u32> = BTreeMap::new();
    let mut by_turn: BTreeMap<u32, Vec<(&Activity, &MediaWork)>> = BTreeMap::new();
    for (activity, one) in activities.iter().zip(judged) {
        let last = activity.needs.iter().filter_map(|need| turns.get(need.as_str())).max();
        // What the daemon does by itself takes no turn of a worker.
        let carried = activity.kind.carrier() == Carrier::Worker;
        let turn = last.copied().unwrap_or(0) + u32::from(carried);
        turns.insert(&activity.id, turn);
        if let (true, Some(work), false) = (carried, &activity.work, matches!(one.runs, Runs::No(_))) {
            by_turn.entry(turn).or_default().push((activity, work));
        }
    }
    let mut passes = Vec::new();
    for (turn, members) in by_turn {
        let candidates: Vec<Candidate<'_>> = members
            .iter()
            .map(|(activity, work)| Candidate {
                work,
                backend: activity.backend,
                apart: false,
            })
            .collect();
        for group in plan::fuse(&candidates, before.facts, before.budget) {
            let of_group: Vec<&(&Activity, &MediaWork)> = group.iter().filter_map(|at| members.get(*at)).collect();
            passes.push(Pass {
                turn,
                heavy: of_group.iter().any(|(_, work)| plan::is_heavy(work)),
                activities: of_group.iter().map(|(activity, _)| activity.id.clone()).collect(),
            });
        }
    }
    passes
}

#[cfg(test)]
mod tests {
    use super::Before;
    use super::Runs;
    use super::of;
    use crate::base::clock::UtcMs;
    use crate::media::facts::MediaFacts;
    use crate::workflow::definition::Definition;
    use crate::workflow::plan::Budget;
    use crate::workflow::resolve::resolve;
    use crate::workflow::resolved::ResolvedWorkflow;
    use crate::workflow::template::Templates;

    fn workflow(activities: &str) -> ResolvedWorkflow {
        let text = format!("name = \"w\"\n[source]\nstorage = \"a\"\n[output]\nstorage = \"b\"\n{activities}");
        resolve(&Definition::from_toml(&text).expect("reads"), &Templates::shipped()).expect("resolves")
    }

    fn before(facts: Option<&MediaFacts>) -> Before<'_> {
        Before {
            source_key: "in/clip.mov",
            media: None,
            facts,
            now: UtcMs(0),
            budget: Budget { memory_bytes: 8 << 30 },
        }
    }

    const LADDER: &str = "[[activity]]\nid = \"facts\"\ntype = \"analysis\"\n\
        [[activity]]\nid = \"sheet\"\ntype = \"snapshot\"\nmode = \"sprite\"\ninterval_s = 5\n\
        [[activity]]\nid = \"big\"\ntype = \"transcode\"\ntemplate = \"h264-mp4-ladder\"\nneeds = [\"facts\"]\nwhen = \"height >= 720\"\n\
        [[activity]]\nid = \"sorry\"\ntype = \"noop\"\nneeds = [\"big\"]\nwhen = \"failure\"\n";

    #[test]
    fn names_and_passes_are_those_of_a_run() {
        let rehearsal = of(&workflow(LADDER), &before(None)).expect("can be thought");
        let sheet = &rehearsal.outputs[0];
        assert_eq!(sheet.key(1), "in/clip/sheet-00001.jpg");
        assert_eq!(sheet.key(2), "in/clip/sheet-2-00001.jpg");
        assert_eq!(sheet.pattern(1).as_deref(), Some("in/clip/sheet-{Count}.jpg"));
        let keys: Vec<String> = rehearsal.outputs[1..].iter().map(|output| output.key(1)).collect();
        assert!(keys.contains(&"in/clip/1080p.mp4".to_owned()), "{keys:?}");
        let passes: Vec<(u32, Vec<String>, bool)> = rehearsal
            .passes
            .into_iter()
            .map(|pass| (pass.turn, pass.activities, pass.heavy))
            .collect();
        assert_eq!(
            passes,
            [
                (1, vec!["facts".to_owned(), "sheet".to_owned()], false),
                (2, vec!["big".to_owned()], true),
            ]
        );
        assert!(matches!(&rehearsal.activities[2].runs, Runs::Depends(why) if why.contains("not known")));
        assert!(matches!(&rehearsal.activities[3].runs, Runs::Depends(why) if why.contains("failure of big")));
    }

    #[test]
    fn known_facts_decide_conditions() {
        let facts = MediaFacts::default();
        let rehearsal = of(&workflow(LADDER), &before(Some(&facts))).expect("can be thought");
        assert!(matches!(&rehearsal.activities[2].runs, Runs::No(why) if why.contains("height >= 720")));
        assert!(
            matches!(&rehearsal.activities[3].runs, Runs::No(_)),
            "it follows what is skipped"
        );
        assert_eq!(rehearsal.outputs.len(), 1);
        assert!(rehearsal.unknown.is_empty(), "{:?}", rehearsal.unknown);
    }
}
