//! `reelmill delivery`: list deliveries of events, send them again, take dead ones off the list.
//!
//! Guarantees: a replay carries the same event id. Deliberately absent: receiving; see `reelmill callback listen`.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::part;
use crate::cli::listing;
use crate::cli::listing::Page;
use crate::cli::remote::Remote;
use crate::cli::table;
use serde_json::json;

/// What can be done with deliveries.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List deliveries, newest first.
    List {
        /// Only those of this status: pending, done, dead.
        #[arg(long)]
        status: Option<String>,
        /// Only those to this destination.
        #[arg(long)]
        destination: Option<String>,
        /// Only those of this task.
        #[arg(long)]
        task: Option<String>,
        /// Only those of events of this type.
        #[arg(long, value_name = "EVENT_TYPE")]
        event_type: Option<String>,
        /// Only those made at this time or later, as 2026-01-02T03:04:05Z.
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Only those made before this time.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs)]
        page: Page,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Send them again: those named, or with --all every dead one that the filters find.
    Replay {
        #[command(flatten)]
        #[allow(missing_docs)]
        which: Which,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Take dead letters off the list: those named, or with --all every one that the filters find.
    Discard {
        #[command(flatten)]
        #[allow(missing_docs)]
        which: Which,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
}

/// Which deliveries.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// Their ids.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub ids: Vec<String>,
    /// Every dead one.
    #[arg(long)]
    pub all: bool,
    /// Only those to this destination.
    #[arg(long, requires = "all")]
    pub destination: Option<String>,
    /// Only those of this task.
    #[arg(long, requires = "all")]
    pub task: Option<String>,
    /// Only those of events of this type.
    #[arg(long, requires = "all", value_name = "EVENT_TYPE")]
    pub event_type: Option<String>,
    /// Only those made at this time or later, as 2026-01-02T03:04:05Z.
    #[arg(long, requires = "all", value_name = "TIME")]
    pub since: Option<String>,
    /// Only those made before this time.
    #[arg(long, requires = "all", value_name = "TIME")]
    pub until: Option<String>,
}

/// Carries it out.
///
/// # Errors
/// The daemon refused or did not answer.
pub fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::List {
            status,
            destination,
            task,
            event_type,
            since,
            until,
            page,
            remote,
        } => block_on(async {
            let query = page.of([
                ("status", status),
                ("destination", destination),
                ("task", task),
                ("event_type", event_type),
                ("since", since),
                ("until", until),
            ]);
            listing::print(
                &remote,
                context,
                "/api/v1/deliveries",
                &query,
                &[
                    ("ID", "/id"),
                    ("CREATED", "/created_at"),
                    ("STATUS", "/status"),
                    ("DESTINATION", "/destination"),
                    ("TRIES", "/tries"),
                    ("EVENT", "/event_type"),
                    ("LAST ERROR", "/last_error"),
                ],
            )
            .await
        }),
        Command::Replay { which, remote } => block_on(each("replay", which, &remote, context)),
        Command::Discard { which, remote } => block_on(each("discard", which, &remote, context)),
    }
}

async fn each(verb: &str, which: Which, remote: &Remote, context: &Context) -> anyhow::Result<()> {
    let client = Client::connect(remote, context)?;
    if which.all {
        let filters = json!({
            "destination": which.destination,
            "task": which.task,
            "event_type": which.event_type,
            "since": which.since,
            "until": which.until,
        });
        let said = client.post(&format!("/api/v1/deliveries/{verb}"), &filters).await?;
        if remote.json {
            return table::print_json(&said);
        }
        println!("{} deliveries", table::cell(&said["deliveries"]));
        return Ok(());
    }
    for id in &which.ids {
        let path = format!("/api/v1/deliveries/{}/{verb}", part(id));
        let delivery = client.post(&path, &json!({})).await?;
        if remote.json {
            table::print_json(&delivery)?;
        }
    }
    Ok(())
}
