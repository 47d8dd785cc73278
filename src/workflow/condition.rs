//! What the ends of jobs mean for the rest of their task: what becomes ready, what is skipped, how the task ended.
//!
//! Guarantees: pure; asked again with the same statuses it gives the same answer, so recovery may ask at any time.
//! Deliberately absent: how expressions are read (`expression`), and changing anything.

use crate::workflow::expression::Subject;
use crate::workflow::resolved::Activity;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::resolved::SuccessRule;
use crate::workflow::resolved::When;
use crate::workflow::status::JobStatus;
use crate::workflow::status::TaskEvent;

/// Where one activity of a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Status of its job.
    pub status: JobStatus,
    /// Its needs have let it run already.
    pub ready: bool,
    /// Its job succeeded, and said block.
    pub blocks: bool,
}

/// What is due to an activity whose needs ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It may run.
    Run,
    /// It is skipped, with the reason.
    Skip(String),
}

/// Whether `when` of any of these needs more than how others ended.
pub fn has_expressions(activities: &[Activity]) -> bool {
    let is_expression = |activity: &Activity| matches!(activity.when, When::Expression(_));
    activities.iter().any(is_expression)
}

/// What is due now, by position in `activities`; `nodes` stand in the same order, `subject` is what expressions are
/// about. Skips propagate in one call, since needs come before dependants.
pub fn due(activities: &[Activity], nodes: &[Node], subject: &Subject<'_>) -> Vec<(usize, Step)> {
    let mut statuses: Vec<JobStatus> = nodes.iter().map(|node| node.status).collect();
    let mut steps = Vec::new();
    let blocks: Vec<bool> = nodes.iter().map(|node| node.blocks).collect();
    for (at, (activity, node)) in activities.iter().zip(nodes).enumerate() {
        if node.status != JobStatus::Init || node.ready {
            continue;
        }
        let needs: Vec<(&str, JobStatus)> = activity
            .needs
            .iter()
            .filter_map(|need| {
                let place = activities.iter().position(|other| other.id == *need)?;
                Some((need.as_str(), statuses[place]))
            })
            .collect();
        if needs.iter().any(|(_, status)| !status.ended()) {
            continue;
        }
        let blocker = activity.needs.iter().find(|need| {
            activities
                .iter()
                .position(|other| other.id == **need)
                .is_some_and(|place| blocks[place])
        });
        let step = judge(&activity.when, &needs, blocker.map(String::as_str), subject);
        if matches!(step, Step::Skip(_)) {
            statuses[at] = JobStatus::Skipped;
        }
        steps.push((at, step));
    }
    steps
}

/// Whether an activity runs, its needs having ended so; `blocker` is the one of them that said block.
fn judge(when: &When, needs: &[(&str, JobStatus)], blocker: Option<&str>, subject: &Subject<'_>) -> Step {
    if needs.is_empty() {
        return Step::Run;
    }
    let all = |wanted: JobStatus| needs.iter().all(|(_, status)| *status == wanted);
    let first = |wanted: &[JobStatus]| needs.iter().find(|(_, status)| wanted.contains(status));
    if all(JobStatus::Skipped) {
        return Step::Skip("everything it follows was skipped".to_owned());
    }
    match when {
        When::Always => Step::Run,
        When::Success => match first(&[JobStatus::Fail, JobStatus::Canceled]) {
            None => match blocker {
                None => Step::Run,
                Some(need) => Step::Skip(format!("runs on success, and {need} said block")),
            },
            Some((need, status)) => Step::Skip(format!("runs on success, and {need} ended as {}", status.as_str())),
        },
        When::Failure => match first(&[JobStatus::Fail]) {
            Some(_) => Step::Run,
            None => Step::Skip("runs on failure, and nothing it follows failed".to_owned()),
        },
        When::Expression(expression) => match first(&[JobStatus::Fail, JobStatus::Canceled]) {
            Some((need, status)) if !expression.asks_results() => {
                Step::Skip(format!("{need} ended as {}", status.as_str()))
            }
            None if blocker.is_some() && !expression.asks_results() => Step::Skip(format!(
                "{} said block, and its condition does not ask for that",
                blocker.unwrap_or_default()
            )),
            _ => match expression.holds(subject) {
                Ok(true) => Step::Run,
                Ok(false) => Step::Skip(format!("its condition {} does not hold", expression.as_str())),
                Err(why) => Step::Skip(format!("its condition {} cannot be told: {why}", expression.as_str())),
            },
        },
        When::Blocked => match blocker {
            Some(_) => Step::Run,
            None => Step::Skip("runs when blocked, and nothing it follows said block".to_owned()),
        },
    }
}

