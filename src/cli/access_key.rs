//! `reelmill accesskey`: create, list and revoke key pairs of the cloud-compatible APIs.
//!
//! Guarantees: a secret is printed once, when it is made. Deliberately absent: using them.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::part;
use crate::cli::listing;
use crate::cli::remote::Remote;
use crate::cli::table;
use serde_json::json;

/// What can be done with access keys.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a key pair and print it: the id, then the secret.
    Create {
        /// What it is for.
        name: String,
        /// What it may do: admin everything, operator tasks and workflows, viewer only look.
        #[arg(long, default_value = "operator", value_parser = ["admin", "operator", "viewer"])]
        role: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// List key pairs, without their secrets.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Make a key pair useless.
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
        Command::Create { name, role, remote } => block_on(async {
            let made = Client::connect(&remote, context)?
                .post("/api/v1/accesskeys", &json!({ "name": name, "role": role }))
                .await?;
            if remote.json {
                return table::print_json(&made);
            }
            println!("{}\n{}", table::cell(&made["id"]), table::cell(&made["secret"]));
            Ok(())
        }),
        Command::List { remote } => block_on(listing::print(
            &remote,
            context,
            "/api/v1/accesskeys",
            &[],
            &[
                ("ID", "/id"),
                ("NAME", "/name"),
                ("ROLE", "/role"),
                ("STATUS", "/status"),
                ("CREATED", "/created_at"),
                ("LAST USED", "/used_at"),
            ],
        )),
        Command::Revoke { id, remote } => block_on(async {
            Client::connect(&remote, context)?
                .delete(&format!("/api/v1/accesskeys/{}", part(&id)))
                .await?;
            Ok(())
        }),
    }
}
