//! One workflow over one file: the graph, attempt by attempt, with nothing but the executor.
//!
//! Guarantees: activities run when their needs ended as the workflow's conditions want; ready ones share one decode
//! of the source; when such a shared attempt crashes, its jobs are tried once more, each alone; what a device failed that
//! need not be made there is made once more in software, and the report says why. Deliberately absent: any record of it
//! besides the report.

use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::base::ids::JobId;
use crate::base::ids::TaskId;
use crate::cli::run::BackendChoice;
use crate::cli::run::OUTPUT_STORAGE;
use crate::cli::run::bar::Bar;
use crate::cli::run::fallback;
use crate::cli::run::publishing::Publishing;
use crate::cli::run::report::ActivityReport;
use crate::cli::run::report::CoverReport;
use crate::cli::run::report::ErrorReport;
use crate::cli::run::report::QcActivity;
use crate::cli::run::report::Report;
use crate::executor::AttemptEnd;
use crate::executor::AttemptOrder;
use crate::executor::AttemptUpdate;
use crate::executor::Executor;
use crate::executor::Identity;
use crate::executor::local::LocalExecutor;
use crate::media::facts::MediaFacts;
use crate::media::limits::Limits;
use crate::media::product::JobEnd;
use crate::media::product::JobProduct;
use crate::media::spec::Backend;
use crate::objects::uri::ObjectUri;
use crate::workflow::condition;
use crate::workflow::condition::Node;
use crate::workflow::condition::Step;
use crate::workflow::expression::Done;
use crate::workflow::expression::Subject;
use crate::workflow::naming::PathTemplate;
use crate::workflow::plan;
use crate::workflow::plan::Budget;
use crate::workflow::plan::Candidate;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::status::JobStatus;
use crate::workflow::status::TaskEvent;
use crate::workflow::status::TaskStatus;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What is to be done.
#[derive(Debug)]
pub struct Errand {
    /// The workflow.
    pub workflow: ResolvedWorkflow,
    /// The source.
    pub source: ObjectUri,
    /// What the source was when the run began.
    pub identity: Identity,
    /// Carries it out.
    pub executor: LocalExecutor,
    /// The hardware asked for.
    pub backend: BackendChoice,
    /// May replace outputs.
    pub overwrite: bool,
    /// Threads of an attempt.
    pub threads: u32,
}

/// Where one activity stands.
#[derive(Debug, Clone)]
struct State {
    job: JobId,
    status: JobStatus,
    ready: bool,
    apart: bool,
    /// Why it is done in software from now on.
    software: Option<String>,
    reason: Option<String>,
    /// What it did, for the conditions of those that follow.
    result: Option<Value>,
}

/// How one attempt went, by job.
struct Attempted {
    end: AttemptEnd,
    jobs: BTreeMap<JobId, JobEnd>,
}

impl Errand {
    /// Does it. `output` is DIR.
    pub async fn carry_out(&self, output: &Path, bar: &Bar, stop: CancellationToken) -> Report {
        let mut report = self.blank_report();
        let begun = std::time::Instant::now();
        let mut states: Vec<State> = self.workflow.activities.iter().map(|_| State::new()).collect();
        match self.publishing(output) {
            Ok(mut publishing) => {
                self.go_through(&mut states, &mut publishing, &mut report, bar, &stop)
                    .await
            }
            Err(fault) => {
                for at in 0..states.len() {
                    self.fail(&mut states, at, fault.clone(), &mut report);
                }
            }
        }
        let nodes: Vec<Node> = states.iter().map(State::node).collect();
        report.status = match condition::outcome(&self.workflow, &nodes) {
            Some(TaskEvent::Succeeded) => TaskStatus::Succeed,
            Some(TaskEvent::Canceled) => TaskStatus::Canceled,
            _ => TaskStatus::Failed,
        };
        report.activities = self
            .workflow
            .activities
            .iter()
            .zip(states)
            .map(|(activity, state)| ActivityReport {
                id: activity.id.clone(),
                kind: activity.kind.as_str(),
                status: state.status,
                reason: state.reason,
            })
            .collect();
        report.cost.wall_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        report
    }

