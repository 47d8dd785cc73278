//! The wiring: what is started in which order, when the daemon is ready, and how it stops.
//!
//! Guarantees: `READY` is told when a request would be answered; a stop lets running attempts end within their grace
//! time and gives the rest back, in the reverse order of the start. Deliberately absent: flags and files; the
//! configuration comes resolved, the definitions come read.

mod alerts;
mod clock_watch;
mod definitions;
pub mod destinations;
mod gauges;
mod hook_signer;
mod host_check;
mod host_watch;
mod inlet;
mod liveness;
mod lock;
mod made_storages;
pub(crate) mod places;
mod ports;
mod probe;
mod samples;

use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::wake::Bells;
use crate::callback::CallbackOptions;
use crate::callback::Callbacks;
use crate::callback::Pace;
use crate::callback::way::Surroundings;
use crate::config::definitions::DefinitionFile;
use crate::config::definitions::Made;
use crate::config::file::Sandbox;
use crate::config::gpu::Busy;
use crate::config::gpu::DeviceList;
use crate::config::gpu::Gpu;
use crate::config::resolved::Config;
use crate::daemon::destinations::Reload;
use crate::daemon::gauges::Gauges;
use crate::daemon::liveness::Liveness;
use crate::daemon::lock::StateLock;
use crate::daemon::made_storages::MadeStorages;
use crate::executor::Executor;
use crate::executor::local::LocalExecutor;
use crate::executor::local::LocalExecutorOptions;
use crate::objects::inflow::Inflow;
use crate::objects::storages::Storages;
use crate::scheduler::Scheduler;
use crate::scheduler::SchedulerOptions;
use crate::scheduler::capacity::Capacity;
use crate::scheduler::device::Bounds;
use crate::scheduler::devices::Allowed;
use crate::scheduler::devices::DeviceRules;
use crate::scheduler::devices::WhenBusy;
use crate::scheduler::pruning::Keeping;
use crate::scheduler::room::Limit;
use crate::store::Store;
use crate::telemetry::device_meters::DeviceMeters;
use crate::telemetry::host_meter::HostBoard;
use crate::telemetry::metrics::Metric;
use crate::telemetry::metrics::Metrics;
use crate::trigger::Trigger;
use crate::web::browse::Browser;
use crate::web::feed::Feed;
use crate::web::gate::Gate;
use crate::web::library::Library;
use crate::web::links::Signer;
use crate::web::state::About;
use crate::web::state::WebState;
use crate::web::storage_writer::StorageWriter;
use crate::web::stored_objects::StoredObjects;
use crate::web::template_shelf::TemplateShelf;
use crate::web::tls::Tls;
use crate::web::tls::TlsFiles;
use crate::worker::environment::DeviceEnvironment;
use crate::worker::protocol::SandboxMode;
use crate::workflow::template::Templates;
use sd_notify::NotifyState;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// The folder in scratch where compiled kernels are kept.
const KERNELS: &str = "kernels";
/// Time that each part gets to end when the program stops; the scheduler's grace comes on top.
const PART_WITHIN: Duration = Duration::from_secs(60);
/// That where what came of files for buckets waits until it is a part.
const SPOOL: &str = "incoming";

/// What the daemon is made of.
pub struct DaemonOptions {
    /// The configuration.
    pub config: Config,
    /// Reads its workflows folder, once it is known which templates there are.
    pub definitions: ReadDefinitions,
    /// How the configuration is read again.
    pub reload: Reload,
}

/// Reads what lies in the workflows folder.
pub type ReadDefinitions = Box<dyn FnOnce(&Config, &Templates, &Made) -> Result<Vec<DefinitionFile>, String> + Send>;

