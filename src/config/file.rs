//! The configuration file as it is written: every key with its default.
//!
//! `config/reelmill.toml` is this file in words; a test keeps both the same. An empty text or a 0 stands for "not
//! set" or "decide by yourself", so that every key can be shown with its default. Guarantees: unknown keys are
//! refused with the nearest known one. Deliberately absent: meaning, which `resolved` gives.

use crate::config::gpu::GpuSection;
use crate::config::library::LibrarySection;
use crate::config::storage_section::StorageSection;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use std::collections::BTreeMap;

/// A number, or `"auto"`: found by the program itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Auto {
    /// Found by the program.
    #[default]
    Auto,
    /// This.
    Is(u64),
}

impl Auto {
    /// The number, where one was written.
    pub fn number(self) -> Option<u64> {
        match self {
            Auto::Auto => None,
            Auto::Is(number) => Some(number),
        }
    }
}

impl Serialize for Auto {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Auto::Auto => serializer.serialize_str("auto"),
            Auto::Is(number) => serializer.serialize_u64(*number),
        }
    }
}

impl<'de> Deserialize<'de> for Auto {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl serde::de::Visitor<'_> for Reads {
            type Value = Auto;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"auto\" or a number")
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Auto, E> {
                Ok(Auto::Is(number))
            }
            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Auto, E> {
                match word {
                    "auto" => Ok(Auto::Auto),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

/// The whole file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// `[server]`.
    pub server: ServerSection,
    /// `[[storage]]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub storage: Vec<StorageSection>,
    /// `[[destination]]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub destination: Vec<DestinationSection>,
    /// `[callback]`.
    pub callback: CallbackSection,
    /// `[workflows]`.
    pub workflows: WorkflowsSection,
    /// `[capacity]`.
    pub capacity: CapacitySection,
    /// `[limits]`.
    pub limits: LimitsSection,
    /// `[library]`.
    pub library: LibrarySection,
    /// `[retention]`.
    pub retention: RetentionSection,
    /// `[security]`.
    pub security: SecuritySection,
    /// `[alerts]`.
    pub alerts: AlertsSection,
}

/// `[server]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "every key is described in config/reelmill.toml")]
pub struct ServerSection {
    pub listen: String,
    pub tls_cert: String,
    pub tls_key: String,
    pub public_url: String,
    pub state_dir: String,
    pub scratch_dir: String,
    pub workflows_dir: String,
    pub hooks_dir: String,
    pub hook_signing_key_file: String,
    pub old_hook_signing_key_file: String,
    pub user_id: u64,
    pub app_id: String,
    pub region: String,
    pub log: String,
    pub stop_grace_s: u64,
}

impl Default for ServerSection {
    fn default() -> Self {
        ServerSection {
            listen: "127.0.0.1:8080".to_owned(),
            tls_cert: String::new(),
            tls_key: String::new(),
            public_url: "http://127.0.0.1:8080".to_owned(),
            state_dir: "/var/lib/reelmill".to_owned(),
            scratch_dir: "/var/cache/reelmill".to_owned(),
            workflows_dir: "/etc/reelmill/workflows".to_owned(),
            hooks_dir: "/etc/reelmill/hooks".to_owned(),
            hook_signing_key_file: String::new(),
            old_hook_signing_key_file: String::new(),
            user_id: 1_000_000_000_000_000,
            app_id: "app-1000000".to_owned(),
            region: "on-premises".to_owned(),
            log: "info".to_owned(),
            stop_grace_s: 20,
        }
    }
}

/// `[[destination]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "every key is described in config/reelmill.toml")]
pub struct DestinationSection {
    pub name: String,
    pub kind: String,
    pub url: String,
    pub profile: String,
    pub global: bool,
    pub events: Vec<String>,
    pub legacy_events: bool,
    pub retry: String,
    pub timeout_s: u32,
    pub headers: BTreeMap<String, String>,
    pub headers_file: String,
    pub auth_key: String,
    pub auth_key_file: String,
    pub signing_key_file: String,
    pub old_signing_key_file: String,
    pub template: String,
    pub body_template_file: String,
    pub tls_client_file: String,
    pub tls_ca_file: String,
    pub user: String,
    pub password_file: String,
    pub queue: String,
    pub exchange: String,
    pub routing_key: String,
    pub declare: bool,
    pub subject: String,
    pub topic: String,
    pub stream: String,
    pub max_entries: u64,
    pub program: String,
    pub storage: String,
    pub prefix: String,
    pub smtp: String,
    pub security: String,
    pub from: String,
    pub to: Vec<String>,
}

impl Default for DestinationSection {
    fn default() -> Self {
        let empty = String::new;
        DestinationSection {
            name: empty(),
            kind: Self::default_kind(),
            url: empty(),
            profile: Self::default_profile(),
            global: false,
            events: Vec::new(),
            legacy_events: false,
            retry: Self::default_retry(),
            timeout_s: 0,
            headers: BTreeMap::new(),
            headers_file: empty(),
            auth_key: empty(),
            auth_key_file: empty(),
            signing_key_file: empty(),
            old_signing_key_file: empty(),
            template: empty(),
            body_template_file: empty(),
            tls_client_file: empty(),
            tls_ca_file: empty(),
            user: empty(),
            password_file: empty(),
            queue: empty(),
            exchange: empty(),
            routing_key: empty(),
            declare: false,
            subject: empty(),
            topic: empty(),
            stream: empty(),
            max_entries: 0,
            program: empty(),
            storage: empty(),
            prefix: empty(),
            smtp: empty(),
            security: empty(),
            from: empty(),
            to: Vec::new(),
        }
    }
}

impl DestinationSection {
    fn default_kind() -> String {
        "http".to_owned()
    }
    fn default_profile() -> String {
        "ims".to_owned()
    }
    fn default_retry() -> String {
        "default".to_owned()
    }
}

/// `[callback]`: the unified callback, a destination by name or written out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "every key is described in config/reelmill.toml")]
pub struct CallbackSection {
    pub destination: String,
    pub url: String,
    pub profile: String,
    pub auth_key: String,
    pub auth_key_file: String,
    pub signing_key_file: String,
    pub old_signing_key_file: String,
    pub events: Vec<String>,
    pub legacy_events: bool,
    pub retry: String,
}

impl Default for CallbackSection {
    fn default() -> Self {
        CallbackSection {
            destination: String::new(),
            url: String::new(),
            profile: DestinationSection::default_profile(),
            auth_key: String::new(),
            auth_key_file: String::new(),
            signing_key_file: String::new(),
            old_signing_key_file: String::new(),
            events: Vec::new(),
            legacy_events: false,
            retry: DestinationSection::default_retry(),
        }
    }
}

/// `[workflows]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "every key is described in config/reelmill.toml")]
pub struct WorkflowsSection {
    pub quota: u32,
}

/// `[capacity]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "every key is described in config/reelmill.toml")]
pub struct CapacitySection {
    pub threads: Auto,
    pub attempts: Auto,
    pub scratch_bytes: Auto,
    pub gpu: GpuSection,
}

/// `[limits]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "every key is described in config/reelmill.toml")]
pub struct LimitsSection {
    pub max_pixels: u64,
    pub max_streams: u32,
    pub max_duration_s: f64,
    pub max_damaged_percent: f64,
    pub max_memory_bytes: u64,
}

impl Default for LimitsSection {
    fn default() -> Self {
        let limits = crate::media::limits::Limits::default();
        LimitsSection {
            max_pixels: limits.max_pixels,
            max_streams: limits.max_streams,
            max_duration_s: limits.max_duration_s,
            max_damaged_percent: limits.max_damaged_percent,
            max_memory_bytes: limits.max_memory_bytes,
        }
    }
}

/// `[retention]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "every key is described in config/reelmill.toml")]
pub struct RetentionSection {
    pub events_days: u32,
    pub deliveries_days: u32,
    pub tasks_days: u32,
    pub audit_days: u32,
    pub gauges_days: u32,
    pub uploads_days: u32,
}

impl Default for RetentionSection {
    fn default() -> Self {
        RetentionSection {
            events_days: 90,
            deliveries_days: 30,
            tasks_days: 365,
            audit_days: 730,
            gauges_days: 30,
            uploads_days: 30,
        }
    }
}

/// `[alerts]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "every key is described in config/reelmill.toml")]
pub struct AlertsSection {
    pub disk_low_bytes: u64,
    pub disk_low_percent: f64,
    pub check_interval_s: f64,
}

impl Default for AlertsSection {
    fn default() -> Self {
        AlertsSection {
            disk_low_bytes: 10_737_418_240,
            disk_low_percent: 5.0,
            check_interval_s: 10.0,
        }
    }
}

/// `[security]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "every key is described in config/reelmill.toml")]
pub struct SecuritySection {
    pub sandbox: Sandbox,
    pub allow_private_pulls: bool,
    pub session_hours: u32,
    pub storage_roots: Vec<String>,
    pub allow_local_buckets: bool,
}

impl Default for SecuritySection {
    fn default() -> Self {
        SecuritySection {
            sandbox: Sandbox::default(),
            allow_private_pulls: false,
            session_hours: 12,
            storage_roots: Vec::new(),
            allow_local_buckets: false,
        }
    }
}

/// How strictly workers are caged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sandbox {
    /// As far as the kernel can.
    #[default]
    Auto,
    /// Wholly, or no work is done.
    Required,
    /// Not at all.
    Off,
}
