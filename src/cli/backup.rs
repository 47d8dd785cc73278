//! `reelmill backup`: the daemon writes a whole and consistent copy of its database while it works.
//!
//! Guarantees: the copy is complete or absent; an existing file is never replaced. Deliberately absent: the media.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::outcome::BadUsage;
use crate::cli::remote::Remote;
use crate::cli::table;
use serde_json::json;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the copy goes; a path on the daemon's host that the daemon may write.
    pub file: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

/// Carries it out.
///
/// # Errors
/// The daemon refused or did not answer.
pub fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let file = std::path::absolute(&args.file)
        .map_err(|error| BadUsage(format!("{} is not a path: {error}", args.file.display())))?;
    block_on(async {
        let made = Client::connect(&args.remote, context)?
            .post("/api/v1/system/backup", &json!({ "file": file }))
            .await?;
        if args.remote.json {
            return table::print_json(&made);
        }
        println!("{} ({} bytes)", file.display(), table::cell(&made["size_bytes"]));
        Ok(())
    })
}