/// Runs the daemon until `stop`.
///
/// # Errors
/// What kept it from starting, or made it end by itself.
pub async fn run(options: DaemonOptions, stop: CancellationToken) -> Result<(), Fault> {
    let DaemonOptions {
        config,
        definitions,
        reload,
    } = options;
    let started = UtcMs::now();
    let bells = Bells::default();
    let metrics = Metrics::default();

    // State: one daemon, one database, one way in.
    make_directory(&config.server.state_dir, "server.state_dir")?;
    make_directory(&config.server.scratch_dir, "server.scratch_dir")?;
    let _lock = StateLock::take(&config.server.state_dir)?;
    let store = open_store(config.server.state_dir.join(crate::store::FILE_NAME)).await?;
    if let Some(file) = crate::web::secrets::first_admin_token(&store, &config.server.state_dir, started).await? {
        tracing::info!(file = %file.display(), "a first admin token was made");
    }
    let templates = store.templates().await.map_err(|error| error.fault("the templates"))?;
    let made = made_names(&store).await?;
    library_storage(&config, &made)?;
    let definitions = definitions(&config, &templates, &made).map_err(|cause| {
        Fault::new(
            "WorkflowsUnreadable",
            Blame::Request,
            "read",
            config.server.workflows_dir.display().to_string(),
            cause,
            "Set server.workflows_dir to a directory that this user may read.",
        )
    })?;
    definitions::keep(&store, &definitions, started).await?;

    // What carries work out, and what decides it.
    let storages = places::storages(&config)?;
    let executor: Arc<dyn Executor> = Arc::new(LocalExecutor::new(executor_options(&config, &storages)));
    let scheduler_options = scheduler_options(&config);
    // Twice: a busy host may take its time for a turn.
    let scheduler_pause = scheduler_options.look_every * 2;
    let about = About {
        public_url: config.server.public_url.clone(),
        started,
        threads: scheduler_options.capacity.threads,
        attempts: scheduler_options.capacity.attempts,
        pass_memory_bytes: scheduler_options.capacity.memory_of_one(),
        workflow_quota: config.workflow_quota,
        settings: host_check::settings(&config),
    };
    let draining = Arc::new(AtomicBool::new(false));
    let signer = Signer::new(crate::web::secrets::link_secret(&config.server.state_dir)?);
    let scheduler = Scheduler::new(scheduler_options, store.clone(), executor, bells.clone())
        .with_links(Arc::new(ports::Addresses {
            signer: signer.clone(),
            public_url: config.server.public_url.clone(),
        }))
        .with_metrics(metrics.clone())
        .with_drain(draining.clone());
    let board = scheduler.board();
    let devices = scheduler.devices();
    let pulse = scheduler.pulse();
    let callbacks = Callbacks::new(
        store.clone(),
        bells.callback.clone(),
        callback_options(&config, &storages, &metrics),
    )?;
    let trigger = Trigger::new(
        ports::trigger_options(&config, &storages, &metrics),
        store.clone(),
        bells.clone(),
    );
    let sealer = crate::web::secrets::sealer(&config.server.state_dir)?;
    let destinations = destinations::Destinations::new(callbacks.clone(), store.clone(), sealer.clone());
    let notices = ports::notices(&config, &store, trigger.board());
    let made_storages = MadeStorages::new(
        &config,
        store.clone(),
        sealer.clone(),
        storages.clone(),
        trigger.hands(),
        notices.clone(),
    );
    // Destinations may archive into storages that were made.
    made_storages.begin().await?;
    destinations.take_over(None).await?;
    let watch = alerts::Watch::new(
        &config,
        storages.clone(),
        trigger.board(),
        devices.clone(),
        store.clone(),
        bells.callback.clone(),
    );

    // What answers.
    let listener = TcpListener::bind(config.server.listen).await.map_err(|error| {
        Fault::new(
            "AddressUnusable",
            Blame::Request,
            "listen",
            config.server.listen.to_string(),
            error.to_string(),
            "Set server.listen to a free address of this host.",
        )
    })?;
    let tls = config
        .server
        .tls
        .clone()
        .map(|(certificate, key)| Tls::read(TlsFiles { certificate, key }))
        .transpose()?;
    let meters = DeviceMeters::default();
    let host = HostBoard::default();
    let browser = Browser::new(storages.clone());
    let inflow = Inflow::new(storages.clone(), config.server.scratch_dir.join(SPOOL));
    let (inlet, web_inlet) = inlet::build(&config, &store, &bells, inflow.clone(), sealer.clone())?;
    let ready = Arc::new(AtomicBool::new(false));
    let web_stop = CancellationToken::new();
    let objects = Arc::new(StoredObjects::new(storages.clone()));
    let writer = Arc::new(StorageWriter::new(inflow));
    let library = Library::new(store.clone(), bells.clone(), objects.clone(), writer.clone());
    let router = crate::web::router(WebState {
        store: store.clone(),
        feed: Feed::new(store.clone()),
        bells: bells.clone(),
        objects,
        writer,
        inlet: web_inlet,
        progress: Arc::new(ports::Progress(board)),
        storages: Arc::new(ports::Storages(trigger.board())),
        made_storages: Arc::new(made_storages),
        notices: Arc::new(ports::Notices(notices)),
        devices: Arc::new(ports::Devices(devices)),
        meters: meters.clone(),
        host: host.clone(),
        check: host_check::of(config.file.clone()),
        destinations: Arc::new(destinations.clone()),
        templates: TemplateShelf::new(templates),
        missing_for: {
            let (config, callbacks, storages) = (config.clone(), callbacks.clone(), storages.clone());
            Arc::new(move |workflow| {
                let known = callbacks.destinations();
                let made: Vec<String> = known.iter().map(|destination| destination.name.clone()).collect();
                let missing = config.missing_beside(workflow, &storages.names(), &made);
                missing.iter().map(ToString::to_string).collect()
            })
        },
        metrics: metrics.clone(),
        signer,
        sealer,
        gate: Arc::new(Gate::new(&config.server.public_url, config.session)),
        browser: browser.clone(),
        about: Arc::new(about),
        ready: ready.clone(),
        draining,
        stopping: web_stop.clone(),
    });
    let liveness = Liveness {
        scheduler: pulse,
        scheduler_pause,
        store: store.clone(),
        web: listener.local_addr().unwrap_or(config.server.listen),
        has_tls: tls.is_some(),
    };
    let web_done = web_stop.clone();
    if let Some(tls) = tls.clone() {
        tokio::spawn(tls.follow(web_stop.clone()));
    }
    let serving = tokio::spawn(async move {
        if let Err(error) = crate::web::serve(listener, tls, router, web_done).await {
            tracing::error!(%error, "the web server ended");
        }
    });

    // Everything runs; say so.
    let library_stop = CancellationToken::new();
    let keeping = tokio::spawn(library.run(library_stop.clone()));
    let (scheduler_stop, trigger_stop, callback_stop) = (
        CancellationToken::new(),
        CancellationToken::new(),
        CancellationToken::new(),
    );
    let scheduling = tokio::spawn(scheduler.run(scheduler_stop.clone()));
    let inlet_stop = CancellationToken::new();
    let letting_in = tokio::spawn(inlet.run(inlet_stop.clone()));
    let triggering = {
        let stop = trigger_stop.clone();
        tokio::spawn(async move { trigger.run(stop).await })
    };
    let calling = {
        let stop = callback_stop.clone();
        tokio::spawn(async move { callbacks.run(stop).await })
    };
    tokio::spawn(host_watch::run(host.clone(), meters.clone(), callback_stop.clone()));
    let measuring = Gauges {
        host,
        store: store.clone(),
        metrics: metrics.clone(),
        meters,
        browser,
        folders: vec![
            ("state", config.server.state_dir.clone()),
            ("scratch", config.server.scratch_dir.clone()),
        ],
    };
    let measuring = tokio::spawn(measuring.run(callback_stop.clone()));
    tokio::spawn(watch.run(callback_stop.clone()));
    tokio::spawn(clock_watch::watch(store.clone(), bells.clone(), callback_stop.clone()));
    tokio::spawn(destinations.follow(config.destination_files.clone(), reload, callback_stop.clone()));
    ready.store(true, Ordering::Release);
    metrics.set_labelled(Metric::Info, env!("CARGO_PKG_VERSION"), 1.0);
    metrics.set(Metric::StartTime, started.0 as f64 / 1_000.0);
    notify(&[NotifyState::Ready, NotifyState::Status("watching")]);
    let _reporting = AbortOnDropHandle::new(tokio::spawn(liveness.report(stop.clone())));
    tracing::info!(
        address = %config.server.listen,
        took_ms = UtcMs::now().0 - started.0,
        storages = config.storages.len(),
        "ready"
    );

    stop.cancelled().await;

    // In reverse: no new arrivals, attempts to their end, callbacks of what they concluded, then nobody is answered.
    tracing::info!("stopping");
    // Attempts get their grace however short the manager's own patience is; one that hangs is ended by it all the same.
    let patience = config.server.stop_grace + 2 * PART_WITHIN;
    let patience_us = u32::try_from(patience.as_micros()).unwrap_or(u32::MAX);
    notify(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(patience_us)]);
    ready.store(false, Ordering::Release);
    trigger_stop.cancel();
    ended("the triggers", triggering).await;
    inlet_stop.cancel();
    ended("what brings files in", letting_in).await;
    scheduler_stop.cancel();
    ended_within("the scheduler", scheduling, config.server.stop_grace + PART_WITHIN).await;
    library_stop.cancel();
    ended("the library", keeping).await;
    callback_stop.cancel();
    ended("the callbacks", calling).await;
    ended("the gauges", measuring).await;
    web_stop.cancel();
    ended("the web server", serving).await;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Waits for a part that was asked to end, but not for ever: a hung mount may hold it, and everything it knows is committed.
