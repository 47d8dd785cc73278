//! The configuration with nothing left to decide: paths absolute, secrets read, contradictions refused.
//!
//! Guarantees: what is here can be acted on without looking at the file again; warnings are things that may heal or
//! be meant (a share that is not mounted), errors are things that cannot. Deliberately absent: the parts of the
//! program that are built from it; the wiring makes each its own options.

use crate::base::reader;
use crate::base::reader::Wrong;
use crate::config::destination;
use crate::config::file::File;
use crate::config::file::Sandbox;
use crate::config::gpu;
use crate::config::gpu::Gpu;
use crate::config::hook_keys::HookKeys;
use crate::config::layout;
use crate::config::library;
use crate::config::library::Library;
use crate::config::made_storages;
use crate::config::made_storages::StorageGround;
use crate::config::secret;
use crate::config::settings::Setting;
use crate::config::storage;
use crate::config::storage::Storage;
use crate::media::limits::Limits;
use crate::objects::uri::ObjectUri;
use crate::workflow::deed::Deed;
use crate::workflow::destination::Definition;
use crate::workflow::name_rule::is_name;
use crate::workflow::resolved::ResolvedWorkflow;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// Name under which an unified callback that is written out is listed.
pub const UNIFIED: &str = "unified";

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from; none: built-in defaults.
    pub file: Option<PathBuf>,
    /// Every key, to be shown.
    pub settings: Vec<Setting>,
    /// The daemon itself.
    pub server: Server,
    /// Storages, in the order of the file.
    pub storages: Vec<Storage>,
    /// Destinations, in the order of the file; a unified callback that is written out comes last, named [`UNIFIED`].
    pub destinations: Vec<Definition>,
    /// The files their secrets, certificates and templates were read from: a change of one is taken over at once.
    pub destination_files: Vec<PathBuf>,
    /// Name of the destination that every event without a callback of its own goes to; none: nobody.
    pub unified: Option<String>,
    /// Most workflows besides those that ship; none: no limit.
    pub workflow_quota: Option<u32>,
    /// How much work at once.
    pub capacity: Capacity,
    /// Limits against hostile sources.
    pub limits: Limits,
    /// What comes into the library by upload or by address.
    pub library: Library,
    /// Pulls may also reach private networks and this host.
    pub allow_private_pulls: bool,
    /// Where storages may be made while the program runs.
    pub made_storages: StorageGround,
    /// How long rows are kept.
    pub retention: Retention,
    /// How strictly workers are caged.
    pub sandbox: Sandbox,
    /// When something deserves an alert.
    pub alerts: Alerts,
    /// How long a log-in lasts.
    pub session: Duration,
    /// What deserves a look though it prevents nothing.
    pub warnings: Vec<Wrong>,
}

/// The daemon itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where HTTP listens.
    pub listen: SocketAddr,
    /// Certificate and key in PEM files; none: it speaks plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// What links in events begin with; no slash at the end.
    pub public_url: String,
    /// Database and tokens.
    pub state_dir: PathBuf,
    /// Where attempts write.
    pub scratch_dir: PathBuf,
    /// Definitions that are loaded at start.
    pub workflows_dir: PathBuf,
    /// The only executables that may be named.
    pub hooks_dir: PathBuf,
    /// What questions to services are signed with.
    pub hook_keys: HookKeys,
    /// `UserId` of events.
    pub user_id: u64,
    /// `AppId` of events.
    pub app_id: String,
    /// Region of events.
    pub region: String,
    /// Log filter, `info` or `info,reelmill::trigger=debug`.
    pub log: String,
    /// Time running attempts get to end by themselves when the daemon stops.
    pub stop_grace: Duration,
}

/// When something deserves an alert.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alerts {
    /// A disk is low when less than this is free ...
    pub disk_low_bytes: u64,
    /// ... and less than this part of it.
    pub disk_low_percent: f64,
    /// Time between two looks.
    pub check_interval: Duration,
}

/// How much work at once; none: found by the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capacity {
    /// Threads all attempts together keep busy.
    pub threads: Option<u32>,
    /// Attempts at once.
    pub attempts: Option<u32>,
    /// Bytes of scratch space.
    pub scratch_bytes: Option<u64>,
    /// NVIDIA devices.
    pub gpu: Gpu,
}

