//! `reelmill storage`: list storages, scan one, and ask why an object was not triggered.
//!
//! Guarantees: read-only but for the wish to scan. Deliberately absent: adding storages, which the configuration does.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::part;
use crate::cli::listing;
use crate::cli::remote::Remote;
use crate::cli::table;
use serde_json::json;

/// What can be done with storages.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List storages with their state.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Why an object was, or was not, triggered.
    Explain {
        /// Name of the storage.
        storage: String,
        /// Key of the object in it.
        key: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Scan it now.
    Scan {
        /// Name of the storage.
        storage: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
}

/// Carries it out.
///
/// # Errors
/// The daemon refused or did not answer.
pub fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::List { remote } => block_on(listing::print(
            &remote,
            context,
            "/api/v1/storages",
            &[],
            &[
                ("NAME", "/name"),
                ("KIND", "/kind"),
                ("STATUS", "/status"),
                ("WATCH", "/watch"),
                ("LOCATION", "/location"),
                ("NOTE", "/note"),
            ],
        )),
        Command::Explain { storage, key, remote } => block_on(async {
            let path = format!("/api/v1/storages/{}/explain", part(&storage));
            let told = Client::connect(&remote, context)?
                .get(&path, &[("key", Some(key))])
                .await?;
            if remote.json {
                return table::print_json(&told);
            }
            println!(
                "{}: {}",
                table::cell(&told["object"]),
                table::cell(&told["explanation"])
            );
            Ok(())
        }),
        Command::Scan { storage, remote } => block_on(async {
            let path = format!("/api/v1/storages/{}/scan", part(&storage));
            Client::connect(&remote, context)?.post(&path, &json!({})).await?;
            Ok(())
        }),
    }
}