async fn ended(part: &str, task: JoinHandle<()>) {
    ended_within(part, task, PART_WITHIN).await;
}

async fn ended_within(part: &str, task: JoinHandle<()>, within: Duration) {
    match tokio::time::timeout(within, task).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, part, "ended by a panic"),
        Err(_) => tracing::error!(part, "did not end in time and is left behind"),
    }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}

fn make_directory(path: &Path, key: &str) -> Result<(), Fault> {
    std::fs::create_dir_all(path).map_err(|error| {
        Fault::new(
            "DirectoryUnusable",
            Blame::Request,
            "make directory",
            path.display().to_string(),
            error.to_string(),
            format!("Set {key} to a directory that this user may write."),
        )
    })
}

async fn open_store(path: std::path::PathBuf) -> Result<Store, Fault> {
    let shown = path.display().to_string();
    let opened = tokio::task::spawn_blocking(move || Store::open(&path)).await;
    match opened {
        Ok(Ok(store)) => Ok(store),
        Ok(Err(error)) => Err(error.fault(&shown)),
        Err(panic) => Err(Fault::new(
            "DatabaseUnusable",
            Blame::Bug,
            "open",
            shown,
            panic.to_string(),
            "Report this with the daemon's log.",
        )),
    }
}

fn executor_options(config: &Config, storages: &Storages) -> LocalExecutorOptions {
    // Kernels are compiled once for all workers; the look at the devices fills the folder, workers only read it.
    let environment = DeviceEnvironment::of(std::env::vars_os());
    let environment = environment.with_kernel_cache(&config.server.scratch_dir.join(KERNELS));
    let mut options = LocalExecutorOptions::new(&config.server.scratch_dir).with_environment(environment);
    options.hooks_dir = Some(config.server.hooks_dir.clone());
    options.hook_signer = hook_signer::signer(&config.server.hook_keys);
    options.sandbox = match config.sandbox {
        Sandbox::Auto => SandboxMode::Auto,
        Sandbox::Required => SandboxMode::Required,
        Sandbox::Off => SandboxMode::Off,
    };
    options.storages = storages.clone();
    options
}

