//! `reelmill token`: create, list and revoke tokens of the REST API.
//!
//! Guarantees: a token is printed once, when it is made, and can never be read again. Deliberately absent: people with
//! passwords (`user`).

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::part;
use crate::cli::listing;
use crate::cli::remote::Remote;
use crate::cli::table;
use serde_json::json;

/// What can be done with tokens.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a token and print it.
    Create {
        /// What it is for.
        name: String,
        /// What it may do: admin everything, operator tasks and workflows, viewer only look.
        #[arg(long, default_value = "operator", value_parser = ["admin", "operator", "viewer"])]
        role: String,
        /// Days after which it is useless; never when left out.
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        expires_days: Option<u32>,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// List tokens, without their secrets.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Make a token useless.
    Revoke {
        /// Its id.
        id: String,
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
        Command::Create {
            name,
            role,
            expires_days,
            remote,
        } => block_on(async {
            let body = json!({ "name": name, "role": role, "expires_days": expires_days });
            let made = Client::connect(&remote, context)?.post("/api/v1/tokens", &body).await?;
            if remote.json {
                return table::print_json(&made);
            }
            println!("{}", table::cell(&made["token"]));
            Ok(())
        }),
        Command::List { remote } => block_on(listing::print(
            &remote,
            context,
            "/api/v1/tokens",
            &[],
            &[
                ("ID", "/id"),
                ("NAME", "/name"),
                ("ROLE", "/role"),
                ("STATUS", "/status"),
                ("CREATED", "/created_at"),
                ("LAST USED", "/used_at"),
                ("EXPIRES", "/expires_at"),
            ],
        )),
        Command::Revoke { id, remote } => block_on(async {
            Client::connect(&remote, context)?
                .delete(&format!("/api/v1/tokens/{}", part(&id)))
                .await?;
            Ok(())
        }),
    }
}
