//! `reelmill template`: list, show, apply and delete templates, and set which stands in where nothing is said.
//!
//! Guarantees: `apply` sends the file as it is; the daemon alone decides whether it is good. Deliberately absent: what a
//! template means.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::part;
use crate::cli::definition_file;
use crate::cli::listing;
use crate::cli::listing::Page;
use crate::cli::remote::Remote;
use crate::cli::table;
use serde_json::Value;
use std::path::PathBuf;

/// What can be done with templates.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List templates.
    List {
        /// Only those of this type.
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        /// Only those of this origin: system or custom.
        #[arg(long)]
        origin: Option<String>,
        /// Only those whose name contains this.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs)]
        page: Page,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Show one with its parameters and the workflows that name it.
    Show(One),
    /// Make a template from a TOML or JSON file, or change the custom one of its name.
    Apply {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Delete a custom one; workflows that name it keep their copy.
    Delete(One),
    /// Let it stand in where an activity, watermark or subtitle of its type says nothing.
    Default {
        /// Its name.
        name: String,
        /// No more.
        #[arg(long)]
        unset: bool,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
}

/// One template.
#[derive(Debug, clap::Args)]
pub struct One {
    /// Its name.
    pub name: String,
    #[command(flatten)]
    remote: Remote,
}

/// Carries it out.
///
/// # Errors
/// The daemon refused or did not answer.
pub fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::List {
            kind,
            origin,
            name,
            page,
            remote,
        } => block_on(async {
            listing::print(
                &remote,
                context,
                "/api/v1/templates",
                &page.of([("type", kind), ("origin", origin), ("name", name)]),
                &[
                    ("NAME", "/name"),
                    ("TYPE", "/type"),
                    ("ORIGIN", "/origin"),
                    ("DEFAULT", "/default"),
                    ("DESCRIPTION", "/description"),
                ],
            )
            .await
        }),
        Command::Show(One { name, remote }) => {
            block_on(async { table::print_json(&Client::connect(&remote, context)?.get(&path(&name, ""), &[]).await?) })
        }
        Command::Apply { file, remote } => block_on(async {
            let client = Client::connect(&remote, context)?;
            let applied = definition_file::send(&client, &file, "/api/v1/templates").await?;
            brief(&applied, "applied", remote.json)
        }),
        Command::Delete(One { name, remote }) => block_on(async {
            let client = Client::connect(&remote, context)?;
            let gone = client.delete(&path(&name, "")).await?;
            brief(&gone, "deleted", remote.json)
        }),
        Command::Default { name, unset, remote } => block_on(async {
            let client = Client::connect(&remote, context)?;
            let path = path(&name, "/default");
            let (answer, verb) = match unset {
                true => (client.delete(&path).await?, "no default any more"),
                false => (client.put_nothing(&path).await?, "the default of its type"),
            };
            brief(&answer, verb, remote.json)
        }),
    }
}

fn brief(template: &Value, verb: &str, json: bool) -> anyhow::Result<()> {
    if json {
        return table::print_json(template);
    }
    println!("{} {verb}", table::cell(&template["name"]));
    let users: Vec<String> = template["used_by"]
        .as_array()
        .into_iter()
        .flatten()
        .map(table::cell)
        .collect();
    if !users.is_empty() {
        println!("named by {}. {}", users.join(", "), table::cell(&template["note"]));
    }
    Ok(())
}

fn path(template: &str, rest: &str) -> String {
    format!("/api/v1/templates/{}{rest}", part(template))
}