/// How long rows are kept; none: for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Events, and what was not delivered of them.
    pub events: Option<Duration>,
    /// Deliveries that were accepted.
    pub deliveries: Option<Duration>,
    /// Tasks that ended.
    pub tasks: Option<Duration>,
    /// What was done by hand.
    pub audit: Option<Duration>,
    /// Numbers for graphs.
    pub gauges: Option<Duration>,
    /// Uploads and pulls that ended.
    pub uploads: Option<Duration>,
}

/// Everything found while resolving.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) errors: Vec<Wrong>,
    pub(super) warnings: Vec<Wrong>,
}

impl Findings {
    pub(super) fn error(&mut self, path: impl Into<String>, why: impl Into<String>) {
        self.errors.push(Wrong::at(path, why));
    }

    pub(super) fn warning(&mut self, path: impl Into<String>, why: impl Into<String>) {
        self.warnings.push(Wrong::at(path, why));
    }
}

/// Resolves what was read; relative paths begin at `folder`.
///
/// # Errors
/// Everything that prevents starting.
pub(super) fn resolve(raw: &File, folder: &Path) -> Result<Config, Vec<Wrong>> {
    let mut findings = Findings::default();
    let server = server(&mut findings, raw, folder);
    let storages: Vec<Storage> = raw
        .storage
        .iter()
        .enumerate()
        .filter_map(|(at, section)| storage::resolve(&mut findings, &format!("storage[{at}]"), section, folder))
        .collect();
    unique(
        &mut findings,
        "storage",
        raw.storage.iter().map(|storage| storage.name.as_str()),
    );
    unique(
        &mut findings,
        "destination",
        raw.destination.iter().map(|destination| destination.name.as_str()),
    );
    let mut destination_files = Vec::new();
    let mut destinations: Vec<Definition> = raw
        .destination
        .iter()
        .enumerate()
        .filter_map(|(at, section)| {
            let path = format!("destination[{at}]");
            destination::resolve(&mut findings, &path, section, folder, &mut destination_files)
        })
        .collect();
    let unified = destination::unified(&mut findings, raw, folder, &mut destinations, &mut destination_files);
    destination::check_storages(&mut findings, raw);
    let storages = layout::check(&mut findings, &server, storages);
    let library = library::resolve(&mut findings, &raw.library);
    let days = |days: u32| (days > 0).then(|| Duration::from_secs(u64::from(days) * 86_400));
    let config = Config {
        file: None,
        settings: Vec::new(),
        storages,
        destinations,
        destination_files,
        unified,
        workflow_quota: (raw.workflows.quota > 0).then_some(raw.workflows.quota),
        capacity: capacity(&mut findings, raw),
        limits: limits(&mut findings, raw),
        library,
        allow_private_pulls: raw.security.allow_private_pulls,
        made_storages: made_storages::ground(&mut findings, &raw.security, folder),
        retention: Retention {
            events: days(raw.retention.events_days),
            deliveries: days(raw.retention.deliveries_days),
            tasks: days(raw.retention.tasks_days),
            audit: days(raw.retention.audit_days),
            gauges: days(raw.retention.gauges_days),
            uploads: days(raw.retention.uploads_days),
        },
        sandbox: raw.security.sandbox,
        alerts: alerts(&mut findings, raw),
        session: session(&mut findings, raw),
        warnings: Vec::new(),
        server,
    };
    if !findings.errors.is_empty() {
        return Err(findings.errors);
    }
    Ok(Config {
        warnings: findings.warnings,
        ..config
    })
}

impl Config {
    /// The storage of that name.
    pub fn storage(&self, name: &str) -> Option<&Storage> {
        self.storages.iter().find(|storage| storage.name == name)
    }

    /// Why `library.storage` cannot be used where there are storages besides those of the configuration; none: it can.
    pub fn library_storage_missing(&self, made_storages: &[String]) -> Option<String> {
        let name = self.library.storage.as_ref()?;
        let configured = self.storages.iter().map(|storage| storage.name.as_str());
        let known: Vec<&str> = configured.chain(made_storages.iter().map(String::as_str)).collect();
        (!known.contains(&name.as_str()))
            .then(|| format!("there is no storage {name:?}; {}", reader::meant(name, &known)))
    }

