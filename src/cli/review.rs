//! `reelmill review`: what people are asked, and their decisions.
//!
//! Guarantees: whoever the token belongs to is the auditor. Deliberately absent: looking at the media; links to it come
//! with `reelmill media urls`.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::part;
use crate::cli::listing;
use crate::cli::listing::Page;
use crate::cli::remote::Remote;
use crate::cli::table;
use serde_json::json;

/// What can be done with reviews.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List reviews, newest first.
    List {
        /// Only those of this status: waiting, approved, blocked, expired, canceled.
        #[arg(long)]
        status: Option<String>,
        /// Only those about this media.
        #[arg(long)]
        media: Option<String>,
        /// Only those of this task.
        #[arg(long)]
        task: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs)]
        page: Page,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Show one review.
    Show {
        /// Its id.
        id: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Ask people about a media outside of any task.
    Ask {
        /// Id of the media.
        media: String,
        /// What they are asked to look at.
        #[arg(long, default_value = "")]
        instructions: String,
        /// How long they may take, seconds.
        #[arg(long)]
        timeout_s: Option<u64>,
        /// What happens then: fail, approve or block.
        #[arg(long, requires = "timeout_s")]
        on_timeout: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Approve what reviews are about.
    Approve(Decide),
    /// Block what reviews are about.
    Block(Decide),
    /// Take back questions that no task asks.
    Cancel {
        /// Their ids.
        #[arg(required = true)]
        ids: Vec<String>,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
}

/// A decision.
#[derive(Debug, clap::Args)]
pub struct Decide {
    /// Their ids.
    #[arg(required = true)]
    pub ids: Vec<String>,
    /// Why.
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Anything else.
    #[arg(long, default_value = "")]
    pub comment: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub remote: Remote,
}

/// Carries it out.
///
/// # Errors
/// The daemon refused or did not answer.
pub fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    block_on(async {
        match command {
            Command::List {
                status,
                media,
                task,
                page,
                remote,
            } => {
                let query = page.of([("status", status), ("media", media), ("task", task)]);
                let columns = [
                    ("ID", "/id"),
                    ("CREATED", "/created_at"),
                    ("STATUS", "/status"),
                    ("OBJECT", "/object"),
                    ("WORKFLOW", "/workflow"),
                    ("DUE", "/due_at"),
                    ("AUDITOR", "/auditor"),
                    ("REASON", "/reason"),
                ];
                listing::print(&remote, context, "/api/v1/reviews", &query, &columns).await
            }
            Command::Show { id, remote } => {
                let client = Client::connect(&remote, context)?;
                let review = client.get(&format!("/api/v1/reviews/{}", part(&id)), &[]).await?;
                table::print_json(&review)
            }
            Command::Ask {
                media,
                instructions,
                timeout_s,
                on_timeout,
                remote,
            } => {
                let client = Client::connect(&remote, context)?;
                let body = json!({ "instructions": instructions, "timeout_s": timeout_s, "on_timeout": on_timeout });
                let review = client
                    .post(&format!("/api/v1/media/{}/reviews", part(&media)), &body)
                    .await?;
                table::print_json(&review)
            }
            Command::Approve(decide) => each(&decide, "approve", context).await,
            Command::Block(decide) => each(&decide, "block", context).await,
            Command::Cancel { ids, remote } => {
                let client = Client::connect(&remote, context)?;
                for id in &ids {
                    let path = format!("/api/v1/reviews/{}/cancel", part(id));
                    let review = client.post(&path, &json!({})).await?;
                    if remote.json {
                        table::print_json(&review)?;
                    }
                }
                Ok(())
            }
        }
    })
}

async fn each(decide: &Decide, verb: &str, context: &Context) -> anyhow::Result<()> {
    let client = Client::connect(&decide.remote, context)?;
    let body = json!({ "reason": decide.reason, "comment": decide.comment });
    for id in &decide.ids {
        let path = format!("/api/v1/reviews/{}/{verb}", part(id));
        let review = client.post(&path, &body).await?;
        if decide.remote.json {
            table::print_json(&review)?;
        }
    }
    Ok(())
}
