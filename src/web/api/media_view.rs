//! Shapes of media in answers.
//!
//! Guarantees: links are made fresh for each answer and expire. Deliberately absent: handlers (`media`).

use crate::base::clock::UtcMs;
use crate::objects::uri::ObjectUri;
use crate::store::library::overview::Overview;
use crate::store::library::overview::Review;
use crate::store::library::overview::Said;
use crate::store::listing::media::MediaRow;
use crate::web::api::additions::AdditionView;
use crate::web::api::deliveries::DeliveryView;
use crate::web::api::events::EventView;
use crate::web::api::outputs::LINK_MS;
use crate::web::api::outputs::OutputView;
use crate::web::api::parts_view::PartsView;
use crate::web::api::task_view::TaskView;
use crate::web::state::WebState;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One media.
#[derive(Debug, Serialize, ToSchema)]
pub struct MediaView {
    /// Id.
    pub id: String,
    /// When it was first taken.
    pub created_at: String,
    /// Preparing, Normal, Failed, Blocked or Deleted.
    pub status: String,
    /// The source, `storage:key`.
    pub object: String,
    /// Bytes.
    pub size_bytes: u64,
    /// video, audio, image or text; none: not known yet.
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    /// How it came: arrival, upload, pull or reference.
    pub origin: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// What it is found by.
    pub tags: Vec<String>,
    /// Id of the category it is filed under.
    pub category: Option<String>,
    /// `storage:key` of a picture, or an address.
    pub cover: Option<String>,
    /// A link to the cover that works without a token for six hours.
    pub cover_url: Option<String>,
    /// What whoever brought it in gave with it, JSON text.
    pub user_data: Option<String>,
    /// Why it could not be read.
    pub fault: Option<Value>,
    /// When what is said of it last changed.
    pub modified_at: String,
    /// Facts, as `reelmill probe --json` tells them; none until the first attempt told them.
    pub facts: Option<Value>,
}

impl MediaView {
    /// The media with a fresh link to its cover.
    pub fn new(media: MediaRow, state: &WebState) -> Self {
        let cover_url = media.cover.as_deref().and_then(|cover| cover_address(state, cover));
        MediaView {
            id: media.id.into_string(),
            created_at: media.created.wire(),
            status: media.state.as_str().to_owned(),
            object: media.object.to_string(),
            size_bytes: media.size_bytes,
            media_type: media.media_type.map(|media_type| media_type.as_str().to_owned()),
            origin: media.origin.as_str().to_owned(),
            title: media.title,
            description: media.description,
            tags: media.tags,
            category: media.category,
            cover: media.cover,
            cover_url,
            user_data: media.user_data,
            fault: media.fault.and_then(|fault| serde_json::to_value(fault).ok()),
            modified_at: UtcMs(media.modified_ms).wire(),
            facts: media.facts.and_then(|facts| serde_json::to_value(facts).ok()),
        }
    }
}

/// Where a cover can be looked at.
fn cover_address(state: &WebState, cover: &str) -> Option<String> {
    if cover.starts_with("http://") || cover.starts_with("https://") {
        return Some(cover.to_owned());
    }
    let object = ObjectUri::parse(cover)?;
    let path = state.signer.object_path(&object, UtcMs::now().plus_ms(LINK_MS));
    Some(format!("{}{path}", state.about.public_url))
}

