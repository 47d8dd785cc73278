//! `reelmill drain`: stop starting new work before maintenance, or start again.
//!
//! Guarantees: running attempts go on; arrivals are still recorded. Deliberately absent: waiting for the end; see `task list`.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::remote::Remote;
use crate::cli::table;
use serde_json::json;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// on: start no new attempts; off: start them again.
    #[arg(value_parser = ["on", "off"])]
    pub state: String,
    #[command(flatten)]
    remote: Remote,
}

/// Carries it out.
///
/// # Errors
/// The daemon refused or did not answer.
pub fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    block_on(async {
        let system = Client::connect(&args.remote, context)?
            .post("/api/v1/system/drain", &json!({ "on": args.state == "on" }))
            .await?;
        if args.remote.json {
            return table::print_json(&system);
        }
        println!("draining: {}", table::cell(&system["draining"]));
        Ok(())
    })
}
