//! `reelmill log-level`: what the running daemon logs, shown or changed until its next start.
//!
//! Guarantees: a level that is not understood changes nothing. Deliberately absent: reading the log; `journalctl -u
//! reelmill` does that.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::remote::Remote;
use crate::cli::table;
use serde_json::json;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// error, warn, info, debug, trace, or a filter such as info,reelmill::scheduler=debug; none: only show it.
    pub level: Option<String>,
    /// Go back to the level that the daemon started with.
    #[arg(long, conflicts_with = "level")]
    pub reset: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Carries it out.
///
/// # Errors
/// The daemon refused or did not answer.
pub fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    const ADDRESS: &str = "/api/v1/system/log-level";
    block_on(async {
        let client = Client::connect(&args.remote, context)?;
        let now = if args.reset || args.level.is_some() {
            client.put(ADDRESS, &json!({ "level": args.level })).await?
        } else {
            client.get(ADDRESS, &[]).await?
        };
        if args.remote.json {
            return table::print_json(&now);
        }
        println!(
            "{} (started with {})",
            table::cell(&now["level"]),
            table::cell(&now["started_with"])
        );
        Ok(())
    })
}
