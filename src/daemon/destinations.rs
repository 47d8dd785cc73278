//! The destinations of events: where they come from, and that the running program has them as they are now.
//!
//! Guarantees: a key file that changes is taken over within seconds, the whole section on SIGHUP; a configuration that
//! cannot be read changes nothing. Deliberately absent: sending.

use crate::base::fault::Fault;
use crate::base::sealed::Sealer;
use crate::base::wake::Bell;
use crate::callback::Callbacks;
use crate::callback::destination::Maker;
use crate::callback::directory::UNIFIED;
use crate::callback::directory::Unified;
use crate::config::resolved::Config;
use crate::store::Store;
use crate::web::ports::DestinationControl;
use crate::web::ports::DestinationState;
use crate::web::ports::TrialAnswer;
use crate::workflow::destination::Definition;
use futures_util::future::BoxFuture;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// Time between two looks at the files that destinations name.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Reads the configuration again; an error is every problem in words.
pub type ReadAgain = Arc<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// How the configuration is read again, and what asks for it.
#[derive(Clone)]
pub struct Reload {
    /// Reads it.
    pub read: ReadAgain,
    /// Rung on SIGHUP.
    pub asked: Bell,
}

impl std::fmt::Debug for Reload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reload")
    }
}

/// The destinations of a configuration, and its unified callback.
pub(super) fn of(config: &Config) -> (Vec<Definition>, Unified) {
    let (mut written_out, named): (Vec<_>, Vec<_>) = config
        .destinations
        .iter()
        .cloned()
        .partition(|definition| definition.name == UNIFIED);
    let unified = match (written_out.pop(), &config.unified) {
        (Some(definition), _) => Unified::Inline(definition),
        (None, Some(name)) => Unified::Named(name.clone()),
        (None, None) => Unified::Off,
    };
    (named, unified)
}

/// The running destinations with what they are kept in.
#[derive(Debug, Clone)]
pub(super) struct Destinations {
    callbacks: Callbacks,
    store: Store,
    sealer: Sealer,
    /// A file that changed and a request that changed something must not undo one another.
    turn: Arc<Mutex<()>>,
}

impl Destinations {
    pub(super) fn new(callbacks: Callbacks, store: Store, sealer: Sealer) -> Self {
        Destinations {
            callbacks,
            store,
            sealer,
            turn: Arc::default(),
        }
    }

    /// Takes over what was made through the API; of the configuration too, where it was read again.
    pub(super) async fn take_over(&self, config: Option<&Config>) -> Result<(), Fault> {
        let _turn = self.turn.lock().await;
        let made = self.store.made_destinations(&self.sealer).await;
        let made = made.map_err(|error| error.fault("the destinations"))?;
        let made: Vec<Definition> = made.into_iter().map(|made| made.definition).collect();
        let of_file = config.map(of);
        let of_file = of_file
            .as_ref()
            .map(|(definitions, unified)| (definitions.as_slice(), unified));
        self.callbacks.replace(of_file, &made).await
    }

    /// Follows the files until `stop`.
    pub(super) async fn follow(self, mut files: Vec<PathBuf>, reload: Reload, stop: CancellationToken) {
        let mut seen = stamps(files.clone()).await;
        let mut said = String::new();
        loop {
            let asked = tokio::select! {
                () = stop.cancelled() => return,
                () = reload.asked.wait() => true,
                () = tokio::time::sleep(LOOK_EVERY) => false,
            };
            let now = stamps(files.clone()).await;
            if !asked && now == seen {
                continue;
            }
            let read = Arc::clone(&reload.read);
            let taken = match tokio::task::spawn_blocking(move || read()).await {
                Ok(Ok(config)) => match self.take_over(Some(&config)).await {
                    Ok(()) => Ok(config),
                    Err(fault) => Err(fault.to_string()),
                },
                Ok(Err(why)) => Err(why),
                Err(error) => Err(error.to_string()),
            };
            match taken {
                Ok(config) => {
                    tracing::info!(
                        destinations = config.destinations.len(),
                        "the destinations of the configuration were read again; other sections need a restart"
                    );
                    files = config.destination_files;
                    seen = stamps(files.clone()).await;
                    said.clear();
                }
                // A file may be half-written: it is looked at again, and the reason told once.
                Err(why) if why != said => {
                    tracing::error!(why, "the destinations could not be read again; those before stay");
                    said = why;
                }
                Err(_) => {}
            }
        }
    }
}

/// What tells one content of a file from another, without reading it.
type Stamp = Option<(u64, u64, i64, i64)>;

async fn stamps(files: Vec<PathBuf>) -> Vec<Stamp> {
    let look = move || {
        let stamp = |path: &PathBuf| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
        };
        files.iter().map(stamp).collect()
    };
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}

impl DestinationControl for Destinations {
    fn destinations(&self) -> Vec<DestinationState> {
        let now = self.callbacks.destinations();
        let states = now.iter().filter_map(|destination| {
            let (definition, maker) = now.written(&destination.name)?;
            let health = self.callbacks.health(&destination.name);
            Some(DestinationState {
                definition: definition.clone(),
                of_file: maker == Maker::File,
                unified: now.unified() == Some(destination.name.as_str()),
                open: health.open,
                next_try: health.next_try,
                last_success: health.last_success,
                last_error: health.last_error,
                tries: health.tries,
                p50_ms: health.p50_ms,
                p95_ms: health.p95_ms,
            })
        });
        states.collect()
    }

    fn check(&self, definition: &Definition) -> Result<(), Fault> {
        self.callbacks.check(definition)
    }

    fn changed(&self) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(self.take_over(None))
    }

    fn trial<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<TrialAnswer, Fault>> {
        Box::pin(async move {
            let answer = self.callbacks.trial(name).await?;
            Ok(TrialAnswer {
                status: answer.status,
                error: answer.error,
                answer: answer.body,
                took_ms: answer.took_ms,
            })
        })
    }
}
