//! Rows of `reviews`: questions to people, of a task or about a media outside of any, and what they decided.
//!
//! Guarantees: a review is decided once, by one person or by its time limit; the decision, its event, the state of the
//! media and what follows of the task commit together. Deliberately absent: when time is over (scheduler) and who may
//! decide (web).

use super::Store;
use super::admission;
use super::conclusions;
use super::conclusions::Concluded;
use super::conclusions::Verdict;
use super::error::StoreError;
use super::idempotency;
use super::idempotency::Once;
use super::idempotency::OnceKey;
use super::jobs;
use super::jobs::JobResult;
use super::jobs::JobRow;
use super::library::facts_of;
use super::listing::reviews as listing;
use super::settling;
use super::tasks;
use super::tasks::TaskRow;
use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::base::ids::MediaId;
use crate::base::ids::ReviewId;
use crate::base::ids::TaskId;
use crate::events::Detail;
use crate::events::library::AuditStatus;
use crate::events::library::LibraryFact;
use crate::workflow::deed::Deed;
use crate::workflow::deed::OnTimeout;
use crate::workflow::deed::ReviewRule;
use crate::workflow::opinion::Opinion;
use crate::workflow::opinion::Verdict as Word;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::status::JobEvent;
use crate::workflow::status::JobStatus;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::named_params;
use std::sync::Arc;

/// Where a review stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewState {
    /// Nobody has decided.
    Waiting,
    /// Approved by a person.
    Approved,
    /// Blocked by a person.
    Blocked,
    /// Its time was over.
    Expired,
    /// Its task was cancelled, or the question was taken back.
    Canceled,
}

impl ReviewState {
    /// All of them.
    pub const ALL: [ReviewState; 5] = [
        ReviewState::Waiting,
        ReviewState::Approved,
        ReviewState::Blocked,
        ReviewState::Expired,
        ReviewState::Canceled,
    ];

    /// The word in rows and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ReviewState::Waiting => "waiting",
            ReviewState::Approved => "approved",
            ReviewState::Blocked => "blocked",
            ReviewState::Expired => "expired",
            ReviewState::Canceled => "canceled",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// One review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewRow {
    /// Its id.
    pub id: ReviewId,
    /// What it is about.
    pub media: MediaId,
    /// The task that asks; none: outside of any.
    pub task: Option<TaskId>,
    /// Its job.
    pub job: Option<JobId>,
    /// Where it stands.
    pub state: ReviewState,
    /// What the person is asked to look at.
    pub instructions: String,
    /// When its time is over.
    pub due_at: Option<UtcMs>,
    /// What happens then.
    pub on_timeout: OnTimeout,
    /// Who decided.
    pub auditor: Option<String>,
    /// Why.
    pub reason: String,
    /// What they said.
    pub comment: String,
    /// JSON text of whoever asked, echoed in its event.
    pub user_data: Option<String>,
    /// When it was asked.
    pub created_at: UtcMs,
    /// When it ended.
    pub ended_at: Option<UtcMs>,
}

/// A question about a media outside of any task.
#[derive(Debug, Clone)]
pub struct NewReview {
    /// What it is about.
    pub media: MediaId,
    /// How it is asked.
    pub rule: ReviewRule,
    /// JSON text to echo.
    pub user_data: Option<String>,
}

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Approved; false: blocked.
    pub approve: bool,
    /// Who.
    pub auditor: String,
    /// Why.
    pub reason: String,
    /// What they say.
    pub comment: String,
}

/// How a review ends.
enum End {
    Decided(Decision),
    TimeOver,
}

impl Store {
    /// Asks people about a media outside of any task. After a death it is asked or not.
    ///
    /// # Errors
    /// `NotFound` for the media; `Conflict` when it is deleted.
    pub async fn ask_review(
        &self,
        new: NewReview,
        key: Option<OnceKey>,
        now: UtcMs,
    ) -> Result<Once<ReviewId>, StoreError> {
        const STATE: &str = "select state from media where id = ?1";
        self.write("ask for a review", move |connection| {
            let state: String = connection
                .prepare_cached(STATE)?
                .query_row([new.media.as_str()], |row| row.get(0))
                .optional()?
                .ok_or_else(|| StoreError::not_found("media", new.media.as_str()))?;
            if state == "Deleted" {
                return Err(StoreError::Conflict(format!("media {} is deleted", new.media)));
            }
            let of = Asking {
                media: &new.media,
                task: None,
                job: None,
                user_data: new.user_data.as_deref(),
            };
            idempotency::once(connection, key.as_ref(), now, || {
                insert(connection, &of, &new.rule, now)
            })
        })
        .await
    }

