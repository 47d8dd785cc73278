//! The program: a worker first of all, because its cage must close before any thread starts.

use clap::Parser;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "reelmill", version)]
enum Command {
    #[command(hide = true)]
    Worker(reelmill::cli::worker::WorkerArgs),
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Worker(args) => reelmill::cli::worker::run(&args),
    }
}
