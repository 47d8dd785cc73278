//! Registration: a look at a media that was brought into the library, and the event that tells how it went.
//!
//! A registration is a task of a workflow that stands in no list (`workflow::preset::registration`); its end is told as
//! that of the registration, not of a task. Guarantees: every registration that was begun ends in one event; a media
//! that is being looked at already is not looked at twice. Deliberately absent: the looking.

use super::admission::Wanted;
use super::error::StoreError;
use super::jobs::JobRow;
use super::library::facts_of;
use super::media::MediaState;
use super::media::Source;
use super::tasks;
use super::tasks::NewTask;
use super::tasks::Overrides;
use super::tasks::TaskRow;
use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::MediaId;
use crate::base::ids::TaskId;
use crate::base::ids::WorkflowId;
use crate::events::Purpose;
use crate::events::TriggerSource;
use crate::events::library::LibraryFact;
use crate::events::library::MediaType;
use crate::workflow::preset;
use crate::workflow::resolved::CallbackRule;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::status::TaskStatus;
use rusqlite::Connection;
use rusqlite::named_params;

/// Id of the workflow; no row has it.
pub(super) const WORKFLOW: &str = "registration";

/// The version that tasks name.
const VERSION: u32 = 1;

/// Begins to look at a media, or tells at once how it went: text needs no look, and what is known needs no second one.
pub(super) fn begin(
    connection: &Connection,
    media: &MediaId,
    source: &Source,
    wanted: &Wanted,
    rule: &CallbackRule,
    now: UtcMs,
) -> Result<Option<TaskId>, StoreError> {
    const STANDS: &str = "select facts is not null, state, media_type from media where id = ?1";
    const LOOKING: &str = "select 1 from tasks where media_id = ?1 and purpose = 'register' \
        and status in ('Init', 'Processing')";
    let (known, state, media_type) = connection.prepare_cached(STANDS)?.query_row([media.as_str()], |row| {
        Ok((
            row.get::<_, bool>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
        ))
    })?;
    if connection.prepare_cached(LOOKING)?.exists([media.as_str()])? {
        return Ok(None);
    }
    let failed = state == MediaState::Failed.as_str();
    if media_type == MediaType::Text.as_str() || (known && !failed) {
        let fact = LibraryFact::MediaRegistered {
            user_data: wanted.user_data.clone(),
            fault: None,
        };
        facts_of::tell(connection, Some(media), fact, rule, now)?;
        return Ok(None);
    }
    let overrides = Overrides {
        callback: Some(rule.clone()),
        ..Overrides::default()
    };
    let new = NewTask {
        workflow: &WorkflowId::from(WORKFLOW),
        version: VERSION,
        source,
        trigger: TriggerSource::Api,
        purpose: Purpose::Register,
        user_data: wanted.user_data.as_deref(),
        priority: 0,
        overrides: &overrides,
        idempotency_key: None,
        arrival_seq: None,
    };
    let task = tasks::insert(connection, &new, preset::registration(), now)?;
    stand(connection, media, MediaState::Preparing, None, now)?;
    Ok(Some(task))
}

/// A task that looked at a media has ended.
pub(super) fn ended(
    connection: &Connection,
    task: &TaskRow,
    jobs: &[JobRow],
    workflow: &ResolvedWorkflow,
    now: UtcMs,
) -> Result<(), StoreError> {
    let fault = match task.status {
        TaskStatus::Succeed => None,
        _ => Some(
            jobs.iter()
                .find_map(|job| job.fault.clone())
                .unwrap_or_else(|| canceled(task)),
        ),
    };
    let state = match fault {
        None => MediaState::Normal,
        Some(_) => MediaState::Failed,
    };
    stand(connection, &task.media, state, fault.as_ref(), now)?;
    let fact = LibraryFact::MediaRegistered {
        user_data: task.user_data.clone(),
        fault,
    };
    facts_of::tell(connection, Some(&task.media), fact, task.callback(workflow), now)
}

/// A user runs the look once more.
pub(super) fn again(connection: &Connection, task: &TaskRow, now: UtcMs) -> Result<(), StoreError> {
    stand(connection, &task.media, MediaState::Preparing, None, now)
}

fn canceled(task: &TaskRow) -> Fault {
    Fault::new(
        "Canceled",
        Blame::Request,
        "register",
        task.media.as_str(),
        "its registration was canceled",
        "Register it again, or retry the task.",
    )
}

/// Writes how a media stands. What a review blocked, and what was deleted meanwhile, stays so.
fn stand(
    connection: &Connection,
    media: &MediaId,
    state: MediaState,
    fault: Option<&Fault>,
    now: UtcMs,
) -> Result<(), StoreError> {
    const SQL: &str = "update media set state = :state, fault = :fault, modified_ms = :now \
        where id = :id and state not in ('Blocked', 'Deleted')";
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":state": state.as_str(), ":fault": fault.map(serde_json::to_string).transpose()?, ":now": now.0,
        ":id": media.as_str(),
    })?;
    Ok(())
}
