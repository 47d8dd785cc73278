//! `reelmill audit`: who did what by hand.
//!
//! Guarantees: newest first, by page. Deliberately absent: changing it.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::listing;
use crate::cli::remote::Remote;

/// What can be done with the audit log.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List what was done by hand, newest first.
    List {
        /// Only by this user, token or access key.
        #[arg(long)]
        who: Option<String>,
        /// Only of this verb; one that ends with a dot stands for all that begin with it: task.
        #[arg(long)]
        verb: Option<String>,
        /// Only on this id or name.
        #[arg(long)]
        subject: Option<String>,
        /// Not before this time, as 2026-01-31T00:00:00Z.
        #[arg(long)]
        from: Option<String>,
        /// Before this time.
        #[arg(long)]
        to: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs)]
        page: listing::Page,
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
    let Command::List {
        who,
        verb,
        subject,
        from,
        to,
        page,
        remote,
    } = command;
    let query = page.of([
        ("who", who),
        ("verb", verb),
        ("subject", subject),
        ("from", from),
        ("to", to),
    ]);
    block_on(listing::print(
        &remote,
        context,
        "/api/v1/audit",
        &query,
        &[
            ("TIME", "/created_at"),
            ("WHO", "/who"),
            ("VERB", "/verb"),
            ("SUBJECT", "/subject"),
            ("DETAIL", "/detail"),
        ],
    ))
}