fn scheduler_options(config: &Config) -> SchedulerOptions {
    let auto = Capacity::auto();
    SchedulerOptions {
        capacity: Capacity {
            threads: config.capacity.threads.unwrap_or(auto.threads),
            attempts: config.capacity.attempts.unwrap_or(auto.attempts),
            ..auto
        },
        scratch: scratch_limit(config),
        devices: device_rules(&config.capacity.gpu),
        limits: config.limits.clone(),
        grace: config.server.stop_grace,
        keeping: keeping(config),
        ..SchedulerOptions::default()
    }
}

/// What files and the configuration may name besides the configuration.
async fn made_names(store: &Store) -> Result<Made, Fault> {
    let names = store.made_names().await.map_err(|error| error.fault("the storages"))?;
    Ok(Made {
        storages: names.storages,
        destinations: names.destinations,
    })
}

/// Refuses a library whose storage is neither configured nor made.
fn library_storage(config: &Config, made: &Made) -> Result<(), Fault> {
    let Some(why) = config.library_storage_missing(&made.storages) else {
        return Ok(());
    };
    Err(Fault::new(
        "LibraryStorageUnknown",
        Blame::Request,
        "start",
        "library.storage",
        why,
        "Correct library.storage. For a storage that is yet to be made: take the key out, start the daemon, make it (reelmill \
         storage create FILE), set the key again.",
    ))
}

/// That of the configuration, else nine tenths of what is free now.
fn scratch_limit(config: &Config) -> Option<Limit> {
    if let Some(bytes) = config.capacity.scratch_bytes {
        return Some(Limit { bytes, strict: true });
    }
    let stat = rustix::fs::statvfs(&config.server.scratch_dir).ok()?;
    let free_bytes = stat.f_bavail.saturating_mul(stat.f_frsize);
    (free_bytes > 0).then_some(Limit {
        bytes: free_bytes / 10 * 9,
        strict: false,
    })
}

fn keeping(config: &Config) -> Keeping {
    let retention = config.retention;
    Keeping {
        events: retention.events,
        deliveries: retention.deliveries,
        tasks: retention.tasks,
        audit: retention.audit,
        gauges: retention.gauges,
        uploads: retention.uploads,
    }
}

fn device_rules(gpu: &Gpu) -> DeviceRules {
    DeviceRules {
        allowed: match &gpu.devices {
            DeviceList::Auto => Allowed::All,
            DeviceList::Nothing => Allowed::Nothing,
            DeviceList::Only(names) => Allowed::Only(names.clone()),
        },
        bounds: Bounds {
            attempts: gpu.attempts,
            sessions: gpu.sessions,
            memory_reserve_bytes: gpu.memory_reserve_bytes,
        },
        when_busy: match gpu.when_busy {
            Busy::Auto => WhenBusy::Quicker,
            Busy::Software => WhenBusy::Software,
            Busy::Wait => WhenBusy::Wait,
        },
    }
}

fn callback_options(config: &Config, storages: &Storages, metrics: &Metrics) -> CallbackOptions {
    let (destinations, unified) = destinations::of(config);
    let server = &config.server;
    CallbackOptions {
        deployment: places::deployment(config, storages),
        destinations,
        unified,
        surroundings: Surroundings {
            hooks_dir: server.hooks_dir.clone(),
            storages: Some(storages.clone()),
        },
        pace: Pace::default(),
        metrics: metrics.clone(),
    }
}
