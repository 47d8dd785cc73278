//! `reelmill delivery`: list deliveries of events, and send them again.
//!
//! Guarantees: a replay carries the same event id. Deliberately absent: receiving; see `reelmill callback listen`.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::Remote;
use crate::cli::client::part;
use crate::cli::listing;
use crate::cli::table;
use serde_json::json;

/// What can be done with deliveries.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List deliveries, newest first.
    List {
        /// Only those of this status: pending, done, dead.
        #[arg(long)]
        status: Option<String>,
        /// Only those to this destination.
        #[arg(long)]
        destination: Option<String>,
        /// Only those of this task.
        #[arg(long)]
        task: Option<String>,
        /// How many, 1 to 500.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Where the page before ended.
        #[arg(long)]
        cursor: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Send them again.
    Replay {
        /// Their ids.
        #[arg(required = true)]
        ids: Vec<String>,
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
        Command::List {
            status,
            destination,
            task,
            limit,
            cursor,
            remote,
        } => block_on(async {
            let query = [
                ("status", status),
                ("destination", destination),
                ("task", task),
                ("limit", Some(limit.to_string())),
                ("cursor", cursor),
            ];
            listing::print(
                &remote,
                context,
                "/api/v1/deliveries",
                &query,
                &[
                    ("ID", "/id"),
                    ("CREATED", "/created_at"),
                    ("STATUS", "/status"),
                    ("DESTINATION", "/destination"),
                    ("TRIES", "/tries"),
                    ("EVENT", "/event_type"),
                    ("LAST ERROR", "/last_error"),
                ],
            )
            .await
        }),
        Command::Replay { ids, remote } => block_on(async {
            let client = Client::connect(&remote, context)?;
            for id in &ids {
                let delivery = client
                    .post(&format!("/api/v1/deliveries/{}/replay", part(id)), &json!({}))
                    .await?;
                if remote.json {
                    table::print_json(&delivery)?;
                }
            }
            Ok(())
        }),
    }
}