    fn blank_report(&self) -> Report {
        Report {
            status: TaskStatus::Init,
            workflow: self.workflow.name.clone(),
            input: self.source.key.clone(),
            backend: None,
            fallback_reason: None,
            partial: false,
            failed_outputs: Vec::new(),
            facts: None,
            outputs: Vec::new(),
            dropped: Vec::new(),
            warnings: Vec::new(),
            decisions: Vec::new(),
            covers: Vec::new(),
            qc: Vec::new(),
            errors: Vec::new(),
            activities: Vec::new(),
            cost: crate::media::progress::Cost::default(),
        }
    }

    fn publishing<'a>(&'a self, output: &'a Path) -> Result<Publishing<'a, LocalExecutor>, Fault> {
        let path = PathTemplate::parse(&self.workflow.output.path).map_err(|error| {
            Fault::new(
                "PathInvalid",
                Blame::Request,
                "name outputs",
                &self.workflow.name,
                error.to_string(),
                "Correct output.path of the workflow.",
            )
        })?;
        Ok(Publishing {
            executor: &self.executor,
            path,
            source_key: &self.source.key,
            overwrite: self.overwrite,
            output,
            task: TaskId::fresh(),
            begun_at: UtcMs::now(),
            claimed: BTreeSet::new(),
        })
    }

    async fn go_through(
        &self,
        states: &mut [State],
        publishing: &mut Publishing<'_, LocalExecutor>,
        report: &mut Report,
        bar: &Bar,
        stop: &CancellationToken,
    ) {
        while !stop.is_cancelled() {
            self.take_steps(states, report.facts.as_ref());
            let Some(group) = self.next_group(states, report) else {
                break;
            };
            bar.begin(&self.names_of(&group));
            self.attempt(&group, states, publishing, report, bar, stop).await;
        }
        for state in states.iter_mut().filter(|state| !state.status.ended()) {
            state.status = JobStatus::Canceled;
        }
    }

    /// Makes ready or skips what is due; what the daemon would do alone is done at once.
    fn take_steps(&self, states: &mut [State], facts: Option<&MediaFacts>) {
        loop {
            let nodes: Vec<Node> = states.iter().map(State::node).collect();
            let done: Vec<Done> = (self.workflow.activities.iter().zip(states.iter()))
                .map(|(activity, state)| Done {
                    activity: activity.id.clone(),
                    status: state.status,
                    result: state.result.clone(),
                })
                .collect();
            let subject = Subject { facts, done: &done };
            let steps = condition::due(&self.workflow.activities, &nodes, &subject);
            if steps.is_empty() {
                return;
            }
            for (at, step) in steps {
                match step {
                    Step::Run if self.workflow.activities[at].deed.is_some() => {
                        states[at].status = JobStatus::Skipped;
                        states[at].reason = Some(format!(
                            "activities of type {:?} need the daemon",
                            self.workflow.activities[at].kind.as_str()
                        ));
                    }
                    Step::Run if self.workflow.activities[at].work.is_none() => states[at].status = JobStatus::Success,
                    Step::Run => states[at].ready = true,
                    Step::Skip(reason) => {
                        states[at].status = JobStatus::Skipped;
                        states[at].reason = Some(reason);
                    }
                }
            }
        }
    }

    /// The activities that share the next attempt.
    fn next_group(&self, states: &[State], report: &Report) -> Option<Vec<usize>> {
        let waiting: Vec<usize> = (0..states.len())
            .filter(|at| states[*at].ready && states[*at].status == JobStatus::Init)
            .collect();
        let candidates: Vec<Candidate<'_>> = waiting
            .iter()
            .filter_map(|at| {
                let activity = &self.workflow.activities[*at];
                Some(Candidate {
                    work: activity.work.as_ref()?,
                    backend: self.backend_of(states, *at),
                    apart: states[*at].apart,
                })
            })
            .collect();
        let budget = Budget {
            memory_bytes: memory_bytes(),
        };
        let groups = plan::fuse(&candidates, report.facts.as_ref(), budget);
        let first = groups.into_iter().next()?;
        Some(first.into_iter().map(|at| waiting[at]).collect())
    }

