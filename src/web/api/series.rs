//! What was measured over time: bitrate and loudness of outputs, findings of quality control, quality of renditions.
//!
//! Guarantees: read from what was kept when it was made, nothing is opened or decoded. Deliberately absent: the shapes
//! (`series_view`).

use crate::base::ids::MediaId;
use crate::base::ids::OutputId;
use crate::base::ids::TaskId;
use crate::media::facts::MediaFacts;
use crate::media::product::TrackSeries;
use crate::store::listing::outputs::OutputRow;
use crate::store::outputs::OutputDetail;
use crate::store::series::Inspected;
use crate::store::series::RenditionSeries;
use crate::web::api::series_view::MainLoudnessView;
use crate::web::api::series_view::OutputSeriesView;
use crate::web::api::series_view::QcView;
use crate::web::api::series_view::RenditionSeriesView;
use crate::web::api::series_view::SeriesView;
use crate::web::api::series_view::TrackSeriesView;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Named;
use crate::web::state::WebState;
use axum::Json;
use axum::extract::State;

/// Outputs looked through, and of these shown.
const OUTPUTS_READ: usize = 500;
const OUTPUTS_SHOWN: usize = 50;
/// Reports of quality control shown.
const REPORTS_SHOWN: u32 = 20;

/// Bitrate and loudness over time and quality of an output's renditions.
#[utoipa::path(get, path = "/api/v1/outputs/{id}/series", tag = "outputs", params(("id" = String, Path,)),
    responses((status = 200, body = OutputSeriesView), (status = "default", body = Problem)))]
pub async fn of_output(State(state): State<WebState>, Named(id): Named) -> Answer<Json<OutputSeriesView>> {
    let output = state.store.show_output(&OutputId::from(id)).await?;
    let mut series = state.store.series_of_outputs(vec![output.id.clone()]).await?;
    let series = series.remove(&output.id);
    Ok(Json(view(output, series)))
}

/// What was measured over time in a task: loudness, findings of quality control, and each rendition.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/series", tag = "tasks", params(("id" = String, Path,)),
    responses((status = 200, body = SeriesView), (status = "default", body = Problem)))]
pub async fn of_task(State(state): State<WebState>, Named(id): Named) -> Answer<Json<SeriesView>> {
    let id = TaskId::from(id);
    let task = state.store.task(&id).await?;
    let source = state.store.media(&task.media).await?;
    let outputs = state.store.outputs_of_task(&id).await?;
    let said = state.store.inspected_in_task(&id).await?;
    Ok(Json(all(&state, source.facts.as_ref(), outputs, said).await?))
}

/// What was measured over time of a media and of all that was made of it: loudness, findings of quality control, and each
/// rendition.
#[utoipa::path(get, path = "/api/v1/media/{id}/series", tag = "media", params(("id" = String, Path,)),
    responses((status = 200, body = SeriesView), (status = "default", body = Problem)))]
pub async fn of_media(State(state): State<WebState>, Named(id): Named) -> Answer<Json<SeriesView>> {
    let id = MediaId::from(id);
    let source = state.store.media(&id).await?;
    let outputs = state.store.outputs_of_media(&id, OUTPUTS_READ).await?;
    let said = state.store.inspected_of_media(&id, REPORTS_SHOWN).await?;
    Ok(Json(all(&state, source.facts.as_ref(), outputs, said).await?))
}

async fn all(
    state: &WebState,
    facts: Option<&MediaFacts>,
    outputs: Vec<OutputRow>,
    said: Vec<Inspected>,
) -> Answer<SeriesView> {
    let has_renditions = |output: &OutputRow| matches!(output.kind.as_str(), "file" | "hls" | "dash" | "cmaf");
    let outputs: Vec<OutputRow> = outputs.into_iter().filter(has_renditions).take(OUTPUTS_SHOWN).collect();
    let ids = outputs.iter().map(|output| output.id.clone()).collect();
    let mut series = state.store.series_of_outputs(ids).await?;
    let outputs: Vec<OutputSeriesView> = outputs
        .into_iter()
        .map(|output| {
            let series = series.remove(&output.id);
            view(output, series)
        })
        .collect();
    let qc: Vec<QcView> = said.into_iter().filter_map(QcView::of).collect();
    Ok(SeriesView {
        duration_s: facts.and_then(|facts| facts.duration_s),
        loudness: loudness_of_source(&qc).or_else(|| loudness_of_output(&outputs)),
        qc: Some(qc).filter(|qc| !qc.is_empty()),
        outputs,
    })
}

fn loudness_of_source(qc: &[QcView]) -> Option<MainLoudnessView> {
    qc.iter().find_map(|said| {
        Some(MainLoudnessView {
            of: "source".to_owned(),
            job: said.job.clone(),
            output: None,
            rendition: None,
            series: said.loudness.clone()?,
        })
    })
}

fn loudness_of_output(outputs: &[OutputSeriesView]) -> Option<MainLoudnessView> {
    outputs.iter().find_map(|output| {
        output.renditions.iter().find_map(|rendition| {
            let mut tracks = rendition.tracks.iter().flatten();
            Some(MainLoudnessView {
                of: "output".to_owned(),
                job: output.job.clone(),
                output: Some(output.output.clone()),
                rendition: Some(rendition.name.clone()),
                series: tracks.find_map(|track| track.loudness.clone())?,
            })
        })
    })
}

fn view(output: OutputRow, series: Option<RenditionSeries>) -> OutputSeriesView {
    // What an older program wrote and this one cannot read has no renditions to show; the row itself still shows it.
    let detail: OutputDetail = output
        .detail
        .and_then(|detail| serde_json::from_value(detail).ok())
        .unwrap_or_default();
    let mut series = series.unwrap_or_default().into_iter();
    let mut renditions = Vec::new();
    if detail.renditions.is_empty() {
        if let Some(facts) = &detail.facts {
            renditions.push(RenditionSeriesView {
                id: output.id.as_str().to_owned(),
                name: output.name.clone(),
                size_bytes: output.size_bytes,
                quality: detail.quality.map(Into::into),
                ..of_facts(facts, series.next())
            });
        }
    } else {
        for rendition in detail.renditions {
            renditions.push(RenditionSeriesView {
                id: rendition.id.into_string(),
                name: rendition.name,
                size_bytes: rendition.size_bytes,
                quality: rendition.quality.map(Into::into),
                ..of_facts(&rendition.facts, series.next())
            });
        }
    }
    OutputSeriesView {
        output: output.id.into_string(),
        job: output.job.into_string(),
        task: output.task.into_string(),
        group: output.group,
        name: output.name,
        kind: output.kind,
        status: if output.published { "published" } else { "publishing" }.to_owned(),
        renditions,
    }
}

/// What facts and series of a rendition say; the rest is the caller's.
fn of_facts(facts: &MediaFacts, series: Option<Vec<TrackSeries>>) -> RenditionSeriesView {
    let pictures = facts.main_video().map(|(_, video)| (video.width, video.height));
    let track = |track: TrackSeries| {
        let stream = facts.streams.get(track.stream);
        let codec = stream.map(|stream| stream.codec_name.clone());
        let language = stream.and_then(|stream| stream.language.clone());
        TrackSeriesView::new(track, codec, language)
    };
    RenditionSeriesView {
        id: String::new(),
        name: String::new(),
        size_bytes: 0,
        duration_s: facts.duration_s,
        width: pictures.map(|(width, _)| width),
        height: pictures.map(|(_, height)| height),
        tracks: series
            .filter(|series| !series.is_empty())
            .map(|series| series.into_iter().map(track).collect()),
        quality: None,
    }
}
