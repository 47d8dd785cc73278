//! `reelmill destination`: receivers of events, those of the configuration and those made here.
//!
//! Guarantees: secrets go in by a file and never come out. Deliberately absent: the configuration file, which an editor
//! changes; the daemon reads its destinations again on SIGHUP.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::part;
use crate::cli::definition_file;
use crate::cli::listing;
use crate::cli::outcome::BadUsage;
use crate::cli::outcome::WorkFailed;
use crate::cli::remote::Remote;
use crate::cli::table;
use serde_json::json;
use std::path::PathBuf;

/// What can be done with destinations.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List them, with how each is doing.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Show one.
    Show {
        /// Its name.
        name: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Make or change one. Secrets that the file leaves out stay as they are.
    Apply {
        /// JSON, or TOML with the keys of a destination section; keys with secrets hold them instead of naming files.
        file: PathBuf,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Remove one that was made here.
    Delete {
        /// Its name.
        name: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Send it a test event now; exit code 1 when it is not accepted.
    Test {
        /// Its name.
        name: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// How they are doing: breaker, what waits, what was given up, how long tries take.
    Health {
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
}

/// Carries it out.
///
/// # Errors
/// The daemon refused or did not answer; a test event was not accepted.
pub fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    const PATH: &str = "/api/v1/destinations";
    match command {
        Command::List { remote } => block_on(listing::print(
            &remote,
            context,
            PATH,
            &[],
            &[
                ("NAME", "/id"),
                ("KIND", "/kind"),
                ("STATUS", "/status"),
                ("ORIGIN", "/origin"),
                ("PROFILE", "/profile"),
                ("URL", "/url"),
                ("PENDING", "/health/pending"),
                ("DEAD", "/health/dead"),
            ],
        )),
        Command::Health { remote } => block_on(listing::print(
            &remote,
            context,
            PATH,
            &[],
            &[
                ("NAME", "/id"),
                ("STATUS", "/status"),
                ("BREAKER", "/health/breaker"),
                ("PENDING", "/health/pending"),
                ("DEAD", "/health/dead"),
                ("P50 MS", "/health/p50_ms"),
                ("P95 MS", "/health/p95_ms"),
                ("LAST SUCCESS", "/health/last_success_at"),
                ("LAST ERROR", "/health/last_error"),
            ],
        )),
        Command::Show { name, remote } => block_on(async {
            let found = Client::connect(&remote, context)?
                .get(&format!("{PATH}/{}", part(&name)), &[])
                .await?;
            table::print_json(&found)
        }),
        Command::Apply { file, remote } => block_on(async {
            let definition = definition_file::read(&file)?;
            let name = definition["name"].as_str().unwrap_or_default().to_owned();
            if name.is_empty() {
                return Err(BadUsage(format!("{} gives no name", file.display())).into());
            }
            let made = Client::connect(&remote, context)?
                .put(&format!("{PATH}/{}", part(&name)), &definition)
                .await?;
            if remote.json {
                table::print_json(&made)?;
            }
            Ok(())
        }),
        Command::Delete { name, remote } => block_on(async {
            Client::connect(&remote, context)?
                .delete(&format!("{PATH}/{}", part(&name)))
                .await?;
            Ok(())
        }),
        Command::Test { name, remote } => block_on(async {
            let said = Client::connect(&remote, context)?
                .post(&format!("{PATH}/{}/test", part(&name)), &json!({}))
                .await?;
            if remote.json {
                table::print_json(&said)?;
            } else if said["accepted"] == true {
                println!("accepted after {} ms", table::cell(&said["took_ms"]));
            }
            match said["accepted"] == true {
                true => Ok(()),
                false => {
                    let why = table::cell(&said["error"]);
                    eprintln!("reelmill: destination {name} did not accept the test event: {why}");
                    Err(WorkFailed.into())
                }
            }
        }),
    }
}
