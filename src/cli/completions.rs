//! `reelmill completions`: what a shell needs to complete our command line.
//!
//! Guarantees: made from the very definition of the command line. Deliberately absent: installing it.

use crate::cli::Cli;
use clap::CommandFactory;
use std::io::Write as _;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Carries it out.
///
/// # Errors
/// Standard output is closed.
pub fn run(args: Args) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "reelmill", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(())
}
