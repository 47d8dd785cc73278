//! Reviews: what people are asked, and what they decided.
//!
//! Guarantees: pages by key, newest first. Deliberately absent: deciding (`store::reviews`).

use super::Conditions;
use super::collect;
use super::only;
use super::plain;
use super::time;
use super::time_or_none;
use super::word;
use crate::base::ids::JobId;
use crate::base::ids::MediaId;
use crate::base::ids::ReviewId;
use crate::base::ids::TaskId;
use crate::objects::uri::ObjectUri;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::reviews::ReviewRow;
use crate::store::reviews::ReviewState;
use crate::workflow::deed::OnTimeout;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::named_params;
use rusqlite::params_from_iter;

/// Which reviews.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReviewFilter {
    /// In this state.
    pub state: Option<ReviewState>,
    /// About this media.
    pub media: Option<String>,
    /// Of this task.
    pub task: Option<String>,
}

/// A review with what a page says of its surroundings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewDetail {
    /// The review.
    pub review: ReviewRow,
    /// The source of its media.
    pub object: ObjectUri,
    /// The title of its media, its file name if nobody said better; empty: the media has left the library.
    pub title: String,
    /// The activity that asks.
    pub activity: Option<String>,
    /// The workflow of its task.
    pub workflow: Option<String>,
}

const REVIEW: &str = "select r.id, r.media_id, r.task_id, r.job_id, r.state, r.instructions, r.due_ms, r.on_timeout, \
    r.auditor, r.reason, r.comment, r.user_data, r.created_ms, r.ended_ms, m.storage, m.key, m.title, j.activity, \
    t.workflow_name from reviews r join media m on m.id = r.media_id left join jobs j on j.id = r.job_id \
    left join tasks t on t.id = r.task_id";

fn detail_of(row: &Row<'_>) -> Result<ReviewDetail, StoreError> {
    let id_or_none = |column: &str| plain::<Option<String>>(row, column);
    Ok(ReviewDetail {
        review: ReviewRow {
            id: ReviewId::from(plain::<String>(row, "id")?),
            media: MediaId::from(plain::<String>(row, "media_id")?),
            task: id_or_none("task_id")?.map(TaskId::from),
            job: id_or_none("job_id")?.map(JobId::from),
            state: word(row, "state", ReviewState::parse)?,
            instructions: plain(row, "instructions")?,
            due_at: time_or_none(row, "due_ms")?,
            on_timeout: word(row, "on_timeout", OnTimeout::parse)?,
            auditor: plain(row, "auditor")?,
            reason: plain(row, "reason")?,
            comment: plain(row, "comment")?,
            user_data: plain(row, "user_data")?,
            created_at: time(row, "created_ms")?,
            ended_at: time_or_none(row, "ended_ms")?,
        },
        object: ObjectUri::new(plain::<String>(row, "storage")?, plain::<String>(row, "key")?),
        title: plain(row, "title")?,
        activity: plain(row, "activity")?,
        workflow: plain(row, "workflow_name")?,
    })
}

/// The review with this id.
pub(in crate::store) fn review_row(connection: &Connection, id: &ReviewId) -> Result<ReviewRow, StoreError> {
    show(connection, id).map(|detail| detail.review)
}

fn show(connection: &Connection, id: &ReviewId) -> Result<ReviewDetail, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{REVIEW} where r.id = :id"))?;
    only(
        statement.query(named_params! { ":id": id.as_str() })?,
        detail_of,
        "review",
        id.as_str(),
    )
}

impl Store {
    /// Up to `limit` reviews asked before the one named `before`, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_reviews(
        &self,
        filter: ReviewFilter,
        before: Option<String>,
        limit: usize,
    ) -> Result<Vec<ReviewDetail>, StoreError> {
        self.read("list reviews", move |connection| {
            let mut conditions = Conditions::default();
            conditions.when("r.state = ?", filter.state.map(ReviewState::as_str));
            conditions.when("r.media_id = ?", filter.media);
            conditions.when("r.task_id = ?", filter.task);
            conditions.when("r.id < ?", before);
            let sql = format!("{REVIEW}{} order by r.id desc limit {limit}", conditions.sql);
            let mut statement = connection.prepare_cached(&sql)?;
            collect(statement.query(params_from_iter(conditions.values()))?, detail_of)
        })
        .await
    }

    /// One review.
    ///
    /// # Errors
    /// There is none with this id, or the database failed.
    pub async fn show_review(&self, id: &ReviewId) -> Result<ReviewDetail, StoreError> {
        let id = id.clone();
        self.read("show a review", move |connection| show(connection, &id))
            .await
    }

    /// How many reviews wait for a person, counted up to `most`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn reviews_waiting(&self, most: i64) -> Result<i64, StoreError> {
        self.read("count reviews", move |connection| {
            const SQL: &str = "select count(*) from (select 1 from reviews where state = 'waiting' limit ?1)";
            Ok(connection.prepare_cached(SQL)?.query_row([most], |row| row.get(0))?)
        })
        .await
    }
}