    /// Asks a person in the name of a ready job of a task: the job waits from here on and holds nothing. Stale: the job
    /// is not ready any more.
    pub async fn ask_for_job(
        &self,
        job: &JobId,
        workflow: Arc<ResolvedWorkflow>,
        now: UtcMs,
    ) -> Result<Concluded, StoreError> {
        let job = job.clone();
        self.write("ask for a review", move |connection| {
            let mut row = jobs::job_row(connection, &job)?;
            let mut task = tasks::task_row(connection, &row.task)?;
            if row.status != JobStatus::Init || row.ready_at.is_none() || task.intent.is_some() {
                return Ok(Concluded::Stale);
            }
            let rule = match workflow.activities.get(row.ordinal).map(|activity| &activity.deed) {
                Some(Some(Deed::Review(rule))) => rule,
                _ => return Err(StoreError::unreadable("a review has no rule in its workflow")),
            };
            jobs::change(connection, &mut row, JobEvent::Held, now)?;
            row.not_before = UtcMs(0);
            jobs::keep(connection, &row)?;
            settling::begin(connection, &mut task, &workflow, now)?;
            ask(connection, &task, &row, rule, now)?;
            Ok(Concluded::Yes)
        })
        .await
    }

    /// Ends a review by a person's word. After a death everything that follows from it holds, or nothing. Ring both
    /// bells afterwards.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with a sentence when it is decided already.
    pub async fn decide_review(&self, id: &ReviewId, decision: Decision, now: UtcMs) -> Result<Concluded, StoreError> {
        let id = id.clone();
        self.write("decide a review", move |connection| {
            let row = listing::review_row(connection, &id)?;
            if row.state != ReviewState::Waiting {
                return Err(StoreError::Conflict(settled_already(&row)));
            }
            end(connection, &row, &End::Decided(decision), now)
        })
        .await
    }

    /// Takes back a question that was asked outside of a task.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it is decided already, or belongs to a task.
    pub async fn cancel_review(&self, id: &ReviewId, now: UtcMs) -> Result<(), StoreError> {
        let id = id.clone();
        self.write("take back a review", move |connection| {
            let row = listing::review_row(connection, &id)?;
            if row.state != ReviewState::Waiting {
                return Err(StoreError::Conflict(settled_already(&row)));
            }
            if let Some(task) = &row.task {
                return Err(StoreError::Conflict(format!(
                    "task {task} asks for it; cancel the task, or approve or block it"
                )));
            }
            close(connection, &row.id, ReviewState::Canceled, None, now)
        })
        .await
    }

    /// Reviews whose time is over, the longest first.
    pub async fn reviews_due(&self, now: UtcMs, limit: u32) -> Result<Vec<ReviewId>, StoreError> {
        const SQL: &str = "select id from reviews where state = 'waiting' and due_ms is not null and due_ms <= :now \
            order by due_ms limit :limit";
        self.read("look for reviews whose time is over", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query(named_params! { ":now": now.0, ":limit": limit })?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(ReviewId::from(row.get::<_, String>(0)?));
            }
            Ok(found)
        })
        .await
    }

    /// Ends a review by its time limit, as its rule says. Stale: it was decided meanwhile.
    pub async fn expire_review(&self, id: &ReviewId, now: UtcMs) -> Result<Concluded, StoreError> {
        let id = id.clone();
        self.write("end a review by its time", move |connection| {
            let row = listing::review_row(connection, &id)?;
            if row.state != ReviewState::Waiting || row.due_at.is_none_or(|due| due > now) {
                return Ok(Concluded::Stale);
            }
            end(connection, &row, &End::TimeOver, now)
        })
        .await
    }
}

