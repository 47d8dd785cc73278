//! `reelmill restore`: puts a backup in the place of the database of a stopped daemon.
//!
//! Guarantees: refused while a daemon runs on it; the old database is kept beside. Deliberately absent: media.

use crate::base::clock::UtcMs;
use crate::cli::Context;
use crate::cli::outcome::BadUsage;
use crate::config;
use crate::store;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file that `reelmill backup` made.
    pub file: PathBuf,
}

/// Carries it out.
///
/// # Errors
/// The configuration or the backup is no good, or a daemon runs.
pub fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let config = config::load(&context.config).map_err(|bad| BadUsage(bad.to_string()))?;
    let database = config.server.state_dir.join(store::FILE_NAME);
    let old = store::restore::restore(&args.file, &database, UtcMs::now())
        .map_err(|error| BadUsage(error.fault(args.file.display().to_string()).to_string()))?;
    println!("{}", database.display());
    if let Some(old) = old {
        eprintln!("the database before is kept as {}", old.display());
    }
    Ok(())
}
