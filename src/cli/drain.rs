//! `reelmill drain`: stop starting new work before maintenance, or start again.
//!
//! Guarantees: running attempts go on; arrivals are still recorded; with `--wait` it ends when nothing runs any more, or says
//! what does when the time is over. Deliberately absent: stopping what runs; the service's stop does that.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::outcome::WorkFailed;
use crate::cli::remote::Remote;
use crate::cli::table;
use serde_json::Value;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// on: start no new attempts, until off or a restart; off: start them again.
    #[arg(value_parser = ["on", "off"])]
    pub state: String,
    /// With on: wait until nothing runs any more, at most so long. Exit code 1: something still does.
    #[arg(long, value_name = "SECONDS")]
    pub wait: Option<u64>,
    #[command(flatten)]
    remote: Remote,
}

/// Carries it out.
///
/// # Errors
/// The daemon refused or did not answer, or attempts still run after the time to wait.
pub fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    block_on(async {
        let client = Client::connect(&args.remote, context)?;
        let on = args.state == "on";
        let mut system = client.post("/api/v1/system/drain", &json!({ "on": on })).await?;
        if let Some(seconds) = args.wait.filter(|_| on) {
            let until = Instant::now() + Duration::from_secs(seconds);
            while running(&system) > 0 && Instant::now() < until {
                tokio::time::sleep(LOOK_EVERY).await;
                system = client.get("/api/v1/system", &[]).await?;
            }
        }
        if args.remote.json {
            table::print_json(&system)?;
        } else {
            println!("draining: {}", table::cell(&system["draining"]));
        }
        match (args.wait.filter(|_| on), running(&system)) {
            (None, _) | (_, 0) => Ok(()),
            (Some(seconds), left) => {
                eprintln!(
                    "reelmill: {left} attempts still run after {seconds} s. A stop gives them server.stop_grace_s; what is not done then runs again after the start."
                );
                Err(WorkFailed.into())
            }
        }
    })
}

/// Attempts that run or publish.
fn running(system: &Value) -> i64 {
    system["queue"]["running_attempts"].as_i64().unwrap_or(0)
}
