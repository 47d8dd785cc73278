//! Numbers over time, for graphs.
//!
//! Guarantees: an answer has a bounded number of points however long the time is. Deliberately absent: the numbers of now,
//! which `/metrics` has.

use crate::base::clock::UtcMs;
use crate::store::gauges::Newest;
use crate::store::gauges::Point;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::paging::Page;
use crate::web::paging::PageQuery;
use crate::web::paging::Wanted;
use crate::web::paging::time;
use crate::web::state::WebState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// Most points of an answer.
const POINTS_MAX: i64 = 2_000;
/// Points when nobody says how far apart.
const POINTS: i64 = 360;
/// What is shown when nobody says from when.
const DAY_MS: i64 = 86_400_000;
/// The shortest span: a value a minute is kept.
const MINUTE_MS: i64 = 60_000;

/// A name that has a history.
#[derive(Debug, Serialize, ToSchema)]
pub struct GaugeView {
    /// Its name, which is its id.
    id: String,
    /// The minute of its newest value.
    at: String,
    /// That value.
    value: f64,
}

impl From<Newest> for GaugeView {
    fn from(newest: Newest) -> Self {
        GaugeView {
            id: newest.name,
            at: newest.at.wire(),
            value: newest.value,
        }
    }
}

/// The history of one name.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryView {
    /// What was measured.
    name: String,
    /// Length of a span, seconds.
    step_s: i64,
    /// Spans that have values, oldest first.
    items: Vec<PointView>,
}

/// One span.
#[derive(Debug, Serialize, ToSchema)]
pub struct PointView {
    /// When it begins.
    at: String,
    /// Mean of its values.
    value: f64,
    /// The lowest.
    min: f64,
    /// The highest.
    max: f64,
}

impl From<Point> for PointView {
    fn from(point: Point) -> Self {
        PointView {
            at: point.at.wire(),
            value: point.mean,
            min: point.min,
            max: point.max,
        }
    }
}

/// Which history.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// A name of GET /api/v1/metrics: tasks.waiting, attempts.running, storage.free_bytes:NAME, ...
    name: String,
    /// From when; a day before `to` when left out.
    #[param(format = DateTime)]
    from: Option<String>,
    /// Until when; now when left out.
    #[param(format = DateTime)]
    to: Option<String>,
    /// Seconds drawn together into one span, 60 or more; fitting when left out. An answer has at most 2,000 spans.
    #[param(minimum = 60, maximum = 31_536_000)]
    step: Option<u32>,
}

/// List the names that have a history, with their newest value.
#[utoipa::path(get, path = "/api/v1/metrics", tag = "metrics", params(PageQuery),
    responses((status = 200, body = Page<GaugeView>), (status = "default", body = Problem)))]
pub async fn names(State(state): State<WebState>, Asked(query): Asked<PageQuery>) -> Answer<Json<Page<GaugeView>>> {
    let wanted = Wanted::read("metrics", query.limit, query.cursor.as_deref())?;
    let after = wanted.after.as_deref().unwrap_or("");
    let rows = state.store.newest_gauges(after, wanted.rows()).await?;
    Ok(Json(wanted.page("metrics", rows, |row| row.name.clone(), Into::into)))
}

/// The history of one name: means, lowest and highest values of spans of time.
#[utoipa::path(get, path = "/api/v1/metrics/history", tag = "metrics", params(HistoryQuery),
    responses((status = 200, body = HistoryView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Asked(query): Asked<HistoryQuery>) -> Answer<Json<HistoryView>> {
    let to = match &query.to {
        Some(text) => time("to", text)?,
        None => UtcMs::now(),
    };
    let from = match &query.from {
        Some(text) => time("from", text)?,
        None => to.plus_ms(-DAY_MS),
    };
    let length_ms = to.0.saturating_sub(from.0);
    if length_ms <= 0 {
        return Err(Problem::bad_request(
            "BadTime",
            "`from` is not before `to`",
            "Ask for a time that has some length.",
        ));
    }
    let step_ms = match query.step {
        Some(step) => i64::from(step) * 1_000,
        None => (length_ms / POINTS).max(MINUTE_MS),
    };
    if step_ms < MINUTE_MS || length_ms / step_ms > POINTS_MAX {
        return Err(Problem::bad_request(
            "BadStep",
            format!(
                "spans of {} s make more than {POINTS_MAX} points, or are shorter than a minute",
                step_ms / 1_000
            ),
            format!(
                "Ask for a step of {} s or more.",
                (length_ms / POINTS_MAX).max(MINUTE_MS) / 1_000 + 1
            ),
        ));
    }
    let limit = usize::try_from(POINTS_MAX + 1).unwrap_or(usize::MAX);
    let points = state.store.gauge_history(&query.name, from, to, step_ms, limit).await?;
    Ok(Json(HistoryView {
        name: query.name,
        step_s: step_ms / 1_000,
        items: points.into_iter().map(Into::into).collect(),
    }))
}
