//! `reelmill alert`: what a person should look at.
//!
//! Guarantees: open alerts come first when nothing is asked. Deliberately absent: ending one by hand; it ends with its
//! cause.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::part;
use crate::cli::listing;
use crate::cli::listing::Page;
use crate::cli::remote::Remote;
use crate::cli::table;
use serde_json::json;

/// What can be done with alerts.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List alerts, newest first.
    List {
        /// open, cleared or all.
        #[arg(long, default_value = "open")]
        status: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        page: Page,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Say that you know of them.
    Acknowledge {
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
        Command::List { status, page, remote } => block_on(async {
            let query = page.of([("status", Some(status))]);
            listing::print(
                &remote,
                context,
                "/api/v1/alerts",
                &query,
                &[
                    ("ID", "/id"),
                    ("SINCE", "/created_at"),
                    ("SEVERITY", "/severity"),
                    ("CODE", "/code"),
                    ("SUBJECT", "/subject"),
                    ("CAUSE", "/cause"),
                    ("KNOWN TO", "/acknowledged_by"),
                ],
            )
            .await
        }),
        Command::Acknowledge { ids, remote } => block_on(async {
            let client = Client::connect(&remote, context)?;
            for id in &ids {
                let path = format!("/api/v1/alerts/{}/acknowledge", part(id));
                let alert = client.post(&path, &json!({})).await?;
                if remote.json {
                    table::print_json(&alert)?;
                }
            }
            Ok(())
        }),
    }
}
