//! `reelmill template`: list and show templates.
//!
//! Guarantees: shows what the daemon uses. Deliberately absent: editing, which comes with templates of one's own.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::Remote;
use crate::cli::client::part;
use crate::cli::listing;
use crate::cli::table;

/// What can be done with templates.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List templates.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Show one with its parameters.
    Show {
        /// Its name.
        name: String,
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
        Command::List { remote } => block_on(listing::print(
            &remote,
            context,
            "/api/v1/templates",
            &[],
            &[
                ("NAME", "/name"),
                ("TYPE", "/type"),
                ("ORIGIN", "/origin"),
                ("DESCRIPTION", "/description"),
            ],
        )),
        Command::Show { name, remote } => block_on(async {
            let path = format!("/api/v1/templates/{}", part(&name));
            table::print_json(&Client::connect(&remote, context)?.get(&path, &[]).await?)
        }),
    }
}
