//! `reelmill run`: one workflow over one file, here and now, with no daemon and no database.
//!
//! Guarantees: the same plan, worker, proofs and publishing as the daemon's; nothing that stands in the output folder
//! is replaced unless `--overwrite` says so (a taken name becomes `NAME-2`); with `--json` standard output holds the
//! one result object and nothing else. Deliberately absent: retries, but for the one without a device that failed;
//! callbacks and what the workflow says of its source, output and callback.

pub mod bar;
pub mod errand;
pub mod fallback;
pub mod input;
pub mod publishing;
pub mod report;
pub mod workroom;

use crate::cli::Context;
use crate::cli::outcome::BadUsage;
use crate::cli::outcome::WorkFailed;
use crate::cli::run::bar::Bar;
use crate::cli::run::errand::Errand;
use crate::cli::run::input::Input;
use crate::cli::run::report::Report;
use crate::cli::run::workroom::Workroom;
use crate::executor::local::LocalExecutor;
use crate::executor::local::LocalExecutorOptions;
use crate::media::spec::Backend;
use crate::objects::uri::ObjectUri;
use crate::objects::uri::key_text;
use crate::worker::environment::DeviceEnvironment;
use crate::workflow::resolve::resolve_named;
use crate::workflow::status::TaskStatus;
use crate::workflow::template::Templates;
use anyhow::Context as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Name of the storage that stands for the folder of INPUT.
pub const INPUT_STORAGE: &str = "input";
/// Name of the storage that stands for DIR.
pub const OUTPUT_STORAGE: &str = "output";

/// Arguments of `reelmill run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A workflow file (.toml or .json), else the name of a preset workflow, else of a template.
    pub workflow: String,
    /// The file to work on, or numbered pictures: `img_%04d.dpx`, `img_*.png`.
    pub input: PathBuf,
    /// Where the outputs go; made when it is not there.
    #[arg(long, short, value_name = "DIR")]
    pub output: PathBuf,
    /// Print one result object on standard output.
    #[arg(long)]
    pub json: bool,
    /// Which hardware may be used.
    #[arg(long, value_enum, default_value_t = BackendChoice::Auto)]
    pub backend: BackendChoice,
    /// Replace files of the same name instead of choosing another name.
    #[arg(long)]
    pub overwrite: bool,
    /// Pictures a second of numbered pictures.
    #[arg(long, value_name = "N", default_value_t = 25.0, value_parser = input::fps)]
    pub fps: f64,
    /// Where unfinished files lie until they are proved; default: the system's folder for temporary files.
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// Processor threads to use; default: all.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub threads: Option<u32>,
}

/// Words of `--backend`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum BackendChoice {
    /// What each activity says; by default the best there is.
    Auto,
    /// NVIDIA hardware, or fail.
    Gpu,
    /// The processor only.
    Software,
}

impl BackendChoice {
    /// What it means for an activity that asks for `own`.
    fn over(self, own: Backend) -> Backend {
        match self {
            BackendChoice::Auto => own,
            BackendChoice::Gpu => Backend::Gpu,
            BackendChoice::Software => Backend::Software,
        }
    }
}

/// Carries it out.
///
/// # Errors
/// [`BadUsage`] for a workflow or a path that is wrong, [`WorkFailed`] when the work failed and said so already.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let read = |path: &str| std::fs::read_to_string(path);
    let workflow =
        resolve_named(&args.workflow, &Templates::shipped(), read).map_err(|error| BadUsage(error.to_string()))?;
    let input = Input::find(&args.input, args.fps)?;
    std::fs::create_dir_all(&args.output).map_err(|error| {
        BadUsage(format!(
            "cannot make the output folder {}: {error}",
            args.output.display()
        ))
    })?;
    let output = std::fs::canonicalize(&args.output).with_context(|| args.output.display().to_string())?;
    let workroom = Workroom::make(args.scratch.as_deref())?;
    let options = configured_storages(LocalExecutorOptions::new(workroom.path()), &context.config)?;
    let environment = DeviceEnvironment::of(std::env::vars_os());
    let options = input.add_to(options).with_environment(environment);
    let mut options = options.with_folder(OUTPUT_STORAGE, &output);
    // Files that a workflow file names lie relative to it; those of a preset, which names none, to here.
    let beside = Path::new(&args.workflow)
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default();
    options.plain_names = Some(std::path::absolute(beside).unwrap_or_else(|_| PathBuf::from(".")));
    let errand = Errand {
        workflow,
        source: input.source,
        identity: input.identity,
        executor: LocalExecutor::new(options),
        backend: args.backend,
        overwrite: args.overwrite,
        threads: args.threads.unwrap_or_else(all_threads),
    };
    let report = until_done(async {
        let stop = CancellationToken::new();
        let bar = Bar::on_terminal();
        let work = errand.carry_out(&output, &bar, stop.clone());
        tokio::pin!(work);
        let report = tokio::select! {
            report = &mut work => report,
            () = asked_to_stop() => {
                stop.cancel();
                work.await
            }
        };
        bar.finish();
        report
    })?;
    finish(&report, args.json)
}

/// The folders of the storages of a configuration that was named: watermarks, subtitles and joined clips may lie there.
fn configured_storages(options: LocalExecutorOptions, config: &Path) -> anyhow::Result<LocalExecutorOptions> {
    // The daemon's own is not this command's affair unless it is asked for.
    if config == Path::new(crate::config::INSTALLED) {
        return Ok(options);
    }
    let config = crate::config::load(config).map_err(|error| BadUsage(error.to_string()))?;
    let folders = config
        .storages
        .iter()
        .filter_map(|storage| Some((&storage.name, storage.path()?)));
    Ok(folders.fold(options, |options, (name, path)| options.with_folder(name, path)))
}

fn finish(report: &Report, json: bool) -> anyhow::Result<()> {
    report.tell();
    if json {
        crate::cli::table::print_json(&serde_json::to_value(report)?)?;
    }
    match report.status {
        TaskStatus::Succeed => Ok(()),
        _ => Err(WorkFailed.into()),
    }
}

/// The folder of `input` and the object that stands for it there.
///
/// # Errors
/// [`BadUsage`] when it is no file.
pub fn source_of(input: &Path) -> anyhow::Result<(PathBuf, ObjectUri)> {
    let path = std::fs::canonicalize(input)
        .map_err(|error| BadUsage(format!("cannot open the input {}: {error}", input.display())))?;
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) if path.is_file() => {
            let source = ObjectUri::new(INPUT_STORAGE, key_text(name.as_bytes()));
            Ok((folder.to_owned(), source))
        }
        _ => Err(BadUsage(format!("the input {} is not a file", input.display())).into()),
    }
}

/// Processor threads of this host.
pub fn all_threads() -> u32 {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Runs `future` to its end without waiting for threads that a hung mount keeps.
pub fn until_done<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let done = runtime.block_on(future);
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(done)
}

/// Returns when the user (Ctrl-C) or the system (SIGTERM) wants an end.
pub async fn asked_to_stop() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}
