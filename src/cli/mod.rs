//! The command line: every subcommand's words, and which file carries it out.
//!
//! Guarantees: exit code 0 for done, 1 when the work failed, 2 for bad usage or configuration; results go to
//! standard output, everything for people to standard error. Deliberately absent: what the commands do.

pub mod access_key;
pub mod alert;
pub mod audit;
pub mod backup;
pub mod batch;
pub mod bench;
pub mod callback;
pub mod check;
pub mod client;
pub mod completions;
pub mod definition_file;
pub mod delivery;
pub mod destination;
pub mod drain;
pub mod dry_run;
pub mod event;
pub mod listing;
pub mod log_level;
pub mod manual;
pub mod media;
pub mod outcome;
pub mod probe;
mod remote;
pub mod restore;
pub mod review;
pub mod run;
pub mod sample;
pub mod serve;
pub mod storage;
pub mod table;
pub mod task;
pub mod template;
pub mod token;
pub mod upload;
pub mod user;
pub mod wishes;
pub mod worker;
pub mod workflow;

use clap::Parser;
use clap::Subcommand;
use std::path::PathBuf;
use std::process::ExitCode;

/// The on-premises media appliance: watched folders in, proved renditions and signed callbacks out.
#[derive(Debug, Parser)]
#[command(name = "reelmill", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE", default_value = crate::config::INSTALLED)]
    pub config: PathBuf,
    /// What is logged: error, warn, info, debug, trace, or a filter such as info,reelmill::scheduler=debug.
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon.
    Serve(serve::Args),
    /// Run one workflow over one file, here and now, without a daemon.
    Run(run::Args),
    /// Show the facts of a file.
    Probe(probe::Args),
    /// Say whether this host can do the work, and what to do where it cannot.
    Check(check::Args),
    /// Measure this host and suggest values for its configuration.
    Bench(bench::Args),
    /// Make a test clip: moving bars, frame numbers and a beep each second.
    Sample(sample::Args),
    /// List, show, apply, enable, disable, test, copy and delete workflows.
    #[command(subcommand)]
    Workflow(workflow::Command),
    /// List, show, apply and delete templates, and set the default of a type.
    #[command(subcommand)]
    Template(template::Command),
    /// Start, list, show, watch, cancel and retry tasks.
    #[command(subcommand)]
    Task(task::Command),
    /// List and show media, and make links to them.
    #[command(subcommand)]
    Media(media::Command),
    /// List and show what people are asked, and decide it.
    #[command(subcommand)]
    Review(review::Command),
    /// List events, or follow them.
    #[command(subcommand)]
    Event(event::Command),
    /// List deliveries of events, and send them again.
    #[command(subcommand)]
    Delivery(delivery::Command),
    /// List, make, change, test and remove receivers of events.
    #[command(subcommand)]
    Destination(destination::Command),
    /// List what a person should look at, and say that you know.
    #[command(subcommand)]
    Alert(alert::Command),
    /// List storages, scan them, and ask why an object was not triggered.
    #[command(subcommand)]
    Storage(storage::Command),
    /// Create, list, change and remove people who log in.
    #[command(subcommand)]
    User(user::Command),
    /// Create, list and revoke tokens of the REST API.
    #[command(subcommand)]
    Token(token::Command),
    /// Create, list and revoke key pairs of the cloud-compatible APIs.
    #[command(subcommand, name = "accesskey")]
    AccessKey(access_key::Command),
    /// List who did what by hand.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Receive and check callbacks while an integration is being written.
    #[command(subcommand)]
    Callback(callback::Command),
    /// Stop starting new work (on), or start again (off).
    Drain(drain::Args),
    /// Show what a running daemon logs, or change it until its next start.
    LogLevel(log_level::Args),
    /// Write a copy of the database of a running daemon.
    Backup(backup::Args),
    /// Put a backup in the place of the database of a stopped daemon.
    Restore(restore::Args),
    /// Carries out one attempt; started by the daemon.
    #[command(hide = true)]
    Worker(worker::WorkerArgs),
    /// Print completions for a shell.
    Completions(completions::Args),
    /// Write the manual pages into a folder.
    Manual(manual::Args),
}

/// What a command knows besides its own arguments.
#[derive(Debug, Clone)]
pub struct Context {
    /// The configuration file.
    pub config: PathBuf,
}

impl Cli {
    /// The log level of a command: what was given, else `warn`, since its result is its output.
    pub fn log_level(&self) -> String {
        self.log.clone().unwrap_or_else(|| "warn".to_owned())
    }
}

/// Carries out one command and says what became of it.
pub fn run(cli: Cli) -> ExitCode {
    // A worker closes its cage before any thread runs, so nothing may come before it.
    if let Command::Worker(args) = &cli.command {
        return worker::run(args);
    }
    // The daemon logs as its configuration says, so it reads that first.
    if let Command::Serve(args) = &cli.command {
        let context = Context {
            config: cli.config.clone(),
        };
        return outcome::exit_code(serve::run(args, cli.log.as_deref(), &context));
    }
    if let Err(error) = crate::telemetry::logging::start(&cli.log_level()) {
        eprintln!("reelmill: {error}");
        return ExitCode::from(2);
    }
    let context = Context { config: cli.config };
    let done = match cli.command {
        Command::Run(args) => run::run(&args, &context),
        Command::Probe(args) => probe::run(&args),
        Command::Check(args) => check::run(args, &context),
        Command::Bench(args) => bench::run(&args),
        Command::Sample(args) => sample::run(&args),
        Command::Workflow(command) => workflow::run(command, &context),
        Command::Template(command) => template::run(command, &context),
        Command::Task(command) => task::run(command, &context),
        Command::Media(command) => media::run(command, &context),
        Command::Review(command) => review::run(command, &context),
        Command::Event(command) => event::run(command, &context),
        Command::Delivery(command) => delivery::run(command, &context),
        Command::Destination(command) => destination::run(command, &context),
        Command::Alert(command) => alert::run(command, &context),
        Command::Storage(command) => storage::run(command, &context),
        Command::User(command) => user::run(command, &context),
        Command::Token(command) => token::run(command, &context),
        Command::AccessKey(command) => access_key::run(command, &context),
        Command::Audit(command) => audit::run(command, &context),
        Command::Callback(command) => callback::run(command, &context),
        Command::Drain(args) => drain::run(args, &context),
        Command::LogLevel(args) => log_level::run(args, &context),
        Command::Backup(args) => backup::run(args, &context),
        Command::Restore(args) => restore::run(args, &context),
        Command::Completions(args) => completions::run(args),
        Command::Manual(args) => manual::run(&args),
        Command::Serve(_) | Command::Worker(_) => unreachable!("both were carried out above"),
    };
    outcome::exit_code(done)
}

/// A runtime for a command that speaks to a daemon.
pub(crate) fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(future)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
