//! What every handler may use; the daemon makes it and gives it to the router.
//!
//! Guarantees: cheap to clone; nothing in it blocks. Deliberately absent: the scheduler and the triggers; wishes are
//! written to the store and bells are rung.

use crate::base::clock::UtcMs;
use crate::base::sealed::Sealer;
use crate::base::wake::Bells;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::telemetry::device_meters::DeviceMeters;
use crate::telemetry::host_meter::HostBoard;
use crate::telemetry::metrics::Metrics;
use crate::web::api::settings::SettingsView;
use crate::web::auth::Caller;
use crate::web::browse::Browser;
use crate::web::error::Problem;
use crate::web::feed::Feed;
use crate::web::gate::Gate;
use crate::web::inlet::Inlet;
use crate::web::links::Signer;
use crate::web::ports::BucketNotices;
use crate::web::ports::DestinationControl;
use crate::web::ports::DeviceControl;
use crate::web::ports::LiveProgress;
use crate::web::ports::ObjectAccess;
use crate::web::ports::ObjectWriter;
use crate::web::ports::StorageControl;
use crate::web::ports::StorageMaking;
use crate::web::template_shelf::TemplateShelf;
use crate::workflow::resolved::ResolvedWorkflow;
use axum::http::StatusCode;
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use tokio_util::sync::CancellationToken;

/// The parts of the running program that requests use.
#[derive(Clone)]
pub struct WebState {
    /// The database.
    pub store: Store,
    /// New events, for streams.
    pub feed: Feed,
    /// Rung when a request wrote something a loop waits for.
    pub bells: Bells,
    /// Objects of the storages.
    pub objects: Arc<dyn ObjectAccess>,
    /// Makes, extends and removes them.
    pub writer: Arc<dyn ObjectWriter>,
    /// How files come in.
    pub inlet: Inlet,
    /// How far running jobs are.
    pub progress: Arc<dyn LiveProgress>,
    /// Storages as they are now.
    pub storages: Arc<dyn StorageControl>,
    /// Makes and removes them.
    pub made_storages: Arc<dyn StorageMaking>,
    /// What services tell of their buckets.
    pub notices: Arc<dyn BucketNotices>,
    /// NVIDIA devices as they are known now.
    pub devices: Arc<dyn DeviceControl>,
    /// Destinations of events.
    pub destinations: Arc<dyn DestinationControl>,
    /// How busy they are.
    pub meters: DeviceMeters,
    /// What the host did in the last minutes.
    pub host: HostBoard,
    /// Templates that workflows may name.
    pub templates: TemplateShelf,
    /// What a workflow names that is not configured (storages, destinations), in sentences.
    pub missing_for: MissingFor,
    /// What `reelmill check` says of this host.
    pub check: HostCheck,
    /// Numbers.
    pub metrics: Metrics,
    /// Makes and checks links.
    pub signer: Signer,
    /// Seals the secrets that are kept to be read back.
    pub sealer: Sealer,
    /// How people come in.
    pub gate: Arc<Gate>,
    /// Looks into the folders of storages.
    pub browser: Browser,
    /// What does not change while the program runs.
    pub about: Arc<About>,
    /// True once everything has started; until then `/readyz` says no.
    pub ready: Arc<AtomicBool>,
    /// True: the scheduler starts no new attempts.
    pub draining: Arc<AtomicBool>,
    /// Cancelled when the program stops: streams end, so that connections can close.
    pub stopping: CancellationToken,
}

/// Answers what a workflow names that is not configured.
pub type MissingFor = Arc<dyn Fn(&ResolvedWorkflow) -> Vec<String> + Send + Sync>;

/// Answers what `reelmill check` says of this host, as JSON.
pub type HostCheck = Arc<dyn Fn() -> BoxFuture<'static, Value> + Send + Sync>;

/// What does not change while the program runs.
#[derive(Debug, Clone)]
pub struct About {
    /// What links begin with, without a slash at its end.
    pub public_url: String,
    /// When the program started.
    pub started: UtcMs,
    /// Threads that attempts may keep busy together.
    pub threads: u32,
    /// Attempts that may run at once.
    pub attempts: u32,
    /// Memory that one pass may plan with, bytes.
    pub pass_memory_bytes: u64,
    /// Most workflows besides those that ship; none: no limit.
    pub workflow_quota: Option<u32>,
    /// The configuration, to be shown.
    pub settings: SettingsView,
}

impl WebState {
    /// Notes in the audit log what somebody did by hand. The deed stands even if the note fails.
    pub async fn audit(&self, caller: &Caller, verb: &'static str, subject: &str) {
        self.audit_text(caller, verb, subject, None).await;
    }

    /// The same with what became otherwise, in a few fields; never a secret.
    pub async fn audit_with(&self, caller: &Caller, verb: &'static str, subject: &str, detail: Value) {
        self.audit_text(caller, verb, subject, Some(&detail)).await;
    }

    pub(in crate::web) async fn audit_text(&self, caller: &Caller, verb: &str, subject: &str, detail: Option<&Value>) {
        caller.noted.store(true, Ordering::Release);
        self.note(&caller.name, verb, subject, detail).await;
    }

    /// Notes what somebody did who is no caller yet: a log-in.
    pub(in crate::web) async fn note(&self, who: &str, verb: &str, subject: &str, detail: Option<&Value>) {
        let noted = self.store.note_by_hand(who, verb, subject, detail, UtcMs::now()).await;
        if let Err(error) = noted {
            tracing::warn!(%error, verb, subject, "the audit log could not be written");
        }
        tracing::info!(who, verb, subject, "changed by hand");
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { noun, id } => Problem::not_found(noun, &id),
            StoreError::Conflict(cause) => {
                Problem::conflict("Conflict", cause, "Look at its present state and ask again.")
            }
            StoreError::Illegal(change) => Problem::conflict(
                "IllegalChange",
                change.to_string(),
                "Look at its present status; only what has not ended can be cancelled, only what failed or was cancelled be retried.",
            ),
            StoreError::Closed { .. } => Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Stopping",
                "the daemon is stopping",
                "Ask again when it has started.",
            ),
            other => other.fault("the request").into(),
        }
    }
}
