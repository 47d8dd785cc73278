//! `reelmill diagnostics`: everything that helps to find out what is wrong, in one file to send.
//!
//! Guarantees: no secret is in it; when the daemon does not answer, what can be had without it, and why it did not.
//! Deliberately absent: sending it anywhere.

use crate::base::bundle;
use crate::base::clock::UtcMs;
use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::check;
use crate::cli::client::Client;
use crate::cli::outcome::BadUsage;
use crate::cli::remote::Remote;
use crate::config;
use anyhow::Context as _;
use serde_json::Value;
use serde_json::json;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the archive goes (.tar.gz); must not exist.
    pub file: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

/// Carries it out.
///
/// # Errors
/// The file exists or cannot be written.
pub fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&args.file)
        .map_err(|error| BadUsage(format!("{} cannot be made: {error}", args.file.display())))?;
    let asked = block_on(async {
        Client::connect(&args.remote, context)?
            .post_for_bytes("/api/v1/system/diagnostics")
            .await
    });
    let bytes = match asked {
        Ok(bytes) => bytes,
        Err(error) => {
            eprintln!("reelmill: the daemon did not help ({error:#}); this is what can be had without it");
            alone(context, &format!("{error:#}"))?
        }
    };
    file.write_all(&bytes)
        .and_then(|()| file.sync_all())
        .with_context(|| format!("could not write {}", args.file.display()))?;
    println!("{} ({} bytes)", args.file.display(), bytes.len());
    Ok(())
}

/// What can be had without the daemon.
fn alone(context: &Context, why: &str) -> anyhow::Result<Vec<u8>> {
    let now = UtcMs::now();
    let settings = match config::load(&context.config) {
        Ok(config) => {
            let database = config.server.state_dir.join(crate::store::FILE_NAME);
            let size = std::fs::metadata(database).map(|metadata| metadata.len());
            let items = config.settings.iter().map(|setting| {
                json!({ "id": setting.key, "value": setting.value, "source": if setting.written { "file" } else { "default" },
                    "line": setting.line })
            });
            json!({ "items": items.collect::<Vec<_>>(), "database_bytes": size.ok() })
        }
        Err(bad) => json!({ "missing": bad.lines() }),
    };
    let about = json!({
        "version": env!("CARGO_PKG_VERSION"), "made_at": now.wire(), "daemon": why,
        "kernel": std::fs::read_to_string("/proc/sys/kernel/osrelease").ok(),
        "os": std::fs::read_to_string("/etc/os-release").ok(),
    });
    let pretty = |value: &Value| serde_json::to_vec_pretty(value).unwrap_or_default();
    let files = [
        ("about.json".to_owned(), pretty(&about)),
        ("settings.json".to_owned(), pretty(&settings)),
        (
            "checks.json".to_owned(),
            pretty(&json!({ "findings": check::look(context, false) })),
        ),
    ];
    bundle::archive(&bundle::diagnostics_name(now), &files, now).context("could not make the archive")
}
