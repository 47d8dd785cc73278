//! `reelmill media`: list and show media, and make links to them and their outputs.
//!
//! Guarantees: links are made by the daemon and expire. Deliberately absent: sending files (`upload`), and delete.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::Remote;
use crate::cli::client::part;
use crate::cli::listing;
use crate::cli::listing::Page;
use crate::cli::table;
use crate::cli::upload;

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
        #[command(flatten)]
        #[allow(missing_docs)]
        page: Page,
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
    /// Send a file into the library; the same command again goes on where it was interrupted.
    Upload(upload::UploadArgs),
    /// Have the daemon fetch a file by its address into the library.
    Pull(upload::PullArgs),
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
            page,
            remote,
        } => block_on(async {
            let query = page.of([("storage", storage), ("text", text)]);
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
        Command::Upload(args) => upload::upload(args, context),
        Command::Pull(args) => upload::pull(args, context),
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