/// Asks a person in the name of a job that waits.
pub(super) fn ask(
    connection: &Connection,
    task: &TaskRow,
    job: &JobRow,
    rule: &ReviewRule,
    now: UtcMs,
) -> Result<(), StoreError> {
    let of = Asking {
        media: &task.media,
        task: Some(&task.id),
        job: Some(&job.id),
        user_data: task.user_data.as_deref(),
    };
    insert(connection, &of, rule, now).map(drop)
}

/// Takes back what was asked in the name of a job.
pub(super) fn drop_question(connection: &Connection, job: &JobId, now: UtcMs) -> Result<(), StoreError> {
    const SQL: &str =
        "update reviews set state = 'canceled', ended_ms = :now where job_id = :job and state = 'waiting'";
    connection
        .prepare_cached(SQL)?
        .execute(named_params! { ":now": now.0, ":job": job.as_str() })?;
    Ok(())
}

/// Who asks, and about what.
struct Asking<'a> {
    media: &'a MediaId,
    task: Option<&'a TaskId>,
    job: Option<&'a JobId>,
    user_data: Option<&'a str>,
}

fn insert(connection: &Connection, of: &Asking<'_>, rule: &ReviewRule, now: UtcMs) -> Result<ReviewId, StoreError> {
    const SQL: &str = "insert into reviews (id, media_id, task_id, job_id, state, instructions, due_ms, on_timeout, \
        user_data, created_ms) values (:id, :media, :task, :job, 'waiting', :instructions, :due, :on_timeout, \
        :user_data, :now)";
    let id = ReviewId::fresh();
    let due = rule.timeout_s.map(|timeout_s| {
        now.plus_ms(
            i64::try_from(timeout_s)
                .unwrap_or(i64::MAX / 2_000)
                .saturating_mul(1_000),
        )
    });
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":id": id.as_str(), ":media": of.media.as_str(), ":task": of.task.map(TaskId::as_str),
        ":job": of.job.map(JobId::as_str), ":instructions": rule.instructions, ":due": due.map(|at| at.0),
        ":on_timeout": rule.on_timeout.as_str(), ":user_data": of.user_data, ":now": now.0,
    })?;
    Ok(id)
}

fn close(
    connection: &Connection,
    id: &ReviewId,
    state: ReviewState,
    decision: Option<&Decision>,
    now: UtcMs,
) -> Result<(), StoreError> {
    const SQL: &str = "update reviews set state = :state, auditor = :auditor, reason = :reason, comment = :comment, \
        ended_ms = :now where id = :id";
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":state": state.as_str(), ":auditor": decision.map(|decision| decision.auditor.as_str()),
        ":reason": decision.map_or("", |decision| decision.reason.as_str()),
        ":comment": decision.map_or("", |decision| decision.comment.as_str()), ":now": now.0, ":id": id.as_str(),
    })?;
    Ok(())
}

/// Ends a waiting review: its row, the media's state, the event, the job and what follows from it.
fn end(connection: &Connection, row: &ReviewRow, how: &End, now: UtcMs) -> Result<Concluded, StoreError> {
    let audit = match how {
        End::Decided(Decision { approve: true, .. }) => Some(AuditStatus::Normal),
        End::Decided(Decision { approve: false, .. }) => Some(AuditStatus::Blocked),
        End::TimeOver => match row.on_timeout {
            OnTimeout::Fail => None,
            OnTimeout::Approve => Some(AuditStatus::Normal),
            OnTimeout::Block => Some(AuditStatus::Blocked),
        },
    };
    let (state, decision) = match how {
        End::Decided(decision) if decision.approve => (ReviewState::Approved, Some(decision)),
        End::Decided(decision) => (ReviewState::Blocked, Some(decision)),
        End::TimeOver => (ReviewState::Expired, None),
    };
    close(connection, &row.id, state, decision, now)?;
    if let Some(audit) = audit {
        mark(connection, &row.media, audit, now)?;
    }
    let fault = audit.is_none().then(|| nobody_decided(row));
    let word = |pick: fn(&Decision) -> &str, otherwise: &str| {
        decision.map_or(otherwise.to_owned(), |one| pick(one).to_owned())
    };
    let said = LibraryFact::ReviewEnded {
        review: row.id.clone(),
        audit,
        auditor: word(|decision| &decision.auditor, ""),
        reason: word(
            |decision| &decision.reason,
            if audit.is_some() { "nobody decided in time" } else { "" },
        ),
        comment: word(|decision| &decision.comment, ""),
        asked_at: row.created_at,
        fault: fault.clone(),
    };
    let Some(job) = &row.job else {
        tell_outside(connection, row, said, now)?;
        return Ok(Concluded::Yes);
    };
    let verdict = match (audit, fault) {
        (Some(audit), _) => {
            let result = decided(jobs::job_row(connection, job)?.result, audit, decision);
            Verdict::Success {
                result: Some(result),
                files: Vec::new(),
            }
        }
        (None, fault) => Verdict::Failed(fault.unwrap_or_else(|| nobody_decided(row))),
    };
    let said = Detail::Library { fact: Box::new(said) };
    conclusions::conclude_waiting(connection, job, verdict, Some(said), now)
}