    /// Where an activity is done.
    fn backend_of(&self, states: &[State], at: usize) -> Backend {
        match states[at].software {
            Some(_) => Backend::Software,
            None => self.backend.over(self.workflow.activities[at].backend),
        }
    }

    /// Whether a worker that died so may have died of a device.
    async fn has_died_of_device(&self, policy: Backend, end: &AttemptEnd) -> bool {
        let is_like_it = end.crashed && end.fault.as_ref().is_none_or(fallback::may_be_of_device);
        if policy != Backend::Auto || !is_like_it {
            return false;
        }
        match self.executor.devices().await {
            Ok(report) => !report.devices.is_empty(),
            // A driver that does not even let itself be looked at is one that workers die of.
            Err(_) => true,
        }
    }

    fn names_of(&self, group: &[usize]) -> String {
        let names: Vec<&str> = group
            .iter()
            .map(|at| self.workflow.activities[*at].id.as_str())
            .collect();
        names.join(", ")
    }

    async fn attempt(
        &self,
        group: &[usize],
        states: &mut [State],
        publishing: &mut Publishing<'_, LocalExecutor>,
        report: &mut Report,
        bar: &Bar,
        stop: &CancellationToken,
    ) {
        let attempt = AttemptId::fresh();
        let order = self.order(&attempt, group, states, publishing.task.clone());
        let policy = order.backend;
        let mut attempted = self.carry_out_attempt(order, report, bar, stop).await;
        let shared = group.len() > 1;
        let may_be_device = self.has_died_of_device(policy, &attempted.end).await;
        for at in group.iter().copied() {
            match attempted.jobs.remove(&states[at].job) {
                Some(JobEnd::Success(mut made)) => {
                    if let Some(why) = &states[at].software {
                        fallback::tell(&mut made, why);
                    }
                    let activity = &self.workflow.activities[at];
                    let published = publishing.publish(&attempt, activity, &states[at].job, &made).await;
                    match published {
                        Ok(outputs) => {
                            states[at].status = JobStatus::Success;
                            states[at].result = result_of(&made);
                            report.outputs.extend(outputs);
                            note(made, &activity.id, report);
                        }
                        Err(fault) => self.fail(states, at, fault, report),
                    }
                }
                Some(JobEnd::Skipped { reason }) => {
                    states[at].status = JobStatus::Skipped;
                    states[at].reason = Some(reason);
                }
                Some(JobEnd::Failed { fault }) if fallback::is_due(policy, &fault, false) => {
                    states[at].software = Some(fallback::why(&fault))
                }
                Some(JobEnd::Failed { fault }) => self.fail(states, at, fault, report),
                Some(JobEnd::Rejected { fault, mut found }) => {
                    if let Some(why) = &states[at].software {
                        fallback::tell(&mut found, why);
                    }
                    self.fail(states, at, fault, report);
                    states[at].result = result_of(&found);
                    note(*found, &self.workflow.activities[at].id, report);
                }
                None if attempted.end.stopped => states[at].status = JobStatus::Canceled,
                None => {
                    let fault = attempted.end.fault.clone().unwrap_or_else(|| self.unanswered());
                    let leaves = fallback::is_due(policy, &fault, may_be_device);
                    if leaves {
                        states[at].software = Some(fallback::why(&fault));
                    }
                    if attempted.end.crashed && shared {
                        states[at].apart = true;
                    } else if !leaves {
                        self.fail(states, at, fault, report);
                    }
                }
            }
        }
        self.executor.discard(&attempt, &[OUTPUT_STORAGE.to_owned()]).await;
    }

    fn order(&self, attempt: &AttemptId, group: &[usize], states: &[State], task: TaskId) -> AttemptOrder {
        let works = group.iter().filter_map(|at| {
            let work = self.workflow.activities[*at].work.clone()?;
            Some((states[*at].job.clone(), work))
        });
        // Fused jobs agree on it.
        let backend = group.first().map(|at| self.backend_of(states, *at));
        AttemptOrder {
            attempt: attempt.clone(),
            task,
            jobs: works.collect(),
            source: self.source.clone(),
            identity: self.identity.clone(),
            parts: None,
            threads: self.threads,
            backend: backend.unwrap_or_default(),
            device: None,
            limits: Limits::default(),
        }
    }

