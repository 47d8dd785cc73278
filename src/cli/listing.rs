//! A list of the daemon, asked for and printed: what every `list` command does.
//!
//! Guarantees: a list is a table for people, or the JSON as it came. Deliberately absent: which filters and columns a
//! list has; its command says them.

use crate::cli::Context;
use crate::cli::client::Client;
use crate::cli::client::Remote;
use crate::cli::table;
use crate::cli::table::Column;

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