    /// What a workflow names that is not configured, in words; empty when all is there.
    pub fn missing_for(&self, workflow: &ResolvedWorkflow) -> Vec<Wrong> {
        self.missing_beside(workflow, &[], &[])
    }

    /// The same where there are storages and destinations beside those of the configuration.
    pub fn missing_beside(&self, workflow: &ResolvedWorkflow, made_storages: &[String], made: &[String]) -> Vec<Wrong> {
        let storages: Vec<&str> = self
            .storages
            .iter()
            .map(|storage| storage.name.as_str())
            .chain(made_storages.iter().map(String::as_str))
            .collect();
        let destinations: Vec<&str> = self
            .destinations
            .iter()
            .map(|destination| destination.name.as_str())
            .chain(made.iter().map(String::as_str))
            .collect();
        let mut missing = Vec::new();
        let mut missing_names = Vec::new();
        let mut look = |path: &str, noun: &str, name: Option<&String>, known: &[&str]| {
            if let Some(name) = name.filter(|name| !known.contains(&name.as_str())) {
                let why = format!("there is no {noun} {name:?}; {}", reader::meant(name, known));
                missing.push(Wrong::at(path, why));
            }
        };
        look("source.storage", "storage", workflow.source.storage.as_ref(), &storages);
        look("output.storage", "storage", workflow.output.storage.as_ref(), &storages);
        look(
            "callback.destination",
            "destination",
            workflow.callback.destination.as_ref(),
            &destinations,
        );
        for activity in &workflow.activities {
            if let Some(Deed::Copy(rule)) = &activity.deed {
                look(
                    &format!("activity {}", activity.id),
                    "storage",
                    Some(&rule.storage),
                    &storages,
                );
            }
            for name in activity.work.iter().flat_map(|work| work.side_names()) {
                let path = format!("activity {}", activity.id);
                match ObjectUri::parse(name) {
                    Some(object) => look(&path, "storage", Some(&object.storage), &storages),
                    None => missing_names.push(Wrong::at(
                        path,
                        format!("{name:?} is no object; write storage:key, with one of the storages"),
                    )),
                }
            }
        }
        missing.extend(missing_names);
        missing
    }
}

fn server(findings: &mut Findings, raw: &File, folder: &Path) -> Server {
    let section = &raw.server;
    let listen = section.listen.parse::<SocketAddr>().unwrap_or_else(|_| {
        let why = format!(
            "{:?} is not ADDRESS:PORT, as in \"127.0.0.1:8080\" or \"[::]:8080\"",
            section.listen
        );
        findings.error("server.listen", why);
        SocketAddr::from(([127, 0, 0, 1], 8080))
    });
    let tls = match (section.tls_cert.as_str(), section.tls_key.as_str()) {
        ("", "") => None,
        ("", _) => {
            findings.error("server.tls_cert", "is missing: the certificate that belongs to tls_key");
            None
        }
        (_, "") => {
            findings.error("server.tls_key", "is missing: the key that belongs to tls_cert");
            None
        }
        (certificate, key) => Some((secret::place(folder, certificate), secret::place(folder, key))),
    };
    if tls.is_none() && !listen.ip().is_loopback() {
        findings.warning("server.listen", "other hosts can reach this address, and it speaks HTTP without TLS; set tls_cert and tls_key, put a TLS proxy in front, or listen on 127.0.0.1");
    }
    if tls.is_some() && section.public_url.starts_with("http:") {
        findings.warning(
            "server.public_url",
            "begins with http:, and what listens speaks HTTPS: links would lead nowhere",
        );
    }
    if !is_http(&section.public_url) {
        findings.error(
            "server.public_url",
            format!("{:?} is no http or https address", section.public_url),
        );
    }
    if section.stop_grace_s > 3_600 {
        findings.error(
            "server.stop_grace_s",
            format!("{} is out of range, 0 to 3600", section.stop_grace_s),
        );
    }
    let hook_keys = HookKeys::resolve(findings, section, folder);
    let mut directory = |key: &str, text: &str| {
        if text.is_empty() {
            findings.error(format!("server.{key}"), "is empty");
        }
        folder.join(text)
    };
    Server {
        listen,
        tls,
        public_url: section.public_url.trim_end_matches('/').to_owned(),
        state_dir: directory("state_dir", &section.state_dir),
        scratch_dir: directory("scratch_dir", &section.scratch_dir),
        workflows_dir: directory("workflows_dir", &section.workflows_dir),
        hooks_dir: directory("hooks_dir", &section.hooks_dir),
        hook_keys,
        user_id: section.user_id,
        app_id: section.app_id.clone(),
        region: section.region.clone(),
        log: section.log.clone(),
        stop_grace: Duration::from_secs(section.stop_grace_s.min(3_600)),
    }
}