/// What the job did: what a program said before, if one did, with the decision in the place of its answer.
fn decided(before: Option<JobResult>, audit: AuditStatus, decision: Option<&Decision>) -> JobResult {
    let mut result = before.unwrap_or_default();
    if result.backend.is_empty() {
        "none".clone_into(&mut result.backend);
    }
    let word = match audit {
        AuditStatus::Normal => Word::Pass,
        AuditStatus::Blocked => Word::Block,
    };
    let mut opinion = match result.opinion.take() {
        Some(opinion) => *opinion,
        None => Opinion {
            summary: decision.map_or_else(String::new, |decision| decision.reason.clone()),
            ..Opinion::of(word)
        },
    };
    opinion.verdict = word;
    opinion.by = decision.map_or_else(|| "time limit".to_owned(), |decision| decision.auditor.clone());
    result.opinion = Some(Box::new(opinion));
    result
}

/// Notes at the media what was decided. One that is being looked at, failed or is deleted stays so.
fn mark(connection: &Connection, media: &MediaId, audit: AuditStatus, now: UtcMs) -> Result<(), StoreError> {
    const SQL: &str = "update media set state = :state, modified_ms = :now where id = :id \
        and state in ('Normal', 'Blocked') and state <> :state";
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":state": audit.as_str(), ":now": now.0, ":id": media.as_str(),
    })?;
    Ok(())
}

/// Tells the end of a review that no task asked for, to whom its own or the media's user data name.
fn tell_outside(connection: &Connection, row: &ReviewRow, fact: LibraryFact, now: UtcMs) -> Result<(), StoreError> {
    const OF_MEDIA: &str = "select user_data from media where id = ?1";
    let user_data = match &row.user_data {
        Some(own) => Some(own.clone()),
        None => connection
            .prepare_cached(OF_MEDIA)?
            .query_row([row.media.as_str()], |found| found.get(0))?,
    };
    let rule = admission::rule_for(user_data.as_deref(), None);
    facts_of::tell(connection, Some(&row.media), fact, &rule, now)
}

fn nobody_decided(row: &ReviewRow) -> Fault {
    let after_s = row.due_at.map_or(0, |due| (due.0 - row.created_at.0) / 1_000);
    Fault::new(
        "ReviewTimedOut",
        Blame::Request,
        "review",
        row.media.to_string(),
        format!("nobody decided within {after_s} s"),
        "Retry the task to ask again; set on_timeout to approve or block if that shall stand in for a decision.",
    )
}

fn settled_already(row: &ReviewRow) -> String {
    let at = row.ended_at.map_or_else(String::new, |at| format!(" at {}", at.wire()));
    match (row.state, &row.auditor) {
        (ReviewState::Approved | ReviewState::Blocked, Some(auditor)) => {
            format!(
                "review {} was {} by {auditor}{at}, and that stands",
                row.id,
                row.state.as_str()
            )
        }
        (ReviewState::Expired, _) => format!("the time of review {} was over{at}", row.id),
        _ => format!("review {} is {}{at}", row.id, row.state.as_str()),
    }
}
