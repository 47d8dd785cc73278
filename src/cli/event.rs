//! `reelmill event`: list events, or follow them as they happen.
//!
//! Guarantees: following resumes after a lost connection without a gap. Deliberately absent: wire profiles of receivers.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::NoAnswer;
use crate::cli::listing;
use crate::cli::listing::Page;
use crate::cli::remote::Remote;
use std::time::Duration;

/// What can be done with events.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List events, newest first.
    List(Args),
}

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those of this type.
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Only those of this task.
    #[arg(long)]
    pub task: Option<String>,
    #[command(flatten)]
    page: Page,
    /// Print new ones as they happen, one JSON object a line, until interrupted.
    #[arg(long)]
    pub follow: bool,
    #[command(flatten)]
    remote: Remote,
}

/// How long to wait before a lost connection is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Carries it out.
///
/// # Errors
/// The daemon refused or did not answer.
pub fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    let Command::List(args) = command;
    block_on(async {
        if args.follow {
            return follow(&Client::connect(&args.remote, context)?).await;
        }
        let query = args.page.of([("type", args.kind), ("task", args.task)]);
        listing::print(
            &args.remote,
            context,
            "/api/v1/events",
            &query,
            &[
                ("SEQ", "/seq"),
                ("AT", "/created_at"),
                ("TYPE", "/type"),
                ("TASK", "/task"),
                ("ID", "/id"),
            ],
        )
        .await
    })
}

async fn follow(client: &Client) -> anyhow::Result<()> {
    let mut last = None;
    let mut connected = false;
    loop {
        let ended = client
            .follow("/api/v1/events/stream", &mut last, |name, data| {
                connected = true;
                if name == "event" {
                    use std::io::Write as _;
                    writeln!(std::io::stdout().lock(), "{data}")?;
                }
                Ok(())
            })
            .await;
        match ended {
            Err(error) if !(connected && error.is::<NoAnswer>()) => return Err(error),
            _ => tokio::time::sleep(AGAIN_AFTER).await,
        }
    }
}
