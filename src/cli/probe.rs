//! `reelmill probe`: the facts of a file.
//!
//! Guarantees: the file is opened by a worker in its cage, like any source; with `--json` standard output holds the
//! facts as one object. Deliberately absent: decoding.

use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::base::ids::JobId;
use crate::base::ids::TaskId;
use crate::cli::run::input::Input;
use crate::cli::run::input::fps;
use crate::cli::run::report::clean;
use crate::cli::run::report::size;
use crate::cli::run::until_done;
use crate::cli::run::workroom::Workroom;
use crate::cli::table;
use crate::executor::AttemptOrder;
use crate::executor::AttemptUpdate;
use crate::executor::Executor;
use crate::executor::local::LocalExecutor;
use crate::executor::local::LocalExecutorOptions;
use crate::media::facts::MediaFacts;
use crate::media::facts::StreamFacts;
use crate::media::facts::StreamKind;
use crate::media::limits::Limits;
use crate::media::product::JobEnd;
use crate::media::spec::Backend;
use crate::media::spec::MediaWork;
use std::path::PathBuf;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Arguments of `reelmill probe`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file.
    pub input: PathBuf,
    /// Print the facts as one object.
    #[arg(long)]
    pub json: bool,
    /// Pictures a second of numbered pictures.
    #[arg(long, value_name = "N", default_value_t = 25.0, value_parser = fps)]
    pub fps: f64,
}

/// Carries it out.
///
/// # Errors
/// The file is no media, with the reason.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let facts = until_done(probe(args))??;
    if args.json {
        return table::print_json(&serde_json::to_value(facts)?);
    }
    for line in lines(&facts) {
        println!("{line}");
    }
    Ok(())
}

async fn probe(args: &Args) -> anyhow::Result<MediaFacts> {
    let input = Input::find(&args.input, args.fps)?;
    let workroom = Workroom::make(None)?;
    let executor = LocalExecutor::new(input.add_to(LocalExecutorOptions::new(workroom.path())));
    let order = AttemptOrder {
        attempt: AttemptId::fresh(),
        task: TaskId::fresh(),
        jobs: vec![(JobId::fresh(), MediaWork::Analysis)],
        source: input.source,
        identity: input.identity,
        parts: None,
        threads: 1,
        backend: Backend::Software,
        device: None,
        limits: Limits::default(),
    };
    let (updates, mut heard) = mpsc::channel(16);
    let mut learned: Result<Option<MediaFacts>, Fault> = Ok(None);
    let listening = async {
        while let Some(update) = heard.recv().await {
            match update {
                AttemptUpdate::Facts(facts) => learned = Ok(Some(*facts)),
                AttemptUpdate::JobEnded(_, end) => {
                    if let JobEnd::Failed { fault } = *end {
                        learned = Err(fault);
                    }
                }
                AttemptUpdate::Progress(_) | AttemptUpdate::Log(_) => {}
            }
        }
    };
    let stop = CancellationToken::new();
    let (end, ()) = tokio::join!(executor.carry_out(order, updates, stop), listening);
    match (end.fault, learned?) {
        (None, Some(facts)) => Ok(facts),
        (Some(fault), _) => Err(fault.into()),
        (None, None) => Err(anyhow::anyhow!("the worker told no facts of {}", args.input.display())),
    }
}

/// The facts for people.
fn lines(facts: &MediaFacts) -> Vec<String> {
    let mut lines = vec![format!(
        "{} ({}), {}, {}",
        clean(&facts.format_long_name),
        clean(&facts.format_name),
        facts
            .duration_s
            .map_or("no duration".to_owned(), |duration_s| format!("{duration_s:.3} s")),
        size(facts.size_bytes),
    )];
    lines.extend(facts.streams.iter().map(line));
    for chapter in &facts.chapters {
        let title = chapter.title.as_deref().unwrap_or("untitled");
        lines.push(format!(
            "  chapter {:.3} to {:.3} s: {}",
            chapter.start_s,
            chapter.end_s,
            clean(title)
        ));
    }
    lines
}

fn line(stream: &StreamFacts) -> String {
    let kind = match &stream.kind {
        StreamKind::Video(video) => {
            let rate = video.average_frame_rate.or(video.frame_rate);
            let rate = rate.map_or(String::new(), |rate| format!(", {:.3} fps", rate.value()));
            let turned = match video.rotation_degrees {
                0 => String::new(),
                degrees => format!(", turned {degrees} degrees"),
            };
            let pixels = video.pixel_format.as_deref().unwrap_or("unknown pixels");
            format!("{}x{} {pixels} {}{rate}{turned}", video.width, video.height, video.hdr)
        }
        StreamKind::Audio(audio) => format!("{} Hz {}", audio.sample_rate_hz, audio.channel_layout),
        StreamKind::Subtitle => "subtitles".to_owned(),
        StreamKind::Data => "data".to_owned(),
    };
    let rate = stream
        .bitrate_kbps
        .map_or(String::new(), |kbps| format!(", {kbps:.0} kbit/s"));
    let language = stream
        .language
        .as_deref()
        .map_or(String::new(), |language| format!(", {language}"));
    let decodable = if stream.decodable { "" } else { ", cannot be decoded" };
    clean(&format!(
        "  {}: {} {kind}{rate}{language}{decodable}",
        stream.index, stream.codec_name
    ))
}
