//! Answers of programs outside that said "later" when they were asked.
//!
//! Guarantees: the word in the address is the whole right to answer, made for one question and good for one answer.
//! Deliberately absent: asking.

use crate::base::address::Reach;
use crate::base::address::check_callback_url;
use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::store::conclusions::Concluded;
use crate::store::conclusions::Verdict;
use crate::store::errands::Awaited;
use crate::store::error::StoreError;
use crate::store::jobs::JobResult;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::state::WebState;
use crate::workflow::deed::Deed;
use crate::workflow::deed::HookRule;
use crate::workflow::deed::OnReview;
use crate::workflow::opinion::Opinion;
use crate::workflow::opinion::Verdict as Word;
use crate::workflow::resolved::ResolvedWorkflow;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;
use utoipa::ToSchema;

/// An answer may come before our own note that it is awaited is on disk.
const TOO_EARLY_TRIES: u32 = 20;
const TOO_EARLY_WAIT: Duration = Duration::from_millis(100);

/// Failed answers of one job before it is given up, the first included.
const TRIES: u32 = 5;
/// How long a service that failed is left alone.
const AGAIN_MS: i64 = 5_000;

/// An answer: an opinion, or why there is none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerRequest {
    /// pass, review or block; absent when there is an `error`.
    verdict: Option<String>,
    /// What the whole is about: name and confidence 0 to 1 of each.
    #[serde(default)]
    labels: Vec<Value>,
    /// What was seen when: start_ms, end_ms, label, confidence, and verdict where it differs.
    #[serde(default)]
    segments: Vec<Value>,
    /// In a sentence.
    #[serde(default)]
    summary: String,
    /// Ignored: the hook's own name is kept.
    #[serde(default)]
    #[allow(dead_code, reason = "an opinion may carry it")]
    by: String,
    /// Why there is no opinion: the job fails, and is asked again if that may help.
    error: Option<String>,
    /// Asking again may help.
    #[serde(default)]
    retryable: bool,
}

/// What became of an answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerView {
    /// The job it was for.
    job: String,
    /// Its status now.
    status: String,
}

/// Answer a question that was answered with 202 before. The address came with the question and needs no token.
#[utoipa::path(post, path = "/api/v1/hooks/{word}", tag = "hooks", params(("word" = String, Path,)), request_body = AnswerRequest,
    security(()),
    responses((status = 200, body = AnswerView), (status = 404, body = Problem, description = "no such question"),
        (status = 409, body = Problem, description = "nothing waits for it"), (status = "default", body = Problem)))]
pub async fn answer(
    State(state): State<WebState>,
    Named(word): Named,
    Given(request): Given<AnswerRequest>,
) -> Answer<Json<AnswerView>> {
    let unknown = || {
        Problem::new(
            StatusCode::NOT_FOUND,
            "NoSuchQuestion",
            "nothing was asked under this address",
            "Post to the answer_url of the question, unchanged.",
        )
    };
    let attempt = state
        .signer
        .answered_attempt(&word)
        .map(AttemptId::from)
        .ok_or_else(unknown)?;
    let awaited = awaited(&state, &attempt).await?;
    let Some(Deed::Hook(rule)) = &awaited.activity.deed else {
        return Err(unknown());
    };
    let verdict = verdict_of(rule, request, awaited.job.tries)?;
    let concluded = state
        .store
        .conclude_awaited(&awaited.job.id, Some(&attempt), verdict, UtcMs::now())
        .await?;
    if concluded == Concluded::Stale {
        return Err(Problem::conflict(
            "Conflict",
            "nothing waits for this answer any more",
            "It was answered, cancelled or given up before.",
        ));
    }
    state.bells.scheduler.ring();
    state.bells.callback.ring();
    let job = state.store.job(&awaited.job.id).await?;
    tracing::info!(job = %job.id, status = job.status.as_str(), "an answer came that was promised for later");
    Ok(Json(AnswerView {
        job: job.id.into_string(),
        status: job.status.as_str().to_owned(),
    }))
}

async fn awaited(state: &WebState, attempt: &AttemptId) -> Answer<Awaited> {
    let mut tries = 0;
    loop {
        match state.store.awaited(attempt).await {
            Err(StoreError::Conflict(_)) if tries < TOO_EARLY_TRIES && state.store.is_held_by(attempt).await? => {
                tries += 1;
                tokio::time::sleep(TOO_EARLY_WAIT).await;
            }
            other => return Ok(other?),
        }
    }
}

/// What an answer comes to.
fn verdict_of(rule: &HookRule, request: AnswerRequest, tries: u32) -> Answer<Verdict> {
    let bad = |why: String| {
        Problem::unacceptable(
            "BadOpinion",
            why,
            "Send verdict with labels, segments and summary as you like, or error.",
        )
    };
    let word = match (request.verdict, request.error) {
        (Some(word), None) => word,
        (None, Some(cause)) => {
            let fault = Fault::new(
                "HookFailed",
                Blame::Host,
                "ask hook",
                rule.name(),
                cause.chars().take(1_000).collect::<String>(),
                "Look at the log of the service.",
            );
            return Ok(match request.retryable && tries + 1 < TRIES {
                true => Verdict::Again {
                    fault,
                    not_before: UtcMs::now().plus_ms(AGAIN_MS),
                    apart: false,
                    software: None,
                    counted: true,
                },
                false => Verdict::Failed(fault.retryable(false)),
            });
        }
        _ => return Err(bad("it has neither a verdict nor an error, or both".to_owned())),
    };
    let opinion = serde_json::json!({
        "verdict": word, "labels": request.labels, "segments": request.segments, "summary": request.summary,
        "by": rule.name(),
    });
    let opinion: Opinion =
        serde_json::from_value(opinion).map_err(|error| bad(format!("it is no opinion: {error}")))?;
    opinion.check().map_err(bad)?;
    let asks = rule.on_review == OnReview::Ask && opinion.verdict == Word::Review;
    let result = Some(JobResult {
        backend: "none".to_owned(),
        opinion: Some(Box::new(opinion)),
        ..JobResult::default()
    });
    Ok(match asks {
        true => Verdict::Held {
            result: result.map(Box::new),
            until: None,
            ask: Some(rule.review.clone().unwrap_or_default()),
        },
        false => Verdict::Success {
            result,
            files: Vec::new(),
        },
    })
}

/// Refuses a workflow that came in by a request and would ask this host itself: only files on it may.
pub(super) fn refuse_near(workflow: &ResolvedWorkflow) -> Answer<()> {
    for activity in &workflow.activities {
        let Some(Deed::Hook(HookRule { url: Some(url), .. })) = &activity.deed else {
            continue;
        };
        if let Err(fault) = check_callback_url(url, Reach::Network) {
            return Err(Problem::unacceptable(
                "HookUrlRefused",
                format!("activity {:?} of {}: {}", activity.id, workflow.name, fault.cause),
                "Use the service's address in your network; this host itself can only be named by workflow files on it.",
            ));
        }
    }
    Ok(())
}
