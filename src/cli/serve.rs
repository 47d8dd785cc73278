//! `reelmill serve`: the daemon, in the foreground.
//!
//! Guarantees: a configuration that is wrong ends it with exit code 2 and every problem named; SIGTERM and SIGINT stop
//! it cleanly, a second one at once; SIGHUP has it read the destinations of the configuration again. Deliberately absent: forking and pid files; the service manager does that.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::wake::Bell;
use crate::cli::Context;
use crate::cli::outcome::BadUsage;
use crate::config;
use crate::daemon;
use crate::daemon::DaemonOptions;
use crate::daemon::destinations::Reload;
use std::path::Path;
use std::sync::Arc;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio_util::sync::CancellationToken;

/// Threads that poll futures, at most. They only pass messages on, the work is done by other processes and by the
/// threads of store and storages; one for each core of a large host would only cost memory.
const WORKER_THREADS: usize = 4;

/// Arguments of `reelmill serve`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the daemon until a signal.
pub fn run(_args: &Args, log: Option<&str>, context: &Context) -> anyhow::Result<()> {
    let config = config::load(&context.config).map_err(|bad| BadUsage(bad.to_string()))?;
    crate::telemetry::logging::start(log.unwrap_or(&config.server.log)).map_err(|error| BadUsage(error.to_string()))?;
    for wrong in &config.warnings {
        tracing::warn!("{}", config::line(&context.config, wrong));
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.min(WORKER_THREADS))
        .enable_all()
        .build()?;
    let served = runtime.block_on(serve(DaemonOptions {
        config,
        definitions: Box::new(config::definitions::load),
        reload: reload(&context.config),
    }));
    // A file operation on a hung mount cannot be interrupted; it must not keep a stopped daemon alive.
    runtime.shutdown_background();
    served
}

/// How the file is read again.
fn reload(file: &Path) -> Reload {
    let file = file.to_owned();
    Reload {
        read: Arc::new(move || config::load(&file).map_err(|bad| bad.to_string())),
        asked: Bell::default(),
    }
}

async fn serve(options: DaemonOptions) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hang_up = signal(SignalKind::hangup())?;
    let again = options.reload.asked.clone();
    tokio::spawn(async move {
        while hang_up.recv().await.is_some() {
            again.ring();
        }
    });
    let asked = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        asked.cancel();
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::warn!("asked to stop a second time: ending at once; recovery at the next start does the rest");
        std::process::exit(1);
    });
    daemon::run(options, stop)
        .await
        .map_err(|fault: Fault| match fault.blame {
            Blame::Request => anyhow::Error::from(BadUsage(fault.to_string())),
            _ => anyhow::Error::from(fault),
        })
}
