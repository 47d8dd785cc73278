//! What is shown of the configuration and of this host to whoever looks for a fault.
//!
//! Guarantees: the check is that of `reelmill check`, made by a process of its own that is ended when it takes too long.
//! Deliberately absent: judgement.

use crate::config::resolved::Config;
use crate::web::api::settings::SettingView;
use crate::web::api::settings::SettingsView;
use crate::web::state::HostCheck;
use serde_json::Value;
use serde_json::json;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

/// How long a check may take: a driver or a share may hang.
const WITHIN: Duration = Duration::from_secs(30);

/// The configuration as it is shown.
pub(super) fn settings(config: &Config) -> SettingsView {
    SettingsView {
        file: config.file.as_ref().map(|file| file.display().to_string()),
        items: config
            .settings
            .iter()
            .map(|setting| SettingView {
                id: setting.key.clone(),
                value: setting.value.clone(),
                source: if setting.written { "file" } else { "default" },
                line: setting.line,
                help: setting.help.clone(),
            })
            .collect(),
        next: None,
    }
}

/// Checks the host with the configuration in this file; none: nothing can be checked.
pub(super) fn of(file: Option<PathBuf>) -> HostCheck {
    Arc::new(move || {
        let file = file.clone();
        Box::pin(async move {
            match file {
                Some(file) => check(&file).await.unwrap_or_else(|cause| json!({ "missing": cause })),
                None => json!({ "missing": "the daemon runs without a configuration file" }),
            }
        })
    })
}

async fn check(file: &Path) -> Result<Value, String> {
    let mut command = tokio::process::Command::new("/proc/self/exe");
    command
        .arg("--config")
        .arg(file)
        .args(["check", "--json"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    match tokio::time::timeout(WITHIN, command.output()).await {
        Err(_) => Err(format!("it took longer than {} s", WITHIN.as_secs())),
        Ok(Err(error)) => Err(error.to_string()),
        // Its exit code says whether something is fatal; so do the findings.
        Ok(Ok(output)) => serde_json::from_slice(&output.stdout).map_err(|error| error.to_string()),
    }
}