    async fn carry_out_attempt(
        &self,
        order: AttemptOrder,
        report: &mut Report,
        bar: &Bar,
        stop: &CancellationToken,
    ) -> Attempted {
        let (updates, mut heard) = mpsc::channel(64);
        let mut jobs = BTreeMap::new();
        let listening = async {
            while let Some(update) = heard.recv().await {
                bar.show(&update);
                match update {
                    AttemptUpdate::Facts(facts) => report.facts = Some(*facts),
                    AttemptUpdate::JobEnded(job, end) => {
                        jobs.insert(job, *end);
                    }
                    AttemptUpdate::Progress(_) | AttemptUpdate::Log(_) => {}
                }
            }
        };
        let (end, ()) = tokio::join!(self.executor.carry_out(order, updates, stop.clone()), listening);
        if let Some(cost) = end.cost {
            report.cost.cpu_ms += cost.cpu_ms;
            report.cost.read_bytes += cost.read_bytes;
            report.cost.peak_memory_bytes = report.cost.peak_memory_bytes.max(cost.peak_memory_bytes);
        }
        Attempted { end, jobs }
    }

    fn fail(&self, states: &mut [State], at: usize, fault: Fault, report: &mut Report) {
        states[at].status = JobStatus::Fail;
        report.errors.push(ErrorReport {
            activity: self.workflow.activities[at].id.clone(),
            fault,
        });
    }

    fn unanswered(&self) -> Fault {
        Fault::new(
            "JobUnanswered",
            Blame::Bug,
            "run worker",
            &self.source.key,
            "the worker finished without a word on this activity",
            "This is a defect of reelmill: report it with the workflow.",
        )
    }
}

impl State {
    fn new() -> Self {
        State {
            job: JobId::fresh(),
            status: JobStatus::Init,
            ready: false,
            apart: false,
            software: None,
            reason: None,
            result: None,
        }
    }

    fn node(&self) -> Node {
        Node {
            status: self.status,
            ready: self.ready,
            blocks: false,
        }
    }
}

/// Adds what a job has to say besides its outputs.
fn note(made: JobProduct, activity: &str, report: &mut Report) {
    report.decisions.extend(made.decisions);
    let weighed = made.stills.iter().filter(|mark| mark.score.is_some());
    report.covers.extend(weighed.map(|mark| CoverReport {
        activity: activity.to_owned(),
        mark: *mark,
    }));
    report.qc.extend(made.qc.map(|report| *report).map(|report| QcActivity {
        activity: activity.to_owned(),
        report,
    }));
    for line in made.dropped {
        if !report.dropped.contains(&line) {
            report.dropped.push(line);
        }
    }
    for line in made.warnings {
        if !report.warnings.contains(&line) {
            report.warnings.push(line);
        }
    }
    report.partial |= made.partial;
    report.failed_outputs.extend(made.failed_outputs);
    // Facts are always read in software; what counts is where the first outputs were made.
    let is_first = !made.outputs.is_empty() && report.outputs.len() == made.outputs.len();
    if is_first || report.backend.is_none() {
        report.backend = Some(made.backend);
    }
    if made.fallback_reason.is_some() {
        report.fallback_reason = made.fallback_reason;
    }
}

/// What conditions may ask of what an activity did: its product without the files.
fn result_of(made: &JobProduct) -> Option<Value> {
    let mut result = serde_json::to_value(made).ok()?;
    let parts = result.as_object_mut()?;
    parts.remove("outputs");
    parts.remove("measured");
    Some(result)
}

/// Half of the host's memory: a run is not alone on its machine.
fn memory_bytes() -> u64 {
    let info = rustix::system::sysinfo();
    info.totalram.saturating_mul(u64::from(info.mem_unit)) / 2
}
