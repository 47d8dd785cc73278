//! `reelmill media`: list and show media, and make links to them and their outputs.
//!
//! Guarantees: links are made by the daemon and expire. Deliberately absent: upload and delete, which come with the library.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::Remote;
use crate::cli::client::part;
use crate::cli::listing;
use crate::cli::table;

/// What can be done with media.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List media, newest first.
    List {
        /// Only those of this storage.
        #[arg(long)]
        storage: Option<String>,
        /// Only those whose key contains this text.
        #[arg(long)]
        text: Option<String>,
        /// How many, 1 to 500.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Where the page before ended.
        #[arg(long)]
        cursor: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Show one: its facts, tasks and outputs.
    Show {
        /// Its id.
        id: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Links to the source and every output of one; who has a link can read until it expires.
    Urls {
        /// Its id.
        id: String,
        /// How long they shall work.
        #[arg(long, default_value_t = 3600)]
        expires_s: u32,
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
        Command::List {
            storage,
            text,
            limit,
            cursor,
            remote,
        } => block_on(async {
            let query = [
                ("storage", storage),
                ("text", text),
                ("limit", Some(limit.to_string())),
                ("cursor", cursor),
            ];
            listing::print(
                &remote,
                context,
                "/api/v1/media",
                &query,
                &[
                    ("ID", "/id"),
                    ("CREATED", "/created_at"),
                    ("BYTES", "/size_bytes"),
                    ("OBJECT", "/object"),
                ],
            )
            .await
        }),
        Command::Show { id, remote } => block_on(async {
            let path = format!("/api/v1/media/{}", part(&id));
            table::print_json(&Client::connect(&remote, context)?.get(&path, &[]).await?)
        }),
        Command::Urls { id, expires_s, remote } => block_on(async {
            let path = format!("/api/v1/media/{}/urls", part(&id));
            listing::print(
                &remote,
                context,
                &path,
                &[("expires_s", Some(expires_s.to_string()))],
                &[("NAME", "/name"), ("KIND", "/kind"), ("URL", "/url")],
            )
            .await
        }),
    }
}