/// A media with all that belongs to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct MediaDetailView {
    /// The media.
    #[serde(flatten)]
    pub media: MediaView,
    /// The files it consists of, where they are several; none: it is one file.
    pub parts: Option<PartsView>,
    /// all, media, outputs or source: that is being deleted of it; none: nothing is.
    pub deleting: Option<String>,
    /// What was added to it: subtitles, watermarks, pictures.
    pub attachments: Vec<AdditionView>,
    /// Renditions and tracks of it that were made elsewhere.
    pub renditions: Vec<AdditionView>,
    /// Its tasks, newest first, at most 100.
    pub tasks: Vec<TaskView>,
    /// Outputs of its tasks, at most 500.
    pub outputs: Vec<OutputView>,
    /// What quality control found, newest first, at most 100.
    pub qc: Vec<SaidView>,
    /// What people and programs think of it, newest first, at most 100.
    pub opinions: Vec<SaidView>,
    /// Reviews of it, newest first, at most 100.
    pub reviews: Vec<ReviewBrief>,
    /// Its events, newest first, at most 100.
    pub events: Vec<EventView>,
    /// Deliveries of these events, newest first, at most 100.
    pub deliveries: Vec<DeliveryView>,
    /// Where the whole of each list is.
    pub links: MediaLinks,
}

/// Where there is more of a media.
#[derive(Debug, Serialize, ToSchema)]
pub struct MediaLinks {
    /// Its tasks.
    pub tasks: String,
    /// Its events.
    pub events: String,
    /// Deliveries of its events.
    pub deliveries: String,
    /// Its attachments.
    pub attachments: String,
    /// Its renditions.
    pub renditions: String,
    /// Links to its files.
    pub urls: String,
}

impl MediaLinks {
    /// Of the media with this id.
    pub fn of(id: &str) -> Self {
        let beneath = |list: &str| format!("/api/v1/media/{id}/{list}");
        let filtered = |list: &str| format!("/api/v1/{list}?media={id}");
        MediaLinks {
            tasks: filtered("tasks"),
            events: filtered("events"),
            deliveries: filtered("deliveries"),
            attachments: beneath("attachments"),
            renditions: beneath("renditions"),
            urls: beneath("urls"),
        }
    }
}

/// What one activity said of a media.
#[derive(Debug, Serialize, ToSchema)]
pub struct SaidView {
    /// The job.
    pub job: String,
    /// Its task.
    pub task: String,
    /// Its activity.
    pub activity: String,
    /// qc, review, hook, moderation, recognition or content_analysis.
    pub kind: String,
    /// When it was said.
    pub at: Option<String>,
    /// What: a report of quality control, or an opinion.
    pub said: Value,
}

impl SaidView {
    fn new(from: &Said, said: Value) -> Self {
        SaidView {
            job: from.job.as_str().to_owned(),
            task: from.task.as_str().to_owned(),
            activity: from.activity.clone(),
            kind: from.kind.clone(),
            at: from.at.map(UtcMs::wire),
            said,
        }
    }
}

/// The reports and the opinions of an overview.
pub fn said(overview: &Overview) -> (Vec<SaidView>, Vec<SaidView>) {
    let (mut qc, mut opinions) = (Vec::new(), Vec::new());
    for said in &overview.said {
        if let Some(report) = said.qc.as_ref().and_then(|report| serde_json::to_value(report).ok()) {
            qc.push(SaidView::new(said, report));
        }
        if let Some(opinion) = said
            .opinion
            .as_ref()
            .and_then(|opinion| serde_json::to_value(opinion).ok())
        {
            opinions.push(SaidView::new(said, opinion));
        }
    }
    (qc, opinions)
}

/// A review as its media shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewBrief {
    /// Id.
    pub id: String,
    /// When it was asked for.
    pub created_at: String,
    /// waiting, approved, blocked, expired or canceled.
    pub status: String,
    /// Its task; none: outside of any.
    pub task: Option<String>,
    /// Who decided.
    pub auditor: Option<String>,
    /// Why.
    pub reason: String,
    /// What they said.
    pub comment: String,
    /// When it ended.
    pub ended_at: Option<String>,
}

impl From<Review> for ReviewBrief {
    fn from(review: Review) -> Self {
        ReviewBrief {
            id: review.id.into_string(),
            created_at: review.created_at.wire(),
            status: review.state,
            task: review.task.map(|task| task.into_string()),
            auditor: review.auditor,
            reason: review.reason,
            comment: review.comment,
            ended_at: review.ended_at.map(UtcMs::wire),
        }
    }
}
