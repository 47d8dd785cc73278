//! A list of the daemon, asked for and printed: what every `list` command does.
//!
//! Guarantees: a list is a table for people, or the JSON as it came. Deliberately absent: which filters and columns a
//! list has; its command says them.

use crate::cli::Context;
use crate::cli::client::Client;
use crate::cli::remote::Remote;
use crate::cli::table;
use crate::cli::table::Column;

/// Which page of a list.
#[derive(Debug, clap::Args)]
pub struct Page {
    /// How many, 1 to 500.
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
    /// Where the page before ended.
    #[arg(long)]
    pub cursor: Option<String>,
}

impl Page {
    /// The query for this page of what the filters find.
    pub fn of<const N: usize>(
        self,
        filters: [(&'static str, Option<String>); N],
    ) -> Vec<(&'static str, Option<String>)> {
        let page = [("limit", Some(self.limit.to_string())), ("cursor", self.cursor)];
        filters.into_iter().chain(page).collect()
    }
}

/// One page of the list at `path`; parts of `query` without a value are not sent.
///
/// # Errors
/// The daemon refused or did not answer, or standard output is closed.
pub async fn print(
    remote: &Remote,
    context: &Context,
    path: &str,
    query: &[(&str, Option<String>)],
    columns: &[Column],
) -> anyhow::Result<()> {
    let list = Client::connect(remote, context)?.get(path, query).await?;
    table::print_list(&list, columns, remote.json)
}
