//! The program: a worker first of all, because its cage must close before any thread starts.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    reelmill::cli::run(reelmill::cli::Cli::parse())
}