/// Whether requests can be sent to an address.
pub(super) fn is_http(address: &str) -> bool {
    url::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn unique<'a>(findings: &mut Findings, noun: &str, names: impl Iterator<Item = &'a str>) {
    let mut seen = BTreeSet::new();
    for (at, name) in names.enumerate() {
        let path = format!("{noun}[{at}].name");
        if !is_name(name, 128) {
            findings.error(
                &path,
                format!("{name:?} is not a name of 1 to 128 letters, digits, - and _"),
            );
        }
        if !seen.insert(name) {
            findings.error(&path, format!("{name:?} names two {noun}s"));
        }
    }
}

fn capacity(findings: &mut Findings, raw: &File) -> Capacity {
    let mut small = |key: &str, number: Option<u64>| match number {
        None => None,
        Some(number @ 1..=4_096) => u32::try_from(number).ok(),
        Some(number) => {
            findings.error(
                format!("capacity.{key}"),
                format!("{number} is out of range, \"auto\" or 1 to 4096"),
            );
            None
        }
    };
    let (threads, attempts) = (
        small("threads", raw.capacity.threads.number()),
        small("attempts", raw.capacity.attempts.number()),
    );
    Capacity {
        threads,
        attempts,
        scratch_bytes: raw.capacity.scratch_bytes.number(),
        gpu: gpu::resolve(findings, &raw.capacity.gpu),
    }
}

fn alerts(findings: &mut Findings, raw: &File) -> Alerts {
    let section = &raw.alerts;
    if !(0.0..=100.0).contains(&section.disk_low_percent) {
        findings.error(
            "alerts.disk_low_percent",
            format!("{} is out of range, 0 to 100", section.disk_low_percent),
        );
    }
    if !(0.1..=3_600.0).contains(&section.check_interval_s) {
        findings.error(
            "alerts.check_interval_s",
            format!("{} is out of range, 0.1 to 3600", section.check_interval_s),
        );
    }
    Alerts {
        disk_low_bytes: section.disk_low_bytes,
        disk_low_percent: section.disk_low_percent,
        check_interval: Duration::try_from_secs_f64(section.check_interval_s).unwrap_or(Duration::from_secs(10)),
    }
}

fn session(findings: &mut Findings, raw: &File) -> Duration {
    let hours = raw.security.session_hours;
    if !(1..=8_760).contains(&hours) {
        findings.error("security.session_hours", format!("{hours} is out of range, 1 to 8760"));
    }
    Duration::from_secs(u64::from(hours) * 3_600)
}

fn limits(findings: &mut Findings, raw: &File) -> Limits {
    let section = &raw.limits;
    if !(0.0..=100.0).contains(&section.max_damaged_percent) {
        findings.error(
            "limits.max_damaged_percent",
            format!("{} is out of range, 0 to 100", section.max_damaged_percent),
        );
    }
    if section.max_duration_s <= 0.0 || section.max_pixels == 0 || section.max_streams == 0 {
        findings.error(
            "limits",
            "max_pixels, max_streams and max_duration_s must be more than 0",
        );
    }
    Limits {
        max_pixels: section.max_pixels,
        max_streams: section.max_streams,
        max_duration_s: section.max_duration_s,
        max_damaged_percent: section.max_damaged_percent,
        max_memory_bytes: section.max_memory_bytes,
    }
}