/// How a task with these jobs ended; none while one of them has not. `nodes` stand in the order of the activities. Who
/// only said block is no success that a workflow with `success = "any"` asks for.
pub fn outcome(workflow: &ResolvedWorkflow, nodes: &[Node]) -> Option<TaskEvent> {
    if nodes.iter().any(|node| !node.status.ended()) {
        return None;
    }
    if nodes.iter().any(|node| node.status == JobStatus::Canceled) {
        return Some(TaskEvent::Canceled);
    }
    let good = match workflow.success {
        SuccessRule::Any => nodes
            .iter()
            .any(|node| node.status == JobStatus::Success && !node.blocks),
        SuccessRule::All => workflow
            .activities
            .iter()
            .zip(nodes)
            .all(|(activity, node)| activity.optional || node.status != JobStatus::Fail),
    };
    Some(if good { TaskEvent::Succeeded } else { TaskEvent::Failed })
}

/// The activities that come after any of `from`, directly or not; by position.
pub fn followers(activities: &[Activity], from: &[usize]) -> Vec<usize> {
    let mut reached: Vec<bool> = (0..activities.len()).map(|at| from.contains(&at)).collect();
    let mut found = Vec::new();
    for (at, activity) in activities.iter().enumerate() {
        let follows = activities
            .iter()
            .enumerate()
            .any(|(place, other)| reached[place] && activity.needs.contains(&other.id));
        if follows && !reached[at] {
            reached[at] = true;
            found.push(at);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::Node;
    use super::Step;
    use super::Subject;
    use super::due;
    use super::followers;
    use super::outcome;
    use crate::media::spec::Backend;
    use crate::workflow::resolved::Activity;
    use crate::workflow::resolved::ActivityKind;
    use crate::workflow::resolved::AfterRule;
    use crate::workflow::resolved::CallbackRule;
    use crate::workflow::resolved::OnConflict;
    use crate::workflow::resolved::OutputRule;
    use crate::workflow::resolved::ResolvedWorkflow;
    use crate::workflow::resolved::SourceRule;
    use crate::workflow::resolved::SuccessRule;
    use crate::workflow::resolved::When;
    use crate::workflow::status::JobStatus;
    use crate::workflow::status::TaskEvent;

    fn activity(id: &str, needs: &[&str], when: When) -> Activity {
        Activity {
            id: id.to_owned(),
            kind: ActivityKind::Noop,
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            when,
            optional: false,
            backend: Backend::Auto,
            deed: None,
            work: None,
            template: None,
            parameters: serde_json::Value::Null,
        }
    }

    fn nodes(statuses: &[JobStatus]) -> Vec<Node> {
        statuses
            .iter()
            .map(|&status| Node {
                status,
                ready: false,
                blocks: false,
            })
            .collect()
    }

    fn runs(when: When, needs: &[JobStatus]) -> bool {
        let names: Vec<String> = (0..needs.len()).map(|at| format!("n{at}")).collect();
        let mut activities: Vec<Activity> = names.iter().map(|name| activity(name, &[], When::Success)).collect();
        let needed: Vec<&str> = names.iter().map(String::as_str).collect();
        activities.push(activity("last", &needed, when));
        let mut statuses = needs.to_vec();
        statuses.push(JobStatus::Init);
        let steps = due(&activities, &nodes(&statuses), &Subject::default());
        assert_eq!(steps.len(), 1, "{steps:?}");
        steps[0].1 == Step::Run
    }

    #[test]
    fn each_condition_holds_when_it_says() {
        use JobStatus::{Canceled, Fail, Skipped, Success};
        assert!(runs(When::Success, &[Success, Success]));
        assert!(runs(When::Success, &[Success, Skipped]), "one way in is enough");
        assert!(!runs(When::Success, &[Success, Fail]));
        assert!(!runs(When::Success, &[Canceled]));
        assert!(runs(When::Failure, &[Success, Fail]));
        assert!(!runs(When::Failure, &[Success, Success]));
        assert!(runs(When::Always, &[Fail, Skipped]));
        assert!(
            !runs(When::Always, &[Skipped, Skipped]),
            "what only follows skipped nodes is skipped"
        );
        assert!(!runs(When::Blocked, &[Success]));
    }

    #[test]
    fn skips_reach_the_end_of_a_branch_in_one_call() {
        let activities = [
            activity("a", &[], When::Success),
            activity("b", &["a"], When::Failure),
            activity("c", &["b"], When::Always),
            activity("d", &["a", "c"], When::Success),
        ];
        let steps = due(
            &activities,
            &nodes(&[JobStatus::Success, JobStatus::Init, JobStatus::Init, JobStatus::Init]),
            &Subject::default(),
        );
        let words: Vec<(usize, bool)> = steps.iter().map(|(at, step)| (*at, *step == Step::Run)).collect();
        assert_eq!(words, [(1, false), (2, false), (3, true)]);
        let waiting = due(
            &activities,
            &nodes(&[JobStatus::Processing, JobStatus::Init, JobStatus::Init, JobStatus::Init]),
            &Subject::default(),
        );
        assert_eq!(waiting, []);
    }

    fn workflow(success: SuccessRule, activities: Vec<Activity>) -> ResolvedWorkflow {
        ResolvedWorkflow {
            name: "w".to_owned(),
            description: String::new(),
            source: SourceRule {
                storage: None,
                library: false,
                prefix: String::new(),
                automatic: true,
                extensions: Vec::new(),
                process_existing: false,
                after: AfterRule::Keep,
            },
            output: OutputRule {
                storage: None,
                prefix: None,
                path: "{Name}{Ext}".to_owned(),
                on_conflict: OnConflict::Version,
            },
            callback: CallbackRule {
                unified: true,
                ..CallbackRule::default()
            },
            success,
            activities,
        }
    }

    #[test]
    fn a_task_ends_by_its_success_rule() {
        use JobStatus::{Canceled, Fail, Processing, Skipped, Success};
        let mut optional = activity("b", &[], When::Success);
        optional.optional = true;
        let all = workflow(SuccessRule::All, vec![activity("a", &[], When::Success), optional]);
        assert_eq!(outcome(&all, &nodes(&[Success, Processing])), None);
        assert_eq!(
            outcome(&all, &nodes(&[Success, Fail])),
            Some(TaskEvent::Succeeded),
            "b is optional"
        );
        assert_eq!(outcome(&all, &nodes(&[Fail, Success])), Some(TaskEvent::Failed));
        assert_eq!(outcome(&all, &nodes(&[Skipped, Success])), Some(TaskEvent::Succeeded));
        assert_eq!(outcome(&all, &nodes(&[Canceled, Success])), Some(TaskEvent::Canceled));
        let any = ResolvedWorkflow {
            success: SuccessRule::Any,
            ..all
        };
        assert_eq!(outcome(&any, &nodes(&[Fail, Success])), Some(TaskEvent::Succeeded));
        assert_eq!(outcome(&any, &nodes(&[Fail, Skipped])), Some(TaskEvent::Failed));
        let mut blocked = nodes(&[Success, Skipped]);
        blocked[0].blocks = true;
        assert_eq!(
            outcome(&any, &blocked),
            Some(TaskEvent::Failed),
            "a block is nothing made"
        );
    }

    #[test]
    fn followers_are_found_over_several_edges() {
        let activities = [
            activity("a", &[], When::Success),
            activity("b", &["a"], When::Success),
            activity("c", &["b"], When::Success),
            activity("d", &[], When::Success),
        ];
        assert_eq!(followers(&activities, &[0]), [1, 2]);
        assert_eq!(followers(&activities, &[3]), [0_usize; 0]);
    }
}
